//! Where the processes of the cluster are at home: what the view `homes` found, in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use duckdb::Connection;

/// The homes of a session. They are found once, because they come from all of the case, whatever is asked.
#[derive(Clone, Default)]
pub(crate) struct Homes(Arc<OnceLock<Known>>);

/// Addresses by process and cluster.
#[derive(Default)]
pub(super) struct Known(BTreeMap<String, BTreeMap<String, BTreeSet<String>>>);

impl Homes {
    /// Loads them from the view, when that was not done yet.
    pub(crate) fn load(&self, connection: &Connection) -> duckdb::Result<()> {
        if self.0.get().is_some() {
            return Ok(());
        }
        let mut known = Known::default();
        let mut statement = connection.prepare("SELECT process, cluster, source_ip FROM homes")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        for row in rows {
            let (process, cluster, address): (String, String, Option<String>) = row?;
            // Without an address it has a home that nobody can tell.
            known.0.entry(process).or_default().entry(cluster).or_default().extend(address);
        }
        // Whoever was first has found the same.
        let _ = self.0.set(known);
        Ok(())
    }

    /// What was loaded.
    pub(super) fn loaded(&self) -> Option<&Known> {
        self.0.get()
    }
}

impl Known {
    /// Whether a process may be at that address, as far as the log tells: where it has no home, anywhere.
    pub(super) fn may_be(&self, process: &str, cluster: &str, address: &str) -> bool {
        let homes = self.0.get(process).and_then(|clusters| clusters.get(cluster));
        homes.is_none_or(|addresses| addresses.contains(address))
    }

    /// Whether anything is at home at that address.
    pub(super) fn is_home(&self, address: &str) -> bool {
        self.0.values().flat_map(BTreeMap::values).any(|addresses| addresses.contains(address))
    }
}
