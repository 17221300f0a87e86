//! Which tool a project uses, by the files beside its migration folder.
//!
//! Invariant: a hint only chooses among formats that the folder's own files fit, unless there are none.

use super::reading::base_name;
use super::{FileTree, Format};
use crate::diagnose::{Code, Problem};
use crate::place::Place;

/// A file beside the folder that names a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The tool's format.
    pub format: Format,
    /// The file.
    pub file: String,
}

/// Names of files beside a migration folder that may tell its tool; the engine reads these.
pub const NEIGHBOURS: &[&str] = &[
    ".sqlx",
    "Cargo.toml",
    "build.gradle",
    "build.gradle.kts",
    "conf/flyway.conf",
    "config.toml",
    "diesel.toml",
    "drizzle.config.js",
    "drizzle.config.ts",
    "flyway.conf",
    "flyway.toml",
    "go.mod",
    "package.json",
    "pom.xml",
    "schema.prisma",
    "sqlx.toml",
];

/// Every hint, those of the nearest files first.
pub(super) fn hints(tree: &FileTree) -> Vec<Hint> {
    let of = |(file, content): &(String, String)| {
        let formats = formats_of(file, content).into_iter();
        formats.map(|format| Hint { format, file: file.clone() }).collect::<Vec<_>>()
    };
    tree.neighbours.iter().flat_map(of).collect()
}

fn formats_of(file: &str, content: &str) -> Vec<Format> {
    let holds = |text: &str, format| content.contains(text).then_some(format);
    match base_name(file) {
        "Cargo.toml" => cargo_dependencies(content),
        "package.json" => node_dependencies(content),
        "go.mod" => [
            holds("github.com/pressly/goose", Format::Goose),
            holds("github.com/golang-migrate/migrate", Format::GolangMigrate),
            holds("github.com/amacneil/dbmate", Format::Dbmate),
        ]
        .into_iter()
        .flatten()
        .collect(),
        "diesel.toml" => vec![Format::Diesel],
        "schema.prisma" => vec![Format::Prisma],
        ".sqlx" | "sqlx.toml" => vec![Format::Sqlx],
        "flyway.conf" | "flyway.toml" => vec![Format::Flyway],
        "pom.xml" | "build.gradle" | "build.gradle.kts" => {
            holds("flyway", Format::Flyway).into_iter().collect()
        }
        "drizzle.config.js" | "drizzle.config.ts" => vec![Format::Drizzle],
        // Many tools have a config.toml; Supabase's lies in a folder of that name.
        "config.toml" if file.ends_with("supabase/config.toml") => vec![Format::Supabase],
        _ => Vec::new(),
    }
}

fn cargo_dependencies(content: &str) -> Vec<Format> {
    let Ok(manifest) = content.parse::<toml::Table>() else { return Vec::new() };
    let workspace = manifest.get("workspace").and_then(toml::Value::as_table);
    let tables = ["dependencies", "dev-dependencies", "build-dependencies"];
    let tables = [Some(&manifest), workspace]
        .into_iter()
        .flatten()
        .flat_map(|table| tables.iter().filter_map(|name| table.get(*name)?.as_table()));
    let names: Vec<_> = tables.flat_map(toml::Table::keys).map(String::as_str).collect();
    known(
        &names,
        &[
            ("sqlx", Format::Sqlx),
            ("refinery", Format::Refinery),
            ("refinery-core", Format::Refinery),
            ("diesel_migrations", Format::Diesel),
        ],
    )
}

fn node_dependencies(content: &str) -> Vec<Format> {
    let Ok(manifest) = serde_json::from_str::<serde_json::Value>(content) else {
        return Vec::new();
    };
    let tables = ["dependencies", "devDependencies"];
    let tables = tables.iter().filter_map(|name| manifest.get(name)?.as_object());
    let names: Vec<_> = tables.flat_map(serde_json::Map::keys).map(String::as_str).collect();
    known(
        &names,
        &[
            ("dbmate", Format::Dbmate),
            ("drizzle-kit", Format::Drizzle),
            ("prisma", Format::Prisma),
            ("supabase", Format::Supabase),
            ("typeorm", Format::Typeorm),
        ],
    )
}

fn known(names: &[&str], tools: &[(&str, Format)]) -> Vec<Format> {
    tools.iter().filter(|(name, _)| names.contains(name)).map(|(_, format)| *format).collect()
}

/// Says which of several formats was taken, why, and how to name another.
pub fn assumed(tree: &FileTree, formats: &[Format]) -> Option<Problem> {
    let [taken, others @ ..] = formats else { return None };
    let (first, rest) = others.split_first()?;
    let folder = if tree.root.is_empty() { "." } else { &tree.root };
    let others: Vec<_> = std::iter::once(first).chain(rest).map(|format| format.name()).collect();
    let hint = hints(tree).into_iter().find(|hint| hint.format == *taken);
    let because = match hint {
        Some(hint) => {
            format!("{} says so; the files could also be {}'s", hint.file, others.join("'s or "))
        }
        None => format!(
            "the files could also be {}'s, and neither the target's history nor a file beside the folder decides",
            others.join("'s or ")
        ),
    };
    Some(
        Problem::note(Code::FormatAssumed, format!("{folder} is taken as {taken}"))
            .at(Place::file(folder))
            .because(because)
            .fix(format!(
                "If another tool runs it, say --format {first}; pgfleet init settles it for good."
            )),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::detect_candidates;

    fn taken(files: &[&str], file: &str, content: &str) -> (Format, String) {
        let mut tree = FileTree::from_files("m", files.iter().map(|name| (*name, "SELECT 1;")));
        tree.neighbours.push((file.to_owned(), content.to_owned()));
        let formats = detect_candidates(&tree);
        let note = assumed(&tree, &formats).map(|note| format!("{note:?}"));
        (formats[0], note.unwrap_or_default())
    }

    #[test]
    fn files_beside_the_folder_decide_between_formats() {
        let numbered: &[&str] = &["20240101000000_a.sql"];
        let pairs: &[&str] = &["0001_a.up.sql", "0001_a.down.sql"];
        let flyway: &[&str] = &["V1__a.sql"];
        for (files, file, content, format) in [
            (numbered, "Cargo.toml", "[dependencies]\nsqlx = \"0.8\"", Format::Sqlx),
            (
                numbered,
                "Cargo.toml",
                "[workspace.dependencies.sqlx]\nversion = \"1\"",
                Format::Sqlx,
            ),
            (numbered, "Cargo.toml", "[dependencies]\nserde = \"1\"", Format::Plain),
            (numbered, "Cargo.toml", "[dependencies\nsqlx", Format::Plain),
            (numbered, "a/.sqlx", "", Format::Sqlx),
            (numbered, "supabase/config.toml", "project_id = \"x\"", Format::Supabase),
            (numbered, "config.toml", "project_id = \"x\"", Format::Plain),
            (numbered, "package.json", r#"{"devDependencies":{"supabase":"1"}}"#, Format::Supabase),
            (numbered, "package.json", r#"{"devDependencies":{"prisma":"1"}}"#, Format::Plain),
            (
                pairs,
                "go.mod",
                "require github.com/golang-migrate/migrate/v4 v4",
                Format::GolangMigrate,
            ),
            (pairs, "Cargo.toml", "[dev-dependencies]\nsqlx = { version = \"1\" }", Format::Sqlx),
            (flyway, "Cargo.toml", "[dependencies]\nrefinery = \"0.8\"", Format::Refinery),
            (flyway, "pom.xml", "<artifactId>flyway-core</artifactId>", Format::Flyway),
        ] {
            let (found, note) = taken(files, file, content);
            assert_eq!(found, format, "{file}: {content}");
            let hinted = note.contains(&format!("{file} says so"));
            assert_eq!(hinted, !note.contains("decides"), "{note}");
            assert_eq!(hinted, format != Format::Plain, "{note}");
        }
    }
}
