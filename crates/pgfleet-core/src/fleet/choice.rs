//! `--only`, `--except`, `--label`: which of a group's targets.

use super::pattern::Pattern;

/// Which targets are wanted.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Only these; empty means all.
    pub only: Vec<Pattern>,
    /// Not these.
    pub except: Vec<Pattern>,
    /// With all of these labels.
    pub labels: Vec<String>,
}

/// What a target can be chosen by.
#[derive(Debug, Clone, Copy)]
pub struct Name<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its database.
    pub database: &'a str,
    /// Its labels.
    pub labels: &'a [String],
}

impl Choice {
    /// True when every target is wanted.
    pub fn is_all(&self) -> bool {
        self.only.is_empty() && self.except.is_empty() && self.labels.is_empty()
    }

    /// Whether a target is wanted.
    pub fn wants(&self, target: Name<'_>) -> bool {
        let fits =
            |pattern: &Pattern| pattern.matches(target.name) || pattern.matches(target.database);
        let wanted = self.only.is_empty() || self.only.iter().any(fits);
        let left_out = self.except.iter().any(fits);
        let labelled = self.labels.iter().all(|label| target.labels.contains(label));
        wanted && !left_out && labelled
    }

    /// Patterns of `--only` that fit none of the targets: most likely misspelt.
    pub fn unmatched<'a>(&self, targets: impl Iterator<Item = Name<'a>> + Clone) -> Vec<String> {
        let fits = |pattern: &&Pattern| {
            !targets.clone().any(|t| pattern.matches(t.name) || pattern.matches(t.database))
        };
        self.only.iter().filter(fits).map(|p| p.text().to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_chosen_by_name_database_and_label() {
        let labels = ["eu".to_owned()];
        let target = Name { name: "acme", database: "org_acme", labels: &labels };
        let patterns = |texts: &[&str]| texts.iter().map(|t| Pattern::new(*t)).collect::<Vec<_>>();
        for (only, except, label, chosen) in [
            (&[][..], &[][..], None, true),
            (&["org_*"][..], &[][..], None, true),
            (&["b*"][..], &[][..], None, false),
            (&["acme"][..], &["*me"][..], None, false),
            (&[][..], &[][..], Some("eu"), true),
            (&[][..], &[][..], Some("us"), false),
        ] {
            let labels = label.map(str::to_owned).into_iter().collect();
            let choice = Choice { only: patterns(only), except: patterns(except), labels };
            assert_eq!(choice.wants(target), chosen, "{choice:?}");
        }
        let choice = Choice { only: patterns(&["acme", "acne"]), ..Choice::default() };
        assert_eq!(choice.unmatched([target].into_iter()), ["acne"]);
    }
}
