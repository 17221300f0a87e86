//! What a server and a database are doing, as figures: what needs attention, and in the text form
//! that Prometheus reads.

mod figures;
mod prometheus;
mod verdict;

pub use figures::{
    Growth, LongTransaction, MemorySetting, Replica, Sample, SlowStatement, TableFigures, growth,
};
pub use prometheus::prometheus;
pub use verdict::{Attention, Limits, attention};
