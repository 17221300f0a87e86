//! The checks that say that a database is as declared.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Tenancy, TenancyPlan};
use crate::verify::{Check, ColumnExpectation, Columns, Policies, Rows, TableName};

#[derive(Serialize)]
struct Declaration {
    check: Vec<Check>,
}

/// `[[check]]` tables for every tenant table, as TOML.
pub fn checks(tenancy: &Tenancy, plan: &TenancyPlan) -> String {
    let mut check = Vec::new();
    for table in &plan.tables {
        let name = TableName { schema: table.table.schema.clone(), name: table.table.name.clone() };
        let expected = format!("{} not null", tenancy.type_name);
        check.push(Check::Columns(Columns {
            name: Some(format!("{} has {}", table.table, tenancy.column)),
            table: name.clone(),
            columns: ColumnExpectation::Types(BTreeMap::from([(tenancy.column.clone(), expected)])),
            only: false,
        }));
        check.push(Check::Rows(Rows {
            name: Some(format!("every row of {} has its tenant", table.table)),
            table: name.clone(),
            condition: Some(format!("{} IS NULL", pgfleet_sql::quote_ident(&tenancy.column))),
            at_least: None,
            exactly: Some(0),
            at_most: None,
        }));
        if tenancy.row_security.is_some() {
            check.push(Check::Policies(Policies {
                name: Some(format!("{} is isolated by row-level security", table.table)),
                schema: table.table.schema.clone(),
                table: Some(name.clone()),
                list: vec![super::steps::POLICY.to_owned()],
                enabled: vec![name],
                ..Policies::default()
            }));
        }
    }
    // Plain data always has a form in TOML.
    toml::to_string(&Declaration { check }).unwrap_or_default()
}
