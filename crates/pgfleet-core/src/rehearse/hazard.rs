//! Hazards that the text of a statement does not tell and the rehearsal saw.

use pgfleet_sql::{Facts, LockMode, classify, parse_qualified};

use super::{Rehearsal, RehearsedStatement, Touched};
use crate::plan::{Hazard, HazardKind, Plan, PlannedStatement};

/// What the rehearsal saw beyond what the plan's own hazards are made from.
pub fn found_hazards(plan: &Plan, rehearsal: &Rehearsal) -> Vec<Hazard> {
    let texts: Vec<_> = plan
        .sql_steps()
        .flat_map(|step| step.units.iter().flat_map(|unit| unit.statements()))
        .collect();
    rehearsal.statements.iter().flat_map(|seen| of_statement(seen, &texts)).collect()
}

/// Adds them to the plan, which is then another one.
pub fn add_hazards(plan: &mut Plan, rehearsal: &Rehearsal) {
    let found = found_hazards(plan, rehearsal);
    if found.is_empty() {
        return;
    }
    plan.hazards.extend(found);
    plan.renew_fingerprint();
}

fn of_statement(seen: &RehearsedStatement, texts: &[&PlannedStatement]) -> Vec<Hazard> {
    let text = texts.iter().find(|s| s.place == seen.place && s.label == seen.label);
    let facts = text.map(|statement| classify(&statement.sql)).unwrap_or_default();
    let hazard = |(kind, what)| Hazard {
        kind,
        migration: seen.migration.clone(),
        place: seen.place.clone(),
        what,
    };
    seen.touched.iter().flat_map(|touched| untold(seen, &facts, touched)).map(hazard).collect()
}

fn untold(
    seen: &RehearsedStatement,
    facts: &Facts,
    touched: &Touched,
) -> Vec<(HazardKind, String)> {
    let mut hazards = Vec::new();
    let on = described(touched);
    if touched.rewritten && facts.rewrites.is_none() {
        let what = format!("{} really rewrites {on}; its text does not tell", seen.label);
        hazards.push((HazardKind::Rewrite, what));
    }
    let Some(lock) = touched.new_lock().filter(|lock| lock.blocks().is_some()) else {
        return hazards;
    };
    let told = told_lock(facts, &touched.relation);
    if told.is_none_or(|told| told < lock) {
        let told = told.map_or("nothing of it".to_owned(), |told| told.sql_name().to_owned());
        let mode = lock.sql_name();
        let what = format!("{} really takes {mode} on {on}; its text says {told}", seen.label);
        hazards.push((HazardKind::Lock, what));
    }
    hazards
}

/// `public.orders (12.0 GiB, 40 M rows)`
fn described(touched: &Touched) -> String {
    match touched.size {
        Some(size) => format!("{} ({size})", touched.relation),
        None => touched.relation.clone(),
    }
}

/// The strongest lock on a relation that the text names. Names without a schema match any.
fn told_lock(facts: &Facts, relation: &str) -> Option<LockMode> {
    let wanted = parse_qualified(relation)?;
    let same = |name: &pgfleet_sql::QualifiedName| {
        name.name == wanted.name && (name.schema.is_none() || name.schema == wanted.schema)
    };
    let locks = facts.locks.iter().filter(|lock| lock.relation.as_ref().is_none_or(same));
    locks.map(|lock| lock.mode).max()
}

impl std::fmt::Display for super::Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&bytes(self.bytes))?;
        match self.rows {
            Some(rows) => write!(f, ", {} rows", short(rows)),
            None => Ok(()),
        }
    }
}

/// `812 B`, `4.1 KiB`, `12.0 GiB`.
fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let (mut whole, mut tenth, mut unit) = (bytes, 0, None);
    for name in UNITS {
        if whole < 1024 {
            break;
        }
        (tenth, whole, unit) = (whole % 1024 * 10 / 1024, whole / 1024, Some(name));
    }
    match unit {
        Some(unit) => format!("{whole}.{tenth} {unit}"),
        None => format!("{bytes} B"),
    }
}

/// `812`, `41 k`, `40 M`.
fn short(count: u64) -> String {
    match count {
        0..10_000 => count.to_string(),
        10_000..10_000_000 => format!("{} k", count / 1000),
        10_000_000..10_000_000_000 => format!("{} M", count / 1_000_000),
        _ => format!("{} G", count / 1_000_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Place;
    use crate::rehearse::Size;

    fn touched(lock: LockMode, rewritten: bool) -> Touched {
        Touched {
            relation: "public.orders".to_owned(),
            kind: "table".to_owned(),
            lock: Some(lock),
            held_before: false,
            rewritten,
            scanned: false,
            size: Some(Size { bytes: 12 << 30, rows: Some(40_000_000) }),
        }
    }

    fn hazards(sql: &str, touched: Touched) -> Vec<String> {
        let facts = classify(sql);
        let seen = RehearsedStatement {
            migration: "1".to_owned(),
            place: Place::file("1.sql"),
            label: facts.label.clone(),
            elapsed_ms: 0.0,
            rows: 0,
            watched: false,
            touched: Vec::new(),
        };
        untold(&seen, &facts, &touched).into_iter().map(|(_, what)| what).collect()
    }

    #[test]
    fn what_the_text_told_is_no_news() {
        let told = "ALTER TABLE orders ALTER COLUMN total TYPE bigint";
        assert!(hazards(told, touched(LockMode::AccessExclusive, true)).is_empty());
        let weak = "CREATE INDEX ON orders (total)";
        assert!(hazards(weak, touched(LockMode::Share, false)).is_empty());
    }

    #[test]
    fn what_it_did_not_tell_is_a_hazard_with_its_weight() {
        let found = hazards("SELECT archive()", touched(LockMode::AccessExclusive, true));
        let on = "public.orders (12.0 GiB, 40 M rows)";
        assert_eq!(
            found,
            [
                format!("SELECT really rewrites {on}; its text does not tell"),
                format!(
                    "SELECT really takes ACCESS EXCLUSIVE on {on}; its text says nothing of it"
                ),
            ]
        );
        let more = hazards("CREATE INDEX ON orders (total)", touched(LockMode::Exclusive, false));
        assert_eq!(more.len(), 1);
        assert!(more[0].ends_with("its text says SHARE"), "{more:?}");
    }

    #[test]
    fn quantities_are_short() {
        for (bytes_, text) in [
            (812, "812 B"),
            (4300, "4.1 KiB"),
            (12 << 30, "12.0 GiB"),
            (u64::MAX, "16777215.9 TiB"),
        ] {
            assert_eq!(bytes(bytes_), text);
        }
        for (count, text) in [(9_999, "9999"), (41_500, "41 k"), (40_000_000, "40 M")] {
            assert_eq!(short(count), text);
        }
    }
}
