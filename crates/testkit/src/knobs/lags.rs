//! How long the parts of a real cluster take. Measured values (docs/internals/kubernetes.md 4.2); a test may change
//! them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::milliseconds;

/// Delays of scheduler, kubelet and job controller. In JSON: milliseconds under camelCase names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Lags {
    /// Pod created → node assigned. Default 20 ms.
    #[serde(with = "milliseconds")]
    pub scheduling: Duration,
    /// Node assigned → `ContainerCreating` posted. Default 30 ms.
    #[serde(with = "milliseconds")]
    pub pod_accepted: Duration,
    /// Volumes and image ready → container started. Default 100 ms.
    #[serde(with = "milliseconds")]
    pub container_start: Duration,
    /// Container started → `running` posted. A container that ends earlier is never seen running. Default 500 ms.
    #[serde(with = "milliseconds")]
    pub container_running: Duration,
    /// Container ended → open follows of its log return: a kubelet that sees no write looks once a second. Default
    /// 500 ms.
    #[serde(with = "milliseconds")]
    pub follow_end: Duration,
    /// Container `terminated` posted → pod phase posted. Default 1.1 s.
    #[serde(with = "milliseconds")]
    pub pod_phase: Duration,
    /// Pod phase posted → first Job condition. Default 0.9 s.
    #[serde(with = "milliseconds")]
    pub job_decided: Duration,
    /// First Job condition → `Complete` or `Failed`. Default 10 ms.
    #[serde(with = "milliseconds")]
    pub job_finished: Duration,
    /// Containers of a deleted pod terminated → pod object gone. Default 100 ms.
    #[serde(with = "milliseconds")]
    pub pod_removed: Duration,
    /// First image pull back-off; doubles up to 30 times this value. Default 10 s.
    #[serde(with = "milliseconds")]
    pub image_back_off: Duration,
    /// How often the kubelet looks at the size of a running container's log. Zero: at every write. Default 10 s.
    #[serde(with = "milliseconds")]
    pub log_rotation_check: Duration,
    /// Between two bookmarks of a watch. Default 60 s.
    #[serde(with = "milliseconds")]
    pub bookmark: Duration,
    /// Life of a watch without `timeoutSeconds`. Default 45 min.
    #[serde(with = "milliseconds")]
    pub watch: Duration,
}

impl Default for Lags {
    fn default() -> Self {
        Self {
            scheduling: Duration::from_millis(20),
            pod_accepted: Duration::from_millis(30),
            container_start: Duration::from_millis(100),
            container_running: Duration::from_millis(500),
            follow_end: Duration::from_millis(500),
            pod_phase: Duration::from_millis(1_100),
            job_decided: Duration::from_millis(900),
            job_finished: Duration::from_millis(10),
            pod_removed: Duration::from_millis(100),
            image_back_off: Duration::from_secs(10),
            log_rotation_check: Duration::from_secs(10),
            bookmark: Duration::from_secs(60),
            watch: Duration::from_secs(45 * 60),
        }
    }
}

impl Lags {
    /// The delays of start, end and image back-off divided by `speed`; intervals of watches and rotation stay.
    #[must_use]
    pub fn divided_by(self, speed: u32) -> Self {
        let speed = speed.max(1);
        Self {
            scheduling: self.scheduling / speed,
            pod_accepted: self.pod_accepted / speed,
            container_start: self.container_start / speed,
            container_running: self.container_running / speed,
            follow_end: self.follow_end / speed,
            pod_phase: self.pod_phase / speed,
            job_decided: self.job_decided / speed,
            job_finished: self.job_finished / speed,
            pod_removed: self.pod_removed / speed,
            image_back_off: self.image_back_off / speed,
            ..self
        }
    }
}
