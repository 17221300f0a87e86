//! Development tasks that are not part of the product: `cargo xtask bench`,
//! `cargo xtask new-rule`, `cargo xtask tidy`.
//!
//! A task panics when this machine cannot do it: a developer reads the message and nothing else
//! depends on it.

mod bench;
mod checkout;
mod new_rule;
mod schemas;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask COMMAND

  bench [--migrations N] [--rounds N] [--slow-rounds N] [--gigabytes N] [--rows N] [--binary FILE]
        [--only WORD]
                  measure against the peers and write benches/results.md;
                  --only moving and --only tenant need no peer that cargo builds
  pg-delta FOLDER [--major N] [--only WORD]
                  prove the pairs of a checkout's packages/pg-delta/corpus
  prisma PATH...  hold the DDL for schema.prisma against that of Prisma's own engine
  new-rule NAME   write the skeleton of a lint rule: its file, page and cases
  round-trip [--major N] FILE...
                  make schemas again from nothing and compare their dumps
  soak [--pairs N] [--seed S] [--from N] [--major N] [--dumps N]
                  prove random pairs of schemas in both directions, and hold the dumps of each
                  Nth against each other
  tidy            check the tree's own rules";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.split_first() {
        Some((&"bench", options)) => bench::run(options),
        Some((&"pg-delta", [folder, options @ ..])) => schemas::pg_delta::run(folder, options),
        Some((&"prisma", paths)) => schemas::prisma::run(paths),
        Some((&"new-rule", [name])) => new_rule::run(name),
        Some((&"round-trip", files)) => schemas::round_trip::run(files),
        Some((&"soak", options)) => schemas::soak::run(options),
        Some((&"tidy", [])) => tidy::run(),
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}
