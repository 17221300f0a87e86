//! Statements in batches: cut by keys, resumed after kills, stopped when rows are hidden.

use std::thread::sleep;
use std::time::Duration;

use pgfleet_testkit::TestDb;

use crate::stage::{Stage, assert_says};

/// Users with an organisation, and orders of users; every order's change is logged, so that what
/// was done twice shows.
const BASE: &str = r#"
CREATE TABLE users (id int PRIMARY KEY, organisation_id int NOT NULL);
INSERT INTO users SELECT g, g % 7 FROM generate_series(1, 500) g;
CREATE TABLE orders (id bigint PRIMARY KEY, user_id int NOT NULL REFERENCES users, organisation_id int, changes int NOT NULL DEFAULT 0);
INSERT INTO orders SELECT g * 3, 1 + g % 500 FROM generate_series(1, 20000) g;
ANALYZE;
CREATE FUNCTION count_changes() RETURNS trigger LANGUAGE plpgsql AS
  $$BEGIN NEW.changes := OLD.changes + 1; RETURN NEW; END$$;
CREATE TRIGGER count_changes BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION count_changes();
"#;

const BACKFILL: &str = "
-- pgfleet: batches table=orders key=id size=500 pause=1ms time=20ms
UPDATE orders SET organisation_id = u.organisation_id FROM users u
 WHERE u.id = orders.user_id AND orders.organisation_id IS NULL;
ALTER TABLE orders ADD CONSTRAINT organisation_there CHECK (organisation_id IS NOT NULL) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT organisation_there;
";

fn stage(sql: &str) -> Stage {
    let stage = Stage::of(&[("2_backfill.sql", sql)]);
    stage.db.sql(BASE);
    stage
}

fn wrong_rows(db: &TestDb) -> String {
    db.value(
        "SELECT count(*) FROM orders JOIN users u ON u.id = user_id \
         WHERE orders.organisation_id IS DISTINCT FROM u.organisation_id OR changes <> 1",
    )
}

#[test]
fn every_row_is_changed_once_in_many_transactions() {
    let stage = stage(BACKFILL);
    let plan = stage.run(&["plan"]).assert_success();
    assert_says(&plan.stdout, &["1 in batches", "orders, about", "rows in 40 batches"]);
    stage.apply();
    assert_eq!(wrong_rows(&stage.db), "0");
    let transactions = stage.db.value("SELECT count(DISTINCT xmin::text) > 5 FROM orders");
    assert_eq!(transactions, "t");
    let journal = "SELECT rows_touched || '/' || rows_expected || ' ' || (batches > 5) || ' ' || \
                   (last_key IS NULL) FROM pgfleet.batches";
    assert_eq!(stage.db.value(journal), "20000/20000 true true");
    assert_eq!(stage.db.value("SELECT count(*) FROM pgfleet.steps WHERE NOT closed"), "0");
}

const FILLED: &str = "SELECT count(organisation_id) FROM orders";

#[test]
fn a_killed_run_goes_on_behind_the_last_batch() {
    let mut in_the_middle = 0;
    for seed in 0..kills() {
        let stage = stage(BACKFILL);
        let mut running = stage.spawn(&["apply"]);
        // Half of them at any moment, half of them when the first batch is there.
        if seed % 2 == 0 {
            sleep(Duration::from_millis(40 + seed * 1_237 % 900));
        } else {
            while !running.is_finished() && stage.db.value(FILLED) == "0" {
                sleep(Duration::from_millis(2));
            }
        }
        running.kill();
        drop(running);
        let done = stage.db.value(FILLED);
        in_the_middle += u64::from(done != "0" && done != "20000");
        stage.apply();
        assert_eq!(wrong_rows(&stage.db), "0", "seed {seed}");
        assert_eq!(stage.db.value("SELECT sum(rows_touched) FROM pgfleet.batches"), "20000");
    }
    println!("{in_the_middle} of {} kills came between batches", kills());
    assert!(in_the_middle > 0, "no kill came between batches");
}

fn kills() -> u64 {
    std::env::var("PGFLEET_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(8)
}

#[test]
fn keys_of_several_columns_and_odd_names_are_walked() {
    let delete = "-- pgfleet: batches key=\"Org\",\"Id; --\" size=13\n\
                  DELETE FROM \"App\".\"Log s\" l WHERE l.old;";
    let stage = Stage::of(&[("1.sql", delete)]);
    stage.db.sql(
        "CREATE SCHEMA \"App\"; CREATE TABLE \"App\".\"Log s\" (\"Org\" text, \"Id; --\" date, old bool, PRIMARY KEY (\"Org\", \"Id; --\")); \
         INSERT INTO \"App\".\"Log s\" SELECT 'it''s ' || g % 9, date '2020-01-01' + g, g % 3 = 0 FROM generate_series(1, 900) g",
    );
    stage.run(&["apply", "--allow-data-loss"]).assert_success();
    assert_eq!(
        stage.db.value("SELECT count(*) || ' ' || bool_or(old) FROM \"App\".\"Log s\""),
        "600 false"
    );
    assert_eq!(stage.db.value("SELECT rows_touched FROM pgfleet.batches"), "300");
}

#[test]
fn a_table_without_a_key_is_walked_by_place() {
    let update =
        "-- pgfleet: batches key=ctid size=200\nUPDATE log SET kind = 'old' WHERE kind IS NULL;";
    let stage = Stage::of(&[("1.sql", update)]);
    stage.db.sql("CREATE TABLE log (at int, kind text, changes int DEFAULT 0); INSERT INTO log (at) SELECT generate_series(1, 9000)");
    stage.apply();
    assert_eq!(stage.db.value("SELECT count(*) FROM log WHERE kind = 'old'"), "9000");
    assert_eq!(
        stage.db.value("SELECT rows_touched || ' ' || (batches > 2) FROM pgfleet.batches"),
        "9000 true"
    );
}

#[test]
fn rows_that_the_role_may_not_see_stop_the_run() {
    let stage = Stage::of(&[("1.sql", "-- pgfleet: batches\nUPDATE notes SET done = true;")]);
    let role = format!("owner_{}", stage.db.name());
    stage.db.sql(&format!(
        "CREATE ROLE {role} LOGIN; GRANT CREATE ON DATABASE {db} TO {role}; GRANT ALL ON SCHEMA public TO {role}; \
         SET ROLE {role}; CREATE TABLE notes (id int PRIMARY KEY, org int, done bool); \
         INSERT INTO notes SELECT g, g % 2 FROM generate_series(1, 50) g; \
         ALTER TABLE notes ENABLE ROW LEVEL SECURITY; ALTER TABLE notes FORCE ROW LEVEL SECURITY; \
         CREATE POLICY mine ON notes USING (org = 1)",
        db = stage.db.name()
    ));
    let url = format!("{}?user={role}", stage.db.url());
    let url = url.replace("postgres@", &format!("{role}@"));
    let said = crate::stage::ended(stage.cli_at(&url, &["apply", "--allow-data-loss"]).run(), 4);
    assert_says(&said, &["PF380", "notes", "BYPASSRLS", "1.sql:2:1"]);
    assert_eq!(stage.db.value("SELECT count(done) FROM notes"), "0");
    // A source table hides its rows too.
    stage.write("1.sql", "-- pgfleet: batches\nUPDATE other SET done = (SELECT n.done FROM notes n WHERE n.id = other.id);");
    stage.db.sql(&format!("SET ROLE {role}; CREATE TABLE other (id int PRIMARY KEY, done bool); INSERT INTO other VALUES (1, true)"));
    let said = crate::stage::ended(stage.cli_at(&url, &["apply", "--allow-data-loss"]).run(), 4);
    assert_says(&said, &["PF380", "notes"]);
    assert_eq!(stage.db.value("SELECT done FROM other"), "t");
    stage.db.sql(&format!("ALTER ROLE {role} BYPASSRLS"));
    stage.cli_at(&url, &["apply", "--allow-data-loss"]).run().assert_success();
    stage.db.sql(&format!("DROP OWNED BY {role} CASCADE; DROP ROLE {role}"));
}

#[test]
fn rows_passed_over_by_a_trigger_stop_the_run() {
    let stage = stage(BACKFILL);
    stage.db.sql(
        "CREATE FUNCTION pass_over() RETURNS trigger LANGUAGE plpgsql AS \
         $$BEGIN IF OLD.id > 30000 AND OLD.id % 10 = 0 THEN RETURN NULL; END IF; RETURN NEW; END$$; \
         CREATE TRIGGER a BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION pass_over()",
    );
    let said = stage.ends(&["apply"], 4);
    assert_says(&said, &["PF381", "of UPDATE changed", "2_backfill.sql:3:1"]);
    let left = stage.db.value("SELECT count(*) FROM orders WHERE organisation_id IS NULL");
    assert_ne!(left, "20000", "batches before it stay");
    stage.db.sql("ALTER TABLE orders DISABLE TRIGGER a");
    stage.apply();
    assert_eq!(wrong_rows(&stage.db), "0");
}

#[test]
fn an_error_leads_to_the_statement_of_the_file() {
    let update = "SELECT 1;\n-- pgfleet: batches size=100\nUPDATE orders\n SET changes = 0\n WHERE 1 / (id - 9000) > 5\n OR nothing();";
    let stage = stage(update);
    let said = stage.ends(&["apply"], 4);
    assert_says(&said, &["2_backfill.sql:6:5", "nothing()"]);
    // Nothing of the statement happened, so the file may be corrected.
    stage.write("2_backfill.sql", update.replace("nothing()", "false"));
    let said = stage.ends(&["apply"], 4);
    assert_says(&said, &["division by zero", "2_backfill.sql"]);
}

#[test]
fn what_cannot_be_cut_is_refused_with_its_place() {
    for (sql, code, says) in [
        ("-- pgfleet: batches speed=9\nUPDATE orders SET changes = 1;", 2, "1.sql:1:1"),
        ("-- pgfleet: batches siz=9\nUPDATE orders SET changes = 1;", 2, "(size?)"),
        ("SELECT 1;\n-- pgfleet: batchs\nUPDATE orders SET changes = 1;", 2, "1.sql:2:1"),
        ("-- pgfleet: fi SELECT 1\nSELECT 1;", 2, "perhaps \"if\" is meant"),
        ("-- pgfleet: batches\nUPDATE orders SET changes = 1 RETURNING id;", 2, "RETURNING"),
        ("BEGIN;\n-- pgfleet: batches\nUPDATE orders SET changes = 1;\nCOMMIT;", 2, "1.sql:3:1"),
        (
            "-- pgfleet: batches key=user_id\nUPDATE orders SET changes = 1;",
            4,
            "a key of the table: id",
        ),
        ("-- pgfleet: batches\nUPDATE nowhere SET changes = 1;", 4, "nowhere does not exist"),
    ] {
        let stage = Stage::of(&[("1.sql", sql)]);
        stage.db.sql(BASE);
        let output = stage.run(&["apply", "--allow-data-loss"]);
        let said = crate::stage::ended(output, code);
        assert_says(&said, &["PF190", says]);
        assert_eq!(stage.db.value("SELECT sum(changes) FROM orders"), "0");
    }
}

#[test]
fn clients_that_write_the_same_rows_are_not_disturbed() {
    let stage = stage(BACKFILL);
    let writer = {
        let url = stage.db.url();
        std::thread::spawn(move || {
            let script = "DO $$ BEGIN FOR i IN 1..1500 LOOP \
                UPDATE orders SET user_id = user_id WHERE id = 3 + 3 * (i * 7919 % 20000); COMMIT; END LOOP; END $$";
            std::process::Command::new("psql")
                .args(["-X", "-v", "ON_ERROR_STOP=1", "-c", script, &url])
                .output()
                .unwrap()
        })
    };
    stage.apply();
    let output = writer.join().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let wrong = "SELECT count(*) FROM orders JOIN users u ON u.id = user_id \
                 WHERE orders.organisation_id IS DISTINCT FROM u.organisation_id";
    assert_eq!(stage.db.value(wrong), "0");
}
