//! Declarations against shapes, without a database.

use std::collections::BTreeMap;

use pgfleet_sql::QualifiedName;

use super::*;

fn column(name: &str, full_type: &str, is_not_null: bool) -> ColumnShape {
    ColumnShape {
        name: name.to_owned(),
        full_type: full_type.to_owned(),
        base_type: full_type.split('(').next().unwrap_or_default().to_owned(),
        is_not_null,
        is_builtin: true,
        ..ColumnShape::default()
    }
}

fn shape(tables: &[(&str, Vec<ColumnShape>)]) -> Shape {
    let table = |(name, columns): &(&str, Vec<ColumnShape>)| {
        let shape = TableShape { columns: columns.clone(), ..TableShape::default() };
        (QualifiedName::new("public", *name), shape)
    };
    Shape { tables: tables.iter().map(table).collect() }
}

fn declared(tables: &str) -> SplitFile {
    let head = "[families.auth]\ndatabase = 'a'\ndir = 'm'\nvariables = { code = \"it's\" }\n";
    parse(&format!("{head}{tables}"), "split.toml").unwrap()
}

fn mapped(tables: &str) -> Mapped {
    let source = shape(&[
        (
            "users",
            vec![
                column("id", "uuid", true),
                column("email", "text", false),
                column("old", "text", false),
            ],
        ),
        ("logs", vec![column("id", "bigint", true)]),
    ]);
    let auth = shape(&[(
        "users",
        vec![column("id", "uuid", true), column("email", "character varying(50)", true)],
    )]);
    let families = BTreeMap::from([("auth".to_owned(), auth)]);
    map_tables(&declared(tables), &source, &families, &BTreeMap::new())
}

fn said(mapped: &Mapped, level: Level) -> Vec<String> {
    let of_level = mapped.findings.iter().filter(|finding| finding.level == level);
    of_level.map(|finding| format!("{}: {}", finding.subject, finding.what)).collect()
}

#[test]
fn columns_of_the_same_name_are_taken_and_everything_else_is_accounted_for() {
    let mapped = mapped("[[table]]\ninto = 'auth.users'\n");
    let select = mapped.moves[0].select(None);
    assert_eq!(
        select,
        "SELECT (s.id\n)::uuid AS id, (s.email\n)::character varying AS email FROM public.users s"
    );
    assert!(mapped.moves[0].is_binary);
    assert_eq!(said(&mapped, Level::Error), Vec::<String>::new());
    assert_eq!(
        said(&mapped, Level::Warning),
        [
            "source public.users.old: its values are moved nowhere when auth.users is filled",
            "source public.logs: no database gets its rows"
        ]
    );
}

#[test]
fn what_is_left_behind_on_purpose_is_not_named() {
    let declaration =
        "[[table]]\ninto = 'auth.users'\nleave = ['old']\n[left_behind]\ntables = ['logs']\n";
    assert_eq!(said(&mapped(declaration), Level::Warning), Vec::<String>::new());
}

#[test]
fn conditions_and_expressions_see_variables_as_literals() {
    let declaration = "[[table]]\ninto = 'auth.users'\nwhere = \"s.old = :'code'\"\n\
                       columns.email = \"s.email || :'code'\"\n";
    let select = mapped(declaration).moves[0].select(Some(PageRange { from: 2, until: None }));
    assert!(select.contains("(s.email || 'it''s'\n)::character varying AS email"), "{select}");
    assert!(select.ends_with("WHERE (s.old = 'it''s'\n) AND s.ctid >= '(2,0)'"), "{select}");
}

#[test]
fn what_cannot_be_filled_is_an_error() {
    for (declaration, says) in [
        ("[[table]]\ninto = 'auth.absent'\n", "auth.absent: its migrations create no such table"),
        (
            "[[table]]\ninto = 'auth.users'\nfrom = 'absent'\n",
            "auth.users: the source has no table public.absent",
        ),
        (
            "[[table]]\ninto = 'auth.users'\nfrom = 'logs'\ncolumns.id = 'gen_random_uuid()'\n",
            "auth.users.email: nothing fills it, it has no default, and it allows no NULL",
        ),
        (
            "[[table]]\ninto = 'auth.users'\ncolumns.absent = '1'\n",
            "auth.users.absent: the table has no such column",
        ),
        (
            "[[table]]\ninto = 'auth.users'\nsoft_deleted = 'skip'\n",
            "auth.users: soft_deleted = \"skip\", but the source has no column deleted_at",
        ),
        (
            "[[table]]\ninto = 'auth.users'\nwhere = \"s.old = :'absent'\"\n",
            "no variable is called \"absent\"",
        ),
    ] {
        let errors = said(&mapped(declaration), Level::Error);
        assert!(errors.iter().any(|error| error.contains(says)), "{declaration}: {errors:?}");
    }
}

#[test]
fn a_name_whose_capitals_are_written_otherwise_is_told() {
    for (declaration, fix) in [
        ("[[table]]\ninto = 'auth.\"Users\"'\n", "Write it as SQL does: into = 'auth.users'."),
        (
            "[[table]]\ninto = 'auth.users'\nfrom = '\"Logs\"'\n",
            "Write it as SQL does: from = 'logs'.",
        ),
    ] {
        let fixes: Vec<_> = mapped(declaration).findings.into_iter().flat_map(|f| f.fix).collect();
        assert!(fixes.iter().any(|said| said == fix), "{declaration}: {fixes:?}");
    }
}

#[test]
fn declarations_that_cannot_be_meant_are_refused() {
    let head = "[families.auth]\ndatabase = 'a'\ndir = 'm'\n";
    for (declaration, says) in [
        ("", "there is no [families.NAME]"),
        (
            "[families.auth]\ndatabase = 'a'\ndir = 'm'\n[[table]]\ninto = 'users'\n",
            "is not family.table",
        ),
        (&format!("{head}[[table]]\ninto = 'shop.users'\n"), "no family is called \"shop\""),
        (
            &format!("{head}[[table]]\ninto = 'auth.u'\nquery = 'SELECT 1'\nfrom = 'u'\n"),
            "excludes",
        ),
        (
            &format!("{head}[[table]]\ninto = 'auth.u'\n[[table]]\ninto = 'auth.u'\n"),
            "is filled twice",
        ),
        (
            &format!("{head}[[reference]]\nfrom = 'auth.u(a, b)'\nto = 'auth.v(a)'\n"),
            "different numbers",
        ),
        (
            &format!("{head}[[reference]]\nfrom = 'auth.u'\nto = 'auth.v(a)'\n"),
            "is not family.table(column",
        ),
    ] {
        let problems = parse(declaration, "split.toml").unwrap_err();
        assert!(problems.iter().any(|problem| problem.what.contains(says)), "{problems:?}");
    }
}

#[test]
fn page_ranges_cover_a_file_without_overlap_and_without_end() {
    for (pages, size, expected) in [
        (0, 4, vec![(0, None)]),
        (4, 4, vec![(0, None)]),
        (9, 4, vec![(0, Some(4)), (4, Some(8)), (8, None)]),
        (3, 0, vec![(0, Some(1)), (1, Some(2)), (2, None)]),
    ] {
        let ranges: Vec<_> =
            PageRange::cover(pages, size).iter().map(|r| (r.from, r.until)).collect();
        assert_eq!(ranges, expected, "{pages} pages by {size}");
    }
}

#[test]
fn names_in_the_environment_are_filled_in() {
    let variables =
        BTreeMap::from([("A".to_owned(), "x".to_owned()), ("E".to_owned(), String::new())]);
    let expand = |text: &str| expand_variables(text, &variables);
    assert_eq!(expand("${A}_b_${A}"), Ok("x_b_x".to_owned()));
    assert_eq!(expand("env:A"), Ok("x".to_owned()));
    assert_eq!(expand("${open"), Ok("${open".to_owned()));
    assert_eq!(expand("${E}"), Err("E".to_owned()));
    assert_eq!(expand("${B}"), Err("B".to_owned()));
}

#[test]
fn a_survey_asks_only_what_can_be_wrong() {
    let mapped = mapped("[[table]]\ninto = 'auth.users'\n");
    let table = TableShape {
        columns: vec![column("id", "uuid", true), column("email", "character varying(50)", true)],
        ..TableShape::default()
    };
    let asked = |types: [&str; 2]| {
        let types = types.map(str::to_owned);
        let survey = row_survey(&mapped.moves[0], &table, &types, 0);
        survey.questions.iter().map(|q| format!("{} {}", q.subject, q.what)).collect::<Vec<_>>()
    };
    let null = "without a value, and it allows no NULL";
    let nulls = [format!("auth.users.id {null}"), format!("auth.users.email {null}")];
    assert_eq!(asked(["uuid", "character varying(20)"]), nulls);
    let too_long = "auth.users.email whose value does not fit character varying(50)".to_owned();
    assert_eq!(asked(["uuid", "text"]), [nulls[0].clone(), too_long, nulls[1].clone()]);
}

#[test]
fn keys_that_the_source_has_itself_are_trusted_where_the_columns_are_the_same() {
    let mapped = mapped("[[table]]\ninto = 'auth.users'\n");
    let step = &mapped.moves[0];
    let key = |columns: &[&str]| KeyShape {
        name: "k".to_owned(),
        columns: columns.iter().map(|column| (*column).to_owned()).collect(),
        is_primary: false,
    };
    let columns = || vec![column("id", "uuid", true), column("email", "text", false)];
    let with = |keys| TableShape { columns: columns(), keys, ..TableShape::default() };
    let into = with(vec![key(&["id", "email"])]);
    // The source's key on fewer columns says more; one on another column says nothing.
    assert!(keeps_key(step, &with(vec![key(&["id"])]), &into, &key(&["id", "email"])));
    assert!(!keeps_key(step, &with(vec![key(&["email"])]), &into, &key(&["id"])));
    // Values of another type may become equal.
    let shorter = TableShape {
        columns: vec![column("id", "text", true), column("email", "text", false)],
        ..TableShape::default()
    };
    assert!(!keeps_key(step, &with(vec![key(&["id"])]), &shorter, &key(&["id"])));
}

#[test]
fn a_foreign_key_of_the_source_is_trusted_when_all_rows_it_refers_to_are_moved() {
    let all = mapped("[[table]]\ninto = 'auth.users'\n");
    let some = mapped("[[table]]\ninto = 'auth.users'\nwhere = \"s.old IS NULL\"\n");
    let users = QualifiedName::new("public", "users");
    let key = |is_validated| ForeignKeyShape {
        name: "k".to_owned(),
        columns: vec!["email".to_owned()],
        to: users.clone(),
        to_columns: vec!["id".to_owned()],
        is_validated,
    };
    let from = |key| TableShape { foreign_keys: vec![key], ..TableShape::default() };
    let (child, parent, part) = (&all.moves[0], &all.moves[0], &some.moves[0]);
    let asked = key(true);
    assert!(keeps_foreign_key(child, parent, &from(key(true)), &users, &asked));
    assert!(!keeps_foreign_key(child, parent, &from(key(false)), &users, &asked));
    assert!(!keeps_foreign_key(child, part, &from(key(true)), &users, &asked));
}
