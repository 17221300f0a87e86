//! What goes wrong in the middle is said with the row, and nothing is lost.

use super::{Stage, assert_says};

#[test]
fn a_row_that_the_new_database_refuses_stops_its_table_alone() {
    let stage = Stage::new(50);
    // A rule that the plan cannot see beforehand: CHECK (quantity >= 0).
    stage.db.sql("UPDATE stocks SET quantity = -7 WHERE id = 3");
    let run = stage.run(&["split", "run"]);
    assert_eq!(run.code, 4, "{}", run.stderr);
    assert_says(
        &run.stderr,
        &["PF386", "tenant.stocks could not be filled", "the row of the source is id=3"],
    );
    let status = stage.run(&["split", "status"]).stdout;
    assert_says(&status, &["tenant.stocks: 0 of 1 parts", "tenant.clients: 1 of 1 parts"]);
    // The fence is up; whoever settles it lifts it by taking the split back, or by disabling it.
    stage.db.sql(
        "ALTER TABLE stocks DISABLE TRIGGER pgfleet_split_fence; \
                  UPDATE stocks SET quantity = 7 WHERE id = 3; \
                  ALTER TABLE stocks ENABLE ALWAYS TRIGGER pgfleet_split_fence",
    );
    stage.run(&["split", "run"]).assert_success();
    assert_eq!(stage.value("_topsteel", "SELECT quantity FROM stocks WHERE id = 3"), "7");
}

#[test]
fn a_write_that_slips_through_is_found_by_reconciliation() {
    let stage = Stage::new(50);
    stage.run(&["split", "run", "--idle"]).assert_success();
    stage.db.sql("UPDATE clients SET email = 'changed' WHERE id = 1");
    let again = stage.run(&["split", "run", "--idle"]);
    assert_eq!(again.code, 4);
    let named = ["only the source has it so: id=1\n", "only the new table has it so: id=1\n"];
    assert_says(
        &again.stderr,
        &["PF387", "tenant.clients", "checksums differ", named[0], named[1]],
    );
    stage.value("_topsteel", "DELETE FROM documents WHERE id = 2");
    let lost = stage.run(&["split", "run", "--idle", "--output", "json"]);
    let json: serde_json::Value = serde_json::from_str(&lost.stdout).unwrap();
    let tables = json["targets"][0]["split"]["tables"].as_array().unwrap();
    let table = tables.iter().find(|table| table["table"] == "tenant.documents").unwrap();
    let expected = serde_json::json!({
        "source": {"rows": 1, "samples": ["id=2"]}, "here": {"rows": 0, "samples": []}
    });
    assert_eq!(table["differing"], expected, "{}", lost.stdout);
}

#[test]
fn a_reference_that_rows_break_already_is_found_before_anything_is_moved() {
    let stage = Stage::new(10);
    stage.db.sql(
        "SET session_replication_role = replica; \
         UPDATE clients SET owner_id = gen_random_uuid() WHERE id = 2",
    );
    let plan = stage.run(&["split", "plan"]);
    assert_eq!(plan.code, 1, "{}", plan.stderr);
    let said = "tenant.clients (owner_id): 1 row that would refer to no row of auth.users";
    assert_says(&plan.stdout, &[said, "id=2 -> "]);
}

#[test]
fn what_is_mapped_nowhere_is_named() {
    let stage = Stage::new(10);
    stage.declare("leave = [\"legacy_badge\"]\n", "");
    stage.declare("\"audit_logs\"", "\"absent\"");
    let plan = stage.run(&["split", "plan"]).assert_success();
    let said = [
        "source public.users.legacy_badge: its values are moved nowhere",
        "source public.audit_logs: no database gets its rows",
        "source public.absent: is left behind, and is not there",
    ];
    assert_says(&plan.stdout, &said);
    stage.declare("[\"user_sessions\", \"password_resets\", \"absent\"]", "[]");
    stage.declare(
        "[[reference]]\nfrom = \"tenant.commandes(societe_id)\"\nto = \"auth.societes(id)\"",
        "",
    );
    stage
        .declare("[[reference]]\nfrom = \"tenant.clients(owner_id)\"\nto = \"auth.users(id)\"", "");
    let plan = stage.run(&["split", "plan"]).assert_success();
    let said = [
        "source, 3 tables: no database gets its rows",
        "audit_logs, password_resets, user_sessions",
        "# To the tables of [left_behind]:\n#     \"audit_logs\",\n#     \"password_resets\",\n",
        "[[reference]]\nfrom = \"tenant.clients(owner_id)\"\nto = \"auth.users(id)\"\n",
    ];
    assert_says(&plan.stdout, &said);
}

#[test]
fn a_declaration_that_cannot_be_meant_is_refused_with_its_place() {
    let stage = Stage::new(10);
    stage.declare("into = \"auth.users\"", "inot = \"auth.users\"");
    let plan = stage.run(&["split", "plan"]);
    assert_eq!(plan.code, 2);
    assert_says(&plan.stderr, &["PF186", "split.toml:", "inot"]);
}

#[test]
fn another_declaration_than_the_one_that_was_begun_is_refused() {
    let stage = Stage::new(10);
    stage.run(&["split", "run"]).assert_success();
    stage.declare("where = \"s.read_at IS NULL\"\n", "");
    let run = stage.run(&["split", "run"]);
    assert_eq!(run.code, 5, "{}", run.stderr);
    assert_says(&run.stderr, &["PF487", "pgfleet split rollback"]);
}

#[test]
fn a_database_that_is_there_already_is_left_alone() {
    let stage = Stage::new(10);
    stage.db.psql(&format!("CREATE DATABASE {}_auth", stage.db.name())).assert_success();
    let plan = stage.run(&["split", "plan"]);
    assert_eq!(plan.code, 1);
    assert_says(&plan.stdout, &["is there already, and this split did not make it"]);
}
