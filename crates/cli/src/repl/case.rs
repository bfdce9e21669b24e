//! The case at the prompt. DuckDB opens it while the user begins to type, so the prompt does not wait.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use kforensic_lake::{Case, Snapshot};
use kforensic_query::{Limits, QueryError, Selection, Session};
use tempfile::TempDir;

use crate::command::limits;
use crate::error::CliError;

/// An open case, as it was when it was opened: a later ingest changes no answer of this session.
pub(super) struct OpenCase {
    case: Case,
    pub(super) snapshot: Arc<Snapshot>,
    /// Before the folder that it spills into, so that it is dropped first.
    session: Opening,
    _spill: TempDir,
    /// For who asks every view about something, and the folder that it spills into.
    many: Option<(Session, TempDir)>,
    /// Of the logs of one cluster alone.
    narrowed: Option<(Session, TempDir)>,
}

enum Opening {
    Begun(JoinHandle<Result<Session, QueryError>>),
    Done(Box<Session>),
    /// It failed, and the user was told.
    Failed,
}

impl OpenCase {
    /// Opens the case in `folder`.
    ///
    /// # Errors
    /// When it is none, or its log is altered.
    pub(super) fn open(folder: &Path) -> Result<Self, CliError> {
        let case = Case::open(folder)?;
        let snapshot = Arc::new(case.snapshot()?);
        let (limits, spill) = limits()?;
        let session = Opening::Begun(begin(&snapshot, limits));
        Ok(Self { case, snapshot, session, _spill: spill, many: None, narrowed: None })
    }

    pub(super) fn root(&self) -> &Path {
        self.case.root()
    }

    /// The time of its newest event, in microseconds since 1970.
    pub(super) fn newest(&self) -> Option<i64> {
        self.snapshot.event_times().map(|(_, newest)| newest)
    }

    /// The case and what it held when it was opened.
    pub(super) fn held(&self) -> (Case, Arc<Snapshot>) {
        (self.case.clone(), Arc::clone(&self.snapshot))
    }

    /// The session, once it is there.
    ///
    /// # Errors
    /// When the files of the case are not what its log says.
    pub(super) fn session(&mut self) -> Result<&Session, CliError> {
        let session = match std::mem::replace(&mut self.session, Opening::Failed) {
            Opening::Done(session) => session,
            Opening::Begun(thread) => match thread.join() {
                Ok(session) => Box::new(session?),
                Err(panic) => std::panic::resume_unwind(panic),
            },
            Opening::Failed => {
                let (limits, spill) = limits()?;
                let session = Session::open(&self.snapshot, &Selection::default(), &limits)?;
                self._spill = spill;
                Box::new(session)
            }
        };
        self.session = Opening::Done(session);
        match &self.session {
            Opening::Done(session) => Ok(session),
            _ => unreachable!("it was just put there"),
        }
    }

    /// Has [`OpenCase::narrowed`] see the logs of one cluster alone.
    ///
    /// # Errors
    /// When the files of the case are not what its log says.
    pub(super) fn narrow(&mut self, cluster: &str) -> Result<(), CliError> {
        let selection = Selection { cluster: Some(cluster.to_owned()), ..Selection::default() };
        if self.narrowed.as_ref().is_none_or(|(session, _)| *session.selection() != selection) {
            self.narrowed = None;
            let (limits, spill) = limits()?;
            self.narrowed = Some((Session::open(&self.snapshot, &selection, &limits)?, spill));
        }
        Ok(())
    }

    /// The session of the cluster that was named last, or of all when none was.
    ///
    /// # Errors
    /// When the files of the case are not what its log says.
    pub(super) fn narrowed(&mut self) -> Result<&Session, CliError> {
        match self.narrowed {
            Some((ref session, _)) => Ok(session),
            None => self.session(),
        }
    }

    /// Whether there is a session for many questions already.
    pub(super) fn has_session_for_many(&self) -> bool {
        self.many.is_some()
    }

    /// A session for who asks every view about something: to be prepared ([`Session::prepare_for_any`]), which takes as long as
    /// to ask half a dozen of them.
    ///
    /// # Errors
    /// When the files of the case are not what its log says.
    pub(super) fn session_for_many(&mut self) -> Result<&Session, CliError> {
        if self.many.is_none() {
            let (limits, spill) = limits()?;
            self.many = Some((Session::open_for_many(&self.snapshot, &Selection::default(), &limits)?, spill));
        }
        match &self.many {
            Some((session, _)) => Ok(session),
            None => unreachable!("it was just put there"),
        }
    }
}

impl Drop for OpenCase {
    /// What is still being opened uses the folder that is about to be removed.
    fn drop(&mut self) {
        if let Opening::Begun(thread) = std::mem::replace(&mut self.session, Opening::Failed) {
            let _ = thread.join();
        }
    }
}

fn begin(snapshot: &Arc<Snapshot>, limits: Limits) -> JoinHandle<Result<Session, QueryError>> {
    let snapshot = Arc::clone(snapshot);
    thread::spawn(move || Session::open(&snapshot, &Selection::default(), &limits))
}

/// The folder of a case, as a user can find it again.
pub(super) fn shown(root: &Path) -> PathBuf {
    root.canonicalize().unwrap_or_else(|_| root.to_owned())
}
