//! `kforensic sql`

use std::fs;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Instant;

use kforensic_lake::{Case, Snapshot};
use kforensic_query::gate::{Gate, Refusal};
use kforensic_query::{RunSummary, Session, Starting, Statement};
use kforensic_report::{About, Summary};

use crate::about;
use crate::answer::{self, Plan, Shown};
use crate::args::SqlArgs;
use crate::command::{Outcome, case_folder, limits};
use crate::error::CliError;
use crate::interrupt::Interrupt;
use crate::message;
use crate::output::{self, Output};
use crate::{places, proxies};

/// Runs a statement of the user, when it only reads.
pub(crate) fn run(case: Option<&PathBuf>, args: &SqlArgs, interrupt: &Interrupt) -> Result<Outcome, CliError> {
    let format = output::format_of(&args.output)?;
    let text = text(args)?;
    let (limits, _spill) = limits()?;
    let starting = Starting::begin(&limits)?;
    let start = Instant::now();
    // The gate starts a parser of DuckDB, which takes longer than to read the log of the case; to end it takes a while, too, and
    // is done beside the answer.
    let (shown, statement, newest) = thread::scope(|scope| {
        let (checked, checking) = sync_channel(1);
        let text = &text;
        scope.spawn(move || {
            let gate = Gate::new();
            let statement = gate.as_ref().map_err(Refusal::clone).and_then(|gate| gate.check(text));
            // The answer may have failed meanwhile.
            let _ = checked.send(statement);
        });
        let read = Case::open(&case_folder(case)).and_then(|case| Ok((case.snapshot()?, case)));
        let Ok(statement) = checking.recv() else { panic!("the gate answers all that it is asked") };
        let statement = statement?;
        let (snapshot, case) = read?;
        let newest = snapshot.event_times().map(|(_, newest)| newest);
        let output = Output::open(&args.output, case.root())?.paged(interrupt);
        let session = Session::open_in(starting, &snapshot, statement.selection())?;
        let about = about(&case, &snapshot, text, args.limit);
        let shown = match statement.is_explanation() && format.is_table() {
            true => explain(&session, output, &statement, args.limit, interrupt)?,
            false => answer::write(&session, output, &about, interrupt, |session, rows| {
                session.sql(&statement, args.limit.map(rows_at_most), rows)
            })?,
        };
        Ok::<_, CliError>((shown, statement, newest))
    })?;
    footer(&shown, &statement, newest, start);
    places::remark();
    proxies::remark();
    Ok(Outcome::Done)
}

/// Shows the plan of a statement, as DuckDB draws it.
fn explain(
    session: &Session,
    mut output: Output,
    statement: &Statement,
    limit: Option<u64>,
    interrupt: &Interrupt,
) -> Result<Shown, CliError> {
    let handle = session.interrupt_handle();
    interrupt.on(move || handle.interrupt());
    let mut plan = Plan::default();
    let run = session.sql(statement, limit.map(rows_at_most), &mut plan)?;
    output.write_all(plan.text.as_bytes()).map_err(kforensic_report::ReportError::from)?;
    Ok(Shown { run, summary: Summary::default(), waited: output.finish()? })
}

/// What the answer says of itself.
fn about(case: &Case, snapshot: &Snapshot, sql: &str, limit: Option<u64>) -> About {
    let mut about = about::of_case("Answer to a statement", case.root(), snapshot);
    about.sql = Some(sql.trim().to_owned());
    about.notes.push("a statement says not what it needs, so there is no verdict on its rows".to_owned());
    if let Some(limit) = limit {
        about.notes.push(format!("at most {} were asked for", answer::count(limit)));
    }
    about
}

fn rows_at_most(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// The statement that is asked for: on the command line, in a file, or on standard input.
fn text(args: &SqlArgs) -> Result<String, CliError> {
    match (&args.sql, &args.file) {
        (Some(sql), _) if sql != "-" => Ok(sql.clone()),
        (_, Some(path)) if path != Path::new("-") => {
            fs::read_to_string(path).map_err(|source| CliError::Input { path: path.clone(), source })
        }
        (None, None) if io::stdin().is_terminal() => Err(CliError::NoStatement),
        _ => {
            let mut sql = String::new();
            let read = io::stdin().lock().read_to_string(&mut sql);
            read.map_err(|source| CliError::Input { path: PathBuf::from("-"), source })?;
            Ok(sql)
        }
    }
}

fn footer(shown: &Shown, statement: &Statement, newest: Option<i64>, start: Instant) {
    let RunSummary { rows, total_rows, .. } = shown.run;
    let rows = match (statement.is_explanation(), rows == total_rows) {
        (true, _) => "plan".to_owned(),
        (false, true) => answer::count(rows),
        (false, false) => format!("the first {}, and there are more", answer::count(rows)),
    };
    let (newest, seconds) = (answer::newest_event(newest), start.elapsed().saturating_sub(shown.waited).as_secs_f64());
    message::plain(&format!("{rows}; {newest}; {seconds:.3} s"));
    answer::note_hidden_columns(shown);
}
