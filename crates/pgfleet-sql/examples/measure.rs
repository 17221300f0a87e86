//! Prints MB/s of splitting, reading, classifying and syntax checking the file named on the command line.

use std::hint::black_box;
use std::time::Instant;

use pgfleet_sql::{PieceKind, classify, read_script, split, syntax};

fn main() -> std::io::Result<()> {
    let path = std::env::args().nth(1).unwrap_or_default();
    let text = String::from_utf8_lossy(&std::fs::read(path)?).into_owned();
    let pieces = split(&text).into_iter();
    let statements: Vec<_> = pieces.filter(|piece| piece.kind == PieceKind::Statement).collect();
    let all = |work: &dyn Fn(&str)| {
        statements.iter().for_each(|piece| work(&text[piece.range.clone()]));
    };
    measure("split", text.len(), || drop(black_box(split(&text))));
    measure("read_script", text.len(), || drop(black_box(read_script(&text))));
    measure("classify", text.len(), || all(&|one| drop(black_box(classify(one)))));
    measure("syntax", text.len(), || all(&|one| drop(black_box(syntax::errors(one)))));
    Ok(())
}

/// The best of five.
fn measure(what: &str, bytes: usize, work: impl Fn()) {
    let time = || {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64()
    };
    let best = (0..5).map(|_| time()).fold(f64::INFINITY, f64::min);
    println!("{what}: {:.0} MB/s", bytes as f64 / best / 1e6);
}
