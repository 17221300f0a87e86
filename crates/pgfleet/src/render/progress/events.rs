//! Events for scripts: one JSON object per line.

use std::io::Write;

use pgfleet_core::report::Event;

use super::Show;

/// Writes events as they come, each line whole.
pub(super) struct JsonLines<W> {
    out: W,
}

impl<W: Write> JsonLines<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out }
    }
}

impl<W: Write + Send> Show for JsonLines<W> {
    fn show(&mut self, event: &Event) {
        let Ok(mut line) = serde_json::to_string(event) else { return };
        line.push('\n');
        // A closed standard error must not stop a run.
        let _ = self.out.write_all(line.as_bytes());
    }

    fn finish(&mut self) {
        let _ = self.out.flush();
    }
}
