//! Sessions that are asked many questions: what they prepare changes no answer.

use std::fs;

use kforensic_query::catalogue::QueryKind;
use kforensic_query::{CannedQuery, Catalogue, Parameters, Selection, Session};
use serde_json::Value;

use crate::fixture::{Fixture, ad_hoc, run};

const ACCOUNTS: [&str; 4] = ["activity", "deletions", "origins", "rhythm"];

/// A session that is prepared for questions.
fn prepared(case: &Fixture, questions: &[CannedQuery]) -> Session {
    let session = Session::open_for_many(&case.snapshot, &Selection::default(), &case.limits()).unwrap();
    let parameters = Parameters::new();
    session.prepare(&questions.iter().map(|query| (query, &parameters)).collect::<Vec<_>>()).unwrap();
    session
}

fn rows(session: &Session, query: &CannedQuery) -> Vec<Value> {
    run(session, query, &Parameters::new(), None).unwrap().0
}

/// Names of what lies in the folder of a session.
fn copies(case: &Fixture) -> Vec<String> {
    let entries = fs::read_dir(case.limits().temp_directory).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("working_copy") && name.ends_with(".duckdb")).collect()
}

#[test]
fn every_detection_has_the_same_rows_from_a_working_copy_on_two_connections() {
    let catalogue = Catalogue::embedded().unwrap();
    let is_asked = |query: &&CannedQuery| query.kind == QueryKind::Detection || ACCOUNTS.contains(&query.name.as_str());
    let questions: Vec<CannedQuery> = catalogue.iter().filter(is_asked).cloned().collect();
    for log in ["sample-logs/hardened", "tests/logs/identities"] {
        let case = Fixture::of_logs(log);
        let (plain, first) = (case.session(), prepared(&case, &questions));
        assert_eq!(copies(&case).len(), 1, "there is a copy, and not only an attempt");
        let second = first.beside().unwrap();
        let mut count = 0;
        std::thread::scope(|scope| {
            let half = |session: &Session, part: usize| -> Vec<(String, Vec<Value>)> {
                let asked = questions.iter().enumerate().filter(|(at, _)| at % 2 == part);
                asked.map(|(_, query)| (query.name.clone(), rows(session, query))).collect()
            };
            let other = scope.spawn(move || half(&second, 1));
            let mut answers = half(&first, 0);
            answers.extend(other.join().unwrap());
            for (name, answer) in answers {
                count += answer.len();
                assert_eq!(answer, rows(&plain, catalogue.find(&name).unwrap()), "{name} on {log}");
            }
        });
        assert!(count > 80, "{count} rows on {log}");
    }
}

#[test]
fn a_query_of_the_users_own_that_takes_all_columns_gets_them() {
    let case = Fixture::of_logs("sample-logs/hardened");
    let own = ad_hoc("SELECT * FROM requests WHERE filters() AND verb = 'delete' ORDER BY audit_id");
    let expected = rows(&case.session(), &own);
    assert!(expected.len() > 1 && expected[0].get("byte_offset").is_some(), "{:?}", expected.first());
    assert_eq!(rows(&prepared(&case, std::slice::from_ref(&own)), &own), expected);
}

#[test]
fn where_no_copy_can_be_made_the_files_answer() {
    let case = Fixture::of_logs("sample-logs/hardened");
    let query = Catalogue::embedded().unwrap().find("exec-suspicious").unwrap().clone();
    for number in 0..64 {
        // What stands in the way of a file.
        fs::create_dir_all(case.limits().temp_directory.join(format!("working_copy-{number}.duckdb/x"))).unwrap();
    }
    let session = prepared(&case, std::slice::from_ref(&query));
    let answer = rows(&session, &query);
    assert!(!answer.is_empty());
    assert_eq!(answer, rows(&case.session(), &query));
}
