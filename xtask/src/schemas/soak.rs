//! `cargo xtask soak`: random pairs of schemas, proven in both directions.
//!
//! Pair N of a seed is always the same; what fails is made as small as it goes and printed as the two
//! scripts that make it.

use std::{
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use pgfleet_testkit::{
    Cluster, majors,
    random::{Bench, Design, Proven, smallest},
};

/// Failing pairs after which it stops.
const ENOUGH: u64 = 20;

/// What all workers share.
struct Soak {
    cluster: Cluster,
    seed: u64,
    pairs: u64,
    next: AtomicU64,
    failed: AtomicU64,
    sums: Mutex<Proven>,
}

/// Proves pairs and prints those that fail.
pub(crate) fn run(options: &[&str]) -> ExitCode {
    let option = |name: &str| {
        let at = options.iter().position(|word| *word == name)?;
        options.get(at + 1)?.parse::<u64>().ok()
    };
    let fresh = match option("--major").and_then(|major| u16::try_from(major).ok()) {
        Some(major) => Cluster::fresh().installation(majors::major(major)),
        None => Cluster::fresh(),
    };
    let cluster = fresh.start();
    cluster.sql("CREATE ROLE schema_reader; CREATE ROLE \"schema Writer\"");
    let (from, pairs) = (option("--from").unwrap_or(0), option("--pairs").unwrap_or(1_000));
    let soak = Soak {
        cluster,
        seed: option("--seed").unwrap_or_else(today),
        pairs: from + pairs,
        next: AtomicU64::new(from),
        failed: AtomicU64::new(0),
        sums: Mutex::default(),
    };
    println!("seed {}", soak.seed);
    let start = Instant::now();
    thread::scope(|scope| (0..3).for_each(|_| _ = scope.spawn(|| soak.work())));
    soak.print(start);
    if soak.failed.into_inner() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Another number every day.
fn today() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() / 86_400)
}

impl Soak {
    fn work(&self) {
        let mut bench = Bench::on(&self.cluster);
        while self.failed.load(Ordering::Relaxed) < ENOUGH {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.pairs {
                return;
            }
            let from = Design::random(self.seed.wrapping_mul(1_000_003).wrapping_add(number));
            let to = from.changed(number);
            match bench.prove(&from, &to) {
                Ok(proven) => self.add(proven),
                Err(_) => self.report(&mut bench, number, &from, &to),
            }
        }
    }

    fn add(&self, one: Proven) {
        let Ok(mut sums) = self.sums.lock() else { return };
        sums.tried += one.tried;
        sums.refused += one.refused;
        sums.objects += one.objects;
        sums.changes += one.changes;
        sums.pairs += 1;
    }

    fn report(&self, bench: &mut Bench, number: u64, from: &Design, to: &Design) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        let (from, to, failure) = smallest(bench, from, to);
        let script = |design: &Design| design.statements().join(";\n  ");
        println!(
            "== pair {number}, {}\nfrom:\n  {}\nto:\n  {}\n{}\n",
            failure.way,
            script(&from),
            script(&to),
            failure.reason
        );
    }

    fn print(&self, start: Instant) {
        let Ok(sums) = self.sums.lock() else { return };
        let failed = self.failed.load(Ordering::Relaxed);
        println!(
            "{} pairs proven in both directions, {failed} not, in {:.0} s; on average {} objects a \
             schema and {} changes; {} of {} statements refused",
            sums.pairs,
            start.elapsed().as_secs_f64(),
            sums.objects / (2 * sums.pairs).max(1),
            sums.changes / sums.pairs.max(1),
            sums.refused,
            sums.tried,
        );
    }
}
