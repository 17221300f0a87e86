//! Migration classes of a TypeScript or JavaScript file, and the SQL of their methods.

use oxc_allocator::Allocator;
use oxc_ast::ast::{
    Argument, CallExpression, Class as ClassNode, ClassElement, Declaration,
    ExportDefaultDeclarationKind, Expression, MethodDefinition, PropertyDefinition, Statement,
    SwitchStatement, VariableDeclaration,
};
use oxc_parser::Parser;
use oxc_span::{GetSpan, SourceType, Span};
use pgfleet_sql::LineIndex;

use super::value::{Names, Unknown, Value, static_key};
use super::{builder, parameters};
use crate::folder::Chunk;
use crate::place::Place;

/// The deepest nesting of brackets that is parsed; migrations need a dozen.
const DEEPEST: usize = 200;

/// The deepest call of one method by another that is followed; migrations need two.
const DEEPEST_CALL: usize = 8;

/// A migration class.
pub(super) struct Class {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) up: Body,
    pub(super) down: Option<Body>,
    pub(super) without_transaction: bool,
}

/// The SQL of a method, as far as it could be read.
#[derive(Default)]
pub(super) struct Body {
    pub(super) chunks: Vec<Chunk>,
    pub(super) opaque: Option<Refusal>,
}

/// Why something could not be read, and where.
pub(super) struct Refusal {
    pub(super) why: String,
    pub(super) place: Place,
}

/// Where a query runner says which database it is connected to.
const TYPE_OF_DATABASE: [&str; 5] = [
    "connection.options.type",
    "connection.driver.options.type",
    "dataSource.options.type",
    "dataSource.driver.options.type",
    "manager.connection.options.type",
];

/// What becomes of the statements after one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Break,
    Return,
}

/// A method that is read.
#[derive(Clone, Copy)]
struct Scene<'s, 'a> {
    class: &'s ClassNode<'a>,
    /// What has a name in the file and the class.
    known: &'s Names,
    /// The parameter that is the query runner.
    runner: &'s str,
    /// How many methods deep it was called.
    depth: usize,
}

fn branches(span: Span) -> Unknown {
    Unknown::new("it branches, repeats or catches", span)
}

/// Finds the migration classes of a file.
///
/// # Errors
/// When the text is not the language that its name says.
pub(super) fn read_classes(text: &str, path: &str, shown: &str) -> Result<Vec<Class>, Refusal> {
    if nesting(text) > DEEPEST {
        let why = format!("brackets are nested more than {DEEPEST} deep");
        return Err(Refusal { why, place: Place::file(shown) });
    }
    let allocator = Allocator::default();
    let kind = SourceType::from_path(path).unwrap_or_default();
    let parsed = Parser::new(&allocator, text, kind).parse();
    let file = File { text, shown, index: LineIndex::new(text) };
    if parsed.panicked {
        let first = parsed.diagnostics.first();
        let why = first.map_or_else(|| "a syntax error".to_owned(), ToString::to_string);
        return Err(Refusal { why, place: Place::file(shown) });
    }
    let names = file_names(&parsed.program.body);
    let classes = parsed.program.body.iter().filter_map(class_of);
    Ok(classes.filter_map(|class| file.read_class(class, &names)).collect())
}

/// Upper bound of the nesting of brackets, those in strings included: the parser recurses.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

struct File<'text> {
    text: &'text str,
    shown: &'text str,
    index: LineIndex<'text>,
}

/// The class that a statement declares or exports.
fn class_of<'tree, 'a>(statement: &'tree Statement<'a>) -> Option<&'tree ClassNode<'a>> {
    match statement {
        Statement::ClassDeclaration(class) => Some(class),
        Statement::ExportDeclaration(export) => match &export.declaration {
            Declaration::ClassDeclaration(class) => Some(class),
            Declaration::VariableDeclaration(variables) => class_in(variables),
            _ => None,
        },
        Statement::ExportDefaultDeclaration(export) => match &export.declaration {
            ExportDefaultDeclarationKind::ClassDeclaration(class) => Some(class),
            _ => None,
        },
        Statement::VariableDeclaration(variables) => class_in(variables),
        Statement::ExpressionStatement(statement) => match &statement.expression {
            Expression::AssignmentExpression(assignment) => class_expression(&assignment.right),
            _ => None,
        },
        _ => None,
    }
}

fn class_in<'tree, 'a>(variables: &'tree VariableDeclaration<'a>) -> Option<&'tree ClassNode<'a>> {
    variables.declarations.iter().find_map(|variable| class_expression(variable.init.as_ref()?))
}

fn class_expression<'tree, 'a>(value: &'tree Expression<'a>) -> Option<&'tree ClassNode<'a>> {
    match value {
        Expression::ClassExpression(class) => Some(class),
        Expression::AssignmentExpression(chain) => class_expression(&chain.right),
        _ => None,
    }
}

/// Constants at the top of a file whose values are known.
fn file_names(statements: &[Statement<'_>]) -> Names {
    let mut names = Names::default();
    for statement in statements {
        match statement {
            Statement::VariableDeclaration(variables) => add_constants(&mut names, variables),
            Statement::ExportDeclaration(export) => {
                if let Declaration::VariableDeclaration(variables) = &export.declaration {
                    add_constants(&mut names, variables);
                }
            }
            _ => {}
        }
    }
    names
}

/// Names that can be assigned again are not known.
fn add_constants(names: &mut Names, variables: &VariableDeclaration<'_>) {
    for variable in variables.declarations.iter().filter(|_| variables.kind.is_const()) {
        let (Some(name), Some(init)) = (variable.id.get_identifier_name(), &variable.init) else {
            continue;
        };
        if let Ok(value) = names.value_of(init) {
            names.0.insert(name.to_string(), value);
        }
    }
}

impl File<'_> {
    /// A class with a method `up`, or nothing.
    fn read_class(&self, class: &ClassNode<'_>, names: &Names) -> Option<Class> {
        let mut names = names.clone();
        let elements = || class.body.body.iter();
        for property in elements().filter_map(as_property) {
            if let (Some(key), Some(value)) = (static_key(&property.key), &property.value)
                && let Ok(value) = names.value_of(value)
            {
                names.0.insert(format!("this.{key}"), value);
            }
        }
        let own_name = names.0.get("this.name").and_then(Value::filled);
        let name = own_name.or_else(|| Some(class.id.as_ref()?.name.to_string()))?;
        Some(Class {
            name,
            place: self.place(class.span),
            up: self.read_method(class, method_of(class, "up")?, &names),
            down: method_of(class, "down").map(|method| self.read_method(class, method, &names)),
            without_transaction: names.0.get("this.transaction") == Some(&Value::Boolean(false)),
        })
    }

    fn read_method(
        &self,
        class: &ClassNode<'_>,
        method: &MethodDefinition<'_>,
        names: &Names,
    ) -> Body {
        let mut body = Body::default();
        let scene = Scene { class, known: names, runner: "", depth: 0 };
        if let Err(unknown) = self.enter(scene, method, names.clone(), &mut body) {
            body.opaque = Some(Refusal { why: unknown.why, place: self.place(unknown.span) });
        }
        body
    }

    /// Reads a method whose first parameter is the query runner.
    fn enter(
        &self,
        scene: Scene<'_, '_>,
        method: &MethodDefinition<'_>,
        mut names: Names,
        body: &mut Body,
    ) -> Result<(), Unknown> {
        let runner = parameter_name(method, 0).unwrap_or_default();
        let Some(block) = &method.value.body else { return Ok(()) };
        for path in TYPE_OF_DATABASE.iter().filter(|_| !runner.is_empty()) {
            names.0.insert(format!("{runner}.{path}"), Value::Text("postgres".to_owned()));
        }
        let scene = Scene { runner: &runner, depth: scene.depth + 1, ..scene };
        self.read_all(&block.statements, scene, &mut names, body).map(|_| ())
    }

    /// `this.method(queryRunner, …)`: another method of the class.
    fn read_own_call(
        &self,
        name: &str,
        call: &CallExpression<'_>,
        scene: Scene<'_, '_>,
        names: &Names,
        body: &mut Body,
    ) -> Result<(), Unknown> {
        let method = method_of(scene.class, name).filter(|_| scene.depth < DEEPEST_CALL);
        let mut arguments = call.arguments.iter();
        let first = arguments.next().and_then(|first| first.as_expression());
        let is_runner =
            matches!(first, Some(Expression::Identifier(id)) if id.name == scene.runner);
        let Some(method) = method.filter(|_| is_runner && !scene.runner.is_empty()) else {
            return Err(Unknown::new("it calls other code", call.span));
        };
        let mut inner = scene.known.clone();
        for (at, argument) in arguments.enumerate() {
            let value = names.argument(Some(argument), call.span)?;
            inner.0.extend(parameter_name(method, at + 1).map(|name| (name, value)));
        }
        self.enter(scene, method, inner, body)
    }

    /// Statements one after another, until one ends them.
    fn read_all(
        &self,
        statements: &[Statement<'_>],
        scene: Scene<'_, '_>,
        names: &mut Names,
        body: &mut Body,
    ) -> Result<Flow, Unknown> {
        for statement in statements {
            let flow = self.read_statement(statement, scene, names, body)?;
            if flow != Flow::On {
                return Ok(flow);
            }
        }
        Ok(Flow::On)
    }

    fn read_statement(
        &self,
        statement: &Statement<'_>,
        scene: Scene<'_, '_>,
        names: &mut Names,
        body: &mut Body,
    ) -> Result<Flow, Unknown> {
        match statement {
            Statement::EmptyStatement(_) => Ok(Flow::On),
            Statement::ExpressionStatement(expression) => {
                self.read_expression(&expression.expression, scene, names, body)?;
                Ok(Flow::On)
            }
            Statement::ReturnStatement(ending) => {
                if let Some(value) = &ending.argument {
                    self.read_expression(value, scene, names, body)?;
                }
                Ok(Flow::Return)
            }
            Statement::BreakStatement(ending) if ending.label.is_none() => Ok(Flow::Break),
            Statement::VariableDeclaration(variables) => {
                let known = names.0.len();
                add_constants(names, variables);
                let all = variables.declarations.len();
                if variables.kind.is_const() && names.0.len() >= known + all {
                    return Ok(Flow::On);
                }
                Err(Unknown::new("a variable's value is computed", variables.span))
            }
            Statement::BlockStatement(block) => {
                self.read_all(&block.body, scene, &mut names.clone(), body)
            }
            Statement::IfStatement(branch) => match names.value_of(&branch.test) {
                Ok(test) if test.is_true() => {
                    self.read_statement(&branch.consequent, scene, names, body)
                }
                Ok(_) => match &branch.alternate {
                    Some(other) => self.read_statement(other, scene, names, body),
                    None => Ok(Flow::On),
                },
                Err(_) => Err(branches(branch.span)),
            },
            Statement::SwitchStatement(switch) => self.read_switch(switch, scene, names, body),
            other => Err(branches(other.span())),
        }
    }

    /// The case of a known value, and those that it falls through to.
    fn read_switch(
        &self,
        switch: &SwitchStatement<'_>,
        scene: Scene<'_, '_>,
        names: &Names,
        body: &mut Body,
    ) -> Result<Flow, Unknown> {
        let unknown = |_| branches(switch.span);
        let value = names.operand(&switch.discriminant).map_err(unknown)?;
        let mut start = switch.cases.iter().position(|case| case.test.is_none());
        for (at, case) in switch.cases.iter().enumerate() {
            let Some(test) = &case.test else { continue };
            let test = names.operand(test).map_err(unknown)?;
            if value.equals(&test, switch.span).map_err(unknown)? {
                start = Some(at);
                break;
            }
        }
        let mut inner = names.clone();
        for case in switch.cases.iter().skip(start.unwrap_or(switch.cases.len())) {
            match self.read_all(&case.consequent, scene, &mut inner, body)? {
                Flow::On => {}
                Flow::Break => return Ok(Flow::On),
                Flow::Return => return Ok(Flow::Return),
            }
        }
        Ok(Flow::On)
    }

    fn read_expression(
        &self,
        expression: &Expression<'_>,
        scene: Scene<'_, '_>,
        names: &Names,
        body: &mut Body,
    ) -> Result<(), Unknown> {
        match expression.get_inner_expression() {
            Expression::AwaitExpression(wait) => {
                self.read_expression(&wait.argument, scene, names, body)
            }
            Expression::CallExpression(call) => self.read_call(call, scene, names, body),
            Expression::NullLiteral(_) | Expression::StringLiteral(_) => Ok(()),
            Expression::Identifier(name) if name.name == "undefined" => Ok(()),
            other => Err(Unknown::new("it does something besides queries", other.span())),
        }
    }

    fn read_call(
        &self,
        call: &CallExpression<'_>,
        scene: Scene<'_, '_>,
        names: &Names,
        body: &mut Body,
    ) -> Result<(), Unknown> {
        let callee = self.text.get(range(call.callee.span())).unwrap_or_default();
        if callee.starts_with("console.") || callee == "Promise.resolve" {
            return Ok(());
        }
        let own = callee.strip_prefix("this.").filter(|name| !name.contains('.'));
        if let Some(own) = own {
            return self.read_own_call(own, call, scene, names, body);
        }
        let method = callee.strip_prefix(scene.runner).and_then(|rest| rest.strip_prefix('.'));
        match method.map(|method| method.trim_start_matches("manager.")) {
            Some("query") => body.chunks.push(self.query_chunk(call, names)?),
            Some(method) if !scene.runner.is_empty() && !method.contains('.') => {
                let values = call.arguments.iter();
                let values = values.map(|value| names.argument(Some(value), call.span));
                let values: Vec<Value> = values.collect::<Result<_, _>>()?;
                let sql = builder::statements(method, &values).ok_or_else(|| {
                    let why = format!("what {method} does depends on the database");
                    Unknown::new(why, call.span)
                })?;
                body.chunks.extend(sql.into_iter().map(|sql| self.computed(sql, call.span)));
            }
            _ => return Err(Unknown::new("it calls other code", call.span)),
        }
        Ok(())
    }

    /// `query(text)` or `query(text, [values])`.
    fn query_chunk(&self, call: &CallExpression<'_>, names: &Names) -> Result<Chunk, Unknown> {
        let text = names.argument(call.arguments.first(), call.span)?;
        let Value::Text(sql) = text else {
            return Err(Unknown::new("the query is not text", call.span));
        };
        let values = names.argument(call.arguments.get(1), call.span)?;
        if !values.items().is_empty() {
            let filled = parameters::fill(&sql, values.items());
            let why = "a parameter has no simple value";
            let sql = filled.ok_or_else(|| Unknown::new(why, call.span))?;
            return Ok(self.computed(sql, call.span));
        }
        Ok(match call.arguments.first().and_then(|argument| self.verbatim(argument, &sql)) {
            Some(chunk) => chunk,
            None => self.computed(sql, call.span),
        })
    }

    /// The text stands in the file as it is, between two quotes.
    fn verbatim(&self, argument: &Argument<'_>, sql: &str) -> Option<Chunk> {
        let range = range(argument.span());
        let inside = range.start + 1..range.end.checked_sub(1)?;
        let same = self.text.get(inside.clone())? == sql;
        let place = self.place_at(inside.start);
        same.then(|| Chunk { sql: sql.to_owned(), place, verbatim: true })
    }

    fn computed(&self, sql: String, span: Span) -> Chunk {
        Chunk { sql, place: self.place(span), verbatim: false }
    }

    fn place(&self, span: Span) -> Place {
        self.place_at(span.start as usize)
    }

    fn place_at(&self, offset: usize) -> Place {
        let position = self.index.position(offset);
        Place::at(self.shown, position.line, position.column)
    }
}

fn range(span: Span) -> std::ops::Range<usize> {
    span.start as usize..span.end as usize
}

fn as_property<'tree, 'a>(
    element: &'tree ClassElement<'a>,
) -> Option<&'tree PropertyDefinition<'a>> {
    match element {
        ClassElement::PropertyDefinition(property) if !property.r#static => Some(property),
        _ => None,
    }
}

fn as_method<'tree, 'a>(element: &'tree ClassElement<'a>) -> Option<&'tree MethodDefinition<'a>> {
    match element {
        ClassElement::MethodDefinition(method) if !method.r#static => Some(method),
        _ => None,
    }
}

fn method_of<'tree, 'a>(
    class: &'tree ClassNode<'a>,
    name: &str,
) -> Option<&'tree MethodDefinition<'a>> {
    let mut methods = class.body.body.iter().filter_map(as_method);
    methods.find(|method| static_key(&method.key).as_deref() == Some(name))
}

fn parameter_name(method: &MethodDefinition<'_>, at: usize) -> Option<String> {
    let parameter = method.value.params.items.get(at)?;
    parameter.pattern.get_identifier_name().map(|name| name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deep_code_is_refused_and_long_sums_are_read() {
        let deep = format!("const a = {}1{};", "(".repeat(5000), ")".repeat(5000));
        assert!(read_classes(&deep, "a.ts", "a.ts").is_err());
        let nested = format!("const a = {}1{};", "[".repeat(DEEPEST), "]".repeat(DEEPEST));
        assert!(read_classes(&nested, "a.ts", "a.ts").is_ok());

        let sum = vec!["'x'"; 5000].join(" + ");
        let class = format!("class A1700000000000 {{ up(q) {{ q.query({sum}) }} }}");
        let classes = read_classes(&class, "a.ts", "a.ts");
        let chunks = classes.map(|mut classes| classes.remove(0).up.chunks);
        assert_eq!(chunks.map(|chunks| chunks[0].sql.len()).ok(), Some(5000));
    }
}
