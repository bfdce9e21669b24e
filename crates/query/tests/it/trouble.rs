//! Files that are missing, damaged, or called what DuckDB takes for something else.

use std::fs;
use std::os::unix::fs::FileExt;

use kforensic_event::partition;
use kforensic_query::{Checks, Limits, Parameters, QueryError, Selection, Session};
use tempfile::TempDir;

use crate::fixture::{Fixture, ad_hoc, run};

/// The path of the largest file of the case.
fn largest(case: &Fixture) -> (usize, std::path::PathBuf) {
    let files = case.snapshot.files.iter().enumerate();
    let (at, file) = files.max_by_key(|(_, file)| file.size_bytes).unwrap();
    (at, file.path.clone())
}

#[test]
fn a_missing_file_is_named() {
    let case = Fixture::of_logs("sample-logs/moderate");
    let (_, path) = largest(&case);
    fs::remove_file(&path).unwrap();
    let error = case.select(&Selection::default()).err().unwrap();
    assert_eq!(error.to_string(), format!("`{}` is part of the case, but it is not there", path.display()));
    fs::create_dir(&path).unwrap();
    assert!(matches!(case.select(&Selection::default()), Err(QueryError::Missing { source: None, .. })));
}

#[test]
fn a_file_of_another_length_is_named() {
    let case = Fixture::of_logs("sample-logs/moderate");
    let (at, path) = largest(&case);
    let expected = case.snapshot.files[at].size_bytes;
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(expected - 1).unwrap();
    match case.select(&Selection::default()) {
        Err(QueryError::Altered { path: named, expected_bytes, found_bytes }) => {
            assert_eq!((named, expected_bytes, found_bytes), (path, expected, expected - 1));
        }
        other => panic!("{:?}", other.err()),
    }
}

#[test]
fn a_damaged_file_is_named_wherever_the_damage_is() {
    for part in ["footer", "page"] {
        let case = Fixture::of_logs("sample-logs/moderate");
        let (at, path) = largest(&case);
        let size = case.snapshot.files[at].size_bytes;
        let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        match part {
            // The last bytes tell the length of the footer, which comes before them.
            "footer" => file.write_all_at(&[0xff; 64], size - 72).unwrap(),
            _ => file.write_all_at(&vec![0xff; usize::try_from(size / 2).unwrap()], 4).unwrap(),
        }
        let outcome = case
            .select(&Selection::default())
            .and_then(|session| run(&session, &ad_hoc("FROM events ORDER BY 1"), &Parameters::new(), None).map(|_| ()));
        match outcome {
            Err(QueryError::Damaged { path: named, problem }) => {
                println!("{part}: {problem}");
                assert_eq!(named, path, "{part}");
            }
            other => panic!("{part}: {other:?}"),
        }
    }
}

/// Writes one byte over another in a file that is read-only, as somebody would who alters evidence.
fn rewrite(path: &std::path::Path, at: u64, byte: u8) {
    let mut permissions = fs::metadata(path).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o644);
    fs::set_permissions(path, permissions).unwrap();
    fs::OpenOptions::new().write(true).open(path).unwrap().write_all_at(&[byte], at).unwrap();
}

#[test]
fn a_file_that_was_rewritten_at_equal_length_does_not_answer() {
    let case = Fixture::of_logs("sample-logs/moderate");
    let (_, path) = largest(&case);
    let limits = Limits { checks: Checks::All { memory: None, threads: 2 }, ..case.limits() };
    let open = || Session::open(&case.snapshot, &Selection::default(), &limits);
    let session = open().unwrap();
    assert!(session.is_checked() && session.still_checked().is_ok());
    let first = fs::read(&path).unwrap()[4];
    rewrite(&path, 4, first ^ 1);
    assert!(matches!(session.still_checked(), Err(QueryError::Changed { path: named }) if named == path));
    match open() {
        Err(QueryError::Rewritten { path: named, .. }) => assert_eq!(named, path),
        other => panic!("{:?}", other.err()),
    }
    // Only who asks for it gets an answer without a check, and can know it.
    let hurried = Limits { checks: Checks::Never, ..case.limits() };
    assert!(!Session::open(&case.snapshot, &Selection::default(), &hurried).unwrap().is_checked());
    rewrite(&path, 4, first);
    assert!(open().is_ok());
}

#[test]
fn a_file_that_is_not_needed_is_not_opened() {
    let case = Fixture::of_logs("sample-logs/hardened");
    for file in case
        .snapshot
        .files
        .iter()
        .filter(|file| !["secrets", "leases", "nodes", "pods"].contains(&file.resource_partition.as_str()))
    {
        fs::remove_file(&file.path).unwrap();
    }
    assert_eq!(case.ask("secret-reads", &[]).len(), 130);
}

#[test]
fn odd_paths_work_or_are_refused_but_never_read_as_patterns() {
    let log = br#"{"level":"Metadata","auditID":"a","user":{},"stageTimestamp":"2026-11-21T20:37:37.325661Z"}"#;
    let at = |name: &str| {
        let folder = tempfile::Builder::new().prefix(name).tempdir().unwrap();
        Fixture::in_folder(folder, &[log])
    };
    for name in
        ["it's ", "a b ", "100% ", "~", "$HOME ", "é", "a\"b", "semi;colon", "file:", "back\\slash", "{a,b}", "]"]
    {
        let counts = at(name).session().counts().unwrap();
        assert_eq!(counts.events, 1, "{name}");
    }
    for name in ["a*", "a?", "[ab]"] {
        assert!(matches!(at(name).select(&Selection::default()), Err(QueryError::Path { .. })), "{name}");
    }
}

#[test]
fn a_case_behind_a_symbolic_link_or_a_relative_path_is_read() {
    let mut case = Fixture::of_logs("sample-logs/moderate");
    let elsewhere = TempDir::new().unwrap();
    let link = elsewhere.path().join("case");
    std::os::unix::fs::symlink(case.folder.path(), &link).unwrap();
    for file in &mut case.snapshot.files {
        file.path = link.join(&file.name);
    }
    assert_eq!(case.session().counts().unwrap().events, 568);
    let here = std::env::current_dir().unwrap();
    let up = "../".repeat(here.components().count() - 1);
    for file in &mut case.snapshot.files {
        let absolute = case.folder.path().join(&file.name);
        file.path = format!("{up}{}", absolute.strip_prefix("/").unwrap().display()).into();
    }
    assert_eq!(case.session().counts().unwrap().events, 568);
    assert!(case.snapshot.files.iter().all(|file| file.resource_partition != partition::REJECTED));
}
