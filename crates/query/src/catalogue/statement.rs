//! What DuckDB is given of a canned query: its SQL with the filters put in.
//!
//! `filters()` stands for conditions on columns. Only those that were given are put in, so that DuckDB plans a query
//! without filters as if it had none. Values stay parameters and are bound; only [`shown`] writes them out.
//!
//! What counts before it decides what to show must not be given fewer requests to count: that somebody came from two addresses is
//! no less true when one of them is asked for. Such a query says `in_window()`, the conditions on time alone, where the requests are
//! chosen, `filters()` as a column, and `HAVING bool_or` of it where the outcome is.
//!
//! `not_own()` stands for the condition that leaves out the cluster's own work, by `is_own` of `views/actors.sql`. With
//! `own` set nothing is left out, and nothing is computed for it. How much an answer left out, `own_mark` tells of rows and
//! `own_count` of accounts; of what is neither, it is the difference between both.

use std::net::IpAddr;

use kforensic_event::time;

use super::parameter::Common;
use super::{COMMON, CannedQuery, ParameterKind, Parameters, Test, Value, scan};
use crate::sql::literal;

/// The SQL that runs: filters put in, values still to be bound.
pub(crate) fn bound(query: &CannedQuery, parameters: &Parameters) -> String {
    put_in(&query.sql, query, parameters)
}

/// A text made of parts of the query's SQL, with the filters put in.
pub(super) fn put_in(sql: &str, query: &CannedQuery, parameters: &Parameters) -> String {
    let found = scan(sql);
    let filters = found.filters.into_iter().map(|used| (used.place.clone(), conditions(query, parameters, used.name)));
    let windows = found.windows.into_iter().map(|used| (used.place.clone(), window(query, parameters, used.name)));
    let not_own = found.not_own.into_iter().map(|used| (used.place.clone(), not_own(query, parameters, used.name)));
    replaced(sql, filters.chain(windows).chain(not_own).collect())
}

/// What tells whether a request is the cluster's own work: the columns that `is_own` takes, in its order.
const OWN_COLUMNS: [&str; 12] = [
    "cluster",
    "user_name",
    "user_groups",
    "impersonated_user",
    "source_ip",
    "user_agent",
    "verb",
    "api_group",
    "resource",
    "subresource",
    "namespace",
    "name",
];

/// The condition that leaves out the cluster's own work, on the columns of `alias`.
pub(super) fn not_own(query: &CannedQuery, parameters: &Parameters, alias: &str) -> String {
    match query.leaves_out_own_work(parameters) {
        true => format!("(NOT {})", is_own(alias)),
        false => "(true)".to_owned(),
    }
}

/// What is true of the cluster's own work, on the columns of `alias`.
pub(super) fn is_own(alias: &str) -> String {
    let dot = if alias.is_empty() { "" } else { "." };
    format!("is_own({})", OWN_COLUMNS.map(|column| format!("{alias}{dot}{column}")).join(", "))
}

/// The same statement with its values written out, for people to read and to run.
pub(crate) fn shown(query: &CannedQuery, parameters: &Parameters) -> String {
    let sql = bound(query, parameters);
    let places = scan(&sql).parameters.into_iter().map(|used| {
        let default = || query.parameter(used.name).and_then(|parameter| parameter.default.as_ref());
        (used.place.clone(), written(parameters.get(used.name).or_else(default)))
    });
    let sql = replaced(&sql, places.collect());
    let body = sql.lines().skip_while(|line| line.starts_with("--"));
    format!("{};", body.collect::<Vec<_>>().join("\n").trim_end().trim_end_matches(';'))
}

/// Puts texts into the places of `sql`, which do not overlap.
pub(super) fn replaced(sql: &str, mut places: Vec<(std::ops::Range<usize>, String)>) -> String {
    places.sort_unstable_by_key(|(place, _)| place.start);
    let mut text = String::with_capacity(sql.len());
    let mut at = 0;
    for (place, replacement) in places {
        text.push_str(&sql[at..place.start]);
        text.push_str(&replacement);
        at = place.end;
    }
    text.push_str(&sql[at..]);
    text
}

/// The conditions that the given filters make on the columns of `alias`, or of the only table when it is empty.
fn conditions(query: &CannedQuery, parameters: &Parameters, alias: &str) -> String {
    // On lines of its own, so that a comment at its end ends with it.
    let condition = parameters.condition().map(|condition| format!("(\n{condition}\n)"));
    all_of(&given(query, parameters, alias, |_| true).chain(condition).collect::<Vec<_>>())
}

/// Those of them that are about time.
fn window(query: &CannedQuery, parameters: &Parameters, alias: &str) -> String {
    all_of(&given(query, parameters, alias, |common| common.kind == ParameterKind::Time).collect::<Vec<_>>())
}

fn all_of(conditions: &[String]) -> String {
    if conditions.is_empty() { "(true)".to_owned() } else { format!("({})", conditions.join(" AND ")) }
}

/// Each of the given filters that `are_meant`, as a condition.
fn given<'q>(
    query: &'q CannedQuery,
    parameters: &'q Parameters,
    alias: &'q str,
    are_meant: fn(&Common) -> bool,
) -> impl Iterator<Item = String> + 'q {
    let dot = if alias.is_empty() { "" } else { "." };
    let of = move |column: &str| format!("{alias}{dot}{column}");
    COMMON.iter().filter(move |common| are_meant(common)).filter_map(move |common| {
        let (name, column) = (common.name, of(common.column));
        Some(match (common.test, parameters.get(name)?) {
            (Test::Is(operator), _) => format!("{column} {operator} ${name}"),
            (Test::IsOrCovers, _) => match query.covering_verbs(name).as_slice() {
                [] => format!("{column} = ${name}"),
                verbs => format!(
                    "({column} = ${name} OR ({column} IS NULL AND {} IN ({})))",
                    of("verb"),
                    verbs.iter().map(|verb| literal(verb)).collect::<Vec<_>>().join(", ")
                ),
            },
            (Test::SentOrClaimed, value) => {
                let sent = match value {
                    // An address has several spellings, and a collector writes it as it likes.
                    Value::Network(_) => format!("in_network({column}, ${name})"),
                    Value::Text(text) if text.parse::<IpAddr>().is_ok() => format!("in_network({column}, ${name})"),
                    _ => format!("{column} = ${name}"),
                };
                let all = of("source_ips");
                match parameters.are_claims_left_out() {
                    true => sent,
                    false => {
                        format!("({sent} OR len({all}) > 1 AND names_network(array_to_string({all}, ','), ${name}))")
                    }
                }
            }
            (Test::Person, Value::Boolean(true)) => {
                format!("is_person({column}, {}, {})", of("user_groups"), of("impersonated_user"))
            }
            (Test::Person, _) => return None,
        })
    })
}

fn written(value: Option<&Value>) -> String {
    match value {
        None => "NULL".to_owned(),
        Some(Value::Time(micros)) => format!("TIMESTAMP {}", literal(time::render(*micros).trim_end_matches('Z'))),
        Some(Value::Text(text) | Value::Network(text)) => literal(text),
        Some(Value::Integer(number)) => format!("({number})"),
        Some(Value::Boolean(truth)) => truth.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "-- title = \"T\"\n-- question = \"Q\"\n-- attack = []\n-- needs = \"n\"\n-- noise = \"n\"\n\
                          -- [[parameters]]\n-- name = \"least\"\n-- type = \"integer\"\n-- meaning = \"m\"\n-- default = 3\n";

    fn query(sql: &str) -> CannedQuery {
        CannedQuery::parse("a-query.sql", &format!("{HEADER}{sql}")).unwrap()
    }

    #[test]
    fn only_the_filters_that_are_given_are_put_in() {
        let query = query("FROM requests r WHERE filters(r) AND 1 < $least -- filters()\nORDER BY 1\n");
        let body = |parameters: &Parameters| bound(&query, parameters)[HEADER.len()..].to_owned();
        let mut parameters = Parameters::new();
        assert_eq!(body(&parameters), "FROM requests r WHERE (true) AND 1 < $least -- filters()\nORDER BY 1\n");
        parameters.set("user", Value::Text("o'hara".to_owned()));
        parameters.set("source_ip", Value::Network("10.0.0.0/8".to_owned()));
        parameters.set_condition("verb = 'get' -- only".to_owned()).unwrap();
        assert_eq!(
            body(&parameters),
            "FROM requests r WHERE (r.user_name = $user AND (in_network(r.source_ip, $source_ip) OR len(r.source_ips) > 1 \
             AND names_network(array_to_string(r.source_ips, ','), $source_ip)) AND (\nverb = 'get' -- only\n)) \
             AND 1 < $least -- filters()\nORDER BY 1\n"
        );
        assert_eq!(
            shown(&query, &parameters),
            "FROM requests r WHERE (r.user_name = 'o''hara' AND (in_network(r.source_ip, '10.0.0.0/8') OR len(r.source_ips) > 1 \
             AND names_network(array_to_string(r.source_ips, ','), '10.0.0.0/8')) AND (\nverb = 'get' -- only\n)) \
             AND 1 < (3) -- filters()\nORDER BY 1;"
        );
    }

    #[test]
    fn a_list_that_covered_a_secret_is_kept_where_reads_of_secrets_are_asked_for() {
        let header = HEADER.replace("\"n\"\n-- noise", "[{ resource = \"secrets\", level = \"Metadata\" }]\n-- noise");
        let secrets =
            CannedQuery::parse("a-query.sql", &format!("{header}FROM r WHERE 1 < $least AND filters(r) ORDER BY 1\n"));
        let secrets = secrets.unwrap();
        let mut parameters = Parameters::new();
        parameters.set("name", Value::Text("db".to_owned()));
        let sql = bound(&secrets, &parameters);
        assert!(sql.contains("((r.name = $name OR (r.name IS NULL AND r.verb IN ('list', 'watch'))))"), "{sql}");
        let others = query("FROM r WHERE 1 < $least AND filters(r) ORDER BY 1\n");
        assert!(bound(&others, &parameters).contains("AND (r.name = $name) ORDER"));
    }

    #[test]
    fn the_clusters_own_work_is_left_out_unless_it_is_asked_for() {
        let query = query("FROM requests r WHERE filters(r) AND not_own(r) AND $least > 0 ORDER BY 1\n");
        let mut parameters = Parameters::new();
        let sql = bound(&query, &parameters);
        assert!(sql.contains("AND (NOT is_own(r.cluster, r.user_name, r.user_groups, "), "{sql}");
        parameters.set("own", Value::Boolean(true));
        assert!(bound(&query, &parameters).contains("WHERE (true) AND (true) AND"));
        assert_eq!(query.parameter("own").unwrap().default, Some(Value::Boolean(false)));
    }

    #[test]
    fn times_and_absent_values_are_written_out() {
        let query = query("SELECT $since, $until::TIMESTAMP, $least WHERE filters() ORDER BY 1");
        let mut parameters = Parameters::new();
        parameters.set("since", Value::Time(1_000_001));
        assert_eq!(
            shown(&query, &parameters),
            "SELECT TIMESTAMP '1970-01-01T00:00:01.000001', NULL::TIMESTAMP, (3) \
             WHERE (event_time >= TIMESTAMP '1970-01-01T00:00:01.000001') ORDER BY 1;"
        );
    }
}
