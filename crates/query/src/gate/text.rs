//! What is looked at in a statement's text before DuckDB's parser sees it.

use crate::problem::Problem;

/// Length of a statement, in bytes. A list of 10,000 addresses fits; and with it the stack of the parser's
/// thread is known to be enough for whatever nests without brackets, such as 130,000 minus signs.
pub(super) const MAX_BYTES: usize = 256 << 10;

/// Brackets in brackets. DuckDB's own limit is 1,000 nested expressions; people write a dozen.
pub(super) const MAX_BRACKETS: usize = 200;

/// The first word of a text, in capitals; empty when there is none.
pub(super) fn first_word(sql: &str) -> String {
    let begin = Scanner::new(sql).find(|piece| !matches!(piece, Piece::Gap(_)));
    match begin {
        Some(Piece::Word(at, length)) => sql[at..at + length].to_ascii_uppercase(),
        _ => String::new(),
    }
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
    for piece in Scanner::new(sql) {
        match piece {
            Piece::Other(_, '(' | '[' | '{') => depth += 1,
            Piece::Other(_, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if let Piece::Other(offset, _) = piece
            && depth > MAX_BRACKETS
        {
            return Err(too_deep().at(sql, offset));
        }
    }
    Ok(())
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
/// it but the two words, so that no comment that DuckDB ends elsewhere than we do can hide another statement,
/// and it begins with a letter, because an option in brackets would stand in that place.
pub(super) fn explain(sql: &str) -> Result<Option<Explain>, Problem> {
    let mut words = Vec::new();
    let mut rest = sql.len();
    for piece in Scanner::new(sql) {
        match piece {
            Piece::Gap(_) => {}
            Piece::Word(at, length) if wanted(words.len(), &sql[at..at + length]) => words.push(at..at + length),
            Piece::Word(at, _) | Piece::Other(at, _) | Piece::Quoted(at) => {
                rest = at;
                break;
            }
        }
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

/// A piece of a text, with the byte that it begins at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// Blank space, or a comment.
    Gap(usize),
    /// A word, and its length in bytes.
    Word(usize, usize),
    /// A string or a quoted name.
    Quoted(usize),
    /// Any other character.
    Other(usize, char),
}

/// Splits a text roughly as SQL does. Nothing that matters for safety rests on where it sees an end.
pub(super) struct Scanner<'a> {
    sql: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(sql: &'a str) -> Self {
        Self { sql, at: 0 }
    }
}

impl Iterator for Scanner<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let (at, rest) = (self.at, &self.sql[self.at..]);
        let first = rest.chars().next()?;
        let until =
            |begin: usize, end: &str| rest[begin..].find(end).map_or(rest.len(), |found| begin + found + end.len());
        let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
        let (length, piece) = match first {
            _ if rest.starts_with("--") => (until(2, "\n"), Piece::Gap(at)),
            _ if rest.starts_with("/*") => (until(2, "*/"), Piece::Gap(at)),
            _ if first.is_whitespace() => (first.len_utf8(), Piece::Gap(at)),
            '\'' | '"' => (until(1, &first.to_string()), Piece::Quoted(at)),
            '$' => match rest[1..].find('$').filter(|end| rest[1..=*end].chars().all(is_word)) {
                Some(end) => (until(end + 2, &rest[..end + 2]), Piece::Quoted(at)),
                None => (1, Piece::Other(at, first)),
            },
            _ if is_word(first) => {
                let length = rest.find(|letter| !is_word(letter) && letter != '$').unwrap_or(rest.len());
                (length, Piece::Word(at, length))
            }
            _ => (first.len_utf8(), Piece::Other(at, first)),
        };
        self.at += length;
        Some(piece)
    }
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
