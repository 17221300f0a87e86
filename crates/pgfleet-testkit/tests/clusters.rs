//! The clusters and databases that every other test relies on.

use pgfleet_testkit::{Cluster, DumpOptions, TestDb};

#[test]
fn a_database_on_the_shared_cluster_is_empty_and_goes_with_its_value() {
    let db = TestDb::new();
    db.sql("CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (7)");
    assert_eq!(db.value("SELECT id FROM a"), "7");
    assert_eq!(db.psql("SELECT id FROM a").assert_success().stdout, "7\n");
    let name = db.name().to_owned();
    drop(db);
    let other = TestDb::new();
    let left = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    assert_eq!(other.value(&left), "0");
}

#[tokio::test]
async fn a_database_can_be_made_and_used_inside_a_runtime() {
    let db = TestDb::new();
    let client = db.connect().await;
    let row = client.query_one("SELECT 1", &[]).await.unwrap();
    assert_eq!(row.get::<_, i32>(0), 1);
}

#[test]
fn both_urls_reach_the_same_database() {
    let db = TestDb::new();
    db.sql("CREATE TABLE here ()");
    for url in [db.url(), db.socket_url()] {
        let mut psql = pgfleet_testkit::client_command("psql");
        psql.args(["-X", "-At", "-d", &url, "-c", "SELECT to_regclass('here')"]);
        let output = pgfleet_testkit::ProgramOutput::of(&mut psql).assert_success();
        assert_eq!(output.stdout, "here\n", "{url}");
    }
}

#[test]
fn dumps_leave_out_what_was_asked_for() {
    let db = TestDb::new();
    db.sql(
        "CREATE SCHEMA pgfleet; CREATE TABLE pgfleet.j (); CREATE TABLE a (); CREATE TABLE h ()",
    );
    let dump = db.dump_schema_with(&DumpOptions::without_pgfleet().without_table("h"));
    assert!(dump.contains("CREATE TABLE public.a"), "{dump}");
    assert!(!dump.contains("pgfleet") && !dump.contains("public.h") && !dump.contains("\n--"));
}

#[test]
fn a_fresh_cluster_takes_settings_and_hba_lines_and_leaves_nothing() {
    let cluster = Cluster::fresh()
        .setting("work_mem", "5MB")
        .hba("host all locked_out 127.0.0.1/32 reject")
        .start();
    let db = cluster.database();
    assert_eq!(db.value("SHOW work_mem"), "5MB");
    db.sql("CREATE ROLE locked_out LOGIN");
    let denied = tokio_postgres_error(&db.url().replace("postgres@", "locked_out@"));
    assert!(denied.contains("pg_hba.conf rejects"), "{denied}");
    let dir = cluster.socket_dir();
    assert!(dir.as_os_str().len() < 86);
    drop(db);
    drop(cluster);
    assert!(!dir.exists());
}

#[test]
fn a_scram_cluster_asks_for_its_password() {
    let cluster = Cluster::fresh().scram().start();
    assert_eq!(cluster.database().value("SELECT 1"), "1");
    let password = cluster.password().unwrap();
    let wrong = cluster.url("postgres").replace(password, "wrong");
    assert!(tokio_postgres_error(&wrong).contains("password authentication failed"));
    assert!(!format!("{cluster:?}").contains(password));
}

#[test]
fn a_standby_reads_and_does_not_write() {
    let cluster = Cluster::fresh().recovery("CREATE TABLE before (); ").start();
    let read = |sql: &str| {
        let mut psql = pgfleet_testkit::client_command("psql");
        psql.args(["-X", "-At", "-d", &cluster.url("postgres"), "-c", sql]);
        pgfleet_testkit::ProgramOutput::of(&mut psql)
    };
    assert_eq!(read("SELECT pg_is_in_recovery(), to_regclass('before')").stdout, "t|before\n");
    assert!(read("CREATE TABLE after ()").stderr.contains("read-only"));
}

#[test]
fn a_tls_cluster_is_verified_against_its_authority() {
    let cluster = Cluster::fresh().tls().start();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), cluster.root_certificate().unwrap()).unwrap();
    let root = file.path().display();
    let url = format!("{}?sslmode=verify-full&sslrootcert={root}", cluster.url("postgres"));
    let mut psql = pgfleet_testkit::client_command("psql");
    psql.args(["-X", "-At", "-d", &url, "-c"]);
    psql.arg("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
    assert_eq!(pgfleet_testkit::ProgramOutput::of(&mut psql).assert_success().stdout, "t\n");
}

fn tokio_postgres_error(url: &str) -> String {
    let mut psql = pgfleet_testkit::client_command("psql");
    psql.args(["-X", "-d", url, "-c", "SELECT 1"]);
    pgfleet_testkit::ProgramOutput::of(&mut psql).stderr
}
