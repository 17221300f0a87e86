//! The whole way of the example.

use super::service::Service;
use super::{Stage, assert_says};

#[test]
fn what_would_break_the_move_is_found_and_refused() {
    let stage = Stage::new(100);
    stage.psql("dirty.sql").assert_success();

    let plan = stage.run(&["split", "plan"]);
    assert_eq!(plan.code, 1, "{}", plan.stderr);
    assert_says(
        &plan.stdout,
        &[
            "auth.users.role: 1 row whose value user_role does not know",
            "SUPERVISOR",
            "auth.users (email): 2 rows that share a value of the unique key uq_users_email",
            "tenant.clients.code: 1 row whose value does not fit character varying(30)",
            "tenant.clients.code: 1 row without a value, and it allows no NULL",
            "tenant.clients.nom: 1 row without a value",
            "tenant.commandes.total: 2 rows whose value does not fit numeric(12,2)",
            "invalid input syntax for type numeric: \"douze\"",
            "10.005 would be shortened or rounded",
            "tenant.commandes (client_id): 1 row that would refer to no row of tenant.clients",
            "tenant.tickets.priority: 1 row whose value ticket_priority does not know",
            "tenant.employees (matricule): 2 rows that share a value of the unique key",
            "10 errors",
        ],
    );
    let refused = stage.run(&["split", "run"]);
    assert_eq!((refused.code, stage.made().as_str()), (5, ""), "{}", refused.stderr);
    assert_says(&refused.stderr, &["PF486", "auth.users.role"]);
    stage.psql("fix.sql").assert_success();
    stage.run(&["split", "plan"]).assert_success();
}

#[test]
fn a_monolith_becomes_three_databases_and_one_again() {
    let stage = Stage::new(200);
    let before = stage.source_schema();
    stage.run(&["split", "plan"]).assert_success();
    let service = Service::start(&stage);
    let broken = service.failing(&stage);
    assert_eq!(broken.len(), 4, "{broken:?}");
    assert!(broken.iter().all(|check| check.contains("500")), "{broken:?}");
    let run = stage.run(&["split", "run"]).assert_success();
    assert_says(&run.stdout, &["all rows arrived", "tenant.commande_lignes", "800 rows"]);
    assert_eq!(stage.made(), "*_auth *_shared *_topsteel");
    let (text, page) = stage.log("split-run");
    assert_says(&text, &["all rows arrived"]);
    let shown =
        ["Both sides of every table", "<td class=\"\">tenant.commande_lignes</td>", "move rows"];
    assert_says(&page, &shown);
    assert_says(&stage.log("split-plan").1, &["Findings", "SUCCESS"]);
    assert_eq!(stage.read(".pgfleet/.gitignore"), "*\n");
    let total = "SELECT count(*) || ' ' || sum(total) FROM commandes";
    let in_source = "SELECT count(*) || ' ' || sum(total::numeric(12,2)) FROM commandes";
    assert_eq!(stage.value("_topsteel", total), stage.db.value(in_source));
    probe_application(&stage);
    assert_eq!(service.failing(&stage), [""; 0]);
    let link = "SELECT count(*) FROM societe_users su JOIN users u ON u.id = su.user_id \
                JOIN societes s ON s.id = su.societe_id WHERE s.code = 'TOPSTEEL' AND su.is_default";
    assert_eq!(stage.value("_auth", link), stage.db.value("SELECT count(*) FROM users"));
    let soft_deleted =
        stage.value("_topsteel", "SELECT count(*) FROM clients WHERE deleted_at IS NOT NULL");
    assert_eq!(soft_deleted, "3", "soft-deleted clients are copied");
    // The trigger that touches updated_at was out of the way, and is there again.
    let touched = "SELECT count(*) FROM users WHERE updated_at <> created_at";
    assert_eq!(stage.value("_auth", touched), "0");
    stage.value(
        "_topsteel",
        "INSERT INTO clients (code, nom, societe_id) VALUES ('N', 'N', gen_random_uuid())",
    );

    let written = stage.db.psql("INSERT INTO clients (name) VALUES ('late')");
    assert_says(&written.stderr, &["public.clients is being split", "pgfleet split rollback"]);
    let again = stage.run(&["split", "run"]);
    assert_says(&again.stderr, &["PF387", "tenant.clients"]);
    let unsafe_now = stage.run(&["split", "rollback"]);
    assert_eq!(unsafe_now.code, 5, "{}", unsafe_now.stderr);
    assert_says(
        &unsafe_now.stderr,
        &["PF488", "tenant.clients: rows were written since the split"],
    );
    assert_eq!(stage.made(), "*_auth *_shared *_topsteel", "nothing was dropped");

    stage.value("_topsteel", "DELETE FROM clients WHERE code = 'N'");
    stage.run(&["split", "rollback", "--validate"]).assert_success();
    stage.run(&["split", "rollback"]).assert_success();
    assert_eq!((stage.made(), stage.source_schema()), (String::new(), before));
    assert_eq!(service.failing(&stage).len(), 4, "the service lost its databases");
    stage.db.psql("INSERT INTO clients (name, code) VALUES ('late', 'L1')").assert_success();
}

/// What the application asks first of its new databases.
fn probe_application(stage: &Stage) {
    let url = |suffix| stage.new_url(&format!("{}{suffix}", stage.db.name()));
    for (suffix, checks) in [("_auth", "auth"), ("_topsteel", "tenant")] {
        let checks = format!("application/{checks}.toml");
        let asked = stage.command(&["verify", "--checks", &checks, "--url", &url(suffix)]);
        asked.env("AUTH_URL", url("_auth")).run().assert_success();
    }
}

#[test]
fn references_between_databases_are_checked_and_a_split_is_finished() {
    let stage = Stage::new(50);
    stage.run(&["split", "run", "--jobs", "2"]).assert_success();
    let integrity = stage.run(&["integrity", "--output", "json"]).assert_success();
    let json: serde_json::Value = serde_json::from_str(&integrity.stdout).unwrap();
    assert_eq!(json["targets"][0]["references"].as_array().map(Vec::len), Some(17));
    stage.value("_auth", "DELETE FROM user_preferences");
    stage.value("_auth", "DELETE FROM societe_users");
    stage.value("_auth", "DELETE FROM users WHERE email = 'user2@atelier.example'");
    let broken = stage.run(&["integrity"]);
    assert_eq!(broken.code, 1);
    assert_says(&broken.stderr, &["PF566", "tenant.clients(owner_id) names 1 values"]);
    references_need_no_split(&stage);
    stage.run(&["split", "finish"]).assert_success();
    stage.db.psql("INSERT INTO clients (name, code) VALUES ('later', 'L2')").assert_success();
    assert_says(&stage.run(&["split", "status"]).stdout, &["No split of this source is under way"]);
}

/// Declared in pgfleet.toml, for `integrity` and as a check of one database.
fn references_need_no_split(stage: &Stage) {
    let declared = "[targets.auth]\nurl = \"env:AUTH_URL\"\n[targets.tenant]\nurl = \"env:TENANT_URL\"\n\
         [[reference]]\nfrom = \"tenant.clients(owner_id)\"\nto = \"auth.users(id)\"\n\
         [[check]]\nkind = \"reference\"\nkey = \"clients.owner_id -> users.id\"\nin = \"auth\"\n\
         [[check]]\nkind = \"reference\"\nkey = \"commandes.client_id -> clients.id\"\nin = \"tenant\"\n";
    stage.project.write("alone/pgfleet.toml", declared);
    let name = stage.db.name();
    let run = |args: &[&str]| {
        let args: Vec<_> = ["--config", "alone/pgfleet.toml"].iter().chain(args).copied().collect();
        let command = stage.command(&args).env("AUTH_URL", stage.new_url(&format!("{name}_auth")));
        command.env("TENANT_URL", stage.new_url(&format!("{name}_topsteel"))).run()
    };
    let integrity = run(&["integrity"]);
    assert_eq!(integrity.code, 1, "{}", integrity.stderr);
    assert_says(&integrity.stderr, &["PF566", "tenant.clients(owner_id) names 1 values"]);
    let verify = run(&["verify", "--target", "tenant"]);
    assert_eq!(verify.code, 1, "{}", verify.stderr);
    let said = ["5 values, 1 of them not in users", "not there: ", "0 of them not in clients"];
    assert_says(&verify.stdout, &said);
    stage.project.write("alone/pgfleet.toml", declared.replace("auth.users", "nowhere.users"));
    assert_says(&run(&["integrity"]).stderr, &["no target or group is called \"nowhere\""]);
    stage.project.write("alone/pgfleet.toml", "");
    assert_says(&run(&["integrity"]).stderr, &["no references are declared"]);
}
