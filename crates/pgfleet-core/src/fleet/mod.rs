//! Fleets as data: which targets a registry names, which of them are chosen, and what is alike
//! among what became of them.

mod alike;
mod choice;
mod entry;
mod pattern;

pub use alike::{Alike, alike};
pub use choice::{Choice, Name};
pub use entry::{Entry, RegistryError, Row, read_registry};
pub use pattern::Pattern;
