//! Tables in files of their own format: Parquet (Security Lake, exports of warehouses) and Avro (Event Hubs Capture). Their content
//! is one JSON object a row, so that an event in a column is found as in any other wrapper.
//!
//! Parquet tells at its end where its columns stand, so a file is read as a whole: up to a limit.

use std::io::{self, Read};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::util::display::array_value_to_string;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::avro;
use super::binary::Binary;

/// Longest file that is read, in bytes: it is in memory as a whole.
const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;

/// Rows that are decoded at once.
const BATCH_ROWS: usize = 256;

/// Structures in structures that are told.
const MAX_DEPTH: usize = 60;

/// What to do about a table that cannot be read.
const HINT: &str = "export it as JSON, one event a line, and ingest that";

/// A format of tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Parquet,
    Avro,
}

impl Format {
    /// Recognises a format by its magic number.
    pub(crate) fn of(sign: Binary<'_>) -> Option<Self> {
        match sign.head() {
            [b'P', b'A', b'R', b'1', ..] => Some(Self::Parquet),
            [b'O', b'b', b'j', 1, ..] => Some(Self::Avro),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Avro => "avro",
        }
    }
}

/// Batches of lines.
type Lines = Box<dyn Iterator<Item = Result<String, String>> + Send>;

/// Reads a table as lines of JSON.
pub(crate) struct Table<R> {
    stored: R,
    format: Format,
    lines: Option<Lines>,
    text: Vec<u8>,
    given: usize,
}

impl<R: Read> Table<R> {
    pub(crate) fn new(stored: R, format: Format) -> Self {
        Self { stored, format, lines: None, text: Vec::new(), given: 0 }
    }

    pub(crate) fn stored(&self) -> &R {
        &self.stored
    }

    pub(crate) fn into_stored(self) -> R {
        self.stored
    }

    /// The lines of the file, which is read now.
    fn open(&mut self) -> io::Result<Lines> {
        let mut bytes = Vec::new();
        self.stored.by_ref().take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(self.failed(&format!("it is longer than {MAX_FILE_BYTES} bytes")));
        }
        let lines = match self.format {
            Format::Parquet => parquet(bytes),
            Format::Avro => avro::lines(bytes),
        };
        lines.map_err(|message| self.failed(&message))
    }

    fn failed(&self, message: &str) -> io::Error {
        let name = match self.format {
            Format::Parquet => "a Parquet file",
            Format::Avro => "an Avro file",
        };
        io::Error::new(io::ErrorKind::InvalidData, format!("{name} that cannot be read: {message}; {HINT}"))
    }
}

impl<R: Read> Read for Table<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() {
            if self.lines.is_none() {
                // A file that failed has no lines when it is asked again.
                self.lines = Some(Box::new(std::iter::empty()));
                self.lines = Some(self.open()?);
            }
            match self.lines.as_mut().and_then(Iterator::next) {
                Some(Ok(lines)) => (self.text, self.given) = (lines.into_bytes(), 0),
                Some(Err(message)) => {
                    self.lines = Some(Box::new(std::iter::empty()));
                    return Err(self.failed(&message));
                }
                None => return Ok(0),
            }
        }
        let part = buffer.len().min(self.text.len() - self.given);
        buffer[..part].copy_from_slice(&self.text[self.given..self.given + part]);
        self.given += part;
        Ok(part)
    }
}

fn parquet(bytes: Vec<u8>) -> Result<Lines, String> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes)).map_err(|error| error.to_string())?;
    let reader = builder.with_batch_size(BATCH_ROWS).build().map_err(|error| error.to_string())?;
    Ok(Box::new(reader.map(|batch| batch.map(|batch| lines(&batch)).map_err(|error| error.to_string()))))
}

/// The rows of a batch, one JSON object a line.
fn lines(batch: &RecordBatch) -> String {
    let mut out = String::new();
    let schema = batch.schema();
    for row in 0..batch.num_rows() {
        let members =
            schema.fields().iter().zip(batch.columns()).map(|(field, column)| (field.name().as_str(), column.as_ref()));
        object(members, row, 0, &mut out);
        out.push('\n');
    }
    out
}

/// Writes an object without the members that are null.
fn object<'a>(members: impl Iterator<Item = (&'a str, &'a dyn Array)>, row: usize, depth: usize, out: &mut String) {
    out.push('{');
    let mut first = true;
    for (name, column) in members.filter(|(_, column)| !column.is_null(row)) {
        if !std::mem::take(&mut first) {
            out.push(',');
        }
        text(name, out);
        out.push(':');
        value(column, row, depth + 1, out);
    }
    out.push('}');
}

fn value(column: &dyn Array, row: usize, depth: usize, out: &mut String) {
    if depth > MAX_DEPTH || column.is_null(row) {
        return out.push_str("null");
    }
    let bytes = column.as_binary_opt::<i32>().map(|column| column.value(row));
    let bytes = bytes.or_else(|| column.as_binary_opt::<i64>().map(|column| column.value(row)));
    if let Some(bytes) = bytes.or_else(|| column.as_binary_view_opt().map(|column| column.value(row))) {
        return text(&String::from_utf8_lossy(bytes), out);
    }
    if let Some(structure) = column.as_struct_opt() {
        let columns = structure.columns().iter().map(AsRef::as_ref);
        return object(structure.fields().iter().map(|field| field.name().as_str()).zip(columns), row, depth, out);
    }
    if let Some(list) = column.as_list_opt::<i32>() {
        let items = list.value(row);
        out.push('[');
        for item in 0..items.len() {
            if item > 0 {
                out.push(',');
            }
            value(&items, item, depth + 1, out);
        }
        return out.push(']');
    }
    let shown = array_value_to_string(column, row).unwrap_or_default();
    let is_bare = column.data_type().is_integer() || matches!(shown.as_str(), "true" | "false");
    let is_text = column.as_string_opt::<i32>().is_some() || column.as_string_opt::<i64>().is_some();
    if is_bare && !is_text && column.as_string_view_opt().is_none() { out.push_str(&shown) } else { text(&shown, out) }
}

/// Writes a text as JSON.
pub(super) fn text(text: &str, out: &mut String) {
    // Writing a text as JSON cannot fail.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}
