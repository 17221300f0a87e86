//! A row of either tenant: those that are there, else made for the moment.

use pgfleet_sql::{QualifiedName, quote_ident};

use crate::connect::{Session, SessionError};
use crate::journal::literal;

/// Rows of two tenants.
pub(super) struct Pair {
    /// The tenant that the role is in.
    pub(super) ours: String,
    /// The other one.
    pub(super) theirs: String,
    /// A row of the other one, as JSON.
    pub(super) their_row: String,
    /// Tells that row from all others.
    pub(super) is_their_row: String,
    /// Columns that can be inserted, as SQL.
    pub(super) columns: String,
    /// Turns triggers and foreign keys off, where the session may.
    pub(super) without_triggers: &'static str,
    /// Turns them on again.
    pub(super) with_triggers: &'static str,
}

struct Column {
    name: String,
    /// An expression of its type, for a row that is made.
    sample: String,
    /// It must be given a value.
    needed: bool,
}

/// Finds rows of two tenants, or makes them; says why not.
pub(super) async fn pair(
    session: &Session,
    table: &QualifiedName,
    column: &str,
) -> Result<Result<Pair, String>, SessionError> {
    let (name, tenant) = (table.to_string(), quote_ident(column));
    let columns = columns(session, &name).await?;
    if !columns.iter().any(|one| one.name == column) {
        return Ok(Err(format!("{name} has no column {tenant}")));
    }
    let superuser =
        one(session, "SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = session_user AND rolsuper")
            .await?;
    let (without_triggers, with_triggers) = match superuser {
        Some(_) => (
            "SET LOCAL session_replication_role = replica; ",
            " SET LOCAL session_replication_role = origin; ",
        ),
        None => ("", ""),
    };
    let any = format!("SELECT {tenant}::text FROM {name} WHERE {tenant} IS NOT NULL LIMIT 1");
    let mut ours = one(session, &any).await?;
    let maker = Maker {
        session,
        name: &name,
        tenant: &tenant,
        columns: &columns,
        without_triggers,
        with_triggers,
    };
    if ours.is_none() {
        let first = maker.some_tenant(None).await?;
        if let Err(why) = maker.make(&first).await? {
            return Ok(Err(format!("there is no row, and none can be made: {why}")));
        }
        ours = Some(first);
    }
    let ours = ours.unwrap_or_default();
    let other = format!(
        "SELECT {tenant}::text FROM {name} WHERE {tenant}::text <> {} LIMIT 1",
        literal(&ours)
    );
    let theirs = match one(session, &other).await? {
        Some(theirs) => theirs,
        None => {
            let theirs = maker.some_tenant(Some(&ours)).await?;
            if let Err(why) = maker.make_second(&ours, &theirs).await? {
                return Ok(Err(format!(
                    "there is one tenant only, and a row of another cannot be made: {why}"
                )));
            }
            theirs
        }
    };
    let row = format!(
        "SELECT pg_catalog.to_jsonb(t.*)::text, t.ctid, t.tableoid FROM {name} AS t WHERE t.{tenant} = {} LIMIT 1",
        literal(&theirs)
    );
    let cells: Vec<_> = session.query_text(&row).await?.into_iter().flatten().flatten().collect();
    let [their_row, ctid, tableoid] = cells.as_slice() else {
        return Ok(Err("a row of the other tenant is not seen".to_owned()));
    };
    let list: Vec<_> = columns.iter().map(|one| quote_ident(&one.name)).collect();
    Ok(Ok(Pair {
        ours,
        theirs,
        their_row: their_row.clone(),
        is_their_row: format!("ctid = {} AND tableoid = {tableoid}", literal(ctid)),
        columns: list.join(", "),
        without_triggers,
        with_triggers,
    }))
}

struct Maker<'a> {
    session: &'a Session,
    name: &'a str,
    tenant: &'a str,
    columns: &'a [Column],
    without_triggers: &'a str,
    with_triggers: &'a str,
}

impl Maker<'_> {
    /// A tenant other than this: one that the column's foreign key knows, else any value.
    async fn some_tenant(&self, other_than: Option<&str>) -> Result<String, SessionError> {
        let not = literal(other_than.unwrap_or(""));
        let referenced = format!(
            "SELECT pg_catalog.format('SELECT %I::text FROM %s WHERE %I::text <> {} LIMIT 1', b.attname, k.confrelid::pg_catalog.regclass, b.attname) \
             FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1] \
             JOIN pg_catalog.pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = k.confkey[1] \
             WHERE k.contype = 'f' AND k.conrelid = {}::pg_catalog.regclass AND pg_catalog.cardinality(k.conkey) = 1 \
             AND pg_catalog.quote_ident(a.attname) = {}",
            not.replace('\'', "''").replace('%', "%%"),
            literal(self.name),
            literal(self.tenant),
        );
        if let Some(query) = one(self.session, &referenced).await?
            && let Some(known) = one(self.session, &query).await?
        {
            return Ok(known);
        }
        let invented = format!(
            "SELECT CASE t.typcategory WHEN 'N' THEN coalesce(nullif({not}, '')::numeric + 1, 1)::text \
             WHEN 'S' THEN {not} || 'x' ELSE pg_catalog.gen_random_uuid()::text END \
             FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
             WHERE a.attrelid = {}::pg_catalog.regclass AND pg_catalog.quote_ident(a.attname) = {}",
            literal(self.name),
            literal(self.tenant)
        );
        Ok(one(self.session, &invented).await?.unwrap_or_default())
    }

    /// A second row becomes the other tenant's; where there is but one, another is made.
    async fn make_second(
        &self,
        ours: &str,
        theirs: &str,
    ) -> Result<Result<(), String>, SessionError> {
        let (name, tenant) = (self.name, self.tenant);
        let rows = format!(
            "SELECT count(*) FROM (SELECT 1 FROM {name} WHERE {tenant} = {} LIMIT 2) AS two",
            literal(ours)
        );
        if one(self.session, &rows).await?.as_deref() != Some("2") {
            return self.make(theirs).await;
        }
        let sql = format!(
            "UPDATE {name} SET {tenant} = {} WHERE (ctid, tableoid) IN \
             (SELECT ctid, tableoid FROM {name} WHERE {tenant} = {} LIMIT 1)",
            literal(theirs),
            literal(ours)
        );
        self.run(&sql).await
    }

    async fn make(&self, tenant: &str) -> Result<Result<(), String>, SessionError> {
        let is_tenant = |column: &&Column| quote_ident(&column.name) == self.tenant;
        let needed: Vec<_> = self.columns.iter().filter(|c| c.needed && !is_tenant(c)).collect();
        let names = needed.iter().map(|column| quote_ident(&column.name));
        let names: Vec<_> = names.chain([self.tenant.to_owned()]).collect();
        let values = needed.iter().map(|column| column.sample.clone());
        let values: Vec<_> = values.chain([literal(tenant)]).collect();
        let (names, values) = (names.join(", "), values.join(", "));
        self.run(&format!("INSERT INTO {} ({names}) VALUES ({values})", self.name)).await
    }

    async fn run(&self, sql: &str) -> Result<Result<(), String>, SessionError> {
        let text = format!("SAVEPOINT made; {}{sql};{}", self.without_triggers, self.with_triggers);
        match self.session.batch(&text).await {
            Ok(()) => Ok(Ok(())),
            Err(error) if error.is_lost() => Err(error),
            Err(error) => {
                self.session.batch("ROLLBACK TO made").await?;
                Ok(Err(error.to_string()))
            }
        }
    }
}

/// Columns that can be written, each with a value that its type takes.
async fn columns(session: &Session, table: &str) -> Result<Vec<Column>, SessionError> {
    let sql = format!(
        "SELECT a.attname, a.attnotnull AND NOT a.atthasdef AND a.attidentity = '', \
         CASE t.typcategory WHEN 'N' THEN '1' WHEN 'B' THEN 'true' WHEN 'D' THEN 'pg_catalog.now()' \
           WHEN 'E' THEN (SELECT pg_catalog.quote_literal(e.enumlabel) FROM pg_catalog.pg_enum e \
             WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder LIMIT 1) \
           WHEN 'A' THEN '''{{}}''' WHEN 'S' THEN '''x''' WHEN 'T' THEN '''1s''' WHEN 'I' THEN '''127.0.0.1''' \
           ELSE CASE t.typname WHEN 'uuid' THEN 'pg_catalog.gen_random_uuid()' WHEN 'json' THEN '''{{}}''' \
             WHEN 'jsonb' THEN '''{{}}''' ELSE '''''' END END \
         FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
         WHERE a.attrelid = pg_catalog.to_regclass({}) AND a.attnum > 0 AND NOT a.attisdropped \
         AND a.attgenerated = '' ORDER BY a.attnum",
        literal(table)
    );
    let rows = session.query_text(&sql).await?;
    let column = |row: Vec<Option<String>>| {
        let mut cells = row.into_iter();
        let name = cells.next()??;
        let needed = cells.next()?.as_deref() == Some("t");
        Some(Column { name, needed, sample: cells.next()?.unwrap_or_else(|| "NULL".to_owned()) })
    };
    Ok(rows.into_iter().filter_map(column).collect())
}

/// The first cell of the first row.
pub(super) async fn one(session: &Session, sql: &str) -> Result<Option<String>, SessionError> {
    let rows = session.query_text(sql).await?;
    Ok(rows.into_iter().next().and_then(|row| row.into_iter().next()).flatten())
}
