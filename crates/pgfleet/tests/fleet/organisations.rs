//! The example of organisations in five states: one migration gives all of them the tenant column,
//! proves the border, and is taken back.

use serde_json::Value;

use crate::fleet::Fleet;
use crate::vechat::copy_example;

const DATABASES: [&str; 5] =
    ["velosi", "organisation_2", "organisation_3", "organisation_4", "organisation_5"];
const TABLES: [&str; 4] =
    ["vechat_conversations", "vechat_messages", "vechat_presence", "vechat_user_settings"];
const GROUP: [&str; 2] = ["--group", "organisations"];

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
    }
    fleet.project.write(".env", format!("REGISTRY_URL={}\n", fleet.cluster.url("registry")));
    fleet.ends(&[&["baseline", "0001"], &GROUP[..]].concat(), 0);
    fleet
}

/// Each table's rows: how many, and a sum over all of their values but the tenant.
fn sums(fleet: &Fleet, database: &str) -> Vec<String> {
    let there = |table: &&&str| {
        fleet.value(database, &format!("SELECT to_regclass('{table}') IS NOT NULL")) == "t"
    };
    let sum = |table: &str| {
        let rows = format!("SELECT (to_jsonb(t) - 'organisation_id')::text AS row FROM {table} t");
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

/// The defaults are each organisation's own: they are taken off for a look, and put back.
fn without_defaults(fleet: &Fleet) -> Vec<String> {
    alter_defaults(fleet, |_| "DROP DEFAULT".to_owned());
    let found = fingerprints(fleet);
    alter_defaults(fleet, |id| format!("SET DEFAULT {id}"));
    found
}

/// Of the three tables whose rows have a constant organisation.
fn alter_defaults(fleet: &Fleet, change: fn(usize) -> String) {
    for (database, id) in DATABASES.iter().zip(1..) {
        let of = |table: &&str| {
            format!("ALTER TABLE IF EXISTS {table} ALTER organisation_id {};", change(id))
        };
        let constant = TABLES.iter().filter(|table| **table != "vechat_messages");
        fleet.sql(database, &constant.map(of).collect::<String>());
    }
}

#[test]
fn organisations_in_five_states_get_the_column_and_give_it_back() {
    let fleet = organisations();
    an_id_that_is_missing_is_named(&fleet);
    let run = |words: &[&str]| fleet.ends(&[words, &GROUP[..]].concat(), 0);
    let (schemas, rows) = (fingerprints(&fleet), all_sums(&fleet));
    let made = run(&["tenantize"]);
    for part in ["closed: active is f", "ghost: there is no database \"organisation_7\""] {
        assert!(made.stderr.contains(part), "no {part:?} in:\n{}", made.stderr);
    }
    assert_eq!(made.stdout.matches("1 of 5: ").count(), 5, "{}", made.stdout);
    run(&["apply", "--allow-data-loss"]);
    assert_eq!(all_sums(&fleet), rows);
    run(&["verify", "--checks", "tenancy.checks.toml"]);
    let found = fleet.json(&[&["isolation"], &GROUP[..]].concat(), 0);
    let attempts = |at: usize| found["targets"][at]["attempts"].as_array().map_or(0, Vec::len);
    assert_eq!([0, 1, 2, 3, 4].map(attempts), [20, 15, 20, 20, 20], "{found:#}");
    for (database, id) in DATABASES.iter().zip(1..) {
        write_as_ever(&fleet, database, id);
    }
    let after = without_defaults(&fleet);
    // One database lacks a table; all others are alike.
    assert!([2, 3, 4].iter().all(|at| after[*at] == after[0]), "{after:?}");
    assert_ne!(after[1], after[0]);
    let rows = all_sums(&fleet);
    run(&["rollback", "--unproven", "--allow-data-loss"]);
    assert_eq!(all_sums(&fleet), rows);
    assert_eq!(fingerprints(&fleet), schemas);
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
