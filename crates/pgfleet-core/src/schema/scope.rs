//! Which part of a database is the team's.
//!
//! Invariant: what is left out is named in [`Schema::left_out`].

use serde::{Deserialize, Serialize};

use super::{Body, Object, Schema};

/// Schemas that Supabase makes and migrates itself (its documentation, "Managing schemas", and the
/// schemas of a new project).
const SUPABASE: &[&str] = &[
    "_analytics",
    "_realtime",
    "auth",
    "extensions",
    "graphql",
    "graphql_public",
    "net",
    "pgbouncer",
    "pgsodium",
    "pgsodium_masks",
    "realtime",
    "storage",
    "supabase_functions",
    "vault",
];

/// Which schemas count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Only these; all when there are none.
    pub include: Vec<String>,
    /// Not these.
    pub exclude: Vec<String>,
    /// The schemas of a platform are left out unless they are included by name.
    pub platform: Option<Platform>,
}

/// Who runs the server and keeps schemas of its own there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// Supabase.
    Supabase,
}

impl Scope {
    fn wants(&self, namespace: &str) -> bool {
        let is_in = |names: &[String]| names.iter().any(|name| name == namespace);
        let of_platform = self.platform.is_some() && SUPABASE.contains(&namespace);
        match self.include.is_empty() {
            false => is_in(&self.include) && !is_in(&self.exclude),
            true => !is_in(&self.exclude) && !of_platform,
        }
    }

    /// Objects outside of all schemas belong to everybody, but for what serves a platform's schema.
    fn holds(&self, object: &Object) -> bool {
        match &object.body {
            Body::Schema => self.wants(&object.id.name),
            Body::Extension(extension) => self.wants(&extension.schema),
            Body::EventTrigger(trigger) => self.wants(namespace_of(&trigger.function)),
            Body::DefaultPrivileges(privileges) => {
                let platform = self.platform.is_some() && privileges.role.starts_with("supabase_");
                !platform && privileges.schema.as_deref().is_none_or(|name| self.wants(name))
            }
            // What teams put on a platform's tables is theirs.
            Body::Policy(_) if self.is_platform(&object.id.schema) => true,
            Body::Trigger(trigger) if self.is_platform(&object.id.schema) => {
                let call = trigger.definition.rsplit_once("EXECUTE FUNCTION ");
                call.is_some_and(|(_, function)| self.wants(namespace_of(function)))
            }
            _ if object.id.schema.is_empty() => true,
            _ => self.wants(&object.id.schema),
        }
    }

    fn is_platform(&self, namespace: &str) -> bool {
        let named = self.include.is_empty() && !self.exclude.iter().any(|name| name == namespace);
        named && self.platform.is_some() && SUPABASE.contains(&namespace)
    }
}

/// The schema of a qualified function; `pg_catalog` for one without.
fn namespace_of(function: &str) -> &str {
    let name = function.split('(').next().unwrap_or_default();
    name.rsplit_once('.').map_or("pg_catalog", |(schema, _)| schema.trim_matches('"'))
}

impl Schema {
    /// The part that counts.
    #[must_use]
    pub fn within(self, scope: &Scope) -> Self {
        if *scope == Scope::default() {
            return self;
        }
        let gone = |object: &&Object| object.body == Body::Schema && !scope.holds(object);
        let left_out = self.objects.iter().filter(gone).map(|object| object.id.name.clone());
        let left_out = left_out.collect();
        let mut schema = self.filter(|object| scope.holds(object));
        schema.left_out = left_out;
        schema
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(include: &[&str], exclude: &[&str], platform: Option<Platform>) -> Scope {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Scope { include: owned(include), exclude: owned(exclude), platform }
    }

    #[test]
    fn schemas_are_included_excluded_and_the_platforms() {
        assert!(scope(&[], &[], None).wants("auth"));
        assert!(!scope(&[], &[], Some(Platform::Supabase)).wants("auth"));
        assert!(scope(&["auth"], &[], Some(Platform::Supabase)).wants("auth"));
        assert!(!scope(&["auth"], &[], None).wants("public"));
        assert!(!scope(&["auth"], &["auth"], None).wants("auth"));
        assert!(!scope(&[], &["audit"], Some(Platform::Supabase)).wants("audit"));
    }

    #[test]
    fn functions_tell_their_schema() {
        assert_eq!(namespace_of("public.handle()"), "public");
        assert_eq!(namespace_of("\"my app\".f()"), "my app");
        assert_eq!(namespace_of("f()"), "pg_catalog");
    }
}
