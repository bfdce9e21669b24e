//! An ingest into a folder that is not what it should be: no byte of anybody else's changes, and it is said why.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use common::{ingest_all, logs, try_ingest};
use kforensic_lake::{Case, IngestOptions, LakeError, Progress, Report, Verification, Writer, ingest, verify};
use sha2::Digest;

/// What lies below a folder: the kind of everything, the target of links, the content of files.
fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap);
    let content = |entry: &walkdir::DirEntry| match entry.file_type() {
        kind if kind.is_symlink() => format!("-> {}", std::fs::read_link(entry.path()).unwrap().display()).into_bytes(),
        kind if kind.is_dir() => b"folder".to_vec(),
        _ => std::fs::read(entry.path()).unwrap(),
    };
    entries.map(|entry| (entry.path().to_owned(), content(&entry))).collect()
}

fn write(path: &Path, content: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

/// Ingests a log, which must be refused because of `culprit` and change nothing.
fn refused(folder: &Path, case: &Path, culprit: &Path, is_evidence: bool) {
    let before = tree(folder);
    let error = try_ingest(case, &[logs("sample-logs/hardened")[4].clone()]).unwrap_err();
    assert!(error.to_string().contains(&format!("`{}`", culprit.display())), "{error}");
    assert_eq!(error.is_about_evidence(), is_evidence, "{error}");
    assert_eq!(tree(folder), before, "{error}");
}

/// A case with one commit for each of two logs, and copies of their originals.
fn case_of_two(folder: &Path) -> PathBuf {
    let case = folder.join("case");
    for log in &logs("sample-logs/hardened")[3..] {
        keeping(&case, log);
    }
    case
}

fn keeping(case: &Path, log: &Path) -> Report {
    let writer = Writer::open(case, "process 1").unwrap();
    let options =
        IngestOptions { paths: vec![log.to_owned()], threads: 2, keep_originals: true, ..IngestOptions::default() };
    ingest(&writer, &options, &Progress::default()).unwrap()
}

fn verified(case: &Path) -> Verification {
    verify(&Case::open(case).unwrap()).unwrap()
}

fn named(found: &Verification) -> Vec<&str> {
    found.problems.iter().map(|problem| problem.name.as_str()).collect()
}

#[test]
fn a_case_whose_newest_commit_is_missing_keeps_its_files_and_is_refused() {
    let folder = common::folder();
    let case = case_of_two(folder.path());
    std::fs::remove_file(case.join("events/_delta_log/00000000000000000001.json")).unwrap();
    let before = tree(folder.path());
    let error = try_ingest(&case, &[logs("sample-logs/hardened")[0].clone()]).unwrap_err();
    assert!(matches!(&error, LakeError::Stray { is_case: true, more, .. } if *more > 3), "{error}");
    assert!(error.to_string().contains("0000000001-"), "{error}");
    assert_eq!(tree(folder.path()), before);
    let found = verified(&case);
    assert!(found.crash_left.is_empty() && named(&found).iter().any(|name| name.contains("originals/")), "{found:?}");
    // The same when none of its commits came along.
    std::fs::remove_file(case.join("events/_delta_log/00000000000000000000.json")).unwrap();
    let first = tree(&case.join("events")).into_keys().find(|path| path.is_file()).unwrap();
    refused(folder.path(), &case, &first, true);
    std::fs::remove_dir(case.join("events/_delta_log")).unwrap();
    refused(folder.path(), &case, &first, false);
}

#[test]
fn a_folder_of_somebody_elses_is_left_as_it_is() {
    for names in [
        &["events/mine.txt"][..],
        &["events/data.parquet"],
        &["staging/plan.md"],
        &["staging/journal.jsonl"],
        &["originals/thesis.zst", "events/a/b/c.parquet"],
        &["events/_delta_log/00000000000000000000.crc"],
        &["LOCK", "events/x"],
    ] {
        let folder = common::folder();
        let case = folder.path().join("mine");
        names.iter().for_each(|name| write(&case.join(name), "of mine"));
        let culprit = names.iter().map(|name| case.join(name)).filter(|path| !path.ends_with("LOCK")).min().unwrap();
        let culprit = if names.len() > 1 && names[0].starts_with("originals") { case.join(names[1]) } else { culprit };
        refused(folder.path(), &case, &culprit, names[0].contains("_delta_log"));
    }
    // What a database calls its lock is not written into, even where nothing else is.
    let folder = common::folder();
    let case = folder.path().join("mine");
    write(&case.join("LOCK"), "4711 of a database\n");
    ingest_all(&case, &[logs("sample-logs/hardened")[4].clone()]);
    assert_eq!(std::fs::read_to_string(case.join("LOCK")).unwrap(), "4711 of a database\n");
}

#[test]
fn links_are_not_followed_wherever_a_case_has_a_file_or_folder() {
    for (name, is_folder) in [
        ("LOCK", false),
        ("redaction.key", false),
        ("events", true),
        ("events/_delta_log", true),
        ("staging", true),
        ("originals", true),
    ] {
        for is_case in [false, true] {
            let folder = common::folder();
            let case = if is_case { case_of_two(folder.path()) } else { folder.path().join("case") };
            let (place, victim) = (case.join(name), folder.path().join("victim"));
            if is_folder {
                write(&victim.join("precious.parquet"), "precious");
            } else {
                write(&victim, "precious");
            }
            std::fs::create_dir_all(place.parent().unwrap()).unwrap();
            if place.exists() {
                std::fs::rename(&place, folder.path().join("away")).unwrap();
            }
            symlink(&victim, &place).unwrap();
            let before = tree(folder.path());
            let error = try_ingest(&case, &[logs("sample-logs/hardened")[4].clone()]).unwrap_err();
            assert!(
                error.to_string().contains(&format!("`{}` is a symbolic link", place.display())),
                "{name}: {error}"
            );
            assert_eq!(tree(folder.path()), before, "{name}");
        }
    }
    // A link in the place of a folder of the table, or of a file, and one that leads nowhere.
    for name in ["events/date=2026-11-21/resource_partition=zz", "events/x.parquet", "staging/0000000002-00000.parquet"]
    {
        let folder = common::folder();
        let case = case_of_two(folder.path());
        let victim = folder.path().join("victim");
        std::fs::create_dir_all(case.join(name).parent().unwrap()).unwrap();
        symlink(&victim, case.join(name)).unwrap();
        refused(folder.path(), &case, &case.join(name), true);
        assert!(named(&verified(&case)).contains(&case.join(name).to_str().unwrap()));
    }
}

#[test]
fn a_lock_that_is_also_another_file_is_not_written_into() {
    let folder = common::folder();
    let case = case_of_two(folder.path());
    let victim = folder.path().join("victim");
    std::fs::write(&victim, "process accounting of mine").unwrap();
    std::fs::remove_file(case.join("LOCK")).unwrap();
    std::fs::hard_link(&victim, case.join("LOCK")).unwrap();
    ingest_all(&case, &[logs("sample-logs/hardened")[0].clone()]);
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "process accounting of mine");
}

#[test]
fn strays_stay_and_are_named() {
    for name in [
        "events/date=2026-11-21/resource_partition=pods/evil.parquet",
        "events/date=2026-11-21/resource_partition=pods/0000000002-00000.parquet",
        "events/_delta_log/_last_checkpoint",
        "events/notes",
        "staging/left.tmp",
        "staging/0000000002-00000.parquet",
        "originals/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.zst",
        "originals/notes.zst",
    ] {
        let folder = common::folder();
        let case = case_of_two(folder.path());
        write(&case.join(name), "evidence of tampering");
        refused(folder.path(), &case, &case.join(name), true);
        assert_eq!(named(&verified(&case)), [case.join(name).to_str().unwrap()]);
    }
}

/// Puts what a writer leaves that is killed between moving its files into place and its commit.
fn crash(case: &Path) -> Vec<PathBuf> {
    let donor = common::folder();
    let other = donor.path().join("case");
    std::fs::create_dir(&other).unwrap();
    for name in ["events", "redaction.key", "originals", "LOCK"] {
        let from = case.join(name);
        for entry in walkdir::WalkDir::new(&from).into_iter().map(Result::unwrap) {
            let to = other.join(entry.path().strip_prefix(case).unwrap());
            match entry.file_type().is_dir() {
                true => std::fs::create_dir_all(&to).unwrap(),
                false => _ = std::fs::copy(entry.path(), &to).unwrap(),
            }
        }
    }
    let before = tree(&other);
    keeping(&other, &logs("sample-logs/hardened")[0]);
    let new: Vec<(PathBuf, Vec<u8>)> =
        tree(&other).into_iter().filter(|(path, _)| !before.contains_key(path) && path.is_file()).collect();
    let mut journal = "{\"journal\":{\"of\":\"kforensic\",\"format\":1,\"holder\":\"process 1\"}}\n".to_owned();
    let mut left = Vec::new();
    for (path, bytes) in new {
        let name = path.strip_prefix(&other).unwrap().to_owned();
        if name.to_str().unwrap().contains("_delta_log") {
            continue;
        }
        let sha256: String = sha2::Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        journal += &format!("{{\"placed\":{{\"path\":\"{}\",\"sha256\":\"{sha256}\"}}}}\n", name.display());
        std::fs::create_dir_all(case.join(&name).parent().unwrap()).unwrap();
        std::fs::write(case.join(&name), bytes).unwrap();
        left.push(case.join(name));
    }
    journal += "{\"staged\":\"00000000000000000002.json\"}\n{\"staged\":\"torn";
    write(&case.join("staging/journal.jsonl"), &journal);
    write(&case.join("staging/00000000000000000002.json"), "half of a com");
    left
}

#[test]
fn what_a_crash_left_is_told_from_what_somebody_put_there_and_cleared() {
    let folder = common::folder();
    let case = case_of_two(folder.path());
    let left = crash(&case);
    assert!(left.len() > 5, "{left:?}");
    let found = verified(&case);
    assert!(found.problems.is_empty() && found.crash_left.len() == left.len() + 2, "{found:?}");
    // One of them was replaced since: that is no leftover any more.
    let bytes = std::fs::read(&left[0]).unwrap();
    std::fs::write(&left[0], "planted").unwrap();
    refused(folder.path(), &case, &left[0], true);
    assert_eq!(named(&verified(&case)), [left[0].to_str().unwrap()]);
    std::fs::write(&left[0], bytes).unwrap();
    // A stray beside them.
    write(&case.join("staging/mine"), "x");
    refused(folder.path(), &case, &case.join("staging/mine"), true);
    std::fs::remove_file(case.join("staging/mine")).unwrap();
    assert!(keeping(&case, &logs("sample-logs/hardened")[0]).events > 1_000);
    assert!(!case.join("staging").exists());
    let found = verified(&case);
    assert!(found.problems.is_empty() && found.crash_left.is_empty(), "{found:?}");
}

#[test]
fn an_ingest_that_comes_to_nothing_leaves_nothing() {
    let folder = common::folder();
    write(&folder.path().join("docs/readme.txt"), "nothing here");
    let before = tree(folder.path());
    for case in ["case", "new/in/new"] {
        let error = try_ingest(&folder.path().join(case), &[folder.path().join("docs")]).unwrap_err();
        assert!(matches!(error, LakeError::NothingToRead { .. }), "{error}");
        assert_eq!(tree(folder.path()), before);
    }
    // A folder that was there stays.
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    try_ingest(&folder.path().join("empty"), &[folder.path().join("docs")]).unwrap_err();
    assert!(tree(&folder.path().join("empty")).len() == 1);
}

#[test]
fn a_file_that_took_the_name_of_a_removed_one_is_not_deleted() {
    let folder = common::folder();
    let case = folder.path().join("case");
    for log in logs("sample-logs/hardened") {
        ingest_all(&case, &[log]);
    }
    let compacted = |grace_ms: i64, now_ms: i64| {
        let writer = Writer::open(&case, "process 1").unwrap();
        let options = kforensic_lake::UpkeepOptions { threads: 2, grace_ms, now_ms, ..Default::default() };
        kforensic_lake::compact(&writer, 1, &options, &Progress::default()).unwrap()
    };
    assert!(compacted(1_000, 5_000).swept.waiting_files > 5);
    let snapshot = Case::open(&case).unwrap().snapshot().unwrap();
    let removed = case.join("events").join(snapshot.removed.keys().next().unwrap());
    std::fs::remove_file(&removed).unwrap();
    std::fs::write(&removed, "of somebody").unwrap();
    let swept = compacted(1_000, 9_000).swept;
    assert_eq!((swept.strange_files, swept.waiting_files), (1, 0));
    assert_eq!(std::fs::read_to_string(&removed).unwrap(), "of somebody");
    assert_eq!(named(&verified(&case)), [removed.to_str().unwrap()]);
}
