//! The four tables of a chat, in the start states that a fleet of organisations has.

use pgfleet_testkit::TestDb;

use crate::stage::{Stage, assert_says};

/// One organisation's chat, before there were others.
pub const CHAT: &str = r#"
CREATE TABLE organisations (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO organisations VALUES (1, 'Velosi'), (2, 'Other');
CREATE TABLE vechat_conversations (
  id bigserial PRIMARY KEY, participant1_id int NOT NULL, participant1_type text NOT NULL,
  participant2_id int NOT NULL, participant2_type text NOT NULL, created_at timestamptz DEFAULT now());
CREATE UNIQUE INDEX "IDX_vechat_conversations_participants"
  ON vechat_conversations (participant1_id, participant1_type, participant2_id, participant2_type);
CREATE TABLE vechat_messages (
  id bigserial PRIMARY KEY, conversation_id bigint NOT NULL REFERENCES vechat_conversations ON DELETE CASCADE,
  sender_id int NOT NULL, body text);
CREATE TABLE vechat_presence (
  id serial PRIMARY KEY, user_id int NOT NULL, user_type text NOT NULL, status text,
  CONSTRAINT "UQ_presence" UNIQUE (user_id, user_type) DEFERRABLE INITIALLY IMMEDIATE);
COMMENT ON CONSTRAINT "UQ_presence" ON vechat_presence IS 'one presence a user';
CREATE TABLE vechat_user_settings (
  id serial PRIMARY KEY, user_id int NOT NULL, user_type text NOT NULL, muted bool DEFAULT false,
  CONSTRAINT vechat_user_settings_key UNIQUE (user_id, user_type));
CREATE FUNCTION touch_settings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO vechat_user_settings (user_id, user_type) VALUES (NEW.user_id, NEW.user_type)
    ON CONFLICT (user_id, user_type) DO UPDATE SET muted = false;
  RETURN NEW;
END $$;
CREATE TRIGGER touch_settings AFTER INSERT OR UPDATE ON vechat_presence
  FOR EACH ROW EXECUTE FUNCTION touch_settings();
INSERT INTO vechat_conversations (participant1_id, participant1_type, participant2_id, participant2_type)
  SELECT g, 'staff', g + 1, 'client' FROM generate_series(1, 300) g;
INSERT INTO vechat_messages (conversation_id, sender_id, body)
  SELECT 1 + g % 300, g % 50, 'm' || g FROM generate_series(1, 5000) g;
INSERT INTO vechat_presence (user_id, user_type) SELECT g, 'staff' FROM generate_series(1, 200) g;
ANALYZE;
"#;

pub const TENANCY: &str = r#"
[migrations]
dir = "migrations"
[tenancy]
column = "organisation_id"
type = "int"
constant = 1
references = "organisations.id"
tables = ["vechat_conversations", "vechat_presence", "vechat_user_settings"]
[[tenancy.table]]
name = "vechat_messages"
via = ["conversation_id"]
"#;

pub fn stage(chat: &str, tenancy: &str) -> Stage {
    let stage = Stage::on(TestDb::new(), &[]);
    stage.write("0001_chat.sql", chat);
    stage.project.write("pgfleet.toml", tenancy);
    stage.apply();
    stage
}

pub const STATE_OF_COLUMNS: &str = "SELECT string_agg(table_name || ' ' || data_type || ' ' || is_nullable, ', ' ORDER BY table_name) \
    FROM information_schema.columns WHERE column_name = 'organisation_id' AND table_name LIKE 'vechat%'";

pub const DONE: &str = "vechat_conversations integer NO, vechat_messages integer NO, \
    vechat_presence integer NO, vechat_user_settings integer NO";

pub fn rows(db: &TestDb) -> String {
    let count = |table: &str| {
        db.value(&format!(
            "SELECT '{table} ' || count(*) || '/' || count(organisation_id) || ' ' || coalesce(sum(id), 0) FROM {table}"
        ))
    };
    ["vechat_conversations", "vechat_messages", "vechat_presence", "vechat_user_settings"]
        .map(count)
        .join(", ")
}

#[test]
fn the_chat_is_converted_used_and_taken_back() {
    let stage = stage(CHAT, TENANCY);
    let before = stage.schema();
    let made = stage.run(&["tenantize"]).assert_success();
    assert_says(
        &made.stdout,
        &["UQ_presence", "ON CONFLICT is rewritten in public.touch_settings", "Proven"],
    );
    stage.apply();
    assert_eq!(stage.db.value(STATE_OF_COLUMNS), DONE);
    assert_eq!(
        rows(&stage.db),
        "vechat_conversations 300/300 45150, vechat_messages 5000/5000 12502500, \
         vechat_presence 200/200 20100, vechat_user_settings 200/200 20100"
    );
    stage.run(&["verify", "--checks", "tenancy.checks.toml"]).assert_success();
    let again = stage.run(&["tenantize"]).assert_success();
    assert_says(&again.stdout, &["Nothing to do"]);
    // New rows of the old application and of another organisation; the trigger's ON CONFLICT works.
    stage.db.sql("UPDATE vechat_presence SET status = 'here' WHERE user_id = 7");
    stage.db.sql("INSERT INTO vechat_messages (conversation_id, sender_id) VALUES (5, 1)");
    stage.db.sql("INSERT INTO vechat_user_settings (user_id, user_type, organisation_id) VALUES (7, 'staff', 2)");
    assert_eq!(
        stage.db.value("SELECT organisation_id FROM vechat_messages ORDER BY id DESC LIMIT 1"),
        "1"
    );
    // Two organisations share a key that was unique.
    let refused = stage.ends(&["rollback", "--allow-data-loss"], 4);
    assert_says(
        &refused,
        &["tenants share a key (user_id, user_type)", "(7, staff) of tenants 1, 2"],
    );
    assert_eq!(stage.db.value(STATE_OF_COLUMNS), DONE);
    stage.db.sql("DELETE FROM vechat_user_settings WHERE organisation_id = 2");
    stage.run(&["rollback", "--allow-data-loss"]).assert_success();
    assert_eq!(stage.schema(), before);
}

/// Start states that differ from [`CHAT`]; each is converted, and taken back to what it was.
const STATES: &[(&str, &str)] = &[
    ("as it was", ""),
    (
        "nullable and half filled",
        "ALTER TABLE vechat_messages ADD organisation_id int; \
         UPDATE vechat_messages SET organisation_id = 1 WHERE id % 2 = 0; \
         ALTER TABLE vechat_presence ADD organisation_id int DEFAULT 1;",
    ),
    (
        "half converted to bigint",
        "ALTER TABLE vechat_conversations ADD organisation_id bigint; \
         UPDATE vechat_conversations SET organisation_id = 1 WHERE id % 3 = 0; \
         ALTER TABLE vechat_user_settings ADD organisation_id bigint NOT NULL DEFAULT 1; \
         CREATE INDEX odd ON vechat_user_settings (organisation_id); \
         CREATE POLICY own ON vechat_user_settings USING (organisation_id > 0); \
         ALTER TABLE vechat_user_settings ADD CHECK (organisation_id > 0), ADD UNIQUE (organisation_id, user_id, user_type);",
    ),
    (
        "other names",
        "ALTER INDEX \"IDX_vechat_conversations_participants\" RENAME TO \"Teilnehmer (alt)\"; \
         ALTER TABLE vechat_presence RENAME CONSTRAINT \"UQ_presence\" TO p1;",
    ),
    (
        "done by hand",
        "ALTER TABLE vechat_presence ADD organisation_id int NOT NULL DEFAULT 1 REFERENCES organisations; \
         ALTER TABLE vechat_presence DROP CONSTRAINT \"UQ_presence\", ADD UNIQUE (organisation_id, user_id, user_type);",
    ),
];

#[test]
fn every_start_state_is_completed_and_taken_back_exactly() {
    for (name, sql) in STATES {
        let stage = stage(&format!("{CHAT}\n{sql}"), TENANCY);
        let (schema, counts) =
            (stage.schema(), "SELECT count(*) || ' ' || sum(id) FROM vechat_messages");
        let before = stage.db.value(counts);
        stage.run(&["tenantize"]).assert_success();
        stage.run(&["apply", "--allow-data-loss"]).assert_success();
        assert_eq!(stage.db.value(STATE_OF_COLUMNS), DONE, "{name}");
        assert_eq!(stage.db.value(counts), before, "{name}");
        assert!(rows(&stage.db).contains("vechat_messages 5000/5000"), "{name}");
        stage.run(&["verify", "--checks", "tenancy.checks.toml"]).assert_success();
        assert_says(&stage.run(&["tenantize"]).assert_success().stdout, &["Nothing to do"]);
        stage.run(&["rollback", "--allow-data-loss"]).assert_success();
        assert_eq!(stage.schema(), schema, "{name}");
    }
}

#[test]
fn what_stands_in_the_way_is_named_and_nothing_is_written() {
    let needs = |table: &str| TENANCY.replace("\"vechat_presence\",", table);
    for (sql, tenancy, says) in [
        (
            "DROP TABLE vechat_messages",
            TENANCY.to_owned(),
            &["vechat_messages does not exist", "absent = \"skip\""][..],
        ),
        ("DELETE FROM organisations", TENANCY.to_owned(), &["is not in public.organisations"]),
        (
            "ALTER TABLE vechat_messages DROP CONSTRAINT vechat_messages_conversation_id_fkey; \
             UPDATE vechat_messages SET conversation_id = 9999 WHERE id < 4; \
             ALTER TABLE vechat_messages ALTER conversation_id DROP NOT NULL",
            TENANCY.replace(
                "via = [\"conversation_id\"]",
                "via = [\"conversation_id -> vechat_conversations.id\"]",
            ),
            &["3 rows of public.vechat_messages lead to no tenant", "for example"],
        ),
        (
            "ALTER TABLE vechat_presence ADD organisation_id bigint; UPDATE vechat_presence SET organisation_id = 9999999999",
            TENANCY.to_owned(),
            &["vechat_presence", "out of range"],
        ),
        (
            "ALTER TABLE vechat_messages ADD u int, ADD t text, ADD CONSTRAINT needs FOREIGN KEY (u, t) REFERENCES vechat_user_settings (user_id, user_type)",
            TENANCY.to_owned(),
            &["needs the key vechat_user_settings_key", "keep_unique"],
        ),
        (
            "CREATE RULE upsert AS ON INSERT TO vechat_messages DO ALSO INSERT INTO vechat_presence (user_id, user_type) \
             VALUES (NEW.sender_id, 'x') ON CONFLICT (user_id, user_type) DO NOTHING",
            TENANCY.to_owned(),
            &["rule upsert", "UQ_presence"],
        ),
        (
            "ALTER TABLE vechat_user_settings ADD organisation_id int, ADD UNIQUE (organisation_id, muted)",
            TENANCY.to_owned(),
            &["values of (organisation_id, muted)", "are shared once", "(1,f"],
        ),
        ("", needs("\"nowhere\","), &["nowhere does not exist"]),
        ("", TENANCY.replace("\"int\"", "\"number\""), &["PF191", "no type number"]),
    ] {
        let stage = stage(CHAT, &tenancy);
        stage.db.sql(&format!("SET session_replication_role = replica; {sql}"));
        let output = stage.run(&["tenantize"]);
        assert_ne!(output.code, 0, "{sql}: {}", output.stdout);
        assert_says(&output.stderr, says);
        let written = stage.project.path().join("migrations").read_dir().unwrap().count();
        assert_eq!(written, 1, "{sql}");
    }
}

#[test]
fn a_derived_table_is_walked_to_its_tenant_however_it_is_called() {
    let wide: String = (1..=200).map(|n| format!(", c{n} int DEFAULT {n}")).collect();
    let base = format!(
        "CREATE SCHEMA \"App\"; CREATE TABLE \"App\".\"Org s\" (\"Id\" uuid PRIMARY KEY); \
         INSERT INTO \"App\".\"Org s\" SELECT md5(g::text)::uuid FROM generate_series(1, 3) g; \
         CREATE TABLE \"App\".\"User\" (id int PRIMARY KEY, \"Org\" uuid NOT NULL REFERENCES \"App\".\"Org s\"); \
         INSERT INTO \"App\".\"User\" SELECT g, md5((1 + g % 3)::text)::uuid FROM generate_series(1, 90) g; \
         CREATE TABLE \"App\".\"Wide\" (id int PRIMARY KEY, \"By\" int NOT NULL REFERENCES \"App\".\"User\"{wide}); \
         INSERT INTO \"App\".\"Wide\" SELECT g, 1 + g % 90 FROM generate_series(1, 3000) g; \
         CREATE TABLE parts (id int, wide int NOT NULL, PRIMARY KEY (id)) PARTITION BY RANGE (id); \
         CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (500); \
         CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (500) TO (9999); \
         INSERT INTO parts SELECT g, 1 + g % 3000 FROM generate_series(1, 1000) g; ANALYZE;"
    );
    let tenancy = "[migrations]\ndir = 'migrations'\n[tenancy]\ncolumn = 'Org'\ntype = 'uuid'\nreferences = '\"App\".\"Org s\".\"Id\"'\n\
        row_security = \"\\\"Org\\\" = current_setting('app.org', true)::uuid\"\n\
        [[tenancy.table]]\nname = 'parts'\nvia = ['wide -> \"App\".\"Wide\".id', '\"By\"']\n\
        [[tenancy.table]]\nname = '\"App\".\"Wide\"'\nvia = ['\"By\"']\n";
    let stage = stage(&base, tenancy);
    let before = stage.schema();
    stage.run(&["tenantize", "--dry-run"]).assert_success();
    stage.run(&["tenantize"]).assert_success();
    stage.apply();
    let wrong = "SELECT (SELECT count(*) FROM \"App\".\"Wide\" w JOIN \"App\".\"User\" u ON u.id = w.\"By\" WHERE w.\"Org\" <> u.\"Org\") \
        + (SELECT count(*) FROM parts p JOIN \"App\".\"Wide\" w ON w.id = p.wide WHERE p.\"Org\" IS DISTINCT FROM w.\"Org\")";
    assert_eq!(stage.db.value(wrong), "0");
    stage.db.sql("INSERT INTO parts VALUES (2000, 7)");
    assert_eq!(stage.db.value(wrong), "0");
    stage.run(&["verify", "--checks", "tenancy.checks.toml"]).assert_success();
    stage.run(&["rollback", "--allow-data-loss"]).assert_success();
    assert_eq!(stage.schema(), before);
}

/// Databases of a group in all start states, some equal; one migration serves them all.
#[test]
fn a_fleet_in_five_states_is_converted_by_one_migration_and_taken_back() {
    let states = [0, 1, 2, 3, 4, 0];
    let fleet: Vec<_> = states.iter().map(|_| TestDb::new()).collect();
    let stage = Stage::on(TestDb::new(), &[]);
    let names: Vec<_> = fleet.iter().map(|db| format!("\"{}\"", db.name())).collect();
    let group = format!(
        "[groups.all_of_them]\nserver = \"{}\"\ndatabases = [{}]\ndir = \"migrations\"\n{TENANCY}",
        stage.db.url(),
        names.join(", ")
    );
    stage.project.write("pgfleet.toml", group);
    stage.write("0001_chat.sql", CHAT);
    let run = |args: &[&str]| {
        let args = [args, &["--group", "all_of_them"]].concat();
        stage.project.pgfleet(args.iter().copied()).run()
    };
    run(&["apply"]).assert_success();
    let mut before = Vec::new();
    for (db, state) in fleet.iter().zip(states) {
        db.sql(&format!("SELECT 1; {}", STATES[state].1));
        before.push((
            db.dump_schema_with(&pgfleet_testkit::DumpOptions::without_pgfleet()),
            db.value("SELECT count(*) || ' ' || sum(id) FROM vechat_messages"),
        ));
    }
    let made = run(&["tenantize"]).assert_success();
    assert_says(&made.stdout, &["2 of 6", "1 of 6", "Proven"]);
    run(&["apply", "--allow-data-loss"]).assert_success();
    for (db, (_, counts)) in fleet.iter().zip(&before) {
        assert_eq!(db.value(STATE_OF_COLUMNS), DONE);
        assert_eq!(&db.value("SELECT count(*) || ' ' || sum(id) FROM vechat_messages"), counts);
        assert!(rows(db).contains("vechat_messages 5000/5000"), "{}", rows(db));
    }
    run(&["verify", "--checks", "tenancy.checks.toml"]).assert_success();
    // A database in a state that nobody planned for is not touched.
    let late = TestDb::new();
    late.sql(&format!("{CHAT} ALTER TABLE vechat_presence ADD organisation_id text"));
    let late_run = |args: &[&str]| {
        let cli = stage.project.pgfleet(args.iter().copied());
        cli.args(["--url", &late.url(), "--dir", "migrations"]).run()
    };
    late_run(&["baseline", "0001"]).assert_success();
    let refused = late_run(&["apply", "--allow-data-loss"]);
    assert_eq!(refused.code, 4, "{}", refused.stderr);
    assert_says(&refused.stderr, &["was not made for"]);
    // What was done by hand is not what the history explains, so that no proof can be had.
    run(&["rollback", "--unproven", "--allow-data-loss"]).assert_success();
    for (db, (schema, _)) in fleet.iter().zip(&before) {
        assert_eq!(&db.dump_schema_with(&pgfleet_testkit::DumpOptions::without_pgfleet()), schema);
    }
}

/// Killed anywhere, the conversion and its way back are finished by the same command.
#[test]
fn a_killed_conversion_is_finished_and_so_is_its_way_back() {
    let kills: u64 =
        std::env::var("PGFLEET_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(4);
    for seed in 0..kills {
        let stage = stage(CHAT, TENANCY);
        let before = stage.schema();
        stage.run(&["tenantize"]).assert_success();
        for command in [&["apply"][..], &["rollback", "--to", "0001", "--allow-data-loss"]] {
            let mut running = stage.spawn(command);
            std::thread::sleep(std::time::Duration::from_millis(60 + seed * 611 % 900));
            running.kill();
            drop(running);
            let output = stage.run(command);
            assert_eq!(output.code, 0, "{command:?} {}\n{}", output.stdout, output.stderr);
            if command[0] == "apply" {
                assert_eq!(stage.db.value(STATE_OF_COLUMNS), DONE, "seed {seed}");
                assert!(rows(&stage.db).contains("vechat_messages 5000/5000"), "seed {seed}");
            } else {
                assert_eq!(stage.db.value("SELECT count(*) FROM pgfleet.migrations"), "1");
                assert_eq!(stage.schema(), before, "seed {seed}");
            }
        }
    }
}

/// The same on one migration for databases in two states, with conditions and batches; they are used
/// again and again, as the way back leads to where they were.
#[test]
fn a_killed_conversion_of_databases_in_two_states_is_finished_and_so_is_its_way_back() {
    let kills: u64 =
        std::env::var("PGFLEET_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(2);
    let stage = Stage::on(TestDb::new(), &[("0001_chat.sql", CHAT)]);
    let fleet = [TestDb::new(), TestDb::new()];
    let group = format!(
        "[groups.two]\nserver = \"{}\"\ndatabases = [\"{}\", \"{}\"]\ndir = \"migrations\"\n{TENANCY}",
        stage.db.url(),
        fleet[0].name(),
        fleet[1].name()
    );
    stage.project.write("pgfleet.toml", group);
    let cli = |args: &[&str]| stage.project.pgfleet([args, &["--group", "two"]].concat());
    cli(&["apply"]).run().assert_success();
    for (db, (_, sql)) in fleet.iter().zip(&STATES[1..3]) {
        db.sql(&format!("SELECT 1; {sql}"));
    }
    let state = |db: &TestDb| db.dump_schema_with(&pgfleet_testkit::DumpOptions::without_pgfleet());
    let before = fleet.each_ref().map(state);
    cli(&["tenantize"]).run().assert_success();
    let forth = &["apply", "--allow-data-loss"][..];
    let back = &["rollback", "--to", "0001", "--unproven", "--allow-data-loss"];
    let mut in_the_middle = 0;
    for seed in 0..kills {
        for command in [forth, back] {
            let mut running = cli(command).spawn();
            std::thread::sleep(std::time::Duration::from_millis(100 + seed * 7_919 % 1_500));
            in_the_middle += u64::from(!running.is_finished());
            running.kill();
            drop(running);
            let output = cli(command).run();
            assert_eq!(
                output.code, 0,
                "seed {seed} {command:?} {}\n{}",
                output.stdout, output.stderr
            );
            for (db, before) in fleet.iter().zip(&before) {
                match command[0] {
                    "apply" => {
                        assert_eq!(db.value(STATE_OF_COLUMNS), DONE, "seed {seed}");
                        let rows = rows(db);
                        assert!(
                            rows.contains("vechat_messages 5000/5000 12502500"),
                            "seed {seed} {rows}"
                        );
                    }
                    _ => assert_eq!(&state(db), before, "seed {seed}"),
                }
            }
        }
        fleet[0].sql("UPDATE vechat_messages SET organisation_id = NULL WHERE id % 2 = 1");
    }
    println!("{in_the_middle} of {} kills hit a run that was at work", 2 * kills);
    assert!(in_the_middle > 0, "no kill hit a run that was at work");
}
