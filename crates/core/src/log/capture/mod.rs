//! Which connection follows which, and when the log is complete.
//!
//! [`Intake`] makes of bytes what the host is given, [`Capture`] has the patience. Neither opens a connection.

mod backoff;
mod intake;
mod machine;
mod outage;
mod phase;
mod tail;

pub use intake::{BodyEnd, Delivery, Intake, Shown};
pub use machine::{Action, Capture, Event, Refusal};
pub use outage::{Outage, PAGE_INSTEAD};
pub use phase::ContainerPhase;
pub use tail::Tail;
