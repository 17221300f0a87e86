//! `generate` on small schemas: what is covered, what is not, and what is refused.

use pgfleet_testkit::TestDb;

use super::{generated_sql, json, prisma_project, run};

const INIT: &str = "-- CreateTable\nCREATE TABLE \"User\" (\n    \"id\" INTEGER NOT NULL,\n\n    \
                    CONSTRAINT \"User_pkey\" PRIMARY KEY (\"id\")\n);\n";

const MORE: &str = "
enum Kind {
  a
  b
}
model User {
  id    Int    @id
  posts Post[]
  tags  Tag[]
}
model Post {
  id     Int  @id @default(autoincrement())
  kind   Kind @default(a)
  userId Int
  user   User @relation(fields: [userId], references: [id])
  @@index([userId])
}
model Tag {
  name  String @id
  users User[]
}
";

#[test]
fn tables_enums_indexes_and_keys_come_in_prismas_words() {
    let (project, db) = (prisma_project(MORE, &[("1_init", INIT)]), TestDb::new());
    run(&project, &db, &["generate", "more"]).assert_success();
    let sql = generated_sql(&project, &["1_init"]);
    let titles: Vec<_> = sql.lines().filter_map(|line| line.strip_prefix("-- ")).collect();
    let (tables, indexes) = (["CreateTable"; 3], ["CreateIndex"; 2]);
    let keys = ["AddForeignKey"; 3];
    assert_eq!(titles, [&["CreateEnum"][..], &tables, &indexes, &keys].concat());
    assert!(project.path().join("prisma/migrations/migration_lock.toml").is_file());
    run(&project, &db, &["apply"]).assert_success();
    assert_eq!(json(&project, &db, &["missing"]).0, 0);
}

#[test]
fn changes_of_existing_tables_are_named_when_they_are_left_out() {
    let schema = MORE.replace("  posts Post[]", "  name  String @unique\n  posts Post[]");
    let (project, db) = (prisma_project(&schema, &[("1_init", INIT)]), TestDb::new());
    run(&project, &db, &["apply"]).assert_success();
    let (code, target) = json(&project, &db, &["missing"]);
    assert_eq!((code, &target["columns"][0]["column"]), (1, &"name".into()));
    let written = run(&project, &db, &["generate", "more", "--missing-only"]).assert_success();
    for what in ["PF417", "column name is missing", "User_name_key is missing"] {
        assert!(written.stderr.contains(what), "{}", written.stderr);
    }
    assert!(!generated_sql(&project, &["1_init"]).contains("User_name_key"));
}

#[test]
fn changes_of_existing_tables_are_written_with_what_is_missing() {
    let schema = MORE.replace("  posts Post[]", "  name  String @unique\n  posts Post[]");
    let (project, db) = (prisma_project(&schema, &[("1_init", INIT)]), TestDb::new());
    run(&project, &db, &["apply"]).assert_success();
    run(&project, &db, &["generate", "more"]).assert_success();
    run(&project, &db, &["apply"]).assert_success();
    assert_eq!(json(&project, &db, &["missing"]).0, 0);
    run(&project, &db, &["diff", "target", "prisma", "--exit-code"]).assert_success();
    let again = run(&project, &db, &["generate", "again"]).assert_success();
    assert!(again.stdout.contains("Nothing to generate"), "{}", again.stdout);
}

#[test]
fn a_table_that_an_applied_migration_made_gets_no_second_migration() {
    let (project, db) = (prisma_project(MORE, &[("1_init", INIT)]), TestDb::new());
    run(&project, &db, &["apply"]).assert_success();
    db.sql("DROP TABLE \"User\"");
    let missing = run(&project, &db, &["missing"]);
    assert!(missing.stdout.contains("gone; 1_init made it"), "{}", missing.stdout);
    let refused = run(&project, &db, &["generate", "more"]);
    assert!(refused.code != 0 && refused.stderr.contains("PF408"), "{refused:?}");
    let repair = ["diff", "target", "migrations", "--out", "repair.sql"];
    run(&project, &db, &repair).assert_success();
    let sql = std::fs::read_to_string(project.path().join("repair.sql")).unwrap();
    db.sql(sql.split_once("BEGIN;").unwrap().1.split("COMMIT").next().unwrap());
    run(&project, &db, &["generate", "more"]).assert_success();
    run(&project, &db, &["apply"]).assert_success();
    assert_eq!(json(&project, &db, &["missing"]).0, 0);
}

#[test]
fn a_migration_that_would_fail_is_not_written() {
    let schema = "model Place {\n  id Int @id\n  at Unsupported(\"no_such_type\")\n}\n";
    let (project, db) = (prisma_project(schema, &[("1_init", INIT)]), TestDb::new());
    let refused = run(&project, &db, &["generate", "places"]);
    assert_eq!(refused.code, 5, "{refused:?}");
    assert!(
        refused.stderr.contains("PF416") && refused.stderr.contains("no_such_type"),
        "{}",
        refused.stderr
    );
    let folder = project.path().join("prisma/migrations");
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 1);
}

#[test]
fn functions_and_types_of_migrations_may_be_used() {
    let schema = "model Ticket {\n  id String @id @default(dbgenerated(\"next_ticket()\"))\n  \
                  size Unsupported(\"width\")?\n}\n";
    let init = "CREATE DOMAIN width AS int;\n\
                CREATE FUNCTION next_ticket() RETURNS text LANGUAGE sql AS $$ SELECT 'T1' $$;\n";
    let (project, db) = (prisma_project(schema, &[("1_init", init)]), TestDb::new());
    run(&project, &db, &["generate", "tickets"]).assert_success();
    run(&project, &db, &["apply"]).assert_success();
    assert_eq!(json(&project, &db, &["missing"]).0, 0);
}

#[test]
fn a_broken_schema_is_told_with_its_place() {
    let project = prisma_project("model A {\n  id Int @id\n  b Bee\n}\n", &[("1_init", INIT)]);
    let output = run(&project, &TestDb::new(), &["missing"]);
    assert_eq!(output.code, 2);
    assert!(output.stderr.contains("prisma/schema.prisma:6:5"), "{}", output.stderr);
}

#[test]
fn a_schema_of_several_files_is_found() {
    let project = prisma_project("", &[("1_init", INIT)]);
    std::fs::remove_file(project.path().join("prisma/schema.prisma")).unwrap();
    project.write("prisma/schema/user.prisma", "model User {\n  id Int @id\n}\n");
    project.write("prisma/schema/more/post.prisma", "model Post {\n  id Int @id\n}\n");
    let (code, target) = json(&project, &TestDb::new(), &["missing"]);
    assert_eq!(code, 1);
    let rows: Vec<_> = target["models"].as_array().unwrap().iter().collect();
    assert_eq!(rows.len(), 2);
    assert_eq!((&rows[0]["model"], &rows[1]["migration"]), (&"Post".into(), &"1_init".into()));
}
