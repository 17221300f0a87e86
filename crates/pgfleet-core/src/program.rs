//! Statements with their places and facts: what a [`SqlBody`] becomes before it is planned.

use std::collections::BTreeMap;

use pgfleet_sql::{Facts, Item, LineIndex, Problem as ScriptProblem, read_script};

use crate::diagnose::{Code, Problem, Snippet};
use crate::folder::{Chunk, SqlBody};
use crate::place::Place;
