//! What stands between the log and an answer, apart from the verdict: each is counted, none is silent.

use std::collections::BTreeSet;

use kforensic_lake::Snapshot;
use kforensic_lake::seen::Marked;

use crate::coverage::observed::Observed;

/// What an answer from a case leaves out or rests on, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Records that are no audit event. They have no time, so every window may lack them.
    pub rejected: u64,
    /// Events with a mark: what a collector cut off or withheld, what was recovered or assumed, copies that differ.
    pub marked: Marked,
    /// Records that the queries of exports matched, as these say themselves, and that are not in them.
    pub not_exported: u64,
    /// Files that an ingest was pointed at and that were never read.
    pub sources_left_out: Vec<String>,
    /// Events that were pruned.
    pub pruned: u64,
    /// The latest time before which something was pruned, RFC 3339.
    pub pruned_before: Option<String>,
    /// Clusters whose logs are in the case, when there are several.
    pub clusters: Vec<String>,
}

impl LeftOut {
    /// Counts what a case leaves out. No file is opened.
    pub fn of(snapshot: &Snapshot, observed: &Observed) -> Self {
        let read: BTreeSet<&str> = snapshot.sources().map(|source| source.name.as_str()).collect();
        let skipped = snapshot.operations.iter().flat_map(|operation| &operation.skipped);
        let skipped: BTreeSet<&str> = skipped.map(|skipped| skipped.name.as_str()).collect();
        let accounts = || snapshot.prunings().flat_map(|pruned| &pruned.sources);
        let clusters: BTreeSet<&str> = observed.hosts.keys().map(|(_, cluster)| cluster.as_str()).collect();
        Self {
            rejected: snapshot.reject_files().map(|file| file.stats.rows).sum(),
            marked: observed.marked,
            not_exported: snapshot.sources().filter_map(kforensic_lake::LedgerEntry::not_exported).sum(),
            sources_left_out: skipped.difference(&read).map(|name| (*name).to_owned()).collect(),
            pruned: accounts().map(|account| account.events).sum(),
            pruned_before: snapshot.prunings().map(|pruned| pruned.before.clone()).max(),
            clusters: match clusters.len() {
                0 | 1 => Vec::new(),
                _ => clusters.into_iter().map(str::to_owned).collect(),
            },
        }
    }

    /// In words, each a sentence without a full stop. What is not left out is not mentioned, and what was pruned is told
    /// by who knows the window.
    pub fn in_words(&self) -> Vec<String> {
        let mut words = Vec::new();
        let mut say = |number: u64, one: &str, many: &str, what: &str| {
            if number > 0 {
                words.push(format!("{number} {}{what}", if number == 1 { one } else { many }));
            }
        };
        say(
            self.rejected,
            "record",
            "records",
            " that could not be read as an event (`kforensic sql \"FROM rejects\"`)",
        );
        say(self.marked.cut, "event", "events", " cut off by a collector: what stood behind the cut is NULL");
        say(
            self.marked.salvaged,
            "event",
            "events",
            " recovered from damage, an unknown wrapper or the log of another container (column `salvaged`)",
        );
        say(self.marked.assumed, "event", "events", " with an assumed value (column `assumed`)");
        say(
            self.marked.truncated,
            "event",
            "events",
            " without bodies, which were too large for the server (column `truncated`)",
        );
        say(
            self.marked.copies,
            "event",
            "events",
            " stored beside a copy with other contents: the fullest answers (view `audit_id_conflicts`)",
        );
        say(
            self.marked.withheld,
            "event",
            "events",
            " whose bodies a collector withheld: what stood in them is not seen (column `assumed`)",
        );
        say(
            self.marked.parts,
            "event",
            "events",
            " of which only part 1 is in the case, of several that Google split them into (column `salvaged`)",
        );
        say(
            self.not_exported,
            "record",
            "records",
            " that the query of an export matched and the export does not hold",
        );
        let files = u64::try_from(self.sources_left_out.len()).unwrap_or(u64::MAX);
        say(files, "file", "files", " that an ingest left out (`kforensic status --format json`)");
        words
    }
}
