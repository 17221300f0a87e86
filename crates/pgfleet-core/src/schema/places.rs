//! Where the objects of a schema are, by their identities.
//!
//! Invariant: what the map says is checked, and what it does not know is looked for, so that a map
//! that was made before objects were changed costs time and nothing else.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::fingerprint::digest;
use super::{Object, ObjectId};

/// Made when first asked. A copy of a schema begins without; it counts in no comparison.
#[derive(Debug, Default)]
pub struct Places(OnceLock<HashMap<u64, u32>>);

impl Clone for Places {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Places {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Places {
    /// The position of an identity among objects in the order of theirs. A search alone would miss
    /// the processor's caches at every step: with 2,000 tables that was half of a comparison.
    pub(super) fn find(&self, objects: &[Object], id: &ObjectId) -> Option<usize> {
        let map = self.0.get_or_init(|| {
            let places = objects.iter().zip(0..);
            places.map(|(object, at)| (digest(&object.id), at)).collect()
        });
        let at = map.get(&digest(id)).map(|at| *at as usize);
        let there = |at: &usize| objects.get(*at).is_some_and(|object| object.id == *id);
        at.filter(there).or_else(|| objects.binary_search_by(|object| object.id.cmp(id)).ok())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::schema::{Body, Kind, Schema};

    fn schemas(names: &[&str]) -> Vec<Object> {
        let object = |name: &&str| Object {
            id: ObjectId::new(Kind::Schema, "", name),
            body: Body::Schema,
            comment: None,
            part_comments: BTreeMap::new(),
            grants: Vec::new(),
        };
        names.iter().map(object).collect()
    }

    #[test]
    fn objects_that_came_or_went_since_are_found_or_not() {
        let mut schema = Schema { objects: schemas(&["b", "d", "f"]), ..Schema::empty() };
        let at = |schema: &Schema, name| schema.position(&ObjectId::new(Kind::Schema, "", name));
        assert_eq!(
            (at(&schema, "b"), at(&schema, "d"), at(&schema, "e")),
            (Some(0), Some(1), None)
        );
        schema.objects = schemas(&["a", "b", "e", "f"]);
        let now = ["a", "b", "d", "e", "f"].map(|name| at(&schema, name));
        assert_eq!(now, [Some(0), Some(1), None, Some(2), Some(3)]);
    }
}
