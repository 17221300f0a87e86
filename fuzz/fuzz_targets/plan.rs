//! A plan file that is read is written as it was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pgfleet_core::plan::Plan;

fuzz_target!(|bytes: &[u8]| {
    let Ok(plan) = serde_json::from_slice::<Plan>(bytes) else { return };
    let json = serde_json::to_vec(&plan).expect("a plan is JSON");
    assert_eq!(serde_json::from_slice::<Plan>(&json).expect("our own JSON"), plan);
});
