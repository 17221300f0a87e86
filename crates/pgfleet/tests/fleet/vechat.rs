//! The example of organisations in three states, with its registry.

use std::path::Path;

use crate::fleet::{Fleet, verdicts};

const NAMES: [&str; 3] = ["velosi", "organisation_2", "organisation_3"];

fn copy(from: &Path, fleet: &Fleet, into: &str) {
    for entry in std::fs::read_dir(from).expect("the example") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("a name");
        let path = if into.is_empty() { name } else { format!("{into}/{name}") };
        match entry.path().is_dir() {
            true => copy(&entry.path(), fleet, &path),
            false => {
                fleet.project.write(path, std::fs::read(entry.path()).expect("a file"));
            }
        }
    }
}

/// Writes an example of this name into a fleet's project.
pub fn copy_example(name: &str, fleet: &Fleet) {
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name), fleet, "");
}

#[test]
fn organisations_in_three_states_become_alike() {
    let fleet = Fleet::of(&[&NAMES[..], &["registry"]].concat());
    copy_example("vechat", &fleet);
    for name in NAMES.iter().chain(&["registry"]) {
        fleet.sql(name, &fleet.project.read(format!("databases/{name}.sql")));
    }
    fleet.project.write(".env", format!("REGISTRY_URL={}\n", fleet.cluster.url("registry")));
    let group = ["--group", "organisations"];
    let output = fleet.ends(&[&["rollout", "start"], &group[..]].concat(), 0);
    for part in ["closed: active is f", "ghost: there is no database \"organisation_5\""] {
        assert!(output.stderr.contains(part), "no {part:?} in:\n{}", output.stderr);
    }
    let found = verdicts(&fleet.json(&[&["verify"], &group[..]].concat(), 0));
    let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["velosi", "atlas", "nadir"]);
    for (database, id) in NAMES.iter().zip(1..) {
        let wrong = "SELECT count(*) FROM vechat_messages WHERE organisation_id IS DISTINCT FROM ";
        assert_eq!(fleet.value(database, &format!("{wrong}{id}")), "0", "{database}");
    }
    assert_eq!(fleet.value("organisation_2", "SELECT count(*) FROM vechat_messages"), "3");
    fleet.ends(&["tenant", "create", "acme", "--set", "title=Acme Ltd"], 0);
    let welcome = "SELECT title, organisation_id FROM vechat_conversations";
    assert_eq!(fleet.value("organisation_acme", welcome), "Welcome, Acme Ltd|6");
    let again = verdicts(&fleet.json(&[&["apply"], &group[..]].concat(), 0));
    assert_eq!(again.len(), 4);
    assert!(again.iter().all(|(_, verdict)| verdict == "nothing to do"), "{again:?}");
}
