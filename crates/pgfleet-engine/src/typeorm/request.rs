//! What Node is asked: which class of which file, and where the scratch database is.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::folder::{FileTree, Migration, TransactionMode};
use pgfleet_core::place::Place;
use pgfleet_core::plan::Direction;
use serde::Serialize;
use serde_json::{Value, json};

use super::node::Frame;
use crate::conduct::Target;
use crate::connect::{ConnectSpec, Host, RootCertificates, TlsMode, TlsSpec};
use crate::project::Project;

/// The migration folder on disk, and the project around it.
pub(super) struct Workplace {
    /// Absolute, without symbolic links, as Node names files.
    pub(super) folder: PathBuf,
    /// The nearest folder upwards with a `package.json`: where Node is started.
    pub(super) package: PathBuf,
    /// The process's variables and those of `.env`, which a team's own tool would have too.
    pub(super) variables: BTreeMap<String, String>,
    tree_root: String,
}

/// As `capture.cjs` reads it.
#[derive(Serialize)]
pub(super) struct Request {
    /// Stands before the answer. A migration that prints cannot know it.
    pub(super) token: String,
    file: PathBuf,
    folder: PathBuf,
    class: String,
    method: &'static str,
    transaction: bool,
    connection: Value,
}

impl Workplace {
    pub(super) fn find(project: &Project, tree: &FileTree) -> Result<Self, Box<Problem>> {
        let (path, shown) = project.folder_path()?;
        let folder = path.canonicalize().map_err(|error| {
            let what = format!("the migration folder {shown:?} cannot be entered");
            Box::new(Problem::error(Code::FolderMissing, what).because(error.to_string()))
        })?;
        let has_package = |dir: &&Path| dir.join("package.json").is_file();
        let package = folder.ancestors().find(has_package).unwrap_or(&folder).to_owned();
        let mut variables = project.settings.variables.clone();
        variables.retain(|name, _| !name.starts_with("PG"));
        Ok(Self { folder, package, variables, tree_root: tree.root.clone() })
    }

    /// A place as messages name it: in the folder as the user named it, else by its whole path.
    pub(super) fn place(&self, frame: &Frame) -> Place {
        let tree = FileTree { root: self.tree_root.clone(), ..FileTree::default() };
        let file = match frame.file.strip_prefix(&self.folder) {
            Ok(inside) => tree.display(&inside.to_string_lossy()),
            Err(_) => self.beside(&frame.file),
        };
        Place::at(file, frame.line, frame.column)
    }

    fn beside(&self, file: &Path) -> String {
        let file = file.strip_prefix(&self.package).unwrap_or(file);
        file.to_string_lossy().into_owned()
    }

    pub(super) fn request(
        &self,
        copy: &Target,
        migration: &Migration,
        direction: Direction,
    ) -> Request {
        let (timestamp, name) =
            migration.version.split_once('-').unwrap_or((&migration.version, ""));
        Request {
            token: format!("pgfleet-{:016x}:", RandomState::new().hash_one(&migration.version)),
            file: self.folder.join(&migration.file),
            folder: self.folder.clone(),
            class: format!("{name}{timestamp}"),
            method: if direction == Direction::Up { "up" } else { "down" },
            transaction: migration.transaction == TransactionMode::Auto,
            connection: connection(&copy.spec),
        }
    }
}

/// As the npm package pg takes it, with `ssl` as a list of what to try.
fn connection(spec: &ConnectSpec) -> Value {
    let endpoint = spec.endpoints.first();
    let host = endpoint.map(|endpoint| match &endpoint.host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(directory) => directory.display().to_string(),
    });
    let local = endpoint.is_some_and(|endpoint| matches!(endpoint.host, Host::Unix(_)));
    let password = endpoint.and_then(|endpoint| endpoint.password.as_ref());
    json!({
        "host": host,
        "port": endpoint.map(|endpoint| endpoint.port),
        "username": spec.user,
        "password": password.map(|password| password.reveal()),
        "database": spec.database,
        "ssl": if local { json!([false]) } else { encryption(&spec.tls) },
        "options": options(spec),
    })
}

/// Without verification where libpq has none either.
fn encryption(tls: &TlsSpec) -> Value {
    let unverified = json!({ "rejectUnauthorized": false });
    match tls.mode {
        TlsMode::Disable => json!([false]),
        TlsMode::Allow => json!([false]),
        TlsMode::Prefer => json!([unverified, false]),
        TlsMode::Require => json!([unverified]),
        TlsMode::VerifyCa | TlsMode::VerifyFull => json!([verified(tls)]),
    }
}

fn verified(tls: &TlsSpec) -> Value {
    let read = |file: &PathBuf| std::fs::read_to_string(file).ok();
    let root = match &tls.root {
        Some(RootCertificates::File(file)) => read(file),
        _ => None,
    };
    json!({
        "rejectUnauthorized": true,
        "ca": root,
        "cert": tls.certificate.as_ref().and_then(read),
        "key": tls.key.as_ref().and_then(read),
    })
}

/// libpq's `options`, where a space in a value needs a backslash.
fn options(spec: &ConnectSpec) -> Option<String> {
    let path = spec
        .search_path
        .as_ref()
        .map(|path| format!("-c search_path={}", path.replace('\\', "\\\\").replace(' ', "\\ ")));
    let all: Vec<_> = spec.options.clone().into_iter().chain(path).collect();
    (!all.is_empty()).then(|| all.join(" "))
}
