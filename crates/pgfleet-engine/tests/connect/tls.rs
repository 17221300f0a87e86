//! Secure connections, with a certificate for `localhost` and `127.0.0.1` of an own authority.

use std::fs;
use std::time::Duration;

use futures_util::future::join;
use pgfleet_core::diagnose::Code;
use pgfleet_testkit::{Cluster, TestDb};

use super::{failure, open, words};

async fn is_encrypted(url: &str) -> bool {
    let session = open(url).await;
    let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    session.query_text(sql).await.unwrap()[0][0].as_deref() == Some("t")
}

#[tokio::test]
async fn modes_do_what_they_say() {
    let cluster = Cluster::fresh().tls().start();
    let url = cluster.url("postgres");
    assert!(!is_encrypted(&format!("{url}?sslmode=disable")).await);
    assert!(!is_encrypted(&format!("{url}?sslmode=allow")).await);
    for mode in ["prefer", "require"] {
        assert!(is_encrypted(&format!("{url}?sslmode={mode}")).await, "{mode}");
    }
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root.pem");
    fs::write(&root, cluster.root_certificate().unwrap()).unwrap();
    let root = root.display();
    for mode in ["require", "verify-ca", "verify-full"] {
        assert!(is_encrypted(&format!("{url}?sslmode={mode}&sslrootcert={root}")).await, "{mode}");
    }
    let elsewhere = url.replace("127.0.0.1", "127.0.0.2");
    let named = format!("{}?hostaddr=127.0.0.1", url.replace("127.0.0.1", "db.example.com"));
    assert!(is_encrypted(&format!("{named}&sslmode=verify-ca&sslrootcert={root}")).await);
    let problem = failure(&format!("{named}&sslmode=verify-full&sslrootcert={root}")).await;
    assert_eq!(problem.code, Code::TlsFailed);
    assert!(
        words(&problem).contains("db.example.com") && words(&problem).contains("another name"),
        "{elsewhere}: {problem:?}"
    );
}

#[tokio::test]
async fn untrusted_certificates_are_refused() {
    let (cluster, stranger) = (Cluster::fresh().tls().start(), Cluster::fresh().tls().start());
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root.pem");
    fs::write(&root, stranger.root_certificate().unwrap()).unwrap();
    let url = cluster.url("postgres");
    for mode in ["require", "verify-ca", "verify-full"] {
        let problem =
            failure(&format!("{url}?sslmode={mode}&sslrootcert={}", root.display())).await;
        assert_eq!(problem.code, Code::TlsFailed, "{problem:?}");
        assert!(words(&problem).contains("is not trusted"), "{problem:?}");
    }
    let problem = failure(&format!("{url}?sslmode=verify-full&sslrootcert=system")).await;
    assert!(words(&problem).contains("is not trusted"), "{problem:?}");
    let problem = failure(&format!("{url}?sslmode=verify-ca")).await;
    assert!(words(&problem).contains("no root certificate"), "{problem:?}");
    let problem = failure(&format!("{url}?sslmode=verify-ca&sslrootcert=/nowhere.pem")).await;
    assert!(words(&problem).contains("/nowhere.pem"), "{problem:?}");
}

#[tokio::test]
async fn a_server_without_tls_is_named() {
    let db = TestDb::new();
    let problem = failure(&format!("{}?sslmode=require", db.url())).await;
    assert_eq!(problem.code, Code::TlsFailed);
    assert!(words(&problem).contains("does not offer TLS"), "{problem:?}");
}

#[tokio::test]
async fn a_server_that_wants_tls_gets_it_with_allow() {
    let cluster = Cluster::fresh().tls().hba("hostnossl all all 127.0.0.1/32 reject").start();
    let url = cluster.url("postgres");
    assert!(is_encrypted(&format!("{url}?sslmode=allow")).await);
    let problem = failure(&format!("{url}?sslmode=disable")).await;
    assert_eq!(problem.code, Code::HbaRejected);
    assert!(words(&problem).contains("sslmode=require"), "{problem:?}");
}

#[tokio::test]
async fn cancelling_works_over_tls() {
    let cluster = Cluster::fresh().tls().hba("hostnossl all all 127.0.0.1/32 reject").start();
    let session = open(&format!("{}?sslmode=require", cluster.url("postgres"))).await;
    assert!(session.backend_pid() > 0, "the announced process id is read with TLS as well");
    let (outcome, ()) = join(session.batch("SELECT pg_sleep(20)"), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        session.cancel().await.unwrap();
    })
    .await;
    assert_eq!(outcome.unwrap_err().server().map(|e| e.sqlstate.as_str()), Some("57014"));
}
