//! A plan as a file, with what its rehearsal saw.

use serde_json::Value;

use super::{PLAN_VERSION, Plan};
use crate::rehearse::Rehearsal;

/// The key of the rehearsal beside those of the plan.
const REHEARSAL: &str = "rehearsal";

/// A plan as it is written to a file and read back.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanFile {
    /// What will be executed.
    pub plan: Plan,
    /// What happened when it was rehearsed; the plan's fingerprint does not cover it.
    pub rehearsal: Option<Rehearsal>,
}

/// Why a text is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    /// It is no JSON of that form.
    #[error(transparent)]
    Form(#[from] serde_json::Error),
    /// It was written by another release.
    #[error("its layout is version {0}, not {PLAN_VERSION}")]
    Version(u32),
}

impl PlanFile {
    /// One JSON object, indented, with a line feed at its end.
    ///
    /// # Errors
    /// Never for what was read or planned; the type of the serializer wants one.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        let Some(rehearsal) = &self.rehearsal else {
            return Ok(serde_json::to_string_pretty(&self.plan)? + "\n");
        };
        let mut object = serde_json::to_value(&self.plan)?;
        object[REHEARSAL] = serde_json::to_value(rehearsal)?;
        Ok(serde_json::to_string_pretty(&object)? + "\n")
    }

    /// Understands [`PlanFile::to_text`].
    ///
    /// # Errors
    /// When it is something else, or another version.
    pub fn parse(text: &str) -> Result<Self, PlanFileError> {
        let mut object: Value = serde_json::from_str(text)?;
        let rehearsal = object.as_object_mut().and_then(|object| object.remove(REHEARSAL));
        let version = object.get("version").and_then(Value::as_u64).unwrap_or_default();
        if version != u64::from(PLAN_VERSION) && version != 0 {
            return Err(PlanFileError::Version(u32::try_from(version).unwrap_or(u32::MAX)));
        }
        let rehearsal = rehearsal.map(serde_json::from_value).transpose()?;
        Ok(Self { plan: serde_json::from_value(object)?, rehearsal })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::Format;
    use crate::plan::{HistoryBase, PlanSource};

    fn plan() -> Plan {
        let mut plan = Plan {
            version: PLAN_VERSION,
            source: PlanSource::Folder(HistoryBase {
                format: Format::Plain,
                history_table: "h".to_owned(),
                base: String::new(),
            }),
            location: std::path::PathBuf::new(),
            fingerprint: String::new(),
            setup: Vec::new(),
            steps: Vec::new(),
            hazards: Vec::new(),
        };
        plan.renew_fingerprint();
        plan
    }

    #[test]
    fn a_file_carries_the_rehearsal_beside_the_plan() {
        for rehearsal in [None, Some(Rehearsal { copy: "a copy".to_owned(), ..Default::default() })]
        {
            let file = PlanFile { plan: plan(), rehearsal };
            let read = PlanFile::parse(&file.to_text().unwrap()).unwrap();
            assert_eq!(read, file);
            assert!(read.plan.is_intact());
        }
    }

    #[test]
    fn another_layout_and_another_thing_are_refused() {
        let text = PlanFile { plan: plan(), rehearsal: None }.to_text().unwrap();
        let newer = text.replace("\"version\": 2", "\"version\": 3");
        assert!(matches!(PlanFile::parse(&newer), Err(PlanFileError::Version(3))));
        for text in ["", "[]", "{}", "{\"version\": 2}"] {
            assert!(matches!(PlanFile::parse(text), Err(PlanFileError::Form(_))), "{text}");
        }
    }
}
