//! What a statement does to the model.

use pgfleet_sql::shape::{
    Action, ActionKind, ColumnShape, ConstraintKind, ConstraintShape, Persistence, Shape,
    TableShape, TypeChange,
};
use pgfleet_sql::{Facts, Kind, LockMode, ObjectKind, ObjectRef, QualifiedName};

use super::table::{ReferredTo, usual_name};
use super::{Column, Constraint, Index, Model, Origin, Table, cut};
use crate::lint::finding::StatementId;
use crate::lint::scene::Looked;
use crate::preflight::spelled;

impl Model {
    /// Runs a statement.
    pub(in crate::lint) fn take(&mut self, at: StatementId, looked: &Looked<'_>) {
        let facts = &looked.statement.facts;
        facts.drops.iter().for_each(|object| self.drop(at.0, object));
        match &looked.shape {
            Shape::CreateTable(table) => self.create_table(at, table),
            Shape::AlterTable(alter) => {
                for action in &alter.actions {
                    self.alter_table(at, &alter.table, action);
                }
            }
            Shape::CreateIndex(index) => self.create_index(index),
            Shape::CreateEnum(shape) => {
                self.enums.insert(self.full(&shape.name), shape.values.clone());
            }
            Shape::AlterType(name, change) => self.alter_type(at.0, name, change),
            Shape::Policy(policy) if facts.kind == Kind::Create => {
                self.with_table(&policy.table, |table| table.policies += 1);
            }
            _ => {}
        }
        self.rename_index(facts);
        self.mark_written(facts);
    }

    fn with_table(&mut self, name: &QualifiedName, change: impl FnOnce(&mut Table)) {
        let full = self.full(name);
        if let Some(table) = self.tables.get_mut(&full) {
            change(table);
        }
    }

    fn drop(&mut self, migration: usize, object: &ObjectRef) {
        let name = self.full(&object.name);
        match object.kind {
            ObjectKind::Table | ObjectKind::ForeignTable => {
                self.tables.remove(&name);
                self.dropped.insert(name);
            }
            ObjectKind::Schema => {
                let schema = Some(object.name.name.clone());
                self.tables.retain(|table, _| table.schema != schema);
            }
            ObjectKind::Index => {
                for table in self.tables.values_mut() {
                    table.indexes.retain(|index| index.name != name.name);
                }
            }
            ObjectKind::Type => {
                if let Some(values) = self.enums.remove(&name) {
                    self.retired_enums.insert(name, (migration, values));
                }
            }
            ObjectKind::Policy => {
                if let Some(table) = &object.on {
                    self.with_table(table, |table| {
                        table.policies = table.policies.saturating_sub(1);
                    });
                }
            }
            _ => {}
        }
    }

    fn create_table(&mut self, at: StatementId, shape: &TableShape) {
        let full = self.full(&shape.name);
        if self.tables.contains_key(&full) {
            return;
        }
        let mut table = Table {
            origin: Some(Origin { at, range: shape.name_range.clone() }),
            size: self.sizes.get(&full).copied(),
            complete: !shape.borrows,
            temporary: shape.persistence == Persistence::Temporary,
            partitioned: shape.partitioned,
            partition_of: shape.partition_of.as_ref().map(|parent| self.full(parent)),
            ..Table::default()
        };
        if let Some(parent) = table.partition_of.as_ref().and_then(|name| self.tables.get(name)) {
            table.columns = parent.columns.clone();
        }
        self.tables.insert(full.clone(), table);
        for column in &shape.columns {
            self.add_column(at, &full, column);
        }
        for constraint in &shape.constraints {
            self.add_constraint(at, &full, constraint, true);
        }
    }

    fn add_column(&mut self, at: StatementId, table: &QualifiedName, shape: &ColumnShape) {
        let mut there = false;
        self.with_table(table, |table| {
            there = table.columns.contains_key(cut(&shape.name));
            if !there {
                table.columns.insert(cut(&shape.name).to_owned(), Column::of(shape));
            }
        });
        if !there {
            for constraint in &shape.constraints {
                self.add_constraint(at, table, constraint, true);
            }
        }
    }

    fn add_constraint(
        &mut self,
        at: StatementId,
        table: &QualifiedName,
        shape: &ConstraintShape,
        looked_at: bool,
    ) {
        let own = cut(&table.name).to_owned();
        let references = shape.references.as_ref().map(|to| ReferredTo {
            table: self.full(&to.table),
            columns: to.columns.clone(),
            cascades: to.cascades,
        });
        let name = shape.name.as_deref().map(|name| cut(name).to_owned());
        let mut constraint = Constraint {
            kind: shape.kind,
            name: name.unwrap_or_else(|| usual_name(&own, shape)),
            columns: shape.columns.clone(),
            expression: shape.expression.clone(),
            references,
            valid: looked_at || !shape.not_valid,
            origin: Some(Origin { at, range: shape.range.clone() }),
        };
        self.with_table(table, |table| {
            table.take_over_index(shape.using_index.as_deref(), &mut constraint);
            table.add(constraint);
        });
    }

    fn create_index(&mut self, shape: &pgfleet_sql::shape::IndexShape) {
        let index = Index::of(shape);
        self.with_table(&shape.table, |table| {
            let there = |one: &Index| !one.name.is_empty() && one.name == index.name;
            if !table.indexes.iter().any(there) {
                table.indexes.push(index);
            }
        });
    }

    fn alter_table(&mut self, at: StatementId, name: &QualifiedName, action: &Action) {
        match &action.kind {
            ActionKind::AddColumn { column, .. } => self.add_column(at, name, column),
            ActionKind::AddConstraint(shape) => self.add_constraint(at, name, shape, false),
            ActionKind::RenameTable(to) => self.rename_table(
                name,
                QualifiedName { schema: name.schema.clone(), name: to.clone() },
            ),
            ActionKind::SetSchema(schema) => {
                self.rename_table(name, QualifiedName::new(schema.clone(), name.name.clone()));
            }
            ActionKind::Attach(partition) => {
                let parent = self.full(name);
                self.with_table(partition, |table| table.partition_of = Some(parent));
            }
            kind => {
                let origin = Origin { at, range: action.range.clone() };
                self.with_table(name, |table| table.alter(kind, origin));
            }
        }
    }

    fn rename_table(&mut self, from: &QualifiedName, to: QualifiedName) {
        let (from, to) = (self.full(from), self.full(&to));
        if let Some(table) = self.tables.remove(&from) {
            self.tables.insert(to.clone(), table);
        }
        let all = self.tables.values_mut().flat_map(|table| &mut table.constraints);
        for reference in all.filter_map(|constraint| constraint.references.as_mut()) {
            if reference.table == from {
                reference.table = to.clone();
            }
        }
    }

    fn rename_index(&mut self, facts: &Facts) {
        let Some(rename) = &facts.rename else { return };
        if rename.from.kind != ObjectKind::Index {
            return;
        }
        for index in self.tables.values_mut().flat_map(|table| &mut table.indexes) {
            if index.name == cut(&rename.from.name.name) {
                index.name = cut(&rename.to.name).to_owned();
            }
        }
    }

    fn alter_type(&mut self, migration: usize, name: &QualifiedName, change: &TypeChange) {
        let full = self.full(name);
        match change {
            TypeChange::AddValue { value, .. } => {
                if let Some(values) = self.enums.get_mut(&full) {
                    values.push(value.clone());
                }
            }
            TypeChange::RenameValue { from, to } => {
                let values = self.enums.get_mut(&full).into_iter().flatten();
                values.filter(|value| *value == from).for_each(|value| value.clone_from(to));
            }
            TypeChange::Rename(to) => {
                let to = QualifiedName { schema: full.schema.clone(), name: cut(to).to_owned() };
                if let Some(values) = self.enums.remove(&full) {
                    self.retired_enums.insert(full, (migration, values.clone()));
                    self.enums.insert(to, values);
                }
            }
            TypeChange::Other => {}
        }
    }

    fn mark_written(&mut self, facts: &Facts) {
        if facts.kind != Kind::Write {
            return;
        }
        let strong = |lock: &&pgfleet_sql::LockUse| lock.mode >= LockMode::RowExclusive;
        for lock in facts.locks.iter().filter(strong) {
            if let Some(name) = &lock.relation {
                self.with_table(name, |table| table.written = true);
            }
        }
    }
}

impl Table {
    pub(super) fn add(&mut self, constraint: Constraint) {
        if matches!(constraint.kind, ConstraintKind::PrimaryKey | ConstraintKind::Unique) {
            self.indexes.push(Index::of_constraint(&constraint));
        }
        if constraint.kind == ConstraintKind::PrimaryKey {
            self.set_not_null(&constraint.columns);
        }
        self.constraints.push(constraint);
    }

    fn set_not_null(&mut self, columns: &[String]) {
        for name in columns {
            if let Some(column) = self.columns.get_mut(cut(name)) {
                column.not_null = true;
            }
        }
    }

    /// `USING INDEX`: the index becomes that of the constraint, and takes its name.
    fn take_over_index(&mut self, index: Option<&str>, constraint: &mut Constraint) {
        let Some(name) = index else { return };
        let Some(at) = self.indexes.iter().position(|one| one.name == cut(name)) else { return };
        constraint.columns = self.indexes.remove(at).columns;
    }

    fn alter(&mut self, kind: &ActionKind, origin: Origin) {
        match kind {
            ActionKind::DropColumn { column, .. } => self.drop_column(cut(column)),
            ActionKind::DropConstraint { name, .. } => {
                self.constraints.retain(|constraint| constraint.name != cut(name));
                self.indexes.retain(|index| !index.of_constraint || index.name != cut(name));
            }
            ActionKind::Validate(name) => {
                let named = self.constraints.iter_mut().filter(|one| one.name == cut(name));
                named.for_each(|constraint| constraint.valid = true);
            }
            ActionKind::SetType { column, type_text, .. } => {
                self.with_column(column, |column| column.data_type = spelled(type_text));
            }
            ActionKind::SetNotNull(column) => {
                self.with_column(column, |column| column.not_null = true);
            }
            ActionKind::DropNotNull(column) => {
                self.with_column(column, |column| column.not_null = false);
            }
            ActionKind::SetDefault(column) => {
                self.with_column(column, |column| column.has_default = true);
            }
            ActionKind::EnableRowSecurity => self.row_security = Some(Some(origin)),
            ActionKind::DisableRowSecurity => self.row_security = None,
            ActionKind::RenameColumn { from, to } => self.rename_column(cut(from), cut(to)),
            ActionKind::RenameConstraint { from, to } => self.rename_constraint(cut(from), cut(to)),
            _ => {}
        }
    }

    fn with_column(&mut self, name: &str, change: impl FnOnce(&mut Column)) {
        if let Some(column) = self.columns.get_mut(cut(name)) {
            change(column);
        }
    }

    fn drop_column(&mut self, column: &str) {
        self.columns.remove(column);
        let on_it = |columns: &[String]| columns.iter().any(|one| one == column);
        self.constraints.retain(|constraint| !on_it(&constraint.columns));
        self.indexes.retain(|index| !on_it(&index.columns) && !on_it(&index.include));
    }

    fn rename_column(&mut self, from: &str, to: &str) {
        if let Some(column) = self.columns.remove(from) {
            self.columns.insert(to.to_owned(), column);
        }
        let of_constraints = self.constraints.iter_mut().flat_map(|one| &mut one.columns);
        let of_indexes =
            self.indexes.iter_mut().flat_map(|one| one.columns.iter_mut().chain(&mut one.keys));
        for name in of_constraints.chain(of_indexes).filter(|name| *name == from) {
            to.clone_into(name);
        }
    }

    fn rename_constraint(&mut self, from: &str, to: &str) {
        for constraint in self.constraints.iter_mut().filter(|one| one.name == from) {
            to.clone_into(&mut constraint.name);
        }
        for index in self.indexes.iter_mut().filter(|one| one.of_constraint && one.name == from) {
            to.clone_into(&mut index.name);
        }
    }
}
