//! `kforensic repl`: questions in chains, at a prompt or from a script.
//!
//! Everything that is asked goes through the gate and the session of the query crate; this module holds no way around
//! them. What it keeps (history, journal) lies in the user's state folder, never in the case or the current folder.

mod ask;
mod case;
mod commands;
mod completion;
mod dictionary;
mod edit;
mod editor;
mod error;
mod filters;
mod folder;
mod inquire;
mod journal;
mod listing;
mod look;
mod margin;
mod paint;
mod pivot;
mod quote;
mod save;
mod script;
mod spoken;
mod state;
mod values;
mod waiting;
mod words;

use std::collections::VecDeque;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use kforensic_event::time;
use kforensic_query::Catalogue;

pub(crate) use dictionary::ValueKind;
pub(crate) use error::ReplError;
pub(crate) use folder::user_folder;
pub(crate) use values::held;

use crate::args::ReplArgs;
use crate::checks;
use crate::command::{Outcome, case_folder};
use crate::error::CliError;
use crate::interrupt::Interrupt;
use crate::message;
use crate::terminal;
use case::OpenCase;
use commands::Commands;
use dictionary::{Dictionary, Flag, Query};
use editor::{LineEditor, Typed};
use filters::Filters;
use folder::StateFolder;
use journal::Journal;
use look::{Look, Target};
use state::{Author, Flow, Repl, Running};
use values::Reader;

/// Starts a session: at the prompt when standard input and output are a terminal, else with the lines of standard input.
pub(crate) fn run(case: Option<&PathBuf>, args: &ReplArgs, interrupt: &Interrupt) -> Result<Outcome, CliError> {
    let case = OpenCase::open(&case_folder(case))?;
    let is_at_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let running = Running::default();
    {
        let running = running.clone();
        interrupt.on(move || running.stop());
    }
    let mut repl = Repl {
        commands: Arc::new(Commands::new()),
        dictionary: Arc::new(RwLock::new(Dictionary {
            views: values::views(),
            flags: flags(),
            ..Dictionary::default()
        })),
        reader: None,
        catalogue: catalogue(folder::queries().as_deref(), args.queries.queries.as_ref())?,
        own_queries: args.queries.queries.clone(),
        case,
        gate: None,
        filters: Filters::default(),
        look: Look::default(),
        target: Target::Screen,
        results: VecDeque::new(),
        last_statement: None,
        journal: Journal::in_memory(),
        editor: None,
        interrupt,
        running,
        initial: String::new(),
    };
    repl.know_queries();
    if let Some(reservation) = checks::reservation_of_all() {
        message::warning(reservation);
    }
    let outcome = if is_at_terminal {
        sit_down(&mut repl)?;
        talk(&mut repl)?
    } else {
        repl.note_case();
        script::run_input(&mut repl, args.keep_going)?
    };
    repl.target.finish()?;
    Ok(outcome)
}

/// The queries of the program, of the user's own folder, and of the one that is named.
fn catalogue(own: Option<&Path>, named: Option<&PathBuf>) -> Result<Catalogue, CliError> {
    let mut catalogue = Catalogue::embedded()?;
    let has_queries = |folder: &Path| {
        let mut names = std::fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
        names.any(|path| path.extension().is_some_and(|extension| extension == "sql"))
    };
    // A folder that is named must hold queries; that of the user need not be there.
    let own = own.filter(|own| has_queries(own) && named.is_none_or(|named| named != own));
    for folder in own.into_iter().chain(named.map(PathBuf::as_path)) {
        catalogue.add_folder(folder)?;
    }
    Ok(catalogue)
}

/// Prepares what only a session at a terminal has: the editor, the history, a journal that stays.
fn sit_down(repl: &mut Repl<'_>) -> Result<(), CliError> {
    let warn = |error: &ReplError, lost: &str| {
        message::warning(&format!("{error}; {lost}"));
        if let Some(hint) = error.hint() {
            message::hint(&hint);
        }
    };
    let folder = match StateFolder::open(repl.case.root()) {
        Ok(folder) => Some(folder),
        Err(error) => {
            warn(&error, "history and journal end with this session");
            None
        }
    };
    if let Some(folder) = &folder {
        match Journal::in_folder(folder, &time::render(repl.clock())) {
            Ok(journal) => repl.journal = journal,
            Err(error) => warn(&error, "the journal ends with this session"),
        }
    }
    repl.note_case();
    let is_coloured = terminal::stdout_layout().colour;
    let (dictionary, commands) = (Arc::clone(&repl.dictionary), Arc::clone(&repl.commands));
    repl.editor = Some(LineEditor::open(dictionary, commands, folder.as_ref(), is_coloured)?);
    repl.reader = Some(Reader::begin(&repl.case.snapshot, &repl.dictionary));
    message::plain(&format!(
        "kforensic {}: {}. `.help` lists the commands, Tab completes, Ctrl-D leaves.",
        env!("CARGO_PKG_VERSION"),
        kforensic_report::escape(&case::shown(repl.case.root()).display().to_string())
    ));
    Ok(())
}

/// Reads and does lines until the user leaves. Errors are told, and the session goes on.
fn talk(repl: &mut Repl<'_>) -> Result<Outcome, CliError> {
    loop {
        let prompt = format!("{}kforensic> ", repl.filters.prompt());
        let initial = std::mem::take(&mut repl.initial);
        let Some(editor) = &mut repl.editor else { return Ok(Outcome::Done) };
        let line = match editor.read(&prompt, &initial)? {
            Typed::Line(line) => line,
            Typed::Dropped => continue,
            Typed::End => return Ok(Outcome::Done),
        };
        match repl.line(&line, Author::User) {
            Ok(Flow::GoOn) => (),
            Ok(Flow::Leave) => return Ok(Outcome::Done),
            Err(error) => message::error(&error),
        }
    }
}

impl Repl<'_> {
    /// Tells completion which queries there are.
    fn know_queries(&mut self) {
        let common: Vec<String> = flags().into_iter().map(|flag| flag.name.replace('-', "_")).collect();
        let queries = self.catalogue.iter().map(|query| Query {
            name: query.name.clone(),
            parameters: query
                .parameters
                .iter()
                .map(|parameter| parameter.name.clone())
                .filter(|name| !common.contains(name))
                .collect(),
            value: query.value.clone(),
            views: self
                .catalogue
                .variants(query)
                .filter_map(|other| other.variant.as_ref().map(|variant| variant.view.clone()))
                .collect(),
        });
        self.dictionary.write().unwrap_or_else(PoisonError::into_inner).queries = queries.collect();
    }
}

/// The options of `.run`, as clap knows them.
fn flags() -> Vec<Flag> {
    let options = ask::options();
    let shown = options.get_arguments().filter(|option| !option.is_hide_set());
    let flag = |option: &clap::Arg| {
        let values = option.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
        let takes_value = option.get_action().takes_values();
        Some(Flag {
            name: option.get_long()?.to_owned(),
            takes_value,
            values: if takes_value { values } else { Vec::new() },
        })
    };
    shown.filter_map(flag).collect()
}
