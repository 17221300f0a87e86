//! Every case of `corpus/prisma` gives the SQL that Prisma itself gives.
//!
//! A case is a folder with `schema.prisma`, or with several `*.prisma` files, and `expected.sql`:
//! what Prisma's schema engine writes for an empty database, made once by
//! `@prisma/schema-engine-wasm` 8.1.0-2.59be4fda (npm) with `@prisma/adapter-pg` 7.10.1 on
//! PostgreSQL 15: `SchemaEngine.diff({ from: { tag: 'empty' }, to: { tag: 'schemaDatamodel', files },
//! script: true })`. Nothing in this repository writes these files anew: they are not ours to bless.

#![allow(clippy::unwrap_used, reason = "these are tests, their helpers included")]

use std::fs;
use std::path::{Path, PathBuf};

use pgfleet_core::prisma::{SchemaFile, ddl, read};

fn cases() -> Vec<PathBuf> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/prisma");
    let mut cases: Vec<_> = fs::read_dir(corpus).unwrap().map(|e| e.unwrap().path()).collect();
    cases.sort();
    cases
}

fn files(case: &Path) -> Vec<SchemaFile> {
    let mut paths: Vec<_> = fs::read_dir(case).unwrap().map(|e| e.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "prisma"));
    paths.sort();
    let file = |path: &PathBuf| SchemaFile {
        path: path.display().to_string(),
        text: fs::read_to_string(path).unwrap(),
    };
    paths.iter().map(file).collect()
}

/// What is wrong with a case.
fn check(case: &Path) -> Option<String> {
    let expected = fs::read_to_string(case.join("expected.sql")).unwrap();
    match read(&files(case)) {
        Ok(database) if ddl(&database).trim_end() == expected.trim_end() => None,
        Ok(database) => Some(format!("{}: found\n{}", case.display(), ddl(&database))),
        Err(problems) => Some(format!("{}: {problems:#?}", case.display())),
    }
}

#[test]
fn every_case_is_written_as_prisma_writes_it() {
    let cases = cases();
    assert!(cases.len() >= 40, "{} cases: the corpus is not all there", cases.len());
    let wrong: Vec<_> = cases.iter().filter_map(|case| check(case)).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
