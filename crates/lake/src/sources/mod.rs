//! Where logs come from: files, folders, archives and standard input; what they hold, and what of it is known already.

pub(crate) mod archive;
mod avro;
pub(crate) mod binary;
pub(crate) mod closed;
pub(crate) mod content;
pub(crate) mod copies;
pub(crate) mod decompress;
pub(crate) mod discover;
pub(crate) mod doubt;
pub(crate) mod painted;
pub(crate) mod read_back;
pub(crate) mod survey;
mod tables;
pub(crate) mod watch;
pub(crate) mod wide;
