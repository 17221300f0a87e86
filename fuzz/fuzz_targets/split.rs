//! The pieces of any text are the text, and reading it as a script never panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pgfleet_sql::{decode, read_script, split};

fuzz_target!(|bytes: &[u8]| {
    let Ok(source) = decode(bytes) else { return };
    let text = source.text.as_str();
    let pieces: String = split(text).into_iter().map(|piece| &text[piece.range]).collect();
    assert_eq!(pieces, text);
    let _ = read_script(text);
});
