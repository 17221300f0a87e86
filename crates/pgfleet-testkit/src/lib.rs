//! Throwaway clusters, fault proxy and fixtures for tests and benchmarks. Development only.
//!
//! Invariant: what a test starts or creates is gone after it, also when it panics; and a missing
//! outside program fails the test with the name of what to install, never skips it in silence.
//! Everything here panics on failure: a test has nobody to hand an error to.
//!
//! | need | take |
//! | --- | --- |
//! | an empty database | [`TestDb::new`]: on a cluster that all tests of this checkout share |
//! | a server of one's own, other settings, standby, TLS, another major version | [`Cluster::fresh`], [`majors::major`] |
//! | a slow or broken network | [`proxy::Proxy`] |
//! | clients that work while something else happens | [`Clients`] |
//! | a pooler | [`pgbouncer::PgBouncer`] |
//! | migration folders of every format, of any length | [`migrations`] |
//! | a project folder and the pgfleet binary in it | [`Project`], [`cli::Cli`] |
//! | a change of schema proven on a server | [`schemas`] |
//! | the tools that teams use today | [`peers`] |

mod blocking;
pub mod cli;
mod clients;
pub mod cluster;
mod database;
mod dump;
pub mod majors;
pub mod migrations;
pub mod peers;
pub mod pgbouncer;
mod project;
pub mod proxy;
pub mod random;
mod redact;
pub mod schemas;
mod shared;
mod tools;

pub use clients::Clients;
pub use cluster::{Cluster, Fresh};
pub use database::{ProgramOutput, TestDb, client_command};
pub use dump::DumpOptions;
pub use project::Project;
pub use redact::Redactions;
pub use shared::stop_shared;
