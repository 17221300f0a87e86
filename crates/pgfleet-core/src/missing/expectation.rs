//! What the code expects of a database.

use crate::preflight::Claim;
use crate::prisma::{DEFAULT_SCHEMA, Database, ObjectName, kept_name};
use crate::schema::{Body, Kind, ObjectId, Schema};

/// What the code expects of a database.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expectation {
    /// In the order of the source.
    pub tables: Vec<ExpectedTable>,
    /// In the order of the source.
    pub enums: Vec<ExpectedEnum>,
}

/// A table that the code expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedTable {
    /// What the code calls it.
    pub model: String,
    /// What the database calls it.
    pub name: ObjectName,
    /// Names of its columns.
    pub columns: Vec<String>,
}

/// An enum that the code expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedEnum {
    /// What the database calls it.
    pub name: ObjectName,
    /// Its values.
    pub values: Vec<String>,
}

impl Expectation {
    /// What a Prisma schema expects. `schema` is what names without one mean.
    pub fn of_prisma(database: &Database, schema: &str) -> Self {
        let tables = database.tables.iter().map(|table| ExpectedTable {
            model: table.model.clone(),
            name: table.name.placed_in(schema),
            columns: table
                .columns
                .iter()
                .map(|column| kept_name(&column.name).to_owned())
                .collect(),
        });
        let enums = database.enums.iter().map(|one| ExpectedEnum {
            name: one.name.placed_in(schema),
            values: one.values.clone(),
        });
        Self { tables: tables.collect(), enums: enums.collect() }
    }

    /// What a schema holds, as all migrations of a folder make it; the models are the tables themselves.
    pub fn of_schema(schema: &Schema) -> Self {
        let name = |id: &ObjectId| ObjectName { schema: id.schema.clone(), name: id.name.clone() };
        let mut expected = Self::default();
        for object in &schema.objects {
            match &object.body {
                Body::Table(table) if object.id.kind == Kind::Table => {
                    let columns = table.columns.iter().map(|column| column.name.clone()).collect();
                    let (model, name) = (object.id.name.clone(), name(&object.id));
                    expected.tables.push(ExpectedTable { model, name, columns });
                }
                Body::Enum(one) => {
                    let values = one.labels.clone();
                    expected.enums.push(ExpectedEnum { name: name(&object.id), values });
                }
                _ => {}
            }
        }
        expected
    }

    /// What the text of all migrations tells, where they cannot be replayed; the models are the tables themselves.
    pub fn of_claims(claims: &[Claim], schema: &str) -> Self {
        let tables = claims.iter().map(|claim| {
            let own = claim.table.schema.as_deref().unwrap_or(DEFAULT_SCHEMA);
            let name = ObjectName { schema: own.to_owned(), name: claim.table.name.clone() };
            ExpectedTable {
                model: claim.table.name.clone(),
                name: name.placed_in(schema),
                columns: claim.columns.clone(),
            }
        });
        Self { tables: tables.collect(), enums: Vec::new() }
    }
}
