//! What a platform supplies before the first migration: SQL that makes a scratch database like it.
//!
//! Invariant: the built-in preludes are idempotent and may run in several databases of one cluster
//! at the same time, although roles are shared between them.

use std::path::Path;

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::place::Place;

/// The names of the built-in environments.
pub const BUILT_IN: &[&str] = &["supabase"];

const SUPABASE: &str = include_str!("supabase.sql");

/// The environment that a name means: a built-in one, or a file, which is looked for from a folder.
/// Every command asks before it does anything, also those that need no scratch database: who misspells
/// the name would otherwise learn it from what is missing.
///
/// # Errors
/// [`Code::EnvironmentUnknown`] when it is neither.
pub fn locate(name_or_file: &str, folder: &Path) -> Result<String, Box<Problem>> {
    if is_built_in(name_or_file) {
        return Ok(name_or_file.to_owned());
    }
    let file = folder.join(name_or_file);
    match std::fs::File::open(&file).and_then(|file| file.metadata()) {
        Ok(about) if about.is_file() => Ok(file.to_string_lossy().into_owned()),
        Ok(_) => Err(unknown(name_or_file, "it is a folder and no file")),
        Err(error) => Err(unknown(name_or_file, &error.to_string())),
    }
}

fn is_built_in(name: &str) -> bool {
    BUILT_IN.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// The SQL of an environment: a built-in one by name, any other from a file.
///
/// To be run by a superuser of the scratch cluster, as one transaction.
///
/// # Errors
/// [`Code::EnvironmentUnknown`] when there is neither such a name nor such a file,
/// [`Code::FileNotText`] when the file is not UTF-8.
pub fn prelude(name_or_file: &str) -> Result<String, Box<Problem>> {
    if is_built_in(name_or_file) {
        return Ok(SUPABASE.to_owned());
    }
    let bytes =
        std::fs::read(name_or_file).map_err(|error| unknown(name_or_file, &error.to_string()))?;
    let text = pgfleet_sql::decode(&bytes).map_err(|error| {
        Problem::error(Code::FileNotText, error.to_string()).at(Place::file(name_or_file))
    })?;
    Ok(text.text)
}

fn unknown(name_or_file: &str, reason: &str) -> Box<Problem> {
    let known = BUILT_IN.join(", ");
    Box::new(
        Problem::error(
            Code::EnvironmentUnknown,
            format!("no environment is called {name_or_file:?}"),
        )
        .because(format!("it is not built in, and no SQL file that can be read: {reason}"))
        .detail(format!("built-in environments: {known}"))
        .fix(format!("Name {known}, or the path of an SQL file.")),
    )
}

#[cfg(test)]
mod tests {
    use pgfleet_testkit::TestDb;

    use super::*;

    #[test]
    fn the_platform_is_there_after_preludes_ran_side_by_side_and_twice() {
        let databases: Vec<TestDb> = (0..4).map(|_| TestDb::new()).collect();
        let sql = prelude("Supabase").unwrap();
        std::thread::scope(|scope| {
            for database in &databases {
                scope.spawn(|| {
                    database.sql(&sql);
                    database.sql(&sql);
                });
            }
        });
        for database in &databases {
            assert_eq!(database.value("SELECT auth.uid() IS NULL AND auth.jwt() IS NULL"), "t");
            assert_eq!(database.value("SHOW search_path"), "\"$user\", public, extensions");
            assert_eq!(
                database.value(
                    "SELECT count(*) FROM pg_publication WHERE pubname = 'supabase_realtime'"
                ),
                "1"
            );
        }
    }

    #[test]
    fn claims_reach_the_policies_of_an_api_role() {
        let database = TestDb::new();
        database.sql(&prelude("supabase").unwrap());
        database.sql(
            "CREATE TABLE notes (owner uuid); ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
             CREATE POLICY own ON notes USING (owner = auth.uid());
             INSERT INTO notes VALUES ('00000000-0000-0000-0000-000000000001'),
                                      ('00000000-0000-0000-0000-000000000002');",
        );
        let claims = r#"{"sub": "00000000-0000-0000-0000-000000000002", "role": "authenticated"}"#;
        let seen = database.value(&format!(
            "SET ROLE authenticated; SET request.jwt.claims = '{claims}'; SELECT count(*) FROM notes"
        ));
        assert_eq!(seen, "1");
        let path = database.value(
            "SELECT storage.foldername('a/b/c.png')::text || storage.extension('a/b/c.png')",
        );
        assert_eq!(path, "{a,b}png");
    }

    #[test]
    fn an_unknown_environment_is_named() {
        for problem in
            [prelude("heroku").unwrap_err(), locate("heroku", Path::new("")).unwrap_err()]
        {
            assert_eq!(problem.code, Code::EnvironmentUnknown);
            assert!(problem.what.contains("heroku"));
        }
    }
}
