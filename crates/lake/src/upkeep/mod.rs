//! What is done to a case after its ingests: merging, pruning, deleting what was removed, checking.

pub(crate) mod audit;
pub(crate) mod check;
pub(crate) mod compact;
pub(crate) mod prune;
pub(crate) mod rewrite;
pub(crate) mod sweep;
pub(crate) mod verify;
