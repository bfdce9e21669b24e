//! A working copy of the events, for a session that is asked many questions.
//!
//! A question to a case of many files costs what opening them costs, and most ask for the same few columns again. So the
//! events that stand for requests are copied once into a table of DuckDB's own, compressed, and the views `final_events` and
//! `events` are made of that: each question is then several times cheaper, and the SQL and the rows are the same. The other
//! events, two fifths of a case, are read from its files by the few who ask for them. The copy holds what the data files
//! hold and no more (secret values are hashes already), and lies in the folder that DuckDB spills into, which goes with the
//! session.
//!
//! It is only ever a shortcut: where it cannot be made, because the disk is full or the case too large, the files answer.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use duckdb::Connection;

use crate::catalogue::CannedQuery;
use crate::catalogue::Parameters;
use crate::catalogue::statement;
use crate::error::QueryError;
use crate::session::Session;
use crate::sql::{literal, literals};
use crate::trouble::{self, Author};
use crate::views;

/// Data files that are copied, in bytes at most. The copy takes two to three times as much: beside what DuckDB may
/// spill, a disk has to have room for it.
const MAX_BYTES: u64 = 4 << 30;

/// Bodies: seldom read, and long. What is tried for other texts takes longer for them and saves less.
const BODIES: [&str; 2] = ["request_object", "response_object"];

/// Columns that are read beside those that questions name: by what marks addresses which are a proxy's word.
const ALWAYS: [&str; 6] = ["event_time", "audit_id", "source_ip", "source_ips", "final", "stage"];

/// Rows of the copy that are compressed together: with DuckDB's own number, three times as many, each thread takes 40 MB
/// more while the copy is made, for nothing.
const ROW_GROUP_ROWS: usize = 40_960;

/// The database that the copy is a table of.
const NAME: &str = "working_copy";

/// SQL that lets a session write a copy into a folder that is its own, beside the files that it may read. To be run before
/// the configuration is locked.
pub(crate) fn allowed(folder: &Path) -> String {
    // Rows come in any order, so that all threads write: no question relies on one that it does not ask for.
    format!("SET preserve_insertion_order = false;\nSET allowed_directories = [{}];", literals(folder.to_str()))
}

/// Whether data files of so many bytes are copied. However small, that is done before half a dozen questions are answered.
pub(crate) fn is_possible(bytes: u64) -> bool {
    bytes <= MAX_BYTES
}

impl Session {
    /// Copies the events into the session's folder. A failure leaves the session as it was.
    ///
    /// # Errors
    /// On an interrupt alone.
    pub(crate) fn copy_events(&self, folder: &Path, named: Named) -> Result<(), QueryError> {
        // Sessions of one program share the folder.
        static COPIES: AtomicU64 = AtomicU64::new(0);
        let path = folder.join(format!("{NAME}-{}.duckdb", COPIES.fetch_add(1, Ordering::Relaxed)));
        let Some(quoted) = path.to_str().map(literal) else { return Ok(()) };
        // What a program before this one with the same folder left.
        let _ = fs::remove_file(&path);
        let made = self.engine().run(move |connection| {
            make(connection, &quoted, &named).inspect_err(|_| {
                // The views are made last, and together: they are still those of the files.
                let _ = connection.execute_batch("ROLLBACK");
                let _ = connection.execute_batch(&format!("DETACH DATABASE IF EXISTS {NAME}"));
            })
        });
        let Err(error) = made else { return Ok(()) };
        // What there is of it takes room, which may be what lacked.
        let _ = fs::remove_file(&path);
        match trouble::is_interrupt(&error) {
            true => {
                Err(self.explain(QueryError::Engine { action: COPY.to_owned(), source: error }, COPY, Author::Program))
            }
            false => Ok(()),
        }
    }
}

const COPY: &str = "copy the events";

/// The columns that questions name.
#[derive(Debug)]
pub(crate) enum Named {
    /// One of them takes whatever there is.
    All,
    These(BTreeSet<String>),
}

impl Named {
    pub(crate) fn by(questions: &[(&CannedQuery, &Parameters)]) -> Self {
        let mut words = BTreeSet::from(ALWAYS.map(str::to_owned));
        for (query, parameters) in questions {
            // What ours give is fixed by name, whatever `*` stands in between.
            if !query.is_built_in() && query.sql.replace("count(*)", "").contains('*') {
                return Self::All;
            }
            words.extend(views::words_needed(&statement::bound(query, parameters)));
        }
        Self::These(words)
    }

    fn has(&self, column: &str) -> bool {
        match self {
            Self::All => true,
            Self::These(words) => words.contains(column),
        }
    }
}

fn make(connection: &Connection, path: &str, named: &Named) -> duckdb::Result<()> {
    let columns = connection
        .prepare(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 'events' AND NOT internal \
             ORDER BY column_index",
        )?
        .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?
        .collect::<duckdb::Result<Vec<_>>>()?;
    let columns = columns.into_iter().filter(|(name, _)| named.has(name));
    let (names, columns): (Vec<_>, Vec<_>) = columns
        .map(|(name, kind)| {
            let compression = if BODIES.contains(&name.as_str()) { " USING COMPRESSION 'zstd'" } else { "" };
            let column = format!("{name} {kind}{compression}");
            (name, column)
        })
        .unzip();
    let names = names.join(", ");
    // The version of the file's format is the first that knows the compression which suits texts that come again.
    connection.execute_batch(&format!(
        "ATTACH {path} AS {NAME} (STORAGE_VERSION 'v1.4.0', ROW_GROUP_SIZE {ROW_GROUP_ROWS});\n\
         CREATE TABLE {NAME}.final_events ({});\n\
         INSERT INTO {NAME}.final_events SELECT {names} FROM events WHERE final;\n\
         BEGIN TRANSACTION;\n\
         ALTER VIEW events RENAME TO events_of_files;\n\
         CREATE VIEW events AS\n\
         FROM {NAME}.final_events UNION ALL SELECT {names} FROM events_of_files WHERE final IS NOT TRUE;\n\
         CREATE OR REPLACE VIEW final_events AS FROM {NAME}.final_events;\n\
         COMMIT;",
        columns.join(", "),
    ))
}
