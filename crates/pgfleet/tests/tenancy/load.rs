//! The chat is converted and taken back while its application works: no statement of it fails, and
//! none waits for a lock for longer than a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use pgfleet_testkit::TestDb;
use tokio_postgres::{Client, NoTls};

use crate::stage::{Stage, assert_says};
use crate::vechat::{CHAT, DONE, STATE_OF_COLUMNS, TENANCY, rows, stage};

/// A statement that waits longer for a lock fails.
const LONGEST: &str = "SET lock_timeout = '1s'";
/// How long a client that is not in a hurry keeps its transaction open.
const LONG: Duration = Duration::from_millis(1_300);

/// Clients that know nothing of a tenant column, until they are told to stop.
struct Load {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Worked>>,
}

/// What a client did.
#[derive(Debug)]
struct Worked {
    statements: usize,
    slowest: Duration,
    failed: Vec<String>,
}

impl Load {
    fn on(db: &TestDb) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let client = |number: i32| {
            let (stop, url) = (stop.clone(), db.url());
            std::thread::spawn(move || work(&url, number, &stop))
        };
        Self { stop: stop.clone(), clients: (0..3).map(client).collect() }
    }

    /// Stops them; none may have failed.
    #[track_caller]
    fn assert_undisturbed(self) {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            let worked = client.join().unwrap();
            println!("{} statements, the slowest {:?}", worked.statements, worked.slowest);
            assert!(worked.failed.is_empty(), "{:#?}", worked.failed);
            assert!(worked.statements >= 5, "one round at least");
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn work(url: &str, number: i32, stop: &AtomicBool) -> Worked {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let running = tokio::spawn(connection);
    client.batch_execute(LONGEST).await.unwrap();
    let mut worked = Worked { statements: 0, slowest: Duration::ZERO, failed: Vec::new() };
    let mut round = 0;
    while !stop.load(Ordering::Relaxed) && worked.failed.len() < 5 {
        round += 1;
        match number {
            0 => ponder(&client, round, &mut worked).await,
            _ => chat(&client, number, round, &mut worked).await,
        }
    }
    drop(client);
    let _ = running.await;
    worked
}

/// Messages, presences (whose trigger has an `ON CONFLICT`), new conversations.
async fn chat(client: &Client, number: i32, round: i32, worked: &mut Worked) {
    let one = 1 + (round * 7 + number) % 290;
    for sql in [
        format!(
            "INSERT INTO vechat_messages (conversation_id, sender_id, body) VALUES ({one}, {number}, 'load')"
        ),
        format!("UPDATE vechat_presence SET status = 's{round}' WHERE user_id = {}", 1 + one % 200),
        format!(
            "SELECT id, body FROM vechat_messages WHERE conversation_id = {one} ORDER BY id DESC LIMIT 5"
        ),
        format!(
            "INSERT INTO vechat_presence (user_id, user_type) VALUES ({}, 'load {number}')",
            1000 + round
        ),
        format!(
            "INSERT INTO vechat_conversations (participant1_id, participant1_type, participant2_id, participant2_type) \
             VALUES ({round}, 'load {number}', {one}, 'client')"
        ),
        format!(
            "UPDATE vechat_messages SET body = 'changed' WHERE id = {}",
            1 + (round * 13) % 5000
        ),
        format!(
            "DELETE FROM vechat_messages WHERE conversation_id = {one} AND sender_id = {number} AND body = 'load'"
        ),
    ] {
        ask(client, &sql, worked).await;
    }
    tokio::time::sleep(Duration::from_millis(5)).await;
}

/// A transaction that is left open while somebody thinks.
async fn ponder(client: &Client, round: i32, worked: &mut Worked) {
    ask(client, "BEGIN", worked).await;
    ask(client, "SELECT count(body) FROM vechat_messages WHERE conversation_id < 20", worked).await;
    ask(client, "SELECT status FROM vechat_presence WHERE user_id = 3", worked).await;
    tokio::time::sleep(LONG).await;
    let change =
        format!("UPDATE vechat_user_settings SET muted = {} WHERE user_id = 250", round % 2 == 0);
    ask(client, &change, worked).await;
    ask(client, "COMMIT", worked).await;
    tokio::time::sleep(LONG).await;
}

async fn ask(client: &Client, sql: &str, worked: &mut Worked) {
    let begun = Instant::now();
    let answer = client.simple_query(sql).await;
    worked.statements += 1;
    worked.slowest = worked.slowest.max(begun.elapsed());
    if let Err(error) = answer {
        let why = error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string);
        worked.failed.push(format!("{sql}: {why}"));
        let _ = client.batch_execute("ROLLBACK").await;
    }
}

fn busy() -> (Stage, String) {
    // Half filled, so that the way has batches, another type and keys that are swapped.
    let state = "ALTER TABLE vechat_messages ADD organisation_id int; \
        ALTER TABLE vechat_conversations ADD organisation_id bigint; \
        UPDATE vechat_conversations SET organisation_id = 1 WHERE id % 3 = 0;";
    let stage = stage(&format!("{CHAT}\n{state}"), &format!("{TENANCY}[apply]\nattempts = 20\n"));
    let schema = stage.schema();
    stage.run(&["tenantize"]).assert_success();
    (stage, schema)
}

#[test]
fn clients_are_not_disturbed_by_the_conversion_nor_by_its_way_back() {
    let (stage, before) = busy();
    let load = Load::on(&stage.db);
    let forth = stage.run(&["apply", "--allow-data-loss"]);
    let counted = rows(&stage.db);
    let back = (forth.code == 0).then(|| stage.run(&["rollback", "--allow-data-loss"]));
    load.assert_undisturbed();
    forth.assert_success();
    for part in counted.split(", ") {
        let (filled, all) =
            part.split_once(' ').unwrap().1.split_once(' ').unwrap().0.split_once('/').unwrap();
        assert_eq!(filled, all, "{part}");
    }
    back.unwrap().assert_success();
    assert_eq!(stage.schema(), before);
    stage.run(&["apply", "--allow-data-loss"]).assert_success();
    assert_eq!(stage.db.value(STATE_OF_COLUMNS), DONE);
    assert_says(&stage.run(&["tenantize"]).assert_success().stdout, &["Nothing to do"]);
}
