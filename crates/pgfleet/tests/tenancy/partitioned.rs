//! A partitioned table is converted while its application works, in all of its partitions.

use pgfleet_testkit::{Clients, Cluster, ProgramOutput, client_command, majors, schemas};

use crate::stage::{Stage, assert_says};

/// The same as the corpus converts: partitions of partitions, keys of every kind, and rows.
const EVENTS: &str = include_str!("../../../../corpus/tenancy/partitioned/database.sql");
const ROWS: &str = "
INSERT INTO organisations VALUES (1), (2);
INSERT INTO accounts SELECT g, 1 + g % 2 FROM generate_series(1, 40) g;
INSERT INTO \"Events\" (day, account_id, code) SELECT g % 25, 1 + g % 40, 'c' || g FROM generate_series(1, 5000) g;
CREATE SEQUENCE numbers START 10000;
ANALYZE;
";
const FLAGS: [&str; 8] = [
    "--column",
    "organisation_id",
    "--type",
    "int",
    "--via",
    "\"Events\"=account_id",
    "--references",
    "organisations.id",
];

/// New events, some through the function with its `ON CONFLICT`, and events that go to another partition.
const WORK: &str = "
\\set day random(0, 24)
\\set event random(1, 5000)
\\set account random(1, 40)
INSERT INTO \"Events\" (day, account_id, code) VALUES (:day, :account, 'n' || nextval('numbers'));
SELECT note(:day, :account, 'note' || :account || ' ' || :day);
UPDATE \"Events\" SET day = :day WHERE id = :event;
UPDATE \"Events\" SET seen = seen + 1 WHERE id = :event;
SELECT count(*) FROM \"Events\" WHERE day = :day;
\\sleep 5 ms
";

fn stage() -> Stage {
    let stage = Stage::of(&[("0001_events.sql", &format!("{EVENTS}{ROWS}"))]);
    stage.apply();
    stage
}

#[test]
fn clients_of_a_partitioned_table_are_not_disturbed() {
    let stage = stage();
    let before = stage.schema();
    stage.run(&[&["tenantize"], &FLAGS[..]].concat()).assert_success();
    let load = Clients::on(&stage.db.url(), 3, "", &[WORK]);
    let forth = stage.run(&["apply"]);
    let wrong = "SELECT count(*) FROM \"Events\" e JOIN accounts a ON a.id = e.account_id \
                 WHERE e.organisation_id IS DISTINCT FROM a.organisation_id";
    let counted = (forth.code == 0).then(|| stage.db.value(wrong));
    let back = stage.run(&["rollback", "--allow-data-loss"]);
    load.assert_undisturbed(|sql| stage.db.value(sql));
    forth.assert_success();
    assert_eq!(counted.unwrap(), "0");
    back.assert_success();
    assert_eq!(stage.schema(), before);
    let worked = "SELECT (count(*) > 5000) || ' ' || (sum(seen) > 0) FROM \"Events\"";
    assert_eq!(stage.db.value(worked), "true true", "clients did something");
}

/// The statements are the same whatever the server, so that one migration serves them all.
#[test]
fn every_major_version_is_converted_and_taken_back() {
    let made = stage();
    made.run(&[&["tenantize"], &FLAGS[..]].concat()).assert_success();
    std::thread::scope(|scope| {
        for major in [14, 16, 17, 18] {
            let made = &made;
            scope.spawn(move || on_major(made, major));
        }
    });
}

fn on_major(made: &Stage, major: u16) {
    let cluster = Cluster::fresh().installation(majors::major(major)).start();
    let db = cluster.database();
    let run = |args: &[&str]| {
        let output = made.cli_at(&db.url(), args).run();
        assert_eq!(output.code, 0, "{major} {args:?}: {}{}", output.stdout, output.stderr);
    };
    run(&["apply", "--to", "0001"]);
    let before = schemas::read(&db);
    run(&["apply"]);
    run(&["verify", "--checks", "tenancy.checks.toml"]);
    let converted = "SELECT count(*) || ' ' || sum((organisation_id IS NULL)::int) FROM \"Events\"";
    assert_eq!(db.value(converted), "5000 0", "{major}");
    db.sql("SELECT note(24, 7, 'n'); SELECT note(24, 7, 'n')");
    assert_eq!(db.value("SELECT seen FROM events_3 WHERE code = 'n'"), "1", "{major}");
    // Statement by statement, as other tools do: a pg_dump for a proof there is only of one version.
    let down = made.project.path().join("migrations");
    let down = down.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let down = down.filter(|path| path.to_string_lossy().contains("down")).max().unwrap();
    let mut psql = client_command("psql");
    psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f"]).arg(down).arg(db.url());
    ProgramOutput::of(&mut psql).assert_success();
    let after = schemas::read(&db);
    let rest = pgfleet_core::schema::diff::compare(&after, &before);
    let rest: Vec<_> = rest.statements().into_iter().map(|statement| statement.sql).collect();
    assert!(rest.is_empty(), "{major}: {rest:?}");
}

const LOG: &str = "
CREATE TABLE log (day int NOT NULL, org int NOT NULL, code text NOT NULL,
  CONSTRAINT once UNIQUE (day, code) DEFERRABLE) PARTITION BY RANGE (day);
CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM (0) TO (10);
";

#[test]
fn a_partition_that_came_later_is_named_before_a_key_goes() {
    let stage = Stage::of(&[("0001_log.sql", LOG)]);
    stage.apply();
    let before = stage.schema();
    let flags = ["tenantize", "--column", "tenant", "--type", "int", "--sql", "log=log.org"];
    stage.run(&flags).assert_success();
    stage.apply();
    stage.db.sql("CREATE TABLE log_2 PARTITION OF log FOR VALUES FROM (10) TO (20)");
    stage.db.sql("INSERT INTO log VALUES (11, 3, 'late')");
    let back = ["rollback", "--unproven", "--allow-data-loss"];
    let said = stage.ends(&back, 4);
    assert_says(
        &said,
        &["partitions without the key public.once_old: ", "log_2", "ATTACH PARTITION"],
    );
    let key = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'once'";
    assert_eq!(stage.db.value(key), "UNIQUE (tenant, day, code) DEFERRABLE");
    // What the message says is to be done.
    for sql in [
        "CREATE UNIQUE INDEX CONCURRENTLY one ON log_2 USING btree (day, code)",
        "ALTER TABLE log_2 ADD CONSTRAINT one UNIQUE USING INDEX one DEFERRABLE",
        "ALTER INDEX public.once_old ATTACH PARTITION one",
    ] {
        stage.db.sql(sql);
    }
    stage.run(&back).assert_success();
    stage.db.sql("DROP TABLE log_2");
    assert_eq!(stage.schema(), before);
}
