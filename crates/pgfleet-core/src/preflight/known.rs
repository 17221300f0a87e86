//! What exists before the first migration.
//!
//! Invariant: [`KnownObjects::none`] says that the database is empty, [`KnownObjects::open`] that
//! nobody knows; only the former lets a missing object be an error.

use std::collections::BTreeSet;

use pgfleet_sql::QualifiedName;

use super::world::{Class, Key};
use crate::program::Program;

/// Schemas that a Supabase project fills itself ("Database schemas" in the platform's
/// documentation, and the extensions that its dashboard switches on).
const SUPABASE_SCHEMAS: &[&str] = &[
    "auth",
    "cron",
    "extensions",
    "graphql",
    "graphql_public",
    "net",
    "pgbouncer",
    "pgmq",
    "pgsodium",
    "pgsodium_masks",
    "realtime",
    "storage",
    "supabase_functions",
    "supabase_migrations",
    "vault",
    "_analytics",
    "_realtime",
];

/// Roles of a Supabase project.
const SUPABASE_ROLES: &[&str] = &[
    "anon",
    "authenticated",
    "authenticator",
    "dashboard_user",
    "postgres",
    "service_role",
    "supabase_admin",
    "supabase_auth_admin",
    "supabase_storage_admin",
];

/// Names that exist before the first migration.
#[derive(Debug, Clone, Default)]
pub struct KnownObjects {
    names: BTreeSet<Key>,
    roles: BTreeSet<String>,
    /// Schemas whose contents are not listed: whatever is looked for there is there.
    opaque_schemas: BTreeSet<String>,
    /// There may be more than is listed.
    open: bool,
    /// Extensions are there, whose functions and types are not listed.
    extensions: bool,
}

impl KnownObjects {
    /// An empty database.
    pub fn none() -> Self {
        Self::default()
    }

    /// A database that nobody has looked at.
    pub fn open() -> Self {
        Self { open: true, ..Self::default() }
    }

    /// What a Supabase project supplies.
    pub fn supabase() -> Self {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let mut known = Self {
            opaque_schemas: owned(SUPABASE_SCHEMAS),
            roles: owned(SUPABASE_ROLES),
            extensions: true,
            ..Self::default()
        };
        for schema in SUPABASE_SCHEMAS {
            known.names.insert(Key::schema(schema));
        }
        known
    }

    /// What a program creates: a team's own prelude. Code that cannot be read leaves it open.
    pub fn from_program(program: &Program) -> Self {
        let mut known = Self::default();
        for facts in program.statements.iter().map(|statement| &statement.facts) {
            known.names.extend(facts.creates.iter().filter_map(Key::of));
            known.open |= facts.opaque || facts.sets_search_path;
            known.extensions |= facts.label == "CREATE EXTENSION";
        }
        known
    }

    /// Adds a schema.
    #[must_use]
    pub fn with_schema(mut self, name: &str) -> Self {
        self.names.insert(Key::schema(name));
        self
    }

    /// Adds a table, view, sequence or foreign table.
    #[must_use]
    pub fn with_relation(self, name: &QualifiedName) -> Self {
        self.with(Class::Relation, name)
    }

    /// Adds a function or procedure.
    #[must_use]
    pub fn with_function(self, name: &QualifiedName) -> Self {
        self.with(Class::Function, name)
    }

    /// Adds a type or domain.
    #[must_use]
    pub fn with_type(self, name: &QualifiedName) -> Self {
        self.with(Class::Type, name)
    }

    /// Adds a role.
    #[must_use]
    pub fn with_role(mut self, name: &str) -> Self {
        self.roles.insert(name.to_owned());
        self
    }

    /// Says that extensions are installed, whose functions and types are not listed.
    #[must_use]
    pub fn with_extensions(mut self) -> Self {
        self.extensions = true;
        self
    }

    /// True when the role is among the names.
    pub fn has_role(&self, name: &str) -> bool {
        self.roles.contains(name)
    }

    fn with(mut self, class: Class, name: &QualifiedName) -> Self {
        self.names.insert(Key::named(class, name));
        self
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &Key> {
        self.names.iter()
    }

    pub(super) fn is_opaque(&self, schema: &str) -> bool {
        self.opaque_schemas.contains(schema)
    }

    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    pub(super) fn has_extensions(&self) -> bool {
        self.extensions
    }
}
