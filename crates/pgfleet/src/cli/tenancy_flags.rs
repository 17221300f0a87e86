//! Flags that say what `[tenancy]` of pgfleet.toml says.

use clap::Args;
use pgfleet_core::diagnose::Problem;
use pgfleet_core::tenancy::{Tenancy, TenancyFlags};
use pgfleet_engine::project::Project;

/// What gets the column, and from where: over `[tenancy]`, or without it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Instead of what [tenancy] says")]
pub struct Declared {
    /// The column that every table gets
    #[arg(long, value_name = "NAME")]
    column: Option<String>,
    /// Its type
    #[arg(long = "type", value_name = "TYPE")]
    type_name: Option<String>,
    /// The tables, by comma or again; what [tenancy] says of one of them still holds
    #[arg(long, value_name = "TABLE", value_delimiter = ',')]
    tables: Vec<String>,
    /// Whose the rows are that are there, and new rows that name nobody
    #[arg(long, value_name = "VALUE", conflicts_with = "variable", allow_hyphen_values = true)]
    constant: Option<String>,
    /// The same from this variable of each target
    #[arg(long, value_name = "NAME")]
    variable: Option<String>,
    /// The rows of a table belong to whom the row belongs that COLUMN references; several for a path
    #[arg(long, value_name = "TABLE=COLUMN,…")]
    via: Vec<String>,
    /// The rows of a table belong to whom this expression of their columns says
    #[arg(long, value_name = "TABLE=EXPRESSION")]
    sql: Vec<String>,
    /// What the column references
    #[arg(long, value_name = "TABLE.COLUMN")]
    references: Option<String>,
    /// A key that stays unique over all tenants
    #[arg(long, value_name = "TABLE=COLUMN,…")]
    keep_unique: Vec<String>,
    /// A primary key that becomes per-tenant as unique keys do
    #[arg(long, value_name = "TABLE=COLUMN,…")]
    per_tenant: Vec<String>,
    /// Condition of a policy of row-level security
    #[arg(long, value_name = "CONDITION")]
    row_security: Option<String>,
    /// The policy binds the tables' owner too
    #[arg(long)]
    force_row_security: bool,
    /// New rows must name their tenant at the end
    #[arg(long)]
    drop_default: bool,
    /// Rewrite a table under its lock where its column of another type cannot be exchanged otherwise
    #[arg(long)]
    allow_rewrite: bool,
    /// Leave out tables that a database lacks
    #[arg(long)]
    skip_absent: bool,
    /// Whose rows are that lead to nobody
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    orphans: Option<String>,
}

impl Declared {
    /// Puts what was said into the project.
    pub fn put_into(&self, project: &mut Project) -> Result<(), Box<Problem>> {
        let section = self.flags().over(project.settings.tenancy.clone())?;
        project.declare_tenancy(section);
        Ok(())
    }

    fn flags(&self) -> TenancyFlags {
        TenancyFlags {
            column: self.column.clone(),
            type_name: self.type_name.clone(),
            tables: self.tables.clone(),
            constant: self.constant.clone(),
            variable: self.variable.clone(),
            references: self.references.clone(),
            row_security: self.row_security.clone(),
            force_row_security: self.force_row_security,
            drop_default: self.drop_default,
            allow_rewrite: self.allow_rewrite,
            skip_absent: self.skip_absent,
            orphans: self.orphans.clone(),
            via: self.via.clone(),
            sql: self.sql.clone(),
            keep_unique: self.keep_unique.clone(),
            per_tenant: self.per_tenant.clone(),
        }
    }
}

/// Which tables have the column.
#[derive(Debug, Args)]
pub struct Bordered {
    /// The tenant column [default: column of [tenancy]]
    #[arg(long, value_name = "NAME", requires = "tables")]
    column: Option<String>,
    /// The tables that have it, by comma or again [default: those of [tenancy]]
    #[arg(long, value_name = "TABLE", value_delimiter = ',', requires = "column")]
    tables: Vec<String>,
}

impl Bordered {
    /// What was said; none when nothing was.
    pub fn tenancy(&self, project: &Project) -> Result<Option<Tenancy>, Vec<Problem>> {
        let Some(column) = &self.column else { return Ok(None) };
        let schema = project.settings.schema.as_deref().unwrap_or("public");
        Tenancy::of_tables(column, &self.tables, schema).map(Some)
    }
}
