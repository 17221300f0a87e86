//! Tokens become declarations. Fields, values and properties each end with their line; inside
//! parentheses and brackets line ends mean nothing.

use super::SchemaError;
use super::lexer::{Token, tokens};
use super::syntax::{
    Argument, Arity, Attribute, Datasource, Declaration, Enum, EnumValue, Expression,
    ExpressionKind, Field, FieldType, Model, Name, Position,
};

/// How deep lists and calls may be nested.
const DEPTH_MAX: usize = 32;

type Parsed<T> = Result<T, SchemaError>;

/// Reads one file.
///
/// # Errors
/// One for each declaration that cannot be read.
pub(super) fn parse(text: &str, file: usize) -> Result<Vec<Declaration>, Vec<SchemaError>> {
    let tokens = tokens(text, file).map_err(|error| vec![error])?;
    let mut parser = Parser { tokens, next: 0 };
    let (mut declarations, mut errors) = (Vec::new(), Vec::new());
    loop {
        parser.skip_line_ends();
        if parser.peek().is_none() {
            break;
        }
        match parser.declaration() {
            Ok(declaration) => declarations.push(declaration),
            Err(error) => {
                errors.push(error);
                parser.skip_block();
            }
        }
    }
    if errors.is_empty() { Ok(declarations) } else { Err(errors) }
}

struct Parser {
    tokens: Vec<(Token, Position)>,
    next: usize,
}

/// A line of a block.
enum Line {
    Attribute(Attribute),
    Name(Name),
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(token, _)| token)
    }

    fn at(&self) -> Position {
        let last = self.tokens.len().saturating_sub(1);
        self.tokens.get(self.next.min(last)).map(|(_, at)| *at).unwrap_or_default()
    }

    fn take(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.next += 1;
        token
    }

    fn skip_line_ends(&mut self) {
        while self.peek() == Some(&Token::LineEnd) {
            self.next += 1;
        }
    }

    /// After an error: goes on behind the next line that begins with a closing brace.
    fn skip_block(&mut self) {
        while let Some(token) = self.take() {
            if token == Token::LineEnd && self.peek() == Some(&Token::Symbol('}')) {
                self.next += 1;
                return;
            }
        }
    }

    fn fail<T>(&self, message: impl Into<String>) -> Parsed<T> {
        Err(SchemaError::new(message, self.at()))
    }

    fn symbol(&mut self, symbol: char) -> Parsed<()> {
        if self.eat(symbol) { Ok(()) } else { self.fail(format!("expected {symbol:?}")) }
    }

    fn eat(&mut self, symbol: char) -> bool {
        let there = self.peek() == Some(&Token::Symbol(symbol));
        self.next += usize::from(there);
        there
    }

    fn line_end(&mut self) -> Parsed<()> {
        if self.peek() == Some(&Token::LineEnd) {
            self.next += 1;
            return Ok(());
        }
        self.fail("expected the end of the line")
    }

    fn name(&mut self, what: &str) -> Parsed<Name> {
        let at = self.at();
        match self.peek().cloned() {
            Some(Token::Word(text)) => {
                self.next += 1;
                Ok(Name { text, at })
            }
            _ => self.fail(format!("expected {what}")),
        }
    }

    fn declaration(&mut self) -> Parsed<Declaration> {
        let keyword = self.name("a model, enum, view, datasource or generator")?;
        let name = self.name(&format!("the name of the {}", keyword.text))?;
        if keyword.text == "type" && self.peek() == Some(&Token::Symbol('=')) {
            return Err(SchemaError::new("type aliases are no longer part of Prisma", keyword.at));
        }
        self.symbol('{')?;
        self.line_end()?;
        match keyword.text.as_str() {
            "model" => self.model(name, false).map(Declaration::Model),
            "view" => self.model(name, true).map(Declaration::Model),
            "enum" => self.enumeration(name).map(Declaration::Enum),
            "datasource" => self.datasource(name.at).map(Declaration::Datasource),
            "generator" => self.properties().map(|_| Declaration::Generator),
            "type" => Err(SchemaError::new(
                "composite types exist for MongoDB only, not for PostgreSQL",
                keyword.at,
            )),
            other => Err(SchemaError::new(format!("{other:?} begins no declaration"), keyword.at)),
        }
    }

    /// The next line of a block, as far as its name; `None` at the end of the block.
    fn line(&mut self) -> Parsed<Option<Line>> {
        self.skip_line_ends();
        if self.eat('}') {
            return Ok(None);
        }
        if self.peek() == Some(&Token::AtAt) {
            self.next += 1;
            let attribute = self.attribute()?;
            self.line_end()?;
            return Ok(Some(Line::Attribute(attribute)));
        }
        if self.peek().is_none() {
            return self.fail("expected '}': the block does not end");
        }
        self.name("a name, an attribute or '}'").map(|name| Some(Line::Name(name)))
    }

    fn model(&mut self, name: Name, is_view: bool) -> Parsed<Model> {
        let (mut fields, mut attributes) = (Vec::new(), Vec::new());
        while let Some(line) = self.line()? {
            match line {
                Line::Attribute(attribute) => attributes.push(attribute),
                Line::Name(name) => fields.push(self.field(name)?),
            }
        }
        Ok(Model { name, is_view, fields, attributes })
    }

    fn enumeration(&mut self, name: Name) -> Parsed<Enum> {
        let (mut values, mut attributes) = (Vec::new(), Vec::new());
        while let Some(line) = self.line()? {
            match line {
                Line::Attribute(attribute) => attributes.push(attribute),
                Line::Name(name) => {
                    let attributes = self.field_attributes()?;
                    self.line_end()?;
                    values.push(EnumValue { name, attributes });
                }
            }
        }
        Ok(Enum { name, values, attributes })
    }

    fn datasource(&mut self, at: Position) -> Parsed<Datasource> {
        self.properties().map(|properties| Datasource { at, properties })
    }

    fn properties(&mut self) -> Parsed<Vec<(Name, Expression)>> {
        let mut properties = Vec::new();
        while let Some(line) = self.line()? {
            let Line::Name(name) = line else { return self.fail("expected a property") };
            self.symbol('=')?;
            let value = self.expression(0)?;
            self.line_end()?;
            properties.push((name, value));
        }
        Ok(properties)
    }

    fn field(&mut self, name: Name) -> Parsed<Field> {
        self.eat(':');
        let kind = self.field_type()?;
        let arity = self.arity()?;
        let attributes = self.field_attributes()?;
        self.line_end()?;
        Ok(Field { name, kind, arity, attributes })
    }

    fn field_type(&mut self) -> Parsed<FieldType> {
        let name = self.name("a type")?;
        if name.text != "Unsupported" {
            return Ok(FieldType::Named(name));
        }
        self.symbol('(')?;
        let Some(Token::Text(text)) = self.take() else {
            return Err(SchemaError::new("Unsupported takes the type as a text", name.at));
        };
        self.symbol(')')?;
        Ok(FieldType::Unsupported(text))
    }

    fn arity(&mut self) -> Parsed<Arity> {
        if self.eat('?') {
            return Ok(Arity::Optional);
        }
        if !self.eat('[') {
            return Ok(Arity::Required);
        }
        self.symbol(']')?;
        if self.eat('?') {
            return self.fail("a list cannot be optional: remove the `?`");
        }
        Ok(Arity::List)
    }

    fn field_attributes(&mut self) -> Parsed<Vec<Attribute>> {
        let mut attributes = Vec::new();
        while self.peek() == Some(&Token::At) {
            self.next += 1;
            attributes.push(self.attribute()?);
        }
        Ok(attributes)
    }

    fn attribute(&mut self) -> Parsed<Attribute> {
        let name = self.path("the name of an attribute")?;
        let arguments = if self.eat('(') { self.arguments(0)? } else { Vec::new() };
        Ok(Attribute { name, arguments })
    }

    fn path(&mut self, what: &str) -> Parsed<Name> {
        let mut name = self.name(what)?;
        while self.eat('.') {
            name.text.push('.');
            name.text.push_str(&self.name("a name after the dot")?.text);
        }
        Ok(name)
    }

    /// Behind the opening parenthesis, through the closing one.
    fn arguments(&mut self, depth: usize) -> Parsed<Vec<Argument>> {
        let mut arguments = Vec::new();
        loop {
            self.skip_line_ends();
            if self.eat(')') {
                return Ok(arguments);
            }
            arguments.push(self.argument(depth)?);
            self.skip_line_ends();
            if !self.eat(',') {
                self.symbol(')')?;
                return Ok(arguments);
            }
        }
    }

    fn argument(&mut self, depth: usize) -> Parsed<Argument> {
        let named = matches!(self.peek(), Some(Token::Word(_)))
            && self.tokens.get(self.next + 1).is_some_and(|(t, _)| *t == Token::Symbol(':'));
        let mut name = None;
        if named {
            name = Some(self.name("a name")?.text);
            self.symbol(':')?;
            self.skip_line_ends();
        }
        Ok(Argument { name, value: self.expression(depth)? })
    }

    fn expression(&mut self, depth: usize) -> Parsed<Expression> {
        if depth > DEPTH_MAX {
            return self.fail(format!("nested deeper than {DEPTH_MAX} levels"));
        }
        let at = self.at();
        let kind = match self.peek().cloned() {
            Some(Token::Number(number)) => self.literal(ExpressionKind::Number(number)),
            Some(Token::Text(text)) => self.literal(ExpressionKind::Text(text)),
            Some(Token::Symbol('[')) => self.list(depth)?,
            Some(Token::Symbol('{')) => self.object(depth)?,
            Some(Token::Word(_)) => {
                let path = self.path("a value")?.text;
                if self.eat('(') {
                    ExpressionKind::Call(path, self.arguments(depth + 1)?)
                } else {
                    ExpressionKind::Word(path)
                }
            }
            _ => return self.fail("expected a value"),
        };
        Ok(Expression { kind, at })
    }

    fn literal(&mut self, kind: ExpressionKind) -> ExpressionKind {
        self.next += 1;
        kind
    }

    fn list(&mut self, depth: usize) -> Parsed<ExpressionKind> {
        self.symbol('[')?;
        let mut items = Vec::new();
        loop {
            self.skip_line_ends();
            if self.eat(']') {
                return Ok(ExpressionKind::List(items));
            }
            items.push(self.expression(depth + 1)?);
            self.skip_line_ends();
            if !self.eat(',') {
                self.symbol(']')?;
                return Ok(ExpressionKind::List(items));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Parsed<ExpressionKind> {
        self.symbol('{')?;
        let mut members = Vec::new();
        loop {
            self.skip_line_ends();
            if self.eat('}') {
                return Ok(ExpressionKind::Object(members));
            }
            let name = self.name("the name of a field")?;
            self.symbol(':')?;
            members.push((name, self.expression(depth + 1)?));
            self.skip_line_ends();
            if !self.eat(',') {
                self.symbol('}')?;
                return Ok(ExpressionKind::Object(members));
            }
        }
    }
}
