//! How many requests of the cluster's own work a query left out that makes accounts of requests.
//!
//! With the own work in it such an answer may have no row more, and other numbers in every row. So what is counted is what
//! `not_own()` held back where it stands: the rows of its SELECT that pass all other conditions. That is also less work than
//! to make all accounts once more.

use std::ops::Range;

use super::own_mark::ALTERNATIVES;
use super::{CannedQuery, Parameters, scan, statement};
use crate::scanner::{self, Token};

/// Words that end the conditions of a SELECT.
const ENDS: [&str; 10] =
    ["GROUP", "HAVING", "WINDOW", "QUALIFY", "ORDER", "LIMIT", "OFFSET", "UNION", "INTERSECT", "EXCEPT"];

/// Words of which those in front of a SELECT make another row of what it gives, or several of one.
const SETS: [&str; 3] = ["UNION", "INTERSECT", "EXCEPT"];

/// The SQL that counts them; `None` when the query leaves out no own work, has a row for each request, or leaves it out in
/// another way than by a condition that each request has to pass.
pub(crate) fn counted(query: &CannedQuery, parameters: &Parameters) -> Option<String> {
    if !query.leaves_out_own_work(parameters) || query.lists_requests() {
        return None;
    }
    let (sql, found) = (&query.sql, scan(&query.sql));
    let text = Text::of(sql);
    let counts = found.not_own.iter().map(|used| {
        let select = text.select_around(used.place.start)?;
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

/// A statement, and how deep in brackets each of its tokens stands.
struct Text<'a> {
    sql: &'a str,
    tokens: Vec<(Token, usize)>,
}

/// A SELECT of which every row is a request, or tells how many it stands for.
struct Select {
    /// What the statement says in front of it that it may name.
    before: Range<usize>,
    /// What gives the number of requests.
    count: &'static str,
    from: Range<usize>,
    conditions: Range<usize>,
}

impl<'a> Text<'a> {
    fn of(sql: &'a str) -> Self {
        let mut depth = 0_usize;
        let code = scanner::scan(sql).filter(Token::is_code).map(|token| {
            let text = token.text(sql);
            if matches!(text, ")" | "]" | "}") {
                depth = depth.saturating_sub(1);
            }
            let at = depth;
            depth += usize::from(matches!(text, "(" | "[" | "{"));
            (token, at)
        });
        let tokens = code.collect();
        Self { sql, tokens }
    }

    fn is(&self, at: usize, word: &str) -> bool {
        self.tokens[at].0.is_word(self.sql, word)
    }

    fn is_one_of(&self, at: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(at, word))
    }

    /// The SELECT whose condition begins at a byte of the text, when that is one that each of its rows has to pass.
    fn select_around(&self, byte: usize) -> Option<Select> {
        let place = self.tokens.iter().position(|(token, _)| token.range.start == byte)?;
        let depth = self.tokens[place].1;
        let opening = (0..place).rev().find(|at| self.tokens[*at].1 < depth);
        let first = opening.map_or(0, |at| at + 1);
        let behind = (place..self.tokens.len())
            .find(|at| self.tokens[*at].1 < depth || self.tokens[*at].1 == depth && self.is_one_of(*at, &ENDS));
        let beside = |word: &str, before: usize| {
            (first..before).rev().find(|at| self.tokens[*at].1 == depth && self.is(*at, word))
        };
        let filter = beside("WHERE", place)?;
        let from = beside("FROM", filter)?;
        let select = beside("SELECT", from)?;
        let start = |at: usize| self.tokens[at].0.range.start;
        let (behind, end) = (behind.unwrap_or(self.tokens.len()), behind.map_or(self.sql.len(), start));
        let has = |tokens: Range<usize>, words: &[&str]| {
            tokens.into_iter().any(|at| self.tokens[at].1 == depth && self.is_one_of(at, words))
        };
        let is_passed_by_all = self.is_one_of(place - 1, &["WHERE", "AND"]) && !has(filter..behind, &ALTERNATIVES);
        if !is_passed_by_all || has(filter..place, &ENDS) || has(first..select, &SETS) {
            return None;
        }
        Some(Select {
            before: self.before(select)?,
            count: if self.is_account(from + 1)? { "coalesce(sum(requests), 0)::BIGINT" } else { "count(*)" },
            from: start(from + 1)..start(filter),
            conditions: start(filter + 1)..end,
        })
    }

    /// What the statement says in front of the SELECT at `select`, or of the name that it makes.
    fn before(&self, select: usize) -> Option<Range<usize>> {
        let outermost = |at: &usize| self.tokens[*at].1 == 0;
        let first = self.tokens.first()?.0.range.start;
        let main = (0..self.tokens.len()).filter(outermost).find(|at| self.is(*at, "SELECT"))?;
        if select >= main {
            return Some(first..self.tokens[main].0.range.start);
        }
        // Names are made in brackets, behind `name AS`, and commas are between them.
        let opening = (0..select).rev().find(outermost)?;
        let named = (0..opening).rev().find(|at| outermost(at) && self.is(*at, "AS"))?.checked_sub(1)?;
        let separator = named.checked_sub(1)?;
        match self.tokens[separator].0.text(self.sql) {
            "," => Some(first..self.tokens[separator].0.range.start),
            _ => Some(first..first),
        }
    }

    /// Whether rows of what stands behind a FROM, at `source`, stand for several requests; `None` when that cannot be told.
    fn is_account(&self, source: usize) -> Option<bool> {
        let name = self.tokens.get(source)?.0.text(self.sql);
        let inside = match name {
            "(" => source + 1,
            // A view, unless the statement makes that name.
            name => {
                let made = (0..source).find(|at| {
                    self.tokens[*at].1 == 0 && self.tokens[*at].0.text(self.sql) == name && self.is(*at + 1, "AS")
                });
                match made {
                    None => return Some(false),
                    Some(made) => (made..source).find(|at| self.tokens[*at].0.text(self.sql) == "(")? + 1,
                }
            }
        };
        let depth = self.tokens.get(inside)?.1;
        let end = (inside..self.tokens.len()).find(|at| self.tokens[*at].1 < depth)?;
        let beside =
            |words: &[&str]| (inside..end).find(|at| self.tokens[*at].1 == depth && self.is_one_of(*at, words));
        match (beside(&SETS), beside(&["GROUP", "DISTINCT"]), beside(&["FROM"])) {
            (Some(_), ..) | (.., None) => None,
            (_, Some(_), _) => Some(true),
            (_, _, Some(from)) => self.is_account(from + 1),
        }
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
