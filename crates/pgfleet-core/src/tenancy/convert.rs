//! A tenant column of another type: a second one is filled beside it and takes its place, with everything
//! that stands on it, forth and back.
//!
//! Invariant: while both are there, whoever writes the old one writes both.

use pgfleet_sql::quote_ident;

use super::dependents::{carried, details, obstacles};
use super::names;
use super::steps::{Phase, Piece, Section, Writer};
use crate::schema::Column;

/// The column that takes the place of the one that is there.
struct Beside<'s> {
    /// With its collation.
    data_type: String,
    /// What rows get that are there, called `t`.
    value: String,
    /// What new rows get, inside of a body: no value of a variable reaches it.
    of_row: String,
    default: Option<&'s str>,
    not_null: bool,
    /// In the transaction that exchanges the columns.
    before: Vec<String>,
    after: Vec<String>,
    /// What the column has besides.
    details: Vec<String>,
}

/// What changes the type.
pub(super) fn section(writer: &Writer<'_>, is: &Column) -> Section {
    let (table, column, data_type) = (writer.table(), writer.column(), &writer.tenancy.type_name);
    let (up, down, how) = if obstacles(writer.state).is_empty() {
        let fits = format!(
            "DO $tenant$ BEGIN PERFORM count({column}::{}) FROM {table}; END $tenant$",
            is.type_name
        );
        let mut down = vec![Piece::Alone(fits)];
        down.extend(exchange(writer, &back(writer, is)));
        (exchange(writer, &forth(writer, is)), down, "beside the old one")
    } else {
        let down = vec![Piece::Together(back_in_place(writer, is))];
        (in_place(writer, is), down, "in place, which rewrites the table under its lock")
    };
    Section {
        phase: Phase::Rows,
        what: format!(
            "{table}: column {column} is made {data_type} instead of {}, {how}",
            is.type_name
        ),
        up,
        down,
    }
}

fn forth<'w>(writer: &'w Writer<'_>, is: &Column) -> Beside<'w> {
    let (column, data_type) = (writer.column(), &writer.tenancy.type_name);
    let value = format!("coalesce(t.{column}::{data_type}, {})", writer.fallback("t"));
    Beside {
        data_type: data_type.clone(),
        of_row: match writer.constant() {
            Some(_) => format!(
                "coalesce(t.{column}::{data_type}, t.{})",
                quote_ident(&beside_column(writer))
            ),
            None => value.clone(),
        },
        value,
        default: writer.constant(),
        not_null: true,
        before: Vec::new(),
        after: writer.derivation.iter().flat_map(|d| d.create_trigger(writer)).collect(),
        details: details(writer, is, false),
    }
}

fn back<'w>(writer: &'w Writer<'_>, is: &'w Column) -> Beside<'w> {
    let (column, old) = (writer.column(), &is.type_name);
    Beside {
        data_type: match &is.collation {
            Some(collation) => format!("{old} COLLATE {collation}"),
            None => old.clone(),
        },
        value: format!("t.{column}::{old}"),
        // The trigger that gives new rows their tenant may come behind this one's.
        of_row: match writer.constant() {
            Some(_) => format!("t.{column}::{old}"),
            None => format!("coalesce(t.{column}, {})::{old}", writer.fallback("t")),
        },
        default: is.default.as_deref(),
        not_null: is.not_null,
        before: writer.drop_trigger(),
        after: Vec::new(),
        details: details(writer, is, true),
    }
}

fn beside_column(writer: &Writer<'_>) -> String {
    names::joined(&writer.tenancy.column, "new")
}

fn exchange(writer: &Writer<'_>, new: &Beside<'_>) -> Vec<Piece> {
    let (table, column) = (writer.table(), writer.column());
    let bare = beside_column(writer);
    let (beside, on_it) = (quote_ident(&bare), carried(writer, &bare));
    let function = quote_ident(&writer.name("convert"));
    let schema = quote_ident(&writer.state.object.id.schema);
    let mut begin = vec![format!("ALTER TABLE {table} ADD COLUMN {beside} {}", new.data_type)];
    begin.extend(
        new.default.map(|default| {
            format!("ALTER TABLE {table} ALTER COLUMN {beside} SET DEFAULT {default}")
        }),
    );
    begin.extend([
        format!(
            "CREATE FUNCTION {schema}.{function}() RETURNS trigger LANGUAGE plpgsql AS $tenant$\n\
             BEGIN\n  NEW.{beside} := (SELECT {} FROM (SELECT NEW.*) AS t);\n  RETURN NEW;\nEND $tenant$",
            new.of_row
        ),
        format!(
            "CREATE TRIGGER {function} BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {schema}.{function}()"
        ),
    ]);
    let mut pieces = vec![Piece::Together(begin)];
    let fill = format!("AS t SET {beside} = {} WHERE t.{beside} IS NULL", new.value);
    pieces.extend(writer.updates(&fill));
    if new.not_null {
        pieces.extend(writer.set_not_null(&beside));
    }
    pieces.extend(on_it.built);
    let mut end = new.before.clone();
    end.extend(on_it.taken_off);
    end.extend([
        format!("DROP TRIGGER {function} ON {table}"),
        format!("DROP FUNCTION {schema}.{function}()"),
        format!("ALTER TABLE {table} DROP COLUMN {column}"),
        format!("ALTER TABLE {table} RENAME COLUMN {beside} TO {column}"),
    ]);
    end.extend(new.details.iter().cloned());
    end.extend(on_it.put_on);
    end.extend(new.after.iter().cloned());
    pieces.push(Piece::Together(end));
    pieces.extend(on_it.validated);
    pieces
}

fn in_place(writer: &Writer<'_>, is: &Column) -> Vec<Piece> {
    let (table, column, data_type) = (writer.table(), writer.column(), &writer.tenancy.type_name);
    let mut together = Vec::new();
    if is.default.is_some() {
        together.push(format!("ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT"));
    }
    together.push(format!(
        "ALTER TABLE {table} ALTER COLUMN {column} TYPE {data_type} USING {column}::{data_type}"
    ));
    together.extend(writer.constant().map(|constant| {
        format!("ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {constant}")
    }));
    together.extend(writer.derivation.iter().flat_map(|d| d.create_trigger(writer)));
    let mut up = vec![Piece::Together(together)];
    if !is.not_null {
        let fallback = writer.fallback("t");
        let fill = format!("AS t SET {column} = {fallback} WHERE t.{column} IS NULL");
        up.extend(writer.updates(&fill));
        up.extend(writer.set_not_null(&column));
    }
    up
}

fn back_in_place(writer: &Writer<'_>, is: &Column) -> Vec<String> {
    let (table, column, old) = (writer.table(), writer.column(), &is.type_name);
    let mut down = writer.drop_trigger();
    if is.default.is_some() || writer.constant().is_some() {
        down.push(format!("ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT"));
    }
    down.push(format!(
        "ALTER TABLE {table} ALTER COLUMN {column} TYPE {old} USING {column}::{old}"
    ));
    if let Some(default) = &is.default {
        down.push(format!("ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {default}"));
    }
    if !is.not_null {
        down.push(format!("ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL"));
    }
    down
}
