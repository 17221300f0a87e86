//! A schema for each tenant, in one database.

use crate::fleet::{Fleet, verdicts};

fn three() -> Fleet {
    let fleet = Fleet::of(&[]);
    for name in ["tenant_a", "tenant_b", "Tenant C"] {
        fleet.main.sql(&format!("CREATE SCHEMA \"{name}\""));
    }
    let url = fleet.main.url();
    fleet.configure(&format!(
        "[groups.tenants]\ndatabase = \"{url}\"\nschemas = [\"tenant_*\", \"Tenant*\"]\n\
         dir = \"migrations\"\nformat = \"plain\"\nvariables = true\n"
    ));
    fleet.migration(
        "0001_items.sql",
        "CREATE TABLE items (id int PRIMARY KEY, s text DEFAULT :'schema');",
    );
    fleet
}

#[test]
fn each_schema_has_its_tables_and_its_history() {
    let fleet = three();
    let found = verdicts(&fleet.json(&["apply", "--group", "tenants"], 0));
    assert_eq!(found.len(), 3);
    let tables = "SELECT count(*) FROM pg_class WHERE relname IN ('items', 'pgfleet_migrations')";
    assert_eq!(fleet.main.value(tables), "6");
    fleet.main.sql("INSERT INTO \"Tenant C\".items VALUES (1)");
    assert_eq!(fleet.main.value("SELECT s FROM \"Tenant C\".items"), "Tenant C");
    let found = fleet.json(&["drift", "--group", "tenants"], 0);
    assert_eq!(found["targets"][0]["verdict"], "no drift");
}

#[test]
fn what_one_schema_left_unfinished_is_not_another_s() {
    let fleet = three();
    fleet.migration(
        "0002_index.sql",
        "CREATE INDEX CONCURRENTLY once ON items (s);\nSELECT 1 / (2 - count(*)) FROM items;",
    );
    fleet.ends(&["apply", "--group", "tenants", "--only", "tenant_b", "--only", "tenant_a"], 0);
    fleet.main.sql("CREATE TABLE \"Tenant C\".items (id int PRIMARY KEY, s text)");
    fleet.main.sql("INSERT INTO \"Tenant C\".items VALUES (1, 'x'), (2, 'x')");
    fleet.ends(&["baseline", "0001", "--group", "tenants", "--only", "Tenant C"], 0);
    fleet.ends(&["apply", "--group", "tenants"], 4 + 2);
    let open = "SELECT string_agg(DISTINCT scope, ',') FROM pgfleet.steps WHERE NOT closed";
    assert_eq!(fleet.main.value(open), "Tenant C");
    fleet.main.sql("DELETE FROM \"Tenant C\".items WHERE id = 2");
    let found = verdicts(&fleet.json(&["apply", "--group", "tenants"], 0));
    assert_eq!(found[0], ("Tenant C".to_owned(), "1 applied".to_owned()), "{found:?}");
}
