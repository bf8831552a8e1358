//! Objects by key, one resource version for all, and the history from which watches read.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use serde_json::Value;

use crate::objects::json::{items, set, text};
use crate::objects::resource::Resource;

/// Changes that a watch can still be resumed from. A real server forgets after minutes.
const HISTORY: usize = 5_000;

/// Resource, namespace (empty for cluster-wide kinds), name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) resource: Resource,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Key {
    pub(crate) fn new(resource: Resource, namespace: &str, name: &str) -> Self {
        Self { resource, namespace: namespace.to_owned(), name: name.to_owned() }
    }

    pub(crate) fn of(resource: Resource, object: &Value) -> Self {
        let namespace = if resource.namespaced() { text(object, "/metadata/namespace") } else { "" };
        Self::new(resource, namespace, text(object, "/metadata/name"))
    }
}

/// One write.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) revision: u64,
    pub(crate) resource: Resource,
    pub(crate) namespace: String,
    /// The state before; `None` for a creation.
    pub(crate) before: Option<Arc<Value>>,
    /// The state after; for a deletion the last state, with the resource version of the deletion.
    pub(crate) object: Arc<Value>,
    pub(crate) deleted: bool,
}

/// etcd, in a few lines.
#[derive(Debug)]
pub(crate) struct Store {
    objects: BTreeMap<Key, Arc<Value>>,
    keys: HashMap<String, Key>,
    /// Owner uid → what names it in its ownerReferences.
    owned: HashMap<String, BTreeSet<Key>>,
    history: VecDeque<Change>,
    revision: u64,
    /// Watches that want to start at an older revision get 410.
    compacted: u64,
    uids: u64,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            objects: BTreeMap::new(),
            keys: HashMap::new(),
            owned: HashMap::new(),
            history: VecDeque::new(),
            revision: 100,
            compacted: 0,
            uids: 0,
        }
    }
}

impl Store {
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    pub(crate) fn compacted(&self) -> u64 {
        self.compacted
    }

    /// Forgets all history: every older watch and continue token is expired.
    pub(crate) fn compact(&mut self) {
        self.revision += 1;
        self.compacted = self.revision;
        self.history.clear();
    }

    /// A fresh uid. Counted, not random: a failing test fails the same way again.
    pub(crate) fn new_uid(&mut self) -> String {
        self.uids += 1;
        format!("{:08x}-51a1-4c1a-8000-{:012x}", self.uids, self.uids)
    }

    /// Five characters as the API server appends them to `generateName`.
    pub(crate) fn new_suffix(&mut self) -> String {
        const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        self.uids += 1;
        let mut rest = self.uids.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16;
        let length = ALPHABET.len() as u64;
        (0..5)
            .map(|_| {
                let character = ALPHABET[usize::try_from(rest % length).unwrap_or(0)];
                rest /= length;
                char::from(character)
            })
            .collect()
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Arc<Value>> {
        self.objects.get(key)
    }

    pub(crate) fn get_uid(&self, key: &Key, uid: &str) -> Option<&Arc<Value>> {
        self.get(key).filter(|object| text(object, "/metadata/uid") == uid)
    }

    /// Objects of a kind, ordered by namespace and name; of one namespace unless it is empty.
    pub(crate) fn list<'a>(
        &'a self,
        resource: Resource,
        namespace: &'a str,
    ) -> impl Iterator<Item = (&'a Key, &'a Arc<Value>)> {
        self.objects.range(Key::new(resource, namespace, "")..).take_while(move |(key, _)| {
            key.resource == resource && (namespace.is_empty() || key.namespace == namespace)
        })
    }

    /// The object with this uid.
    pub(crate) fn find(&self, uid: &str) -> Option<(&Key, &Arc<Value>)> {
        self.objects.get_key_value(self.keys.get(uid)?)
    }

    /// Objects that name this uid in their ownerReferences.
    pub(crate) fn owned_by(&self, uid: &str) -> impl Iterator<Item = (&Key, &Arc<Value>)> {
        self.owned.get(uid).into_iter().flatten().filter_map(|key| self.objects.get_key_value(key))
    }

    fn index(&mut self, key: &Key, before: Option<&Value>, after: Option<&Value>) {
        for (object, add) in [(before, false), (after, true)] {
            let Some(object) = object else { continue };
            for owner in items(object, "/metadata/ownerReferences") {
                let owned = self.owned.entry(text(owner, "/uid").to_owned()).or_default();
                if add {
                    owned.insert(key.clone());
                } else {
                    owned.remove(key);
                }
                if owned.is_empty() {
                    self.owned.remove(text(owner, "/uid"));
                }
            }
            let uid = text(object, "/metadata/uid");
            if add {
                self.keys.insert(uid.to_owned(), key.clone());
            } else {
                self.keys.remove(uid);
            }
        }
    }

    /// Writes an object, new or not, and returns it with its resource version. An unchanged object gets no new version.
    pub(crate) fn put(&mut self, key: &Key, mut object: Value) -> Arc<Value> {
        let before = self.objects.get(key).cloned();
        if let Some(before) = &before {
            set(&mut object, &["metadata", "resourceVersion"], text(before, "/metadata/resourceVersion"));
            if **before == object {
                return Arc::clone(before);
            }
        }
        self.revision += 1;
        set(&mut object, &["metadata", "resourceVersion"], self.revision.to_string());
        let object = Arc::new(object);
        self.index(key, before.as_deref(), Some(&object));
        self.objects.insert(key.clone(), Arc::clone(&object));
        self.remember(key, before, Arc::clone(&object), false);
        object
    }

    /// Changes an object in place; `None` when it is gone.
    pub(crate) fn edit(&mut self, key: &Key, edit: impl FnOnce(&mut Value)) -> Option<Arc<Value>> {
        let mut object = Value::clone(self.objects.get(key)?);
        edit(&mut object);
        Some(self.put(key, object))
    }

    /// Removes an object. Only `lifecycle` calls this: it also looks after dependents.
    pub(crate) fn take(&mut self, key: &Key) -> Option<Arc<Value>> {
        let before = self.objects.remove(key)?;
        self.index(key, Some(&before), None);
        self.revision += 1;
        let mut last = Value::clone(&before);
        set(&mut last, &["metadata", "resourceVersion"], self.revision.to_string());
        let last = Arc::new(last);
        self.remember(key, Some(before), Arc::clone(&last), true);
        Some(last)
    }

    fn remember(&mut self, key: &Key, before: Option<Arc<Value>>, object: Arc<Value>, deleted: bool) {
        if self.history.len() >= HISTORY
            && let Some(oldest) = self.history.pop_front()
        {
            self.compacted = oldest.revision;
        }
        self.history.push_back(Change {
            revision: self.revision,
            resource: key.resource,
            namespace: key.namespace.clone(),
            before,
            object,
            deleted,
        });
    }

    /// Changes after a revision, oldest first.
    pub(crate) fn changes_after(&self, revision: u64) -> impl Iterator<Item = &Change> {
        let start = self.history.partition_point(|change| change.revision <= revision);
        self.history.range(start..)
    }
}
