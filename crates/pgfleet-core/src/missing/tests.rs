use super::*;
use crate::folder::SqlBody;
use crate::place::Place;
use crate::prisma::{Database, ObjectName, SchemaFile, read};
use crate::program::build;

const SCHEMA: &str = "
enum Role {
  USER
  ADMIN
}
model User {
  id   Int    @id
  name String
  role Role
  @@map(\"users\")
}
model Session {
  id Int @id
  @@map(\"sessions\")
}
model Report {
  id Int @id
}
";

fn database() -> Database {
    read(&[SchemaFile { path: "schema.prisma".into(), text: SCHEMA.into() }]).unwrap()
}

fn name(schema: &str, name: &str) -> ObjectName {
    ObjectName { schema: schema.into(), name: name.into() }
}

fn found() -> Outline {
    let column = |name: &str| (name.to_owned(), "integer".to_owned());
    let users = OutlineTable { columns: [column("id")].into(), ..OutlineTable::default() };
    let tables = [
        (name("app", "users"), users),
        (name("app", "old"), OutlineTable::default()),
        (name("app", "_prisma_migrations"), OutlineTable::default()),
        (name("elsewhere", "other"), OutlineTable::default()),
    ];
    let enums = [(name("app", "Role"), vec!["USER".to_owned()])];
    Outline { tables: tables.into(), enums: enums.into(), ..Outline::default() }
}

fn pending(sql: &str) -> Vec<(String, crate::program::Program)> {
    let body = SqlBody::verbatim(sql, Place::at("m.sql", 1, 1));
    vec![("2_more".to_owned(), build(&body, &|_, _, _| None))]
}

#[test]
fn what_is_missing_says_which_migration_has_it() {
    let sql = "CREATE TABLE \"sessions\" (id int); ALTER TYPE \"Role\" ADD VALUE 'ADMIN';\n\
               ALTER TABLE users ADD COLUMN name text; CREATE TABLE \"Report\" (id int);\n\
               DROP TABLE \"Report\";";
    let expected = Expectation::of_prisma(&database(), "app");
    let pending = pending(sql);
    let pending: Vec<_> = pending.iter().map(|(name, program)| (name.clone(), program)).collect();
    let makers = Makers { pending: origins(&pending, "app"), applied: Origins::default() };
    let history = name("app", "_prisma_migrations");
    let report = compare(&expected, &found(), &makers, &[history]);
    let rows: Vec<_> = report
        .models
        .iter()
        .map(|r| (r.model.as_str(), r.exists, r.migration.as_deref()))
        .collect();
    let has = Some("2_more");
    assert_eq!(rows, [("User", true, None), ("Session", false, has), ("Report", false, None)]);
    let columns: Vec<_> =
        report.columns.iter().map(|r| (r.column.as_str(), r.migration.as_deref())).collect();
    assert_eq!(columns, [("name", has), ("role", None)]);
    assert_eq!(report.enums.len(), 1);
    assert_eq!(report.enums[0].value.as_deref(), Some("ADMIN"));
    assert_eq!(report.enums[0].migration.as_deref(), has);
    assert_eq!(report.extra_tables, ["app.old"]);
    assert!(!report.complete());
}

#[test]
fn what_applied_migrations_made_is_gone_and_needs_no_migration() {
    let applied =
        pending("CREATE TABLE \"Report\" (id int); ALTER TABLE users ADD COLUMN name text;");
    let applied: Vec<_> = applied.iter().map(|(name, program)| (name.clone(), program)).collect();
    let makers = Makers { pending: Origins::default(), applied: origins(&applied, "app") };
    let report = compare(&Expectation::of_prisma(&database(), "app"), &found(), &makers, &[]);
    let made_by: Vec<_> = report.models.iter().map(|row| row.made_by.as_deref()).collect();
    assert_eq!(made_by, [None, None, Some("2_more")]);
    let made_by: Vec<_> = report.columns.iter().map(|row| row.made_by.as_deref()).collect();
    assert_eq!(made_by, [Some("2_more"), None]);
    assert!(report.lost_something());
}

#[test]
fn differences_are_told_in_the_servers_words() {
    let mut expected = found();
    let users = expected.tables.get_mut(&name("app", "users")).unwrap();
    users.columns.insert("id".into(), "bigint".into());
    users.objects.insert("users_pkey".into(), "PRIMARY KEY (id)".into());
    expected.tables.insert(name("app", "new"), OutlineTable::default());
    expected.enums.insert(name("app", "Role"), vec!["USER".into(), "ADMIN".into()]);
    let told: Vec<_> = differences(&found(), &expected)
        .into_iter()
        .map(|difference| format!("{}: {}", difference.object, difference.what))
        .collect();
    assert_eq!(
        told,
        [
            "app.new: the table is missing",
            "app.users: column id is integer, not bigint",
            "app.users: key or index users_pkey is missing: PRIMARY KEY (id)",
            "app.Role: the enum lacks ADMIN",
        ]
    );
    assert!(differences(&found(), &found()).is_empty());
}
