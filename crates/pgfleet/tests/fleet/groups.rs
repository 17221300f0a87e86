//! Groups by pattern: everything that works on one database works on many.

use crate::fleet::{Fleet, HOSTILE, verdicts};

const TABLE: &str = "CREATE TABLE items (id int PRIMARY KEY);";

fn says(text: &str, wanted: &[&str]) {
    for part in wanted {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
}

#[test]
fn hostile_names_are_targets_like_any_other() {
    let long = format!("o_{}", "x".repeat(61));
    let names = ["o_plain", "o_with space", "o_é", &long, "o_Q\"uote", "x"];
    let fleet = Fleet::by_pattern(&names, "o_*");
    fleet.sql("postgres", &format!("CREATE DATABASE {}", crate::fleet::quote(HOSTILE)));
    let config = fleet.project.read("pgfleet.toml").replace("\"o_*\"", "[\"o_*\", \"a*\"]");
    fleet.configure(&config);
    fleet.migration("0001_items.sql", TABLE);
    let found = fleet.json(&["apply", "--group", "tenants"], 0);
    assert_eq!(verdicts(&found).len(), 6);
    for name in ["o_plain", "o_with space", "o_é", &long, "o_Q\"uote", HOSTILE] {
        assert_eq!(fleet.value(name, "SELECT count(*) FROM pgfleet.migrations"), "1", "{name}");
    }
    let untouched = fleet.value("x", "SELECT count(*) FROM pg_namespace WHERE nspname = 'pgfleet'");
    assert_eq!(untouched, "0", "the database that a hostile name speaks of is not touched");
    let again = fleet.json(&["apply", "--group", "tenants"], 0);
    assert!(verdicts(&again).iter().all(|(_, verdict)| verdict == "nothing to do"), "{again}");
}

#[test]
fn a_target_that_fails_stops_no_other_and_running_again_finishes() {
    let fleet = Fleet::by_pattern(&["o_1", "o_2", "o_3"], "o_*");
    fleet.sql("o_2", "CREATE TABLE items (id text)");
    fleet.migration("0001_items.sql", TABLE);
    fleet.migration("0002_more.sql", "ALTER TABLE items ADD qty int;");
    let output = fleet.ends(&["apply", "--group", "tenants"], 6);
    says(
        &output.stdout,
        &["3 targets, 1 failed", "2 applied", "PF301", "o_2", "report: .pgfleet/runs/"],
    );
    says(&output.stderr, &["error[PF301]", "target: o_2"]);
    assert_eq!(fleet.value("o_3", "SELECT count(*) FROM pgfleet.migrations"), "2");
    fleet.sql("o_2", "DROP TABLE items");
    let found = fleet.json(&["apply", "--group", "tenants"], 0);
    let expected = [("o_1", "nothing to do"), ("o_2", "2 applied"), ("o_3", "nothing to do")];
    let found = verdicts(&found);
    let found: Vec<_> = found.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(found, expected);
}

#[test]
fn when_all_fail_alike_the_code_is_theirs_and_it_is_told_once() {
    let fleet = Fleet::by_pattern(&["o_1", "o_2"], "o_*");
    fleet.migration("0001_bad.sql", "SELECT nothing;");
    let output = fleet.ends(&["apply", "--group", "tenants"], 4);
    assert_eq!(output.stderr.matches("error[").count(), 1, "{}", output.stderr);
    says(&output.stderr, &["o_1, o_2 (2 targets)"]);
}

#[test]
fn status_shows_who_lacks_what() {
    let fleet = Fleet::by_pattern(&["o_1", "o_2", "o_3", "o_4"], "o_*");
    fleet.migration("0001_items.sql", TABLE);
    fleet.migration("0002_qty.sql", "ALTER TABLE items ADD qty int;");
    fleet.ends(&["apply", "--group", "tenants"], 0);
    fleet.sql("o_3", "DELETE FROM pgfleet.migrations WHERE version = '0002'");
    fleet.sql("o_4", "INSERT INTO pgfleet.migrations SELECT * FROM pgfleet.migrations WHERE false");
    let output = fleet.ends(&["status", "--group", "tenants", "--no-color"], 0);
    says(&output.stdout, &["3  ✔ alike: 2 applied", "1  ✘ lacks 0002: o_3", "o_3  ✔○", "o_4  ✔✔"]);
    fleet.ends(&["status", "--group", "tenants", "--exit-code"], 1);
    let found = fleet.json(&["status", "--group", "tenants"], 0);
    let third = &found["targets"][2];
    assert_eq!((&third["target"], &third["group"]), (&"o_3".into(), &"tenants".into()));
    assert_eq!(third["migrations"][1]["verdict"], "pending");
    assert_eq!(third["verdict"], "1 applied, 1 pending");
    let junit =
        fleet.ends(&["status", "--group", "tenants", "--exit-code", "--output", "junit"], 1);
    let told = "<failure message=\"1 applied, 1 pending\">0002 is pending</failure>";
    says(&junit.stdout, &["tests=\"4\" failures=\"1\"", told]);
    // Each target is told what it lacks, and where it is.
    fleet.sql("o_4", "DROP TABLE items");
    let missing = fleet.ends(&["missing", "--group", "tenants"], 1);
    says(&missing.stdout, &["1 table missing: o_4", "table items: gone since 0001_items made it"]);
    says(&missing.stderr, &["lacks 1 table\n", "pgfleet diff postgres://", "/o_4 migrations"]);
    assert!(!missing.stderr.contains("Apply what is pending"), "{}", missing.stderr);
    let check = "[[check]]\nkind = 'tables'\nat_least = 1\n";
    fleet.project.write("checks.toml", check);
    let checks = ["verify", "--group", "tenants", "--checks", "checks.toml"];
    says(
        &fleet.ends(&checks, 1).stdout,
        &["tables in public: expected at least 1, found 0 tables"],
    );
}

#[test]
fn drift_names_who_differs_from_the_most() {
    let fleet = Fleet::by_pattern(&["o_1", "o_2", "o_3"], "o_*");
    fleet.migration("0001_items.sql", TABLE);
    fleet.ends(&["apply", "--group", "tenants"], 0);
    let output = fleet.ends(&["drift", "--group", "tenants"], 0);
    says(&output.stdout, &["no drift", "the same everywhere"]);
    fleet.sql("o_2", "CREATE INDEX stray ON items (id)");
    let output = fleet.ends(&["drift", "--group", "tenants", "--no-color"], 1);
    says(
        &output.stdout,
        &["drift: besides index public.stray: o_2", "2 schemas", "+ index public.stray"],
    );
    fleet.sql("o_1", "ALTER TABLE items ADD phone text");
    let output = fleet.ends(&["drift", "--group", "tenants", "--no-color"], 1);
    says(
        &output.stdout,
        &["other table public.items: + column phone text", "    - column phone text"],
    );
    fleet.sql("o_1", "ALTER TABLE items DROP phone");
    // Those that differ in what a line has no room for are not counted together.
    for (name, tables) in [("o_1", 4), ("o_2", 4), ("o_3", 5)] {
        for number in 1..=tables {
            fleet.sql(name, &format!("CREATE TABLE a{number} (id int)"));
        }
    }
    fleet.sql("o_3", "CREATE INDEX part_of_what_is_told ON a5 (id)");
    let output = fleet.ends(&["drift", "--group", "tenants", "--no-color"], 1);
    says(&output.stdout, &[" and 1 more: o_1", " and 2 more: o_2", " and 3 more: o_3"]);
    says(&output.stdout, &["+ table public.a5"]);
    assert!(!output.stdout.contains("+ index public.part_of_what"), "{}", output.stdout);
}

#[test]
fn targets_are_chosen_and_a_name_that_fits_nothing_is_told() {
    let fleet = Fleet::by_pattern(&["o_1", "o_2", "o_3"], "o_*");
    fleet.migration("0001_items.sql", TABLE);
    let args = ["apply", "--group", "tenants", "--only", "o_?", "--except", "o_2"];
    let found = verdicts(&fleet.json(&args, 0));
    assert_eq!(found.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["o_1", "o_3"]);
    let output = fleet.ends(&["status", "--group", "tenants", "--only", "o_9"], 2);
    says(&output.stderr, &["error[PF155]", "\"o_9\""]);
    let output = fleet.ends(&["status", "--only", "o_1"], 2);
    says(&output.stderr, &["error[PF156]", "--only"]);
    let output = fleet.ends(&["status", "--group", "tenants", "--url", "postgres://h/d"], 2);
    says(&output.stderr, &["error[PF156]", "--url"]);
    let output = fleet.ends(&["status", "--group", "tenats"], 2);
    says(&output.stderr, &["error[PF103]", "tenants"]);
}

#[test]
fn a_pattern_that_fits_nothing_is_a_warning() {
    let fleet = Fleet::by_pattern(&[], "o_*");
    fleet.migration("0001_items.sql", TABLE);
    let output = fleet.ends(&["apply", "--group", "tenants"], 0);
    says(&output.stderr, &["warning[PF154]"]);
}

#[test]
fn machine_forms_have_every_target() {
    let fleet = Fleet::by_pattern(&["o_1", "o_2"], "o_*");
    fleet.sql("o_2", "CREATE TABLE items (id text)");
    fleet.migration("0001_items.sql", TABLE);
    let output = fleet.ends(&["apply", "--group", "tenants", "--output", "junit"], 6);
    says(&output.stdout, &["<testsuite name=\"tenants\" tests=\"2\"", "type=\"PF301\""]);
    let found = fleet.json(&["apply", "--group", "tenants"], 6);
    assert_eq!(found["errors"][0]["target"], "o_2");
    assert_eq!(found["targets"][1]["exit"], 4);
}

#[test]
fn groups_wait_for_those_that_come_first() {
    let fleet = Fleet::of(&["auth", "o_1"]);
    let url = fleet.cluster.url("auth");
    fleet.configure(&format!(
        "[targets.auth]\nurl = \"{url}\"\n[groups.auth]\ntargets = [\"auth\"]\ndir = \"auth\"\n\
         [groups.a_tenants]\nserver = \"{url}\"\ndatabases = \"o_*\"\ndir = \"migrations\"\n\
         after = [\"auth\"]\n"
    ));
    fleet.project.write("auth/0001_users.sql", "SELECT nothing;");
    fleet.migration("0001_items.sql", TABLE);
    let output = fleet.ends(&["apply", "--group", "all"], 6);
    says(&output.stdout, &["not tried: the group auth comes first", " not tried\n"]);
    says(&output.stderr, &["error[PF540]"]);
    fleet.project.write("auth/0001_users.sql", "CREATE TABLE users (id int);");
    let found = verdicts(&fleet.json(&["apply", "--group", "all"], 0));
    assert_eq!(found[0], ("auth".to_owned(), "1 applied".to_owned()));
    assert_eq!(found[1], ("o_1".to_owned(), "1 applied".to_owned()));
}

#[test]
fn a_later_group_alone_waits_for_those_that_come_first() {
    let fleet = Fleet::of(&["auth", "auth_eu", "o_1", "o_2"]);
    let url = fleet.cluster.url("auth");
    fleet.configure(&format!(
        "[groups.auth]\nserver = \"{url}\"\ndatabases = \"auth*\"\ndir = \"auth\"\n\
         [groups.shared]\nserver = \"{url}\"\ndatabases = \"none*\"\ndir = \"auth\"\nafter = [\"auth\"]\n\
         [groups.a_tenants]\nserver = \"{url}\"\ndatabases = \"o_*\"\ndir = \"migrations\"\n\
         after = [\"shared\"]\n"
    ));
    fleet.project.write("auth/0001_users.sql", "CREATE TABLE users (id int);");
    fleet.migration("0001_items.sql", TABLE);
    fleet.ends(&["apply", "--group", "auth", "--only", "auth"], 0);
    let behind = [
        "error[PF437]: auth comes before",
        "1 of 2 targets of auth are behind",
        "auth_eu: 1 pending",
        "pgfleet apply --group auth",
    ];
    for command in ["apply", "apply --atomic", "rollout start"] {
        let args: Vec<_> = command.split(' ').chain(["--group", "a_tenants"]).collect();
        let output = fleet.ends(&args, 5);
        says(&output.stderr, &behind);
        says(&output.stderr, &["pgfleet ", " --ignore-order"]);
    }
    assert_eq!(fleet.value("o_1", "SELECT to_regclass('items') IS NULL"), "t");
    // What changes nothing is not refused.
    fleet.ends(&["status", "--group", "a_tenants"], 0);
    fleet.ends(&["apply", "--group", "a_tenants", "--only", "o_1", "--ignore-order"], 0);
    fleet.ends(&["apply", "--group", "auth"], 0);
    fleet.ends(&["rollout", "start", "--group", "a_tenants"], 0);
    assert_eq!(fleet.value("o_2", "SELECT to_regclass('items') IS NULL"), "f");
}

#[test]
fn groups_that_say_too_little_or_in_circles_are_shown_with_their_line() {
    let fleet = Fleet::of(&[]);
    for (text, wanted) in [
        ("[groups.a]\ndir = \"x\"\n", ["pgfleet.toml:1", "a group needs one of"]),
        ("[groups.a]\nregistry = \"x\"\n", ["pgfleet.toml:1", "registry needs query"]),
        ("[groups.a]\ntargets = []\nschemas = \"x\"\n", ["pgfleet.toml:1", "in two ways"]),
        ("[groups.a]\ntargets = []\nafter = [\"b\"]\n", ["pgfleet.toml:3:10", "which is no group"]),
        (
            "[groups.a]\ntargets = []\nafter = [\"b\"]\n[groups.b]\ntargets = []\nafter = [\"a\"]\n",
            ["pgfleet.toml:3:10", "which comes after it"],
        ),
        ("[groups.a]\ntargets = []\nconcurrency = 0\n", ["pgfleet.toml:1", "at least 1"]),
    ] {
        fleet.configure(text);
        let output = fleet.ends(&["status", "--group", "a"], 2);
        says(&output.stderr, &["error[PF102]"]);
        says(&output.stderr, &wanted);
    }
}

#[test]
fn lint_and_check_look_at_the_folder_of_the_group() {
    let fleet = Fleet::by_pattern(&["o_1", "o_2"], "o_*");
    fleet.migration("0001_items.sql", TABLE);
    fleet.sql("o_1", "CREATE TABLE items (id int PRIMARY KEY); INSERT INTO items VALUES (1)");
    let checked = fleet.ends(&["check", "--group", "tenants"], 0);
    says(&checked.stdout, &["migrations: 1 migration (plain)"]);
    fleet.migration("0002_drop.sql", "DROP TABLE items;");
    let linted = fleet.run(&["lint", "--group", "tenants"]);
    says(&linted.stdout, &["ban-drop-table", "without a database: 2 migrations"]);
    let linted = fleet.run(&["lint", "--group", "tenants", "--only", "o_1"]);
    says(&linted.stdout, &["ban-drop-table", "against ", "o_1: 2 migrations"]);
    // Where the table is made by what is pending, it has no rows that a drop could lose.
    let linted = fleet.run(&["lint", "--group", "tenants", "--only", "o_2"]);
    says(&linted.stdout, &["against ", "o_2: 2 migrations"]);
    assert!(!linted.stdout.contains("ban-drop-table"), "{}", linted.stdout);
    let refused = fleet.ends(&["check", "--group", "tenants", "--url", "postgres://x/y"], 2);
    says(&refused.stderr, &["error[PF156]"]);
}

#[test]
fn advice_for_a_target_names_the_group_and_the_target() {
    let fleet = Fleet::by_pattern(&["o_1", "o_2", "o_3"], "o_*");
    fleet.migration("0001_items.sql", TABLE);
    for name in ["o_1", "o_3"] {
        fleet.sql(name, "CREATE TABLE items (id text)");
    }
    let output = fleet.ends(&["apply", "--group", "tenants"], 6);
    let advice = "pgfleet resolve --applied 0001 --group tenants --only o_1 --only o_3";
    says(&output.stderr, &["PF301", advice]);
}

#[test]
fn scratch_copies_are_no_targets_and_go_when_nobody_owns_them() {
    let fleet = Fleet::by_pattern(&["o_1", "pgfleet_scratch_dead"], "*");
    fleet.configure(
        &fleet.project.read("pgfleet.toml").replace("\"*\"", "[\"o_*\", \"pgfleet_*\"]"),
    );
    fleet.migration("0001_items.sql", TABLE);
    let found = fleet.json(&["apply", "--group", "tenants", "--dry-run"], 0);
    assert_eq!(verdicts(&found).len(), 1, "{found}");
    let left = "SELECT count(*) FROM pg_database WHERE datname LIKE 'pgfleet_scratch%'";
    assert_eq!(fleet.value("postgres", left), "0");
}

#[test]
fn a_plan_of_a_difference_runs_where_the_first_schema_is() {
    let fleet = Fleet::by_pattern(&["o_1", "o_2", "o_3"], "o_*");
    for name in ["o_1", "o_2", "o_3"] {
        fleet.sql(name, TABLE);
    }
    fleet.sql("o_3", "ALTER TABLE items ADD hotfix text");
    fleet.project.write("after.sql", "CREATE TABLE items (id int PRIMARY KEY, qty int NOT NULL);");
    let first = fleet.cluster.url("o_1");
    fleet.ends(&["diff", &first, "after.sql", "--url", &first, "--out", "plan.json"], 0);
    let apply = ["apply", "--group", "tenants", "--plan", "plan.json"];
    fleet.sql("o_2", "INSERT INTO items VALUES (7)");
    let found = fleet.json(&apply, 6);
    let said = verdicts(&found);
    assert_eq!(said[0], ("o_1".to_owned(), "1 applied".to_owned()));
    assert!(said[1].1.starts_with("PF425: 1 row of public.items would have no value"), "{said:?}");
    assert!(said[2].1.starts_with("PF403"), "{said:?}");
    fleet.sql("o_2", "DELETE FROM items");
    fleet.sql("o_3", "ALTER TABLE items DROP hotfix");
    let said = verdicts(&fleet.json(&apply, 0));
    let said: Vec<_> = said.iter().map(|(_, verdict)| verdict.as_str()).collect();
    assert_eq!(said, ["nothing to do", "1 applied", "1 applied"]);
}

#[test]
fn advice_to_a_whole_group_does_not_name_each_target() {
    let names: Vec<_> = (1..=12).map(|number| format!("o_{number:02}")).collect();
    let fleet = Fleet::by_pattern(&names.iter().map(String::as_str).collect::<Vec<_>>(), "o_*");
    let verify = fleet.ends(&["verify", "--group", "tenants", "--except", "o_12"], 2);
    says(
        &verify.stderr,
        &[
            "o_01, o_02",
            "pgfleet verify --propose --url postgres://",
            "pgfleet verify --checks checks.toml --group tenants --except o_12\n",
        ],
    );
    assert!(!verify.stderr.contains("--only"), "{}", verify.stderr);
    fleet.migration("0001_items.sql", TABLE);
    for name in &names[..10] {
        fleet.sql(name, TABLE);
    }
    let apply = fleet.ends(&["apply", "--group", "tenants"], 6);
    let advice = "pgfleet resolve --applied 0001 --group tenants --except o_11 --except o_12\n";
    says(&apply.stderr, &["(10 targets)", advice]);
}
