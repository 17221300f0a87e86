//! The checks that say that a database is as declared.

use std::collections::BTreeMap;

use pgfleet_sql::QualifiedName;
use serde::Serialize;

use super::{Absent, Tenancy};
use crate::verify::{Check, ColumnExpectation, Columns, Policies, Rows, TableName};

#[derive(Serialize)]
struct Declaration {
    check: Vec<Check>,
}

/// `[[check]]` tables for these tenant tables, as TOML. Those that may be left out need not be there.
pub fn checks<'t>(
    tenancy: &Tenancy,
    tables: impl IntoIterator<Item = &'t QualifiedName>,
) -> String {
    let mut check = Vec::new();
    let if_exists = tenancy.absent == Absent::Skip;
    for table in tables {
        let name = TableName { schema: table.schema.clone(), name: table.name.clone() };
        let expected = format!("{} not null", tenancy.type_name);
        check.push(Check::Columns(Columns {
            name: Some(format!("{table} has {}", tenancy.column)),
            table: name.clone(),
            columns: ColumnExpectation::Types(BTreeMap::from([(tenancy.column.clone(), expected)])),
            only: false,
            if_exists,
        }));
        check.push(Check::Rows(Rows {
            name: Some(format!("every row of {table} has its tenant")),
            table: name.clone(),
            condition: Some(format!("{} IS NULL", pgfleet_sql::quote_ident(&tenancy.column))),
            at_least: None,
            exactly: Some(0),
            at_most: None,
            if_exists,
        }));
        if tenancy.row_security.is_some() {
            check.push(Check::Policies(Policies {
                name: Some(format!("{table} is isolated by row-level security")),
                schema: table.schema.clone(),
                table: Some(name.clone()),
                list: vec![super::steps::POLICY.to_owned()],
                enabled: vec![name],
                if_exists,
                ..Policies::default()
            }));
        }
    }
    // Plain data always has a form in TOML.
    toml::to_string(&Declaration { check }).unwrap_or_default()
}
