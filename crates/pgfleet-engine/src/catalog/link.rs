//! From OIDs to identities: comments, column privileges and dependencies.
//!
//! What the catalog keeps as objects of their own but the model as parts of others (row types, array
//! types, indexes of constraints, view rules, defaults) is found through PostgreSQL's own internal
//! dependencies.

use std::collections::HashMap;

use pgfleet_core::schema::{Body, Edge, Object, Schema, SequenceOwner, read_acl};

/// `pg_attrdef`, whose rows depend on their column (src/include/catalog/pg_attrdef.h).
const PG_ATTRDEF: u32 = 2604;
const PG_CLASS: u32 = 1259;
const PG_CONSTRAINT: u32 = 2606;
const PG_TYPE: u32 = 1247;
/// `pg_publication_rel` and `pg_publication` (src/include/catalog).
const PG_PUBLICATION_REL: u32 = 6106;
const PG_PUBLICATION: u32 = 6104;
/// A part of a part of a part is as deep as it goes (array type of a row type of a table).
const DEEPEST: usize = 4;

/// How the catalog names an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Address {
    /// The catalog.
    pub(super) class: u32,
    /// The row.
    pub(super) oid: u32,
}

/// A row of `pg_depend`.
pub(super) struct Dependency {
    pub(super) from: Address,
    pub(super) from_column: i16,
    pub(super) to: Address,
    pub(super) to_column: i16,
    pub(super) strength: char,
}

/// Something and perhaps a column of it.
type Place = (Address, i16);

#[derive(Default)]
pub(super) struct Linker {
    objects: Vec<Object>,
    positions: HashMap<Address, u32>,
    /// What is part of something else.
    parts: HashMap<Address, Place>,
    links: Vec<(Place, Place)>,
    pub(super) column_names: HashMap<u32, Vec<(i16, Box<str>)>>,
    pub(super) owners: HashMap<u32, String>,
    pub(super) column_acls: Vec<(u32, String, Vec<String>)>,
    pub(super) comments: Vec<(Address, Option<String>, String)>,
}

impl Linker {
    pub(super) fn add(&mut self, address: Address, object: Object) -> usize {
        let at = self.objects.len();
        self.positions.insert(address, u32::try_from(at).unwrap_or(u32::MAX));
        self.objects.push(object);
        at
    }

    pub(super) fn object(&self, address: Address) -> Option<&Object> {
        self.positions.get(&address).map(|at| &self.objects[*at as usize])
    }

    pub(super) fn set_owner(&mut self, at: usize, owner: Option<SequenceOwner>) {
        if let Body::Sequence(sequence) = &mut self.objects[at].body {
            sequence.owned_by = owner;
        }
    }

    pub(super) fn set_twin(&mut self, at: usize, twin: u32) {
        if let Body::Index(index) = &mut self.objects[at].body {
            index.twin = twin;
        }
    }

    pub(super) fn depend(&mut self, dependency: &Dependency) {
        let Dependency { from, from_column, to, to_column, strength } = *dependency;
        let is_part = match from.class {
            // A default's own column is the only one that it depends on in this way.
            PG_ATTRDEF => to.class == PG_CLASS && to_column > 0 && matches!(strength, 'a' | 'i'),
            PG_PUBLICATION_REL => to.class == PG_PUBLICATION,
            // Constraints of tables are objects; those of domains are not.
            PG_CONSTRAINT if to.class == PG_TYPE => {
                !self.positions.contains_key(&from) && strength == 'a'
            }
            _ => !self.positions.contains_key(&from) && matches!(strength, 'i' | 'e'),
        };
        if is_part {
            self.parts.entry(from).or_insert((to, to_column));
        }
        self.links.push(((from, from_column), (to, to_column)));
    }

    pub(super) fn column_name(&self, table: u32, number: i16) -> Option<&str> {
        let names = self.column_names.get(&table)?;
        names.iter().find(|(known, _)| *known == number).map(|(_, name)| name.as_ref())
    }

    /// The modelled object that a place is or is part of, with the column.
    fn resolve(&self, place: Place) -> Option<(u32, Option<Box<str>>)> {
        let mut place = place;
        for _ in 0..DEEPEST {
            if let Some(at) = self.positions.get(&place.0) {
                let column = self.column_name(place.0.oid, place.1).filter(|_| place.1 > 0);
                return Some((*at, column.map(Box::from)));
            }
            place = *self.parts.get(&place.0)?;
        }
        None
    }

    pub(super) fn finish(mut self) -> Schema {
        self.comment();
        self.grant_columns();
        let edges = self.edges();
        let order = order(&self.objects);
        let mut moved = vec![0u32; self.objects.len()];
        for (new, old) in order.iter().enumerate() {
            moved[*old] = u32::try_from(new).unwrap_or(u32::MAX);
        }
        let mut schema = Schema::empty();
        let mut objects: Vec<Option<Object>> = self.objects.into_iter().map(Some).collect();
        schema.objects.reserve_exact(objects.len());
        schema.objects.extend(order.iter().filter_map(|old| objects[*old].take()));
        let edge = |edge: Edge| Edge {
            from: moved[edge.from as usize],
            to: moved[edge.to as usize],
            ..edge
        };
        schema.edges = edges.into_iter().map(edge).collect();
        schema.edges.sort_unstable();
        schema.edges.dedup();
        schema
    }

    fn comment(&mut self) {
        for (address, part, text) in std::mem::take(&mut self.comments) {
            let Some((at, _)) = self.resolve((address, 0)) else { continue };
            let object = &mut self.objects[at as usize];
            match part {
                Some(part) => _ = object.part_comments.insert(part, text),
                // A part of something else has no comment of its own in the model.
                None if !self.positions.contains_key(&address) => {}
                None => object.comment = Some(text),
            }
        }
    }

    fn grant_columns(&mut self) {
        for (table, name, acl) in std::mem::take(&mut self.column_acls) {
            let Some(owner) = self.owners.get(&table) else { continue };
            let grants = read_acl(&acl, owner);
            let address = Address { class: PG_CLASS, oid: table };
            let Some(at) = self.positions.get(&address) else { continue };
            let columns = match &mut self.objects[*at as usize].body {
                Body::Table(table) => &mut table.columns,
                Body::View(view) | Body::MaterializedView(view) => &mut view.columns,
                _ => continue,
            };
            if let Some(column) = columns.iter_mut().find(|column| column.name == name) {
                column.grants = grants;
            }
        }
    }

    fn edges(&mut self) -> Vec<Edge> {
        let links = std::mem::take(&mut self.links);
        let edge = |(from, to): &(Place, Place)| {
            let (from, from_column) = self.resolve(*from)?;
            let (to, to_column) = self.resolve(*to)?;
            let itself = from == to && (from_column == to_column || from_column.is_none());
            (!itself).then_some(Edge { from, from_column, to, to_column })
        };
        links.iter().filter_map(edge).collect()
    }
}

fn order(objects: &[Object]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..objects.len()).collect();
    order.sort_unstable_by(|a, b| objects[*a].id.cmp(&objects[*b].id));
    order
}
