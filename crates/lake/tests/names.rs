//! Files with any name, and those that are left out: each is counted, and it is said why.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use common::{ingest_all, try_ingest};
use kforensic_lake::{Case, Fate, LakeError, Skipped, audit, manifest, original, source_at};

fn line(id: &str) -> String {
    let event = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"@","stage":"ResponseComplete","requestURI":"/","verb":"get","user":{},"requestReceivedTimestamp":"2026-11-21T20:37:37.325661Z","stageTimestamp":"2026-11-21T20:37:37.325661Z"}"#;
    event.replace('@', id) + "\n"
}

fn write(folder: &Path, name: &[u8], content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(OsStr::from_bytes(name));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, content).unwrap();
    path
}

#[test]
fn logs_whose_names_are_not_utf_8_are_sources_of_their_own() {
    let folder = common::folder();
    let (case, evidence) = (folder.path().join("case"), folder.path().join("evidence"));
    let names = [b"audit-\xfe.log".as_slice(), b"audit-\xff.log", b"audit-\xe9.log"];
    let paths: Vec<PathBuf> =
        names.iter().enumerate().map(|(id, name)| write(&evidence, name, line(&id.to_string()))).collect();
    let report = ingest_all(&case, std::slice::from_ref(&evidence));
    assert_eq!((report.sources.len(), report.events), (3, 3));
    let found: Vec<&str> = report.sources.iter().map(|entry| entry.name.rsplit('/').next().unwrap()).collect();
    assert_eq!(found, [r"audit-\xe9.log", r"audit-\xfe.log", r"audit-\xff.log"]);
    // They are found again: to be audited, read back, and known.
    let opened = Case::open(&case).unwrap();
    let snapshot = opened.snapshot().unwrap();
    let fates: Vec<Fate> =
        audit(&snapshot, std::slice::from_ref(&evidence)).unwrap().iter().map(|found| found.fate).collect();
    assert_eq!(fates, [Fate::Matched; 3]);
    let bytes = original(&opened, &snapshot, "0-1", 0, line("0").trim_end().len() as u64).unwrap().bytes;
    assert_eq!(bytes, line("0").trim_end().as_bytes());
    assert_eq!(source_at(&snapshot, &paths[2]).unwrap().unwrap().source_id, "0-0");
    assert_eq!(ingest_all(&case, &[evidence]).records, 0);
    // Such a name has no place in a manifest.
    assert_eq!(manifest(&snapshot).unwrap_err().rsplit('/').next().unwrap(), r"audit-\xe9.log");
}

#[test]
fn a_manifest_holds_no_name_that_would_forge_a_line() {
    let folder = common::folder();
    let log = write(folder.path(), b"audit.log\n1,ff,forged.log", line("a"));
    let case = folder.path().join("case");
    ingest_all(&case, std::slice::from_ref(&log));
    let snapshot = Case::open(&case).unwrap().snapshot().unwrap();
    assert_eq!(manifest(&snapshot), Err(log.to_str().unwrap()));
}

#[test]
fn a_source_is_known_by_its_name_and_by_what_it_holds() {
    let folder = common::folder();
    let (case, log) = (folder.path().join("case"), write(folder.path(), b"audit.log", line("a")));
    ingest_all(&case, std::slice::from_ref(&log));
    let snapshot = Case::open(&case).unwrap().snapshot().unwrap();
    let is_source = |path: &Path| source_at(&snapshot, path).unwrap().is_some();
    assert!(is_source(&log));
    // Renamed, grown, or both; and replaced under its name.
    assert!(is_source(&write(folder.path(), b"moved.log", line("a") + &line("b"))));
    std::fs::write(&log, "other").unwrap();
    assert!(is_source(&log));
    assert!(!is_source(&write(folder.path(), b"answer.csv", "a,b\n")) && !is_source(&folder.path().join("none")));
}

fn left_out(skipped: &[Skipped]) -> Vec<(&str, bool)> {
    skipped.iter().map(|left| (left.name.rsplit('/').next().unwrap(), left.may_be_log)).collect()
}

#[test]
fn what_looks_like_a_log_and_is_left_out_is_marked() {
    let folder = common::folder();
    let evidence = folder.path().join("evidence");
    let outside = write(folder.path(), b"elsewhere/audit.log", line("b"));
    write(&evidence, b"audit.log", line("a"));
    write(&evidence, b"logs.7z", b"7z\xbc\xaf\x27\x1c\0\x04and so on");
    write(&evidence, b"notes.txt", "nothing");
    write(&evidence, b"policy.yaml", "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\n");
    write(&evidence, b"snake.txt", r#"request_uri: /api, audit_id: 5, no: "event""#);
    std::os::unix::fs::symlink(&outside, evidence.join("x-link-out")).unwrap();
    std::os::unix::fs::symlink("audit.log", evidence.join("x-link-in")).unwrap();
    std::os::unix::fs::symlink("nowhere", evidence.join("x-old-audit.log")).unwrap();
    let case = folder.path().join("case");
    let report = ingest_all(&case, std::slice::from_ref(&evidence));
    assert_eq!((report.events, report.rejected), (1, 0));
    let expected = [
        ("logs.7z", true),
        ("notes.txt", false),
        ("policy.yaml", false),
        ("snake.txt", true),
        ("x-link-in", false),
        ("x-link-out", true),
        ("x-old-audit.log", true),
    ];
    assert_eq!(left_out(&report.skipped), expected);
    // The account of the case says the same.
    let snapshot = Case::open(&case).unwrap().snapshot().unwrap();
    assert_eq!(left_out(&snapshot.operations[0].skipped), expected);
    let only = write(folder.path(), b"only/logs.7z", b"7z\xbc\xaf\x27\x1c\0\x04");
    let error = try_ingest(&folder.path().join("other"), &[only.parent().unwrap().to_owned()]).unwrap_err();
    assert!(error.to_string().ends_with("(1 other file in them, 1 of which may be logs all the same)"), "{error}");
}

#[test]
fn a_link_that_leads_nowhere_says_where_it_points_to() {
    let folder = common::folder();
    let link = folder.path().join("audit.log");
    std::os::unix::fs::symlink("../gone/audit.log", &link).unwrap();
    let error = try_ingest(&folder.path().join("case"), std::slice::from_ref(&link)).unwrap_err().to_string();
    assert!(error.ends_with("is a symbolic link to `../gone/audit.log`, which does not exist"), "{error}");
}

/// Who names such a file is told what it is and what to do, and not that its bytes are no JSON.
#[test]
fn a_file_of_a_kind_that_is_not_opened_is_one_reject_that_says_so() {
    let folder = common::folder();
    let case = folder.path().join("case");
    let database = [b"SQLite format 3\0".as_slice(), &[0xff; 200_000], line("a").as_bytes()].concat();
    let seven = write(folder.path(), b"logs.7z", b"7z\xbc\xaf\x27\x1c\0\x04\n\n");
    let paths = [write(folder.path(), b"logs.db", &database), seven.clone()];
    let report = ingest_all(&case, &paths);
    assert_eq!((report.records, report.events, report.rejected), (2, 0, 2));
    let reasons: Vec<(&str, u64)> = report
        .sources
        .iter()
        .flat_map(|source| source.reasons.iter().map(|(reason, records)| (reason.as_str(), *records)))
        .collect();
    let database_reason = "an SQLite database; export its table as JSON or CSV (`sqlite3 -json`)";
    assert_eq!(reasons, [(database_reason, 1), ("a 7z archive; unpack it and ingest what is in it", 1)]);
    assert_eq!(report.sources[0].content_bytes, database.len() as u64);
    // They are known again, and another one of the kind is another reject.
    assert_eq!(ingest_all(&case, &paths).records, 0);
    let other = write(folder.path(), b"others.7z", b"7z\xbc\xaf\x27\x1c\0\x05");
    assert_eq!(ingest_all(&case, &[other]).rejected, 1);
    // In a folder it is one where an event's names stand in it, else it is left out.
    write(folder.path(), b"notes/notes.db", b"SQLite format 3\0");
    let error = try_ingest(&folder.path().join("other"), &[folder.path().join("notes")]).unwrap_err();
    assert!(error.to_string().ends_with("(1 other file in them)"), "{error}");
    let moved = folder.path().join("folder/logs.db");
    std::fs::create_dir(moved.parent().unwrap()).unwrap();
    std::fs::rename(&paths[0], &moved).unwrap();
    assert_eq!(ingest_all(&folder.path().join("third"), &[moved.parent().unwrap().to_owned()]).rejected, 1);
}

/// A log that somebody cut begins within a line, and with what a client sent when that one had luck.
#[test]
fn a_piece_of_a_log_is_read_whatever_it_begins_with() {
    let folder = common::folder();
    let beginnings = [b"PAR1PAR1".as_slice(), b"%PDF-1.7", b"Salted__", b"\n\r\r\n", b"\x9f\x98\x80", b"\xbc"];
    let paths = beginnings.iter().enumerate().map(|(number, beginning)| {
        let piece = [beginning, b"\"}\n".as_slice(), line(&number.to_string()).as_bytes()].concat();
        write(folder.path(), format!("{number}.log").as_bytes(), piece)
    });
    let report = ingest_all(&folder.path().join("case"), &paths.collect::<Vec<_>>());
    assert_eq!((report.events, report.rejected), (beginnings.len() as u64, beginnings.len() as u64));
}

#[test]
fn a_workbook_is_no_archive_without_a_log() {
    let folder = common::folder();
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("xl/workbook.xml", zip::write::SimpleFileOptions::default()).unwrap();
    let workbook = write(folder.path(), b"audit.xlsx", zip.finish().unwrap().into_inner());
    let error = try_ingest(&folder.path().join("case"), std::slice::from_ref(&workbook)).unwrap_err();
    let LakeError::NothingToRead { first: Some((name, reason)), .. } = error else { panic!("{error}") };
    assert_eq!(
        (Path::new(&name), reason.as_str()),
        (workbook.as_path(), "a workbook; save the sheet as CSV and ingest that")
    );
}

#[test]
fn a_log_that_was_put_into_a_case_among_the_evidence_is_found() {
    let folder = common::folder();
    let evidence = folder.path().join("evidence");
    let log = write(&evidence, b"audit.log", line("a"));
    let old = evidence.join("old-case");
    ingest_all(&old, &[log]);
    write(&old, b"events/hidden.json", line("b"));
    write(&old, b"deep/er/hidden.log", line("c"));
    // What only looks like a case is none.
    write(&evidence, b"decoy/events/_delta_log/00000000000000000000.json", "{}");
    write(&evidence, b"decoy/audit.log", line("d"));
    let report = ingest_all(&folder.path().join("case"), std::slice::from_ref(&evidence));
    assert_eq!(report.events, 4, "{report:?}");
    let cases = report.skipped.iter().filter(|skipped| skipped.reason == "a case of kforensic");
    assert_eq!(cases.map(|skipped| skipped.name.as_str()).collect::<Vec<_>>(), [old.to_str().unwrap()]);
    // The case that is written to is no evidence, wherever it lies.
    let report = ingest_all(&evidence.join("new-case"), &[evidence]);
    assert_eq!(report.events, 4, "{report:?}");
}
