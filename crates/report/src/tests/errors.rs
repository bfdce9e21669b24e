//! Outputs that fail, batches that do not belong, results that end early.

use std::io::{self, Write};

use super::rows::{batch, columns, reads, text};
use crate::{Format, Layout, ReportError};

/// An output whose reader goes away after some bytes.
struct Pipe {
    left: usize,
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.left);
        self.left -= taken;
        if taken == 0 { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(taken) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_goes_away_is_a_broken_pipe_in_every_format() {
    for format in Format::ALL {
        for left in [0, 10, 1_000] {
            let mut pipe = Pipe { left };
            let rows = batch(&reads());
            let mut sink = format.writer(rows.schema(), Layout::default(), &mut pipe).unwrap();
            let error = sink.write_batch(&rows).and_then(|()| sink.finish().map(|_| ())).unwrap_err();
            assert!(error.is_broken_pipe(), "{format} {left}: {error:?}");
        }
    }
}

#[test]
fn a_batch_with_other_columns_is_refused_before_a_byte_is_written() {
    let expected = batch(&[]).project(&[0, 3, 5]).unwrap();
    for found in
        [columns(vec![("name", text(&[None])), ("verb", text(&[None]))]), columns(vec![("verb", text(&[None]))])]
    {
        for format in Format::ALL {
            let mut out = Vec::new();
            let mut sink = format.writer(expected.schema(), Layout::default(), &mut out).unwrap();
            let error = sink.write_batch(&found).unwrap_err();
            assert!(matches!(error, ReportError::Columns { .. }), "{error:?}");
            assert!(error.to_string().ends_with("where the result has `event_time,verb,name`"), "{error}");
            assert!(!error.is_broken_pipe());
            drop(sink);
            assert!(out.is_empty());
        }
    }
}

#[test]
fn a_result_that_is_not_finished_gets_no_ending() {
    let rows = columns(vec![("verb", text(&[Some("get")]))]);
    for (format, expected) in [
        (Format::Json, "[\n{\"verb\":\"get\"}"),
        (Format::Jsonl, "{\"verb\":\"get\"}\n"),
        (Format::Csv, "verb\nget\n"),
        (Format::Tsv, "verb\nget\n"),
        (Format::Markdown, "| verb |\n| --- |\n| `get` |\n"),
        (Format::Parquet, ""),
        (Format::Table, ""),
    ] {
        let mut out = Vec::new();
        let mut sink = format.writer(rows.schema(), Layout::default(), &mut out).unwrap();
        sink.write_batch(&rows).unwrap();
        drop(sink);
        assert_eq!(String::from_utf8(out).unwrap(), expected, "{format}");
    }
}

#[test]
fn timesketch_refuses_what_has_no_time() {
    let rows = columns(vec![("verb", text(&[Some("get")])), ("attempts", text(&[None]))]);
    for format in [Format::Timesketch, Format::TimesketchCsv] {
        let mut out = Vec::new();
        let error = format.writer(rows.schema(), Layout::default(), &mut out).err().unwrap();
        assert_eq!(
            error.to_string(),
            "no column of the answer is a time (TIMESTAMP), and Timesketch places every row in time: `verb,attempts`"
        );
    }
}
