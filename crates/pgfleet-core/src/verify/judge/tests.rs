use super::super::{parse_declaration, read_catalog};
use super::*;

fn check(toml: &str) -> Check {
    parse_declaration(&format!("[[check]]\n{toml}"), "c").unwrap().remove(0)
}

fn evidence() -> Evidence {
    let rows = [
        "table|public|users|t|f|8192",
        "table|public|bilans|f|f|0",
        "table|auth|users|f|f|0",
        "column|public|users|id|uuid|t",
        "column|public|users|email|character varying(255)|f",
        "index|public|users|users_pkey|t",
        "index|public|users|users_email|f",
        "trigger|public|users|touch|t",
        "trigger|public|bilans|touch|f",
        "policy|public|users|own row",
        "foreign key|public|bilans|k|[\"owner_id\"]|auth|users|[\"id\"]|f",
        "function|public|touch",
        "extension|pgcrypto",
        "enum|public|role|[\"A\",\"B\"]",
        "unknown|x",
    ];
    let cell = |text: &str| Some(text.to_owned());
    let rows: Vec<_> = rows.iter().map(|row| row.split('|').map(cell).collect()).collect();
    Evidence { catalog: Some(Ok(read_catalog(&rows))), ..Evidence::default() }
}

fn verdict(toml: &str) -> CheckResult {
    judge(0, &check(toml), &evidence())
}

#[test]
fn what_is_there_passes() {
    for toml in [
        "kind = 'tables'\nexactly = 2\nlist = ['users', 'auth.users']",
        "kind = 'columns'\ntable = 'users'\ncolumns = ['id', 'email']\nonly = true",
        "kind = 'columns'\ntable = 'users'\ncolumns = { id = 'UUID NOT NULL', email = 'varchar(255) null' }",
        "kind = 'columns'\ntable = 'users'\ncolumns = { id = 'not null', email = '' }",
        "kind = 'indexes'\nexactly = 1\nlist = ['users_pkey']",
        "kind = 'triggers'\nlist = ['users.touch']",
        "kind = 'policies'\ntable = 'users'\nexactly = 1\nlist = ['own row']\nenabled = ['users']",
        "kind = 'foreign_keys'\nlist = ['bilans.owner_id -> auth.users.id']",
        "kind = 'functions'\nlist = ['touch']",
        "kind = 'extensions'\nlist = ['pgcrypto']",
        "kind = 'enums'\ntype = 'role'\nvalues = ['A', 'B']",
        "kind = 'columns'\ntable = 'gone'\ncolumns = ['id']\nif_exists = true",
        "kind = 'rows'\ntable = 'gone'\nexactly = 0\nif_exists = true",
        "kind = 'policies'\ntable = 'gone'\nlist = ['own row']\nif_exists = true",
    ] {
        let verdict = verdict(toml);
        assert!(verdict.ok, "{toml}: {verdict:?}");
    }
}

#[test]
fn what_is_not_there_fails_and_says_what() {
    for (toml, said) in [
        ("kind = 'tables'\nat_least = 3", "2 instead of at least 3"),
        ("kind = 'tables'\nlist = ['messages']", "missing: messages"),
        ("kind = 'columns'\ntable = 'nowhere'\ncolumns = ['id']", "missing: table nowhere"),
        ("kind = 'columns'\ntable = 'users'\ncolumns = ['bio']", "missing: bio"),
        ("kind = 'columns'\ntable = 'users'\ncolumns = ['bio']\nif_exists = true", "missing: bio"),
        ("kind = 'columns'\ntable = 'users'\ncolumns = ['id']\nonly = true", "not expected: email"),
        ("kind = 'columns'\ntable = 'users'\ncolumns = { id = 'text' }", "id is uuid, not text"),
        (
            "kind = 'columns'\ntable = 'users'\ncolumns = { email = 'not null' }",
            "email is null, not not null",
        ),
        ("kind = 'indexes'\nlist = ['users_email']", "invalid: users_email"),
        ("kind = 'triggers'\nlist = ['bilans.touch']", "disabled: bilans.touch"),
        ("kind = 'policies'\nenabled = ['bilans']", "row-level security is off: bilans"),
        ("kind = 'policies'\nforced = ['users']", "row-level security is not forced: users"),
        (
            "kind = 'foreign_keys'\nlist = ['bilans.owner_id -> users.id']",
            "missing: bilans.owner_id -> users.id",
        ),
        ("kind = 'functions'\nlist = ['other']", "missing: other"),
        ("kind = 'extensions'\nlist = ['postgis']", "missing: postgis"),
        ("kind = 'enums'\ntype = 'role'\nvalues = ['B', 'A']", "another order"),
        ("kind = 'enums'\ntype = 'role'\nvalues = ['A']", "not expected: B"),
        ("kind = 'env'\nvariables = ['SUPABASE_URL']", "not set: SUPABASE_URL"),
    ] {
        let verdict = verdict(toml);
        let details = verdict.details.join("\n");
        assert!(verdict.failed() && details.contains(said), "{toml}: {verdict:?}");
    }
}

#[test]
fn values_are_compared_as_text_and_as_numbers() {
    let judged = |toml: &str, value: Option<&str>, matches: Option<bool>| {
        let answer = Answer { value: value.map(str::to_owned), matches };
        let answers = BTreeMap::from([(0, Ok(answer))]);
        let declared = check(&format!("kind = 'sql'\nquery = 'select 1'\n{toml}"));
        judge(0, &declared, &Evidence { answers, ..Evidence::default() }).ok
    };
    assert!(judged("equals = 16", Some("16"), None));
    assert!(judged("equals = 16", Some("16.0"), None));
    assert!(judged("equals = true", Some("true"), None));
    assert!(judged("equals = 'a'", Some("a"), None));
    assert!(judged("at_least = 2\nat_most = 3", Some("2.5"), None));
    assert!(judged("matches = '^a'", Some("abc"), Some(true)));
    assert!(!judged("equals = 9007199254740993", Some("9007199254740992"), None));
    assert!(!judged("equals = 'a'", None, None));
    assert!(!judged("at_least = 2", Some("many"), None));
    assert!(!judged("at_most = 2", None, None));
    assert!(!judged("matches = '^a'", None, None));
}

#[test]
fn what_could_not_be_looked_at_is_failed_or_skipped_never_passed() {
    let rows = check("kind = 'rows'\ntable = 'users'\nat_least = 0");
    let failed = Evidence {
        answers: BTreeMap::from([(0, Err("relation does not exist".to_owned()))]),
        catalog: Some(Err("connection lost".to_owned())),
        ..Evidence::default()
    };
    let verdict = judge(0, &rows, &failed);
    assert!(verdict.failed() && verdict.found == "relation does not exist");
    assert!(judge(0, &check("kind = 'tables'\nat_least = 0"), &failed).failed());
    let skipped = judge(0, &rows, &Evidence::default());
    assert!(!skipped.ok && !skipped.failed());
}
