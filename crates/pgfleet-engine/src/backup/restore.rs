//! Puts a backup back: into a side database first, compared there, then swapped in by its name.
//!
//! Invariant: the names change in one transaction, so that whatever kills the run, the database is
//! the old one or the restored one. A side database carries a mark, by which the next run knows
//! that it may remove it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use pgfleet_core::backup::{Damage, DumpForm, database_statements, recognise};
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_sql::quote_ident;

use super::Notes;
use super::refill::{check_files, create_database_sql, differences, head, missing_roles, refill};
use super::store::StoredBackup;
use super::verify::roles_missing;
use crate::conduct::Target;
use crate::connect::{Session, SessionError};
use crate::journal::literal;
use crate::programs::Program;

/// The comment of a side database.
const MARK: &str = "pgfleet: being restored";
/// How often sessions that hold up the swap are ended.
const END_SESSIONS_EVERY: Duration = Duration::from_millis(200);
/// How often the swap is tried; PostgreSQL waits 5 s for sessions each time.
const SWAP_ATTEMPTS: usize = 4;

/// What to restore from.
#[derive(Debug, Clone)]
pub enum RestoreSource {
    /// A backup with its manifest.
    Backup(Box<StoredBackup>),
    /// An archive of pg_dump's, with nothing to compare with.
    Archive(PathBuf),
}

/// Where to, and how.
#[derive(Debug, Clone)]
pub struct RestoreRequest {
    /// The database that the backup becomes.
    pub into: String,
    /// Consent to take a database out of service that is there already.
    pub allow_data_loss: bool,
    /// Drop the database that was there, instead of keeping it under another name.
    pub drop_prior: bool,
    /// Connections that restore and compare.
    pub jobs: usize,
}

/// What was done.
#[derive(Debug, Clone)]
pub struct Restored {
    /// The database.
    pub database: String,
    /// What the database that was there is called now, when it was kept.
    pub prior: Option<String>,
    /// False for an archive without a manifest.
    pub compared: bool,
}

impl RestoreSource {
    /// Understands a path to a dump that has no manifest beside it.
    ///
    /// # Errors
    /// [`Code::BackupDamaged`] when it is none, with what became of it.
    pub fn archive(path: &Path) -> Result<Self, Box<Problem>> {
        let file = if path.is_dir() { path.join("toc.dat") } else { path.to_owned() };
        match recognise(&head(&file)) {
            Ok(DumpForm::Archive | DumpForm::Tar) => Ok(Self::Archive(path.to_owned())),
            Ok(DumpForm::Script) => Err(Box::new(script(path))),
            Err(damage) => Err(Box::new(no_dump(path, damage))),
        }
    }
}

/// Restores into a database that is new, or replaces one.
///
/// # Errors
/// When files are damaged, consent is missing, the server refuses, or the restored database is not
/// as the manifest says; the database in service is as it was then.
pub async fn restore(
    target: &Target,
    source: &RestoreSource,
    request: &RestoreRequest,
    notes: Notes<'_>,
) -> Result<Restored, Box<Problem>> {
    if let RestoreSource::Backup(backup) = source {
        notes(&format!("checking the files of {}", backup.id));
        check_files(backup)?;
    }
    let server = maintenance(target, &request.into).await?;
    let session = server.connect().await?;
    let restoring =
        Restoring { target, server: &server, session: &session, source, request, notes };
    let restored = restoring.run().await;
    session.close().await;
    restored
}

struct Restoring<'a> {
    target: &'a Target,
    server: &'a Target,
    session: &'a Session,
    source: &'a RestoreSource,
    request: &'a RestoreRequest,
    notes: Notes<'a>,
}

impl Restoring<'_> {
    async fn run(&self) -> Result<Restored, Box<Problem>> {
        self.lock().await?;
        let exists = self.exists(&self.request.into).await?;
        if exists && !self.request.allow_data_loss {
            return Err(Box::new(self.consent_missing()));
        }
        self.check_roles().await?;
        let side = side_name(&self.request.into);
        self.remove_abandoned(&side).await?;
        self.create(&side).await?;
        let copy = Target { name: side.clone(), ..self.server.with_database(&side) };
        if let Err(problem) = self.fill(&copy).await {
            self.drop_database(&side).await?;
            let detail =
                format!("the side database was removed; {} is as it was", self.request.into);
            return Err(Box::new(problem.detail(detail)));
        }
        let prior = exists.then(|| prior_name(&self.request.into));
        (self.notes)(&format!("putting {} into service", self.request.into));
        self.swap(&side, prior.as_deref()).await?;
        let prior = match prior {
            Some(prior) if self.request.drop_prior => {
                self.drop_database(&prior).await?;
                None
            }
            prior => prior,
        };
        let compared = matches!(self.source, RestoreSource::Backup(_));
        Ok(Restored { database: self.request.into.clone(), prior, compared })
    }

    async fn ask(&self, sql: &str) -> Result<Option<String>, Box<Problem>> {
        let rows = self.session.query_text(sql).await;
        let rows = rows.map_err(|error| self.server.session_problem(&error))?;
        Ok(rows.into_iter().flatten().flatten().next())
    }

    /// Two restores into one database would remove each other's side database.
    async fn lock(&self) -> Result<(), Box<Problem>> {
        let key = literal(&format!("pgfleet restore into {}", self.request.into));
        let sql = format!(
            "SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended({key}, 0))"
        );
        if self.ask(&sql).await?.as_deref() == Some("t") {
            return Ok(());
        }
        let what = format!("another run is restoring into {}", self.request.into);
        Err(Box::new(
            Problem::error(Code::LockHeld, what)
                .in_target(&self.target.name)
                .fix("Wait until it has ended."),
        ))
    }

    async fn exists(&self, database: &str) -> Result<bool, Box<Problem>> {
        let sql = format!(
            "SELECT true FROM pg_catalog.pg_database WHERE datname = {}",
            literal(database)
        );
        Ok(self.ask(&sql).await?.is_some())
    }

    fn consent_missing(&self) -> Problem {
        let into = &self.request.into;
        let fate = if self.request.drop_prior {
            "it would be dropped"
        } else {
            "it would be taken out of service and kept under another name"
        };
        Problem::error(Code::ConsentMissing, format!("the database {into} exists already"))
            .in_target(&self.target.name)
            .because(fate)
            .fix_with("Restore beside it …", format!("pgfleet restore --into {into}_restored"))
            .fix_with("… or allow it.", format!("pgfleet restore --into {into} --allow-data-loss"))
    }

    async fn check_roles(&self) -> Result<(), Box<Problem>> {
        let RestoreSource::Backup(backup) = self.source else { return Ok(()) };
        let missing = missing_roles(self.server, self.session, backup.manifest()?).await?;
        match missing.is_empty() {
            true => Ok(()),
            false => Err(Box::new(roles_missing(self.target, &missing))),
        }
    }

    async fn remove_abandoned(&self, side: &str) -> Result<(), Box<Problem>> {
        let sql = format!(
            "SELECT coalesce(pg_catalog.shobj_description(oid, 'pg_database'), '') \
             FROM pg_catalog.pg_database WHERE datname = {}",
            literal(side)
        );
        match self.ask(&sql).await? {
            None => Ok(()),
            // Killed between its creation and its mark, it is empty.
            Some(comment) if comment == MARK || self.is_empty(side).await => {
                (self.notes)("removing what an interrupted restore left");
                self.drop_database(side).await
            }
            Some(_) => Err(Box::new(
                Problem::error(Code::BackupExists, format!("the database {side} is in the way"))
                    .in_target(&self.target.name)
                    .because("a restore needs that name, and no restore of ours left it")
                    .fix("Rename or drop it."),
            )),
        }
    }

    async fn is_empty(&self, database: &str) -> bool {
        let sql = "SELECT pg_catalog.count(*)::text FROM pg_catalog.pg_class \
                   WHERE oid >= 16384";
        let Ok(session) = self.server.with_database(database).connect().await else { return false };
        let rows = session.query_text(sql).await.unwrap_or_default();
        session.close().await;
        rows.into_iter().flatten().flatten().next().as_deref() == Some("0")
    }

    async fn create(&self, side: &str) -> Result<(), Box<Problem>> {
        let version = self.session.server_version_num();
        let sql = match self.source {
            RestoreSource::Backup(backup) => {
                create_database_sql(side, &backup.manifest()?.locale, version)
            }
            RestoreSource::Archive(_) => {
                format!("CREATE DATABASE {} TEMPLATE template0", quote_ident(side))
            }
        };
        let mark = format!("COMMENT ON DATABASE {} IS {}", quote_ident(side), literal(MARK));
        for sql in [sql, mark] {
            let done = self.session.batch(&sql).await;
            done.map_err(|error| self.server.session_problem(&error))?;
        }
        Ok(())
    }

    async fn fill(&self, copy: &Target) -> Result<(), Box<Problem>> {
        (self.notes)(&format!("restoring into {}", copy.name));
        match self.source {
            RestoreSource::Archive(path) => restore_archive(copy, path, self.request.jobs).await,
            RestoreSource::Backup(backup) => {
                refill(copy, backup, self.request.jobs, true).await?;
                (self.notes)("comparing structure, counts and checksums");
                let manifest = backup.manifest()?;
                let differences = differences(copy, manifest, self.request.jobs).await?;
                match differences.first() {
                    None => Ok(()),
                    Some(_) => Err(Box::new(differs(&backup.id, &differences))),
                }
            }
        }
    }

    /// Gives the side database the place of the one in service.
    async fn swap(&self, side: &str, prior: Option<&str>) -> Result<(), Box<Problem>> {
        let mut statements = vec!["BEGIN".to_owned()];
        match self.source {
            RestoreSource::Backup(backup) => {
                statements.extend(database_statements(backup.manifest()?, side));
            }
            RestoreSource::Archive(_) => {
                statements.push(format!("COMMENT ON DATABASE {} IS NULL", quote_ident(side)));
            }
        }
        let rename = |from: &str, to: &str| {
            format!("ALTER DATABASE {} RENAME TO {}", quote_ident(from), quote_ident(to))
        };
        statements.extend(prior.map(|prior| rename(&self.request.into, prior)));
        statements.push(rename(side, &self.request.into));
        statements.push("COMMIT".to_owned());
        let sql = statements.join(";\n");
        let mut failed = None;
        for _ in 0..SWAP_ATTEMPTS {
            match self.swap_once(&sql, side).await {
                Ok(()) => return Ok(()),
                Err(error) => {
                    let busy = error.server().is_some_and(|error| error.sqlstate == "55006");
                    if !self.session.is_closed() {
                        // Whatever the answer, the next request tells more.
                        let _ = self.session.batch("ROLLBACK").await;
                    }
                    failed = Some(error);
                    if !busy {
                        break;
                    }
                }
            }
        }
        let problem = failed.map(|error| self.server.session_problem(&error));
        problem.map_or(Ok(()), |problem| {
            let detail = format!("the restored database is {side}; nothing was replaced");
            Err(Box::new(problem.detail(detail).fix("Run the same command again.")))
        })
    }

    /// New sessions wait for the renaming transaction, and are refused once when it commits, as the
    /// name is another database's then (PostgreSQL's `InitPostgres`); old ones are ended while it
    /// waits for them.
    async fn swap_once(&self, sql: &str, side: &str) -> Result<(), SessionError> {
        let helper = self.server.connect().await.ok();
        let end = format!(
            "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity \
             WHERE datname IN ({}, {}) AND pid <> pg_catalog.pg_backend_pid()",
            literal(&self.request.into),
            literal(side)
        );
        let ending = async {
            loop {
                if let Some(helper) = &helper {
                    // The swap says itself when sessions stay.
                    let _ = helper.query_text(&end).await;
                }
                tokio::time::sleep(END_SESSIONS_EVERY).await;
            }
        };
        tokio::select! {
            swapped = self.session.batch(sql) => swapped,
            () = ending => Ok(()),
        }
    }

    async fn drop_database(&self, database: &str) -> Result<(), Box<Problem>> {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quote_ident(database));
        let dropped = self.session.batch(&sql).await;
        dropped.map_err(|error| self.server.session_problem(&error))
    }
}

/// A database of the server that is not the one to replace, to give orders from.
async fn maintenance(target: &Target, into: &str) -> Result<Target, Box<Problem>> {
    let mut server = target.with_database("postgres");
    server.spec.search_path = None;
    if into == "postgres" {
        return Ok(server.with_database("template1"));
    }
    match server.connect().await {
        Ok(session) => {
            session.close().await;
            Ok(server)
        }
        Err(problem) if problem.code == Code::DatabaseMissing => {
            Ok(server.with_database("template1"))
        }
        Err(problem) => Err(problem),
    }
}

async fn restore_archive(copy: &Target, path: &Path, jobs: usize) -> Result<(), Box<Problem>> {
    let program = Program::find("pg_restore", 0).await?;
    let mut command = program.command(&copy.spec);
    command.args(["--exit-on-error", "--no-password"]);
    command.arg(format!("--jobs={}", jobs.max(1))).arg(format!("--dbname={}", copy.spec.database));
    command.arg(path);
    program.run(command, "while restoring the dump").await
}

/// What differs, as an error.
pub(super) fn differs(id: &str, differences: &[pgfleet_core::backup::Difference]) -> Problem {
    let what = format!("what was restored from {id} is not what was backed up");
    let mut problem = Problem::error(Code::BackupDiffers, what);
    for one in differences.iter().take(20) {
        problem =
            problem.detail(format!("{}: expected {}, found {}", one.of, one.expected, one.found));
    }
    problem.fix_with("Take another that is good.", "pgfleet backup list")
}

fn no_dump(path: &Path, damage: Damage) -> Problem {
    let shown = path.display();
    let what = match damage {
        Damage::Changed => format!("{shown} is no dump of pg_dump's"),
        damage => format!("{shown} {}", damage.in_words()),
    };
    Problem::error(Code::BackupDamaged, what)
        .because("its first bytes are not those of a file that pg_dump writes")
        .fix("Copy dumps as binary files (cp, rsync, scp), and let pg_dump write them: --file, not >.")
}

fn script(path: &Path) -> Problem {
    let what = format!("{} is an SQL script, not an archive", path.display());
    Problem::error(Code::BackupUnreadable, what)
        .because("scripts can hold anything and cannot be restored in parallel or compared")
        .fix_with(
            "Run it by psql.",
            format!(
                "psql --no-psqlrc --set ON_ERROR_STOP=1 --single-transaction --file '{}' DATABASE",
                path.display()
            ),
        )
}

/// PostgreSQL cuts names after 63 bytes; two that differ only beyond would be one.
fn cut(name: &str, bytes: usize) -> &str {
    let mut end = name.len().min(bytes);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

fn side_name(database: &str) -> String {
    format!("{}_pgfleet_restore", cut(database, 47))
}

fn prior_name(database: &str) -> String {
    let now = jiff::Timestamp::now().to_string();
    let digits: String =
        now.split('.').next().unwrap_or_default().chars().filter(char::is_ascii_digit).collect();
    format!("{}_before_{digits}", cut(database, 40))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_into_63_bytes() {
        let long = "é".repeat(40);
        assert!(side_name(&long).len() <= 63 && prior_name(&long).len() <= 63);
        assert_eq!(side_name("shop"), "shop_pgfleet_restore");
        assert!(prior_name("shop").starts_with("shop_before_2"));
    }
}
