//! What a session finds out about its server.

use pgfleet_core::diagnose::Code;
use pgfleet_engine::connect::{check_pooler, preflight, probe};
use pgfleet_testkit::{Cluster, TestDb};

use super::{as_user, open, spec, words};

#[tokio::test]
async fn an_ordinary_session_is_healthy() {
    let db = TestDb::new();
    let session = open(&db.url()).await;
    let facts = probe(&session).await.unwrap();
    assert_eq!(preflight(&facts), []);
    assert_eq!((facts.database.as_str(), facts.current_user.as_str()), (db.name(), "postgres"));
    assert_eq!(facts.current_schema.as_deref(), Some("public"));
    assert_eq!(
        (facts.backend_pid, facts.server_port),
        (session.backend_pid(), db.cluster().port())
    );
    assert_eq!(facts.version_num, session.server_version_num());
    assert_eq!(facts.encoding, "UTF8");
    assert!(
        facts.superuser && facts.clock_ahead_s.abs() < 1.0 && facts.max_prepared_transactions > 0
    );
    check_pooler(&spec(&db.url()), &session, &facts).await.unwrap();
    let through_socket = open(&db.socket_url()).await;
    assert_eq!(probe(&through_socket).await.unwrap().server_port, db.cluster().port());
}

#[tokio::test]
async fn roles_that_may_not_write_are_told_what_to_grant() {
    let cluster = Cluster::fresh().start();
    let db = cluster.database();
    db.sql(
        "CREATE ROLE reader LOGIN; ALTER ROLE reader SET default_transaction_read_only = on; \
         CREATE ROLE \"Weak One\" LOGIN; REVOKE CREATE ON SCHEMA public FROM public",
    );
    let facts = probe(&open(&as_user(&db.url(), "reader")).await).await.unwrap();
    let problems = preflight(&facts);
    assert_eq!(problems[0].code, Code::RoleReadOnly);
    assert!(
        words(&problems[0]).contains("ALTER ROLE reader SET default_transaction_read_only = off")
    );
    let facts = probe(&open(&as_user(&db.url(), "Weak%20One")).await).await.unwrap();
    let problems = preflight(&facts);
    assert_eq!(problems.len(), 1, "{problems:?}");
    let grant = problems[0].fixes[0].command.as_deref();
    assert_eq!(grant, Some("GRANT CREATE ON SCHEMA public TO \"Weak One\""));
    let nowhere = open(&format!("{}?schema=absent", as_user(&db.url(), "Weak%20One"))).await;
    let problems = preflight(&probe(&nowhere).await.unwrap());
    assert!(words(&problems[0]).contains("GRANT CREATE ON DATABASE"), "{problems:?}");
}

#[tokio::test]
async fn a_standby_is_seen() {
    let cluster = Cluster::fresh().recovery("SELECT 1").start();
    let facts = probe(&open(&cluster.url("postgres")).await).await.unwrap();
    let codes: Vec<_> = preflight(&facts).iter().map(|problem| problem.code).collect();
    assert_eq!(codes, [Code::ServerInRecovery]);
}
