//! The chat is converted and taken back while its application works: no statement of it fails, and
//! none waits for a lock for longer than a second.

use pgfleet_testkit::Clients;

use crate::stage::{Stage, assert_says};
use crate::vechat::{CHAT, DONE, STATE_OF_COLUMNS, TENANCY, rows, stage};

/// Messages, presences (whose trigger has an `ON CONFLICT`), new conversations.
const WORK: &str = "
\\set one random(1, 290)
\\set user random(1, 200)
\\set message random(1, 5000)
INSERT INTO vechat_messages (conversation_id, sender_id, body) VALUES (:one, :client_id, 'load');
UPDATE vechat_presence SET status = 's' || :one WHERE user_id = :user;
SELECT id, body FROM vechat_messages WHERE conversation_id = :one ORDER BY id DESC LIMIT 5;
INSERT INTO vechat_presence (user_id, user_type) VALUES (nextval('numbers'), 'load');
INSERT INTO vechat_conversations (participant1_id, participant1_type, participant2_id, participant2_type)
  VALUES (nextval('numbers'), 'load', :one, 'client');
UPDATE vechat_messages SET body = 'changed' WHERE id = :message;
DELETE FROM vechat_messages WHERE conversation_id = :one AND sender_id = :client_id AND body = 'load';
\\sleep 5 ms
";

/// A transaction that is left open while somebody thinks, so long that who waits behind a lock that waits for it
/// waits too long.
const PONDER: &str = "
BEGIN;
SELECT count(body) FROM vechat_messages WHERE conversation_id < 20;
SELECT status FROM vechat_presence WHERE user_id = 3;
\\sleep 2000 ms
UPDATE vechat_user_settings SET muted = NOT muted WHERE user_id = 250;
COMMIT;
\\sleep 1000 ms
";

/// A call that is still on its way to its `ON CONFLICT` when the key is about to go.
const DAWDLE: &str = "SELECT settle_slowly(nextval('numbers')::int);";

const FIXTURE: &str = "
CREATE SEQUENCE numbers START 100000;
CREATE FUNCTION settle_slowly(who int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_sleep(0.4);
  INSERT INTO vechat_user_settings (user_id, user_type) VALUES (who, 'slow')
    ON CONFLICT (user_id, user_type) DO NOTHING;
END $$;
-- Half filled, so that the way has batches, another type and keys that are swapped.
ALTER TABLE vechat_messages ADD organisation_id int;
ALTER TABLE vechat_conversations ADD organisation_id bigint;
UPDATE vechat_conversations SET organisation_id = 1 WHERE id % 3 = 0;
CREATE INDEX by_hand ON vechat_conversations (organisation_id, id);
ALTER TABLE vechat_conversations ADD FOREIGN KEY (organisation_id) REFERENCES organisations, ADD CHECK (organisation_id > 0);
";

fn busy() -> (Stage, String) {
    let stage = stage(&format!("{CHAT}\n{FIXTURE}"), &format!("{TENANCY}[apply]\nattempts = 20\n"));
    let schema = stage.schema();
    stage.run(&["tenantize"]).assert_success();
    (stage, schema)
}

#[test]
fn clients_are_not_disturbed_by_the_conversion_nor_by_its_way_back() {
    let (stage, before) = busy();
    let url = stage.db.url();
    let load = [(2, WORK), (1, PONDER), (2, DAWDLE)]
        .map(|(clients, script)| Clients::on(&url, clients, "", &[script]));
    let forth = stage.run(&["apply", "--allow-data-loss"]);
    let counted = rows(&stage.db);
    let back = (forth.code == 0).then(|| stage.run(&["rollback", "--allow-data-loss"]));
    for clients in load {
        clients.assert_undisturbed(|sql| stage.db.value(sql));
    }
    forth.assert_success();
    for part in counted.split(", ") {
        let (filled, all) =
            part.split_once(' ').unwrap().1.split_once(' ').unwrap().0.split_once('/').unwrap();
        assert_eq!(filled, all, "{part}");
    }
    back.unwrap().assert_success();
    assert_eq!(stage.schema(), before);
    let worked = "SELECT count(*) FROM vechat_conversations WHERE participant1_type = 'load'";
    assert_ne!(stage.db.value(worked), "0", "clients did something");
    stage.run(&["apply", "--allow-data-loss"]).assert_success();
    assert_eq!(stage.db.value(STATE_OF_COLUMNS), DONE);
    assert_says(&stage.run(&["tenantize"]).assert_success().stdout, &["Nothing to do"]);
}
