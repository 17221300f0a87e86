//! What things of the first schema are called after some of them were renamed.

use std::collections::BTreeMap;

use super::order::Move;
use super::step::Thing;
use crate::schema::{Kind, ObjectId};

/// New identities by old ones.
#[derive(Debug, Default)]
pub(super) struct Names {
    schemas: BTreeMap<String, String>,
    objects: BTreeMap<ObjectId, ObjectId>,
}

impl Names {
    /// Notes where a thing of the first schema goes.
    pub fn note(&mut self, thing: &Thing, to: &Move) {
        let Thing::Object(id) = thing else { return };
        if id.kind == Kind::Schema {
            self.schemas.insert(id.name.clone(), to.new_name.clone());
        }
        let new =
            ObjectId { schema: to.new_schema.clone(), name: to.new_name.clone(), ..id.clone() };
        self.objects.insert(id.clone(), new);
    }

    /// The identity that an object of the first schema has now.
    pub fn map(&self, id: &ObjectId) -> ObjectId {
        if let Some(new) = self.objects.get(id) {
            return new.clone();
        }
        let mut id = id.clone();
        match self.table(&id) {
            Some(table) => (id.schema, id.table) = (table.schema.clone(), table.name.clone()),
            None => {
                if let Some(schema) = self.schemas.get(&id.schema) {
                    id.schema.clone_from(schema);
                }
            }
        }
        id
    }

    /// The new identity of the table that a part belongs to.
    fn table(&self, part: &ObjectId) -> Option<&ObjectId> {
        use Kind::{ForeignTable, MaterializedView, Table, View};
        let relations = [Table, ForeignTable, View, MaterializedView].into_iter();
        let olds = relations.map(|kind| ObjectId::new(kind, &part.schema, &part.table));
        let mut found = olds.filter_map(|old| self.objects.get(&old));
        found.next().filter(|_| part.kind.is_part())
    }

    /// The same of anything that has a name.
    pub fn map_thing(&self, thing: &Thing) -> Thing {
        let mut thing = thing.clone();
        match &mut thing {
            Thing::Object(id)
            | Thing::Column { relation: id, .. }
            | Thing::Value { enum_type: id, .. }
            | Thing::Check { domain: id, .. } => *id = self.map(id),
        }
        thing
    }
}
