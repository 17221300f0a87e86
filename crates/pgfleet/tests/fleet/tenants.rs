//! Tenants that come and go: whole or not at all, whatever happens on the way.

use std::time::{Duration, Instant};

use pgfleet_testkit::proxy::{Direction, Proxy};

use crate::fleet::{Fleet, HOSTILE, cuts, quote, verdicts};

const REGISTRY: &str = "CREATE TABLE tenants (id int PRIMARY KEY, code text UNIQUE, db text, \
     active bool, title text); CREATE SEQUENCE tenant_ids; \
     INSERT INTO tenants VALUES (-1, 'asleep', 'nowhere', false), (-2, 'ghost', 'gone', true)";

/// A registry, an empty server, a folder, a seed and a check. `more` goes into the tenant section.
fn tenants(more: &str) -> Fleet {
    let fleet = Fleet::of(&["registry"]);
    fleet.sql("registry", REGISTRY);
    fleet.migration("0001_items.sql", "CREATE TABLE items (id int, tenant text);");
    fleet.migration("0002_tenant.sql", "INSERT INTO items VALUES (1, :'tenant_id');");
    fleet.project.write("seed.sql", "INSERT INTO items VALUES (2, :'code'); -- the seed");
    fleet.project.write(".env", format!("REGISTRY_URL={}\n", fleet.cluster.url("registry")));
    configure(&fleet, more);
    fleet
}

fn configure(fleet: &Fleet, more: &str) {
    fleet.configure(&format!(
        r#"[groups.tenants]
registry = "env:REGISTRY_URL"
query = "SELECT code AS name, db AS database, active, id AS tenant_id FROM tenants ORDER BY id"
dir = "migrations"
variables = true

[groups.tenants.tenant]
database = "org_{{code}}"
seed = ["seed.sql"]
values = "SELECT nextval('tenant_ids') AS tenant_id"
register = "INSERT INTO tenants VALUES (:tenant_id, :'code', :'database', false)"
activate = "UPDATE tenants SET active = true WHERE code = :'code'"
unregister = "DELETE FROM tenants WHERE code = :'code'"
{more}

[[groups.tenants.check]]
kind = "sql"
name = "every tenant has its items"
query = "SELECT count(*) FROM items"
equals = 2
"#
    ));
}

impl Fleet {
    #[track_caller]
    fn tenant(&self, args: &[&str], code: i32) -> String {
        let output = self.ends(&[&["tenant"], args].concat(), code);
        output.stdout + &output.stderr
    }

    fn registry(&self, sql: &str) -> String {
        self.value("registry", sql)
    }

    /// A tenant that is whole: once in the registry, active, with its own database.
    #[track_caller]
    fn is_whole(&self, code: &str, context: &str) {
        let literal = code.replace('\'', "''");
        let row = format!("SELECT active, db FROM tenants WHERE code = '{literal}'");
        let database = format!("org_{code}");
        assert_eq!(self.registry(&row), format!("t|{database}"), "{context}");
        let items = self.value(&database, "SELECT string_agg(tenant, ',' ORDER BY id) FROM items");
        let id = self.registry(&format!("SELECT id FROM tenants WHERE code = '{literal}'"));
        assert_eq!(items, format!("{id},{code}"), "{context}");
        self.has_no_traces(context);
    }

    /// A tenant of which nothing is left.
    #[track_caller]
    fn is_gone(&self, code: &str, context: &str) {
        let row = format!("SELECT count(*) FROM tenants WHERE code = '{code}'");
        assert_eq!(self.registry(&row), "0", "{context}");
        let there = format!("SELECT count(*) FROM pg_database WHERE datname = 'org_{code}'");
        assert_eq!(self.registry(&there), "0", "{context}");
        self.has_no_traces(context);
    }

    #[track_caller]
    fn has_no_traces(&self, context: &str) {
        let private = "SELECT count(*) FROM pg_database WHERE datname ~ '^pgfleet_tenant_'";
        assert_eq!(self.registry(private), "0", "{context}");
        let open = "SELECT count(*) FROM pgfleet.tenant_steps WHERE ended_at IS NULL";
        assert_eq!(self.registry(open), "0", "{context}");
    }

    fn tenant_states(&self) -> Vec<(String, String)> {
        let found = self.json(&["tenant", "list"], 0);
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let rows = found["targets"].as_array().expect("targets");
        rows.iter().map(|row| (text(&row["target"]), text(&row["state"]))).collect()
    }
}

#[track_caller]
fn says(text: &str, wanted: &[&str]) {
    for part in wanted {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
}

#[test]
fn a_tenant_comes_and_goes() {
    let fleet = tenants("");
    let text = fleet.tenant(&["create", "acme"], 0);
    says(&text, &["acme is created: database org_acme", "2 migrations applied, 1 seed, 1 check"]);
    fleet.is_whole("acme", "created");
    let state = |code: &str, state: &str| (code.to_owned(), state.to_owned());
    let others = [state("ghost", "dangling"), state("asleep", "inactive")];
    assert_eq!(fleet.tenant_states(), [&others[..], &[state("acme", "active")]].concat());
    says(&fleet.tenant(&["list"], 0), &["acme", "0002", "3 tenants: 1 active, 2 otherwise"]);
    let found = verdicts(&fleet.json(&["apply", "--group", "tenants"], 0));
    assert_eq!(found, [("acme".to_owned(), "nothing to do".to_owned())]);

    says(&fleet.tenant(&["create", "acme"], 5), &["error[PF493]", "the registry has acme already"]);
    says(&fleet.tenant(&["drop", "acme"], 5), &["error[PF402]", "the database org_acme of "]);
    let text = fleet.tenant(&["drop", "acme", "--allow-data-loss"], 0);
    says(&text, &["acme is dropped", "proven backup: "]);
    fleet.is_gone("acme", "dropped");
    let verified = std::fs::read_dir(fleet.project.path().join(".pgfleet/backups/acme"));
    let verified = verified.expect("backups").next().expect("one").expect("a folder").path();
    assert!(verified.join("verified.json").is_file());
    says(&fleet.tenant(&["drop", "ghost"], 5), &["error[PF402]", "no database gone to be dropped"]);
    says(&fleet.tenant(&["drop", "ghost", "--allow-data-loss"], 0), &["was gone before"]);
    says(
        &fleet.tenant(&["drop", "acme", "--allow-data-loss"], 5),
        &["error[PF493]", "no such tenant"],
    );
    assert_eq!(fleet.tenant_states(), others[1..]);
}

#[test]
fn what_fails_is_taken_back() {
    let fleet = tenants("");
    let refused = |what: &str, wanted: &[&str]| {
        let text = fleet.tenant(&["create", "acme"], 4);
        says(&text, &[&["error[PF393]: the tenant acme was not created"], wanted].concat());
        fleet.is_gone("acme", what);
    };
    fleet.migration("0003_broken.sql", "SELECT 1 FROM nothing;");
    refused("migration", &["0003_broken.sql", "\"nothing\" does not exist"]);
    fleet.migration("0003_broken.sql", "SELECT 1;");
    fleet.project.write("seed.sql", "INSERT INTO items VALUES (1 / 0);");
    refused("seed", &["the seed seed.sql failed", "division by zero"]);
    fleet.project.write("seed.sql", "SELECT 1;");
    refused("check", &["error[PF501]", "every tenant has its items"]);
    fleet.project.write("seed.sql", "INSERT INTO items VALUES (2, :'code');");
    fleet.sql("registry", "ALTER TABLE tenants ADD CHECK (code <> 'acme')");
    refused("registry", &["violates check constraint"]);
    fleet.sql("registry", "ALTER TABLE tenants DROP CONSTRAINT tenants_code_check");
    configure(&fleet, "template = \"nowhere\"");
    refused("template", &["\"nowhere\" does not exist"]);
    configure(&fleet, "");
    fleet.sql("registry", "CREATE VIEW seen AS SELECT * FROM tenants WHERE code <> 'acme'");
    let text = fleet.project.read("pgfleet.toml").replace("FROM tenants ORDER", "FROM seen ORDER");
    fleet.configure(&text);
    refused("query", &["error[PF150]", "does not name the tenant acme"]);
    let back = "SELECT count(*) FROM pgfleet.tenant_steps WHERE step = 'taken back'";
    assert_eq!(fleet.registry(back), "6");
    configure(&fleet, "");
    fleet.tenant(&["create", "acme"], 0);
    fleet.is_whole("acme", "corrected");
}

#[test]
fn what_stands_in_the_way_is_seen_before_anything_is_done() {
    let fleet = tenants("");
    fleet.sql("registry", "CREATE DATABASE org_taken");
    for (args, wanted) in [
        (&["create", HOSTILE][..], "a code of the group tenants matches"),
        (&["create", "Acme"], "a code of the group tenants matches"),
        (&["create", "taken"], "the database org_taken is there already"),
        (&["create", "asleep"], "the registry has asleep (active is f) already"),
        (&["create", "acme", "--take-back"], "no creation of the tenant acme is under way"),
        (&["drop", "acme", "--take-back"], "nobody began to drop the tenant acme"),
    ] {
        says(&fleet.tenant(args, 5), &["error[PF493]", wanted]);
    }
    fleet.project.write("seed.sql", "INSERT INTO items VALUES (2, :'title'); COMMIT;");
    says(
        &fleet.tenant(&["create", "acme"], 5),
        &["error[PF493]", "no variable is called \"title\""],
    );
    let title = ["create", "acme", "--set", "title=x"];
    says(&fleet.tenant(&title, 5), &["error[PF493]", "it begins or ends a transaction"]);
    fleet.tenant(&["create", "acme", "--set", "code=x"], 2);
    for sql in [
        "INSERT INTO tenants VALUES (1, 'self', 'registry', true)",
        "INSERT INTO tenants VALUES (2, 'a', 'org_taken', true), (3, 'b', 'org_taken', true)",
    ] {
        fleet.sql("registry", sql);
    }
    for (code, wanted) in [("self", "where the tenants are kept"), ("a", "b has the same database")]
    {
        let text = fleet.tenant(&["drop", code, "--allow-data-loss"], 5);
        says(&text, &["error[PF493]", wanted]);
    }
    assert_eq!(fleet.registry("SELECT count(*) FROM pg_database WHERE datname = 'org_taken'"), "1");
    fleet.configure(&fleet.project.read("pgfleet.toml").replace("unregister", "# unregister"));
    says(&fleet.tenant(&["list"], 2), &["error[PF102]", "register under tenant needs unregister"]);
}

#[test]
fn hostile_codes_are_names_and_nothing_else() {
    let fleet = tenants("code = '.+'");
    fleet.sql("registry", "CREATE DATABASE x");
    let long = format!("{}é", "x".repeat(57));
    let names = [HOSTILE, "with space", "Ünïcode", "it's $1 \\", long.as_str()];
    for code in names {
        fleet.tenant(&["create", code], 0);
        fleet.is_whole(code, code);
    }
    assert_eq!(format!("org_{long}").len(), 63);
    let text = fleet.tenant(&["create", &format!("{long}x")], 5);
    says(&text, &["error[PF493]", "a name of 64 bytes, 63 are allowed"]);
    assert_eq!(
        fleet.tenant_states().iter().filter(|(_, state)| state == "active").count(),
        names.len()
    );
    fleet.tenant(&["drop", HOSTILE, "--allow-data-loss"], 0);
    assert_eq!(fleet.registry("SELECT count(*) FROM pg_database WHERE datname = 'x'"), "1");
    let left = "SELECT count(*) FROM pg_database WHERE datname ~ '^org_'";
    assert_eq!(fleet.registry(left), (names.len() - 1).to_string());
}

/// Runs a command on connections that are all cut behind so many messages.
fn interrupted(fleet: &Fleet, args: &[&str], direction: Direction, after: u64) -> String {
    let proxy = Proxy::before(&fleet.cluster, Duration::ZERO);
    proxy.cut_after_messages(direction, after);
    through(fleet, &proxy, args)
}

fn through(fleet: &Fleet, proxy: &Proxy, args: &[&str]) -> String {
    // What is in .env is stronger than the environment.
    let url = proxy.through(&fleet.cluster.url("registry"));
    fleet.project.write(".env", format!("REGISTRY_URL={url}\n"));
    let output = fleet.cli(&[&["tenant"], args].concat()).run();
    let direct = fleet.cluster.url("registry");
    fleet.project.write(".env", format!("REGISTRY_URL={direct}\n"));
    assert!(matches!(output.code, 0 | 3 | 4 | 5), "{}: {}", output.code, output.stderr);
    output.stderr
}

fn messages(fleet: &Fleet, args: &[&str]) -> [(Direction, u64); 2] {
    let proxy = Proxy::before(&fleet.cluster, Duration::ZERO);
    through(fleet, &proxy, args);
    let traffic = proxy.traffic();
    [
        (Direction::ToServer, traffic.messages_to_server),
        (Direction::ToClient, traffic.messages_to_client),
    ]
}

#[test]
fn a_creation_cut_behind_any_message_is_finished_or_taken_back() {
    let fleet = tenants("");
    let of_a_run = messages(&fleet, &["create", "whole"]);
    let (mut finished, mut taken_back) = (0, 0);
    for (direction, messages) in of_a_run {
        for (number, after) in cuts(1, messages, 4).into_iter().enumerate() {
            let code = format!("t{}_{number}", direction as usize);
            let context = format!("{code}: cut {direction:?} behind message {after} of {messages}");
            interrupted(&fleet, &["create", &code], direction, after);
            let complete = fleet.registry(&format!(
                "SELECT count(*) FROM tenants WHERE code = '{code}' AND active"
            ));
            let back = number % 3 == 2;
            let args = ["create", code.as_str(), "--take-back"];
            let output = fleet.run(&[&["tenant"], &args[..if back { 3 } else { 2 }]].concat());
            match (complete.as_str(), back) {
                ("1", _) => assert_eq!(output.code, 5, "{context}: {}", output.stderr),
                (_, false) => assert_eq!(output.code, 0, "{context}: {}", output.stderr),
                (_, true) => {
                    // Nothing may have been begun yet, or all of it have been taken back.
                    assert!(matches!(output.code, 0 | 5), "{context}: {}", output.stderr);
                    fleet.is_gone(&code, &context);
                    taken_back += 1;
                    continue;
                }
            }
            fleet.is_whole(&code, &context);
            finished += 1;
        }
    }
    println!("{of_a_run:?}: {finished} finished, {taken_back} taken back");
    let seeds = "SELECT count(*) FROM pgfleet.tenant_seeds";
    assert_eq!(fleet.value("org_whole", seeds), "1");
}

#[test]
fn a_removal_cut_behind_any_message_is_finished_or_put_back() {
    let fleet = tenants("");
    fleet.tenant(&["create", "whole"], 0);
    let of_a_run = messages(&fleet, &["drop", "whole", "--allow-data-loss"]);
    let (mut dropped, mut put_back) = (0, 0);
    for (direction, messages) in of_a_run {
        for (number, after) in cuts(1, messages, 3).into_iter().enumerate() {
            let code = format!("t{}_{number}", direction as usize);
            let context = format!("{code}: cut {direction:?} behind message {after} of {messages}");
            fleet.tenant(&["create", &code], 0);
            let drop = ["drop", code.as_str(), "--allow-data-loss"];
            interrupted(&fleet, &drop, direction, after);
            let is_left =
                fleet.registry(&format!("SELECT count(*) FROM tenants WHERE code = '{code}'"));
            if number % 2 == 1 && is_left == "1" {
                let output = fleet.run(&["tenant", "drop", &code, "--take-back"]);
                assert!(matches!(output.code, 0 | 5), "{context}: {}", output.stderr);
                fleet.is_whole(&code, &context);
                put_back += 1;
                continue;
            }
            let output = fleet.run(&[&["tenant"], &drop[..]].concat());
            assert!(matches!(output.code, 0 | 5), "{context}: {}", output.stderr);
            fleet.is_gone(&code, &context);
            dropped += 1;
        }
    }
    println!("{of_a_run:?}: {dropped} dropped, {put_back} put back");
}

#[test]
fn a_killed_creation_is_waited_for_and_finished() {
    let fleet = tenants("");
    fleet.migration(
        "0003_slow.sql",
        "SELECT pg_sleep(1.5); INSERT INTO items SELECT FROM items WHERE false;",
    );
    let mut running = fleet.cli(&["tenant", "create", "acme"]).spawn();
    let sleeps = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    let deadline = Instant::now() + Duration::from_secs(30);
    while fleet.registry(sleeps) == "0" && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    running.kill();
    let _ = running.wait();
    let state = ("acme".to_owned(), "half_created".to_owned());
    assert!(fleet.tenant_states().contains(&state), "{:?}", fleet.tenant_states());
    says(
        &fleet.tenant(&["drop", "acme", "--allow-data-loss"], 5),
        &["error[PF494]", "half created"],
    );
    says(
        &fleet.tenant(&["create", "acme", "--set", "title=x"], 5),
        &["error[PF494]", "another value of title"],
    );
    says(&fleet.tenant(&["create", "acme"], 0), &["which an earlier run had begun"]);
    fleet.is_whole("acme", "finished");
}

#[test]
fn one_of_two_processes_creates_a_tenant() {
    let fleet = tenants("");
    let both = [0, 1].map(|_| fleet.cli(&["tenant", "create", "acme"]).spawn());
    let mut codes = both.map(|running| running.wait().code);
    codes.sort_unstable();
    assert_eq!(codes, [0, 5]);
    fleet.is_whole("acme", "once");
}

#[test]
fn a_database_that_is_not_ours_is_left_whatever_its_name() {
    let fleet = tenants("");
    fleet.tenant(&["create", "acme"], 0);
    // As if the run had been killed before it entered the tenant, and somebody had made another
    // database of the name.
    fleet.sql(
        "registry",
        "UPDATE pgfleet.tenant_steps SET step = 'named', ended_at = NULL; \
         DELETE FROM tenants WHERE code = 'acme'",
    );
    fleet.sql("registry", "ALTER DATABASE org_acme RENAME TO moved");
    fleet.sql("registry", "CREATE DATABASE org_acme");
    says(&fleet.tenant(&["create", "acme"], 4), &["is not there any more"]);
    let there = "SELECT count(*) FROM pg_database WHERE datname IN ('org_acme', 'moved')";
    assert_eq!(fleet.registry(there), "2");
    fleet.has_no_traces("taken back");
}

#[test]
fn a_database_in_use_is_not_dropped() {
    let fleet = tenants("");
    fleet.tenant(&["create", "acme"], 0);
    let mut session = std::process::Command::new("psql")
        .args([&fleet.cluster.url("org_acme"), "-Xqc", "SELECT pg_sleep(60)"])
        .env("PGAPPNAME", "the shop")
        .spawn()
        .expect("psql");
    let uses = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'the shop' AND state = 'active'";
    while fleet.registry(uses) == "0" {
        std::thread::sleep(Duration::from_millis(10));
    }
    let text = fleet.tenant(&["drop", "acme", "--allow-data-loss"], 5);
    says(&text, &["error[PF496]", "application 'the shop'"]);
    fleet.is_whole("acme", "in use");
    let ended = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'the shop'";
    fleet.registry(ended);
    let _ = session.wait();
    fleet.tenant(&["drop", "acme", "--allow-data-loss"], 0);
    fleet.is_gone("acme", "dropped");
}

#[test]
fn tenants_of_a_pattern_need_no_registry() {
    let fleet = tenants("");
    let config = |database: &str| {
        fleet.configure(&format!(
            "[groups.shops]\nserver = \"env:REGISTRY_URL\"\ndatabases = \"shop_*\"\n\
             dir = \"migrations\"\n[groups.shops.tenant]\ndatabase = \"{database}\"\n"
        ));
    };
    fleet.migration("0002_tenant.sql", "SELECT 1;");
    config("store_{code}");
    says(&fleet.tenant(&["create", "one"], 5), &["error[PF493]", "store_one is not one"]);
    config("shop_{code}");
    fleet.tenant(&["create", "one"], 0);
    assert_eq!(fleet.tenant_states(), [("one".to_owned(), "active".to_owned())]);
    fleet.sql("registry", &format!("CREATE DATABASE {}", quote("shop_closed")));
    fleet.sql("registry", "ALTER DATABASE shop_closed ALLOW_CONNECTIONS false");
    says(&fleet.tenant(&["list"], 0), &["shop_closed allows no connections"]);
    fleet.tenant(&["drop", "one", "--allow-data-loss"], 0);
    assert_eq!(fleet.tenant_states(), []);
}
