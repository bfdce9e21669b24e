//! `kforensic show`: an event, where it stands, and its original bytes.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{ingest, logs, query, run};
use serde_json::Value;

/// An audit id that one answer gives.
fn some_id(case: &std::path::Path) -> String {
    query(case, &["secret-reads", "--user", "bob", "--limit", "1"])[0]["audit_id"].as_str().unwrap().to_owned()
}

#[test]
fn an_event_is_shown_with_its_place_and_its_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    let id = some_id(&case);
    let shown = run(&case, &["show", &id]);
    assert_eq!(shown.code, Some(0), "{shown:?}");
    // Both stages of the request, each with its place.
    assert_eq!(shown.stdout.matches("\nsha256 ").count(), 2, "{}", shown.stdout);
    let one = run(&case, &["show", &id, "--stage", "ResponseComplete"]);
    let (place, event) = one.stdout.split_once("\n{").unwrap();
    let lines: Vec<&str> = place.lines().collect();
    assert!(lines[0].ends_with("hardened/audit-2026-11-21T20-38-00.115.log.gz"), "{place}");
    assert!(lines[2].starts_with("line   ") && lines[2].ends_with(" of its content (gzip)"), "{place}");
    let event: Value = serde_json::from_str(&format!("{{{event}")).unwrap();
    // The original line, byte for byte.
    let raw = run(&case, &["show", &id, "--stage", "ResponseComplete", "--raw"]);
    assert_eq!((raw.code, raw.json()), (Some(0), event));
    let mut original = Vec::new();
    let file = std::fs::File::open(&logs("sample-logs/hardened")[2]).unwrap();
    std::io::Read::read_to_end(&mut flate2::read::MultiGzDecoder::new(file), &mut original).unwrap();
    assert!(String::from_utf8(original).unwrap().lines().any(|line| line == raw.stdout.trim_end()));
}

#[test]
fn the_original_is_found_in_what_the_log_has_grown_into_and_refused_when_changed() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let log = std::fs::read(&logs("sample-logs/hardened")[4]).unwrap();
    let half = 1 + log[..log.len() / 2].iter().rposition(|byte| *byte == b'\n').unwrap();
    std::fs::write(path("audit.log"), &log[..half]).unwrap();
    ingest(&case, &[path("audit.log")]);
    let first: Value = serde_json::from_slice(log.split(|byte| *byte == b'\n').next().unwrap()).unwrap();
    let (id, stage) = (first["auditID"].as_str().unwrap(), first["stage"].as_str().unwrap());
    let raw = || run(&case, &["show", id, "--stage", stage, "--raw"]);
    assert_eq!((raw().code, raw().json()), (Some(0), first.clone()));
    // Grown since: still the same beginning.
    std::fs::write(path("audit.log"), &log).unwrap();
    assert_eq!((raw().code, raw().json()), (Some(0), first.clone()));
    // Rotated: found where it went, once that has been read.
    std::fs::rename(path("audit.log"), path("audit-2.log")).unwrap();
    assert_eq!((raw().code, raw().json()), (Some(3), first.clone()));
    assert!(raw().stderr.contains("cannot be read: No such file"), "{}", raw().stderr);
    ingest(&case, &[path("audit-2.log")]);
    assert_eq!((raw().code, raw().json()), (Some(0), first.clone()));
    // Altered: refused, and the event rebuilt instead.
    let mut altered = log.clone();
    altered[half - 2] ^= 1;
    std::fs::write(path("audit-2.log"), &altered).unwrap();
    std::fs::write(path("audit.log"), &altered).unwrap();
    let refused = raw();
    assert_eq!((refused.code, refused.json()), (Some(3), first));
    assert!(refused.stderr.contains("is not what it was"), "{}", refused.stderr);
}

#[test]
fn the_beginning_of_an_id_is_enough_where_one_event_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened")[4..]);
    let ids = run(&case, &["sql", "SELECT DISTINCT audit_id FROM events ORDER BY 1", "--format", "csv"]).stdout;
    let ids: Vec<&str> = ids.lines().skip(1).collect();
    let (short, whole) = (run(&case, &["show", &ids[0][..8]]), run(&case, &["show", ids[0]]));
    assert_eq!((short.code, &short.stdout), (Some(0), &whole.stdout), "{short:?}");
    // Of sixteen and more ids two begin alike.
    let first =
        ids.iter().map(|id| &id[..1]).find(|one| ids.iter().filter(|id| id.starts_with(one)).count() > 1).unwrap();
    let many = run(&case, &["show", first]);
    assert_eq!((many.code, many.stdout.as_str()), (Some(2), ""));
    assert!(
        many.stderr.contains("the audit ids of several events begin with")
            && many.stderr.contains(ids[0]) == ids[0].starts_with(first),
        "{many:?}"
    );
    assert_eq!(run(&case, &["tag", &ids[0][..8], "--tag", "seen"]).code, Some(0));
    let listed = run(&case, &["tag"]).stdout;
    assert!(listed.contains(ids[0]), "{listed}");
    let spread = run(&case, &["spread", &format!("audit:{}", &ids[0][..8]), "--format", "json"]);
    assert!(spread.code == Some(0) && spread.stdout.contains(ids[0]), "{spread:?}");
}

#[test]
fn an_unknown_id_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened")[4..]);
    let ran = run(&case, &["show", "nope", "--stage", "Panic"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(
        ran.stderr.starts_with("error: the case has no event with audit id `nope` of stage `Panic`\n"),
        "{}",
        ran.stderr
    );
}
