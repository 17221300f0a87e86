//! The role may not: who may, and what to grant.

use pgfleet_sql::{Kind, quote_ident};

use super::explain::Failure;
use super::{Code, Problem};

pub(super) fn explain(failure: &Failure<'_>) -> Problem {
    let message = &failure.error.message;
    let user = &failure.catalog.current_user;
    let problem = failure.say(Code::PermissionDenied);
    if message.contains("must be owner of") {
        return not_owner(problem, failure);
    }
    if let Some(schema) = object_after(message, "permission denied for schema ") {
        return schema_denied(problem, failure, schema);
    }
    if let Some(database) = object_after(message, "permission denied for database ") {
        return problem.because(format!("`{user}` lacks CREATE on the database")).fix_with(
            "as its owner or a superuser",
            format!("GRANT CREATE ON DATABASE {} TO {}", quote_ident(database), quote_ident(user)),
        );
    }
    if message.contains("create extension") {
        return problem
            .because(format!("`{user}` is no superuser, and the extension is not a trusted one"))
            .fix("have an administrator create the extension, or turn it on in the provider's console")
            .detail("a trusted extension (uuid-ossp, pgcrypto, citext …) needs only CREATE on the database");
    }
    relation_denied(problem, failure)
}

fn object_after<'a>(message: &'a str, words: &str) -> Option<&'a str> {
    message.split_once(words).map(|(_, name)| name.trim_matches('"'))
}

fn not_owner(problem: Problem, failure: &Failure<'_>) -> Problem {
    let user = quote_ident(&failure.catalog.current_user);
    let Some(object) = &failure.catalog.existing else {
        return problem
            .because(format!("only the owner of an object may change it, and {user} is not"))
            .fix("connect as the role that created it");
    };
    let owner = quote_ident(&object.owner);
    problem
        .because(format!(
            "{} {} belongs to {owner}, and {user} is neither that role nor a member of it",
            object.kind, object.name
        ))
        .fix_with(
            format!("run the migrations as {owner}, or make {user} a member"),
            format!("GRANT {owner} TO {user}"),
        )
        .fix_with(
            "or hand the object over",
            format!("ALTER {} {} OWNER TO {user}", object.kind.to_uppercase(), object.name),
        )
}

fn schema_denied(problem: Problem, failure: &Failure<'_>, schema: &str) -> Problem {
    let user = &failure.catalog.current_user;
    let privilege = match failure.context.facts.kind {
        Kind::Create => "CREATE",
        _ => "USAGE",
    };
    let problem = match (schema, privilege, failure.catalog.version_num) {
        ("public", "CREATE", 150_000..) => problem.because(format!(
            "since PostgreSQL 15 only the database's owner may create in the schema public, and `{user}` is not"
        )),
        _ => problem.because(format!("`{user}` lacks {privilege} on the schema {schema}")),
    };
    let (schema, user) = (quote_ident(schema), quote_ident(user));
    let problem = match &failure.catalog.existing {
        Some(object) => problem.detail(format!("the schema belongs to {}", object.owner)),
        None => problem,
    };
    problem
        .fix_with(
            "as the schema's owner or a superuser",
            format!("GRANT {privilege} ON SCHEMA {schema} TO {user}"),
        )
        .fix("or run the migrations as the role that owns the schema")
}

fn relation_denied(problem: Problem, failure: &Failure<'_>) -> Problem {
    let user = quote_ident(&failure.catalog.current_user);
    let privilege = needed_privilege(&failure.context.facts.label);
    let problem = problem.because(format!("{user} lacks the privilege for this statement"));
    match &failure.catalog.existing {
        Some(object) => problem
            .detail(format!("{} {} belongs to {}", object.kind, object.name, object.owner))
            .fix_with(
                format!("as {}, its owner, or as a superuser", object.owner),
                format!("GRANT {privilege} ON {} TO {user}", object.name),
            )
            .fix_with(
                "or, when the role is a member of the owner",
                format!("SET ROLE {}", quote_ident(&object.owner)),
            ),
        None => problem.fix("have the object's owner grant it, or run as the owner"),
    }
}

fn needed_privilege(label: &str) -> &'static str {
    match label.split(' ').next().unwrap_or_default() {
        "INSERT" | "COPY" => "INSERT",
        "UPDATE" => "UPDATE",
        "DELETE" => "DELETE",
        "TRUNCATE" => "TRUNCATE",
        "SELECT" => "SELECT",
        _ => "ALL",
    }
}

pub(super) fn row_security(failure: &Failure<'_>) -> Problem {
    let table = failure
        .quoted(usize::from(failure.error.message.contains("policy \"")))
        .unwrap_or_default();
    let table = quote_ident(table);
    let user = quote_ident(&failure.catalog.current_user);
    failure
        .say(Code::RowSecurity)
        .because(format!("a policy of {table} (or its absence) does not let {user} write this row"))
        .fix_with("see the policies", format!("SELECT * FROM pg_policies WHERE tablename = '{}'", table.trim_matches('"').replace('\'', "''")))
        .fix("write the rows as the table's owner without FORCE ROW LEVEL SECURITY, or as a role with BYPASSRLS (Supabase: service_role)")
        .fix_with("or add a policy that allows it", format!("CREATE POLICY … ON {table} FOR INSERT TO {user} WITH CHECK (…)"))
}
