//! Random schemas: made from a seed, changed at random, proven against each other.
//!
//! A design is a set of slots (the second column of the third table, the first view …), each with a
//! number that decides what stands there. Invariant: the same design is the same script everywhere, and
//! a slot can be taken out or given another number without a change to the script of the others; so a
//! failing pair can be made smaller. A statement that the server refuses, because what it names is not
//! in the design, is left out.

mod code;
mod dice;
mod prove;
mod rights;
mod tables;
mod types;

use std::collections::BTreeMap;

use dice::Dice;

pub use prove::{Bench, Failure, Proven, Sort, smallest};

/// What can stand in a schema, in the order in which it is made; with how many of it there are, and
/// how often it is there, of a hundred. What belongs to a table is there that often for each.
macro_rules! places {
    ($($place:ident = $count:literal, $share:literal, $render:path;)+) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        enum Place { $($place,)+ }

        const PLACES: &[(Place, u8, u64)] = &[$((Place::$place, $count, $share),)+];

        fn statements(place: Place, number: u8, dice: &mut Dice) -> Vec<String> {
            match place { $(Place::$place => $render(number, dice),)+ }
        }
    };
}

places! {
    Schema = 3, 300, rights::schema;
    DefaultPrivileges = 2, 8, rights::default_privileges;
    Collation = 1, 30, types::collation;
    Enum = 3, 60, types::enumeration;
    Domain = 3, 50, types::domain;
    Composite = 2, 50, types::composite;
    Range = 1, 30, types::range;
    Sequence = 3, 40, types::sequence;
    Function = 4, 50, code::function;
    TriggerFunction = 2, 70, code::trigger_function;
    Aggregate = 1, 30, code::aggregate;
    Operator = 1, 30, code::operator;
    Cast = 1, 20, code::cast;
    TextSearch = 1, 20, types::text_search;
    ForeignServer = 1, 30, rights::foreign_server;
    Table = 6, 110, tables::table;
    Column = 24, 60, tables::column;
    Partition = 8, 50, tables::partition;
    ForeignTable = 1, 30, rights::foreign_table;
    SequenceOwner = 2, 30, types::sequence_owner;
    Generated = 6, 30, tables::generated;
    Key = 6, 75, tables::key;
    Unique = 6, 35, tables::unique;
    Check = 12, 25, tables::check;
    Exclusion = 6, 10, tables::exclusion;
    ForeignKey = 12, 40, tables::foreign_key;
    Index = 18, 35, tables::index;
    Statistics = 6, 20, tables::statistics;
    View = 4, 45, code::view;
    MaterializedView = 2, 40, code::materialized_view;
    ViewOfView = 2, 40, code::view_of_view;
    ViewIndex = 2, 30, code::view_index;
    LateFunction = 3, 40, code::late_function;
    LateDefault = 6, 10, tables::late_default;
    Trigger = 8, 30, code::trigger;
    Policy = 8, 30, code::policy;
    RowSecurity = 6, 30, tables::row_security;
    Rule = 2, 30, code::rule;
    Physical = 6, 30, tables::physical;
    Publication = 1, 25, rights::publication;
    Grant = 10, 30, rights::grant;
    Comment = 12, 30, rights::comment;
}

/// A schema to be: slots with the numbers that decide what stands there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Design(BTreeMap<Slot, u64>);

/// Where something can stand: what, and the how manieth.
type Slot = (Place, u8);

impl Design {
    /// The design of a seed.
    pub fn random(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let density = 45 + dice.below(70);
        let mut slots = BTreeMap::new();
        for (place, count, share) in PLACES {
            for number in 0..*count {
                let (is_there, what) = (dice.percent(share * density / 100), dice.next());
                if is_there {
                    slots.insert((*place, number), what);
                }
            }
        }
        Self(slots)
    }

    /// Another design that has much of this one: slots emptied, filled, and filled otherwise.
    #[must_use]
    pub fn changed(&self, seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ 0x5EED);
        let share = [2, 5, 15, 40, 100][usize::try_from(dice.below(5)).unwrap_or_default()];
        let fresh = Self::random(dice.next());
        let mut slots = self.0.clone();
        for (place, count, _) in PLACES {
            for slot in (0..*count).map(|number| (*place, number)) {
                if !dice.percent(share) {
                    continue;
                }
                match fresh.0.get(&slot) {
                    Some(what) => _ = slots.insert(slot, *what),
                    None => _ = slots.remove(&slot),
                }
            }
        }
        Self(slots)
    }

    /// The statements that make it, in order.
    pub fn statements(&self) -> Vec<String> {
        let slots = self.0.iter();
        let of_slot = |((place, number), what): (&Slot, &u64)| {
            statements(*place, *number, &mut Dice::new(*what))
        };
        slots.flat_map(of_slot).collect()
    }

    /// How many slots are filled.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when nothing is there.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The name of a table by its number; what belongs to tables shares them out by its own number.
fn table_name(number: u8) -> &'static str {
    let names = ["app.t0", "app.\"T 1\"", "\"Other\".t2", "app.t3", "\"Other\".t4", "extra.t5"];
    names[usize::from(number) % names.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_always_the_same_design_and_another_is_not() {
        assert_eq!(Design::random(7).statements(), Design::random(7).statements());
        assert_ne!(Design::random(7), Design::random(8));
        let one = Design::random(7);
        assert_eq!(one.changed(3), one.changed(3));
    }
}
