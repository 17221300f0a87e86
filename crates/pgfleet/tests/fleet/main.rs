//! Commands on groups of databases, as a user runs them.

mod alike;
mod atomic;
mod bad_tenants;
mod fleet;
mod groups;
mod organisations;
mod registry;
mod rehearsed;
mod rollout;
mod schema_tenants;
mod schemas;
mod tenants;
mod vechat;
