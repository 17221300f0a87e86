//! What quietly goes wrong when a monolith is split by hand.

use super::{Stage, assert_says};

const INDEX: &str = "import { MigrationInterface, QueryRunner } from \"typeorm\";

export class IndexTitles1700000000003 implements MigrationInterface {
  transaction = false;
  public async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE INDEX CONCURRENTLY ix_titles ON notifications (title)`);
  }
  public async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP INDEX ix_titles`);
  }
}
";

#[test]
fn marked_rows_stay_behind_where_asked_sequences_go_on_and_indexes_are_built_beside_writers() {
    let stage = Stage::new(10);
    stage.project.write("migrations/tenant/1700000000003-IndexTitles.ts", INDEX);
    stage.db.sql(
        "INSERT INTO notifications (user_id, title, deleted_at) \
         SELECT id, 'gone', now() FROM users LIMIT 3; \
         UPDATE clients SET deleted_at = now() WHERE id = 1",
    );
    stage.run(&["split", "run"]).assert_success();
    let gone = "SELECT count(*) FROM notifications WHERE deleted_at IS NOT NULL";
    assert_eq!(
        (stage.db.value(gone).as_str(), stage.value("_topsteel", gone).as_str()),
        ("3", "0")
    );
    let marked = "SELECT count(*) FROM clients WHERE deleted_at IS NOT NULL AND id = 1";
    assert_eq!(stage.value("_topsteel", marked), "1", "the others are copied with their mark");
    let last: u64 = stage.db.value("SELECT max(id) FROM clients").parse().unwrap();
    let next = "INSERT INTO clients (code, nom, societe_id) \
                VALUES ('N', 'N', gen_random_uuid()) RETURNING id";
    assert_eq!(stage.value("_topsteel", next), (last + 1).to_string());
    let index = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_titles'::regclass";
    assert_eq!(stage.value("_topsteel", index), "t");
}

#[test]
fn a_name_that_no_variable_gives_is_said_before_anything_is_done() {
    let stage = Stage::new(10);
    stage.declare("${DB_SHARED_NAME}", "${DB_COMMON_NAME}");
    let plan = stage.run(&["split", "plan"]);
    assert_eq!(plan.code, 2, "{}", plan.stderr);
    assert_says(&plan.stderr, &["DB_COMMON_NAME is not set", "families.shared"]);
    assert_eq!(stage.made(), "");
}

/// Every row of the table is refused: none arrives, and nobody is told that all is well.
#[test]
fn a_table_of_which_nothing_arrives_is_no_success() {
    let stage = Stage::new(10);
    stage.db.sql("UPDATE stocks SET quantity = -7");
    let run = stage.run(&["split", "run"]);
    assert_eq!(run.code, 4, "{}", run.stderr);
    assert_says(&run.stderr, &["PF386", "tenant.stocks could not be filled"]);
    assert!(!run.stdout.contains("all rows arrived"), "{}", run.stdout);
    let finish = stage.run(&["split", "finish"]);
    assert_eq!(finish.code, 5, "{}", finish.stderr);
    assert_says(&finish.stderr, &["PF487", "the split is running"]);
}

#[test]
fn what_a_large_plan_advises_is_a_file_that_can_be_appended() {
    let stage = Stage::new(10);
    let many = "DO $$ BEGIN FOR n IN 1..20 LOOP \
                EXECUTE format('CREATE TABLE extra_%s (id int PRIMARY KEY)', n); END LOOP; END $$";
    stage.db.sql(many);
    let plan = append_what_is_advised(&stage);
    assert_says(&plan, &["source, 20 tables: no database gets its rows", "extra_20"]);
    let declared = stage.read("split.toml");
    assert_says(&declared, &["# To the tables of [left_behind]:", "#     \"extra_20\","]);
    // Where the declaration leaves nothing behind, the file says all of it.
    let section = declared.lines().skip_while(|line| *line != "[left_behind]").nth(1).unwrap();
    stage.declare(&format!("[left_behind]\n{section}\n"), "");
    append_what_is_advised(&stage);
    let all = stage.run(&["split", "plan", "--all"]).assert_success();
    assert!(!all.stdout.contains("no database gets its rows"), "{}", all.stdout);
}

/// Runs the command that the plan ends with.
fn append_what_is_advised(stage: &Stage) -> String {
    let plan = stage.run(&["split", "plan"]).assert_success().stdout;
    let (_, command) = plan.split_once("then append it:\n\n").unwrap();
    let mut shell = std::process::Command::new("sh");
    shell.args(["-ec", command.lines().next().unwrap()]).current_dir(stage.project.path());
    assert!(shell.status().unwrap().success(), "{command}");
    plan
}
