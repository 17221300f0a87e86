//! Any configuration is read, or refused with a place in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pgfleet_core::config;

fuzz_target!(|text: &str| {
    if let Err(problem) = config::parse(text, "pgfleet.toml") {
        assert!(problem.place.is_some());
    }
});
