//! What the views mean: read from the comments of their own files, and for the columns of an event from the one table.
//!
//! A view's first line says what a row is. A block `-- Columns:` gives a line `-- name: meaning` to every column that
//! does not simply pass on what the column of the same name in `requests` or `events` means.

use kforensic_event::columns;
use thiserror::Error;

use crate::catalogue::nearest;
use crate::embedded::{self, File};

/// What a view is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewHelp {
    /// Name in SQL.
    pub name: &'static str,
    /// What a row of it is.
    pub row: &'static str,
}

/// A name that no view has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no view `{name}`")]
pub struct UnknownView {
    /// The name as given.
    pub name: String,
    /// Names like it, best first.
    pub near: Vec<String>,
}

/// The line that the meanings of columns follow.
const COLUMNS: &str = "-- Columns:";

/// All views, by name; `events` and `rejects`, which are made of files and not of SQL, among them.
pub fn views() -> Vec<ViewHelp> {
    let mut views = vec![
        ViewHelp { name: "events", row: "One row per audit event, that is per stage of a request." },
        ViewHelp {
            name: "component_writes",
            row: "One row per event on leases, nodes or pods, from all of the case whatever is selected.",
        },
        ViewHelp {
            name: "final_events",
            row: "One row per request, as `requests`: the events that are the last of theirs, with the column `final`.",
        },
        ViewHelp { name: "rejects", row: "One row per record that is no audit event, with its bytes and place." },
    ];
    for file in embedded::VIEWS {
        let first = file.text.lines().next().unwrap_or_default();
        let row = first.trim_start_matches("-- ");
        views.extend(created(file.text).map(|name| ViewHelp { name, row }));
    }
    views.sort_by_key(|view| view.name);
    views
}

/// The view called `name`.
///
/// # Errors
/// When there is none; the error lists names like it.
pub fn find(name: &str) -> Result<ViewHelp, UnknownView> {
    let views = views();
    views.iter().find(|view| view.name == name).cloned().ok_or_else(|| {
        let near = nearest(name, views.iter().map(|view| view.name));
        UnknownView { name: name.to_owned(), near }
    })
}

/// What the column `column` of the view `view` means.
pub fn meaning(view: &str, column: &str) -> Option<&'static str> {
    let own = |view: &str| file_of(view).and_then(|file| documented(file.text).find(|(name, _)| *name == column));
    let of_event = || columns::find(column).map(|(_, column)| column.meaning);
    own(view).or_else(|| own("requests")).map(|(_, meaning)| meaning).or_else(of_event)
}

fn file_of(view: &str) -> Option<&'static File> {
    embedded::VIEWS.iter().find(|file| created(file.text).any(|name| name == view))
}

/// The views that a file creates; macros and helpers have no rows to explain.
fn created(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter_map(|line| line.strip_prefix("CREATE VIEW ")?.split_whitespace().next())
}

/// Names and meanings of the block `Columns`.
fn documented(text: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let block = text.lines().skip_while(|line| *line != COLUMNS).skip(1);
    block.map_while(|line| line.strip_prefix("-- ")).filter_map(|line| line.split_once(": "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_explained_by_their_view_else_by_the_table_of_events() {
        assert!(meaning("requests", "outcome").unwrap().starts_with("allowed ("));
        assert_eq!(meaning("audit_id_conflicts", "users"), Some("who sent them"));
        assert!(meaning("requests", "source_ip").unwrap().contains("cannot forge"));
        assert_eq!(meaning("requests", "nonsense"), None);
    }

    #[test]
    fn every_view_says_what_a_row_is() {
        let views = views();
        for view in &views {
            assert!(view.row.starts_with("One row per ") && view.row.ends_with('.'), "{view:?}");
        }
        assert!(views.iter().any(|view| view.name == "requests"));
    }
}
