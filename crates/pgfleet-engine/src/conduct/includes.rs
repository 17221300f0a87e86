//! Looks up files that `\i` and `\ir` name, in the migration folder as it was read.

use pgfleet_core::folder::FileTree;

/// The file's path in the folder and its text.
pub fn read_include(
    tree: &FileTree,
    path: &str,
    relative: bool,
    including: &str,
) -> Option<(String, String)> {
    let including = including.strip_prefix(tree.root.trim_end_matches('/')).unwrap_or(including);
    let folder =
        including.trim_start_matches('/').rsplit_once('/').map_or("", |(folder, _)| folder);
    let beside = normalize(&format!("{folder}/{path}"));
    let from_root = normalize(path);
    let candidates = if relative { vec![beside] } else { vec![from_root, beside] };
    candidates.into_iter().flatten().find_map(|name| {
        let text = tree.text(&name)?.ok()?.text;
        Some((tree.display(&name), text))
    })
}

/// Resolves `.` and `..`; none when the path leaves the folder.
fn normalize(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn includes_stay_in_the_folder() {
        let tree = FileTree::from_files("db/migrations", [("a/b.sql", "1"), ("c.sql", "2")]);
        let read = |path, relative| read_include(&tree, path, relative, "db/migrations/a/x.sql");
        assert_eq!(read("b.sql", true), Some(("db/migrations/a/b.sql".into(), "1".into())));
        assert_eq!(read("../c.sql", true), Some(("db/migrations/c.sql".into(), "2".into())));
        assert_eq!(read("c.sql", false), Some(("db/migrations/c.sql".into(), "2".into())));
        assert_eq!(read("../../secret.sql", true), None);
    }
}
