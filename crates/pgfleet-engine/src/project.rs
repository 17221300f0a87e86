//! A team's project on disk: configuration file, `.env`, migration folder.

use std::path::{Path, PathBuf};
use std::string::FromUtf8Error;
use std::sync::Arc;
use std::{fs, io};

use pgfleet_core::config::{self, ConfigFile, Flags, FormatChoice, Scope, Settings, Variables};
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::folder::{self, FileTree, Format, MigrationSet};
use pgfleet_core::place::Place;
use pgfleet_core::program::place_in;
use pgfleet_core::tenancy::TenancySection;

use crate::compose::unfinished;
use crate::conduct::{PlanShelf, ProgramShelf};
use crate::connect::{ConnectSpec, Surroundings};
use crate::environment;
use crate::folder::read_tree;

/// The configuration file's name.
pub const CONFIG_NAME: &str = "pgfleet.toml";

/// Where migration folders usually are, the most telling first.
const USUAL_FOLDERS: &[&str] = &[
    "supabase/migrations",
    "prisma/migrations",
    "migrations",
    "db/migrations",
    "database/migrations",
    "src/migrations",
    "src/database/migrations",
    "apps/backend/migrations",
    "drizzle",
    "sql/migrations",
    "src/main/resources/db/migration",
];

/// What stands around a command.
#[derive(Debug, Clone)]
pub struct Project {
    /// The folder of the configuration file, else the working directory.
    pub root: PathBuf,
    /// The configuration file, when there is one.
    pub config_file: Option<PathBuf>,
    /// Everything put together.
    pub settings: Arc<Settings>,
    /// The configuration as written.
    pub file: Arc<ConfigFile>,
    flags: Flags,
}

/// A migration folder, read.
#[derive(Debug, Clone)]
pub struct Folder {
    /// The files, which includes are looked up in.
    pub tree: FileTree,
    /// The migrations, read as the first of `formats`.
    pub set: MigrationSet,
    /// The dialects that the folder may be written in, the likeliest first; which of them it is
    /// may only show by the history table that a target has.
    pub formats: Vec<Format>,
    /// Plans that were made of it.
    pub plans: PlanShelf,
    /// Statements that were read out of it.
    pub programs: ProgramShelf,
}

impl Folder {
    /// The folder of a project that has none.
    pub fn none() -> Self {
        let tree = FileTree::default();
        let set = folder::read(&tree, Format::Plain);
        let (plans, programs) = (PlanShelf::default(), ProgramShelf::default());
        Self { tree, set, formats: vec![Format::Plain], plans, programs }
    }
}

/// Finds and reads the configuration. `config` names the file; without it, it is looked for from
/// the working directory upwards.
///
/// # Errors
/// When a file that is named is not there, or what it says is not valid.
pub fn load(
    working_directory: &Path,
    config: Option<&Path>,
    environment: &Variables,
    flags: &Flags,
) -> Result<Project, Box<Problem>> {
    let config_file = match config {
        Some(file) => Some(working_directory.join(file)),
        None => find_upwards(working_directory, CONFIG_NAME),
    };
    let parsed = match &config_file {
        Some(file) => read_config(file)?,
        None => ConfigFile::default(),
    };
    let root = config_file.as_deref().and_then(Path::parent).unwrap_or(working_directory);
    let dotenv = read_dotenv(&root.join(".env"))?;
    // Variables of a group's members are the same.
    let settings = config::resolve(&parsed, environment, &dotenv, flags, Scope::Target)?;
    let (settings, file) = (Arc::new(located(settings, root)?), Arc::new(parsed));
    Ok(Project { root: root.to_owned(), config_file, settings, file, flags: flags.clone() })
}

/// The same without a configuration file, for `init`, which writes one.
///
/// # Errors
/// When a flag, a variable or `.env` is not valid.
pub fn without_file(
    working_directory: &Path,
    environment: &Variables,
    flags: &Flags,
) -> Result<Project, Box<Problem>> {
    let dotenv = read_dotenv(&working_directory.join(".env"))?;
    let file = ConfigFile::default();
    let settings = config::resolve(&file, environment, &dotenv, flags, Scope::Target)?;
    Ok(Project {
        root: working_directory.to_owned(),
        config_file: None,
        settings: Arc::new(located(settings, working_directory)?),
        file: Arc::new(file),
        flags: flags.clone(),
    })
}

/// With the environment where it is: the configuration's is relative to its file.
fn located(settings: Settings, root: &Path) -> Result<Settings, Box<Problem>> {
    let folder = if settings.environment_from_file { root } else { Path::new("") };
    let name = settings.environment.as_deref();
    let environment = name.map(|name| environment::locate(name, folder)).transpose()?;
    Ok(Settings { environment, ..settings })
}

fn find_upwards(from: &Path, name: &str) -> Option<PathBuf> {
    from.ancestors().map(|folder| folder.join(name)).find(|file| file.is_file())
}

fn read_config(file: &Path) -> Result<ConfigFile, Box<Problem>> {
    let shown = file
        .file_name()
        .map_or_else(|| file.display().to_string(), |n| n.to_string_lossy().into_owned());
    let bytes = fs::read(file).map_err(|error| {
        let what = format!("the configuration file {} cannot be read", file.display());
        let problem = Problem::error(Code::ConfigMissing, what).because(error.to_string());
        Box::new(match error.kind() {
            io::ErrorKind::NotFound => problem.fix_with("Write one.", "pgfleet init"),
            _ => problem.fix("Name a file that this user may read."),
        })
    })?;
    let text = String::from_utf8(bytes).map_err(|error| not_text(&shown, &error))?;
    config::parse(&text, &shown)
}

/// Says where a file stops being UTF-8.
fn not_text(shown: &str, error: &FromUtf8Error) -> Box<Problem> {
    let at = error.utf8_error().valid_up_to();
    let (before, rest) = error.as_bytes().split_at(at);
    let before = String::from_utf8_lossy(before);
    let text = format!("{before}\u{fffd}");
    let reason = match rest {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] if at == 0 => "it is UTF-16".to_owned(),
        _ => format!("the byte 0x{:02x} at offset {at} belongs to no UTF-8 character", rest[0]),
    };
    Box::new(
        Problem::error(Code::ConfigInvalid, format!("{shown} is not UTF-8"))
            .at(place_in(&text, &Place::at(shown, 1, 1), true, at))
            .because(reason)
            .fix("Save the file as UTF-8, without any other encoding's characters."),
    )
}

/// Variables of a `.env` file, not put into the process's environment; without the file, none.
fn read_dotenv(file: &Path) -> Result<Variables, Box<Problem>> {
    if !file.is_file() {
        return Ok(Variables::new());
    }
    let invalid = |message: String| {
        let place = Place::file(".env");
        Box::new(
            Problem::error(Code::ConfigInvalid, ".env is not valid").at(place).because(message),
        )
    };
    let entries = dotenvy::from_path_iter(file).map_err(|error| invalid(error.to_string()))?;
    entries.map(|entry| entry.map_err(|error| invalid(without_value(&error)))).collect()
}

/// The library's message repeats the line, which may hold a secret.
fn without_value(error: &dotenvy::Error) -> String {
    match error {
        dotenvy::Error::LineParse(_, at) => format!("a line cannot be read, at its character {at}"),
        other => other.to_string(),
    }
}

impl Project {
    /// Says for all targets what gets a tenant column, whatever the file says.
    pub fn declare_tenancy(&mut self, section: Option<TenancySection>) {
        Arc::make_mut(&mut self.settings).tenancy.clone_from(&section);
        Arc::make_mut(&mut self.file).tenancy = section;
    }

    /// The same project with the settings of a group or of one of its targets.
    ///
    /// # Errors
    /// When a name is unknown.
    pub fn scoped(&self, scope: Scope<'_>) -> Result<Self, Box<Problem>> {
        let (variables, none) = (&self.settings.variables, Variables::new());
        let settings = config::resolve(&self.file, variables, &none, &self.flags, scope)?;
        Ok(Self { settings: Arc::new(located(settings, &self.root)?), ..self.clone() })
    }

    /// Where the target is.
    ///
    /// # Errors
    /// When the URL is not valid, or nothing says where the database is.
    pub fn connect_spec(&self) -> Result<ConnectSpec, Box<Problem>> {
        if !self.names_database() {
            return Err(Box::new(no_database()));
        }
        self.spec_of(self.settings.url.as_deref().unwrap_or_default())
    }

    /// Whether anything says where the database is.
    pub fn names_database(&self) -> bool {
        let settings = &self.settings;
        let says_where =
            |name: &str| settings.variables.get(name).is_some_and(|value| !value.is_empty());
        let named = ["PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE"].into_iter().any(says_where);
        settings.url.is_some() || named
    }

    /// Understands a URL in this project's surroundings, with the project's schema.
    ///
    /// # Errors
    /// When it is not valid.
    pub fn spec_of(&self, url: &str) -> Result<ConnectSpec, Box<Problem>> {
        let url = self.settings.expand(url)?;
        let around = Surroundings::new(self.settings.variables.clone());
        let mut spec = ConnectSpec::parse(&url, &around).map_err(Box::new)?;
        if let Some(schema) = &self.settings.schema {
            spec.search_path = Some(pgfleet_sql::quote_ident(schema));
        }
        Ok(spec)
    }

    /// Reads the migration folder.
    ///
    /// # Errors
    /// When there is none, or its format cannot be told.
    pub fn open_folder(&self) -> Result<Folder, Box<Problem>> {
        let (path, shown) = self.folder_path()?;
        if let Some(problem) = unfinished(&path, &shown) {
            return Err(problem);
        }
        let tree = read_tree(&path, &shown)?;
        let formats = match self.settings.format {
            FormatChoice::Named(format) => vec![format],
            FormatChoice::Auto => candidates(&tree)?,
        };
        let options = folder::FolderOptions { placeholders: self.settings.placeholders.clone() };
        let set =
            folder::read_with(&tree, formats.first().copied().unwrap_or(Format::Plain), &options);
        let (plans, programs) = (PlanShelf::default(), ProgramShelf::default());
        Ok(Folder { tree, set, formats, plans, programs })
    }

    /// Reads the same files as another dialect.
    pub fn reread(&self, folder: &Folder, format: Format) -> Folder {
        let options = folder::FolderOptions { placeholders: self.settings.placeholders.clone() };
        let set = folder::read_with(&folder.tree, format, &options);
        let (plans, programs) = (PlanShelf::default(), ProgramShelf::default());
        Folder { tree: folder.tree.clone(), set, formats: vec![format], plans, programs }
    }

    /// Where the migration folder is, and how messages call it.
    ///
    /// # Errors
    /// When none is named and none is in a usual place.
    pub fn folder_path(&self) -> Result<(PathBuf, String), Box<Problem>> {
        let Some(dir) = &self.settings.dir else { return self.find_folder() };
        let from_file = self.settings.dir_from_file;
        let path = if from_file { self.root.join(dir) } else { PathBuf::from(dir) };
        let shown = dir.trim_end_matches('/');
        Ok((path, if shown.is_empty() { dir.clone() } else { shown.to_owned() }))
    }

    fn find_folder(&self) -> Result<(PathBuf, String), Box<Problem>> {
        let there = |name: &&&str| self.root.join(name).is_dir();
        let found = USUAL_FOLDERS.iter().find(there);
        let found = found.map(|name| (self.root.join(name), (*name).to_owned()));
        found.ok_or_else(|| {
            Box::new(
                Problem::error(
                    Code::FolderMissing,
                    "no migration folder is named, and none is in a usual place",
                )
                .detail(format!("looked for {}", USUAL_FOLDERS.join(", ")))
                .fix_with("Name it.", "pgfleet status --dir path/to/migrations"),
            )
        })
    }
}

fn candidates(tree: &FileTree) -> Result<Vec<Format>, Box<Problem>> {
    let candidates = folder::detect_candidates(tree);
    if candidates.is_empty() {
        return folder::detect(tree).map(|format| vec![format]);
    }
    Ok(candidates)
}

fn no_database() -> Problem {
    Problem::error(Code::ConfigMissing, "nothing says which database to act on")
        .because("there is no --url, no DATABASE_URL, no url in pgfleet.toml and no PGHOST")
        .fix_with(
            "Name it on the command line …",
            "pgfleet status --url postgres://user@host:5432/database",
        )
        .fix_with("… or write a configuration.", "pgfleet init")
}
