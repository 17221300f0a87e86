//! `CREATE TABLE` and its parts as TypeORM's `PostgresQueryRunner` writes them.
//!
//! Invariant: what an option means is what it means there; text goes in unquoted where it does there
//! (defaults, expressions), and an identifier is quoted as there.

/// TypeORM doubles quotes and leaves backslashes alone.
pub(super) use pgfleet_sql::quote_literal_standard as literal;

use super::naming::{constraint_name, hashed};
use super::value::Value;

/// A table as calls name it: text, or an object with `name` and perhaps `schema`.
#[derive(Debug, Clone)]
pub(super) struct Table {
    schema: Option<String>,
    pub(super) name: String,
}

impl Table {
    pub(super) fn of(value: &Value) -> Option<Self> {
        let path = value.text().or_else(|| value.get("name").text())?;
        let own = value.get("schema").filled();
        Some(Self::parse(&path, own))
    }

    fn parse(path: &str, own: Option<String>) -> Self {
        let mut parts = path.split('.');
        match (parts.next(), parts.next()) {
            (Some(schema), Some(name)) => {
                Self { schema: own.or_else(|| Some(schema.to_owned())), name: name.to_owned() }
            }
            _ => Self { schema: own, name: path.to_owned() },
        }
    }

    /// `escapePath`: the schema of the connection, `public` by default, is left out.
    pub(super) fn path(&self) -> String {
        match self.schema.as_deref() {
            Some(schema) if schema != "public" => {
                format!("{}.{}", quote(schema), quote(&self.name))
            }
            _ => quote(&self.name),
        }
    }

    /// An index's name in the schema of the table; here `public` is not left out.
    pub(super) fn beside(&self, name: &str) -> String {
        match &self.schema {
            Some(schema) => format!("{}.{}", quote(schema), quote(name)),
            None => quote(name),
        }
    }

    /// A generated name for something on these columns.
    pub(super) fn generated_name(&self, prefix: &str, columns: &[String]) -> String {
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        constraint_name(prefix, &self.name, &columns)
    }

    /// A generated name for something with an expression.
    pub(super) fn expression_name(&self, prefix: &str, expression: &str) -> String {
        hashed(prefix, &format!("{}_{expression}", self.name))
    }
}

/// TypeORM encloses names and does not look into them; doubling is what it should do.
pub(super) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

pub(super) fn quoted_list(names: &[String]) -> String {
    names.iter().map(|name| quote(name)).collect::<Vec<_>>().join(", ")
}

/// Statements of `createTable`. `None` when an option that is needed has no known form.
pub(super) fn create(value: &Value, if_not_exists: bool) -> Option<Vec<String>> {
    let table = Table::of(value)?;
    let columns = value.get("columns").items();
    let mut sql: Vec<String> = Vec::new();
    for column in columns.iter().filter(|column| is_enum(column)) {
        sql.push(create_enum(&table, column)?);
    }
    sql.push(create_sql(&table, value, if_not_exists)?);
    for column in columns {
        sql.extend(comment_on_column(&table, column));
    }
    for index in value.get("indices").items() {
        sql.push(create_index(&table, index, if_not_exists)?);
    }
    if let Some(comment) = value.get("comment").filled() {
        sql.push(format!("COMMENT ON TABLE {} IS {}", table.path(), literal(&comment)));
    }
    Some(sql)
}

fn create_sql(table: &Table, value: &Value, if_not_exists: bool) -> Option<String> {
    let columns = value.get("columns").items();
    let mut parts: Vec<String> =
        columns.iter().map(|column| column_sql(table, column)).collect::<Option<_>>()?;
    parts.extend(unique_parts(table, value)?);
    for check in value.get("checks").items() {
        parts.push(check_sql(table, check)?);
    }
    for exclusion in value.get("exclusions").items() {
        let expression = exclusion.get("expression").text()?;
        let name = named(exclusion, || table.expression_name("XCL_", &expression));
        parts.push(format!("CONSTRAINT {} EXCLUDE {expression}", quote(&name)));
    }
    for key in value.get("foreignKeys").items() {
        let schema = value.get("schema").filled();
        parts.push(foreign_key_sql(table, key, schema, [", ", " "])?);
    }
    parts.extend(primary_key_part(table, columns)?);
    let guard = if if_not_exists { "IF NOT EXISTS " } else { "" };
    Some(format!("CREATE TABLE {guard}{} ({})", table.path(), parts.join(", ")))
}

/// Unique columns become constraints, after those that are written as such.
fn unique_parts(table: &Table, value: &Value) -> Option<Vec<String>> {
    let written = value.get("uniques").items();
    let mut parts: Vec<_> =
        written.iter().map(|unique| unique_sql(table, unique)).collect::<Option<_>>()?;
    for column in value.get("columns").items().iter().filter(|c| c.get("isUnique").is_true()) {
        let columns = vec![column.get("name").text()?];
        if !written.iter().any(|unique| unique.get("columnNames").texts() == columns) {
            let name = table.generated_name("UQ_", &columns);
            parts.push(format!("CONSTRAINT {} UNIQUE ({})", quote(&name), quoted_list(&columns)));
        }
    }
    Some(parts)
}

fn primary_key_part(table: &Table, columns: &[Value]) -> Option<Option<String>> {
    let primary: Vec<&Value> = columns.iter().filter(|c| c.get("isPrimary").is_true()).collect();
    let Some(first) = primary.first() else { return Some(None) };
    let names: Vec<String> = primary.iter().map(|c| c.get("name").text()).collect::<Option<_>>()?;
    let own = first.get("primaryKeyConstraintName").filled();
    let name = own.unwrap_or_else(|| table.generated_name("PK_", &names));
    Some(Some(format!("CONSTRAINT {} PRIMARY KEY ({})", quote(&name), quoted_list(&names))))
}

/// The given name, or the generated one.
pub(super) fn named(value: &Value, generated: impl FnOnce() -> String) -> String {
    value.get("name").filled().unwrap_or_else(generated)
}

/// `CONSTRAINT … UNIQUE (…)`.
pub(super) fn unique_sql(table: &Table, unique: &Value) -> Option<String> {
    let columns = columns_of(unique)?;
    let name = named(unique, || table.generated_name("UQ_", &columns));
    let text = format!("CONSTRAINT {} UNIQUE ({})", quote(&name), quoted_list(&columns));
    Some(text + &deferrable(unique))
}

/// `CONSTRAINT … CHECK (…)`.
pub(super) fn check_sql(table: &Table, check: &Value) -> Option<String> {
    let expression = check.get("expression").text()?;
    let name = named(check, || table.expression_name("CHK_", &expression));
    Some(format!("CONSTRAINT {} CHECK ({expression})", quote(&name)))
}

/// `CONSTRAINT … FOREIGN KEY …`. The referenced table is in the given schema unless the key names
/// one. TypeORM puts other blanks between and before the columns in `CREATE` than in `ALTER`.
pub(super) fn foreign_key_sql(
    table: &Table,
    key: &Value,
    schema: Option<String>,
    [separator, before_list]: [&str; 2],
) -> Option<String> {
    let columns = columns_of(key)?;
    let name = named(key, || table.generated_name("FK_", &columns));
    let schema = key.get("referencedSchema").filled().or(schema);
    let target = key.get("referencedTableName").text()?;
    let target = Table::parse(&target, schema);
    let referenced: Vec<_> =
        key.get("referencedColumnNames").texts().iter().map(|name| quote(name)).collect();
    let mut text = format!(
        "CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {}{before_list}({})",
        quote(&name),
        quoted_list(&columns),
        target.path(),
        referenced.join(separator),
    );
    for (option, words) in [("onDelete", "ON DELETE"), ("onUpdate", "ON UPDATE")] {
        if let Some(action) = key.get(option).filled() {
            text.push_str(&format!(" {words} {action}"));
        }
    }
    Some(text + &deferrable(key))
}

fn deferrable(value: &Value) -> String {
    value.get("deferrable").filled().map_or_else(String::new, |mode| format!(" DEFERRABLE {mode}"))
}

fn columns_of(value: &Value) -> Option<Vec<String>> {
    Some(value.get("columnNames").texts()).filter(|names| !names.is_empty())
}

/// `CREATE INDEX`, with TypeORM's own blanks.
pub(super) fn create_index(table: &Table, index: &Value, if_not_exists: bool) -> Option<String> {
    let columns = columns_of(index)?;
    let place = index.get("where").filled();
    let name = named(index, || index_name(table, &columns, place.as_deref()));
    let method = match index.get("isSpatial").is_true() {
        true => Some("gist".to_owned()),
        false => index.get("type").filled(),
    };
    Some(format!(
        "CREATE {}INDEX{}{} {} ON {} {} ({}) {}",
        if index.get("isUnique").is_true() { "UNIQUE " } else { "" },
        if index.get("isConcurrent").is_true() { " CONCURRENTLY" } else { "" },
        if if_not_exists { " IF NOT EXISTS" } else { "" },
        quote(&name),
        table.path(),
        method.map_or_else(String::new, |method| format!("USING {method}")),
        quoted_list(&columns),
        place.map_or_else(String::new, |condition| format!("WHERE {condition}")),
    ))
}

/// The condition is part of the key.
pub(super) fn index_name(table: &Table, columns: &[String], condition: Option<&str>) -> String {
    let mut sorted = columns.to_vec();
    sorted.sort_unstable();
    let tail = condition.map_or_else(String::new, |text| format!("_{text}"));
    hashed("IDX_", &format!("{}_{}{tail}", table.name, sorted.join("_")))
}

pub(super) fn is_enum(column: &Value) -> bool {
    matches!(column.get("type").text().as_deref(), Some("enum" | "simple-enum"))
}

/// TypeORM asks first whether the type is there, and leaves an existing one as it is.
pub(super) fn create_enum(table: &Table, column: &Value) -> Option<String> {
    let labels: Vec<_> = column.get("enum").texts().iter().map(|label| literal(label)).collect();
    let name = enum_name(table, column)?;
    let schema = table.schema.as_deref().map_or_else(|| "current_schema()".to_owned(), literal);
    let create = format!("CREATE TYPE {} AS ENUM({})", enum_path(table, &name), labels.join(", "));
    Some(format!(
        "DO $typeorm$ BEGIN IF NOT EXISTS (SELECT FROM pg_type t JOIN pg_namespace n ON n.oid = \
         t.typnamespace WHERE n.nspname = {schema} AND t.typname = {}) THEN {create}; END IF; END \
         $typeorm$",
        literal(&name),
    ))
}

/// `DROP TYPE` of a column's enum.
pub(super) fn drop_enum(table: &Table, column: &Value) -> Option<String> {
    Some(format!("DROP TYPE IF EXISTS {}", enum_path(table, &enum_name(table, column)?)))
}

fn enum_name(table: &Table, column: &Value) -> Option<String> {
    let own = column.get("enumName").filled();
    let name = column.get("name").text()?;
    Some(own.unwrap_or_else(|| format!("{}_{}_enum", table.name, name.to_lowercase())))
}

fn enum_path(table: &Table, name: &str) -> String {
    let parts = table.schema.iter().map(String::as_str).chain(name.split('.'));
    parts.map(quote).collect::<Vec<_>>().join(".")
}

/// `buildCreateColumnSql`.
pub(super) fn column_sql(table: &Table, column: &Value) -> Option<String> {
    let mut sql = quote(&column.get("name").text()?);
    let kind = column.get("type").text()?;
    let generated = column.get("isGenerated").is_true();
    let strategy = column.get("generationStrategy").text().unwrap_or_default();
    if generated && strategy != "uuid" {
        sql.push_str(&generated_type(column, &kind, &strategy));
    }
    if is_enum(column) {
        sql.push_str(&format!(" {}", enum_path(table, &enum_name(table, column)?)));
        sql.push_str(if column.get("isArray").is_true() { " array" } else { "" });
    } else if !generated || kind == "uuid" {
        sql.push_str(&format!(" {}", full_type(column, &kind)));
    }
    if let (Some("STORED"), Some(expression)) =
        (column.get("generatedType").text().as_deref(), column.get("asExpression").filled())
    {
        sql.push_str(&format!(" GENERATED ALWAYS AS ({expression}) STORED"));
    }
    sql.push_str(&column_options(column, generated && strategy == "uuid"));
    Some(sql)
}

fn column_options(column: &Value, uuid: bool) -> String {
    let mut sql = String::new();
    if let Some(collation) = column.get("collation").filled() {
        sql.push_str(&format!(" COLLATE {}", quote(&collation)));
    }
    if !column.get("isNullable").is_true() {
        sql.push_str(" NOT NULL");
    }
    match column.get("default").text() {
        Some(default) => sql.push_str(&format!(" DEFAULT {default}")),
        None if uuid => sql.push_str(" DEFAULT uuid_generate_v4()"),
        None => {}
    }
    sql
}

fn generated_type(column: &Value, kind: &str, strategy: &str) -> String {
    if strategy == "identity" {
        let when = column.get("generatedIdentity").filled();
        let when = when.unwrap_or_else(|| "BY DEFAULT".to_owned());
        return format!(" {kind} GENERATED {when} AS IDENTITY");
    }
    match kind {
        "integer" | "int" | "int4" => " SERIAL".to_owned(),
        "smallint" | "int2" => " SMALLSERIAL".to_owned(),
        "bigint" | "int8" => " BIGSERIAL".to_owned(),
        _ => String::new(),
    }
}

/// `createFullType` of `PostgresDriver.js`.
fn full_type(column: &Value, kind: &str) -> String {
    let option = |name: &str| column.get(name).filled();
    let in_parentheses = match (option("length"), option("precision"), option("scale")) {
        (Some(length), ..) => format!("({length})"),
        (None, Some(precision), Some(scale)) => format!("({precision},{scale})"),
        (None, Some(precision), None) => format!("({precision})"),
        _ => String::new(),
    };
    let precision = option("precision").map_or_else(String::new, |digits| format!("({digits})"));
    let text = match kind {
        "time without time zone" => format!("TIME{precision}"),
        "time with time zone" => format!("TIME{precision} WITH TIME ZONE"),
        "timestamp without time zone" => format!("TIMESTAMP{precision}"),
        "timestamp with time zone" => format!("TIMESTAMP{precision} WITH TIME ZONE"),
        "geometry" | "geography" => match (option("spatialFeatureType"), option("srid")) {
            (Some(feature), Some(srid)) => format!("{kind}({feature},{srid})"),
            (Some(feature), None) => format!("{kind}({feature})"),
            _ => kind.to_owned(),
        },
        _ => format!("{kind}{in_parentheses}"),
    };
    if column.get("isArray").is_true() { format!("{text} array") } else { text }
}

/// The comment of a column, when it has one.
pub(super) fn comment_on_column(table: &Table, column: &Value) -> Option<String> {
    let (name, comment) = (column.get("name").text()?, column.get("comment").filled()?);
    Some(format!("COMMENT ON COLUMN {}.{} IS {}", table.path(), quote(&name), literal(&comment)))
}
