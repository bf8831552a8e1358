//! Connections to a cluster: credentials chosen explicitly, dead peers noticed, one connection per identity.

mod buffered;
mod credentials;
mod direct;
mod renewal;
mod server_clock;
mod transport;

pub use credentials::{ConnectError, Credentials};
pub use server_clock::ServerClock;
pub use transport::Connection;
