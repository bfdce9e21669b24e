//! The commands of README.md do what it says.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::process::Command;

use common::{Bounded, kforensic, repository};

/// Code blocks of one kind, in order.
fn blocks(kind: &str) -> Vec<String> {
    let readme = std::fs::read_to_string(repository("README.md")).unwrap();
    let (mut blocks, mut open) = (Vec::new(), None::<String>);
    for line in readme.lines() {
        match (&mut open, line) {
            (None, line) if line.strip_prefix("```") == Some(kind) => open = Some(String::new()),
            (Some(_), "```") => blocks.extend(open.take()),
            (Some(block), line) => {
                block.push_str(line);
                block.push('\n');
            }
            _ => (),
        }
    }
    blocks
}

/// Runs a command of the README in a fresh case, at the top of the repository.
///
/// The build and the tests themselves are left to CI: a test that ran them would not end.
fn output(command: &str, case: &std::path::Path) -> (String, bool) {
    let binary = kforensic().get_program().to_str().unwrap().to_owned();
    let command = match command.strip_prefix("cargo run --release --quiet --") {
        Some(arguments) => format!("{binary} {arguments}"),
        None => command.replacen("kforensic ", &format!("{binary} "), 1),
    };
    let mut shell = Command::new("bash");
    shell.args(["-euo", "pipefail", "-c", &command]).current_dir(repository("."));
    let output = shell.env("KFORENSIC_CASE", case).bounded_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.code().is_some_and(|code| code < 2),
        "{command}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    (text, output.status.success())
}

#[test]
fn the_first_command_shows_an_answer() {
    let case = tempfile::tempdir().unwrap();
    let commands = blocks("sh");
    assert_eq!(commands.len(), 2, "one command to see it work, one for the tests");
    assert!(commands[1].starts_with("cargo test --release"));
    let (text, success) = output(&commands[0], &case.path().join("case"));
    assert!(success && text.lines().count() > 3, "{text}");
}

#[test]
fn what_the_readme_shows_is_what_it_prints() {
    let folder = tempfile::tempdir().unwrap();
    let sessions = blocks("console");
    assert!(sessions.len() >= 3);
    for session in sessions {
        for shown in session.split("$ ").filter(|shown| !shown.is_empty()) {
            let (command, expected) = shown.split_once('\n').unwrap();
            let (text, _) = output(command, &folder.path().join("case"));
            let expected = expected.trim_end();
            // `…` at the end of a picture stands for what does not fit on the page.
            match expected.strip_suffix('…') {
                Some(beginning) => assert!(text.starts_with(beginning), "{command}\n{text}"),
                None => assert_eq!(text.trim_end(), expected, "{command}"),
            }
        }
    }
}
