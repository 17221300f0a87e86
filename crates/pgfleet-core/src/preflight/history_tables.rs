//! The tables in which migrations are recorded, by name.
//!
//! Invariant: a tool's table exists whenever its migrations run, so using one is never an error.

use pgfleet_sql::QualifiedName;

/// History tables by the tool that owns them; the schema only where the tool fixes it.
const TOOLS: &[(&str, &str)] = &[
    ("_prisma_migrations", "Prisma"),
    ("flyway_schema_history", "Flyway"),
    ("__diesel_schema_migrations", "Diesel"),
    ("goose_db_version", "goose"),
    ("_sqlx_migrations", "sqlx"),
    ("__drizzle_migrations", "Drizzle"),
    ("refinery_schema_history", "refinery"),
    ("schema_migrations", "dbmate, golang-migrate, Rails or Supabase"),
    ("knex_migrations", "Knex"),
    ("knex_migrations_lock", "Knex"),
    ("sequelizemeta", "Sequelize"),
    ("alembic_version", "Alembic"),
    ("django_migrations", "Django"),
    ("databasechangelog", "Liquibase"),
    ("databasechangeloglock", "Liquibase"),
    ("pgmigrations", "node-pg-migrate"),
    ("mikro_orm_migrations", "MikroORM"),
    ("typeorm_metadata", "TypeORM"),
];

/// Whose table it is.
pub(super) enum Owner {
    /// Kept by a tool, by its name.
    Tool(&'static str),
    /// Kept by the team's own files.
    Team,
}

/// Whose history a table is, when it looks like one.
pub(super) fn owner_of(name: &QualifiedName) -> Option<Owner> {
    let lower = name.name.to_lowercase();
    let schema = name.schema.as_deref().unwrap_or_default();
    match schema {
        "supabase_migrations" => return Some(Owner::Tool("Supabase")),
        "pgfleet" => return Some(Owner::Tool("pgfleet")),
        _ => {}
    }
    let tool = TOOLS.iter().find(|(table, _)| *table == lower).map(|(_, tool)| Owner::Tool(tool));
    tool.or_else(|| is_home_made(&lower).then_some(Owner::Team))
}

/// Whether a table of that name keeps what was migrated, by a tool or by the team's own files.
pub fn is_history_table(schema: &str, name: &str) -> bool {
    owner_of(&QualifiedName::new(schema, name)).is_some()
}

/// `migrations`, `migration_log`, `db_migrations_history`, `schema_version` …
fn is_home_made(name: &str) -> bool {
    const WHOLE: &[&str] = &[
        "migrations",
        "migration",
        "_migrations",
        "schema_version",
        "schema_versions",
        "migration_tracking",
    ];
    const ENDINGS: &[&str] =
        &["_log", "_logs", "_tracking", "_tracker", "_history", "_status", "_applied", "_executed"];
    WHOLE.contains(&name)
        || (name.contains("migration") && ENDINGS.iter().any(|ending| name.ends_with(ending)))
        || ["applied_migrations", "executed_migrations"].contains(&name)
}
