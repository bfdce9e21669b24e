//! The ledger in SQL.

use std::path::{Path, PathBuf};

use kforensic_lake::{Case, IngestOptions, Progress, Snapshot, Writer, ingest};
use kforensic_query::{Checks, Limits, Selection, Session};
use serde_json::{Value, json};

use crate::fixture::{ad_hoc, parameters, run};

/// A moment in milliseconds since 1970: 2026-11-22T08:00:00Z.
const NOW_MS: i64 = 1_795_334_400_000;

fn ingested(case: &Path, paths: &[PathBuf], now_ms: i64) -> Snapshot {
    let options = IngestOptions {
        paths: paths.to_vec(),
        threads: 2,
        now_ms,
        keep_originals: true,
        host: Some("cp-1".to_owned()),
        ..IngestOptions::default()
    };
    let writer = Writer::open(case, "test").unwrap();
    ingest(&writer, &options, &Progress::default()).unwrap();
    writer.case().snapshot().unwrap()
}

/// Runs a SELECT in a session of the least that it asks for.
fn select(snapshot: &Snapshot, sql: &str, arguments: &[&str]) -> Vec<Value> {
    let limits = Limits {
        memory_bytes: 1 << 30,
        threads: 2,
        temp_directory: std::env::temp_dir(),
        checks: Checks::Never,
        places: None,
        proxies: kforensic_query::proxies::Proxies::default(),
    };
    let query = ad_hoc(sql);
    let parameters = parameters(&query, arguments);
    let session = Session::open(snapshot, &Selection::of(&query, &parameters), &limits).unwrap();
    run(&session, &query, &parameters, None).unwrap().0
}

#[test]
fn every_account_of_the_ledger_is_a_row() {
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../..");
    let bytes = std::fs::read(root.join("sample-logs/hardened/audit.log")).unwrap();
    // A name that would break out of its quotes, if there were any, and one that is no SQL at all.
    let odd = folder.path().join("it's \"odd\"; DROP VIEW events; --\n.log");
    let half = 1 + bytes[..bytes.len() / 2].iter().rposition(|byte| *byte == b'\n').unwrap();
    std::fs::write(&odd, &bytes[..half]).unwrap();
    let damaged = root.join("tests/logs/damage/disk-full.log.gz");
    let case = folder.path().join("case");
    ingested(&case, &[odd.clone(), damaged], NOW_MS);
    std::fs::write(&odd, &bytes).unwrap();
    let snapshot = ingested(&case, std::slice::from_ref(&odd), NOW_MS + 1_500);

    let rows = select(&snapshot, "FROM sources ORDER BY source_id", &[]);
    assert_eq!(rows.len(), 3);
    for (row, account) in rows.iter().zip(snapshot.sources()) {
        let account = serde_json::to_value(account).unwrap();
        for (name, value) in row.as_object().unwrap() {
            let expected = match name.as_str() {
                "commit" => json!(account["source_id"].as_str().unwrap()[..1].parse::<u64>().unwrap()),
                "ingested_at" if account["source_id"].as_str().unwrap().starts_with('1') => {
                    json!("2026-11-22T08:00:01.500000Z")
                }
                "ingested_at" => json!("2026-11-22T08:00:00.000000Z"),
                "tool_version" => json!(env!("CARGO_PKG_VERSION")),
                "original" => account["original"]["path"].clone(),
                name => account[name].clone(),
            };
            assert_eq!(value, &expected, "{name}");
        }
    }
    assert_eq!(rows[0]["name"], odd.to_str().unwrap());
    assert_eq!((&rows[1]["compression"], &rows[1]["rejected"]), (&json!("gzip"), &json!(1)));
    assert_eq!((&rows[2]["continues"], &rows[2]["continues_bytes"]), (&json!("0-0"), &json!(half)));
    assert_eq!(rows[2]["original"], format!("originals/{}.zst", rows[2]["sha256"].as_str().unwrap()));
    // Rows of the events lead to their source, whose account says how many there are.
    let sums = "SELECT source_id, events, count(*) AS found FROM events JOIN sources USING (source_id) \
                GROUP BY ALL ORDER BY source_id";
    let sums = select(&snapshot, sums, &[]);
    assert!(sums.len() == 3 && sums.iter().all(|row| row["found"] == row["events"]), "{sums:?}");
    // A selection of events leaves the ledger whole.
    let early = "FROM sources WHERE $until::TIMESTAMP IS NOT NULL ORDER BY source_id";
    assert_eq!(select(&snapshot, early, &["--until", "1970-01-01T00:00:00Z"]), rows);
    assert_eq!(Case::open(&case).unwrap().snapshot().unwrap().commit_times_ms, [NOW_MS, NOW_MS + 1_500]);
}
