//! `kforensic describe`

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use kforensic_lake::Snapshot;
use kforensic_query::{Selection, Session, describe};

use crate::args::DescribeArgs;
use crate::command::{Outcome, limits};
use crate::error::CliError;
use crate::message;
use crate::output::Output;

/// Lists the views, or explains the columns of one. Needs no case.
pub(crate) fn run(args: &DescribeArgs) -> Result<Outcome, CliError> {
    let Some(view) = &args.view else {
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
    output.finish()
}
