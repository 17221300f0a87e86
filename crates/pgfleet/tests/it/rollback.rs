//! `rollback` and `reset`.

use std::time::Duration;

use pgfleet_testkit::proxy::{Direction, Proxy};
use pgfleet_testkit::{Cluster, TestDb};

use crate::{
    resume::block,
    stage::{Stage, assert_says, wait_until},
};

const PLAIN: &str = "[migrations]\nformat = 'plain'\n";

fn reversible() -> Stage {
    let stage = Stage::of(&[]);
    stage.project.write("pgfleet.toml", PLAIN);
    for n in 1..=5 {
        stage.write(&format!("{n:04}_t.up.sql"), format!("CREATE TABLE t{n} (id int);"));
        stage.write(&format!("{n:04}_t.down.sql"), format!("DROP TABLE t{n};"));
    }
    stage.apply();
    stage
}

#[test]
fn the_last_some_and_all_are_taken_back() {
    let stage = reversible();
    assert_says(&stage.ends(&["rollback"], 5), &["PF402", "t5"]);
    stage.run(&["rollback", "--allow-data-loss"]).assert_success();
    assert_eq!(stage.versions(), "0001 0002 0003 0004");
    stage.run(&["rollback", "--steps", "2", "--allow-data-loss"]).assert_success();
    assert_eq!(stage.versions(), "0001 0002");
    stage.apply();
    stage.run(&["rollback", "--to", "0003", "--allow-data-loss"]).assert_success();
    assert_eq!(stage.versions(), "0001 0002 0003");
    stage.run(&["rollback", "--to", "0", "--allow-data-loss"]).assert_success();
    assert_eq!(stage.versions(), "");
    assert_eq!(stage.schema(), Stage::of(&[]).schema());
    let output = stage.run(&["rollback", "--allow-data-loss"]).assert_success();
    assert_says(&output.stdout, &["Nothing to do"]);
    stage.apply();
    assert_eq!(stage.versions(), "0001 0002 0003 0004 0005");
}

#[test]
fn a_way_back_that_nobody_wrote_is_derived_shown_and_proven() {
    let stage = Stage::of(&[
        ("0001_a.sql", "CREATE TYPE state AS ENUM ('new', 'old'); CREATE TABLE a (id int PRIMARY KEY, s state);"),
        ("0002_b.sql", "ALTER TABLE a ADD COLUMN v text NOT NULL DEFAULT 'x', ALTER COLUMN id TYPE bigint;
                        CREATE VIEW w AS SELECT v FROM a; ALTER TYPE state RENAME VALUE 'old' TO 'done';"),
    ]);
    stage.project.write("pgfleet.toml", PLAIN);
    stage.run(&["apply", "--to", "0001"]).assert_success();
    let before = stage.schema();
    stage.run(&["apply", "--allow-data-loss"]).assert_success();
    stage.db.sql("INSERT INTO a VALUES (1, 'new', 'y'); ALTER TABLE a ADD COLUMN hand date; CREATE TABLE mine ()");
    let shown = stage.run(&["rollback", "--dry-run"]).assert_success();
    assert_says(
        &shown.stdout,
        &[
            "0002_b has no down part; derived:",
            "DROP VIEW public.w;",
            "DROP COLUMN v",
            "was proven",
            "Nothing was changed",
        ],
    );
    assert_says(&stage.ends(&["rollback"], 5), &["PF402", "column v"]);
    assert_eq!(stage.versions(), "0001 0002");
    let output = stage.run(&["rollback", "--allow-data-loss"]).assert_success();
    assert_says(&output.stdout, &["derived where none was written, was proven"]);
    assert_eq!(stage.versions(), "0001");
    assert_eq!(stage.db.value("SELECT id || ' ' || s FROM a"), "1 new", "rows stay");
    stage.db.sql("ALTER TABLE a DROP COLUMN hand; DROP TABLE mine");
    assert_eq!(stage.schema(), before);
}

#[test]
fn a_derived_way_back_takes_names_back_and_keeps_rows() {
    let stage = Stage::of(&[
        ("0001_a.sql", "CREATE TYPE state AS ENUM ('new', 'old'); CREATE TYPE span AS RANGE (SUBTYPE = int);
                        CREATE TABLE a (id serial PRIMARY KEY, s state, note text, at span); CREATE INDEX ON a (note);"),
        ("0002_b.sql", "ALTER TABLE a RENAME COLUMN note TO remark; ALTER TABLE a RENAME TO b;
                        ALTER TABLE b ADD COLUMN v text DEFAULT 'x'; ALTER TYPE state RENAME VALUE 'old' TO 'done';
                        ALTER TYPE span RENAME TO stretch; ALTER INDEX a_note_idx RENAME TO b_remark_idx;"),
    ]);
    stage.project.write("pgfleet.toml", PLAIN);
    stage.run(&["apply", "--to", "0001"]).assert_success();
    let before = stage.schema();
    let shown = stage.run(&["plan", "--rehearse", "--rows", "all"]).assert_success();
    assert_says(
        &shown.stdout,
        &["reversible by a derived way back, except for:", "what was written to column public.b.v"],
    );
    stage.run(&["apply", "--allow-data-loss"]).assert_success();
    stage.db.sql("INSERT INTO b (s, remark, at) VALUES ('done', 'kept', '[1,5)')");
    let shown = stage.run(&["rollback", "--dry-run"]).assert_success();
    assert_says(
        &shown.stdout,
        &[
            "ALTER TABLE public.b RENAME TO a;",
            "RENAME COLUMN remark TO note",
            "RENAME VALUE 'done' TO 'old'",
        ],
    );
    stage.run(&["rollback", "--allow-data-loss"]).assert_success();
    assert_eq!(stage.schema(), before);
    assert_eq!(stage.db.value("SELECT concat_ws(' ', id, s, note, at) FROM a"), "1 old kept [1,5)");
}

#[test]
fn what_does_not_lead_back_is_refused_before_anything_is_done() {
    let stage = Stage::of(&[
        ("0001_a.up.sql", "CREATE TABLE a (id int);"),
        ("0001_a.down.sql", "DROP TABLE a;"),
        ("0002_b.up.sql", "CREATE TYPE state AS ENUM ('new'); CREATE TABLE b (s state);"),
        ("0002_b.down.sql", "DROP TABLE b;"),
    ]);
    stage.project.write("pgfleet.toml", PLAIN);
    stage.apply();
    let stderr = stage.ends(&["rollback", "--allow-data-loss"], 5);
    assert_says(&stderr, &["PF451", "0002_b", "it leaves enum public.state", "--unproven"]);
    let shown = stage.run(&["rollback", "--dry-run"]);
    assert_eq!(shown.code, 5);
    assert_says(&shown.stdout, &["To take back: 1 migration", "was not proven"]);
    assert_eq!(stage.versions(), "0001 0002");
    stage.run(&["rollback", "--unproven", "--allow-data-loss"]).assert_success();
    assert_eq!(stage.versions(), "0001");
    assert_eq!(stage.db.value("SELECT to_regtype('state') IS NOT NULL"), "t");
}

#[test]
fn what_was_changed_by_hand_is_named() {
    let stage = Stage::of(&[
        ("0001_a.sql", "CREATE TABLE a (id int);"),
        ("0002_b.sql", "ALTER TABLE a ADD COLUMN v text;"),
    ]);
    stage.project.write("pgfleet.toml", PLAIN);
    stage.apply();
    stage.db.sql("ALTER TABLE a ALTER COLUMN v TYPE varchar(9)");
    let stderr = stage.ends(&["rollback", "--allow-data-loss"], 5);
    assert_says(
        &stderr,
        &["PF451", "changed by hand", "table public.a is not as the migrations left it"],
    );
    assert_eq!(stage.versions(), "0001 0002");
}

#[test]
fn a_folder_that_cannot_be_replayed_allows_a_round_trip() {
    let stage = Stage::of(&[
        ("0001_a.sql", "CREATE TABLE a (id int) TABLESPACE gone;"),
        ("0002_b.up.sql", "CREATE TABLE b (id int);"),
        ("0002_b.down.sql", "DROP TABLE b;"),
        ("0003_c.sql", "CREATE TABLE c (id int);"),
    ]);
    stage.project.write("pgfleet.toml", PLAIN);
    stage.db.sql("CREATE TABLE a (id int)");
    stage.run(&["baseline", "0001", "--yes"]).assert_success();
    stage.apply();
    let stderr = stage.ends(&["rollback", "--allow-data-loss"], 5);
    assert_says(&stderr, &["PF409", "0003_c", "none can be derived", "0001_a.sql:1:"]);
    stage.run(&["rollback", "--objects", "c", "--allow-data-loss"]).assert_success();
    stage.run(&["resolve", "--rolled-back", "0003"]).assert_success();
    let output = stage.run(&["rollback", "--allow-data-loss"]).assert_success();
    assert_says(&output.stdout, &["proven on a scratch copy by a round trip only"]);
    assert_eq!(stage.versions(), "0001");
}

#[test]
fn a_missing_file_cannot_be_taken_back() {
    let stage = reversible();
    for way in ["up", "down"] {
        std::fs::remove_file(stage.project.path().join(format!("migrations/0005_t.{way}.sql")))
            .unwrap();
    }
    assert_says(&stage.ends(&["rollback", "--allow-data-loss"], 5), &["PF410", "0005"]);
    assert_says(&stage.ends(&["rollback", "--to", "0009", "--allow-data-loss"], 2), &["PF132"]);
}

#[test]
fn a_failed_way_back_leaves_its_migration() {
    let stage = reversible();
    stage.db.sql("CREATE VIEW v AS SELECT * FROM t4");
    let stderr = stage.ends(&["rollback", "--steps", "3", "--allow-data-loss"], 5);
    assert_says(&stderr, &["PF451", "PF309", "migrations/0004_t.down.sql:1:1"]);
    assert_eq!(stage.versions(), "0001 0002 0003 0004 0005");
    let stderr = stage.ends(&["rollback", "--steps", "3", "--allow-data-loss", "--unproven"], 4);
    assert_says(&stderr, &["PF309", "migrations/0004_t.down.sql:1:1"]);
    assert_eq!(stage.versions(), "0001 0002 0003 0004");
}

#[test]
fn listed_objects_go_dependents_first() {
    let stage = reversible();
    stage.db.sql("CREATE VIEW v AS SELECT * FROM t1");
    stage.ends(&["rollback", "--objects", "t1,v"], 5);
    stage.run(&["rollback", "--objects", "t1,v", "--allow-data-loss"]).assert_success();
    assert_eq!(
        stage.db.value("SELECT to_regclass('t1') IS NULL AND to_regclass('v') IS NULL"),
        "t"
    );
}

#[test]
fn reset_empties_a_development_database_only() {
    let stage = reversible();
    assert_says(&stage.ends(&["reset"], 5), &["PF402"]);
    stage.project.write("pgfleet.toml", format!("{PLAIN}[database]\ndevelopment = false\n"));
    assert_says(&stage.ends(&["reset", "--allow-data-loss"], 5), &["PF412"]);
    let remote =
        stage.cli_at("postgres://u@db.example.com/x", &["reset", "--allow-data-loss"]).run();
    assert_eq!(remote.code, 5);
    assert_eq!(stage.versions(), "0001 0002 0003 0004 0005");
    stage.project.write("pgfleet.toml", format!("{PLAIN}[database]\ndevelopment = true\n"));
    stage.run(&["reset", "--allow-data-loss"]).assert_success();
    assert_eq!(stage.schema(), Stage::on(TestDb::new(), &[]).schema(), "as a new database");
    assert!(stage.is_untouched());
    stage.apply();
}

#[test]
fn apply_after_half_a_way_back_says_so() {
    let stage = Stage::of(&[
        ("0001_a.up.sql", "CREATE TABLE a (id int);\nCREATE INDEX CONCURRENTLY i ON a (id);"),
        ("0001_a.down.sql", "DROP INDEX CONCURRENTLY i;\nSELECT nothing;\nDROP TABLE a;"),
    ]);
    stage.project.write("pgfleet.toml", PLAIN);
    stage.apply();
    assert_says(&stage.ends(&["rollback", "--allow-data-loss"], 5), &["PF451", "nothing"]);
    stage.ends(&["rollback", "--allow-data-loss", "--unproven"], 4);
    assert_says(&stage.ends(&["apply"], 5), &["PF404", "pgfleet rollback"]);
    stage.write("0001_a.down.sql", "DROP INDEX CONCURRENTLY i;\nDROP TABLE a;");
    stage.run(&["rollback", "--allow-data-loss"]).assert_success();
    stage.apply();
    assert_eq!(stage.db.value("SELECT to_regclass('i') IS NOT NULL"), "t");
}

#[test]
fn a_derived_way_back_with_renames_that_was_killed_between_its_transactions_is_finished() {
    let stage = Stage::of(&[
        (
            "0001_a.sql",
            "CREATE TYPE state AS ENUM ('new', 'old'); CREATE TABLE t (s state DEFAULT 'old');
             CREATE TABLE people (mail text);",
        ),
        (
            "0002_b.sql",
            "ALTER TABLE people RENAME COLUMN mail TO email; ALTER TABLE people RENAME TO persons;
             ALTER TABLE t ALTER COLUMN s DROP DEFAULT, ALTER COLUMN s TYPE text; DROP TYPE state;
             CREATE TYPE state AS ENUM ('new');
             ALTER TABLE t ALTER COLUMN s TYPE state USING s::state, ALTER COLUMN s SET DEFAULT 'new';",
        ),
    ]);
    stage.project.write("pgfleet.toml", PLAIN);
    stage.run(&["apply", "--to", "0001"]).assert_success();
    let before = stage.schema();
    stage.run(&["apply", "--allow-data-loss"]).assert_success();
    stage.db.sql("INSERT INTO persons VALUES ('kept')");
    // The default needs the label committed: the second transaction waits for the reader, when the names
    // are taken back already.
    let reader = block(&stage, "BEGIN; SELECT * FROM t");
    let mut running = stage.spawn(&["rollback", "--allow-data-loss"]);
    let half = "SELECT EXISTS (SELECT FROM pgfleet.steps WHERE direction = 'down' \
                AND state = 'done' AND NOT closed)";
    wait_until(&stage.db, half);
    running.kill();
    drop(running);
    // The server has got the whole transaction already, and would go on with it.
    stage.db.value(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
         WHERE application_name = 'pgfleet' AND datname = current_database()",
    );
    let gone = "SELECT count(*) = 0 FROM pg_stat_activity \
                WHERE application_name = 'pgfleet' AND datname = current_database()";
    wait_until(&stage.db, gone);
    drop(reader);
    assert_eq!(stage.db.value("SELECT mail FROM people"), "kept");
    assert_eq!(stage.versions(), "0001 0002", "only the last transaction takes it out");
    assert_says(&stage.ends(&["apply"], 5), &["PF404", "taken back in part"]);
    stage.run(&["rollback", "--allow-data-loss"]).assert_success();
    assert_eq!(stage.versions(), "0001");
    assert_eq!(stage.schema(), before);
    assert_eq!(stage.db.value("SELECT mail FROM people"), "kept");
    assert_eq!(stage.db.value("SELECT count(*) FROM pgfleet.steps WHERE NOT closed"), "0");
}

/// Names taken back, in a transaction, and a label, which must be committed before the default that
/// needs it.
const NAMED: [(&str, &str); 2] = [
    (
        "0001_a.sql",
        "CREATE TYPE state AS ENUM ('new', 'old'); CREATE TYPE span AS RANGE (SUBTYPE = int);
         CREATE TABLE a (id serial PRIMARY KEY, s state DEFAULT 'old', note text, at span);
         CREATE INDEX ON a (note);",
    ),
    (
        "0002_b.sql",
        "ALTER TABLE a RENAME COLUMN note TO remark; ALTER TABLE a RENAME TO b;
         ALTER TYPE span RENAME TO stretch; ALTER INDEX a_note_idx RENAME TO b_remark_idx;
         ALTER TABLE b ALTER COLUMN s DROP DEFAULT, ALTER COLUMN s TYPE text; DROP TYPE state;
         CREATE TYPE state AS ENUM ('new');
         ALTER TABLE b ALTER COLUMN s TYPE state USING s::state, ALTER COLUMN s SET DEFAULT 'new';",
    ),
];

/// `PGFLEET_KILLS` is the number of times that all connections are cut, behind one of the last messages
/// of a rollback: those in which the target is changed.
#[test]
fn a_derived_way_back_with_renames_that_is_cut_anywhere_is_finished() {
    let cluster = Cluster::shared();
    let stage = Stage::on(TestDb::on(&cluster), &NAMED);
    stage.project.write("pgfleet.toml", PLAIN);
    stage.run(&["apply", "--to", "0001"]).assert_success();
    let before = stage.schema();
    let rollback = |behind: Option<(Direction, u64)>| {
        stage.run(&["apply", "--allow-data-loss"]).assert_success();
        stage.db.sql("INSERT INTO b (s, remark, at) VALUES ('new', 'kept', '[1,5)')");
        let proxy = Proxy::before(&cluster, Duration::ZERO);
        proxy.pass_over_programs();
        if let Some((direction, after)) = behind {
            proxy.cut_after_messages(direction, after);
        }
        let url = proxy.through(&stage.db.url());
        let run = stage.cli_at(&url, &["rollback", "--allow-data-loss"]).run();
        (run, proxy.traffic())
    };
    let (whole, traffic) = rollback(None);
    whole.assert_success();
    assert_eq!(stage.schema(), before);
    let kills = std::env::var("PGFLEET_KILLS").ok().and_then(|text| text.parse().ok());
    let (kills, mut half, mut undone) = (kills.unwrap_or(2), 0, 0);
    for round in 0..kills {
        let (direction, all) = match round % 2 {
            0 => (Direction::ToServer, traffic.messages_to_server),
            _ => (Direction::ToClient, traffic.messages_to_client),
        };
        let (cut, _) = rollback(Some((direction, all - all * (round + 1) / (kills + 1) / 3)));
        let context = format!("round {round}: {}", cut.stderr);
        let open = "SELECT count(*) FROM pgfleet.steps WHERE NOT closed";
        half += u32::from(stage.db.value(open) != "0");
        if stage.versions() == "0001 0002" {
            undone += 1;
            stage.run(&["rollback", "--allow-data-loss"]).assert_success();
        }
        assert_eq!(stage.versions(), "0001", "{context}");
        assert_eq!(stage.schema(), before, "{context}");
        assert_eq!(stage.db.value(open), "0", "{context}");
        let rows = "SELECT count(*) = count(*) FILTER (WHERE note = 'kept' AND s = 'new') FROM a";
        assert_eq!(stage.db.value(rows), "t", "{context}");
    }
    println!("{traffic:?}; of {kills} cuts {undone} before the end, {half} between transactions");
}
