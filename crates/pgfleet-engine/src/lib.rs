//! Effects: everything that touches a server, the disk, the network or the clock.

pub mod backup;
pub mod catalog;
pub mod compare;
pub mod conduct;
pub mod connect;
pub mod diagnose;
pub mod doctor;
pub mod environment;
pub mod execute;
pub mod folder;
pub mod generate;
pub mod journal;
pub mod lock;
pub mod missing;
pub mod outline;
pub mod preflight;
pub mod prisma_schema;
pub mod probe;
mod programs;
pub mod project;
pub mod report;
pub mod scratch;
pub mod server;
pub mod state;
pub mod truth;
pub mod typeorm;
pub mod verify;
