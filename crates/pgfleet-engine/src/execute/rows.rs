//! Rows of a COPY that are read from their file while they are sent.
//!
//! Invariant: the end of the data is told to the server only when every byte was the one that the
//! plan was made on; else nothing of the transaction is committed.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Take};
use std::path::Path;

use bytes::Bytes;
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::plan::{Plan, PlannedStatement, RowsInFile};
use pgfleet_sql::TextStream;
use sha2::{Digest, Sha256};

use super::copy::PIECE_BYTES;

/// Holds the files against a plan that was made earlier.
///
/// # Errors
/// When rows are not there any more, or are others.
pub fn check_rows(plan: &Plan) -> Result<(), Box<Problem>> {
    for (statement, rows) in plan.rows_in_files() {
        for piece in RowReader::open(&plan.location, statement, rows)? {
            piece?;
        }
    }
    Ok(())
}

/// Gives rows piece by piece, as UTF-8.
pub(crate) struct RowReader<'a> {
    file: Take<File>,
    text: TextStream,
    digest: Sha256,
    statement: &'a PlannedStatement,
    rows: &'a RowsInFile,
    ended: bool,
}

impl<'a> RowReader<'a> {
    pub(crate) fn open(
        folder: &Path,
        statement: &'a PlannedStatement,
        rows: &'a RowsInFile,
    ) -> Result<Self, Box<Problem>> {
        let gone = |reason: String| Box::new(changed(statement, rows, reason));
        let encoding = rows.charset().filter(|_| rows.is_inside());
        let encoding =
            encoding.ok_or_else(|| gone("the plan does not say where they are".into()))?;
        let mut file = File::open(folder.join(&rows.file)).map_err(|e| gone(e.to_string()))?;
        file.seek(SeekFrom::Start(rows.start)).map_err(|e| gone(e.to_string()))?;
        Ok(Self {
            file: file.take(rows.end.saturating_sub(rows.start)),
            text: TextStream::within(encoding),
            digest: Sha256::new(),
            statement,
            rows,
            ended: false,
        })
    }

    /// The next piece; `None` at the end, when every byte was the right one.
    fn read(&mut self) -> Result<Option<Bytes>, Box<Problem>> {
        let refuse = |reason: String| Box::new(changed(self.statement, self.rows, reason));
        let mut piece = vec![0; PIECE_BYTES];
        let length = self.file.read(&mut piece).map_err(|error| refuse(error.to_string()))?;
        piece.truncate(length);
        if length == 0 {
            let found: String =
                self.digest.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect();
            if found == self.rows.sha256 {
                return Ok(None);
            }
            return Err(refuse("the bytes at their place in the file are others".to_owned()));
        }
        self.digest.update(&piece);
        let text = self.text.push(&piece).map_err(|error| refuse(error.to_string()))?;
        Ok(Some(Bytes::from(text)))
    }
}

impl Iterator for RowReader<'_> {
    type Item = Result<Bytes, Box<Problem>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let piece = self.read().transpose();
        self.ended = !matches!(piece, Some(Ok(_)));
        piece
    }
}

fn changed(statement: &PlannedStatement, rows: &RowsInFile, reason: String) -> Problem {
    Problem::error(
        Code::RowsChanged,
        format!("the rows of a COPY in {} are not those of the plan", rows.file),
    )
    .at(statement.place.clone())
    .because(reason)
    .fix_with("Make a new plan and review it:", "pgfleet plan --out plan.json")
    .fix("Without --plan, run the same command again.")
}
