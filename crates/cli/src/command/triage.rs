//! `kforensic triage`

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use kforensic_lake::Case;
use kforensic_query::Window;
use kforensic_report::document::Level;
use kforensic_report::incident::{Incident, Screen, deeds_batch, findings_batch, ocsf, triage};
use kforensic_report::{About, Format, ReportError};

use crate::about;
use crate::args::{OCSF, OutputArgs, QueriesArgs, SCREEN, TriageArgs, WindowArgs};
use crate::command::query::{self, catalogue, ingest_first};
use crate::command::{Outcome, case_folder, choose};
use crate::error::CliError;
use crate::findings::{self, Inquiry};
use crate::footnotes;
use crate::interrupt::Interrupt;
use crate::message;
use crate::output::{self, Output};
use crate::terminal;

/// Tells on one screen what the case is about.
pub(crate) fn run(case: Option<&PathBuf>, args: &TriageArgs, interrupt: &Interrupt) -> Result<Outcome, CliError> {
    let catalogue = catalogue(&args.queries)?;
    let clock = chrono::Utc::now().timestamp_micros();
    // What is wrong with the command line is said before anything is read.
    args.window.times.check(clock)?;
    form(args)?;
    let (temporary, ingested) = ingest_first(case, &args.paths, &args.reading, interrupt)?;
    let folder = temporary.as_ref().map_or_else(|| case_folder(case), |folder| folder.path().join("case"));
    let case = Case::open(&folder)?;
    let snapshot = case.snapshot()?;
    let (window, now) = asked(&args.window, clock, snapshot.event_times().map(|(_, newest)| newest))?;
    let inquiry = Inquiry {
        window,
        now,
        labels: args.window.labels(),
        trusted: footnotes::trusted(args.trust.trusted.as_ref(), case.root(), &catalogue)?.map(|(_, trusted)| trusted),
        rows_max: 0,
        is_watched: true,
        // OCSF tells each row by its key.
        known: (args.format.as_deref() == Some(OCSF)).then(BTreeMap::new),
        first: if temporary.is_some() { Some(first(&args.paths)) } else { choose(&folder) },
        ..Inquiry::default()
    };
    let name = match temporary {
        Some(_) => args.paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" "),
        None => folder.display().to_string(),
    };
    query::window_notes(window, &snapshot, args.window.times.now.is_some());
    let incident = findings::ask(&name, &snapshot, &catalogue, &inquiry, interrupt)?;
    let tells_age = args.window.times.now.is_none();
    let mut about = about::of_case("Findings of all detections", case.root(), &snapshot);
    about.window = Some(query::window_text(window));
    about.notes.extend(incident.reservations.iter().cloned());
    write(&incident, args, case.root(), tells_age, &about, interrupt)?;
    Ok(outcome(&incident, args.fail_on, ingested))
}

/// The command that makes the case which a triage of these paths made for itself alone.
fn first(paths: &[PathBuf]) -> String {
    let paths: Vec<String> = paths.iter().map(|path| message::quoted(&path.display().to_string())).collect();
    format!("kforensic ingest {}", paths.join(" "))
}

/// The window and the time that ages count from.
pub(crate) fn asked(args: &WindowArgs, clock: i64, newest: Option<i64>) -> Result<(Window, i64), CliError> {
    Ok(args.times.window(clock, newest)?)
}

/// Exit code 10 when something at least as bad as `fail_on` was found.
pub(crate) fn outcome(incident: &Incident, fail_on: Option<Level>, otherwise: Outcome) -> Outcome {
    match (fail_on, incident.worst()) {
        (Some(least), Some(worst)) if worst >= least => Outcome::Findings,
        _ => otherwise,
    }
}

/// The screen at the end of an ingest, for who watches; what goes wrong here is no failure of the ingest.
pub(crate) fn after_ingest(folder: &Path, interrupt: &Interrupt) -> Result<(), CliError> {
    let catalogue = catalogue(&QueriesArgs::default())?;
    let snapshot = Case::open(folder)?.snapshot()?;
    let now = chrono::Utc::now().timestamp_micros();
    let trusted = footnotes::trusted(None, folder, &catalogue)?.map(|(_, trusted)| trusted);
    let first = choose(folder);
    let inquiry = Inquiry { now, trusted, rows_max: 0, is_watched: true, first, ..Inquiry::default() };
    let name = folder.display().to_string();
    let incident = findings::ask(&name, &snapshot, &catalogue, &inquiry, interrupt)?;
    let text = triage(&incident, screen(true));
    let rows = terminal::stdout_rows().unwrap_or(usize::MAX);
    message::print_drawn(&format!("\n{}", screenful(&text, rows)))
}

/// Fewest lines of the screen that are shown.
const LINES_MIN: usize = 20;

/// The beginning of a text that is longer than the screen, which scrolled by would show its end alone; and what to ask next. An
/// ingest does not wait for somebody to turn pages.
fn screenful(text: &str, rows: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    // The blank line before it, and the prompt behind it.
    let room = rows.saturating_sub(2).max(LINES_MIN);
    if lines.len() <= room {
        return text.to_owned();
    }
    let next = lines.iter().rposition(|line| line.starts_with("next: ")).unwrap_or(lines.len());
    let next = &lines[next..];
    let head = &lines[..room.saturating_sub(next.len() + 2)];
    let left = lines.len() - head.len() - next.len();
    let more = format!("… and {left} more lines: `kforensic triage`");
    let shown = head.iter().copied().chain(["", more.as_str()]).chain(next.iter().copied());
    shown.map(|line| format!("{line}\n")).collect()
}

fn screen(tells_age: bool) -> Screen {
    let layout = terminal::stdout_layout();
    let is_watched = layout.width.is_some();
    let default = Screen::default();
    Screen { width: layout.width.unwrap_or(default.width), colour: layout.colour, tells_age: tells_age && is_watched }
}

fn write(
    incident: &Incident,
    args: &TriageArgs,
    case: &Path,
    tells_age: bool,
    about: &About,
    interrupt: &Interrupt,
) -> Result<(), CliError> {
    if args.format.as_deref() == Some(OCSF) {
        return write_ocsf(incident, args, case);
    }
    let (format, output) = form(args)?;
    if format.is_table() {
        let mut output = Output::open_text(args.output.as_deref(), case, args.force)?.paged(interrupt);
        let screen = if args.output.is_some() { Screen::default() } else { screen(tells_age) };
        output.write_all(triage(incident, screen).as_bytes()).map_err(ReportError::from)?;
        return output.finish().map(drop);
    }
    let mut output = Output::open(&output, case)?;
    let is_timeline = matches!(format, Format::Timesketch | Format::TimesketchCsv);
    let batch = if is_timeline { deeds_batch(incident) } else { findings_batch(incident) };
    let (format, layout) = (output.format, output.layout.clone());
    let mut sink = format.writer(batch.schema(), layout, &mut output)?;
    sink.write_batch(&batch)?;
    sink.about(about);
    sink.finish()?;
    output.finish().map(drop)
}

/// The form that is asked for: by its name, else by that of the file. A table of findings is the screen.
fn form(args: &TriageArgs) -> Result<(Format, OutputArgs), CliError> {
    let format = match args.format.as_deref() {
        Some(SCREEN) => Some(Format::Table),
        given => given.and_then(|name| name.parse::<Format>().ok()),
    };
    let (output, force) = (args.output.clone(), args.force);
    let output = OutputArgs { format, output, force, wide: false, vertical: false, raw_cells: false };
    Ok((output::format_of(&output)?, output))
}

/// One finding a line, as collectors take them.
fn write_ocsf(incident: &Incident, args: &TriageArgs, case: &Path) -> Result<(), CliError> {
    let mut output = Output::open_text(args.output.as_deref(), case, args.force)?;
    for finding in ocsf(incident, env!("CARGO_PKG_VERSION")) {
        writeln!(output, "{finding}").map_err(ReportError::from)?;
    }
    output.finish().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screen_that_is_too_long_keeps_its_beginning_and_what_to_ask_next() {
        let text: String =
            (1..=80).map(|line| format!("line {line}\n")).chain(["next: `a`,\n      `b`\n".to_owned()]).collect();
        assert_eq!(screenful(&text, 200), text);
        for (rows, head) in [(30, 24), (60, 54), (5, 16), (0, 16)] {
            let shown = screenful(&text, rows);
            let lines: Vec<&str> = shown.lines().collect();
            assert_eq!(lines.len(), head + 4, "{rows}");
            assert_eq!((lines[0], lines[head - 1], lines[head]), ("line 1", format!("line {head}").as_str(), ""));
            assert_eq!(lines[head + 1], format!("… and {} more lines: `kforensic triage`", 80 - head));
            assert_eq!(lines[head + 2..], ["next: `a`,", "      `b`"]);
        }
    }
}
