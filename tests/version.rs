//! `kforensic --version`: which build this is.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::run;

#[test]
fn the_version_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    for option in ["-V", "--version"] {
        let ran = run(folder.path(), &[option]);
        assert_eq!(ran.stdout, concat!("kforensic ", env!("CARGO_PKG_VERSION"), "\n"), "{ran:?}");
        assert!(ran.code == Some(0) && ran.stderr.is_empty(), "{ran:?}");
    }
}

/// Two builds that answer differently can be told apart: by what they were built from, and by the DuckDB that they run.
#[test]
fn verbose_tells_one_build_from_another() {
    let folder = tempfile::tempdir().unwrap();
    let ran = run(folder.path(), &["--version", "--verbose"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let facts: Vec<(&str, &str)> = ran
        .stdout
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .map(|(name, fact)| (name, fact.trim()))
        .collect();
    let names: Vec<&str> = facts.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["commit", "DuckDB", "case format", "features", "target"], "{ran:?}");
    let fact = |name| facts.iter().find(|(found, _)| *found == name).unwrap().1;
    let commit = fact("commit");
    let hash = commit.get(..40).unwrap_or_default();
    let is_hash = hash.len() == 40 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    assert!(is_hash || commit == "not known", "{commit}");
    // What the library itself says, not what was compiled against.
    let (origin, features) =
        if cfg!(feature = "bundled") { ("compiled in", "bundled") } else { ("the system's", "none") };
    assert!(fact("DuckDB").starts_with("v2.") && fact("DuckDB").ends_with(origin), "{ran:?}");
    assert_eq!(fact("features"), features);
    assert_eq!(fact("case format"), kforensic_lake::FORMAT_VERSION.to_string());
    assert!(fact("target").split('-').count() >= 3, "{ran:?}");
    assert_eq!(run(folder.path(), &["--verbose"]).code, Some(2), "it belongs to `--version`");
}
