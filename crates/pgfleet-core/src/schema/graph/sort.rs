//! Steps in order.
//!
//! Invariant: every step comes out once; one step comes before another that must come after it,
//! unless they wait for each other; what should rather come after does so wherever nothing else is
//! in the way.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

/// Numbers of steps, the smallest key first among those that nothing holds back.
pub(super) fn sort<K: Ord + Copy>(
    keys: &[K],
    after: &BTreeSet<(usize, usize)>,
    rather_after: &BTreeSet<(usize, usize)>,
) -> Vec<usize> {
    let mut waiting = Waiting::new(keys, after, rather_after);
    let mut sorted = Vec::with_capacity(keys.len());
    while let Some(number) = waiting.next() {
        sorted.push(number);
        waiting.finish(number);
    }
    sorted
}

struct Waiting<'k, K> {
    keys: &'k [K],
    /// By step: what comes after it, and whether it must.
    next: Vec<Vec<(usize, bool)>>,
    /// By step: how many others it must wait for, and how many it should.
    musts: Vec<usize>,
    shoulds: Vec<usize>,
    /// Steps that wait for nothing; those that must wait for nothing; all that are left.
    free: BinaryHeap<Reverse<(K, usize)>>,
    possible: BinaryHeap<Reverse<(K, usize)>>,
    left: BTreeSet<(K, usize)>,
}

impl<'k, K: Ord + Copy> Waiting<'k, K> {
    fn new(
        keys: &'k [K],
        after: &BTreeSet<(usize, usize)>,
        rather_after: &BTreeSet<(usize, usize)>,
    ) -> Self {
        let count = keys.len();
        let mut waiting = Self {
            keys,
            next: vec![Vec::new(); count],
            musts: vec![0; count],
            shoulds: vec![0; count],
            free: BinaryHeap::new(),
            possible: BinaryHeap::new(),
            left: (0..count).map(|number| (keys[number], number)).collect(),
        };
        for (first, second) in after {
            waiting.next[*first].push((*second, true));
            waiting.musts[*second] += 1;
        }
        for (first, second) in rather_after.difference(after).filter(|(a, b)| a != b) {
            waiting.next[*first].push((*second, false));
            waiting.shoulds[*second] += 1;
        }
        (0..count).for_each(|number| waiting.note(number));
        waiting
    }

    /// The next step: a free one, else a possible one, else the first of those that wait for each
    /// other.
    fn next(&mut self) -> Option<usize> {
        loop {
            let first = self.left.first()?.1;
            let taken = self.free.pop().or_else(|| self.possible.pop());
            let taken = match taken {
                Some(Reverse(taken)) => taken,
                None => self.first_of_cycle(first),
            };
            if self.left.remove(&taken) {
                return Some(taken.1);
            }
        }
    }

    /// The first of the steps that wait for each other and for nothing else, on the way back from a
    /// step that waits.
    fn first_of_cycle(&self, start: usize) -> (K, usize) {
        let mut before: Vec<Vec<usize>> = vec![Vec::new(); self.keys.len()];
        for (_, first) in &self.left {
            for (second, _) in self.next[*first].iter().filter(|(_, must)| *must) {
                before[*second].push(*first);
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
        let keyed = cycle.iter().map(|number| (self.keys[*number], *number));
        keyed.min().unwrap_or((self.keys[start], start))
    }

    fn finish(&mut self, number: usize) {
        for (second, must) in std::mem::take(&mut self.next[number]) {
            let waits = if must { &mut self.musts } else { &mut self.shoulds };
            waits[second] = waits[second].saturating_sub(1);
            self.note(second);
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

    fn sorted(count: usize, after: &[(usize, usize)], rather: &[(usize, usize)]) -> Vec<usize> {
        let keys: Vec<usize> = (0..count).collect();
        sort(&keys, &after.iter().copied().collect(), &rather.iter().copied().collect())
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
            pairs in proptest::collection::vec((0usize..12, 0usize..12), 0..40),
            wishes in proptest::collection::vec((0usize..12, 0usize..12), 0..40),
        ) {
            let after: Vec<_> = pairs.into_iter().filter(|(a, b)| a < b).collect();
            let order = sorted(12, &after, &wishes);
            let place = |number: usize| order.iter().position(|one| *one == number);
            let mut all = order.clone();
            all.sort_unstable();
            assert_eq!(all, (0..12).collect::<Vec<_>>());
            assert!(after.iter().all(|(a, b)| place(*a) < place(*b)));
        }
    }
}
