//! The model of a target, from the server's own words.

use pgfleet_sql::shape::{Shape, column_shape, constraint_shape, shape};
use pgfleet_sql::{QualifiedName, quote_ident};

use super::table::ReferredTo;
use super::{Column, Constraint, Index, Model, Table};
use crate::lint::target::{TableFacts, TargetOutline};
use crate::missing::OutlineTable;
use crate::prisma::ObjectName;

impl Model {
    /// All tables of a target. Names without a schema mean `schema`.
    pub fn of_target(target: &TargetOutline, schema: &str) -> Self {
        let mut model = Self { whole_target: true, ..Self::empty(schema) };
        for (name, outline) in &target.outline.tables {
            let facts = target.tables.get(name).cloned().unwrap_or_default();
            model.add_table(&qualified(name), outline, facts);
        }
        for (name, values) in &target.outline.enums {
            model.enums.insert(qualified(name), values.clone());
        }
        model
    }

    /// Nothing but the sizes of a target's tables, for a walk that begins before they were created.
    pub fn with_sizes_of(target: &TargetOutline, schema: &str) -> Self {
        let sized =
            |(name, facts): (&ObjectName, &TableFacts)| Some((qualified(name), facts.size?));
        Self { sizes: target.tables.iter().filter_map(sized).collect(), ..Self::empty(schema) }
    }

    fn add_table(&mut self, name: &QualifiedName, outline: &OutlineTable, facts: TableFacts) {
        let mut table = Table {
            target_name: Some(name.clone()),
            size: facts.size,
            complete: true,
            row_security: facts.row_security.then_some(None),
            policies: facts.policies,
            replica_index: facts.replica_index,
            ..Table::default()
        };
        for (column, definition) in &outline.columns {
            let declared = column_shape(&format!("{} {definition}", quote_ident(column)));
            let known = declared.as_ref().map(Column::of).unwrap_or_default();
            let known = Column { target_name: Some(column.clone()), ..known };
            table.columns.insert(column.clone(), known);
        }
        for (object, definition) in &outline.objects {
            self.add_object(&mut table, object, definition);
        }
        self.tables.insert(name.clone(), table);
    }

    /// A constraint or an index, by its definition.
    fn add_object(&self, table: &mut Table, name: &str, definition: &str) {
        if let Shape::CreateIndex(index) = shape(definition) {
            return table.indexes.push(Index::of(&index));
        }
        let Some(read) = constraint_shape(definition) else { return };
        let references = read.references.as_ref().map(|to| ReferredTo {
            table: self.full(&to.table),
            columns: to.columns.clone(),
            cascades: to.cascades,
        });
        table.add(Constraint {
            kind: read.kind,
            name: name.to_owned(),
            columns: read.columns,
            expression: read.expression,
            references,
            valid: !read.not_valid,
            origin: None,
        });
    }
}

fn qualified(name: &ObjectName) -> QualifiedName {
    QualifiedName::new(name.schema.clone(), name.name.clone())
}
