//! Fleets as data: which targets a registry names, which of them are chosen, and what is alike
//! among what became of them.

mod advice;
mod alike;
mod choice;
mod entry;
mod pattern;
mod rollout;

pub use advice::{
    COPY_OF, Told, advise_for_all, advise_in_group, advised_group, chosen_by, shell_word,
};
pub use alike::{Alike, alike};
pub use choice::{Choice, Name};
pub use entry::{Entry, RegistryError, Row, read_registry};
pub use pattern::Pattern;
pub use rollout::{
    Next, OnFailure, RolloutRules, RolloutState, WaveCounts, WaveSize, WaveSizeError, assign, next,
};
