//! `--rename`: names change, rows and indexes stay.

use crate::stage::{Stage, assert_says};

const FILES: &[(&str, &str)] = &[(
    "001_shop.sql",
    "CREATE TABLE customers (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, mail text, age int);
     CREATE INDEX ON customers (mail);
     CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL REFERENCES customers);
     CREATE VIEW adults AS SELECT id, mail FROM customers WHERE age >= 18;
     CREATE FUNCTION count_them() RETURNS bigint LANGUAGE plpgsql AS
         $$ BEGIN RETURN (SELECT count(*) FROM customers); END $$;",
)];

const WANTED: &str =
    "CREATE TABLE clients (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL, age int);
     CREATE INDEX ON clients (email);
     CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL REFERENCES clients);
     CREATE VIEW adults AS SELECT id, email AS mail FROM clients WHERE age >= 18;
     CREATE FUNCTION count_them() RETURNS bigint LANGUAGE plpgsql AS
         $$ BEGIN RETURN (SELECT count(*) FROM customers); END $$;";

const RENAMES: [&str; 4] = ["--rename", "customers=clients", "--rename", "customers.mail=email"];

const FILES_OF_ROWS: &str = "SELECT string_agg(relfilenode::text, ' ' ORDER BY relfilenode)
    FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i', 'S')";

const ROWS: &str = "INSERT INTO customers (mail, age)
        SELECT i || '@example.org', i FROM generate_series(1, 50) i;
    INSERT INTO orders SELECT i, i FROM generate_series(1, 50) i;";

fn stage() -> Stage {
    let stage = Stage::of(FILES);
    stage.apply();
    stage.db.sql(ROWS);
    stage.project.write("wanted.sql", WANTED);
    stage
}

#[test]
fn names_change_first_and_rows_and_indexes_stay() {
    let stage = stage();
    let files = stage.db.value(FILES_OF_ROWS);
    let diff = [&["diff", "target", "wanted.sql"][..], &RENAMES].concat();
    let shown = stage.run(&[&diff[..], &["--out", "change.sql"]].concat()).assert_success();
    insta::assert_snapshot!(stage.redact(&shown.stdout));
    stage.db.psql_file(&stage.project.path().join("change.sql")).assert_success();
    assert_eq!(stage.db.value(FILES_OF_ROWS), files, "nothing is built or written anew");
    assert_eq!(stage.db.value("SELECT count(email) FROM clients"), "50");
    assert_eq!(stage.db.value("SELECT count(mail) FROM adults"), "33");
    stage.run(&["diff", "target", "wanted.sql", "--exit-code"]).assert_success();
    let again = stage.ends(&diff, 2);
    assert_says(&again, &["PF137", "it was renamed before", "Leave this --rename out"]);
}

#[test]
fn every_rename_is_told_to_scripts_with_who_wants_it() {
    let stage = stage();
    stage.db.sql("UPDATE customers SET mail = NULL WHERE id < 3");
    let diff = [&["diff", "target", "wanted.sql", "--output", "json"][..], &RENAMES].concat();
    let shown = stage.run(&diff).assert_success();
    let json: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    let target = &json["targets"][0];
    let renames = target["renames"].as_array().unwrap();
    let told: Vec<_> = renames.iter().map(|one| (one["by"].as_str(), one["to"].as_str())).collect();
    assert_eq!(told[0], (Some("asked"), Some("table public.clients")));
    assert_eq!(told[1], (Some("asked"), Some("column email of table public.clients")));
    assert!(told[2..].iter().all(|(by, _)| *by == Some("followed")), "{told:?}");
    assert_eq!(target["statements"][0]["hazards"][0]["kind"], "breaks_code");
    assert_eq!(target["proven"], true);
    // Rows are counted under the names that they have now.
    assert!(shown.stdout.contains("PF425"), "{}", shown.stdout);
    assert!(shown.stdout.contains("public.customers"), "{}", shown.stdout);
}

#[test]
fn a_rename_that_cannot_be_meant_is_refused_before_anything_is_done() {
    let stage = stage();
    for (rename, code, says) in [
        ("customers", 2, "PF136"),
        ("tabel:customers=clients", 2, "perhaps \"table\" is meant"),
        ("custmers=clients", 2, "Perhaps customers is meant."),
        ("customers=cleints", 2, "Perhaps clients is meant."),
        ("customers=adults", 2, "it has view public.adults"),
        ("customers.mail=orders.email", 2, "PF139"),
        ("orders=adults", 2, "PF137"),
        ("id=email", 2, "PF137"),
    ] {
        let refused = stage.ends(&["diff", "target", "wanted.sql", "--rename", rename], code);
        assert_says(&refused, &[says]);
    }
    stage.db.sql("CREATE TABLE clients (id int)");
    let taken = stage.ends(&["diff", "target", "wanted.sql", "--rename", "customers=clients"], 2);
    assert_says(&taken, &["PF139", "table public.clients is in the first schema, too"]);
    stage.db.sql("CREATE SCHEMA app; CREATE TABLE app.customers (id int)");
    let both = stage.ends(&["diff", "target", "wanted.sql", "--rename", "customers=clients"], 2);
    assert_says(&both, &["PF138", "table app.customers", "table public.customers"]);
}

#[test]
fn what_the_server_refuses_to_rename_is_told_with_its_words() {
    let stage = Stage::of(&[("1.sql", "CREATE TABLE a (id int); CREATE INDEX b ON a (id);")]);
    stage.apply();
    // A type has the name of a table's row type, which is in no list of objects.
    stage.project.write("wanted.sql", "CREATE TABLE t (id int); CREATE INDEX b ON t (id);");
    stage.db.sql("CREATE DOMAIN t AS int");
    let refused = stage.ends(&["diff", "target", "wanted.sql", "--rename", "a=t"], 5);
    assert_says(&refused, &["PF431", "already exists", "ALTER TABLE public.a RENAME TO t"]);
}

#[test]
fn a_generated_rename_is_taken_back_with_its_rows() {
    let stage = stage();
    let generate = [&["generate", "clients", "--to", "wanted.sql"][..], &RENAMES].concat();
    let made = stage.run(&generate).assert_success();
    assert_says(
        &made.stdout,
        &["table public.customers -> clients", "Taken back on the copy, the schema was as before"],
    );
    assert!(!made.stdout.contains("DATA LOSS"), "{}", made.stdout);
    let before = stage.schema();
    stage.apply();
    assert_eq!(stage.db.value("SELECT count(email) FROM clients"), "50");
    stage.run(&["drift"]).assert_success();
    stage.run(&["rollback", "--yes"]).assert_success();
    assert_eq!(stage.schema(), before);
    assert_eq!(stage.db.value("SELECT count(mail) FROM customers"), "50");
}

const PEOPLE: &str =
    "CREATE TABLE customers (id int PRIMARY KEY, mail text, age int, joined date, a int, b int);";
const RENAMED: &str =
    "CREATE TABLE clients (id int PRIMARY KEY, email text, age int, joined date, a int, b int);";

fn people() -> Stage {
    let stage = Stage::of(&[("001_people.sql", PEOPLE)]);
    stage.apply();
    stage.db.sql("INSERT INTO customers SELECT i, i || '@x.org', i FROM generate_series(1, 9) i");
    stage.project.write("wanted.sql", RENAMED);
    stage
}

#[test]
fn what_looks_like_a_rename_is_hinted_at_and_never_taken_for_one() {
    let stage = people();
    let hinted = stage.run(&["diff", "target", "wanted.sql"]).assert_success();
    insta::assert_snapshot!(stage.redact(&hinted.stdout));
    // Nobody can be asked here.
    let told = stage.run(&["diff", "target", "wanted.sql", "--detect-renames"]).assert_success();
    assert_eq!(told.stdout, hinted.stdout);
    let generate = ["generate", "x", "--to", "wanted.sql", "--detect-renames"];
    let refused = stage.ends(&generate, 5);
    assert_says(&refused, &["PF432", "--rename table:public.customers=clients", "--yes"]);
    assert!(!stage.project.path().join("migrations/002_x.sql").exists());
    // Two columns of a type may each be the new one, and neither is told.
    stage.project.write("wanted.sql", PEOPLE.replace("a int, b int", "c int"));
    let silent = stage.run(&["diff", "target", "wanted.sql"]).assert_success();
    assert_says(&silent.stdout, &["DATA LOSS: drops column a"]);
    assert!(!silent.stdout.contains("perhaps renamed"), "{}", silent.stdout);
}

#[test]
fn with_consent_tables_are_renamed_and_then_their_columns_looked_at() {
    let stage = people();
    let generate = ["generate", "clients", "--to", "wanted.sql", "--detect-renames", "--yes"];
    let made = stage.run(&generate).assert_success();
    assert_says(
        &made.stdout,
        &["table public.customers -> clients", "column mail of table public.clients -> email"],
    );
    assert!(!made.stdout.contains("DATA LOSS"), "{}", made.stdout);
    stage.apply();
    assert_eq!(stage.db.value("SELECT count(email) FROM clients"), "9");
    stage.run(&["diff", "target", "wanted.sql", "--exit-code"]).assert_success();
}

#[test]
fn a_comment_in_the_desired_schema_renames_once_and_stays_true() {
    let stage = people();
    let annotated = RENAMED
        .replace("CREATE", "-- pgfleet: renamed-from customers\nCREATE")
        .replace("email text,", "email text, -- pgfleet: renamed-from mail\n");
    stage.project.write("wanted.sql", &annotated);
    stage.run(&["generate", "clients", "--to", "wanted.sql"]).assert_success();
    stage.apply();
    assert_eq!(stage.db.value("SELECT count(email) FROM clients"), "9");
    stage.run(&["diff", "target", "wanted.sql", "--exit-code"]).assert_success();
    stage.run(&["diff", "empty", "wanted.sql"]).assert_success();
    let nothing = stage.run(&["generate", "x", "--to", "wanted.sql"]).assert_success();
    assert_says(&nothing.stdout, &["Nothing to generate"]);
    stage.project.write("wanted.sql", annotated.replace("renamed-from mail", "renamed-form mail"));
    let misspelt = stage.ends(&["diff", "target", "wanted.sql"], 2);
    assert_says(&misspelt, &["PF136", "wanted.sql:2:", "perhaps \"renamed-from\" is meant"]);
}
