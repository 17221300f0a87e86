//! Schemas as text that can be compared: pg_dump's, without what differs between equal schemas.

use crate::database::{ProgramOutput, client_command};

/// What to leave out of a dump.
#[derive(Debug, Clone, Default)]
pub struct DumpOptions {
    /// Schemas, as pg_dump patterns.
    pub exclude_schemas: Vec<String>,
    /// Tables, as pg_dump patterns.
    pub exclude_tables: Vec<String>,
}

impl DumpOptions {
    /// Leaves out pgfleet's own schema.
    pub fn without_pgfleet() -> Self {
        Self::default().without_schema("pgfleet")
    }

    /// Leaves out a schema.
    pub fn without_schema(mut self, pattern: &str) -> Self {
        self.exclude_schemas.push(pattern.to_owned());
        self
    }

    /// Leaves out a table, such as a tool's history.
    pub fn without_table(mut self, pattern: &str) -> Self {
        self.exclude_tables.push(pattern.to_owned());
        self
    }
}

pub(crate) fn schema(url: &str, options: &DumpOptions) -> String {
    let mut command = client_command("pg_dump");
    command.args(["--schema-only", "--no-owner"]);
    command.args(options.exclude_schemas.iter().map(|schema| format!("--exclude-schema={schema}")));
    command.args(options.exclude_tables.iter().map(|table| format!("--exclude-table={table}")));
    strip(&ProgramOutput::of(command.arg(url)).assert_success().stdout)
}

/// Without comment lines, empty lines, and the random keys of `\restrict` that pg_dump writes since
/// 14.19, 15.14, 16.10 and 17.6. Lines inside dollar quotes stay as they are.
fn strip(dump: &str) -> String {
    let mut kept = String::new();
    let mut quote: Option<String> = None;
    for line in dump.lines() {
        let noise = line.is_empty()
            || line.starts_with("--")
            || line.starts_with("\\restrict")
            || line.starts_with("\\unrestrict");
        if quote.is_some() || !noise {
            kept.push_str(line);
            kept.push('\n');
        }
        quote = quote_after(line, quote);
    }
    kept
}

/// The dollar quote that is open after a line. pg_dump writes bodies as `AS $$` or `AS $_$`.
fn quote_after(line: &str, open: Option<String>) -> Option<String> {
    match open {
        Some(tag) => (!line.contains(&tag)).then_some(tag),
        None => {
            let (_, rest) = line.split_once("AS $")?;
            let (name, body) = rest.split_once('$')?;
            let tag = format!("${name}$");
            (!body.contains(&tag)).then_some(tag)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_of_functions_keep_their_comments() {
        let dump = "--\n-- x\n--\n\\restrict aB1\nCREATE FUNCTION f() AS $_$\n-- kept\n\nSELECT 1\n$_$;\n\n-- gone\n";
        assert_eq!(strip(dump), "CREATE FUNCTION f() AS $_$\n-- kept\n\nSELECT 1\n$_$;\n");
    }
}
