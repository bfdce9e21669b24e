//! The views: what SQL sees of a case.
//!
//! `events` and `rejects` are made from the table of columns and from an explicit list of files,
//! because a glob would also find files that are not part of the table, and opens all of them.
//! Everything else is a file of `views/`.

mod definitions;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::LazyLock;

use kforensic_event::{COLUMNS, Column, Kind, time};

use crate::embedded::{self, File};
use crate::selection::Selection;
use crate::sql::{literal, literals};
use definitions::Definition;

/// Columns of a rejected record that can hold something: it has no time, user or resource.
const REJECT_COLUMNS: [&str; 8] =
    ["source_id", "line_number", "byte_offset", "byte_length", "reject_reason", "raw", "host", "cluster"];

/// SQL that creates the two views that all others are made from, over the given files.
pub(crate) fn create(event_files: &[String], reject_files: &[String], selection: &Selection) -> String {
    let events: Vec<&Column> = COLUMNS.iter().collect();
    let rejects: Vec<&Column> =
        REJECT_COLUMNS.iter().filter_map(|name| COLUMNS.iter().find(|column| column.name == *name)).collect();
    format!(
        "CREATE VIEW events AS\n{};\nCREATE VIEW rejects AS\n{};\n",
        select(&events, event_files, &conditions(selection)),
        select(&rejects, reject_files, &[]),
    )
}

/// Which of the files of `views/` have been run in a session. Each is run when a statement first needs it: DuckDB binds a
/// view when it is made, so all of them take half a second, and what a question needs a few milliseconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Provided {
    paths: BTreeSet<&'static str>,
}

impl Provided {
    /// SQL that creates what `sql` needs and is not there yet, each behind what it mentions itself.
    pub(crate) fn for_statement(&mut self, sql: &str) -> String {
        self.of(definitions::needed(sql, embedded::VIEWS))
    }

    /// SQL that creates all that is not there yet.
    pub(crate) fn for_all(&mut self) -> String {
        self.of(definitions::in_order(embedded::VIEWS))
    }

    fn of(&mut self, files: Vec<&'static File>) -> String {
        let mut sql = String::new();
        for file in files {
            if self.paths.insert(file.path) {
                // Writing into a string cannot fail.
                let _ = writeln!(sql, "-- {}\n{}", file.path, file.text);
            }
        }
        sql
    }
}

/// Whether one of our files makes a view or macro of that name.
pub(crate) fn is_defined(name: &str) -> bool {
    definitions_called(name).next().is_some()
}

/// Whether one of our files makes a macro of that name that reads events.
pub(crate) fn is_macro_that_reads(name: &str) -> bool {
    definitions::reads_events(name, &DEFINITIONS)
}

/// Whether one of our files makes a table macro of that name: one that takes names of tables.
pub(crate) fn is_table_macro(name: &str) -> bool {
    definitions_called(name).any(|definition| definition.kind == definitions::Kind::TableMacro)
}

fn definitions_called(name: &str) -> impl Iterator<Item = &'static Definition<'static>> {
    DEFINITIONS.iter().filter(move |definition| definition.name.eq_ignore_ascii_case(name))
}

/// What the files of `views/` define.
static DEFINITIONS: LazyLock<Vec<Definition<'static>>> =
    LazyLock::new(|| embedded::VIEWS.iter().flat_map(|file| definitions::of(file.text)).collect());

fn select(columns: &[&Column], files: &[String], conditions: &[String]) -> String {
    let mut names = Vec::new();
    for column in columns {
        let (name, kind) = (column.name, sql_type(column.kind));
        names.push(match column.kind {
            _ if files.is_empty() => format!("NULL::{kind} AS {name}"),
            // DuckDB without ICU can hardly compute on TIMESTAMPTZ, which is what a UTC time of Parquet is to it.
            Kind::Time => format!("{name}::{kind} AS {name}"),
            _ => name.to_owned(),
        });
    }
    let names = names.join(", ");
    if files.is_empty() {
        return format!("SELECT {names} WHERE false");
    }
    let files = literals(files.iter().map(String::as_str));
    let rows = format!("SELECT {names}\nFROM read_parquet([{files}], hive_partitioning = false)");
    match conditions {
        [] => rows,
        _ => format!("{rows}\nWHERE {}", conditions.join(" AND ")),
    }
}

/// Files are left out as a whole; what the rest holds beyond the selection is left out here.
///
/// `event_time` is the column of the file, not yet cast: what DuckDB derives from a condition on the cast
/// column to skip row groups reaches two hours too far.
fn conditions(selection: &Selection) -> Vec<String> {
    let instant = |micros| format!("TIMESTAMPTZ {}", literal(&time::render(micros)));
    let since = selection.since.map(|micros| format!("event_time >= {}", instant(micros)));
    let until = selection.until.map(|micros| format!("event_time < {}", instant(micros)));
    let resources = selection.resources.as_ref().map(|names| match names.as_slice() {
        [] => "false".to_owned(),
        [name] => format!("resource = {}", literal(name)),
        names => format!("resource IN ({})", literals(names.iter().map(String::as_str))),
    });
    since.into_iter().chain(until).chain(resources).collect()
}

fn sql_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Time => "TIMESTAMP",
        Kind::Date => "DATE",
        Kind::Text | Kind::Json => "VARCHAR",
        Kind::Texts => "VARCHAR[]",
        Kind::Int => "INTEGER",
        Kind::Long => "BIGINT",
        Kind::Bool => "BOOLEAN",
        Kind::Bytes => "BLOB",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_names_cannot_break_out_of_their_quotes() {
        let selection = Selection { resources: Some(vec!["x' OR 'a".to_owned()]), ..Selection::default() };
        let sql = create(&["/it's/a.parquet".to_owned()], &[], &selection);
        assert!(sql.contains("read_parquet(['/it''s/a.parquet'], hive_partitioning = false)"), "{sql}");
        assert!(sql.contains("resource = 'x'' OR ''a'"), "{sql}");
    }

    #[test]
    fn rejects_have_the_columns_that_can_hold_something() {
        for name in REJECT_COLUMNS {
            assert!(COLUMNS.iter().any(|column| column.name == name), "{name}");
        }
    }

    #[test]
    fn every_view_says_in_its_first_line_what_a_row_is_or_what_it_is_for() {
        for file in embedded::VIEWS {
            let first = file.text.lines().next().unwrap();
            assert!(first.starts_with("-- ") && first.ends_with('.'), "{}", file.path);
        }
    }
}
