//! Statements from a file or a pipe.

use std::fs;

use crate::house::House;
use crate::terminal::Terminal;

#[test]
fn a_script_says_only_data_and_stops_at_the_first_error() {
    let house = House::hardened();
    let script = "-- a comment\n.mode jsonl\nSELECT 1 AS a;\n\nSELECT a + 1 AS b\nFROM last; SELECT b FROM last;\n";
    let ran = house.script(&[], script);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    assert_eq!(ran.stdout, "{\"a\":1}\n{\"b\":2}\n{\"b\":2}\n");

    let script = "SELECT 1 AS a;\nSELECT\n  nonsense;\nSELECT 2 AS b;\n.mode xml\nSELECT 3 AS c;\n";
    let ran = house.script(&[], script);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.starts_with("error: line 2: ") && ran.stderr.contains("nonsense"), "{}", ran.stderr);
    assert!(!ran.stdout.contains('b'), "{}", ran.stdout);
    let ran = house.script(&["--keep-going"], script);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.contains("line 2: ") && ran.stderr.contains("line 5: `xml` is none of `table`"),
        "{}",
        ran.stderr
    );
    assert!(ran.stdout.contains('b') && ran.stdout.contains('c') && !ran.stdout.contains('\x1b'), "{}", ran.stdout);

    let ran = house.script(&[], "SELECT 1");
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("line 1: the statement does not end"), "{}", ran.stderr);
    // A script leaves no history and no journal behind.
    assert!(house.files("home").is_empty() && house.files("here").is_empty());
}

#[test]
fn files_are_written_where_they_are_asked_for_and_never_into_the_case() {
    let house = House::hardened();
    let before = house.files("case");
    let script = ".once one.csv\nSELECT 1 AS a;\n.output all.jsonl\nSELECT 2 AS b;\nSELECT 3 AS c;\n.output\n\
                  .note it's `done`\n.journal -o notes.md\nSELECT 4 AS d;\n";
    let ran = house.script(&[], script);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    let text = |name: &str| fs::read_to_string(house.path("here").join(name)).unwrap();
    assert_eq!(text("one.csv"), "a\n1\n");
    assert_eq!(text("all.jsonl"), "{\"b\":2}\n{\"c\":3}\n");
    let notes = text("notes.md");
    assert!(notes.contains("```sql\nSELECT 2 AS b;\n```\n") && notes.contains("it's `done`"), "{notes}");
    assert!(ran.stdout.contains('4') && !ran.stdout.contains('2'));

    for command in [".once", ".output", ".journal -o"] {
        let into_case = format!("{command} {}\nSELECT 1;\n", house.path("case/events/x.csv").display());
        let ran = house.script(&[], &into_case);
        assert_eq!(ran.code, Some(2), "{command}");
        assert!(ran.stderr.contains("lies in the case"), "{}", ran.stderr);
    }
    let ran = house.script(&[], &format!(".run secret-reads -o {}\n", house.path("case/x.csv").display()));
    assert_eq!(ran.code, Some(2));
    // Nor do history and journal, whatever the environment says.
    let mut command = house.command();
    command.env("XDG_STATE_HOME", house.path("case/state"));
    let mut terminal = Terminal::start(&command);
    assert!(terminal.shown.contains("lies in the case, and nothing but evidence belongs there"), "{}", terminal.shown);
    terminal.ask("SELECT 1 AS a;", "1 row");
    terminal.leave();
    assert!(house.files("case") == before);
}

#[test]
fn a_file_that_is_read_may_ask_but_not_touch_files() {
    let house = House::hardened();
    let file = |text: &str| fs::write(house.path("here/asked.sql"), text).unwrap();
    file(".mode jsonl\nSELECT 1 AS a;\n.run secret-reads --limit 1\n");
    let ran = house.script(&[], ".read asked.sql\nSELECT count(*) AS n FROM last;\n");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.stdout.starts_with("{\"a\":1}\n{\"event_time\"") && ran.stdout.contains("{\"n\":130}"),
        "{}",
        ran.stdout
    );
    for line in [
        ".read other.sql",
        ".once out.csv",
        ".output out.csv",
        ".journal -o out.md",
        ".save out",
        ".open .",
        ".edit",
        ".run secret-reads -o out.csv",
        "COPY (SELECT 1) TO 'out.csv';",
        "CREATE OR REPLACE TEMP TABLE last AS SELECT 1;",
    ] {
        file(&format!("SELECT 1;\n{line}\n"));
        let ran = house.script(&[], ".read asked.sql\n");
        assert_eq!(ran.code, Some(2), "{line}");
        assert!(
            ran.stderr.contains("line 2 of `asked.sql`") && ran.stderr.contains("refused"),
            "{line}: {}",
            ran.stderr
        );
    }
    assert_eq!(house.files("here").len(), 1);
}
