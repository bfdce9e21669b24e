use duckdb::Connection;

use super::*;

/// The functions of this build: type, name, whether DuckDB says that it has side effects.
fn functions() -> Vec<(String, String, bool)> {
    let connection = Connection::open_in_memory().unwrap();
    let sql = "SELECT DISTINCT function_type, function_name, coalesce(has_side_effects, false) FROM duckdb_functions() ORDER BY ALL";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    rows.collect::<duckdb::Result<_>>().unwrap()
}

#[test]
fn table_functions_are_refused_unless_they_are_on_the_list() {
    let functions = functions();
    let tables: Vec<&str> = functions
        .iter()
        .filter(|(kind, ..)| kind == "table" || kind == "table_macro")
        .map(|(_, name, _)| name.as_str())
        .collect();
    assert!(tables.len() > 80, "{tables:?}");
    for (name, _) in TABLE_FUNCTIONS {
        assert!(tables.contains(&name), "`{name}` is not in this build");
    }
    let passed: Vec<&&str> = tables.iter().filter(|name| table_function(name).is_some()).collect();
    assert_eq!(passed.len(), TABLE_FUNCTIONS.len());
    for beginning in ["read_", "parquet_", "copy_", "enable_", "write_", "force_"] {
        assert!(passed.iter().all(|name| !name.starts_with(beginning)), "{beginning}");
    }
}

#[test]
fn every_side_effect_is_judged() {
    /// Said to have side effects because they answer differently every time, or to describe the engine.
    const HARMLESS: [&str; 11] = [
        "current_connection_id",
        "current_query",
        "current_query_id",
        "current_transaction_id",
        "error",
        "gen_random_uuid",
        "random",
        "setseed",
        "stats",
        "uuid",
        "vector_type",
    ];
    for (kind, name, has_side_effects) in functions() {
        let is_uuid = name.starts_with("uuidv");
        if kind != "table" && kind != "pragma" && has_side_effects && !HARMLESS.contains(&name.as_str()) && !is_uuid {
            assert!(refusal(&name).is_some(), "the {kind} function `{name}` is not judged");
        }
    }
}

#[test]
fn names_are_compared_without_case() {
    assert_eq!(table_function("RANGE"), Some(Arguments::Values));
    assert_eq!(table_function("read_text"), None);
    assert!(refusal("GetEnv").is_some());
    assert!(refusal("Read_Text").is_some());
    assert!(refusal("lower").is_none());
}
