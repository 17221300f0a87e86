//! Takes rows away by declared rules: counts first, then deletes in batches.
//!
//! Invariant: counting changes nothing (its transaction is rolled back); deleting commits each
//! batch together with the journal's counts, so that a run that was killed goes on where it was and
//! its report is exact.

mod execute;

use futures_util::future::BoxFuture;
use pgfleet_core::audit::{Catalog, CatalogTable, ForeignKey, OnDelete};
use pgfleet_core::clean::{
    CREATE_VICTIMS, CleanRule, Effect, ResolvedRule, Victims, cascade_sql, edges_into, in_order,
    resolve_rules, root_sql, set_sql,
};
use pgfleet_core::diagnose::{Code, Problem};

use crate::audit::read_catalog;
use crate::conduct::Target;
use crate::connect::Session;

pub use execute::{CleanOutcome, CleanRun, TableCount, execute, interrupted_run};

/// A rule with what it would take along.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Preview {
    /// The rule.
    #[serde(flatten)]
    pub rule: ResolvedRule,
    /// Its rows and what follows.
    pub victims: Victims,
}

/// Counts what rules would take away, in the order in which they run.
///
/// # Errors
/// When a rule is not valid, or its condition is refused by the server.
pub async fn preview(target: &Target, rules: &[CleanRule]) -> Result<Vec<Preview>, Box<Problem>> {
    let session = target.connect().await?;
    let catalog = read_catalog(target, &session).await?;
    let rules = in_order(&resolve_rules(rules, &catalog)?, &catalog);
    let mut counting = Counting { target, session: &session, catalog: &catalog, nodes: 0 };
    let previews = counting.run(&rules).await;
    // The transaction ends with the session: nothing is kept.
    session.close().await;
    previews
}

/// A node of the tree before it is known what happens to rows that do not go.
struct Grown<'a> {
    node: usize,
    table: &'a CatalogTable,
    key: Option<&'a ForeignKey>,
    rows: u64,
    children: Vec<Grown<'a>>,
}

struct Counting<'a> {
    target: &'a Target,
    session: &'a Session,
    catalog: &'a Catalog,
    nodes: usize,
}

impl<'a> Counting<'a> {
    async fn run(&mut self, rules: &[ResolvedRule]) -> Result<Vec<Preview>, Box<Problem>> {
        let begin = format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ; SET LOCAL statement_timeout = 0; {CREATE_VICTIMS}"
        );
        self.change(&begin).await?;
        let mut grown = Vec::new();
        for rule in rules {
            grown.push(self.root(rule).await?);
        }
        // Only when every rule has noted its rows is it known which of the others stay.
        let mut previews = Vec::new();
        for (rule, grown) in rules.iter().zip(&grown) {
            previews.push(Preview { rule: rule.clone(), victims: self.finished(grown).await? });
        }
        Ok(previews)
    }

    async fn change(&self, sql: &str) -> Result<u64, Box<Problem>> {
        let outcome = self.session.run_batch(sql).await;
        match outcome.error {
            Some(error) => Err(self.target.session_problem(&error)),
            None => Ok(outcome.rows_affected.last().copied().unwrap_or(0)),
        }
    }

    fn next_node(&mut self) -> usize {
        self.nodes += 1;
        self.nodes
    }

    async fn root(&mut self, rule: &ResolvedRule) -> Result<Grown<'a>, Box<Problem>> {
        let node = self.next_node();
        let rows = self.change(&root_sql(rule, node)).await;
        let rows = rows.map_err(|problem| Box::new(condition_refused(rule, *problem)))?;
        let table = self.catalog.table(&rule.table).ok_or_else(|| gone(self.target, rule))?;
        let children = self.children(table, node, rows).await?;
        Ok(Grown { node, table, key: None, rows, children })
    }

    fn children(
        &mut self,
        parent: &'a CatalogTable,
        parent_node: usize,
        rows: u64,
    ) -> BoxFuture<'_, Result<Vec<Grown<'a>>, Box<Problem>>> {
        Box::pin(async move {
            let mut children = Vec::new();
            if rows == 0 {
                return Ok(children);
            }
            let cascades =
                |(_, key): &(&CatalogTable, &ForeignKey)| key.on_delete == OnDelete::Cascade;
            for (table, key) in edges_into(self.catalog, parent).filter(cascades) {
                let node = self.next_node();
                let rows = self.change(&cascade_sql(table, key, parent_node, node)).await?;
                let below = self.children(table, node, rows).await?;
                if rows > 0 {
                    children.push(Grown { node, table, key: Some(key), rows, children: below });
                }
            }
            Ok(children)
        })
    }

    fn finished<'b>(
        &'b self,
        grown: &'b Grown<'a>,
    ) -> BoxFuture<'b, Result<Victims, Box<Problem>>> {
        Box::pin(async move {
            let mut children = Vec::new();
            for child in &grown.children {
                children.push(self.finished(child).await?);
            }
            if grown.rows > 0 {
                children.extend(self.staying(grown).await?);
            }
            Ok(Victims {
                table: grown.table.name.to_string(),
                foreign_key: grown.key.map(|key| key.name.clone()),
                effect: Effect::Deleted,
                rows: grown.rows,
                children,
            })
        })
    }

    /// Rows that refer to a node's and do not go.
    async fn staying(&self, grown: &Grown<'a>) -> Result<Vec<Victims>, Box<Problem>> {
        let mut found = Vec::new();
        let stays = |(_, key): &(&CatalogTable, &ForeignKey)| key.on_delete != OnDelete::Cascade;
        for (table, key) in edges_into(self.catalog, grown.table).filter(stays) {
            let rows = self.session.query_text(&set_sql(table, key, grown.node)).await;
            let rows = rows.map_err(|error| self.target.session_problem(&error))?;
            let rows = rows.into_iter().flatten().flatten().next();
            let rows = rows.and_then(|count| count.parse().ok()).unwrap_or(0);
            if rows > 0 {
                found.push(Victims {
                    table: table.name.to_string(),
                    foreign_key: Some(key.name.clone()),
                    effect: key.on_delete.into(),
                    rows,
                    children: Vec::new(),
                });
            }
        }
        Ok(found)
    }
}

fn condition_refused(rule: &ResolvedRule, problem: Problem) -> Problem {
    let what = format!("the condition of the rule {} was refused", rule.name);
    let cause = problem.what.clone();
    let mut refused = Problem::error(Code::RuleInvalid, what).because(cause);
    refused.target = problem.target;
    refused.sqlstate = problem.sqlstate;
    refused.detail(format!("where {}", rule.condition))
}

fn gone(target: &Target, rule: &ResolvedRule) -> Box<Problem> {
    let what = format!("the table {} of the rule {} is not there", rule.table, rule.name);
    Box::new(Problem::error(Code::RuleInvalid, what).in_target(&target.name))
}

/// What forbids a rule, each key once, on however many ways its rows are reached.
fn blockades(preview: &Preview) -> Vec<String> {
    let mut rows: Vec<((&str, &str), u64)> = Vec::new();
    for victims in preview.victims.blocking() {
        let by = (victims.table.as_str(), victims.foreign_key.as_deref().unwrap_or_default());
        match rows.iter_mut().find(|(known, _)| *known == by) {
            Some((_, number)) => *number += victims.rows,
            None => rows.push((by, victims.rows)),
        }
    }
    let text = |((table, key), rows): ((&str, &str), u64)| {
        format!("{}: {rows} rows of {table} refer to rows that would go ({key})", preview.rule.name)
    };
    rows.into_iter().map(text).collect()
}

/// Rules that rows elsewhere forbid.
///
/// # Errors
/// [`Code::CleanBlocked`] that names them.
pub fn refuse_blocked(target: &Target, previews: &[Preview]) -> Result<(), Box<Problem>> {
    let blocked: Vec<_> = previews.iter().flat_map(blockades).collect();
    let Some(first) = blocked.first() else { return Ok(()) };
    let what = format!("a foreign key forbids what a rule would delete: {first}");
    let mut problem = Problem::error(Code::CleanBlocked, what).in_target(&target.name);
    problem.details.extend(blocked.iter().skip(1).cloned());
    Err(Box::new(
        problem.fix("Add a rule with a lower priority for those rows, or narrow the condition."),
    ))
}
