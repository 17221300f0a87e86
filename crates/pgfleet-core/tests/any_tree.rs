//! No tree of files makes a reader panic, and what a reader says of it holds together.

use pgfleet_core::folder::{FileTree, Format, detect, detect_candidates, read};
use pgfleet_core::history::{dialect, judge};
use proptest::prelude::*;

/// Parts of names that mean something to some format, and some that mean nothing.
fn name() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("V"),
        Just("U"),
        Just("R"),
        Just("B"),
        Just("__"),
        Just("_"),
        Just("1"),
        Just("007"),
        Just("1.2"),
        Just("20240101000000"),
        Just("99999999999999999999999"),
        Just("name"),
        Just("é"),
        Just(".up"),
        Just(".down"),
        Just(".sql"),
        Just(".SQL"),
        Just(".ts"),
        Just(".go"),
        Just(".rs"),
        Just(".conf"),
        Just("/"),
        Just("migration.sql"),
        Just("up.sql"),
        Just("meta/_journal.json"),
        Just("down/"),
        Just("metadata.toml"),
        Just("-"),
        Just(" "),
    ];
    prop::collection::vec(part, 1..7).prop_map(|parts| parts.concat())
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    let known = prop_oneof![
        Just("-- migrate:up"),
        Just("-- migrate:down transaction:false"),
        Just("-- +goose Up"),
        Just("-- +goose Down"),
        Just("-- +goose StatementBegin"),
        Just("-- +goose StatementEnd"),
        Just("-- no-transaction"),
        Just("SELECT ${a} $1;"),
        Just("/* é"),
        Just("*/"),
        Just("'"),
        Just("{\"entries\":[{\"when\":-1,\"tag\":\"1_name\"}]}"),
        Just("export class A1700000000000 { name = `é${1}`;"),
        Just("async up(q) { await q.query(`SELECT $1`, ['é', null]); }"),
        Just("async down(q) { await q.createTable(new Table({ name: 'a.b', columns: [{}] })); } }"),
        Just("--> statement-breakpoint"),
        Just("run_in_transaction = false"),
        Just(""),
    ];
    prop_oneof![
        4 => known.prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ]
}

fn tree() -> impl Strategy<Value = FileTree> {
    let contents = prop::collection::vec(line(), 0..6).prop_map(|lines| lines.join(&b'\n'));
    prop::collection::vec((name(), contents), 0..8).prop_map(|files| {
        let mut tree = FileTree { root: "dir".to_owned(), ..FileTree::default() };
        for (path, bytes) in files {
            tree.insert(&path, bytes);
        }
        tree
    })
}

proptest! {
    #[test]
    fn any_tree_is_read_by_every_reader(tree in tree()) {
        for format in Format::ALL {
            let set = read(&tree, format);
            prop_assert_eq!(set.format, format);
            let known = set.migrations.iter().all(|m| tree.files.contains_key(&m.file));
            prop_assert!(known, "{:?}", set.migrations);
            if set.migrations.is_empty() {
                prop_assert!(set.problems.iter().any(|problem| problem.is_error()));
            }
            let statuses = judge(&set, &[], dialect(format));
            prop_assert_eq!(statuses.len(), set.migrations.len());
        }
    }

    #[test]
    fn the_detected_format_is_the_first_candidate(tree in tree()) {
        if let Ok(format) = detect(&tree) {
            let candidates = detect_candidates(&tree);
            prop_assert_eq!(candidates.first(), Some(&format));
        }
    }
}
