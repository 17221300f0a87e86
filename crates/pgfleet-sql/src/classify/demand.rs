//! What a statement demands of the rows that are there already.
//!
//! Invariant: texts of columns and expressions are as written, so that they mean in a query what they
//! mean in the statement; what is not understood demands nothing.

use serde::{Deserialize, Serialize};

use super::create_table::is_constraint;
use crate::cursor::{Cursor, Tokens};
use crate::name::{QualifiedName, quote_ident};

/// One demand on a table's rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Demand {
    /// The table.
    pub table: QualifiedName,
    /// The constraint that makes it, when it has a name.
    pub constraint: Option<String>,
    /// What every row must be.
    pub rule: Rule,
    /// Rows that are there are not looked at (`NOT VALID`), until the constraint is validated.
    pub unchecked: bool,
}

/// What every row must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case", deny_unknown_fields)]
pub enum Rule {
    /// The column has a value.
    NotNull {
        /// The column.
        column: String,
    },
    /// There is no row: a column without a default is added that must have a value.
    NoRow {
        /// The new column.
        column: String,
    },
    /// No two rows are the same in these.
    Unique {
        /// Columns or expressions, as SQL.
        keys: Vec<String>,
        /// Only rows that satisfy it count.
        predicate: Option<String>,
        /// NULLs are the same as each other.
        nulls_are_equal: bool,
        /// NULLs are refused too.
        primary: bool,
    },
    /// The condition is not false.
    Check {
        /// The condition, as SQL.
        condition: String,
    },
    /// The other table has a row of this key.
    References {
        /// The columns, as SQL.
        columns: Vec<String>,
        /// The other table.
        table: QualifiedName,
        /// Its columns, as SQL; empty means its primary key.
        referenced: Vec<String>,
    },
    /// The value fits another type.
    Fits {
        /// The column.
        column: String,
        /// The new type, as written.
        type_text: String,
        /// The expression after USING.
        using: Option<String>,
    },
    /// A constraint that was not checked holds.
    Validated {
        /// Its name.
        constraint: String,
    },
    /// No two rows are to each other what all of the operators say.
    Excludes {
        /// Columns or expressions, as SQL, each with its operator.
        pairs: Vec<(String, String)>,
        /// Only rows that satisfy it count.
        predicate: Option<String>,
    },
    /// Every column of a domain holds values that it allows; [`Demand::table`] is the domain.
    Domain {
        /// What is not false, of `VALUE`; none: there is a value.
        condition: Option<String>,
        /// Tables whose columns are not asked, by their last names.
        except: Vec<String>,
    },
}

/// What a statement demands of the rows that are there already, in the order of its text.
#[must_use]
pub fn demands(statement: &str) -> Vec<Demand> {
    let tokens = Tokens::new(statement);
    let mut cursor = tokens.cursor();
    if cursor.eat(&["ALTER", "TABLE"]) {
        return of_alter_table(cursor);
    }
    if cursor.eat(&["ALTER", "DOMAIN"]) {
        return of_alter_domain(cursor).into_iter().collect();
    }
    if cursor.eat(&["CREATE", "UNIQUE", "INDEX"]) {
        return of_unique_index(cursor).into_iter().collect();
    }
    Vec::new()
}

fn of_alter_table(mut cursor: Cursor<'_>) -> Vec<Demand> {
    cursor.eat(&["IF", "EXISTS"]);
    cursor.eat(&["ONLY"]);
    let Some(table) = cursor.qualified() else { return Vec::new() };
    if cursor.text() == "*" {
        cursor.bump();
    }
    let demand = |(constraint, rule, unchecked)| Demand {
        table: table.clone(),
        constraint,
        rule,
        unchecked,
    };
    cursor.items().into_iter().flat_map(of_action).map(demand).collect()
}

fn of_alter_domain(mut cursor: Cursor<'_>) -> Option<Demand> {
    let table = cursor.qualified()?;
    let allows = |condition| Rule::Domain { condition, except: Vec::new() };
    if cursor.eat(&["VALIDATE", "CONSTRAINT"]) {
        let rule = Rule::Validated { constraint: cursor.ident()? };
        return Some(Demand { table, constraint: None, rule, unchecked: false });
    }
    if cursor.is(&["SET", "NOT", "NULL"]) {
        return Some(Demand { table, constraint: None, rule: allows(None), unchecked: false });
    }
    if !cursor.eat(&["ADD"]) {
        return None;
    }
    let (constraint, rule, unchecked) = of_constraint(cursor)?;
    let Rule::Check { condition } = rule else { return None };
    Some(Demand { table, constraint, rule: allows(Some(condition)), unchecked })
}

type Found = (Option<String>, Rule, bool);

fn of_action(mut action: Cursor<'_>) -> Vec<Found> {
    if action.eat(&["ADD"]) {
        if is_constraint(action) {
            return of_constraint(action).into_iter().collect();
        }
        return of_new_column(action);
    }
    if action.eat(&["VALIDATE", "CONSTRAINT"]) {
        let validated = |constraint| (None, Rule::Validated { constraint }, false);
        return action.ident().map(validated).into_iter().collect();
    }
    if action.eat(&["ALTER"]) && !action.eat(&["CONSTRAINT"]) {
        return of_column(action).map(|rule| (None, rule, false)).into_iter().collect();
    }
    Vec::new()
}

fn of_column(mut action: Cursor<'_>) -> Option<Rule> {
    action.eat(&["COLUMN"]);
    let column = action.ident()?;
    if action.is(&["SET", "NOT", "NULL"]) {
        return Some(Rule::NotNull { column });
    }
    if !action.eat(&["SET", "DATA", "TYPE"]) && !action.eat(&["TYPE"]) {
        return None;
    }
    let start = action;
    while !action.at_end() && !action.is_any(&["USING", "COLLATE"]) && !action.is_symbol(b';') {
        action.skip();
    }
    let type_text = start.text_until(&action);
    let using = action.find(&["USING"]).map(|using| until_semicolon(using));
    Some(Rule::Fits { column, type_text, using })
}

fn until_semicolon(start: Cursor<'_>) -> String {
    let mut end = start;
    while !end.at_end() && !end.is_symbol(b';') {
        end.skip();
    }
    start.text_until(&end)
}

/// `NOT NULL` without a value to give it, and what the column's own constraints say of its default.
fn of_new_column(mut action: Cursor<'_>) -> Vec<Found> {
    action.eat(&["COLUMN"]);
    if action.eat(&["IF", "NOT", "EXISTS"]) {
        return Vec::new();
    }
    let whole = action;
    let Some(column) = action.ident() else { return Vec::new() };
    let valued = action.has(&["DEFAULT"]) || action.has(&["GENERATED"]) || is_serial(action);
    let required = whole.has(&["NOT", "NULL"]) || whole.has(&["PRIMARY", "KEY"]);
    match required && !valued {
        true => vec![(None, Rule::NoRow { column }, false)],
        false => Vec::new(),
    }
}

fn is_serial(action: Cursor<'_>) -> bool {
    action.is_any(&["SERIAL", "BIGSERIAL", "SMALLSERIAL", "SERIAL2", "SERIAL4", "SERIAL8"])
}

fn of_constraint(mut action: Cursor<'_>) -> Option<Found> {
    let name = action.eat(&["CONSTRAINT"]).then(|| action.ident()).flatten();
    let unchecked = action.has(&["NOT", "VALID"]) || action.has(&["NOT", "ENFORCED"]);
    let rule = if action.eat(&["CHECK"]) {
        Rule::Check { condition: action.parenthesized()?.rest_text() }
    } else if action.eat(&["FOREIGN", "KEY"]) {
        of_foreign_key(action)?
    } else if action.eat(&["PRIMARY", "KEY"]) {
        Rule::Unique {
            keys: key_list(&mut action)?,
            predicate: None,
            nulls_are_equal: false,
            primary: true,
        }
    } else if action.eat(&["UNIQUE"]) {
        let nulls_are_equal = action.eat(&["NULLS", "NOT", "DISTINCT"]);
        Rule::Unique {
            keys: key_list(&mut action)?,
            predicate: None,
            nulls_are_equal,
            primary: false,
        }
    } else if action.eat(&["EXCLUDE"]) {
        of_exclusion(action)?
    } else if action.eat(&["NOT", "NULL"]) {
        Rule::NotNull { column: action.ident()? }
    } else {
        return None;
    };
    Some((name, rule, unchecked))
}

/// None where a collation decides, which would have to be said again.
fn of_exclusion(mut action: Cursor<'_>) -> Option<Rule> {
    if action.eat(&["USING"]) {
        action.ident()?;
    }
    let inside = action.parenthesized()?;
    let pair = |element: Cursor<'_>| {
        let operator = element.find(&["WITH"])?.rest_text();
        let plain = !element.has(&["COLLATE"]) && !operator.is_empty();
        plain.then(|| (index_key(element), operator))
    };
    let pairs = inside.items().into_iter().map(pair).collect::<Option<Vec<_>>>()?;
    let condition = action.find(&["WHERE"]).and_then(|mut condition| condition.parenthesized());
    Some(Rule::Excludes { pairs, predicate: condition.map(|inside| inside.rest_text()) })
}

/// None for `USING INDEX`, whose index was built before, and for `WITHOUT OVERLAPS`.
fn key_list(action: &mut Cursor<'_>) -> Option<Vec<String>> {
    let inside = action.parenthesized()?;
    if inside.has(&["WITHOUT", "OVERLAPS"]) {
        return None;
    }
    Some(inside.items().iter().map(Cursor::rest_text).collect())
}

fn of_foreign_key(mut action: Cursor<'_>) -> Option<Rule> {
    let columns = action.parenthesized()?;
    if columns.has_deep("PERIOD") || !action.eat(&["REFERENCES"]) {
        return None;
    }
    let table = action.qualified()?;
    let referenced = action.parenthesized();
    let list =
        |inside: Cursor<'_>| inside.items().iter().map(Cursor::rest_text).collect::<Vec<_>>();
    Some(Rule::References {
        columns: list(columns),
        table,
        referenced: referenced.map(list).unwrap_or_default(),
    })
}

fn of_unique_index(mut cursor: Cursor<'_>) -> Option<Demand> {
    cursor.eat(&["CONCURRENTLY"]);
    let guarded = cursor.eat(&["IF", "NOT", "EXISTS"]);
    let name = if cursor.is(&["ON"]) { None } else { Some(cursor.qualified()?.name) };
    if guarded || !cursor.eat(&["ON"]) {
        return None;
    }
    cursor.eat(&["ONLY"]);
    let table = cursor.qualified()?;
    if cursor.eat(&["USING"]) {
        cursor.ident()?;
    }
    let keys = cursor.parenthesized()?.items().into_iter().map(index_key).collect();
    let nulls_are_equal = cursor.has(&["NULLS", "NOT", "DISTINCT"]);
    let predicate = cursor.find(&["WHERE"]).map(until_semicolon);
    let rule = Rule::Unique { keys, predicate, nulls_are_equal, primary: false };
    Some(Demand { table, constraint: name, rule, unchecked: false })
}

/// `lower(email) text_pattern_ops DESC` is unique in `lower(email)`.
fn index_key(mut key: Cursor<'_>) -> String {
    let start = key;
    if key.is_symbol(b'(') {
        key.skip();
    } else if let Some(name) = key.qualified() {
        if !key.is_symbol(b'(') {
            return match name.schema {
                Some(_) => name.to_string(),
                None => quote_ident(&name.name),
            };
        }
        key.skip();
    }
    start.text_until(&key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(sql: &str) -> Vec<String> {
        let show = |demand: Demand| {
            let mark = if demand.unchecked { " (unchecked)" } else { "" };
            format!("{}: {:?}{mark}", demand.table, demand.rule)
        };
        demands(sql).into_iter().map(show).collect()
    }

    #[test]
    fn actions_of_alter_table_are_read_one_by_one() {
        let sql = "ALTER TABLE ONLY s.\"T\" ALTER a SET NOT NULL, \
                   ALTER COLUMN b TYPE numeric(5, 2) USING (b::numeric + 1), \
                   ADD COLUMN c int NOT NULL, ADD d int NOT NULL DEFAULT 0, ADD e serial NOT NULL, \
                   ADD CONSTRAINT k UNIQUE NULLS NOT DISTINCT (a, \"B\"), ADD PRIMARY KEY (id), \
                   ADD CONSTRAINT f FOREIGN KEY (a, b) REFERENCES o (x, y) ON DELETE CASCADE NOT VALID, \
                   ADD CHECK (a > 0 AND b <> ')'), VALIDATE CONSTRAINT f;";
        let expected = [
            "NotNull { column: \"a\" }",
            "Fits { column: \"b\", type_text: \"numeric(5, 2)\", using: Some(\"(b::numeric + 1)\") }",
            "NoRow { column: \"c\" }",
            "Unique { keys: [\"a\", \"\\\"B\\\"\"], predicate: None, nulls_are_equal: true, primary: false }",
            "Unique { keys: [\"id\"], predicate: None, nulls_are_equal: false, primary: true }",
            "References { columns: [\"a\", \"b\"], table: QualifiedName { schema: None, name: \"o\" }, \
             referenced: [\"x\", \"y\"] } (unchecked)",
            "Check { condition: \"a > 0 AND b <> ')'\" }",
            "Validated { constraint: \"f\" }",
        ];
        let expected: Vec<_> = expected.iter().map(|rule| format!("s.\"T\": {rule}")).collect();
        assert_eq!(shown(sql), expected);
    }

    #[test]
    fn unique_indexes_are_read_by_their_keys() {
        for (sql, expected) in [
            (
                "CREATE UNIQUE INDEX CONCURRENTLY i ON public.t USING btree (lower(a) text_pattern_ops \
                 DESC, \"B\", (a || b)) INCLUDE (c) WHERE (d IS NULL)",
                "public.t: Unique { keys: [\"lower(a)\", \"\\\"B\\\"\", \"(a || b)\"], predicate: \
                 Some(\"(d IS NULL)\"), nulls_are_equal: false, primary: false }",
            ),
            (
                "create unique index on t (a) nulls not distinct;",
                "t: Unique { keys: [\"a\"], predicate: None, nulls_are_equal: true, primary: false }",
            ),
        ] {
            assert_eq!(shown(sql), [expected]);
        }
    }

    #[test]
    fn exclusions_and_domains_are_read() {
        let exclusion = "ALTER TABLE t ADD CONSTRAINT x EXCLUDE USING gist (room WITH =, \
                         int8range(a, b) range_ops WITH OPERATOR(pg_catalog.&&)) WHERE ((a > 0)) DEFERRABLE";
        let pairs = r#"[("room", "="), ("int8range(a, b)", "OPERATOR(pg_catalog.&&)")]"#;
        let expected = format!(r#"t: Excludes {{ pairs: {pairs}, predicate: Some("(a > 0)") }}"#);
        assert_eq!(shown(exclusion), [expected]);
        for (sql, rule) in [
            ("SET NOT NULL", "Domain { condition: None, except: [] }"),
            ("ADD CHECK (VALUE > 0)", r#"Domain { condition: Some("VALUE > 0"), except: [] }"#),
            (
                "ADD CONSTRAINT c CHECK (VALUE > 0) NOT VALID",
                r#"Domain { condition: Some("VALUE > 0"), except: [] } (unchecked)"#,
            ),
            ("VALIDATE CONSTRAINT c", r#"Validated { constraint: "c" }"#),
        ] {
            assert_eq!(shown(&format!("ALTER DOMAIN s.d {sql}")), [format!("s.d: {rule}")]);
        }
    }

    #[test]
    fn what_demands_nothing_of_rows() {
        for sql in [
            "CREATE INDEX i ON t (a)",
            "ALTER TABLE t ADD CONSTRAINT k UNIQUE USING INDEX i",
            "ALTER TABLE t ADD COLUMN a int",
            "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int NOT NULL",
            "ALTER TABLE t ALTER COLUMN a DROP NOT NULL",
            "ALTER TABLE t ALTER CONSTRAINT f DEFERRABLE",
            "ALTER TABLE t ADD EXCLUDE USING gist (a COLLATE \"C\" WITH =)",
            "ALTER DOMAIN d DROP NOT NULL",
            "ALTER DOMAIN d RENAME TO e",
            "ALTER TABLE",
            "",
        ] {
            assert_eq!(demands(sql), [], "{sql}");
        }
    }
}
