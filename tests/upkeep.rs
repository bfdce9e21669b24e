//! `kforensic compact` and `kforensic prune`: the same answers from fewer files, and what is gone stands on record.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use common::{ingest, pieces, query, run};
use serde_json::Value;

/// An instant in the middle of the logs.
const MIDDLE: &str = "2026-11-21T20:37:20Z";

/// A case into which the pieces of a real log were ingested one by one.
fn many_ingests(folder: &Path, count: usize) -> PathBuf {
    let case = folder.join("case");
    for piece in pieces(folder, "sample-logs/hardened", count) {
        ingest(&case, &[piece]);
    }
    case
}

/// All that the case answers, byte for byte.
fn answers(case: &Path) -> BTreeMap<String, String> {
    let mut answers = BTreeMap::new();
    for question in ["secret-reads", "rbac-changes", "failed-auth"] {
        for format in ["table", "json", "jsonl", "csv"] {
            let ran = run(case, &["query", question, "--format", format]);
            assert_eq!(ran.code, Some(0), "{ran:?}");
            answers.insert(format!("{question} {format}"), ran.stdout);
        }
    }
    for row in query(case, &["secret-reads", "--outcome", "denied"]) {
        let id = row["audit_id"].as_str().unwrap();
        for arguments in [vec!["show", id], vec!["show", id, "--raw"]] {
            let ran = run(case, &arguments);
            assert_eq!(ran.code, Some(0), "{ran:?}");
            answers.insert(arguments.join(" "), ran.stdout);
        }
    }
    let mut status = run(case, &["status", "--format", "json"]).json();
    for changing in ["fingerprint", "version", "files", "bytes"] {
        status[changing].take();
    }
    answers.insert("status".to_owned(), status.to_string());
    answers
}

fn status(case: &Path) -> Value {
    run(case, &["status", "--format", "json"]).json()
}

fn verified(case: &Path) -> Value {
    let ran = run(case, &["verify", "--format", "json"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran.json()
}

#[test]
fn compaction_changes_the_files_and_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let case = many_ingests(folder.path(), 8);
    let (before, old) = (answers(&case), status(&case));
    assert_eq!(old["version"], 7, "eight small files in a partition are not too many");
    let ran = run(&case, &["compact"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""), "{ran:?}");
    assert!(ran.stderr.starts_with("commit 8 merges "), "{}", ran.stderr);
    assert!(ran.stderr.contains("removed files are still there"), "{}", ran.stderr);
    assert_eq!(answers(&case), before);
    let new = status(&case);
    assert!(new["files"].as_u64().unwrap() * 4 < old["files"].as_u64().unwrap(), "{old:#} {new:#}");
    assert!(new["bytes"].as_u64() < old["bytes"].as_u64());
    verified(&case);
    let again = run(&case, &["compact", "--grace", "0s", "--format", "json"]).json();
    assert_eq!((&again["version"], &again["fingerprint"]), (&Value::Null, &new["fingerprint"]));
    let (deleted, merged) = (again["deleted_files"].as_u64().unwrap(), old["files"].as_u64().unwrap());
    assert!(deleted * 10 > merged * 9 && deleted >= 100 && again["waiting_files"] == 0, "{again:#} {old:#}");
    verified(&case);
    assert_eq!(answers(&case), before);
}

#[test]
fn many_small_ingests_are_merged_by_themselves_and_the_report_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    let (mut merged, mut most) = (0, 0);
    for (number, piece) in pieces(folder.path(), "sample-logs/hardened", 20).iter().enumerate() {
        let ran = run(&case, &["ingest", piece, "--format", "json"]);
        let accounts = ran.json();
        let now = status(&case);
        assert_eq!((ran.code, &accounts["fingerprint"]), (Some(0), &now["fingerprint"]));
        most = most.max(now["files"].as_u64().unwrap());
        if accounts["compaction"].is_object() {
            merged += 1;
            assert_eq!(accounts["compaction"]["version"], accounts["version"].as_u64().unwrap() + 1);
            assert!(number >= 8, "the ninth ingest is the first that can leave nine small files");
        }
    }
    assert_eq!(merged, 2);
    assert!(most < 400, "{most}");
    assert_eq!(status(&case)["events"], 8_973);
    verified(&case);
    // The same sources again: nothing is read, nothing merged.
    let again = ingest(&case, &pieces(folder.path(), "sample-logs/hardened", 20));
    assert_eq!((&again["records"], &again["version"], &again["compaction"]), (&0.into(), &Value::Null, &Value::Null));
    // On a terminal it is one line.
    let case = folder.path().join("other");
    let mut said = String::new();
    for piece in &pieces(folder.path(), "sample-logs/hardened", 20)[..9] {
        said = run(&case, &["ingest", piece]).stderr;
    }
    let line = said.lines().last().unwrap();
    assert!(line.starts_with("commit 8 of `") && line.contains("`; commit 9 merges "), "{said}");
}

#[test]
fn a_prune_says_what_it_removes_and_removes_it() {
    let folder = tempfile::tempdir().unwrap();
    let case = many_ingests(folder.path(), 5);
    let (old, all) = (status(&case), query(&case, &["secret-reads"]));
    let said = run(&case, &["prune", "--before", MIDDLE, "--dry-run", "--format", "json"]);
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""));
    assert_eq!(status(&case), old, "a dry run changes nothing");
    let dry = run(&case, &["prune", "--before", MIDDLE, "--dry-run"]);
    assert!(dry.stderr.starts_with("would remove what is from before 2026-11-21 20:37:20.000 UTC: "), "{dry:?}");
    assert!(dry.stdout.contains("piece-00.log"), "{dry:?}");
    let said = said.json();
    let done = run(&case, &["prune", "--before", MIDDLE, "--format", "json"]).json();
    for (field, value) in said.as_object().unwrap() {
        assert_eq!(done[field], *value, "{field}");
    }
    let (new, gone) = (status(&case), done["events"].as_u64().unwrap());
    assert!(gone > 1_000 && done["first_event"] == old["first_event"], "{done:#}");
    assert_eq!(new["events"].as_u64().unwrap() + gone, old["events"].as_u64().unwrap());
    assert!(new["first_event"].as_str().unwrap() >= "2026-11-21T20:37:20.000000Z", "{}", new["first_event"]);
    assert_eq!((&new["sources"], &new["pruned"][0]["events"]), (&old["sources"], &done["events"]));
    let found = verified(&case);
    assert_eq!(found["case"]["pruned_events"], done["events"]);
    assert_eq!(run(&case, &["prune", "--before", MIDDLE, "--format", "json"]).json()["version"], Value::Null);
    // Answers hold what is left, and say what they cannot hold.
    let stays = |row: &&Value| row["event_time"].as_str().unwrap() >= "2026-11-21T20:37:20.000000Z";
    let left: Vec<_> = all.iter().filter(stays).cloned().collect();
    assert_eq!(query(&case, &["secret-reads"]), left);
    let note = format!("note: {gone} events from before 2026-11-21 20:37:20.000 UTC were pruned from the case");
    assert!(run(&case, &["query", "secret-reads"]).stderr.contains(&note));
    assert!(!run(&case, &["query", "secret-reads", "--since", MIDDLE]).stderr.contains("pruned"));
    assert!(run(&case, &["status"]).stdout.contains("\npruned\n"));
    // The sources stay known, and that is said.
    let again = run(&case, &["ingest", &pieces(folder.path(), "sample-logs/hardened", 5)[0]]);
    assert!(again.stderr.contains(" was read before, as source 0-0; "), "{again:?}");
    assert!(again.stderr.contains("are not brought back") && again.stderr.contains("nothing new for"), "{again:?}");
}

#[test]
fn times_and_lengths_are_checked_before_anything_happens() {
    let folder = tempfile::tempdir().unwrap();
    let case = many_ingests(folder.path(), 2);
    let old = status(&case);
    for (arguments, message) in [
        (vec!["prune"], "error: the following required arguments were not provided:\n  --before <TIME>"),
        (vec!["prune", "--before", "soon"], "error: `soon` is not a time: expected RFC 3339"),
        (vec!["prune", "--before", MIDDLE, "--grace", "1M"], "error: `1M` is not a length of time such as `90s`"),
        (vec!["compact", "--grace", "2026-11-21"], "error: `2026-11-21` is not a length of time"),
    ] {
        let ran = run(&case, &arguments);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.starts_with(message), "{}", ran.stderr);
    }
    assert_eq!(status(&case), old);
    // An age counts back from now: no log is twenty years old. Nothing is older than the first event.
    let none = run(&case, &["prune", "--before", "1040w", "--dry-run", "--format", "json"]).json();
    assert_eq!(none["events"], 0);
    let none = run(&case, &["prune", "--before", "2026-11-21", "--dry-run"]);
    assert_eq!((none.code, none.stderr.as_str()), (Some(0), "nothing is from before 2026-11-21 00:00:00.000 UTC\n"));
    // Upkeep makes no case where there is none.
    for command in [vec!["compact"], vec!["prune", "--before", MIDDLE]] {
        let none = folder.path().join("none");
        assert_eq!(run(&none, &command).code, Some(2));
        assert!(!none.exists());
    }
}
