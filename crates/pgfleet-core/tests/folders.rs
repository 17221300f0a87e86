//! Every case of `corpus/folders` is read and held against its `expected.json`.
//!
//! `PGFLEET_BLESS=1` writes the expectations anew; look at the difference before committing it.

#![allow(clippy::unwrap_used, reason = "these are tests, their helpers included")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use pgfleet_core::folder::{
    FileTree, FolderOptions, Format, Migration, SqlBody, detect, read_with,
};
use serde_json::{Value, json};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/folders")
}

fn subdirectories(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.is_dir());
    paths.sort();
    paths
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// The case's files; `expected.json` is none of them, and `.keep` stands for an empty directory.
fn tree_of(case: &Path, root: &str) -> FileTree {
    let mut tree = FileTree { root: root.to_owned(), ..FileTree::default() };
    let mut open = vec![case.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            let relative = path.strip_prefix(case).unwrap().to_string_lossy().replace('\\', "/");
            if path.is_dir() {
                tree.directories.insert(relative);
                open.push(path);
            } else if relative != "expected.json" && !relative.ends_with(".keep") {
                tree.insert(&relative, fs::read(&path).unwrap());
            }
        }
    }
    tree
}

fn body(body: &SqlBody) -> Value {
    let chunks = body.chunks.iter().map(|chunk| {
        json!({ "at": chunk.place.to_string(), "sql": chunk.sql, "verbatim": chunk.verbatim })
    });
    chunks.collect()
}

fn migration(migration: &Migration) -> Value {
    json!({
        "version": migration.version,
        "name": migration.name,
        "kind": migration.kind,
        "file": migration.file,
        "size_bytes": migration.size_bytes,
        "checksum": migration.checksum,
        "transaction": migration.transaction,
        "opaque": migration.opaque.as_ref().map(ToString::to_string),
        "up": body(&migration.up),
        "down": migration.down.as_ref().map(body),
    })
}

fn found(case: &Path, format: Format) -> Value {
    let root = if format == Format::Supabase { "supabase/migrations" } else { "migrations" };
    let tree = tree_of(case, root);
    let placeholders = [("schema".to_owned(), "app".to_owned())].into();
    let set = read_with(&tree, format, &FolderOptions { placeholders });
    let problems = set.problems.iter().map(|problem| {
        let place = problem.place.as_ref().map(ToString::to_string);
        json!({
            "code": problem.code,
            "severity": problem.severity,
            "at": place,
            "what": problem.what,
        })
    });
    json!({
        "detected": detect(&tree).map_or_else(|problem| problem.code.to_string(), |f| f.to_string()),
        "migrations": set.migrations.iter().map(migration).collect::<Vec<_>>(),
        "problems": problems.collect::<Vec<_>>(),
    })
}

/// Compares one case; returns what is wrong with it.
fn check(case: &Path, format: Format) -> Option<String> {
    let file = case.join("expected.json");
    let found = serde_json::to_string_pretty(&found(case, format)).unwrap() + "\n";
    if std::env::var_os("PGFLEET_BLESS").is_some() {
        fs::write(&file, &found).unwrap();
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    (expected != found).then(|| format!("{}: found\n{found}", case.display()))
}

#[test]
fn every_case_is_read_as_expected() {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for directory in subdirectories(&corpus()) {
        let format: Format = name_of(&directory).parse().expect("a folder named after its format");
        for case in subdirectories(&directory) {
            seen.insert(format);
            wrong.extend(check(&case, format));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let all: BTreeSet<_> = Format::ALL.into_iter().collect();
    assert_eq!(seen, all, "every format has a case");
}
