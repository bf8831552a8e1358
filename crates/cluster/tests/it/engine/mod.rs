//! Whole runs through the engine, in paused time, against a cluster and a host in memory.
//!
//! ```text
//!  Scene (request, cluster, host) ─▶ Engine::execute ─▶ requests in order, result, what the host heard
//! ```

mod adoption;
mod api_server;
mod end;
mod environment;
mod host;
mod host_side;
mod launch;
mod objects;
mod own_pod;
mod permissions;
mod scene;
mod stop;
