//! One target that a command works on, alone or as one of many.

use std::cell::OnceCell;
use std::sync::Arc;

use pgfleet_core::diagnose::Problem;
use pgfleet_core::report::Event;
use pgfleet_engine::conduct::{Opened, Target, open};
use pgfleet_engine::execute::EventSink;
use pgfleet_engine::project::{Folder, Project};

use super::context::{Context, refuse_errors};
use super::outcome::CommandError;
use crate::render::Progress;

/// A migration folder that is read when somebody needs it, once for all targets that share it.
#[derive(Default)]
pub struct SharedFolder {
    read: OnceCell<Result<Arc<Folder>, Box<Problem>>>,
}

impl SharedFolder {
    /// The folder, when nothing in it forbids going on.
    pub fn usable(&self, project: &Project) -> Result<Arc<Folder>, CommandError> {
        let folder = self.any(project)?;
        refuse_errors(&folder)?;
        Ok(folder)
    }

    /// The folder, whatever is wrong with its files.
    pub fn any(&self, project: &Project) -> Result<Arc<Folder>, CommandError> {
        let read = self.read.get_or_init(|| project.open_folder().map(Arc::new));
        read.clone().map_err(CommandError::from)
    }
}

/// One target that a command works on.
pub struct Site<'a> {
    /// The project with the settings that hold for the target.
    pub project: &'a Project,
    /// The target; an error for commands that can do without.
    pub target: Result<Target, Box<Problem>>,
    /// The folder that it shares.
    pub folder: &'a SharedFolder,
    /// Where events go when the target is one of many.
    pub among: Option<&'a Progress>,
}

impl Site<'_> {
    /// The target.
    pub fn target(&self) -> Result<&Target, CommandError> {
        self.target.as_ref().map_err(|problem| problem.clone().into())
    }

    /// Connects and reads the target.
    pub async fn open(&self) -> Result<(&Target, Opened), CommandError> {
        let folder = self.folder.usable(self.project)?;
        let target = self.target()?;
        let opened = open(self.project, target, folder).await?;
        Ok((target, opened))
    }

    /// Connects and reads the target, with the folder that there is, or none: for what is in no
    /// history.
    pub async fn open_without_folder(&self) -> Result<(&Target, Opened), CommandError> {
        let folder = self.folder.any(self.project);
        let folder = folder.unwrap_or_else(|_| Arc::new(Folder::none()));
        let target = self.target()?;
        let opened = open(self.project, target, folder).await?;
        Ok((target, opened))
    }

    /// True when the target is one of many.
    pub fn is_one_of_many(&self) -> bool {
        self.among.is_some()
    }

    /// Shows a run's events on standard error.
    pub fn progress(&self, context: &Context) -> SiteProgress<'_> {
        match (self.among, &self.target) {
            (Some(shared), Ok(target)) => SiteProgress::Shared(&target.name, shared),
            _ => SiteProgress::Own(context.progress()),
        }
    }
}

/// Where the events of one target go.
pub enum SiteProgress<'a> {
    /// They are all there is.
    Own(Progress),
    /// They are told apart by the target's name.
    Shared(&'a str, &'a Progress),
}

impl EventSink for SiteProgress<'_> {
    fn send(&self, event: Event) {
        match self {
            Self::Own(progress) => progress.send(event),
            Self::Shared(target, progress) => {
                let (target, of) = ((*target).to_owned(), Box::new(event));
                progress.send(Event::OfTarget { target, of });
            }
        }
    }
}
