//! A locked-down DuckDB over the files of a case.
//!
//! It lives in memory and reads an explicit list of files, so it takes no lock and waits for nobody.
//! Three locks stand one behind the other: the gate lets only statements through that read ([`crate::gate`]);
//! DuckDB itself can open those files and nothing else, load no extension, reach no network and keep no
//! secret, and SQL cannot change that; and the kernel holds its threads to the same ([`crate::protection`]).

mod ask;
mod tally;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use duckdb::Connection;
use kforensic_lake::{Checked, Checks, DataFile, Mismatch, MismatchProblem, Note, Snapshot, check_files};

use crate::asserted::Asserted;
use crate::catalogue::CannedQuery;
use crate::catalogue::Parameters;
use crate::engine::{Engine, Start};
use crate::error::QueryError;
use crate::own::Homes;
use crate::places::{self, Known, Places};
use crate::progress::Progress;
use crate::protection::{Protection, Reach};
use crate::proxies::Proxies;
use crate::selection::Selection;
use crate::sql::list;
use crate::starting::{Starting, temp_directory};
use crate::trouble::{Author, Trouble};
use crate::views::{Creation, Provided};
use crate::working_copy::{self, Named};
use crate::{ledger, library, views};

pub use ask::{OwnWork, RunOptions};
pub use tally::Tally;

/// Width of the boxes in a plan, in characters. DuckDB's own is 240.
const PLAN_COLUMNS: usize = 100;

/// What a session may use.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Memory for DuckDB's own buffers, in bytes; beyond it, it spills or gives up.
    pub memory_bytes: u64,
    /// Threads that work on a query.
    pub threads: usize,
    /// Folder for what does not fit into memory; made when it is not there. Not in the evidence.
    pub temp_directory: PathBuf,
    /// Whether the files are held against the hashes of the ledger before they answer.
    pub checks: Checks,
    /// What tells where addresses are, for the SQL function `ip_info`.
    pub places: Option<Arc<Places>>,
    /// Proxies that are believed when they say where a request came from.
    pub proxies: Proxies,
}

/// How much is asked of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    AFewQuestions,
    ManyQuestions,
}

/// An open case: the views, such as `events`, `requests`, `rejects` and `sources`, and the queries on them.
///
/// DuckDB works on threads of its own; rows, errors and sinks stay on the caller's.
pub struct Session {
    engine: Engine,
    protection: Protection,
    selection: Selection,
    /// Its files as they were when they were checked.
    checked: Arc<Checked>,
    is_checked: bool,
    /// What the session may read, in the order of the case's log: events, then rejects.
    trouble: Arc<Trouble>,
    interrupt: Interrupt,
    progress: Progress,
    /// The views that there are, for all connections.
    provided: Arc<Mutex<Provided>>,
    homes: Homes,
    /// Where a working copy of the events is to be; `None` when there is to be none.
    copies_to: Option<PathBuf>,
    pub(crate) has_proxies: bool,
    /// From where its events were sent, as the log tells of each of its files; `None` where it does not tell of one, of all
    /// of it, or where the word of a proxy counts.
    pub(crate) sent: Option<Vec<String>>,
    /// What they passed on, once somebody needs to know.
    pub(crate) asserted: OnceLock<Arc<Asserted>>,
}

/// Stops the query of a session, from any thread.
#[derive(Clone)]
pub struct Interrupt {
    asked: Arc<AtomicBool>,
    handle: Arc<duckdb::InterruptHandle>,
}

impl Interrupt {
    /// Stops the query that is running, or else the next one.
    pub fn interrupt(&self) {
        // DuckDB forgets an interrupt when the next statement begins, so it would get lost between two.
        self.asked.store(true, Ordering::SeqCst);
        self.handle.interrupt();
    }

    /// Forgets an interrupt that came when nothing ran any more, so that it does not stop what comes next.
    pub fn forget(&self) {
        self.take();
    }

    /// Whether there was an interrupt that nobody was told of yet.
    pub(crate) fn take(&self) -> bool {
        self.asked.swap(false, Ordering::SeqCst)
    }

    /// Stops what DuckDB is doing, because nobody wants it any more.
    pub(crate) fn stop_engine(&self) {
        self.handle.interrupt();
    }
}

impl Session {
    /// Opens the part of a case that `selection` covers.
    ///
    /// # Errors
    /// When a file that the case lists is missing, has another size, or cannot be read as Parquet; when
    /// DuckDB cannot work under the path of the case; when a limit is not accepted.
    pub fn open(snapshot: &Snapshot, selection: &Selection, limits: &Limits) -> Result<Self, QueryError> {
        Self::open_in(Starting::begin(limits)?, snapshot, selection)
    }

    /// The same in a DuckDB that was begun before.
    ///
    /// # Errors
    /// As for [`Session::open`].
    pub fn open_in(starting: Starting, snapshot: &Snapshot, selection: &Selection) -> Result<Self, QueryError> {
        Self::open_with(starting, snapshot, selection, Use::AFewQuestions)
    }

    /// The same for who asks many questions, and calls [`Session::prepare`] before the first.
    ///
    /// # Errors
    /// As for [`Session::open`].
    pub fn open_for_many(snapshot: &Snapshot, selection: &Selection, limits: &Limits) -> Result<Self, QueryError> {
        Self::open_with(Starting::begin(limits)?, snapshot, selection, Use::ManyQuestions)
    }

    fn open_with(
        starting: Starting,
        snapshot: &Snapshot,
        selection: &Selection,
        expected: Use,
    ) -> Result<Self, QueryError> {
        let (limits, homes) = (starting.limits().clone(), starting.homes());
        let (event_files, reject_files) =
            (selection.event_files(snapshot), snapshot.reject_files().collect::<Vec<_>>());
        let component_files = Selection::of_components().event_files(snapshot);
        let (events, rejects, everywhere) = (paths(&event_files)?, paths(&reject_files)?, paths(&component_files)?);
        let chosen: BTreeSet<_> = event_files.iter().map(|file| &file.path).collect();
        let more = component_files.iter().copied().filter(|file| !chosen.contains(&file.path)).collect();
        let files = [event_files.clone(), reject_files.clone(), more].concat();
        let checked = check_files(&files, &limits.checks).map_err(mismatch)?;
        let files: Vec<PathBuf> = events.iter().chain(&rejects).chain(&everywhere).map(PathBuf::from).collect();
        let folder = PathBuf::from(temp_directory(&limits)?);
        let reach = Reach { files: files.clone(), folder: Some(folder.clone()) };
        let trouble = Arc::new(Trouble { files, memory_bytes: limits.memory_bytes });
        let bytes = event_files.iter().map(|file| file.size_bytes).sum();
        let copies_to = (expected == Use::ManyQuestions && working_copy::is_possible(bytes)).then_some(folder);
        let content = Content {
            copies_to: copies_to.clone(),
            ledger: ledger::rows(snapshot)?,
            notes: snapshot.notes.list.clone(),
            places: Known(limits.places.clone()),
            views: views::create(
                &views::Files::group(&event_files, &events),
                &views::Files::group(&reject_files, &rejects),
                &views::Files::group(&component_files, &everywhere),
                selection,
                &limits.proxies,
            ),
            paths: events.into_iter().chain(rejects).chain(everywhere).collect(),
        };
        let open = {
            let trouble = Arc::clone(&trouble);
            move || {
                let connection = starting.take()?;
                content.load(&connection, &trouble)?;
                connection.set_query_progress_tracking(true).map_err(QueryError::engine(LOCK))?;
                let handles = handles(&connection);
                Ok((connection, handles))
            }
        };
        let threads = limits.threads.max(1);
        let lock = move |connection: &Connection| {
            // DuckDB starts its threads here, on a thread that is restricted already.
            let sql = format!(
                "SET threads = {threads};\n\
                 SET profiling_renderer_settings = MAP {{'maximum_render_width': {PLAN_COLUMNS}}};\n\
                 SET lock_configuration = true;"
            );
            connection.execute_batch(&sql).map_err(QueryError::engine(LOCK))
        };
        let (engine, protection, (handle, progress)) = Engine::start(Start { open, lock, reach })?;
        let interrupt = Interrupt { asked: Arc::new(AtomicBool::new(false)), handle };
        let (selection, provided) = (selection.clone(), Arc::default());
        let is_checked = limits.checks != Checks::Never;
        let (has_proxies, asserted) = (!limits.proxies.is_empty(), OnceLock::new());
        let sent = selection.sent(&event_files).filter(|_| !has_proxies);
        Ok(Self {
            engine,
            protection,
            selection,
            checked: Arc::new(checked),
            is_checked,
            trouble,
            interrupt,
            progress,
            provided,
            homes,
            copies_to,
            has_proxies,
            sent,
            asserted,
        })
    }

    /// Has the session compute once what several questions need: for who asks more than one, and before the first. The
    /// answers are the same; each costs less, and the session more memory.
    pub fn keep_views(&self) {
        self.provided.lock().unwrap_or_else(PoisonError::into_inner).are_kept = true;
    }

    /// Prepares a session that was opened for many questions: what they share is computed once, and where that pays the
    /// events are copied to where they are read faster, with the columns that these questions need. Their answers are the
    /// same; no other question is to be asked then.
    ///
    /// # Errors
    /// On an interrupt.
    pub fn prepare(&self, questions: &[(&CannedQuery, &Parameters)]) -> Result<(), QueryError> {
        self.keep_views();
        self.copies_to.as_deref().map_or(Ok(()), |folder| self.copy_events(folder, Named::by(questions)))
    }

    /// The same for questions that nobody knows yet: all columns are copied. Done once; whoever asks again finds it done.
    ///
    /// # Errors
    /// On an interrupt.
    pub fn prepare_for_any(&self) -> Result<(), QueryError> {
        if !self.provided.lock().unwrap_or_else(PoisonError::into_inner).are_kept {
            self.copies_to.as_deref().map_or(Ok(()), |folder| self.copy_events(folder, Named::All))?;
            self.keep_views();
        }
        Ok(())
    }

    /// A second connection to the same DuckDB, with what is there already: both answer at the same time, each on a thread of
    /// its own, within the limits of the one session. How far it is, it does not tell.
    ///
    /// # Errors
    /// When DuckDB gives no connection, or there can be no more threads.
    pub fn beside(&self) -> Result<Self, QueryError> {
        let (engine, (handle, progress)) = self.engine.beside(handles)?;
        Ok(Self {
            engine,
            protection: self.protection.clone(),
            selection: self.selection.clone(),
            checked: Arc::clone(&self.checked),
            is_checked: self.is_checked,
            trouble: Arc::clone(&self.trouble),
            interrupt: Interrupt { asked: Arc::new(AtomicBool::new(false)), handle },
            progress,
            provided: Arc::clone(&self.provided),
            homes: self.homes.clone(),
            copies_to: self.copies_to.clone(),
            has_proxies: self.has_proxies,
            sent: self.sent.clone(),
            asserted: self.asserted.clone(),
        })
    }

    /// Whether its files were held against the hashes of the ledger.
    pub fn is_checked(&self) -> bool {
        self.is_checked
    }

    /// Fails when a file has been changed since the session was opened: an answer may hold something else than what was
    /// checked. To be asked when the rows have been read.
    ///
    /// # Errors
    /// The file that was changed.
    pub fn still_checked(&self) -> Result<(), QueryError> {
        match self.checked.changed_since().filter(|_| self.is_checked) {
            Some(path) => Err(QueryError::Changed { path: path.to_owned() }),
            None => Ok(()),
        }
    }

    /// How far the session is with what it does.
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// Stops what the session is doing, from any thread but a signal handler: it takes a lock.
    pub fn interrupt_handle(&self) -> Interrupt {
        self.interrupt.clone()
    }

    /// The part of the case that the session sees.
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    /// What the kernel keeps DuckDB from, whatever a statement tries.
    pub fn protection(&self) -> &Protection {
        &self.protection
    }

    /// Does some of our own work on DuckDB's thread.
    pub(crate) fn ask<T: Send + 'static>(
        &self,
        action: &'static str,
        work: impl FnOnce(&Connection) -> duckdb::Result<T> + Send + 'static,
    ) -> Result<T, QueryError> {
        let done = self.engine.run(work).map_err(QueryError::engine(action));
        done.map_err(|error| self.explain(error, action, Author::Program))
    }

    /// Creates views that are not there yet.
    pub(crate) fn provide(&self, wanted: impl FnOnce(&mut Provided) -> Creation) -> Result<(), QueryError> {
        let mut provided = self.provided.lock().unwrap_or_else(PoisonError::into_inner);
        let before = provided.clone();
        let creation = wanted(&mut provided);
        if creation.is_empty() {
            return Ok(());
        }
        let homes = self.homes.clone();
        let created = self.ask("create the views", move |connection| {
            // All of them or none, so that an interrupt does not leave some behind that nobody knows of.
            let create = || {
                connection.execute_batch(&format!("BEGIN;\n{}", creation.first))?;
                // What is made next may be a table of what is not the cluster's own work.
                if creation.makes_homes {
                    homes.load(connection)?;
                }
                connection.execute_batch(&format!("{}\nCOMMIT;", creation.then))
            };
            create().inspect_err(|_| {
                // Without a transaction, which an error may have ended, there is nothing to roll back.
                let _ = connection.execute_batch("ROLLBACK");
            })
        });
        if created.is_err() {
            *provided = before;
        }
        created
    }

    pub(crate) fn explain(&self, error: QueryError, action: &str, author: Author) -> QueryError {
        let (trouble, action) = (Arc::clone(&self.trouble), action.to_owned());
        let explained = match error {
            QueryError::Engine { .. } => {
                self.engine.run(move |connection| trouble.explain(error, &action, author, connection))
            }
            error => error,
        };
        if matches!(explained, QueryError::Interrupted) {
            self.interrupt.take();
        }
        explained
    }
}

const LOCK: &str = "lock DuckDB down";

/// What stops a connection, and what tells how far it is.
fn handles(connection: &Connection) -> (Arc<duckdb::InterruptHandle>, Progress) {
    (connection.interrupt_handle(), Progress::of(connection))
}

/// What a session is loaded with.
struct Content {
    /// The folder of a working copy.
    copies_to: Option<PathBuf>,
    ledger: Vec<ledger::Row>,
    notes: Vec<Note>,
    places: Known,
    /// SQL that creates the views.
    views: String,
    paths: Vec<String>,
}

impl Content {
    fn load(&self, connection: &Connection, trouble: &Trouble) -> Result<(), QueryError> {
        let lock = format!(
            // The footers of files that many questions read are read once; DuckDB sees when a file has changed.
            "SET GLOBAL parquet_metadata_cache = true;\nSET allowed_paths = {};\nSET enable_external_access = false;",
            list(&self.paths)
        );
        let writes = self.copies_to.as_deref().map(working_copy::allowed).unwrap_or_default();
        connection.execute_batch(&format!("{writes}{lock}")).map_err(QueryError::engine(LOCK))?;
        library::set_utc(connection).map_err(QueryError::engine(LOCK))?;
        places::register(connection, &self.places).map_err(QueryError::engine("add our functions to DuckDB"))?;
        ledger::load(connection, &self.ledger).map_err(QueryError::engine("load the ledger"))?;
        ledger::load_tags(connection, &self.notes).map_err(QueryError::engine("load the notes"))?;
        const VIEWS: &str = "create the views";
        let created = connection.execute_batch(&self.views).map_err(QueryError::engine(VIEWS));
        created.map_err(|error| trouble.explain(error, VIEWS, Author::Program, connection))
    }
}

/// The absolute paths of files that mean to DuckDB what they mean to us.
fn paths(files: &[&DataFile]) -> Result<Vec<String>, QueryError> {
    let mut paths = Vec::with_capacity(files.len());
    for file in files {
        let path = || file.path.clone();
        let missing = |source| QueryError::Missing { path: path(), source };
        let absolute = std::path::absolute(&file.path).map_err(|error| missing(Some(error)))?;
        let refuse = |problem| QueryError::Path { path: path(), problem };
        let text = absolute.to_str().ok_or_else(|| refuse("it is not UTF-8"))?;
        // DuckDB would read the files that the pattern matches, which may be those of another case.
        if text.contains(['*', '?', '[']) {
            return Err(refuse("DuckDB takes `*`, `?` and `[` for a pattern"));
        }
        paths.push(text.to_owned());
    }
    Ok(paths)
}

/// Checks that files of a case are there and what the ledger says.
///
/// # Errors
/// The first file that is not.
pub fn check(files: &[&DataFile], checks: &Checks) -> Result<(), QueryError> {
    check_files(files, checks).map(|_| ()).map_err(mismatch)
}

/// What a file that is not what the ledger says means for a session.
fn mismatch(Mismatch { path, problem }: Mismatch) -> QueryError {
    match problem {
        MismatchProblem::Unreadable(source) => QueryError::Missing { path, source: Some(source) },
        MismatchProblem::NotAFile => QueryError::Missing { path, source: None },
        MismatchProblem::Length { expected, found } => {
            QueryError::Altered { path, expected_bytes: expected, found_bytes: found }
        }
        MismatchProblem::Content { expected, found } => QueryError::Rewritten { path, expected, found },
    }
}

#[cfg(test)]
mod tests;
