//! Rollouts as data: waves, what is to be done next, when to stop.
//!
//! Invariant: a wave begins only when every earlier one has passed its gate, and nothing begins once
//! more targets have failed than may.

use serde::{Deserialize, Serialize};

/// How many targets a wave has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WaveText", into = "String")]
pub enum WaveSize {
    /// This many.
    Count(usize),
    /// This share of all targets, in percent; at least one.
    Percent(u8),
}

/// As written in the configuration: a number or a text.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a wave is a number of targets, or a share: \"10%\"")]
enum WaveText {
    Number(usize),
    Text(String),
}

/// A size that is none.
#[derive(Debug, thiserror::Error)]
#[error("a wave is a number from 1 (`5`) or a share from 1% to 100% (`10%`), not {0:?}")]
pub struct WaveSizeError(String);

impl TryFrom<WaveText> for WaveSize {
    type Error = WaveSizeError;

    fn try_from(text: WaveText) -> Result<Self, WaveSizeError> {
        match text {
            WaveText::Number(number) => number.to_string().parse(),
            WaveText::Text(text) => text.parse(),
        }
    }
}

impl std::str::FromStr for WaveSize {
    type Err = WaveSizeError;

    fn from_str(text: &str) -> Result<Self, WaveSizeError> {
        let wrong = || WaveSizeError(text.to_owned());
        match text.strip_suffix('%') {
            Some(share) => match share.trim().parse() {
                Ok(share @ 1..=100) => Ok(Self::Percent(share)),
                _ => Err(wrong()),
            },
            None => match text.parse() {
                Ok(count) if count > 0 => Ok(Self::Count(count)),
                _ => Err(wrong()),
            },
        }
    }
}

impl From<WaveSize> for String {
    fn from(size: WaveSize) -> Self {
        match size {
            WaveSize::Count(count) => count.to_string(),
            WaveSize::Percent(share) => format!("{share}%"),
        }
    }
}

/// The wave of each target, from 0: canaries first, then waves of the given sizes, then the rest.
/// Waves are never empty.
pub fn assign(canaries: &[bool], sizes: &[WaveSize]) -> Vec<usize> {
    let all = canaries.len();
    let mut waves = vec![0; all];
    let mut wave = usize::from(canaries.contains(&true));
    let mut sizes = sizes.iter().map(|size| match size {
        WaveSize::Count(count) => *count,
        WaveSize::Percent(share) => (all * usize::from(*share)).div_ceil(100),
    });
    let mut room = sizes.next().unwrap_or(usize::MAX);
    for (at, is_canary) in canaries.iter().enumerate() {
        if *is_canary {
            continue;
        }
        if room == 0 {
            wave += 1;
            room = sizes.next().unwrap_or(usize::MAX);
        }
        waves[at] = wave;
        room -= 1;
    }
    waves
}

/// What is done when too many targets failed or a gate did not hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// Begin no further target.
    #[default]
    Stop,
    /// Go on with the others.
    Continue,
    /// Take back every target that was changed.
    TakeBack,
}

/// By what a rollout goes; fixed when it begins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutRules {
    /// Targets that may fail.
    pub max_failures: usize,
    /// What is done when more fail.
    pub on_failure: OnFailure,
    /// A person confirms each wave but the last.
    pub confirm: bool,
    /// Up to and including this migration.
    pub to: Option<String>,
    /// All targets or none: what every target rehearsed, and can be taken back by a way that may be
    /// derived.
    #[serde(default)]
    pub atomic: bool,
}

/// Where a rollout is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RolloutState {
    /// Targets are worked on.
    Running,
    /// Waits for a person.
    Paused,
    /// Too many targets failed, or a gate did not hold.
    Halted,
    /// Targets are being taken back.
    TakingBack,
    /// Ended by a person; what is done stays done.
    Aborted,
    /// Every target was tried, and no more failed than may.
    Done,
    /// Every changed target was taken back.
    TakenBack,
}

impl RolloutState {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Running,
        Self::Paused,
        Self::Halted,
        Self::TakingBack,
        Self::Aborted,
        Self::Done,
        Self::TakenBack,
    ];

    /// As it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Halted => "halted",
            Self::TakingBack => "taking_back",
            Self::Aborted => "aborted",
            Self::Done => "done",
            Self::TakenBack => "taken_back",
        }
    }

    /// The state with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// True when another rollout of the group may begin.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Aborted | Self::Done | Self::TakenBack)
    }
}

/// How many targets of a wave are in which state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct WaveCounts {
    /// Not begun.
    pub waiting: usize,
    /// Begun and not ended; by whom a lease says, or nobody.
    pub running: usize,
    /// Migrated.
    pub done: usize,
    /// Failed.
    pub failed: usize,
    /// Taken back.
    pub taken_back: usize,
    /// Could not be taken back.
    pub stuck: usize,
    /// The gate after the wave held.
    pub passed: bool,
}

/// What a process that works on a rollout does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Work on targets of this wave.
    Work(usize),
    /// Look whether the wave may be left behind.
    Gate(usize),
    /// Halt, or begin to take back, as the rules say.
    Fail,
    /// Everything is done.
    Finish,
    /// Take targets back.
    TakeBack,
    /// Everything is taken back that can be.
    FinishTakeBack,
    /// Nothing: the rollout is in a state that a person changes.
    End,
}

/// Decides what is next.
pub fn next(state: RolloutState, rules: &RolloutRules, waves: &[WaveCounts]) -> Next {
    match state {
        RolloutState::Running => next_wave(rules, waves),
        RolloutState::TakingBack => {
            let open = |wave: &WaveCounts| wave.done + wave.failed + wave.running > 0;
            if waves.iter().any(open) { Next::TakeBack } else { Next::FinishTakeBack }
        }
        _ => Next::End,
    }
}

fn next_wave(rules: &RolloutRules, waves: &[WaveCounts]) -> Next {
    let failed: usize = waves.iter().map(|wave| wave.failed).sum();
    if failed > rules.max_failures && rules.on_failure != OnFailure::Continue {
        return Next::Fail;
    }
    for (number, wave) in waves.iter().enumerate() {
        if wave.waiting + wave.running > 0 {
            return Next::Work(number);
        }
        if !wave.passed {
            return Next::Gate(number);
        }
    }
    Next::Finish
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sizes(text: &str) -> Vec<WaveSize> {
        text.split(' ').filter(|t| !t.is_empty()).map(|t| t.parse().unwrap()).collect()
    }

    #[test]
    fn waves_follow_canaries() {
        let mut canaries = [false; 10];
        canaries[7] = true;
        assert_eq!(assign(&canaries, &sizes("1 20%")), [1, 2, 2, 3, 3, 3, 3, 0, 3, 3]);
        assert_eq!(assign(&[false; 3], &[]), [0, 0, 0]);
        assert_eq!(assign(&[false; 3], &sizes("5")), [0, 0, 0]);
        for wrong in ["0", "0%", "101%", "x", "-1", ""] {
            assert!(wrong.parse::<WaveSize>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn every_target_has_a_wave_and_no_wave_is_empty(
            canaries in prop::collection::vec(any::<bool>(), 1..60),
            counts in prop::collection::vec(1_usize..9, 0..5),
        ) {
            let sizes: Vec<_> = counts.into_iter().map(WaveSize::Count).collect();
            let waves = assign(&canaries, &sizes);
            let last = waves.iter().copied().max().unwrap();
            for wave in 0..=last {
                prop_assert!(waves.contains(&wave), "{waves:?}");
            }
        }

        /// Whoever does what is said next comes to an end, and never leaves a wave that is open.
        #[test]
        fn doing_what_is_next_ends(
            targets in prop::collection::vec(1_usize..5, 1..5),
            fails in prop::collection::vec(any::<bool>(), 30),
            max_failures in 0_usize..3,
            rule in 0_usize..3,
        ) {
            let on_failure = [OnFailure::Stop, OnFailure::Continue, OnFailure::TakeBack][rule];
            let rules = RolloutRules { max_failures, on_failure, ..RolloutRules::default() };
            let mut waves: Vec<_> =
                targets.iter().map(|n| WaveCounts { waiting: *n, ..Default::default() }).collect();
            let (mut state, mut at) = (RolloutState::Running, 0);
            for _ in 0..200 {
                match next(state, &rules, &waves) {
                    Next::Work(wave) => {
                        prop_assert!(waves[..wave].iter().all(|w| w.passed));
                        waves[wave].waiting -= 1;
                        if fails[at] { waves[wave].failed += 1 } else { waves[wave].done += 1 }
                        at += 1;
                    }
                    Next::Gate(wave) => waves[wave].passed = true,
                    Next::Fail => state = match on_failure {
                        OnFailure::TakeBack => RolloutState::TakingBack,
                        _ => RolloutState::Halted,
                    },
                    Next::Finish => state = RolloutState::Done,
                    Next::TakeBack => for wave in &mut waves {
                        wave.taken_back += wave.done + wave.failed;
                        (wave.done, wave.failed) = (0, 0);
                    },
                    Next::FinishTakeBack => state = RolloutState::TakenBack,
                    Next::End => break,
                }
            }
            prop_assert_eq!(next(state, &rules, &waves), Next::End);
            let failed: usize = waves.iter().map(|w| w.failed).sum();
            if state == RolloutState::Done && on_failure != OnFailure::Continue {
                prop_assert!(failed <= max_failures);
            }
        }
    }
}
