//! What a schema says, before any name in it is understood.

/// Where something stands: file by its number, 1-based line and column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Position {
    pub file: usize,
    pub line: u32,
    pub column: u32,
}

/// A block of a schema.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Declaration {
    Model(Model),
    Enum(Enum),
    Datasource(Datasource),
    /// Generators say nothing about the database.
    Generator,
}

/// `model` or `view`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Model {
    pub name: Name,
    pub is_view: bool,
    pub fields: Vec<Field>,
    pub attributes: Vec<Attribute>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Enum {
    pub name: Name,
    pub values: Vec<EnumValue>,
    pub attributes: Vec<Attribute>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct EnumValue {
    pub name: Name,
    pub attributes: Vec<Attribute>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Datasource {
    pub at: Position,
    pub properties: Vec<(Name, Expression)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub text: String,
    pub at: Position,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    pub name: Name,
    pub kind: FieldType,
    pub arity: Arity,
    pub attributes: Vec<Attribute>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FieldType {
    /// A scalar, an enum or a model.
    Named(Name),
    /// `Unsupported("type")`: the type as SQL.
    Unsupported(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arity {
    Required,
    Optional,
    List,
}

/// `@name(arguments)` or `@@name(arguments)`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Attribute {
    /// Without the `@`; with its group, as in `db.VarChar`.
    pub name: Name,
    pub arguments: Vec<Argument>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Argument {
    pub name: Option<String>,
    pub value: Expression,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Expression {
    pub kind: ExpressionKind,
    pub at: Position,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum ExpressionKind {
    Number(String),
    Text(String),
    /// A bare word, dots included: `true`, `Desc`, `address.street`.
    Word(String),
    List(Vec<Expression>),
    Call(String, Vec<Argument>),
    /// `{ name: value }`: the condition of a partial index.
    Object(Vec<(Name, Expression)>),
}

impl Attribute {
    /// The argument of that name, else the `place`th one without a name.
    pub(super) fn argument(&self, name: &str, place: Option<usize>) -> Option<&Expression> {
        let named = self.arguments.iter().find(|argument| argument.name.as_deref() == Some(name));
        let unnamed = || {
            let mut unnamed = self.arguments.iter().filter(|argument| argument.name.is_none());
            unnamed.nth(place?)
        };
        named.or_else(unnamed).map(|argument| &argument.value)
    }
}

/// The attribute of that name.
pub(super) fn attribute<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    attributes.iter().find(|attribute| attribute.name.text == name)
}
