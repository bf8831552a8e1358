//! Which process follows a Job, and whether it can be proven gone.

use crate::request::HostProcess;

/// Value of the `paperclip.io/supervisor` annotation: `<host pod uid or machine id>/<pid>/<process start>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupervisorId {
    /// Uid of the host's pod, or the machine's id outside a cluster.
    pub place: String,
    /// Process id.
    pub pid: u32,
    /// Start of the process in milliseconds since 1970.
    pub started_at_ms: i64,
}

impl SupervisorId {
    /// This process: named by the uid of the host's pod, where that is known, else by the machine.
    #[must_use]
    pub fn of(host: &HostProcess, pod_uid: Option<&str>) -> Self {
        let place = pod_uid.filter(|uid| !uid.is_empty()).unwrap_or(&host.machine_id).to_owned();
        Self { place, pid: host.pid, started_at_ms: host.started_at_ms }
    }

    /// Reads an annotation; `None` for anything this adapter did not write.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.rsplitn(3, '/');
        let started_at_ms = parts.next()?.parse().ok()?;
        let pid = parts.next()?.parse().ok()?;
        let place = parts.next()?.to_owned();
        (!place.is_empty()).then_some(Self { place, pid, started_at_ms })
    }
}

impl std::fmt::Display for SupervisorId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.place, self.pid, self.started_at_ms)
    }
}

/// What is known about the process that follows a Job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Supervisor {
    /// This very process follows it right now.
    Here,
    /// Proven gone: its pid and start time do not exist on this machine, or its host pod is absent or terminal.
    Gone,
    /// Alive, or not provable.
    Living,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_supervisor_survives_its_annotation() {
        let id = SupervisorId { place: "uid/with/slash".into(), pid: 42, started_at_ms: 1_700_000_000_000 };
        assert_eq!(SupervisorId::parse(&id.to_string()), Some(id));
    }

    #[test]
    fn foreign_annotations_name_nobody() {
        for text in ["", "x", "/1/2", "place/one/2", "place/1"] {
            assert_eq!(SupervisorId::parse(text), None, "{text:?}");
        }
    }
}
