//! What migrations made when they were replayed before, kept by what it was made from.
//!
//! Invariant: an entry is whole or counts as not there, and serves only for the very files, environment,
//! values and kind of server that it was made from. Nothing here can fail a command: a cache that cannot
//! be read or written costs a replay.

use std::fmt::Write as _;
use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use pgfleet_core::diagnose::Problem;
use pgfleet_core::folder::Format;
use pgfleet_core::schema::{SNAPSHOT_VERSION, Schema};
use sha2::{Digest, Sha256};

use crate::conduct::Target;
use crate::environment;
use crate::project::{Folder, Project};

/// Below the project's folder.
const CACHE: &str = ".pgfleet/cache/replays";

/// The entries that were used last are kept: so many, and so many bytes of them.
const ENTRIES_MAX: usize = 40;
const BYTES_MAX: u64 = 64 << 20;

/// What of a server can show in the schema that migrations make: its version and collation, the roles and
/// extensions that a script may ask for, who runs it, and defaults.
const SERVER: &str = "
SELECT pg_catalog.json_build_array(current_setting('server_version_num'), current_user,
  (SELECT pg_catalog.json_agg(rolname ORDER BY rolname) FROM pg_catalog.pg_roles),
  (SELECT pg_catalog.json_agg(name || ' ' || default_version ORDER BY name)
     FROM pg_catalog.pg_available_extensions),
  (SELECT pg_catalog.json_build_array(encoding, datcollate, datctype)
     FROM pg_catalog.pg_database WHERE datname = 'template0'),
  (SELECT pg_catalog.json_agg(name || '=' || setting ORDER BY name) FROM pg_catalog.pg_settings
    WHERE name LIKE 'default\\_t%' OR name IN ('search_path', 'check_function_bodies', 'TimeZone')))";

/// One entry, which may be there.
pub(super) struct Known {
    file: PathBuf,
}

impl Known {
    /// Where what a folder makes on a server would be kept. None for what is not decided by its files
    /// alone: migrations whose code runs, and files that are not held whole.
    ///
    /// # Errors
    /// When the server cannot be asked, or the environment is not there.
    pub(super) async fn find(
        project: &Project,
        target: &Target,
        server: &Target,
        folder: &Folder,
    ) -> Result<Option<Self>, Box<Problem>> {
        let runs_code = folder.formats.contains(&Format::Typeorm);
        if runs_code || !folder.tree.large.is_empty() || !project.settings.keeps_replays {
            return Ok(None);
        }
        let session = server.connect().await?;
        let rows = session.query_text(SERVER).await;
        session.close().await;
        let rows = rows.map_err(|error| server.session_problem(&error))?;
        let facts = rows.into_iter().flatten().flatten().next().unwrap_or_default();
        let name = key(target, folder, &facts)?;
        Ok(Some(Self { file: project.root.join(CACHE).join(format!("{name}.json")) }))
    }

    /// What is kept. An entry that is damaged is as none.
    pub(super) fn read(&self) -> Option<Schema> {
        let text = fs::read_to_string(&self.file).ok()?;
        let (sum, body) = text.split_once('\n')?;
        let schema: Schema = (sum == hex(body.as_bytes()))
            .then(|| serde_json::from_str(body).ok())
            .flatten()
            .filter(|schema: &Schema| {
                schema.version == SNAPSHOT_VERSION && schema.is_consistent()
            })?;
        // Used last, so let go of last.
        let _ = File::open(&self.file).and_then(|file| file.set_modified(SystemTime::now()));
        Some(schema)
    }

    /// Keeps a schema, and lets go of the oldest entries.
    pub(super) fn write(&self, schema: &Schema) {
        // What cannot be written is made again the next time.
        let _ = self.try_write(schema);
    }

    fn try_write(&self, schema: &Schema) -> io::Result<()> {
        let folder = self.file.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let body = serde_json::to_string(schema)?;
        let draft = self.file.with_extension(format!("{}.draft", std::process::id()));
        let mut file = File::create(&draft)?;
        // Bodies of functions may hold what is nobody else's business.
        file.set_permissions(Permissions::from_mode(0o600))?;
        file.write_all(format!("{}\n{body}", hex(body.as_bytes())).as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, &self.file)?;
        prune(folder)
    }
}

/// A name for everything that decides what a replay makes.
fn key(target: &Target, folder: &Folder, server: &str) -> Result<String, Box<Problem>> {
    let settings = &target.settings;
    let prelude = settings.environment.as_deref().map(environment::prelude).transpose()?;
    let versions = folder.set.migrations.iter().map(|migration| &migration.version);
    let versions: Vec<_> = versions.collect();
    let mut text = format!(
        "{SNAPSHOT_VERSION} {} {server} {:?} {:?} {versions:?} {:?} {:?} {:?} {:?}\n",
        env!("CARGO_PKG_VERSION"),
        folder.formats,
        prelude,
        target.schema,
        target.variables,
        settings.placeholders,
        settings.history_table,
    );
    for (path, bytes) in &folder.tree.files {
        let _ = writeln!(text, "{path:?} {}", hex(bytes));
    }
    Ok(hex(text.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Keeps what was used last; drafts of killed runs are among the oldest.
fn prune(folder: &Path) -> io::Result<()> {
    let entry = |entry: fs::DirEntry| {
        let about = entry.metadata().ok()?;
        Some((about.modified().ok()?, about.len(), entry.path()))
    };
    let mut entries: Vec<_> = fs::read_dir(folder)?.flatten().filter_map(entry).collect();
    entries.sort_by(|a, b| b.cmp(a));
    let mut bytes = 0;
    for (at, (_, length, path)) in entries.iter().enumerate() {
        bytes += length;
        if at >= ENTRIES_MAX || (bytes > BYTES_MAX && at > 0) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(folder: &Path, name: &str) -> Known {
        Known { file: folder.join(format!("{name}.json")) }
    }

    #[test]
    fn what_is_kept_is_read_and_what_is_damaged_is_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let entry = known(folder.path(), "a");
        assert_eq!(entry.read(), None);
        let schema = Schema { server_version_num: 150_004, ..Schema::empty() };
        entry.write(&schema);
        assert_eq!(entry.read(), Some(schema.clone()));
        let mode = fs::metadata(&entry.file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let text = fs::read_to_string(&entry.file).unwrap();
        for damaged in [&text[..text.len() - 1], "", "{}", &text.replace("150004", "150005")] {
            fs::write(&entry.file, damaged).unwrap();
            assert_eq!(entry.read(), None, "{damaged}");
        }
        entry.write(&schema);
        assert_eq!(entry.read(), Some(schema));
    }

    #[test]
    fn the_entries_that_were_used_last_stay() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..ENTRIES_MAX + 3 {
            let entry = known(folder.path(), &format!("{number:03}"));
            entry.write(&Schema::empty());
            let old =
                SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000 + number as u64);
            File::open(&entry.file).unwrap().set_modified(old).unwrap();
        }
        assert!(known(folder.path(), "005").read().is_some());
        known(folder.path(), "new").write(&Schema::empty());
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, ENTRIES_MAX);
        assert!(known(folder.path(), "005").read().is_some());
        assert!(known(folder.path(), "003").read().is_none());
    }
}
