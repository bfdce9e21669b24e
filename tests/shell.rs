//! `kforensic completions` and `kforensic man`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::run;

#[test]
fn completions_and_manual_pages_know_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let commands = ["ingest", "query", "sql", "describe", "status", "show", "verify", "compact", "prune"];
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = run(folder.path(), &["completions", shell]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        for command in commands {
            assert!(ran.stdout.contains(command), "{shell} {command}");
        }
    }
    let page = run(folder.path(), &["man"]);
    assert!(page.code == Some(0) && page.stdout.contains(".TH kforensic 1"), "{page:?}");
    let pages = folder.path().join("pages");
    assert_eq!(run(folder.path(), &["man", pages.to_str().unwrap()]).code, Some(0));
    for command in commands {
        assert!(pages.join(format!("kforensic-{command}.1")).is_file(), "{command}");
    }
}
