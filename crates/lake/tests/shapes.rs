//! The same 43 events in every wrapper seen in the wild: what comes out is what went in.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use kforensic_lake::SecretValues;

use common::{ingest_all, ingest_as, originals, rebuilt, rejects, repository};

/// Files whose events all come out, with the rejects beside them: klog lines, control messages, other categories of a
/// cloud's stream, and what is lossy on purpose.
const READ: [(&str, usize); 30] = [
    ("00-plain.jsonl", 0),
    ("aks-eventhub-records.json", 1),
    ("aks-storage-PT1H.json", 0),
    ("cloudwatch-filter-log-events.json", 0),
    ("cloudwatch-get-log-events.json", 0),
    ("cloudwatch-s3-export-000000.gz", 0),
    ("cloudwatch-tail.txt", 0),
    ("cri-containerd.log", 1),
    ("docker-json-file.log", 0),
    ("elastic-agent-kubernetes.audit.ndjson", 0),
    ("filebeat-message.ndjson", 0),
    ("firehose-concatenated-no-newline.json", 1),
    ("fluentbit-es.jsonl", 0),
    ("fluentd-out_file.tsv", 0),
    ("journalctl-o-json.jsonl", 0),
    ("json-array.json", 0),
    ("kubectl-logs-mixed-klog.txt", 2),
    ("logcli-default.txt", 0),
    ("logcli-jsonl.jsonl", 0),
    ("loki-query_range.json", 0),
    ("multimember.gz", 0),
    ("nul-hole.log", 1),
    ("oc-adm-node-logs.txt", 0),
    ("pretty-concatenated.json", 0),
    ("powershell-utf16le-bom.log", 0),
    ("rfc5424.log", 0),
    ("splunk-export.json", 0),
    ("truncated-last-line.log", 1),
    ("utf8bom-crlf.log", 0),
    ("webhook-eventlist.json", 0),
];

#[test]
fn every_wrapper_gives_the_reference_events() {
    let reference = originals(&[repository("tests/logs/shapes/00-plain.jsonl")]);
    assert_eq!(reference.len(), 43);
    for (name, expected_rejects) in READ {
        let folder = tempfile::tempdir().unwrap();
        let case = folder.path().join("case");
        let report = ingest_as(&case, &[repository("tests/logs/shapes").join(name)], SecretValues::Kept);
        assert_eq!((report.events, report.rejected), (43, expected_rejects as u64), "{name}");
        let events = rebuilt(&case);
        for (event, original) in events.iter().zip(&reference) {
            // Items of an EventList carry neither kind nor apiVersion.
            let mut original = original.clone();
            if event.get("kind").is_none() {
                original.as_object_mut().unwrap().retain(|key, _| key != "kind" && key != "apiVersion");
            }
            assert_eq!(*event, original, "{name}");
        }
        assert_eq!(rejects(&case).len(), expected_rejects, "{name}");
    }
}

#[test]
fn copies_in_other_wrappers_are_duplicates() {
    let folder = tempfile::tempdir().unwrap();
    let paths = READ.map(|(name, _)| repository("tests/logs/shapes").join(name));
    let report = ingest_all(&folder.path().join("case"), &paths);
    // The EventList's items differ by what they lack.
    assert_eq!((report.events, report.duplicates), (86, 28 * 43));
}

#[test]
fn wrappers_of_other_peoples_logs_are_opened() {
    for (name, events, rejected) in [
        ("openshift__cluster-logging-operator/hack__logsamples__otlp_audit_kube.json", 21, 0),
        ("openshift__cluster-logging-operator/hack__logsamples__otlp_audit_openshift.json", 6, 0),
        ("openshift__cluster-logging-operator/log5607_sample.json", 1, 0),
        ("openshift__cluster-logging-operator/raw_audit_kubernetes.json", 1, 0),
        ("openshift__cluster-logging-operator/raw_audit_oauth-apiserver.json", 1, 0),
        ("openshift__cluster-logging-operator/raw_audit_openshift.json", 1, 0),
        ("openshift__cluster-logging-operator/raw_container.log", 0, 1),
        ("openshift__cluster-logging-operator/viaq_audit_kubernetes.json", 1, 0),
        ("openshift__cluster-logging-operator/viaq_audit_openshift.json", 1, 0),
        ("openshift__cluster-logging-operator/viaq_container.json", 0, 1),
        ("sysdiglabs__aks-audit-log/event.json", 22, 0),
        ("sysdiglabs__aks-audit-log/sample_EventHubs_event.json", 1, 0),
        ("sysdiglabs__aks-audit-log/sample_KubeAuditLog_event.json", 1, 0),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let report = ingest_all(&folder.path().join("case"), &[repository("tests/logs/third-party").join(name)]);
        assert_eq!((report.events, report.rejected), (events, rejected), "{name}");
    }
}
