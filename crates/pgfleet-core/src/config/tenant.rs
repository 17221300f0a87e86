//! `[groups.NAME.tenant]`: how a tenant of the group comes to be and goes.
//!
//! Invariant: a section that was read names each tenant's database or schema by its code, and what
//! enters a tenant in the registry has something beside it that takes it out again.

use serde::Deserialize;

/// Longest name that PostgreSQL keeps whole, in bytes (`NAMEDATALEN` - 1).
const NAME_MAX: usize = 63;

/// What a code looks like unless the section says otherwise, as a regular expression of PostgreSQL's.
const CODE: &str = "[a-z][a-z0-9_]{1,40}";

/// Stands for the code in a database's or schema's name.
const PLACE: &str = "{code}";

/// Schemas that are nobody's.
const OWN_SCHEMAS: [&str; 3] = ["public", "information_schema", "pgfleet"];

/// What a tenant has for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HomeKind {
    /// A database.
    Database,
    /// A schema of a database that tenants share.
    Schema,
}

impl HomeKind {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Schema => "schema",
        }
    }
}

/// `[groups.NAME.tenant]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "TenantForm")]
pub struct TenantSection {
    /// What a whole code must match: a regular expression of PostgreSQL's.
    pub code: String,
    /// What a tenant has for itself.
    pub kind: HomeKind,
    /// The name of its database or schema, with `{code}` in it.
    pub home: String,
    /// The database that is copied; without it, a new one is made of the server's usual template.
    pub template: Option<String>,
    /// The role that owns the database or schema; without it, who creates it.
    pub owner: Option<String>,
    /// SQL files that are run in the new database or schema, relative to the configuration file.
    pub seed: Vec<String>,
    /// A query on the registry whose one row gives further values, asked once for each tenant.
    pub values: Option<String>,
    /// SQL that enters the tenant in the registry.
    pub register: Option<String>,
    /// SQL that makes the entry active, in the same transaction.
    pub activate: Option<String>,
    /// SQL that takes the entry away.
    pub unregister: Option<String>,
}

/// The section as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct TenantForm {
    code: Option<String>,
    database: Option<String>,
    schema: Option<String>,
    template: Option<String>,
    owner: Option<String>,
    #[serde(default)]
    seed: Vec<String>,
    values: Option<String>,
    register: Option<String>,
    activate: Option<String>,
    unregister: Option<String>,
}

/// Why a section cannot be.
#[derive(Debug, thiserror::Error)]
enum FormError {
    #[error("tenant needs either database or schema, the name of what each tenant has for itself")]
    NoHome,
    #[error("{0} under tenant lacks {PLACE}, so that all tenants would have the same")]
    NoPlace(&'static str),
    #[error("template under tenant goes with database")]
    NoTemplate,
    #[error("{0} under tenant needs {1} beside it")]
    Lacks(&'static str, &'static str),
}

impl TryFrom<TenantForm> for TenantSection {
    type Error = FormError;

    fn try_from(form: TenantForm) -> Result<Self, FormError> {
        let (kind, home) = match (form.database, form.schema) {
            (Some(home), None) => (HomeKind::Database, home),
            (None, Some(home)) => (HomeKind::Schema, home),
            _ => return Err(FormError::NoHome),
        };
        if !home.contains(PLACE) {
            return Err(FormError::NoPlace(kind.name()));
        }
        if kind == HomeKind::Schema && form.template.is_some() {
            return Err(FormError::NoTemplate);
        }
        match (&form.register, &form.activate, &form.unregister) {
            (Some(_), _, None) => return Err(FormError::Lacks("register", "unregister")),
            (None, Some(_), _) => return Err(FormError::Lacks("activate", "register")),
            (None, None, Some(_)) => return Err(FormError::Lacks("unregister", "register")),
            _ => {}
        }
        Ok(Self {
            code: form.code.unwrap_or_else(|| CODE.to_owned()),
            kind,
            home,
            template: form.template,
            owner: form.owner,
            seed: form.seed,
            values: form.values,
            register: form.register,
            activate: form.activate,
            unregister: form.unregister,
        })
    }
}

impl TenantSection {
    /// The name of a tenant's database or schema.
    ///
    /// # Errors
    /// Why there cannot be one of that name.
    pub fn home_of(&self, code: &str) -> Result<String, String> {
        let (kind, name) = (self.kind.name(), self.home.replace(PLACE, code));
        if name.len() > NAME_MAX {
            let length = name.len();
            return Err(format!(
                "its {kind} {name:?} would have a name of {length} bytes, {NAME_MAX} are allowed"
            ));
        }
        if self.is_servers_own(&name) {
            return Err(format!("its {kind} would be {name}, which is the server's own"));
        }
        Ok(name)
    }

    /// Whether a database or schema of this name is no tenant's, whatever the registry says.
    pub fn is_servers_own(&self, name: &str) -> bool {
        match self.kind {
            HomeKind::Database => ["postgres", "template0", "template1"].contains(&name),
            HomeKind::Schema => OWN_SCHEMAS.contains(&name) || name.starts_with("pg_"),
        }
    }

    /// The code of the tenant whose database or schema has this name; none when no tenant's has.
    pub fn code_of(&self, home: &str) -> Option<String> {
        let (before, after) = self.home.split_once(PLACE)?;
        let code = home.strip_prefix(before)?.strip_suffix(after)?;
        (self.home_of(code).as_deref() == Ok(home)).then(|| code.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(text: &str) -> Result<TenantSection, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn a_database_has_its_name_from_the_code() {
        let section = section("database = \"org_{code}\"").unwrap();
        let hostile = "a\"; DROP DATABASE x; --";
        for (code, database) in [
            ("acme", Ok("org_acme".to_owned())),
            (hostile, Ok(format!("org_{hostile}"))),
            ("é b", Ok("org_é b".to_owned())),
        ] {
            assert_eq!(section.home_of(code), database);
            assert_eq!(section.code_of(&database.unwrap()).as_deref(), Some(code));
        }
        assert!(section.home_of(&"x".repeat(59)).is_ok());
        assert!(section.home_of(&"x".repeat(60)).unwrap_err().contains("64 bytes"));
        assert_eq!(section.code_of("shop_acme"), None);
    }

    #[test]
    fn the_servers_own_databases_are_no_tenants() {
        let section = section("database = \"{code}\"").unwrap();
        assert!(section.home_of("template1").unwrap_err().contains("server's own"));
        assert_eq!(section.home_of("public"), Ok("public".to_owned()));
    }

    #[test]
    fn the_servers_own_schemas_are_no_tenants() {
        let section = section("schema = \"{code}\"").unwrap();
        for own in ["public", "pgfleet", "information_schema", "pg_catalog", "pg_x"] {
            assert!(section.home_of(own).unwrap_err().contains("server's own"), "{own}");
        }
        assert_eq!(section.home_of("postgres"), Ok("postgres".to_owned()));
    }

    #[test]
    fn half_a_section_is_refused() {
        for (text, wanted) in [
            ("code = \"x\"", "either database or schema"),
            ("database = \"{code}\"\nschema = \"{code}\"", "either database or schema"),
            ("schema = \"{code}\"\ntemplate = \"t\"", "template under tenant"),
            ("schema = \"org\"", "schema under tenant lacks {code}"),
            ("database = \"org\"", "database under tenant lacks {code}"),
            ("database = \"{code}\"\nregister = \"x\"", "needs unregister"),
            ("database = \"{code}\"\nactivate = \"x\"", "needs register"),
            ("database = \"{code}\"\nunregister = \"x\"", "needs register"),
            ("database = \"{code}\"\nnothing = 1", "unknown field"),
        ] {
            let error = section(text).unwrap_err();
            assert!(error.contains(wanted), "{text}: {error}");
        }
    }
}
