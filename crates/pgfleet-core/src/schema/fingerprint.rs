//! A number for a schema.
//!
//! Invariant: what does not count in comparisons does not count here: order of table columns and of
//! parents, versions of extensions, spelling that means nothing.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use sha2::{Digest, Sha256};

use super::spelling::{self, canonical_default, canonical_text};
use super::{Body, Column, Object, Schema};

/// The SHA-256 of the schema's canonical form, in hexadecimal.
pub(super) fn fingerprint(schema: &Schema) -> String {
    let mut hash = Sha256::new();
    for object in &schema.objects {
        // Plain data always has a form in JSON.
        let text = serde_json::to_vec(&canonical(object)).unwrap_or_default();
        hash.update(&text);
        hash.update(b"\n");
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Recognises the objects of a schema that is no longer held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digests(HashMap<u64, u64>);

impl Digests {
    /// Of all objects of a schema.
    pub(super) fn of(schema: &Schema) -> Self {
        Self(schema.objects.iter().map(|object| (digest(&object.id), digest_of(object))).collect())
    }

    /// What another schema has otherwise, and how many objects it does not have.
    pub fn differences(&self, other: &Schema) -> Vec<String> {
        let same = |object: &&Object| {
            self.0.get(&digest(&object.id)).is_some_and(|digest| *digest == digest_of(object))
        };
        let others = other.objects.iter().filter(|object| !same(object));
        let mut found: Vec<_> = others.map(|object| format!("{} differs", object.id)).collect();
        let has: HashSet<_> = other.objects.iter().map(|object| digest(&object.id)).collect();
        match self.0.keys().filter(|id| !has.contains(id)).count() {
            0 => {}
            missing => found.push(format!("{missing} of {} objects are missing", self.0.len())),
        }
        found
    }
}

fn digest_of(object: &Object) -> u64 {
    digest(&serde_json::to_vec(&canonical(object)).unwrap_or_default())
}

/// The same in one process.
pub(super) fn digest(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// The object without what does not count.
pub(super) fn canonical(object: &Object) -> Object {
    let mut object = object.clone();
    match &mut object.body {
        Body::Extension(extension) => {
            extension.version.clear();
            extension.relocatable = false;
        }
        Body::Table(table) => {
            // PostgreSQL has no way to change it but by leaving and joining the parent.
            table.columns.iter_mut().for_each(|column| column.inherited = false);
            table.columns.iter_mut().for_each(respell_column);
            table.columns.sort_by(|a, b| a.name.cmp(&b.name));
            // A parent that is joined comes last; it decides the order of new columns alone.
            table.parents.sort_unstable();
        }
        Body::Constraint(constraint) => {
            constraint.inherited = false;
            respell(&mut constraint.definition);
        }
        Body::Domain(domain) => {
            let base = domain.base.clone();
            domain.default = domain.default.take().and_then(|text| canonical_default(&text, &base));
            domain.constraints.iter_mut().for_each(|check| respell(&mut check.definition));
        }
        Body::View(view) | Body::MaterializedView(view) => {
            view.definition = spelling::canonical_view(&view.definition);
            view.columns.iter_mut().for_each(respell_column);
        }
        Body::Range(range) => {
            // A dump does not say what they are called.
            (range.constructors, range.multirange_constructors) = (None, None);
        }
        Body::Index(index) => {
            respell(&mut index.definition);
            index.twin = 0;
        }
        Body::Trigger(trigger) => respell(&mut trigger.definition),
        Body::Rule(rule) => respell(&mut rule.definition),
        Body::Statistics(statistics) => respell(&mut statistics.definition),
        Body::Policy(policy) => {
            policy.using.iter_mut().chain(&mut policy.check).for_each(respell);
        }
        Body::Publication(publication) => {
            let conditions = publication.tables.iter_mut().filter_map(|one| one.condition.as_mut());
            conditions.for_each(respell);
        }
        _ => {}
    }
    object
}

fn respell(text: &mut String) {
    *text = canonical_text(text);
}

fn respell_column(column: &mut Column) {
    let Some(text) = column.default.take() else { return };
    column.default = match column.generated {
        Some(_) => Some(canonical_text(&text)),
        None => canonical_default(&text, &column.type_name),
    };
}
