//! Fields become columns.

use super::attributes::{check, mapped};
use super::defaults::{Default, default};
use super::native::{Scalar, native_type};
use super::scope::{Meaning, Scope};
use crate::prisma::SchemaError;
use crate::prisma::database::{Column, ColumnKind};
use crate::prisma::syntax::{Arity, Enum, Field, FieldType, Model, Name, attribute};

const KNOWN: &[&str] =
    &["id", "unique", "default", "map", "updatedAt", "ignore", "relation", "shardKey"];

/// What the type of a field stands for.
#[derive(Clone, Copy)]
pub(super) enum FieldKind<'a> {
    Scalar(Scalar),
    Enum(&'a Enum),
    /// The model's number.
    Relation(usize),
    Unsupported(&'a str),
}

/// The columns of a model's scalar fields, in order.
pub(super) fn columns<'a>(
    scope: &'a Scope<'a>,
    model: &'a Model,
) -> impl Iterator<Item = Result<Column, SchemaError>> + 'a {
    model.fields.iter().filter_map(move |field| column(scope, field).transpose())
}

pub(super) fn field_kind<'a>(
    scope: &Scope<'a>,
    field: &'a Field,
) -> Result<FieldKind<'a>, SchemaError> {
    let name = match &field.kind {
        FieldType::Unsupported(sql) => return Ok(FieldKind::Unsupported(sql)),
        FieldType::Named(name) => name,
    };
    if let Some(scalar) = Scalar::parse(&name.text) {
        return Ok(FieldKind::Scalar(scalar));
    }
    match scope.meaning(&name.text) {
        Some(Meaning::Model(model)) => Ok(FieldKind::Relation(model)),
        Some(Meaning::Enum(number)) => {
            scope.enums.get(number).map(|found| FieldKind::Enum(found)).ok_or_else(|| unknown(name))
        }
        None => Err(unknown(name)),
    }
}

fn unknown(name: &Name) -> SchemaError {
    SchemaError::new(format!("the type {:?} is not known", name.text), name.at)
}

/// `None` for relations, which have no column of their own.
fn column(scope: &Scope<'_>, field: &Field) -> Result<Option<Column>, SchemaError> {
    check(&field.attributes, KNOWN, "@")?;
    let kind = field_kind(scope, field)?;
    if matches!(kind, FieldKind::Relation(_)) {
        return Ok(None);
    }
    let native = field.attributes.iter().find(|attribute| attribute.name.text.contains('.'));
    let column_kind = match kind {
        FieldKind::Scalar(scalar) => ColumnKind::Native(native_type(scalar, native)?),
        FieldKind::Enum(declared) => ColumnKind::Enum(scope.enum_name(declared)?),
        FieldKind::Unsupported(sql) => ColumnKind::Native(sql.to_owned()),
        FieldKind::Relation(_) => return Ok(None),
    };
    let mut column = Column {
        field: field.name.text.clone(),
        name: mapped(&field.attributes, &field.name)?,
        kind: column_kind,
        is_list: field.arity == Arity::List,
        is_required: field.arity == Arity::Required,
        is_serial: false,
        default: None,
    };
    if let Some(attribute) = attribute(&field.attributes, "default") {
        match default(kind, &column, attribute)? {
            Default::Sql(sql) => column.default = Some(sql),
            Default::Serial => column.is_serial = true,
            Default::ByClient => {}
        }
    }
    Ok(Some(column))
}
