//! How a row's tenant is found: the rows that it references, or an expression of its own columns.

use pgfleet_sql::definition::foreign_key;
use pgfleet_sql::{QualifiedName, quote_ident};

use super::declaration::{Hop, Source, TenantTable};
use super::lookup::Lookup;
use super::names;
use super::steps::{Piece, Writer};
use crate::schema::{Body, Object};

/// How a row's tenant is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Derivation {
    /// Through tables, each with the column that is referenced and the column that leads on.
    Path { first: String, steps: Vec<PathStep> },
    /// An expression.
    Expression(String),
}

/// A table on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PathStep {
    table: QualifiedName,
    key: String,
    /// The column that leads to the next table; none at the last, which has the tenant column.
    next: Option<String>,
}

impl Derivation {
    /// Resolves what is declared; none for a constant.
    pub(super) fn of(
        declared: &TenantTable,
        lookup: &Lookup<'_>,
        has_tenant: &dyn Fn(&QualifiedName) -> bool,
    ) -> Result<Option<Self>, String> {
        match &declared.source {
            Source::Constant(_) => Ok(None),
            Source::Expression(sql) => Ok(Some(Self::Expression(sql.clone()))),
            Source::Via(hops) => path(declared, hops, lookup, has_tenant).map(Some),
        }
    }

    /// The tables that it goes through.
    pub(super) fn tables(&self) -> Vec<&QualifiedName> {
        match self {
            Self::Path { steps, .. } => steps.iter().map(|step| &step.table).collect(),
            Self::Expression(_) => Vec::new(),
        }
    }

    /// The tenant of the row that is called `row`.
    pub(super) fn expression(&self, writer: &Writer<'_>, row: &str) -> String {
        let found = match self {
            Self::Expression(sql) => format!("({sql})"),
            Self::Path { first, .. } => {
                let (from, wanted, link) = self.joins(writer);
                format!("(SELECT {wanted} FROM {from} WHERE {link} = {row}.{})", quote_ident(first))
            }
        };
        match &writer.tenancy.orphans {
            Some(tenant) => format!("coalesce({found}, {tenant})"),
            None => found,
        }
    }

    /// `users AS p1 JOIN companies AS p2 ON …`, `p2.tenant`, `p1.id`.
    fn joins(&self, writer: &Writer<'_>) -> (String, String, String) {
        let Self::Path { steps, .. } = self else { return Default::default() };
        let mut from = String::new();
        let mut lead = None;
        for (at, step) in (1..).zip(steps) {
            let key = quote_ident(&step.key);
            match lead {
                None => from.push_str(&format!("{} AS p{at}", step.table)),
                Some(lead) => {
                    from.push_str(&format!(
                        " JOIN {} AS p{at} ON p{at}.{key} = {lead}",
                        step.table
                    ));
                }
            }
            lead = step.next.as_deref().map(|next| format!("p{at}.{}", quote_ident(next)));
        }
        let key = steps.first().map(|step| quote_ident(&step.key)).unwrap_or_default();
        (from, format!("p{}.{}", steps.len(), writer.column()), format!("p1.{key}"))
    }

    /// The changes that give every row its tenant: one for each place where rows are.
    pub(super) fn backfill(&self, writer: &Writer<'_>) -> Vec<Piece> {
        let column = writer.column();
        let rest = match self {
            Self::Path { first, .. } if writer.tenancy.orphans.is_none() => {
                let (from, wanted, link) = self.joins(writer);
                let first = quote_ident(first);
                format!(
                    "AS t SET {column} = {wanted}\n  FROM {from}\n  WHERE {link} = t.{first} AND t.{column} IS NULL"
                )
            }
            _ => {
                // An expression may say the table's name, which is not that of its partitions.
                let row = match self {
                    Self::Expression(_) => quote_ident(writer.table_name()),
                    Self::Path { .. } => "t".to_owned(),
                };
                let value = self.expression(writer, &row);
                format!("AS {row} SET {column} = {value}\n  WHERE {row}.{column} IS NULL")
            }
        };
        writer.updates(&rest)
    }

    /// Counts rows for which no tenant is found, and shows some.
    pub(super) fn orphans(&self, writer: &Writer<'_>) -> String {
        let name = quote_ident(writer.table_name());
        let row = match self {
            Self::Expression(_) => name.as_str(),
            Self::Path { .. } => "t",
        };
        let open = match writer.state.column {
            Some(_) => format!(" AND {row}.{} IS NULL", writer.column()),
            None => String::new(),
        };
        let missing = match self {
            Self::Path { first, .. } => {
                let (from, _, link) = self.joins(writer);
                format!("NOT EXISTS (SELECT 1 FROM {from} WHERE {link} = t.{})", quote_ident(first))
            }
            Self::Expression(sql) => format!("({sql}) IS NULL"),
        };
        format!("FROM {} AS {row} WHERE {missing}{open}", writer.table())
    }

    fn trigger_name(writer: &Writer<'_>) -> String {
        let rest = format!("{}_tenant", writer.tenancy.column);
        quote_ident(&names::joined(writer.table_name(), &rest))
    }

    /// New rows that name no tenant get theirs.
    pub(super) fn create_trigger(&self, writer: &Writer<'_>) -> Vec<String> {
        let (name, table, column) = (Self::trigger_name(writer), writer.table(), writer.column());
        let schema = quote_ident(&writer.state.object.id.schema);
        let row = match self {
            Self::Expression(_) => quote_ident(writer.table_name()),
            Self::Path { .. } => "t".to_owned(),
        };
        let value = self.expression(writer, &row);
        // A row that is changed may move to a place that the backfill is done with.
        let when = if writer.goes_by_place() { "INSERT OR UPDATE" } else { "INSERT" };
        // Whoever inserts need not be allowed to read what leads to the tenant.
        let rights = match self {
            Self::Path { .. } => " SECURITY DEFINER SET search_path = pg_catalog, pg_temp",
            Self::Expression(_) => "",
        };
        vec![
            format!(
                "CREATE FUNCTION {schema}.{name}() RETURNS trigger LANGUAGE plpgsql{rights} AS $tenant$\n\
                 BEGIN\n  IF NEW.{column} IS NULL THEN\n    NEW.{column} := (SELECT {value} FROM (SELECT NEW.*) AS {row});\n  \
                 END IF;\n  RETURN NEW;\nEND $tenant$"
            ),
            format!(
                "CREATE TRIGGER {name} BEFORE {when} ON {table} FOR EACH ROW EXECUTE FUNCTION {schema}.{name}()"
            ),
        ]
    }

    pub(super) fn drop_trigger(&self, writer: &Writer<'_>) -> Vec<String> {
        let (name, table) = (Self::trigger_name(writer), writer.table());
        let schema = quote_ident(&writer.state.object.id.schema);
        vec![format!("DROP TRIGGER {name} ON {table}"), format!("DROP FUNCTION {schema}.{name}()")]
    }
}

fn path(
    declared: &TenantTable,
    hops: &[Hop],
    lookup: &Lookup<'_>,
    has_tenant: &dyn Fn(&QualifiedName) -> bool,
) -> Result<Derivation, String> {
    let mut steps: Vec<PathStep> = Vec::new();
    let mut at = declared.name.clone();
    for hop in hops {
        let object = lookup.table(&at).ok_or_else(|| format!("{at} does not exist"))?;
        if !object.columns().iter().any(|column| column.name == hop.column) {
            return Err(format!("{at} has no column {}", hop.column));
        }
        let (table, key) = match &hop.to {
            Some((table, key)) => (table.clone(), key.clone()),
            None => referenced(lookup, object, &hop.column).ok_or_else(|| {
                let column = &hop.column;
                format!(
                    "no foreign key leads from {at} by {column}; write \"{column} -> table.column\""
                )
            })?,
        };
        if let Some(last) = steps.last_mut() {
            last.next = Some(hop.column.clone());
        }
        steps.push(PathStep { table: table.clone(), key, next: None });
        at = table;
    }
    if !has_tenant(&at) {
        return Err(format!("the path ends at {at}, which has no tenant column and gets none"));
    }
    let first = hops.first().map(|hop| hop.column.clone()).unwrap_or_default();
    Ok(Derivation::Path { first, steps })
}

/// What a column references by a foreign key of its own.
fn referenced(
    lookup: &Lookup<'_>,
    table: &Object,
    column: &str,
) -> Option<(QualifiedName, String)> {
    lookup.parts(&table.id).iter().find_map(|object| match &object.body {
        Body::Constraint(one) => {
            let key = foreign_key(&one.definition)?;
            let single = key.columns == [column] && key.references.len() == 1;
            single.then(|| (key.table, key.references[0].clone()))
        }
        _ => None,
    })
}
