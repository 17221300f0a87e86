//! Objects that are used, altered or dropped before they are created, or that nothing creates.
//!
//! Invariant: each name is reported once, at its first use; the further ones are counted.

use std::collections::BTreeMap;

use pgfleet_sql::{ColumnDecl, Facts, ObjectKind, ObjectRef};

use super::super::Here;
use super::super::world::{Class, Key, Missing, Standing, World};
use super::{Rule, at_word};
use crate::diagnose::{Code, Problem};

#[derive(Default)]
pub(super) struct MissingObject {
    problems: Vec<Problem>,
    /// The position of a name's problem, and how often it was used again.
    reported: BTreeMap<Key, (usize, usize)>,
}

/// What a statement does with a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deed {
    Uses,
    Drops,
}

impl Rule for MissingObject {
    fn look(&mut self, world: &World<'_>, here: Here<'_>) {
        let facts = &here.statement.facts;
        for (key, deed) in wanted(facts) {
            let Standing::Missing(missing) = world.stand(&key) else { continue };
            self.report(world, here, key, deed, &missing);
        }
        for key in facts.columns.iter().filter_map(column_type) {
            // A type without a schema may be PostgreSQL's own; only a later CREATE TYPE tells.
            if let Standing::Missing(missing) = world.stand(&key)
                && missing.later.is_some()
                && missing.dropped.is_none()
            {
                self.report(world, here, key, Deed::Uses, &missing);
            }
        }
    }

    fn finish(mut self: Box<Self>) -> Vec<Problem> {
        for (at, again) in self.reported.values().filter(|(_, again)| *again > 0) {
            let noun = if *again == 1 { "statement uses" } else { "statements use" };
            self.problems[*at].details.push(format!("{again} more {noun} it"));
        }
        self.problems
    }
}

impl MissingObject {
    fn report(
        &mut self,
        world: &World<'_>,
        here: Here<'_>,
        key: Key,
        deed: Deed,
        missing: &Missing,
    ) {
        if let Some((_, again)) = self.reported.get_mut(&key) {
            *again += 1;
            return;
        }
        self.problems.push(problem(world, here, &key, deed, missing));
        self.reported.insert(key, (self.problems.len() - 1, 0));
    }
}

/// The type of a column, without its length and dimensions.
fn column_type(column: &ColumnDecl) -> Option<Key> {
    let text = &column.type_text;
    let name = text[..text.find(['(', '[']).unwrap_or(text.len())].trim();
    let name = pgfleet_sql::parse_qualified(name)?;
    // Geometric types and their kin share names with what teams create.
    let builtin = matches!(
        name.name.as_str(),
        "box"
            | "circle"
            | "date"
            | "interval"
            | "line"
            | "money"
            | "name"
            | "path"
            | "point"
            | "text"
            | "time"
            | "uuid"
    );
    (!builtin).then(|| Key::named(Class::Type, &name))
}

/// The names that must exist for a statement to run.
fn wanted(facts: &Facts) -> Vec<(Key, Deed)> {
    let mut wanted = Vec::new();
    if !facts.if_exists {
        wanted.extend(facts.uses.iter().filter_map(Key::of).map(|key| (key, Deed::Uses)));
        let types = facts.alters.iter().filter(|object| is_altered_by_name(object));
        wanted.extend(types.filter_map(Key::of).map(|key| (key, Deed::Uses)));
        let drops = facts.drops.iter().filter_map(Key::of);
        wanted.extend(drops.map(|key| (key, Deed::Drops)));
    }
    wanted.extend(facts.creates.iter().filter_map(schema_of).map(|key| (key, Deed::Uses)));
    let mut seen = Vec::new();
    wanted.retain(|(key, _)| {
        let fresh = !seen.contains(key);
        seen.push(key.clone());
        fresh
    });
    wanted
}

fn is_altered_by_name(object: &ObjectRef) -> bool {
    matches!(object.kind, ObjectKind::Type | ObjectKind::Domain | ObjectKind::Schema)
}

/// The schema that a new object goes into.
fn schema_of(object: &ObjectRef) -> Option<Key> {
    let schema = object.on.is_none().then_some(object.name.schema.as_deref()).flatten()?;
    Some(Key::schema(schema))
}

fn problem(world: &World<'_>, here: Here<'_>, key: &Key, deed: Deed, missing: &Missing) -> Problem {
    let (noun, name) = (key.noun(), key.shown());
    let verb = if deed == Deed::Drops { "dropped" } else { "used" };
    let (code, what) = match (&missing.dropped, &missing.later) {
        (Some(place), _) => (
            Code::ObjectUnknown,
            format!("{noun} {name} is {verb} after it was dropped at {place}"),
        ),
        (None, Some(place)) => (
            Code::ObjectTooEarly,
            format!("{noun} {name} is {verb} before it is created at {place}"),
        ),
        (None, None) => {
            (Code::ObjectUnknown, format!("{noun} {name} is {verb}, but nothing creates it"))
        }
    };
    let certain = missing.doubt.is_none();
    let found = if certain { Problem::error(code, what) } else { Problem::note(code, what) };
    let found = explained(found, key, missing, deed);
    let found = hinted(found, world, key, missing);
    at_word(found, here.statement, word_of(key))
}

fn explained(mut found: Problem, key: &Key, missing: &Missing, deed: Deed) -> Problem {
    if let Some(doubt) = &missing.doubt {
        let cause = match &doubt.place {
            Some(place) => format!(
                "the {} at {place} may create it: its effects cannot be read from its text",
                doubt.label
            ),
            None => "it may be in the database already".to_owned(),
        };
        return found.because(cause);
    }
    found = match (&missing.later, deed) {
        (Some(later), _) => {
            found.fix(format!("Move what creates it ({later}) before this statement."))
        }
        (None, Deed::Drops) => found.fix("Write DROP … IF EXISTS, or remove the statement."),
        (None, Deed::Uses) => found.fix(format!(
            "Create {} {} in an earlier migration, or correct the name.",
            key.noun(),
            key.shown()
        )),
    };
    found
}

fn hinted(found: Problem, world: &World<'_>, key: &Key, missing: &Missing) -> Problem {
    if missing.later.is_some() || missing.dropped.is_some() {
        return found;
    }
    let Some(near) = world.nearest(key) else { return found };
    let shown = near.shown();
    if near.name.to_lowercase() == key.name.to_lowercase() && near.name != key.name {
        return found.detail(format!(
            "there is {shown}: names without double quotes are folded to lower case"
        ));
    }
    match world.place_of(near) {
        Some(place) => found.detail(format!("did you mean {shown} ({place})?")),
        None => found.detail(format!("did you mean {shown}?")),
    }
}

/// The word to mark.
fn word_of(key: &Key) -> &str {
    match key.class {
        Class::Trigger | Class::Policy => key.name.split_once('.').map_or("", |(_, name)| name),
        _ => &key.name,
    }
}
