//! The Supabase CLI. It takes nothing back.

use pgfleet_testkit::{migrations::Format, peers::npm};

use super::peer::Peer;

const SUPABASE: Peer = Peer {
    format: Format::Supabase,
    // It sends a file as one pipeline, which is a transaction.
    runs_concurrently: false,
    apply: |project, url| npm::supabase(project, url, &["db", "push", "--yes"]),
    assert_clean: |project, url| {
        let push = npm::supabase(project, url, &["db", "push", "--dry-run"]).assert_success();
        let said = format!("{}{}", push.stdout, push.stderr);
        assert!(said.contains("Remote database is up to date"), "{said}");
    },
    rows: "SELECT version, name, statements, to_jsonb(m) - 'version' - 'name' - 'statements' \
           FROM supabase_migrations.schema_migrations m ORDER BY version",
};

#[test]
fn supabase_then_pgfleet() {
    SUPABASE.goes_first();
}

#[test]
fn pgfleet_then_supabase() {
    SUPABASE.goes_second();
}
