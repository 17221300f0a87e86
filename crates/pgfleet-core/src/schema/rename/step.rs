//! One statement that gives something another name.

use std::fmt::{self, Display, Formatter};

use pgfleet_sql::{quote_ident, quote_text};
use serde::Serialize;

use crate::schema::diff::Statement;
use crate::schema::{Kind, ObjectId};

/// What has a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// An object.
    Object(ObjectId),
    /// A column of a table or view, or an attribute of a composite type.
    Column {
        /// The table, view or type.
        relation: ObjectId,
        /// Its name.
        name: String,
    },
    /// A value of an enum.
    Value {
        /// The enum.
        enum_type: ObjectId,
        /// The value.
        label: String,
    },
    /// A check of a domain.
    Check {
        /// The domain.
        domain: ObjectId,
        /// Its name.
        name: String,
    },
}

/// The new name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewName {
    /// In the place where it is.
    Name(String),
    /// The old one in another schema.
    Schema(String),
}

/// Who wants a rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RenameOrigin {
    /// A flag.
    Asked,
    /// A comment in the desired schema.
    Annotated,
    /// It looks like one, and somebody consented.
    Detected,
    /// PostgreSQL had named it after something that is renamed.
    Followed,
}

/// One statement that gives something another name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenameStep {
    /// What, as it is called when the statement is run.
    pub thing: Thing,
    /// Its name from then on.
    pub to: NewName,
    /// Who wants it.
    pub origin: RenameOrigin,
}

impl Thing {
    /// Its own name.
    pub fn name(&self) -> &str {
        match self {
            Self::Object(id) => &id.name,
            Self::Column { name, .. } | Self::Check { name, .. } => name,
            Self::Value { label, .. } => label,
        }
    }

    /// The object that it is or is part of.
    pub fn object(&self) -> &ObjectId {
        match self {
            Self::Object(id)
            | Self::Column { relation: id, .. }
            | Self::Value { enum_type: id, .. }
            | Self::Check { domain: id, .. } => id,
        }
    }

    /// The same under another name.
    #[must_use]
    pub fn called(&self, new: &str) -> Self {
        let mut thing = self.clone();
        match &mut thing {
            Self::Object(id) => new.clone_into(&mut id.name),
            Self::Column { name, .. } | Self::Check { name, .. } => new.clone_into(name),
            Self::Value { label, .. } => new.clone_into(label),
        }
        thing
    }

    fn after(&self, to: &NewName) -> Self {
        match (to, self) {
            (NewName::Name(name), _) => self.called(name),
            (NewName::Schema(schema), Self::Object(id)) => {
                Self::Object(ObjectId { schema: schema.clone(), ..id.clone() })
            }
            (NewName::Schema(_), _) => self.clone(),
        }
    }
}

impl RenameStep {
    /// What it is called afterwards.
    pub fn result(&self) -> Thing {
        self.thing.after(&self.to)
    }

    /// The step that takes this one back.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let to = match (&self.to, &self.thing) {
            (NewName::Schema(_), Thing::Object(id)) => NewName::Schema(id.schema.clone()),
            _ => NewName::Name(self.thing.name().to_owned()),
        };
        Self { thing: self.result(), to, origin: self.origin }
    }

    /// The statement; it shares its transaction with its neighbours.
    pub fn statement(&self) -> Statement {
        Statement::shared(self.sql())
    }

    fn sql(&self) -> String {
        let new = match &self.to {
            NewName::Name(name) => name,
            NewName::Schema(schema) => {
                let id = self.thing.object();
                let schema = quote_ident(schema);
                return format!(
                    "ALTER {} {} SET SCHEMA {schema}",
                    id.kind.keyword(),
                    id.sql_address()
                );
            }
        };
        let (old, quoted) = (quote_ident(self.thing.name()), quote_ident(new));
        match &self.thing {
            Thing::Object(id) if id.kind == Kind::Constraint => {
                let table = id.sql_table();
                format!("ALTER TABLE {table} RENAME CONSTRAINT {old} TO {quoted}")
            }
            Thing::Object(id) => {
                let (keyword, address) = (id.kind.keyword(), id.sql_address());
                format!("ALTER {keyword} {address} RENAME TO {quoted}")
            }
            Thing::Column { relation, .. } => {
                let (keyword, name) = (relation.kind.keyword(), relation.sql_name());
                match relation.kind {
                    // Tables made of the type have the attribute as a column.
                    Kind::Composite => {
                        format!("ALTER TYPE {name} RENAME ATTRIBUTE {old} TO {quoted} CASCADE")
                    }
                    _ => format!("ALTER {keyword} {name} RENAME COLUMN {old} TO {quoted}"),
                }
            }
            Thing::Value { enum_type, label } => {
                let (label, new) = (quote_text(label), quote_text(new));
                format!("ALTER TYPE {} RENAME VALUE {label} TO {new}", enum_type.sql_name())
            }
            Thing::Check { domain, .. } => {
                let name = domain.sql_name();
                format!("ALTER DOMAIN {name} RENAME CONSTRAINT {old} TO {quoted}")
            }
        }
    }
}

/// For people: `column mail of table app.customers`.
impl Display for Thing {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(id) => id.fmt(f),
            Self::Column { relation, name } => {
                write!(f, "column {} of {relation}", quote_ident(name))
            }
            Self::Value { enum_type, label } => {
                write!(f, "value {} of {enum_type}", quote_text(label))
            }
            Self::Check { domain, name } => write!(f, "check {} of {domain}", quote_ident(name)),
        }
    }
}

/// For people: `table app.customers: clients`, `table public.t: app.t`.
impl Display for RenameStep {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let new = match (&self.to, self.result()) {
            (NewName::Schema(_), Thing::Object(id)) => id.sql_name(),
            (_, Thing::Value { label, .. }) => quote_text(&label),
            (_, thing) => quote_ident(thing.name()),
        };
        write!(f, "{} -> {new}", self.thing)
    }
}
