//! Tenants that have a schema of one database: whole or not at all, and nothing of another's.

use std::time::Duration;

use pgfleet_testkit::proxy::{Direction, Proxy};

use crate::fleet::{Fleet, cuts};

const REGISTRY: &str = "CREATE TABLE tenants (code text PRIMARY KEY, place text, active bool); \
     CREATE TABLE countries (id int PRIMARY KEY); INSERT INTO countries VALUES (1)";

/// A registry in the database that the schemas are in, a folder, a seed and a check.
fn tenants() -> Fleet {
    let fleet = Fleet::of(&["app"]);
    fleet.sql("app", REGISTRY);
    fleet.migration(
        "0001_items.sql",
        "CREATE TABLE items (id int PRIMARY KEY, tenant text DEFAULT :'schema', \
         country int REFERENCES public.countries);",
    );
    fleet.migration("0002_rows.sql", "INSERT INTO items VALUES (1, DEFAULT, 1);");
    fleet.project.write("seed.sql", "INSERT INTO items VALUES (2, :'code', 1);");
    fleet.configure(&format!(
        r#"[groups.tenants]
registry = "{}"
query = "SELECT code AS name, place AS schema, active FROM tenants ORDER BY code"
dir = "migrations"
format = "plain"
variables = true

[groups.tenants.tenant]
schema = "t_{{code}}"
code = ".+"
seed = ["seed.sql"]
register = "INSERT INTO tenants VALUES (:'code', :'schema', false)"
activate = "UPDATE tenants SET active = true WHERE code = :'code'"
unregister = "DELETE FROM tenants WHERE code = :'code'"

[[groups.tenants.check]]
kind = "sql"
name = "its items"
query = "SELECT count(*) FROM items"
equals = 2
"#,
        fleet.cluster.url("app")
    ));
    fleet
}

impl Fleet {
    #[track_caller]
    fn tenant_of_schema(&self, args: &[&str], code: i32) -> String {
        let output = self.ends(&[&["tenant"], args].concat(), code);
        output.stdout + &output.stderr
    }

    fn app(&self, sql: &str) -> String {
        self.value("app", sql)
    }

    /// A schema with all its rows, once in the registry, active, and without marks.
    #[track_caller]
    fn has_whole_schema(&self, code: &str, context: &str) {
        let schema = format!("t_{code}");
        let row = format!("SELECT place, active FROM tenants WHERE code = $q${code}$q$");
        assert_eq!(self.app(&row), format!("{schema}|t"), "{context}");
        let items = format!(
            "SELECT string_agg(tenant, ',' ORDER BY id) FROM {}.items",
            crate::fleet::quote(&schema)
        );
        assert_eq!(self.app(&items), format!("{schema},{code}"), "{context}");
        self.has_no_traces_of_schemas(context);
    }

    #[track_caller]
    fn has_no_schema(&self, code: &str, context: &str) {
        let there = format!("SELECT count(*) FROM pg_namespace WHERE nspname = $q$t_{code}$q$");
        assert_eq!(self.app(&there), "0", "{context}");
        let row = format!("SELECT count(*) FROM tenants WHERE code = $q${code}$q$");
        assert_eq!(self.app(&row), "0", "{context}");
        self.has_no_traces_of_schemas(context);
    }

    #[track_caller]
    fn has_no_traces_of_schemas(&self, context: &str) {
        let traces = "SELECT (SELECT count(*) FROM pg_namespace n WHERE nspname ~ '^pgfleet_tenant_' \
             OR obj_description(oid, 'pg_namespace') ~ 'pgfleet') || ' ' || \
             (SELECT count(*) FROM pgfleet.tenant_steps WHERE ended_at IS NULL) || ' ' || \
             (SELECT count(*) FROM countries)";
        assert_eq!(self.app(traces), "0 0 1", "{context}");
    }
}

#[track_caller]
fn says(text: &str, wanted: &[&str]) {
    for part in wanted {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
}

#[test]
fn a_tenant_with_a_schema_comes_and_goes() {
    let fleet = tenants();
    let hostile = "a\"; DROP TABLE tenants; --";
    for code in ["acme", hostile] {
        let text = fleet.tenant_of_schema(&["create", code], 0);
        says(&text, &["is created: schema t_", "2 migrations applied, 1 seed, 1 check"]);
        fleet.has_whole_schema(code, code);
    }
    let again = fleet.tenant_of_schema(&["create", "acme"], 5);
    says(&again, &["error[PF493]", "the registry has acme already"]);
    fleet.sql("app", "INSERT INTO tenants VALUES ('ghost', 't_ghost', true)");
    let listed = fleet.tenant_of_schema(&["list"], 0);
    says(&listed, &["SCHEMA", "t_acme", "0002", "there is no schema \"t_ghost\""]);
    fleet.sql("app", "DELETE FROM tenants WHERE code = 'ghost'");
    fleet.ends(&["apply", "--group", "tenants"], 0);

    let text = fleet.tenant_of_schema(&["drop", hostile], 5);
    says(&text, &["error[PF402]", "the schema t_a\"; DROP"]);
    let text = fleet.tenant_of_schema(&["drop", hostile, "--allow-data-loss"], 0);
    says(&text, &["is dropped: schema t_a\"; DROP", "proven backup: "]);
    fleet.has_no_schema(hostile, "dropped");
    fleet.has_whole_schema("acme", "the other is not touched");
}

#[test]
fn a_schema_that_fails_is_taken_back_and_can_be_made_again() {
    let fleet = tenants();
    fleet.migration(
        "0003_apart.sql",
        "CREATE INDEX CONCURRENTLY apart ON items (tenant);\nSELECT 1 / (count(*) - 1) FROM items;",
    );
    let text = fleet.tenant_of_schema(&["create", "acme"], 4);
    says(&text, &["what was done is taken back", "0003_apart.sql", "division by zero"]);
    fleet.has_no_schema("acme", "taken back");
    fleet.migration("0003_apart.sql", "CREATE INDEX CONCURRENTLY apart ON items (tenant);");
    fleet.tenant_of_schema(&["create", "acme"], 0);
    fleet.has_whole_schema("acme", "made again");
    let valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 't_acme.apart'::regclass";
    assert_eq!(fleet.app(valid), "t");
}

#[test]
fn a_schema_that_is_needed_or_in_use_is_not_dropped() {
    let fleet = tenants();
    fleet.tenant_of_schema(&["create", "acme"], 0);
    let drop = ["drop", "acme", "--allow-data-loss"];
    fleet.sql("app", "CREATE VIEW report AS SELECT count(*) FROM t_acme.items");
    fleet.sql("app", "CREATE TABLE links (item int REFERENCES t_acme.items)");
    let text = fleet.tenant_of_schema(&drop, 5);
    says(&text, &["error[PF496]", "is needed elsewhere", "view report", "on table links"]);
    fleet.has_whole_schema("acme", "needed elsewhere");
    fleet.sql("app", "DROP VIEW report; DROP TABLE links");
    fleet.sql("app", "BEGIN; DELETE FROM t_acme.items WHERE id = 9; PREPARE TRANSACTION 'theirs'");
    let text = fleet.tenant_of_schema(&drop, 5);
    says(&text, &["error[PF496]", "the prepared transaction theirs of user postgres"]);
    fleet.sql("app", "ROLLBACK PREPARED 'theirs'");
    fleet.has_whole_schema("acme", "in use");
    fleet.tenant_of_schema(&drop, 0);
    fleet.has_no_schema("acme", "dropped");
}

/// What became of a run whose connections are cut behind a message.
fn interrupted(
    fleet: &Fleet,
    args: &[&str],
    cut: Option<(Direction, u64)>,
) -> [(Direction, u64); 2] {
    let direct = fleet.project.read("pgfleet.toml");
    let proxy = Proxy::before(&fleet.cluster, Duration::ZERO);
    proxy.pass_over_programs();
    if let Some((direction, after)) = cut {
        proxy.cut_after_messages(direction, after);
    }
    fleet.configure(&proxy.through(&direct));
    let output = fleet.run(&[&["tenant"], args].concat());
    fleet.configure(&direct);
    assert_ne!(output.code, 70, "{}", output.stderr);
    let traffic = proxy.traffic();
    [
        (Direction::ToServer, traffic.messages_to_server),
        (Direction::ToClient, traffic.messages_to_client),
    ]
}

#[test]
fn a_schema_s_creation_cut_behind_any_message_is_finished_or_taken_back() {
    let fleet = tenants();
    let all = interrupted(&fleet, &["create", "whole"], None);
    fleet.has_whole_schema("whole", "not cut");
    for (direction, messages) in all {
        for after in cuts(messages / 3, messages, 3) {
            let context = format!("cut {direction:?} behind {after} of {messages}");
            let code = format!("c{after}_{direction:?}").to_lowercase();
            interrupted(&fleet, &["create", &code], Some((direction, after)));
            let row = format!("SELECT count(*) FROM tenants WHERE code = '{code}'");
            match (fleet.app(&row).as_str(), after % 2) {
                ("1", _) => {}
                (_, 0) => _ = fleet.tenant_of_schema(&["create", &code], 0),
                _ => {
                    // Where nothing was begun, there is nothing to take back.
                    let output = fleet.run(&["tenant", "create", &code, "--take-back"]);
                    assert!(matches!(output.code, 0 | 5), "{context}: {}", output.stderr);
                    fleet.has_no_schema(&code, &context);
                    continue;
                }
            }
            fleet.has_whole_schema(&code, &context);
        }
    }
}

/// After every second cut the tenant is put back, and dropped again by the next round.
#[test]
fn a_schema_s_removal_cut_behind_any_message_is_finished_or_put_back() {
    let fleet = tenants();
    let drop = ["drop", "acme", "--allow-data-loss"];
    fleet.tenant_of_schema(&["create", "acme"], 0);
    let all = interrupted(&fleet, &drop, None);
    fleet.has_no_schema("acme", "not cut");
    let registered = "SELECT count(*) FROM tenants WHERE code = 'acme'";
    for (direction, messages) in all {
        for after in cuts(messages / 2, messages, 1) {
            let context = format!("cut {direction:?} behind {after} of {messages}");
            if fleet.app(registered) == "0" {
                fleet.tenant_of_schema(&["create", "acme"], 0);
            }
            interrupted(&fleet, &drop, Some((direction, after)));
            if fleet.app(registered) == "1" && after % 2 == 1 {
                let output = fleet.run(&["tenant", "drop", "acme", "--take-back"]);
                assert!(matches!(output.code, 0 | 5), "{context}: {}", output.stderr);
                fleet.has_whole_schema("acme", &context);
                continue;
            }
            let output = fleet.run(&[&["tenant"], &drop[..]].concat());
            assert!(matches!(output.code, 0 | 5), "{context}: {}", output.stderr);
            fleet.has_no_schema("acme", &context);
        }
    }
    println!("{all:?}");
}

#[test]
fn schemas_of_a_pattern_need_no_registry() {
    let fleet = tenants();
    let url = fleet.cluster.url("app");
    fleet.configure(&format!(
        "[groups.tenants]\ndatabase = \"{url}\"\nschemas = \"t_*\"\ndir = \"migrations\"\n\
         format = \"plain\"\nvariables = true\n[groups.tenants.tenant]\nschema = \"t_{{code}}\"\n"
    ));
    fleet.tenant_of_schema(&["create", "one"], 0);
    assert_eq!(fleet.app("SELECT count(*) FROM t_one.items"), "1");
    says(&fleet.tenant_of_schema(&["list"], 0), &["one", "active", "t_one"]);
    fleet.tenant_of_schema(&["drop", "one", "--allow-data-loss"], 0);
    says(&fleet.tenant_of_schema(&["drop", "one", "--allow-data-loss"], 5), &["error[PF493]"]);
    says(&fleet.tenant_of_schema(&["list"], 0), &["has no tenants"]);
}
