//! The schema model against schemas that others wrote, which are no part of this tree.

mod load;
pub(crate) mod pg_delta;
pub(crate) mod prisma;
pub(crate) mod round_trip;
pub(crate) mod soak;
