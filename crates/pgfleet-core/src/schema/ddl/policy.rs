//! Row-level security policies.

use super::address;
use super::privileges::role;
use crate::schema::{Object, Policy, same_text};

/// `ALTER POLICY` changes roles and expressions and can take no expression away.
pub(super) fn can_alter(old: &Policy, new: &Policy) -> bool {
    old.command == new.command
        && old.permissive == new.permissive
        && (old.using.is_none() || new.using.is_some())
        && (old.check.is_none() || new.check.is_some())
}

pub(super) fn create(object: &Object, policy: &Policy) -> String {
    let mut sql = format!("CREATE {}", address(object));
    if !policy.permissive {
        sql.push_str(" AS RESTRICTIVE");
    }
    if policy.command != "ALL" {
        sql.push_str(&format!(" FOR {}", policy.command));
    }
    sql.push_str(&roles(policy));
    sql.push_str(&expressions(policy.using.as_deref(), policy.check.as_deref()));
    sql
}

pub(super) fn alter(object: &Object, old: &Policy, new: &Policy) -> Vec<String> {
    let changed = |old: &Option<String>, new: &Option<String>| match (old, new) {
        (Some(old), Some(new)) if same_text(old, new) => None,
        (_, new) => new.clone(),
    };
    let mut sql = format!("ALTER {}", address(object));
    if old.roles != new.roles {
        sql.push_str(&roles(new));
    }
    let (using, check) = (changed(&old.using, &new.using), changed(&old.check, &new.check));
    if old.roles == new.roles && using.is_none() && check.is_none() {
        return Vec::new();
    }
    sql.push_str(&expressions(using.as_deref(), check.as_deref()));
    vec![sql]
}

fn roles(policy: &Policy) -> String {
    let roles: Vec<_> = policy.roles.iter().map(|name| role(name)).collect();
    format!(" TO {}", roles.join(", "))
}

fn expressions(using: Option<&str>, check: Option<&str>) -> String {
    let using = using.map(|using| format!(" USING ({using})")).unwrap_or_default();
    let check = check.map(|check| format!(" WITH CHECK ({check})")).unwrap_or_default();
    format!("{using}{check}")
}
