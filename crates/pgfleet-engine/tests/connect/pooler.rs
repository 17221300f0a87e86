//! PgBouncer before a real server, in each of its modes.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pgfleet_core::diagnose::Code;
use pgfleet_engine::connect::{check_pooler, probe};
use pgfleet_engine::server::Account;
use pgfleet_testkit::TestDb;
use tempfile::TempDir;

use super::{open, spec, words};

struct PgBouncer {
    process: Child,
    port: u16,
    _folder: TempDir,
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn start(db: &TestDb, mode: &str, extra: &str) -> PgBouncer {
    let account = Account::ordinary().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (file, users) = (folder.path().join("pgbouncer.ini"), folder.path().join("users.txt"));
    fs::write(&users, "\"postgres\" \"\"\n").unwrap();
    let server = db.cluster().port();
    let text = format!(
        "[databases]\n* = host=127.0.0.1 port={server}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
         listen_port = {port}\nunix_socket_dir =\nauth_type = trust\nauth_file = {}\n\
         pool_mode = {mode}\n{extra}\n",
        users.display()
    );
    fs::write(&file, text).unwrap();
    for path in [folder.path(), &file, &users] {
        account.own(path).unwrap();
    }
    let process = account
        .command("pgbouncer")
        .arg(&file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("pgbouncer (Debian's package pgbouncer): {error}"));
    let pgbouncer = PgBouncer { process, port, _folder: folder };
    let deadline = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < deadline, "pgbouncer does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    pgbouncer
}

async fn verdict(db: &TestDb, mode: &str, extra: &str, parameters: &str) -> Result<(), String> {
    let pgbouncer = start(db, mode, extra);
    let url = format!("postgres://postgres@127.0.0.1:{}/{}{parameters}", pgbouncer.port, db.name());
    let session = open(&url).await;
    let facts = probe(&session).await.unwrap();
    assert_ne!(session.backend_pid(), facts.backend_pid, "a pooler invents the id it announces");
    check_pooler(&spec(&url), &session, &facts).await.map_err(|problem| {
        assert_eq!(problem.code, Code::PoolerTransactionMode);
        words(&problem)
    })
}

#[tokio::test]
async fn transaction_mode_is_refused_with_the_port_to_use() {
    let db = TestDb::new();
    for extra in ["", "default_pool_size = 1", "server_round_robin = 1\nmin_pool_size = 4"] {
        let words = verdict(&db, "transaction", extra, "").await.expect_err(extra);
        let direct = format!("postgres://postgres@127.0.0.1:{}/{}", db.cluster().port(), db.name());
        assert!(words.contains(&direct), "{words}");
    }
}

#[tokio::test]
async fn ignored_startup_parameters_hide_nothing() {
    let db = TestDb::new();
    let extra = "ignore_startup_parameters = extra_float_digits, options";
    let words = verdict(&db, "transaction", extra, "?schema=public").await;
    assert!(words.is_err_and(|words| words.contains("transaction mode")));
}

#[tokio::test]
async fn statement_mode_is_refused() {
    let db = TestDb::new();
    assert!(verdict(&db, "statement", "", "").await.is_err());
}

#[tokio::test]
async fn session_mode_is_allowed() {
    let db = TestDb::new();
    for extra in ["", "default_pool_size = 1"] {
        verdict(&db, "session", extra, "").await.unwrap_or_else(|words| panic!("{extra}: {words}"));
    }
}

#[tokio::test]
async fn the_search_path_arrives_although_options_are_refused() {
    let db = TestDb::new();
    db.sql("CREATE SCHEMA app");
    let pgbouncer = start(&db, "session", "");
    let url = format!("postgres://postgres@127.0.0.1:{}/{}?schema=app", pgbouncer.port, db.name());
    let rows = open(&url).await.query_text("SELECT current_schema").await.unwrap();
    assert_eq!(rows[0][0].as_deref(), Some("app"));
}

#[test]
fn pgbouncer_is_installed() {
    let version = Command::new("pgbouncer").arg("--version").output();
    assert!(version.is_ok(), "install Debian's package pgbouncer");
}
