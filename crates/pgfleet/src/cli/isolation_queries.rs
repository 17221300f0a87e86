//! `pgfleet isolation queries`

use std::path::{Path, PathBuf};

use clap::Args;
use pgfleet_core::diagnose::{Code, ExitCode, Problem};
use pgfleet_core::tenancy::{Language, Tenancy, Unrestricted, in_source, in_statement};
use pgfleet_engine::project::Project;
use pgfleet_engine::tenantize::declared;

use super::context::Context;
use super::everywhere::PerTarget;
use super::outcome::{CommandError, CommandResult};
use super::site::Site;
use super::tenancy_flags::Bordered;
use crate::render::{Role, TargetEntry};

/// Folders that hold other people's code, or what was built.
const PASSED_OVER: &[&str] = &["node_modules", "target", "vendor", "dist", "build", "__pycache__"];

/// Characters of a statement that are shown.
const SHOWN: usize = 160;

/// List statements that touch a tenant table without its tenant column
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pgfleet isolation queries              what the server ran (extension pg_stat_statements)
  pgfleet isolation queries src sql      .sql files, and string literals in .ts .js .py .rb .php files")]
pub struct Queries {
    /// Files and folders; without any, the server's pg_stat_statements
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    bordered: Bordered,
}

impl PerTarget for Queries {
    const NAME: &'static str = "isolation queries";
    const CHANGES: bool = false;

    fn check_many(&self) -> Result<(), CommandError> {
        match self.paths.is_empty() {
            true => Ok(()),
            false => {
                Err(Problem::error(Code::GroupNotPossible, "source files belong to no target")
                    .fix("Leave --group out.")
                    .into())
            }
        }
    }

    async fn on(&self, context: &Context, site: &Site<'_>) -> Result<CommandResult, CommandError> {
        let project = site.project;
        let (name, tenancy, found) = if self.paths.is_empty() {
            let target = site.target()?;
            let session = target.connect().await?;
            let tenancy = match self.bordered.tenancy(project)? {
                Some(tenancy) => tenancy,
                None => declared(&project.settings, target, &session).await?,
            };
            let rows =
                session.query_text(STATEMENTS).await.map_err(|_| no_statements(&target.name))?;
            let found = rows.into_iter().filter_map(|row| counted(&tenancy, &row)).collect();
            (target.name.clone(), tenancy, found)
        } else {
            let tenancy = self.in_files(project)?;
            let mut found = Vec::new();
            for path in &self.paths {
                walk(&tenancy, &context.working_directory.join(path), path, &mut found)?;
            }
            (project.settings.target.clone(), tenancy, found)
        };
        let mut text = String::new();
        for one in &found {
            let place = match (&one.place, one.calls) {
                (Some(place), _) => place.to_string(),
                (None, Some(calls)) => format!("{calls} calls"),
                (None, None) => String::new(),
            };
            let tables = context.out.paint(Role::Strong, &one.tables.join(", "));
            let shown: String = one.statement.chars().take(SHOWN).collect();
            text.push_str(&format!("{tables}  {place}\n  {shown}\n"));
        }
        let count = found.len();
        let column = &tenancy.column;
        text.push_str(&match count {
            0 => format!("No statement touches a tenant table without {column}.\n"),
            _ => String::new(),
        });
        Ok(CommandResult {
            text,
            headline: format!("{count} statements without {column}"),
            targets: vec![TargetEntry::new(&name).field("statements", &found)?],
            problems: if count > 0 { vec![open(count, column)] } else { Vec::new() },
            exit: (count > 0).then_some(ExitCode::NotSo),
            ..CommandResult::default()
        })
    }
}

impl Queries {
    /// Source files have no server that could be asked about types.
    fn in_files(&self, project: &Project) -> Result<Tenancy, CommandError> {
        if let Some(tenancy) = self.bordered.tenancy(project)? {
            return Ok(tenancy);
        }
        let section = project.settings.tenancy.as_ref().ok_or_else(undeclared)?;
        Ok(section.read(project.settings.schema.as_deref().unwrap_or("public"))?)
    }
}

const STATEMENTS: &str = "SELECT query, sum(calls) FROM pg_stat_statements \
    WHERE dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()) \
    GROUP BY query ORDER BY 2 DESC";

fn counted(tenancy: &Tenancy, row: &[Option<String>]) -> Option<Unrestricted> {
    let sql = row.first()?.as_deref()?;
    let calls = row.get(1)?.as_deref().and_then(|calls| calls.parse().ok());
    let starts = |word: &str| {
        sql.trim_start().get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word))
    };
    let is_query =
        ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "MERGE"].iter().any(|word| starts(word));
    let one = in_statement(tenancy, sql).filter(|_| is_query)?;
    Some(Unrestricted { calls, ..one })
}

fn walk(
    tenancy: &Tenancy,
    path: &Path,
    shown: &Path,
    found: &mut Vec<Unrestricted>,
) -> Result<(), CommandError> {
    let unreadable = |error: std::io::Error| {
        Problem::error(Code::FileUnreadable, format!("{} cannot be read", shown.display()))
            .because(error.to_string())
    };
    if path.is_dir() {
        let mut entries = std::fs::read_dir(path)
            .map_err(unreadable)?
            .collect::<Result<Vec<_>, _>>()
            .map_err(unreadable)?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with('.') || PASSED_OVER.contains(&name.as_ref()) {
                continue;
            }
            walk(tenancy, &entry.path(), &shown.join(name.as_ref()), found)?;
        }
        return Ok(());
    }
    let Some(language) = Language::of_file(&path.to_string_lossy()) else { return Ok(()) };
    let bytes = std::fs::read(path).map_err(unreadable)?;
    let text = String::from_utf8_lossy(&bytes);
    found.extend(in_source(tenancy, language, &shown.to_string_lossy(), &text));
    Ok(())
}

fn open(count: usize, column: &str) -> Problem {
    let what = format!("{count} statements touch tenant tables without {column}");
    Problem::error(Code::QueriesUnrestricted, what)
        .because("unless row-level security does it, they see the rows of every tenant")
        .fix("Add the tenant to their conditions, or declare row_security in [tenancy].")
}

fn no_statements(target: &str) -> Problem {
    Problem::error(Code::TenancyInvalid, "pg_stat_statements cannot be read")
        .in_target(target)
        .because("the extension is not installed, not preloaded, or the role may not read it")
        .fix_with(
            "Install it (shared_preload_libraries first).",
            "psql -c 'CREATE EXTENSION pg_stat_statements'",
        )
        .fix_with("Or look at the source files.", "pgfleet isolation queries src")
}

fn undeclared() -> Problem {
    Problem::error(Code::TenancyInvalid, "nothing says which tables have a tenant column")
        .because("there is no [tenancy] section in pgfleet.toml")
        .fix("Write one (docs/tenancy.md has examples), or say --column and --tables.")
}
