//! A filter takes rows away and changes none: for every query and every filter, with values taken from the rows.

use std::collections::BTreeMap;

use kforensic_query::catalogue::Value as Given;
use kforensic_query::{CannedQuery, Catalogue, Parameters, QueryKind, Selection, Session};
use serde_json::Value;

use crate::fixture::{Fixture, run};

/// Filters by the column of an answer that they compare.
const BY_COLUMN: [(&str, &str); 9] = [
    ("user", "user_name"),
    ("namespace", "namespace"),
    ("resource", "resource"),
    ("name", "name"),
    ("verb", "verb"),
    ("source_ip", "source_ip"),
    ("outcome", "outcome"),
    ("cluster", "cluster"),
    ("host", "host"),
];

/// Filters by the column of an account that lists what they compare: as many rows have the value as the filter leaves. What else
/// such a row counts may be less then, but whether it is there was decided by all that it counts.
const BY_LIST: [(&str, &str); 5] = [
    ("source_ip", "source_ips"),
    ("user", "users"),
    ("namespace", "namespaces"),
    ("resource", "resources"),
    ("name", "names"),
];

/// Queries whose rows are counts of what fits the filters: there a filter by time, or by what is not one of the things that
/// are counted by, changes the numbers, as it must. They are known by having no audit id.
fn is_account(row: &Value) -> bool {
    row.get("audit_id").is_none()
}

/// Queries whose rows hold a share of all that fits, which another filter makes another number.
const OF_A_WHOLE: [&str; 2] = ["noisy-resources", "top-actors"];

fn reads_secrets(query: &CannedQuery) -> bool {
    query.needs.iter().all(|need| need.resource == ["secrets"] && need.is_about_verb("list"))
}

fn asks_who_deleted(query: &CannedQuery) -> bool {
    let says = |verbs: &[String]| verbs.iter().any(|verb| verb == "deletecollection");
    query.kind == QueryKind::Question && query.needs.iter().any(|need| says(&need.verbs))
}

fn micros(row: &Value) -> i64 {
    kforensic_query::window::parse(row["event_time"].as_str().unwrap(), 0).unwrap()
}

/// The filters to try on an answer, each with the rows that are right.
fn filters(query: &CannedQuery, rows: &[Value]) -> Vec<(Parameters, String, Vec<Value>)> {
    let mut filters = Vec::new();
    let mut try_filter = |name: &str, value: Given, fits: &dyn Fn(&Value) -> bool| {
        let mut parameters = Parameters::new();
        parameters.set(name, value.clone());
        let right = rows.iter().filter(|row| fits(row)).cloned().collect();
        filters.push((parameters, format!("{name} = {value:?}"), right));
    };
    let Some(first) = rows.first() else { return filters };
    if !is_account(first) && first.get("event_time").is_some() {
        let time = micros(&rows[rows.len() / 2]);
        try_filter("since", Given::Time(time), &|row| micros(row) >= time);
        try_filter("until", Given::Time(time), &|row| micros(row) < time);
    }
    for (filter, column) in BY_COLUMN {
        // A column of what was counted, and not of what it was counted by, is no key of the row.
        if query.parameter(filter).is_none() || (is_account(first) && ["outcome", "verb"].contains(&column)) {
            continue;
        }
        let mut values: BTreeMap<&str, usize> = BTreeMap::new();
        for value in rows.iter().filter_map(|row| row.get(column)?.as_str()) {
            *values.entry(value).or_default() += 1;
        }
        if let Some((value, _)) = values.iter().max_by_key(|(_, count)| **count) {
            let value = *value;
            // A list or a watch of secrets covers those that it does not name, and a deletion of all those of a kind.
            let covers = |row: &Value| {
                let is_one = |verbs: &[&str]| {
                    ["verb", "how"].iter().any(|told| verbs.contains(&row[*told].as_str().unwrap_or_default()))
                };
                row[column].is_null()
                    && (["namespace", "name"].contains(&column) && reads_secrets(query) && is_one(&["list", "watch"])
                        || column == "name" && asks_who_deleted(query) && is_one(&["deletecollection"]))
            };
            try_filter(filter, Given::Text(value.to_owned()), &|row| {
                row[column].as_str() == Some(value) || covers(row)
            });
        }
    }
    filters
}

/// The filters by what accounts list, each with the number of rows that have it.
fn filters_by_lists(rows: &[Value]) -> Vec<(Parameters, String, usize)> {
    let mut filters = Vec::new();
    for (filter, column) in BY_LIST {
        let lists = rows.iter().filter_map(|row| row.get(column)?.as_array());
        let mut values: Vec<&str> = lists.flatten().filter_map(Value::as_str).collect();
        values.sort_unstable();
        values.dedup();
        // A name may stand in the list with its namespace, and what is asked of all of them names none.
        values.retain(|value| *value != "*" && (filter != "name" || !value.contains('/')));
        for value in values.iter().take(3).chain(values.last()) {
            let has = |row: &&Value| row[column].as_array().is_some_and(|list| list.contains(&Value::from(*value)));
            let mut parameters = Parameters::new();
            parameters.set(filter, Given::Text((*value).to_owned()));
            filters.push((parameters, format!("{filter} = {value} in {column}"), rows.iter().filter(has).count()));
        }
    }
    filters
}

fn sorted(mut rows: Vec<Value>) -> Vec<String> {
    rows.sort_by_key(Value::to_string);
    rows.iter().map(Value::to_string).collect()
}

fn answer(session: &Session, query: &CannedQuery, parameters: &Parameters) -> Vec<Value> {
    run(session, query, parameters, None).unwrap().0
}

#[test]
fn a_filtered_answer_is_the_whole_answer_filtered() {
    let mut wrong = Vec::new();
    // Of the largest not all filters are tried: each answer takes a session of its own.
    for (folder, most) in [("tests/logs/made", 20), ("tests/logs/identities", 20), ("sample-logs/hardened", 3)] {
        let case = Fixture::of_logs(folder);
        let whole = case.session();
        for query in Catalogue::embedded().unwrap().iter().filter(|query| !OF_A_WHOLE.contains(&query.name.as_str())) {
            let rows = answer(&whole, query, &Parameters::new());
            for (parameters, told, right) in filters_by_lists(&rows) {
                let found = answer(&whole, query, &parameters);
                if found.len() != right {
                    wrong.push(format!("{folder} {}: {told}: {} rows, not {right}", query.name, found.len()));
                }
            }
            for (parameters, told, right) in filters(query, &rows).into_iter().take(most) {
                // As the program does it: from the files that the filters leave.
                let left = ["since", "until", "resource"].iter().any(|name| parameters.get(name).is_some());
                let narrow = left.then(|| case.select(&Selection::of(query, &parameters)).unwrap());
                let found = answer(narrow.as_ref().unwrap_or(&whole), query, &parameters);
                if sorted(found.clone()) != sorted(right.clone()) {
                    wrong.push(format!("{folder} {}: {told}: {} rows, not {}", query.name, found.len(), right.len()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} answers:\n{}", wrong.len(), wrong.join("\n"));
}
