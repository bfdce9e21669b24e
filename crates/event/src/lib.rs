//! Kubernetes audit logs as data: bytes in, events and rejects out.
//!
//! This crate owns what an audit event *is*: the shapes logs come in, how a record is decoded,
//! the one table of columns, when two events are equal, and how an event is rebuilt from its row.
//! It refuses everything else: no files, no clock, no database. Bad input is data, never an error
//! of the program: every record becomes an [`Event`] or a [`Reason`] to reject it.
//!
//! ```
//! use kforensic_event::{Decoded, shape};
//!
//! let log = br#"{"kind":"Event","level":"Metadata","auditID":"a","stage":"ResponseComplete","user":{},"stageTimestamp":"2026-11-21T20:37:37.325661Z"}
//! {"kind":"Ev"#;
//! let mut seen = Vec::new();
//! shape::Reading::of(log).decode(log, shape::Position::START, true, &mut |record| {
//!     seen.push(matches!(record.decoded, Decoded::Event(_)));
//! });
//! assert_eq!(seen, [true, false]);
//! ```

pub mod assumed;
pub mod canonical;
pub mod cell;
mod changed;
pub mod columns;
pub mod container;
mod decode;
mod event;
mod extended;
pub mod fingerprint;
pub mod gather;
pub mod json;
mod json_scan;
mod keys;
mod literal;
pub mod partition;
mod rebuild;
pub mod redact;
mod reject;
pub mod request;
mod row;
pub mod rows;
pub mod salvage;
pub mod shape;
pub mod time;
mod words;

pub use cell::Cell;
pub use columns::{COLUMNS, Column, Kind};
pub use event::{Event, UserInfo};
pub use fingerprint::{Fingerprint, Keyed};
pub use rebuild::{RebuildError, rebuild};
pub use redact::Redactor;
pub use reject::Reason;
pub use row::{Origin, Row, RowBuilder};
pub use rows::Rows;
pub use shape::{Decoded, Reading, Record, Shape};
