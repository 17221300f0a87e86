//! SQL text: decoding, splitting, positions, classification, quoting. Pure: text in, data out.
