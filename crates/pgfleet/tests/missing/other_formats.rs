//! Without Prisma the migrations themselves say what is expected.

use pgfleet_testkit::{Project, TestDb};

use super::json;

#[test]
fn what_all_migrations_create_is_expected() {
    let project = Project::with([
        ("migrations/1_users.sql", "CREATE TABLE users (id int PRIMARY KEY);"),
        (
            "migrations/2_more.sql",
            "CREATE TABLE posts (id int); ALTER TABLE users ADD name text;\
          DO $$ BEGIN EXECUTE 'CREATE TABLE unseen (id int)'; END $$;",
        ),
    ]);
    let db = TestDb::new();
    let args = ["apply", "--to", "1"];
    project.pgfleet(args).env("DATABASE_URL", db.url()).run().assert_success();
    db.sql("CREATE TABLE unknown (id int)");
    let (code, target) = json(&project, &db, &["missing"]);
    assert_eq!(code, 1);
    let rows = target["models"].as_array().unwrap();
    let posts = rows.iter().find(|row| row["table"] == "posts").unwrap();
    assert_eq!((&posts["exists"], &posts["migration"]), (&false.into(), &"2_more".into()));
    assert!(rows.iter().any(|row| row["table"] == "users" && row["exists"] == true));
    // PostgreSQL knows what code makes; the text of a migration does not tell.
    assert!(rows.iter().any(|row| row["table"] == "unseen" && row["exists"] == false));
    assert_eq!(target["columns"][0]["column"], "name");
    assert_eq!(target["extra_tables"], serde_json::json!(["unknown"]));
}
