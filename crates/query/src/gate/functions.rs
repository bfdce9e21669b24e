//! Which functions a statement may call.
//!
//! A table function is where rows come from, and most of DuckDB's read files or change the engine: only those
//! on a list are let through. Scalar functions and aggregates compute from what they are given, more than 800
//! of them without any effect: those that reach beyond that are refused. Tests walk `duckdb_functions()`, so
//! that a table function or a side effect that a new version of DuckDB brings is noticed.

/// How a table function treats its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arguments {
    /// As values.
    Values,
    /// As names of tables: they must be names, because a path would be read as a file.
    Names,
}

/// The table functions that a statement may call.
const TABLE_FUNCTIONS: [(&str, Arguments); 27] = [
    ("duckdb_columns", Arguments::Values),
    ("duckdb_constraints", Arguments::Values),
    ("duckdb_databases", Arguments::Values),
    ("duckdb_dependencies", Arguments::Values),
    ("duckdb_functions", Arguments::Values),
    ("duckdb_indexes", Arguments::Values),
    ("duckdb_keywords", Arguments::Values),
    ("duckdb_memory", Arguments::Values),
    ("duckdb_optimizers", Arguments::Values),
    ("duckdb_schemas", Arguments::Values),
    ("duckdb_sequences", Arguments::Values),
    ("duckdb_settings", Arguments::Values),
    ("duckdb_tables", Arguments::Values),
    ("duckdb_temporary_files", Arguments::Values),
    ("duckdb_types", Arguments::Values),
    ("duckdb_views", Arguments::Values),
    ("generate_series", Arguments::Values),
    ("histogram", Arguments::Names),
    ("histogram_values", Arguments::Names),
    ("json_each", Arguments::Values),
    ("json_tree", Arguments::Values),
    ("pragma_version", Arguments::Values),
    // Takes names only. `query` takes a whole statement, which would pass the gate unread.
    ("query_table", Arguments::Names),
    ("range", Arguments::Values),
    ("repeat", Arguments::Values),
    ("repeat_row", Arguments::Values),
    ("unnest", Arguments::Values),
];

/// Why DuckDB's own name for who runs a statement is refused: an analyst means somebody else, and would get no rows.
pub(super) const OWN_USER: &str = "it is DuckDB's own user; who sent a request is `user_name`";

/// Scalar functions and aggregates that are refused, each with the reason.
const REFUSED_FUNCTIONS: [(&str, &str); 18] = [
    ("combine", "it works on the engine's own memory"),
    ("combine_aggr", "it works on the engine's own memory"),
    ("currval", "a statement keeps no state"),
    ("finalize", "it works on the engine's own memory"),
    ("getenv", "it reads the environment"),
    ("json_deserialize_sql", "it parses statements that did not pass the gate"),
    ("json_execute_serialized_sql", "it runs statements that did not pass the gate"),
    ("json_serialize_plan", "it plans statements that did not pass the gate"),
    ("json_serialize_sql", "it parses statements that did not pass the gate"),
    ("nextval", "a statement keeps no state"),
    ("pg_sleep", "it only wastes time"),
    ("setval", "a statement keeps no state"),
    ("sleep_ms", "it only wastes time"),
    ("to_aggregate_state", "it works on the engine's own memory"),
    ("user", OWN_USER),
    ("variant_bytes_to_variant", "it works on the engine's own memory"),
    ("write_log", "it writes to the log of the engine"),
    ("write_parquet", "it writes files"),
];

/// Beginnings of names that are refused, whatever follows.
const REFUSED_BEGINNINGS: [(&str, &str); 4] = [
    ("__internal_", "it works on the engine's own memory"),
    ("read_", "it reads files"),
    ("scan_", "it reads files"),
    ("sniff_", "it reads files"),
];

/// How the table function `name` may be called; `None` when it may not.
pub(super) fn table_function(name: &str) -> Option<Arguments> {
    TABLE_FUNCTIONS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, arguments)| *arguments)
}

/// Why the scalar function or aggregate `name` may not be called; `None` when it may.
pub(super) fn refusal(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let whole = REFUSED_FUNCTIONS.iter().find(|(refused, _)| *refused == name);
    let begins = || REFUSED_BEGINNINGS.iter().find(|(beginning, _)| name.starts_with(beginning));
    whole.or_else(begins).map(|(_, reason)| *reason)
}

#[cfg(test)]
mod tests;
