//! `kforensic describe`

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use kforensic_lake::Snapshot;
use kforensic_query::{Selection, Session, describe};
use kforensic_report::{Format, ReportError};
use serde_json::{Value, json};

use crate::args::DescribeArgs;
use crate::command::{Outcome, limits};
use crate::error::CliError;
use crate::message;
use crate::output::{self, Output};

/// Lists the views, or explains the columns of one. Needs no case.
pub(crate) fn run(args: &DescribeArgs) -> Result<Outcome, CliError> {
    let Some(view) = &args.view else {
        if matches!(output::format_of(&args.output)?, Format::Json | Format::Jsonl) {
            return print_all(args);
        }
        let views = describe::views();
        let column = |of: fn(&describe::ViewHelp) -> &'static str| views.iter().map(of).collect::<Vec<_>>();
        print(args, [("view", column(|view| view.name)), ("row", column(|view| view.row))])?;
        message::plain("\nask them with `kforensic sql \"FROM VIEW\"`; `kforensic describe VIEW` explains the columns");
        return Ok(Outcome::Done);
    };
    let help = describe::find(view)?;
    let (limits, _spill) = limits()?;
    let session = Session::open(&Snapshot::default(), &Selection::default(), &limits)?;
    let columns = session.describe(help.name)?;
    let texts = |of: fn(&(String, String)) -> &str| columns.iter().map(of).collect::<Vec<_>>();
    let meanings = columns.iter().map(|(name, _)| describe::meaning(help.name, name).unwrap_or_default()).collect();
    print(args, [("column", texts(|(name, _)| name)), ("type", texts(|(_, kind)| kind)), ("meaning", meanings)])?;
    message::plain(help.row);
    Ok(Outcome::Done)
}

/// Writes every view with its columns, for programs.
fn print_all(args: &DescribeArgs) -> Result<Outcome, CliError> {
    let (limits, _spill) = limits()?;
    let session = Session::open(&Snapshot::default(), &Selection::default(), &limits)?;
    let views = describe::views().iter().map(|help| view(&session, help)).collect::<Result<Vec<_>, _>>()?;
    let mut output = Output::open(&args.output, "".as_ref())?;
    let lines = views.iter().map(Value::to_string).collect::<Vec<_>>();
    let text = match output.format {
        Format::Json => format!("[\n{}\n]\n", lines.join(",\n")),
        _ => lines.join("\n") + "\n",
    };
    output.write_all(text.as_bytes()).map_err(ReportError::from)?;
    output.finish()?;
    Ok(Outcome::Done)
}

/// A view with its columns.
pub(crate) fn view(session: &Session, help: &describe::ViewHelp) -> Result<Value, CliError> {
    let column = |(name, kind): (String, String)| {
        let meaning = describe::meaning(help.name, &name);
        json!({"column": name, "type": kind, "meaning": meaning})
    };
    let columns: Vec<Value> = session.describe(help.name)?.into_iter().map(column).collect();
    Ok(json!({"view": help.name, "row": help.row, "columns": columns}))
}

/// Writes columns of texts as an answer.
fn print<const N: usize>(args: &DescribeArgs, columns: [(&str, Vec<&str>); N]) -> Result<(), CliError> {
    let columns = columns.map(|(name, texts)| (name, Arc::new(StringArray::from(texts)) as ArrayRef, false));
    let batch = match RecordBatch::try_from_iter_with_nullable(columns) {
        Ok(batch) => batch,
        Err(error) => unreachable!("columns made of the same things have the same length: {error}"),
    };
    // There is no case that a file could lie in.
    let mut output = Output::open(&args.output, "".as_ref())?;
    let (format, layout) = (output.format, output.layout.clone());
    let mut sink = format.writer(batch.schema(), layout, &mut output)?;
    sink.write_batch(&batch)?;
    sink.finish()?;
    output.finish().map(drop)
}
