//! The example of organisations in five states: one migration gives all of them the tenant column,
//! proves the border, and is taken back, while their applications work.

use pgfleet_testkit::{Clients, ProgramOutput, client_command};
use serde_json::Value;

use crate::fleet::Fleet;
use crate::vechat::copy_example;

const DATABASES: [&str; 5] =
    ["velosi", "organisation_2", "organisation_3", "organisation_4", "organisation_5"];
const TABLES: [&str; 4] =
    ["vechat_conversations", "vechat_messages", "vechat_presence", "vechat_user_settings"];
const GROUP: [&str; 2] = ["--group", "organisations"];

/// What the application does: rows of its own, which say `load`, and changes of old ones that leave their
/// values as they are. A client counts the messages that it commits.
const CHAT: &str = "
\\set user random(1, 60)
\\set message random(1, 3000)
\\set conversation random(1, 200)
BEGIN;
INSERT INTO vechat_messages (conversation_id, sender_id, receiver_id, body) VALUES (:conversation, 1, :user, 'load');
UPDATE load_done SET messages = messages + 1 WHERE client = :client_id;
COMMIT;
UPDATE vechat_messages SET body = body WHERE id = :message;
UPDATE vechat_presence SET status = status WHERE user_id = :user;
INSERT INTO vechat_presence (user_id, user_type) VALUES (nextval('load_users'), 'load');
INSERT INTO vechat_conversations (participant1_id, participant1_type, participant2_id, participant2_type)
  VALUES (nextval('load_users'), 'load', :user, 'load');
SELECT count(body) FROM vechat_messages WHERE conversation_id = :conversation;
DELETE FROM vechat_presence WHERE user_type = 'load' AND user_id = currval('load_users') - 1;
\\sleep 100 ms
";

/// A call that is still on its way to its `ON CONFLICT` when the key is about to go.
const DAWDLE: &str = "SELECT seen_slowly(nextval('load_users')::int);";

const LOAD: &str = "
CREATE TABLE load_done (client int PRIMARY KEY, messages int NOT NULL);
INSERT INTO load_done VALUES (0, 0);
CREATE SEQUENCE load_users START 100000;
CREATE FUNCTION seen_slowly(who int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_sleep(0.3);
  IF to_regclass('public.vechat_user_settings') IS NOT NULL THEN
    INSERT INTO vechat_user_settings (user_id, user_type) VALUES (who, 'load')
      ON CONFLICT (user_id, user_type) DO NOTHING;
  END IF;
END $$;
GRANT SELECT, UPDATE ON load_done TO vechat_app;
GRANT USAGE ON SEQUENCE load_users TO vechat_app;
";

/// The applications, each as its ordinary role that says whose rows it sees.
fn applications(fleet: &Fleet) -> Vec<Clients> {
    fleet.sql("registry", "ALTER ROLE vechat_app LOGIN");
    let on = |(database, id): (&&str, usize)| {
        let url = fleet.cluster.url(database).replace("postgres@", "vechat_app@");
        let settings = format!("-c app.organisation_id={id}");
        [CHAT, DAWDLE].map(|script| Clients::on(&url, 1, &settings, &[script]))
    };
    DATABASES.iter().zip(1..).flat_map(on).collect()
}

/// None of their statements failed or waited long, and each message that they committed is there.
fn assert_undisturbed(fleet: &Fleet, applications: Vec<Clients>) {
    let databases = DATABASES.iter().flat_map(|database| [database, database]);
    for (database, clients) in databases.zip(applications) {
        clients.assert_undisturbed(|sql| fleet.value(database, sql));
    }
    for database in DATABASES {
        let done = fleet.value(database, "SELECT sum(messages) FROM load_done");
        let there = "SELECT count(*) FROM vechat_messages WHERE body = 'load'";
        assert_eq!(fleet.value(database, there), done, "{database}");
        assert_ne!(done, "0", "{database}: its clients did something");
    }
}

/// The example, as its README sets it up.
fn organisations() -> Fleet {
    let fleet = Fleet::of(&[&DATABASES[..], &["registry"]].concat());
    copy_example("organisations", &fleet);
    let read = |path: &str| fleet.project.read(path);
    fleet.sql("registry", &read("databases/roles.sql"));
    fleet.sql("registry", &read("databases/registry.sql"));
    for name in DATABASES {
        for path in ["migrations/0001_vechat.sql", "databases/rows.sql"] {
            fleet.sql(name, &read(path));
        }
        fleet.sql(name, &format!("SELECT 1; {}", read(&format!("databases/{name}.sql"))));
        fleet.sql(name, LOAD);
    }
    fleet.project.write(".env", format!("REGISTRY_URL={}\n", fleet.cluster.url("registry")));
    fleet.ends(&[&["baseline", "0001"], &GROUP[..]].concat(), 0);
    fleet
}

/// Each table's rows but those of the load: how many, and a sum over all of their values but the tenant.
fn sums(fleet: &Fleet, database: &str) -> Vec<String> {
    let there = |table: &&&str| {
        fleet.value(database, &format!("SELECT to_regclass('{table}') IS NOT NULL")) == "t"
    };
    let sum = |table: &str| {
        let rows = format!(
            "SELECT (to_jsonb(t) - 'organisation_id')::text AS row FROM {table} t WHERE t::text NOT LIKE '%load%'"
        );
        fleet.value(
            database,
            &format!("SELECT '{table} ' || count(*) || ' ' || md5(string_agg(row, '' ORDER BY row)) FROM ({rows}) AS r"),
        )
    };
    TABLES.iter().filter(there).map(|table| sum(table)).collect()
}

fn all_sums(fleet: &Fleet) -> Vec<Vec<String>> {
    DATABASES.iter().map(|database| sums(fleet, database)).collect()
}

fn fingerprints(fleet: &Fleet) -> Vec<String> {
    let found = fleet.json(&[&["inspect"], &GROUP[..]].concat(), 0);
    let targets = found["targets"].as_array().expect("targets");
    let of = |target: &Value| target["fingerprint"].as_str().expect("a fingerprint").to_owned();
    targets.iter().map(of).collect()
}

/// The defaults are each organisation's own: without them, in a copy, databases can be compared.
fn without_defaults(fleet: &Fleet, database: &str) -> String {
    let copy = format!("{database}_copy");
    let mut dump = client_command("pg_dump");
    dump.args(["--schema-only", "--exclude-schema=pgfleet"]).arg(fleet.cluster.url(database));
    let sql = ProgramOutput::of(&mut dump).assert_success().stdout;
    fleet.project.write("copy.sql", sql);
    fleet.sql("registry", &format!("CREATE DATABASE {copy}"));
    let mut psql = client_command("psql");
    psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f"])
        .arg(fleet.project.path().join("copy.sql"));
    ProgramOutput::of(psql.arg(fleet.cluster.url(&copy))).assert_success();
    // Three tables' rows have a constant organisation.
    for table in TABLES.iter().filter(|table| **table != "vechat_messages") {
        let alter = format!("ALTER TABLE IF EXISTS {table} ALTER organisation_id DROP DEFAULT");
        fleet.sql(&copy, &alter);
    }
    let found = fleet.json(&["inspect", "--url", &fleet.cluster.url(&copy)], 0);
    fleet.sql("registry", &format!("DROP DATABASE {copy}"));
    found["targets"][0]["fingerprint"].as_str().expect("a fingerprint").to_owned()
}

/// As the document asks: the column of each table, and in each as many rows as rows with an organisation.
fn assert_verified(fleet: &Fleet, database: &str) {
    let tables = if database == "organisation_2" { 3 } else { 4 };
    let columns = "SELECT count(*) FROM information_schema.columns WHERE table_name LIKE 'vechat%' \
        AND column_name = 'organisation_id' AND data_type = 'integer' AND is_nullable = 'NO'";
    assert_eq!(fleet.value(database, columns), tables.to_string(), "{database}");
    for table in &TABLES[..tables] {
        let missing = format!("SELECT count(*) - count(organisation_id) FROM {table}");
        assert_eq!(fleet.value(database, &missing), "0", "{database} {table}");
    }
}

#[test]
fn organisations_in_five_states_get_the_column_and_give_it_back_while_they_work() {
    let fleet = organisations();
    an_id_that_is_missing_is_named(&fleet);
    let run = |words: &[&str]| fleet.ends(&[words, &GROUP[..]].concat(), 0);
    let (schemas, rows) = (fingerprints(&fleet), all_sums(&fleet));
    let applications = applications(&fleet);
    let made = run(&["tenantize"]);
    for part in ["closed: active is f", "ghost: there is no database \"organisation_7\""] {
        assert!(made.stderr.contains(part), "no {part:?} in:\n{}", made.stderr);
    }
    assert_eq!(made.stdout.matches("1 of 5: ").count(), 5, "{}", made.stdout);
    run(&["apply", "--allow-data-loss"]);
    assert_eq!(all_sums(&fleet), rows);
    run(&["verify", "--checks", "tenancy.checks.toml"]);
    DATABASES.iter().for_each(|database| assert_verified(&fleet, database));
    let found = fleet.json(&[&["isolation"], &GROUP[..]].concat(), 0);
    let attempts = |at: usize| found["targets"][at]["attempts"].as_array().map_or(0, Vec::len);
    assert_eq!([0, 1, 2, 3, 4].map(attempts), [20, 15, 20, 20, 20], "{found:#}");
    for (database, id) in DATABASES.iter().zip(1..) {
        write_as_ever(&fleet, database, id);
    }
    let after = DATABASES.map(|database| without_defaults(&fleet, database));
    // One database lacks a table; all others are alike.
    assert!([2, 3, 4].iter().all(|at| after[*at] == after[0]), "{after:?}");
    assert_ne!(after[1], after[0]);
    let rows = all_sums(&fleet);
    run(&["rollback", "--unproven", "--allow-data-loss"]);
    assert_eq!(all_sums(&fleet), rows);
    assert_eq!(fingerprints(&fleet), schemas);
    assert_undisturbed(&fleet, applications);
}

/// New rows of the application as it was, which names no organisation.
fn write_as_ever(fleet: &Fleet, database: &str, id: usize) {
    fleet.sql(
        database,
        "INSERT INTO vechat_messages (conversation_id, sender_id, receiver_id, body) VALUES (3, 1, 2, 'new'); \
         INSERT INTO vechat_presence (user_id, user_type) VALUES (900, 'client'); \
         UPDATE vechat_presence SET status = 'online' WHERE user_id = 7",
    );
    let newest = "SELECT organisation_id FROM vechat_messages ORDER BY id DESC LIMIT 1";
    assert_eq!(fleet.value(database, newest), id.to_string(), "{database}");
    for table in ["vechat_conversations", "vechat_messages", "vechat_presence"] {
        let wrong = format!("SELECT count(*) FROM {table} WHERE organisation_id <> {id}");
        assert_eq!(fleet.value(database, &wrong), "0", "{database} {table}");
    }
}

/// In the registry, or in a table of the database; nothing is written then.
fn an_id_that_is_missing_is_named(fleet: &Fleet) {
    let config = fleet.project.read("pgfleet.toml");
    fleet.configure(&config.replace("id AS organisation_id", "nullif(id, 3) AS organisation_id"));
    let only = |name| fleet.run(&["tenantize", "--group", "organisations", "--only", name]);
    let output = only("nadir");
    assert_ne!(output.code, 0, "{}", output.stdout);
    for part in ["nadir", "organisation_id", "without NULLs"] {
        assert!(output.stderr.contains(part), "no {part:?} in:\n{}", output.stderr);
    }
    // An id that the organisations' own table does not know.
    let known = config.replace("row_security", "references = \"known.id\"\nrow_security");
    fleet.configure(&known);
    for (database, id) in DATABASES.iter().zip([1, 2, 3, 4, 77]) {
        fleet.sql(
            database,
            &format!(
                "CREATE TABLE known AS SELECT {id} AS id; ALTER TABLE known ADD PRIMARY KEY (id)"
            ),
        );
    }
    let output = only("oasis");
    assert_ne!(output.code, 0, "{}", output.stdout);
    for part in ["oasis", "is not in public.known", "for example 5"] {
        assert!(output.stderr.contains(part), "no {part:?} in:\n{}", output.stderr);
    }
    let files = fleet.project.path().join("migrations").read_dir().expect("migrations").count();
    assert_eq!(files, 1);
    DATABASES.iter().for_each(|database| fleet.sql(database, "DROP TABLE known"));
    fleet.configure(&config);
}
