//! `[tenancy]` of pgfleet.toml: which tables get a tenant column, and where each row's tenant comes
//! from.

use pgfleet_sql::{QualifiedName, parse_qualified, quote_literal};
use serde::Deserialize;

use crate::diagnose::{Code, Problem};

/// `[tenancy]`, as written.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenancySection {
    /// The column that every tenant table gets.
    pub column: String,
    /// Its type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Tables whose tenant comes from what is said here.
    #[serde(default)]
    pub tables: Vec<String>,
    /// The tenant of rows that are there, and of new rows that name none.
    pub constant: Option<Scalar>,
    /// The target's variable that holds the tenant.
    pub variable: Option<String>,
    /// `table.column` that the column references.
    pub references: Option<String>,
    /// The condition of the row-level security policy; none for no policy.
    pub row_security: Option<String>,
    /// The policy binds the tables' owner too.
    #[serde(default)]
    pub force_row_security: bool,
    /// New rows that name no tenant get one for good, by the default or the trigger.
    #[serde(default = "yes")]
    pub keep_default: bool,
    /// A column of another type may be changed in place where it cannot be exchanged: readers and writers
    /// wait while the table is rewritten.
    #[serde(default)]
    pub allow_rewrite: bool,
    /// What to do about a table that a database lacks.
    #[serde(default)]
    pub absent: Absent,
    /// The tenant of rows from which none can be derived; without it they are refused.
    pub orphans: Option<Scalar>,
    /// The application's ordinary role, for `isolation`.
    pub role: Option<String>,
    /// The setting that says whose rows a session may see, for `isolation`.
    pub setting: Option<String>,
    /// Tables that differ from the others.
    #[serde(default)]
    pub table: Vec<TableSection>,
}

/// `[[tenancy.table]]`, as written.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableSection {
    /// The table.
    pub name: String,
    /// The tenant of its rows.
    pub constant: Option<Scalar>,
    /// The target's variable that holds it.
    pub variable: Option<String>,
    /// Foreign keys that lead to a table which has the column: `column`, or `column -> table.column`
    /// where no foreign key says so.
    #[serde(default)]
    pub via: Vec<String>,
    /// An expression of the table's columns.
    pub sql: Option<String>,
    /// Unique keys that stay unique over all tenants, each as its columns: `"a, b"`.
    #[serde(default)]
    pub keep_unique: Vec<String>,
    /// The primary key, as its columns, when it becomes per-tenant too.
    pub per_tenant: Option<String>,
}

/// What to do about a table that a database lacks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Absent {
    /// Nothing is written.
    #[default]
    Refuse,
    /// The table is left out.
    Skip,
}

/// A value as TOML writes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "a value is a text or a whole number")]
pub enum Scalar {
    /// A whole number.
    Integer(i64),
    /// Text.
    Text(String),
}

fn yes() -> bool {
    true
}

/// Where a row's tenant comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The same for all rows; as SQL.
    Constant(String),
    /// From a row that it references.
    Via(Vec<Hop>),
    /// An expression of the row.
    Expression(String),
}

/// One step to another table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// The column that references.
    pub column: String,
    /// What it references, where no foreign key says so.
    pub to: Option<(QualifiedName, String)>,
}

/// A table that gets the column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantTable {
    /// Its name, with its schema.
    pub name: QualifiedName,
    /// Where its rows' tenant comes from.
    pub source: Source,
    /// Keys that stay as they are.
    pub keep_unique: Vec<Vec<String>>,
    /// Columns of a primary key that becomes per-tenant.
    pub per_tenant: Option<Vec<String>>,
}

/// What is declared, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenancy {
    /// The column.
    pub column: String,
    /// Its type as `format_type` writes it, once the server was asked; before that as declared.
    pub type_name: String,
    /// In the order of the declaration.
    pub tables: Vec<TenantTable>,
    /// What the column references.
    pub references: Option<(QualifiedName, String)>,
    /// The policy's condition.
    pub row_security: Option<String>,
    /// The policy binds the owner too.
    pub force_row_security: bool,
    /// Defaults and triggers stay.
    pub keep_default: bool,
    /// Tables may be rewritten under their lock.
    pub allow_rewrite: bool,
    /// What to do about a table that is not there.
    pub absent: Absent,
    /// The tenant of rows without one, as SQL.
    pub orphans: Option<String>,
    /// The application's role.
    pub role: Option<String>,
    /// The setting that says whose rows are seen.
    pub setting: Option<String>,
}

impl TableSection {
    /// A table of which nothing further is said.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }
}

impl TenancySection {
    /// A section that names no table yet.
    pub fn of(column: String, type_name: String) -> Self {
        Self {
            column,
            type_name,
            tables: Vec::new(),
            constant: None,
            variable: None,
            references: None,
            row_security: None,
            force_row_security: false,
            keep_default: true,
            allow_rewrite: false,
            absent: Absent::default(),
            orphans: None,
            role: None,
            setting: None,
            table: Vec::new(),
        }
    }

    /// Understands the section. Names without a schema are in `schema`.
    ///
    /// # Errors
    /// Everything that cannot be meant.
    pub fn read(&self, schema: &str) -> Result<Tenancy, Vec<Problem>> {
        let mut problems = Vec::new();
        let tables = self.all_tables();
        let mut read = Vec::new();
        for table in &tables {
            match self.tenant_table(table, schema) {
                Ok(table) => read.push(table),
                Err(why) => problems.push(invalid(format!("table {:?}: {why}", table.name))),
            }
        }
        if tables.is_empty() {
            problems.push(invalid("no table is named".to_owned()));
        }
        for (at, table) in read.iter().enumerate() {
            if read[..at].iter().any(|other| other.name == table.name) {
                problems.push(invalid(format!("{} is named twice", table.name)));
            }
        }
        let references = self.references.as_deref().map(|text| column_of(text, schema)).transpose();
        let references = references.unwrap_or_else(|why| {
            problems.push(invalid(why));
            None
        });
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Tenancy {
            column: self.column.clone(),
            type_name: self.type_name.clone(),
            tables: read,
            references,
            row_security: self.row_security.clone(),
            force_row_security: self.force_row_security,
            keep_default: self.keep_default,
            allow_rewrite: self.allow_rewrite,
            absent: self.absent,
            orphans: self.orphans.as_ref().map(Scalar::sql),
            role: self.role.clone(),
            setting: self.setting.clone(),
        })
    }

    fn all_tables(&self) -> Vec<TableSection> {
        let plain = self.tables.iter().map(|name| TableSection::named(name));
        plain.chain(self.table.iter().cloned()).collect()
    }

    fn tenant_table(&self, table: &TableSection, schema: &str) -> Result<TenantTable, String> {
        let name = parse_qualified(&table.name).ok_or("that is no table's name")?;
        let name = in_schema(name, schema);
        let own = [
            table.constant.as_ref().map(|value| Source::Constant(value.sql())),
            table.variable.as_deref().map(variable).transpose()?,
            table.sql.clone().map(Source::Expression),
            (!table.via.is_empty()).then(|| hops(&table.via, schema)).transpose()?,
        ];
        let mut own = own.into_iter().flatten();
        let source = match (own.next(), own.next()) {
            (Some(source), None) => source,
            (Some(_), Some(_)) => {
                return Err("constant, variable, via and sql exclude each other".to_owned());
            }
            (None, _) => self.common_source()?,
        };
        let keep_unique = table.keep_unique.iter().map(|columns| column_list(columns)).collect();
        let per_tenant = table.per_tenant.as_deref().map(column_list);
        Ok(TenantTable { name, source, keep_unique, per_tenant })
    }

    fn common_source(&self) -> Result<Source, String> {
        match (&self.constant, &self.variable) {
            (Some(value), None) => Ok(Source::Constant(value.sql())),
            (None, Some(name)) => variable(name),
            (Some(_), Some(_)) => Err("constant and variable exclude each other".to_owned()),
            (None, None) => Err(
                "nothing says where its rows' tenant comes from: constant, variable, via or sql"
                    .to_owned(),
            ),
        }
    }
}

impl Scalar {
    /// As SQL.
    pub fn sql(&self) -> String {
        match self {
            Self::Integer(number) => number.to_string(),
            // TOML cannot hold a NUL.
            Self::Text(text) => quote_literal(text).unwrap_or_default(),
        }
    }
}

fn variable(name: &str) -> Result<Source, String> {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.is_empty();
    plain
        .then(|| Source::Constant(format!(":'{name}'")))
        .ok_or_else(|| format!("{name:?} is no variable's name"))
}

fn hops(via: &[String], schema: &str) -> Result<Source, String> {
    let hop = |text: &String| match text.split_once("->") {
        None => Ok(Hop { column: one_name(text)?, to: None }),
        Some((column, to)) => {
            Ok(Hop { column: one_name(column)?, to: Some(column_of(to, schema)?) })
        }
    };
    via.iter().map(hop).collect::<Result<_, String>>().map(Source::Via)
}

fn one_name(text: &str) -> Result<String, String> {
    match parse_qualified(text.trim()) {
        Some(QualifiedName { schema: None, name }) => Ok(name),
        _ => Err(format!("{text:?} is no column's name")),
    }
}

/// `table.column` or `schema.table.column`.
fn column_of(text: &str, schema: &str) -> Result<(QualifiedName, String), String> {
    let wrong = || format!("{text:?} is not of the form table.column");
    let (table, column) = text.trim().rsplit_once('.').ok_or_else(wrong)?;
    let table = parse_qualified(table).ok_or_else(wrong)?;
    Ok((in_schema(table, schema), one_name(column)?))
}

fn in_schema(name: QualifiedName, schema: &str) -> QualifiedName {
    QualifiedName { schema: Some(name.schema.unwrap_or_else(|| schema.to_owned())), ..name }
}

fn column_list(text: &str) -> Vec<String> {
    text.split(',').filter_map(|part| one_name(part).ok()).collect()
}

fn invalid(what: String) -> Problem {
    Problem::error(Code::TenancyInvalid, format!("[tenancy]: {what}"))
        .fix("docs/tenancy.md lists what the section may say.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Tenancy, Vec<Problem>> {
        toml::from_str::<TenancySection>(text).unwrap().read("public")
    }

    #[test]
    fn a_declaration_is_understood() {
        let tenancy = read(
            "column = 'org'\ntype = 'int'\ntables = ['a', 's.\"B\"']\nconstant = 1\nreferences = 'orgs.id'\n\
             [[table]]\nname = 'c'\nvia = ['a_id', 'x -> s.t.id']\nkeep_unique = ['x, \"Y\"']\n\
             [[table]]\nname = 'd'\nvariable = 'tenant_id'\n",
        )
        .unwrap();
        assert_eq!(tenancy.tables[1].name, QualifiedName::new("s", "B"));
        assert_eq!(tenancy.tables[0].source, Source::Constant("1".to_owned()));
        let Source::Via(hops) = &tenancy.tables[2].source else { panic!() };
        assert_eq!(hops[1].to, Some((QualifiedName::new("s", "t"), "id".to_owned())));
        assert_eq!(tenancy.tables[2].keep_unique, [["x", "Y"]]);
        assert_eq!(tenancy.tables[3].source, Source::Constant(":'tenant_id'".to_owned()));
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        let head = "column = 'org'\ntype = 'int'\n";
        for (text, why) in [
            ("", "no table"),
            ("tables = ['a']", "nothing says"),
            ("constant = 1\ntables = ['a', 'public.a']", "named twice"),
            ("constant = 1\ntables = ['a b']", "no table's name"),
            ("constant = 1\nreferences = 'x'\ntables = ['a']", "table.column"),
            ("[[table]]\nname = 'a'\nconstant = 1\nsql = 'x'", "exclude"),
            ("[[table]]\nname = 'a'\nvariable = \"x'; --\"", "no variable"),
        ] {
            let problems = read(&format!("{head}{text}")).unwrap_err();
            assert!(problems[0].what.contains(why), "{text}: {}", problems[0].what);
        }
    }
}
