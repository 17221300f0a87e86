//! Files that `--out` and `--html` name.
//!
//! Invariant: what was there stays whole until the new file is. Pipes and devices are written to as
//! they are.

use std::path::Path;
use std::{fs, io};

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_engine::report::ReportError;

use super::outcome::CommandError;

/// Writes a file. `what` is how messages call what is in it: `the plan`.
pub(super) fn write_file(file: &Path, what: &str, text: &str) -> Result<(), CommandError> {
    write_whole(file, text).map_err(|error| {
        let what = format!("{what} cannot be written to {}", file.display());
        Problem::error(Code::Usage, what).because(error.to_string()).into()
    })
}

/// Warns that a report is not where it should be. What was done is done: the exit code says that.
pub(super) fn report_unwritten(error: &ReportError) -> Problem {
    Problem::warning(Code::ReportUnwritten, "no report of this was kept")
        .because(error.to_string())
        .fix("Let this user write to .pgfleet, and see that the disk has room.")
}

fn write_whole(file: &Path, text: &str) -> io::Result<()> {
    // Through a link, what it leads to is written anew.
    let place = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let prior = fs::metadata(&place).ok();
    let is_plain = prior.as_ref().is_none_or(fs::Metadata::is_file);
    let Some(name) = place.file_name().filter(|_| is_plain) else {
        return fs::write(&place, text);
    };
    let draft = place.with_file_name(format!(".{}.pgfleet-new", name.to_string_lossy()));
    let written = write_draft(&draft, prior.as_ref(), text);
    match written.and_then(|()| fs::rename(&draft, &place)) {
        Ok(()) => Ok(()),
        Err(error) => {
            let _ = fs::remove_file(&draft);
            // A file may be writable in a folder that is not.
            let folder_is_closed = error.kind() == io::ErrorKind::PermissionDenied;
            if folder_is_closed { fs::write(&place, text) } else { Err(error) }
        }
    }
}

fn write_draft(draft: &Path, prior: Option<&fs::Metadata>, text: &str) -> io::Result<()> {
    fs::write(draft, text)?;
    prior.map_or(Ok(()), |prior| fs::set_permissions(draft, prior.permissions()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_stays_until_the_new_file_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("plan.json");
        write_file(&file, "the plan", "old").unwrap();
        // Nothing can be written where a folder stands.
        let draft = folder.path().join(".plan.json.pgfleet-new");
        fs::create_dir(&draft).unwrap();
        let refused = write_file(&file, "the plan", "new").unwrap_err();
        assert!(refused.problems[0].what.starts_with("the plan cannot be written to"));
        assert_eq!(fs::read_to_string(&file).unwrap(), "old");
        fs::remove_dir(&draft).unwrap();
        write_file(&file, "the plan", "new").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
    }

    #[cfg(unix)]
    #[test]
    fn links_and_devices_stay_what_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write_file(&link, "the plan", "new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        write_file(Path::new("/dev/null"), "the plan", "new").unwrap();
        assert!(write_file(Path::new("/dev/full"), "the plan", "new").is_err());
    }
}
