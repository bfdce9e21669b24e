//! What can go wrong while a result is written.

use std::io;

use arrow::error::ArrowError;
use parquet::errors::ParquetError;
use thiserror::Error;

/// Why a result could not be written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The output refused the bytes: the disk is full, or the reader closed the pipe.
    #[error("cannot write the result: {0}")]
    Io(#[from] io::Error),
    /// A batch has other columns than the result it belongs to: its values would stand under wrong names.
    #[error("a batch has the columns `{found}` where the result has `{expected}`")]
    Columns {
        /// The names the writer was created with, joined by commas.
        expected: String,
        /// The names of the batch, joined by commas.
        found: String,
    },
    /// Timesketch places every row in time, and the result has no column of times.
    #[error("no column of the answer is a time (TIMESTAMP), and Timesketch places every row in time: `{columns}`")]
    NoTime {
        /// The names of the columns, joined by commas.
        columns: String,
    },
    /// A spreadsheet is not wide enough.
    #[error("the answer has {columns} columns, and a sheet of Excel has {most}")]
    TooManyColumns {
        /// Columns of the answer.
        columns: usize,
        /// Columns of a sheet.
        most: usize,
    },
    /// A workbook that cannot be written: its temporary file, or a limit of the format.
    #[error("cannot write the result for Excel: {0}")]
    Xlsx(#[from] rust_xlsxwriter::XlsxError),
    /// A value that Parquet cannot hold.
    #[error("cannot write the result as Parquet: {0}")]
    Parquet(#[from] ParquetError),
    /// A batch whose values are not of the types of the result.
    #[error("cannot arrange the result: {0}")]
    Arrow(#[from] ArrowError),
}

impl ReportError {
    /// Whether the reader went away, as in `kforensic … | head`: the caller stops quietly.
    #[must_use]
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Io(source) if source.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// A name that no [`Format`](crate::Format) has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{name}` is not a format")]
pub struct UnknownFormat {
    /// The name as it was given.
    pub name: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error;

    #[test]
    fn keeps_the_source_and_knows_a_broken_pipe() {
        let pipe = ReportError::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert!(pipe.is_broken_pipe());
        assert!(pipe.source().is_some());
        assert_eq!(pipe.to_string(), "cannot write the result: broken pipe");
        let full = ReportError::from(io::Error::from(io::ErrorKind::StorageFull));
        assert!(!full.is_broken_pipe());
    }
}
