//! Effects: everything that touches a server, the disk, the network or the clock.

pub mod connect;
pub mod environment;
pub mod execute;
pub mod folder;
pub mod journal;
pub mod lock;
pub mod probe;
pub mod report;
pub mod server;
pub mod state;
pub mod verify;
