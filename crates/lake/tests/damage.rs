//! Damaged, odd and hostile input: every record is accounted for, nothing else is harmed.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::{Path, PathBuf};

use common::{content, gzip, ingest_all, logs, rebuilt, rejects, repository, tree, try_ingest};
use kforensic_event::partition;
use kforensic_lake::{Case, LakeError, Report, Writer};

const EVENT: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"@","stage":"ResponseComplete","requestURI":"/","verb":"get","user":{},"requestReceivedTimestamp":"2026-11-21T20:37:37.325661Z","stageTimestamp":"2026-11-21T20:37:37.325661Z"}"#;

fn event(id: &str) -> String {
    EVENT.replace('@', id)
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(common::folder())
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn case(&self) -> PathBuf {
        self.0.path().join("case")
    }

    fn ingest(&self, bytes: impl AsRef<[u8]>) -> Report {
        let log = self.write("the.log", bytes);
        ingest_all(&self.case(), &[log])
    }
}

fn counts(report: &Report) -> (u64, u64, u64, u64) {
    (report.records, report.events, report.duplicates, report.rejected)
}

#[test]
fn long_lines_are_events() {
    let folder = Folder::new();
    let long = |megabytes: usize| {
        let body = format!(",\"requestObject\":{{\"data\":\"{}\"}}}}", "x".repeat(megabytes));
        event(&megabytes.to_string()).strip_suffix('}').unwrap().to_owned() + &body
    };
    let log = format!("{}\n{}\n{}\n", long(70_000), long(20_000_000), event("short"));
    assert_eq!(counts(&folder.ingest(log)), (3, 3, 0, 0));
    let largest = rebuilt(&folder.case()).iter().map(|event| event.to_string().len()).max().unwrap();
    assert!(largest > 20_000_000);
}

#[test]
fn an_empty_file_is_a_source_without_records() {
    let folder = Folder::new();
    let report = folder.ingest("");
    assert_eq!(counts(&report), (0, 0, 0, 0));
    assert_eq!(report.sources[0].sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_eq!(report.version, Some(0));
}

#[test]
fn garbage_is_kept_word_for_word() {
    let folder = Folder::new();
    let noise =
        b"\x00\x01\x02\n\xff\xfe not utf-8 \xc3\x28\nplain words\n{\"json\": \"but no event\"}\n\n   \n[1,2]\n7";
    assert_eq!(counts(&folder.ingest(noise)), (6, 0, 0, 6));
    let rejects = rejects(&folder.case());
    for (reason, line, offset, raw) in &rejects {
        let from = usize::try_from(*offset).unwrap();
        assert_eq!(&noise[from..from + raw.len()], raw.as_slice(), "{reason}");
        assert_eq!(*line, 1 + i64::try_from(noise[..from].iter().filter(|byte| **byte == b'\n').count()).unwrap());
    }
    let reasons: Vec<&str> = rejects.iter().map(|reject| reject.0.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "not UTF-8: invalid byte at column 1",
            "not a JSON object: expected value at column 1",
            "not a JSON object: expected value at column 1",
            "not a JSON object: invalid type: integer `7`, expected a JSON object at column 1",
            "not a JSON object: invalid type: sequence, expected a JSON object at column 0",
            "not an audit event: no string `auditID`",
        ]
    );
}

#[test]
fn a_byte_order_mark_crlf_and_a_missing_last_newline_lose_nothing() {
    let folder = Folder::new();
    let log = format!("\u{feff}{}\r\n{}\r\n\r\n{}", event("a"), event("b"), event("c"));
    assert_eq!(counts(&folder.ingest(log)), (3, 3, 0, 0));
}

#[test]
fn a_torn_last_line_is_a_reject() {
    let folder = Folder::new();
    let log = format!("{}\n{}", event("a"), &event("b")[..150]);
    assert_eq!(counts(&folder.ingest(log)), (2, 1, 0, 1));
    assert_eq!(rejects(&folder.case())[0].0, "torn: the record of event `b` ends inside a JSON value");
}

#[test]
fn a_truncated_gzip_gives_its_whole_events_and_one_reject() {
    let folder = Folder::new();
    let log: String = (0..5000).map(|id| event(&format!("{id:x}-{}", id * 7919)) + "\n").collect();
    let stored = gzip(log.as_bytes());
    let broken = folder.write("audit.log.gz", &stored[..stored.len() * 2 / 3]);
    let report = ingest_all(&folder.case(), std::slice::from_ref(&broken));
    assert!(report.events > 1000 && report.rejected == 1, "{report:?}");
    assert!(rejects(&folder.case())[0].0.starts_with("the input cannot be read on from here: "));
    // The whole file, later: what is missing is added, and nothing else.
    std::fs::write(&broken, &stored).unwrap();
    let report2 = ingest_all(&folder.case(), &[broken]);
    assert_eq!((report.events + report2.events, report2.duplicates, report2.rejected), (5000, 0, 0));
}

#[test]
fn real_damage_is_counted() {
    for (log, expected) in [
        ("kill9.log.gz", (962, 962, 0, 0)),
        ("disk-full.log.gz", (937, 936, 0, 1)),
        ("legacy-format.log", (918, 918, 0, 0)),
        ("odd-requests.log", (1034, 1034, 0, 0)),
        ("truncated-bodies.log", (919, 919, 0, 0)),
    ] {
        let folder = Folder::new();
        let report = ingest_all(&folder.case(), &[repository("tests/logs/damage").join(log)]);
        assert_eq!(counts(&report), expected, "{log}");
        let bytes = content(&repository("tests/logs/damage").join(log));
        for (_, _, offset, raw) in rejects(&folder.case()) {
            let from = usize::try_from(offset).unwrap();
            assert_eq!(&bytes[from..from + raw.len()], raw, "{log}");
        }
    }
}

#[test]
fn a_partition_bomb_makes_one_folder() {
    let folder = Folder::new();
    let mut log = String::new();
    for number in 0..10_000 {
        let resource = match number % 5 {
            0 => format!("x{number}"),
            1 => format!("../../{number}"),
            2 => format!("a/b/{number}"),
            3 => format!("%2f%2e%2e{number}"),
            _ => format!("{number}{}", "y".repeat(300)),
        };
        let reference = format!(",\"objectRef\":{{\"resource\":\"{resource}\"}}}}");
        log += event(&number.to_string()).strip_suffix('}').unwrap();
        log += &reference;
        log.push('\n');
    }
    assert_eq!(folder.ingest(log).events, 10_000);
    let snapshot = Case::open(&folder.case()).unwrap().snapshot().unwrap();
    let folders: Vec<_> = snapshot.files.iter().map(|file| file.resource_partition.as_str()).collect();
    assert_eq!(folders, [partition::OTHER]);
    let outside = tree(folder.0.path()).into_keys().filter(|path| !path.starts_with(folder.case())).count();
    assert_eq!(outside, 1, "only the log itself is beside the case");
}

#[test]
fn a_folder_is_read_by_content_and_lists_what_it_leaves_out() {
    let folder = Folder::new();
    let case = folder.case();
    let report = ingest_all(&case, &[repository("sample-logs/hardened")]);
    assert_eq!((report.events, report.rejected, report.sources.len()), (8973, 0, 5));
    let skipped: Vec<&str> = report.skipped.iter().map(|skipped| skipped.name.rsplit('/').next().unwrap()).collect();
    assert_eq!(skipped, ["audit-policy.yaml", "incident.jsonl"]);
    // The same list stands in the ledger.
    assert_eq!(Case::open(&case).unwrap().snapshot().unwrap().operations[0].skipped, report.skipped);
    // A case inside of a folder is no evidence, and a link is not followed.
    folder.write("evidence/audit.log", event("a"));
    std::fs::rename(&case, folder.0.path().join("evidence/case")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("/etc", folder.0.path().join("evidence/link")).unwrap();
    let report = ingest_all(&case, &[folder.0.path().join("evidence")]);
    let reasons: Vec<&str> = report.skipped.iter().map(|skipped| skipped.reason.as_str()).collect();
    assert_eq!((report.events, reasons), (1, vec!["a case of kforensic", "a symbolic link"]));
}

#[test]
fn a_folder_without_logs_makes_no_commit() {
    let folder = Folder::new();
    folder.write("docs/readme.txt", "nothing here");
    let error = try_ingest(&folder.case(), &[folder.0.path().join("docs")]).unwrap_err();
    assert!(matches!(error, LakeError::NothingToRead { skipped: 1, .. }));
    assert!(matches!(Case::open(&folder.case()), Err(LakeError::NotACase { .. })));
}

#[test]
fn one_writer_at_a_time_and_no_foreign_folder() {
    let folder = Folder::new();
    let log = folder.write("the.log", event("a"));
    let writer = Writer::open(&folder.case(), "process 1 of a test").unwrap();
    let error = try_ingest(&folder.case(), std::slice::from_ref(&log)).unwrap_err();
    assert_eq!(error.to_string(), "another process is writing to the case: process 1 of a test");
    drop(writer);
    assert_eq!(try_ingest(&folder.case(), std::slice::from_ref(&log)).unwrap().events, 1);
    let foreign = folder.0.path();
    assert!(matches!(try_ingest(foreign, &[log]), Err(LakeError::Occupied { .. })));
}

#[test]
fn an_altered_log_is_noticed() {
    let folder = Folder::new();
    let case = folder.case();
    for log in logs("sample-logs/hardened") {
        ingest_all(&case, &[log]);
    }
    let commit = |number: u32| case.join(format!("events/_delta_log/{number:020}.json"));
    let text = std::fs::read_to_string(commit(1)).unwrap();
    // Written again, as somebody who alters a read-only file would.
    let alter = |path: &Path, text: &str| {
        std::fs::remove_file(path).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let problem = |case: &Path| Case::open(case).unwrap().snapshot().unwrap_err().to_string();
    // Any byte of any commit, the newest included, shows.
    for number in [1, 4] {
        let text = std::fs::read_to_string(commit(number)).unwrap();
        for altered in [
            text.replacen("\"records\":", "\"records\": ", 1),
            text.replacen("\"duplicates\":0", "\"duplicates\":1", 1),
            text.replacen("\"seal\":\"", "\"seal\":\"0", 1),
            format!("{text}\n"),
        ] {
            assert_ne!(altered, text);
            alter(&commit(number), &altered);
            let expected =
                format!("the case has been altered: `{}` is not as it was written", commit(number).display());
            assert_eq!(problem(&case), expected);
        }
        alter(&commit(number), &text);
    }
    // A commit that was written anew, seal and all, does not fit its successor.
    let foreign = folder.0.path().join("foreign");
    std::fs::create_dir(&foreign).unwrap();
    std::fs::copy(case.join("redaction.key"), foreign.join("redaction.key")).unwrap();
    ingest_all(&foreign, &[logs("sample-logs/hardened")[0].clone()]);
    ingest_all(&foreign, &[logs("sample-logs/moderate")[0].clone()]);
    let other = foreign.join("events/_delta_log/00000000000000000001.json");
    alter(&commit(1), &std::fs::read_to_string(other).unwrap());
    assert_eq!(problem(&case), "the case has been altered: commit 1 is not the one that commit 2 was written on");
    alter(&commit(1), &text);
    assert!(Case::open(&case).unwrap().snapshot().is_ok());
    std::fs::remove_file(commit(1)).unwrap();
    assert_eq!(problem(&case), "the case has been altered: commit 1 is missing from its log");
}

#[cfg(unix)]
#[test]
fn committed_files_are_read_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    folder.ingest(event("a"));
    let modes: Vec<u32> = tree(&folder.case())
        .keys()
        .filter(|path| !path.ends_with("LOCK"))
        .map(|path| path.metadata().unwrap().permissions().mode() & 0o777)
        .collect();
    assert_eq!(modes, [0o444, 0o444, 0o600], "commit, data, key");
}
