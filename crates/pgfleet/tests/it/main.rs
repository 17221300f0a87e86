//! The program as a user runs it, on real databases: one binary, so that it is linked once.

mod apply;
mod backup;
mod bad_input;
mod clean;
mod copy;
mod diff_plan;
mod generate;
mod lint;
mod locks;
mod monitor;
mod output;
mod rehearse;
mod renames;
mod repeatable;
mod resolve;
mod resume;
mod rollback;
mod rows;
mod schema;
mod sessions;
mod settle;
mod stage;
