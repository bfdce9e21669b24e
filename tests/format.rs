//! The format of a case: what was written once opens for ever, grows, and what a later version wrote is refused.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

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
