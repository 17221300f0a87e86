//! From one tenant to many: what a database lacks of the declared tenant column, as an ordinary
//! migration with its way back, and the checks that say it is done.
//!
//! Invariant: everything here is decided from a schema; what only rows can tell comes back as
//! [`Question`]s.

mod checks;
mod convert;
mod declaration;
mod dependents;
mod derive;
mod flags;
mod fleet;
mod isolation;
mod lookup;
mod names;
mod partitioned;
mod queries;
mod rekey;
mod script;
mod steps;
mod survey;

use std::collections::BTreeSet;

use pgfleet_sql::{QualifiedName, quote_ident};

use crate::diagnose::{Code, Problem};
use crate::schema::{Object, Schema};

pub use checks::checks;
pub use declaration::{
    Absent, Hop, Scalar, Source, TableSection, Tenancy, TenancySection, TenantTable,
};
use derive::Derivation;
pub use flags::TenancyFlags;
pub use fleet::{Variant, checks_for_all, default_name, down_for_all, signature_sql, up_for_all};
pub use isolation::{Attempt, Operation, Verdict};
use lookup::Lookup;
pub use queries::{Language, Unrestricted, in_source, in_statement};
use rekey::Bodies;
pub use script::{down_statements, up_statements};
use steps::Writer;
pub use steps::{Phase, Piece, Section};
use survey::survey;

/// What one table needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TablePlan {
    /// The table.
    pub table: QualifiedName,
    /// What it has of the column already, for people.
    pub state: String,
    /// In order of execution within each phase.
    pub sections: Vec<Section>,
}

/// What a database needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TenancyPlan {
    /// Tables whose rows others are derived from come first.
    pub tables: Vec<TablePlan>,
    /// Declared tables that are not there and may be left out.
    pub absent: Vec<QualifiedName>,
    /// What only the rows can tell.
    pub questions: Vec<Question>,
}

/// A query whose rows stand in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Gives a number and a few examples.
    pub sql: String,
    /// What a number over 0 means; the number stands before it.
    pub means: String,
    /// What to do then.
    pub fix: String,
}

impl TenancyPlan {
    /// True when everything is as declared.
    pub fn is_empty(&self) -> bool {
        self.tables.iter().all(|table| table.sections.iter().all(|section| section.up.is_empty()))
    }
}

/// Plans what a database needs.
///
/// # Errors
/// Everything in the schema that stands in the way.
pub fn plan(tenancy: &Tenancy, schema: &Schema) -> Result<TenancyPlan, Vec<Problem>> {
    let lookup = &Lookup::new(schema);
    let mut plan = TenancyPlan::default();
    let mut problems = Vec::new();
    let mut open = Vec::new();
    for declared in &tenancy.tables {
        match (survey(tenancy, declared, lookup), tenancy.absent) {
            (Some(state), _) => open.push(state),
            (None, Absent::Skip) => plan.absent.push(declared.name.clone()),
            (None, Absent::Refuse) => problems.push(absent(&declared.name)),
        }
    }
    let gets: BTreeSet<_> = open.iter().map(|state| state.declared.name.clone()).collect();
    let has_tenant = |name: &QualifiedName| {
        let there = |object: &crate::schema::Object| {
            object.columns().iter().any(|column| column.name == tenancy.column)
        };
        gets.contains(name) || lookup.table(name).is_some_and(there)
    };
    let mut derived = Vec::new();
    let bodies = Bodies::default();
    for state in &open {
        problems.extend(refusals(state, tenancy));
        match Derivation::of(state.declared, lookup, &has_tenant) {
            Ok(derivation) => {
                derived.push(Writer { tenancy, lookup, state, derivation, bodies: &bodies });
            }
            Err(why) => problems.push(refused(format!("{}: {why}", state.declared.name))),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    for writer in in_order(derived)? {
        plan.questions.extend(questions(&writer));
        let sections = writer.sections();
        plan.tables.push(TablePlan {
            table: writer.state.declared.name.clone(),
            state: described(&writer, &sections),
            sections,
        });
    }
    Ok(plan)
}

/// Tables come behind those that their rows are derived from.
fn in_order(mut open: Vec<Writer<'_>>) -> Result<Vec<Writer<'_>>, Vec<Problem>> {
    let mut ordered: Vec<Writer<'_>> = Vec::new();
    while !open.is_empty() {
        let waits = |writer: &Writer<'_>| {
            let needs = writer.derivation.iter().flat_map(Derivation::tables);
            let own = &writer.state.declared.name;
            needs
                .filter(|name| *name != own)
                .any(|name| open.iter().any(|w| w.state.declared.name == *name))
        };
        let Some(at) = open.iter().position(|writer| !waits(writer)) else {
            let names: Vec<_> = open.iter().map(|w| w.state.declared.name.to_string()).collect();
            return Err(vec![refused(format!(
                "the paths of {} lead in a circle",
                names.join(", ")
            ))]);
        };
        ordered.push(open.remove(at));
    }
    Ok(ordered)
}

fn refusals(state: &survey::TableState<'_>, tenancy: &Tenancy) -> Vec<Problem> {
    let mut problems = Vec::new();
    let table = &state.declared.name;
    problems.extend(state.keys.iter().filter_map(|key| needed_as_it_is(table, key)));
    problems.extend(beside_refused(state, tenancy));
    problems.extend(primary_refused(state, tenancy));
    if state.column.is_some_and(|column| column.generated.is_some() || column.identity.is_some()) {
        let column = &tenancy.column;
        problems.push(refused(format!("{table}.{column} is a generated column")));
    }
    problems
}

/// A key on which something stands that one with the tenant in it would not serve.
fn needed_as_it_is(table: &QualifiedName, key: &survey::Key<'_>) -> Option<Problem> {
    let (first, others) = key.needed_by.split_first()?;
    let name = &key.object.id.name;
    let what = match others.len() {
        0 => format!("{first} needs the key {name} of {table} as it is"),
        more => format!("{first} and {more} more need the key {name} of {table} as it is"),
    };
    let problem = refused(what).because("a key that includes the tenant does not serve it");
    let problem = others.iter().fold(problem, |problem, id| problem.detail(id.to_string()));
    let columns: Option<Vec<_>> = key.columns.iter().cloned().collect();
    let keep = "Keep the key over all tenants: keep_unique.";
    let problem = match columns.filter(|_| !key.is_primary) {
        Some(columns) => {
            let columns: Vec<_> = columns.iter().map(|name| quote_ident(name)).collect();
            let flag = format!("--keep-unique '{table}={}'", columns.join(","));
            problem.fix_with(keep, format!("pgfleet tenantize {flag} …"))
        }
        None => problem.fix(keep),
    };
    Some(problem.fix("Or change what needs it first."))
}

/// A primary key that shall become per-tenant and cannot.
fn primary_refused(state: &survey::TableState<'_>, tenancy: &Tenancy) -> Option<Problem> {
    let asked = state.declared.per_tenant.as_ref()?;
    let table = &state.declared.name;
    let columns = asked.join(", ");
    if let Some(key) = state.keys.iter().find(|key| key.is_primary) {
        let what = format!("the primary key ({columns}) of {table} cannot become per-tenant");
        return (!key.parts.is_empty()).then(|| {
            refused(what)
                .because("a partitioned table cannot have a second one while the first is there")
                .fix("Leave it unique over all tenants: without per_tenant.")
        });
    }
    let mut wanted: BTreeSet<_> = asked.iter().collect();
    wanted.insert(&tenancy.column);
    let is_done =
        state.primary_key.as_ref().is_some_and(|is| is.iter().collect::<BTreeSet<_>>() == wanted);
    (!is_done).then(|| {
        let is = state.primary_key.as_ref().map(|is| is.join(", "));
        refused(format!("{table} has no primary key ({columns})"))
            .because(is.map_or("it has none".to_owned(), |is| format!("its primary key is ({is})")))
            .fix("Correct per_tenant, --per-tenant.")
    })
}

/// A column of another type that cannot be exchanged beside its readers and writers.
fn beside_refused(state: &survey::TableState<'_>, tenancy: &Tenancy) -> Vec<Problem> {
    let (table, column) = (&state.declared.name, &tenancy.column);
    let Some(is) = state.column.filter(|is| is.type_name != tenancy.type_name) else {
        return Vec::new();
    };
    let (is, wanted) = (&is.type_name, &tenancy.type_name);
    let what = format!("{table}.{column} is {is} and cannot be exchanged for {wanted}");
    let said = |obstacle: dependents::Obstacle| {
        let problem = refused(what.clone())
            .because(obstacle.what)
            .fix("Drop that in an earlier migration, and make it again in a later one.");
        match obstacle.can_be_rewritten {
            false => problem,
            true => problem.fix(
                "Or have the table rewritten, while its readers and writers wait: allow_rewrite = true \
                 in [tenancy], --allow-rewrite.",
            ),
        }
    };
    let stands =
        |obstacle: &dependents::Obstacle| !(tenancy.allow_rewrite && obstacle.can_be_rewritten);
    dependents::obstacles(state).into_iter().filter(stands).map(said).collect()
}

/// What the rows must not hold.
fn questions(writer: &Writer<'_>) -> Vec<Question> {
    let mut questions = Vec::new();
    let (table, column) = (writer.table(), writer.column());
    let examples = "string_agg(left((t.*)::text, 80), '; ')";
    if let Some(derivation) =
        writer.derivation.as_ref().filter(|_| writer.tenancy.orphans.is_none())
    {
        let from = derivation.orphans(writer);
        questions.push(Question {
            sql: format!("SELECT max(n), {examples} FROM (SELECT o.*, count(*) OVER () AS n FROM (SELECT * {from}) AS o LIMIT 3) AS t"),
            means: format!("rows of {table} lead to no tenant"),
            fix: "Give them a parent, or say in [tenancy] whose they are: orphans = …".to_owned(),
        });
    }
    let constant = match &writer.state.declared.source {
        Source::Constant(sql) => Some(sql),
        _ => None,
    };
    if let (Some(constant), None) = (constant, &writer.tenancy.references) {
        // A value that the type cannot hold, or a variable without one, shows here.
        let data_type = &writer.tenancy.type_name;
        questions.push(Question {
            sql: format!("SELECT 0 FROM (SELECT {constant}::{data_type}) AS v"),
            means: format!("the tenant of {table} is a {data_type}"),
            fix: "Correct the constant, or the target's value of the variable.".to_owned(),
        });
    }
    if let (Some(constant), Some((referenced, key))) = (constant, &writer.tenancy.references) {
        let key = quote_ident(key);
        questions.push(Question {
            sql: format!("SELECT CASE WHEN EXISTS (SELECT 1 FROM {referenced} WHERE {key} = {constant}) THEN 0 ELSE 1 END, {constant}::text"),
            means: format!("tenant of {table} is not in {referenced}"),
            fix: format!("Insert it into {referenced} first, or correct the constant."),
        });
    }
    if let (Some(is), Some((referenced, key))) = (writer.state.column, &writer.tenancy.references)
        && !writer.state.has_foreign_key
    {
        let (key, data_type) = (quote_ident(key), &is.type_name);
        questions.push(Question {
            sql: format!("SELECT count(*), string_agg(DISTINCT t.{column}::text, ', ') FROM {table} AS t WHERE t.{column} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {referenced} AS r WHERE r.{key}::text = t.{column}::text)"),
            means: format!("rows of {table} have a tenant ({data_type}) that is not in {referenced}"),
            fix: format!("Insert the tenants into {referenced}, or correct the rows."),
        });
    }
    if let Some(is) = writer.state.column.filter(|is| is.type_name != writer.tenancy.type_name) {
        let wanted = &writer.tenancy.type_name;
        questions.push(Question {
            sql: format!("SELECT count(*), string_agg(left(t.{column}::text, 40), ', ') FROM {table} AS t WHERE t.{column} IS NOT NULL AND t.{column}::{wanted}::text <> t.{column}::text"),
            means: format!("values of {table}.{column} ({}) would change as {wanted}", is.type_name),
            fix: "Correct them, or declare the type that they have.".to_owned(),
        });
    }
    questions.extend(writer.state.column_dependents.iter().filter_map(|key| shared(writer, key)));
    questions
}

/// Rows that share a key with the tenant column, once those without a tenant have theirs.
fn shared(writer: &Writer<'_>, object: &Object) -> Option<Question> {
    let is = writer.state.column.filter(|is| !is.not_null)?;
    let key = survey::plain_unique_key(object)?;
    let row = quote_ident(writer.table_name());
    let value = |name: &String| {
        let quoted = quote_ident(name);
        match *name == is.name {
            false => format!("{row}.{quoted}"),
            true => {
                let data_type = &writer.tenancy.type_name;
                format!(
                    "coalesce({row}.{quoted}::{data_type}, {}) AS {quoted}",
                    writer.fallback(&row)
                )
            }
        }
    };
    let values: Vec<_> = key.iter().map(value).collect();
    let others = key.iter().filter(|name| **name != is.name);
    let present: Vec<_> =
        others.map(|name| format!("{row}.{} IS NOT NULL", quote_ident(name))).collect();
    let filter = if present.is_empty() { "true".to_owned() } else { present.join(" AND ") };
    let numbers: Vec<_> = (1..=key.len()).map(|number| number.to_string()).collect();
    let (table, columns) = (writer.table(), key.join(", "));
    Some(Question {
        sql: format!(
            "SELECT max(n), string_agg(left(k.row, 80), '; ') FROM (SELECT (d.*)::text AS row, count(*) OVER () AS n FROM \
             (SELECT {} FROM {table} AS {row} WHERE {filter} GROUP BY {} HAVING count(*) > 1) AS d LIMIT 3) AS k",
            values.join(", "),
            numbers.join(", ")
        ),
        means: format!(
            "values of ({columns}) in {table} are shared once rows without a tenant have theirs"
        ),
        fix: format!("Give the rows different values, or drop {}.", object.id),
    })
}

fn described(writer: &Writer<'_>, sections: &[Section]) -> String {
    let state = writer.state;
    let mut words = vec![match state.column {
        None => "no column".to_owned(),
        Some(column) => {
            let null = if column.not_null { "not null" } else { "nullable" };
            format!("{} {null}", column.type_name)
        }
    }];
    if !state.keys.is_empty() {
        words.push(format!("{} keys without it", state.keys.len()));
    }
    if sections.iter().all(|section| section.up.is_empty()) {
        words.push("as declared".to_owned());
    }
    words.join(", ")
}

fn absent(name: &QualifiedName) -> Problem {
    refused(format!("the table {name} does not exist"))
        .fix("Correct the name, or let databases without it be: absent = \"skip\" in [tenancy].")
}

fn refused(what: String) -> Problem {
    Problem::error(Code::TenancyRefused, what)
}
