//! Cases of `corpus/tenancy`: a database, flags, and what `tenantize --dry-run` says, which includes that
//! it was proven forth and back. `UPDATE_CORPUS=1` writes what it says now.

use std::fs;
use std::path::Path;

use crate::stage::Stage;

#[test]
fn every_case_is_planned_as_expected() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/tenancy");
    let mut cases: Vec<_> = corpus.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() >= 5, "the corpus is there");
    let wrong: Vec<_> = cases.iter().filter_map(|case| check(case)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// What is wrong with a case.
fn check(case: &Path) -> Option<String> {
    let read = |name: &str| fs::read_to_string(case.join(name)).unwrap_or_default();
    let stage = Stage::of(&[("0001_database.sql", &read("database.sql"))]);
    stage.apply();
    let flags = read("flags");
    let flags = flags.lines().flat_map(|line| {
        let (flag, value) = line.split_once(' ').unwrap_or((line, ""));
        [Some(flag), (!value.is_empty()).then_some(value)].into_iter().flatten()
    });
    let output =
        stage.run(&["tenantize", "--dry-run"].into_iter().chain(flags).collect::<Vec<_>>());
    let said = stage.redact(&format!("{}{}", output.stdout, output.stderr));
    let expected = case.join("expected.txt");
    if std::env::var_os("UPDATE_CORPUS").is_some() {
        fs::write(&expected, &said).unwrap();
    }
    let wanted = read("expected.txt");
    let first = || {
        let mut lines = said.lines().zip(wanted.lines());
        lines.find(|(is, was)| is != was).map(|(is, was)| format!("is:  {is}\nwas: {was}"))
    };
    (said != wanted).then(|| {
        format!("{}: {}\n{said}", case.display(), first().unwrap_or("longer or shorter".to_owned()))
    })
}
