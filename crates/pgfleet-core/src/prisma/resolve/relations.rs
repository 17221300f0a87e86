//! Relations between models: foreign keys, and the tables of implicit many-to-many relations.
//!
//! Source: `relations.rs` of the crate `parser-database` of prisma/prisma-engines. A relation is
//! met at the first of its fields that decides it, and that order is the order of foreign keys.

use super::attributes::{check_arguments, text_argument, word, words};
use super::columns::{FieldKind, field_kind};
use super::scope::Scope;
use crate::prisma::database::{
    Column, ForeignKey, Index, IndexColumn, ObjectName, PrimaryKey, ReferentialAction, Table,
};
use crate::prisma::syntax::{Arity, Attribute, Field, Position, attribute};
use crate::prisma::{SchemaError, constraint_name};

/// A field whose type is a model.
struct RelationField<'a> {
    model: usize,
    target: usize,
    field: &'a Field,
    name: Option<String>,
    fields: Option<Vec<String>>,
    references: Option<Vec<String>>,
}

pub(super) struct Relations<'a> {
    scope: &'a Scope<'a>,
    /// By the model's number; views have none.
    tables: &'a [Option<Table>],
    fields: Vec<RelationField<'a>>,
    foreign_keys: Vec<ForeignKey>,
    relation_tables: Vec<Table>,
    relation_keys: Vec<ForeignKey>,
}

impl<'a> Relations<'a> {
    pub(super) fn new(
        scope: &'a Scope<'a>,
        tables: &'a [Option<Table>],
        errors: &mut Vec<SchemaError>,
    ) -> Self {
        let fields = scope.models.iter().enumerate().flat_map(|(number, model)| {
            model.fields.iter().filter_map(move |field| relation_field(scope, number, field))
        });
        Self {
            scope,
            tables,
            fields: super::collect(fields, errors),
            foreign_keys: Vec::new(),
            relation_tables: Vec::new(),
            relation_keys: Vec::new(),
        }
    }

    /// Looks at every relation once.
    pub(super) fn resolve(&mut self, errors: &mut Vec<SchemaError>) {
        for at in 0..self.fields.len() {
            if let Err(error) = self.visit(at) {
                errors.push(error);
            }
        }
    }

    /// The tables of many-to-many relations, and all foreign keys.
    pub(super) fn finish(mut self) -> (Vec<Table>, Vec<ForeignKey>) {
        self.foreign_keys.append(&mut self.relation_keys);
        if self.scope.datasource.without_foreign_keys {
            self.foreign_keys.clear();
        }
        (self.relation_tables, self.foreign_keys)
    }

    fn opposite(&self, at: usize) -> Option<usize> {
        let here = self.fields.get(at)?;
        let matches = |(other_at, other): &(usize, &RelationField<'_>)| {
            *other_at != at
                && other.model == here.target
                && other.target == here.model
                && other.name == here.name
        };
        self.fields.iter().enumerate().find(matches).map(|(other_at, _)| other_at)
    }

    fn visit(&mut self, at: usize) -> Result<(), SchemaError> {
        let Some(here) = self.fields.get(at) else { return Ok(()) };
        let opposite = self.opposite(at).and_then(|other| self.fields.get(other));
        if opposite.is_none() && here.field.arity == Arity::List {
            let what = "this relation has no field on its other side";
            return Err(SchemaError::new(what, here.field.name.at));
        }
        match side(self.scope, here, opposite) {
            Side::Forward => {
                let foreign_key = self.foreign_key(here)?;
                self.foreign_keys.extend(foreign_key);
            }
            Side::Back => {}
            Side::ManyToMany => {
                if let Some((table, keys)) = self.many_to_many(here)? {
                    self.relation_tables.push(table);
                    self.relation_keys.extend(keys);
                }
            }
        }
        Ok(())
    }

    fn table(&self, model: usize) -> Option<&'a Table> {
        self.tables.get(model).and_then(Option::as_ref)
    }

    /// `None` when one side is a view.
    fn foreign_key(&self, here: &RelationField<'_>) -> Result<Option<ForeignKey>, SchemaError> {
        let (Some(table), Some(target)) = (self.table(here.model), self.table(here.target)) else {
            return Ok(None);
        };
        let at = here.field.name.at;
        let (Some(fields), Some(references)) = (&here.fields, &here.references) else {
            return Err(SchemaError::new("the relation needs its fields and references", at));
        };
        let columns = columns(table, fields, at)?;
        let given = here.attribute();
        let name = given.map(|a| text_argument(a, "map", None)).transpose()?.flatten();
        let action = |name: &str| given.map(|a| action(a, name)).transpose().map(Option::flatten);
        Ok(Some(ForeignKey {
            name: name.unwrap_or_else(|| constraint_name::foreign_key(&table.name.name, &columns)),
            columns,
            table: table.name.clone(),
            referenced_table: target.name.clone(),
            referenced_columns: columns_of_target(target, references, fields.len(), at)?,
            on_delete: action("onDelete")?.unwrap_or_else(|| usual_on_delete(here, table, fields)),
            on_update: action("onUpdate")?.unwrap_or(ReferentialAction::Cascade),
        }))
    }

    /// Called on the side of model A. `None` when one side is a view.
    fn many_to_many(
        &self,
        here: &RelationField<'_>,
    ) -> Result<Option<(Table, [ForeignKey; 2])>, SchemaError> {
        let (Some(a), Some(b)) = (self.table(here.model), self.table(here.target)) else {
            return Ok(None);
        };
        let at = here.field.name.at;
        let relation = here.name.clone().unwrap_or_else(|| format!("{}To{}", a.model, b.model));
        let name = ObjectName {
            schema: a.name.schema.clone(),
            name: constraint_name::relation_table(&relation),
        };
        let (key_a, key_b) = (single_key(a, at)?, single_key(b, at)?);
        let keys = [relation_key(&name, 'A', a, key_a), relation_key(&name, 'B', b, key_b)];
        Ok(Some((relation_table(relation, name, key_a, key_b), keys)))
    }
}

/// What a field says about its relation.
enum Side {
    /// It has the foreign key.
    Forward,
    /// The opposite field decides.
    Back,
    /// It is model A of an implicit many-to-many relation.
    ManyToMany,
}

fn side(scope: &Scope<'_>, here: &RelationField<'_>, opposite: Option<&RelationField<'_>>) -> Side {
    let Some(opposite) = opposite else { return Side::Forward };
    let named = |one: &RelationField<'_>| {
        let model = scope.models.get(one.model).map(|model| model.name.text.clone());
        (model, one.field.name.text.clone())
    };
    match (here.field.arity, opposite.field.arity) {
        (Arity::List, Arity::List) if named(here) <= named(opposite) => Side::ManyToMany,
        (Arity::List, _) => Side::Back,
        (_, Arity::List) | (Arity::Required, Arity::Optional) => Side::Forward,
        (Arity::Optional, Arity::Required) => Side::Back,
        _ if here.fields.is_some() => Side::Forward,
        _ if opposite.fields.is_some() || named(here) > named(opposite) => Side::Back,
        _ => Side::Forward,
    }
}

impl<'a> RelationField<'a> {
    fn attribute(&self) -> Option<&'a Attribute> {
        attribute(&self.field.attributes, "relation")
    }
}

fn relation_field<'a>(
    scope: &Scope<'a>,
    model: usize,
    field: &'a Field,
) -> Option<Result<RelationField<'a>, SchemaError>> {
    let Ok(FieldKind::Relation(target)) = field_kind(scope, field) else { return None };
    let attribute = attribute(&field.attributes, "relation");
    let names = |argument: &str| {
        let value = attribute.and_then(|attribute| attribute.argument(argument, None));
        value.map(words).transpose()
    };
    let read = || {
        let known = ["name", "fields", "references", "onDelete", "onUpdate", "map"];
        attribute.map_or(Ok(()), |attribute| check_arguments(attribute, &known))?;
        let name = attribute.map(|a| text_argument(a, "name", Some(0))).transpose()?.flatten();
        let (fields, references) = (names("fields")?, names("references")?);
        Ok(RelationField { model, target, field, name, fields, references })
    };
    Some(read())
}

fn columns(table: &Table, fields: &[String], at: Position) -> Result<Vec<String>, SchemaError> {
    let column = |field: &String| {
        let found = table.columns.iter().find(|column| column.field == *field);
        found.map(|column| column.name.clone()).ok_or_else(|| {
            SchemaError::new(format!("the model {} has no column {field:?}", table.model), at)
        })
    };
    fields.iter().map(column).collect()
}

fn columns_of_target(
    target: &Table,
    references: &[String],
    count: usize,
    at: Position,
) -> Result<Vec<String>, SchemaError> {
    if references.is_empty() || references.len() != count {
        let what = "a relation refers with as many fields as it refers to";
        return Err(SchemaError::new(what, at));
    }
    columns(target, references, at)
}

fn action(attribute: &Attribute, name: &str) -> Result<Option<ReferentialAction>, SchemaError> {
    let Some(value) = attribute.argument(name, None) else { return Ok(None) };
    let parsed = ReferentialAction::parse(word(value)?);
    parsed.map(Some).ok_or_else(|| SchemaError::new("no such referential action", value.at))
}

/// A column that must have a value cannot forget the row that it refers to.
fn usual_on_delete(
    here: &RelationField<'_>,
    table: &Table,
    fields: &[String],
) -> ReferentialAction {
    let required = table.columns.iter().any(|c| c.is_required && fields.contains(&c.field));
    if required || here.field.arity == Arity::Required {
        ReferentialAction::Restrict
    } else {
        ReferentialAction::SetNull
    }
}

/// Implicit relations need a primary key of one column on both sides.
fn single_key(table: &Table, at: Position) -> Result<&Column, SchemaError> {
    let key = table.primary_key.as_ref().map(|key| key.columns.as_slice());
    let column = match key {
        Some([name]) => table.columns.iter().find(|column| column.name == *name),
        _ => None,
    };
    column.ok_or_else(|| {
        let what = format!("{} needs an @id of one field for this relation", table.model);
        SchemaError::new(what, at)
    })
}

fn relation_table(relation: String, name: ObjectName, a: &Column, b: &Column) -> Table {
    let column = |side: &str, key: &Column| Column {
        field: side.to_owned(),
        name: side.to_owned(),
        default: None,
        is_serial: false,
        ..key.clone()
    };
    let primary_key = PrimaryKey {
        name: constraint_name::relation_table_primary_key(&name.name),
        columns: vec!["A".to_owned(), "B".to_owned()],
    };
    let on_b = IndexColumn { name: "B".to_owned(), operator_class: None, sort: None };
    let index = Index {
        name: constraint_name::relation_table_index(&name.name),
        is_unique: false,
        method: None,
        columns: vec![on_b],
        condition: None,
    };
    Table {
        model: relation,
        is_relation: true,
        columns: vec![column("A", a), column("B", b)],
        primary_key: Some(primary_key),
        indexes: vec![index],
        name,
    }
}

fn relation_key(table: &ObjectName, side: char, target: &Table, key: &Column) -> ForeignKey {
    ForeignKey {
        name: constraint_name::relation_table_foreign_key(&table.name, side),
        table: table.clone(),
        columns: vec![side.to_string()],
        referenced_table: target.name.clone(),
        referenced_columns: vec![key.name.clone()],
        on_delete: ReferentialAction::Cascade,
        on_update: ReferentialAction::Cascade,
    }
}
