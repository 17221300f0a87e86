//! The verdict on a check, from what was looked up.

use std::collections::{BTreeMap, BTreeSet};

use super::type_name::canonical;
use super::{
    Catalog, Check, CheckResult, ColumnExpectation, ColumnFact, Columns, Enums, Extensions,
    ForeignKeyFact, ForeignKeys, Functions, Indexes, Policies, Rows, Sql, TableName, Tables,
    Triggers,
};

/// Everything that was looked up for a set of checks.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// The catalog's facts, or why they could not be read; `None` when nobody looked.
    pub catalog: Option<Result<Catalog, String>>,
    /// The answers to [`super::questions`], by the check's position.
    pub answers: BTreeMap<usize, Result<Answer, String>>,
    /// Environment variables that are set and not empty.
    pub variables: BTreeSet<String>,
    /// What came of HTTP probes, by the check's position.
    pub probes: BTreeMap<usize, ProbeOutcome>,
}

/// What one question gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The value as text; `None` for NULL and for no row.
    pub value: Option<String>,
    /// Whether it matches the check's pattern.
    pub matches: Option<bool>,
}

/// What came of a probe.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProbeOutcome {
    /// The answer in a few words: the status, or why there is none.
    pub found: String,
    /// Every deviation from what was expected; empty when there is none.
    pub deviations: Vec<String>,
}

/// The verdict on the check at `position`.
pub fn judge(position: usize, check: &Check, evidence: &Evidence) -> CheckResult {
    let (found, details, ok) = match look(position, check, evidence) {
        Ok(finding) => finding.into_parts(),
        Err(Unseen::Failed(error)) => (error, Vec::new(), false),
        Err(Unseen::Skipped(why)) => return CheckResult::skipped(check, why),
    };
    CheckResult::new(check, found, ok).with_details(details)
}

/// Why a check has no finding.
enum Unseen {
    Failed(String),
    Skipped(&'static str),
}

/// What was found, and what is wrong with it.
#[derive(Default)]
struct Finding {
    found: String,
    wrong: Vec<String>,
    notes: Vec<String>,
}

impl Finding {
    fn new(found: impl Into<String>) -> Self {
        Self { found: found.into(), ..Self::default() }
    }

    fn into_parts(self) -> (String, Vec<String>, bool) {
        let ok = self.wrong.is_empty();
        (self.found, self.wrong.into_iter().chain(self.notes).collect(), ok)
    }
}

fn look(position: usize, check: &Check, evidence: &Evidence) -> Result<Finding, Unseen> {
    if check.is_for_existing() && is_absent(check, catalog(evidence)?) {
        return Ok(Finding::new("no such table, which is as expected"));
    }
    match check {
        Check::Rows(rows) => judge_rows(check, rows, answer(position, evidence)?),
        Check::Sql(sql) => judge_scalar(sql, answer(position, evidence)?),
        Check::Env(env) => Ok(judge_variables(&env.variables, &evidence.variables)),
        Check::Http(_) | Check::Isolation(_) | Check::Reference(_) => {
            match evidence.probes.get(&position) {
                Some(outcome) => Ok(Finding {
                    found: outcome.found.clone(),
                    wrong: outcome.deviations.clone(),
                    notes: Vec::new(),
                }),
                None if !matches!(check, Check::Http(_)) => {
                    Err(Unseen::Skipped("no database was asked"))
                }
                None => Err(Unseen::Skipped("HTTP probes were not asked for")),
            }
        }
        _ => judge_catalog(check, catalog(evidence)?),
    }
}

/// Views count too: they have columns.
fn is_absent(check: &Check, catalog: &Catalog) -> bool {
    let is_it = |column: &ColumnFact| is_here(check, &column.schema, &column.table);
    !catalog.columns.iter().any(is_it)
}

fn answer(position: usize, evidence: &Evidence) -> Result<&Answer, Unseen> {
    match evidence.answers.get(&position) {
        Some(Ok(answer)) => Ok(answer),
        Some(Err(error)) => Err(Unseen::Failed(error.clone())),
        None => Err(Unseen::Skipped("no database was asked")),
    }
}

fn catalog(evidence: &Evidence) -> Result<&Catalog, Unseen> {
    match &evidence.catalog {
        Some(Ok(catalog)) => Ok(catalog),
        Some(Err(error)) => Err(Unseen::Failed(error.clone())),
        None => Err(Unseen::Skipped("no database was asked")),
    }
}

fn judge_catalog(check: &Check, catalog: &Catalog) -> Result<Finding, Unseen> {
    Ok(match check {
        Check::Tables(tables) => judge_tables(check, tables, catalog),
        Check::Columns(columns) => judge_columns(check.schema(), columns, catalog),
        Check::Indexes(indexes) => judge_indexes(check, indexes, catalog),
        Check::Triggers(triggers) => judge_triggers(check, triggers, catalog),
        Check::Policies(policies) => judge_policies(check, policies, catalog),
        Check::ForeignKeys(keys) => judge_foreign_keys(check, keys, catalog),
        Check::Functions(functions) => judge_functions(check, functions, catalog),
        Check::Extensions(extensions) => judge_extensions(extensions, catalog),
        Check::Enums(enums) => judge_enums(check.schema(), enums, catalog),
        // `look` has taken the others.
        Check::Rows(_) | Check::Sql(_) | Check::Env(_) => Finding::default(),
        Check::Http(_) | Check::Isolation(_) | Check::Reference(_) => Finding::default(),
    })
}

/// Counts, and names what is missing of a list.
fn counted(check: &Check, noun: &str, found: usize, missing: Vec<String>) -> Finding {
    let plural = if found == 1 { "" } else { "s" };
    let mut finding = Finding::new(format!("{found} {noun}{plural}"));
    let counted = check.counted().unwrap_or_default();
    if !counted.accepts(found as u64) {
        finding.wrong.push(format!("{found} instead of {counted}"));
    }
    if !missing.is_empty() {
        finding.found.push_str(&format!(", {} missing", missing.len()));
        finding.wrong.extend(missing.into_iter().map(|name| format!("missing: {name}")));
    }
    finding
}

fn judge_tables(check: &Check, tables: &Tables, catalog: &Catalog) -> Finding {
    let schema = check.schema();
    let found = catalog.tables.iter().filter(|table| table.schema == schema).count();
    let exists = |name: &&TableName| {
        let schema = name.schema.as_deref().unwrap_or(schema);
        catalog.tables.iter().any(|table| table.schema == schema && table.name == name.name)
    };
    let missing = tables.list.iter().filter(|name| !exists(name)).map(ToString::to_string);
    counted(check, "table", found, missing.collect())
}

fn judge_columns(schema: &str, check: &Columns, catalog: &Catalog) -> Finding {
    let of_table =
        |column: &&ColumnFact| column.schema == schema && column.table == check.table.name;
    let found: Vec<&ColumnFact> = catalog.columns.iter().filter(of_table).collect();
    if found.is_empty() {
        let mut finding = Finding::new("no such table");
        finding.wrong.push(format!("missing: table {}", check.table));
        return finding;
    }
    let mut finding = Finding::new(format!("{} columns", found.len()));
    let expected: Vec<(&str, &str)> = match &check.columns {
        ColumnExpectation::Names(names) => names.iter().map(|name| (name.as_str(), "")).collect(),
        ColumnExpectation::Types(types) => {
            types.iter().map(|(name, of_type)| (name.as_str(), of_type.as_str())).collect()
        }
    };
    for (name, of_type) in &expected {
        match found.iter().find(|column| column.name == *name) {
            Some(column) => finding.wrong.extend(column_deviations(column, of_type)),
            None => finding.wrong.push(format!("missing: {name}")),
        }
    }
    if check.only {
        let surplus = found.iter().filter(|c| !expected.iter().any(|(name, _)| *name == c.name));
        finding.wrong.extend(surplus.map(|column| format!("not expected: {}", column.name)));
    }
    finding
}

/// What is wrong with a column that should be `of_type`: `[TYPE] [null | not null]`.
fn column_deviations(column: &ColumnFact, of_type: &str) -> Vec<String> {
    let lower = of_type.trim().to_lowercase();
    let (type_length, not_null) = match lower.strip_suffix("null").map(str::trim_end) {
        Some(rest) => match rest.strip_suffix("not") {
            Some(rest) => (rest.len(), Some(true)),
            None => (rest.len(), Some(false)),
        },
        None => (lower.len(), None),
    };
    let of_type = of_type.trim().get(..type_length).unwrap_or_default().trim();
    let mut wrong = Vec::new();
    if !of_type.is_empty() && canonical(of_type) != canonical(&column.type_name) {
        wrong.push(format!("{} is {}, not {of_type}", column.name, column.type_name));
    }
    if not_null.is_some_and(|not_null| not_null != column.not_null) {
        let (is, must) = if column.not_null { ("not null", "null") } else { ("null", "not null") };
        wrong.push(format!("{} is {is}, not {must}", column.name));
    }
    wrong
}

fn judge_indexes(check: &Check, indexes: &Indexes, catalog: &Catalog) -> Finding {
    let here = |s: &str, t: &str| is_here(check, s, t);
    let of_place = catalog.indexes.iter().filter(|index| here(&index.schema, &index.table));
    let (valid, invalid): (Vec<_>, Vec<_>) = of_place.partition(|index| index.valid);
    let exists = |name: &&String| valid.iter().any(|index| index.name == **name);
    let missing = indexes.list.iter().filter(|name| !exists(name)).cloned().collect();
    let mut finding = counted(check, "index", valid.len(), missing);
    finding.found = finding.found.replace("indexs", "indexes");
    finding.notes.extend(invalid.iter().map(|index| format!("invalid: {}", index.name)));
    finding
}

fn judge_triggers(check: &Check, triggers: &Triggers, catalog: &Catalog) -> Finding {
    let here = |s: &str, t: &str| is_here(check, s, t);
    let of_place = catalog.triggers.iter().filter(|trigger| here(&trigger.schema, &trigger.table));
    let (enabled, disabled): (Vec<_>, Vec<_>) = of_place.partition(|trigger| trigger.enabled);
    // `table.trigger` is read as a table's name is: what stands before the dot is the table.
    let exists = |name: &&TableName| {
        let table = name.schema.as_deref();
        let fits = |table_name: &str| table.is_none_or(|table| table == table_name);
        enabled.iter().any(|trigger| trigger.name == name.name && fits(&trigger.table))
    };
    let missing = triggers.list.iter().filter(|name| !exists(name)).map(ToString::to_string);
    let mut finding = counted(check, "trigger", enabled.len(), missing.collect());
    finding.notes.extend(disabled.iter().map(|t| format!("disabled: {}.{}", t.table, t.name)));
    finding
}

fn judge_policies(check: &Check, policies: &Policies, catalog: &Catalog) -> Finding {
    let here: Vec<&[String; 3]> = catalog
        .policies
        .iter()
        .filter(|[schema, table, _]| is_here(check, schema, table))
        .collect();
    let exists = |name: &&String| here.iter().any(|[_, _, policy]| policy == *name);
    let missing = policies.list.iter().filter(|name| !exists(name)).cloned().collect();
    let mut finding = counted(check, "policy", here.len(), missing);
    finding.found = finding.found.replace("policys", "policies");
    let schema = check.schema();
    let table = |name: &TableName| {
        let schema = name.schema.as_deref().unwrap_or(schema);
        catalog.tables.iter().find(|table| table.schema == schema && table.name == name.name)
    };
    let off = policies.enabled.iter().filter(|name| !table(name).is_some_and(|t| t.row_security));
    finding.wrong.extend(off.map(|name| format!("row-level security is off: {name}")));
    let loose =
        policies.forced.iter().filter(|name| !table(name).is_some_and(|t| t.row_security_forced));
    finding.wrong.extend(loose.map(|name| format!("row-level security is not forced: {name}")));
    finding
}

fn judge_foreign_keys(check: &Check, keys: &ForeignKeys, catalog: &Catalog) -> Finding {
    let schema = check.schema();
    let of_place =
        catalog.foreign_keys.iter().filter(|key| is_here(check, &key.schema, &key.table));
    let here: Vec<&ForeignKeyFact> = of_place.collect();
    let same = |name: &TableName, schema_found: &str, found: &str| {
        name.name == found && name.schema.as_deref().unwrap_or(schema) == schema_found
    };
    let exists = |wanted: &&super::ColumnReference| {
        catalog.foreign_keys.iter().any(|key| {
            same(&wanted.child, &key.schema, &key.table)
                && same(&wanted.parent, &key.parent_schema, &key.parent)
                && wanted.child_columns == key.columns
                && wanted.parent_columns == key.parent_columns
        })
    };
    let missing = keys.list.iter().filter(|key| !exists(key)).map(ToString::to_string);
    let mut finding = counted(check, "foreign key", here.len(), missing.collect());
    let unproven = here.iter().filter(|key| !key.validated);
    finding.notes.extend(unproven.map(|key| format!("not validated: {}.{}", key.table, key.name)));
    finding
}

fn judge_functions(check: &Check, functions: &Functions, catalog: &Catalog) -> Finding {
    let schema = check.schema();
    let found = catalog.functions.iter().filter(|[of_schema, _]| of_schema == schema).count();
    let exists = |wanted: &&TableName| {
        let schema = wanted.schema.as_deref().unwrap_or(schema);
        catalog.functions.iter().any(|[s, name]| s == schema && *name == wanted.name)
    };
    let missing = functions.list.iter().filter(|name| !exists(name)).map(ToString::to_string);
    counted(check, "function", found, missing.collect())
}

/// True when a table of the catalog is the one, or in the schema, that the check is about.
fn is_here(check: &Check, schema: &str, table: &str) -> bool {
    check.schema() == schema && check.table().is_none_or(|wanted| wanted.name == table)
}

fn judge_extensions(check: &Extensions, catalog: &Catalog) -> Finding {
    let missing: Vec<&String> =
        check.list.iter().filter(|name| !catalog.extensions.contains(name)).collect();
    let mut finding = Finding::new(format!("{} installed", check.list.len() - missing.len()));
    finding.wrong.extend(missing.iter().map(|name| format!("missing: {name}")));
    finding
}

fn judge_enums(schema: &str, check: &Enums, catalog: &Catalog) -> Finding {
    let name = &check.r#type.name;
    match catalog.enums.iter().find(|found| found.schema == schema && found.name == *name) {
        None => Finding {
            found: "no such enum".to_owned(),
            wrong: vec![format!("missing: type {}", check.r#type)],
            notes: Vec::new(),
        },
        Some(found) => {
            let mut finding = Finding::new(found.values.join(", "));
            let missing = check.values.iter().filter(|value| !found.values.contains(value));
            finding.wrong.extend(missing.map(|value| format!("missing: {value}")));
            let surplus = found.values.iter().filter(|value| !check.values.contains(value));
            finding.wrong.extend(surplus.map(|value| format!("not expected: {value}")));
            if finding.wrong.is_empty() && found.values != check.values {
                finding.wrong.push("the values are in another order".to_owned());
            }
            finding
        }
    }
}

fn judge_rows(check: &Check, rows: &Rows, answer: &Answer) -> Result<Finding, Unseen> {
    let counted = check.counted().unwrap_or_default();
    let value = answer.value.as_deref().unwrap_or_default();
    let count: u64 = value.parse().map_err(|_| Unseen::Failed(format!("not a count: {value}")))?;
    let plural = if count == 1 { "" } else { "s" };
    let mut finding = Finding::new(format!("{count} row{plural}"));
    if !counted.accepts(count) {
        finding.wrong.push(format!("{count} instead of {counted} in {}", rows.table));
    }
    Ok(finding)
}

fn judge_scalar(check: &Sql, answer: &Answer) -> Result<Finding, Unseen> {
    let value = answer.value.as_deref();
    let mut finding = Finding::new(value.unwrap_or("NULL"));
    if let Some(expected) = &check.equals
        && !equal(&expected.to_string(), value)
    {
        finding.wrong.push(format!("not {expected}"));
    }
    let number = value.and_then(|value| value.trim().parse::<f64>().ok());
    if let Some(least) = check.at_least
        && number.is_none_or(|number| number < least)
    {
        finding.wrong.push(format!("not at least {least}"));
    }
    if let Some(most) = check.at_most
        && number.is_none_or(|number| number > most)
    {
        finding.wrong.push(format!("not at most {most}"));
    }
    if let Some(pattern) = &check.matches
        && answer.matches != Some(true)
    {
        finding.wrong.push(format!("does not match {pattern}"));
    }
    Ok(finding)
}

/// Equal as text, or as numbers: `16` is `16.0`.
fn equal(expected: &str, value: Option<&str>) -> bool {
    let Some(value) = value else { return false };
    let numbers = expected.parse::<f64>().ok().zip(value.parse::<f64>().ok());
    // Large integers lose digits as floats, so only a number with a point is compared as one.
    let inexact = expected.contains('.') || value.contains('.');
    expected == value || (inexact && numbers.is_some_and(|(a, b)| a == b))
}

fn judge_variables(wanted: &[String], set: &BTreeSet<String>) -> Finding {
    let missing: Vec<&String> = wanted.iter().filter(|name| !set.contains(*name)).collect();
    let mut finding =
        Finding::new(format!("{} of {} set", wanted.len() - missing.len(), wanted.len()));
    finding.wrong.extend(missing.iter().map(|name| format!("not set: {name}")));
    finding
}

#[cfg(test)]
mod tests;
