//! `tenantize`: reads what a database has of the declared tenant column, asks its rows what only they
//! can tell, and proves the change and its way back on a scratch copy.
//!
//! Invariant: the target is read and never changed.

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::filled::substitute;
use pgfleet_core::schema::diff::compare;
use pgfleet_core::schema::{Kind, Schema};
use pgfleet_core::tenancy::{
    Absent, Question, Tenancy, TenancyPlan, Variant, checks, down_statements, plan, signature_sql,
    up_statements,
};
use pgfleet_core::{
    config::{Settings, Variables},
    history::Verdict,
};
use pgfleet_sql::QualifiedName;

use crate::catalog::{CatalogError, read_schema};
use crate::conduct::{ChangeError, Opened, Target};
use crate::connect::Session;
use crate::journal::literal;
use crate::project::Project;
use crate::scratch::Scratch;

/// How long a question to the rows may take.
const QUESTION_TIMEOUT_MS: u64 = 600_000;

/// A proven change.
#[derive(Debug)]
pub struct Tenantized {
    /// What each table has and needs.
    pub plan: TenancyPlan,
    /// The way forth, without semicolons.
    pub up: Vec<String>,
    /// The way back, without semicolons.
    pub down: Vec<String>,
    /// `[[check]]` tables.
    pub checks: String,
}

/// What is declared, with the type as this server writes it.
///
/// # Errors
/// When nothing is declared, or it cannot be meant.
pub async fn declared(
    settings: &Settings,
    target: &Target,
    session: &Session,
) -> Result<Tenancy, ChangeError> {
    let Some(section) = &settings.tenancy else { return Err(vec![undeclared()].into()) };
    let mut tenancy = section.read(settings.schema.as_deref().unwrap_or("public"))?;
    let sql = format!(
        "SELECT pg_catalog.format_type(pg_catalog.to_regtype({}), NULL) ",
        literal(&tenancy.type_name)
    );
    let rows = session.query_text(&sql).await.map_err(|error| target.session_problem(&error))?;
    let known = rows.into_iter().next().and_then(|row| row.into_iter().next()).flatten();
    match known.filter(|name| name != "-" && name != "???") {
        Some(name) => tenancy.type_name = name,
        None => {
            let what = format!("[tenancy]: there is no type {}", tenancy.type_name);
            return Err(
                vec![Problem::error(Code::TenancyInvalid, what).in_target(&target.name)].into()
            );
        }
    }
    Ok(tenancy)
}

/// The declared tables that a target has; all of them, unless some may be left out.
///
/// # Errors
/// When the connection is lost.
pub async fn tables_there(
    target: &Target,
    session: &Session,
    tenancy: &Tenancy,
) -> Result<Vec<QualifiedName>, Box<Problem>> {
    let mut tables: Vec<_> = tenancy.tables.iter().map(|table| table.name.clone()).collect();
    if tenancy.absent == Absent::Refuse {
        return Ok(tables);
    }
    let names: Vec<_> = tables.iter().map(|name| literal(&name.to_string())).collect();
    let sql = format!(
        "SELECT pg_catalog.to_regclass(n) IS NOT NULL FROM pg_catalog.unnest(ARRAY[{}]::text[]) \
         WITH ORDINALITY AS t (n, at) ORDER BY at",
        names.join(", ")
    );
    let rows = session.query_text(&sql).await.map_err(|error| target.session_problem(&error))?;
    let mut there =
        rows.into_iter().map(|row| row.first().is_some_and(|v| v.as_deref() == Some("t")));
    tables.retain(|_| there.next().unwrap_or(false));
    Ok(tables)
}

/// Plans the tenant column for a target, and proves the plan on a scratch copy.
///
/// # Errors
/// Everything that stands in the way, in the schema and in the rows.
pub async fn tenantize(
    project: &Project,
    target: &Target,
    opened: &Opened,
) -> Result<Tenantized, ChangeError> {
    let (tenancy, plan) = planned(project, target, opened).await?;
    let (up, down) = (up_statements(&plan), down_statements(&plan));
    if !plan.is_empty() {
        prove(project, target, opened, &tenancy, &up, &down).await?;
    }
    let checks = checks(&tenancy, plan.tables.iter().map(|table| &table.table));
    Ok(Tenantized { plan, up, down, checks })
}

/// What is declared, as this server writes types, and what the target's tables have and need; the rows
/// were asked too.
async fn planned(
    project: &Project,
    target: &Target,
    opened: &Opened,
) -> Result<(Tenancy, TenancyPlan), ChangeError> {
    refuse_pending(target, opened)?;
    let session = &opened.session;
    let tenancy = declared(&project.settings, target, session).await?;
    let schema = read(target, session).await?;
    let in_target = |problems: Vec<Problem>| -> ChangeError {
        problems.into_iter().map(|p| p.in_target(&target.name)).collect::<Vec<_>>().into()
    };
    let plan = plan(&tenancy, &schema).map_err(in_target)?;
    let standing = ask(target, opened, &plan.questions).await?;
    if !standing.is_empty() {
        return Err(in_target(standing));
    }
    Ok((tenancy, plan))
}

/// What one database needs, and the state that it is in.
#[derive(Debug)]
pub struct Needs {
    /// What is declared, as this server writes types.
    pub tenancy: Tenancy,
    /// What each table has and needs.
    pub plan: TenancyPlan,
    /// Equal in databases that are alike.
    pub signature: String,
}

/// Plans the tenant column for a target of many, and proves the plan on a scratch copy unless one that is
/// equal was proven already.
///
/// # Errors
/// Everything that stands in the way, in the schema and in the rows.
pub async fn needs(
    project: &Project,
    target: &Target,
    opened: &Opened,
    proven: &[Variant],
) -> Result<Needs, ChangeError> {
    let session = &opened.session;
    let (tenancy, plan) = planned(project, target, opened).await?;
    let up = up_statements(&plan);
    if !plan.is_empty() && !proven.iter().any(|one| up_statements(&one.plan) == up) {
        prove(project, target, opened, &tenancy, &up, &down_statements(&plan)).await?;
    }
    let sql = format!(
        "BEGIN READ ONLY; SET LOCAL search_path = pg_catalog; {}; COMMIT",
        signature_sql(&tenancy)
    );
    let rows = session.query_text(&sql).await.map_err(|error| target.session_problem(&error))?;
    let signature = rows.into_iter().flatten().flatten().next().unwrap_or_default();
    Ok(Needs { tenancy, plan, signature })
}

/// Puts a database among those that need the same.
pub fn add_variant(variants: &mut Vec<Variant>, needs: &Needs, target: &str) {
    let up = up_statements(&needs.plan);
    match variants.iter_mut().find(|one| up_statements(&one.plan) == up) {
        Some(variant) => {
            variant.targets.push(target.to_owned());
            if !variant.signatures.contains(&needs.signature) {
                variant.signatures.push(needs.signature.clone());
            }
        }
        None => variants.push(Variant {
            signatures: vec![needs.signature.clone()],
            plan: needs.plan.clone(),
            targets: vec![target.to_owned()],
        }),
    }
}

/// The migration will be the last; what comes before it must be there.
fn refuse_pending(target: &Target, opened: &Opened) -> Result<(), Box<Problem>> {
    let waits =
        |verdict| matches!(verdict, Verdict::Pending | Verdict::OutOfOrder | Verdict::Failed);
    let Some(first) = opened.statuses.iter().find(|status| waits(status.verdict)) else {
        return Ok(());
    };
    let what = format!("{} is not applied yet", first.version);
    Err(Box::new(
        Problem::error(Code::MigrationsPending, what)
            .in_target(&target.name)
            .because("the tenant column is planned on what all migrations leave")
            .fix_with("Apply them first.", "pgfleet apply")
            .fix("Or remove the files of one that was taken back and is to be written anew."),
    ))
}

async fn ask(
    target: &Target,
    opened: &Opened,
    questions: &[Question],
) -> Result<Vec<Problem>, Box<Problem>> {
    let (session, mut standing) = (&opened.session, Vec::new());
    for question in questions {
        let sql = match filled(&question.sql, &opened.variables) {
            Ok(sql) => sql,
            Err(problem) => {
                standing.push(*problem);
                break;
            }
        };
        let sql = format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL row_security = off; \
             SET LOCAL statement_timeout = {QUESTION_TIMEOUT_MS}; {sql}; COMMIT"
        );
        match session.query_text(&sql).await {
            Ok(rows) => standing.extend(rows.first().and_then(|row| answer(question, row))),
            Err(error) if error.is_lost() => return Err(target.session_problem(&error)),
            Err(error) => {
                session.batch("ROLLBACK").await.map_err(|error| target.session_problem(&error))?;
                let what = format!("it cannot be told whether {}", question.means);
                let problem = Problem::error(Code::TenancyRefused, what).because(error.to_string());
                standing.push(problem.fix(question.fix.clone()));
            }
        }
    }
    Ok(standing)
}

/// The migration would say `:'name'` for nothing.
fn no_value(why: &str) -> Problem {
    Problem::error(Code::TenancyRefused, format!("[tenancy]: {why}"))
        .because("the tenant of rows is declared as a variable of the target")
        .fix("Give the group variables = true and its registry a column of that name, without NULLs; or declare a constant.")
}

fn answer(question: &Question, row: &[Option<String>]) -> Option<Problem> {
    let count: u64 = row.first()?.as_deref()?.parse().ok()?;
    let what = format!("{count} {}", question.means);
    let mut problem = Problem::error(Code::TenancyRefused, what).fix(question.fix.clone());
    if let Some(Some(examples)) = row.get(1) {
        problem = problem.detail(format!("for example {examples}"));
    }
    (count > 0).then_some(problem)
}

/// On a copy of the structure: forth, after which nothing is left to do; back, after which it is as
/// before.
async fn prove(
    project: &Project,
    target: &Target,
    opened: &Opened,
    tenancy: &Tenancy,
    up: &[String],
    down: &[String],
) -> Result<(), ChangeError> {
    let scratch = Scratch::create(project, target).await?;
    let copied = scratch.copy_from(target, opened).await;
    let proven = match copied {
        Ok(_) => prove_on(&scratch.target(target), tenancy, up, down).await,
        Err(problem) => Err(problem.into()),
    };
    scratch.drop().await?;
    proven
}

async fn prove_on(
    copy: &Target,
    tenancy: &Tenancy,
    up: &[String],
    down: &[String],
) -> Result<(), ChangeError> {
    let session = copy.connect().await?;
    let before = read(copy, &session).await?;
    run(copy, &session, up).await?;
    let after = read(copy, &session).await?;
    let rest = plan(tenancy, &after)?;
    if !rest.is_empty() {
        let what = "the change leaves something to do on a scratch copy";
        let problem = Problem::error(Code::ChangeUnproven, what);
        let left = up_statements(&rest).into_iter().take(5);
        return Err(vec![left.fold(problem, Problem::detail)].into());
    }
    // A key, policy or trigger may get other columns, and is there by its name.
    if let Some(lost) = before.objects.iter().find(|object| after.get(&object.id).is_none()) {
        let what = format!("the change loses {} on a scratch copy", lost.id);
        return Err(vec![Problem::error(Code::ChangeUnproven, what)].into());
    }
    run(copy, &session, down).await?;
    let back = read(copy, &session).await?;
    session.close().await;
    let rest = compare(&back, &before).statements();
    if rest.is_empty() {
        return Ok(());
    }
    let problem = Problem::error(Code::ChangeUnproven, "the way back does not lead back");
    let first = rest.into_iter().take(5).map(|statement| statement.sql);
    Err(vec![first.fold(problem, Problem::detail)].into())
}

/// Runs statements as the migration will run them.
async fn run(copy: &Target, session: &Session, statements: &[String]) -> Result<(), ChangeError> {
    let mut open: Vec<&str> = Vec::new();
    let mut inside = false;
    // The copy has no grants, and its server may not have the roles.
    for statement in statements.iter().filter(|statement| !statement.starts_with("GRANT ")) {
        inside = (inside || ends_with_word(statement, "BEGIN")) && statement != "COMMIT";
        open.push(statement);
        if inside {
            continue;
        }
        let sql = filled(&open.join(";\n"), &copy.variables)?;
        open.clear();
        if let Some(error) = session.run_batch(&sql).await.error {
            let problem =
                Problem::error(Code::ChangeUnproven, "a statement fails on a scratch copy");
            return Err(vec![problem.because(error.to_string()).detail(sql)].into());
        }
    }
    Ok(())
}

/// A comment may stand before it.
fn ends_with_word(statement: &str, word: &str) -> bool {
    statement.lines().last() == Some(word)
}

/// SQL with the target's values of variables, where it names any.
fn filled(sql: &str, variables: &Variables) -> Result<String, Box<Problem>> {
    match sql.contains(":'") {
        true => substitute(sql, variables).map_err(|why| Box::new(no_value(&why))),
        false => Ok(sql.to_owned()),
    }
}

async fn read(target: &Target, session: &Session) -> Result<Schema, Box<Problem>> {
    let schema = read_schema(session).await.map_err(|error| match error {
        CatalogError::Session(error) => target.session_problem(&error),
        CatalogError::Row { .. } => {
            Box::new(Problem::error(Code::Bug, error.to_string()).in_target(&target.name))
        }
    })?;
    // A scratch copy has no grants to compare, and makes its own extensions.
    Ok(schema.filter(|object| object.id.kind != Kind::DefaultPrivileges))
}

fn undeclared() -> Problem {
    Problem::error(Code::TenancyInvalid, "nothing says which tables get a tenant column")
        .because("there is no [tenancy] section in pgfleet.toml, and no flag says it")
        .fix_with(
            "Write one (docs/tenancy.md has examples), or say it by flags.",
            "pgfleet tenantize --column organisation_id --type int --constant 1 --tables users,orders",
        )
}
