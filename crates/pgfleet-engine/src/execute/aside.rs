//! The session beside the one that works.
//!
//! Invariant: a run whose working session holds the locks itself opens another only when there is
//! something to look at while it works.

use tokio::sync::OnceCell;

use crate::conduct::Target;
use crate::connect::Session;

/// A session beside the working one, there or to be had.
pub enum Aside<'a> {
    /// It is there: it holds the locks.
    Open(&'a Session),
    /// It is opened when somebody asks for it, once.
    Later(&'a Target, Box<OnceCell<Option<Session>>>),
}

impl<'a> Aside<'a> {
    /// One that is opened when it is needed.
    pub fn later(target: &'a Target) -> Self {
        Self::Later(target, Box::default())
    }

    /// The session; none when the server takes no other.
    pub async fn session(&self) -> Option<&Session> {
        match self {
            Self::Open(session) => Some(session),
            Self::Later(target, cell) => {
                cell.get_or_init(|| async { target.connect().await.ok() }).await.as_ref()
            }
        }
    }
}
