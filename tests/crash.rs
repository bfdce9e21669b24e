//! A crash at any instant leaves the old case or the new one, and the next run completes it.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::Path;
use std::time::{Duration, Instant};

use common::{ingest, kforensic, logs, pieces, query, run};
use serde_json::Value;

/// Crashes that are tried; the variable `KFORENSIC_CRASHES` says otherwise.
const CRASHES: u32 = 50;

/// Its multiples, less their whole parts, fill the span from 0 to 1 evenly, however many there are.
const GOLDEN_RATIO: f64 = 0.618_033_988_749_895;

fn crashes() -> u32 {
    std::env::var("KFORENSIC_CRASHES").map_or(CRASHES, |number| number.parse().unwrap())
}
/// Crashes of a compaction and of a prune that are tried.
const UPKEEP_CRASHES: u32 = 25;

/// What a case holds, as far as it must not depend on how it came about.
fn contents(case: &Path) -> (Vec<Vec<Value>>, Value) {
    let rows = ["secret-reads", "rbac-changes", "failed-auth"].map(|question| query(case, &[question]));
    let status = run(case, &["status", "--format", "json"]).json();
    (rows.to_vec(), serde_json::json!([status["events"], status["requests"], status["rejects"], status["resources"]]))
}

/// Data files and kept originals below the case that its log does not name.
fn orphans(case: &Path) -> usize {
    let log: String = std::fs::read_dir(case.join("events/_delta_log"))
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    walkdir::WalkDir::new(case)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "parquet" || extension == "zst"))
        .filter(|entry| !log.contains(entry.file_name().to_str().unwrap()))
        .count()
}

#[test]
fn kills_at_random_instants_lose_nothing_and_repeat_nothing() {
    let crashes = crashes();
    let folder = tempfile::tempdir().unwrap();
    // One commit before the crash, so that there is an old case to keep.
    let (before, rest) = (logs("sample-logs/moderate"), logs("sample-logs/hardened"));
    let undisturbed = folder.path().join("undisturbed");
    ingest(&undisturbed, &before);
    let start = Instant::now();
    let whole = ingest(&undisturbed, &rest);
    let mut length = start.elapsed();
    let expected = contents(&undisturbed);

    let (mut killed, mut completed) = (0, 0);
    for number in 0..crashes {
        let case = folder.path().join(format!("case-{number}"));
        ingest(&case, &before);
        let mut child = kforensic();
        child.arg("--case").arg(&case).arg("ingest").args(&rest).stdout(std::process::Stdio::null());
        if number % 2 == 1 {
            child.arg("--keep-originals");
        }
        let mut child = child.stderr(std::process::Stdio::null()).spawn().unwrap();
        // Spread over the whole run in an order that a machine under load cannot bias; instants need not be exact.
        let instant = length.mul_f64(f64::from(number) * GOLDEN_RATIO % 1.0);
        let started = Instant::now();
        while started.elapsed() < instant && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_micros(500));
        }
        if child.try_wait().unwrap().is_some() {
            // Faster than the first run: later kills come earlier.
            length = length.min(started.elapsed());
        }
        child.kill().unwrap();
        let code = child.wait().unwrap().code();

        // What is left is no sign of tampering, and nobody else can read it.
        is_told_from_tampering(&case);
        // A reader sees the old case or the new one.
        let commits = std::fs::read_dir(case.join("events/_delta_log")).unwrap().count();
        assert!(commits == 1 || commits == 2, "{commits}");
        let status = run(&case, &["status", "--format", "json"]).json();
        let events = if commits == 1 { 568 } else { 568 + 8_973 };
        assert_eq!(status["events"], events, "after crash {number}");
        killed += u32::from(commits == 1);
        completed += u32::from(commits == 2 || code == Some(0));

        let again = ingest(&case, &rest);
        assert_eq!(again["events"], if commits == 1 { whole["events"].clone() } else { 0.into() });
        assert_eq!((orphans(&case), case.join("staging").exists()), (0, false));
        assert_eq!(run(&case, &["verify"]).code, Some(0), "after crash {number}");
        assert_eq!(contents(&case), expected, "after crash {number}");
        std::fs::remove_dir_all(&case).unwrap();
    }
    println!("{killed} of {crashes} runs were killed before their commit, {completed} after it");
    assert!(killed > crashes / 5, "the crashes must hit the ingest: {killed}");
}

/// That `verify` passes after a crash, and that what was being written is its owner's alone.
fn is_told_from_tampering(case: &Path) {
    use std::os::unix::fs::MetadataExt;
    let verified = run(case, &["verify"]);
    let said = format!("{}{}", verified.stdout, verified.stderr);
    assert!(verified.code == Some(0) && !said.contains("altered") && !said.contains("not what"), "{said}");
    let staging = case.join("staging");
    if staging.exists() {
        assert!(files(&staging) == 0 || said.contains("a crash left "), "{said}");
        for entry in walkdir::WalkDir::new(staging).into_iter().map(Result::unwrap) {
            assert_eq!(entry.metadata().unwrap().mode() & 0o077, 0, "{}", entry.path().display());
        }
    }
}

/// Files below a folder.
fn files(folder: &Path) -> usize {
    walkdir::WalkDir::new(folder).into_iter().filter(|entry| entry.as_ref().unwrap().file_type().is_file()).count()
}

/// Copies a case as it is.
fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from).into_iter().map(Result::unwrap) {
        let target = to.join(entry.path().strip_prefix(from).unwrap());
        match entry.file_type().is_dir() {
            true => std::fs::create_dir(&target).unwrap(),
            false => _ = std::fs::copy(entry.path(), &target).unwrap(),
        }
    }
}

/// Kills upkeep at instants spread over its run: the case is the old one or the new one, and the next run completes it.
fn killed_upkeep(arguments: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("old");
    for piece in pieces(folder.path(), "sample-logs/hardened", 8) {
        ingest(&old, &[piece]);
    }
    let undisturbed = folder.path().join("new");
    copy(&old, &undisturbed);
    let start = Instant::now();
    let done = run(&undisturbed, arguments);
    let mut length = start.elapsed();
    assert_eq!(done.code, Some(0), "{done:?}");
    let expected = [contents(&old), contents(&undisturbed)];
    let (mut before, mut after) = (0, 0);
    for number in 0..UPKEEP_CRASHES {
        let case = folder.path().join(format!("case-{number}"));
        copy(&old, &case);
        let mut child = kforensic();
        child.arg("--case").arg(&case).args(arguments).stdout(std::process::Stdio::null());
        let mut child = child.stderr(std::process::Stdio::null()).spawn().unwrap();
        // Twice its length: deleting what was removed comes after the commit.
        std::thread::sleep(length.mul_f64(f64::from(number) * 2.0 / f64::from(UPKEEP_CRASHES)));
        child.kill().unwrap();
        child.wait().unwrap();
        is_told_from_tampering(&case);
        let commits = std::fs::read_dir(case.join("events/_delta_log")).unwrap().count();
        let committed = match commits {
            8 => false,
            9 => true,
            _ => panic!("{commits} commits"),
        };
        before += u32::from(!committed);
        after += u32::from(committed);
        if number * 2 > UPKEEP_CRASHES && after == 0 {
            // The machine is busier than it was during the first run.
            length *= 2;
        }
        // A reader sees the old case or the new one, and every file of it is right.
        assert_eq!(contents(&case), expected[usize::from(committed)], "after crash {number}");
        let again = run(&case, arguments);
        assert_eq!(again.code, Some(0), "{again:?}");
        assert_eq!((orphans(&case), case.join("staging").exists()), (0, false));
        assert_eq!(files(&case), files(&undisturbed), "all that was removed is deleted");
        // The rows of every source are what the ledger says, and the ledger says what happened.
        assert_eq!(run(&case, &["verify"]).code, Some(0), "after crash {number}");
        let status = run(&case, &["status", "--format", "json"]).json();
        assert_eq!(status["events"], expected[1].1[0], "after crash {number}");
        std::fs::remove_dir_all(&case).unwrap();
    }
    assert!(before > 2 && after > 2, "the crashes must fall on both sides of the commit: {before} and {after}");
}

#[test]
fn a_killed_compaction_leaves_the_old_case_or_the_new_one() {
    killed_upkeep(&["compact", "--grace", "0s"]);
}

#[test]
fn a_killed_prune_leaves_the_old_case_or_the_new_one() {
    killed_upkeep(&["prune", "--before", "2026-11-21T20:37:20Z", "--grace", "0s"]);
}
