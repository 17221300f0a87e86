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
    random::{Bench, Design, Failure, Proven, Sort, smallest},
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
    /// Pairs that failed, by sort: refused, wrong, panicked.
    sorts: Mutex<[u64; 3]>,
    sums: Mutex<Proven>,
    dumps_every: u32,
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
        sorts: Mutex::default(),
        sums: Mutex::default(),
        dumps_every: option("--dumps").and_then(|every| u32::try_from(every).ok()).unwrap_or(0),
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
        let mut bench = Bench::on(&self.cluster).with_dumps(self.dumps_every);
        while self.failed.load(Ordering::Relaxed) < ENOUGH {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.pairs {
                return;
            }
            let own = self.seed.wrapping_mul(1_000_003).wrapping_add(number);
            let from = Design::random(own);
            let to = from.changed(own);
            match bench.prove(&from, &to) {
                Ok(proven) => self.add(proven),
                Err(failure) => self.report(&mut bench, number, (&from, &to), failure),
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

    fn report(
        &self,
        bench: &mut Bench,
        number: u64,
        (from, to): (&Design, &Design),
        failure: Failure,
    ) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        if let Ok(mut sorts) = self.sorts.lock() {
            sorts[failure.sort as usize] += 1;
        }
        let small = match failure.sort {
            // Only some pairs are dumped.
            Sort::Wrong => None,
            Sort::Refused | Sort::Panicked => smallest(bench, from, to),
        };
        let (from, to, failure) = small.unwrap_or_else(|| (from.clone(), to.clone(), failure));
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
        let [refused, wrong, panicked] = self.sorts.lock().map(|sorts| *sorts).unwrap_or_default();
        println!(
            "{} pairs proven in both directions, {refused} refused by the proof, {wrong} wrong, \
             {panicked} panicked, in {:.0} s; on average {} objects a schema and {} changes; the server \
             took {} of {} statements not",
            sums.pairs,
            start.elapsed().as_secs_f64(),
            sums.objects / (2 * sums.pairs).max(1),
            sums.changes / sums.pairs.max(1),
            sums.refused,
            sums.tried,
        );
    }
}
