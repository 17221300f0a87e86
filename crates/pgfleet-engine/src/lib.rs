//! Effects: everything that touches a server, the disk, the network or the clock.

pub mod connect;
pub mod environment;
pub mod probe;
pub mod report;
pub mod server;
pub mod verify;
