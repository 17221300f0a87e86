//! Row-level security that hides rows from the tables' owner: nothing is planned or filled on what is seen
//! of them alone.

use crate::stage::{Stage, assert_says, ended};

const NOTES: &str = "
CREATE TABLE books (id int PRIMARY KEY, org int NOT NULL);
INSERT INTO books SELECT g, g % 3 FROM generate_series(1, 30) g;
CREATE TABLE notes (id int PRIMARY KEY, book_id int NOT NULL REFERENCES books, public bool NOT NULL);
INSERT INTO notes SELECT g, 1 + g % 30, g % 2 = 0 FROM generate_series(1, 300) g;
ALTER TABLE notes ENABLE ROW LEVEL SECURITY; ALTER TABLE notes FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON notes USING (public);
";

#[test]
fn hidden_rows_stop_the_plan_and_the_backfill() {
    let stage = Stage::of(&[("0001_notes.sql", NOTES)]);
    let role = format!("owner_{}", stage.db.name());
    stage.db.sql(&format!(
        "CREATE ROLE {role} LOGIN; GRANT CREATE ON DATABASE {} TO {role}; GRANT ALL ON SCHEMA public TO {role}",
        stage.db.name()
    ));
    let url = stage.db.url().replace("postgres@", &format!("{role}@"));
    stage.cli_at(&url, &["apply"]).run().assert_success();
    let tenantize = ["tenantize", "--column", "org", "--type", "int", "--via", "notes=book_id"];
    let said = ended(stage.cli_at(&url, &tenantize).run(), 5);
    assert_says(&said, &["notes", "lead to no tenant", "row-level security"]);
    stage.run(&tenantize).assert_success();
    let said = ended(stage.cli_at(&url, &["apply"]).run(), 4);
    assert_says(&said, &["PF380", "notes", "BYPASSRLS"]);
    assert_eq!(stage.db.value("SELECT count(org) FROM notes"), "0");
    stage.db.sql(&format!("ALTER ROLE {role} BYPASSRLS"));
    stage.cli_at(&url, &["apply"]).run().assert_success();
    let wrong = "SELECT count(*) FROM notes JOIN books b ON b.id = book_id WHERE notes.org IS DISTINCT FROM b.org";
    assert_eq!(stage.db.value(wrong), "0");
    stage.db.sql(&format!("DROP OWNED BY {role} CASCADE; DROP ROLE {role}"));
}
