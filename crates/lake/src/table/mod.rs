//! The table `events`: its transaction log, the ledger in it, its files and what is known of them.

pub(crate) mod data_file;
pub(crate) mod ledger;
pub(crate) mod log;
pub(crate) mod notes;
pub(crate) mod read;
pub(crate) mod replay;
pub(crate) mod seen;
pub(crate) mod seen_builder;
pub(crate) mod seen_sum;
mod seen_tag;
pub(crate) mod sent;
pub(crate) mod small;
pub(crate) mod snapshot;
pub(crate) mod stats;
