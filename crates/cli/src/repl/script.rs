//! Lines that come from a file or a pipe.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use kforensic_query::scanner;

use super::error::ReplError;
use super::spoken;
use super::state::{Author, Flow, Repl};
use crate::command::Outcome;
use crate::error::CliError;
use crate::message;

/// Cuts lines into what is done at once: commands, and statements up to their semicolon.
#[derive(Default)]
struct Gathered {
    text: String,
    /// The line that the text begins at, counted from 1.
    line: usize,
    lines: usize,
}

impl Gathered {
    /// Takes a line, and gives what can be done now with the line that it begins at.
    fn add(&mut self, line: &str) -> Option<(usize, String)> {
        self.lines += 1;
        if self.text.trim().is_empty() {
            self.text.clear();
            self.line = self.lines;
        }
        self.text.push_str(line);
        self.text.push('\n');
        let is_command = spoken::is_command(&self.text);
        let is_whole = is_command || scanner::is_complete(&self.text);
        (is_whole && !self.text.trim().is_empty()).then(|| (self.line, std::mem::take(&mut self.text)))
    }

    /// What is left at the end.
    fn rest(self) -> Option<(usize, String)> {
        let has_code = scanner::tokens(&self.text).iter().any(scanner::Token::is_code);
        has_code.then_some((self.line, self.text))
    }
}

/// Does all that `text` says, up to the first error.
///
/// # Errors
/// The first one, with its line.
pub(super) fn run_text(repl: &mut Repl<'_>, text: &str, author: Author, path: Option<&Path>) -> Result<Flow, CliError> {
    let mut gathered = Gathered::default();
    for line in text.lines() {
        if let Some((number, text)) = gathered.add(line)
            && one(repl, number, &text, author, path)? == Flow::Leave
        {
            return Ok(Flow::Leave);
        }
    }
    match gathered.rest() {
        Some((number, _)) => Err(at(number, path, ReplError::Unfinished.into())),
        None => Ok(Flow::GoOn),
    }
}

/// Does all that standard input says: statement by statement, so that a pipe may stay open.
///
/// With `keep_going` errors are told and what follows is done, too; the exit code is that of the first one.
///
/// # Errors
/// The first one, with its line, unless it shall keep going.
pub(super) fn run_input(repl: &mut Repl<'_>, keep_going: bool) -> Result<Outcome, CliError> {
    let mut gathered = Gathered::default();
    let mut outcome = Outcome::Done;
    let mut tell = |result: Result<Flow, CliError>| match result {
        Err(error) if keep_going && !error.is_broken_pipe() => {
            message::error(&error);
            if outcome == Outcome::Done {
                outcome = Outcome::Failed { exit_code: error.exit_code() };
            }
            Ok(Flow::GoOn)
        }
        result => result,
    };
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|source| ReplError::File { action: "read", path: PathBuf::from("-"), source })?;
        if let Some((number, text)) = gathered.add(&line)
            && tell(one(repl, number, &text, Author::User, None))? == Flow::Leave
        {
            return Ok(outcome);
        }
    }
    if let Some((number, _)) = gathered.rest() {
        tell(Err(at(number, None, ReplError::Unfinished.into())))?;
    }
    Ok(outcome)
}

/// Does a command, or the statements of a text; an error tells the line of its statement.
fn one(repl: &mut Repl<'_>, number: usize, text: &str, author: Author, path: Option<&Path>) -> Result<Flow, CliError> {
    if spoken::is_command(text) {
        return repl.line(text, author).map_err(|error| at(number, path, error));
    }
    for statement in scanner::statements(text) {
        let line = number + text[..statement.start].matches('\n').count();
        repl.line(&text[statement], author).map_err(|error| at(line, path, error))?;
    }
    Ok(Flow::GoOn)
}

fn at(line: usize, path: Option<&Path>, error: CliError) -> CliError {
    match error {
        // The line in the innermost file says more.
        CliError::Line { .. } => error,
        error => CliError::Line { line, path: path.map(Path::to_owned), source: Box::new(error) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_statements_are_cut_with_their_lines() {
        let mut gathered = Gathered::default();
        let script = "-- first\n\nSELECT\n  1;\n.mode json\nSELECT '.x\n.y'; SELECT 2;\n";
        let found: Vec<(usize, String)> = script.lines().filter_map(|line| gathered.add(line)).collect();
        let texts: Vec<(usize, &str)> = found.iter().map(|(line, text)| (*line, text.trim())).collect();
        assert_eq!(texts[0], (1, "-- first"));
        assert_eq!(texts[1..], [(3, "SELECT\n  1;"), (5, ".mode json"), (6, "SELECT '.x\n.y'; SELECT 2;")]);
        assert_eq!(gathered.rest(), None);
        let mut gathered = Gathered::default();
        assert_eq!(gathered.add("SELECT 1"), None);
        assert_eq!(gathered.rest(), Some((1, "SELECT 1\n".to_owned())));
    }
}
