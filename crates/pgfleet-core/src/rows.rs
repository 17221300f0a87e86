//! What pending statements demand of rows that are there already.
//!
//! Invariant: a demand is listed only when nothing before it in the same run may change whether it
//! holds, so that what breaks it now breaks it then.

use std::collections::{BTreeMap, BTreeSet};

use pgfleet_sql::classify::{Demand, Rule, demands};
use pgfleet_sql::{
    Facts, Kind, ObjectKind, QualifiedName, parse_qualified, quote_ident, quote_literal,
};
use serde::{Deserialize, Serialize};

use crate::diagnose::{Code, Problem, Violations};
use crate::place::Place;
use crate::program::Program;
use crate::schema::diff::{Difference, Statement};
use crate::schema::rename::{NewName, RenameStep, Thing};
use crate::schema::{Body, Edge, Kind as ObjectSort, Schema};

/// A demand, and who makes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowDemand {
    /// What is demanded.
    pub demand: Demand,
    /// The migration's label; empty for a statement of a difference.
    pub migration: String,
    /// Where the statement stands.
    pub place: Option<Place>,
}

/// The demands of pending migrations, in order.
pub fn pending_demands(programs: &[(String, Program)]) -> Vec<RowDemand> {
    let mut reader = Reader::default();
    for (migration, program) in programs {
        for statement in &program.statements {
            let place = Some(statement.place.clone());
            reader.read(&statement.sql, &statement.facts, migration, place);
        }
    }
    reader.found
}

/// The demands of a script's statements, in order.
pub fn script_demands<'a>(statements: impl IntoIterator<Item = &'a str>) -> Vec<RowDemand> {
    let mut reader = Reader::default();
    for sql in statements {
        reader.read(sql, &pgfleet_sql::classify::classify(sql), "", None);
    }
    reader.found
}

/// The demands of a difference's statements, by the names from before the renames that come first.
pub fn difference_demands(
    difference: &Difference<'_>,
    statements: &[Statement],
    renamed: &[RenameStep],
) -> Vec<RowDemand> {
    let mut wanted = script_demands(statements.iter().map(|statement| statement.sql.as_str()));
    wanted.extend(enum_demands(difference));
    before_renames(without_twins(wanted), renamed)
}

/// `NOT NULL` by a check that vouches for it demands the same twice.
fn without_twins(mut wanted: Vec<RowDemand>) -> Vec<RowDemand> {
    let vouched = |one: &RowDemand| match &one.demand.rule {
        Rule::NotNull { column } => {
            let condition = format!("{} IS NOT NULL", quote_ident(column));
            Some((one.demand.table.clone(), condition))
        }
        _ => None,
    };
    let vouched: BTreeSet<_> = wanted.iter().filter_map(vouched).collect();
    wanted.retain(|one| match &one.demand.rule {
        Rule::Check { condition } => {
            !vouched.contains(&(one.demand.table.clone(), condition.clone()))
        }
        _ => true,
    });
    wanted
}

/// Values of enums that go away, wherever a column may hold them.
pub fn enum_demands(difference: &Difference<'_>) -> Vec<RowDemand> {
    let from = difference.from;
    let mut found = Vec::new();
    for at in &difference.retyped {
        let Body::Enum(old) = &from.objects[*at].body else { continue };
        let new = difference.to.get(&from.objects[*at].id).map(|object| &object.body);
        let Some(Body::Enum(new)) = new else { continue };
        let gone = old.labels.iter().filter(|label| !new.labels.contains(label));
        let gone: Vec<_> = gone.filter_map(|label| quote_literal(label).ok()).collect();
        let edges = from.edges.iter().filter(|edge| edge.to as usize == *at);
        for edge in edges.filter(|_| !gone.is_empty()) {
            found.extend(enum_demand(from, edge, &gone));
        }
    }
    found.dedup();
    found
}

fn enum_demand(from: &Schema, edge: &Edge, gone: &[String]) -> Option<RowDemand> {
    let (object, name) = (&from.objects[edge.from as usize], edge.from_column.as_deref()?);
    let column = object.table()?.columns.iter().find(|column| column.name == name)?;
    let (name, gone) = (quote_ident(name), gone.join(", "));
    let condition = match column.type_name.ends_with("[]") {
        true => format!("NOT {name}::text[] && ARRAY[{gone}]"),
        false => format!("{name}::text NOT IN ({gone})"),
    };
    let table = QualifiedName::new(object.id.schema.clone(), object.id.name.clone());
    let rule = Rule::Check { condition };
    let demand = Demand { table, constraint: None, rule, unchecked: false };
    Some(RowDemand { demand, migration: String::new(), place: None })
}

/// Demands of statements that run after renames, by the names from before them; without those that
/// cannot be told so: an expression of a table with a renamed column.
pub fn before_renames(demands: Vec<RowDemand>, steps: &[RenameStep]) -> Vec<RowDemand> {
    let back = |mut demand: RowDemand| {
        for step in steps.iter().rev() {
            demand.demand = take_back(demand.demand, &step.inverse())?;
        }
        Some(demand)
    };
    demands.into_iter().filter_map(back).collect()
}

fn take_back(mut demand: Demand, step: &RenameStep) -> Option<Demand> {
    let is_table = |name: &QualifiedName, schema: &str, table: &str| {
        name.schema.as_deref() == Some(schema) && name.name == table
    };
    match (&step.thing, &step.to) {
        (Thing::Object(id), NewName::Name(name)) if id.kind == ObjectSort::Schema => {
            for table in tables_of(&mut demand) {
                if table.schema.as_deref() == Some(&id.name) {
                    table.schema = Some(name.clone());
                }
            }
        }
        (Thing::Object(id), _) if id.kind == ObjectSort::Constraint => {
            let of_table = is_table(&demand.table, &id.schema, &id.table);
            if of_table && matches!(demand.rule, Rule::Validated { .. }) {
                return None;
            }
        }
        (Thing::Object(_), _) if matches!(&demand.rule, Rule::Domain { except, .. } if !except.is_empty()) =>
        {
            return None;
        }
        (Thing::Object(id), to) => {
            for table in tables_of(&mut demand) {
                if is_table(table, &id.schema, &id.name) {
                    match to {
                        NewName::Name(name) => table.name.clone_from(name),
                        NewName::Schema(schema) => table.schema = Some(schema.clone()),
                    }
                }
            }
        }
        (Thing::Column { relation, name }, NewName::Name(old)) => {
            let (schema, table) = (relation.schema.as_str(), relation.name.as_str());
            let refers = matches!(&demand.rule, Rule::References { table: other, .. }
                if is_table(other, schema, table));
            if refers {
                return None;
            }
            if is_table(&demand.table, schema, table) {
                demand.rule = with_column(demand.rule, name, old)?;
            }
        }
        _ => {}
    }
    Some(demand)
}

fn tables_of(demand: &mut Demand) -> Vec<&mut QualifiedName> {
    let other = match &mut demand.rule {
        Rule::References { table, .. } => Some(table),
        _ => None,
    };
    std::iter::once(&mut demand.table).chain(other).collect()
}

/// The rule with a column under its old name, where the rule is about one column alone.
fn with_column(mut rule: Rule, new: &str, old: &str) -> Option<Rule> {
    match &mut rule {
        Rule::NotNull { column } | Rule::Fits { column, using: None, .. } => {
            if column == new {
                old.clone_into(column);
            }
        }
        Rule::NoRow { .. } => {}
        _ => return None,
    }
    Some(rule)
}

#[derive(Default)]
struct Reader {
    found: Vec<RowDemand>,
    /// Demands of constraints that are not checked yet.
    unchecked: Vec<Demand>,
    /// Tables that are new, or whose rows or columns were changed.
    touched: BTreeSet<String>,
    /// Tables with a column whose type changed: a value may be another, NULL stays NULL.
    retyped: BTreeSet<String>,
    /// Lists of values, in parentheses, of enums that are made.
    enums: BTreeMap<String, String>,
    /// Something ran whose effect on rows cannot be told.
    blind: bool,
}

impl Reader {
    fn read(&mut self, sql: &str, facts: &Facts, migration: &str, place: Option<Place>) {
        for demand in demands(sql) {
            let demand = self.with_exceptions(self.with_values(demand));
            self.add(demand, migration, place.clone());
        }
        let types = facts.creates.iter().filter(|object| object.kind == ObjectKind::Type);
        for made in types {
            self.enums.extend(enum_values(sql).map(|values| (key(&made.name), values.to_owned())));
        }
        self.blind |= facts.opaque
            || facts.sets_search_path
            || matches!(facts.kind, Kind::Read)
            || matches!(facts.label.as_str(), "DELETE" | "TRUNCATE TABLE" | "TRUNCATE" | "MERGE");
        if facts.kind == Kind::Write {
            let written = facts.locks.iter().filter_map(|lock| lock.relation.as_ref());
            self.touched.extend(written.map(key));
        }
        let relation = |kind| {
            use ObjectKind::{Domain, Relation, Table, View};
            matches!(kind, Table | Relation | View | Domain)
        };
        let made = facts.creates.iter().chain(&facts.drops).filter(|object| relation(object.kind));
        self.touched.extend(made.map(|object| key(&object.name)));
        if let Some(rename) = &facts.rename {
            self.touched.extend([&rename.from.name, &rename.to].map(key));
            self.touched.extend(rename.from.on.as_ref().map(key));
        }
        self.retyped.extend(retyped(sql).map(|table| key(&table)));
    }

    /// A column that becomes an enum of the same run, as it does where values of an enum go: the type is
    /// not there yet to be tried, but its values are known.
    fn with_values(&self, mut demand: Demand) -> Demand {
        let Rule::Fits { column, type_text, using } = &demand.rule else { return demand };
        let name = parse_qualified(type_text).map(|name| key(&name));
        let bare = |text: &str| text.replace(['(', ')', '"', ' '], "");
        let cast = format!("{}::text::{}", bare(column), bare(type_text));
        let is_cast = using.as_ref().is_none_or(|using| bare(using) == cast);
        if let Some(values) = name.and_then(|name| self.enums.get(&name)).filter(|_| is_cast) {
            let condition = format!("{}::text IN {values}", quote_ident(column));
            demand.rule = Rule::Check { condition };
        }
        demand
    }

    /// A domain's columns in tables that were changed before are not asked.
    fn with_exceptions(&self, mut demand: Demand) -> Demand {
        if let Rule::Domain { except, .. } = &mut demand.rule {
            except.extend(self.touched.union(&self.retyped).cloned());
        }
        demand
    }

    fn add(&mut self, demand: Demand, migration: &str, place: Option<Place>) {
        if self.blind || self.is_touched(&demand) {
            return;
        }
        let demand = match &demand.rule {
            Rule::Validated { constraint } => {
                let same = |known: &&Demand| {
                    known.table == demand.table && known.constraint.as_ref() == Some(constraint)
                };
                self.unchecked.iter().find(same).cloned().unwrap_or(demand)
            }
            _ if demand.unchecked => return self.unchecked.push(demand),
            _ => demand,
        };
        let known = |found: &RowDemand| {
            found.demand.table == demand.table && found.demand.rule == demand.rule
        };
        if !self.found.iter().any(known) {
            let migration = migration.to_owned();
            self.found.push(RowDemand { demand, migration, place });
        }
    }

    fn is_touched(&self, demand: &Demand) -> bool {
        let other = match &demand.rule {
            Rule::References { table, .. } => Some(key(table)),
            _ => None,
        };
        self.touched.contains(&key(&demand.table))
            || other.is_some_and(|o| self.touched.contains(&o))
    }
}

/// `('a', 'b')` of `CREATE TYPE … AS ENUM ('a', 'b')`.
fn enum_values(sql: &str) -> Option<&str> {
    let head = sql.find('(')?;
    let is_enum = sql[..head].trim_end().to_ascii_uppercase().ends_with("AS ENUM");
    let end = sql.rfind(')')?;
    (is_enum && sql[head..=end].contains('\'')).then(|| &sql[head..=end])
}

/// Tables whose columns change their type: what is demanded afterwards is of other values.
fn retyped(sql: &str) -> impl Iterator<Item = QualifiedName> {
    let retypes = |demand: Demand| match demand.rule {
        Rule::Fits { .. } => Some(demand.table),
        _ => None,
    };
    demands(sql).into_iter().filter_map(retypes)
}

/// Names are matched by their last part, so that a schema that is left out hides nothing.
fn key(name: &QualifiedName) -> String {
    name.name.clone()
}

/// Rows that break a demand, as a problem.
pub fn broken(demand: &RowDemand, rows: &Violations) -> Problem {
    let table = &demand.demand.table;
    let problem = told(demand, rows, table, breaks(&demand.demand.rule));
    match &demand.demand.rule {
        Rule::Fits { column, type_text, .. } if type_text.ends_with("[]") => {
            let column = quote_ident(column);
            problem.fix_with(
                "Where each value is to become a list of one, write the change by hand.",
                format!(
                    "ALTER TABLE {table} ALTER {column} TYPE {type_text} USING ARRAY[{column}]"
                ),
            )
        }
        _ => problem,
    }
}

/// Rows of a table that break the demand of a domain by one of their columns.
pub fn broken_by_column(
    demand: &RowDemand,
    rows: &Violations,
    table: &QualifiedName,
    column: &str,
) -> Problem {
    let (domain, column) = (&demand.demand.table, quote_ident(column));
    let does = match &demand.demand.rule {
        Rule::Domain { condition: Some(condition), .. } => {
            format!("have a {column} that breaks the check {condition} of domain {domain}")
        }
        _ => format!("have no {column}, whose domain {domain} becomes NOT NULL"),
    };
    told(demand, rows, table, does)
}

fn told(demand: &RowDemand, rows: &Violations, table: &QualifiedName, does: String) -> Problem {
    let what = match rows.count {
        1 => format!("1 row of {table} {}", of_one(does)),
        count => format!("{count} rows of {table} {does}"),
    };
    let mut problem = Problem::error(Code::RowsWouldBreak, what);
    if !demand.migration.is_empty() {
        problem = problem.because(format!("{} would fail on them", demand.migration));
    }
    problem.place.clone_from(&demand.place);
    for sample in &rows.samples {
        problem = problem.detail(sample.clone());
    }
    problem
        .fix_with("See them all.", rows.query.clone())
        .fix("Correct the rows, or correct them in the migration before the rule.")
}

/// `have a` is said of several rows.
fn of_one(does: String) -> String {
    let words = [("have ", "has "), ("break ", "breaks "), ("are ", "is ")];
    let found = words.iter().find_map(|(many, one)| Some((one, does.strip_prefix(many)?)));
    found.map_or_else(|| does.clone(), |(one, rest)| format!("{one}{rest}"))
}

fn breaks(rule: &Rule) -> String {
    match rule {
        Rule::NotNull { column } => format!("have no {column}, which becomes NOT NULL"),
        Rule::NoRow { column } => {
            format!("would have no value for the new column {column}, which is NOT NULL")
        }
        Rule::Unique { keys, primary: true, .. } => {
            format!("break the primary key ({})", keys.join(", "))
        }
        Rule::Unique { keys, .. } => format!("are not unique in ({})", keys.join(", ")),
        Rule::Check { condition } => format!("break the check {condition}"),
        Rule::References { columns, table, .. } => {
            format!("have ({}) that is not in {table}", columns.join(", "))
        }
        Rule::Fits { column, type_text, .. } => format!("have a {column} that is no {type_text}"),
        Rule::Validated { constraint } => format!("break {constraint}"),
        Rule::Excludes { pairs, .. } => {
            let pairs: Vec<_> =
                pairs.iter().map(|(key, with)| format!("{key} WITH {with}")).collect();
            format!("are not allowed beside another by EXCLUDE ({})", pairs.join(", "))
        }
        Rule::Domain { condition: Some(condition), .. } => format!("break the check {condition}"),
        Rule::Domain { condition: None, .. } => "have no value".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(statements: &[&str]) -> Vec<String> {
        let demands = script_demands(statements.iter().copied());
        demands.into_iter().map(|found| breaks(&found.demand.rule)).collect()
    }

    #[test]
    fn what_runs_before_may_settle_a_demand() {
        let set = "ALTER TABLE t ALTER COLUMN a SET NOT NULL";
        assert_eq!(found(&[set]).len(), 1);
        for before in [
            "UPDATE t SET a = 0 WHERE a IS NULL",
            "DELETE FROM other",
            "DO $$ BEGIN PERFORM f(); END $$",
            "SELECT fill()",
            "CREATE TABLE t (a int)",
            "ALTER TABLE x RENAME TO t",
            "TRUNCATE x CASCADE",
            "SET search_path = app",
        ] {
            assert_eq!(found(&[before, set]), Vec::<String>::new(), "{before}");
        }
        assert_eq!(found(&["INSERT INTO x VALUES (1)", "CREATE INDEX i ON t (a)", set]).len(), 1);
    }

    #[test]
    fn values_that_an_enum_loses_are_looked_for() {
        let made = "CREATE TYPE \"Mood_new\" AS ENUM ('good', 'bad')";
        let turned = "ALTER TABLE t ALTER COLUMN m TYPE \"Mood_new\" USING (m::text::\"Mood_new\")";
        assert_eq!(found(&[made, turned]), ["break the check m::text IN ('good', 'bad')"]);
        let other = "ALTER TABLE t ALTER COLUMN m TYPE \"Mood_new\" USING 'good'";
        assert_eq!(found(&[made, other]), ["have a m that is no \"Mood_new\""]);
    }

    #[test]
    fn columns_of_tables_that_were_changed_are_not_asked_for_a_domain() {
        let add = "ALTER DOMAIN d ADD CHECK (VALUE > 0)";
        let demands = script_demands(["UPDATE t SET a = 1", "ALTER TABLE u ALTER a TYPE d", add]);
        let rule = demands.last().map(|found| found.demand.rule.clone());
        let except = vec!["t".to_owned(), "u".to_owned()];
        assert_eq!(rule, Some(Rule::Domain { condition: Some("VALUE > 0".to_owned()), except }));
        assert_eq!(found(&["CREATE DOMAIN d AS int", add]), Vec::<String>::new());
    }

    #[test]
    fn a_constraint_is_looked_at_when_it_is_validated() {
        let add = "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID";
        assert_eq!(found(&[add]), Vec::<String>::new());
        let both = found(&[add, "ALTER TABLE t VALIDATE CONSTRAINT c"]);
        assert_eq!(both, ["break the check a > 0"]);
        assert_eq!(found(&["ALTER TABLE t VALIDATE CONSTRAINT k"]), ["break k"]);
    }
}
