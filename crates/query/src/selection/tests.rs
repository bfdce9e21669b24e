use std::path::PathBuf;

use kforensic_lake::FileStats;

use super::*;
use crate::catalogue::{CannedQuery, Parameters, Value};

/// Noon of 1970-01-`day`, in microseconds.
fn noon(day: i64) -> i64 {
    (day - 1) * 86_400_000_000 + 43_200_000_000
}

fn file(day: Option<i32>, partition: &str, event_time: Option<(i64, i64)>) -> DataFile {
    DataFile {
        path: PathBuf::new(),
        name: String::new(),
        size_bytes: 0,
        sha256: String::new(),
        day,
        resource_partition: partition.to_owned(),
        stats: FileStats { rows: 1, event_time },
        memory_bytes: 0,
        columns: std::sync::Arc::from([]),
        seen: None,
        sent: None,
    }
}

fn selected(selection: &Selection, files: &[DataFile]) -> Vec<usize> {
    let snapshot = Snapshot { files: files.to_vec(), ..Snapshot::default() };
    let chosen = selection.event_files(&snapshot);
    let at = |file: &DataFile| snapshot.files.iter().position(|other| std::ptr::eq(file, other)).unwrap();
    chosen.into_iter().map(at).collect()
}

fn window(since: Option<i64>, until: Option<i64>) -> Selection {
    Selection { since, until, ..Selection::default() }
}

#[test]
fn files_are_chosen_by_the_window_to_the_microsecond() {
    let files = [
        file(Some(0), "pods", Some((noon(1), noon(1) + 10))),
        file(Some(1), "pods", Some((noon(2), noon(2) + 10))),
        file(Some(1), "pods", None),
        file(None, "pods", None),
        file(None, partition::REJECTED, None),
    ];
    assert_eq!(selected(&Selection::default(), &files), [0, 1, 2, 3]);
    assert_eq!(selected(&window(Some(noon(1) + 10), None), &files), [0, 1, 2, 3]);
    assert_eq!(selected(&window(Some(noon(1) + 11), None), &files), [1, 2, 3]);
    assert_eq!(selected(&window(Some(noon(2) + 11), None), &files), [2, 3]);
    // The end is not part of the window.
    assert_eq!(selected(&window(None, Some(noon(2) + 1)), &files), [0, 1, 2, 3]);
    assert_eq!(selected(&window(None, Some(noon(2))), &files), [0, 2, 3]);
    assert_eq!(selected(&window(None, Some(86_400_000_000)), &files), [0, 3]);
    assert_eq!(selected(&window(Some(i64::MAX), Some(i64::MIN)), &files), [3]);
}

#[test]
fn files_are_chosen_by_the_partition_of_the_resource() {
    let files = [
        file(Some(0), "secrets", None),
        file(Some(0), "pods", None),
        file(Some(0), partition::OTHER, None),
        file(Some(0), partition::NONE, None),
    ];
    let on = |names: &[&str]| Selection {
        resources: Some(names.iter().map(|name| (*name).to_owned()).collect()),
        ..Selection::default()
    };
    assert_eq!(selected(&on(&["secrets"]), &files), [0]);
    assert_eq!(selected(&on(&["pods", "widgets"]), &files), [1, 2]);
    assert_eq!(selected(&on(&["_none"]), &files), [2]);
    assert!(selected(&on(&[]), &files).is_empty());
}

#[test]
fn files_are_chosen_by_what_the_log_says_that_they_hold() {
    // Texts, and kinds that begin with the numbers of group and resource.
    let holding = |partition: &str, texts: &str, kinds: &[(u32, u32)]| {
        let kinds: Vec<String> = kinds.iter().map(|(group, of)| format!("[{group},{of},0,0,0,0,0,5,1,1]")).collect();
        let seen = format!("{{\"t\":{texts},\"k\":[{}],\"h\":[],\"m\":[0,0,0,0,0,0,0,0]}}", kinds.join(","));
        DataFile { seen: Some(seen), ..file(Some(0), partition, None) }
    };
    let files = [
        holding(partition::OTHER, r#"["a.io","gadgets","widgets"]"#, &[(0, 1), (0, 2)]),
        holding(partition::OTHER, r#"["a.io","gadgets","b.io","widgets"]"#, &[(0, 1), (2, 3)]),
        holding("pods", r#"["","pods"]"#, &[(0, 1)]),
        file(Some(0), partition::OTHER, None),
    ];
    let on = |resources: Option<&[&str]>, groups: Option<&[&str]>| {
        let owned = |names: Option<&[&str]>| names.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        Selection { resources: owned(resources), groups: owned(groups), ..Selection::default() }
    };
    assert_eq!(selected(&on(None, None), &files), [0, 1, 2, 3]);
    assert_eq!(selected(&on(Some(&["gadgets"]), None), &files), [0, 1, 3]);
    assert_eq!(selected(&on(Some(&["pods", "gizmos"]), None), &files), [2, 3]);
    assert_eq!(selected(&on(None, Some(&["b.io"])), &files), [1, 3]);
    assert_eq!(selected(&on(Some(&["widgets"]), Some(&["a.io"])), &files), [0, 3]);
    // Nothing of them may be taken for all that such a file holds.
    assert!(!on(None, Some(&["a.io"])).holds_all_of(&files[0]));
}

#[test]
fn files_without_refusals_are_left_out_where_only_these_are_asked_for() {
    let answering = |answers: &str| DataFile {
        seen: Some(format!("{{\"t\":[],\"k\":[],\"h\":[],{answers}\"m\":[0,0,0,0,0,0,0,0]}}")),
        columns: ["event_time".to_owned(), "final".to_owned()].into(),
        ..file(Some(0), "pods", None)
    };
    let unfolded = DataFile { columns: ["event_time".to_owned()].into(), ..answering("\"c\":[200],\"l\":0,") };
    let files = [
        answering("\"c\":[200,404],\"l\":0,"),
        answering("\"c\":[200,403],\"l\":0,"),
        answering("\"c\":[302],\"l\":2,"),
        answering(""),
        file(Some(0), "pods", None),
        unfolded,
    ];
    let refusals = Selection { refusals: true, ..Selection::default() };
    assert_eq!(selected(&refusals, &files), [1, 2, 3, 4, 5]);
    assert_eq!(selected(&Selection::default(), &files), [0, 1, 2, 3, 4, 5]);
    assert!(refusals.check_covers_all_of("it", &Selection::default()).is_err());
    Selection::default().check_covers_all_of("it", &refusals).unwrap();
    refusals.check_covers_all_of("it", &refusals).unwrap();
}

#[test]
fn a_session_does_not_answer_what_it_cannot_see() {
    const HEADER: &str = "-- title = \"T\"\n-- question = \"Q\"\n-- attack = []\n-- needs = \"n\"\n-- noise = \"n\"\n\
                          -- examples = [{ log = \"l\", rows = 0 }, { log = \"l\", rows = 1 }]\n";
    let sql = "SELECT $since, $until ORDER BY 1";
    let all = CannedQuery::parse("all.sql", &format!("{HEADER}{sql}")).unwrap();
    let resources = HEADER.replace("-- title", "-- resources = [\"secrets\"]\n-- title");
    let secrets = CannedQuery::parse("secrets.sql", &format!("{resources}{sql}")).unwrap();
    let mut narrow = Parameters::new();
    narrow.set("since", Value::Time(10));
    narrow.set("until", Value::Time(20));
    let none = Parameters::new();

    assert_eq!(
        Selection::of(&secrets, &narrow),
        Selection {
            since: Some(10),
            until: Some(20),
            resources: Some(vec!["secrets".to_owned()]),
            ..Selection::default()
        }
    );
    for (query, parameters) in [(&all, &none), (&all, &narrow), (&secrets, &none), (&secrets, &narrow)] {
        Selection::default().check_covers(query, parameters).unwrap();
        Selection::of(query, parameters).check_covers(query, parameters).unwrap();
    }
    let refused =
        |selection: Selection, query, parameters| selection.check_covers(query, parameters).unwrap_err().to_string();
    let secrets_only = Selection::of(&secrets, &none);
    assert_eq!(
        refused(secrets_only, &all, &none),
        "the query `all` asks for all resources, which this session leaves out"
    );
    assert!(refused(window(Some(11), None), &all, &narrow).contains("before 1970-01-01T00:00:00.000011Z"));
    assert!(refused(window(Some(11), None), &all, &none).contains("before"));
    assert!(refused(window(None, Some(19)), &all, &narrow).contains("from 1970-01-01T00:00:00.000019Z on"));
    assert!(refused(window(None, Some(19)), &all, &none).contains("from"));
    let groups = HEADER.replace("-- title", "-- groups = [\"a.io\"]\n-- title");
    let grouped = CannedQuery::parse("grouped.sql", &format!("{groups}{sql}")).unwrap();
    let of = |group: &str| Selection { groups: Some(vec![group.to_owned()]), ..Selection::default() };
    assert_eq!(Selection::of(&grouped, &none), of("a.io"));
    Selection::default().check_covers(&grouped, &none).unwrap();
    assert!(refused(of("b.io"), &grouped, &none).contains("the API group `a.io`"));
    assert!(refused(of("a.io"), &all, &none).contains("all API groups"));
    let pods = Selection { resources: Some(vec!["pods".to_owned()]), ..Selection::default() };
    assert!(refused(pods, &secrets, &none).contains("the resource `secrets`"));
}
