//! The files that `build.rs` embeds.

/// A file of the source tree, as it was when the program was built.
#[derive(Debug, Clone, Copy)]
pub(crate) struct File {
    /// Its path in the source tree.
    pub(crate) path: &'static str,
    /// Its text.
    pub(crate) text: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
