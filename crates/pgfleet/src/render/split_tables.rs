//! Splits as the tables of their logs' pages.

use pgfleet_core::report::ReportTable;
use pgfleet_core::split::{Level, SplitPlan};
use pgfleet_engine::integrity::ReferenceResult;
use pgfleet_engine::split::SplitReport;

use super::text::duration;

/// Databases, then findings, the heaviest first.
pub fn split_plan_tables(plan: &SplitPlan) -> Vec<ReportTable> {
    let mut databases =
        ReportTable::new("Databases", &["family", "database", "there", "migrations", "rows"]);
    for database in &plan.databases {
        let there = if database.exists { "yes" } else { "no" };
        let cells = [&database.family, &database.database].map(Clone::clone).into_iter();
        let numbers = [database.migrations.to_string(), database.rows.to_string()];
        databases.row(None, cells.chain([there.to_owned()]).chain(numbers));
    }
    let columns = ["", "about", "found", "rows", "some of them", "what to do"];
    let mut findings = ReportTable::new("Findings", &columns);
    for level in [Level::Error, Level::Warning, Level::Success] {
        for finding in plan.findings.iter().filter(|finding| finding.level == level) {
            let (word, ok) = match level {
                Level::Error => ("ERROR", Some(false)),
                Level::Warning => ("WARNING", None),
                Level::Success => ("SUCCESS", Some(true)),
            };
            let rows = finding.rows.map(|rows| rows.to_string()).unwrap_or_default();
            let fix = finding.fix.clone().unwrap_or_default();
            let (subject, what) = (finding.subject.clone(), finding.what.clone());
            let samples = finding.samples.join("; ");
            findings.row(ok, [word.to_owned(), subject, what, rows, samples, fix]);
        }
    }
    vec![databases, findings]
}

/// Both sides of every table, references, and what took how long.
pub fn split_report_tables(report: &SplitReport) -> Vec<ReportTable> {
    let columns = ["", "table", "rows of the source", "rows here", "sum of the source", "sum here"];
    let mut sums = ReportTable::new("Both sides of every table", &columns);
    for table in &report.tables {
        let (source, here) = (&table.source, &table.here);
        let rows = [source.rows.to_string(), here.rows.to_string()];
        let cells = [word(table.ok), table.table.clone()].into_iter().chain(rows);
        let checksums = [source.checksum.clone(), here.checksum.clone()];
        sums.row(Some(table.ok), cells.chain(checksums));
    }
    let mut phases = ReportTable::new("Where the time went", &["phase", "time"]);
    for phase in &report.phases {
        phases.row(None, [phase.phase.clone(), duration(phase.elapsed_ms)]);
    }
    vec![sums, reference_table(&report.references), phases]
}

/// References between databases.
pub fn reference_table(results: &[ReferenceResult]) -> ReportTable {
    let columns = ["", "from", "to", "values", "without a partner", "some of them"];
    let mut table = ReportTable::new("References between databases", &columns);
    for result in results {
        let ok = result.orphans == 0;
        let numbers = [result.values.to_string(), result.orphans.to_string()];
        let cells = [word(ok), result.from.clone(), result.to.clone()].into_iter().chain(numbers);
        table.row(Some(ok), cells.chain([result.samples.join("; ")]));
    }
    table
}

fn word(ok: bool) -> String {
    if ok { "ok" } else { "differs" }.to_owned()
}
