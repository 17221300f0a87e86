//! Functions of at most 70 lines, files of at most 800 without their tests.

use super::{Finding, Source};

const FUNCTION_MAX: usize = 70;
const FILE_MAX: usize = 800;

pub(super) fn check(source: &Source) -> Vec<Finding> {
    let mut findings = long_functions(source);
    if source.code.len() > FILE_MAX && !source.only_tests {
        findings
            .push(source.finding(0, format!("{} lines, {FILE_MAX} allowed", source.code.len())));
    }
    findings
}

/// A function ends at the first `}` that stands as far in as the line that names it: the tree is
/// formatted by rustfmt.
fn long_functions(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut open: Option<(usize, usize)> = None;
    for (number, line) in source.numbered() {
        let (indent, code) = (indent(line), line.trim_start());
        match open {
            None if is_function(code) && !code.ends_with([';', '}']) => {
                open = Some((number, indent));
            }
            Some((begun, at)) if at == indent && code.starts_with('}') => {
                let length = number - begun + 1;
                if length > FUNCTION_MAX {
                    let what = format!("a function of {length} lines, {FUNCTION_MAX} allowed");
                    findings.push(source.finding(begun, what));
                }
                open = None;
            }
            // A function of a trait, without a body.
            Some((_, at)) if at == indent && code.ends_with(';') => open = None,
            _ => {}
        }
    }
    findings
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn is_function(code: &str) -> bool {
    let words = code.split(' ').take_while(|word| !word.contains(['(', '{', '=']));
    let before = ["pub", "pub(super)", "pub(crate)", "const", "async", "unsafe"];
    words.into_iter().find(|word| !before.contains(word)) == Some("fn")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(body_lines: usize) -> Source {
        let body = "        work();\n".repeat(body_lines);
        Source::parse(
            "a.rs",
            &format!("impl A {{\n    pub async fn long(&self) {{\n{body}    }}\n}}\n"),
        )
    }

    #[test]
    fn seventy_lines_are_allowed_and_no_more() {
        assert_eq!(check(&source(68)), []);
        assert_eq!(check(&source(69))[0].to_string(), "a.rs:2: a function of 71 lines, 70 allowed");
    }

    #[test]
    fn tests_do_not_count() {
        let text = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "    // line\n".repeat(900));
        assert_eq!(check(&Source::parse("a.rs", &text)), []);
        assert_eq!(check(&Source::parse("a.rs", &"// line\n".repeat(801))).len(), 1);
    }
}
