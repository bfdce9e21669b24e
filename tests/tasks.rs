//! The tasks of `docs/tasks.md`: their commands answer, and their words find them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{ingest, logs, repository, run};

/// A row of the table: what is looked for, and the words of the command behind the program.
fn tasks() -> Vec<(String, Vec<String>)> {
    let text = std::fs::read_to_string(repository("docs/tasks.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| ") && line.contains("`kforensic "));
    let task = |row: &str| {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let command = cells[2].trim_matches(['`', ' ']).strip_prefix("kforensic ").unwrap();
        (cells[1].to_owned(), command.split_whitespace().map(str::to_owned).collect())
    };
    rows.map(task).collect()
}

#[test]
fn every_task_is_answered_by_its_command_and_found_by_its_words() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    let tasks = tasks();
    assert!(tasks.len() >= 20, "{}", tasks.len());
    let help = run(&case, &["--help"]).stdout;
    for (words, command) in tasks {
        let command: Vec<String> = command
            .into_iter()
            .map(|word| {
                match word.contains('.')
                    && word.starts_with(|letter: char| letter.is_alphabetic())
                    && !word.contains(['/', ':'])
                {
                    // A file to write.
                    true => folder.path().join(&word).display().to_string(),
                    false => word,
                }
            })
            .collect();
        let arguments: Vec<&str> = command.iter().map(String::as_str).collect();
        let ran = run(&case, &arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:?}");
        match arguments.iter().position(|word| *word == "-o").map(|at| arguments[at + 1]) {
            Some(file) => assert!(std::fs::metadata(file).unwrap().len() > 100, "{arguments:?}"),
            None => assert!(ran.stdout.lines().count() + ran.stderr.lines().count() >= 2, "{arguments:?}: {ran:?}"),
        }
        if let Some(name) = words.strip_suffix(" in the help") {
            let name = name.trim_matches('`');
            assert_eq!(arguments[0], name);
            assert!(help.lines().any(|line| line.trim_start().starts_with(&format!("{name} "))), "{name}");
            continue;
        }
        let found = run(&case, &["query", "--search", &words]);
        // The list names a view by its own name.
        let view = arguments.iter().find(|word| word.starts_with("view="));
        let help = run(&case, &["query", arguments[1.min(arguments.len() - 1)], "--help"]).stdout;
        let view = view.and_then(|view| help.lines().find(|line| line.contains(&format!("-p {view} "))));
        let wanted = match view.and_then(|line| line.split('`').nth(1)) {
            Some(name) => name,
            None if arguments[0] == "query" => arguments[1],
            None => arguments[0],
        };
        // What is no query's own is an option of all of them, or a command, and stands in a note.
        let is_found =
            found.stdout.contains(&format!(" {wanted} ")) || found.stderr.contains(&format!("`kforensic {wanted}`"));
        let is_option = found.stdout.is_empty() && found.stderr.contains("`kforensic query` has it as well");
        assert!(is_found || is_option, "{words}: {found:?}");
    }
}
