//! `generate` for any folder: the next migrations that make the desired schema.
//!
//! Invariant: nothing is given back that was not applied by way of the folder itself, after all
//! migrations that are there, and found to leave what was desired. A down part is given only when it was
//! run and left what was there before.

mod writing;

use jiff::Timestamp;
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::folder::compose::{Block, FileRun, Moment, NewFile, NewMigration, compose};
use pgfleet_core::folder::{FileTree, Migration, MigrationKind};
use pgfleet_core::schema::Schema;
use pgfleet_core::schema::diff::{Change, Statement, compare, units};
use pgfleet_core::schema::hazard::{
    StatementHazard, StatementHazardKind, add_proposals, hazards, rename_hazards,
};
use pgfleet_core::schema::rename::{Proposal, RenameStep};

use crate::compare::{
    Desired, RenameWishes, Renamed, Side, complete_desired, read_target, rename, replay,
    replay_folder, without_histories,
};
use crate::conduct::{
    ChangeError, RollbackRequest, RollbackTo, RunOutcome, Target, open, roll_back,
};
use crate::generate::silent_run;
use crate::project::{Folder, Project};
use crate::scratch::{Scratch, ScratchServer};

pub use writing::{finish_files, unfinished, write_files};

/// What is to be composed.
#[derive(Debug, Clone)]
pub struct ComposeRequest {
    /// What the migrations are called.
    pub name: String,
    /// Forms that let readers and writers go on; none leaves it to the format.
    pub online: Option<bool>,
    /// Now.
    pub now: Moment,
}

/// Migrations that were proven.
#[derive(Debug)]
pub struct Composed {
    /// To write, in this order; empty when nothing differs.
    pub files: Vec<NewFile>,
    /// What they rename, in order.
    pub renames: Vec<RenameStep>,
    /// What of the rest looks like a rename.
    pub proposals: Vec<Proposal>,
    /// What they change besides.
    pub changes: Vec<Change>,
    /// What they run.
    pub statements: Vec<Statement>,
    /// Of each statement.
    pub hazards: Vec<Vec<StatementHazard>>,
    /// What became of the down parts.
    pub down: DownPart,
    /// What a new database makes of the folder with them, where that is not what was desired.
    pub doubts: Vec<Problem>,
}

/// What became of the down parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DownPart {
    /// The format, or the folder, has none.
    None,
    /// Taken back on the copy, the schema was as before; the notes say what rows do not come back.
    Proven(Vec<String>),
    /// None was written, because it did not lead back.
    Unproven(String),
}

/// Composes the migrations that make `to` out of what the folder makes.
///
/// # Errors
/// When the folder cannot be replayed, or what was composed does not make `to`.
pub async fn compose_change(
    project: &Project,
    folder: Folder,
    (side, to): (&Side, &Schema),
    request: &ComposeRequest,
    wishes: &RenameWishes<'_>,
) -> Result<Composed, ChangeError> {
    let (server, target) = ScratchServer::of_project(project).await?;
    let scratch = Scratch::create_on(server, &target).await?;
    let copy = scratch.target(&target);
    let bench = Bench { project, target: &target, copy, request, side, to, wishes };
    let composed = bench.compose(folder).await;
    let dropped = scratch.drop().await;
    let composed = composed?;
    dropped.map(|()| composed).map_err(ChangeError::from)
}

/// The time by this machine's clock.
pub fn current_moment() -> Moment {
    let now = Timestamp::now();
    Moment { unix_ms: now.as_millisecond(), digits: now.strftime("%Y%m%d%H%M%S").to_string() }
}

struct Bench<'a> {
    project: &'a Project,
    target: &'a Target,
    copy: Target,
    request: &'a ComposeRequest,
    /// Where the desired schema comes from.
    side: &'a Side,
    to: &'a Schema,
    wishes: &'a RenameWishes<'a>,
}

/// A new migration with the schemas before and after it.
struct Step {
    migration: NewMigration,
    before: Schema,
    after: Schema,
}

impl Bench<'_> {
    async fn compose(&self, folder: Folder) -> Result<Composed, ChangeError> {
        replay_folder(self.project, &self.copy, folder.clone()).await?;
        let from = self.read().await?;
        let renamed = rename(self.project, &from, self.to, self.wishes).await?;
        let asked = (self.side, self.to.clone());
        let (renamed, desired) = complete_desired(self.project, &from, asked, renamed).await?;
        let mut composed = self.difference(&folder, (&from, &desired.schema), &renamed)?;
        if composed.statements.is_empty() {
            return Ok(composed);
        }
        let mut steps = Vec::new();
        let mut tree = folder.tree.clone();
        let mut before = from;
        for migration in self.migrations(&folder, &composed.statements) {
            tree = self.with_files(&folder, &tree, &migration).0;
            replay_folder(self.project, &self.copy, self.reread(&folder, &tree)).await?;
            let after = self.read().await?;
            steps.push(Step { migration, before, after: after.clone() });
            before = after;
        }
        check_result(&before, &desired)?;
        let lost = losses(&composed.hazards);
        (composed.files, composed.down) = self.with_downs(&folder, steps, &lost, &renamed).await?;
        composed.doubts = self.on_new_database(&folder, &composed.files, &desired).await;
        Ok(composed)
    }

    /// What is to be done, without its files.
    fn difference(
        &self,
        folder: &Folder,
        (from, to): (&Schema, &Schema),
        renamed: &Renamed,
    ) -> Result<Composed, Box<Problem>> {
        let difference = compare(renamed.start(from), to);
        let online = self.online(folder)?;
        let difference = if online { difference.with_online_forms() } else { difference };
        let rest = difference.statements();
        let mut of_rest = hazards(&difference, &rest);
        add_proposals(&mut of_rest, &rest, &renamed.proposals);
        let mut all_hazards = rename_hazards(&renamed.steps, to);
        all_hazards.extend(of_rest);
        Ok(Composed {
            files: Vec::new(),
            renames: renamed.steps.clone(),
            proposals: renamed.proposals.clone(),
            changes: difference.changes(),
            statements: renamed.before(&rest),
            hazards: all_hazards,
            down: DownPart::None,
            doubts: Vec::new(),
        })
    }

    /// Repeatable migrations run before the new ones where they ran already, and after them in a
    /// new database, which must come to the same.
    async fn on_new_database(
        &self,
        folder: &Folder,
        files: &[NewFile],
        desired: &Desired,
    ) -> Vec<Problem> {
        let is_repeatable = |one: &Migration| one.kind == MigrationKind::Repeatable;
        if !folder.set.migrations.iter().any(is_repeatable) {
            return Vec::new();
        }
        let mut tree = folder.tree.clone();
        for file in files {
            tree.insert(&file.path, file.text.clone().into_bytes());
        }
        match replay(self.project, self.target, self.reread(folder, &tree)).await {
            Ok(schema) => {
                let rest = desired.rest(&without_histories(schema, &self.project.settings));
                rest.first().map(|one| other_in_new(first_line(&one.sql))).into_iter().collect()
            }
            Err(problem) => vec![fails_in_new(*problem)],
        }
    }

    async fn read(&self) -> Result<Schema, Box<Problem>> {
        Ok(without_histories(read_target(&self.copy).await?, &self.project.settings))
    }

    fn online(&self, folder: &Folder) -> Result<bool, Box<Problem>> {
        let run = folder.set.format.file_run();
        let can = run != FileRun::OneTransaction;
        match self.request.online {
            Some(true) if !can => Err(Box::new(cannot_be_online(folder))),
            Some(online) => Ok(online),
            None => Ok(can),
        }
    }

    /// One migration, or one for each block where a file can hold no more.
    fn migrations(&self, folder: &Folder, statements: &[Statement]) -> Vec<NewMigration> {
        let blocks: Vec<_> =
            units(statements).iter().map(|unit| with_bodies(unit.into())).collect();
        if folder.set.format.file_run() == FileRun::OwnTransactions {
            let name = self.request.name.clone();
            return vec![NewMigration { name, up: blocks, ..NewMigration::default() }];
        }
        let name = |number: usize| match number {
            1 => self.request.name.clone(),
            number => format!("{}_{number}", self.request.name),
        };
        let numbered = (1..).zip(blocks);
        numbered
            .map(|(number, block)| NewMigration {
                name: name(number),
                up: vec![block],
                ..NewMigration::default()
            })
            .collect()
    }

    fn with_files(
        &self,
        folder: &Folder,
        tree: &FileTree,
        migration: &NewMigration,
    ) -> (FileTree, Vec<NewFile>) {
        let set = self.reread(folder, tree).set;
        let files = compose(&set, tree, migration, &self.request.now);
        let mut tree = tree.clone();
        for file in &files {
            tree.insert(&file.path, file.text.clone().into_bytes());
        }
        (tree, files)
    }

    fn reread(&self, folder: &Folder, tree: &FileTree) -> Folder {
        let folder = Folder { tree: tree.clone(), ..folder.clone() };
        self.project.reread(&folder, folder.set.format)
    }

    /// All files, with down parts when they lead back.
    async fn with_downs(
        &self,
        folder: &Folder,
        steps: Vec<Step>,
        lost: &[String],
        renamed: &Renamed,
    ) -> Result<(Vec<NewFile>, DownPart), ChangeError> {
        let plain: Vec<_> = steps.iter().map(|step| step.migration.clone()).collect();
        if !folder.set.format.takes_back(&folder.tree) {
            return Ok((self.all_files(folder, &plain).1, DownPart::None));
        }
        let start = steps.first().map(|step| step.before.clone()).unwrap_or_else(Schema::empty);
        let (with_down, notes) = with_down_parts(steps, lost, renamed);
        let (tree, files) = self.all_files(folder, &with_down);
        match self.take_back(folder, &tree, with_down.len(), &start).await {
            Ok(()) => Ok((files, DownPart::Proven(notes))),
            Err(problem) => {
                let why = problem.cause.clone().unwrap_or_else(|| problem.what.clone());
                let note = format!("not reversible: {}", first_line(&why));
                let noted = |migration: NewMigration| NewMigration {
                    down_notes: vec![note.clone()],
                    ..migration
                };
                let migrations: Vec<_> = plain.into_iter().map(noted).collect();
                Ok((self.all_files(folder, &migrations).1, DownPart::Unproven(why)))
            }
        }
    }

    fn all_files(&self, folder: &Folder, migrations: &[NewMigration]) -> (FileTree, Vec<NewFile>) {
        let (mut tree, mut all) = (folder.tree.clone(), Vec::<NewFile>::new());
        for migration in migrations {
            let (next, files) = self.with_files(folder, &tree, migration);
            tree = next;
            for file in files {
                // A journal is written once, as it is in the end.
                let first = all.iter().position(|other| other.path == file.path);
                let replaces = folder.tree.files.contains_key(&file.path);
                first.map(|at| all.remove(at));
                all.push(NewFile { replaces, ..file });
            }
        }
        (tree, all)
    }

    /// Takes the new migrations back on the copy, where they are applied.
    async fn take_back(
        &self,
        folder: &Folder,
        tree: &FileTree,
        count: usize,
        start: &Schema,
    ) -> Result<(), Box<Problem>> {
        let opened = open(self.project, &self.copy, self.reread(folder, tree)).await?;
        let (_sender, stop) = tokio::sync::watch::channel(false);
        let request = RollbackRequest { to: RollbackTo::Steps(count), run: silent_run(stop) };
        let outcome = roll_back(&self.copy, &opened, &request).await;
        opened.session.close().await;
        let first = |problems: Vec<Problem>| problems.into_iter().find(Problem::is_error);
        let failed = match outcome {
            Ok(RunOutcome::Ran(report)) if !report.complete() => first(report.problems),
            Ok(_) => None,
            Err(error) => first(error.problems),
        };
        if let Some(problem) = failed {
            return Err(Box::new(problem));
        }
        let rest = compare(&self.read().await?, start).statements();
        match rest.first() {
            None => Ok(()),
            Some(statement) => {
                let what = format!("it leaves a difference: {}", first_line(&statement.sql));
                Err(Box::new(Problem::error(Code::ChangeUnproven, what)))
            }
        }
    }
}

fn check_result(after: &Schema, to: &Desired) -> Result<(), Box<Problem>> {
    let rest = to.rest(after);
    if rest.is_empty() {
        return Ok(());
    }
    let what = "the generated migration does not make the desired schema";
    let mut problem = Problem::error(Code::GeneratedUnproven, what)
        .because("on a scratch copy these statements were still missing afterwards");
    for statement in rest.iter().take(5) {
        problem = problem.detail(first_line(&statement.sql).to_owned());
    }
    Err(Box::new(problem.fix_with("See what differs.", "pgfleet diff migrations …")))
}

fn fails_in_new(problem: Problem) -> Problem {
    let what = "in a new database the folder fails, once the generated migration is in it";
    let failure = Problem::warning(Code::GeneratedUnproven, what)
        .because(format!("there repeatable migrations run after it: {}", problem.what))
        .fix("Correct the repeatable migration along with it.");
    Problem { place: problem.place, snippet: problem.snippet, ..failure }
}

fn other_in_new(statement: &str) -> Problem {
    let what = "in a new database the folder makes another schema than the desired one";
    Problem::warning(Code::GeneratedUnproven, what)
        .because("there repeatable migrations run after the generated one, and undo some of it")
        .detail(format!("missing there: {statement}"))
        .fix("Correct the repeatable migration along with it.")
}

/// Bodies may name what comes later.
fn with_bodies(mut block: Block) -> Block {
    let is_routine = |sql: &String| {
        let words: Vec<_> = sql.split_whitespace().take(4).collect();
        words.first() == Some(&"CREATE")
            && words.iter().any(|word| matches!(*word, "FUNCTION" | "PROCEDURE"))
    };
    if !block.outside && block.statements.len() > 1 && block.statements.iter().any(is_routine) {
        block.statements.insert(0, "SET LOCAL check_function_bodies = off".to_owned());
    }
    block
}

/// Down parts by comparing what was there after and before each migration, and what they lose. The
/// first migration begins with the renames; its down part ends with those that take them back.
fn with_down_parts(
    steps: Vec<Step>,
    lost: &[String],
    renamed: &Renamed,
) -> (Vec<NewMigration>, Vec<String>) {
    let mut all_notes: Vec<String> =
        lost.iter().map(|what| format!("does not bring back rows: the up part {what}")).collect();
    let mut migrations = Vec::new();
    for step in steps {
        let is_first = migrations.is_empty();
        let start = if is_first { renamed.start(&step.before) } else { &step.before };
        let back = compare(&step.after, start);
        let mut statements = back.statements();
        let loses = losses(&hazards(&back, &statements));
        if is_first {
            let backwards = renamed.steps.iter().rev();
            statements.extend(backwards.map(|step| step.inverse().statement()));
        }
        let loses: Vec<_> = loses.iter().map(|what| format!("loses: {what}")).collect();
        let down: Vec<_> = units(&statements).iter().map(|unit| with_bodies(unit.into())).collect();
        let notes = if is_first { all_notes.clone() } else { Vec::new() };
        let down_notes = notes.into_iter().chain(loses.iter().cloned()).collect();
        migrations.push(NewMigration { down: one_block(down), down_notes, ..step.migration });
        all_notes.extend(loses);
    }
    (migrations, all_notes)
}

/// A down part is one transaction, except for what must be committed in between.
fn one_block(blocks: Vec<Block>) -> Vec<Block> {
    match blocks.iter().any(|block| block.outside) {
        true => blocks,
        false => {
            let statements: Vec<_> =
                blocks.into_iter().flat_map(|block| block.statements).collect();
            if statements.is_empty() {
                Vec::new()
            } else {
                vec![Block { statements, outside: false }]
            }
        }
    }
}

/// What is certain to be lost, in words.
fn losses(hazards: &[Vec<StatementHazard>]) -> Vec<String> {
    let lost = hazards.iter().flatten().filter(|one| one.kind == StatementHazardKind::DataLoss);
    lost.map(|hazard| hazard.what.clone()).collect()
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn cannot_be_online(folder: &Folder) -> Problem {
    let format = folder.set.format;
    let what = format!("{format} runs every file in one transaction");
    Problem::error(Code::Usage, what)
        .because("indexes cannot be built concurrently inside of one")
        .fix("Leave --online out: plain forms are written then.")
}
