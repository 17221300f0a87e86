//! Snapshots of all human output: plain (no colour, ASCII), and with colour and Unicode.

mod checks;
mod json;
mod missing;
mod plan;
mod problem;
mod progress;
mod run_summary;
mod split_plan;
mod status;

use super::Style;

const PLAIN: Style = Style::plain(80);
const RICH: Style = Style { colour: true, unicode: true, width: 80 };

/// The output in both styles, escapes made visible.
fn both(render: impl Fn(&mut String, &Style)) -> String {
    let (mut plain, mut rich) = (String::new(), String::new());
    render(&mut plain, &PLAIN);
    render(&mut rich, &RICH);
    assert!(plain.is_ascii() && !plain.contains('\u{1b}'), "plain output is plain: {plain}");
    format!("{plain}---- with colour\n{}", rich.replace('\u{1b}', "␛"))
}
