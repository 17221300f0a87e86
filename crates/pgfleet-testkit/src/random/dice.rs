//! Numbers that look random and are the same for the same seed, on every machine.

/// A stream of numbers (SplitMix64, Steele and others, 2014).
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Less than `limit`.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// True in so many of a hundred cases.
    pub(super) fn percent(&mut self, share: u64) -> bool {
        self.below(100) < share
    }

    pub(super) fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        usize::try_from(self.below(choices.len() as u64)).map_or("", |at| choices[at])
    }

    /// The text in so many of a hundred cases, nothing in the others.
    pub(super) fn maybe<'a>(&mut self, share: u64, text: &'a str) -> &'a str {
        if self.percent(share) { text } else { "" }
    }

    /// Some of the choices, at least one, in an order of their own.
    pub(super) fn some<'a>(&mut self, choices: &[&'a str]) -> Vec<&'a str> {
        let mut rest = choices.to_vec();
        let count = 1 + self.below(choices.len() as u64);
        let mut take = || rest.swap_remove(self.next() as usize % rest.len());
        (0..count).map(|_| take()).collect()
    }
}
