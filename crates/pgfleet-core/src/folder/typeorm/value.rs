//! Literal values of JavaScript: what an expression is, when that can be told without running it.

use std::collections::BTreeMap;

use oxc_ast::ast::{
    Argument, ArrayExpression, BinaryExpression, BinaryOperator, Expression, ObjectExpression,
    ObjectPropertyKind, PropertyKey, TemplateLiteral, UnaryOperator,
};
use oxc_span::{GetSpan, Span};

/// A value that is known.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// `null` and `undefined`.
    Nothing,
    Boolean(bool),
    /// As it is printed.
    Number(String),
    Text(String),
    List(Vec<Value>),
    Object(BTreeMap<String, Value>),
}

/// Why an expression is not known, and where.
#[derive(Debug, Clone)]
pub(super) struct Unknown {
    pub(super) why: String,
    pub(super) span: Span,
}

impl Unknown {
    pub(super) fn new(why: impl Into<String>, span: Span) -> Self {
        Self { why: why.into(), span }
    }
}

/// Names with known values: constants of the file, of the method, and `this.NAME` of the class.
#[derive(Debug, Clone, Default)]
pub(super) struct Names(pub(super) BTreeMap<String, Value>);

impl Names {
    /// The value of an expression.
    pub(super) fn value_of(&self, expression: &Expression<'_>) -> Result<Value, Unknown> {
        let span = expression.span();
        match expression.get_inner_expression() {
            Expression::StringLiteral(text) => Ok(Value::Text(text.value.to_string())),
            Expression::NumericLiteral(number) => Ok(Value::Number(print_number(number.value))),
            Expression::BooleanLiteral(boolean) => Ok(Value::Boolean(boolean.value)),
            Expression::NullLiteral(_) => Ok(Value::Nothing),
            Expression::TemplateLiteral(template) => self.template(template),
            Expression::ArrayExpression(array) => self.list(array),
            Expression::ObjectExpression(object) => self.object(object),
            Expression::Identifier(name) if name.name == "undefined" => Ok(Value::Nothing),
            Expression::Identifier(name) => self.named(&name.name, span),
            Expression::StaticMemberExpression(member)
                if matches!(member.object, Expression::ThisExpression(_)) =>
            {
                self.named(&format!("this.{}", member.property.name), span)
            }
            member @ Expression::StaticMemberExpression(_) => {
                let found = path(member).and_then(|path| self.0.get(&path).cloned());
                found.ok_or_else(|| Unknown::new("a value is computed", span))
            }
            Expression::NewExpression(new) => self.argument(new.arguments.first(), span),
            Expression::BinaryExpression(sum) if sum.operator == BinaryOperator::Addition => {
                self.concatenation(sum)
            }
            Expression::BinaryExpression(pair) => self.comparison(pair),
            Expression::UnaryExpression(not) if not.operator == UnaryOperator::LogicalNot => {
                Ok(Value::Boolean(!self.value_of(&not.argument)?.is_true()))
            }
            Expression::UnaryExpression(minus)
                if minus.operator == UnaryOperator::UnaryNegation =>
            {
                Ok(Value::Number(format!("-{}", self.value_of(&minus.argument)?.print(span)?)))
            }
            _ => Err(Unknown::new("a value is computed", span)),
        }
    }

    /// Sums lean to the left, sometimes thousands of terms deep, so this one does not recurse.
    fn concatenation(&self, sum: &BinaryExpression<'_>) -> Result<Value, Unknown> {
        let mut terms = vec![&sum.right];
        let mut rest = &sum.left;
        while let Expression::BinaryExpression(inner) = rest
            && inner.operator == BinaryOperator::Addition
        {
            terms.push(&inner.right);
            rest = &inner.left;
        }
        terms.push(rest);
        let printed = terms.iter().rev().map(|term| self.value_of(term)?.print(term.span()));
        printed.collect::<Result<String, _>>().map(Value::Text)
    }

    /// What is compared: a value, or the name of a database in an enumeration of them that stands elsewhere.
    pub(super) fn operand(&self, expression: &Expression<'_>) -> Result<Value, Unknown> {
        let value = self.value_of(expression);
        value.or_else(|unknown| database_named(expression).map(Value::Text).ok_or(unknown))
    }

    fn comparison(&self, pair: &BinaryExpression<'_>) -> Result<Value, Unknown> {
        use BinaryOperator::{Equality, Inequality, StrictEquality, StrictInequality};
        let wanted = match pair.operator {
            Equality | StrictEquality => true,
            Inequality | StrictInequality => false,
            _ => return Err(Unknown::new("a value is computed", pair.span)),
        };
        let (left, right) = (self.operand(&pair.left)?, self.operand(&pair.right)?);
        Ok(Value::Boolean(left.equals(&right, pair.span)? == wanted))
    }

    fn named(&self, name: &str, span: Span) -> Result<Value, Unknown> {
        let found = self.0.get(name).cloned();
        found.ok_or_else(|| Unknown::new(format!("the value of {name} is not in this file"), span))
    }

    /// The value of an argument; a missing one is nothing.
    pub(super) fn argument(
        &self,
        argument: Option<&Argument<'_>>,
        span: Span,
    ) -> Result<Value, Unknown> {
        match argument {
            None => Ok(Value::Nothing),
            Some(argument) => match argument.as_expression() {
                Some(expression) => self.value_of(expression),
                None => Err(Unknown::new("arguments are spread", span)),
            },
        }
    }

    fn template(&self, template: &TemplateLiteral<'_>) -> Result<Value, Unknown> {
        let mut text = String::new();
        for (index, part) in template.quasis.iter().enumerate() {
            match &part.value.cooked {
                Some(cooked) => text.push_str(cooked.as_str()),
                None => return Err(Unknown::new("an escape is not valid", part.span)),
            }
            if let Some(hole) = template.expressions.get(index) {
                text.push_str(&self.value_of(hole)?.print(hole.span())?);
            }
        }
        Ok(Value::Text(text))
    }

    fn list(&self, array: &ArrayExpression<'_>) -> Result<Value, Unknown> {
        let items = array.elements.iter().map(|element| match element.as_expression() {
            Some(expression) => self.value_of(expression),
            None => Err(Unknown::new("a list is spread", element.span())),
        });
        items.collect::<Result<_, _>>().map(Value::List)
    }

    fn object(&self, object: &ObjectExpression<'_>) -> Result<Value, Unknown> {
        let mut fields = BTreeMap::new();
        for property in &object.properties {
            let ObjectPropertyKind::ObjectProperty(property) = property else {
                return Err(Unknown::new("an object is spread", property.span()));
            };
            let Some(key) = static_key(&property.key).filter(|_| !property.computed) else {
                return Err(Unknown::new("a property's name is computed", property.span));
            };
            fields.insert(key, self.value_of(&property.value)?);
        }
        Ok(Value::Object(fields))
    }
}

/// TypeORM's databases (`DatabaseType.d.ts` of the npm package typeorm, 1.1).
const DATABASES: [&str; 19] = [
    "mysql",
    "postgres",
    "cockroachdb",
    "sap",
    "mariadb",
    "sqlite",
    "cordova",
    "react-native",
    "nativescript",
    "sqljs",
    "oracle",
    "mssql",
    "mongodb",
    "aurora-mysql",
    "aurora-postgres",
    "expo",
    "better-sqlite3",
    "capacitor",
    "spanner",
];

/// `better-sqlite3` of `DatabaseType.betterSqlite3`.
fn database_named(expression: &Expression<'_>) -> Option<String> {
    let Expression::StaticMemberExpression(member) = expression.get_inner_expression() else {
        return None;
    };
    let Expression::Identifier(_) = &member.object else { return None };
    let plain = |name: &str| name.replace(['-', '_'], "").to_ascii_lowercase();
    let name = plain(&member.property.name);
    DATABASES.iter().find(|known| plain(known) == name).map(|known| (*known).to_owned())
}

/// `a.b.c`, written out.
fn path(expression: &Expression<'_>) -> Option<String> {
    match expression {
        Expression::Identifier(name) => Some(name.name.to_string()),
        Expression::StaticMemberExpression(member) => {
            Some(format!("{}.{}", path(&member.object)?, member.property.name))
        }
        _ => None,
    }
}

/// The name of a property that is written out.
pub(super) fn static_key(key: &PropertyKey<'_>) -> Option<String> {
    match key {
        PropertyKey::StaticIdentifier(name) => Some(name.name.to_string()),
        PropertyKey::StringLiteral(text) => Some(text.value.to_string()),
        _ => None,
    }
}

/// As JavaScript prints it, for the numbers that migrations hold.
fn print_number(number: f64) -> String {
    number.to_string()
}

impl Value {
    /// The value in a template literal or a concatenation.
    pub(super) fn print(&self, span: Span) -> Result<String, Unknown> {
        match self {
            Self::Text(text) | Self::Number(text) => Ok(text.clone()),
            Self::Boolean(boolean) => Ok(boolean.to_string()),
            _ => Err(Unknown::new("a value that is no text is put into text", span)),
        }
    }

    /// True for the same text, number or boolean; how others compare is not known.
    pub(super) fn equals(&self, other: &Value, span: Span) -> Result<bool, Unknown> {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) | (Self::Number(a), Self::Number(b)) => Ok(a == b),
            (Self::Boolean(a), Self::Boolean(b)) => Ok(a == b),
            _ => Err(Unknown::new("values of two types are compared", span)),
        }
    }

    /// A field of an object.
    pub(super) fn get(&self, name: &str) -> &Value {
        match self {
            Self::Object(fields) => fields.get(name).unwrap_or(&Value::Nothing),
            _ => &Value::Nothing,
        }
    }

    /// Text or number, as SQL takes it.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text.clone()),
            Self::Boolean(boolean) => Some(boolean.to_string()),
            _ => None,
        }
    }

    /// Text that is not empty.
    pub(super) fn filled(&self) -> Option<String> {
        self.text().filter(|text| !text.is_empty())
    }

    /// As a condition.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Boolean(boolean) => *boolean,
            Self::Number(number) => number != "0",
            Self::Text(text) => !text.is_empty(),
            Self::List(_) | Self::Object(_) => true,
        }
    }

    /// The items of a list; none for anything else.
    pub(super) fn items(&self) -> &[Value] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// The items of a list as texts.
    pub(super) fn texts(&self) -> Vec<String> {
        self.items().iter().filter_map(Value::text).collect()
    }
}
