//! Values shared by key for as long as they are valid.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A map behind a lock: a slow value is made between `get` and `put`, with the lock free.
pub(super) struct Cache<K, V>(Mutex<HashMap<K, Arc<V>>>);

impl<K, V> Default for Cache<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, V> Cache<K, V> {
    /// The value of a key, if it is still valid.
    pub(super) fn get(&self, key: &K, is_valid: impl Fn(&V) -> bool) -> Option<Arc<V>> {
        self.lock().get(key).filter(|value| is_valid(value)).map(Arc::clone)
    }

    /// Keeps a value; of two that were made at the same time the first valid one stays.
    pub(super) fn put(&self, key: K, value: V, is_valid: impl Fn(&V) -> bool) -> Arc<V> {
        self.get_or_make(key, is_valid, || value)
    }

    /// The value of a key, made on the spot. Making it must be quick: the lock is held.
    pub(super) fn get_or_make(&self, key: K, is_valid: impl Fn(&V) -> bool, make: impl FnOnce() -> V) -> Arc<V> {
        let mut map = self.lock();
        if let Some(known) = map.get(&key).filter(|known| is_valid(known)) {
            return Arc::clone(known);
        }
        let value = Arc::new(make());
        map.insert(key, Arc::clone(&value));
        value
    }

    /// Forgets a value that turned out to be of no use.
    pub(super) fn forget(&self, key: &K) {
        self.lock().remove(key);
    }

    /// Drops what nobody else holds and `keep` does not want.
    pub(super) fn sweep(&self, keep: impl Fn(&V) -> bool) {
        self.lock().retain(|_, value| Arc::strong_count(value) > 1 || keep(value));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Arc<V>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
