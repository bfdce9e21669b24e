//! `kforensic repl`: at a terminal and from scripts.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;
mod editing;
mod hostile;
mod house;
mod pager;
mod script;
mod statements;
mod terminal;
