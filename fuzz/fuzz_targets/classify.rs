//! Any statement has facts.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = pgfleet_sql::classify(text);
});
