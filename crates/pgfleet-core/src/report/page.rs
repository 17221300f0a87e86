//! What every HTML page has: nothing is loaded from elsewhere, it prints, and it follows the
//! reader's light or dark setting. Text is escaped by its type.

use maud::{DOCTYPE, Markup, PreEscaped, html};

/// A whole page. `origin` ends it, behind the version of pgfleet that wrote it.
pub(crate) fn page(title: &str, content: Markup, origin: Option<&str>) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(include_str!("html/page.css"))) }
            }
            body {
                (content)
                footer { "pgfleet " (env!("CARGO_PKG_VERSION")) @if let Some(origin) = origin { ", " (origin) } }
            }
        }
    };
    page.into_string()
}
