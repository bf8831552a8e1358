//! What the plan of a run says about following its Job.

use super::Bounds;
use crate::plan::RunPlan;

impl RunPlan {
    /// Time limits of following a Job.
    #[must_use]
    pub fn bounds(&self, adopted: bool) -> Bounds {
        let config = &self.parts.config;
        Bounds {
            queue: config.queue_timeout,
            schedule: config.schedule_timeout,
            startup: config.startup_timeout,
            limit: config.timeout.map(|timeout| timeout + config.grace),
            exit_grace: config.exit_grace,
            silence: config.silence_timeout,
            queued: config.queue_name.is_some(),
            adopted,
            in_use: self.parts.in_use.clone(),
        }
    }
}
