//! Makes a backup: dump and manifest of one snapshot.
//!
//! Invariant: rows, counts and checksums are of the same moment; the dump is written by pg_dump
//! itself, to files.

use std::path::Path;
use std::time::Duration;

use pgfleet_core::backup::{
    Algorithm, BackupKind, MANIFEST_VERSION, Manifest, TableShape, backup_id,
};
use pgfleet_core::diagnose::{Code, Problem};

use super::Notes;
use super::facts::{DatabaseFacts, Snapshot, read_database, read_tables};
use super::store::{Draft, Store, StoredBackup, hash_files, unusable};
use super::sums::sum_tables;
use crate::catalog::read_schema_at;
use crate::compare::schema_problem;
use crate::conduct::Target;
use crate::disk::free_bytes;
use crate::programs::Program;

/// Where pg_dump writes to below a backup's folder.
pub(super) const ARCHIVE: &str = "dump";
/// Of a backup without structure, the structure.
pub(super) const STRUCTURE: &str = "structure.dump";
/// Roles and tablespaces of the whole server.
pub(super) const GLOBALS: &str = "globals.sql";

/// How often the next second's name is tried.
const NAME_TRIES: usize = 3;

/// How pg_dump writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveFormat {
    /// A folder with a file for each table, written in parallel.
    Directory,
    /// One file.
    Custom,
}

/// What to make.
#[derive(Debug, Clone)]
pub struct BackupRequest {
    /// What the backup holds.
    pub kind: BackupKind,
    /// How pg_dump writes.
    pub format: ArchiveFormat,
    /// Connections that dump, and as many that sum; at least 1.
    pub jobs: usize,
    /// The backup's name; by default its time and kind.
    pub name: Option<String>,
    /// Whether roles and tablespaces are written too.
    pub globals: bool,
    /// Whether the roles' password hashes are among them, which a superuser alone may read.
    pub role_passwords: bool,
    /// Whether the disk must have room for the rows as they are, uncompressed.
    pub check_space: bool,
}

/// Makes a backup of a target.
///
/// # Errors
/// When a program is missing or too old, the disk is too small, the name is taken, or the server
/// refuses; nothing is left then.
pub async fn back_up(
    target: &Target,
    store: &Store,
    request: &BackupRequest,
    notes: Notes<'_>,
) -> Result<StoredBackup, Box<Problem>> {
    let snapshot = Snapshot::take(target).await?;
    let version = snapshot.session().server_version_num();
    let dump = Program::find("pg_dump", version).await?;
    let facts = read_database(target, snapshot.session()).await?;
    let tables = match request.kind.has_rows() {
        true => read_tables(target, snapshot.session(), true).await?,
        false => Vec::new(),
    };
    let (started_at, id, draft) = begin(store, request).await?;
    if request.check_space {
        check_space(draft.folder(), &tables)?;
    }
    let making = Making { target, request, snapshot: &snapshot, dump: &dump, draft: &draft, notes };
    let manifest = making.make(id, started_at, facts, &tables).await?;
    snapshot.close().await;
    let id = manifest.id.clone();
    draft.finish(&manifest)?;
    store.find(Some(&id))
}

/// Takes a name. One that nobody chose is of the second: when an earlier run, which may have been
/// killed, has this second's, it is the next one's.
async fn begin(
    store: &Store,
    request: &BackupRequest,
) -> Result<(String, String, Draft), Box<Problem>> {
    let mut tries = 0;
    loop {
        let started_at = jiff::Timestamp::now().to_string();
        let id = request.name.clone().unwrap_or_else(|| backup_id(&started_at, request.kind));
        match store.begin(&id) {
            Err(problem)
                if problem.code == Code::BackupExists
                    && request.name.is_none()
                    && tries < NAME_TRIES =>
            {
                tries += 1;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            draft => return Ok((started_at, id, draft?)),
        }
    }
}

/// What the making of one backup works with.
struct Making<'a> {
    target: &'a Target,
    request: &'a BackupRequest,
    snapshot: &'a Snapshot,
    dump: &'a Program,
    draft: &'a Draft,
    notes: Notes<'a>,
}

impl Making<'_> {
    async fn make(
        &self,
        id: String,
        started_at: String,
        facts: DatabaseFacts,
        tables: &[TableShape],
    ) -> Result<Manifest, Box<Problem>> {
        let version = self.snapshot.session().server_version_num();
        let algorithm = Algorithm::of_server(version);
        let (fingerprint, _) = tokio::try_join!(self.fingerprint(), self.write_globals())?;
        (self.notes)(&format!("dumping {} ({} tables)", facts.database, tables.len()));
        let snapshot = Some(self.snapshot.id.as_str());
        let sums = sum_tables(self.target, snapshot, tables, algorithm, self.request.jobs);
        let ((), sums) = tokio::try_join!(self.dump(), sums)?;
        (self.notes)("hashing the files");
        let folder = self.draft.folder();
        let files = hash_files(folder).map_err(|error| unusable(folder, &error))?;
        Ok(Manifest {
            version: MANIFEST_VERSION,
            id,
            kind: self.request.kind,
            target: self.target.name.clone(),
            server: self.target.spec.redacted(),
            server_version_num: version,
            pg_dump: self.dump.version.clone(),
            pgfleet: env!("CARGO_PKG_VERSION").to_owned(),
            started_at,
            ended_at: jiff::Timestamp::now().to_string(),
            fingerprint,
            checksum: algorithm,
            tables: sums,
            files,
            database: facts.database,
            database_bytes: facts.bytes,
            locale: facts.locale,
            owner: facts.owner,
            comment: facts.comment,
            settings: facts.settings,
            grants: facts.grants,
            roles: facts.roles,
            schemas: facts.schemas,
            sequences: facts.sequences,
        })
    }

    async fn fingerprint(&self) -> Result<String, Box<Problem>> {
        let session = self.target.connect().await?;
        let schema = read_schema_at(&session, Some(&self.snapshot.id)).await;
        session.close().await;
        Ok(schema.map_err(|error| schema_problem(self.target, &error))?.fingerprint())
    }

    async fn write_globals(&self) -> Result<(), Box<Problem>> {
        if !self.request.globals {
            return Ok(());
        }
        let version = self.snapshot.session().server_version_num();
        let program = Program::find("pg_dumpall", version).await?;
        let mut command = program.command(&self.target.spec);
        command.args(["--globals-only", "--no-password"]);
        command.arg(format!("--database={}", self.target.spec.database));
        command.arg(format!("--file={}", self.draft.folder().join(GLOBALS).display()));
        if !self.request.role_passwords {
            command.arg("--no-role-passwords");
        }
        let written = program.run(command, "while writing the roles").await;
        written.map_err(|problem| {
            let problem = problem.in_target(&self.target.name);
            Box::new(problem.fix_with("Leave roles out.", "pgfleet backup --no-globals"))
        })
    }

    async fn dump(&self) -> Result<(), Box<Problem>> {
        match self.request.kind {
            BackupKind::Full => self.run_pg_dump(ARCHIVE, None, self.request.format).await,
            BackupKind::SchemaOnly => {
                self.run_pg_dump(ARCHIVE, Some("--schema-only"), self.request.format).await
            }
            BackupKind::DataOnly => {
                let structure = Some("--schema-only");
                self.run_pg_dump(STRUCTURE, structure, ArchiveFormat::Custom).await?;
                self.run_pg_dump(ARCHIVE, Some("--data-only"), self.request.format).await
            }
        }
    }

    async fn run_pg_dump(
        &self,
        file: &str,
        part: Option<&str>,
        format: ArchiveFormat,
    ) -> Result<(), Box<Problem>> {
        let mut command = self.dump.command(&self.target.spec);
        command.arg("--no-password").arg(format!("--snapshot={}", self.snapshot.id)).args(part);
        match format {
            ArchiveFormat::Custom => command.arg("--format=custom"),
            ArchiveFormat::Directory => {
                command.arg("--format=directory").arg(format!("--jobs={}", self.request.jobs))
            }
        };
        command.arg(format!("--file={}", self.draft.folder().join(file).display()));
        let dumped = self.dump.run(command, "while dumping the database").await;
        dumped.map_err(|problem| Box::new(problem.in_target(&self.target.name)))
    }
}

/// Dumps are compressed, so that what the rows take uncompressed is enough.
fn check_space(folder: &Path, tables: &[TableShape]) -> Result<(), Box<Problem>> {
    let needed: u64 = tables.iter().map(|table| table.bytes).sum();
    let Some(free) = free_bytes(folder) else { return Ok(()) };
    if free >= needed {
        return Ok(());
    }
    let mebibytes = |bytes: u64| bytes.div_ceil(1 << 20);
    Err(Box::new(
        Problem::error(Code::DiskSpaceLow, "the disk may be too small for the backup")
            .because(format!(
                "the rows take {} MiB in the database, {} MiB are free at {}",
                mebibytes(needed),
                mebibytes(free),
                folder.display()
            ))
            .fix_with("Write it elsewhere …", "pgfleet backup --backup-dir /mnt/backups")
            .fix_with(
                "… or go on, when the rows compress well.",
                "pgfleet backup --skip-space-check",
            ),
    ))
}
