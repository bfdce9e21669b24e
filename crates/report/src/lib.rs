//! Turns query results, as Arrow batches, into output for people and programs.
//!
//! This crate is pure: it opens no file, reads no clock and no environment, and writes only to the
//! [`std::io::Write`] it is given, so the same rows give the same bytes. It knows nothing of DuckDB, and of audit
//! logs only the names of columns: the table colours `outcome`, and Timesketch gets a sentence for each row.
//!
//! ```
//! use std::sync::Arc;
//! use arrow::array::{RecordBatch, StringArray};
//! use kforensic_report::{Format, Layout};
//!
//! let verbs = Arc::new(StringArray::from(vec![Some("get"), None]));
//! let batch = RecordBatch::try_from_iter_with_nullable([("verb", verbs as _, true)])?;
//! let mut out = Vec::new();
//! let mut sink = Format::Jsonl.writer(batch.schema(), Layout::default(), &mut out)?;
//! sink.write_batch(&batch)?;
//! assert_eq!(sink.finish()?.rows, 2);
//! assert_eq!(out, b"{\"verb\":\"get\"}\n{\"verb\":null}\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod about;
mod cell;
mod csv;
mod delimited;
pub mod document;
mod error;
mod format;
pub mod incident;
mod json;
mod markdown;
mod names;
mod page;
mod parquet;
mod sink;
mod table;
mod time;
mod timesketch;
mod tsv;
mod visible;
mod xlsx;

#[cfg(test)]
mod tests;

pub use about::About;
pub use error::{ReportError, UnknownFormat};
pub use format::Format;
pub use page::PAGE_ROWS_MAX;
pub use sink::{CellText, Layout, RowLayout, Sink, Summary};
pub use visible::{escape, is_hostile};
