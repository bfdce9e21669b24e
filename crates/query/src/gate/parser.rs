//! DuckDB's parser, where it can do no harm.

use duckdb::{Config, Connection};

use crate::engine::{Engine, Start};
use crate::error::QueryError;
use crate::library;
use crate::problem::Problem;
use crate::protection::Reach;

/// Memory for a parser, in bytes: its trees are a thousand times as large as what it reads.
const MEMORY_BYTES: u64 = 1 << 30;

/// A DuckDB that parses and does nothing else.
pub(super) struct Parser {
    engine: Engine,
}

impl Parser {
    /// Starts one. It has no case, and its thread can open no file at all where the kernel can see to it.
    pub(super) fn start() -> Result<Self, Problem> {
        let open = || Ok((library::open(config())?, ()));
        let start = Start { open, lock: |_: &Connection| Ok(()), reach: Reach::default() };
        let (engine, _, ()) = Engine::start(start).map_err(|error| match &error {
            QueryError::Library { .. } => unusable(&error).with_hint(library::ADVICE),
            _ => unusable(&error),
        })?;
        Ok(Self { engine })
    }

    /// The tree of `sql` as JSON, or DuckDB's error as JSON. The text is bound, so it is data to DuckDB.
    pub(super) fn parse(&self, sql: &str) -> Result<String, Problem> {
        let sql = sql.to_owned();
        let parsed = self.engine.run(move |connection| {
            connection.query_row("SELECT json_serialize_sql(?::VARCHAR)", [sql], |row| row.get::<_, String>(0))
        });
        parsed.map_err(|error| unusable(&error))
    }
}

fn unusable(error: &dyn std::fmt::Display) -> Problem {
    Problem::new(format!("the parser cannot be used: {error}"))
}

fn config() -> duckdb::Result<Config> {
    Config::default()
        .enable_autoload_extension(false)?
        .with("temp_directory", "")?
        .enable_external_access(false)?
        .with("memory_limit", format!("{MEMORY_BYTES}B"))?
        .with("threads", "1")?
        .with("async_threads", "0")
}
