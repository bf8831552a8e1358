//! A row of the test of the decision table: a scene, and what the host's object has to say.

use serde_json::Value;

use crate::outcome_scene::Scene;

/// What a row has to say. `session`: `keep` stores, `clear` forgets, `-` says nothing.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) scene: Scene,
    pub(crate) code: &'static str,
    pub(crate) exit: (Value, Value),
    pub(crate) session: &'static str,
    pub(crate) family: &'static str,
    pub(crate) retry: &'static str,
    pub(crate) recovery: &'static str,
    pub(crate) acknowledged: bool,
    pub(crate) continues: bool,
}

impl Row {
    pub(crate) fn new(name: &'static str, code: &'static str, scene: Scene) -> Self {
        Self {
            name,
            scene,
            code,
            exit: (1.into(), Value::Null),
            session: "keep",
            family: "",
            retry: "",
            recovery: "",
            acknowledged: false,
            continues: false,
        }
    }

    pub(crate) fn exit(mut self, code: impl Into<Value>, signal: impl Into<Value>) -> Self {
        self.exit = (code.into(), signal.into());
        self
    }

    pub(crate) fn unknown_exit(self) -> Self {
        self.exit(Value::Null, Value::Null)
    }

    pub(crate) fn session(mut self, session: &'static str) -> Self {
        self.session = session;
        self
    }

    pub(crate) fn family(mut self, family: &'static str, retry: &'static str) -> Self {
        (self.family, self.retry) = (family, retry);
        self
    }

    pub(crate) fn recovery(mut self, recovery: &'static str) -> Self {
        self.recovery = recovery;
        self
    }

    pub(crate) fn acknowledged(mut self) -> Self {
        self.acknowledged = true;
        self
    }

    pub(crate) fn continues(mut self) -> Self {
        self.continues = true;
        self
    }
}
