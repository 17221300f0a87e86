//! Bad input: a clear error, the right exit code, and nothing changed in the database.

use pgfleet_testkit::{
    Cluster, Project, Redactions, TestDb,
    pgbouncer::{PgBouncer, PoolMode},
};

use crate::stage::{Stage, assert_says, ended};

const ONE: &[(&str, &str)] = &[("0001_a.sql", "CREATE TABLE a (id int);")];

/// Runs `apply`, which must refuse; the message is compared with the one that was reviewed.
#[track_caller]
fn refused(name: &str, stage: &Stage, code: i32) -> String {
    let stderr = stage.ends(&["apply"], code);
    assert!(stage.is_untouched(), "nothing was changed");
    insta::assert_snapshot!(name, stage.redact(&stderr));
    stderr
}

/// The same without a database.
#[track_caller]
fn refused_in(name: &str, project: &Project, args: &[&str], code: i32) {
    let stderr = ended(project.pgfleet(args.iter().copied()).run(), code);
    let folder = project.path().to_string_lossy().into_owned();
    insta::assert_snapshot!(
        name,
        Redactions::default().literal(&folder, "[PROJECT]").common().apply(&stderr)
    );
}

#[test]
fn configuration() {
    let none = Project::with([("migrations/0001_a.sql", "SELECT 1;")]);
    refused_in("no_config_and_no_url", &none, &["apply"], 2);
    let config = |text: &str| {
        Project::with([("migrations/0001_a.sql", "SELECT 1;"), ("pgfleet.toml", text)])
    };
    refused_in(
        "unknown_key",
        &config("[database]\nurl = 'postgres://x'\n\n[apply]\nlock_timeout = 3\n"),
        &["apply"],
        2,
    );
    refused_in("wrong_type", &config("[apply]\nlock_timeout_ms = 'long'\n"), &["apply"], 2);
    refused_in("not_toml", &config("[database\n"), &["apply"], 2);
    refused_in(
        "missing_variable",
        &config("[database]\nurl = 'env:SHOP_DATABASE_URL'\n"),
        &["apply"],
        2,
    );
    refused_in(
        "unknown_target",
        &config("[database]\nurl = 'postgres://x'\n"),
        &["apply", "--target", "eu"],
        2,
    );
    refused_in("missing_config", &none, &["apply", "--config", "elsewhere.toml"], 2);
    refused_in(
        "unknown_format",
        &none,
        &["apply", "--url", "postgres://x", "--dir", "migrations", "--format", "flywya"],
        2,
    );
    refused_in("bad_url", &none, &["apply", "--url", "mysql://x", "--dir", "migrations"], 2);
    let latin = none;
    latin.write("pgfleet.toml", b"[database]\n# caf\xe9 \xfcber\nurl = 'postgres://x'\n");
    refused_in("config_not_utf8", &latin, &["apply"], 2);
    latin.write("pgfleet.toml", b"\xff\xfe[\0d\0]\0");
    refused_in("config_utf16", &latin, &["status"], 2);
}

#[test]
fn an_unknown_environment_is_refused_by_every_command() {
    let files = [("migrations/0001_a.sql", "CREATE TABLE a (id int);"), ("sub/x", "")];
    let project = Project::with(files);
    refused_in("unknown_environment", &project, &["check", "--environment", "heroku"], 2);
    let commands =
        ["status", "lint", "check", "plan", "apply", "verify", "doctor", "init", "drift"];
    for command in commands {
        let cli = project.pgfleet([command, "--url", "postgres://postgres@127.0.0.1:1/x"]);
        let stderr = ended(cli.env("PGFLEET_ENVIRONMENT", "heroku").run(), 2);
        assert_says(&stderr, &["PF105", "heroku", "supabase"]);
    }
    project.write("pgfleet.toml", "[database]\nenvironment = 'platform.sql'\n");
    assert_says(&ended(project.pgfleet(["check"]).run(), 2), &["PF105", "platform.sql"]);
    // A path of the configuration is relative to it, wherever one stands.
    project.write("platform.sql", "CREATE TABLE supplied (id int);");
    project.write("migrations/0002_b.sql", "ALTER TABLE supplied ADD b int;");
    let below = pgfleet_testkit::cli::Cli::new(&project.path().join("sub")).args(["check"]).run();
    assert!(!ended(below, 0).contains("PF124"));
}

#[test]
fn none_of_the_migrations_is_no_number_of_them() {
    let project = Project::with([("migrations/0001_a.sql", "SELECT 1;")]);
    for command in ["rollback", "apply", "plan"] {
        let cli = project.pgfleet([command, "--steps", "0", "--url", "postgres://x"]);
        assert_says(&ended(cli.run(), 2), &["--steps", "at least 1"]);
    }
}

#[test]
fn commands_that_know_no_groups_take_none() {
    let config = "[database]\nurl = 'postgres://x@127.0.0.1:1/x'\ndevelopment = true\n";
    let project = Project::with([("pgfleet.toml", config), ("migrations/0001_a.sql", "SELECT 1;")]);
    let reset = ["reset", "--group", "tenants", "--yes", "--allow-data-loss"];
    refused_in("reset_of_a_group", &project, &reset, 2);
    for command in [&["doctor"][..], &["diff", "target", "migrations"], &["integrity"]] {
        let cli = project.pgfleet([command, &["--only", "acme"]].concat());
        assert_says(&ended(cli.run(), 2), &["PF156", command[0]]);
    }
}

#[test]
fn a_report_that_cannot_be_written_is_told_and_the_work_is_done() {
    let stage = Stage::of(ONE);
    stage.project.write(".pgfleet", "a file where the folder should be");
    let applied = stage.apply();
    assert_says(&applied.stderr, &["warning[PF107]", ".pgfleet/runs", "Not a"]);
    assert!(!applied.stdout.contains("report:"), "{}", applied.stdout);
    assert_eq!(stage.versions(), "0001");
}

#[test]
fn folders() {
    let stage = Stage::of(&[]);
    refused("missing_folder", &stage, 2);
    std::fs::create_dir(stage.project.path().join("migrations")).unwrap();
    refused("empty_folder", &stage, 2);
    let twice = Stage::of(&[("0001_a.sql", "SELECT 1;"), ("0001_b.sql", "SELECT 1;")]);
    refused("duplicate_version", &twice, 2);
    let unreadable = Stage::of(ONE);
    std::fs::create_dir(unreadable.project.path().join("migrations/0002_b.sql")).unwrap();
    std::os::unix::fs::symlink("/nowhere", unreadable.project.path().join("migrations/0003_c.sql"))
        .unwrap();
    refused("unreadable_file", &unreadable, 2);
}

#[test]
fn files() {
    let with = |content: &[u8]| {
        let stage = Stage::of(ONE);
        stage.write("0002_b.sql", content);
        stage
    };
    refused("binary_file", &with(b"\x7fELF\x00\x01\xff\xfe\x00\x80"), 2);
    refused("unterminated_body", &with(b"SELECT 1;\nDO $$ BEGIN\n  NULL;\nEND;\n"), 2);
    refused("unterminated_string", &with(b"SELECT 1;\nINSERT INTO a VALUES ('x);\n"), 2);
    refused("connect_command", &with(b"\\connect other\n"), 2);
    refused("missing_include", &with(b"\\i parts/none.sql\n"), 2);
    refused("copy_without_end", &with(b"COPY a FROM stdin;\n1\n2\n"), 2);
    let mut large = b"INSERT INTO a VALUES (1)".to_vec();
    large.extend(b",(1)".repeat(50 * 1024 * 1024 / 4));
    refused("large_statement", &with(&large), 2);
}

#[test]
fn encodings_that_can_be_read_run() {
    let stage = Stage::of(&[]);
    let utf16 = |text: &str| {
        [0xff, 0xfe]
            .into_iter()
            .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
            .collect::<Vec<u8>>()
    };
    stage.write("0001_a.sql", utf16("CREATE TABLE \"ä\" (id int);\r\n"));
    stage.write(
        "0002_b.sql",
        "\u{feff}CREATE TABLE b (id int);\r\n-- ü\r\nALTER TABLE b ADD c int;\r\n",
    );
    stage.write("0003_c.sql", "\u{feff}SELECT 1;\r\nSELECT nothing;\r\n");
    assert_says(&stage.ends(&["apply"], 4), &["migrations/0003_c.sql:2:8"]);
    assert_eq!(stage.versions(), "0001 0002");
    assert_eq!(stage.db.value("SELECT count(*) FROM \"ä\", b"), "0");
}

#[test]
fn names_that_are_not_utf8_are_refused_and_never_taken_for_one() {
    use std::os::unix::ffi::OsStrExt;
    let stage = Stage::of(ONE);
    for byte in [0xfe_u8, 0xff] {
        let name = [b"0002_", [byte].as_slice(), b".sql"].concat();
        let file = stage.project.path().join("migrations").join(std::ffi::OsStr::from_bytes(&name));
        std::fs::write(file, format!("CREATE TABLE b{byte} (id int);")).unwrap();
    }
    assert_says(&stage.ends(&["apply"], 2), &["PF113", "its name is not UTF-8"]);
    assert!(stage.is_untouched());
}

#[test]
fn servers_that_cannot_be_reached() {
    let stage = Stage::of(ONE);
    let at = |url: &str| stage.cli_at(url, &["apply"]).run();
    assert_says(&ended(at("postgres://postgres@127.0.0.1:1/x"), 3), &["PF201", "127.0.0.1"]);
    assert_says(
        &ended(at("postgres://postgres@nowhere.invalid/x"), 3),
        &["PF202", "nowhere.invalid"],
    );
    let missing = stage.db.url().replace(stage.db.name(), "no_such_database");
    assert_says(&ended(at(&missing), 3), &["PF205", "no_such_database"]);
    assert!(stage.is_untouched());
}

#[test]
fn a_wrong_password_is_refused_and_never_shown() {
    let cluster = Cluster::fresh().scram().start();
    let stage = Stage::on(TestDb::on(&cluster), ONE);
    let password = cluster.password().expect("a password");
    let url = stage.db.url().replace(password, "swordfish");
    let stderr = ended(stage.cli_at(&url, &["apply"]).run(), 3);
    assert_says(&stderr, &["PF204"]);
    assert!(!stderr.contains("swordfish"), "{stderr}");
    let json = stage.cli_at(&url, &["apply", "--output", "json"]).run();
    assert!(!json.stdout.contains("swordfish"), "{}", json.stdout);
}

#[test]
fn a_standby_is_refused() {
    let cluster = Cluster::fresh().recovery("CREATE DATABASE there").start();
    let stage = Stage::of(ONE);
    let stderr = ended(stage.cli_at(&cluster.url("there"), &["apply"]).run(), 3);
    assert_says(&stderr, &["PF208"]);
}

#[test]
fn roles_that_may_not_change_the_schema_are_refused() {
    let stage = Stage::of(ONE);
    let role = format!("{}_reader", stage.db.name());
    stage.db.sql(&format!("CREATE ROLE {role} LOGIN"));
    let url = stage.db.url().replace("//postgres@", &format!("//{role}@"));
    let without_create = stage.cli_at(&url, &["apply"]).run();
    stage.db.sql(&format!("GRANT ALL ON DATABASE {} TO {role}; GRANT ALL ON SCHEMA public TO {role}; ALTER ROLE {role} SET default_transaction_read_only = on", stage.db.name()));
    let read_only = stage.cli_at(&url, &["apply"]).run();
    stage.db.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    assert_says(&ended(without_create, 3), &["PF209"]);
    assert_says(&ended(read_only, 3), &["PF209"]);
    assert!(stage.is_untouched());
}

#[test]
fn poolers() {
    let stage = Stage::of(ONE);
    let cluster = stage.db.cluster();
    let transactions = PgBouncer::before(cluster, PoolMode::Transaction);
    let stderr = ended(stage.cli_at(&transactions.url(stage.db.name()), &["apply"]).run(), 3);
    assert_says(&stderr, &["PF207"]);
    assert!(stage.is_untouched());
    let sessions = PgBouncer::before(cluster, PoolMode::Session);
    stage.cli_at(&sessions.url(stage.db.name()), &["apply"]).run().assert_success();
    assert_eq!(stage.versions(), "0001");
}

#[test]
fn histories_that_are_not_understood() {
    let stage = Stage::of(ONE);
    stage.apply();
    stage.write("0002_b.sql", "CREATE TABLE b (id int);");
    stage.db.sql("ALTER TABLE pgfleet.migrations ADD COLUMN kind text NOT NULL DEFAULT 'x'");
    stage.run(&["status"]).assert_success();
    stage.db.sql("ALTER TABLE pgfleet.migrations ALTER COLUMN kind DROP DEFAULT");
    let stderr = stage.ends(&["apply"], 5);
    assert_says(&stderr, &["PF407", "kind"]);
    stage.db.sql("DROP TABLE pgfleet.migrations; CREATE TABLE pgfleet.migrations (id int)");
    assert_says(&stage.ends(&["apply"], 5), &["PF407", "version"]);
    assert_eq!(stage.db.value("SELECT to_regclass('b') IS NULL"), "t");
}

#[test]
fn histories_and_folders_that_disagree() {
    let stage = Stage::of(&[
        ("0001_a.sql", "CREATE TABLE a (id int);"),
        ("0003_c.sql", "CREATE TABLE c (id int);"),
    ]);
    stage.apply();
    stage.write("0002_b.sql", "CREATE TABLE b (id int);");
    let stderr = stage.ends(&["apply"], 5);
    assert_says(&stderr, &["PF406", "migrations/0002_b.sql"]);
    stage.project.write("pgfleet.toml", "[apply]\nout_of_order = true\n");
    stage.apply();
    assert_eq!(stage.versions(), "0001 0003 0002");
    stage.write("0003_c.sql", "CREATE TABLE c (id bigint);");
    let warned = stage.run(&["apply"]).assert_success();
    assert_says(&warned.stderr, &["PF405", "0003"]);
    stage.write("0004_d.sql", "CREATE TABLE d (id int);");
    assert_says(&stage.ends(&["apply"], 5), &["PF405", "migrations/0003_c.sql"]);
    std::fs::remove_file(stage.project.path().join("migrations/0003_c.sql")).unwrap();
    stage.apply();
    assert_eq!(stage.versions(), "0001 0003 0002 0004");
}

#[test]
fn plans_that_are_none() {
    let stage = Stage::of(ONE);
    for (name, text) in
        [("garbage.json", "{"), ("empty.json", ""), ("other.json", "{\"version\": 99}")]
    {
        stage.project.write(name, text);
        assert_says(&stage.ends(&["apply", "--plan", name], 2), &["PF131", name]);
    }
    assert_says(&stage.ends(&["apply", "--plan", "none.json"], 2), &["PF131"]);
    stage.run(&["plan", "--out", "plan.json"]).assert_success();
    let newer = stage.project.read("plan.json").replacen("\"version\": 2", "\"version\": 3", 1);
    stage.project.write("plan.json", newer);
    assert_says(&stage.ends(&["apply", "--plan", "plan.json"], 2), &["PF131", "version 3"]);
    assert!(stage.is_untouched());
}
