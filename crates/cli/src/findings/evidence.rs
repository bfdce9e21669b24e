//! The case and its evidence, from the ledger alone.

use std::collections::BTreeSet;

use kforensic_lake::Snapshot;
use kforensic_report::document::{Column, Table, Value};
use kforensic_report::incident::Evidence;

/// Sources that a report lists; of more, the sums are told.
const SOURCES_MAX: usize = 500;

/// Commits that a report lists, the newest; of more, their number is told.
const COMMITS_MAX: usize = 200;

/// The account of the case.
pub(crate) fn evidence(case: &str, snapshot: &Snapshot) -> Evidence {
    let sum = |of: fn(&kforensic_lake::LedgerEntry) -> u64| snapshot.sources().map(of).sum::<u64>();
    let names = |of: fn(&kforensic_lake::LedgerEntry) -> Option<&String>| {
        snapshot.sources().filter_map(of).collect::<BTreeSet<_>>().into_iter().cloned().collect()
    };
    Evidence {
        case: case.to_owned(),
        fingerprint: snapshot.fingerprint.clone(),
        commit: snapshot.version,
        clusters: names(|entry| entry.cluster.as_ref()),
        of_several_clusters: of_several_clusters(snapshot),
        hosts: names(|entry| entry.host.as_ref()),
        sources: snapshot.sources().count() as u64,
        records: sum(|entry| entry.records),
        events: sum(|entry| entry.events),
        duplicates: sum(|entry| entry.duplicates),
        rejected: sum(|entry| entry.rejected),
        redacted: sum(|entry| entry.redacted),
        skipped: snapshot.operations.iter().map(|operation| operation.skipped.len() as u64).sum(),
        times: snapshot.event_times(),
        accounts: accounts(snapshot),
        custody: custody(snapshot),
        ..Evidence::default()
    }
}

/// Whether the logs come from several clusters, named or not.
pub(crate) fn of_several_clusters(snapshot: &Snapshot) -> bool {
    snapshot.sources().map(|entry| entry.cluster.as_ref()).collect::<BTreeSet<_>>().len() > 1
}

fn accounts(snapshot: &Snapshot) -> Table {
    const NUMBERS: [&str; 5] = ["bytes", "records", "events", "duplicates", "rejected"];
    let names = ["source", "host", "cluster", "bytes", "records", "events", "duplicates", "rejected", "sha256"];
    let columns = names.map(|name| if NUMBERS.contains(&name) { Column::number(name) } else { Column::text(name) });
    let mut table = Table::new("accounts", "The account of every source", columns.to_vec());
    for entry in snapshot.sources().take(SOURCES_MAX) {
        table.push(vec![
            Value::Text(entry.name.clone()),
            Value::text(entry.host.clone()),
            Value::text(entry.cluster.clone()),
            number(entry.size_bytes),
            number(entry.records),
            number(entry.events),
            number(entry.duplicates),
            number(entry.rejected),
            Value::Text(entry.sha256.clone()),
        ]);
    }
    table.total_rows = snapshot.sources().count() as u64;
    table
}

/// What was done to the case: the hash of a commit stands in the one behind it.
fn custody(snapshot: &Snapshot) -> Table {
    let columns = ["commit", "when", "what", "by", "sources", "sha256"];
    let is_number = |name: &str| matches!(name, "commit" | "sources");
    let columns = columns.map(|name| if is_number(name) { Column::number(name) } else { Column::text(name) });
    let mut table = Table::new("commits", "What was done to the case", columns.to_vec());
    let hashes = snapshot.operations.iter().skip(1).map(|next| next.previous_sha256.clone());
    let hashes = hashes.chain([Some(snapshot.fingerprint.clone())]);
    let commits: Vec<_> = snapshot.operations.iter().zip(&snapshot.commit_times_ms).zip(hashes).collect();
    let skipped = commits.len().saturating_sub(COMMITS_MAX);
    for (commit, ((operation, time_ms), hash)) in commits.iter().enumerate().skip(skipped) {
        table.push(vec![
            number(commit as u64),
            Value::Time(time_ms.saturating_mul(1_000)),
            Value::Text(operation.command.clone()),
            Value::Text(format!("kforensic {}", operation.tool_version)),
            number(operation.sources.len() as u64),
            Value::text(hash.clone()),
        ]);
    }
    table.total_rows = commits.len() as u64;
    table
}

fn number(number: u64) -> Value {
    Value::Number(i64::try_from(number).unwrap_or(i64::MAX))
}
