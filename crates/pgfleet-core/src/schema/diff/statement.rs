//! Statements of a script, and what of them is one transaction.
//!
//! Invariant: units hold every statement, in order; what no transaction can hold is alone.

use serde::Serialize;

/// One statement of a script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// Without its semicolon.
    pub sql: String,
    /// How it goes together with those around it.
    pub framing: Framing,
}

/// How a statement goes together with those around it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Framing {
    /// In one transaction with its neighbours.
    #[default]
    Shared,
    /// The last of its transaction: what follows needs it committed (`ALTER TYPE … ADD VALUE`).
    Last,
    /// In a transaction of its own, so that no lock of its neighbours is held while it works.
    Own,
    /// Outside of any transaction (`CREATE INDEX CONCURRENTLY`).
    Outside,
}

/// What is committed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit<'s> {
    /// In execution order, never empty.
    pub statements: &'s [Statement],
    /// True for a statement that no transaction can hold.
    pub outside: bool,
}

impl Statement {
    /// A statement that shares its transaction.
    pub fn shared(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), framing: Framing::Shared }
    }

    /// A statement in a transaction of its own.
    pub fn own(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), framing: Framing::Own }
    }

    /// A statement outside of any transaction.
    pub fn outside(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), framing: Framing::Outside }
    }
}

/// What is committed together, in order.
pub fn units(statements: &[Statement]) -> Vec<Unit<'_>> {
    let mut units = Vec::new();
    let mut start = 0;
    for at in 0..statements.len() {
        let next = statements.get(at + 1).map(|statement| statement.framing);
        let alone = |framing: Framing| matches!(framing, Framing::Own | Framing::Outside);
        let framing = statements[at].framing;
        if framing != Framing::Shared || next.is_none_or(alone) {
            let outside = framing == Framing::Outside;
            units.push(Unit { statements: &statements[start..=at], outside });
            start = at + 1;
        }
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_that_stand_alone_part_the_others() {
        use Framing::{Last, Outside, Own, Shared};
        let framings = [Shared, Shared, Outside, Shared, Last, Shared, Own, Outside, Shared];
        let statements: Vec<_> = framings
            .iter()
            .map(|framing| Statement { sql: String::new(), framing: *framing })
            .collect();
        let units = units(&statements);
        let sizes: Vec<_> =
            units.iter().map(|unit| (unit.statements.len(), unit.outside)).collect();
        let expected =
            [(2, false), (1, true), (2, false), (1, false), (1, false), (1, true), (1, false)];
        assert_eq!(sizes, expected);
    }
}
