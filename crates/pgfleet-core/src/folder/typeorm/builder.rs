//! Calls of TypeORM's query runner with known arguments, as SQL.
//!
//! Calls whose SQL depends on what the database holds (`changeColumn`, `renameColumn`,
//! `renameTable`, reading calls) are not among them: such a migration is opaque. Dropping a table or
//! column drops what hangs on it without naming it first, as TypeORM would.

use super::table::{
    Table, check_sql, column_sql, comment_on_column, create, create_enum, create_index, drop_enum,
    foreign_key_sql, index_name, is_enum, literal, named, quote, quoted_list, unique_sql,
};
use super::value::Value;

/// The statements of a call; `None` when they cannot be told.
pub(super) fn statements(method: &str, arguments: &[Value]) -> Option<Vec<String>> {
    let argument = |index: usize| arguments.get(index).unwrap_or(&Value::Nothing);
    match method {
        "createTable" => create(argument(0), argument(1).is_true()),
        "createSchema" | "dropSchema" => schema(method, argument(0), argument(1), argument(2)),
        "dropTable" => drop_table(argument(0), argument(1)),
        "clearTable" => Some(vec![format!("TRUNCATE TABLE {}", Table::of(argument(0))?.path())]),
        "createView" | "dropView" => view(method, argument(0), argument(1)),
        "changeTableComment" => comment_on_table(&Table::of(argument(0))?, argument(1)),
        _ => on_table(method, &Table::of(argument(0))?, arguments),
    }
}

fn schema(method: &str, name: &Value, guard: &Value, cascade: &Value) -> Option<Vec<String>> {
    let path = name.text()?;
    let schema = path.rsplit('.').next().unwrap_or(&path);
    let guarded = guard.is_true();
    Some(vec![if method == "createSchema" {
        format!("CREATE SCHEMA {}{}", if guarded { "IF NOT EXISTS " } else { "" }, quote(schema))
    } else {
        let tail = if cascade.is_true() { " CASCADE" } else { "" };
        format!("DROP SCHEMA {}{}{tail}", if guarded { "IF EXISTS " } else { "" }, quote(schema))
    }])
}

fn drop_table(table: &Value, if_exists: &Value) -> Option<Vec<String>> {
    let guard = if if_exists.is_true() { "IF EXISTS " } else { "" };
    Some(vec![format!("DROP TABLE {guard}{}", Table::of(table)?.path())])
}

/// Views whose definitions TypeORM keeps in a table of its own are left to it.
fn view(method: &str, view: &Value, flag: &Value) -> Option<Vec<String>> {
    let name = Table::of(view)?.path();
    let kind = if view.get("materialized").is_true() { "MATERIALIZED VIEW" } else { "VIEW" };
    match method {
        "createView" if !flag.is_true() => {
            let expression = view.get("expression").text()?;
            Some(vec![format!("CREATE {kind} {name} AS {expression}")])
        }
        _ => None,
    }
}

/// Calls whose first argument is a table: one thing, or a list of them.
fn on_table(method: &str, table: &Table, arguments: &[Value]) -> Option<Vec<String>> {
    let subject = arguments.get(1)?;
    let guard = if arguments.get(2).is_some_and(Value::is_true) { "IF EXISTS " } else { "" };
    let one: fn(&Table, &Value, &str) -> Option<Vec<String>> = match method.trim_end_matches('s') {
        "addColumn" => |table, column, _| add_column(table, column),
        "dropColumn" => drop_column,
        "createIndex" | "createIndice" => |t, index, _| Some(vec![create_index(t, index, false)?]),
        "dropIndex" | "dropIndice" => drop_index,
        "createForeignKey" => |t, key, _| add(t, foreign_key_sql(t, key, None, [",", ""])?),
        "createUniqueConstraint" => |t, unique, _| add(t, unique_sql(t, unique)?),
        "createCheckConstraint" => |t, check, _| add(t, check_sql(t, check)?),
        "dropForeignKey" => |t, key, guard| drop_constraint(t, key, "FK_", guard),
        "dropUniqueConstraint" => |t, unique, guard| drop_constraint(t, unique, "UQ_", guard),
        "dropCheckConstraint" => drop_check,
        "createPrimaryKey" => return create_primary_key(table, subject, arguments.get(2)),
        "dropPrimaryKey" => return drop_named(table, &subject.filled()?, guard),
        _ => return None,
    };
    match (method.ends_with('s'), subject) {
        (true, Value::List(items)) => {
            let each = items.iter().map(|item| one(table, item, guard));
            each.collect::<Option<Vec<_>>>().map(|lists| lists.concat())
        }
        (false, _) => one(table, subject, guard),
        (true, _) => None,
    }
}

/// A primary column changes the table's key, which the database alone knows.
fn add_column(table: &Table, column: &Value) -> Option<Vec<String>> {
    if column.get("isPrimary").is_true() {
        return None;
    }
    let mut sql = Vec::new();
    if is_enum(column) {
        sql.push(create_enum(table, column)?);
    }
    sql.push(format!("ALTER TABLE {} ADD {}", table.path(), column_sql(table, column)?));
    if column.get("isUnique").is_true() {
        let columns = vec![column.get("name").text()?];
        let name = table.generated_name("UQ_", &columns);
        let columns = quoted_list(&columns);
        sql.extend(add(table, format!("CONSTRAINT {} UNIQUE ({columns})", quote(&name)))?);
    }
    sql.extend(comment_on_column(table, column));
    Some(sql)
}

fn drop_column(table: &Table, column: &Value, guard: &str) -> Option<Vec<String>> {
    let name = column.text().or_else(|| column.get("name").text())?;
    let mut sql = vec![format!("ALTER TABLE {} DROP COLUMN {guard}{}", table.path(), quote(&name))];
    if is_enum(column) {
        sql.push(drop_enum(table, column)?);
    }
    Some(sql)
}

fn drop_index(table: &Table, index: &Value, guard: &str) -> Option<Vec<String>> {
    let columns = index.get("columnNames").texts();
    let condition = index.get("where").filled();
    let name = index
        .text()
        .unwrap_or_else(|| named(index, || index_name(table, &columns, condition.as_deref())));
    let way = if index.get("isConcurrent").is_true() { "CONCURRENTLY " } else { "" };
    Some(vec![format!("DROP INDEX {way}{guard}{}", table.beside(&name))])
}

fn add(table: &Table, constraint: String) -> Option<Vec<String>> {
    Some(vec![format!("ALTER TABLE {} ADD {constraint}", table.path())])
}

fn drop_constraint(table: &Table, value: &Value, prefix: &str, guard: &str) -> Option<Vec<String>> {
    let columns = value.get("columnNames").texts();
    let name =
        value.text().unwrap_or_else(|| named(value, || table.generated_name(prefix, &columns)));
    drop_named(table, &name, guard)
}

fn drop_check(table: &Table, check: &Value, guard: &str) -> Option<Vec<String>> {
    let expression = check.get("expression").text().unwrap_or_default();
    let name =
        check.text().unwrap_or_else(|| named(check, || table.expression_name("CHK_", &expression)));
    drop_named(table, &name, guard)
}

fn drop_named(table: &Table, name: &str, guard: &str) -> Option<Vec<String>> {
    Some(vec![format!("ALTER TABLE {} DROP CONSTRAINT {guard}{}", table.path(), quote(name))])
}

fn create_primary_key(table: &Table, columns: &Value, name: Option<&Value>) -> Option<Vec<String>> {
    let columns = columns.texts();
    let name =
        name.and_then(Value::filled).unwrap_or_else(|| table.generated_name("PK_", &columns));
    let list = quoted_list(&columns);
    add(table, format!("CONSTRAINT {} PRIMARY KEY ({list})", quote(&name)))
}

fn comment_on_table(table: &Table, comment: &Value) -> Option<Vec<String>> {
    let text = comment.filled().map_or_else(|| "NULL".to_owned(), |text| literal(&text));
    Some(vec![format!("COMMENT ON TABLE {} IS {text}", table.path())])
}
