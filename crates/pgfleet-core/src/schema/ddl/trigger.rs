//! Triggers, event triggers and rules.

use super::{address, literal};
use crate::schema::{EventTrigger, Firing, Object, Rule, Trigger, same_text};

/// `CREATE OR REPLACE TRIGGER` knows no constraint triggers; it is there since PostgreSQL 14.
pub(super) fn can_alter(old: &Trigger, new: &Trigger) -> bool {
    same_text(&old.definition, &new.definition) || !(old.constraint || new.constraint)
}

pub(super) fn create(object: &Object, trigger: &Trigger) -> Vec<String> {
    let mut statements = vec![trigger.definition.clone()];
    if trigger.firing != Firing::Origin {
        statements.push(fire(object, "TRIGGER", trigger.firing));
    }
    statements
}

pub(super) fn alter(object: &Object, old: &Trigger, new: &Trigger) -> Vec<String> {
    let mut statements = Vec::new();
    if !same_text(&old.definition, &new.definition) {
        statements.push(new.definition.replacen("CREATE TRIGGER", "CREATE OR REPLACE TRIGGER", 1));
    }
    // A replaced trigger keeps its state on some versions and not on others.
    if old.firing != new.firing || (old != new && new.firing != Firing::Origin) {
        statements.push(fire(object, "TRIGGER", new.firing));
    }
    statements
}

fn fire(object: &Object, what: &str, firing: Firing) -> String {
    let table = object.id.sql_table();
    let name = object.id.sql_name();
    format!("ALTER TABLE {table} {} {what} {name}", state(firing))
}

fn state(firing: Firing) -> &'static str {
    match firing {
        Firing::Origin => "ENABLE",
        Firing::Disabled => "DISABLE",
        Firing::Replica => "ENABLE REPLICA",
        Firing::Always => "ENABLE ALWAYS",
    }
}

pub(super) fn can_alter_event(old: &EventTrigger, new: &EventTrigger) -> bool {
    (&old.event, &old.tags, &old.function) == (&new.event, &new.tags, &new.function)
}

pub(super) fn create_event(object: &Object, trigger: &EventTrigger) -> Vec<String> {
    let tags: Vec<_> = trigger.tags.iter().map(|tag| literal(tag)).collect();
    let when = match tags.is_empty() {
        true => String::new(),
        false => format!(" WHEN TAG IN ({})", tags.join(", ")),
    };
    let head = format!("CREATE {} ON {}{when}", address(object), trigger.event);
    let mut statements = vec![format!("{head} EXECUTE FUNCTION {}()", trigger.function)];
    if trigger.firing != Firing::Origin {
        statements.push(format!("ALTER {} {}", address(object), state(trigger.firing)));
    }
    statements
}

pub(super) fn alter_event(object: &Object, old: &EventTrigger, new: &EventTrigger) -> Vec<String> {
    if old.firing == new.firing {
        return Vec::new();
    }
    vec![format!("ALTER {} {}", address(object), state(new.firing))]
}

pub(super) fn create_rule(object: &Object, rule: &Rule) -> Vec<String> {
    let mut statements = vec![rule.definition.trim_end_matches(';').to_owned()];
    if rule.firing != Firing::Origin {
        statements.push(fire(object, "RULE", rule.firing));
    }
    statements
}

pub(super) fn alter_rule(object: &Object, old: &Rule, new: &Rule) -> Vec<String> {
    let mut statements = Vec::new();
    if !same_text(&old.definition, &new.definition) {
        let definition = new.definition.trim_end_matches(';');
        statements.push(definition.replacen("CREATE RULE", "CREATE OR REPLACE RULE", 1));
    }
    if old.firing != new.firing {
        statements.push(fire(object, "RULE", new.firing));
    }
    statements
}
