//! The proxy and the pooler.

use std::time::{Duration, Instant};

use pgfleet_testkit::{
    Cluster, TestDb, client_command,
    pgbouncer::{PgBouncer, PoolMode},
    proxy::{Direction, Proxy},
};
use tokio_postgres::{Client, NoTls};

const DELAY: Duration = Duration::from_millis(10);

async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

#[tokio::test]
async fn every_round_trip_takes_the_delay_twice_and_is_counted() {
    let db = TestDb::new();
    let proxy = Proxy::before(db.cluster(), DELAY);
    let client = connect(&proxy.through(&db.url())).await.unwrap();
    let before = proxy.traffic();
    let start = Instant::now();
    for _ in 0..5 {
        client.simple_query("SELECT 1").await.unwrap();
    }
    let took = start.elapsed();
    assert!(took >= DELAY * 10 && took < DELAY * 30, "{took:?}");
    let after = proxy.traffic();
    assert_eq!(after.exchanges - before.exchanges, 5);
    assert!(after.bytes_to_server > before.bytes_to_server);
    assert_eq!(after.connections, 1);
}

#[tokio::test]
async fn pipelined_queries_share_the_delay() {
    let db = TestDb::new();
    let proxy = Proxy::before(db.cluster(), DELAY);
    let client = connect(&proxy.through(&db.url())).await.unwrap();
    let start = Instant::now();
    let queries = (0..50).map(|_| client.simple_query("SELECT 1"));
    for outcome in futures_util::future::join_all(queries).await {
        outcome.unwrap();
    }
    let took = start.elapsed();
    assert!(took >= DELAY * 2 && took < DELAY * 10, "{took:?}");
}

#[tokio::test]
async fn a_cut_ends_the_connection_and_new_ones_work() {
    let db = TestDb::new();
    let proxy = Proxy::before(db.cluster(), Duration::ZERO);
    let client = connect(&proxy.through(&db.url())).await.unwrap();
    proxy.cut();
    assert!(client.simple_query("SELECT 1").await.unwrap_err().is_closed());
    connect(&proxy.through(&db.url())).await.unwrap();
}

#[tokio::test]
async fn a_cut_after_some_bytes_loses_the_rest() {
    let db = TestDb::new();
    let proxy = Proxy::before(db.cluster(), Duration::ZERO);
    let client = connect(&proxy.through(&db.url())).await.unwrap();
    proxy.cut_after(Direction::ToServer, 100);
    client.batch_execute("CREATE TABLE first ()").await.unwrap();
    let long = format!("CREATE TABLE second () /* {} */", "x".repeat(200));
    assert!(client.batch_execute(&long).await.is_err());
    proxy.heal();
    assert_eq!(db.value("SELECT to_regclass('first'), 1"), "first");
    assert_eq!(db.value("SELECT to_regclass('second')"), "");
}

#[tokio::test]
async fn a_stall_holds_answers_back_until_it_heals() {
    let db = TestDb::new();
    let proxy = Proxy::before(db.cluster(), Duration::ZERO);
    let client = connect(&proxy.through(&db.url())).await.unwrap();
    proxy.stall();
    let query = client.simple_query("SELECT 1");
    tokio::pin!(query);
    assert!(tokio::time::timeout(Duration::from_millis(100), &mut query).await.is_err());
    proxy.heal();
    query.await.unwrap();
}

#[tokio::test]
async fn a_refusing_proxy_takes_no_new_connections() {
    let db = TestDb::new();
    let proxy = Proxy::before(db.cluster(), Duration::ZERO);
    let client = connect(&proxy.through(&db.url())).await.unwrap();
    proxy.refuse();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(connect(&proxy.through(&db.url())).await.is_err());
    client.simple_query("SELECT 1").await.unwrap();
    proxy.heal();
    tokio::time::sleep(Duration::from_millis(50)).await;
    connect(&proxy.through(&db.url())).await.unwrap();
}

#[test]
fn a_pooler_lends_the_server_connection_by_its_mode() {
    let cluster = Cluster::shared();
    let db = cluster.database();
    for (mode, name) in [(PoolMode::Transaction, "transaction"), (PoolMode::Session, "session")] {
        let bouncer = PgBouncer::before(&cluster, mode);
        let ask = |dbname: &str, sql: &str| {
            let mut psql = client_command("psql");
            psql.args(["-X", "-At", "-d", &bouncer.url(dbname), "-c", sql]);
            pgfleet_testkit::ProgramOutput::of(&mut psql).assert_success().stdout
        };
        assert_eq!(ask(db.name(), "SELECT current_database()").trim(), db.name());
        let config = ask("pgbouncer", "SHOW CONFIG");
        assert!(config.contains(&format!("pool_mode|{name}|")), "{config}");
    }
}
