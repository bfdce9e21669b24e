//! The commands that investigate, at the command line and at the prompt: one question each, answered by a session that
//! sees the whole case.

pub(crate) mod args;
mod ask;
pub(crate) mod snapshots;

use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use kforensic_lake::{Case, Snapshot};
use kforensic_query::inquiry::Answer;
use kforensic_query::{QueryError, Selection, Session};
use kforensic_report::{About, ReportError};

use crate::about;
use crate::answer;
use crate::args::OutputArgs;
use crate::command::{Outcome, case_folder, limits};
use crate::error::CliError;
use crate::interrupt::Interrupt;
use crate::message;
use crate::output::{Output, format_of};
use crate::{places, proxies};
use args::{CanArgs, FormArgs, ObjectHistoryArgs, RbacArgs, RotateArgs, SpreadArgs, SweepArgs, WhoCanArgs};

/// What is asked.
#[derive(Debug, Clone)]
pub(crate) enum Inquiry {
    Spread(SpreadArgs),
    Rotate(RotateArgs),
    Rbac(RbacArgs),
    WhoCan(WhoCanArgs),
    Can(CanArgs),
    Sweep(SweepArgs),
    History(ObjectHistoryArgs),
}

/// What is known besides the session.
pub(crate) struct Context<'a> {
    pub(crate) case: &'a Case,
    pub(crate) snapshot: &'a Snapshot,
    /// The present, in microseconds since 1970.
    pub(crate) clock: i64,
    /// The newest event.
    pub(crate) newest: Option<i64>,
}

/// An answer: tables, of which the last is the one that a program wants, and what is to be said about them.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) tables: Vec<(&'static str, Answer)>,
    /// Instead of tables.
    pub(crate) text: Option<String>,
    /// What stays open.
    pub(crate) notes: Vec<String>,
    /// What makes the command fail although it is answered.
    pub(crate) is_contradicted: bool,
}

impl Inquiry {
    /// How its tables are written.
    ///
    /// # Errors
    /// When it has no such form: said before anything is asked.
    pub(crate) fn table(&self) -> Result<OutputArgs, CliError> {
        let form = self.output();
        let drawing = form.drawing();
        if let Some(name) = drawing.filter(|name| !self.drawings().contains(name)) {
            return Err(CliError::Form { problem: format!("this answer cannot be written as {name}") });
        }
        let table = form.of_table().map_err(|error| CliError::Form { problem: error.to_string() })?;
        if drawing.is_none() {
            format_of(&table)?;
        }
        Ok(table)
    }

    /// The forms of it that are no tables.
    fn drawings(&self) -> &'static [&'static str] {
        match self {
            Self::Spread(_) => &["svg", "dot", "graph"],
            Self::Rbac(RbacArgs { what: args::RbacCommand::Diff { .. } }) => &["yaml"],
            _ => &[],
        }
    }

    /// What the answer is called.
    pub(crate) fn title(&self) -> &'static str {
        match self {
            Self::Spread(_) => "What else an intruder got into",
            Self::Rotate(_) => "What to revoke, remove and replace",
            Self::Rbac(_) => "Who had which rights",
            Self::WhoCan(_) => "Who could do it",
            Self::Can(_) => "What a user could do",
            Self::Sweep(_) => "Indicators of compromise",
            Self::History(_) => "The states of an object in time",
        }
    }

    pub(crate) fn output(&self) -> &FormArgs {
        match self {
            Self::Spread(args) => &args.output,
            Self::Rotate(args) => &args.output,
            Self::Rbac(args) => match &args.what {
                args::RbacCommand::At { output, .. }
                | args::RbacCommand::Diff { output, .. }
                | args::RbacCommand::Check { output } => output,
            },
            Self::WhoCan(args) => &args.output,
            Self::Can(args) => &args.output,
            Self::Sweep(args) => &args.output,
            Self::History(args) => &args.output,
        }
    }
}

/// Answers at the command line.
pub(crate) fn run(case: Option<&PathBuf>, inquiry: &Inquiry, interrupt: &Interrupt) -> Result<Outcome, CliError> {
    let form = inquiry.output();
    let table = inquiry.table()?;
    let start = Instant::now();
    let case = Case::open(&case_folder(case))?;
    let snapshot = case.snapshot()?;
    let (limits, _spill) = limits()?;
    let selection = Selection { cluster: form.cluster.clone(), ..Selection::default() };
    let session = Session::open(&snapshot, &selection, &limits)?;
    let handle = session.interrupt_handle();
    interrupt.on(move || handle.interrupt());
    let newest = snapshot.event_times().map(|(_, newest)| newest);
    let context = Context { case: &case, snapshot: &snapshot, clock: chrono::Utc::now().timestamp_micros(), newest };
    let found = ask::ask(&session, &context, inquiry)?;
    let rows = match &found.text {
        Some(text) => {
            write_text(text, form, &case)?;
            None
        }
        None => {
            let about = about::of_case(inquiry.title(), case.root(), &snapshot);
            Some(write_tables(&found, Output::open(&table, case.root())?, about)?)
        }
    };
    let rows = rows.map(|rows| format!("{}; ", answer::count(rows))).unwrap_or_default();
    message::plain(&format!("{rows}{}; {:.3} s", answer::newest_event(newest), start.elapsed().as_secs_f64()));
    places::remark();
    proxies::remark();
    for note in &found.notes {
        message::note(note);
    }
    Ok(if found.is_contradicted { Outcome::EvidenceDiffers } else { Outcome::Done })
}

fn write_text(text: &str, form: &FormArgs, case: &Case) -> Result<(), CliError> {
    match &form.output {
        None => message::print(text),
        Some(path) => {
            let mut output = Output::open_text(Some(path), case.root(), form.force)?;
            output.write_all(text.as_bytes()).map_err(ReportError::from)?;
            output.finish().map(drop)
        }
    }
}

/// Writes all tables for people, the last one for programs. Returns its rows.
fn write_tables(found: &Findings, mut output: Output, mut about: About) -> Result<u64, CliError> {
    about.notes.extend(found.notes.iter().cloned());
    let (format, layout) = (output.format, output.layout.clone());
    let last = found.tables.len().saturating_sub(1);
    let mut rows = 0;
    for (at, (title, table)) in found.tables.iter().enumerate() {
        if at < last && !format.is_table() {
            continue;
        }
        if found.tables.len() > 1 && format.is_table() {
            let gap = if at == 0 { "" } else { "\n" };
            writeln!(output, "{gap}{title}").map_err(ReportError::from)?;
        }
        let shown = answer::write_to(format, layout.clone(), &mut output, &about, |sink| {
            table.give(&mut places::sink(sink)).map_err(QueryError::Sink)
        })?;
        rows = shown.run.rows;
    }
    output.finish()?;
    Ok(rows)
}

/// Answers at the prompt.
pub(crate) fn at_prompt(session: &Session, context: &Context<'_>, inquiry: &Inquiry) -> Result<Findings, CliError> {
    ask::ask(session, context, inquiry)
}
