//! The commands that investigate, at the prompt.

use std::time::Instant;

use clap::{Args, FromArgMatches};
use kforensic_query::{QueryError, Session};
use kforensic_report::ReportError;

use super::case::OpenCase;
use super::error::ReplError;
use super::journal::What;
use super::look::Target;
use super::state::{Author, Repl};
use crate::answer;
use crate::error::CliError;
use crate::inquiry::args::{CanArgs, ObjectHistoryArgs, RbacArgs, RotateArgs, SpreadArgs, SweepArgs, WhoCanArgs};
use crate::inquiry::{Context, Inquiry, at_prompt};
use crate::message;
use crate::places;

/// Reads the words behind a command.
fn read<A: Args + FromArgMatches>(words: &[String]) -> Result<A, ReplError> {
    let command = A::augment_args(clap::Command::new("inquiry")).no_binary_name(true).disable_help_flag(true);
    let problem = |error: &clap::Error| {
        let text = error.render().to_string();
        let first = text.trim().trim_start_matches("error: ").lines().next().unwrap_or_default().to_owned();
        ReplError::Options { problem: first }
    };
    let matches = command.try_get_matches_from(words).map_err(|error| problem(&error))?;
    A::from_arg_matches(&matches).map_err(|error| problem(&error))
}

/// The options of a command.
pub(super) fn flags(name: &str) -> Vec<String> {
    let command = clap::Command::new("inquiry");
    let command = match name {
        "spread" => SpreadArgs::augment_args(command),
        "rotate" => RotateArgs::augment_args(command),
        "who-can" => WhoCanArgs::augment_args(command),
        "can" => CanArgs::augment_args(command),
        "sweep" => SweepArgs::augment_args(command),
        "object-history" => ObjectHistoryArgs::augment_args(command),
        // Each part of it has options of its own: those that all have.
        _ => crate::inquiry::args::FormArgs::augment_args(command),
    };
    command.get_arguments().filter_map(|argument| Some(format!("--{}", argument.get_long()?))).collect()
}

/// The forms that a command's answer can have.
pub(super) fn forms(name: &str) -> Vec<String> {
    let tables = kforensic_report::Format::ALL.iter().map(|format| format.name());
    let own: &[&str] = match name {
        "spread" => &["svg", "dot", "graph"],
        "rbac" => &["yaml"],
        _ => &[],
    };
    tables.chain(own.iter().copied()).map(str::to_owned).collect()
}

fn inquiry(name: &str, words: &[String]) -> Result<Inquiry, ReplError> {
    Ok(match name {
        "spread" => Inquiry::Spread(read::<SpreadArgs>(words)?),
        "rotate" => Inquiry::Rotate(read::<RotateArgs>(words)?),
        "rbac" => Inquiry::Rbac(read::<RbacArgs>(words)?),
        "who-can" => Inquiry::WhoCan(read::<WhoCanArgs>(words)?),
        "can" => Inquiry::Can(read::<CanArgs>(words)?),
        "sweep" => Inquiry::Sweep(read::<SweepArgs>(words)?),
        _ => Inquiry::History(read::<ObjectHistoryArgs>(words)?),
    })
}

impl Repl<'_> {
    /// Asks, and shows the tables where answers go.
    ///
    /// # Errors
    /// As for the command of that name.
    pub(super) fn inquire(&mut self, name: &str, words: &[String], author: Author) -> Result<(), CliError> {
        let inquiry = inquiry(name, words)?;
        let form = inquiry.output().clone();
        let reads_file = matches!(inquiry, Inquiry::Sweep(_));
        if author == Author::File && (form.output.is_some() || reads_file) {
            return Err(ReplError::NotInFile { command: format!(".{name}") }.into());
        }
        let table = inquiry.table()?;
        let start = Instant::now();
        let (case, snapshot) = self.case.held();
        let (clock, newest) = (self.clock(), self.case.newest());
        let context = Context { case: &case, snapshot: &snapshot, clock, newest };
        let mut found = None;
        let ask = |session: &Session| {
            found = Some(at_prompt(session, &context, &inquiry));
            Ok(())
        };
        match &form.cluster {
            None => self.while_waiting(ask)?,
            Some(cluster) => {
                self.case.narrow(cluster)?;
                let progress = self.case.narrowed()?.progress();
                self.while_watching(OpenCase::narrowed, move || progress.percent(), ask)?;
            }
        }
        let Some(found) = found.transpose()? else { return Ok(()) };
        let mut rows = 0;
        if let Some(text) = &found.text {
            self.show_drawing(text, form.output.as_deref(), form.force)?;
        } else {
            let look = self.look.with(&table);
            let look = std::mem::replace(&mut self.look, look);
            let file = form.output.clone().map(|path| Target::Once { path, format: table.format, force: form.force });
            let target = file.map(|file| std::mem::replace(&mut self.target, file));
            let mut about = self.about(inquiry.title(), &format!(".{name} {}", words.join(" ")));
            about.notes.extend(found.notes.iter().cloned());
            let mut shown = Ok(None);
            // On the screen all tables, for a program the one that it wants.
            let is_one = form.output.is_some() || !self.look.format.is_table();
            let first = if is_one { found.tables.len().saturating_sub(1) } else { 0 };
            for (_, table) in found.tables.iter().skip(first) {
                shown = self.show(&[], &about, |_, sink| table.give(&mut places::sink(sink)).map_err(QueryError::Sink));
                rows = table.batch.num_rows() as u64;
                if shown.is_err() {
                    break;
                }
            }
            self.look = look;
            if let Some(target) = target {
                self.target = target;
            }
            shown?;
        }
        for note in found.notes.iter().filter(|_| self.is_watched()) {
            message::note(note);
        }
        self.footer(&answer::count(rows), start);
        let text = format!(".{name} {}", words.join(" "));
        let (version, seconds) = (snapshot.version, start.elapsed().as_secs_f64());
        self.note(What::Statement { text, rows: Some(rows), seconds, version, error: None });
        Ok(())
    }

    fn show_drawing(&mut self, text: &str, path: Option<&std::path::Path>, replaces: bool) -> Result<(), CliError> {
        use std::io::Write as _;
        let Some(path) = path else { return self.show_text(text) };
        let mut output = crate::output::Output::open_text(Some(path), self.case.root(), replaces)?;
        output.write_all(text.as_bytes()).map_err(ReportError::from)?;
        output.finish().map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_the_commands_read_them() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert!(
            matches!(inquiry("spread", &words("ip:1.2.3.4 --show nodes")).unwrap(), Inquiry::Spread(args) if args.show.as_deref() == Some("nodes"))
        );
        assert!(matches!(inquiry("rbac", &words("diff 2026-01-01 last")).unwrap(), Inquiry::Rbac(_)));
        assert!(matches!(inquiry("who-can", &words("get secrets -n prod")).unwrap(), Inquiry::WhoCan(_)));
        assert!(inquiry("can", &words("bob --evil")).is_err());
    }
}
