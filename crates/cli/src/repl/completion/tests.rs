use super::super::dictionary::{Flag, Query, ValueKind, View};
use super::*;

fn dictionary() -> Dictionary {
    let view = |name: &str, columns: &[&str]| View {
        name: name.to_owned(),
        columns: columns.iter().map(|column| (*column).to_owned()).collect(),
    };
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    Dictionary {
        views: vec![
            view("events", &["event_time", "user_name", "verb", "source_ip", "source_ips", "Odd Name"]),
            view("requests", &["event_time", "user_name", "verb", "outcome"]),
            view("rejects", &["reject_reason", "raw"]),
        ],
        results: vec![view("last", &["source_ip", "attempts"])],
        functions: texts(&["count", "lower", "list_contains"]),
        queries: vec![
            Query { name: "secret-reads".into(), views: texts(&["values"]), ..Query::default() },
            Query { name: "outside-networks".into(), parameters: texts(&["networks"]), ..Query::default() },
            Query { name: "actor".into(), parameters: texts(&["actor"]), value: Some("actor".into()), views: vec![] },
        ],
        flags: vec![
            Flag { name: "user".into(), takes_value: true, values: vec![] },
            Flag { name: "outcome".into(), takes_value: true, values: texts(&["allowed", "denied"]) },
            Flag { name: "wide".into(), takes_value: false, values: vec![] },
        ],
        values: [
            (
                ValueKind::User,
                texts(&["bob", "system:serviceaccount:prod:web", "o'brien", "evil\x1b[2J\nx", "bo\u{202e}b"]),
            ),
            (ValueKind::Address, texts(&["127.0.31.9", "10.0.0.1"])),
            (ValueKind::Verb, texts(&["get", "list", "watch"])),
        ]
        .into(),
    }
}

/// What is inserted for the text before `|`, with the place where it begins.
fn inserted(marked: &str) -> (usize, Vec<String>) {
    let cursor = marked.find('|').unwrap();
    let text = marked.replacen('|', "", 1);
    match complete(&text, cursor, &dictionary(), &Commands::new()) {
        Completion::Words { start, candidates } => {
            (start, candidates.into_iter().map(|candidate| candidate.inserted).collect())
        }
        Completion::File { start, typed, .. } => (start, vec![format!("file {typed}")]),
    }
}

fn words(marked: &str) -> Vec<String> {
    inserted(marked).1
}

#[test]
fn statements_begin_with_keywords_in_the_case_that_is_typed() {
    assert_eq!(words("SEL|"), ["SELECT"]);
    assert_eq!(words("sel|"), ["select"]);
    assert_eq!(words("SELECT 1; des|"), ["describe"]);
    assert_eq!(words("SELECT verb FROM events gro|"), ["group by"]);
    assert_eq!(words("|").first().map(String::as_str), Some("SELECT"));
}

#[test]
fn views_are_named_after_from_and_join() {
    assert_eq!(words("FROM re|"), ["requests", "rejects"]);
    assert_eq!(words("SELECT * FROM |"), ["last", "events", "requests", "rejects"]);
    assert_eq!(words("SELECT * FROM events e JOIN req|"), ["requests"]);
    assert_eq!(words("SELECT * FROM events e, la|"), ["last"]);
    assert_eq!(words("DESCRIBE ev|"), ["events"]);
    assert_eq!(words("WITH mine AS (FROM events) SELECT * FROM mi|"), ["mine"]);
    assert_eq!(words("SELECT * FROM events WHERE a IN (1, re|"), ["replace"]);
}

#[test]
fn columns_are_those_of_the_views_that_the_statement_names_even_behind_the_cursor() {
    assert_eq!(words("SELECT us| FROM events"), ["user_name", "using"]);
    assert_eq!(words("SELECT outc|"), ["outcome"]);
    assert_eq!(words("SELECT reject| FROM rejects"), ["reject_reason"]);
    assert_eq!(words("SELECT * FROM events WHERE out|"), Vec::<String>::new());
    assert_eq!(words("SELECT e.ver| FROM events AS e JOIN requests r"), ["verb"]);
    assert_eq!(words("SELECT r.out| FROM events AS e JOIN requests r"), ["outcome"]);
    assert_eq!(words("SELECT x.| FROM events AS e"), Vec::<String>::new());
    assert_eq!(words("SELECT Od| FROM events"), ["\"Odd Name\""]);
    assert_eq!(words("SELECT \"Od| FROM events"), Vec::<String>::new());
    assert_eq!(words("FROM events SELECT \"Od|"), ["\"Odd Name\""]);
    assert_eq!(words("SELECT low| FROM events"), ["lower("]);
    assert_eq!(words("SELECT att| FROM last; SELECT 1"), ["attempts"]);
}

#[test]
fn values_follow_a_comparison_with_their_column_most_frequent_first() {
    assert_eq!(inserted("FROM events WHERE verb = '|"), (25, vec!["'get'".into(), "'list'".into(), "'watch'".into()]));
    assert_eq!(words("FROM events WHERE verb = |"), ["'get'", "'list'", "'watch'"]);
    assert_eq!(words("FROM events WHERE verb IN ('get', 'l|"), ["'list'"]);
    assert_eq!(words("FROM events WHERE verb NOT IN ('get', |"), ["'get'", "'list'", "'watch'"]);
    assert_eq!(words("FROM events e WHERE e.source_ip != '127|"), ["'127.0.31.9'"]);
    assert_eq!(words("FROM events WHERE list_contains(source_ips, '1|"), ["'127.0.31.9'", "'10.0.0.1'"]);
    assert_eq!(words("FROM events WHERE verb IS NOT DISTINCT FROM 'w|"), ["'watch'"]);
    assert_eq!(words("FROM requests WHERE outcome = 'de|"), ["'denied'"]);
    assert_eq!(words("FROM events WHERE user_name LIKE 'web|"), ["'system:serviceaccount:prod:web'"]);
    assert_eq!(words("FROM events WHERE nothing = '|"), Vec::<String>::new());
    assert_eq!(words("SELECT 'b|"), Vec::<String>::new());
    assert_eq!(words("FROM events WHERE user_name = $$b|"), Vec::<String>::new());
}

#[test]
fn hostile_values_are_quoted_and_hold_no_control_characters() {
    assert_eq!(words("FROM events WHERE user_name = 'o|"), ["'o''brien'"]);
    assert_eq!(words("FROM events WHERE user_name = 'o''|"), ["'o''brien'"]);
    assert_eq!(words("FROM events WHERE user_name = 'ev|"), ["('evil' || chr(27) || '[2J' || chr(10) || 'x')"]);
    assert_eq!(words(".pivot ev|"), ["\"evil\\u{1b}[2J\\nx\""]);
    assert_eq!(words(".user o|"), ["\"o'brien\""]);
    let Completion::Words { candidates, .. } =
        complete("FROM events WHERE user_name = '", 31, &dictionary(), &Commands::new())
    else {
        panic!("values are words");
    };
    assert_eq!(candidates.len(), 5);
    for candidate in candidates {
        assert!(!candidate.shown.chars().any(kforensic_report::is_hostile), "{candidate:?}");
        assert!(!candidate.inserted.chars().any(kforensic_report::is_hostile), "{candidate:?}");
    }
}

#[test]
fn nothing_is_offered_in_comments_and_numbers() {
    for text in ["-- sel|", "SELECT 1 /* fro|", "SELECT 12|"] {
        assert_eq!(words(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn commands_complete_by_their_table() {
    assert_eq!(words(".pi|"), [".pivot"]);
    assert_eq!(words("  .us|"), [".user"]);
    assert_eq!(words(".help tim|"), ["timer"]);
    assert_eq!(words(".describe rej|"), ["rejects"]);
    assert_eq!(words(".mode js|"), ["json", "jsonl"]);
    assert_eq!(words(".timer o|"), ["on", "off"]);
    assert_eq!(words(".pivot 127|"), ["127.0.31.9"]);
    assert_eq!(words(".once out/a|"), ["file out/a"]);
    assert_eq!(words(".explain SELECT ver| FROM events"), ["verb"]);
    assert_eq!(words(".note anything|"), Vec::<String>::new());
    assert_eq!(words(".views x|"), Vec::<String>::new());
    assert_eq!(words(".nothing x|"), Vec::<String>::new());
}

#[test]
fn run_completes_names_options_and_values() {
    assert_eq!(words(".run sec|"), ["secret-reads"]);
    assert_eq!(words(".run secret-reads --|"), ["--user", "--outcome", "--wide"]);
    assert_eq!(words(".run secret-reads --user b|"), ["bob", "\"bo\\u{202e}b\""]);
    assert_eq!(words(".run secret-reads --user 'bo|"), ["bob", "\"bo\\u{202e}b\""]);
    assert_eq!(words(".run secret-reads --user=bo|")[0], "--user=bob");
    assert_eq!(words(".run secret-reads --outcome |"), ["allowed", "denied"]);
    assert_eq!(words(".run secret-reads --wide --us|"), ["--user"]);
    assert_eq!(words(".run outside-networks -p net|"), ["networks="]);
    assert_eq!(words(".run secret-reads -p v|"), ["view="]);
    assert_eq!(words(".run secret-reads -p view=|"), ["view=values"]);
    assert_eq!(words(".run actor b|"), ["bob", "\"bo\\u{202e}b\""]);
    assert_eq!(words(".run actor -p actor=bo|")[0], "actor=bob");
    assert_eq!(words(".run actor bob --us|"), ["--user"]);
}

#[test]
fn commands_that_investigate_complete_by_their_arguments() {
    assert_eq!(words(".spread user:b|"), ["user:bob", "\"user:bo\\u{202e}b\""]);
    assert_eq!(words(".rotate ip:1|"), ["ip:127.0.31.9", "ip:10.0.0.1"]);
    assert_eq!(words(".spread ip:10.0.0.1 --sh|"), ["--show"]);
    assert_eq!(words(".spread ip:10.0.0.1 --show st|"), ["story"]);
    assert_eq!(words(".spread ip:10.0.0.1 --format sv|"), ["svg"]);
    assert_eq!(words(".rbac d|"), ["diff"]);
    assert_eq!(words(".who-can g|"), ["get"]);
    assert_eq!(words(".who-can get secrets --at l|"), ["last"]);
    assert_eq!(words(".can b|"), ["bob", "\"bo\\u{202e}b\""]);
    assert_eq!(words(".sweep iocs/a|"), ["file iocs/a"]);
    assert_eq!(words(".object-history Deployment prod/w|"), Vec::<String>::new());
}

#[test]
fn any_text_and_cursor_is_fine() {
    let text = ".run 'é\" FROM last, \"ä' $$ -- ;\n.x";
    for start in 0..text.len() {
        for end in start..=text.len() {
            if let Some(part) = text.get(start..end) {
                for cursor in 0..=part.len() + 1 {
                    let _ = complete(part, cursor, &dictionary(), &Commands::new());
                }
            }
        }
    }
}
