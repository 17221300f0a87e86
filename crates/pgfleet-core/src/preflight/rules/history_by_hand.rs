//! Migrations that write a tool's history table, or one of the team's own, by hand.
//!
//! Invariant: one problem per file and table.

use std::collections::BTreeSet;

use pgfleet_sql::{Facts, Kind, LockMode, ObjectKind, QualifiedName};

use super::super::Here;
use super::super::world::World;
use super::{Rule, at_word};
use crate::diagnose::{Code, Problem};

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

#[derive(Default)]
pub(super) struct HistoryByHand {
    problems: Vec<Problem>,
    seen: BTreeSet<(String, QualifiedName)>,
}

/// Whose table it is.
enum Owner {
    Tool(&'static str),
    Team,
}

impl Rule for HistoryByHand {
    fn look(&mut self, _world: &World<'_>, here: Here<'_>) {
        for (name, deed) in touched(&here.statement.facts) {
            let Some(owner) = owner_of(&name) else { continue };
            let file = here.statement.place.file.clone();
            if self.seen.insert((file, name.clone())) {
                let problem = problem(&name, deed, &owner);
                self.problems.push(at_word(problem, here.statement, &name.name));
            }
        }
    }

    fn finish(self: Box<Self>) -> Vec<Problem> {
        self.problems
    }
}

/// The tables that a statement creates, drops, alters or writes, and the word for it.
fn touched(facts: &Facts) -> Vec<(QualifiedName, &'static str)> {
    let tables = |objects: &[pgfleet_sql::ObjectRef], deed| {
        let tables = objects.iter().filter(|object| object.kind == ObjectKind::Table);
        tables.map(|object| (object.name.clone(), deed)).collect::<Vec<_>>()
    };
    let mut touched = tables(&facts.creates, "creates");
    touched.extend(tables(&facts.drops, "drops"));
    touched.extend(tables(&facts.alters, "alters"));
    if facts.kind == Kind::Write {
        let written = facts.locks.iter().filter(|lock| lock.mode >= LockMode::RowExclusive);
        touched.extend(written.filter_map(|lock| Some((lock.relation.clone()?, "writes"))));
    }
    touched
}

fn owner_of(name: &QualifiedName) -> Option<Owner> {
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

fn problem(name: &QualifiedName, deed: &str, owner: &Owner) -> Problem {
    match owner {
        Owner::Tool(tool) => {
            Problem::warning(Code::HistoryByHand, format!("the migration {deed} {name} by hand"))
                .because(format!("the table is the history of {tool}, which then believes what the file says instead of what was run"))
                .fix_with(
                    "Leave the table to its tool; to mark a migration as applied without running it:",
                    "pgfleet resolve --applied VERSION",
                )
        }
        Owner::Team => Problem::note(
            Code::HistoryByHand,
            format!("the migration {deed} {name}, which looks like a history of migrations kept by hand"),
        )
        .because("rows written by the files themselves are there even when the rest of the file was taken back or edited later")
        .fix("pgfleet keeps the history itself; the table is no longer needed for that."),
    }
}
