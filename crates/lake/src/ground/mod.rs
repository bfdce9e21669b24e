//! The ground under all: what asks the operating system for something, and what everybody counts and hashes with.
//!
//! Whatever assumes a local file system stands in [`durable`]: hard links, renames, modes, syncing.

pub(crate) mod durable;
pub(crate) mod error;
pub(crate) mod hash;
pub(crate) mod journal;
pub(crate) mod memory;
pub(crate) mod names;
pub(crate) mod progress;
pub(crate) mod stamp;
