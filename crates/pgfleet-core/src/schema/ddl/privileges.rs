//! `GRANT`, `REVOKE` and `ALTER DEFAULT PRIVILEGES`.

use std::collections::{BTreeMap, BTreeSet};

use pgfleet_sql::quote_ident;

use crate::schema::grant::granted_at_creation;
use crate::schema::{
    Body, Column, DefaultPrivileges, Grant, Kind, Object, ObjectId, PUBLIC, Schema,
};

/// Grants on a new object. Default privileges of the database may have granted something already.
pub(super) fn grant_new(object: &Object, database: &Schema) -> Vec<String> {
    let Some(target) = target(object) else { return Vec::new() };
    let builtin = granted_at_creation(object.id.kind);
    let mut had = builtin.clone();
    let by_default = granted_by_default(object, database);
    had.extend(by_default.iter().flatten().cloned());
    // Which default privileges hold depends on who makes the object.
    let sure = if by_default.is_some() { &[] } else { builtin.as_slice() };
    let mut statements = revokes(&target, &had, &object.grants);
    statements.extend(grants(&target, sure, &object.grants));
    for column in object.columns() {
        statements.extend(change_column(object, column, &[]));
        statements.extend(change_identity(None, column, database));
    }
    statements
}

/// Grants on the sequence behind an identity column, which may be another column's or none before.
fn change_identity(old: Option<&Column>, column: &Column, database: &Schema) -> Vec<String> {
    let had = old.and_then(behind);
    match (had, behind(column)) {
        (_, None) => Vec::new(),
        (None, Some(new)) => grant_new(&new, database),
        (Some(old), Some(new)) => change(&old, &new, database),
    }
}

/// The sequence behind an identity column as an object of its own.
fn behind(column: &Column) -> Option<Object> {
    let identity = column.identity.as_ref()?;
    let name = pgfleet_sql::parse_qualified(&identity.sequence_name)?;
    Some(Object {
        id: ObjectId::new(Kind::Sequence, &name.schema?, &name.name),
        body: Body::Sequence(identity.sequence.clone()),
        comment: None,
        part_comments: BTreeMap::new(),
        grants: identity.grants.clone(),
    })
}

/// What default privileges may grant, when there are any for such an object.
fn granted_by_default(object: &Object, database: &Schema) -> Option<Vec<Grant>> {
    let on = match object.id.kind {
        Kind::Table | Kind::View | Kind::MaterializedView | Kind::ForeignTable => "TABLES",
        Kind::Sequence => "SEQUENCES",
        Kind::Function | Kind::Procedure | Kind::Aggregate => "FUNCTIONS",
        Kind::Enum | Kind::Domain | Kind::Composite | Kind::Range => "TYPES",
        Kind::Schema => "SCHEMAS",
        _ => return None,
    };
    let concerns = |object: &&Object| object.id.kind == Kind::DefaultPrivileges;
    let found = database.objects.iter().rev().take_while(concerns);
    let grants = found.filter_map(|found| match &found.body {
        Body::DefaultPrivileges(privileges) if privileges.on == on => Some(&privileges.grants),
        _ => None,
    });
    let mut grants = grants.peekable();
    grants.peek().is_some().then(|| grants.flatten().cloned().collect())
}

/// Changes grants on an object and its columns.
pub(super) fn change(old: &Object, new: &Object, database: &Schema) -> Vec<String> {
    let Some(target) = target(new) else { return Vec::new() };
    let mut statements = revokes(&target, &old.grants, &new.grants);
    statements.extend(grants(&target, &old.grants, &new.grants));
    for column in new.columns() {
        let had = old.columns().iter().find(|other| other.name == column.name);
        statements.extend(change_identity(had, column, database));
        let had = had.map(|other| other.grants.as_slice()).unwrap_or_default();
        statements.extend(change_column(new, column, &left(had, old, new)));
    }
    statements
}

/// Grants on a column that are left when the object's were revoked: a privilege that is taken from a
/// role on the table is taken on its columns, too (documentation, `REVOKE`).
fn left(had: &[Grant], old: &Object, new: &Object) -> Vec<Grant> {
    let taken = |grant: &Grant| {
        old.grants.iter().any(|lost| {
            let covers = lost.privilege == "ALL" || lost.privilege == grant.privilege;
            covers && lost.role == grant.role && !new.grants.contains(lost)
        })
    };
    had.iter().filter(|grant| !taken(grant)).cloned().collect()
}

fn target(object: &Object) -> Option<String> {
    let name = object.id.sql_address();
    let keyword = match object.id.kind {
        Kind::Table | Kind::View | Kind::MaterializedView | Kind::ForeignTable => "TABLE",
        Kind::Sequence => "SEQUENCE",
        Kind::Function | Kind::Procedure | Kind::Aggregate => {
            let keyword = if object.id.kind == Kind::Procedure { "PROCEDURE" } else { "FUNCTION" };
            return Some(format!("{keyword} {}({})", object.id.sql_name(), object.id.signature));
        }
        Kind::Enum | Kind::Composite | Kind::Range | Kind::Domain => "TYPE",
        Kind::Schema => "SCHEMA",
        Kind::ForeignDataWrapper => "FOREIGN DATA WRAPPER",
        Kind::ForeignServer => "FOREIGN SERVER",
        _ => return None,
    };
    Some(format!("{keyword} {name}"))
}

/// Grants on a column, whose other privileges are `had`.
pub(super) fn change_column(object: &Object, column: &Column, had: &[Grant]) -> Vec<String> {
    let table = object.id.sql_name();
    let name = quote_ident(&column.name);
    let privileges = |grant: &Grant| format!("{} ({name})", grant.privilege);
    let mut statements = Vec::new();
    for grant in had.iter().filter(|grant| !column.grants.contains(grant)) {
        statements.push(format!(
            "REVOKE {} ON TABLE {table} FROM {}",
            privileges(grant),
            role(&grant.role)
        ));
    }
    for grant in column.grants.iter().filter(|grant| !had.contains(grant)) {
        statements.push(format!(
            "GRANT {} ON TABLE {table} TO {}{}",
            privileges(grant),
            role(&grant.role),
            option(grant.grantable)
        ));
    }
    statements
}

fn revokes(target: &str, had: &[Grant], wanted: &[Grant]) -> Vec<String> {
    let extra: Vec<_> = had.iter().filter(|grant| !wanted.contains(grant)).cloned().collect();
    let revoke = |(role_name, privileges, _): (&str, String, bool)| {
        format!("REVOKE {privileges} ON {target} FROM {}", role(role_name))
    };
    let mut grouped = group(&extra);
    grouped.dedup();
    grouped.into_iter().map(revoke).collect()
}

fn grants(target: &str, had: &[Grant], wanted: &[Grant]) -> Vec<String> {
    // What is taken from a role by one name is given back by the others that it holds.
    let revoked: BTreeSet<&str> = had
        .iter()
        .filter(|grant| !wanted.contains(grant))
        .filter(|grant| grant.privilege == "ALL" || grant.grantable)
        .map(|grant| grant.role.as_str())
        .collect();
    let missing: Vec<_> = wanted
        .iter()
        .filter(|grant| !had.contains(grant) || revoked.contains(grant.role.as_str()))
        .cloned()
        .collect();
    let grant = |(role_name, privileges, grantable): (&str, String, bool)| {
        format!("GRANT {privileges} ON {target} TO {}{}", role(role_name), option(grantable))
    };
    group(&missing).into_iter().map(grant).collect()
}

/// Privileges by role and grant option.
fn group(grants: &[Grant]) -> Vec<(&str, String, bool)> {
    let mut keys: Vec<(&str, bool)> =
        grants.iter().map(|grant| (grant.role.as_str(), grant.grantable)).collect();
    keys.sort_unstable();
    keys.dedup();
    let privileges = |key: &(&str, bool)| {
        let of_key = |grant: &&Grant| (grant.role.as_str(), grant.grantable) == *key;
        let names: Vec<_> = grants.iter().filter(of_key).map(|g| g.privilege.as_str()).collect();
        names.join(", ")
    };
    keys.iter().map(|key| (key.0, privileges(key), key.1)).collect()
}

pub(super) fn role(name: &str) -> String {
    if name == PUBLIC { "PUBLIC".to_owned() } else { quote_ident(name) }
}

fn option(grantable: bool) -> &'static str {
    if grantable { " WITH GRANT OPTION" } else { "" }
}

/// Turns the default privileges of a role into others.
pub(super) fn alter_defaults(
    old: Option<&DefaultPrivileges>,
    new: Option<&DefaultPrivileges>,
) -> Vec<String> {
    let Some(about) = new.or(old) else { return Vec::new() };
    let builtin = about.builtin();
    let had = old.map_or(builtin.as_slice(), |old| old.grants.as_slice());
    let wanted = new.map_or(builtin.as_slice(), |new| new.grants.as_slice());
    let schema = about.schema.as_deref().map(|s| format!(" IN SCHEMA {}", quote_ident(s)));
    let head = format!(
        "ALTER DEFAULT PRIVILEGES FOR ROLE {}{}",
        quote_ident(&about.role),
        schema.unwrap_or_default()
    );
    let mut statements = revokes(&about.on, had, wanted);
    statements.extend(grants(&about.on, had, wanted));
    statements.into_iter().map(|statement| format!("{head} {statement}")).collect()
}
