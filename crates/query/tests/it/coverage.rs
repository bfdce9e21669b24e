//! `docs/coverage.md` tells which query finds which step of a known intrusion; here it is held against the logs.

use std::collections::BTreeMap;
use std::fs;

use kforensic_query::catalogue::Value as Given;
use kforensic_query::{Catalogue, Group, Parameters};
use serde_json::Value;

use crate::fixture::{Fixture, canned, run};

/// The captures, in the order of the columns of the table.
const LOGS: [(&str, &str); 2] = [("hardened", "sample-logs/hardened"), ("production", "tests/logs/production")];

fn read(path: &str) -> String {
    fs::read_to_string(std::env::var("CARGO_MANIFEST_DIR").unwrap() + "/../../" + path).unwrap()
}

/// The cells of the rows of the table below the heading `heading`.
fn table(text: &str, heading: &str) -> Vec<Vec<String>> {
    let section = text.split(&format!("## {heading}\n")).nth(1).expect(heading).split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// The steps of an intrusion with the time at which each begins, in microseconds since 1970.
fn steps(folder: &str) -> Vec<(String, i64)> {
    let lines = read(&format!("{folder}/incident.jsonl"));
    let step = |line| {
        let step: Value = serde_json::from_str(line).unwrap();
        let time = kforensic_query::window::parse(step["t"].as_str().unwrap(), 0).unwrap();
        (step["step"].as_str().unwrap().to_owned(), time)
    };
    lines.lines().map(step).collect()
}

fn rows_between(case: &Fixture, query: &str, since: Option<i64>, until: i64) -> usize {
    let query = canned(query);
    let mut parameters = Parameters::new();
    parameters.set("until", Given::Time(until));
    if let Some(since) = since {
        parameters.set("since", Given::Time(since));
    }
    run(&case.session(), &query, &parameters, None).unwrap().0.len()
}

#[test]
fn every_step_of_the_intrusions_is_found_by_the_queries_that_the_table_names() {
    let rows = table(&read("docs/coverage.md"), "Steps");
    for (column, (log, folder)) in LOGS.into_iter().enumerate() {
        let case = Fixture::of_logs(folder);
        let steps = steps(folder);
        let told: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
        let known: Vec<&str> = steps.iter().map(|(step, _)| step.as_str()).filter(|step| *step != "99-end").collect();
        assert_eq!(told, known, "{log}");
        for (row, ends) in rows.iter().zip(steps.windows(2)) {
            let cell = &row[3 + column];
            if cell.starts_with("not logged: ") {
                continue;
            }
            let queries: Vec<&str> = cell.split(", ").map(|query| query.trim_matches('`')).collect();
            assert!(!queries.is_empty(), "{log} {row:?}");
            for query in queries {
                let found = rows_between(&case, query, Some(ends[0].1), ends[1].1);
                assert!(found > 0, "{log}: `{query}` does not find {}", row[0]);
            }
        }
    }
}

#[test]
fn the_noise_of_every_detection_before_the_intrusion_is_what_the_table_says() {
    let told: BTreeMap<String, Vec<String>> = table(&read("docs/coverage.md"), "Noise")
        .into_iter()
        .map(|row| (row[0].trim_matches('`').to_owned(), row[1..].to_vec()))
        .collect();
    let quiet = LOGS.map(|(_, folder)| (Fixture::of_logs(folder), steps(folder)[0].1));
    let mut found = BTreeMap::new();
    for query in Catalogue::embedded().unwrap().iter() {
        if matches!(query.group, Group::Access | Group::Identity | Group::Operations) {
            continue;
        }
        let rows = quiet.iter().map(|(case, until)| rows_between(case, &query.name, None, *until).to_string());
        found.insert(query.name.clone(), rows.collect::<Vec<_>>());
    }
    let table = found.iter().map(|(query, rows)| format!("| `{query}` | {} |\n", rows.join(" | ")));
    assert_eq!(told, found, "the table should be:\n{}", table.collect::<String>());
}
