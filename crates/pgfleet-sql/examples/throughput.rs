//! How fast SQL is read: prints one line per function, `NAME MB/s`, for a script of 5 MB.

use std::{hint::black_box, time::Instant};

use pgfleet_sql::{classify, read_script, split};

const BYTES: usize = 5_000_000;
const ROUNDS: usize = 9;

fn main() {
    let text = script();
    print_speed("split", text.len(), || {
        black_box(split(&text));
    });
    print_speed("read_script", text.len(), || {
        black_box(read_script(&text));
    });
    let pieces: Vec<_> = split(&text).into_iter().map(|piece| text[piece.range].trim()).collect();
    print_speed("classify, statement by statement", text.len(), || {
        for piece in &pieces {
            black_box(classify(piece));
        }
    });
}

/// The median of the rounds.
fn print_speed(name: &str, bytes: usize, mut work: impl FnMut()) {
    let mut seconds: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            work();
            begun.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    println!("{name} {:.1}", bytes as f64 / 1e6 / seconds[ROUNDS / 2]);
}

/// Tables, functions with dollar quotes, comments, rows and indexes, as migrations have them.
fn script() -> String {
    let mut text = String::with_capacity(BYTES + 1000);
    let mut number = 0;
    while text.len() < BYTES {
        number += 1;
        text.push_str(&format!(
            "-- Orders of shop {number}; one table each.\n\
             CREATE TABLE shop_{number}.orders (\n  id bigserial PRIMARY KEY,\n  \
             customer_id bigint NOT NULL REFERENCES shop_{number}.customers (id) ON DELETE CASCADE,\n  \
             note text DEFAULT 'it''s new; not paid',\n  \
             created_at timestamptz NOT NULL DEFAULT now()\n);\n\
             CREATE INDEX orders_by_customer_{number} ON shop_{number}.orders (customer_id);\n\
             CREATE FUNCTION shop_{number}.touch() RETURNS trigger LANGUAGE plpgsql AS $body$\n\
             BEGIN\n  NEW.created_at := now(); -- always\n  RETURN NEW;\nEND;\n$body$;\n\
             /* rows */ INSERT INTO shop_{number}.orders (customer_id, note) VALUES (1, 'a'), (2, E'b\\n');\n\
             ALTER TABLE shop_{number}.orders ADD COLUMN total numeric(10, 2) CHECK (total >= 0);\n\n"
        ));
    }
    text
}
