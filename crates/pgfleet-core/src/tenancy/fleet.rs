//! One migration for databases in different states: what each state needs, under the condition that
//! the database was in it.
//!
//! Invariant: the state is recorded once, before anything is changed, so that a run that was killed goes
//! on with the statements it began with; a database in a state that nobody planned for is refused.

use pgfleet_sql::quote_ident;

use super::steps::literal;
use super::{Tenancy, TenancyPlan, checks, down_statements, up_statements};

/// A state that some databases are in, and what it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// What [`signature_sql`] gives in these databases.
    pub signatures: Vec<String>,
    /// What they need.
    pub plan: TenancyPlan,
    /// The databases.
    pub targets: Vec<String>,
}

/// A query of one value that is equal in databases whose tenant tables are alike. For a session whose
/// `search_path` is `pg_catalog`.
pub fn signature_sql(tenancy: &Tenancy) -> String {
    let tables: Vec<_> =
        tenancy.tables.iter().map(|table| literal(&table.name.to_string())).collect();
    let names: Vec<_> = tenancy.tables.iter().map(|table| literal(&table.name.name)).collect();
    let column = literal(&tenancy.column);
    format!(
        "SELECT md5(coalesce(string_agg(x.line, chr(10) ORDER BY x.line COLLATE \"C\"), '')) \
         FROM (WITH t AS (SELECT c.oid, n.nspname || '.' || c.relname AS name, c.relrowsecurity, c.relforcerowsecurity \
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
           WHERE c.oid IN (SELECT to_regclass(v.name) FROM (SELECT unnest(ARRAY[{}]) AS name) AS v)) \
         SELECT format('table %s %s %s', t.name, t.relrowsecurity, t.relforcerowsecurity) AS line FROM t \
         UNION ALL SELECT format('column %s %s %s %s', t.name, format_type(a.atttypid, a.atttypmod), a.attnotnull, \
           pg_get_expr(d.adbin, d.adrelid)) FROM t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = {column} \
           LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
         UNION ALL SELECT 'index ' || pg_get_indexdef(i.indexrelid) FROM t JOIN pg_index i ON i.indrelid = t.oid \
         UNION ALL SELECT format('partition %s %s', t.name, p.relid::regclass) \
           FROM t, pg_partition_tree(t.oid) p WHERE p.relid <> t.oid \
         UNION ALL SELECT 'index ' || pg_get_indexdef(i.indexrelid) \
           FROM t, pg_partition_tree(t.oid) p, pg_index i WHERE i.indrelid = p.relid AND p.relid <> t.oid \
         UNION ALL SELECT format('constraint %s %s %s', t.name, k.conname, pg_get_constraintdef(k.oid)) \
           FROM t JOIN pg_constraint k ON k.conrelid = t.oid \
         UNION ALL SELECT format('policy %s %s', t.name, p.polname) FROM t JOIN pg_policy p ON p.polrelid = t.oid \
         UNION ALL SELECT 'function ' || pg_get_functiondef(p.oid) FROM pg_proc p \
           WHERE p.prokind IN ('f', 'p') AND p.prosrc ~* 'on\\s+conflict' \
           AND EXISTS (SELECT FROM (SELECT unnest(ARRAY[{}]) AS name) AS v WHERE strpos(p.prosrc, v.name) > 0)) AS x",
        tables.join(", "),
        names.join(", "),
    )
}

/// The way forth for all variants, without semicolons.
pub fn up_for_all(name: &str, tenancy: &Tenancy, variants: &[Variant]) -> Vec<String> {
    if let [only] = variants {
        return up_statements(&only.plan);
    }
    let mut statements = record(name, tenancy, variants);
    for variant in variants {
        guarded(&mut statements, name, variant, up_statements(&variant.plan));
    }
    statements
}

/// The way back for all variants, without semicolons.
pub fn down_for_all(name: &str, variants: &[Variant]) -> Vec<String> {
    if let [only] = variants {
        return down_statements(&only.plan);
    }
    let mut statements = Vec::new();
    for variant in variants {
        guarded(&mut statements, name, variant, down_statements(&variant.plan));
    }
    statements.push(format!("DELETE FROM pgfleet.variants WHERE migration = {}", literal(name)));
    statements
}

/// Before anything is changed: which state the database is in.
fn record(name: &str, tenancy: &Tenancy, variants: &[Variant]) -> Vec<String> {
    let known = list(variants.iter().flat_map(|variant| &variant.signatures));
    let name = literal(name);
    let mut statements = vec![
        "-- What is run below depends on the state that the database is in now.\nBEGIN".to_owned(),
        "SET LOCAL search_path = pg_catalog".to_owned(),
        "CREATE SCHEMA IF NOT EXISTS pgfleet".to_owned(),
        "CREATE TABLE IF NOT EXISTS pgfleet.variants (migration text PRIMARY KEY, signature text NOT NULL)".to_owned(),
        format!(
            "INSERT INTO pgfleet.variants SELECT {name}, ({}) ON CONFLICT (migration) DO UPDATE SET signature = EXCLUDED.signature",
            signature_sql(tenancy)
        ),
    ];
    statements.push(format!(
        "DO $tenant$ BEGIN\n  IF NOT EXISTS (SELECT FROM pgfleet.variants WHERE migration = {name} AND signature IN ({known})) THEN\n    \
         RAISE EXCEPTION 'the tenant tables are in a state that this migration was not made for'\n      \
         USING HINT = 'Have it made again, with this database: pgfleet tenantize';\n  END IF;\nEND $tenant$"
    ));
    statements.push("COMMIT".to_owned());
    statements
}

/// A condition above every statement that is not inside of a transaction.
fn guarded(statements: &mut Vec<String>, name: &str, variant: &Variant, from: Vec<String>) {
    let condition = format!(
        "-- pgfleet: if SELECT signature IN ({}) FROM pgfleet.variants WHERE migration = {}",
        list(variant.signatures.iter()),
        literal(name)
    );
    let mut inside = false;
    for statement in from {
        let begins = statement.lines().last() == Some("BEGIN");
        if inside {
            inside = statement != "COMMIT";
            statements.push(statement);
        } else {
            statements.push(format!("{condition}\n{statement}"));
            inside = begins;
        }
    }
}

fn list<'s>(signatures: impl Iterator<Item = &'s String>) -> String {
    signatures.map(|signature| literal(signature)).collect::<Vec<_>>().join(", ")
}

/// The checks that hold for all variants: of every declared table that one of them has.
pub fn checks_for_all(tenancy: &Tenancy, variants: &[Variant]) -> String {
    let planned = || variants.iter().flat_map(|variant| &variant.plan.tables);
    let declared = tenancy.tables.iter().map(|table| &table.name);
    checks(tenancy, declared.filter(|name| planned().any(|table| table.table == **name)))
}

/// What a migration for this declaration is called, unless the user says.
pub fn default_name(tenancy: &Tenancy) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    format!(
        "add_{}",
        quote_ident(&tenancy.column).trim_matches('"').chars().map(plain).collect::<String>()
    )
}
