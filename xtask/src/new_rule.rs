//! `cargo xtask new-rule NAME`: the skeleton of a lint rule. What belongs together is written
//! together, and the tests fail until each part says something.

use std::{fs, path::Path, process::ExitCode};

use crate::checkout;

const RULES: &str = "crates/pgfleet-core/src/lint/rules";

/// Writes file, page and cases of a rule, and registers it.
pub(crate) fn run(name: &str) -> ExitCode {
    if !is_name(name) {
        eprintln!("a rule's name is words in lower case joined by hyphens: {name:?} is none");
        return ExitCode::from(2);
    }
    let root = checkout::root();
    let file = name.replace('-', "_");
    if root.join(RULES).join(format!("{file}.rs")).exists() {
        eprintln!("there is a rule {name} already");
        return ExitCode::from(2);
    }
    write(&root.join(RULES).join(format!("{file}.rs")), &code());
    write(&root.join(format!("docs/lint/{name}.md")), &page(name));
    write(&root.join(format!("corpus/lint/{name}/bad.sql")), "SELECT 'what the rule finds';\n");
    write(
        &root.join(format!("corpus/lint/{name}/good.sql")),
        "SELECT 'what it is silent about';\n",
    );
    let registry = root.join(RULES).join("mod.rs");
    let text = fs::read_to_string(&registry).expect("the registry of rules can be read");
    write(&registry, &registered(&text, &file, name));
    println!("fill in {RULES}/{file}.rs, docs/lint/{name}.md and corpus/lint/{name}, then run");
    println!("UPDATE_CORPUS=1 cargo nextest run -p pgfleet-core --test lint");
    ExitCode::SUCCESS
}

fn is_name(name: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    name.split('-').all(is_word)
}

fn write(path: &Path, text: &str) {
    let folder = path.parent().expect("a file has a folder");
    fs::create_dir_all(folder).expect("a folder can be made");
    fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    println!("wrote {}", checkout::shown(path));
}

fn code() -> String {
    "//! What the rule finds.\n\n\
     use super::prelude::*;\n\n\
     pub(in crate::lint) static RULE: Definition =\n    \
     Definition::statement(\"what it finds in a few words\", RuleLevel::Warning, look);\n\n\
     fn look(scene: &Scene<'_>) -> Vec<Finding> {\n    \
     let _ = scene;\n    \
     Vec::new()\n}\n"
        .to_owned()
}

fn page(name: &str) -> String {
    format!(
        "# {name}\n\nWhat the rule finds.\n\n## Why\n\nWhat happens, with its source in \
         PostgreSQL's documentation or code.\n\n## Instead\n\n```sql\nSELECT 1;\n```\n"
    )
}

/// The registry with one more line, in order.
fn registered(text: &str, file: &str, name: &str) -> String {
    let line = format!("    {file} = \"{name}\";");
    let (head, list) = text.split_once("rules! {\n").expect("the registry has a list of rules");
    let (list, tail) = list.split_once("\n}").expect("the list of rules ends");
    let mut lines: Vec<&str> = list.lines().chain([line.as_str()]).collect();
    lines.sort_unstable();
    format!("{head}rules! {{\n{}\n}}{tail}", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_registered_in_its_place() {
        let text = "rules! {\n    a_b = \"a-b\";\n    d = \"d\";\n}\n";
        let more = "rules! {\n    a_b = \"a-b\";\n    c = \"c\";\n    d = \"d\";\n}\n";
        assert_eq!(registered(text, "c", "c"), more);
        assert!(is_name("a-b") && !is_name("A-b") && !is_name("a--b") && !is_name(""));
    }
}
