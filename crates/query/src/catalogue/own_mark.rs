//! A query that leaves out the cluster's own work, with these rows among the others and marked.
//!
//! An answer says how many rows of the cluster's own work it left out. Where each row passes `not_own()` or does not, one run
//! tells both: the rows are marked instead of left out, and whoever takes them counts and drops the marked ones. What is
//! grouped, or looks at other rows, is another matter (`own_count`).

use super::{CannedQuery, Parameters, scan, statement};
use crate::scanner;

/// The last column of such a query: whether the row is the cluster's own work.
pub(crate) const OWN_MARK: &str = "is the cluster's own work";

/// Words at the top of a statement with which a row of the answer is not one row that passed its conditions.
const OTHER_FORMS: [&str; 12] = [
    "UNION",
    "INTERSECT",
    "EXCEPT",
    "DISTINCT",
    "GROUP",
    "HAVING",
    "QUALIFY",
    "WINDOW",
    "OVER",
    "LIMIT",
    "OFFSET",
    "SAMPLE",
];

/// Words of a condition with which a part of it is not one that every row has to pass.
pub(super) const ALTERNATIVES: [&str; 2] = ["OR", "CASE"];

/// The SQL that runs with the mark; `None` when the query leaves out no own work, or not row by row.
pub(crate) fn marked(query: &CannedQuery, parameters: &Parameters) -> Option<String> {
    let sql = statement::bound(query, parameters);
    let [used] = &scan(&query.sql).not_own[..] else { return None };
    if !query.leaves_out_own_work(parameters) {
        return None;
    }
    let (condition, is_own) = (statement::not_own(query, parameters, used.name), statement::is_own(used.name));
    // A condition of the user's may hold anything, this text too.
    let (before, behind) = sql.split_once(&condition).filter(|(_, behind)| !behind.contains(&condition))?;
    let list_end = end_of_list(&sql, before.len()..before.len() + condition.len())?;
    Some(format!("{}, {is_own} AS \"{OWN_MARK}\"\n{}true{behind}", &before[..list_end], &before[list_end..]))
}

/// Where the list of columns ends in a statement whose condition at `condition` is one that each row has to pass.
fn end_of_list(sql: &str, condition: std::ops::Range<usize>) -> Option<usize> {
    let mut depth = 0_usize;
    let mut top = Vec::new();
    for token in scanner::scan(sql).filter(scanner::Token::is_code) {
        match token.text(sql) {
            ")" | "]" | "}" => depth = depth.checked_sub(1)?,
            _ if depth == 0 => top.push(token.clone()),
            _ => {}
        }
        if matches!(token.text(sql), "(" | "[" | "{") {
            depth += 1;
        }
    }
    let is_one_of = |token: &scanner::Token, words: &[&str]| words.iter().any(|word| token.is_word(sql, word));
    let select = top.iter().rposition(|token| token.is_word(sql, "SELECT"))?;
    let at = |word: &str| top[select..].iter().position(|token| token.is_word(sql, word)).map(|at| select + at);
    let (from, filter, order) = (at("FROM")?, at("WHERE")?, at("ORDER")?);
    let place = top.iter().position(|token| token.range.start == condition.start)?;
    let is_one_row = !top.iter().any(|token| is_one_of(token, &OTHER_FORMS));
    let is_one_of_all = from < filter
        && (filter + 1..order).contains(&place)
        && !top[filter..order].iter().any(|token| is_one_of(token, &ALTERNATIVES))
        && is_one_of(&top[place - 1], &["WHERE", "AND"])
        && is_one_of(&top[place + 1], &["AND", "ORDER"]);
    (is_one_row && is_one_of_all).then(|| top[from].range.start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Catalogue, Value};

    const HEADER: &str = "-- title = \"T\"\n-- question = \"Q\"\n-- attack = []\n-- needs = \"n\"\n-- noise = \"n\"\n";

    #[test]
    fn rows_are_marked_where_each_passes_or_does_not() {
        let query = |sql: &str| CannedQuery::parse("a.sql", &format!("{HEADER}{sql}\n")).unwrap();
        let none = Parameters::new();
        let marked_sql = marked(
            &query(
                "WITH a AS (SELECT 1 LIMIT 1)\nSELECT x, f(y) FROM a r JOIN b ON (c OR d)\n\
            WHERE (e OR f) AND not_own(r) AND filters(r) ORDER BY x",
            ),
            &none,
        );
        let marked_sql = marked_sql.unwrap();
        assert!(marked_sql.contains("SELECT x, f(y) , is_own(r.cluster, "), "{marked_sql}");
        assert!(
            marked_sql.ends_with(
                "r.name) AS \"is the cluster's own work\"\nFROM a r JOIN b ON (c OR d)\n\
            WHERE (e OR f) AND true AND (true) ORDER BY x\n"
            ),
            "{marked_sql}"
        );
        for other in [
            "SELECT x FROM a WHERE b OR not_own() AND filters() ORDER BY x",
            "SELECT x FROM a WHERE NOT not_own() AND filters() ORDER BY x",
            "SELECT x FROM a WHERE (b AND not_own()) AND filters() ORDER BY x",
            "SELECT x, count(*) FROM a WHERE not_own() AND filters() GROUP BY x ORDER BY x",
            "SELECT DISTINCT x FROM a WHERE not_own() AND filters() ORDER BY x",
            "SELECT x FROM a UNION ALL SELECT x FROM b WHERE not_own() AND filters() ORDER BY x",
            "SELECT x, row_number() OVER (ORDER BY y) FROM a WHERE not_own() AND filters() ORDER BY x",
            "SELECT x FROM (FROM a WHERE not_own()) WHERE filters() ORDER BY x",
            "WITH b AS (FROM a WHERE not_own()) SELECT x FROM b WHERE filters() ORDER BY x",
            "SELECT x FROM a WHERE not_own() AND filters() AND x IN (SELECT 1 FROM b WHERE not_own()) ORDER BY x",
            "SELECT x FROM a WHERE filters() ORDER BY x",
        ] {
            assert_eq!(marked(&query(other), &none), None, "{other}");
        }
    }

    #[test]
    fn what_is_asked_for_is_not_marked() {
        let catalogue = Catalogue::embedded().unwrap();
        let query = catalogue.iter().find(|query| query.name == "gitops-drift").unwrap();
        let mut parameters = Parameters::new();
        assert!(marked(query, &parameters).is_some());
        // A condition that says the same as the one that leaves own work out.
        let twice = statement::not_own(query, &parameters, "");
        parameters.set_condition(twice).unwrap();
        assert_eq!(marked(query, &parameters), None);
        parameters = Parameters::new();
        parameters.set("own", Value::Boolean(true));
        assert_eq!(marked(query, &parameters), None);
        let marked = catalogue.iter().filter(|query| marked(query, &Parameters::new()).is_some()).count();
        assert!(marked >= 10, "{marked}");
    }
}
