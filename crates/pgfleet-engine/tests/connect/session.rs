//! What an open session can do.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{future::join, stream};
use pgfleet_engine::connect::{CopyError, SessionError};
use pgfleet_testkit::TestDb;

use super::open;

#[tokio::test]
async fn queries_give_text_and_batches_count_commands() {
    let db = TestDb::new();
    let session = open(&db.url()).await;
    let rows =
        session.query_text("SELECT 1, NULL, 'x' UNION ALL SELECT 2, 'y', NULL").await.unwrap();
    assert_eq!(rows[1], [Some("2".to_owned()), Some("y".to_owned()), None]);
    let outcome = session
        .run_batch("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2); SELECT nope; SELECT 1")
        .await;
    assert_eq!((outcome.completed, outcome.rows_affected), (2, vec![0, 2]));
    let Some(SessionError::Server(error)) = outcome.error else { panic!("an error is due") };
    assert_eq!((error.sqlstate.as_str(), error.position), ("42703", Some(63)));
    assert_eq!(session.query_text("SELECT to_regclass('t')").await.unwrap(), [[None]]);
    assert!(session.server_version_num() >= 120_000);
}

#[tokio::test]
async fn batches_polled_together_travel_together() {
    let db = TestDb::new();
    let session = open(&db.url()).await;
    // Were the second sent only after the first's answer, it would see a later transaction clock.
    let (first, second) = join(
        session.run_batch("BEGIN; CREATE TABLE a (x int)"),
        session.run_batch("INSERT INTO a VALUES (1), (2); COMMIT"),
    )
    .await;
    assert_eq!((first.error, second.error), (None, None));
    assert_eq!((first.completed, second.rows_affected), (2, vec![2, 0]));
}

#[tokio::test]
async fn notices_are_kept_until_taken() {
    let db = TestDb::new();
    let session = open(&db.url()).await;
    session
        .batch("DROP TABLE IF EXISTS t; DO $$ BEGIN RAISE WARNING 'w' USING HINT = 'h'; END $$")
        .await
        .unwrap();
    let notices = session.take_notices();
    assert_eq!(notices.len(), 2, "{notices:?}");
    assert_eq!((notices[0].sqlstate.as_str(), notices[0].severity.as_str()), ("00000", "NOTICE"));
    assert_eq!((notices[1].message.as_str(), notices[1].hint.as_deref()), ("w", Some("h")));
    assert_eq!(session.take_notices(), []);
}

#[tokio::test]
async fn copy_takes_rows_and_reports_bad_ones() {
    let db = TestDb::new();
    let session = open(&db.url()).await;
    session.batch("CREATE TABLE t (a int, b text)").await.unwrap();
    let chunks = || stream::iter([Ok::<_, ()>(Bytes::from("1\ta\n2")), Ok(Bytes::from("\tb\n"))]);
    assert_eq!(session.copy_in("COPY t FROM STDIN", chunks()).await, Ok(2));
    let bad = stream::iter((0..1000).map(|_| Ok::<_, ()>(Bytes::from("x\ty\n"))));
    let Err(CopyError::Session(error)) = session.copy_in("COPY t FROM STDIN", bad).await else {
        panic!("the row is refused");
    };
    assert_eq!(error.server().map(|e| e.sqlstate.as_str()), Some("22P02"));
    let ends = stream::iter([Ok(Bytes::from("3\tc\n")), Err("the source")]);
    let ended = session.copy_in("COPY t FROM STDIN", ends).await;
    assert_eq!(ended, Err(CopyError::Source("the source")));
    assert_eq!(
        session.query_text("SELECT count(*) FROM t").await.unwrap()[0][0].as_deref(),
        Some("2"),
        "rows without an end do not count"
    );
}

#[tokio::test]
async fn cancel_ends_the_running_statement_only() {
    let db = TestDb::new();
    let session = open(&db.url()).await;
    let (outcome, ()) = join(session.batch("SELECT pg_sleep(20)"), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        session.cancel().await.unwrap();
    })
    .await;
    assert_eq!(outcome.unwrap_err().server().map(|e| e.sqlstate.as_str()), Some("57014"));
    session.batch("SELECT 1").await.unwrap();
}

#[tokio::test]
async fn a_killed_backend_is_a_lost_connection_with_the_last_words() {
    let db = TestDb::new();
    let (session, killer) = (open(&db.url()).await, open(&db.url()).await);
    killer
        .batch(&format!("SELECT pg_terminate_backend({}, 5000)", session.backend_pid()))
        .await
        .unwrap();
    let error = session.batch("SELECT 1").await.unwrap_err();
    assert!(error.is_lost(), "{error:?}");
    assert_eq!(error.server().map(|e| e.sqlstate.as_str()), Some("57P01"), "{error:?}");
    assert!(session.is_closed());
}

#[tokio::test]
async fn the_schema_of_the_url_becomes_the_search_path() {
    let db = TestDb::new();
    db.sql("CREATE SCHEMA \"My App\"");
    let session = open(&format!("{}?schema=My%20App", db.url())).await;
    let rows = session.query_text("SELECT current_schema").await.unwrap();
    assert_eq!(rows[0][0].as_deref(), Some("My App"));
    let session = open(&format!("{}?search_path=pg_catalog,public", db.url())).await;
    assert_eq!(
        session.query_text("SHOW search_path").await.unwrap()[0][0].as_deref(),
        Some("pg_catalog,public")
    );
}

#[tokio::test]
async fn sockets_and_other_hosts_of_the_list_are_tried() {
    let db = TestDb::new();
    let pid = open(&db.socket_url()).await.backend_pid();
    assert!(pid > 0);
    let port = db.cluster().port();
    let several = format!("postgres://postgres@127.0.0.1:1,127.0.0.1:{port}/{}", db.name());
    open(&format!("{several}?target_session_attrs=primary")).await;
}
