//! A query that leaves out the cluster's own work, with these rows among the others and marked.
//!
//! An answer says how many rows of the cluster's own work it left out. Where each row passes `not_own()` or does not, one run
//! tells both: the rows are marked instead of left out, and whoever takes them counts and drops the marked ones. What is
//! grouped, or looks at other rows, is another matter (`own_count`).

use std::ops::Range;

use super::outline::{Outline, Select};
use super::{CannedQuery, Parameters, scan, statement};

/// The last column of such a query: whether the row is the cluster's own work.
pub(crate) const OWN_MARK: &str = "is the cluster's own work";

/// Words at the top of a statement with which a row of the answer is not one row that passed its conditions.
const OTHER_FORMS: [&str; 11] =
    ["UNION", "INTERSECT", "EXCEPT", "GROUP", "HAVING", "QUALIFY", "WINDOW", "OVER", "LIMIT", "OFFSET", "SAMPLE"];

/// The SQL that runs with the mark; `None` when the query leaves out no own work, or not row by row.
pub(crate) fn marked(query: &CannedQuery, parameters: &Parameters) -> Option<String> {
    let sql = statement::bound(query, parameters);
    let [used] = &scan(&query.sql).not_own[..] else { return None };
    if !query.leaves_out_own_work(parameters) {
        return None;
    }
    let (condition, is_own) = (statement::not_own(query, parameters, used.name), statement::is_own(used.name));
    // A condition of the user's may hold anything, this text too.
    let (before, _) = sql.split_once(&condition).filter(|(_, behind)| !behind.contains(&condition))?;
    let place = before.len()..before.len() + condition.len();
    let mut edits = with_mark(&Outline::of(&sql), &place, &is_own)?;
    edits.push((place, "true".to_owned()));
    Some(statement::replaced(&sql, edits))
}

/// What has to be put into a statement for its last column to be the mark. From the SELECT with the condition at `place` on, as
/// long as each row of one becomes a row of the next or none.
fn with_mark(outline: &Outline<'_>, place: &Range<usize>, is_own: &str) -> Option<Vec<(Range<usize>, String)>> {
    let mut select = outline.select_around(outline.at(place.start)?)?;
    let behind = (0..outline.len()).find(|at| outline.byte(*at) >= place.end).unwrap_or(outline.len());
    if behind != select.end && !outline.is(behind, "AND") {
        return None;
    }
    let put_in = |select: &Select, text: String| {
        let at = outline.byte(select.from);
        (at..at, text)
    };
    let mut edits = vec![put_in(&select, format!(", {is_own} AS \"{OWN_MARK}\"\n"))];
    loop {
        let is_one_row_each = !outline.is(select.select + 1, "DISTINCT");
        if !is_one_row_each || outline.has(&select, select.all.clone(), &OTHER_FORMS) {
            return None;
        }
        if outline.is_outermost(select.select) {
            return Some(edits);
        }
        select = outline.reader(&select)?;
        // Who takes all takes the mark along, which has to be the last of all in the end.
        match (outline.gives_all(&select), outline.is_outermost(select.select)) {
            (false, _) => edits.push(put_in(&select, format!(", \"{OWN_MARK}\"\n"))),
            (true, false) => {}
            (true, true) => return None,
        }
    }
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
        // Through names that the statement makes, as long as a row stays a row.
        let passed_on = marked(
            &query(
                "WITH g AS (SELECT 1), a AS MATERIALIZED (SELECT *, f(y) AS z FROM requests WHERE b IS DISTINCT FROM d \
                 AND not_own()),\nc AS (SELECT x, z FROM a WHERE z OR y)\nSELECT x FROM c WHERE filters() ORDER BY x",
            ),
            &none,
        );
        let passed_on = passed_on.unwrap();
        for part in [
            " name) AS \"is the cluster's own work\"\nFROM requests WHERE b IS DISTINCT FROM d AND true)",
            "(SELECT x, z , \"is the cluster's own work\"\nFROM a WHERE z OR y)",
            "SELECT x , \"is the cluster's own work\"\nFROM c WHERE (true) ORDER BY x",
        ] {
            assert!(passed_on.contains(part), "{passed_on}");
        }
        // What is looked up beside a row makes no more of it.
        let beside = "WITH a AS (SELECT * FROM r WHERE not_own()), b AS (SELECT *, f(y) FROM a ASOF LEFT JOIN k ON u = v AND w > t) \
                      SELECT x FROM b WHERE filters() ORDER BY x";
        assert!(marked(&query(beside), &none).is_some());
        for other in [
            "WITH a AS (SELECT * FROM r WHERE not_own()), b AS (SELECT *, f(y) FROM a ASOF JOIN k ON u = v AND w > t) \
             SELECT x FROM b WHERE filters() ORDER BY x",
            "WITH a AS (SELECT * FROM r WHERE not_own()), b AS (SELECT * FROM a ASOF LEFT JOIN k ON u = v JOIN l ON w) \
             SELECT x FROM b WHERE filters() ORDER BY x",
            "WITH a AS (SELECT * FROM r WHERE not_own()) SELECT x, count(*) FROM a WHERE filters() GROUP BY x ORDER BY x",
            "WITH a AS (SELECT * FROM r WHERE not_own()) SELECT * FROM a WHERE filters() ORDER BY x",
            "WITH a AS (SELECT * FROM r WHERE not_own()) SELECT x FROM a, b WHERE filters() ORDER BY x",
            "WITH a AS (SELECT * FROM r WHERE not_own()) SELECT x FROM a JOIN b USING (x) WHERE filters() ORDER BY x",
            "WITH a AS (SELECT * FROM r WHERE not_own()) SELECT x FROM a WHERE filters() AND x IN (FROM a) ORDER BY x",
            "WITH a AS (SELECT DISTINCT x FROM r WHERE not_own()) SELECT x FROM a WHERE filters() ORDER BY x",
            "SELECT x FROM a WHERE filters() AND x IN (SELECT x FROM b WHERE not_own()) ORDER BY x",
            "SELECT x FROM a WHERE b OR not_own() AND filters() ORDER BY x",
            "SELECT x FROM a WHERE NOT not_own() AND filters() ORDER BY x",
            "SELECT x FROM a WHERE (b AND not_own()) AND filters() ORDER BY x",
            "SELECT x, count(*) FROM a WHERE not_own() AND filters() GROUP BY x ORDER BY x",
            "SELECT DISTINCT x FROM a WHERE not_own() AND filters() ORDER BY x",
            "SELECT x FROM a UNION ALL SELECT x FROM b WHERE not_own() AND filters() ORDER BY x",
            "SELECT x FROM a WHERE CASE WHEN b THEN c AND not_own() ELSE d END AND filters() ORDER BY x",
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
        let is_marked = |name: &str| marked(catalogue.find(name).unwrap(), &Parameters::new()).is_some();
        for name in ["gitops-drift", "guards-removed", "placement-and-priority", "resource-hijack", "service-exposure"]
        {
            assert!(is_marked(name), "{name}");
        }
        let marked: Vec<_> = catalogue.iter().filter(|query| is_marked(&query.name)).map(|query| &query.name).collect();
        assert!(marked.len() >= 20, "{marked:?}");
    }
}
