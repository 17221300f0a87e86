//! Drops a tenant: nobody may be connected; its database gets a private name, is backed up, taken
//! out of the registry, and dropped.
//!
//! Invariant: from the first step on nobody can write to the database, so that the backup holds all
//! of it; it is dropped only once the backup has been restored and compared.

use std::collections::BTreeMap;

use pgfleet_core::backup::BackupKind;
use pgfleet_core::config::HomeKind;
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::fleet::Entry as Registered;
use serde::Serialize;

use super::create::shell_word;
use super::home::{Found, Homes};
use super::journal::{Action, Entry, Step};
use super::place::{Tenants, Work};
use super::sql::of_section;
use crate::backup::{ArchiveFormat, BackupRequest, Store, back_up, verify};
use crate::conduct::{Consent, Target};

/// How a tenant is to be dropped.
pub struct Removal<'a> {
    /// What the user allowed.
    pub consent: Consent,
    /// The folder of all backups, in which each tenant has its own.
    pub backups: &'a std::path::Path,
    /// Connections that dump, and as many that sum; at least 1.
    pub jobs: usize,
}

/// A tenant that was dropped.
#[derive(Debug, Clone, Serialize)]
pub struct Removed {
    /// Names the removal in the journal.
    pub run_id: String,
    /// The tenant.
    pub code: String,
    /// What it had for itself: "database" or "schema".
    pub kind: &'static str,
    /// The name of that.
    pub home: String,
    /// The folder of its last backup; none when that was gone before.
    pub backup: Option<String>,
    /// An earlier run had begun it.
    pub continued: bool,
}

/// Drops a tenant, or goes on with what an earlier run began.
///
/// # Errors
/// What stands in the way; or what failed, and then the tenant is as before unless it says otherwise.
pub async fn remove(
    tenants: &Tenants,
    code: &str,
    removal: &Removal<'_>,
    work: &Work<'_>,
) -> Result<Removed, Vec<Problem>> {
    let one = |problem: Box<Problem>| vec![*problem];
    let found = tenants.claim(code, work).await.map_err(one)?;
    let homes = Homes::open(tenants, code, work).await.map_err(one)?;
    let continued = found.is_some();
    let entry = match found {
        Some(entry) if entry.action == Action::Create => return Err(vec![half_created(&entry)]),
        Some(entry) if removal.consent.data_loss => entry,
        Some(entry) => return Err(vec![consent_missing(&entry, homes.kind, None)]),
        None => begin(tenants, &homes, code, removal).await.map_err(one)?,
    };
    let mut removing = Removing { tenants, homes, entry, removal, work };
    if let Err(problem) = removing.all_steps().await {
        return Err(removing.failed(*problem).await);
    }
    let Entry { run_id, home, backup, .. } = removing.entry;
    let kind = removing.homes.kind.name();
    removing.homes.close().await;
    Ok(Removed { run_id, code: code.to_owned(), kind, home, backup, continued })
}

/// Puts a tenant back that a killed run of [`remove`] left, as long as the registry still has it.
///
/// # Errors
/// When there is nothing of the kind, or it is too late.
pub async fn keep(tenants: &Tenants, code: &str, work: &Work<'_>) -> Result<String, Box<Problem>> {
    let entry = tenants.claim(code, work).await?.filter(|entry| entry.action == Action::Drop);
    let Some(mut entry) = entry else {
        let what = format!("nobody began to drop the tenant {code}");
        return Err(Box::new(
            Problem::error(Code::TenantRefused, what)
                .because("it was not begun, or it was finished or taken back"),
        ));
    };
    if entry.step >= Step::Unregistered {
        let what = format!("the tenant {code} is not in the registry any more");
        let backup = entry.backup.as_deref().unwrap_or("none");
        return Err(Box::new(
            Problem::error(Code::TenantUnfinished, what)
                .detail(format!("its backup: {backup}"))
                .fix_with("Finish dropping it.", command(code)),
        ));
    }
    let homes = Homes::open(tenants, code, work).await?;
    put_back(tenants, &homes, &mut entry).await?;
    homes.close().await;
    Ok(entry.home)
}

async fn put_back(
    tenants: &Tenants,
    homes: &Homes<'_>,
    entry: &mut Entry,
) -> Result<(), Box<Problem>> {
    tenants.still_holds(entry).await?;
    let own = homes.own(entry).await?;
    if entry.oid.is_some() && own.is_some_and(|found| found.name == entry.private_name) {
        homes.put_back(entry).await?;
    }
    tenants.reached(entry, Step::TakenBack).await
}

fn command(code: &str) -> String {
    format!("pgfleet tenant drop {} --allow-data-loss", shell_word(code))
}

fn half_created(entry: &Entry) -> Problem {
    let code = shell_word(&entry.code);
    Problem::error(Code::TenantUnfinished, format!("the tenant {} is half created", entry.code))
        .detail(format!("begun {}, last step: {}", entry.began_at, entry.step.name()))
        .fix_with("Take it back.", format!("pgfleet tenant create {code} --take-back"))
        .fix_with("Or finish it first.", format!("pgfleet tenant create {code}"))
}

fn consent_missing(entry: &Entry, kind: HomeKind, bytes: Option<u64>) -> Problem {
    let (code, home, kind) = (&entry.code, &entry.home, kind.name());
    let size = bytes.map(|bytes| format!(" of {} MiB", bytes >> 20)).unwrap_or_default();
    let (what, detail) = match entry.oid {
        Some(_) => (
            format!("dropping the tenant {code} loses its {kind}"),
            format!("the {kind} {home}{size}; it is backed up first"),
        ),
        None => (
            format!("dropping the tenant {code} takes it out of the registry"),
            format!("there is no {kind} {home} to be dropped"),
        ),
    };
    Problem::error(Code::ConsentMissing, what)
        .in_target(code)
        .detail(detail)
        .fix_with("Allow it.", command(code))
}

fn refused(code: &str, why: String) -> Box<Problem> {
    let what = format!("the tenant {code} cannot be dropped");
    Box::new(
        Problem::error(Code::TenantRefused, what)
            .because(why)
            .fix_with("See the tenants.", "pgfleet tenant list"),
    )
}

async fn begin(
    tenants: &Tenants,
    homes: &Homes<'_>,
    code: &str,
    removal: &Removal<'_>,
) -> Result<Entry, Box<Problem>> {
    let home = registered_home(tenants, code).await?;
    let found = homes.named(&home).await?;
    refuse_own_places(tenants, code, &home, found.as_ref())?;
    let mut entry = Entry::new(Action::Drop, code, &home);
    entry.oid = found.as_ref().map(|found| found.oid);
    entry.variables.extend(tenants.own_values(code, &home));
    unregister_sql(tenants, &entry.variables)?;
    if !removal.consent.data_loss {
        let bytes = match &found {
            Some(found) => homes.bytes(&found.name).await.unwrap_or_default(),
            None => None,
        };
        return Err(Box::new(consent_missing(&entry, homes.kind, bytes)));
    }
    match &found {
        Some(found) => {
            homes.refuse_users(code, &home).await?;
            homes.refuse_needed(code, found).await?;
        }
        None if tenants.has_query() => {}
        None => {
            return Err(refused(code, format!("there is no {} {home}", homes.kind.name())));
        }
    }
    let insert = tenants.session.batch(&entry.insert_sql(&tenants.group)).await;
    insert.map_err(|error| tenants.problem(&error))?;
    Ok(entry)
}

fn unregister_sql(
    tenants: &Tenants,
    values: &BTreeMap<String, String>,
) -> Result<String, Box<Problem>> {
    let sql = tenants.how()?.unregister.as_deref();
    sql.map_or_else(|| Ok(String::new()), |sql| of_section("unregister", sql, values))
}

/// The database or schema of a tenant, as the registry has it; by its name where there is no registry.
async fn registered_home(tenants: &Tenants, code: &str) -> Result<String, Box<Problem>> {
    if !tenants.has_query() {
        return tenants.home_of(code).await;
    }
    tenants.how()?;
    let fails = |error| tenants.problem(&error);
    tenants.session.batch("BEGIN READ ONLY").await.map_err(fails)?;
    let registered = tenants.registered().await;
    tenants.session.batch("ROLLBACK").await.map_err(fails)?;
    let registered = registered?;
    let mut named = registered.iter().filter(|one| one.name == code);
    let (Some(one), None) = (named.next(), named.next()) else {
        return Err(refused(code, "the registry has no such tenant, or several".to_owned()));
    };
    let kind = tenants.kind();
    if one.schema.is_some() && kind == HomeKind::Database {
        return Err(refused(code, "it is a schema, not a database".to_owned()));
    }
    let Some(home) = tenants.home_in(one) else {
        let why = match kind {
            HomeKind::Database => "the registry names no database of the group's server",
            HomeKind::Schema => "the registry names no schema of the group's database",
        };
        return Err(refused(code, why.to_owned()));
    };
    let shares = |other: &&Registered| {
        other.name != code && tenants.home_in(other).as_deref() == Some(&home)
    };
    match registered.iter().find(shares) {
        Some(other) => Err(refused(code, format!("{} has the same {}", other.name, kind.name()))),
        None => Ok(home),
    }
}

/// A registry that is wrong must not cost more than a tenant.
fn refuse_own_places(
    tenants: &Tenants,
    code: &str,
    home: &str,
    found: Option<&Found>,
) -> Result<(), Box<Problem>> {
    let (how, kind) = (tenants.how()?, tenants.kind());
    let ours = [&tenants.registry.spec.database, &tenants.server.spec.database];
    let is_database = kind == HomeKind::Database;
    let why = match found {
        _ if is_database && ours.into_iter().any(|own| own == home) => {
            "it is where the tenants are kept"
        }
        _ if how.template.as_deref() == Some(home) => "tenants are copied from it",
        Some(found) if found.is_template => "it is a template",
        _ if how.is_servers_own(home) => "it is the server's own",
        _ => return Ok(()),
    };
    Err(refused(code, format!("its {} is {home}, and {why}", kind.name())))
}

struct Removing<'a> {
    tenants: &'a Tenants,
    homes: Homes<'a>,
    entry: Entry,
    removal: &'a Removal<'a>,
    work: &'a Work<'a>,
}

impl Removing<'_> {
    async fn all_steps(&mut self) -> Result<(), Box<Problem>> {
        let is_there = self.entry.oid.is_some();
        if self.entry.step < Step::Fenced && is_there {
            self.fence().await?;
        }
        if self.entry.step < Step::BackedUp && is_there {
            self.back_up().await?;
            self.tenants.reached(&mut self.entry, Step::BackedUp).await?;
            self.work.check_stop()?;
        }
        if self.entry.step < Step::Unregistered {
            self.unregister().await?;
        }
        self.tenants.still_holds(&self.entry).await?;
        if is_there {
            self.work.phase(format!("drop {}", self.entry.home));
            self.homes.drop_own(&self.entry, false).await?;
        }
        self.tenants.reached(&mut self.entry, Step::Done).await
    }

    /// Nobody finds the database or schema by its name from here on.
    async fn fence(&mut self) -> Result<(), Box<Problem>> {
        let (kind, Entry { home, code, .. }) = (self.homes.kind.name(), &self.entry);
        match self.homes.own(&self.entry).await? {
            Some(found) if found.name == *home => self.homes.hide(&self.entry).await?,
            Some(_) => {}
            None => return Err(refused(code, format!("{home} is not the {kind} that it was"))),
        }
        self.tenants.reached(&mut self.entry, Step::Fenced).await
    }

    async fn back_up(&mut self) -> Result<(), Box<Problem>> {
        self.work.phase("back up");
        // What a schema's tables refer to may be elsewhere in the database: all of it is restored.
        let like = match self.homes.kind {
            HomeKind::Database => self.tenants.server.with_database(&self.entry.private_name),
            HomeKind::Schema => self.tenants.server.clone(),
        };
        let target = Target { name: self.entry.code.clone(), ..like };
        let store = Store::of(self.removal.backups, &target);
        store.sweep()?;
        let request = BackupRequest {
            kind: BackupKind::Full,
            format: ArchiveFormat::Directory,
            jobs: self.removal.jobs,
            name: None,
            globals: false,
            role_passwords: false,
            check_space: true,
        };
        let note = |line: &str| self.work.phase(line);
        let backup = back_up(&target, &store, &request, &note).await?;
        let (project, jobs) = (&self.tenants.project, self.removal.jobs);
        let verification = verify(project, &target, &backup, jobs, &note).await?;
        if let Some(first) = verification.differences.first() {
            let what = format!("what was restored from {} is not what was backed up", backup.id);
            return Err(Box::new(Problem::error(Code::BackupDiffers, what).because(format!(
                "{}: expected {}, found {}",
                first.of, first.expected, first.found
            ))));
        }
        self.entry.backup = Some(backup.path.display().to_string());
        Ok(())
    }

    async fn unregister(&mut self) -> Result<(), Box<Problem>> {
        self.work.phase("unregister");
        let sql = unregister_sql(self.tenants, &self.entry.variables)?;
        let (code, tenants) = (self.entry.code.clone(), self.tenants);
        let look = |registered: &[Registered]| {
            let still = |one: &&Registered| one.name == code && one.inactive.is_none();
            if !registered.iter().any(|one| still(&one)) {
                return Ok(());
            }
            let what = format!("the registry still has the tenant {code} as active");
            Err(Box::new(
                Problem::error(Code::RegistryInvalid, what)
                    .because("the group's query gives it after unregister")
                    .fix("Correct unregister under tenant."),
            ))
        };
        tenants.together(&sql, look, &mut self.entry, Step::Unregistered).await
    }

    /// Before the registry let go of it, the tenant gets back what it had.
    async fn failed(mut self, problem: Problem) -> Vec<Problem> {
        let code = self.entry.code.clone();
        if self.entry.step >= Step::Unregistered {
            let backup = self.entry.backup.as_deref().unwrap_or("none");
            let what = format!("the tenant {code} is half dropped");
            let headline = Problem::error(Code::TenantUnfinished, what)
                .in_target(&code)
                .detail(format!("the registry does not have it any more; its backup: {backup}"))
                .fix_with("Run the same command again.", command(&code));
            return vec![headline, problem];
        }
        let back = put_back(self.tenants, &self.homes, &mut self.entry).await;
        self.homes.close().await;
        match back {
            // What is refused is not tried, and says all there is to say.
            Ok(()) if matches!(problem.code, Code::TenantInUse | Code::TenantRefused) => {
                vec![problem]
            }
            Ok(()) => {
                let what = format!("the tenant {code} was not dropped, and is as before");
                let headline = Problem::error(Code::TenantFailed, what).in_target(&code);
                vec![headline.because(problem.what.clone()), problem]
            }
            Err(other) => {
                let what = format!("the tenant {code} is half dropped");
                let headline = Problem::error(Code::TenantUnfinished, what)
                    .in_target(&code)
                    .detail(format!("it could not be put back: {}", other.what))
                    .fix_with("Go on.", command(&code))
                    .fix_with("Or put it back.", format!("{} --take-back", command(&code)));
                vec![headline, problem]
            }
        }
    }
}
