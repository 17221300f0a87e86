//! Configuration: `pgfleet.toml`, the environment, `.env` and flags become one [`Settings`].
//!
//! Strength from weak to strong: the file, environment variables, `.env`, flags. Everything is
//! passed in; nothing here reads the process's environment.

mod file;
mod group;
mod rollout;
mod settings;
mod tenant;

pub(crate) use file::toml_problem;
pub use file::{
    ApplySection, ConfigFile, DatabaseSection, MigrationsSection, TargetSection, parse,
};
pub use group::{GroupSection, GroupSource, Groups, ordered};
pub use rollout::RolloutSection;
pub use settings::{
    ApplySettings, CommitWait, Flags, FormatChoice, Scope, Settings, Variables, expand_url,
    place_references, resolve,
};
pub use tenant::{HomeKind, TenantSection};
