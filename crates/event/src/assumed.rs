//! What of an event was assumed, because its collector left it out or changed it.
//!
//! The words stand in the column `assumed`. The original of what was changed is kept in the column `other`.

/// A time came without a zone, or as a number: it was taken as UTC.
pub const ZONE: &str = "zone";

/// A time came as `5/4/2026`, and neither number tells that it is the month: in front of `AM` or `PM` the first was taken for it, else the
/// second.
pub const DAY: &str = "day";

/// `level` was missing, or is none that a policy can have: it was told from the bodies that are there.
pub const LEVEL: &str = "level";

/// The time of the request was missing: another time of the record stands for it.
pub const EVENT_TIME: &str = "event_time";

/// The time of the stage was missing: the record's own time stands for it.
pub const STAGE_TIME: &str = "stage_time";

/// `user` was a mere name, or its groups were one text: what else the server knew of the user is lost, or told as far as it can be.
pub const USER: &str = "user";

/// Members had other names than the server gives them: dots had been replaced, or all were written in another way
/// (`role_ref`). They were put back as far as that is certain.
pub const KEYS: &str = "keys";

/// A text of the server, such as a name or a verb, came as a number, a word, a list or an object: it was read as the text that the
/// collector made that of, or could not be.
pub const TEXT: &str = "text";

/// The collector replaced the body of the request by a placeholder.
pub const REQUEST_WITHHELD: &str = "requestObject withheld";

/// The collector replaced the body of the answer by a placeholder.
pub const RESPONSE_WITHHELD: &str = "responseObject withheld";
