//! Random pairs of schemas; `cargo xtask soak` goes on where this stops.

use std::time::{Duration, Instant};

use pgfleet_testkit::Cluster;
use pgfleet_testkit::random::{Bench, Design};

use crate::ROLES;

/// What the pairs take at most, beside the last one.
const TIME: Duration = Duration::from_secs(6);

/// How many at most.
const PAIRS: u64 = 40;

#[test]
fn random_pairs_are_proven_in_both_directions() {
    let cluster = Cluster::shared();
    cluster.sql(ROLES);
    let mut bench = Bench::on(&cluster);
    let start = Instant::now();
    let mut proven = 0;
    for number in 0..PAIRS {
        if start.elapsed() > TIME {
            break;
        }
        let from = Design::random(1_000_003 + number);
        let outcome = bench.prove(&from, &from.changed(number));
        let one = outcome
            .unwrap_or_else(|failure| panic!("pair {number}, {}: {}", failure.way, failure.reason));
        assert!(one.refused < one.tried, "something of the pair is made");
        proven += usize::from(one.changes > 0);
    }
    assert!(proven > 0, "some pairs differ");
}
