//! What is particular about Supabase's hosts: the API's address, the direct host with its IPv6
//! address only, and the pooler with its two ports.
//!
//! Source: Supabase's page "Connect to your database": direct `db.REF.supabase.co:5432` (IPv6),
//! pooler `…pooler.supabase.com` with 5432 for session mode and 6543 for transaction mode, whose
//! user is `postgres.REF`.

use pgfleet_core::diagnose::Problem;

use super::spec::Endpoint;

/// The port on which every Supabase pooler works in transaction mode.
pub(super) const TRANSACTION_PORT: u16 = 6543;

/// True for hosts of Supabase's databases and poolers.
pub(super) fn is_host(host: &str) -> bool {
    host.ends_with(".supabase.co") || host.ends_with(".supabase.com")
}

/// The project of a direct host.
fn direct_project(host: &str) -> Option<&str> {
    host.strip_prefix("db.")?.strip_suffix(".supabase.co")
}

/// Gives the cause for an unreachable host, with what Supabase's hosts are known for.
pub(super) fn advise_unreachable(
    problem: Problem,
    endpoint: &Endpoint,
    otherwise: impl FnOnce() -> String,
) -> Problem {
    let host = endpoint.name().unwrap_or_default();
    match direct_project(host) {
        Some(project) => problem
            .because(
                "Supabase's direct host has an IPv6 address only, and a paused project does not \
                 answer at all",
            )
            .fix_with(
                "take the Session pooler's connection string, which works over IPv4",
                format!("postgres://postgres.{project}:PASSWORD@aws-0-REGION.pooler.supabase.com:5432/postgres"),
            )
            .fix_with(
                "see in the dashboard whether the project is paused, and restore it",
                format!("https://supabase.com/dashboard/project/{project}"),
            ),
        None => problem.because(otherwise()),
    }
}

/// What to say about a Supabase name that does not resolve.
pub(super) fn advise_name(problem: Problem, host: &str) -> Option<Problem> {
    let session_pooler = |project: &str| {
        format!(
            "postgres://postgres.{project}:PASSWORD@aws-0-REGION.pooler.supabase.com:5432/postgres"
        )
    };
    if let Some(project) = direct_project(host) {
        return Some(
            problem
                .because(
                    "Supabase's direct host has an IPv6 address only, and none at all while the \
                     project is paused or when it does not exist",
                )
                .fix_with("take the Session pooler's connection string", session_pooler(project))
                .fix("see in the dashboard whether the project is paused, and restore it"),
        );
    }
    let project = host.strip_suffix(".supabase.co").filter(|name| !name.contains('.'))?;
    Some(problem.because("this is the name of the Supabase API, not of its database").fix_with(
        "take the connection string from the dashboard (Connect)",
        session_pooler(project),
    ))
}
