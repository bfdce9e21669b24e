//! Every event of every real log can be rebuilt from its row in Parquet: equal with `--keep-secret-values`, else equal
//! but for values that were redacted.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{ingest_all, ingest_as, key, logs, originals, rebuilt, repository, same_but_redacted};
use kforensic_lake::SecretValues;

/// Ingests a capture and compares every event with its original. Returns how many there are.
fn check(folder: &str, logs: &[std::path::PathBuf]) -> usize {
    let folder_of = common::folder();
    let mut originals = originals(logs);
    // Copies of an event are stored once.
    originals.dedup();

    let kept = folder_of.path().join("kept");
    let report = ingest_as(&kept, logs, SecretValues::Kept);
    assert_eq!((report.events, report.redacted), (originals.len() as u64, 0), "{folder}");
    let events = rebuilt(&kept);
    assert_eq!(events.len(), originals.len(), "{folder}");
    for (event, original) in events.iter().zip(&originals) {
        assert_eq!(event, original, "{folder}");
    }

    let redacted = folder_of.path().join("redacted");
    let report = ingest_all(&redacted, logs);
    assert_eq!(report.events, originals.len() as u64, "{folder}");
    same_but_redacted(rebuilt(&redacted), originals.clone(), &key(&redacted));
    originals.len()
}

#[test]
fn every_event_of_the_captures_is_rebuilt_from_its_row() {
    let mut events = 0;
    for (folder, expected) in [
        ("sample-logs/hardened", 8_973),
        ("sample-logs/moderate", 568),
        ("tests/logs/metadata", 92_577),
        ("tests/logs/production", 18_793),
        ("tests/logs/damage", 936 + 962 + 1034 + 919),
        ("tests/logs/damage/rotation-loss", 75),
    ] {
        // Lines of the legacy format are no JSON; a test of shapes gives them back.
        let logs: Vec<_> = logs(folder).into_iter().filter(|log| !log.ends_with("legacy-format.log")).collect();
        let count = check(folder, &logs);
        assert_eq!(count, expected, "{folder}");
        events += count;
    }
    println!("{events} events of our own captures rebuilt, all equal");
}

#[test]
fn every_event_of_other_peoples_logs_is_rebuilt_from_its_row() {
    let mut events = 0;
    for name in [
        "liggitt__audit2rbac/demo-2017-full.log",
        "liggitt__audit2rbac/demo-v1beta1.log",
        "liggitt__audit2rbac/demo.log",
        "openshift__cluster-logging-operator/test__functional__filters__apiaudit__testdata__audit.log",
        "openshift__cluster-logging-operator/test__functional__filters__apiaudit__vrl__testdata__audit_in.log.gz",
        "openshift__cluster-logging-operator/test__functional__filters__apiaudit__vrl__testdata__audit_out_exporter.log",
    ] {
        events += check(name, &[repository("tests/logs/third-party").join(name)]);
    }
    println!("{events} events of third-party logs rebuilt, all equal");
    assert_eq!(events, 757 + 37 + 37 + 5 + 100 + 9);
}
