//! Limits on rows and memory, parameters, and interrupts.

use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use kforensic_query::catalogue::Value;
use kforensic_query::{Limits, Parameters, QueryError, RowSink, RunSummary, Selection, Session, SinkError};
use serde_json::json;

use crate::fixture::{Fixture, ad_hoc, canned, parameters, run};

#[test]
fn a_limit_keeps_the_newest_rows_and_counts_all() {
    let case = Fixture::of_logs("sample-logs/hardened");
    let (session, query) = (case.session(), canned("secret-reads"));
    let all = case.ask("secret-reads", &[]);
    for limit in [0, 1, 50, 129, 130, 131, usize::MAX] {
        let (rows, summary) = run(&session, &query, &Parameters::new(), Some(limit)).unwrap();
        assert_eq!(rows, all[all.len().saturating_sub(limit)..], "{limit}");
        assert_eq!(summary, RunSummary { rows: rows.len() as u64, total_rows: 130, own_rows: None });
    }
    // More rows than a batch of DuckDB has.
    let query = ad_hoc("SELECT n FROM range(100_000) AS numbers(n) ORDER BY n");
    let (rows, summary) = run(&session, &query, &Parameters::new(), Some(3_000)).unwrap();
    assert_eq!(summary, RunSummary { rows: 3_000, total_rows: 100_000, own_rows: None });
    assert_eq!((&rows[0], &rows[2_999]), (&json!({"n": 97_000}), &json!({"n": 99_999})));
}

#[test]
fn a_value_that_would_be_ignored_is_refused() {
    let case = Fixture::of_texts(&[]);
    let session = case.session();
    let query = ad_hoc("SELECT 1 WHERE $user::VARCHAR IS NULL AND $outcome::VARCHAR IS NULL ORDER BY 1");
    let ask = |name: &str, value: Value| {
        let mut parameters = Parameters::new();
        parameters.set(name, value);
        run(&session, &query, &parameters, None).map(|(rows, _)| rows.len())
    };
    let text = |text: &str| Value::Text(text.to_owned());
    assert_eq!(ask("user", text("bob")).unwrap(), 0);
    match ask("namespace", text("prod")) {
        Err(QueryError::UnknownParameter { name, near, .. }) => {
            assert_eq!((name.as_str(), near.len()), ("namespace", 0));
        }
        other => panic!("{other:?}"),
    }
    match ask("usr", text("bob")) {
        Err(QueryError::UnknownParameter { near, .. }) => assert_eq!(near, ["user"]),
        other => panic!("{other:?}"),
    }
    assert!(matches!(ask("user", Value::Integer(1)), Err(QueryError::Value { .. })));
    assert!(matches!(ask("outcome", text("deny")), Err(QueryError::Value { .. })));
}

#[test]
fn values_are_bound_and_not_pasted() {
    let case = Fixture::of_logs("sample-logs/hardened");
    for hostile in ["' OR '1'='1", "bob' --", "$user", "%", "\u{0}", ""] {
        assert_eq!(case.ask("secret-reads", &["--user", hostile]).len(), 0, "{hostile:?}");
    }
    // Every kind arrives as it was.
    let query =
        ad_hoc("SELECT $since::TIMESTAMP AS since, $user::VARCHAR AS user, $until::TIMESTAMP AS until ORDER BY 1");
    let arguments = parameters(&query, &["--since", "2026-11-01T10:00:00.000001+02:00", "--user", "it's \"$1\" é"]);
    let (rows, _) = run(&case.session(), &query, &arguments, None).unwrap();
    assert_eq!(rows, [json!({"since": "2026-11-01T08:00:00.000001Z", "user": "it's \"$1\" é", "until": null})]);
}

#[test]
fn declared_parameters_are_bound_with_their_defaults() {
    let case = Fixture::of_texts(&[]);
    let declared = "-- [[parameters]]\n-- name = \"at_least\"\n-- type = \"integer\"\n-- meaning = \"m\"\n-- default = 3\n\
                    -- [[parameters]]\n-- name = \"strict\"\n-- type = \"boolean\"\n-- meaning = \"m\"\n";
    let query = ad_hoc(&format!("{declared}SELECT $at_least::BIGINT AS n, $strict::BOOLEAN AS b ORDER BY 1"));
    let ask = |arguments: &[&str]| run(&case.session(), &query, &parameters(&query, arguments), None).unwrap().0;
    assert_eq!(ask(&[]), [json!({"n": 3, "b": null})]);
    assert_eq!(ask(&["--at-least", "-9", "--strict", "true"]), [json!({"n": -9, "b": true})]);
}

#[test]
fn a_session_that_is_too_narrow_does_not_answer() {
    let case = Fixture::of_logs("sample-logs/hardened");
    let query = canned("secret-reads");
    let session = case.select(&Selection::of(&query, &Parameters::new())).unwrap();
    assert_eq!(run(&session, &query, &Parameters::new(), None).unwrap().0.len(), 130);
    let refused = run(&session, &canned("failed-auth"), &Parameters::new(), None);
    assert!(matches!(refused, Err(QueryError::TooNarrow { .. })));
}

/// Interrupts its own query from another thread, as Ctrl-C would.
struct Stopped(kforensic_query::Interrupt);

impl RowSink for Stopped {
    fn columns(&mut self, _: &SchemaRef) -> Result<(), SinkError> {
        let interrupt = self.0.clone();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            interrupt.interrupt();
        });
        Ok(())
    }

    fn rows(&mut self, _: &RecordBatch) -> Result<(), SinkError> {
        Ok(())
    }
}

#[test]
fn a_query_can_be_interrupted_and_the_session_goes_on() {
    let case = Fixture::of_texts(&[]);
    let session = case.session();
    let interrupt = session.interrupt_handle();
    // Ahead of the query, while it computes without giving rows, and while it gives rows.
    interrupt.interrupt();
    let quick = ad_hoc("SELECT 1 ORDER BY 1");
    assert!(matches!(run(&session, &quick, &Parameters::new(), None), Err(QueryError::Interrupted)));
    let begin = Instant::now();
    for sql in [
        "SELECT count(*) FROM range(100_000_000_000) ORDER BY 1",
        "SELECT n FROM range(100_000_000_000) AS numbers(n) WHERE n >= (SELECT 0 ORDER BY 1)",
    ] {
        let waiting = {
            let interrupt = interrupt.clone();
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(500));
                interrupt.interrupt();
            })
        };
        let mut sink = Stopped(interrupt.clone());
        let ended = session.run(&ad_hoc(sql), &Parameters::new(), None, &mut sink);
        assert!(matches!(ended, Err(QueryError::Interrupted)), "{sql}: {ended:?}");
        waiting.join().unwrap();
        // The second interrupt of the two came too late, and ends the next query.
        let _ = run(&session, &quick, &Parameters::new(), None);
    }
    assert!(begin.elapsed() < Duration::from_secs(60));
    assert_eq!(run(&session, &quick, &Parameters::new(), None).unwrap().0.len(), 1);
}

struct Full;

impl RowSink for Full {
    fn columns(&mut self, _: &SchemaRef) -> Result<(), SinkError> {
        Ok(())
    }

    fn rows(&mut self, _: &RecordBatch) -> Result<(), SinkError> {
        Err(Box::new(std::io::Error::from(std::io::ErrorKind::BrokenPipe)))
    }
}

#[test]
fn a_sink_that_gives_up_ends_the_query_with_its_own_error() {
    let case = Fixture::of_logs("sample-logs/hardened");
    match case.session().run(&canned("secret-reads"), &Parameters::new(), None, &mut Full) {
        Err(QueryError::Sink(error)) => {
            let error = error.downcast::<std::io::Error>().unwrap();
            assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_does_not_fit_into_memory_is_spilled_or_an_error_that_names_the_limit() {
    let case = Fixture::of_texts(&[]);
    let open = |memory_bytes| {
        let limits = Limits { memory_bytes, ..case.limits() };
        Session::open(&case.snapshot, &Selection::default(), &limits).unwrap()
    };
    let sorted = ad_hoc("SELECT md5(n::VARCHAR) AS h FROM range(1_500_000) AS numbers(n) ORDER BY h");
    let (rows, summary) = run(&open(64 << 20), &sorted, &Parameters::new(), Some(1)).unwrap();
    assert_eq!((rows.len(), summary.total_rows), (1, 1_500_000));
    let lists = ad_hoc("SELECT len(list(md5(n::VARCHAR))) FROM range(20_000_000) AS numbers(n) ORDER BY 1");
    match run(&open(64 << 20), &lists, &Parameters::new(), None) {
        Err(QueryError::OutOfMemory { limit_bytes, .. }) => assert_eq!(limit_bytes, 64 << 20),
        other => panic!("{other:?}"),
    }
    // What was spilled does not outlive the session.
    let spill = case.limits().temp_directory;
    assert!(!spill.exists() || spill.read_dir().unwrap().next().is_none());
}
