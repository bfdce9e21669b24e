//! `docs/coverage.md` tells which query finds which step of a known intrusion; here it is held against the logs.

use std::collections::BTreeMap;
use std::fs;

use kforensic_query::catalogue::Value as Given;
use kforensic_query::{Catalogue, Parameters, QueryKind};
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

/// A step of an intrusion.
struct Step {
    name: String,
    /// When it begins, in microseconds since 1970.
    begins: i64,
    /// What a row about it says: who acted, or that nobody was authenticated.
    signs: Vec<String>,
}

fn steps(folder: &str) -> Vec<Step> {
    let lines = read(&format!("{folder}/incident.jsonl"));
    let step = |line| {
        let step: Value = serde_json::from_str(line).unwrap();
        let time = kforensic_query::window::parse(step["t"].as_str().unwrap(), 0).unwrap();
        let actor = step["actor"].as_str().unwrap();
        // The server of `hardened` takes no anonymous requests: there they are 401s. Nobody else has this client.
        let signs: &[&str] = match actor {
            "system:anonymous" | "(anonymous)" | "(401)" => {
                &["system:anonymous", "unauthenticated", "401", "python-requests"]
            }
            name => &[name],
        };
        let signs = signs.iter().map(|sign| (*sign).to_owned()).collect();
        Step { name: step["step"].as_str().unwrap().to_owned(), begins: time, signs }
    };
    lines.lines().map(step).collect()
}

fn rows_between(case: &Fixture, query: &str, since: Option<i64>, until: i64) -> Vec<Value> {
    let query = canned(query);
    let mut parameters = Parameters::new();
    parameters.set("until", Given::Time(until));
    if let Some(since) = since {
        parameters.set("since", Given::Time(since));
    }
    run(&case.session(), &query, &parameters, None).unwrap().0
}

#[test]
fn every_step_of_the_intrusions_is_found_by_the_queries_that_the_table_names() {
    let rows = table(&read("docs/coverage.md"), "Steps");
    let mut missed = Vec::new();
    for (column, (log, folder)) in LOGS.into_iter().enumerate() {
        let case = Fixture::of_logs(folder);
        let steps = steps(folder);
        let told: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
        let known: Vec<&str> = steps.iter().map(|step| step.name.as_str()).filter(|step| *step != "99-end").collect();
        assert_eq!(told, known, "{log}");
        for (row, ends) in rows.iter().zip(steps.windows(2)) {
            let cell = &row[3 + column];
            if cell.starts_with("not logged: ") {
                continue;
            }
            let queries: Vec<&str> = cell.split(", ").map(|query| query.trim_matches('`')).collect();
            assert!(!queries.is_empty(), "{log} {row:?}");
            for query in queries {
                // Others work meanwhile, so a row counts only when it is about the one who took the step.
                let rows = rows_between(&case, query, Some(ends[0].begins), ends[1].begins);
                let is_about = |row: &Value| ends[0].signs.iter().any(|sign| row.to_string().contains(sign));
                if !rows.iter().any(is_about) {
                    missed.push(format!("{log}: `{query}` does not find {}", row[0]));
                }
            }
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn the_noise_of_every_detection_before_the_intrusion_is_what_the_table_says() {
    let told: BTreeMap<String, Vec<String>> = table(&read("docs/coverage.md"), "Noise")
        .into_iter()
        .map(|row| (row[0].trim_matches('`').to_owned(), row[1..].to_vec()))
        .collect();
    let quiet = LOGS.map(|(_, folder)| (Fixture::of_logs(folder), steps(folder)[0].begins));
    let mut found = BTreeMap::new();
    for query in Catalogue::embedded().unwrap().iter() {
        if query.kind != QueryKind::Detection {
            continue;
        }
        let rows = quiet.iter().map(|(case, until)| rows_between(case, &query.name, None, *until).len().to_string());
        found.insert(query.name.clone(), rows.collect::<Vec<_>>());
    }
    let table = found.iter().map(|(query, rows)| format!("| `{query}` | {} |\n", rows.join(" | ")));
    assert_eq!(told, found, "the table should be:\n{}", table.collect::<String>());
}
