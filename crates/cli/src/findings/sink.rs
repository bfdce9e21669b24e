//! What takes the rows of a question.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use kforensic_query::{RowSink, SinkError};
use kforensic_report::incident::{Finding, Gathering};
use kforensic_report::{Format, Layout, Sink};

use crate::error::CliError;
use crate::output::DataFile;

/// Keeps the batches of a small answer.
#[derive(Debug, Default)]
pub(super) struct Batches {
    pub(super) list: Vec<RecordBatch>,
}

impl RowSink for Batches {
    fn columns(&mut self, _: &SchemaRef) -> Result<(), SinkError> {
        Ok(())
    }

    fn rows(&mut self, batch: &RecordBatch) -> Result<(), SinkError> {
        self.list.push(batch.clone());
        Ok(())
    }
}

/// Gathers a finding, and writes all of its rows to a file when they are wanted.
pub(super) struct Gather {
    gathering: Gathering,
    data: Option<Data>,
}

/// A file for all rows.
struct Data {
    file: DataFile,
    name: String,
    schema: Option<SchemaRef>,
    /// Whether its header is written.
    is_begun: bool,
}

impl Gather {
    pub(super) fn new(gathering: Gathering, folder: Option<&Path>, query: &str) -> Result<Self, CliError> {
        let data = match folder {
            None => None,
            Some(folder) => {
                let name = format!("{query}.csv");
                let path: PathBuf = folder.join(&name);
                Some(Data { file: DataFile::create(&path)?, name, schema: None, is_begun: false })
            }
        };
        Ok(Self { gathering, data })
    }

    pub(super) fn finish(self) -> Result<Finding, CliError> {
        let mut finding = self.gathering.finish();
        if let Some(data) = self.data
            && data.is_begun
        {
            data.file.finish()?;
            finding.data_file = Some(data.name);
        }
        Ok(finding)
    }
}

impl RowSink for Gather {
    fn columns(&mut self, schema: &SchemaRef) -> Result<(), SinkError> {
        self.gathering.columns(schema);
        if let Some(data) = &mut self.data {
            data.schema = Some(Arc::clone(schema));
        }
        Ok(())
    }

    fn rows(&mut self, batch: &RecordBatch) -> Result<(), SinkError> {
        self.gathering.rows(batch);
        if let Some(data) = &mut self.data
            && let Some(schema) = &data.schema
        {
            let mut text = Vec::new();
            let mut sink = Format::Csv.writer(Arc::clone(schema), Layout::default(), &mut text)?;
            sink.write_batch(batch)?;
            Sink::finish(sink)?;
            // Each batch is written as a file of its own, whose header only the first keeps.
            let body = match data.is_begun {
                true => text.iter().position(|byte| *byte == b'\n').map_or(&[][..], |end| &text[end + 1..]),
                false => &text,
            };
            data.file.write(body)?;
            data.is_begun = true;
        }
        Ok(())
    }
}
