//! Which object is meant.
//!
//! Invariant: two objects of one database never share an identity, and an identity means the same
//! in every database.

use std::fmt::{self, Display, Formatter};

use pgfleet_sql::quote_ident;
use serde::{Deserialize, Serialize};

macro_rules! kinds {
    ($($variant:ident = $name:literal, $sql:literal;)+) => {
        /// The kinds of objects, in the order in which they are usually made.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Kind {
            $(#[doc = $name] $variant,)+
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// What people call it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What SQL calls it in `DROP` and `COMMENT ON`.
            pub fn keyword(self) -> &'static str {
                match self { $(Self::$variant => $sql,)+ }
            }
        }
    };
}

kinds! {
    Schema = "schema", "SCHEMA";
    Extension = "extension", "EXTENSION";
    Collation = "collation", "COLLATION";
    Enum = "enum", "TYPE";
    Domain = "domain", "DOMAIN";
    Composite = "composite type", "TYPE";
    Range = "range type", "TYPE";
    Sequence = "sequence", "SEQUENCE";
    Function = "function", "FUNCTION";
    Procedure = "procedure", "PROCEDURE";
    Aggregate = "aggregate", "AGGREGATE";
    Operator = "operator", "OPERATOR";
    OperatorFamily = "operator family", "OPERATOR FAMILY";
    OperatorClass = "operator class", "OPERATOR CLASS";
    Cast = "cast", "CAST";
    TextSearchParser = "text search parser", "TEXT SEARCH PARSER";
    TextSearchTemplate = "text search template", "TEXT SEARCH TEMPLATE";
    TextSearchDictionary = "text search dictionary", "TEXT SEARCH DICTIONARY";
    TextSearchConfig = "text search configuration", "TEXT SEARCH CONFIGURATION";
    ForeignDataWrapper = "foreign-data wrapper", "FOREIGN DATA WRAPPER";
    ForeignServer = "foreign server", "SERVER";
    UserMapping = "user mapping", "USER MAPPING";
    Table = "table", "TABLE";
    ForeignTable = "foreign table", "FOREIGN TABLE";
    View = "view", "VIEW";
    MaterializedView = "materialized view", "MATERIALIZED VIEW";
    Index = "index", "INDEX";
    Constraint = "constraint", "CONSTRAINT";
    Statistics = "extended statistics", "STATISTICS";
    Rule = "rule", "RULE";
    Trigger = "trigger", "TRIGGER";
    Policy = "policy", "POLICY";
    EventTrigger = "event trigger", "EVENT TRIGGER";
    Publication = "publication", "PUBLICATION";
    DefaultPrivileges = "default privileges", "DEFAULT PRIVILEGES";
}

/// Which object is meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectId {
    /// What it is.
    pub kind: Kind,
    /// The schema it is in; empty for what is in none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub schema: String,
    /// The table or view that it belongs to, for constraints, triggers, rules and policies; empty
    /// for others.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub table: String,
    /// Its own name. For a cast `source AS target`, for a user mapping `role server`, for default
    /// privileges `role type`.
    pub name: String,
    /// Argument types of a routine, operand types of an operator, access method of an operator
    /// class or family; empty for others.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub signature: String,
}

impl ObjectId {
    /// An object of a schema that its name alone identifies.
    pub fn new(kind: Kind, schema: &str, name: &str) -> Self {
        Self {
            kind,
            schema: schema.to_owned(),
            table: String::new(),
            name: name.to_owned(),
            signature: String::new(),
        }
    }

    /// The name as SQL, with its schema.
    pub fn sql_name(&self) -> String {
        let name = match self.kind {
            Kind::Operator => self.name.clone(),
            _ => quote_ident(&self.name),
        };
        match self.schema.as_str() {
            "" => name,
            _ if self.kind.is_part() => name,
            schema => format!("{}.{name}", quote_ident(schema)),
        }
    }

    /// The table that it belongs to as SQL.
    pub fn sql_table(&self) -> String {
        format!("{}.{}", quote_ident(&self.schema), quote_ident(&self.table))
    }

    /// How `DROP` and `COMMENT ON` name it, without the keyword.
    pub fn sql_address(&self) -> String {
        let name = self.sql_name();
        match self.kind {
            Kind::Function | Kind::Procedure | Kind::Operator => {
                format!("{name}({})", self.signature)
            }
            Kind::Aggregate => match self.signature.as_str() {
                "" => format!("{name}(*)"),
                signature => format!("{name}({signature})"),
            },
            Kind::OperatorClass | Kind::OperatorFamily => {
                format!("{name} USING {}", quote_ident(&self.signature))
            }
            Kind::Cast => format!("({})", self.name),
            kind if kind.is_part() => format!("{name} ON {}", self.sql_table()),
            _ => name,
        }
    }
}

impl Kind {
    /// True for what has no name of its own in the schema but one within a table.
    pub fn is_part(self) -> bool {
        matches!(self, Self::Constraint | Self::Trigger | Self::Rule | Self::Policy)
    }

    /// True for types that columns can have.
    pub fn is_type(self) -> bool {
        matches!(self, Self::Enum | Self::Domain | Self::Composite | Self::Range)
    }
}

/// For people: `table app.orders`, `trigger touch on app.orders`, `function app.f(integer)`.
impl Display for ObjectId {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ", self.kind.name())?;
        match self.kind {
            Kind::Cast | Kind::UserMapping | Kind::DefaultPrivileges => {
                formatter.write_str(&self.name)
            }
            kind if kind.is_part() => {
                write!(formatter, "{} on {}", self.sql_name(), self.sql_table())
            }
            _ => formatter.write_str(&self.sql_address()),
        }
    }
}
