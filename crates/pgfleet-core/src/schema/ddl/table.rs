//! Tables, partitions and foreign tables.

use pgfleet_sql::quote_ident;

use super::{column, comment, constraint, conversion, foreign, online, privileges, types};
use crate::schema::diff::{Difference, from_above, left_behind};
use crate::schema::{
    Column, Constraint, ForeignPart, Kind, Object, ObjectId, Persistence, ReplicaIdentity, Schema,
    Table,
};

/// A table cannot become a partitioned one, or a partitioned one change its key.
pub(super) fn can_alter(old: &Table, new: &Table) -> bool {
    let server = |table: &Table| table.foreign.as_ref().map(|foreign| foreign.server.clone());
    old.partition_key == new.partition_key && server(old) == server(new) && !retypes_key(old, new)
}

/// The type of a column that is in the partition key cannot be changed.
fn retypes_key(old: &Table, new: &Table) -> bool {
    let differs = |column: &Column| {
        let other = new.columns.iter().find(|other| other.name == column.name);
        other.is_some_and(|other| {
            (&other.type_name, &other.collation) != (&column.type_name, &column.collation)
        })
    };
    old.columns.iter().any(|column| differs(column) && old.is_in_partition_key(&column.name))
}

pub(super) fn create(
    difference: &Difference<'_>,
    at: usize,
    object: &Object,
    table: &Table,
) -> Vec<String> {
    let (schema, name) = (difference.to, object.id.sql_name());
    let late = difference.late_defaults.get(&at);
    let is_late = |column: &Column| late.is_some_and(|late| late.contains(&column.name));
    let at_first = |column: &Column| match is_late(column) {
        true => column::definition(&Column { default: None, ..column.clone() }),
        false => column::definition(column),
    };
    let mut parts: Vec<String> = own_columns(table).map(at_first).collect();
    parts.extend(inherited_checks(schema, object, table));
    let body = if parts.is_empty() {
        "()".to_owned()
    } else {
        format!("(\n    {}\n)", parts.join(",\n    "))
    };
    let mut sql = format!("CREATE {}{name} {body}", head(table));
    if table.partition_bound.is_none() && !table.parents.is_empty() {
        sql.push_str(&format!(" INHERITS ({})", table.parents.join(", ")));
    }
    if let Some(key) = &table.partition_key {
        sql.push_str(&format!(" PARTITION BY {key}"));
    }
    if let Some(foreign) = &table.foreign {
        sql.push_str(&foreign_clause(foreign));
    }
    sql.push_str(&column::with(&table.options));
    let mut statements = vec![sql];
    for one in &table.columns {
        statements.extend(inherited_default(&name, table, one).filter(|_| !is_late(one)));
        statements.extend(column::details(&name, one, column_above(schema, table, one), schema));
    }
    statements.extend(late_checks(schema, object, table));
    statements.extend(security(&name, &Table::default(), table));
    statements
}

fn head(table: &Table) -> &'static str {
    match (table.foreign.is_some(), table.persistence) {
        (true, _) => "FOREIGN TABLE ",
        (false, Persistence::Unlogged) => "UNLOGGED TABLE ",
        (false, Persistence::Permanent) => "TABLE ",
    }
}

/// A partition names all of its columns, as it is made by itself and then attached.
fn own_columns(table: &Table) -> impl Iterator<Item = &Column> {
    let all = table.partition_bound.is_some() || table.parents.is_empty();
    table.columns.iter().filter(move |column| all || !column.inherited)
}

fn inherited_default(name: &str, table: &Table, column: &Column) -> Option<String> {
    if table.partition_bound.is_some() || !column.inherited || column.generated.is_some() {
        return None;
    }
    let (column_name, default) = (quote_ident(&column.name), column.default.as_ref()?);
    Some(format!("ALTER TABLE ONLY {name} ALTER COLUMN {column_name} SET DEFAULT {default}"))
}

/// The column of a parent from which one of a new table is copied.
fn column_above<'s>(schema: &'s Schema, table: &Table, column: &Column) -> Option<&'s Column> {
    if table.partition_bound.is_some() || !column.inherited {
        return None;
    }
    let find = |parent: &String| {
        let name = pgfleet_sql::parse_qualified(parent)?;
        let id = ObjectId::new(Kind::Table, name.schema.as_deref()?, &name.name);
        schema.get(&id)?.columns().iter().find(|above| above.name == column.name)
    };
    table.parents.iter().find_map(find)
}

/// Checks that a partition must have before it can be attached.
fn inherited_checks(schema: &Schema, object: &Object, table: &Table) -> Vec<String> {
    let checks = checks_from_above(schema, object, table).into_iter();
    let valid = checks.filter(|(_, check)| check.validated);
    valid.map(|(other, check)| constraint::inline(other, check)).collect()
}

/// The same that are not valid, which `CREATE TABLE` would make valid.
fn late_checks(schema: &Schema, object: &Object, table: &Table) -> Vec<String> {
    let checks = checks_from_above(schema, object, table).into_iter();
    let later = checks.filter(|(_, check)| !check.validated);
    let add = |(other, check)| {
        format!("ALTER TABLE {} ADD {}", object.id.sql_name(), constraint::inline(other, check))
    };
    later.map(add).collect()
}

fn checks_from_above<'s>(
    schema: &'s Schema,
    object: &Object,
    table: &Table,
) -> Vec<(&'s Object, &'s Constraint)> {
    let checks = match table.partition_bound {
        Some(_) => from_above(schema, object),
        None => Vec::new(),
    };
    checks.into_iter().map(|(_, object, check)| (object, check)).collect()
}

fn foreign_clause(part: &ForeignPart) -> String {
    format!(" SERVER {}{}", quote_ident(&part.server), foreign::options(&part.options))
}

pub(super) fn attach(difference: &Difference<'_>, at: usize) -> Vec<String> {
    let object = &difference.to.objects[at];
    let Some(table) = object.table() else { return Vec::new() };
    let (Some(bound), Some(parent)) = (&table.partition_bound, table.parents.first()) else {
        return Vec::new();
    };
    let name = object.id.sql_name();
    let mut statements = missing_checks(difference, at, object);
    statements.push(format!("ALTER TABLE ONLY {parent} ATTACH PARTITION {name} {bound}"));
    statements
}

/// Checks of its new parent that a table which was there before has not.
fn missing_checks(difference: &Difference<'_>, at: usize, object: &Object) -> Vec<String> {
    if difference.creates.contains(&at) {
        return Vec::new();
    }
    let checks = from_above(difference.to, object).into_iter();
    let missing = checks.filter(|(check, ..)| difference.creates.contains(check));
    let add = |(_, check, body)| {
        format!("ALTER TABLE {} ADD {}", object.id.sql_name(), constraint::inline(check, body))
    };
    missing.map(add).collect()
}

pub(super) fn column_definition(column: &Column) -> String {
    column::definition(column)
}

/// Takes off the defaults that use what is replaced, identities whose sequence's name is needed, and
/// the columns that are added again.
pub(super) fn detach(difference: &Difference<'_>, at: usize) -> Vec<String> {
    let object = &difference.from.objects[at];
    let name = object.id.sql_name();
    let Some(rebuild) = difference.rebuilds.get(&at) else { return Vec::new() };
    let drop = |column: &String| {
        format!("ALTER TABLE ONLY {name} ALTER COLUMN {} DROP DEFAULT", quote_ident(column))
    };
    let is_inherited = |name: &String| {
        let inherits = |column: &Column| column.name == *name && column.inherited;
        object.columns().iter().any(inherits)
            && is_still_above(difference.from, object, rebuild, name)
    };
    let columns = rebuild.columns.iter().filter(|column| !is_inherited(column));
    let columns = columns.map(|column| drop_column(&name, column));
    let identities = rebuild.identities.iter().map(|column| {
        format!("ALTER TABLE {name} ALTER COLUMN {} DROP IDENTITY", quote_ident(column))
    });
    let leave = |parent: &String| format!("ALTER TABLE {name} NO INHERIT {parent}");
    let left = rebuild.parents.iter().map(leave);
    let checks = drop_left_checks(difference, at, &rebuild.parents);
    let untyped = rebuild.leaves_type.then(|| format!("ALTER TABLE {name} NOT OF"));
    untyped
        .into_iter()
        .chain(left)
        .chain(checks)
        .chain(rebuild.defaults.iter().map(drop))
        .chain(identities)
        .chain(columns)
        .collect()
}

/// True for a column that a parent has which is not left.
fn is_still_above(
    schema: &Schema,
    object: &Object,
    rebuild: &crate::schema::diff::TableRebuild,
    column: &str,
) -> bool {
    let Some(table) = object.table().filter(|_| !rebuild.parents.is_empty()) else { return true };
    let has_it = |parent: &&String| {
        let name = pgfleet_sql::parse_qualified(parent);
        let id = name.and_then(|name| Some(ObjectId::new(Kind::Table, &name.schema?, &name.name)));
        let above = id.and_then(|id| schema.get(&id));
        above.is_some_and(|above| above.columns().iter().any(|one| one.name == column))
    };
    table.parents.iter().filter(|parent| !rebuild.parents.contains(parent)).any(|one| has_it(&one))
}

/// Drops the checks that stay with a table (position in `from`) when it leaves parents.
fn drop_left_checks(difference: &Difference<'_>, at: usize, left: &[String]) -> Vec<String> {
    let checks = left_behind(difference, at, left).into_iter();
    checks.map(|check| constraint::drop(&difference.from.objects[check])).collect()
}

pub(super) fn alter(
    difference: &Difference<'_>,
    at: usize,
    old_object: &Object,
    new_object: &Object,
) -> Vec<String> {
    let (Some(old), Some(new)) = (old_object.table(), new_object.table()) else {
        return Vec::new();
    };
    let name = new_object.id.sql_name();
    let mut statements = leave_partitioned(difference, at, &name, old, new);
    if old.persistence != new.persistence {
        let word = if new.persistence == Persistence::Unlogged { "UNLOGGED" } else { "LOGGED" };
        statements.push(format!("ALTER TABLE {name} SET {word}"));
    }
    let rebuild = difference.alters.get(&at).and_then(|from| difference.rebuilds.get(from));
    let rebuild = rebuild.cloned().unwrap_or_default();
    statements.extend(drop_columns(&name, old, new, &rebuild.columns));
    statements.extend(alter_columns(difference, at, &name, old, new, &rebuild));
    statements.extend(add_columns(difference, at, old, new, &rebuild.columns));
    statements.extend(join_parents(difference, at, old, new));
    let kind = if new.foreign.is_some() { "FOREIGN TABLE" } else { "TABLE" };
    statements.extend(changed_options(&format!("{kind} {name}"), &old.options, &new.options));
    if let (Some(old), Some(new)) = (&old.foreign, &new.foreign) {
        let options = foreign::changed_options(&old.options, &new.options);
        statements.extend(options.map(|options| format!("ALTER FOREIGN TABLE {name} {options}")));
    }
    statements.extend(security(&name, old, new));
    statements
}

/// All but those that went before the table was altered.
fn drop_columns(
    name: &str,
    old: &Table,
    new: &Table,
    gone_before: &std::collections::BTreeSet<String>,
) -> Vec<String> {
    let stays = |column: &Column| new.columns.iter().any(|other| other.name == column.name);
    // Generated columns first: they may need the others.
    let leaves = old.parents.iter().any(|parent| !new.parents.contains(parent));
    let own = |column: &&Column| leaves || !column.inherited;
    let goes = |column: &&Column| !stays(column) && !gone_before.contains(&column.name);
    let mut gone: Vec<_> = old.columns.iter().filter(own).filter(goes).collect();
    gone.sort_by_key(|column| column.generated.is_none());
    gone.iter().map(|column| drop_column(name, &column.name)).collect()
}

fn drop_column(table: &str, column: &str) -> String {
    format!("ALTER TABLE {table} DROP COLUMN {}", quote_ident(column))
}

fn alter_columns(
    difference: &Difference<'_>,
    at: usize,
    name: &str,
    old: &Table,
    new: &Table,
    rebuild: &crate::schema::diff::TableRebuild,
) -> Vec<String> {
    let mut statements = Vec::new();
    let joins = joins_parent(old, new);
    for column in &new.columns {
        let Some(had) = old.columns.iter().find(|other| other.name == column.name) else {
            continue;
        };
        let done = column::Detached {
            default: rebuild.defaults.contains(&column.name),
            identity: rebuild.identities.contains(&column.name),
            retyped: types::is_retyped(difference, &column.type_name),
        };
        let schemas = [difference.from, difference.to];
        let bases = [(had, schemas[0]), (column, schemas[1])]
            .map(|(column, schema)| conversion::base(schema, &column.type_name));
        let around = column::Around {
            schemas,
            joins,
            foreign: new.foreign.is_some(),
            above_too: loses_expression_above(difference, old, new, &column.name),
            through_text: bases.iter().any(|base| types::is_retyped(difference, base)),
        };
        if rebuild.columns.contains(&column.name) || (had == column && !done.default) {
            continue;
        }
        let later = difference.online.tightens(at, &column.name);
        let late = difference.late_defaults.get(&at).is_some_and(|set| set.contains(&column.name));
        let default = column.default.clone().filter(|_| !late);
        let wanted = Column { not_null: column.not_null && !later, default, ..column.clone() };
        statements.extend(column::alter(name, had, &wanted, done, around));
    }
    statements
}

/// True when a parent that stays has a column of this name whose expression goes.
fn loses_expression_above(
    difference: &Difference<'_>,
    old: &Table,
    new: &Table,
    column: &str,
) -> bool {
    let is_generated = |schema: &Schema, parent: &str| {
        let name = pgfleet_sql::parse_qualified(parent)?;
        let id = ObjectId::new(Kind::Table, &name.schema?, &name.name);
        let column = schema.get(&id)?.columns().iter().find(|one| one.name == column)?;
        Some(column.generated.is_some())
    };
    // A partition that leaves and joins again leaves after its parent was altered.
    let stays = |parent: &&String| new.parents.contains(parent);
    let loses = |parent: &String| {
        let [had, has] = [difference.from, difference.to].map(|one| is_generated(one, parent));
        had == Some(true) && has == Some(false)
    };
    old.parents.iter().filter(stays).any(loses)
}

fn add_columns(
    difference: &Difference<'_>,
    at: usize,
    old: &Table,
    new: &Table,
    readded: &std::collections::BTreeSet<String>,
) -> Vec<String> {
    let object = &difference.to.objects[at];
    let name = &object.id.sql_name();
    let is_new = |column: &&Column| {
        let known = old.columns.iter().any(|other| other.name == column.name);
        !known || readded.contains(&column.name)
    };
    let mut added: Vec<_> = new.columns.iter().filter(is_new).collect();
    let joins = joins_parent(old, new);
    added.sort_by_key(|column| column.generated.is_some());
    let mut statements = Vec::new();
    for one in added {
        if difference.online.fills(at, &one.name) {
            statements.extend(online::add_unfilled(name, one));
        } else if new.partition_key.is_some() && needs_late_identity(difference, one) {
            statements.extend(column::add_with_late_identity(name, one));
        } else if !one.inherited || joins {
            // A table must have the columns of a parent before it can join it.
            let exists = if one.inherited { "IF NOT EXISTS " } else { "" };
            let definition = column::definition(one);
            statements.push(format!("ALTER TABLE {name} ADD COLUMN {exists}{definition}"));
        }
        statements.extend(column::details(name, one, None, difference.to));
        if readded.contains(&one.name) {
            statements.extend(comment::of_column(object, &one.name));
            statements.extend(privileges::change_column(object, one, &[]));
        }
    }
    statements
}

/// Before PostgreSQL 17 an identity column cannot be added to a table that has partitions, but a column
/// can become one.
fn needs_late_identity(difference: &Difference<'_>, column: &Column) -> bool {
    column.identity.is_some() && difference.from.server_version_num < 170_000
}

/// True for a table that begins to inherit from another, as a partition or otherwise.
fn joins_parent(old: &Table, new: &Table) -> bool {
    new.parents.iter().any(|parent| !old.parents.contains(parent))
}

/// Other parents than a partition's are left before: see [`detach`].
fn leave_partitioned(
    difference: &Difference<'_>,
    at: usize,
    name: &str,
    old: &Table,
    new: &Table,
) -> Vec<String> {
    let stays = |parent: &String| {
        new.parents.contains(parent) && old.partition_bound == new.partition_bound
    };
    if old.partition_bound.is_none() {
        return Vec::new();
    }
    let left: Vec<_> = old.parents.iter().filter(|parent| !stays(parent)).cloned().collect();
    let leave = |parent: &String| format!("ALTER TABLE {parent} DETACH PARTITION {name}");
    let from = difference.alters.get(&at);
    let checks = from.map(|from| drop_left_checks(difference, *from, &left)).unwrap_or_default();
    left.iter().map(leave).chain(checks).collect()
}

/// A table must have the checks of a parent before it can join it.
fn join_parents(difference: &Difference<'_>, at: usize, old: &Table, new: &Table) -> Vec<String> {
    if new.partition_bound.is_some() {
        return Vec::new();
    }
    let joins = |parent: &&String| {
        !old.parents.contains(parent) || old.partition_bound != new.partition_bound
    };
    let object = &difference.to.objects[at];
    let name = object.id.sql_name();
    let join = |parent: &String| format!("ALTER TABLE {name} INHERIT {parent}");
    let joined: Vec<_> = new.parents.iter().filter(joins).map(join).collect();
    let checks = match joined.is_empty() {
        true => Vec::new(),
        false => missing_checks(difference, at, object),
    };
    checks.into_iter().chain(joined).collect()
}

fn security(name: &str, old: &Table, new: &Table) -> Vec<String> {
    let mut statements = Vec::new();
    if old.row_security != new.row_security {
        let verb = if new.row_security { "ENABLE" } else { "DISABLE" };
        statements.push(format!("ALTER TABLE {name} {verb} ROW LEVEL SECURITY"));
    }
    if old.forces_row_security != new.forces_row_security {
        let verb = if new.forces_row_security { "FORCE" } else { "NO FORCE" };
        statements.push(format!("ALTER TABLE {name} {verb} ROW LEVEL SECURITY"));
    }
    statements
}

/// What needs the table's indexes.
pub(super) fn finish(
    difference: &Difference<'_>,
    at: usize,
    old: Option<&Table>,
    new: &Table,
) -> Vec<String> {
    let object = &difference.to.objects[at];
    let mut statements = late_defaults(difference, at, new);
    statements.extend(join_type(difference, at, old, new));
    statements.extend(marks(difference, object, old, new));
    statements
}

fn late_defaults(difference: &Difference<'_>, at: usize, table: &Table) -> Vec<String> {
    let Some(late) = difference.late_defaults.get(&at) else { return Vec::new() };
    let name = difference.to.objects[at].id.sql_name();
    let columns = table.columns.iter().filter(|column| late.contains(&column.name));
    let set = |column: &Column| {
        let (column_name, default) = (quote_ident(&column.name), column.default.as_ref()?);
        Some(format!("ALTER TABLE ONLY {name} ALTER COLUMN {column_name} SET DEFAULT {default}"))
    };
    columns.filter_map(set).collect()
}

/// Makes a table one of its composite type, when it has the type's columns.
fn join_type(
    difference: &Difference<'_>,
    at: usize,
    old: Option<&Table>,
    new: &Table,
) -> Option<String> {
    let of_type = new.of_type.as_ref()?;
    let from = difference.alters.get(&at).and_then(|from| difference.rebuilds.get(from));
    let was = old.is_some_and(|old| old.of_type.is_some());
    let left = from.is_some_and(|rebuild| rebuild.leaves_type);
    let name = difference.to.objects[at].id.sql_name();
    (!was || left).then(|| format!("ALTER TABLE {name} OF {of_type}"))
}

/// What rows are clustered and identified by.
fn marks(
    difference: &Difference<'_>,
    object: &Object,
    old: Option<&Table>,
    new: &Table,
) -> Vec<String> {
    let name = object.id.sql_name();
    let stays = |index: &&String| !difference.makes_index(object, index);
    let before = old.and_then(|old| old.cluster_on.as_ref()).filter(stays);
    let mut statements = match (before, &new.cluster_on) {
        (before, after) if before == after.as_ref() => Vec::new(),
        (_, Some(index)) => vec![format!("ALTER TABLE {name} CLUSTER ON {}", quote_ident(index))],
        (_, None) => vec![format!("ALTER TABLE {name} SET WITHOUT CLUSTER")],
    };
    let before = old.map(|old| old.replica_identity.clone()).unwrap_or_default();
    let renewed = match &new.replica_identity {
        ReplicaIdentity::Index(index) => difference.makes_index(object, index),
        _ => false,
    };
    if before == new.replica_identity && !renewed {
        return statements;
    }
    let identity = match &new.replica_identity {
        ReplicaIdentity::Default => "DEFAULT".to_owned(),
        ReplicaIdentity::Nothing => "NOTHING".to_owned(),
        ReplicaIdentity::Full => "FULL".to_owned(),
        ReplicaIdentity::Index(index) => format!("USING INDEX {}", quote_ident(index)),
    };
    statements.push(format!("ALTER TABLE ONLY {name} REPLICA IDENTITY {identity}"));
    statements
}

/// `name='value', …` from `name=value`.
pub(super) fn option_list(options: &[String]) -> String {
    let option = |option: &String| match option.split_once('=') {
        Some((name, value)) => format!("{name}={}", super::literal(value)),
        None => option.clone(),
    };
    options.iter().map(option).collect::<Vec<_>>().join(", ")
}

/// `ALTER target SET (…)` and `RESET (…)`, as needed.
pub(super) fn changed_options(target: &str, old: &[String], new: &[String]) -> Vec<String> {
    let name = |option: &str| option.split('=').next().unwrap_or_default().to_owned();
    let mut statements = Vec::new();
    let set: Vec<_> = new.iter().filter(|option| !old.contains(option)).cloned().collect();
    if !set.is_empty() {
        statements.push(format!("ALTER {target} SET ({})", option_list(&set)));
    }
    let kept = |option: &&String| new.iter().any(|other| name(other) == name(option));
    let reset: Vec<_> = old.iter().filter(|o| !kept(o)).map(|o| name(o)).collect();
    if !reset.is_empty() {
        statements.push(format!("ALTER {target} RESET ({})", reset.join(", ")));
    }
    statements
}
