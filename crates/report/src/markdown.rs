//! Markdown for reports and tickets: a table as GitHub, GitLab, Pandoc and others read it. Rows go out one by one; memory
//! does not grow.
//!
//! A text stands in a code span, where nothing is markup: no HTML, image, link or mention can hide in a user agent. What
//! would end the span or the cell, or would not be seen, is escaped as in the table. Numbers and times stand bare.

use std::borrow::Cow;
use std::io::{BufWriter, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};

use crate::ReportError;
use crate::about::About;
use crate::cell::{Cell, bare, shown, write_plain};
use crate::document::markdown::marked;
use crate::names::distinct;
use crate::sink::{BUFFER_BYTES, Layout, Sink, Summary, check_columns};
use crate::visible::escape;

struct Markdown<'w> {
    out: BufWriter<&'w mut dyn Write>,
    schema: SchemaRef,
    is_header_written: bool,
    rows: u64,
    about: About,
}

/// Starts `--format markdown`.
pub(crate) fn start<'w>(
    schema: SchemaRef,
    _layout: Layout,
    out: &'w mut dyn Write,
) -> Result<Box<dyn Sink + 'w>, ReportError> {
    let out = BufWriter::with_capacity(BUFFER_BYTES, out);
    Ok(Box::new(Markdown { out, schema, is_header_written: false, rows: 0, about: About::default() }))
}

impl Markdown<'_> {
    fn write_header(&mut self) -> Result<(), ReportError> {
        if self.is_header_written {
            return Ok(());
        }
        for name in distinct(&self.schema) {
            write!(self.out, "| {} ", heading(&name))?;
        }
        self.out.write_all(b"|\n")?;
        for field in self.schema.fields() {
            self.out.write_all(if is_number(field.data_type()) { b"| ---: " } else { b"| --- " })?;
        }
        self.out.write_all(b"|\n")?;
        self.is_header_written = true;
        Ok(())
    }

    /// What the rows are worth, as quoted text below them: rows are passed on, and what stood on a terminal is not.
    fn write_worth(&mut self) -> Result<(), ReportError> {
        let verdict = self.about.verdict.iter().map(|words| format!("**Verdict:** {}", marked(words)));
        let notes = self.about.notes.iter().map(|note| marked(note));
        for (number, words) in verdict.chain(notes).enumerate() {
            // A paragraph each.
            self.out.write_all(if number == 0 { b"\n" } else { b">\n" })?;
            writeln!(self.out, "> {words}")?;
        }
        Ok(())
    }
}

impl Sink for Markdown<'_> {
    fn write_batch(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        check_columns(&self.schema, batch.schema_ref())?;
        self.write_header()?;
        for row in 0..batch.num_rows() {
            for column in batch.columns() {
                self.out.write_all(b"| ")?;
                write_cell(&mut self.out, &Cell::of(column, row))?;
                self.out.write_all(b" ")?;
            }
            self.out.write_all(b"|\n")?;
            self.rows += 1;
        }
        Ok(self.out.flush()?)
    }

    fn about(&mut self, about: &About) {
        self.about = about.clone();
    }

    fn finish(mut self: Box<Self>) -> Result<Summary, ReportError> {
        self.write_header()?;
        self.write_worth()?;
        self.out.flush()?;
        Ok(Summary { rows: self.rows, ..Summary::default() })
    }
}

fn is_number(data_type: &DataType) -> bool {
    bare(data_type).is_numeric()
}

/// The name of a column: bare when it is a plain word, such as `event_time`.
fn heading(name: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric();
    let bytes = name.as_bytes();
    let is_word = bytes.iter().all(|byte| is_plain(*byte) || *byte == b'_');
    match (bytes.first(), bytes.last()) {
        (Some(first), Some(last)) if is_word && is_plain(*first) && is_plain(*last) => Cow::Borrowed(name),
        (None, _) => Cow::Borrowed("\"\""),
        _ => Cow::Owned(code(&escape(name))),
    }
}

/// Nothing for NULL; a list has a code span for each element, so that it is seen where one ends.
fn write_cell(out: &mut impl Write, cell: &Cell<'_>) -> Result<(), ReportError> {
    match cell {
        Cell::Null => Ok(()),
        Cell::Boolean(_)
        | Cell::Signed(_)
        | Cell::Unsigned(_)
        | Cell::Single(_)
        | Cell::Double(_)
        | Cell::Decimal(_)
        | Cell::Instant(_) => Ok(write_plain(out, cell)?),
        Cell::List { values, rows } if !rows.is_empty() => {
            for (count, row) in rows.clone().enumerate() {
                let before = if count == 0 { "" } else { ", " };
                out.write_all(before.as_bytes())?;
                match Cell::of(*values, row) {
                    Cell::Null => out.write_all(b"null")?,
                    inner @ (Cell::List { .. } | Cell::Struct { .. } | Cell::Map { .. }) => write_code(out, &inner)?,
                    element => write_cell(out, &element)?,
                }
            }
            Ok(())
        }
        Cell::Text(_) | Cell::List { .. } | Cell::Struct { .. } | Cell::Map { .. } => write_code(out, cell),
    }
}

fn write_code(out: &mut impl Write, cell: &Cell<'_>) -> Result<(), ReportError> {
    let text = match cell {
        Cell::Text(_) => shown(cell).unwrap_or_default(),
        _ => {
            let mut json = Vec::new();
            write_plain(&mut json, cell)?;
            escape(&String::from_utf8_lossy(&json)).into_owned()
        }
    };
    Ok(out.write_all(code(&text).as_bytes())?)
}

/// `text` without hostile characters in a code span, in a table: `\|` is a bar there. A backtick is escaped, as a fence of
/// more backticks ends at 80 in some readers; so is a bar behind a backslash, where readers disagree.
pub(crate) fn code(text: &str) -> String {
    let mut code = String::with_capacity(text.len() + 2);
    code.push('`');
    let mut before = '`';
    for character in text.chars() {
        match character {
            '`' => code.push_str("\\x60"),
            '|' if before == '\\' => code.push_str("\\x7c"),
            '|' => code.push_str("\\|"),
            _ => code.push(character),
        }
        before = character;
    }
    code.push('`');
    code
}
