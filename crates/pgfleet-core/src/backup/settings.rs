//! The statements that give a restored database the settings, rights and remarks of the one that
//! was backed up.

use pgfleet_sql::{quote_ident, quote_literal};

use super::{DatabaseSetting, Manifest};
use crate::schema::PUBLIC;

/// Parameters whose value is a list of names, each quoted on its own
/// (PostgreSQL, `variable_is_guc_list_quote` in src/bin/pg_dump/dumputils.c).
const LISTS: &[&str] = &[
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
];

/// Owner, settings, rights and comment of the database as it was, for one with another name.
pub fn database_statements(manifest: &Manifest, database: &str) -> Vec<String> {
    let name = quote_ident(database);
    let mut statements =
        vec![format!("ALTER DATABASE {name} OWNER TO {}", quote_ident(&manifest.owner))];
    statements.extend(manifest.settings.iter().map(|setting| setting_statement(&name, setting)));
    if let Some(grants) = &manifest.grants {
        statements.push(format!("REVOKE ALL ON DATABASE {name} FROM PUBLIC"));
        statements.extend(grants.iter().map(|grant| {
            let role =
                if grant.role == PUBLIC { "PUBLIC".into() } else { quote_ident(&grant.role) };
            let option = if grant.grantable { " WITH GRANT OPTION" } else { "" };
            format!("GRANT {} ON DATABASE {name} TO {role}{option}", grant.privilege)
        }));
    }
    let comment = manifest.comment.as_deref().map_or_else(|| "NULL".to_owned(), literal);
    statements.push(format!("COMMENT ON DATABASE {name} IS {comment}"));
    statements
}

fn setting_statement(database: &str, setting: &DatabaseSetting) -> String {
    let of = match &setting.role {
        Some(role) => format!("ROLE {} IN DATABASE {database}", quote_ident(role)),
        None => format!("DATABASE {database}"),
    };
    let value = match LISTS.contains(&setting.name.as_str()) {
        true => list(&setting.value),
        false => literal(&setting.value),
    };
    // Names of extensions' parameters have two parts.
    let name: Vec<_> = setting.name.split('.').map(quote_ident).collect();
    format!("ALTER {of} SET {} TO {value}", name.join("."))
}

/// `"$user", public` as literals: `'$user', 'public'`.
fn list(value: &str) -> String {
    let mut names = vec![String::new()];
    let mut quoted = false;
    let mut characters = value.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                push(&mut names, '"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => names.push(String::new()),
            c if c.is_whitespace() && !quoted => {}
            c => push(&mut names, c),
        }
    }
    names.iter().map(|name| literal(name)).collect::<Vec<_>>().join(", ")
}

fn push(names: &mut [String], c: char) {
    if let Some(last) = names.last_mut() {
        last.push(c);
    }
}

/// The server's own text never holds a NUL.
fn literal(text: &str) -> String {
    quote_literal(&text.replace('\0', "")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_quoted_by_their_kind() {
        let setting = |role: Option<&str>, name: &str, value: &str| DatabaseSetting {
            role: role.map(str::to_owned),
            name: name.to_owned(),
            value: value.to_owned(),
        };
        for (setting, expected) in [
            (
                setting(None, "search_path", "\"$user\", app, \"A \"\"b\""),
                "ALTER DATABASE d SET search_path TO '$user', 'app', 'A \"b'",
            ),
            (setting(None, "search_path", ""), "ALTER DATABASE d SET search_path TO ''"),
            (
                setting(Some("Web"), "app.tenant", "it's; DROP"),
                "ALTER ROLE \"Web\" IN DATABASE d SET app.tenant TO 'it''s; DROP'",
            ),
        ] {
            assert_eq!(setting_statement("d", &setting), expected);
        }
    }
}
