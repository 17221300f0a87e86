//! What checks are called, what they expect in words, and what they need to be judged.

use std::fmt;

use super::{
    Aspect, Check, ColumnExpectation, Columns, Counted, Expected, Kind, Policies, Rows, Sql,
    TableName,
};

impl Check {
    /// What a person calls the check: its declared name, or one made from what it checks.
    pub fn name(&self) -> String {
        self.declared_name().map_or_else(|| self.default_name(), str::to_owned)
    }

    fn declared_name(&self) -> Option<&str> {
        match self {
            Self::Tables(check) => check.name.as_deref(),
            Self::Columns(check) => check.name.as_deref(),
            Self::Indexes(check) => check.name.as_deref(),
            Self::Triggers(check) => check.name.as_deref(),
            Self::Policies(check) => check.name.as_deref(),
            Self::ForeignKeys(check) => check.name.as_deref(),
            Self::Functions(check) => check.name.as_deref(),
            Self::Extensions(check) => check.name.as_deref(),
            Self::Enums(check) => check.name.as_deref(),
            Self::Rows(check) => check.name.as_deref(),
            Self::Sql(check) => check.name.as_deref(),
            Self::Env(check) => check.name.as_deref(),
            Self::Http(check) => check.name.as_deref(),
            Self::Isolation(check) => check.name.as_deref(),
            Self::Reference(check) => check.name.as_deref(),
        }
    }

    fn default_name(&self) -> String {
        match self {
            Self::Tables(_) => format!("tables in {}", self.place()),
            Self::Columns(check) => format!("columns of {}", check.table),
            Self::Indexes(_) => format!("indexes in {}", self.place()),
            Self::Triggers(_) => format!("triggers in {}", self.place()),
            Self::Policies(_) => format!("row-level security in {}", self.place()),
            Self::ForeignKeys(_) => format!("foreign keys in {}", self.place()),
            Self::Functions(_) => format!("functions in {}", self.place()),
            Self::Extensions(check) => format!("extensions {}", check.list.join(", ")),
            Self::Enums(check) => format!("values of {}", check.r#type),
            Self::Rows(check) => rows_name(check),
            Self::Sql(check) => one_line(&check.query),
            Self::Env(check) => format!("environment: {}", check.variables.join(", ")),
            Self::Http(check) => format!("{} {}", check.method(), check.shown_url()),
            Self::Isolation(check) => format!("isolation of tenants as {}", check.role),
            Self::Reference(check) => format!("reference {}", check.key),
        }
    }

    /// The schema or table that a counting check is about.
    fn place(&self) -> String {
        match self.table() {
            Some(table) => table.to_string(),
            None => self.schema().to_owned(),
        }
    }

    /// The kind, as `kind = "…"` names it.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Tables(_) => Kind::Tables,
            Self::Columns(_) => Kind::Columns,
            Self::Indexes(_) => Kind::Indexes,
            Self::Triggers(_) => Kind::Triggers,
            Self::Policies(_) => Kind::Policies,
            Self::ForeignKeys(_) => Kind::ForeignKeys,
            Self::Functions(_) => Kind::Functions,
            Self::Extensions(_) => Kind::Extensions,
            Self::Enums(_) => Kind::Enums,
            Self::Rows(_) => Kind::Rows,
            Self::Sql(_) => Kind::Sql,
            Self::Env(_) => Kind::Env,
            Self::Http(_) => Kind::Http,
            Self::Isolation(_) => Kind::Isolation,
            Self::Reference(_) => Kind::Reference,
        }
    }

    /// What is expected, in a few words.
    pub fn expected(&self) -> String {
        match self {
            Self::Tables(check) => self.count_and_names(check.list.len()),
            Self::Indexes(check) => self.count_and_names(check.list.len()),
            Self::Triggers(check) => self.count_and_names(check.list.len()),
            Self::ForeignKeys(check) => self.count_and_names(check.list.len()),
            Self::Functions(check) => self.count_and_names(check.list.len()),
            Self::Policies(check) => self.policies_expected(check),
            Self::Columns(check) => columns_expected(check),
            Self::Extensions(check) => format!("{} installed", check.list.join(", ")),
            Self::Enums(check) => check.values.join(", "),
            Self::Rows(_) => format!("{} rows", self.counted().unwrap_or_default()),
            Self::Sql(check) => scalar_expected(check),
            Self::Env(check) => format!("{} set", check.variables.join(", ")),
            Self::Isolation(_) => "no row of another tenant is reached".to_owned(),
            Self::Reference(_) => "every value is in the other database".to_owned(),
            Self::Http(check) => match check.fields.len() {
                0 => check.status.to_string(),
                fields => format!("{}, {fields} fields", check.status),
            },
        }
    }

    fn count_and_names(&self, named: usize) -> String {
        let mut parts = Vec::new();
        if let Some(counted) = self.counted().filter(|counted| *counted != Counted::default()) {
            parts.push(counted.to_string());
        }
        if named > 0 {
            parts.push(format!("{named} by name"));
        }
        parts.join(", ")
    }

    fn policies_expected(&self, check: &Policies) -> String {
        let mut parts = vec![self.count_and_names(check.list.len())];
        if !check.enabled.is_empty() {
            parts.push(format!("on for {} tables", check.enabled.len()));
        }
        if !check.forced.is_empty() {
            parts.push(format!("forced for {} tables", check.forced.len()));
        }
        parts.retain(|part| !part.is_empty());
        parts.join(", ")
    }

    /// How many there should be, for the kinds that count.
    pub fn counted(&self) -> Option<Counted> {
        let (at_least, exactly, at_most) = match self {
            Self::Tables(check) => (check.at_least, check.exactly, None),
            Self::Indexes(check) => (check.at_least, check.exactly, None),
            Self::Triggers(check) => (check.at_least, check.exactly, None),
            Self::Policies(check) => (check.at_least, check.exactly, None),
            Self::ForeignKeys(check) => (check.at_least, check.exactly, None),
            Self::Functions(check) => (check.at_least, check.exactly, None),
            Self::Rows(check) => (check.at_least, check.exactly, check.at_most),
            _ => return None,
        };
        Some(Counted { at_least, exactly, at_most })
    }

    /// The table that the check is confined to.
    pub(super) fn table(&self) -> Option<&TableName> {
        match self {
            Self::Columns(check) => Some(&check.table),
            Self::Indexes(check) => check.table.as_ref(),
            Self::Triggers(check) => check.table.as_ref(),
            Self::Policies(check) => check.table.as_ref(),
            Self::ForeignKeys(check) => check.table.as_ref(),
            Self::Rows(check) => Some(&check.table),
            _ => None,
        }
    }

    /// The schema that the check is about.
    pub(super) fn schema(&self) -> &str {
        let declared = match self {
            Self::Tables(check) => check.schema.as_deref(),
            Self::Indexes(check) => check.schema.as_deref(),
            Self::Triggers(check) => check.schema.as_deref(),
            Self::Policies(check) => check.schema.as_deref(),
            Self::ForeignKeys(check) => check.schema.as_deref(),
            Self::Functions(check) => check.schema.as_deref(),
            Self::Enums(check) => check.r#type.schema.as_deref(),
            _ => None,
        };
        let table = || self.table().and_then(|table| table.schema.as_deref());
        declared.or_else(table).unwrap_or("public")
    }

    /// Every schema whose catalog the check needs.
    pub(super) fn schemas(&self) -> Vec<&str> {
        let mut schemas = vec![self.schema()];
        let named: &[TableName] = match self {
            Self::Tables(check) => &check.list,
            Self::Functions(check) => &check.list,
            Self::Policies(check) => {
                schemas.extend(check.forced.iter().filter_map(|table| table.schema.as_deref()));
                &check.enabled
            }
            Self::ForeignKeys(check) => {
                let children = check.list.iter().map(|key| &key.child);
                schemas.extend(children.filter_map(|table| table.schema.as_deref()));
                &[]
            }
            _ => &[],
        };
        schemas.extend(named.iter().filter_map(|table| table.schema.as_deref()));
        schemas
    }

    /// True when it is as expected that the check's table is not there.
    pub(super) fn is_for_existing(&self) -> bool {
        match self {
            Self::Columns(check) => check.if_exists,
            Self::Rows(check) => check.if_exists,
            Self::Policies(check) => check.if_exists,
            _ => false,
        }
    }

    /// The parts of the catalog that the check needs.
    pub(super) fn aspects(&self) -> &'static [Aspect] {
        match self {
            Self::Rows(check) if check.if_exists => &[Aspect::Columns],
            Self::Policies(check) if check.if_exists => {
                &[Aspect::Columns, Aspect::Tables, Aspect::Policies]
            }
            Self::Tables(_) => &[Aspect::Tables],
            Self::Columns(_) => &[Aspect::Columns],
            Self::Indexes(_) => &[Aspect::Indexes],
            Self::Triggers(_) => &[Aspect::Triggers],
            Self::Policies(_) => &[Aspect::Tables, Aspect::Policies],
            Self::ForeignKeys(_) => &[Aspect::ForeignKeys],
            Self::Functions(_) => &[Aspect::Functions],
            Self::Extensions(_) => &[Aspect::Extensions],
            Self::Enums(_) => &[Aspect::Enums],
            Self::Rows(_) | Self::Sql(_) | Self::Env(_) => &[],
            Self::Http(_) | Self::Isolation(_) | Self::Reference(_) => &[],
        }
    }
}

impl Counted {
    /// True when `found` is as many as expected.
    pub fn accepts(self, found: u64) -> bool {
        self.exactly.is_none_or(|exactly| found == exactly)
            && self.at_least.is_none_or(|least| found >= least)
            && self.at_most.is_none_or(|most| found <= most)
    }
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.exactly, self.at_least, self.at_most) {
            (Some(exactly), ..) => write!(f, "{exactly}"),
            (None, Some(least), Some(most)) => write!(f, "{least} to {most}"),
            (None, Some(least), None) => write!(f, "at least {least}"),
            (None, None, Some(most)) => write!(f, "at most {most}"),
            (None, None, None) => f.write_str("any number"),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value}"),
            Self::Text(value) => f.write_str(value),
        }
    }
}

fn rows_name(check: &Rows) -> String {
    match &check.condition {
        Some(condition) => format!("rows of {} where {}", check.table, one_line(condition)),
        None => format!("rows of {}", check.table),
    }
}

fn columns_expected(check: &Columns) -> String {
    let count = match &check.columns {
        ColumnExpectation::Names(names) => names.len(),
        ColumnExpectation::Types(types) => types.len(),
    };
    let only = if check.only { " and no others" } else { "" };
    let noun = if count == 1 { "column" } else { "columns" };
    format!("{count} {noun}{only}")
}

fn scalar_expected(check: &Sql) -> String {
    let mut parts = Vec::new();
    parts.extend(check.equals.as_ref().map(|value| format!("= {value}")));
    parts.extend(check.at_least.map(|least| format!(">= {least}")));
    parts.extend(check.at_most.map(|most| format!("<= {most}")));
    parts.extend(check.matches.as_ref().map(|pattern| format!("matches {pattern}")));
    parts.join(", ")
}

fn one_line(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}
