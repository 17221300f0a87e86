//! Throwaway clusters against the machine's own server programs.

#![allow(clippy::unwrap_used, reason = "these are tests, their helpers included")]

use std::{
    env, fs,
    io::{BufRead, BufReader},
    net::TcpStream,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use pgfleet_engine::server::{
    Account, ClusterOptions, Installation, Lifetime, ServerError, ThrowawayCluster, remove_detached,
};

const OWNER: &str = "PGFLEET_TEST_OWNER";

#[test]
fn a_cluster_listens_on_both_and_leaves_nothing() {
    let cluster = start(&ClusterOptions::default()).unwrap();
    assert!(TcpStream::connect(("127.0.0.1", cluster.port())).is_ok());
    let sockets = cluster.socket_dir();
    assert!(sockets.join(format!(".s.PGSQL.{}", cluster.port())).exists());
    assert!(cluster.url("a b").ends_with("/a%20b"));
    let port = cluster.port();
    drop(cluster);
    assert!(!sockets.exists());
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn a_setting_the_server_refuses_is_reported_with_its_words() {
    let settings = vec![("max_connections".to_owned(), "many".to_owned())];
    let error = start(&ClusterOptions { settings, ..ClusterOptions::default() }).unwrap_err();
    assert!(matches!(error, ServerError::Start { .. }), "{error}");
    assert!(error.to_string().contains("invalid value for parameter \"max_connections\""));
}

#[test]
fn a_detached_cluster_outlives_its_value_until_it_is_removed() {
    let dir = PathBuf::from(format!("/tmp/pgfleet-detached-{}", std::process::id()));
    let lifetime = Lifetime::Detached(dir.clone());
    let cluster = start(&ClusterOptions { lifetime, ..ClusterOptions::default() }).unwrap();
    let port = cluster.port();
    drop(cluster);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
    remove_detached(&dir).unwrap();
    assert!(!dir.exists());
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn programs_that_the_servers_account_cannot_reach_are_named() {
    if Account::ordinary().unwrap() == Account::Own {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let found = Installation::find().unwrap();
    for name in ["initdb", "postgres"] {
        symlink(found.bin_dir.join(name), dir.path().join(name)).unwrap();
    }
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let hidden = Installation::at(dir.path()).unwrap();
    let error = ThrowawayCluster::start(&hidden, &ClusterOptions::default()).unwrap_err();
    assert!(error.to_string().contains("may not run it"), "{error}");
}

/// Runs twice: as the test, and in a process of its own as the owner that is killed.
#[test]
fn a_killed_owner_takes_the_server_along() {
    if env::var_os(OWNER).is_some() {
        let cluster = start(&ClusterOptions::default()).unwrap();
        println!("\nserving {} {}", cluster.pid().unwrap(), cluster.data_dir().display());
        thread::sleep(Duration::from_secs(600));
    }
    let (mut owner, pid, data) = spawn_owner();
    owner.kill().unwrap();
    owner.wait().unwrap();
    if Path::new("/usr/bin/setpriv").exists() {
        assert!(gone_within(&pid, Duration::from_secs(20)), "server {pid} still runs");
    }
    // The files stay until the next start comes by after the grace time.
    thread::sleep(Duration::from_millis(2200));
    drop(start(&ClusterOptions::default()).unwrap());
    assert!(!data.exists());
    assert!(gone_within(&pid, Duration::from_secs(1)));
}

fn start(options: &ClusterOptions) -> Result<ThrowawayCluster, ServerError> {
    ThrowawayCluster::start(&Installation::find()?, options)
}

fn spawn_owner() -> (Child, String, PathBuf) {
    let mut owner = Command::new(env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "a_killed_owner_takes_the_server_along"])
        .env(OWNER, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(owner.stdout.take().unwrap()).lines();
    let serving = lines.map(Result::unwrap).find(|line| line.starts_with("serving")).unwrap();
    let mut words = serving.split(' ').skip(1);
    (owner, words.next().unwrap().to_owned(), words.next().unwrap().into())
}

fn gone_within(pid: &str, timeout: Duration) -> bool {
    let deadline = Instant::now() + timeout;
    let runs = || Command::new("kill").args(["-0", pid]).output().unwrap().status.success();
    while runs() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(20));
    }
    !runs()
}
