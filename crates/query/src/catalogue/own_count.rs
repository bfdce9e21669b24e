//! How many requests of the cluster's own work a query left out that makes accounts of requests.
//!
//! With the own work in it such an answer may have no row more, and other numbers in every row. So what is counted is what
//! `not_own()` held back where it stands: the rows of its SELECT that pass all other conditions. That is also less work than
//! to make all accounts once more.

use std::ops::Range;

use super::outline::Outline;
use super::{CannedQuery, Parameters, scan, statement};

/// Words of which those in front of a SELECT make another row of what it gives, or several of one.
const SETS: [&str; 3] = ["UNION", "INTERSECT", "EXCEPT"];

/// The SQL that counts them; `None` when the query leaves out no own work, has a row for each request, or leaves it out in
/// another way than by a condition that each request has to pass.
pub(crate) fn counted(query: &CannedQuery, parameters: &Parameters) -> Option<String> {
    if !query.leaves_out_own_work(parameters) || query.lists_requests() {
        return None;
    }
    let (sql, found) = (&query.sql, scan(&query.sql));
    let outline = Outline::of(sql);
    let counts = found.not_own.iter().map(|used| {
        let select = Around::of(&outline, used.place.start)?;
        let (before, behind) = (select.conditions.start..used.place.start, used.place.end..select.conditions.end);
        let is_own = statement::is_own(used.name);
        let is_filtered = found.filters.iter().any(|filters| select.conditions.contains(&filters.place.start));
        // What is asked about may stand behind it.
        let filters = if is_filtered { "" } else { "\nAND filters()" };
        Some(format!(
            "({}\nSELECT {} FROM {}\nWHERE {}{is_own}{}{filters})",
            &sql[select.before], select.count, &sql[select.from], &sql[before], &sql[behind]
        ))
    });
    let counts = counts.collect::<Option<Vec<_>>>()?;
    Some(format!("SELECT {} AS requests", statement::put_in(&counts.join(" + "), query, parameters)))
}

/// What there is of a statement around a SELECT of which every row is a request, or tells how many it stands for.
struct Around {
    /// What the statement says in front of it that it may name.
    before: Range<usize>,
    /// What gives the number of requests.
    count: &'static str,
    from: Range<usize>,
    conditions: Range<usize>,
}

impl Around {
    /// That around the condition which begins at a byte of the text, when each row of the SELECT has to pass it.
    fn of(outline: &Outline<'_>, byte: usize) -> Option<Self> {
        let select = outline.select_around(outline.at(byte)?)?;
        if outline.has(&select, select.all.start..select.select, &SETS) {
            return None;
        }
        let byte = |at| outline.byte(at);
        Some(Self {
            before: before(outline, select.select)?,
            count: if is_account(outline, select.from + 1)? {
                "coalesce(sum(requests), 0)::BIGINT"
            } else {
                "count(*)"
            },
            from: byte(select.from + 1)..byte(select.filter),
            conditions: byte(select.filter + 1)..byte(select.end),
        })
    }
}

/// What the statement says in front of the SELECT at `select`, or of the name that it makes.
fn before(outline: &Outline<'_>, select: usize) -> Option<Range<usize>> {
    let first = outline.byte(0);
    let main = (0..outline.len()).find(|at| outline.is_outermost(*at) && outline.is(*at, "SELECT"))?;
    if select >= main {
        return Some(first..outline.byte(main));
    }
    // Names are made in brackets, behind `name AS`, and commas are between them.
    let opening = (0..select).rev().find(|at| outline.is_outermost(*at))?;
    let named = (0..opening).rev().find(|at| outline.is_outermost(*at) && outline.is(*at, "AS"))?.checked_sub(1)?;
    let separator = named.checked_sub(1)?;
    match outline.text(separator) {
        "," => Some(first..outline.byte(separator)),
        _ => Some(first..first),
    }
}

/// Whether rows of what stands behind a FROM, at `source`, stand for several requests; `None` when that cannot be told.
fn is_account(outline: &Outline<'_>, source: usize) -> Option<bool> {
    let inside = match outline.text(source) {
        "(" => source + 1,
        // A view, unless the statement makes that name.
        name => {
            let made = (0..source)
                .find(|at| outline.is_outermost(*at) && outline.text(*at) == name && outline.is(*at + 1, "AS"));
            match made {
                None => return Some(false),
                Some(made) => (made..source).find(|at| outline.text(*at) == "(")? + 1,
            }
        }
    };
    let beside = |words: &[&str]| outline.first_beside(inside, words);
    match (beside(&SETS), beside(&["GROUP", "DISTINCT"]), beside(&["FROM"])) {
        (Some(_), ..) | (.., None) => None,
        (_, Some(_), _) => Some(true),
        (_, _, Some(from)) => is_account(outline, from + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "-- title = \"T\"\n-- question = \"Q\"\n-- attack = []\n-- needs = \"n\"\n-- noise = \"n\"\n";

    fn of(sql: &str) -> Option<String> {
        let query = CannedQuery::parse("a.sql", &format!("{HEADER}{sql}\n")).unwrap();
        let counted = counted(&query, &Parameters::new())?;
        Some(counted.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    fn is_own(alias: &str) -> String {
        statement::is_own(alias)
    }

    #[test]
    fn what_the_condition_held_back_is_counted_where_it_stands() {
        let own = is_own("");
        assert_eq!(
            of("SELECT x, count(*) FROM requests WHERE a AND not_own() AND filters() GROUP BY x ORDER BY x").unwrap(),
            format!("SELECT ( SELECT count(*) FROM requests WHERE a AND {own} AND (true) ) AS requests")
        );
        let own = is_own("r");
        let made =
            of("WITH a AS (SELECT 1), b AS (SELECT * FROM (SELECT * FROM requests WHERE c) r WHERE not_own(r)), \
                       d AS (FROM b) SELECT x, count(*) FROM d WHERE filters() GROUP BY x ORDER BY x");
        assert_eq!(
            made.unwrap(),
            format!(
                "SELECT (WITH a AS (SELECT 1) SELECT count(*) FROM (SELECT * FROM requests WHERE c) r \
                 WHERE {own} AND (true)) AS requests"
            )
        );
    }

    #[test]
    fn an_account_says_how_many_requests_it_stands_for() {
        let counted = of("WITH a AS (SELECT x, count(*) AS requests FROM requests WHERE filters() GROUP BY x)\n\
             SELECT x FROM a WHERE not_own() GROUP BY x ORDER BY x");
        assert!(counted.as_deref().is_some_and(|sql| sql.contains("SELECT coalesce(sum(requests), 0)::BIGINT FROM a")));
    }

    #[test]
    fn several_conditions_are_a_sum() {
        let counted =
            of("WITH a AS (SELECT * FROM r WHERE not_own()), b AS (SELECT * FROM s WHERE not_own() AND filters())\n\
             SELECT x, count(*) FROM a JOIN b USING (x) GROUP BY x ORDER BY x");
        assert_eq!(counted.unwrap().matches("count(*)").count(), 2);
    }

    #[test]
    fn what_is_no_condition_of_each_row_is_not_counted() {
        for other in [
            "SELECT x, count(*) FROM a WHERE filters() GROUP BY x HAVING bool_or(not_own()) ORDER BY x",
            "SELECT x, count(*) FROM a WHERE b OR not_own() AND filters() GROUP BY x ORDER BY x",
            "SELECT x, count(*) FROM a WHERE (b OR not_own()) AND filters() GROUP BY x ORDER BY x",
            "SELECT x, count(*) FROM (FROM a UNION ALL FROM b) WHERE not_own() AND filters() GROUP BY x ORDER BY x",
            "SELECT x, count(*) FROM a UNION ALL SELECT x, 1 FROM b WHERE not_own() AND filters() GROUP BY x ORDER BY x",
            "SELECT x FROM a WHERE filters() ORDER BY x",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
