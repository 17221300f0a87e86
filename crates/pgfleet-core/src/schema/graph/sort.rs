//! Steps in order.
//!
//! Invariant: every step comes out once; one step comes before another that must come after it,
//! unless they wait for each other; what should rather come after does so wherever nothing else is
//! in the way.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

/// One step and another that comes after it, by their numbers.
pub(super) type Pair = (u32, u32);

/// Numbers of steps, the smallest key first among those that nothing holds back.
pub(super) fn sort<K: Ord + Copy>(
    keys: &[K],
    after: Vec<Pair>,
    rather_after: Vec<Pair>,
) -> Vec<usize> {
    let mut waiting = Waiting::new(keys, Next::new(keys.len(), after, rather_after));
    let mut sorted = Vec::with_capacity(keys.len());
    while let Some(number) = waiting.next() {
        sorted.push(number);
        waiting.finish(number);
    }
    sorted
}

/// What comes after each step.
struct Next {
    /// By step, where its part of `steps` begins; one more at the end.
    starts: Vec<u32>,
    /// What comes after, and whether it must.
    steps: Vec<(u32, bool)>,
}

impl Next {
    fn new(count: usize, after: Vec<Pair>, rather_after: Vec<Pair>) -> Self {
        let musts = after.into_iter().map(|(first, second)| (first, second, false));
        let wishes = rather_after.into_iter().filter(|(first, second)| first != second);
        let wishes = wishes.map(|(first, second)| (first, second, true));
        let mut all: Vec<_> = musts.chain(wishes).collect();
        all.sort_unstable();
        // What must come after comes first, and makes the wish needless.
        all.dedup_by_key(|(first, second, _)| (*first, *second));
        let mut starts = vec![0; count + 1];
        all.iter().for_each(|(first, ..)| starts[*first as usize + 1] += 1);
        for at in 0..count {
            starts[at + 1] += starts[at];
        }
        Self { starts, steps: all.into_iter().map(|(_, second, wish)| (second, !wish)).collect() }
    }

    fn of(&self, step: usize) -> &[(u32, bool)] {
        &self.steps[self.starts[step] as usize..self.starts[step + 1] as usize]
    }
}

struct Waiting<'k, K> {
    keys: &'k [K],
    next: Next,
    /// By step: how many others it must wait for, and how many it should.
    musts: Vec<u32>,
    shoulds: Vec<u32>,
    /// Steps that wait for nothing; those that must wait for nothing.
    free: BinaryHeap<Reverse<(K, usize)>>,
    possible: BinaryHeap<Reverse<(K, usize)>>,
    /// By step: it has come.
    done: Vec<bool>,
    left: usize,
}

impl<'k, K: Ord + Copy> Waiting<'k, K> {
    fn new(keys: &'k [K], next: Next) -> Self {
        let count = keys.len();
        let (mut musts, mut shoulds) = (vec![0; count], vec![0; count]);
        for (second, must) in &next.steps {
            let waits = if *must { &mut musts } else { &mut shoulds };
            waits[*second as usize] += 1;
        }
        let (free, possible, done) = (BinaryHeap::new(), BinaryHeap::new(), vec![false; count]);
        let mut waiting = Self { keys, next, musts, shoulds, free, possible, done, left: count };
        (0..count).for_each(|number| waiting.note(number));
        waiting
    }

    /// The next step: a free one, else a possible one, else the first of those that wait for each
    /// other.
    fn next(&mut self) -> Option<usize> {
        while self.left > 0 {
            let taken = self.free.pop().or_else(|| self.possible.pop());
            let number = match taken {
                Some(Reverse((_, number))) => number,
                None => self.first_of_cycle()?,
            };
            if !std::mem::replace(&mut self.done[number], true) {
                self.left -= 1;
                return Some(number);
            }
        }
        None
    }

    /// The first of the steps that wait for each other and for nothing else, on the way back from the
    /// first step that waits.
    fn first_of_cycle(&self) -> Option<usize> {
        let left = || (0..self.keys.len()).filter(|number| !self.done[*number]);
        let start = left().min_by_key(|number| (self.keys[*number], *number))?;
        let mut before: Vec<Vec<usize>> = vec![Vec::new(); self.keys.len()];
        for first in left() {
            for (second, _) in self.next.of(first).iter().filter(|(_, must)| *must) {
                before[*second as usize].push(first);
            }
        }
        let mut cycle = reach(&before, start);
        loop {
            let smaller = cycle.iter().map(|one| reach(&before, *one));
            match smaller.into_iter().find(|reached| reached.len() < cycle.len()) {
                Some(smaller) => cycle = smaller,
                None => break,
            }
        }
        cycle.into_iter().min_by_key(|number| (self.keys[*number], *number))
    }

    fn finish(&mut self, number: usize) {
        let (start, end) = (self.next.starts[number], self.next.starts[number + 1]);
        for at in start..end {
            let (second, must) = self.next.steps[at as usize];
            let waits = if must { &mut self.musts } else { &mut self.shoulds };
            waits[second as usize] = waits[second as usize].saturating_sub(1);
            self.note(second as usize);
        }
    }

    fn note(&mut self, number: usize) {
        let entry = Reverse((self.keys[number], number));
        if self.musts[number] > 0 {
            return;
        }
        match self.shoulds[number] {
            0 => self.free.push(entry),
            _ => self.possible.push(entry),
        }
    }
}

/// A step and everything that it waits for.
fn reach(before: &[Vec<usize>], start: usize) -> BTreeSet<usize> {
    let mut seen = BTreeSet::from([start]);
    let mut work = vec![start];
    while let Some(number) = work.pop() {
        work.extend(before[number].iter().copied().filter(|first| seen.insert(*first)));
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(count: usize, after: &[Pair], rather: &[Pair]) -> Vec<usize> {
        let keys: Vec<usize> = (0..count).collect();
        sort(&keys, after.to_vec(), rather.to_vec())
    }

    #[test]
    fn wishes_yield_and_orders_do_not() {
        assert_eq!(sorted(3, &[(2, 0)], &[]), [1, 2, 0]);
        assert_eq!(sorted(3, &[], &[(1, 0)]), [1, 0, 2]);
        assert_eq!(sorted(2, &[(0, 1)], &[(1, 0)]), [0, 1]);
        assert_eq!(sorted(3, &[(0, 1), (1, 0)], &[]), [2, 0, 1]);
        assert_eq!(sorted(3, &[(1, 2), (2, 1), (1, 0)], &[]), [1, 0, 2]);
        assert_eq!(sorted(3, &[(0, 1), (1, 2)], &[(2, 0)]), [0, 1, 2]);
    }

    proptest::proptest! {
        #[test]
        fn every_step_comes_out_once_and_orders_without_cycles_hold(
            pairs in proptest::collection::vec((0u32..12, 0u32..12), 0..40),
            wishes in proptest::collection::vec((0u32..12, 0u32..12), 0..40),
        ) {
            let after: Vec<_> = pairs.into_iter().filter(|(a, b)| a < b).collect();
            let order = sorted(12, &after, &wishes);
            let place = |number: u32| order.iter().position(|one| *one == number as usize);
            let mut all = order.clone();
            all.sort_unstable();
            assert_eq!(all, (0..12).collect::<Vec<_>>());
            assert!(after.iter().all(|(a, b)| place(*a) < place(*b)));
        }
    }
}
