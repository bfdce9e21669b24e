//! What `docs/assertions.md` promises has tests, and they exist.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::repository;

/// Rows of all tables, by id: their cells.
fn rows() -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(repository("docs/assertions.md")).unwrap();
    let tables =
        text.lines().filter(|line| line.starts_with('|') && !line.starts_with("| id ") && !line.starts_with("|-"));
    tables.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// The tests that a cell names: file and function.
fn tests(cell: &str) -> Vec<(String, String)> {
    let names = cell.split('`').skip(1).step_by(2);
    names.map(|name| name.split_once("::").unwrap()).map(|(file, name)| (file.to_owned(), name.to_owned())).collect()
}

#[test]
fn every_assertion_names_tests_that_exist() {
    let rows = rows();
    assert!(rows.len() > 40, "{}", rows.len());
    let mut ids = BTreeSet::new();
    let mut files = BTreeMap::new();
    for row in &rows {
        let id = row[0].as_str();
        assert!(ids.insert(id), "two rows are called {id}");
        let is_limit = id.starts_with("N-");
        assert_eq!(row.len(), if is_limit { 4 } else { 3 }, "{id} has another number of cells");
        assert!(row[1].ends_with('.'), "{id} is no sentence");
        let tests = tests(row.last().unwrap());
        assert!(is_limit || !tests.is_empty(), "nothing proves {id}");
        for (file, name) in tests {
            let text = files.entry(file.clone()).or_insert_with(|| std::fs::read_to_string(repository(&file)).unwrap());
            let at = text.find(&format!("fn {name}(")).unwrap_or_else(|| panic!("{id}: `{name}` is not in `{file}`"));
            // Directly behind the attribute, or in the block of properties.
            let before = &text[..at];
            let is_test = before.trim_end().ends_with("#[test]") || before.contains("proptest! {");
            assert!(is_test, "{id}: `{name}` is no test");
        }
    }
}
