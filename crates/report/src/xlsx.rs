//! A workbook for people who work in spreadsheets: the rows on one sheet, what they are on another. Rows go out one by
//! one: they wait in an unnamed temporary file, so memory does not grow with them.
//!
//! A text is always a text: never a formula, never a link, and of the number format `@`, so that it stays a text when
//! somebody edits its cell. Numbers and times have their types where a spreadsheet keeps every digit of them, and are texts
//! elsewhere. The bytes depend on the rows alone: no clock is in them.

mod cells;

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, FormatAlign, Workbook, Worksheet};

use crate::ReportError;
use crate::about::{About, counted, made_by};
use crate::cell::Cell;
use crate::names::distinct;
use crate::sink::{Layout, Sink, Summary, check_columns};
use cells::{Formats, fitted};

/// Rows of a sheet; the first one has the names of the columns.
const SHEET_ROWS: u64 = 1_048_576;

/// Columns of a sheet.
const SHEET_COLUMNS: usize = 16_384;

/// Text from which on the zip inside of the file needs the form for large files, which old programs do not read.
const LARGE_BYTES: u64 = 1 << 30;

/// Width of a column of texts, in letters.
const TEXT_WIDTH: f64 = 24.0;

/// Width of a column of times, which has room for milliseconds.
const TIME_WIDTH: f64 = 23.0;

struct Xlsx<'w> {
    out: &'w mut dyn Write,
    schema: SchemaRef,
    workbook: Workbook,
    formats: Formats,
    about: About,
    /// Rows on the sheet.
    rows: u64,
    rows_left_out: u64,
    values_cut: u64,
    text_bytes: u64,
}

/// Starts `--format xlsx`.
pub(crate) fn start<'w>(
    schema: SchemaRef,
    _layout: Layout,
    out: &'w mut dyn Write,
) -> Result<Box<dyn Sink + 'w>, ReportError> {
    let columns = schema.fields().len();
    if columns > SHEET_COLUMNS {
        return Err(ReportError::TooManyColumns { columns, most: SHEET_COLUMNS });
    }
    let mut workbook = Workbook::new();
    // A fixed time: the file says nothing of when it was made, and is the same when it is made again.
    let epoch = ExcelDateTime::from_ymd(2000, 1, 1)?;
    workbook.set_properties(&DocProperties::new().set_author(made_by()).set_creation_datetime(&epoch));
    let sheet = workbook.add_worksheet_with_constant_memory()?;
    sheet.set_name("rows")?;
    sheet.set_freeze_panes(1, 0)?;
    let formats = Formats::new();
    for (at, (name, field)) in (0..).zip(distinct(&schema).iter().zip(schema.fields())) {
        sheet.write_string_with_format(0, at, fitted(name).0, &formats.heading)?;
        let is_time = matches!(field.data_type(), arrow::datatypes::DataType::Timestamp(..));
        sheet.set_column_width(at, if is_time { TIME_WIDTH } else { TEXT_WIDTH })?;
    }
    let about = About::default();
    Ok(Box::new(Xlsx {
        out,
        schema,
        workbook,
        formats,
        about,
        rows: 0,
        rows_left_out: 0,
        values_cut: 0,
        text_bytes: 0,
    }))
}

impl Sink for Xlsx<'_> {
    fn write_batch(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        check_columns(&self.schema, batch.schema_ref())?;
        let sheet = self.workbook.worksheet_from_index(0)?;
        for row in 0..batch.num_rows() {
            if self.rows + 1 >= SHEET_ROWS {
                self.rows_left_out += (batch.num_rows() - row) as u64;
                break;
            }
            self.rows += 1;
            let at = u32::try_from(self.rows).unwrap_or(u32::MAX);
            for (column, array) in (0..).zip(batch.columns()) {
                let written = self.formats.write(sheet, (at, column), &Cell::of(array, row))?;
                self.values_cut += u64::from(written.is_cut);
                self.text_bytes += written.bytes;
            }
        }
        Ok(())
    }

    fn about(&mut self, about: &About) {
        self.about = about.clone();
    }

    fn finish(mut self: Box<Self>) -> Result<Summary, ReportError> {
        if let (Ok(last), Some(column)) = (u32::try_from(self.rows), last_column(&self.schema))
            && last > 0
        {
            self.workbook.worksheet_from_index(0)?.autofilter(0, 0, last, column)?;
        }
        let lines = self.lines();
        write_about(self.workbook.add_worksheet(), &lines)?;
        self.workbook.use_zip_large_file(self.text_bytes > LARGE_BYTES);
        self.out.write_all(&self.workbook.save_to_buffer()?)?;
        self.out.flush()?;
        let Self { rows, rows_left_out, values_cut, .. } = *self;
        Ok(Summary { rows, rows_left_out, values_cut, ..Summary::default() })
    }
}

impl Xlsx<'_> {
    /// The lines of the second sheet.
    fn lines(&self) -> Vec<(&'static str, String)> {
        let about = &self.about;
        let mut lines = vec![("Title", about.title().to_owned())];
        lines.extend(about.facts(counted(self.rows, self.rows + self.rows_left_out)));
        lines.extend(about.verdict.iter().map(|words| ("Verdict", words.clone())));
        if self.rows_left_out > 0 {
            let words = format!(
                "a sheet has {SHEET_ROWS} rows, and {} rows of the answer did not fit; a file that ends in .csv or .parquet \
                 has them",
                self.rows_left_out
            );
            lines.push(("Note", words));
        }
        if self.values_cut > 0 {
            let words = format!(
                "a cell has {} characters, and {} values were longer: they are cut, and say so; a file that ends in .csv or \
                 .parquet has them whole",
                cells::CELL_CHARACTERS,
                self.values_cut
            );
            lines.push(("Note", words));
        }
        lines.push((
            "Note",
            "times are UTC; characters that command or hide are written as \\n or \\u{202e}".to_owned(),
        ));
        lines.extend(about.notes.iter().map(|note| ("Note", note.clone())));
        lines.extend(about.command.iter().map(|command| ("Command", command.clone())));
        lines.extend(about.sql.iter().flat_map(|sql| sql.lines()).map(|line| ("SQL", line.to_owned())));
        lines.push(("Made by", made_by()));
        lines
    }
}

fn last_column(schema: &SchemaRef) -> Option<u16> {
    u16::try_from(schema.fields().len().checked_sub(1)?).ok()
}

fn write_about(sheet: &mut Worksheet, lines: &[(&str, String)]) -> Result<(), ReportError> {
    sheet.set_name("about")?;
    sheet.set_column_width(0, 14.0)?;
    sheet.set_column_width(1, 110.0)?;
    let name = Format::new().set_bold().set_align(FormatAlign::Top);
    let text = Format::new().set_num_format("@").set_text_wrap().set_align(FormatAlign::Top);
    for (row, (label, words)) in (0..).zip(lines) {
        sheet.write_string_with_format(row, 0, *label, &name)?;
        // Spaces that indent a line of SQL are ours.
        let inner = words.trim_start_matches(' ');
        let indent = &words[..words.len() - inner.len()];
        sheet.write_string_with_format(row, 1, format!("{indent}{}", fitted(inner).0), &text)?;
    }
    Ok(())
}
