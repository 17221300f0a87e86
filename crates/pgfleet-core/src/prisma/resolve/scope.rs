//! The names of a schema: models, enums, and what they are called in the database.

use std::collections::HashMap;

use super::attributes::{mapped_name, text_argument};
use super::datasource::{Settings, settings};
use crate::prisma::database::ObjectName;
use crate::prisma::syntax::{Attribute, Declaration, Enum, Model, Name, attribute};
use crate::prisma::{DEFAULT_SCHEMA, SchemaError};

/// Everything that a field may refer to.
pub(super) struct Scope<'a> {
    pub datasource: Settings,
    pub models: Vec<&'a Model>,
    pub enums: Vec<&'a Enum>,
    names: HashMap<&'a str, Meaning>,
}

/// What a type's name stands for, by its place in the scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Model(usize),
    Enum(usize),
}

impl<'a> Scope<'a> {
    pub(super) fn new(declarations: &'a [Declaration], errors: &mut Vec<SchemaError>) -> Self {
        let mut scope = Self {
            datasource: settings(declarations, errors),
            models: Vec::new(),
            enums: Vec::new(),
            names: HashMap::new(),
        };
        for declaration in declarations {
            match declaration {
                Declaration::Model(model) => {
                    scope.name(&model.name, Meaning::Model(scope.models.len()), errors);
                    scope.models.push(model);
                }
                Declaration::Enum(declared) => {
                    scope.name(&declared.name, Meaning::Enum(scope.enums.len()), errors);
                    scope.enums.push(declared);
                }
                Declaration::Datasource(_) | Declaration::Generator => {}
            }
        }
        scope
    }

    fn name(&mut self, name: &'a Name, meaning: Meaning, errors: &mut Vec<SchemaError>) {
        if self.names.insert(&name.text, meaning).is_some() {
            let what = format!("{:?} is declared twice", name.text);
            errors.push(SchemaError::new(what, name.at));
        }
    }

    pub(super) fn meaning(&self, name: &str) -> Option<Meaning> {
        self.names.get(name).copied()
    }

    pub(super) fn table_name(&self, model: &Model) -> Result<ObjectName, SchemaError> {
        self.object_name(&model.name, &model.attributes)
    }

    pub(super) fn enum_name(&self, declared: &Enum) -> Result<ObjectName, SchemaError> {
        self.object_name(&declared.name, &declared.attributes)
    }

    fn object_name(
        &self,
        name: &Name,
        attributes: &[Attribute],
    ) -> Result<ObjectName, SchemaError> {
        let schema = match attribute(attributes, "schema") {
            Some(found) => self.declared_schema(found)?,
            None if self.datasource.schemas.is_empty() => DEFAULT_SCHEMA.to_owned(),
            None => {
                let what = format!("{:?} needs @@schema, as the datasource has schemas", name.text);
                return Err(SchemaError::new(what, name.at));
            }
        };
        Ok(ObjectName { schema, name: mapped_name(attributes, &name.text)? })
    }

    fn declared_schema(&self, attribute: &Attribute) -> Result<String, SchemaError> {
        let schema = text_argument(attribute, "map", Some(0))?.ok_or_else(|| {
            SchemaError::new("@@schema takes the schema's name", attribute.name.at)
        })?;
        if self.datasource.schemas.contains(&schema) {
            return Ok(schema);
        }
        let what = format!("the schema {schema:?} is not among the datasource's schemas");
        Err(SchemaError::new(what, attribute.name.at))
    }
}
