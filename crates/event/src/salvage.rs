//! How an event was recovered that was not read where the server, or a collector that is known, put it.
//!
//! A client chooses the body of its requests, its user agent and names. So text of its choice stands in the log,
//! and where the log is damaged, or wrapped in an unknown way, that text can look like a record. What is recovered
//! from such places is evidence of less weight: it carries one of these words in the column `salvaged`, and
//! every answer can tell.

/// A collector cut off the end of the event: what no column holds may have been there.
pub const CUT: &str = "cut";

/// Damage stands in front of it: the torn beginning of another record, or a hole.
pub const BEHIND_DAMAGE: &str = "behind-damage";

/// It is an item of a list, or of an export, whose end is missing or damaged.
pub const TORN_LIST: &str = "torn-list";

/// It stands where no collector that is known puts an event.
pub const UNKNOWN_WRAPPER: &str = "unknown-wrapper";

/// It was printed by a container that is not known as an API server's; see [`crate::container`].
pub const OTHER_CONTAINER: &str = "other-container";

/// Bytes that are no UTF-8 stood in it; each is a question mark now.
pub const NOT_UTF8: &str = "not-utf-8";

/// A member of it stands there twice, which no server writes: a part of the record is missing, and what was inside of another
/// member can have come to the top.
pub const TWICE: &str = "members-twice";

/// The first part of an entry that Google split, without the others: members of its bodies are missing.
pub const SPLIT_PART: &str = "split-part";
