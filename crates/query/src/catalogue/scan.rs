//! Reads just enough SQL to see which parameters a query uses and that it is one statement.
//!
//! DuckDB cannot tell where in a file a parameter stands, and it runs every statement of a text but
//! the last while it prepares it; so a file is looked through before DuckDB sees it.

use std::ops::Range;

/// The conditions that something is put in for when the query runs.
const CONDITIONS: [&str; 2] = ["filters(", "not_own("];

/// What a file of SQL contains, in the order of the file. Lines count from 1.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Scan<'a> {
    /// Uses of named parameters.
    pub(crate) parameters: Vec<Use<'a>>,
    /// Uses of `filters()`; the name is the alias between the brackets, or empty.
    pub(crate) filters: Vec<Use<'a>>,
    /// Uses of `not_own()`, likewise.
    pub(crate) not_own: Vec<Use<'a>>,
    /// First words of the statements, with their lines.
    pub(crate) statements: Vec<(usize, &'a str)>,
    /// Things a canned query must not contain: line, and what it is.
    pub(crate) refused: Vec<(usize, &'static str)>,
}

/// A place in the text where something is put in when the query runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Use<'a> {
    /// Line, counted from 1.
    pub(crate) line: usize,
    /// The bytes of the text that it takes up.
    pub(crate) place: Range<usize>,
    /// What stands there: a name without `$`, or an alias.
    pub(crate) name: &'a str,
}

/// Looks through `sql`.
pub(crate) fn scan(sql: &str) -> Scan<'_> {
    let mut scanner = Scanner { sql, at: 0, line: 1, in_statement: false, found: Scan::default() };
    while scanner.at < sql.len() {
        scanner.step();
    }
    scanner.found
}

struct Scanner<'a> {
    sql: &'a str,
    /// Byte that is looked at next; always at a character's first byte.
    at: usize,
    line: usize,
    in_statement: bool,
    found: Scan<'a>,
}

impl<'a> Scanner<'a> {
    fn step(&mut self) {
        let rest = &self.sql[self.at..];
        let Some(next) = rest.chars().next() else { return };
        match next {
            _ if rest.starts_with("--") => self.skip(rest.find('\n').unwrap_or(rest.len())),
            _ if rest.starts_with("/*") => self.block_comment(rest),
            _ if next.is_whitespace() => self.skip(next.len_utf8()),
            ';' => {
                self.in_statement = false;
                self.skip(1);
            }
            _ => {
                self.begin_statement(rest);
                match next {
                    '\'' | '"' => self.quoted(rest, next),
                    '$' => self.dollar(rest),
                    '?' => self.refuse("a parameter without a name", 1),
                    _ if is_word(next) => self.word(rest),
                    _ => self.skip(next.len_utf8()),
                }
            }
        }
    }

    fn skip(&mut self, bytes: usize) {
        let end = (self.at + bytes).min(self.sql.len());
        self.line += self.sql[self.at..end].matches('\n').count();
        self.at = end;
    }

    fn refuse(&mut self, what: &'static str, bytes: usize) {
        self.found.refused.push((self.line, what));
        self.skip(bytes);
    }

    fn begin_statement(&mut self, rest: &'a str) {
        if !self.in_statement {
            self.in_statement = true;
            self.found.statements.push((self.line, &rest[..word_length(rest)]));
        }
    }

    /// Names may hold digits and `$` behind their first letter: `a$b` is no parameter.
    fn word(&mut self, rest: &'a str) {
        let begins = |word: &&str| rest.get(..word.len()).is_some_and(|text| text.eq_ignore_ascii_case(word));
        if let Some(condition) = CONDITIONS.into_iter().find(begins) {
            return self.condition(rest, condition);
        }
        let length = rest.find(|next| !is_word(next) && next != '$').unwrap_or(rest.len());
        let escapes = matches!(&rest[..length], "e" | "E") && rest[length..].starts_with('\'');
        if escapes {
            self.refuse("a string with backslash escapes", length);
        } else {
            self.skip(length);
        }
    }

    fn condition(&mut self, rest: &'a str, condition: &str) {
        let alias = &rest[condition.len()..];
        let alias = &alias[..word_length(alias)];
        let length = condition.len() + alias.len() + 1;
        if !rest[length - 1..].starts_with(')') {
            return self.refuse("`filters()` or `not_own()` with more than an alias between the brackets", length - 1);
        }
        let used = Use { line: self.line, place: self.at..self.at + length, name: alias };
        match condition == CONDITIONS[0] {
            true => self.found.filters.push(used),
            false => self.found.not_own.push(used),
        }
        self.skip(length);
    }

    /// A doubled quote reads as two adjacent strings, which ends at the same place.
    fn quoted(&mut self, rest: &str, quote: char) {
        match rest[1..].find(quote) {
            Some(length) => self.skip(length + 2),
            None => self.refuse("a quote that is never closed", rest.len()),
        }
    }

    fn dollar(&mut self, rest: &'a str) {
        let name = &rest[1..=word_length(&rest[1..])];
        match rest[1 + name.len()..].starts_with('$') {
            true => self.refuse("a string in dollar quotes", 2 + name.len()),
            false if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) => {
                self.refuse("a parameter without a name", 1 + name.len());
            }
            false => {
                let place = self.at..self.at + 1 + name.len();
                self.found.parameters.push(Use { line: self.line, place, name });
                self.skip(1 + name.len());
            }
        }
    }

    /// Comments of SQL nest; a file that closes one comment too few would hide SQL from this scan or from DuckDB.
    fn block_comment(&mut self, rest: &str) {
        match rest.find("*/") {
            Some(length) if !rest[2..length.max(2)].contains("/*") => self.skip(length + 2),
            Some(length) => self.refuse("a comment in a comment", length + 2),
            None => self.refuse("a comment that is never closed", rest.len()),
        }
    }
}

fn is_word(next: char) -> bool {
    next.is_alphanumeric() || next == '_'
}

fn word_length(text: &str) -> usize {
    text.find(|next| !is_word(next)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_found_where_sql_has_them() {
        let sql = "-- $comment\nSELECT '$text', \"$name\", 'it''s $text', a$b, $user -- $x\n/* $y\n */ + $user::VARCHAR, $since";
        let found = scan(sql);
        let parameters: Vec<_> = found.parameters.iter().map(|used| (used.line, used.name)).collect();
        assert_eq!(parameters, [(2, "user"), (4, "user"), (4, "since")]);
        assert!(found.parameters.iter().all(|used| sql[used.place.clone()] == format!("${}", used.name)));
        assert_eq!(found.statements, [(2, "SELECT")]);
        assert_eq!(found.refused, []);
    }

    #[test]
    fn statements_are_counted_by_their_first_words() {
        assert_eq!(scan("SELECT ';';\n-- end;\n").statements, [(1, "SELECT")]);
        assert_eq!(scan("SELECT 1;\n\nDROP TABLE t").statements, [(1, "SELECT"), (3, "DROP")]);
        assert_eq!(scan("(SELECT 1)").statements, [(1, "")]);
        assert_eq!(scan(";; -- nothing").statements, []);
    }

    #[test]
    fn what_could_hide_sql_is_refused() {
        for (sql, what) in [
            ("SELECT ?", "a parameter without a name"),
            ("SELECT $1", "a parameter without a name"),
            ("SELECT $", "a parameter without a name"),
            ("SELECT $$ $user $$", "a string in dollar quotes"),
            ("SELECT $tag$ x", "a string in dollar quotes"),
            ("SELECT E'\\' $user", "a string with backslash escapes"),
            ("SELECT 'open", "a quote that is never closed"),
            ("SELECT \"open", "a quote that is never closed"),
            ("SELECT /* open", "a comment that is never closed"),
            ("SELECT /* a /* b */ c */ 1", "a comment in a comment"),
        ] {
            assert_eq!(scan(sql).refused.first(), Some(&(1, what)), "{sql}");
        }
    }

    #[test]
    fn text_that_is_not_ascii_does_not_confuse_it() {
        let found = scan("SELECT 'é'—\u{a0}$userß, $été");
        assert_eq!(found.parameters.iter().map(|used| used.name).collect::<Vec<_>>(), ["userß", "été"]);
    }

    #[test]
    fn filters_are_found_with_their_alias() {
        let sql = "SELECT 1 -- filters()\nFROM r WHERE filters() AND Filters(r) AND 'filters()' <> my_filters(x)";
        let found = scan(sql);
        let filters: Vec<_> = found.filters.iter().map(|used| (&sql[used.place.clone()], used.name)).collect();
        assert_eq!(filters, [("filters()", ""), ("Filters(r)", "r")]);
        assert_eq!(scan("SELECT filters(1, 2)").refused.len(), 1);
        let found = scan("SELECT 1 WHERE not_own() OR Not_Own(r)");
        let places: Vec<_> = found.not_own.iter().map(|used| used.name).collect();
        assert_eq!((places, found.filters.len()), (vec!["", "r"], 0));
    }
}
