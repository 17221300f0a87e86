//! The object is not there: misspelt, elsewhere, later in the folder, or an extension's.

use super::closest::close_names;
use super::explain::Failure;
use super::facts::{Gone, own_name};
use super::{Code, Problem, closest_name};

pub(super) fn explain(failure: &Failure<'_>) -> Problem {
    let name = missing_name(failure);
    let problem = failure.say(Code::ObjectMissing);
    if let Some(problem) = platform(problem.clone(), &name) {
        return problem;
    }
    if let Some(extension) = extension_of(failure, &name) {
        return extension_needed(failure, &name, extension);
    }
    if let Some(gone) = failure.gone(&name) {
        return taken_away(problem, gone);
    }
    if let Some(later) = failure.creators_of(&name).find(|c| c.later) {
        return problem
            .because(format!("`{name}` is created later, by {}", later.label))
            .fix(format!("move the statement into a migration after {}", later.label));
    }
    if let Some(lost) = failure.creators_of(&name).find(|c| c.applied && !c.later) {
        let resolve = format!("pgfleet resolve --rolled-back {}", lost.version);
        return problem
            .because(format!(
                "{} creates it and the history has that migration, but it is not there: it was \
                 dropped or never really created",
                lost.label
            ))
            .fix_with("have that migration run again", resolve);
    }
    near(problem, failure, &name)
}

fn taken_away(problem: Problem, gone: &Gone) -> Problem {
    let Gone { object, label, .. } = gone;
    match &gone.new_name {
        Some(new) => problem
            .because(format!("{label} renames `{object}` to `{new}`"))
            .fix_with("write the new name", pgfleet_sql::quote_ident(new)),
        None => problem
            .because(format!("{label} drops `{object}`"))
            .fix("leave it out here, or drop it in a later migration"),
    }
}

fn missing_name(failure: &Failure<'_>) -> String {
    if let Some(name) = failure.quoted(0) {
        return name.to_owned();
    }
    // `function auth.uid() does not exist`, `column a.b does not exist`
    let message = &failure.error.message;
    let word = message.split_whitespace().nth(1).unwrap_or_default();
    word.split('(').next().unwrap_or_default().to_owned()
}

/// What Supabase's platform supplies and an ordinary server lacks.
fn platform(problem: Problem, name: &str) -> Option<Problem> {
    let supplied = ["auth", "storage", "realtime", "vault", "graphql_public"];
    let roles = ["anon", "authenticated", "service_role", "supabase_admin"];
    let schema = name.split('.').next().unwrap_or_default();
    if !(supplied.contains(&schema) || roles.contains(&name)) {
        return None;
    }
    Some(
        problem
            .because(format!(
                "`{name}` is supplied by the Supabase platform, which this server is not"
            ))
            .fix_with("on a scratch or plain server, supply it", "pgfleet --environment supabase …")
            .fix("or connect to the Supabase project's database"),
    )
}

/// Functions, types and operators of the extensions that people use most, by name.
const PROVIDED: &[(&str, &str)] = &[
    ("uuid_generate_v1", "uuid-ossp"),
    ("uuid_generate_v1mc", "uuid-ossp"),
    ("uuid_generate_v4", "uuid-ossp"),
    ("uuid_generate_v5", "uuid-ossp"),
    ("uuid_nil", "uuid-ossp"),
    ("gen_random_bytes", "pgcrypto"),
    ("crypt", "pgcrypto"),
    ("gen_salt", "pgcrypto"),
    ("digest", "pgcrypto"),
    ("hmac", "pgcrypto"),
    ("pgp_sym_encrypt", "pgcrypto"),
    ("pgp_sym_decrypt", "pgcrypto"),
    ("citext", "citext"),
    ("hstore", "hstore"),
    ("ltree", "ltree"),
    ("cube", "cube"),
    ("vector", "vector"),
    ("halfvec", "vector"),
    ("vector_cosine_ops", "vector"),
    ("vector_l2_ops", "vector"),
    ("geometry", "postgis"),
    ("geography", "postgis"),
    ("st_makepoint", "postgis"),
    ("st_setsrid", "postgis"),
    ("st_distance", "postgis"),
    ("unaccent", "unaccent"),
    ("similarity", "pg_trgm"),
    ("word_similarity", "pg_trgm"),
    ("gin_trgm_ops", "pg_trgm"),
    ("gist_trgm_ops", "pg_trgm"),
    ("crosstab", "tablefunc"),
    ("levenshtein", "fuzzystrmatch"),
    ("soundex", "fuzzystrmatch"),
    ("earth_distance", "earthdistance"),
    ("pg_stat_statements", "pg_stat_statements"),
    ("dblink", "dblink"),
    ("create_hypertable", "timescaledb"),
];

fn extension_of(failure: &Failure<'_>, name: &str) -> Option<&'static str> {
    if failure.error.is("42703") || failure.error.is("3F000") {
        return None;
    }
    let own = own_name(name).to_ascii_lowercase();
    // An index on an ordinary type with GiST's btree operators.
    if failure.error.message.contains("access method \"gist\"") {
        return Some("btree_gist");
    }
    PROVIDED.iter().find(|(provided, _)| *provided == own).map(|(_, extension)| *extension)
}

fn extension_needed(failure: &Failure<'_>, name: &str, extension: &str) -> Problem {
    let create = format!("CREATE EXTENSION IF NOT EXISTS {}", pgfleet_sql::quote_ident(extension));
    let known = &failure.catalog.extensions;
    if !known.is_empty() && !known.iter().any(|available| available == extension) {
        return not_installable(failure.say(Code::ExtensionMissing), extension);
    }
    let problem = failure
        .say(Code::ObjectMissing)
        .because(format!("`{name}` comes with the extension {extension}, which is not in reach"));
    let problem = match failure.catalog.elsewhere.first() {
        Some(schema) => problem.fix_with(
            format!("it is in the schema {schema}: put that on the path"),
            format!(
                "SET search_path TO {}, {}",
                failure.catalog.search_path,
                pgfleet_sql::quote_ident(schema)
            ),
        ),
        None => problem.fix_with("create it in an earlier migration", create),
    };
    match extension {
        "uuid-ossp" => {
            problem.fix("or use gen_random_uuid(), which PostgreSQL has had since version 13")
        }
        _ => problem,
    }
}

/// `extension "x" is not available` and `could not open extension control file`.
pub(super) fn extension_unavailable(failure: &Failure<'_>) -> Problem {
    let in_path = failure.error.message.rsplit('/').next().unwrap_or_default();
    let name = match in_path.split('.').next() {
        Some(file) if failure.error.message.contains(".control") => file,
        _ => failure.quoted(0).unwrap_or_default(),
    };
    let close = closest_name(name, failure.catalog.extensions.iter().map(String::as_str));
    let problem = failure.say(Code::ExtensionMissing);
    match close {
        Some(close) => problem
            .because(format!("the server has no extension `{name}`, but one called `{close}`"))
            .fix_with(
                "name that one",
                format!("CREATE EXTENSION {}", pgfleet_sql::quote_ident(close)),
            ),
        None => not_installable(problem, name),
    }
}

fn not_installable(problem: Problem, extension: &str) -> Problem {
    let package = match extension {
        "vector" => "postgresql-NN-pgvector".to_owned(),
        "postgis" => "postgresql-NN-postgis-3".to_owned(),
        "timescaledb" => "TimescaleDB's own package".to_owned(),
        other => {
            format!("the package that holds {other} (postgresql-contrib, or postgresql-NN-{other})")
        }
    };
    problem
        .because(format!("the files of the extension {extension} are not on the server's machine"))
        .fix(format!("install {package} there (NN is the server's major version)"))
        .fix("on a hosted server, turn the extension on in its console, if it is offered")
}

fn near(problem: Problem, failure: &Failure<'_>, name: &str) -> Problem {
    let catalog = failure.catalog;
    let path = &catalog.search_path;
    if let Some(schema) = catalog.elsewhere.first() {
        let full = format!(
            "{}.{}",
            pgfleet_sql::quote_ident(schema),
            pgfleet_sql::quote_ident(own_name(name))
        );
        return problem
            .because(format!(
                "`{name}` is in the schema {}, which is not on the path ({path})",
                catalog.elsewhere.join(", ")
            ))
            .fix_with("name the schema", full)
            .fix("or add the schema to search_path");
    }
    let own = own_name(name);
    let close = close_names(own, catalog.similar.iter().map(String::as_str));
    let others = close.get(1..6.min(close.len())).unwrap_or_default().join(", ");
    let close = close.first().copied();
    let problem = match close {
        Some(close) if close.to_lowercase() == own.to_lowercase() => problem
            .because(format!("there is `{close}`: unquoted names are folded to lower case, quoted ones are not"))
            .fix_with("write it as it was created", pgfleet_sql::quote_ident(close)),
        Some(close) => problem
            .because(format!("there is no `{name}`, but `{close}`"))
            .fix_with("if that was meant, write", pgfleet_sql::quote_ident(close)),
        None => problem
            .because(format!("nothing of this name is on the path ({path}) or anywhere else in the database, and no migration of the folder creates it"))
            .fix("create it in an earlier migration, or correct the name"),
    };
    match others.is_empty() {
        true => problem,
        false => problem.detail(format!("names like it: {others}")),
    }
}
