//! PgBouncer in front of a cluster, to meet poolers as managed platforms put them there.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use pgfleet_engine::server::Account;
use tempfile::TempDir;

use crate::Cluster;

const START_TIMEOUT: Duration = Duration::from_secs(10);

/// What a pooled server connection is lent for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolMode {
    /// One transaction: session state and session locks do not hold.
    Transaction,
    /// The whole connection.
    Session,
}

/// A running PgBouncer. It ends with the value.
#[derive(Debug)]
pub struct PgBouncer {
    child: Child,
    port: u16,
    cluster: Cluster,
    _dir: TempDir,
}

impl PgBouncer {
    /// Starts PgBouncer in front of a cluster with trust authentication. Panics with the package to
    /// install when it is missing.
    pub fn before(cluster: &Cluster, mode: PoolMode) -> Self {
        let account = Account::ordinary().unwrap_or_else(|error| panic!("{error}"));
        let dir = tempfile::tempdir().expect("a folder for pgbouncer");
        let port = free_port();
        let config = dir.path().join("pgbouncer.ini");
        fs::write(dir.path().join("users.txt"), "\"postgres\" \"\"\n").expect("write users.txt");
        fs::write(&config, ini(cluster.port(), port, mode, dir.path())).expect("write the ini");
        for path in [dir.path(), &config, &dir.path().join("users.txt")] {
            account.own(path).expect("hand pgbouncer's files over");
        }
        let mut command = account.command(program());
        command.arg("-q").arg(&config).current_dir("/");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap_or_else(|error| panic!("start pgbouncer: {error}"));
        let bouncer = Self { child, port, cluster: cluster.clone(), _dir: dir };
        bouncer.wait_ready();
        bouncer
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of a database through the pooler.
    pub fn url(&self, dbname: &str) -> String {
        let direct = format!("127.0.0.1:{}", self.cluster.port());
        self.cluster.url(dbname).replace(&direct, &format!("127.0.0.1:{}", self.port))
    }

    fn wait_ready(&self) {
        let deadline = Instant::now() + START_TIMEOUT;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < deadline, "pgbouncer does not answer on {}", self.port);
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        // It holds no data; that it ended already is fine too.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ini(server_port: u16, port: u16, mode: PoolMode, dir: &Path) -> String {
    let mode = match mode {
        PoolMode::Transaction => "transaction",
        PoolMode::Session => "session",
    };
    let users = dir.join("users.txt");
    format!(
        "[databases]\n* = host=127.0.0.1 port={server_port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
         listen_port = {port}\nunix_socket_dir =\nauth_type = trust\nauth_file = {}\n\
         admin_users = postgres\npool_mode = {mode}\nignore_startup_parameters = extra_float_digits\n",
        users.display()
    )
}

/// Debian puts it into a folder that ordinary users do not have in PATH.
fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/sbin", "/opt/homebrew/bin", "/usr/local/bin"].map(PathBuf::from);
    let dirs = std::env::split_paths(&path).chain(usual);
    let found = dirs.map(|dir| dir.join("pgbouncer")).find(|path| path.is_file());
    found.unwrap_or_else(|| {
        panic!("pgbouncer is not there: `apt-get install pgbouncer` (`make setup`)")
    })
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a free port").port()
}
