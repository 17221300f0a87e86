//! Patterns of names: `*` stands for any characters, `?` for one; everything else for itself.

/// A pattern of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
}

impl Pattern {
    /// Every text is a pattern.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }

    /// The pattern as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether a name is of the pattern, in time linear in name × pattern.
    pub fn matches(&self, name: &str) -> bool {
        if self.text == name {
            return true;
        }
        let (pattern, name): (Vec<char>, Vec<char>) =
            (self.text.chars().collect(), name.chars().collect());
        let (mut at, mut here) = (0, 0);
        // Where to go on when the last star took too little.
        let mut star: Option<(usize, usize)> = None;
        while here < name.len() {
            match pattern.get(at) {
                Some('*') => {
                    star = Some((at, here));
                    at += 1;
                }
                Some(c) if *c == '?' || *c == name[here] => {
                    at += 1;
                    here += 1;
                }
                _ => {
                    let Some((star_at, taken)) = star else { return false };
                    star = Some((star_at, taken + 1));
                    at = star_at + 1;
                    here = taken + 1;
                }
            }
        }
        pattern[at..].iter().all(|c| *c == '*')
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, name, matches) in [
            ("tenant_*", "tenant_a", true),
            ("tenant_*", "tenant_", true),
            ("tenant_*", "tenant", false),
            ("*", "", true),
            ("a*b*c", "aXbYbc", true),
            ("a*b*c", "aXbYb", false),
            ("t?", "té", true),
            ("t?", "t", false),
            ("a\"; DROP DATABASE x; --", "a\"; DROP DATABASE x; --", true),
            ("x*y", "x*y", true),
            ("***a", "bba", true),
        ] {
            assert_eq!(Pattern::new(pattern).matches(name), matches, "{pattern} {name}");
        }
    }

    proptest! {
        #[test]
        fn a_name_is_of_its_own_pattern(name in "\\PC{0,20}", at in 0_usize..20) {
            prop_assert!(Pattern::new(name.clone()).matches(&name));
            let cut: String = name.chars().take(at).collect();
            let begins = Pattern::new(format!("{cut}*"));
            prop_assert!(begins.matches(&name));
        }
    }
}
