//! What a migration does to its session ends with it.

use crate::stage::{Stage, assert_says};

/// Each of these, followed by a migration that must not notice.
const LEAKS: &[&str] = &[
    "SET search_path = s;",
    "SET SESSION search_path = s;",
    "SELECT set_config('search_path', 's', false);",
    "SELECT pg_catalog.set_config('search_path', '', false);",
    "DO $$ BEGIN PERFORM set_config('search_path', 's', false); END $$;",
    "SET ROLE ROLE_OF_TEST;",
    "SET SESSION AUTHORIZATION ROLE_OF_TEST;",
    "SET lock_timeout = '1ms'; SET statement_timeout = '1h';",
    "CREATE TEMP TABLE t (id int);",
    "SELECT 1 AS id INTO TEMP t;",
];

#[test]
fn settings_roles_and_temporary_tables_do_not_leak() {
    let stage = Stage::of(&[("0001_a.sql", "CREATE SCHEMA s;")]);
    let role = format!("{}_role", stage.db.name());
    stage.db.sql(&format!("CREATE ROLE {role}"));
    let mut number = 1;
    for leak in LEAKS {
        let leak = leak.replace("ROLE_OF_TEST", &role);
        for head in ["", "VACUUM pg_class;\n"] {
            number += 2;
            stage.write(&format!("{number:04}_leak.sql"), format!("{head}{leak}"));
            let after = format!(
                "CREATE TABLE t (id int); CREATE TABLE after_{number} AS SELECT current_user AS role, current_setting('lock_timeout') AS timeout, current_setting('search_path') AS path; DROP TABLE t;"
            );
            stage.write(&format!("{:04}_after.sql", number + 1), after);
        }
    }
    let output = stage.run(&["apply"]);
    stage.db.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    output.assert_success();
    let tables = stage.db.rows("SELECT relname FROM pg_class WHERE relname LIKE 'after_%' AND relnamespace = 'public'::regnamespace ORDER BY 1");
    assert_eq!(tables.len(), LEAKS.len() * 2);
    let mut seen: Vec<_> = tables
        .iter()
        .map(|row| stage.db.value(&format!("SELECT a::text FROM {} a", row[0].as_deref().unwrap())))
        .collect();
    seen.dedup();
    assert_eq!(seen.len(), 1, "{seen:?}");
}

#[test]
fn settings_last_to_the_end_of_a_file_that_is_no_transaction() {
    let stage = Stage::of(&[(
        "0001_a.sql",
        "CREATE SCHEMA s;\nCREATE TABLE s.a (id int);\nSET search_path = s;\nCREATE INDEX CONCURRENTLY i ON a (id);\nBEGIN; SET search_path = s, public; ALTER TABLE a ADD b int; COMMIT;\nCREATE INDEX CONCURRENTLY j ON a (b);",
    )]);
    stage.apply();
    assert_eq!(stage.db.value("SELECT to_regclass('s.j') IS NOT NULL"), "t");
}

#[test]
fn a_role_set_in_a_file_that_is_no_transaction_does_not_write_the_history() {
    let stage = Stage::of(&[]);
    let role = format!("{}_app", stage.db.name());
    stage.db.sql(&format!("CREATE ROLE {role}; GRANT CREATE ON SCHEMA public TO {role}"));
    stage.write("0001_a.sql", format!("SET ROLE {role};\nCREATE TABLE a (id int);\nCREATE INDEX CONCURRENTLY i ON a (id);\nBEGIN; SET ROLE {role}; ALTER TABLE a ADD b int; COMMIT;"));
    stage.write("0002_b.sql", "CREATE TABLE b (id int);");
    let output = stage.run(&["apply"]);
    let owners = stage.db.value("SELECT string_agg(tableowner, ' ' ORDER BY tablename) FROM pg_tables WHERE schemaname = 'public'");
    stage.db.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    output.assert_success();
    assert_eq!(owners, format!("{role} postgres"));
}

#[test]
fn the_configured_schema_is_kept() {
    let stage = Stage::of(&[
        ("0001_a.sql", "DO $$ BEGIN PERFORM 1; END $$; CREATE TABLE a (id int);"),
        ("0002_b.sql", "CREATE TABLE b (id int);"),
        ("0003_c.sql", "RESET ALL;\nVACUUM b;"),
        ("0004_d.sql", "CREATE TABLE d (id int);"),
    ]);
    stage.db.sql("CREATE SCHEMA app");
    stage.project.write("pgfleet.toml", "[database]\nschema = 'app'\n");
    stage.apply();
    let there = "SELECT string_agg(tablename, ' ' ORDER BY tablename) FROM pg_tables WHERE schemaname = 'app'";
    assert_eq!(stage.db.value(there), "a b d");
}

#[test]
fn a_file_that_discards_the_session_goes_on() {
    let stage = Stage::of(&[
        (
            "0001_a.sql",
            "CREATE TABLE a (id int);\nDISCARD ALL;\nVACUUM a;\nCREATE INDEX CONCURRENTLY i ON a (id);",
        ),
        ("0002_b.sql", "CREATE TABLE b (id int);"),
    ]);
    stage.apply();
    assert_eq!(stage.versions(), "0001 0002");
}

#[test]
fn a_role_that_the_server_gives_at_login_is_kept() {
    let stage = Stage::of(&[
        ("0001_a.sql", "SET search_path = public; CREATE TABLE a (id int);"),
        ("0002_b.sql", "CREATE TABLE b (id int);"),
    ]);
    let (login, owner) =
        (format!("{}_login", stage.db.name()), format!("{}_owner", stage.db.name()));
    stage.db.sql(&format!("CREATE ROLE {owner}; CREATE ROLE {login} LOGIN; GRANT {owner} TO {login}; ALTER ROLE {login} SET role = {owner}; GRANT CREATE ON SCHEMA public TO {owner}; GRANT CREATE ON DATABASE {} TO {owner}", stage.db.name()));
    let url = stage.db.url().replace("//postgres@", &format!("//{login}@"));
    let output = stage.cli_at(&url, &["apply"]).run();
    let owners = stage.db.value("SELECT string_agg(DISTINCT tableowner, ' ') FROM pg_tables WHERE schemaname IN ('public', 'pgfleet')");
    stage.db.sql(&format!("DROP OWNED BY {owner}, {login}; DROP ROLE {owner}, {login}"));
    output.assert_success();
    assert_eq!(owners, owner);
}

#[test]
fn a_failed_file_that_is_no_transaction_leaks_no_setting_into_the_next() {
    let stage = Stage::of(&[
        ("0001_a.sql", "CREATE SCHEMA s;\nSET search_path = s;\nVACUUM pg_class;\nSELECT nothing;"),
        ("0002_b.sql", "CREATE TABLE b (id int);"),
    ]);
    assert_says(&stage.ends(&["apply", "--on-error", "continue"], 4), &["0001_a.sql:4:8"]);
    assert_eq!(stage.db.value("SELECT to_regclass('public.b') IS NOT NULL"), "t");
}

/// sqlx names its table without a schema: the search path says where it is.
#[test]
fn a_history_is_found_in_a_schema_whose_name_must_be_quoted() {
    let stage = Stage::of(&[("0001_a.sql", "CREATE TABLE a (id int);")]);
    let name = stage.db.name();
    stage.db.sql(&format!(
        "CREATE SCHEMA \"We \"\"ird\"; ALTER DATABASE {name} SET search_path = \"We \"\"ird\""
    ));
    stage.run(&["apply", "--format", "sqlx"]).assert_success();
    stage.write("0002_b.sql", "CREATE TABLE b (id int);");
    stage.run(&["apply"]).assert_success();
    let tables = "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relkind = 'r' \
                  AND relnamespace = '\"We \"\"ird\"'::regnamespace";
    assert_eq!(stage.db.value(tables), "_sqlx_migrations a b");
}
