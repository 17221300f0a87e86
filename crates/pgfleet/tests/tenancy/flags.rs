//! A small conversion without a `[tenancy]` section.

use pgfleet_testkit::TestDb;

use crate::stage::{Stage, assert_says};
use crate::vechat::{CHAT, DONE, STATE_OF_COLUMNS};

const FLAGS: [&str; 13] = [
    "tenantize",
    "--column",
    "organisation_id",
    "--type",
    "int",
    "--constant",
    "1",
    "--tables",
    "vechat_conversations,vechat_presence,vechat_user_settings",
    "--via",
    "vechat_messages=conversation_id",
    "--references",
    "organisations.id",
];

#[test]
fn flags_are_enough_for_a_conversion_and_a_look_across_its_border() {
    let stage = Stage::on(TestDb::new(), &[("0001_chat.sql", CHAT)]);
    stage.apply();
    let before = stage.schema();
    let said = stage.ends(&["tenantize"], 2);
    assert_says(&said, &["PF191", "no flag says it", "--column organisation_id"]);
    let said = stage.ends(&["tenantize", "--column", "organisation_id"], 2);
    assert_says(&said, &["--type is needed"]);
    stage.run(&FLAGS).assert_success();
    stage.apply();
    assert_eq!(stage.db.value(STATE_OF_COLUMNS), DONE);
    stage.run(&["verify", "--checks", "tenancy.checks.toml"]).assert_success();
    assert_says(&stage.run(&FLAGS).assert_success().stdout, &["Nothing to do"]);
    let role = format!("app_{}", stage.db.name());
    stage
        .db
        .sql(&format!("CREATE ROLE {role}; GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}"));
    let tables = ["--column", "organisation_id", "--tables", "vechat_messages,vechat_presence"];
    let reached = stage.run(&[&["isolation", "--role", &role], &tables[..]].concat());
    assert_eq!(reached.code, 1, "{}", reached.stderr);
    assert_says(&reached.stdout, &["vechat_messages", "vechat_presence", "reached 1 row"]);
    stage.project.write("src/chat.ts", "q('SELECT body FROM vechat_messages WHERE id = $1')");
    let found = stage.run(&[&["isolation", "queries", "src"], &tables[..]].concat());
    assert_eq!(found.code, 1, "{}", found.stderr);
    assert_says(&found.stdout, &["vechat_messages", "src/chat.ts:1:4"]);
    stage.db.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    stage.run(&["rollback", "--allow-data-loss"]).assert_success();
    assert_eq!(stage.schema(), before);
}

#[test]
fn flags_stand_over_the_section() {
    let stage = crate::vechat::stage(CHAT, crate::vechat::TENANCY);
    let shown =
        stage.run(&["tenantize", "--dry-run", "--tables", "vechat_presence", "--constant", "2"]);
    let shown = shown.assert_success().stdout;
    assert_says(&shown, &["vechat_presence ADD COLUMN organisation_id integer NOT NULL DEFAULT 2"]);
    assert!(!shown.contains("vechat_messages"), "{shown}");
}
