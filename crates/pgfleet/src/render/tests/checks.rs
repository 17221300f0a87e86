use insta::assert_snapshot;
use pgfleet_core::verify::{CheckResult, Kind};

use super::both;
use crate::render::checks;

fn result(name: &str, expected: &str, found: &str, ok: bool) -> CheckResult {
    CheckResult {
        name: name.into(),
        kind: Kind::Tables,
        expected: expected.into(),
        found: found.into(),
        ok,
        details: vec![],
        skipped: None,
    }
}

#[test]
fn a_checklist() {
    let mut list = vec![
        result("tables in public", "at least 17", "21", true),
        result("columns of users", "id uuid not null, email text", "email is missing", false),
        result("POST /api/auth/register", "201", "not looked at", false),
    ];
    list[1].details = vec!["column email does not exist; there is e_mail varchar(255)".into()];
    list[2].skipped = Some("no base URL is configured".into());
    assert_snapshot!(both(|out, style| checks(out, style, &list)));
}

#[test]
fn no_checks() {
    assert_snapshot!(both(|out, style| checks(out, style, &[])));
}
