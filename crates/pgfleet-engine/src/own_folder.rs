//! `.pgfleet`, where pgfleet keeps what it writes beside a project: reports, backups, looks.

use std::path::Path;

/// Its name.
const NAME: &str = ".pgfleet";

/// Where `.pgfleet` is among a path's folders, gives it a `.gitignore` that keeps all of it out of
/// the project's repository: reports hold values of rows. One that is there stays as it is.
pub(crate) fn keep_out_of_git(path: &Path) {
    let own = path.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == NAME));
    if let Some(own) = own
        && let Ok(mut file) = std::fs::File::create_new(own.join(".gitignore"))
    {
        // A repository that shows a report is better than a command that fails for it.
        let _ = std::io::Write::write_all(&mut file, b"*\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_once_and_nowhere_else() {
        let root = tempfile::tempdir().unwrap();
        let runs = root.path().join(".pgfleet/backups/shop");
        std::fs::create_dir_all(&runs).unwrap();
        keep_out_of_git(&runs);
        let file = root.path().join(".pgfleet/.gitignore");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "*\n");
        std::fs::write(&file, "runs\n").unwrap();
        keep_out_of_git(&runs);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "runs\n");
        keep_out_of_git(root.path());
        assert!(!root.path().join(".gitignore").exists());
    }
}
