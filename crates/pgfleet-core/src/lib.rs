//! Decisions: everything pgfleet decides, as data. No IO, no async, no clock, no randomness.
