//! The thread that DuckDB lives on.
//!
//! DuckDB is opened there, loaded, and then held by the kernel to what it needs ([`crate::protection`]); nothing
//! of it ever runs on the caller's thread, which therefore keeps all of its rights. Callers send work and
//! wait for what comes back.
//!
//! DuckDB works on the thread that calls it and on threads of its own, which it starts when the number of
//! threads is set. So it is opened with none of them, and told its number after the restriction: the kernel
//! hands that down. A test looks at every one of them.

use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::thread::{self, JoinHandle};

use duckdb::Connection;

use crate::error::QueryError;
use crate::protection::{self, Protection, Reach};

/// Name of the thread, which the kernel hands down to the ones that DuckDB starts.
pub(crate) const THREAD_NAME: &str = "duckdb";

/// Stack of the thread. DuckDB parses, binds and optimises recursively: 1,000 nested expressions, which its
/// own limit allows, and the gate's limits for everything else fit into a small part of it. It is only
/// address space until it is used.
pub(crate) const STACK_BYTES: usize = 64 << 20;

type Work = Box<dyn FnOnce(&Connection) + Send>;

/// A DuckDB on a thread of its own.
pub(crate) struct Engine {
    /// `None` only while it is dropped.
    work: Option<Sender<Work>>,
    thread: Option<JoinHandle<()>>,
}

/// What an engine is started with.
pub(crate) struct Start<O, L> {
    /// Opens DuckDB, without threads of its own, and loads what it needs.
    pub(crate) open: O,
    /// Ends the preparations once the thread is restricted: the number of threads, the lock.
    pub(crate) lock: L,
    /// What the thread may reach from then on.
    pub(crate) reach: Reach,
}

impl Engine {
    /// Starts the thread, opens DuckDB on it, and restricts it.
    ///
    /// # Errors
    /// When DuckDB cannot be opened or prepared, or there can be no more threads.
    pub(crate) fn start<T: Send + 'static>(
        start: Start<
            impl FnOnce() -> Result<(Connection, T), QueryError> + Send + 'static,
            impl FnOnce(&Connection) -> Result<(), QueryError> + Send + 'static,
        >,
    ) -> Result<(Self, Protection, T), QueryError> {
        let (work, inbox) = channel::<Work>();
        let (ready, started) = sync_channel(1);
        let run = move || {
            let opened = (start.open)().and_then(|(connection, loaded)| {
                let protection = protection::restrict(&start.reach);
                (start.lock)(&connection)?;
                Ok((connection, protection, loaded))
            });
            match opened {
                Ok((connection, protection, loaded)) => {
                    // Nobody waits any more when the caller panicked; the inbox is closed then, too.
                    let _ = ready.send(Ok((protection, loaded)));
                    serve(&connection, &inbox);
                }
                Err(error) => {
                    let _ = ready.send(Err(error));
                }
            }
        };
        let thread = builder().spawn(run).map_err(|source| QueryError::Thread { source })?;
        let engine = Self { work: Some(work), thread: Some(thread) };
        let (protection, loaded) = engine.wait(&started)?;
        Ok((engine, protection, loaded))
    }

    /// Starts a second thread with a connection of its own to the same DuckDB. It is held to the same, because it is the
    /// restricted thread that starts it.
    ///
    /// # Errors
    /// When DuckDB gives no connection, or there can be no more threads.
    pub(crate) fn beside<T: Send + 'static>(
        &self,
        prepare: impl FnOnce(&Connection) -> T + Send + 'static,
    ) -> Result<(Self, T), QueryError> {
        self.run(move |connection| {
            let connection = connection.try_clone().map_err(QueryError::engine("connect to DuckDB once more"))?;
            let prepared = prepare(&connection);
            let (work, inbox) = channel::<Work>();
            let thread = builder().spawn(move || serve(&connection, &inbox));
            let thread = thread.map_err(|source| QueryError::Thread { source })?;
            Ok((Self { work: Some(work), thread: Some(thread) }, prepared))
        })
    }

    /// Does `work` on the thread and waits for its result.
    pub(crate) fn run<T: Send + 'static>(&self, work: impl FnOnce(&Connection) -> T + Send + 'static) -> T {
        let (result, wanted) = sync_channel(1);
        self.send(move |connection| {
            let _ = result.send(work(connection));
        });
        self.wait(&wanted)
    }

    /// Has `work` done on the thread, behind what was sent before.
    pub(crate) fn send(&self, work: impl FnOnce(&Connection) + Send + 'static) {
        let sent = self.work.as_ref().map(|channel| channel.send(Box::new(work)));
        assert!(matches!(sent, Some(Ok(()))), "the thread of DuckDB lives as long as its session");
    }

    fn wait<T>(&self, answer: &Receiver<T>) -> T {
        match answer.recv() {
            Ok(answer) => answer,
            Err(_) => panic!("the thread of DuckDB answers all that it is asked"),
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Closes the inbox, which ends the thread; DuckDB has removed its temporary files then.
        self.work = None;
        if let Some(thread) = self.thread.take() {
            // A panic of that thread was told where it happened, and in here nothing more can be done about it.
            let _ = thread.join();
        }
    }
}

fn builder() -> thread::Builder {
    thread::Builder::new().name(THREAD_NAME.to_owned()).stack_size(STACK_BYTES)
}

fn serve(connection: &Connection, inbox: &Receiver<Work>) {
    for work in inbox {
        work(connection);
    }
}
