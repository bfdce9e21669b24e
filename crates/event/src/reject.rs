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
    /// A file of a kind that is not opened here: what is in it nobody has looked at.
    Closed {
        /// What it is, and what to do with it.
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

impl Reason {
    /// What records are that were rejected for such a reason, and what to do about it where that can be said: in the same words for
    /// all of them, so that they can be counted.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::InvalidUtf8 { .. } => "no UTF-8 text",
            Self::NotJson { .. } => {
                "no JSON, and in no other form that is known; export the log as JSON, one event a line"
            }
            Self::NotYaml { .. } => "YAML that cannot be read; export the log as JSON, one event a line",
            Self::Torn | Self::TornEvent { .. } => "torn: records that end inside a JSON value",
            Self::Damaged { .. } => "damaged: no whole JSON value",
            Self::OtherWords { .. } => {
                "records of requests in other words than those of an audit event; export the log itself, not what was made of it"
            }
            Self::NotAuditEvent { .. } => "JSON without an audit event in it",
            Self::Foreign { what } | Self::Closed { what } => what,
            Self::FurtherPart { .. } => {
                "parts of split entries of Cloud Audit Logs without the first; export a longer time"
            }
            Self::Cut { .. } => "events that the collector cut off, and of which too little is left",
            Self::InText { .. } => "records in a text that are no audit events",
            Self::Packed { .. } => {
                "packed text that cannot be unpacked; unpack it with `base64 -d | gunzip`, and ingest what comes out"
            }
            Self::TooLong { .. } => "longer than any event can be",
            Self::Unreadable { .. } => "an input that breaks off or is damaged; copy it again from where it came",
        }
    }
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
            Self::Closed { what } => write!(out, "not opened, and only its beginning is kept: {what}"),
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
