//! Outside programs that tests use, installed once into `.tools/` of the checkout.
//!
//! Invariant: a finished installation has a stamp that names what is in it, written last. Without
//! the right stamp the folder is made anew, so neither a killed installation nor a changed version
//! is ever used.

use std::{
    env,
    fs::{self, File, OpenOptions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::ProgramOutput;

const STAMP: &str = "installed.txt";

/// The checkout.
pub(crate) fn workspace() -> &'static Path {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    crates.and_then(Path::parent).expect("the testkit is two folders below the checkout")
}

/// `.tools/NAME` with `contents` installed by `install`, which gets an empty folder. Processes that
/// need the same folder wait for the first one.
pub(crate) fn installed(
    base: &Path,
    name: &str,
    contents: &str,
    install: impl FnOnce(&Path),
) -> PathBuf {
    let dir = base.join(name);
    fs::create_dir_all(base).expect("create the tools folder");
    let _lock = lock(&base.join(format!("{}.lock", name.replace('/', "-"))));
    if fs::read_to_string(dir.join(STAMP)).is_ok_and(|stamp| stamp == contents) {
        return dir;
    }
    // Absent the first time.
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).expect("create a tool's folder");
    install(&dir);
    fs::write(dir.join(STAMP), contents).expect("write a tool's stamp");
    dir
}

/// Where tools go: `PGFLEET_TOOLS_DIR`, for several checkouts to share, or the checkout's `.tools`.
pub(crate) fn tools_dir() -> PathBuf {
    env::var_os("PGFLEET_TOOLS_DIR").map_or_else(|| workspace().join(".tools"), PathBuf::from)
}

/// Where server programs go that another user must be able to run: PostgreSQL refuses to run as
/// root, and the checkout may be under a folder that root alone can enter.
pub(crate) fn server_tools_dir() -> PathBuf {
    let tools = tools_dir();
    if !rustix::process::geteuid().is_root()
        || tools.ancestors().filter(|dir| dir.exists()).all(anybody_enters)
    {
        return tools;
    }
    PathBuf::from("/var/tmp/pgfleet-tools")
}

fn anybody_enters(dir: &Path) -> bool {
    fs::metadata(dir).is_ok_and(|meta| meta.permissions().mode() & 0o001 != 0)
}

/// Installs npm packages (`name@version`) into an empty folder. Their install scripts are not run:
/// they fetch from elsewhere, and every tool here works without.
pub(crate) fn npm_install(dir: &Path, packages: &[&str]) {
    fs::write(dir.join("package.json"), "{\"private\":true}\n").expect("write package.json");
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--save-exact"]);
    npm.args(["--loglevel", "error"]).args(packages).current_dir(dir);
    run_installer("npm", "install nodejs and npm (`make setup`)", &mut npm);
}

/// Runs an installer and panics with its output, or with `missing` when it is not there.
pub(crate) fn run_installer(name: &str, missing: &str, command: &mut Command) {
    let found = Command::new(name).arg("--version").output();
    assert!(found.is_ok(), "{name} is not there: {missing}");
    ProgramOutput::of(command).assert_success();
}

fn lock(path: &Path) -> File {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path);
    let file = file.unwrap_or_else(|error| panic!("open {}: {error}", path.display()));
    file.lock().unwrap_or_else(|error| panic!("lock {}: {error}", path.display()));
    file
}
