//! Proves a backup: restores it into a scratch database and compares everything.

use pgfleet_core::backup::{Difference, Locale, MANIFEST_VERSION, Manifest, Verification};
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_sql::quote_ident;

use super::Notes;
use super::refill::{check_files, create_database_sql, differences, missing_roles, refill};
use super::store::{StoredBackup, manifest_sha256};
use crate::conduct::Target;
use crate::project::Project;
use crate::scratch::Scratch;

/// Restores a backup into a scratch database, compares, and records the outcome beside it.
///
/// # Errors
/// When files are damaged, no scratch database can be made, or the restore itself fails. A backup
/// that differs is no error here: see [`Verification::differences`].
pub async fn verify(
    project: &Project,
    target: &Target,
    backup: &StoredBackup,
    jobs: usize,
    notes: Notes<'_>,
) -> Result<Verification, Box<Problem>> {
    notes(&format!("checking the files of {}", backup.id));
    check_files(backup)?;
    let manifest = backup.manifest()?;
    let create = |name: &str, version: u32| {
        // Where the scratch server has not the locale, its own will do: nothing compared here
        // depends on the order of text.
        let plain = Locale { collate: "C".into(), ctype: "C".into(), ..manifest.locale.clone() };
        let plain = Locale { provider: "c".into(), locale: None, ..plain };
        vec![
            create_database_sql(name, &manifest.locale, version),
            create_database_sql(name, &plain, version),
        ]
    };
    let scratch = Scratch::create_as(project, target, create).await?;
    let (version, compared) = compare_in(&scratch, target, backup, manifest, jobs, notes).await;
    scratch.drop().await?;
    let verification = Verification {
        version: MANIFEST_VERSION,
        manifest_sha256: manifest_sha256(&backup.path),
        verified_at: jiff::Timestamp::now().to_string(),
        server_version_num: version,
        differences: compared?,
    };
    backup.record(&verification)?;
    Ok(verification)
}

async fn compare_in(
    scratch: &Scratch,
    target: &Target,
    backup: &StoredBackup,
    manifest: &Manifest,
    jobs: usize,
    notes: Notes<'_>,
) -> (u32, Result<Vec<Difference>, Box<Problem>>) {
    let copy = scratch.target(target);
    let version = match provide_roles(&copy, manifest, scratch.is_own_server()).await {
        Ok(version) => version,
        Err(problem) => return (0, Err(problem)),
    };
    notes("restoring into a scratch database");
    if let Err(problem) = refill(&copy, backup, jobs, false).await {
        return (version, Err(problem));
    }
    notes("comparing structure, counts and checksums");
    (version, differences(&copy, manifest, jobs).await)
}

/// Roles that objects belong to: made on a server of our own, demanded on another's.
async fn provide_roles(
    copy: &Target,
    manifest: &Manifest,
    own_server: bool,
) -> Result<u32, Box<Problem>> {
    let session = copy.connect().await?;
    let missing = missing_roles(copy, &session, manifest).await?;
    if !missing.is_empty() && !own_server {
        return Err(Box::new(roles_missing(copy, &missing)));
    }
    for role in &missing {
        let made = session.batch(&format!("CREATE ROLE {} NOLOGIN", quote_ident(role))).await;
        made.map_err(|error| copy.session_problem(&error))?;
    }
    let version = session.server_version_num();
    session.close().await;
    Ok(version)
}

pub(super) fn roles_missing(on: &Target, missing: &[String]) -> Problem {
    let create: Vec<_> =
        missing.iter().map(|role| format!("CREATE ROLE {} NOLOGIN;", quote_ident(role))).collect();
    Problem::error(
        Code::RolesMissing,
        format!("the server lacks roles that the backup needs: {}", missing.join(", ")),
    )
    .in_target(&on.name)
    .because("objects in it belong to them, or they were granted something")
    .fix_with("Make them there; globals.sql in the backup says what they may.", create.join(" "))
}
