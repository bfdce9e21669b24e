//! Where the processes of the cluster are at home: what the view `homes` found, in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use duckdb::Connection;

use super::NODE;

/// The homes of a session. They are found once, because they come from all of the case, whatever is asked.
#[derive(Clone, Default)]
pub(crate) struct Homes(Arc<OnceLock<Known>>);

/// What was found.
#[derive(Default)]
pub(super) struct Known {
    /// Addresses by process and cluster.
    addresses: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
    /// Clusters whose log has the leases of kubelets.
    with_leases: BTreeSet<String>,
}

impl Homes {
    /// Loads them from the view, when that was not done yet.
    pub(crate) fn load(&self, connection: &Connection) -> duckdb::Result<()> {
        if self.0.get().is_some() {
            return Ok(());
        }
        let mut known = Known::default();
        let mut statement = connection.prepare("SELECT process, cluster, source_ip, by_lease FROM homes")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
        for row in rows {
            let (process, cluster, address, by_lease): (String, String, Option<String>, bool) = row?;
            if by_lease && process.starts_with(NODE) {
                known.with_leases.insert(cluster.clone());
            }
            // Without an address it has a home that nobody can tell.
            known.addresses.entry(process).or_default().entry(cluster).or_default().extend(address);
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
    /// Whether a process may be at that address, as far as the log tells: where it has no home, anywhere. But a kubelet renews
    /// its lease every ten seconds, so one without any, in a log that has those of others, is none of the cluster: a
    /// certificate can carry the name of a node that is not there.
    pub(super) fn may_be(&self, process: &str, cluster: &str, address: &str) -> bool {
        match self.addresses.get(process).and_then(|clusters| clusters.get(cluster)) {
            Some(addresses) => addresses.contains(address),
            None => !(process.starts_with(NODE) && self.with_leases.contains(cluster)),
        }
    }

    /// Whether anything is at home at that address.
    pub(super) fn is_home(&self, address: &str) -> bool {
        self.addresses.values().flat_map(BTreeMap::values).any(|addresses| addresses.contains(address))
    }
}
