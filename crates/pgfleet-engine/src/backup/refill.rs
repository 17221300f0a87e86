//! Puts a backup into an empty database, and reads what came of it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use pgfleet_core::backup::{
    BackupFile, BackupKind, Difference, Found, Locale, Manifest, compare, damage_of,
};
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_sql::quote_ident;

use super::create::{ARCHIVE, STRUCTURE};
use super::facts::{read_database, read_tables};
use super::store::{StoredBackup, hash_file};
use super::sums::sum_tables;
use crate::catalog::read_schema;
use crate::compare::schema_problem;
use crate::conduct::Target;
use crate::connect::Session;
use crate::journal::literal;
use crate::programs::Program;

/// How much of a file is looked at to tell what became of it.
const HEAD_BYTES: u64 = 1 << 20;

/// Large objects, which are summed as a table of their own.
const LARGE_OBJECTS: &str = "pg_catalog.pg_largeobject";

/// Says that every file is as it was written.
///
/// # Errors
/// [`Code::BackupDamaged`] with what became of each file that is not.
pub(super) fn check_files(backup: &StoredBackup) -> Result<(), Box<Problem>> {
    let manifest = backup.manifest()?;
    let complaint = |file: &BackupFile| complaint_of(&backup.path, file);
    let complaints: Vec<_> = manifest.files.iter().filter_map(complaint).collect();
    let Some(first) = complaints.first() else { return Ok(()) };
    let what = format!("the backup {} is damaged: {first}", backup.id);
    let mut problem = Problem::error(Code::BackupDamaged, what)
        .in_target(&manifest.target)
        .detail(format!("the backup is {}", backup.path.display()));
    problem.details.extend(complaints.into_iter().skip(1).take(10));
    Err(Box::new(
        problem
            .fix_with("Take another that is good.", "pgfleet backup list")
            .fix("Copy backups as binary files (cp, rsync, scp) and keep them out of text tools."),
    ))
}

fn complaint_of(folder: &Path, file: &BackupFile) -> Option<String> {
    let path = folder.join(&file.path);
    let Ok((bytes, sha256)) = hash_file(&path) else {
        return Some(format!("{} is not there", file.path));
    };
    if sha256 == file.sha256 && bytes == file.bytes {
        return None;
    }
    let damage = damage_of(&file.path, &head(&path), bytes, file.bytes);
    let sizes = format!("{bytes} bytes, {} were written", file.bytes);
    Some(format!("{} {} ({sizes})", file.path, damage.in_words()))
}

/// The beginning of a file.
pub(super) fn head(path: &Path) -> Vec<u8> {
    let mut head = Vec::new();
    if let Ok(file) = File::open(path) {
        // What can be read is what there is.
        let _ = file.take(HEAD_BYTES).read_to_end(&mut head);
    }
    head
}

/// `CREATE DATABASE` with the backup's encoding and locale.
pub(super) fn create_database_sql(name: &str, locale: &Locale, version: u32) -> String {
    let mut sql = format!(
        "CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE {} LC_CTYPE {}",
        quote_ident(name),
        literal(&locale.encoding),
        literal(&locale.collate),
        literal(&locale.ctype)
    );
    let option = match (locale.provider.as_str(), version) {
        ("i", _) => "ICU_LOCALE",
        ("b", _) => "BUILTIN_LOCALE",
        _ => {
            if version >= 150_000 {
                sql.push_str(" LOCALE_PROVIDER libc");
            }
            return sql;
        }
    };
    let provider = if locale.provider == "i" { "icu" } else { "builtin" };
    sql.push_str(&format!(" LOCALE_PROVIDER {provider}"));
    if let Some(name) = &locale.locale {
        sql.push_str(&format!(" {option} {}", literal(name)));
    }
    sql
}

/// Roles that the backup needs and a server lacks.
pub(super) async fn missing_roles(
    target: &Target,
    session: &Session,
    manifest: &Manifest,
) -> Result<Vec<String>, Box<Problem>> {
    let sql = "SELECT rolname FROM pg_catalog.pg_roles";
    let rows = session.query_text(sql).await.map_err(|error| target.session_problem(&error))?;
    let there: Vec<_> = rows.into_iter().flatten().flatten().collect();
    let mut needed = manifest.roles.clone();
    needed.extend(manifest.settings.iter().filter_map(|setting| setting.role.clone()));
    needed.sort();
    needed.dedup();
    needed.retain(|role| !there.contains(role));
    Ok(needed)
}

/// Restores into an empty database.
pub(super) async fn refill(
    into: &Target,
    backup: &StoredBackup,
    jobs: usize,
    subscriptions: bool,
) -> Result<(), Box<Problem>> {
    let manifest = backup.manifest()?;
    let session = into.connect().await?;
    let version = session.server_version_num();
    let dropped = match manifest.schemas.iter().any(|schema| schema == "public") {
        true => Ok(()),
        false => session.batch("DROP SCHEMA IF EXISTS public").await,
    };
    session.close().await;
    dropped.map_err(|error| into.session_problem(&error))?;
    let program = Program::find("pg_restore", version.min(manifest.server_version_num)).await?;
    let restore = Restoring { into, program, jobs, subscriptions };
    let archive = backup.path.join(ARCHIVE);
    let structure = backup.path.join(STRUCTURE);
    match manifest.kind {
        BackupKind::Full | BackupKind::SchemaOnly => restore.run(&archive, None).await,
        BackupKind::DataOnly => {
            restore.run(&structure, Some("--section=pre-data")).await?;
            restore.run(&archive, Some("--data-only")).await?;
            restore.run(&structure, Some("--section=post-data")).await
        }
    }
}

struct Restoring<'a> {
    into: &'a Target,
    program: Program,
    jobs: usize,
    subscriptions: bool,
}

impl Restoring<'_> {
    async fn run(&self, archive: &PathBuf, part: Option<&str>) -> Result<(), Box<Problem>> {
        let mut command = self.program.command(&self.into.spec);
        command.args(["--exit-on-error", "--no-password"]).args(part);
        command.arg(format!("--jobs={}", self.jobs.max(1)));
        command.arg(format!("--dbname={}", conninfo(&self.into.spec.database)));
        if !self.subscriptions {
            command.arg("--no-subscriptions");
        }
        command.arg(archive);
        let restored = self.program.run(command, "while restoring the backup").await;
        restored.map_err(|problem| Box::new(explained(problem.in_target(&self.into.name))))
    }
}

/// Keys are made when all rows are there, so that rows which broke them before stop a restore.
fn explained(problem: Problem) -> Problem {
    let said =
        |part: &str| problem.cause.iter().chain(&problem.details).any(|line| line.contains(part));
    if said("violates foreign key constraint") {
        return problem.fix_with(
            "The database itself holds rows that break its own key; find and mend them.",
            "pgfleet audit --rule orphan",
        );
    }
    if said("extension") && said("is not available") {
        return problem.fix("Install the extension on the server that is restored on.");
    }
    problem
}

/// A database's name as conninfo: one that holds `=` would be taken for conninfo itself.
fn conninfo(database: &str) -> String {
    format!("dbname='{}'", database.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// What a restored database has otherwise than the manifest says.
pub(super) async fn differences(
    restored: &Target,
    manifest: &Manifest,
    jobs: usize,
) -> Result<Vec<Difference>, Box<Problem>> {
    let session = restored.connect().await?;
    let schema = read_schema(&session).await;
    let schema = schema.map_err(|error| schema_problem(restored, &error))?;
    let mut found = Found { fingerprint: schema.fingerprint(), ..Found::default() };
    if manifest.kind.has_rows() {
        found.sequences = read_database(restored, &session).await?.sequences;
        let large_objects = manifest.tables.iter().any(|table| table.table == LARGE_OBJECTS);
        let tables = read_tables(restored, &session, large_objects).await?;
        found.tables = sum_tables(restored, None, &tables, manifest.checksum, jobs).await?;
    }
    session.close().await;
    Ok(compare(manifest, &found))
}
