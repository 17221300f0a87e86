//! Effects: everything that touches a server, the disk, the network or the clock.

pub mod server;
