//! A session at the prompt: what it remembers, and what its commands do.

use std::collections::VecDeque;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use clap::CommandFactory;
use kforensic_event::time;
use kforensic_query::{Catalogue, Gate, Kept, RESULTS_MAX, scanner};
use kforensic_report::escape;

use super::case::{OpenCase, shown};
use super::commands::{Act, Call, Commands};
use super::dictionary::View;
use super::editor::{LineEditor, SharedDictionary};
use super::error::ReplError;
use super::filters::Filters;
use super::folder;
use super::journal::{Journal, What};
use super::look::{Look, Target};
use super::values::Reader;
use super::{edit, save, spoken};
use crate::args::{CommandLine, ShowArgs};
use crate::command::show;
use crate::error::CliError;
use crate::interrupt::Interrupt;
use crate::message;
use crate::output::Output;

/// Lines of history that are listed when no number is given.
const HISTORY_LISTED: usize = 20;

/// Whether the session goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    GoOn,
    Leave,
}

/// Who says what is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Author {
    /// The user, at the prompt or in a script of theirs.
    User,
    /// A file that the user named with `.read`: it may ask, but neither write nor read files.
    File,
}

/// A result that is kept.
pub(super) struct ResultOf {
    pub(super) text: String,
    pub(super) rows: u64,
}

/// Stops what the session does, whichever session that is: `.open` brings another.
#[derive(Clone, Default)]
pub(super) struct Running {
    handle: Arc<Mutex<Option<kforensic_query::Interrupt>>>,
}

impl Running {
    pub(super) fn set(&self, handle: kforensic_query::Interrupt) {
        *self.handle.lock().unwrap_or_else(PoisonError::into_inner) = Some(handle);
    }

    pub(super) fn stop(&self) {
        if let Some(handle) = self.handle.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            handle.interrupt();
        }
    }
}

/// A session.
pub(super) struct Repl<'a> {
    pub(super) commands: Arc<Commands>,
    pub(super) dictionary: SharedDictionary,
    /// Reads the words of the case in the background; only at a terminal.
    pub(super) reader: Option<Reader>,
    pub(super) case: OpenCase,
    pub(super) catalogue: Catalogue,
    /// The folder that `--queries` names.
    pub(super) own_queries: Option<PathBuf>,
    /// Started with the first statement.
    pub(super) gate: Option<Gate>,
    pub(super) filters: Filters,
    pub(super) look: Look,
    pub(super) target: Target,
    /// Newest first.
    pub(super) results: VecDeque<ResultOf>,
    pub(super) last_statement: Option<String>,
    pub(super) journal: Journal,
    /// `None` in a script.
    pub(super) editor: Option<LineEditor>,
    pub(super) interrupt: &'a Interrupt,
    pub(super) running: Running,
    /// What stands at the next prompt to be edited.
    pub(super) initial: String,
}

impl Repl<'_> {
    /// Whether somebody sits at a terminal.
    pub(super) fn is_watched(&self) -> bool {
        self.editor.is_some()
    }

    /// The present, in microseconds since 1970.
    #[expect(clippy::unused_self, reason = "the clock of a session is asked like everything else of it")]
    pub(super) fn clock(&self) -> i64 {
        chrono::Utc::now().timestamp_micros()
    }

    /// Adds to the journal.
    pub(super) fn note(&mut self, what: What) {
        let now = time::render(self.clock());
        self.journal.add(now, what);
    }

    /// Notes which case is open, and in which state.
    pub(super) fn note_case(&mut self) {
        let snapshot = &self.case.snapshot;
        let folder = shown(self.case.root()).display().to_string();
        let (fingerprint, version) = (snapshot.fingerprint.clone(), snapshot.version);
        self.note(What::Case { folder, fingerprint, version });
    }

    /// Counts a result among those that are kept.
    pub(super) fn remember(&mut self, text: &str, kept: &Kept) {
        self.results.push_front(ResultOf { text: text.to_owned(), rows: kept.rows });
        self.results.truncate(RESULTS_MAX);
        let mut dictionary = self.dictionary.write().unwrap_or_else(PoisonError::into_inner);
        dictionary.results.insert(0, View { name: String::new(), columns: kept.columns.clone() });
        dictionary.results.truncate(RESULTS_MAX);
        for (at, result) in dictionary.results.iter_mut().enumerate() {
            result.name = kforensic_query::result_name(at + 1);
        }
    }

    /// Does a line: a command, or statements.
    ///
    /// # Errors
    /// Why it was not done.
    pub(super) fn line(&mut self, line: &str, author: Author) -> Result<Flow, CliError> {
        if spoken::is_command(line) {
            return self.command(&spoken::command_of(line), author);
        }
        if let Some(word) = spoken::stray(line) {
            return Err(self.stray(word, line).into());
        }
        let commands = Arc::clone(&self.commands);
        if let Some((start, command)) = commands.behind(line).filter(|_| !scanner::is_complete(line)) {
            if command.act == Act::Quit {
                return Ok(Flow::Leave);
            }
            self.initial = line[..start].trim_end().to_owned();
            return Err(ReplError::Unfinished.into());
        }
        for statement in scanner::statements(line) {
            self.statement(&line[statement])?;
        }
        Ok(Flow::GoOn)
    }

    /// What a line was meant for that begins with a word of neither SQL nor ours: what is typed behind `kforensic` elsewhere.
    fn stray(&self, word: &str, line: &str) -> ReplError {
        let asked = line.trim().trim_end_matches(';').trim_end();
        let is_subcommand = CommandLine::command().find_subcommand(word).is_some();
        let hint = match () {
            () if self.catalogue.find(word).is_ok() => format!("`.run {asked}` asks the canned query"),
            () if self.commands.find(word).is_some() => format!("commands begin with a dot: `.{asked}`"),
            () if is_subcommand => format!("leave with `.quit`, and run `kforensic {asked}`"),
            () => match spoken::statement_like(word) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "SQL begins with SELECT or FROM; `.help` lists the commands, `.queries` the canned queries"
                    .to_owned(),
            },
        };
        ReplError::Stray { word: word.to_owned(), hint }
    }

    fn command(&mut self, line: &str, author: Author) -> Result<Flow, CliError> {
        let commands = Arc::clone(&self.commands);
        let call = commands.parse(line)?;
        if author == Author::File && call.command.act.is_about_files() {
            return Err(ReplError::NotInFile { command: format!(".{}", call.command.name) }.into());
        }
        match &call.command.act {
            Act::Quit => return Ok(Flow::Leave),
            Act::Help => self.help(call.word(0))?,
            Act::Views => self.views()?,
            Act::Describe => self.describe(call.word(0))?,
            Act::Queries => self.queries(call.word(0))?,
            Act::Results => self.list_results()?,
            Act::Filters => self.list_filters()?,
            Act::Run => self.canned(&call.words(), author)?,
            Act::Filter(option) => self.set_filter(option, call.word(0))?,
            Act::Clear => self.filters.clear(),
            Act::Mode => self.set_mode(call.word(0))?,
            Act::Width => self.set_width(call.word(0))?,
            Act::Timer => self.set_timer(call.word(0))?,
            Act::Output => self.set_output(call.word(0))?,
            Act::Once => self.set_once(call.word(0).unwrap_or_default())?,
            Act::Open => self.open(Path::new(call.word(0).unwrap_or_default()))?,
            Act::Case => self.tell_case()?,
            Act::Show => self.show_event(&call)?,
            Act::Pivot => self.pivot(call.word(0).unwrap_or_default())?,
            Act::Explain => self.explain_statement(&call.rest)?,
            Act::Read => self.read_file(Path::new(call.word(0).unwrap_or_default()))?,
            Act::Edit => self.edit()?,
            Act::History => self.list_history(call.word(0))?,
            Act::Note => self.note(What::Note { text: call.rest.clone() }),
            Act::Tag => self.tag(&call)?,
            Act::Journal => self.show_journal(&call)?,
            Act::Save => self.save(call.word(0).unwrap_or_default())?,
            Act::Inquire => self.inquire(&call.command.name, &call.words(), author)?,
        }
        Ok(Flow::GoOn)
    }

    /// Puts a word on an event; the case that is open here stays as it was when it was opened.
    fn tag(&mut self, call: &Call<'_>) -> Result<(), CliError> {
        let (audit_ids, word) = ([call.word(0).unwrap_or_default().to_owned()], call.word(1).unwrap_or_default());
        let author = std::env::var("USER").ok().filter(|name| !name.is_empty());
        let said = crate::command::tag::write(self.case.root(), &audit_ids, word, call.word(2), author)?;
        self.show_text(&format!("{said}\n"))
    }

    /// Sets a filter, when all that are set then are ones that canned queries understand.
    fn set_filter(&mut self, option: &str, value: Option<&str>) -> Result<(), CliError> {
        if let Some(value) = value {
            super::ask::check_filter(option, value, self.clock(), self.case.newest())?;
        }
        self.filters.set(option, value);
        Ok(())
    }

    fn set_mode(&mut self, mode: Option<&str>) -> Result<(), CliError> {
        match mode {
            Some(mode) => Ok(self.look.set_mode(mode)?),
            None => self.show_text(&format!("{}\n", self.look.mode())),
        }
    }

    fn set_width(&mut self, width: Option<&str>) -> Result<(), CliError> {
        match width {
            Some(width) => Ok(self.look.set_width(width)?),
            None => self.show_text(&format!("{}\n", self.look.width())),
        }
    }

    fn set_timer(&mut self, switch: Option<&str>) -> Result<(), CliError> {
        self.look.is_timed = match switch {
            Some("on") => true,
            Some("off") => false,
            None => !self.look.is_timed,
            Some(given) => {
                let (given, expected) = (given.to_owned(), "`on` and `off`".to_owned());
                return Err(ReplError::NotOneOf { given, expected }.into());
            }
        };
        Ok(())
    }

    fn set_output(&mut self, path: Option<&str>) -> Result<(), CliError> {
        self.target.finish()?;
        if let Some(path) = path {
            let path = PathBuf::from(path);
            let output = Box::new(self.look.file(&path, None, false, self.case.root())?);
            self.target = Target::File { output, has_answer: false };
        }
        Ok(())
    }

    fn set_once(&mut self, path: &str) -> Result<(), CliError> {
        let path = PathBuf::from(path);
        // Opened now, so that what is wrong with it is said now; it appears with the answer.
        drop(self.look.file(&path, None, false, self.case.root())?);
        self.target.finish()?;
        self.target = Target::Once { path, format: None, force: false };
        Ok(())
    }

    fn open(&mut self, folder: &Path) -> Result<(), CliError> {
        let case = OpenCase::open(folder)?;
        // Of the old case nothing stays: its results would pass for those of the new one.
        drop(self.reader.take());
        self.case = case;
        self.results.clear();
        {
            let mut dictionary = self.dictionary.write().unwrap_or_else(PoisonError::into_inner);
            dictionary.results.clear();
            dictionary.values.clear();
        }
        if self.is_watched() {
            self.reader = Some(Reader::begin(&self.case.snapshot, &self.dictionary));
        }
        self.note_case();
        Ok(())
    }

    fn show_event(&mut self, call: &Call<'_>) -> Result<(), CliError> {
        let root = self.case.root().to_owned();
        let args = ShowArgs {
            audit_id: call.word(0).unwrap_or_default().to_owned(),
            stage: call.word(1).map(str::to_owned),
            raw: false,
        };
        show::run(Some(&root), &args).map(drop)
    }

    fn explain_statement(&mut self, sql: &str) -> Result<(), CliError> {
        let sql = match sql {
            "" => self.last_statement.clone().ok_or(ReplError::NoStatement)?,
            sql => sql.to_owned(),
        };
        let last = self.last_statement.take();
        let done = self.statement(&format!("EXPLAIN {sql}"));
        self.last_statement = last;
        done
    }

    fn read_file(&mut self, path: &Path) -> Result<(), CliError> {
        let text = std::fs::read_to_string(path);
        let failed = |source| ReplError::File { action: "read", path: path.to_owned(), source };
        let text = text.map_err(failed)?;
        super::script::run_text(self, &text, Author::File, Some(path)).map(drop)
    }

    fn edit(&mut self) -> Result<(), CliError> {
        if !self.is_watched() || !std::io::stdin().is_terminal() {
            return Err(ReplError::NoTerminal.into());
        }
        let text = self.last_statement.clone().unwrap_or_default();
        self.interrupt.heed(crate::interrupt::Manner::Ignores);
        let edited = edit::edit(&text);
        self.interrupt.heed(crate::interrupt::Manner::Ends);
        // It stands at the prompt first: what is run is what was seen.
        self.initial = edited?.trim_end().to_owned();
        Ok(())
    }

    fn list_history(&mut self, count: Option<&str>) -> Result<(), CliError> {
        let count = match count.map(str::parse) {
            None => HISTORY_LISTED,
            Some(Ok(count)) => count,
            Some(Err(_)) => {
                let given = count.unwrap_or_default().to_owned();
                return Err(ReplError::NotOneOf { given, expected: "the whole numbers".to_owned() }.into());
            }
        };
        let lines = self.editor.as_ref().map(|editor| editor.history(count)).unwrap_or_default();
        let text: String = lines.iter().map(|(at, line)| format!("{at:5}  {}\n", escape(line))).collect();
        self.show_text(&text)
    }

    fn show_journal(&mut self, call: &Call<'_>) -> Result<(), CliError> {
        let text = self.journal.markdown();
        let path = match (call.word(0), call.word(1)) {
            (None, _) => return self.show_text(&text),
            (Some("-o"), Some(path)) => path,
            (Some("-o"), None) => {
                let usage = call.command.usage();
                return Err(ReplError::Missing { usage, argument: "FILE" }.into());
            }
            (Some(path), _) => path,
        };
        let mut output = Output::open_text(Some(Path::new(path)), self.case.root(), false)?;
        let written = std::io::Write::write_all(&mut output, text.as_bytes());
        written.map_err(|source| ReplError::File { action: "write", path: path.into(), source })?;
        output.finish().map(drop)
    }

    fn save(&mut self, name: &str) -> Result<(), CliError> {
        let statement = self.last_statement.clone().ok_or(ReplError::NoStatement)?;
        let folder = folder::queries().ok_or(ReplError::NoHome { variable: "CONFIG" })?;
        let case = shown(self.case.root());
        if folder.ancestors().filter_map(|above| above.canonicalize().ok()).any(|above| above.starts_with(&case)) {
            return Err(ReplError::StateInCase { path: folder }.into());
        }
        let path = save::save(name, &statement, &self.catalogue, &folder)?;
        self.catalogue = super::catalogue(Some(&folder), self.own_queries.as_ref())?;
        self.know_queries();
        message::note(&format!(
            "`{}` is there for `.run {name}` and `kforensic query {name}`; its header can be filled in",
            path.display()
        ));
        Ok(())
    }
}
