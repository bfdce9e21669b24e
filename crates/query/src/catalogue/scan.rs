//! Which parameters a query uses, where, and that it is one statement.
//!
//! DuckDB cannot tell where in a file a parameter stands, and it runs every statement of a text but
//! the last while it prepares it; so a file is looked through before DuckDB sees it.

use std::ops::Range;

use crate::scanner::{Kind, Token, tokens};

/// The conditions that something is put in for when the query runs.
const CONDITIONS: [&str; 3] = ["filters", "in_window", "not_own"];

/// What a file of SQL contains, in the order of the file. Lines count from 1.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Scan<'a> {
    /// Uses of named parameters.
    pub(crate) parameters: Vec<Use<'a>>,
    /// Uses of `filters()`; the name is the alias between the brackets, or empty.
    pub(crate) filters: Vec<Use<'a>>,
    /// Uses of `in_window()`, likewise.
    pub(crate) windows: Vec<Use<'a>>,
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
    let tokens = tokens(sql);
    let mut reader = Reader { sql, rest: &tokens, line: 1, in_statement: false, found: Scan::default() };
    while let Some(token) = reader.next() {
        reader.take(token);
    }
    reader.found
}

/// Reads tokens one behind the other.
struct Reader<'a, 't> {
    sql: &'a str,
    rest: &'t [Token],
    /// Line that the token which is taken begins in.
    line: usize,
    in_statement: bool,
    found: Scan<'a>,
}

impl<'a, 't> Reader<'a, 't> {
    fn next(&mut self) -> Option<&'t Token> {
        let (token, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(token)
    }

    /// The next token, when it is what is looked for.
    fn next_if(&mut self, is: impl Fn(&Token) -> bool) -> Option<&'t Token> {
        self.rest.first().filter(|token| is(token)).inspect(|_| self.rest = &self.rest[1..])
    }

    fn refuse(&mut self, what: &'static str) {
        self.found.refused.push((self.line, what));
    }

    fn take(&mut self, token: &Token) {
        let text = token.text(self.sql);
        if token.is_code() && token.kind != Kind::Semicolon && !self.in_statement {
            let word = if token.kind == Kind::Word { text } else { "" };
            self.found.statements.push((self.line, word));
        }
        match token.kind {
            Kind::Space => {}
            Kind::Comment => self.comment(token),
            Kind::Semicolon => self.in_statement = false,
            _ => self.in_statement = true,
        }
        match (token.kind, text) {
            (Kind::Text, _) if text.starts_with('$') => self.refuse("a string in dollar quotes"),
            (Kind::Text, _) if text.starts_with(['e', 'E']) => self.refuse("a string with backslash escapes"),
            (Kind::Text | Kind::QuotedName, _) if !token.is_closed => self.refuse("a quote that is never closed"),
            (Kind::Symbol, "?") => self.refuse("a parameter without a name"),
            (Kind::Symbol, "$") => self.parameter(token),
            (Kind::Word, _) => self.condition(token),
            _ => {}
        }
        self.line += text.matches('\n').count();
    }

    /// Comments of SQL nest; whoever reads a query elsewhere may not know it, and take SQL for a comment or a comment for SQL.
    fn comment(&mut self, token: &Token) {
        let text = token.text(self.sql);
        match () {
            () if !token.is_closed => self.refuse("a comment that is never closed"),
            () if text.starts_with("/*") && text[2..].contains("/*") => self.refuse("a comment in a comment"),
            () => {}
        }
    }

    /// `$name`. With a space between, or in quotes, it is one to DuckDB, too.
    fn parameter(&mut self, dollar: &Token) {
        match self.next_if(|token| token.kind == Kind::Word) {
            Some(name) => {
                let place = dollar.range.start..name.range.end;
                self.found.parameters.push(Use { line: self.line, place, name: name.text(self.sql) });
            }
            None => self.refuse("a parameter without a name"),
        }
    }

    fn condition(&mut self, word: &Token) {
        let sql = self.sql;
        let Some(condition) = CONDITIONS.into_iter().find(|name| word.is_word(sql, name)) else { return };
        if self.next_if(|token| token.text(sql) == "(").is_none() {
            return;
        }
        let alias = self.next_if(|token| token.kind == Kind::Word).map_or("", |token| token.text(sql));
        let Some(end) = self.next_if(|token| token.text(sql) == ")") else {
            return self
                .refuse("`filters()`, `in_window()` or `not_own()` with more than an alias between the brackets");
        };
        let used = Use { line: self.line, place: word.range.start..end.range.end, name: alias };
        match condition {
            "filters" => self.found.filters.push(used),
            "in_window" => self.found.windows.push(used),
            _ => self.found.not_own.push(used),
        }
    }
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
    fn what_duckdb_ends_elsewhere_hides_no_statement() {
        for sql in [
            "SELECT 1 -- x\r; DROP TABLE t",
            "SELECT `'`; DROP TABLE t; SELECT `'`",
            "SELECT `a``'`; DROP TABLE t -- '",
            "SELECT '\\'; DROP TABLE t -- '",
            "SELECT n'\\'; DROP TABLE t -- '",
        ] {
            assert_eq!(scan(sql).statements.get(1), Some(&(1, "DROP")), "{sql:?}");
        }
        for sql in
            ["SELECT 1e'\\''; DROP TABLE t -- '", "SELECT `open", "SELECT $e'x'", "SELECT $ user", "SELECT $\"user\""]
        {
            assert!(!scan(sql).refused.is_empty(), "{sql:?}");
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
        let found = scan("SELECT 1 WHERE not_own() OR Not_Own(r) AND in_window(w)");
        let names = |uses: &[Use<'_>]| uses.iter().map(|used| used.name.to_owned()).collect::<Vec<_>>();
        assert_eq!(
            (names(&found.not_own), names(&found.windows)),
            (vec!["".to_owned(), "r".to_owned()], vec!["w".to_owned()])
        );
        assert_eq!(found.filters, []);
    }
}
