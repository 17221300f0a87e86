//! Proves pairs of designs on a server: each way, in plain and in online forms, and of some the dumps.
//!
//! Invariant: both databases of a bench are empty before a pair, whatever the pair before it did.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use pgfleet_core::schema::Schema;
use pgfleet_core::schema::diff::{Statement, compare};
use pgfleet_engine::catalog::read_schema;
use pgfleet_engine::compare::run_script;
use pgfleet_engine::connect::{ConnectSpec, Session, Surroundings, connect};
use tokio::runtime::Runtime;

use super::{Design, Slot};
use crate::{Cluster, TestDb};

/// Pairs after which the catalogs are made anew, as nothing vacuums them.
const PAIRS_PER_DATABASE: u32 = 200;

const EMPTY: &str = "DROP SCHEMA IF EXISTS app CASCADE; DROP SCHEMA IF EXISTS \"Other\" CASCADE;
    DROP SCHEMA IF EXISTS extra CASCADE; DROP PUBLICATION IF EXISTS random_pub;
    DROP FOREIGN DATA WRAPPER IF EXISTS random_wrapper CASCADE;";

/// Two databases in which pairs are made.
#[allow(missing_debug_implementations, reason = "a session has none")]
pub struct Bench {
    runtime: Runtime,
    sides: [Place; 2],
    pairs: u32,
    /// Of each so manieth pair the dumps are compared; 0 means none.
    dumps_every: u32,
}

/// A database with a session in it; the session goes first.
struct Place {
    session: Session,
    database: TestDb,
}

/// What a pair was.
#[derive(Debug, Clone, Copy, Default)]
pub struct Proven {
    /// 1; or of how many pairs this is the sum.
    pub pairs: usize,
    /// Statements that were tried to make the two, and how many the server refused.
    pub tried: usize,
    /// See `tried`.
    pub refused: usize,
    /// Objects of both schemas.
    pub objects: usize,
    /// Changes from the one to the other.
    pub changes: usize,
}

/// A sort of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// The proof finds it: `diff` refuses to show such a change.
    Refused,
    /// The proof does not find it: the dumps are not the same.
    Wrong,
    /// A panic.
    Panicked,
}

/// What did not hold.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What sort of failure it is.
    pub sort: Sort,
    /// The way that failed.
    pub way: &'static str,
    /// How.
    pub reason: String,
}

impl Bench {
    /// Two empty databases on a cluster that has the roles `schema_reader` and `schema Writer`.
    pub fn on(cluster: &Cluster) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a tokio runtime");
        let sides = [(); 2].map(|()| Place::on(&runtime, cluster));
        Self { runtime, sides, pairs: 0, dumps_every: 0 }
    }

    /// Holds the dumps of both sides against each other, too, after each so manieth pair.
    #[must_use]
    pub fn with_dumps(mut self, every: u32) -> Self {
        self.dumps_every = every;
        self
    }

    /// Turns each of two designs into the other, twice.
    ///
    /// # Errors
    /// The first way that failed; also a panic.
    pub fn prove(&mut self, from: &Design, to: &Design) -> Result<Proven, Failure> {
        self.pairs += 1;
        if self.pairs.is_multiple_of(PAIRS_PER_DATABASE) {
            let (pairs, every) = (self.pairs, self.dumps_every);
            *self = Self::on(&self.sides[0].database.cluster().clone()).with_dumps(every);
            self.pairs = pairs;
        }
        let (runtime, sides) = (&self.runtime, &self.sides);
        let dumps = self.dumps_every > 0 && self.pairs.is_multiple_of(self.dumps_every);
        let work = || runtime.block_on(prove_on(sides, from, to, dumps));
        let panicked = |_| {
            Err(Failure {
                sort: Sort::Panicked,
                way: "somewhere",
                reason: "it panicked".to_owned(),
            })
        };
        catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(panicked)
    }
}

impl Place {
    fn on(runtime: &Runtime, cluster: &Cluster) -> Self {
        let database = cluster.database();
        let spec = ConnectSpec::parse(&database.url(), &Surroundings::default());
        let spec = spec.unwrap_or_else(|error| panic!("{}", error.what));
        let session = connect(&spec, "pgfleet-testkit", Duration::from_secs(30));
        let session = runtime.block_on(session).unwrap_or_else(|error| panic!("{}", error.what));
        Self { session, database }
    }

    async fn read(&self) -> Schema {
        let schema = read_schema(&self.session).await.unwrap_or_else(|error| panic!("{error}"));
        assert!(schema.is_consistent(), "objects are in order and edges inside");
        schema
    }

    /// Makes a design, and gives how many statements the server refused.
    async fn build(&self, design: &Design) -> usize {
        let statements = design.statements();
        let array: Vec<_> = statements.iter().map(|sql| format!("$stmt${sql}$stmt$")).collect();
        let script = format!(
            "SET client_min_messages = error; SET search_path = ''; {EMPTY}
            DO $do$ DECLARE s text; refused text := ''; BEGIN
              FOREACH s IN ARRAY ARRAY[{}]::text[] LOOP
                BEGIN EXECUTE s; EXCEPTION WHEN OTHERS THEN
                  refused := refused || SQLERRM || ' in ' || s || E'\\x01'; END;
              END LOOP;
              PERFORM set_config('random.refused', refused, false);
            END $do$",
            array.join(", ")
        );
        self.session.batch(&script).await.unwrap_or_else(|error| panic!("{error}"));
        let rows = self.session.query_text("SELECT current_setting('random.refused')").await;
        let refused = rows.unwrap_or_else(|error| panic!("{error}"));
        let text = refused.into_iter().flatten().flatten().next().unwrap_or_default();
        if std::env::var_os("RANDOM_REFUSED").is_some() {
            text.split('\u{1}').for_each(|line| eprintln!("{line}"));
        }
        text.matches('\u{1}').count()
    }

    async fn turn(
        &self,
        way: &'static str,
        statements: &[Statement],
        to: &Schema,
    ) -> Result<(), Failure> {
        let failed = |reason: String| Failure {
            sort: Sort::Refused,
            way,
            reason: format!("{reason}\nafter:\n{}", listed(statements)),
        };
        run_script(&self.session, statements).await.map_err(|error| failed(error.to_string()))?;
        let now = self.read().await;
        let rest = compare(&now, to);
        if !rest.is_empty() {
            return Err(failed(format!("still different:\n{}\n", listed(&rest.statements()))));
        }
        // What is the same to the letter has the same fingerprint.
        match now.objects == to.objects || now.fingerprint() == to.fingerprint() {
            true => Ok(()),
            false => Err(failed("the fingerprints differ".to_owned())),
        }
    }
}

async fn prove_on(
    sides: &[Place; 2],
    from: &Design,
    to: &Design,
    dumps: bool,
) -> Result<Proven, Failure> {
    let [a, b] = sides;
    let refused = a.build(from).await + b.build(to).await;
    let (from, to, tried) =
        (a.read().await, b.read().await, from.statements().len() + to.statements().len());
    let forwards = compare(&from, &to);
    let backwards = compare(&to, &from);
    let proven = Proven {
        pairs: 1,
        tried,
        refused,
        objects: from.objects.len() + to.objects.len(),
        changes: forwards.changes().len(),
    };
    a.turn("forwards", &forwards.statements(), &to).await?;
    if dumps {
        same_dumps(&a.database.dump_schema(), &b.database.dump_schema())?;
    }
    b.turn("backwards", &backwards.statements(), &from).await?;
    let backwards = backwards.with_online_forms().statements();
    a.turn("backwards, online", &backwards, &from).await?;
    let forwards = forwards.with_online_forms().statements();
    b.turn("forwards, online", &forwards, &to).await?;
    Ok(proven)
}

/// The dumps line by line, without the order of columns, options and statements. Where tables inherit
/// they say which columns a table has by itself, which is not compared.
fn same_dumps(made: &str, wanted: &str) -> Result<(), Failure> {
    if [made, wanted].iter().any(|dump| dump.contains("\nINHERITS (")) {
        return Ok(());
    }
    let lines = |dump: &str| -> Vec<String> {
        let lines = dump.lines().map(|line| line.trim().trim_end_matches(','));
        let mut lines: Vec<_> = lines
            .filter(|line| !line.is_empty() && !line.starts_with("--") && !line.starts_with('\\'))
            .map(sorted_list)
            .collect();
        lines.sort_unstable();
        lines
    };
    let (made, wanted) = (lines(made), lines(wanted));
    if made == wanted {
        return Ok(());
    }
    let only = |these: &[String], those: &[String]| {
        let lone = these.iter().filter(|line| those.binary_search(line).is_err());
        lone.take(8).cloned().collect::<Vec<_>>().join("\n")
    };
    let (left, missing) = (only(&made, &wanted), only(&wanted, &made));
    let reason = format!("the dumps differ; only made:\n{left}\nonly wanted:\n{missing}");
    Err(Failure { sort: Sort::Wrong, way: "forwards", reason })
}

/// `WITH (b, a);` is `WITH (a, b);`.
fn sorted_list(line: &str) -> String {
    let inside = line.strip_prefix("WITH (").and_then(|rest| rest.strip_suffix(");"));
    let Some(inside) = inside else { return line.to_owned() };
    let mut names: Vec<_> = inside.split(", ").collect();
    names.sort_unstable();
    format!("WITH ({});", names.join(", "))
}

fn listed(statements: &[Statement]) -> String {
    statements.iter().map(|statement| statement.sql.as_str()).collect::<Vec<_>>().join(";\n")
}

/// A small pair that still fails: slots are made equal and taken out, many at once and then one by
/// one, as long as it does. None when the pair does not fail again.
pub fn smallest(
    bench: &mut Bench,
    from: &Design,
    to: &Design,
) -> Option<(Design, Design, Failure)> {
    let Err(failure) = bench.prove(from, to) else { return None };
    let mut pair = Shrinking { from: from.clone(), to: to.clone(), failure };
    let mut size = pair.slots().len().div_ceil(2);
    while size > 0 {
        let slots = pair.slots();
        for chunk in slots.chunks(size) {
            pair.shrink(bench, |from, to| chunk.iter().for_each(|slot| from.level(to, slot)));
            pair.shrink(bench, |from, to| chunk.iter().for_each(|slot| from.empty(to, slot)));
        }
        size = if size == 1 { 0 } else { size.div_ceil(2) };
    }
    for slot in pair.slots() {
        pair.shrink(bench, |from, _| _ = from.0.remove(&slot));
        pair.shrink(bench, |_, to| _ = to.0.remove(&slot));
    }
    Some((pair.from, pair.to, pair.failure))
}

struct Shrinking {
    from: Design,
    to: Design,
    failure: Failure,
}

impl Shrinking {
    fn slots(&self) -> Vec<Slot> {
        let all: BTreeSet<_> = self.from.0.keys().chain(self.to.0.keys()).copied().collect();
        all.into_iter().collect()
    }

    /// Keeps a smaller pair when it still fails.
    fn shrink(&mut self, bench: &mut Bench, step: impl Fn(&mut Design, &mut Design)) {
        let (mut from, mut to) = (self.from.clone(), self.to.clone());
        step(&mut from, &mut to);
        if (&from, &to) == (&self.from, &self.to) {
            return;
        }
        if let Err(failure) = bench.prove(&from, &to)
            && failure.sort == self.failure.sort
        {
            (self.from, self.to, self.failure) = (from, to, failure);
        }
    }
}

impl Design {
    /// Fills a slot of the other as it is filled here, when both are.
    fn level(&self, other: &mut Self, slot: &Slot) {
        if let (Some(what), Some(other)) = (self.0.get(slot), other.0.get_mut(slot)) {
            *other = *what;
        }
    }

    fn empty(&mut self, other: &mut Self, slot: &Slot) {
        self.0.remove(slot);
        other.0.remove(slot);
    }
}
