//! What is looked at in a statement's text before DuckDB's parser sees it.

use crate::problem::Problem;
use crate::scanner::{Kind, Token, scan};

/// Length of a statement, in bytes. A list of 10,000 addresses fits; and with it the stack of the parser's
/// thread is known to be enough for whatever nests without brackets, such as 130,000 minus signs.
pub(super) const MAX_BYTES: usize = 256 << 10;

/// Brackets in brackets. DuckDB's own limit is 1,000 nested expressions; people write a dozen.
pub(super) const MAX_BRACKETS: usize = 200;

/// The first word of a text, in capitals; empty when there is none.
pub(super) fn first_word(sql: &str) -> String {
    let first = scan(sql).find(Token::is_code).filter(|token| token.kind == Kind::Word);
    first.map_or_else(String::new, |word| word.text(sql).to_ascii_uppercase())
}

/// Refuses what could overflow a stack, and what C takes for the end of a text.
pub(super) fn check(sql: &str) -> Result<(), Problem> {
    if sql.len() > MAX_BYTES {
        let (bytes, limit) = (sql.len(), MAX_BYTES);
        return Err(Problem::new(format!("a statement of {bytes} bytes is longer than the limit of {limit} bytes")));
    }
    if let Some(offset) = sql.find('\0') {
        return Err(Problem::new("a NUL byte is refused").at(sql, offset));
    }
    let mut depth = 0_usize;
    for token in scan(sql) {
        depth = match bracket(&token, sql) {
            Some(Bracket::Opens) => depth + 1,
            Some(Bracket::Closes) => depth.saturating_sub(1),
            None => depth,
        };
        if depth > MAX_BRACKETS {
            return Err(too_deep().at(sql, token.range.start));
        }
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bracket {
    Opens,
    Closes,
}

fn bracket(token: &Token, sql: &str) -> Option<Bracket> {
    match token.text(sql) {
        "(" | "[" | "{" => Some(Bracket::Opens),
        ")" | "]" | "}" => Some(Bracket::Closes),
        _ => None,
    }
}

pub(super) fn too_deep() -> Problem {
    Problem::new("the statement is nested too deeply")
        .with_hint("name parts of it: `WITH name AS (SELECT …) SELECT … FROM name`")
}

/// An `EXPLAIN` before a statement.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Explain {
    /// The text with blanks in place of `EXPLAIN`, `ANALYZE` and comments before and between them.
    pub(super) statement: String,
    /// The text with blanks in place of those comments: what is run.
    pub(super) explained: String,
}

/// Takes `EXPLAIN [ANALYZE]` off a text. Places in the rest stay what they are.
///
/// DuckDB's serialiser refuses EXPLAIN, so the rest passes the gate by itself. What is run has nothing before
/// it but the two words, so that no comment can hide another statement even if DuckDB ended it elsewhere than we do,
/// and it begins with a letter, because an option in brackets would stand in that place.
pub(super) fn explain(sql: &str) -> Result<Option<Explain>, Problem> {
    let mut words = Vec::new();
    let mut rest = sql.len();
    for token in scan(sql).filter(Token::is_code) {
        if !wanted(words.len(), token.text(sql)) {
            rest = token.range.start;
            break;
        }
        words.push(token.range);
    }
    if words.is_empty() {
        return Ok(None);
    }
    if !sql[rest..].starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Err(Problem::new("EXPLAIN takes neither options nor brackets here")
            .at(sql, rest.min(sql.len()))
            .with_hint("write `EXPLAIN SELECT …` or `EXPLAIN ANALYZE SELECT …`"));
    }
    let blank = |keep: &dyn Fn(usize) -> bool| -> String {
        let head = sql[..rest].char_indices().flat_map(|(at, letter)| {
            let blank = if letter == '\n' || keep(at) { letter } else { ' ' };
            std::iter::repeat_n(blank, letter.len_utf8())
        });
        head.chain(sql[rest..].chars()).collect()
    };
    let is_word = |at: usize| words.iter().any(|word| word.contains(&at));
    Ok(Some(Explain { statement: blank(&|_| false), explained: blank(&is_word) }))
}

fn wanted(number: usize, word: &str) -> bool {
    match number {
        0 => word.eq_ignore_ascii_case("EXPLAIN"),
        1 => word.eq_ignore_ascii_case("ANALYZE") || word.eq_ignore_ascii_case("ANALYSE"),
        _ => false,
    }
}

/// The text with `IN ('')` behind everything that a PIVOT in it makes columns of without a list; `None` when
/// there is nothing of that kind.
///
/// DuckDB turns such a PIVOT into several statements, which its serialiser refuses. With the lists it is one, and
/// differs in nothing else: the quotes that are put in are balanced, so that wherever they come to stand, in a
/// string or a comment too, they change nothing around them.
pub(super) fn pivot_with_lists(sql: &str) -> Option<String> {
    let mut pivots: Vec<Pivot> = Vec::new();
    let (mut depth, mut end) = (0_usize, 0);
    let mut places = Vec::new();
    for token in scan(sql).filter(Token::is_code) {
        let is = |names: &[&str]| names.iter().any(|name| token.is_word(sql, name));
        match bracket(&token, sql) {
            Some(Bracket::Opens) => depth += 1,
            Some(Bracket::Closes) => {
                while pivots.last().is_some_and(|pivot| pivot.depth == depth) {
                    places.extend(close(&mut pivots, end));
                }
                depth = depth.saturating_sub(1);
            }
            None if token.kind == Kind::Semicolon => break,
            None => match pivots.last_mut().filter(|pivot| pivot.depth == depth) {
                _ if is(&["PIVOT", "PIVOT_WIDER"]) => pivots.push(Pivot { depth, is_on: false, has_list: false }),
                Some(pivot) if is(&["ON"]) => pivot.is_on = true,
                Some(pivot) if is(&["IN"]) => pivot.has_list = true,
                Some(_) if is(&["USING", "GROUP", "ORDER", "LIMIT"]) => places.extend(close(&mut pivots, end)),
                Some(pivot) if pivot.is_on && token.text(sql) == "," => {
                    places.extend((!pivot.has_list).then_some(end));
                    pivot.has_list = false;
                }
                _ => {}
            },
        }
        end = token.range.end;
    }
    while !pivots.is_empty() {
        places.extend(close(&mut pivots, end));
    }
    if places.is_empty() {
        return None;
    }
    let mut text = String::with_capacity(sql.len() + 8 * places.len());
    let mut done = 0;
    for place in places {
        text.push_str(&sql[done..place]);
        text.push_str(" IN ('')");
        done = place;
    }
    text.push_str(&sql[done..]);
    Some(text)
}

/// A PIVOT whose columns are being read.
struct Pivot {
    /// Brackets around it.
    depth: usize,
    /// Whether its ON is passed.
    is_on: bool,
    /// Whether the column that is read has a list.
    has_list: bool,
}

/// Ends the innermost PIVOT; gives the place where the list of its last column is missing.
fn close(pivots: &mut Vec<Pivot>, end: usize) -> Option<usize> {
    let pivot = pivots.pop()?;
    (pivot.is_on && !pivot.has_list).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_count_outside_of_quotes_and_comments() {
        let nested = |depth: usize| format!("SELECT {}1{}", "(".repeat(depth), ")".repeat(depth));
        assert!(check(&nested(MAX_BRACKETS)).is_ok());
        assert!(
            check(&nested(50_000))
                .unwrap_err()
                .to_string()
                .starts_with("the statement is nested too deeply in line 1, column 208")
        );
        for quoted in ["'{}'", "\"{}\"", "$${}$$", "$a${}$a$", "-- {}", "/* {} */", "'it''s {}'"] {
            assert!(check(&format!("SELECT {}", quoted.replace("{}", &"(".repeat(300)))).is_ok(), "{quoted}");
        }
        assert!(check("SELECT 'a\0b'").is_err());
        assert!(check(&" ".repeat(MAX_BYTES + 1)).is_err());
        assert!(check(&"()".repeat(1_000)).is_ok());
    }

    #[test]
    fn lists_are_put_behind_the_columns_of_a_pivot() {
        for (sql, with_lists) in [
            ("PIVOT a ON b", Some("PIVOT a ON b IN ('')")),
            (
                "PIVOT a ON b, c -- d\n USING sum(x, y) GROUP BY z",
                Some("PIVOT a ON b IN (''), c IN ('') -- d\n USING sum(x, y) GROUP BY z"),
            ),
            (
                "PIVOT a ON b IN ('x', 'y'), f(c, d) ORDER BY 1;",
                Some("PIVOT a ON b IN ('x', 'y'), f(c, d) IN ('') ORDER BY 1;"),
            ),
            (
                "SELECT * FROM (PIVOT (FROM a JOIN b ON a.x = b.x) ON \"c, d\") WHERE x",
                Some("SELECT * FROM (PIVOT (FROM a JOIN b ON a.x = b.x) ON \"c, d\" IN ('')) WHERE x"),
            ),
            ("PIVOT (PIVOT a ON b) ON c", Some("PIVOT (PIVOT a ON b IN ('')) ON c IN ('')")),
            ("PIVOT a ON b IN ('x')", None),
            ("SELECT 'PIVOT a ON b'", None),
            ("FROM a JOIN b ON a.x = b.x", None),
        ] {
            assert_eq!(pivot_with_lists(sql).as_deref(), with_lists, "{sql}");
        }
    }

    #[test]
    fn explain_is_taken_off_and_places_stay() {
        assert_eq!(explain("SELECT 1"), Ok(None));
        assert_eq!(explain("'EXPLAIN'"), Ok(None));
        let explained = explain("/* é */ explain -- x\n Analyze\nSELECT 'é'").unwrap().unwrap();
        assert_eq!(explained.explained, "         explain     \n Analyze\nSELECT 'é'");
        assert_eq!(
            explained.statement,
            "                    \n        \nSELECT 'é'".replace("                    ", "                     ")
        );
        for refused in ["EXPLAIN", "EXPLAIN (FORMAT json) SELECT 1", "EXPLAIN ANALYZE (SELECT 1)", "EXPLAIN 'x'"] {
            assert!(explain(refused).is_err(), "{refused}");
        }
        assert_eq!(explain("EXPLAIN EXPLAIN SELECT 1").unwrap().unwrap().statement, "        EXPLAIN SELECT 1");
        assert_eq!(first_word(" /* x */ -- y\n copy(SELECT"), "COPY");
        assert_eq!(first_word("(SELECT"), "");
    }
}
