//! `kforensic completions` and `kforensic man`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::Path;

use common::{Bounded, ingest, kforensic, logs, run};

const COMMANDS: [&str; 9] = ["ingest", "query", "sql", "describe", "status", "show", "verify", "compact", "prune"];

#[test]
fn manual_pages_know_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let page = run(folder.path(), &["man"]);
    assert!(page.code == Some(0) && page.stdout.contains(".TH kforensic 1"), "{page:?}");
    let pages = folder.path().join("pages");
    assert_eq!(run(folder.path(), &["man", pages.to_str().unwrap()]).code, Some(0));
    for command in COMMANDS {
        assert!(pages.join(format!("kforensic-{command}.1")).is_file(), "{command}");
    }
}

/// What bash is offered for the last of some words.
fn offered(case: &Path, words: &[&str]) -> Vec<String> {
    let mut command = kforensic();
    command.env("COMPLETE", "bash").env("_CLAP_IFS", "\n").env("_CLAP_COMPLETE_INDEX", words.len().to_string());
    command.env("_CLAP_COMPLETE_COMP_TYPE", "9").env("_CLAP_COMPLETE_SPACE", "false").env("KFORENSIC_CASE", case);
    let output = command.arg("--").arg("kforensic").args(words).bounded_output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn a_shell_completes_commands_queries_parameters_and_values_of_the_case() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = run(&case, &["completions", shell]);
        assert!(ran.code == Some(0) && ran.stdout.contains("COMPLETE"), "{ran:?}");
        // A file of zsh's function path answers the Tab for which it is read.
        assert_eq!(ran.stdout.contains("$funcstack[1] == _kforensic"), shell == "zsh", "{ran:?}");
    }
    // Without a case there is something to offer as well.
    assert_eq!(offered(&case, &["query", "secret-rea"]), ["secret-reads"]);
    assert_eq!(offered(&case, &["query", "actor", "b"]), Vec::<String>::new());
    ingest(&case, &logs("sample-logs/hardened"));
    let all = offered(&case, &[""]);
    assert!(COMMANDS.iter().all(|command| all.iter().any(|offered| offered == command)), "{all:?}");
    assert_eq!(offered(&case, &["query", "actor", "bo"]), ["bob"]);
    assert_eq!(offered(&case, &["query", "ip", "127.0.31"]), ["127.0.31.9"]);
    assert_eq!(offered(&case, &["query", "secret", "prod/db"]), ["prod/db-credentials"]);
    assert_eq!(offered(&case, &["query", "secret-reads", "--user", "mal"]), ["mallory"]);
    assert_eq!(offered(&case, &["query", "secret-reads", "--source-ip", "127.0.66"]), ["127.0.66.7"]);
    assert_eq!(offered(&case, &["query", "exec-sessions", "-p", "view=s"]), ["view=suspicious"]);
    assert_eq!(offered(&case, &["query", "actor", "-p", "actor=mal"]), ["actor=mallory"]);
    assert!(offered(&case, &["query", "secret-reads", "--sou"]).contains(&"--source-ip".to_owned()));
}

#[test]
fn what_a_shell_would_run_is_not_offered_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let (case, log) = (folder.path().join("case"), folder.path().join("audit.log"));
    let event = |user: &str| {
        format!(
            "{{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"level\":\"Metadata\",\"auditID\":\"{}\",\"stage\":\"ResponseComplete\",\
             \"requestURI\":\"/api/v1/secrets\",\"verb\":\"list\",\"user\":{{\"username\":\"{user}\"}},\"sourceIPs\":[\"10.0.0.1\"],\
             \"objectRef\":{{\"resource\":\"secrets\"}},\"responseStatus\":{{\"code\":200}},\
             \"requestReceivedTimestamp\":\"2026-11-21T20:00:00.000000Z\",\"stageTimestamp\":\"2026-11-21T20:00:00.000000Z\"}}\n",
            user.len()
        )
    };
    let users = [
        "evil-good",
        "evil-$(touch x)",
        "evil-`id`",
        "evil-;id;;",
        "evil-'x",
        "evil-a b",
        "evil-\\n-id",
        "evil-|id|id|id",
    ];
    std::fs::write(&log, users.map(event).concat()).unwrap();
    ingest(&case, &[log.to_str().unwrap().to_owned()]);
    assert_eq!(offered(&case, &["query", "actor", "evil"]), ["evil-good"]);
    assert_eq!(offered(&case, &["query", "secret-reads", "--user", "evil"]), ["evil-good"]);
}
