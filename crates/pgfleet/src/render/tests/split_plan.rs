use insta::assert_snapshot;
use pgfleet_core::split::{DatabasePlan, Declare, Finding, SplitPlan};

use super::both;
use crate::render::{PlanShown, split_plan, to_declare};

const SHOWN: PlanShown<'static> = PlanShown {
    all: false,
    says_behind: false,
    declaration: "split.toml",
    file: ".pgfleet/runs/20260101T120000Z-ab12-split-plan/to-declare.toml",
};

/// So many tables that go nowhere, and keys that are cut.
fn plan(tables: usize, keys: usize) -> SplitPlan {
    let table = |number: usize| {
        Finding::warning(format!("source public.old_{number:03}"), "no database gets its rows")
            .fix("Map it, or say that it stays behind.")
            .declare(Declare::LeftBehind(format!("old_{number:03}")))
    };
    let key = |number: usize| {
        let (from, to) = (format!("tenant.t_{number:03}(user_id)"), "auth.users(id)".to_owned());
        let what = format!("is cut: {from} and {to} are in different databases");
        Finding::warning(format!("foreign key t_{number:03}_user_id_fkey"), what)
            .declare(Declare::Reference { from, to })
    };
    let database = DatabasePlan {
        family: "auth".into(),
        database: "app_auth".into(),
        exists: false,
        migrations: 3,
        rows: 51_234,
    };
    let error = Finding::error("auth.users.role", "1 row whose value user_role does not know")
        .rows(1, vec!["id=7: \"SUPERVISOR\"".into()]);
    let found = [Finding::success("auth.users", "gets 51234 rows"), error];
    let findings = found.into_iter().chain((0..tables).map(table)).chain((0..keys).map(key));
    SplitPlan {
        version: 1,
        source: "postgres://app@localhost:5432/monolith".into(),
        databases: vec![database],
        moves: Vec::new(),
        findings: findings.collect(),
    }
}

#[test]
fn a_small_plan_shows_what_can_be_copied() {
    let plan = plan(2, 4);
    assert_snapshot!(both(|out, style| split_plan(out, style, &plan, SHOWN)));
    assert_eq!(to_declare(&plan, SHOWN), None);
}

#[test]
fn a_large_plan_names_a_file_of_what_can_be_declared() {
    let plan = plan(221, 144);
    assert_snapshot!(both(|out, style| split_plan(out, style, &plan, SHOWN)));
    let file = to_declare(&plan, SHOWN).unwrap();
    assert_eq!(file.matches("\n    \"old_").count(), 221, "{file}");
    assert_eq!(file.matches("\n[[reference]]\n").count(), 144, "{file}");
    assert!(file.starts_with("\n# What `pgfleet split plan` found of 221 tables"), "{file}");
}

#[test]
fn with_all_nothing_is_shortened_and_there_is_no_file() {
    let (plan, shown) = (plan(40, 20), PlanShown { all: true, ..SHOWN });
    let text = both(|out, style| split_plan(out, style, &plan, shown));
    assert_eq!(text.matches("old_039").count(), 4, "{text}");
    assert_eq!(text.matches("from = ").count(), 40, "{text}");
    assert!(text.contains("SUCCESS auth.users: gets 51234 rows"), "{text}");
    assert_eq!(to_declare(&plan, shown), None);
}
