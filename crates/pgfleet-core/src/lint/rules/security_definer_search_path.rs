//! Functions with their owner's rights whose names mean what the caller wants.

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "a SECURITY DEFINER function has no search_path of its own",
    RuleLevel::Warning,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let Shape::CreateRoutine(routine) = scene.shape() else { return Vec::new() };
    let Some(range) = routine.security_definer.as_ref().filter(|_| !routine.sets_search_path) else {
        return Vec::new();
    };
    // It may be set by a later ALTER FUNCTION.
    let name = &routine.name.name;
    let set_later = scene.all[scene.at.1..].iter().any(|one| {
        let facts = &one.statement.facts;
        facts.label.starts_with("ALTER FUNCTION")
            && facts.alters.iter().any(|object| object.name.name == *name)
            && one.statement.sql.to_ascii_lowercase().contains("search_path")
    });
    if set_later {
        return Vec::new();
    }
    let finding = scene
        .finding(range, format!("a caller may put own objects before those that {} means", routine.name))
        .because("the function runs with its owner's rights and the caller's search_path")
        .fix_with("Set it in the function, and write schemas before names in its body:", "SET search_path = ''");
    vec![finding]
}
