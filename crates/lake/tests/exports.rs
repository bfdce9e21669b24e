//! Exports that are no text, or not in UTF-8, and tables of several chunks: their events, and accounts that add up.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeSet;
use std::path::Path;

use common::{ingest_all, repository, rows};
use kforensic_event::Cell;
use kforensic_lake::Case;
use serde_json::Value;

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

/// A value as `jq -C` prints it.
fn painted(value: &Value, indent: &str) -> String {
    let inner = format!("{indent}  ");
    let list = |open: &str, items: Vec<String>, close: &str| {
        let items = items.join(&format!("\x1b[1;39m,\n{inner}"));
        format!("\x1b[1;39m{open}\n{inner}{items}\x1b[1;39m\n{indent}\x1b[1;39m{close}\x1b[0m")
    };
    match value {
        Value::Object(members) if !members.is_empty() => {
            let member = |(name, value): (&String, &Value)| {
                format!(
                    "\x1b[0m\x1b[34;1m{}\x1b[0m\x1b[1;39m: \x1b[0m{}",
                    Value::from(name.as_str()),
                    painted(value, &inner)
                )
            };
            list("{", members.iter().map(member).collect(), "}")
        }
        Value::Array(items) if !items.is_empty() => {
            list("[", items.iter().map(|item| painted(item, &inner)).collect(), "]")
        }
        other => format!("\x1b[0;32m{other}\x1b[0m"),
    }
}

#[test]
fn colours_are_no_part_of_a_text() {
    let expected = read(&repository("tests/logs/exports/00-plain.log")).0;
    let folder = common::folder();
    let lines = |write: &dyn Fn(&str) -> String| plain().lines().map(|line| write(line) + "\n").collect::<String>();
    let found = |line: &str| line.replace("secrets", "\x1b[01;31m\x1b[Ksecrets\x1b[m\x1b[K");
    let tail = "\x1b[32m2026-11-20T20:37:00.000000+00:00\x1b[0m \x1b[36mkube-apiserver-audit-0a\x1b[0m ";
    let pretty = lines(&|line| painted(&serde_json::from_str(line).unwrap(), ""));
    let wide: Vec<u8> = pretty.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (number, text) in [
        lines(&found).into_bytes(),
        lines(&|line| format!("\x1b[35m\x1b[Kaudit.log\x1b[m\x1b[K\x1b[36m\x1b[K:\x1b[m\x1b[K{}", found(line)))
            .into_bytes(),
        lines(&|line| format!("\x1b[36mkube-apiserver-1  | \x1b[0m{line}")).into_bytes(),
        lines(&|line| format!("{tail}{line}")).into_bytes(),
        pretty.into_bytes(),
        [b"\xff\xfe".as_slice(), &wide].concat(),
    ]
    .into_iter()
    .enumerate()
    {
        let path = folder.path().join(format!("{number}.log"));
        std::fs::write(&path, text).unwrap();
        assert_eq!(read(&path), (expected.clone(), (8, 8, 0, 0)), "{number}");
    }
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
    for (name, bytes) in [("x.parquet", b"PAR1 and\0nothing".as_slice()), ("x.avro", b"Obj\x01and\0nothing")] {
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

/// A request that answers: audit id, stages, code, whether it has a body.
type Answer = (String, usize, Option<i64>, bool);

/// Requests of a case that answer, and how many events stand beside a copy that differs.
fn answers(logs: &[&str]) -> (Vec<Answer>, u64) {
    let folder = common::folder();
    let case = folder.path().join("case");
    for log in logs {
        ingest_all(&case, &[repository(&format!("tests/logs/collectors/{log}"))]);
    }
    let (mut answers, mut copies) = (Vec::new(), 0);
    for file in &Case::open(&case).unwrap().snapshot().unwrap().files {
        copies +=
            file.seen.as_deref().and_then(kforensic_lake::seen::Seen::from_tag).map_or(0, |seen| seen.marked.copies);
        rows(file, &mut |cell| {
            if cell("final") == Cell::Bool(true) {
                let Cell::Texts(stages) = cell("stages") else { panic!("no stages") };
                let id = cell("audit_id").text().unwrap().to_owned();
                answers.push((id, stages.len(), cell("status_code").int(), cell("request_object") != Cell::Null));
            }
        });
    }
    answers.sort();
    (answers, copies)
}

#[test]
fn whatever_copy_of_a_log_comes_first_the_fullest_answers_and_those_that_differ_are_counted() {
    const PLAIN: &str = "00-plain.log";
    let (plain, copies) = answers(&[PLAIN]);
    assert_eq!((plain.len(), plain[0].1, copies), (7, 2, 0));
    // Two stages of one request with other times each: one request all the same.
    let (epoch, copies) = answers(&["25-scalars/time-epoch.jsonl"]);
    assert_eq!((&epoch, copies), (&plain, 0));
    for other in [
        "08-aks-skipped/PT1H.json",
        "23-string-bodies/uken-none.jsonl",
        "24-dedot/fluentbit-replace-dots.jsonl",
        "25-scalars/annotations-as-string.jsonl",
        "25-scalars/code-as-lua-double.jsonl",
        "25-scalars/keys-snake.jsonl",
        "25-scalars/level-missing.jsonl",
        "25-scalars/level-overwritten.jsonl",
        "25-scalars/time-epoch.jsonl",
        "25-scalars/time-local-no-zone.jsonl",
        "25-scalars/user-as-string.jsonl",
        "25-scalars/verb-uppercase.jsonl",
        "32-cut/server-truncated.log",
    ] {
        for order in [[PLAIN, other], [other, PLAIN]] {
            let (both, copies) = answers(&order);
            assert_eq!(both, plain, "{order:?}");
            assert!(copies > 0, "{order:?}");
        }
    }
}

#[test]
fn parquet_is_read_however_it_is_compressed() {
    use parquet::arrow::ArrowWriter;
    use parquet::basic::{Compression, GzipLevel, ZstdLevel};
    use parquet::file::properties::WriterProperties;

    let lines: Vec<String> = plain().lines().map(str::to_owned).collect();
    let column: arrow::array::ArrayRef = std::sync::Arc::new(arrow::array::StringArray::from(lines));
    let batch = arrow::array::RecordBatch::try_from_iter([("message", column)]).unwrap();
    let expected = read(&repository("tests/logs/exports/00-plain.log")).0;
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::LZ4_RAW,
        Compression::ZSTD(ZstdLevel::default()),
    ] {
        let properties = WriterProperties::builder().set_compression(compression).build();
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let folder = common::folder();
        let path = folder.path().join("export.parquet");
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(read(&path), (expected.clone(), (8, 8, 0, 0)), "{compression}");
    }
}

/// A folder in which no file is a plain log but one: exports of three services beside it.
#[test]
fn a_folder_of_exports_is_read_whole() {
    let folder = common::folder();
    let report = ingest_all(&folder.path().join("case"), &[repository("tests/logs/exports/34-only-unread")]);
    let sources: Vec<_> =
        report.sources.iter().map(|source| (source.shape.as_str(), source.records, source.rejected)).collect();
    assert_eq!(sources, [("json-lines", 8, 0), ("fields", 8, 0), ("yaml", 7, 0), ("pubsub", 7, 0)]);
    assert!(report.skipped.is_empty(), "{:?}", report.skipped);
    // Google's entries are told alike by both of its exports.
    assert_eq!((report.records, report.events, report.duplicates), (30, 23, 7));
}
