//! Backups for people and scripts.

use pgfleet_core::backup::BackupState;
use pgfleet_engine::backup::StoredBackup;
use serde_json::{Value, json};

use super::style::{Role, Style};
use super::text::{clean_line, counted, grouped, pad, pad_left, size, width_of};

/// One backup, and what to do with it next.
pub fn backup(out: &mut String, style: &Style, backup: &StoredBackup) {
    let mut facts = vec![size(backup.bytes())];
    if let Some(manifest) = backup.manifest.as_ref().filter(|m| m.kind.has_rows()) {
        let rows: u64 = manifest.tables.iter().map(|table| table.rows).sum();
        let tables = counted(manifest.tables.len(), "table");
        facts.push(format!(
            "{tables}, {} rows",
            grouped(usize::try_from(rows).unwrap_or(usize::MAX))
        ));
    }
    out.push_str(&format!(
        "{}  {}  {}\n{}\n",
        clean_line(&backup.id),
        state(style, backup.state),
        facts.join(", "),
        style.paint(Role::Faint, &clean_line(&backup.path.display().to_string())),
    ));
    if backup.state == BackupState::Unverified {
        let command = format!("pgfleet backup verify {}", clean_line(&backup.id));
        out.push_str(&format!(
            "It is good once it has been restored: {}\n",
            style.paint(Role::Command, &command)
        ));
    }
}

/// All backups of a target, the newest last.
pub fn backups(out: &mut String, style: &Style, folder: &str, backups: &[StoredBackup]) {
    if backups.is_empty() {
        out.push_str(&format!(
            "There are no backups in {}.\nMake one: {}\n",
            clean_line(folder),
            style.paint(Role::Command, "pgfleet backup --verify")
        ));
        return;
    }
    let names: Vec<_> = backups.iter().map(|backup| clean_line(&backup.id)).collect();
    let width = names.iter().map(|name| width_of(name)).max().unwrap_or(0);
    for (backup, name) in backups.iter().zip(&names) {
        let taken = backup.manifest.as_ref().map(|manifest| clean_line(&manifest.started_at));
        let line = format!(
            "{}  {}  {}  {}",
            pad(name, width),
            pad_state(style, backup.state),
            pad_left(&size(backup.bytes()), 10),
            style.paint(Role::Faint, &taken.unwrap_or_default())
        );
        out.push_str(line.trim_end());
        out.push('\n');
    }
    let good = backups.iter().filter(|backup| backup.state == BackupState::Good).count();
    out.push_str(&format!(
        "\n{} in {}, {good} good\n",
        counted(backups.len(), "backup"),
        clean_line(folder)
    ));
}

/// What was removed along the way.
pub fn removed_backups(out: &mut String, removed: &[String]) {
    for name in removed {
        out.push_str(&format!("Removed {}\n", clean_line(name)));
    }
}

/// A backup for scripts: its manifest without the list of files.
///
/// # Errors
/// Never in practice: a manifest always has a form in JSON.
pub fn backup_json(backup: &StoredBackup) -> Result<Value, serde_json::Error> {
    let mut value = json!({
        "id": backup.id,
        "path": backup.path,
        "state": backup.state,
        "bytes": backup.bytes(),
        "verified": backup.verification,
    });
    if let Some(manifest) = &backup.manifest {
        let mut manifest = serde_json::to_value(manifest)?;
        if let Some(fields) = manifest.as_object_mut() {
            fields.remove("files");
        }
        value["manifest"] = manifest;
    }
    Ok(value)
}

fn pad_state(style: &Style, of: BackupState) -> String {
    let padding = " ".repeat("not verified".len() - of.name().len());
    format!("{}{padding}", state(style, of))
}

fn state(style: &Style, state: BackupState) -> String {
    let role = match state {
        BackupState::Good => Role::Good,
        BackupState::Unverified | BackupState::Partial => Role::Doubtful,
        BackupState::Bad | BackupState::Damaged => Role::Bad,
    };
    style.paint(role, state.name())
}
