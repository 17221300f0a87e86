//! Every reader reads any folder. A line `\x1fPATH` begins a file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pgfleet_core::folder::{FileTree, Format, detect, read};
use pgfleet_core::history::{dialect, judge};

fuzz_target!(|bytes: &[u8]| {
    let mut tree = FileTree { root: "dir".to_owned(), ..FileTree::default() };
    for file in bytes.split(|byte| *byte == 0x1f).skip(1) {
        let end = file.iter().position(|byte| *byte == b'\n').unwrap_or(file.len());
        let content = file.get(end + 1..).unwrap_or_default().to_vec();
        tree.insert(&String::from_utf8_lossy(&file[..end]), content);
    }
    let _ = detect(&tree);
    for format in Format::ALL {
        let set = read(&tree, format);
        assert_eq!(judge(&set, &[], dialect(format)).len(), set.migrations.len());
    }
});
