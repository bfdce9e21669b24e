//! The line editor: rustyline, taught SQL, dot commands and the words of the case.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustyline::completion::{Candidate as Listed, Completer};
use rustyline::config::{ColorMode, CompletionType, Config};
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hint, Hinter, HistoryHinter};
use rustyline::history::FileHistory;
use rustyline::line_buffer::LineBuffer;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Changeset, Context, Editor, EventHandler, Helper};

use super::commands::Commands;
use super::completion::{self, Candidate, Completion};
use super::dictionary::Dictionary;
use super::error::ReplError;
use super::folder::StateFolder;
use super::margin::{self, Keys};
use super::paint::{is_obeyed, paint};
use super::words;

/// Lines that are kept from one session to the next.
const HISTORY_MAX: usize = 10_000;

/// Candidates that are listed without asking.
const LISTED_MAX: usize = 100;

/// The dictionary, which grows in the background.
pub(super) type SharedDictionary = Arc<RwLock<Dictionary>>;

/// What the user typed.
pub(super) enum Typed {
    /// A command, or SQL that ends in a semicolon.
    Line(String),
    /// Ctrl-C: the line is dropped.
    Dropped,
    /// Ctrl-D, or the terminal is gone.
    End,
}

/// Reads lines from the terminal.
pub(super) struct LineEditor {
    editor: Editor<Words, FileHistory>,
    history: Option<PathBuf>,
}

impl LineEditor {
    /// An editor whose history is kept in `folder`; without one, only for this session.
    ///
    /// # Errors
    /// When the terminal or the history cannot be used.
    pub(super) fn open(
        dictionary: SharedDictionary,
        commands: Arc<Commands>,
        folder: Option<&StateFolder>,
        is_coloured: bool,
    ) -> Result<Self, ReplError> {
        let config = Config::builder()
            .max_history_size(HISTORY_MAX)?
            .history_ignore_space(true)
            .completion_type(CompletionType::List)
            .completion_show_all_if_ambiguous(true)
            .completion_prompt_limit(LISTED_MAX)
            // The painter also leaves out what a terminal obeys, so it works without colours, too.
            .color_mode(ColorMode::Forced)
            .tab_stop(margin::COLUMNS)
            .build();
        let mut editor = Editor::with_history(config.clone(), FileHistory::with_config(&config))?;
        for key in Keys::all() {
            editor.bind_sequence(key, EventHandler::Conditional(Box::new(Keys { commands: Arc::clone(&commands) })));
        }
        editor.set_helper(Some(Words { dictionary, commands, is_coloured, hinter: HistoryHinter::new() }));
        let history = match folder {
            Some(folder) => Some(folder.file("history")?.0),
            None => None,
        };
        if let Some(path) = &history {
            // An empty file of a first session has no lines yet, which is no error worth telling.
            let _ = editor.load_history(path);
        }
        Ok(Self { editor, history })
    }

    /// Reads a command, or SQL up to its semicolon; `initial` stands there to be edited.
    ///
    /// # Errors
    /// When the terminal cannot be read.
    pub(super) fn read(&mut self, prompt: &str, initial: &str) -> Result<Typed, ReplError> {
        let styled = if self.is_coloured() { format!("\x1b[1m{prompt}\x1b[0m") } else { prompt.to_owned() };
        let initial = margin::with(initial);
        match self.editor.readline_with_initial(&(prompt, styled.as_str()), (&initial, "")) {
            Ok(line) => {
                self.remember(&line);
                Ok(Typed::Line(margin::without(&line)))
            }
            Err(ReadlineError::Interrupted) => Ok(Typed::Dropped),
            Err(ReadlineError::Eof) => Ok(Typed::End),
            Err(error) => Err(error.into()),
        }
    }

    /// The last `count` lines, oldest first, with their numbers.
    pub(super) fn history(&self, count: usize) -> Vec<(usize, String)> {
        let lines: Vec<(usize, String)> = self.editor.history().iter().cloned().enumerate().collect();
        lines.into_iter().rev().take(count).rev().map(|(at, line)| (at + 1, margin::without(&line))).collect()
    }

    fn is_coloured(&self) -> bool {
        self.editor.helper().is_some_and(|words| words.is_coloured)
    }

    /// A lost line of history is no reason to lose the session.
    fn remember(&mut self, line: &str) {
        if self.editor.add_history_entry(line).unwrap_or(false)
            && let Some(path) = &self.history
        {
            let _ = self.editor.append_history(path);
        }
    }
}

/// Completion, colours, hints and the end of statements.
struct Words {
    dictionary: SharedDictionary,
    commands: Arc<Commands>,
    is_coloured: bool,
    hinter: HistoryHinter,
}

impl Helper for Words {}

impl Words {
    fn with<T>(&self, look: impl FnOnce(&Dictionary) -> T) -> T {
        look(&self.dictionary.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Listed for Candidate {
    fn display(&self) -> &str {
        &self.shown
    }

    fn replacement(&self) -> &str {
        &self.inserted
    }
}

impl Completer for Words {
    type Candidate = Candidate;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Candidate>)> {
        Ok(match self.with(|dictionary| completion::complete(line, at, dictionary, &self.commands)) {
            Completion::Words { start, candidates } => (start, candidates),
            Completion::File { start, typed, folders_only } => (start, files(&typed, folders_only)),
        })
    }

    /// A quote that stands behind the cursor already is not put there again.
    fn update(&self, line: &mut LineBuffer, start: usize, elected: &str, changes: &mut Changeset) {
        let at = line.pos();
        let closes = elected.chars().last().filter(|last| matches!(last, '\'' | '"'));
        let doubled = closes.is_some_and(|quote| line.as_str()[at..].starts_with(quote) && elected.len() > 1);
        line.replace(start..at + usize::from(doubled), elected, changes);
    }
}

impl Highlighter for Words {
    fn highlight<'l>(&self, line: &'l str, at: usize) -> Cow<'l, str> {
        Cow::Owned(self.with(|dictionary| paint(line, at, dictionary, self.is_coloured)))
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        if self.is_coloured { Cow::Owned(format!("\x1b[2m{hint}\x1b[0m")) } else { Cow::Borrowed(hint) }
    }

    /// Always: a character that is written without the painter could be one that the terminal obeys.
    fn highlight_char(&self, _: &str, _: usize, _: CmdKind) -> bool {
        true
    }
}

/// The rest of a line of the history that begins with what is typed.
struct Remembered {
    rest: String,
}

impl Hint for Remembered {
    fn display(&self) -> &str {
        &self.rest
    }

    fn completion(&self) -> Option<&str> {
        Some(&self.rest)
    }
}

impl Hinter for Words {
    type Hint = Remembered;

    fn hint(&self, line: &str, at: usize, context: &Context<'_>) -> Option<Remembered> {
        let rest = self.hinter.hint(line, at, context)?;
        let is_harmless = self.is_coloured && !rest.chars().any(is_obeyed) && !rest.contains('\n');
        is_harmless.then_some(Remembered { rest })
    }
}

impl Validator for Words {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(match margin::is_whole(context.input(), &self.commands) {
            true => ValidationResult::Valid(None),
            false => ValidationResult::Incomplete,
        })
    }
}

/// The files whose paths begin with `typed`.
fn files(typed: &str, folders_only: bool) -> Vec<Candidate> {
    let (folder, begin) =
        typed.rsplit_once('/').map_or(("", typed), |(folder, begin)| (&typed[..=folder.len()], begin));
    let place = if folder.is_empty() { Path::new(".") } else { Path::new(folder) };
    let Ok(entries) = fs::read_dir(place) else { return Vec::new() };
    let mut paths: Vec<String> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name().into_string().ok()?;
            let is_folder = entry.path().is_dir();
            let is_wanted = name.starts_with(begin) && (begin.starts_with('.') || !name.starts_with('.'));
            (is_wanted && (is_folder || !folders_only))
                .then(|| format!("{folder}{name}{}", if is_folder { "/" } else { "" }))
        })
        .collect();
    paths.sort_unstable();
    paths
        .into_iter()
        .map(|path| Candidate { shown: kforensic_report::escape(&path).into_owned(), inserted: words::quote(&path) })
        .collect()
}
