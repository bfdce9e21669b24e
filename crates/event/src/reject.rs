//! Why a record is not an audit event.

use std::fmt;

use crate::shape::Part;

/// The reason a record was rejected. Its text stands in the column `reject_reason`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Not UTF-8. The API server replaces invalid bytes by U+FFFD, so this is damage, not a client.
    InvalidUtf8 {
        /// Bytes of the record that are valid before the first that is not.
        valid_up_to: usize,
    },
    /// Not a JSON object, or more than one.
    NotJson {
        /// What the JSON parser expected.
        message: String,
        /// Byte of the record where it gave up, counted from 1.
        column: usize,
    },
    /// Not YAML, in a source that is.
    NotYaml {
        /// What is wrong with it.
        message: String,
        /// Byte of the record where it is, counted from 1.
        column: usize,
    },
    /// The record ends inside a JSON value: a live file was copied while it was written, or it was cut.
    Torn,
    /// The same, of an event whose id is left.
    TornEvent {
        /// Its audit id.
        audit_id: String,
    },
    /// What stands here is no JSON, or a part of a record whose rest is missing. What looks like an event in it may have been
    /// written by a client.
    Damaged {
        /// The audit id of the event that it was, when that is left.
        audit_id: Option<String>,
    },
    /// A record of a request whose members have other names than the API server gives them, or are missing.
    OtherWords {
        /// Its audit id, when there is one.
        audit_id: Option<String>,
    },
    /// JSON, but not an audit event: a member that every audit event has is missing or of another type.
    NotAuditEvent {
        /// The member, with what it should be.
        missing: &'static str,
    },
    /// A record of another kind that is known.
    Foreign {
        /// What it is.
        what: &'static str,
    },
    /// A further part of an entry that was split, by itself.
    FurtherPart {
        /// The part.
        part: Box<Part>,
    },
    /// An event that a collector cut off, and of which too little is left.
    Cut {
        /// Its audit id, when that is left.
        audit_id: Option<String>,
    },
    /// Records inside of a text that also holds events: they share its place.
    InText {
        /// How many there are.
        records: u64,
    },
    /// Packed text (base64 and gzip) that cannot be unpacked.
    Packed {
        /// Why.
        message: String,
    },
    /// Longer than any event can be.
    TooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// The compressed stream breaks off or is damaged: what follows could not be read.
    Unreadable {
        /// What the decompressor or the disk said.
        message: String,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidUtf8 { valid_up_to } => {
                write!(out, "not UTF-8: invalid byte at column {}", valid_up_to + 1)
            }
            Self::NotJson { message, column } => {
                write!(out, "not a JSON object: {message} at column {column}")
            }
            Self::NotYaml { message, column } => write!(out, "not YAML that can be read: {message} at byte {column}"),
            Self::Torn => write!(out, "torn: the record ends inside a JSON value"),
            Self::TornEvent { audit_id } => {
                write!(out, "torn: the record of event `{audit_id}` ends inside a JSON value")
            }
            Self::Damaged { audit_id: Some(id) } => {
                write!(out, "damaged: the record of event `{id}` is no whole JSON value")
            }
            Self::Damaged { audit_id: None } => write!(out, "damaged: what stands here is no whole JSON value"),
            Self::OtherWords { audit_id: Some(id) } => {
                write!(out, "a record of a request, but not in the words of a Kubernetes audit event (audit id `{id}`)")
            }
            Self::OtherWords { audit_id: None } => {
                write!(out, "a record of a request, but not in the words of a Kubernetes audit event")
            }
            Self::NotAuditEvent { missing } => write!(out, "not an audit event: no {missing}"),
            Self::Foreign { what } => write!(out, "not a Kubernetes audit event, but {what}"),
            Self::FurtherPart { part } => {
                let (number, total, audit_id) = part.named();
                write!(
                    out,
                    "a further part of an entry of Cloud Audit Logs that was split: part {number} of {total} of event \
                     `{audit_id}`, without the one before it"
                )
            }
            Self::Cut { audit_id: Some(id) } => {
                write!(out, "cut off by the collector: too little is left of event `{id}`")
            }
            Self::Cut { audit_id: None } => write!(out, "cut off by the collector: too little is left of the event"),
            Self::InText { records } => write!(out, "{records} of the records in this text are no audit events"),
            Self::Packed { message } => write!(out, "the packed text in it cannot be unpacked: {message}"),
            Self::TooLong { limit } => write!(out, "longer than {limit} bytes: only its beginning is kept"),
            Self::Unreadable { message } => write!(out, "the input cannot be read on from here: {message}"),
        }
    }
}
