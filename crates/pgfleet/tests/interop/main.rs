//! pgfleet beside the tools that teams use today, on one database.
//!
//! For each tool: it applies the first migrations and pgfleet the rest, and the other way round;
//! what the tool then says is clean; and schema, history table and history rows are what the tool
//! alone would have made, but for times and random numbers.

mod dbmate;
mod drizzle;
mod locks;
mod peer;
mod prisma;
mod prisma_verdicts;
mod refusals;
mod supabase;
mod typeorm;
