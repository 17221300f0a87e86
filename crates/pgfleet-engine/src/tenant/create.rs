//! Creates a tenant: its database is made under a private name, or its schema with a mark, migrated, seeded, checked, named,
//! and entered in the registry.
//!
//! Invariant: each step is done once, whichever run does it. What fails is taken back to the last
//! trace; what is killed is finished by the next run, or taken back by it.

use std::collections::BTreeMap;
use std::time::Instant;

use pgfleet_core::config::HomeKind;
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::fleet::Entry as Registered;
use pgfleet_core::place::Place;
use pgfleet_core::report::RunReport;
use pgfleet_core::verify::CheckResult;
use serde::Serialize;

use super::home::Homes;
use super::journal::{Action, Entry, Step};
use super::place::{Tenants, Work};
use super::sql::{of_section, of_seed};
use crate::conduct::{ApplyRequest, Consent, Run, RunOutcome, Selection, Target, apply, open};
use crate::execute::NoEvents;
use crate::journal::literal;
use crate::lock::{LockWait, lock_worker};
use crate::typeorm::capture_pending;
use crate::verify;

/// Which seeds were run in a database. Tenants with schemas of one may be created at the same moment.
const SEEDS: &str = "SELECT pg_catalog.pg_advisory_xact_lock(8099555070592775171); \
     CREATE SCHEMA IF NOT EXISTS pgfleet; \
     CREATE TABLE IF NOT EXISTS pgfleet.tenant_seeds (run_id text NOT NULL, seed text NOT NULL, \
     done_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(), PRIMARY KEY (run_id, seed))";

/// A tenant that was created.
#[derive(Debug, Clone, Serialize)]
pub struct Created {
    /// Names the creation in the journal.
    pub run_id: String,
    /// The tenant.
    pub code: String,
    /// What it has for itself: "database" or "schema".
    pub kind: &'static str,
    /// The name of that.
    pub home: String,
    /// An earlier run had begun it.
    pub continued: bool,
    /// Migrations that this run applied.
    pub migrations: usize,
    /// Seeds that are in it.
    pub seeds: Vec<String>,
    /// What was checked before it was entered in the registry.
    pub checks: Vec<CheckResult>,
    /// What the registry says instead of "active".
    pub inactive: Option<String>,
    /// Time the run took.
    pub elapsed_ms: f64,
}

/// Creates a tenant, or goes on with what an earlier run began. `given` are further values for the
/// section's SQL, seeds and migrations.
///
/// # Errors
/// What stands in the way; or what failed, and then everything was taken back.
pub async fn create(
    tenants: &Tenants,
    code: &str,
    given: &BTreeMap<String, String>,
    work: &Work<'_>,
) -> Result<Created, Vec<Problem>> {
    let begun = Instant::now();
    let one = |problem: Box<Problem>| vec![*problem];
    let home = tenants.home_of(code).await.map_err(one)?;
    let found = tenants.claim(code, work).await.map_err(one)?;
    let homes = Homes::open(tenants, code, work).await.map_err(one)?;
    let continued = found.is_some();
    let entry = match found {
        Some(entry) => same(entry, &home, given).map_err(one)?,
        None => begin(tenants, &homes, code, &home, given).await.map_err(one)?,
    };
    let created = Created {
        run_id: entry.run_id.clone(),
        code: code.to_owned(),
        kind: tenants.kind().name(),
        home,
        continued,
        migrations: 0,
        seeds: tenants.how().map_err(one)?.seed.clone(),
        checks: Vec::new(),
        inactive: None,
        elapsed_ms: 0.0,
    };
    let mut making = Making { tenants, homes, entry, work, created };
    if let Err(problems) = making.all_steps().await {
        return Err(making.failed(problems).await);
    }
    making.homes.close().await;
    let elapsed_ms = begun.elapsed().as_secs_f64() * 1000.0;
    Ok(Created { elapsed_ms, ..making.created })
}

/// Takes back what an earlier run of [`create`] did not finish.
///
/// # Errors
/// When there is nothing of the kind, or a server refuses.
pub async fn give_up(
    tenants: &Tenants,
    code: &str,
    work: &Work<'_>,
) -> Result<String, Box<Problem>> {
    let entry = tenants.claim(code, work).await?.filter(|entry| entry.action == Action::Create);
    let Some(mut entry) = entry else {
        let what = format!("no creation of the tenant {code} is under way");
        return Err(Box::new(
            Problem::error(Code::TenantRefused, what)
                .because("none was begun, or it was finished or taken back"),
        ));
    };
    let homes = Homes::open(tenants, code, work).await?;
    homes.drop_own(&entry, true).await?;
    homes.close().await;
    tenants.reached(&mut entry, Step::TakenBack).await?;
    Ok(entry.home)
}

/// What an earlier run began is continued, when it is the same that is asked for.
fn same(entry: Entry, home: &str, given: &BTreeMap<String, String>) -> Result<Entry, Box<Problem>> {
    let other = |why: String| {
        let what = format!(
            "the tenant {} is half {}",
            entry.code,
            match entry.action {
                Action::Create => "created",
                Action::Drop => "dropped",
            }
        );
        Problem::error(Code::TenantUnfinished, what).because(why).detail(format!(
            "begun {}, last step: {}",
            entry.began_at,
            entry.step.name()
        ))
    };
    if entry.action == Action::Drop {
        return Err(Box::new(
            other("it must be gone before it can be created again".to_owned()).fix_with(
                "Finish dropping it.",
                format!("pgfleet tenant drop {} --allow-data-loss", shell_word(&entry.code)),
            ),
        ));
    }
    let changed = given.iter().find(|(name, value)| entry.variables.get(*name) != Some(*value));
    let why = match changed {
        _ if entry.home != home => {
            format!("it was to have {:?}, and would have {home:?} now", entry.home)
        }
        Some((name, _)) => format!("it was begun with another value of {name}"),
        None => return Ok(entry),
    };
    let code = shell_word(&entry.code);
    Err(Box::new(
        other(why)
            .fix("Continue it with the same values.")
            .fix_with("Or take it back.", format!("pgfleet tenant create {code} --take-back")),
    ))
}

/// A word as a shell would have it.
pub(super) fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    match !text.is_empty() && text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

fn taken(code: &str, why: String) -> Box<Problem> {
    let what = format!("the tenant {code} cannot be created");
    Box::new(
        Problem::error(Code::TenantRefused, what)
            .because(why)
            .fix("Choose another code, or look at what is there: pgfleet tenant list"),
    )
}

/// Everything that can be known beforehand is looked at; then the journal says what is begun.
async fn begin(
    tenants: &Tenants,
    homes: &Homes<'_>,
    code: &str,
    home: &str,
    given: &BTreeMap<String, String>,
) -> Result<Entry, Box<Problem>> {
    let fails = |error| tenants.problem(&error);
    tenants.session.batch("BEGIN READ ONLY").await.map_err(fails)?;
    let registered = tenants.registered().await;
    tenants.session.batch("ROLLBACK").await.map_err(fails)?;
    let is_it =
        |one: &&Registered| one.name == code || tenants.home_in(one).as_deref() == Some(home);
    if let Some(one) = registered?.iter().find(is_it) {
        let active = one.inactive.as_ref().map_or_else(String::new, |why| format!(" ({why})"));
        return Err(taken(code, format!("the registry has {}{active} already", one.name)));
    }
    if homes.named(home).await?.is_some() {
        return Err(taken(code, format!("the {} {home} is there already", homes.kind.name())));
    }
    let mut entry = Entry::new(Action::Create, code, home);
    entry.variables.clone_from(given);
    entry.variables.extend(tenants.own_values(code, home));
    tenants.session.batch("BEGIN").await.map_err(fails)?;
    let claimed = claim_with_values(tenants, &mut entry).await;
    if claimed.is_err() {
        // The connection may be gone, and with it the transaction.
        let _ = tenants.session.batch("ROLLBACK").await;
    }
    claimed.map(|()| entry)
}

/// Asks for values in the transaction that claims the code, so that numbers from a sequence are
/// taken once.
async fn claim_with_values(tenants: &Tenants, entry: &mut Entry) -> Result<(), Box<Problem>> {
    let fails = |error| tenants.problem(&error);
    let how = tenants.how()?;
    if let Some(query) = &how.values {
        let sql = of_section("values", query, &entry.variables)?;
        let table = tenants.session.query_table(&sql).await.map_err(fails)?;
        let [row] = table.rows.as_slice() else {
            let what = format!("values under tenant gives {} rows, not one", table.rows.len());
            return Err(Box::new(Problem::error(Code::TenantRefused, what)));
        };
        for (name, value) in table.columns.iter().zip(row) {
            entry.variables.extend(value.clone().map(|value| (name.clone(), value)));
        }
    }
    Scripts::of(tenants, entry)?;
    let insert = format!("{}; COMMIT", entry.insert_sql(&tenants.group));
    tenants.session.batch(&insert).await.map_err(fails)
}

/// The section's SQL for one tenant.
struct Scripts {
    register: String,
    seeds: Vec<(String, String)>,
}

impl Scripts {
    fn of(tenants: &Tenants, entry: &Entry) -> Result<Self, Box<Problem>> {
        let (how, values) = (tenants.how()?, &entry.variables);
        let section = |what: &str, sql: &Option<String>| {
            sql.as_deref().map_or_else(|| Ok(String::new()), |sql| of_section(what, sql, values))
        };
        let register = section("register", &how.register)? + &section("activate", &how.activate)?;
        // Nobody shall find out only later that a tenant cannot be dropped.
        section("unregister", &how.unregister)?;
        let seeds = how.seed.iter().map(|file| {
            let text = read_seed(tenants, file)?;
            Ok((file.clone(), of_seed(file, &text, values)?))
        });
        Ok(Self { register, seeds: seeds.collect::<Result<_, Box<Problem>>>()? })
    }
}

fn read_seed(tenants: &Tenants, file: &str) -> Result<String, Box<Problem>> {
    let bytes = std::fs::read(tenants.project.root.join(file)).map_err(|error| {
        Box::new(
            Problem::error(Code::FileUnreadable, format!("the seed {file} cannot be read"))
                .at(Place::file(file))
                .because(error.to_string()),
        )
    })?;
    let text = pgfleet_sql::decode(&bytes).map_err(|error| {
        Box::new(Problem::error(Code::FileNotText, error.to_string()).at(Place::file(file)))
    })?;
    Ok(text.text)
}

struct Making<'a> {
    tenants: &'a Tenants,
    homes: Homes<'a>,
    entry: Entry,
    work: &'a Work<'a>,
    created: Created,
}

type Outcome = Result<(), Vec<Problem>>;

impl Making<'_> {
    async fn all_steps(&mut self) -> Outcome {
        let one = |problem: Box<Problem>| vec![*problem];
        let scripts = Scripts::of(self.tenants, &self.entry).map_err(one)?;
        if self.entry.step < Step::Made {
            self.make().await.map_err(one)?;
        }
        self.look_after().await.map_err(one)?;
        if self.entry.step < Step::Migrated {
            self.migrate().await?;
            self.reach(Step::Migrated).await?;
        }
        if self.entry.step < Step::Seeded {
            self.seed(&scripts.seeds).await.map_err(one)?;
            self.reach(Step::Seeded).await?;
        }
        if self.entry.step < Step::Verified {
            self.verify().await?;
            self.reach(Step::Verified).await?;
        }
        if self.entry.step < Step::Named {
            self.name().await.map_err(one)?;
        }
        self.register(&scripts.register).await.map_err(one)
    }

    async fn reach(&mut self, step: Step) -> Outcome {
        self.tenants.reached(&mut self.entry, step).await.map_err(|problem| vec![*problem])?;
        self.work.check_stop().map_err(|problem| vec![*problem])
    }

    /// A run that was killed may have made the database and not come to say so.
    async fn make(&mut self) -> Result<(), Box<Problem>> {
        self.work.phase(format!("create {}", self.entry.home));
        if self.homes.own(&self.entry).await?.is_none() {
            self.homes.create(&self.entry, self.tenants.how()?).await?;
        }
        self.entry.oid = self.homes.own(&self.entry).await?.map(|found| found.oid);
        self.tenants.reached(&mut self.entry, Step::Made).await
    }

    /// Somebody may have dropped or renamed it since an earlier run.
    async fn look_after(&self) -> Result<(), Box<Problem>> {
        if self.homes.own(&self.entry).await?.is_some() {
            return Ok(());
        }
        let (kind, Entry { home, private_name, .. }) = (self.homes.kind.name(), &self.entry);
        Err(Box::new(
            Problem::error(
                Code::TenantUnfinished,
                format!("the {kind} that was made is not there any more"),
            )
            .because(format!("there is neither {private_name} nor {home} with its OID")),
        ))
    }

    /// The database under its private name, or the schema, as a target.
    fn target(&self) -> Target {
        let Self { tenants, entry, .. } = self;
        let values = tenants.section.variables.then(|| entry.variables.clone());
        let target = Target {
            name: entry.code.clone(),
            variables: std::sync::Arc::new(values.unwrap_or_default()),
            ..tenants.server.clone()
        };
        match self.homes.kind {
            HomeKind::Database => target.with_database(&entry.private_name),
            HomeKind::Schema => target.with_schema(&entry.home),
        }
    }

    /// Nothing in it can be lost: it is new.
    async fn migrate(&mut self) -> Outcome {
        self.work.phase("migrate");
        let (project, target) = (&self.tenants.project, self.target());
        let folder = project.open_folder().map_err(|problem| vec![*problem])?;
        let mut opened = open(project, &target, folder).await.map_err(|problem| vec![*problem])?;
        let selection = Selection::default();
        let captured = capture_pending(project, &target, &mut opened, &selection).await;
        captured.map_err(|error| error.problems)?;
        let run = Run {
            command: "apply",
            consent: Consent { data_loss: true },
            continue_on_error: false,
            enclosed: None,
            events: self.work.events,
            stop: self.work.stop.clone(),
        };
        let request = ApplyRequest { selection, plan: None, run };
        let outcome = apply(&target, &opened, &request).await;
        opened.session.close().await;
        match outcome.map_err(|error| error.problems)? {
            RunOutcome::Nothing => Ok(()),
            RunOutcome::Ran(report) => self.migrated(&report),
        }
    }

    fn migrated(&mut self, report: &RunReport) -> Outcome {
        if report.complete() {
            self.created.migrations = report.migrations.len();
            return Ok(());
        }
        let errors: Vec<_> = report.problems.iter().filter(|p| p.is_error()).cloned().collect();
        match errors.is_empty() {
            true => Err(vec![Problem::error(Code::Cancelled, "the migrations were stopped")]),
            false => Err(errors),
        }
    }

    /// Each seed in a transaction with its mark. The worker's lock waits for the seed of a run that
    /// was killed.
    async fn seed(&self, seeds: &[(String, String)]) -> Result<(), Box<Problem>> {
        if seeds.is_empty() {
            return Ok(());
        }
        let target = self.target();
        let session = target.connect().await?;
        let wait = LockWait {
            keys: target.lock_keys(),
            deadline_ms: target.settings.apply.lock_wait_ms,
            events: &NoEvents,
            stop: self.work.stop.clone(),
        };
        let locked = lock_worker(&session, &wait).await;
        locked.map_err(|error| crate::conduct::lock_problem(&target, error))?;
        let fails = |error| target.session_problem(&error);
        session.batch(SEEDS).await.map_err(fails)?;
        for (file, sql) in seeds {
            self.work.phase(format!("seed {file}"));
            let key = format!("{}, {}", literal(&self.entry.run_id), literal(file));
            let done = format!("SELECT 1 FROM pgfleet.tenant_seeds WHERE (run_id, seed) = ({key})");
            if !session.query_text(&done).await.map_err(fails)?.is_empty() {
                continue;
            }
            let mark = format!("INSERT INTO pgfleet.tenant_seeds (run_id, seed) VALUES ({key})");
            session.batch(&format!("BEGIN;\n{sql}{mark}; COMMIT")).await.map_err(|error| {
                let problem = *target.session_problem(&error);
                let what = format!("the seed {file} failed: {}", problem.what);
                let cause = error.server().and_then(|server| server.detail.clone());
                let problem = Problem { what, ..problem.at(Place::file(file)) };
                Box::new(cause.into_iter().fold(problem, Problem::because))
            })?;
        }
        session.close().await;
        Ok(())
    }

    async fn verify(&mut self) -> Outcome {
        let checks = &self.tenants.project.settings.checks;
        if checks.is_empty() {
            return Ok(());
        }
        self.work.phase("check");
        let target = self.target();
        let session = target.connect().await.map_err(|problem| vec![*problem])?;
        let variables = &self.tenants.project.settings.variables;
        // Nobody serves the tenant yet.
        let options = verify::Options { probes: false, ..verify::Options::default() };
        let results = verify::run(Some(&session), checks, variables, options).await;
        session.close().await;
        let wrong: Vec<_> = results.iter().filter(|r| r.failed()).map(check_failed).collect();
        self.created.checks = results;
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    /// Nobody else knows the private name, and our own sessions are closed.
    async fn name(&mut self) -> Result<(), Box<Problem>> {
        self.homes.reveal(&self.entry).await?;
        self.tenants.reached(&mut self.entry, Step::Named).await
    }

    async fn register(&mut self, sql: &str) -> Result<(), Box<Problem>> {
        self.work.phase("register");
        let (code, home) = (self.entry.code.clone(), self.entry.home.clone());
        let by_query = self.tenants.has_query();
        let inactive = std::cell::RefCell::new(None);
        let look = |registered: &[Registered]| {
            let is_it = |one: &&Registered| self.tenants.home_in(one).as_deref() == Some(&home);
            let found = registered.iter().find(is_it);
            inactive.replace(found.and_then(|one| one.inactive.clone()));
            match found {
                None if by_query => Err(not_registered(&code, self.homes.kind, &home)),
                _ => Ok(()),
            }
        };
        self.tenants.together(sql, look, &mut self.entry, Step::Done).await?;
        self.created.inactive = inactive.into_inner();
        Ok(())
    }

    /// Takes everything back, and says what failed.
    async fn failed(mut self, problems: Vec<Problem>) -> Vec<Problem> {
        let code = self.entry.code.clone();
        let first = problems.iter().find(|problem| problem.is_error());
        let cause = first.map_or_else(String::new, |problem| problem.what.clone());
        let back = self.take_back().await;
        self.homes.close().await;
        let headline = match back {
            Ok(()) => {
                let what =
                    format!("the tenant {code} was not created; what was done is taken back");
                Problem::error(Code::TenantFailed, what)
                    .because(cause)
                    .fix("Correct what failed, and run the same command again.")
            }
            Err(problem) => {
                let what = format!("the tenant {code} is half created");
                Problem::error(Code::TenantUnfinished, what)
                    .because(cause)
                    .detail(format!("it could not be taken back: {}", problem.what))
                    .fix("Run the same command again to go on.")
                    .fix_with(
                        "Or take it back.",
                        format!("pgfleet tenant create {} --take-back", shell_word(&code)),
                    )
            }
        };
        std::iter::once(headline.in_target(code)).chain(problems).collect()
    }

    /// Only while the registry's session, and with it the lock, is known to be there: when it was lost
    /// at the last step, the tenant may be complete.
    async fn take_back(&mut self) -> Result<(), Box<Problem>> {
        self.tenants.still_holds(&self.entry).await?;
        self.homes.drop_own(&self.entry, true).await?;
        self.tenants.reached(&mut self.entry, Step::TakenBack).await
    }
}

fn not_registered(code: &str, kind: HomeKind, home: &str) -> Box<Problem> {
    let kind = kind.name();
    Box::new(
        Problem::error(
            Code::RegistryInvalid,
            format!("the registry does not name the tenant {code}"),
        )
        .because(format!(
            "after register and activate, the group's query gives no row with the {kind} {home}"
        ))
        .fix("Correct register under tenant, or the group's query."),
    )
}

fn check_failed(result: &CheckResult) -> Problem {
    let what = format!("the check {:?} does not hold", result.name);
    let mut problem = Problem::error(Code::CheckFailed, what)
        .because(format!("expected {}, found {}", result.expected, result.found));
    problem.details.clone_from(&result.details);
    problem
}
