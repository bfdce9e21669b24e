//! Which DuckDB is linked, and whether it is one that the views and the gate were written for.
//!
//! The one that is compiled in is known. A system's can be any: it is asked for its version when it is first opened, and
//! an older one is refused there by name, before it trips over a setting or a spelling that it does not know.

use std::sync::OnceLock;

use duckdb::{Config, Connection};

use crate::error::QueryError;

/// The first version that knows what we ask for: `async_threads`, the spelling `lambda x: …`, Parquet's VARIANT.
pub const OLDEST: (u32, u32) = (2, 0);

/// What to do about one that is too old.
pub const ADVICE: &str =
    "install a newer libduckdb, or use a kforensic that has DuckDB compiled in: its feature `bundled`";

/// Whether DuckDB is compiled in. Otherwise the system's is linked.
pub const IS_BUNDLED: bool = cfg!(feature = "bundled");

/// The version of the DuckDB that is linked, as it says itself: `v2.0.0`.
///
/// # Errors
/// When DuckDB cannot be opened at all.
pub fn version() -> Result<String, QueryError> {
    let asked = Connection::open_in_memory().and_then(|connection| connection.version());
    asked.map_err(QueryError::engine("ask DuckDB for its version"))
}

/// Opens a DuckDB with these settings.
///
/// # Errors
/// When it is too old, or does not open.
pub(crate) fn open(config: duckdb::Result<Config>) -> Result<Connection, QueryError> {
    check()?;
    config.and_then(Connection::open_in_memory_with_flags).map_err(QueryError::engine("start DuckDB"))
}

/// Asks a system's DuckDB once whether it is new enough.
fn check() -> Result<(), QueryError> {
    static FOUND: OnceLock<String> = OnceLock::new();
    if IS_BUNDLED {
        return Ok(());
    }
    let found = match FOUND.get() {
        Some(found) => found,
        None => {
            let found = version()?;
            FOUND.get_or_init(|| found)
        }
    };
    match is_new_enough(found) {
        true => Ok(()),
        false => Err(QueryError::Library { found: found.clone() }),
    }
}

/// Sets its time zone to UTC, for this connection and for those that come beside it.
///
/// A DuckDB with ICU casts instants to timestamps in the zone of the machine: `--since` moved by five hours in New York. One
/// without it has no such setting and knows UTC alone. So has the one that is compiled in, which is not asked: to be told that
/// there is no such setting takes it 5 ms.
///
/// # Errors
/// When there is such a setting and it does not take the value.
pub(crate) fn set_utc(connection: &Connection) -> duckdb::Result<()> {
    if IS_BUNDLED || connection.execute_batch("SET GLOBAL TimeZone = 'UTC'; SET TimeZone = 'UTC'").is_ok() {
        return Ok(());
    }
    match has_zones(connection)? {
        true => Err(duckdb::Error::InvalidParameterName("TimeZone".to_owned())),
        false => Ok(()),
    }
}

/// Whether it computes with time zones.
fn has_zones(connection: &Connection) -> duckdb::Result<bool> {
    let zones = "SELECT count(*) > 0 FROM duckdb_settings() WHERE lower(name) = 'timezone'";
    connection.query_row(zones, [], |row| row.get(0))
}

/// Whether a version, as DuckDB writes its own, is one that we know. One that cannot be read is none.
fn is_new_enough(version: &str) -> bool {
    let mut parts = version.strip_prefix('v').unwrap_or(version).splitn(3, '.');
    let mut number = || parts.next()?.parse::<u32>().ok();
    match (number(), number()) {
        (Some(major), Some(minor)) => (major, minor) >= OLDEST,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn only_versions_since_the_oldest_will_do() {
        for version in ["v2.0.0", "2.0.0", "v2.0.1-dev12", "v2.10.0", "v3.0.0", "v10.0.0"] {
            assert!(is_new_enough(version), "{version}");
        }
        // The last three are what DuckDB says of itself when it was built without its tags.
        for version in
            ["v1.5.2", "1.10.0", "v0.10.2", "v1.99.99-dev3", "", "v2", "vv2.0.0", "v0.0.1", "v0.0.1-dev1", "3f2a91c"]
        {
            assert!(!is_new_enough(version), "{version}");
        }
    }

    #[test]
    fn the_linked_one_says_its_version_and_is_new_enough() {
        let version = version().unwrap();
        assert!(version.starts_with('v') && is_new_enough(&version), "{version}");
        assert!(check().is_ok());
    }

    #[test]
    fn the_compiled_in_one_has_no_time_zones() {
        let connection = Connection::open_in_memory().unwrap();
        assert!(!(IS_BUNDLED && has_zones(&connection).unwrap()), "`set_utc` relies on it");
        set_utc(&connection).unwrap();
    }

    #[test]
    fn an_old_one_is_named_together_with_what_is_needed() {
        let error = QueryError::Library { found: "v1.5.2".to_owned() };
        assert_eq!(error.to_string(), "the DuckDB that is linked is `v1.5.2`, and 2.0 or later is needed");
    }
}
