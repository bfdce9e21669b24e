//! SQL cut into tokens, as far as an editor needs: to colour it, to complete it, and to see where a statement ends.
//!
//! Pure. It decides nothing about what may run: every statement goes through the gate, which has DuckDB's own parser.

use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Blank space.
    Space,
    /// `-- …` or `/* … */`.
    Comment,
    /// A keyword or a name without quotes.
    Word,
    /// A name in double quotes.
    QuotedName,
    /// A string: `'…'`, `E'…'` or `$tag$…$tag$`.
    Text,
    Number,
    /// `;`
    Semicolon,
    /// Any other character.
    Symbol,
}

/// A piece of SQL. All tokens of a text together are the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Its bytes in the text.
    pub(super) range: Range<usize>,
    /// Whether its end was found; a string that is still open goes to the end of the text.
    pub(super) is_closed: bool,
}

impl Token {
    pub(super) fn text<'a>(&self, sql: &'a str) -> &'a str {
        &sql[self.range.clone()]
    }

    /// Whether it is more than blank space and comments.
    pub(super) fn is_code(&self) -> bool {
        !matches!(self.kind, Kind::Space | Kind::Comment)
    }
}

/// The tokens of `sql`.
pub(super) fn tokens(sql: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = sql[at..].chars().next() {
        let (kind, length, is_closed) = next(&sql[at..], first);
        tokens.push(Token { kind, range: at..at + length, is_closed });
        at += length;
    }
    tokens
}

/// The byte ranges of the statements of `sql`, each with its semicolon; the last one may lack it.
pub(super) fn statements(sql: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = None;
    let mut end = 0;
    for token in tokens(sql) {
        match (token.kind, start) {
            (Kind::Semicolon, Some(first)) => {
                found.push(first..token.range.end);
                start = None;
            }
            (Kind::Semicolon, None) => (),
            _ if token.is_code() => {
                start = start.or(Some(token.range.start));
                end = token.range.end;
            }
            _ => (),
        }
    }
    found.extend(start.map(|first| first..end));
    found
}

/// Whether `sql` ends where a statement ends, or holds none.
pub(super) fn is_complete(sql: &str) -> bool {
    let tokens = tokens(sql);
    let is_open = tokens.iter().any(|token| !token.is_closed);
    let last = tokens.iter().rev().find(|token| token.is_code());
    !is_open && last.is_none_or(|token| token.kind == Kind::Semicolon)
}

/// Kind, length and whether it is closed of the token that begins `rest`.
fn next(rest: &str, first: char) -> (Kind, usize, bool) {
    let until = |end: Option<usize>, kind| match end {
        Some(length) => (kind, length, true),
        None => (kind, rest.len(), false),
    };
    match first {
        _ if rest.starts_with("--") => (Kind::Comment, rest.find('\n').unwrap_or(rest.len()), true),
        _ if rest.starts_with("/*") => until(block_comment(rest), Kind::Comment),
        '\'' => until(quoted(rest, '\'', false), Kind::Text),
        '"' => until(quoted(rest, '"', false), Kind::QuotedName),
        'e' | 'E' if rest[1..].starts_with('\'') => {
            until(quoted(&rest[1..], '\'', true).map(|end| end + 1), Kind::Text)
        }
        '$' => match dollar_tag(rest) {
            Some(tag) => until(rest[tag.len()..].find(tag).map(|end| end + 2 * tag.len()), Kind::Text),
            None => (Kind::Symbol, 1, true),
        },
        ';' => (Kind::Semicolon, 1, true),
        _ if first.is_whitespace() => (Kind::Space, span(rest, char::is_whitespace), true),
        _ if first.is_ascii_digit() => {
            (Kind::Number, span(rest, |next| next.is_ascii_alphanumeric() || next == '.' || next == '_'), true)
        }
        _ if is_word(first) => (Kind::Word, span(rest, |next| is_word(next) || next == '$'), true),
        _ => (Kind::Symbol, first.len_utf8(), true),
    }
}

/// Bytes of `text`, which begins with `quote`, up to behind the closing one.
fn quoted(text: &str, quote: char, has_escapes: bool) -> Option<usize> {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, next)) = characters.next() {
        if has_escapes && next == '\\' {
            characters.next();
        } else if next == quote {
            match characters.peek() {
                Some((_, again)) if *again == quote => drop(characters.next()),
                _ => return Some(at + 1),
            }
        }
    }
    None
}

/// Comments of SQL nest.
fn block_comment(text: &str) -> Option<usize> {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        match () {
            () if rest.starts_with(b"/*") => (depth, at) = (depth + 1, at + 2),
            () if rest.starts_with(b"*/") => (depth, at) = (depth - 1, at + 2),
            () => at += 1,
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// `$tag$` or `$$`; `$1` and `$name` are parameters.
fn dollar_tag(text: &str) -> Option<&str> {
    let name = span(&text[1..], is_word);
    let is_tag = text[1 + name..].starts_with('$') && !text[1..].starts_with(|first: char| first.is_ascii_digit());
    is_tag.then(|| &text[..name + 2])
}

fn span(text: &str, is_in: impl Fn(char) -> bool) -> usize {
    text.find(|next| !is_in(next)).unwrap_or(text.len())
}

pub(super) fn is_word(next: char) -> bool {
    next.is_alphanumeric() || next == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(sql: &str) -> Vec<(Kind, &str)> {
        let tokens = tokens(sql);
        tokens.iter().filter(|token| token.kind != Kind::Space).map(|token| (token.kind, token.text(sql))).collect()
    }

    #[test]
    fn every_kind_is_told_apart() {
        let sql = "SELECT \"a b\", 'it''s; ', E'\\'x', $$;$$, $t$'$t$, 1.5e3, x.y -- ;'\n/* ; /* */ ; */ ; $1";
        assert_eq!(
            kinds(sql),
            [
                (Kind::Word, "SELECT"),
                (Kind::QuotedName, "\"a b\""),
                (Kind::Symbol, ","),
                (Kind::Text, "'it''s; '"),
                (Kind::Symbol, ","),
                (Kind::Text, "E'\\'x'"),
                (Kind::Symbol, ","),
                (Kind::Text, "$$;$$"),
                (Kind::Symbol, ","),
                (Kind::Text, "$t$'$t$"),
                (Kind::Symbol, ","),
                (Kind::Number, "1.5e3"),
                (Kind::Symbol, ","),
                (Kind::Word, "x"),
                (Kind::Symbol, "."),
                (Kind::Word, "y"),
                (Kind::Comment, "-- ;'"),
                (Kind::Comment, "/* ; /* */ ; */"),
                (Kind::Semicolon, ";"),
                (Kind::Symbol, "$"),
                (Kind::Number, "1"),
            ]
        );
    }

    #[test]
    fn tokens_together_are_the_text_whatever_it_is() {
        let alphabet = ["'", "\"", "$", "$$", "E'", "/*", "*/", "--", "\n", ";", "a", "é", "1", "\\", " "];
        for seed in 0..alphabet.len().pow(4) {
            let pick = |at: u32| alphabet[seed / alphabet.len().pow(at) % alphabet.len()];
            let sql = [pick(0), pick(1), pick(2), pick(3)].concat();
            let tokens = tokens(&sql);
            let together: String = tokens.iter().map(|token| token.text(&sql)).collect();
            assert_eq!(together, sql);
            let _ = (statements(&sql), is_complete(&sql));
        }
    }

    #[test]
    fn a_statement_is_complete_at_its_semicolon() {
        for complete in ["", "  -- only a comment", "SELECT 1;", "SELECT ';'; -- done", "a; b;\n"] {
            assert!(is_complete(complete), "{complete}");
        }
        for open in ["SELECT 1", "SELECT ';", "SELECT 1; SELECT", "SELECT 1 /* ;", "SELECT 1 -- ;", "SELECT $$;"] {
            assert!(!is_complete(open), "{open}");
        }
    }

    #[test]
    fn statements_are_cut_behind_their_semicolons() {
        let cut = |sql: &'static str| statements(sql).into_iter().map(|range| &sql[range]).collect::<Vec<_>>();
        assert_eq!(cut("-- first\nSELECT 1; ;; SELECT ';' ;\nlast -- x"), ["SELECT 1;", "SELECT ';' ;", "last"]);
        assert_eq!(cut(" ; -- nothing"), Vec::<&str>::new());
    }
}
