//! An answer as one page that needs nothing else: a document with the rows, what they are worth, and how to ask again.
//!
//! The page is rendered as a report is, with its policy and its escaping. A browser holds a page in memory, so a page has
//! a limit of rows and of text; what does not fit is counted, and said where the rows end.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use crate::ReportError;
use crate::about::{About, counted, made_by};
use crate::document::table::{columns_of, shown_bytes};
use crate::document::{Block, Document, DocumentFormat, Section, Table, Text, Tone, Value};
use crate::sink::{Layout, Sink, Summary, check_columns};

/// Rows of a page: more of them make a browser slow.
pub const PAGE_ROWS_MAX: u64 = 10_000;

/// Text of a page.
const PAGE_TEXT_BYTES_MAX: usize = 32 * 1024 * 1024;

struct Page<'w> {
    out: &'w mut dyn Write,
    schema: SchemaRef,
    table: Table,
    about: About,
    text_bytes: usize,
    is_full: bool,
}

/// Starts `--format html`.
pub(crate) fn start<'w>(
    schema: SchemaRef,
    _layout: Layout,
    out: &'w mut dyn Write,
) -> Result<Box<dyn Sink + 'w>, ReportError> {
    let table = Table::new("rows", "", columns_of(&schema));
    Ok(Box::new(Page { out, schema, table, about: About::default(), text_bytes: 0, is_full: false }))
}

impl Sink for Page<'_> {
    fn write_batch(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        check_columns(&self.schema, batch.schema_ref())?;
        for row in 0..batch.num_rows() {
            self.is_full |= self.table.rows.len() as u64 >= PAGE_ROWS_MAX || self.text_bytes >= PAGE_TEXT_BYTES_MAX;
            if self.is_full {
                self.table.total_rows += (batch.num_rows() - row) as u64;
                break;
            }
            let values: Vec<Value> =
                (0..batch.num_columns()).map(|column| Value::bounded(batch, column, row)).collect();
            self.text_bytes += values.iter().map(shown_bytes).sum::<usize>();
            self.table.push(values);
        }
        Ok(())
    }

    fn about(&mut self, about: &About) {
        self.about = about.clone();
    }

    fn finish(mut self: Box<Self>) -> Result<Summary, ReportError> {
        let (rows, rows_left_out) = (self.table.rows.len() as u64, self.table.rows_left_out());
        self.table.caption = self.about.title().to_owned();
        let mut out = self.out;
        DocumentFormat::Html.write(&document(self.table, &self.about), &mut out)?;
        Ok(Summary { rows, rows_left_out, ..Summary::default() })
    }
}

fn document(table: Table, about: &About) -> Document {
    let (rows, left_out) = (table.rows.len() as u64, table.rows_left_out());
    let facts = about.texts(counted(rows, table.total_rows));
    let mut answer = Vec::new();
    if left_out > 0 {
        let words = format!(
            "This page shows the first {rows} rows. {left_out} more are left out here; a file that ends in .csv, .xlsx or \
             .parquet has them."
        );
        answer.push(Block::Note(Tone::Warning, Text::plain(words)));
    }
    answer.push(Block::Table(table));
    let section = |id: &str, title: &str, blocks: Vec<Block>| Section { id: id.into(), title: title.into(), blocks };
    let sections = [
        section("answer", "Answer", answer),
        section("worth", "What it is worth", worth(about)),
        section("again", "How to ask again", again(about)),
    ];
    Document {
        title: about.title().to_owned(),
        made_by: made_by(),
        facts,
        sections: sections.into_iter().filter(|section| !section.blocks.is_empty()).collect(),
        ..Document::default()
    }
}

fn worth(about: &About) -> Vec<Block> {
    let tone = if about.is_reserved { Tone::Warning } else { Tone::Information };
    let verdict =
        about.verdict.iter().map(|words| Block::Note(tone, Text::plain("Verdict: ").then(Text::marked(words))));
    let notes: Vec<Text> = about.notes.iter().map(|note| Text::marked(note)).collect();
    let list = (!notes.is_empty()).then_some(Block::List(notes));
    verdict.chain(list).collect()
}

fn again(about: &About) -> Vec<Block> {
    let code = |caption: &str, text: &Option<String>| {
        text.clone().map(|text| Block::Code { caption: caption.to_owned(), text })
    };
    [code("Command", &about.command), code("SQL", &about.sql)].into_iter().flatten().collect()
}
