//! The format of a case: what was written once opens for ever, grows, and what a later version wrote is refused.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use common::{Ran, ingest, logs, repository, run};

/// Cases of format 2 as they were written: by the first version, whose files have no folded columns, and by the one that
/// added them.
const CASES: [&str; 2] = ["tests/cases/format-2-first", "tests/cases/format-2-folded"];

fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from).into_iter().map(Result::unwrap) {
        let target = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
}

fn answers(case: &Path) -> Vec<String> {
    ["secret-reads", "rbac-changes", "failed-auth", "exec-sessions", "privileged-bindings", "timeline"]
        .map(|query| run(case, &["query", query, "--format", "csv"]))
        .into_iter()
        .map(|Ran { code, stdout, stderr }| {
            assert_eq!(code, Some(0), "{stderr}");
            stdout
        })
        .collect()
}

#[test]
fn a_case_of_format_2_opens_for_ever_and_grows() {
    let folder = tempfile::tempdir().unwrap();
    let fresh = folder.path().join("fresh");
    ingest(&fresh, &[repository("tests/logs/exports/00-plain.log").to_string_lossy().into_owned()]);
    let expected = answers(&fresh);
    for (number, kept) in CASES.iter().enumerate() {
        let case = folder.path().join(format!("case-{number}"));
        copy(&repository(kept), &case);
        assert_eq!(answers(&case), expected, "{kept}");
        assert_eq!(run(&case, &["verify"]).code, Some(0), "{kept}");
        // The same log brings nothing, another one its events; both kinds of files answer beside each other.
        ingest(&case, &[repository("tests/logs/exports/00-plain.log").to_string_lossy().into_owned()]);
        assert_eq!(answers(&case), expected, "{kept}");
        let more = logs("sample-logs/hardened");
        ingest(&case, &more);
        if number == 0 {
            ingest(&fresh, &more);
        }
        let grown = answers(&fresh);
        assert_ne!(grown, expected);
        assert_eq!(answers(&case), grown, "{kept}");
        // A compaction writes files of before anew, with the columns that were added.
        assert_eq!(run(&case, &["compact"]).code, Some(0), "{kept}");
        assert_eq!(answers(&case), grown, "{kept}");
        let unfolded = run(&case, &["sql", "SELECT count(*) AS n FROM events WHERE final IS NULL", "--format", "csv"]);
        assert_eq!(unfolded.stdout, "n\n0\n", "{kept}");
        assert_eq!(run(&case, &["verify"]).code, Some(0), "{kept}");
    }
}

/// Resources that have a folder of their own in a case, and some file in it.
fn folders(case: &Path) -> BTreeSet<String> {
    let files = walkdir::WalkDir::new(case.join("events")).into_iter().map(Result::unwrap);
    let folders = files.filter_map(|file| {
        let folder = file.path().parent()?.file_name()?.to_str()?;
        folder.strip_prefix("resource_partition=").map(str::to_owned)
    });
    folders.collect()
}

#[test]
fn a_case_keeps_the_folders_that_it_was_made_with_so_that_requests_stay_whole() {
    let folder = tempfile::tempdir().unwrap();
    // The stages of each request come in two ingests.
    let log = std::fs::read_to_string(repository("tests/logs/damage/truncated-bodies.log")).unwrap();
    let halves = ["received", "answered"].map(|half| {
        let lines = log.lines().filter(|line| line.contains("RequestReceived") == (half == "received"));
        let path = folder.path().join(half).with_extension("log");
        std::fs::write(&path, lines.collect::<Vec<_>>().join("\n") + "\n").unwrap();
        path.to_string_lossy().into_owned()
    });
    let first = || repository("tests/logs/exports/00-plain.log").to_string_lossy().into_owned();
    let [now, kept] = ["now", "kept"].map(|name| folder.path().join(name));
    copy(&repository(CASES[1]), &kept);
    for case in [&now, &kept] {
        ingest(case, &[first()]);
        for half in &halves {
            ingest(case, std::slice::from_ref(half));
        }
    }
    assert_eq!(answers(&kept), answers(&now));
    for case in [&now, &kept] {
        let split = "SELECT count(*) AS n FROM \
            (SELECT audit_id FROM events GROUP BY event_time, audit_id HAVING count(*) FILTER (final) <> 1)";
        assert_eq!(run(case, &["sql", split, "--format", "csv"]).stdout, "n\n0\n");
    }
    assert!(folders(&kept).contains("clusterrolebindings") && folders(&kept).contains("clusterroles"));
    assert!(folders(&now).contains("secrets") && !folders(&now).contains("clusterrolebindings"));
}

#[test]
fn another_format_is_refused_with_its_number_and_who_wrote_it() {
    for (format, says) in [
        (3, "its format is 3, written by kforensic 9.9.9; this version reads format 2"),
        (1, "its format is 1, which was never released: ingest the logs into a new case"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let case = folder.path().join("case");
        copy(&repository(CASES[1]), &case);
        let log: PathBuf = case.join("events/_delta_log/00000000000000000000.json");
        let text = std::fs::read_to_string(&log).unwrap();
        let written = text.replacen("\"format\":2", &format!("\"format\":{format}"), 1);
        let written = written.replacen("\"tool_version\":\"0.1.0\"", "\"tool_version\":\"9.9.9\"", 1);
        // What a later version writes this one may not know at all.
        let written = written.replacen("{\"protocol\":", "{\"newAction\":{}}\n{\"protocol\":", 1);
        std::fs::remove_file(&log).unwrap();
        std::fs::write(&log, written).unwrap();
        for command in ["status", "verify"] {
            let refused = run(&case, &[command]);
            assert!(refused.code != Some(0) && refused.stderr.contains(says), "{refused:?}");
        }
    }
}
