//! Compares pgfleet-sql with libpg_query.
//!
//! Method, for every file of the PostgreSQL regression suite (the folder `src/test/regress/sql`,
//! named by `PGFLEET_PG_REGRESS`; without it only the project's own corpus is compared):
//!
//! 1. We split the file. COPY data, psql's commands and variables, and what is never closed are not
//!    SQL, so a copy of the file is made in which they are blanked byte for byte (a variable becomes
//!    a name, a command that sends a statement becomes its semicolon), which keeps every offset.
//! 2. Many files hold deliberate errors, and libpg_query refuses a text that has one. So each of our
//!    statements is parsed alone, and those refused are blanked and counted. That our boundaries
//!    did not cause the refusal is shown by its semicolon (it must not be welcome with more expected
//!    after it) and by libpg_query's scanner (which must find no other statement in it).
//! 3. libpg_query parses what is left as one text and its statements must be exactly ours: as many statements, each with the same start and end.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ops::Range;
use std::path::{Path, PathBuf};

use pgfleet_sql::{PieceKind, split};

#[path = "oracle/facts.rs"]
mod facts;
#[path = "oracle/sanitize.rs"]
mod sanitize;
#[path = "oracle/splitting.rs"]
mod splitting;

/// The files of the corpus and, when it is there, of the regression suite.
fn scripts() -> Vec<(PathBuf, String)> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/split");
    let suite = std::env::var_os("PGFLEET_PG_REGRESS").map(PathBuf::from);
    let mut files = Vec::new();
    for folder in std::iter::once(corpus).chain(suite) {
        let entries = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{folder:?}: {e}"));
        files.extend(entries.map(|entry| entry.unwrap().path()));
    }
    files.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    assert!(!files.is_empty());
    let read = |path: PathBuf| {
        let source = pgfleet_sql::decode(&std::fs::read(&path).unwrap());
        source.ok().map(|source| (path, source.text))
    };
    files.into_iter().filter_map(read).collect()
}

/// The statements of a script as we see them.
fn our_statements(text: &str) -> Vec<Range<usize>> {
    let pieces = split(text).into_iter();
    pieces.filter(|piece| piece.kind == PieceKind::Statement).map(|piece| piece.range).collect()
}

/// On a thread with room for libpg_query's recursion.
fn with_deep_stack(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(256 << 20).spawn(work).unwrap();
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}
