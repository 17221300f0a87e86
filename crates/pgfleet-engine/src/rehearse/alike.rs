//! One rehearsal for all targets of a group that are alike: with the same plan and the same schema.
//!
//! Invariant: what is given to another target is what a rehearsal of its own would have shown, but
//! for the times; sizes are each target's own.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use pgfleet_core::diagnose::Problem;
use pgfleet_core::plan::{Plan, hash_text};
use serde_json::json;
use tokio::sync::OnceCell;

use super::sizes::Sizes;
use super::{RehearsalOptions, Rehearsed, rehearse};
use crate::compare::read_own_schema;
use crate::conduct::{ChangeError, Opened, Target};
use crate::connect::Session;
use crate::project::Project;

/// What rehearsals showed, by what they depend on.
#[derive(Debug, Default)]
pub struct Rehearsals(RefCell<HashMap<Key, Rc<OnceCell<Rc<Known>>>>>);

/// What a rehearsal depends on, and the schema that is its target.
type Key = (String, Option<String>);

#[derive(Debug)]
struct Known {
    target: String,
    rehearsed: Rehearsed,
}

impl Rehearsals {
    /// Rehearses a plan, or gives what a target that is alike has shown; who asks while that one is
    /// at work waits for it. No two targets have the same rows, so that a copy with rows is always
    /// made of the target itself.
    ///
    /// # Errors
    /// As [`rehearse`]; that no copy could be made is not remembered.
    pub async fn rehearse(
        &self,
        project: &Project,
        target: &Target,
        opened: &Opened,
        plan: &Plan,
        options: RehearsalOptions,
    ) -> Result<Rehearsed, ChangeError> {
        if options.rows.is_some() {
            return rehearse(project, target, opened, plan, options).await;
        }
        let likeness = likeness(target, &opened.session, &plan.fingerprint).await?;
        // Where a schema is the target, what statements touch bears its name.
        let key = (likeness, target.schema.clone());
        let known = self.0.borrow_mut().entry(key).or_default().clone();
        let own = || async {
            let rehearsed = rehearse(project, target, opened, plan, options).await?;
            Ok::<_, ChangeError>(Rc::new(Known { target: target.name.clone(), rehearsed }))
        };
        let known = known.get_or_try_init(own).await?;
        if known.target == target.name {
            return Ok(known.rehearsed.clone());
        }
        let sizes = Sizes::read(&opened.session).await;
        let sizes = sizes.map_err(|error| target.session_problem(&error))?;
        Ok(known.for_another(target, &sizes))
    }
}

impl Known {
    fn for_another(&self, target: &Target, sizes: &Sizes) -> Rehearsed {
        let Rehearsed { mut rehearsal, mut problems } = self.rehearsed.clone();
        rehearsal.stand_in = Some(self.target.clone());
        for touched in rehearsal.statements.iter_mut().flat_map(|seen| &mut seen.touched) {
            touched.size = sizes.of(&touched.relation);
        }
        for problem in problems.iter_mut().filter(|problem| problem.target.is_some()) {
            problem.target = Some(target.name.clone());
        }
        Rehearsed { rehearsal, problems }
    }
}

/// Equal for targets on which a plan does the same as far as no row decides: the plan's fingerprint,
/// the server's major version, and the whole schema as it was read. That is stricter than the
/// schema's fingerprint, which passes over the order of columns: an `INSERT` may go by it.
///
/// # Errors
/// When the schema cannot be read.
pub(crate) async fn likeness(
    target: &Target,
    session: &Session,
    plan: &str,
) -> Result<String, Box<Problem>> {
    let schema = read_own_schema(target, session).await?;
    let major = session.server_version_num() / 10_000;
    Ok(hash_text(&json!([plan, major, schema.objects]).to_string()))
}
