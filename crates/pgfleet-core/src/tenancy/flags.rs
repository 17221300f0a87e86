//! What the command line says of tenants, over what pgfleet.toml says.
//!
//! Invariant: a flag says the same as the key of that name, and what no flag says stays as it is in the
//! section.

use pgfleet_sql::quote_ident;

use super::declaration::{
    Absent, Scalar, Source, TableSection, Tenancy, TenancySection, TenantTable,
};
use crate::diagnose::{Code, Problem};

/// Flags of `tenantize`, as typed.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "each is the key of [tenancy] that it is called like")]
pub struct TenancyFlags {
    pub column: Option<String>,
    pub type_name: Option<String>,
    /// Instead of all tables of the section.
    pub tables: Vec<String>,
    pub constant: Option<String>,
    pub variable: Option<String>,
    pub references: Option<String>,
    pub row_security: Option<String>,
    pub force_row_security: bool,
    pub drop_default: bool,
    pub allow_rewrite: bool,
    pub skip_absent: bool,
    pub orphans: Option<String>,
    /// Each of the form `TABLE=…`, as the next three.
    pub via: Vec<String>,
    pub sql: Vec<String>,
    pub keep_unique: Vec<String>,
    pub per_tenant: Vec<String>,
}

impl TenancyFlags {
    /// The section that they make of one that may be there; none when nothing is said at all.
    ///
    /// # Errors
    /// When they are not enough without a section, or of no form that is understood.
    pub fn over(
        &self,
        section: Option<TenancySection>,
    ) -> Result<Option<TenancySection>, Box<Problem>> {
        let mut made = match section {
            Some(section) => section,
            None if self.is_empty() => return Ok(None),
            None => self.begun()?,
        };
        self.scalars(&mut made);
        if !self.tables.is_empty() {
            choose(&mut made, &self.tables);
        }
        for (flag, values) in [
            ("--via", &self.via),
            ("--sql", &self.sql),
            ("--keep-unique", &self.keep_unique),
            ("--per-tenant", &self.per_tenant),
        ] {
            for value in values {
                let (name, value) = of_table(flag, value)?;
                let table = named(&mut made, &name);
                match flag {
                    "--via" => (table.via, table.sql) = (split_outside(value, ','), None),
                    "--sql" => (table.via, table.sql) = (Vec::new(), Some(value.to_owned())),
                    "--per-tenant" => table.per_tenant = Some(value.to_owned()),
                    _ => table.keep_unique.push(value.to_owned()),
                }
            }
        }
        Ok(Some(made))
    }

    fn is_empty(&self) -> bool {
        let Self { column, type_name, tables, via, sql, .. } = self;
        column.is_none()
            && type_name.is_none()
            && tables.is_empty()
            && via.is_empty()
            && sql.is_empty()
    }

    /// A section without tables.
    fn begun(&self) -> Result<TenancySection, Box<Problem>> {
        let needed = |value: &Option<String>, flag: &str| {
            let missing =
                || incomplete(&format!("without [tenancy] in pgfleet.toml, {flag} is needed"));
            value.clone().ok_or_else(missing)
        };
        Ok(TenancySection::of(
            needed(&self.column, "--column")?,
            needed(&self.type_name, "--type")?,
        ))
    }

    fn scalars(&self, made: &mut TenancySection) {
        let or = |flag: &Option<String>, key: &mut String| {
            if let Some(value) = flag {
                key.clone_from(value);
            }
        };
        or(&self.column, &mut made.column);
        or(&self.type_name, &mut made.type_name);
        if self.constant.is_some() || self.variable.is_some() {
            made.constant = self.constant.as_deref().map(scalar);
            made.variable.clone_from(&self.variable);
        }
        made.references = self.references.clone().or(made.references.take());
        made.row_security = self.row_security.clone().or(made.row_security.take());
        made.orphans = self.orphans.as_deref().map(scalar).or(made.orphans.take());
        made.force_row_security |= self.force_row_security;
        made.keep_default &= !self.drop_default;
        made.allow_rewrite |= self.allow_rewrite;
        if self.skip_absent {
            made.absent = Absent::Skip;
        }
    }
}

impl Tenancy {
    /// Tables that have the column already: all that a look across their border needs.
    ///
    /// # Errors
    /// Names that are none.
    pub fn of_tables(column: &str, tables: &[String], schema: &str) -> Result<Self, Vec<Problem>> {
        let mut section = TenancySection::of(column.to_owned(), "text".to_owned());
        section.tables = tables.to_vec();
        // Whose a row is says the row.
        section.constant = Some(Scalar::Integer(0));
        let mut read = section.read(schema)?;
        let source = Source::Expression(quote_ident(column));
        let own = |table| TenantTable { source: source.clone(), ..table };
        read.tables = read.tables.into_iter().map(own).collect();
        Ok(read)
    }
}

/// Only these tables; what the section says of one of them still holds.
fn choose(section: &mut TenancySection, wanted: &[String]) {
    section.table.retain(|table| wanted.contains(&table.name));
    let described = |name: &&String| !section.table.iter().any(|table| table.name == **name);
    section.tables = wanted.iter().filter(described).cloned().collect();
}

/// What is said of one table; it is added when nothing is.
fn named<'s>(section: &'s mut TenancySection, name: &str) -> &'s mut TableSection {
    section.tables.retain(|table| table != name);
    let at = section.table.iter().position(|table| table.name == name).unwrap_or_else(|| {
        section.table.push(TableSection::named(name));
        section.table.len() - 1
    });
    &mut section.table[at]
}

fn of_table<'v>(flag: &str, value: &'v str) -> Result<(String, &'v str), Box<Problem>> {
    let (name, rest) = value
        .split_once(outside_quotes('='))
        .filter(|(name, _)| !name.trim().is_empty())
        .ok_or_else(|| incomplete(&format!("{flag} {value:?} is not of the form TABLE=…")))?;
    Ok((name.trim().to_owned(), rest.trim_start_matches('=').trim()))
}

fn split_outside(text: &str, at: char) -> Vec<String> {
    text.split(outside_quotes(at)).map(|part| part.trim().to_owned()).collect()
}

/// True at the character where it stands outside of double quotes.
fn outside_quotes(at: char) -> impl FnMut(char) -> bool {
    let mut quoted = false;
    move |c| {
        quoted ^= c == '"';
        c == at && !quoted
    }
}

fn scalar(text: &str) -> Scalar {
    text.parse().map_or_else(|_| Scalar::Text(text.to_owned()), Scalar::Integer)
}

fn incomplete(what: &str) -> Box<Problem> {
    let problem = Problem::error(Code::TenancyInvalid, what);
    Box::new(problem.fix_with(
        "Say all of it, or write a [tenancy] section (docs/tenancy.md).",
        "pgfleet tenantize --column organisation_id --type int --constant 1 --tables users,orders",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECTION: &str = "column = 'org'\ntype = 'int'\nconstant = 1\ntables = ['a', 'b']\n\
        [[table]]\nname = 'c'\nvia = ['a_id']\nkeep_unique = ['x']\n";

    fn section() -> TenancySection {
        toml::from_str(SECTION).unwrap()
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn flags_alone_say_what_a_section_says() {
        let flags = TenancyFlags {
            column: Some("org".to_owned()),
            type_name: Some("int".to_owned()),
            constant: Some("1".to_owned()),
            tables: words(&["a", "b"]),
            via: words(&["c=a_id"]),
            keep_unique: words(&["c = x"]),
            ..TenancyFlags::default()
        };
        assert_eq!(flags.over(None).unwrap(), Some(section()));
    }

    #[test]
    fn flags_stand_over_the_section() {
        let none = TenancyFlags::default();
        assert_eq!(none.over(Some(section())).unwrap(), Some(section()));
        assert_eq!(none.over(None).unwrap(), None);
        let flags = TenancyFlags {
            variable: Some("id".to_owned()),
            tables: words(&["c", "d"]),
            sql: words(&["\"E=, f\"=x = 1"]),
            drop_default: true,
            skip_absent: true,
            ..TenancyFlags::default()
        };
        let made = flags.over(Some(section())).unwrap().unwrap();
        assert_eq!((made.tables, made.constant), (words(&["d"]), None));
        assert_eq!((made.keep_default, made.absent), (false, Absent::Skip));
        assert_eq!(made.table[0], section().table[0]);
        assert_eq!(made.table[1].name, "\"E=, f\"");
        assert_eq!(made.table[1].sql.as_deref(), Some("x = 1"));
    }

    #[test]
    fn what_is_missing_is_named() {
        let column = TenancyFlags { column: Some("org".to_owned()), ..TenancyFlags::default() };
        let via = TenancyFlags { via: words(&["a_id"]), ..TenancyFlags::default() };
        for (flags, section, why) in [(column, None, "--type"), (via, Some(section()), "TABLE=")] {
            let what = flags.over(section).unwrap_err().what;
            assert!(what.contains(why), "{what}");
        }
    }
}
