//! The connections that many questions are asked on, several at a time.
//!
//! Most questions of a triage are small: to plan them takes as long as to answer them, and planning is one thread's work. So
//! there are several connections to the same DuckDB, each on a thread that takes the next question when it is done with one.
//! Answers come back in the order of the questions, whoever got them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use kforensic_lake::Snapshot;
use kforensic_query::{CannedQuery, Limits, Parameters, QueryError, Selection, Session};

use crate::command::QUERY_MEMORY_BYTES;
use crate::error::CliError;
use crate::interrupt::Interrupt;

/// Questions that are asked at a time, at most: they share the memory of a session.
const SEATS_MAX: usize = 4;

/// Sessions over the part of the case that questions are about: one over the window, and one over all of it, for those
/// that look further.
pub(super) struct Pool<'a> {
    snapshot: &'a Snapshot,
    limits: Limits,
    interrupt: &'a Interrupt,
    /// All that will be asked: what they have in common is prepared.
    questions: &'a [(&'a CannedQuery, Parameters)],
    /// The first connection to each, which lives as long as the pool.
    open: Mutex<Vec<Session>>,
    /// Whether memory was too little for several questions at a time. Nothing is kept between questions then, and each may
    /// use more instead: names of a megabyte in every row fill what is plenty for a million requests.
    is_frugal: AtomicBool,
}

/// Who asks one question at a time.
pub(super) struct Seat<'a> {
    pool: &'a Pool<'a>,
    /// Its connections.
    own: Vec<Session>,
}

impl<'a> Pool<'a> {
    pub(super) fn new(
        snapshot: &'a Snapshot,
        limits: Limits,
        interrupt: &'a Interrupt,
        questions: &'a [(&'a CannedQuery, Parameters)],
    ) -> Self {
        Self { snapshot, limits, interrupt, questions, open: Mutex::default(), is_frugal: AtomicBool::new(false) }
    }

    /// Asks all questions. What a question fails with, the first of them in their order, is what all fail with.
    pub(super) fn ask<Q: Sync, A: Send>(
        &self,
        questions: &[Q],
        ask: impl Fn(&mut Seat<'_>, &Q) -> Result<A, CliError> + Sync,
    ) -> Result<Vec<A>, CliError> {
        let mut answers: Vec<Option<A>> = Vec::new();
        answers.resize_with(questions.len(), || None);
        let answers = Mutex::new(answers);
        let failed: Mutex<Option<(usize, CliError)>> = Mutex::new(None);
        let (next, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
        let work = || {
            let mut seat = Seat { pool: self, own: Vec::new() };
            while !is_over.load(Ordering::Relaxed) {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(question) = questions.get(at) else { return };
                match ask(&mut seat, question) {
                    Ok(answer) => answers.lock().unwrap_or_else(PoisonError::into_inner)[at] = Some(answer),
                    Err(error) => {
                        is_over.store(true, Ordering::Relaxed);
                        let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                        if failed.as_ref().is_none_or(|(first, _)| at < *first) {
                            *failed = Some((at, error));
                        }
                        return;
                    }
                }
            }
        };
        let is_frugal = || self.is_frugal.load(Ordering::Relaxed);
        let seats = if is_frugal() { 1 } else { self.limits.threads.clamp(1, SEATS_MAX) };
        thread::scope(|scope| {
            for _ in 1..seats {
                scope.spawn(work);
            }
            work();
        });
        let mut answers = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
        match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some((_, CliError::Query(QueryError::OutOfMemory { .. }))) if !is_frugal() => {
                // Once more what has no answer, one by one, with all the memory there is.
                self.is_frugal.store(true, Ordering::Relaxed);
                self.open.lock().unwrap_or_else(PoisonError::into_inner).clear();
                let mut seat = Seat { pool: self, own: Vec::new() };
                for (question, answer) in questions.iter().zip(&mut answers) {
                    if answer.is_none() {
                        *answer = Some(ask(&mut seat, question)?);
                    }
                }
            }
            Some((_, error)) => return Err(error),
            None => (),
        }
        Ok(answers.into_iter().flatten().collect())
    }

    /// A connection to the session that covers `selection`, which is opened when there is none yet.
    fn connect(&self, selection: &Selection) -> Result<Session, CliError> {
        if self.is_frugal.load(Ordering::Relaxed) {
            let limits = Limits { memory_bytes: QUERY_MEMORY_BYTES, ..self.limits.clone() };
            return Ok(self.interrupted(Session::open(self.snapshot, selection, &limits)?));
        }
        // Whoever comes second waits until what all need is there.
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let at = match open.iter().position(|session| session.selection() == selection) {
            Some(at) => at,
            None => {
                let session = self.interrupted(Session::open_for_many(self.snapshot, selection, &self.limits)?);
                let asked = self.questions.iter().filter(|(query, parameters)| *selection == times(query, parameters));
                session.prepare(&asked.map(|(query, parameters)| (*query, parameters)).collect::<Vec<_>>())?;
                open.push(session);
                open.len() - 1
            }
        };
        Ok(self.interrupted(open[at].beside()?))
    }

    /// A session that ends what it does when the user asks to stop.
    fn interrupted(&self, session: Session) -> Session {
        let handle = session.interrupt_handle();
        self.interrupt.on(move || handle.interrupt());
        session
    }
}

impl Seat<'_> {
    /// The session that answers a question.
    pub(super) fn of(&mut self, query: &CannedQuery, parameters: &Parameters) -> Result<&Session, CliError> {
        let times = times(query, parameters);
        let at = match self.own.iter().position(|session| *session.selection() == times) {
            Some(at) => at,
            None => {
                self.own.push(self.pool.connect(&times)?);
                self.own.len() - 1
            }
        };
        Ok(&self.own[at])
    }
}

/// What a question needs of a case, whatever resources and API groups it is about: few sessions serve all of them.
fn times(query: &CannedQuery, parameters: &Parameters) -> Selection {
    Selection { resources: None, groups: None, refusals: false, ..Selection::of(query, parameters) }
}
