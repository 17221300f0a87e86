//! Statements of other databases, and forms that look right but that no PostgreSQL accepts.
//!
//! Invariant: only forms are listed that PostgreSQL's grammar (gram.y, versions 14 to 18) rejects
//! wherever they stand outside of strings, comments and quoted names.

use super::at_word;
use crate::diagnose::{Code, Problem};
use crate::program::Statement;

/// A form: the words that the statement begins with, words that follow somewhere, and what to do.
struct Form {
    begins: &'static [&'static str],
    has: &'static [&'static str],
    what: &'static str,
    fix: &'static str,
}

const FORMS: &[Form] = &[
    Form {
        begins: &["CREATE", "POLICY", "IF", "NOT", "EXISTS"],
        has: &["IF"],
        what: "CREATE POLICY has no IF NOT EXISTS",
        fix: "Put DROP POLICY IF EXISTS name ON table; before it.",
    },
    Form {
        begins: &["CREATE", "TRIGGER", "IF", "NOT", "EXISTS"],
        has: &["IF"],
        what: "CREATE TRIGGER has no IF NOT EXISTS",
        fix: "Write CREATE OR REPLACE TRIGGER (PostgreSQL 14 and later).",
    },
    Form {
        begins: &["CREATE", "TYPE", "IF", "NOT", "EXISTS"],
        has: &["IF"],
        what: "CREATE TYPE has no IF NOT EXISTS",
        fix: "Create it in a DO block that catches duplicate_object, or drop IF NOT EXISTS.",
    },
    Form {
        begins: &["CREATE", "DOMAIN", "IF", "NOT", "EXISTS"],
        has: &["IF"],
        what: "CREATE DOMAIN has no IF NOT EXISTS",
        fix: "Create it in a DO block that catches duplicate_object, or drop IF NOT EXISTS.",
    },
    Form {
        begins: &["CREATE", "VIEW", "IF", "NOT", "EXISTS"],
        has: &["IF"],
        what: "CREATE VIEW has no IF NOT EXISTS",
        fix: "Write CREATE OR REPLACE VIEW.",
    },
    Form {
        begins: &["CREATE", "FUNCTION", "IF", "NOT", "EXISTS"],
        has: &["IF"],
        what: "CREATE FUNCTION has no IF NOT EXISTS",
        fix: "Write CREATE OR REPLACE FUNCTION.",
    },
    Form {
        begins: &["CREATE", "ROLE", "IF", "NOT", "EXISTS"],
        has: &["IF"],
        what: "CREATE ROLE has no IF NOT EXISTS",
        fix: "Create it in a DO block that looks into pg_roles first.",
    },
    Form {
        begins: &["CREATE", "DATABASE", "IF", "NOT", "EXISTS"],
        has: &["IF"],
        what: "CREATE DATABASE has no IF NOT EXISTS",
        fix: "Create the database before the migrations run.",
    },
    Form {
        begins: &["CREATE", "OR", "REPLACE", "TABLE"],
        has: &["REPLACE"],
        what: "CREATE TABLE has no OR REPLACE",
        fix: "Write CREATE TABLE IF NOT EXISTS, or drop the table first.",
    },
    Form {
        begins: &["ALTER", "TABLE"],
        has: &["ADD", "CONSTRAINT", "IF", "NOT", "EXISTS"],
        what: "ADD CONSTRAINT has no IF NOT EXISTS",
        fix: "Put ALTER TABLE … DROP CONSTRAINT IF EXISTS name before it.",
    },
    Form {
        begins: &["CREATE", "TABLE"],
        has: &["AUTO_INCREMENT"],
        what: "AUTO_INCREMENT is MySQL's",
        fix: "Write GENERATED ALWAYS AS IDENTITY.",
    },
    Form {
        begins: &["CREATE", "TABLE"],
        has: &["ON", "UPDATE", "CURRENT_TIMESTAMP"],
        what: "ON UPDATE CURRENT_TIMESTAMP is MySQL's",
        fix: "Set the column in a BEFORE UPDATE trigger.",
    },
    Form {
        begins: &["INSERT", "IGNORE"],
        has: &["IGNORE"],
        what: "INSERT IGNORE is MySQL's",
        fix: "Write INSERT … ON CONFLICT DO NOTHING.",
    },
    Form {
        begins: &["REPLACE", "INTO"],
        has: &["REPLACE"],
        what: "REPLACE INTO is MySQL's",
        fix: "Write INSERT … ON CONFLICT (key) DO UPDATE.",
    },
    Form {
        begins: &["USE"],
        has: &["USE"],
        what: "USE is MySQL's; a PostgreSQL session stays in its database",
        fix: "Make the other database a target of its own.",
    },
    Form {
        begins: &["GO"],
        has: &["GO"],
        what: "GO is a command of SQL Server's tools",
        fix: "Leave it out.",
    },
    Form {
        begins: &["DELIMITER"],
        has: &["DELIMITER"],
        what: "DELIMITER is a command of MySQL's client",
        fix: "Put the body between $$ and $$ instead.",
    },
    Form {
        begins: &["SHOW", "TABLES"],
        has: &["TABLES"],
        what: "SHOW TABLES is MySQL's",
        fix: "Read information_schema.tables.",
    },
];

/// The problem with a statement that no PostgreSQL accepts.
pub(super) fn impossible(statement: &Statement) -> Option<Problem> {
    let words = pgfleet_sql::bare_words(&statement.sql);
    let form = FORMS.iter().find(|form| form.fits(&words))?;
    let problem = Problem::error(Code::SyntaxInvalid, form.what)
        .because("no version of PostgreSQL has this syntax, so the statement would fail")
        .fix(form.fix);
    Some(at_word(problem, statement, form.has[0]))
}

impl Form {
    fn fits(&self, words: &[String]) -> bool {
        let begins = words.len() >= self.begins.len()
            && self.begins.iter().zip(words).all(|(wanted, word)| wanted == word);
        begins && (0..words.len()).any(|at| self.stands_at(words, at))
    }

    /// After an opening parenthesis or a comma stands a column's name, which may be any such word.
    fn stands_at(&self, words: &[String], at: usize) -> bool {
        let named = at > 0 && matches!(words[at - 1].as_str(), "(" | ",");
        !named
            && words[at..].len() >= self.has.len()
            && self.has.iter().zip(&words[at..]).all(|(wanted, word)| wanted == word)
    }
}
