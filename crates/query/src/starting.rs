//! A DuckDB that is started while something else is done.
//!
//! It takes as long as everything else of a small question together. So it begins first, on a thread of its own, while the
//! statement is looked at and the log of the case is read.

use std::fs;
use std::path::Path;
use std::thread::{self, JoinHandle};

use duckdb::{Config, Connection};

use crate::error::QueryError;
use crate::own::Homes;
use crate::session::Limits;
use crate::{body, json, library, network, own, proxies};

/// What DuckDB may spill, in bytes. Its own default is nine tenths of the disk: a query that goes wrong would
/// leave no room for the evidence that is being copied meanwhile.
const SPILL_BYTES: u64 = 32 << 30;

/// A DuckDB that knows our functions and nothing of a case yet.
///
/// It has no threads of its own and has opened no file: what comes to hold it is held from its first statement on.
pub struct Starting {
    limits: Limits,
    homes: Homes,
    /// `None` only when it is taken or dropped.
    thread: Option<JoinHandle<Result<Connection, QueryError>>>,
}

impl Starting {
    /// Begins to start one with these limits.
    ///
    /// # Errors
    /// When there can be no more threads, or no folder to spill into.
    pub fn begin(limits: &Limits) -> Result<Self, QueryError> {
        let (temp_directory, memory_bytes) = (temp_directory(limits)?.to_owned(), limits.memory_bytes);
        let named = limits.proxies.clone();
        let homes = Homes::default();
        let known = homes.clone();
        let start = move || {
            let connection = library::open(config(memory_bytes, &temp_directory))?;
            let added = own::register(&connection, &known).and_then(|()| network::register(&connection));
            let added = added.and_then(|()| proxies::register(&connection, &named));
            let added = added.and_then(|()| json::register(&connection)).and_then(|()| body::register(&connection));
            added.map_err(QueryError::engine("add our functions to DuckDB"))?;
            Ok(connection)
        };
        let thread = thread::Builder::new().spawn(start).map_err(|source| QueryError::Thread { source })?;
        Ok(Self { limits: limits.clone(), homes, thread: Some(thread) })
    }

    /// Its limits.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What its function `own_request` knows, once it is loaded.
    pub(crate) fn homes(&self) -> Homes {
        self.homes.clone()
    }

    /// Waits until it is there.
    pub(crate) fn take(mut self) -> Result<Connection, QueryError> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(started)) => started,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => unreachable!("it is taken once"),
        }
    }
}

impl Drop for Starting {
    /// A program must not end while DuckDB is being started.
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The folder to spill into, which the kernel can only allow when it exists.
pub(crate) fn temp_directory(limits: &Limits) -> Result<&str, QueryError> {
    let path: &Path = &limits.temp_directory;
    fs::create_dir_all(path).map_err(|source| QueryError::Spill { path: path.to_owned(), source })?;
    path.to_str().ok_or_else(|| QueryError::Path { path: path.to_owned(), problem: "it is not UTF-8" })
}

fn config(memory_bytes: u64, temp_directory: &str) -> duckdb::Result<Config> {
    // Autoload is on in this build of DuckDB: `current_date` alone would go and fetch the extension `icu`.
    Config::default()
        .enable_autoload_extension(false)?
        .with("allow_community_extensions", "false")?
        .with("allow_persistent_secrets", "false")?
        .with("memory_limit", format!("{memory_bytes}B"))?
        // One thread is the caller's; those of DuckDB's own are started when this thread is restricted.
        .with("threads", "1")?
        .with("async_threads", "0")?
        .with("temp_directory", temp_directory)?
        .with("max_temp_directory_size", format!("{SPILL_BYTES}B"))
}
