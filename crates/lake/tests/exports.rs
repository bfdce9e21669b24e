//! Exports that are no text, or not in UTF-8, and tables of several chunks: their events, and accounts that add up.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeSet;
use std::path::Path;

use common::{ingest_all, repository, rows};
use kforensic_event::Cell;
use kforensic_lake::Case;

/// Audit ids, with the stages.
type Ids = BTreeSet<(String, String)>;

/// Audit ids of the events of a case, with their stages.
fn ids(case: &Path) -> Ids {
    let mut ids = BTreeSet::new();
    for file in &Case::open(case).unwrap().snapshot().unwrap().files {
        rows(file, &mut |cell| {
            if let (Cell::Text(id), Cell::Text(stage)) = (cell("audit_id"), cell("stage")) {
                ids.insert((id.to_owned(), stage.to_owned()));
            }
        });
    }
    ids
}

fn plain() -> String {
    std::fs::read_to_string(repository("tests/logs/exports/00-plain.log")).unwrap()
}

/// Reads a file into a case of its own: (audit id, stage) of the events, and (records, events, duplicates, rejected).
fn read(path: &Path) -> (Ids, (u64, u64, u64, u64)) {
    let folder = common::folder();
    let case = folder.path().join("case");
    let report = ingest_all(&case, &[path.to_owned()]);
    assert_eq!(report.records, report.events + report.duplicates + report.rejected);
    (ids(&case), (report.records, report.events, report.duplicates, report.rejected))
}

#[test]
fn parquet_avro_and_text_of_two_or_four_bytes_give_the_plain_events() {
    let expected = read(&repository("tests/logs/exports/00-plain.log")).0;
    for file in ["20-ocsf/raw-column.parquet", "21-avro/capture-deflate.avro", "28-odd/excel-utf16.txt"] {
        let (events, accounts) = read(&repository(&format!("tests/logs/exports/{file}")));
        assert_eq!(events, expected, "{file}");
        assert_eq!(accounts, (8, 8, 0, 0), "{file}");
    }
    let folder = common::folder();
    let units = |width: usize| -> Vec<u8> {
        plain().bytes().flat_map(|byte| std::iter::once(byte).chain(vec![0; width - 1])).collect()
    };
    for width in [2, 4] {
        let path = folder.path().join(format!("{width}.log"));
        std::fs::write(&path, units(width)).unwrap();
        assert_eq!(read(&path), (expected.clone(), (8, 8, 0, 0)));
    }
}

#[test]
fn a_table_that_cannot_be_read_is_a_reject_that_says_what_it_is() {
    let folder = common::folder();
    for (name, bytes) in [("x.parquet", b"PAR1 and nothing".as_slice()), ("x.avro", b"Obj\x01and nothing")] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let (events, accounts) = read(&path);
        assert_eq!((events.len(), accounts), (0, (1, 0, 0, 1)), "{name}");
    }
}

#[test]
fn a_table_of_several_chunks_gives_every_row_once() {
    let folder = common::folder();
    let path = folder.path().join("export.csv");
    let mut table = "time,event,host\n".to_owned();
    let mut events = 0;
    // 6 MiB, every third cell pretty-printed, one torn.
    while table.len() < 6 * 1024 * 1024 {
        for line in plain().lines() {
            let line = line.replace("f1e1d000-0000", &format!("f1e1d000-{events:04x}"));
            let event: serde_json::Value = serde_json::from_str(&line).unwrap();
            let cell = if events % 3 == 0 { serde_json::to_string_pretty(&event).unwrap() } else { line };
            table += &format!("t,\"{}\",h\n", cell.replace('"', "\"\""));
            events += 1;
        }
    }
    let torn = table.find("\nt,\"{\"\"kind").unwrap();
    table.insert_str(torn + 1, "t,\"{\"\"kind\"\":\"\"Ev\n");
    std::fs::write(&path, table).unwrap();
    assert_eq!(read(&path).1, (events + 1, events, 0, 1));
}
