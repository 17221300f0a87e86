//! Rollouts as the control database knows them.

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::fleet::{RolloutRules, RolloutState, WaveCounts};
use serde::Serialize;

use super::control::{Control, first_cell};
use crate::conduct::run_id;
use crate::journal::literal;

/// A rollout.
#[derive(Debug, Clone, Serialize)]
pub struct Rollout {
    /// Identifies it.
    pub rollout_id: String,
    /// The group.
    pub group: String,
    /// Where it is.
    pub state: RolloutState,
    /// Why it is there, where that needs a word.
    pub note: String,
    /// By what it goes.
    pub rules: RolloutRules,
    /// Recognises the migration folder.
    #[serde(skip)]
    pub folder: String,
    /// When it began.
    pub began_at: String,
    /// The role that began it.
    pub began_by: String,
}

/// A target of a rollout.
#[derive(Debug, Clone, Serialize)]
pub struct ManifestTarget {
    /// Its name in the group.
    pub target: String,
    /// Its wave, from 0.
    pub wave: usize,
    /// waiting, running, done, failed, taken_back, stuck.
    pub state: String,
    /// True when somebody works on it right now.
    pub leased: bool,
    /// How often it was begun.
    pub attempts: usize,
    /// What became of it, in a few words.
    pub headline: String,
    /// What it is migrated by.
    pub versions: Vec<String>,
    /// How long its last attempt took, or takes since it began; 0 before the first.
    pub elapsed_ms: f64,
}

/// A rollout with its targets.
#[derive(Debug, Clone, Serialize)]
pub struct Manifest {
    /// The rollout.
    #[serde(flatten)]
    pub rollout: Rollout,
    /// How many targets of each wave are where.
    pub waves: Vec<WaveCounts>,
    /// Every target.
    pub targets: Vec<ManifestTarget>,
}

/// What a new rollout begins with.
#[derive(Debug, Clone)]
pub struct Beginning<'a> {
    /// The group.
    pub group: &'a str,
    /// By what it goes.
    pub rules: RolloutRules,
    /// Recognises the migration folder.
    pub folder: String,
    /// Targets with their waves.
    pub targets: Vec<(&'a str, usize)>,
}

const COLUMNS: &str = "rollout_id, group_name, state, note, rules::text, folder, \
     pg_catalog.to_char(began_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), began_by";

/// How long a target's last attempt took, in milliseconds: one that is at work has the end of the
/// attempt before, or none.
const ELAPSED: &str = "coalesce(1000 * extract(epoch FROM CASE WHEN t.ended_at >= t.began_at \
     THEN t.ended_at ELSE pg_catalog.clock_timestamp() END - t.began_at), 0)::float8";

impl Control {
    /// The newest rollout of a group.
    ///
    /// # Errors
    /// When there is none.
    pub async fn newest(&self, group: &str) -> Result<Rollout, Box<Problem>> {
        self.find(group, "true").await?.ok_or_else(|| {
            let what = format!("there is no rollout of the group {group}");
            Box::new(
                Problem::error(Code::RolloutUnknown, what)
                    .because(format!("the control database {} has none", self.place()))
                    .fix_with("Begin one.", format!("pgfleet rollout start --group {group}")),
            )
        })
    }

    /// The rollout of a group that is not over.
    ///
    /// # Errors
    /// When the control database cannot be asked.
    pub async fn unfinished(&self, group: &str) -> Result<Option<Rollout>, Box<Problem>> {
        self.find(group, "state NOT IN ('done', 'aborted', 'taken_back')").await
    }

    async fn find(&self, group: &str, which: &str) -> Result<Option<Rollout>, Box<Problem>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM pgfleet.rollouts WHERE group_name = {} AND {which} \
             ORDER BY began_at DESC LIMIT 1",
            literal(group)
        );
        Ok(self.ask(&sql).await?.first().map(|row| rollout(row)))
    }

    /// Begins a rollout, unless one of the group is not over.
    ///
    /// # Errors
    /// When the control database cannot be asked.
    pub async fn begin(&self, beginning: &Beginning<'_>) -> Result<(), Box<Problem>> {
        let id = run_id::new();
        let (group, rules) = (beginning.group, &beginning.rules);
        let rules = serde_json::to_string(rules).unwrap_or_default();
        let mut sql = format!(
            "INSERT INTO pgfleet.rollouts (rollout_id, group_name, state, rules, folder, client) \
             SELECT {id}, {group}, 'running', {rules}::jsonb, {folder}, {client} WHERE NOT EXISTS \
             (SELECT 1 FROM pgfleet.rollouts WHERE group_name = {group} \
             AND state NOT IN ('done', 'aborted', 'taken_back'))",
            id = literal(&id),
            group = literal(group),
            rules = literal(&rules),
            folder = literal(&beginning.folder),
            client = literal(concat!("pgfleet ", env!("CARGO_PKG_VERSION"))),
        );
        let rows = beginning.targets.iter().enumerate();
        let rows: Vec<_> = rows
            .map(|(at, (target, wave))| format!("({at}, {}, {wave})", literal(target)))
            .collect();
        if !rows.is_empty() {
            sql.push_str(&format!(
                "; INSERT INTO pgfleet.rollout_targets (rollout_id, position, target, wave) \
                 SELECT r.rollout_id, v.position, v.target, v.wave FROM pgfleet.rollouts r, \
                 (VALUES {}) AS v(position, target, wave) WHERE r.rollout_id = {}",
                rows.join(", "),
                literal(&id)
            ));
        }
        self.alone(&sql).await.map(|_| ())
    }

    /// A rollout with its targets.
    ///
    /// # Errors
    /// When the control database cannot be asked.
    pub async fn manifest(&self, rollout: Rollout) -> Result<Manifest, Box<Problem>> {
        let id = &rollout.rollout_id;
        let (state, note, waves) = self.look(id).await?;
        let sql = format!(
            "SELECT t.target, t.wave, t.state, EXISTS (SELECT 1 FROM pg_catalog.pg_locks l \
             WHERE l.locktype = 'advisory' AND l.granted AND l.classid = {class} \
             AND l.objid = t.position AND l.objsubid = 2 AND l.database = (SELECT oid \
             FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())), \
             t.attempts, t.headline, pg_catalog.array_to_json(t.versions), {ELAPSED} \
             FROM pgfleet.rollout_targets t WHERE t.rollout_id = {id} ORDER BY t.position",
            class = super::control::lock_class(id),
            id = literal(id),
        );
        let targets = self.ask(&sql).await?.iter().map(|row| target(row)).collect();
        Ok(Manifest { rollout: Rollout { state, note, ..rollout }, waves, targets })
    }

    /// Targets of a rollout by position.
    pub(super) async fn names(&self, rollout: &str) -> Result<Vec<String>, Box<Problem>> {
        let sql = format!(
            "SELECT target FROM pgfleet.rollout_targets WHERE rollout_id = {} ORDER BY position",
            literal(rollout)
        );
        let rows = self.ask(&sql).await?;
        Ok(rows.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect())
    }

    /// Every version that a target of a rollout is migrated by.
    pub(super) async fn versions(&self, rollout: &str) -> Result<Vec<String>, Box<Problem>> {
        let sql = format!(
            "SELECT DISTINCT pg_catalog.unnest(versions) FROM pgfleet.rollout_targets \
             WHERE rollout_id = {}",
            literal(rollout)
        );
        let rows = self.ask(&sql).await?;
        Ok(rows.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect())
    }

    /// Halts, pauses, ends or continues a rollout. True when its state allowed it.
    ///
    /// # Errors
    /// When the control database cannot be asked.
    pub async fn set_state(
        &self,
        rollout: &str,
        from: &[RolloutState],
        to: RolloutState,
        note: &str,
    ) -> Result<bool, Box<Problem>> {
        self.change(rollout, from, to, note).await
    }

    /// Lets failed targets be tried again: those that failed, or those that could not be taken back.
    ///
    /// # Errors
    /// When the control database cannot be asked.
    pub async fn retry(&self, rollout: &str, back: bool) -> Result<usize, Box<Problem>> {
        let (from, to) = if back { ("stuck", "done") } else { ("failed", "waiting") };
        let sql = format!(
            "WITH changed AS (UPDATE pgfleet.rollout_targets SET state = '{to}' \
             WHERE rollout_id = {} AND state = '{from}' RETURNING 1) SELECT count(*) FROM changed",
            literal(rollout)
        );
        let count = first_cell(&self.ask(&sql).await?);
        Ok(count.and_then(|count| count.parse().ok()).unwrap_or(0))
    }
}

fn rollout(row: &[Option<String>]) -> Rollout {
    let text = |at: usize| row.get(at).cloned().flatten().unwrap_or_default();
    Rollout {
        rollout_id: text(0),
        group: text(1),
        state: RolloutState::parse(&text(2)).unwrap_or(RolloutState::Aborted),
        note: text(3),
        rules: serde_json::from_str(&text(4)).unwrap_or_default(),
        folder: text(5),
        began_at: text(6),
        began_by: text(7),
    }
}

fn target(row: &[Option<String>]) -> ManifestTarget {
    let text = |at: usize| row.get(at).cloned().flatten().unwrap_or_default();
    ManifestTarget {
        target: text(0),
        wave: text(1).parse().unwrap_or(0),
        state: text(2),
        leased: text(3) == "t",
        attempts: text(4).parse().unwrap_or(0),
        headline: text(5),
        versions: serde_json::from_str(&text(6)).unwrap_or_default(),
        elapsed_ms: text(7).parse().unwrap_or(0.0),
    }
}
