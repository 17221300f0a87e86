//! Each way not to get a connection, provoked.

use std::net::TcpListener;
use std::time::Duration;

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_engine::connect::connect;
use pgfleet_testkit::{Cluster, TestDb};

use super::{as_user, failure, spec, words};

fn assert_says(problem: &Problem, code: Code, parts: &[&str]) {
    assert_eq!(problem.code, code, "{problem:?}");
    assert!(problem.cause.is_some() && !problem.fixes.is_empty(), "{problem:?}");
    for part in parts {
        assert!(words(problem).contains(part), "`{part}` is missing: {problem:?}");
    }
}

#[tokio::test]
async fn nothing_listens() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let problem = failure(&format!("postgres://u:s3cret@127.0.0.1:{port}/d")).await;
    assert_says(&problem, Code::ConnectRefused, &["nothing listens at 127.0.0.1", "pg_isready"]);
    assert!(!words(&problem).contains("s3cret"));
    let problem = failure("postgres:///d?host=/nonexistent/dir&user=u").await;
    assert_says(&problem, Code::ConnectRefused, &["/nonexistent/dir/.s.PGSQL.5432"]);
}

#[tokio::test]
async fn unknown_hosts() {
    let problem = failure("postgres://u@no-such-host.invalid/d").await;
    assert_says(&problem, Code::HostUnknown, &["no-such-host.invalid", "getent"]);
    let problem = failure("postgres://u@abcdefghij0.supabase.co/d").await;
    assert_says(
        &problem,
        Code::HostUnknown,
        &["Supabase API", "postgres.abcdefghij0:PASSWORD@aws-0-REGION.pooler"],
    );
    let problem = failure("postgres://u@db.abcdefghij0.supabase.co/d").await;
    assert!(words(&problem).contains("Session pooler"), "{problem:?}");
}

#[tokio::test]
async fn a_server_that_never_answers() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let url = format!("postgres://u@127.0.0.1:{port}/d");
    let problem = connect(&spec(&url), "t", Duration::from_millis(300)).await.err().unwrap();
    assert_says(&problem, Code::ConnectTimeout, &["within 0.3 s", "firewall"]);
}

#[tokio::test]
async fn passwords_and_roles() {
    let cluster = Cluster::fresh().scram().start();
    let url = cluster.url("postgres");
    let wrong = as_user(&url, "postgres:wrong%40");
    let problem = failure(&wrong).await;
    assert_says(
        &problem,
        Code::AuthenticationFailed,
        &["password of `postgres` was refused", "28P01"],
    );
    assert!(!words(&problem).contains("wrong@") && !words(&problem).contains("wrong%40"));
    let problem = failure(&as_user(&url, "postgres")).await;
    assert_says(&problem, Code::AuthenticationFailed, &["none was given", "PGPASSWORD"]);
    let trusting = TestDb::new();
    let problem = failure(&as_user(&trusting.url(), "nobody_here")).await;
    assert_says(
        &problem,
        Code::AuthenticationFailed,
        &["no role `nobody_here`", "CREATE ROLE nobody_here"],
    );
}

#[tokio::test]
async fn access_rules() {
    let cluster = Cluster::fresh().hba("host all locked_out 127.0.0.1/32 reject").start();
    cluster.sql("CREATE ROLE locked_out LOGIN; CREATE ROLE no_login; CREATE ROLE outsider LOGIN");
    cluster.sql("CREATE DATABASE closed");
    cluster.sql("REVOKE CONNECT ON DATABASE closed FROM public");
    let problem = failure(&as_user(&cluster.url("postgres"), "locked_out")).await;
    assert_says(
        &problem,
        Code::HbaRejected,
        &["pg_hba.conf rejects", "sslmode=require", "pg_reload_conf"],
    );
    let problem = failure(&as_user(&cluster.url("postgres"), "no_login")).await;
    assert_says(&problem, Code::AuthenticationFailed, &["ALTER ROLE no_login LOGIN"]);
    let problem = failure(&as_user(&cluster.url("closed"), "outsider")).await;
    assert_says(&problem, Code::HbaRejected, &["GRANT CONNECT ON DATABASE closed TO outsider"]);
}

#[tokio::test]
async fn missing_databases_with_those_that_are_there() {
    let cluster = Cluster::fresh().start();
    cluster.sql("CREATE DATABASE shop_production");
    let problem = failure(&cluster.url("shop_prodution")).await;
    assert_says(
        &problem,
        Code::DatabaseMissing,
        &[
            "one called `shop_production`",
            "databases there: postgres, shop_production",
            "CREATE DATABASE shop_prodution",
        ],
    );
}

#[tokio::test]
async fn too_many_connections() {
    let cluster = Cluster::fresh().start();
    cluster.sql("CREATE ROLE few LOGIN CONNECTION LIMIT 1");
    let url = as_user(&cluster.url("postgres"), "few");
    let _held = super::open(&url).await;
    assert_says(&failure(&url).await, Code::ServerUnavailable, &["53300", "pg_stat_activity"]);
}

/// Answers every connection with one error message, as the server or pooler in question would.
fn refusing_server(sqlstate: &'static str, message: &'static str) -> u16 {
    use std::io::{Read, Write};
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(2) {
            let mut stream = stream.unwrap();
            let mut buffer = [0; 1024];
            let _ = stream.read(&mut buffer);
            let fields = format!("SFATAL\0VFATAL\0C{sqlstate}\0M{message}\0\0");
            let length = u32::try_from(fields.len() + 4).unwrap();
            let _ = stream
                .write_all(&[b"E", length.to_be_bytes().as_slice(), fields.as_bytes()].concat());
        }
    });
    port
}

#[tokio::test]
async fn what_servers_and_poolers_say_when_they_cannot() {
    for (sqlstate, message, code, parts) in [
        (
            "XX000",
            "Tenant or user not found",
            Code::ProjectPaused,
            ["postgres.PROJECT_REF", "paused"],
        ),
        (
            "57P03",
            "the database system is starting up",
            Code::ServerUnavailable,
            ["is starting up", "try again"],
        ),
        (
            "57P03",
            "the database system is shutting down",
            Code::ServerUnavailable,
            ["is shutting down", "try again"],
        ),
        (
            "53300",
            "sorry, too many clients already",
            Code::ServerUnavailable,
            ["no connection left", "max_connections"],
        ),
        (
            "08P01",
            "unsupported startup parameter: options",
            Code::UrlInvalid,
            ["`options`", "ignore_startup_parameters"],
        ),
    ] {
        let port = refusing_server(sqlstate, message);
        let url =
            format!("postgres://postgres@127.0.0.1:{port}/d?sslmode=disable&options=-c%20a%3Db");
        assert_says(&failure(&url).await, code, &parts);
    }
}

#[tokio::test]
async fn a_standby_is_not_a_primary() {
    let cluster = Cluster::fresh().recovery("SELECT 1").start();
    let url = format!("{}?target_session_attrs=primary", cluster.url("postgres"));
    assert_says(
        &failure(&url).await,
        Code::ServerInRecovery,
        &["is a standby", "target_session_attrs"],
    );
    super::open(&format!("{}?target_session_attrs=standby", cluster.url("postgres"))).await;
}
