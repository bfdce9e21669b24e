//! What holds for every query of the catalogue, and for every view.

use std::path::Path;

use kforensic_query::catalogue::{Claimed, ParameterKind, Value as Given, common};
use kforensic_query::{CannedQuery, Catalogue, Group, Limits, Parameters, Selection, Session, describe};
use serde_json::Value;

use crate::fixture::{Collected, Fixture, run};

/// The folder of a log that an example names.
fn folder(log: &str) -> String {
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap() + "/../../";
    let found = ["sample-logs/", "tests/logs/"].map(|parent| format!("{parent}{log}"));
    found.into_iter().find(|path| Path::new(&(root.clone() + path)).is_dir()).expect(log)
}

#[test]
fn the_examples_of_every_query_hold() {
    let mut logs: Vec<(String, Fixture)> = Vec::new();
    let mut wrong = Vec::new();
    for query in Catalogue::embedded().unwrap().iter() {
        for example in &query.examples {
            if !logs.iter().any(|(log, _)| *log == example.log) {
                logs.push((example.log.clone(), Fixture::of_logs(&folder(&example.log))));
            }
            let (_, case) = logs.iter().find(|(log, _)| *log == example.log).unwrap();
            let arguments: Vec<&str> = example.arguments.iter().map(String::as_str).collect();
            let rows = case.ask(&query.name, &arguments).len() as u64;
            if rows != example.rows {
                wrong.push(format!("{} {arguments:?} on {}: {rows}, not {}", query.name, example.log, example.rows));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A value that a filter of this kind takes.
fn some_value(kind: ParameterKind) -> Given {
    match kind {
        ParameterKind::Time => Given::Time(1),
        ParameterKind::Outcome => Given::Text("denied".to_owned()),
        ParameterKind::Address => Given::Network("10.0.0.0/8".to_owned()),
        ParameterKind::Integer => Given::Integer(1),
        ParameterKind::Boolean => Given::Boolean(true),
        ParameterKind::Text | ParameterKind::Resource => Given::Text("it's".to_owned()),
    }
}

#[test]
fn every_query_takes_every_filter() {
    let session = Fixture::of_texts(&[]);
    let session = session.session();
    let mut wrong = Vec::new();
    for query in Catalogue::embedded().unwrap().iter() {
        let mut all = Parameters::new();
        for filter in common() {
            all.set(&filter.name, some_value(filter.kind));
        }
        all.set_condition("user_agent IS NULL OR verb = 'get' -- or so".to_owned()).unwrap();
        if let Err(error) = run(&session, query, &all, None) {
            wrong.push(format!("{}: {error}", query.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn with(name: &str, value: Given) -> Parameters {
    let mut parameters = Parameters::new();
    parameters.set(name, value);
    parameters
}

/// The time in the middle of a log.
fn middle(case: &Fixture) -> i64 {
    let rows = case.sql("SELECT median(event_time)::TIMESTAMP AS middle FROM events ORDER BY 1");
    kforensic_query::window::parse(rows[0]["middle"].as_str().unwrap(), 0).unwrap()
}

#[test]
fn a_session_of_the_files_that_filters_leave_answers_like_one_of_the_whole_case() {
    let mut wrong = Vec::new();
    // Small logs with all there is; a file of theirs holds a second or two.
    for log in ["made", "identities", "adversarial", "changes", "workloads", "hardened"] {
        let case = Fixture::of_logs(&folder(log));
        let (whole, middle) = (case.session(), middle(&case));
        let narrowings = [
            with("since", Given::Time(middle)),
            with("until", Given::Time(middle)),
            with("resource", Given::Text("secrets".to_owned())),
        ];
        for query in Catalogue::embedded().unwrap().iter() {
            for parameters in narrowings.iter().take(if log == "hardened" { 1 } else { 3 }) {
                let selection = Selection::of(query, parameters);
                if selection == Selection::default() {
                    continue;
                }
                let all = run(&whole, query, parameters, None).unwrap().0;
                if run(&case.select(&selection).unwrap(), query, parameters, None).unwrap().0 != all {
                    wrong.push(format!("{} {parameters:?} on {log}", query.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "these look beyond their filters, unseen by `reach`:\n{}", wrong.join("\n"));
}

#[test]
fn answers_do_not_depend_on_threads() {
    let case = Fixture::of_logs("sample-logs/hardened");
    let session = |threads| {
        let limits = Limits { threads, ..case.limits() };
        Session::open(&case.snapshot, &Selection::default(), &limits).unwrap()
    };
    let answer = |session: &Session, query: &CannedQuery| run(session, query, &Parameters::new(), None).unwrap().0;
    let sessions = [session(1), session(2), session(8)];
    // How often each query is asked again, in pairs of sessions; once in the suite.
    let repeats = std::env::var("KFORENSIC_REPEATS").map_or(1, |repeats| repeats.parse().unwrap());
    for query in Catalogue::embedded().unwrap().iter() {
        let first: Vec<Value> = answer(&sessions[0], query);
        for session in sessions[1..].iter().chain(&sessions).cycle().take(2 * repeats) {
            assert_eq!(answer(session, query), first, "{}", query.name);
        }
    }
}

#[test]
fn what_headers_and_orders_say_of_rows_is_true_of_their_columns() {
    let session = Fixture::of_texts(&[]);
    let session = session.session();
    for query in Catalogue::embedded().unwrap().iter() {
        let mut sink = Collected::default();
        session.run(query, &Parameters::new(), None, &mut sink).unwrap();
        let schema = sink.schema.unwrap();
        let has = |name: &str| schema.fields().iter().any(|field| field.name() == name);
        let claimed = match (has("forwarded_for"), has("aspect")) {
            (true, _) => Some(Claimed::ForwardedFor),
            (false, true) => Some(Claimed::Aspect),
            (false, false) => None,
        };
        assert_eq!(query.claimed, claimed, "{}", query.name);
        assert_eq!(query.lists_requests(), has("audit_id"), "{}", query.name);
    }
}

#[test]
fn every_column_of_every_view_is_explained() {
    let case = Fixture::of_texts(&[]);
    let mut unexplained = Vec::new();
    for view in describe::views() {
        for row in case.sql(&format!("SELECT column_name FROM (DESCRIBE {}) ORDER BY 1", view.name)) {
            let column = row["column_name"].as_str().unwrap();
            if describe::meaning(view.name, column).is_none() {
                unexplained.push(format!("{}.{column}", view.name));
            }
        }
    }
    assert!(unexplained.is_empty(), "{}", unexplained.join("\n"));
}

#[test]
fn no_column_has_a_time_zone() {
    // DuckDB without ICU can neither compute on nor print such a column.
    let case = Fixture::of_texts(&[]);
    for view in describe::views() {
        for row in case.sql(&format!("SELECT column_name, column_type FROM (DESCRIBE {}) ORDER BY 1", view.name)) {
            assert_ne!(row["column_type"], "TIMESTAMP WITH TIME ZONE", "{} {row}", view.name);
        }
    }
}

#[test]
fn the_readme_says_how_many_queries_there_are_and_what_one_begins_with() {
    let readme = std::fs::read_to_string(std::env::var("CARGO_MANIFEST_DIR").unwrap() + "/../../README.md").unwrap();
    let catalogue = Catalogue::embedded().unwrap();
    let main = || catalogue.iter().filter(|query| query.variant.is_none());
    assert!(readme.contains(&format!("There are {} queries", main().count())), "{}", main().count());
    for query in main().filter(|query| query.group == Group::Start && query.name != "coverage") {
        assert!(readme.contains(&format!("`query {} ", query.name)), "{}", query.name);
    }
}
