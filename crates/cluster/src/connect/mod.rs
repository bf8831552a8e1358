//! Connections to a cluster: credentials chosen explicitly, dead peers noticed, one connection per identity.

mod bounded;
mod buffered;
mod credentials;
mod direct;
mod operator_file;
mod renewal;
mod server_clock;
mod transport;

pub use credentials::Credentials;
pub use operator_file::CommonGround;
pub use server_clock::ServerClock;
pub use transport::Connection;
