//! `kforensic verify`: an altered byte, a file too many or too few, and sources that are not what they were.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use common::{Ran, ingest, logs, run};
use serde_json::Value;

fn files(case: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(case).sort_by_file_name().into_iter().map(Result::unwrap);
    entries.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path).collect()
}

/// Replaces a read-only file, as somebody who alters evidence would.
fn replace(path: &Path, bytes: &[u8]) {
    std::fs::remove_file(path).unwrap();
    std::fs::write(path, bytes).unwrap();
}

fn verify(case: &Path, arguments: &[&str]) -> Ran {
    run(case, &[&["verify", "--format", "json"], arguments].concat())
}

#[test]
fn a_flipped_byte_anywhere_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/moderate"));
    ingest(&case, &logs("tests/logs/damage")[..1]);
    let good = verify(&case, &[]);
    assert_eq!((good.code, &good.json()["passed"]), (Some(0), &true.into()));
    let mut flipped = 0;
    for file in files(&case).into_iter().filter(|file| !file.ends_with("LOCK")) {
        let bytes = std::fs::read(&file).unwrap();
        // Spread over the file, the first and the last byte included.
        let parts = (0..8).map(|part| bytes.len() * part / 8);
        for at in parts.chain([bytes.len() - 9, bytes.len() - 1]) {
            let mut altered = bytes.clone();
            altered[at] ^= 1 << (at % 7);
            replace(&file, &altered);
            let ran = verify(&case, &[]);
            assert_eq!(ran.code, Some(3), "byte {at} of {}: {ran:?}", file.display());
            let said = ran.stdout + &ran.stderr;
            assert!(said.contains(file.file_name().unwrap().to_str().unwrap()) || said.contains("commit "), "{said}");
            flipped += 1;
        }
        replace(&file, &bytes);
    }
    assert!(flipped > 100);
    assert_eq!(verify(&case, &[]).code, Some(0));
}

#[test]
fn files_too_many_and_too_few_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened")[..1]);
    let problems = |case: &Path| -> Vec<(String, String)> {
        let ran = verify(case, &[]);
        assert_eq!(ran.code, Some(3), "{ran:?}");
        let found = ran.json();
        let text = |problem: &Value, field: &str| problem[field].as_str().unwrap().to_owned();
        found["case"]["problems"].as_array().unwrap().iter().map(|p| (text(p, "name"), text(p, "problem"))).collect()
    };
    let stray = case.join("events/date=2026-11-21/resource_partition=pods/evil.parquet");
    std::fs::write(&stray, "x").unwrap();
    assert_eq!(problems(&case), [(stray.display().to_string(), "is not part of the case".to_owned())]);
    std::fs::remove_file(&stray).unwrap();
    let file = files(&case).into_iter().find(|file| file.to_str().unwrap().contains("=secrets/")).unwrap();
    std::fs::remove_file(&file).unwrap();
    let found = problems(&case);
    assert_eq!((found.len(), &found[0].0), (1, &file.display().to_string()));
    assert!(found[0].1.starts_with("cannot be read: "), "{found:?}");
}

#[test]
fn sources_are_audited_as_hashdeep_does() {
    let folder = tempfile::tempdir().unwrap();
    let (case, evidence) = (folder.path().join("case"), folder.path().join("evidence"));
    std::fs::create_dir(&evidence).unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = evidence.join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let log = std::fs::read(&logs("sample-logs/hardened")[4]).unwrap();
    let half = 1 + log[..log.len() / 2].iter().rposition(|byte| *byte == b'\n').unwrap();
    let live = put("audit.log", &log[..half]);
    let rotated = put("rotated.log.gz", &std::fs::read(&logs("sample-logs/hardened")[0]).unwrap());
    ingest(&case, &[live.clone(), rotated.clone()]);
    let audit = || -> (Option<i32>, BTreeMap<String, String>) {
        let ran = verify(&case, &["--sources", evidence.to_str().unwrap()]);
        let text = |source: &Value, field: &str| source[field].as_str().unwrap().to_owned();
        let fates =
            ran.json()["sources"].as_array().unwrap().iter().map(|s| (text(s, "name"), text(s, "fate"))).collect();
        (ran.code, fates)
    };
    let fates = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    assert_eq!(audit(), (Some(0), fates(&[(&live, "matched"), (&rotated, "matched")])));
    // A log that has grown holds what was read; once that is ingested, the audit passes again.
    put("audit.log", &log);
    assert_eq!(audit(), (Some(3), fates(&[(&live, "changed"), (&rotated, "matched")])));
    ingest(&case, std::slice::from_ref(&live));
    let ran = verify(&case, &["--sources", evidence.to_str().unwrap()]);
    let found: Vec<_> = ran.json()["sources"].as_array().unwrap().iter().map(|s| s["fate"].clone()).collect();
    assert_eq!((ran.code, found), (Some(0), vec!["matched".into(), "matched".into(), "continued".into()]));
    // Moved, new and missing files are no exact match.
    let moved = evidence.join("moved.gz");
    std::fs::rename(&rotated, &moved).unwrap();
    assert_eq!((audit().0, audit().1[&rotated].as_str()), (Some(3), "moved"));
    std::fs::remove_file(&moved).unwrap();
    let new = put("new.log", &log[..100]);
    let (code, found) = audit();
    assert_eq!((code, found[&rotated].as_str(), found[&new].as_str()), (Some(3), "missing", "new"));
}

#[test]
fn the_manifest_names_every_source() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    let accounts = ingest(&case, &logs("sample-logs/hardened"));
    let manifest = folder.path().join("manifest.txt");
    assert_eq!(run(&case, &["verify", "--manifest", manifest.to_str().unwrap()]).code, Some(0));
    let manifest = std::fs::read_to_string(manifest).unwrap();
    assert!(manifest.starts_with("%%%% HASHDEEP-1.0\n%%%% size,sha256,filename\n"));
    for source in accounts["sources"].as_array().unwrap() {
        let text = |field: &str| source[field].as_str().unwrap().to_owned();
        assert!(manifest.contains(&format!("{},{},{}\n", source["size_bytes"], text("sha256"), text("name"))));
    }
}
