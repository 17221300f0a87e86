//! `pgfleet generate` for any folder: the difference between it and the desired schema as files.

use std::str::FromStr;

use pgfleet_core::diagnose::{Code, Problem, Severity};
use pgfleet_core::rows::{before_renames, script_demands};
use pgfleet_engine::compare::{Side, read_side};
use pgfleet_engine::compose::{
    ComposeRequest, Composed, DownPart, compose_change, current_moment, write_files,
};
use pgfleet_engine::conduct::Target;
use pgfleet_engine::project::{Folder, Project};
use pgfleet_engine::rows::broken_demands;
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::diff::entries;
use crate::cli::outcome::{CommandError, CommandResult};
use crate::cli::renames::{RenameFlags, rename_entries};
use crate::render::{self, TargetEntry};

/// What the user asked for.
pub struct ChangeFlags<'a> {
    /// What the migration is called.
    pub name: &'a str,
    /// The desired schema.
    pub to: Option<Side>,
    /// What is renamed rather than dropped and created.
    pub renames: &'a RenameFlags,
    /// Nothing is written.
    pub dry_run: bool,
    /// Which forms; none leaves it to the format.
    pub online: Option<bool>,
}

/// The folder. One without migrations is where the first goes.
pub fn folder(project: &Project) -> Result<Folder, CommandError> {
    let mut folder = project.open_folder()?;
    folder.set.problems.retain(|problem| problem.code != Code::FolderEmpty);
    let errors: Vec<_> = folder.set.problems.iter().filter(|p| p.is_error()).cloned().collect();
    if errors.is_empty() { Ok(folder) } else { Err(CommandError { problems: errors }) }
}

/// Composes, writes and shows.
pub async fn run(
    context: &Context,
    project: &Project,
    folder: Folder,
    flags: ChangeFlags<'_>,
) -> Result<CommandResult, CommandError> {
    let side = desired(project, flags.to)?;
    let request =
        ComposeRequest { name: slug(flags.name)?, online: flags.online, now: current_moment() };
    let wishes = flags.renames.wishes(context, &side)?;
    let to = read_side(project, &side).await?;
    let composed =
        compose_change(project, folder, (&side, &to), &request, &wishes.wishes()).await?;
    wishes.refuse_unanswered(&composed.proposals)?;
    let mut problems = broken_in_target(project, &composed).await;
    problems.extend(composed.doubts.iter().cloned());
    let (path, shown) = project.folder_path()?;
    if !flags.dry_run {
        write_files(&path, &composed.files)?;
    }
    let text = text(context, &composed, &shown, flags.dry_run);
    let paths: Vec<_> =
        composed.files.iter().map(|file| format!("{shown}/{}", file.path)).collect();
    let files: Vec<_> = composed
        .files
        .iter()
        .zip(&paths)
        .map(|(file, path)| json!({ "path": path, "text": file.text }))
        .collect();
    let down = match &composed.down {
        DownPart::None => json!(null),
        DownPart::Proven(notes) => json!({ "proven": true, "notes": notes }),
        DownPart::Unproven(why) => json!({ "proven": false, "why": why }),
    };
    let entry = TargetEntry::new(&project.settings.target)
        .field("expected_from", &side.to_string())?
        .field("written", &!flags.dry_run)?
        .field("files", &files)?
        .field("renames", &rename_entries(&composed.renames))?
        .field("proposals", &composed.proposals)?
        .field("changes", &composed.changes)?
        .field("statements", &entries(&composed.statements, &composed.hazards))?
        .field("down", &down)?;
    Ok(CommandResult { text, targets: vec![entry], problems, ..CommandResult::default() })
}

/// What `apply` would refuse on the target as it is now.
async fn broken_in_target(project: &Project, composed: &Composed) -> Vec<Problem> {
    let Ok(target) = Target::of(project) else { return Vec::new() };
    let Ok(session) = target.connect().await else { return Vec::new() };
    let rest = composed.statements.iter().skip(composed.renames.len());
    let demands = script_demands(rest.map(|statement| statement.sql.as_str()));
    let found = broken_demands(&session, &before_renames(demands, &composed.renames)).await;
    session.close().await;
    let warn = |problem: Problem| Problem { severity: Severity::Warning, ..problem };
    found.into_iter().map(warn).collect()
}

fn desired(project: &Project, to: Option<Side>) -> Result<Side, Box<Problem>> {
    let configured = || {
        let text = project.settings.desired.as_deref()?;
        Side::from_str(text).ok().map(|side| side.below(&project.root))
    };
    to.or_else(configured).ok_or_else(|| {
        let what = "nothing says what the schema shall be";
        Box::new(
            Problem::error(Code::ConfigMissing, what)
                .because("there is no --to, and no `desired` under [schema] in pgfleet.toml")
                .fix_with(
                    "Name a file, a database, a command …",
                    "pgfleet generate NAME --to schema.sql",
                )
                .fix("Or write it down: desired = \"schema.sql\" under [schema] in pgfleet.toml."),
        )
    })
}

/// Letters, digits and `_`, as every format takes them.
fn slug(name: &str) -> Result<String, Box<Problem>> {
    let keep = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let slug: String = name.trim().chars().map(keep).take(100).collect();
    if slug.chars().any(|c| c.is_ascii_alphanumeric()) {
        return Ok(slug);
    }
    let problem = Problem::error(Code::Usage, format!("{name:?} cannot name a migration"));
    Err(Box::new(problem.fix("Name it with letters and digits.")))
}

fn text(context: &Context, composed: &Composed, shown: &str, dry_run: bool) -> String {
    if composed.files.is_empty() {
        return "Nothing to generate: the migrations make the desired schema. `pgfleet drift` says what a \
                database has that they do not make, and the reverse.\n"
            .to_owned();
    }
    let mut text = String::new();
    for file in &composed.files {
        text.push_str(&format!(
            "==> {shown}/{}\n{}\n",
            file.path,
            render::clean(file.text.trim_end())
        ));
    }
    text.push('\n');
    render::renames(&mut text, &context.out, &composed.renames);
    render::changes(&mut text, &context.out, &composed.changes);
    render::hazards(&mut text, &composed.hazards);
    let count = composed.files.len();
    let files = if count == 1 { "1 file".to_owned() } else { format!("{count} files") };
    text.push_str(&match dry_run {
        true => format!("\n{files} proven on a scratch copy; nothing was written.\n"),
        false => format!("\nWrote {files}, proven on a scratch copy.\n"),
    });
    match &composed.down {
        DownPart::None => {}
        DownPart::Proven(notes) => {
            text.push_str("Taken back on the copy, the schema was as before.\n");
            notes.iter().for_each(|note| text.push_str(&format!("  {note}\n")));
        }
        DownPart::Unproven(why) => {
            text.push_str(&format!("No down part: it did not lead back ({why}).\n"));
        }
    }
    if !dry_run {
        text.push_str("Next: pgfleet apply\n");
    }
    text
}
