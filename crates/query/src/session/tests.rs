//! Behind the gate's back: what is left then are DuckDB's own configuration and the kernel.

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use kforensic_event::partition::Folders;
use kforensic_event::shape::Position;
use kforensic_event::{Decoded, Origin, Reading, Row, RowBuilder, columns, request};
use kforensic_lake::{Checks, FileStats};
use parquet::arrow::ArrowWriter;
use tempfile::TempDir;

use std::fs;

use super::*;
use crate::error::SinkError;
use crate::stream::{Bound, RowSink, Rows, Wanted, stream};

const HOSTILE: &str = include_str!("../../../../tests/hostile/statements.sql");

const EVENT: &[u8] = br#"{"level":"Metadata","auditID":"a","stage":"ResponseComplete","verb":"get","user":{"username":"bob"},"requestReceivedTimestamp":"2026-11-21T20:37:37.325661Z","stageTimestamp":"2026-11-21T20:37:37.325661Z"}"#;

/// A case of one event.
fn case() -> (TempDir, Snapshot) {
    let folder = TempDir::new().unwrap();
    let mut rows = RowBuilder::new(columns::schema());
    let origin =
        Origin { source_id: "0-0".to_owned(), host: None, cluster: None, mark: None, folders: Folders::default() };
    Reading::of(EVENT).decode(EVENT, Position::START, true, &mut |record| {
        let Decoded::Event(event) = &record.decoded else { panic!("no event") };
        rows.push(&Row {
            event: Some(event),
            reject: None,
            redacted: 0,
            note: None,
            origin: &origin,
            position: record.position,
            length: 1,
        });
    });
    let name = "events/date=2026-11-21/resource_partition=_none/a.parquet".to_owned();
    let path = folder.path().join("case").join(&name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::create_dir(folder.path().join("out")).unwrap();
    let mut writer = ArrowWriter::try_new(fs::File::create(&path).unwrap(), columns::schema(), None).unwrap();
    writer.write(&request::fold(&rows.finish().unwrap()).unwrap()).unwrap();
    writer.close().unwrap();
    let file = DataFile {
        size_bytes: fs::metadata(&path).unwrap().len(),
        path,
        name,
        sha256: String::new(),
        day: None,
        resource_partition: "_none".to_owned(),
        stats: FileStats { rows: 1, event_time: None },
        memory_bytes: 0,
        columns: std::sync::Arc::from([]),
        seen: None,
        sent: None,
    };
    (folder, Snapshot { files: vec![file], ..Snapshot::default() })
}

fn limits(folder: &TempDir, threads: usize) -> Limits {
    Limits {
        memory_bytes: 1 << 30,
        threads,
        temp_directory: folder.path().join("spill"),
        checks: Checks::Never,
        places: None,
        proxies: crate::proxies::Proxies::default(),
    }
}

fn open(folder: &TempDir, snapshot: &Snapshot, threads: usize) -> Session {
    Session::open(snapshot, &Selection::default(), &limits(folder, threads)).unwrap()
}

/// A session that may write a copy of the events.
fn open_for_many(folder: &TempDir, snapshot: &Snapshot) -> Session {
    Session::open_for_many(snapshot, &Selection::default(), &limits(folder, 2)).unwrap()
}

#[derive(Default)]
struct Counted(usize);

impl RowSink for Counted {
    fn columns(&mut self, _: &SchemaRef) -> Result<(), SinkError> {
        Ok(())
    }

    fn rows(&mut self, batch: &RecordBatch) -> Result<(), SinkError> {
        self.0 += batch.num_rows();
        Ok(())
    }
}

/// Runs a text that has not passed the gate.
fn run(session: &Session, sql: &str) -> Result<usize, QueryError> {
    let bound = Bound { sql: sql.to_owned(), value: Box::new(|_| duckdb::types::Value::Null) };
    let mut rows = Counted::default();
    let done = stream(&session.engine, bound, Wanted::of(Rows::All), &session.interrupt, &mut rows);
    done.map_err(|error| session.explain(error, "run the statement", Author::User))?;
    Ok(rows.0)
}

#[test]
fn hostile_statements_leave_the_case_as_it_was_without_the_gate() {
    let (folder, snapshot) = case();
    let file = &snapshot.files[0].path;
    let before = fs::read(file).unwrap();
    let case = folder.path().join("case");
    let out = folder.path().join("out");
    // Of those that may write most: a session for many questions.
    let open = || {
        let session = open_for_many(&folder, &snapshot);
        session.prepare(&[]).unwrap();
        session.beside().unwrap()
    };
    let mut session = open();
    for sql in HOSTILE.split("\n====\n") {
        // Those that hurt nobody but the engine that runs them.
        if ["sleep_ms", "finalize", "AGGREGATE_STATE", "json_serialize_sql(repeat"]
            .iter()
            .any(|part| sql.contains(part))
        {
            continue;
        }
        let sql = sql.trim_end().replace("{case}", case.to_str().unwrap()).replace("{out}", out.to_str().unwrap());
        let outcome = run(&session, &sql.replace("{file}", file.to_str().unwrap()));
        let listed = file.parent().unwrap().read_dir().unwrap().chain(out.read_dir().unwrap()).count();
        assert_eq!((fs::read(file).unwrap() == before, listed), (true, 1), "{sql}: {outcome:?}");
        if ["DROP", "ALTER", "CREATE", "BEGIN", "DETACH", "PREPARE", "DELETE", "TRUNCATE"]
            .iter()
            .any(|word| sql.contains(word))
        {
            session = open();
        }
    }
    assert_eq!(run(&session, "FROM events").unwrap(), 1);
}

#[test]
fn a_second_connection_has_the_settings_and_the_locks_of_the_first() {
    let (folder, snapshot) = case();
    let first = open_for_many(&folder, &snapshot);
    first.prepare(&[]).unwrap();
    let second = first.beside().unwrap();
    assert_eq!(second.protection(), first.protection());
    let settings = |session: &Session| -> Vec<(String, Option<String>)> {
        let settings = session.ask("list the settings", |connection| {
            let mut listed = connection.prepare("SELECT name, value FROM duckdb_settings() ORDER BY name")?;
            listed.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        });
        settings.unwrap()
    };
    let (first, other) = (settings(&first), settings(&second));
    let locked = ("lock_configuration".to_owned(), Some("true".to_owned()));
    assert!(first.contains(&locked) && first.len() == other.len());
    // How far it is, and how wide a plan is drawn, nobody asks a second connection.
    let differ = first.iter().zip(&other).filter(|(one, other)| one != other).map(|((name, _), _)| name.as_str());
    assert_eq!(
        differ.collect::<Vec<_>>(),
        ["enable_progress_bar", "enable_progress_bar_print", "profiling_renderer_settings"]
    );
    let file = snapshot.files[0].path.to_str().unwrap();
    for sql in ["FROM read_text('/etc/hostname')", &format!("COPY (SELECT 1) TO '{file}'"), "SET threads = 1"] {
        assert!(run(&second, sql).is_err(), "{sql}");
    }
    assert_eq!(run(&second, "SELECT audit_id FROM events").unwrap(), 1);
}

#[test]
fn what_one_session_leaves_undone_does_not_trouble_the_next_statement() {
    struct Panics;
    impl RowSink for Panics {
        fn columns(&mut self, _: &SchemaRef) -> Result<(), SinkError> {
            panic!("a sink that panics")
        }
        fn rows(&mut self, _: &RecordBatch) -> Result<(), SinkError> {
            Ok(())
        }
    }
    let (folder, snapshot) = case();
    let session = open(&folder, &snapshot, 4);
    for _ in 0..3 {
        let bound = Bound {
            sql: "SELECT n FROM range(100_000_000_000) AS numbers(n)".to_owned(),
            value: Box::new(|_| duckdb::types::Value::Null),
        };
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            stream(&session.engine, bound, Wanted::of(Rows::All), &session.interrupt, &mut Panics)
        }));
        assert!(panicked.is_err());
        assert_eq!(run(&session, "SELECT 1").unwrap(), 1);
    }
    // Before its first row, a long way.
    let interrupt = session.interrupt_handle();
    let stopper = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(200));
        interrupt.interrupt();
    });
    let stopped = run(&session, "SELECT count(*) FROM range(1_000_000_000_000)");
    assert!(matches!(stopped, Err(QueryError::Interrupted)), "{stopped:?}");
    stopper.join().unwrap();
    assert_eq!(run(&session, "SELECT 1").unwrap(), 1);
}

#[test]
fn the_session_says_how_it_is_protected() {
    let (folder, snapshot) = case();
    let session = open(&folder, &snapshot, 1);
    #[cfg(target_os = "linux")]
    assert!(session.protection().is_in_force() || matches!(session.protection(), Protection::Missing { .. }));
    assert_eq!(run(&session, "SELECT 1").unwrap(), 1);
}
