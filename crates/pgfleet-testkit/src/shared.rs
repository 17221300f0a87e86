//! One cluster for all test processes of a checkout, started once and stopped when idle.
//!
//! cargo-nextest runs one process per test and `cargo test` one per binary, so no process can own
//! the server. Instead:
//! - Every process that uses the server holds a shared lock on the lease file until it ends. The
//!   system drops it however the process ends.
//! - The process that finds no server starts one, under an exclusive lock on the start file.
//! - A small shell loop beside the server tries for the exclusive lock on the lease file; when it
//!   gets it and nobody has begun to use the server for [`IDLE_MIN`] minutes, it stops the server and
//!   removes its files.
//!
//! Invariant: while a process holds the lease, the server is not stopped.

use std::{
    env,
    fs::{self, File, OpenOptions},
    hash::{DefaultHasher, Hash, Hasher},
    os::unix::{net::UnixStream, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
    time::SystemTime,
};

use pgfleet_engine::server::{
    Auth, ClusterOptions, Installation, Lifetime, ThrowawayCluster, remove_detached,
};

/// Seconds between two checks of the idle sweeper.
const CHECK_INTERVAL_S: u32 = 5;
/// Minutes since a process last began to use the server after which it is stopped.
const IDLE_MIN: u32 = 2;

/// Needs `flock` (util-linux). Where that is missing the server stays until `make stop`.
const SWEEPER: &str = r#"
lease=$1 root=$2 pid=$3 interval=$4 minutes=$5
command -v flock >/dev/null || exit 0
sweep() {
    while sleep "$interval"; do
        kill -0 "$pid" 2>/dev/null || exit 0
        exec 9<"$lease" || exit 0
        if flock -n -x 9 && [ -n "$(find "$lease" -mmin "+$minutes")" ]; then
            kill -QUIT "$pid"
            while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
            rm -rf "$root"
            exit 0
        fi
        exec 9<&-
    done
}
sweep &
"#;

/// Where the shared server of this checkout is.
#[derive(Debug, Clone)]
pub(crate) struct SharedServer {
    pub(crate) installation: Installation,
    pub(crate) root: PathBuf,
    pub(crate) port: u16,
    pub(crate) pid: i32,
}

struct Held {
    server: SharedServer,
    /// Held for its lock until the process ends.
    _lease: File,
}

/// The shared server, started if need be.
pub(crate) fn server() -> &'static SharedServer {
    static SERVER: OnceLock<Held> = OnceLock::new();
    &SERVER.get_or_init(obtain).server
}

fn obtain() -> Held {
    let installation = Installation::find().unwrap_or_else(|error| panic!("{error}"));
    let root = root_of(&installation);
    let lease = open(&root.with_extension("lease"));
    lease.lock_shared().expect("lock the lease file of the shared cluster");
    lease.set_modified(SystemTime::now()).expect("note the use of the shared cluster");
    let starting = open(&root.with_extension("start"));
    starting.lock().expect("lock the start file of the shared cluster");
    let (port, pid) = running(&root).unwrap_or_else(|| start(&installation, &root));
    Held { server: SharedServer { installation, root, port, pid }, _lease: lease }
}

/// One server per checkout, user and installation.
fn root_of(installation: &Installation) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    (env!("CARGO_MANIFEST_DIR"), &installation.bin_dir).hash(&mut hasher);
    let user = rustix::process::geteuid().as_raw();
    let name = format!("pgfleet-test-{user}-{:08x}", hasher.finish() as u32);
    // Not the temporary folder of the environment: all processes must agree on it.
    Path::new("/tmp").join(name)
}

fn open(path: &Path) -> File {
    let file = OpenOptions::new().create(true).truncate(false).write(true).read(true).open(path);
    file.unwrap_or_else(|error| panic!("open {}: {error}", path.display()))
}

/// Port and process of a server that answers on its socket.
fn running(root: &Path) -> Option<(u16, i32)> {
    let state = fs::read_to_string(root.join("state")).ok()?;
    let (port, pid) = state.trim().split_once(' ')?;
    UnixStream::connect(root.join("s").join(format!(".s.PGSQL.{port}"))).ok()?;
    Some((port.parse().ok()?, pid.parse().ok()?))
}

fn start(installation: &Installation, root: &Path) -> (u16, i32) {
    remove_detached(root).unwrap_or_else(|error| panic!("{error}"));
    let options = ClusterOptions { lifetime: Lifetime::Detached(root.to_owned()), ..options() };
    let cluster = ThrowawayCluster::start(installation, &options)
        .unwrap_or_else(|error| panic!("start the shared cluster: {error}"));
    let (port, pid) = (cluster.port(), cluster.pid().expect("a started cluster has a process"));
    fs::write(root.join("state"), format!("{port} {pid}")).expect("write the shared state");
    start_sweeper(root, pid);
    (port, pid)
}

fn start_sweeper(root: &Path, pid: i32) {
    let mut sweeper = Command::new("sh");
    sweeper.args(["-c", SWEEPER, "pgfleet-test-sweeper"]);
    sweeper.arg(root.with_extension("lease")).arg(root).arg(pid.to_string());
    sweeper.args([CHECK_INTERVAL_S, IDLE_MIN].map(|number| number.to_string()));
    sweeper.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // Waits only for the shell that puts the loop into the background.
    sweeper.current_dir("/").process_group(0).status().expect("start the idle sweeper");
}

/// Settings under which every kind of test works: two-phase commit, logical decoding, many clients.
pub(crate) fn options() -> ClusterOptions {
    ClusterOptions {
        auth: Auth::Trust,
        max_connections: 400,
        wal_level: "logical".to_owned(),
        max_prepared_transactions: 100,
        ..ClusterOptions::default()
    }
}

/// Stops the shared server of this checkout, if there is one and nobody uses it. Returns whether
/// none runs any more.
pub fn stop_shared() -> bool {
    let Ok(installation) = Installation::find() else { return true };
    let root = root_of(&installation);
    let lease = open(&root.with_extension("lease"));
    lease.try_lock().is_ok() && remove_detached(&root).is_ok()
}
