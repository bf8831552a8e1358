//! Who is woken by what: a change wakes those who look at that object, not all controllers.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::watch;

use super::lifecycle::controller_uid;
use crate::objects::json::text;

/// What somebody waits for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Topic<'a> {
    /// Any object or knob.
    Everything,
    /// The object with this uid, the objects it controls, any knob.
    Object(&'a str),
    /// Any knob.
    Knobs,
}

/// The channels behind the topics. They carry no data: who is woken looks at the state.
#[derive(Debug, Default)]
pub(super) struct Topics {
    everything: watch::Sender<()>,
    knobs: watch::Sender<()>,
    objects: Mutex<Objects>,
}

#[derive(Debug, Default)]
struct Objects {
    by_uid: HashMap<String, watch::Sender<()>>,
    /// Size at which channels without receivers are dropped.
    prune_at: usize,
}

impl Topics {
    pub(super) fn subscribe(&self, topic: Topic<'_>) -> watch::Receiver<()> {
        match topic {
            Topic::Everything => self.everything.subscribe(),
            Topic::Knobs => self.knobs.subscribe(),
            Topic::Object(uid) => {
                let objects = &mut *self.objects();
                if objects.by_uid.len() >= objects.prune_at {
                    objects.by_uid.retain(|_, sender| sender.receiver_count() > 0);
                    objects.prune_at = objects.by_uid.len() * 2 + 64;
                }
                objects.by_uid.entry(uid.to_owned()).or_default().subscribe()
            }
        }
    }

    /// An object was written.
    pub(super) fn announce(&self, object: &Value) {
        let objects = self.objects();
        for uid in [Some(text(object, "/metadata/uid")), controller_uid(object)].into_iter().flatten() {
            if let Some(sender) = objects.by_uid.get(uid) {
                sender.send_replace(());
            }
        }
    }

    /// Some object was written.
    pub(super) fn announce_everything(&self) {
        self.everything.send_replace(());
    }

    /// A knob was turned: everybody looks again.
    pub(super) fn announce_knobs(&self) {
        for sender in self.objects().by_uid.values().chain([&self.knobs, &self.everything]) {
            sender.send_replace(());
        }
    }

    fn objects(&self) -> MutexGuard<'_, Objects> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
