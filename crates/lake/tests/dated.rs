//! Snapshots of RBAC beside the table: in the ledger, hashed, and told when they are altered.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use kforensic_lake::{Case, NewDated, Writer, keep_dated, read_dated, verify};

fn file(taken: &str, text: &str) -> NewDated {
    NewDated { name: "rbac.json".into(), taken: taken.into(), bytes: text.as_bytes().to_vec() }
}

#[test]
fn snapshots_are_kept_once_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("case");
    let keep = |files: &[NewDated]| {
        let writer = Writer::open(&root, "process 1").unwrap();
        keep_dated(&writer, files, Vec::new(), 0).unwrap()
    };
    let (kept, first) = keep(&[file("2026-11-21T20:00:00Z", "{}"), file("2026-11-21T21:00:00Z", "[]")]);
    assert_eq!(kept.len(), 2);
    let (again, same) = keep(&[file("2026-11-21T20:00:00Z", "{}")]);
    assert!(again.is_empty() && same == first);
    // The same state at another time is other evidence, of the same bytes.
    assert_eq!(keep(&[file("2026-11-22T20:00:00Z", "{}")]).0.len(), 1);

    let case = Case::open(&root).unwrap();
    let snapshot = case.snapshot().unwrap();
    let texts: Vec<Vec<u8>> = snapshot.dated().map(|file| read_dated(&root, file).unwrap()).collect();
    assert_eq!(texts, [b"{}".to_vec(), b"[]".to_vec(), b"{}".to_vec()]);
    let found = verify(&case).unwrap();
    assert_eq!((found.snapshots, found.problems.len()), (3, 0));

    fs::write(root.join("snapshots/stray.json"), "x").unwrap();
    let altered = root.join(&kept[1].path);
    fs::remove_file(&altered).unwrap();
    fs::write(&altered, "{ }").unwrap();
    assert!(read_dated(&root, &kept[1]).is_err());
    let problems = verify(&case).unwrap().problems;
    assert_eq!(problems.len(), 2, "{problems:?}");
}
