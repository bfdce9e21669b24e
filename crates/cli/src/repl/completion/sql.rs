//! Completion in SQL.

use std::borrow::Cow;

use kforensic_query::scanner::{self, Kind, Token};

use super::super::dictionary::{Dictionary, ValueKind, View};
use super::super::quote;
use super::{Candidate, Completion, begins, matching};

/// Keywords that are worth completing, the frequent ones first.
const KEYWORDS: [&str; 58] = [
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP BY",
    "ORDER BY",
    "LIMIT",
    "HAVING",
    "AND",
    "OR",
    "NOT",
    "IN",
    "LIKE",
    "ILIKE",
    "BETWEEN",
    "IS NULL",
    "IS NOT NULL",
    "DISTINCT",
    "COUNT(*)",
    "AS",
    "DESC",
    "ASC",
    "JOIN",
    "LEFT JOIN",
    "SEMI JOIN",
    "ANTI JOIN",
    "USING",
    "ON",
    "UNION ALL",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "WITH",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "EXCLUDE",
    "REPLACE",
    "QUALIFY",
    "OVER",
    "PARTITION BY",
    "WINDOW",
    "FILTER",
    "OFFSET",
    "NULLS FIRST",
    "NULLS LAST",
    "INTERVAL",
    "TIMESTAMP",
    "CAST",
    "EXISTS",
    "TRUE",
    "FALSE",
    "NULL",
    "UNNEST",
    "ALL",
    "VALUES",
    "ESCAPE",
];

/// Keywords that a statement begins with.
const STARTERS: [&str; 7] = ["SELECT", "FROM", "WITH", "DESCRIBE", "SUMMARIZE", "EXPLAIN", "VALUES"];

/// Words after which a view is named.
const BEFORE_VIEW: [&str; 6] = ["FROM", "JOIN", "DESCRIBE", "DESC", "SUMMARIZE", "TABLE"];

/// Words that end a list of views.
const CLAUSES: [&str; 12] =
    ["SELECT", "WHERE", "GROUP", "ORDER", "LIMIT", "HAVING", "ON", "USING", "UNION", "QUALIFY", "WINDOW", "BY"];

/// A statement up to the cursor.
struct Scene<'a> {
    sql: &'a str,
    /// Tokens of the statement in which the cursor is, also those behind it.
    statement: Vec<Token>,
    /// Tokens before the word at the cursor that are more than blank space and comments.
    before: Vec<Token>,
}

impl<'a> Scene<'a> {
    /// The token that stands `back` places before the word at the cursor.
    fn back(&self, back: usize) -> Option<&Token> {
        self.before.get(self.before.len().checked_sub(back + 1)?)
    }

    fn is_word(&self, back: usize, words: &[&str]) -> bool {
        self.back(back).is_some_and(|token| words.iter().any(|word| token.is_word(self.sql, word)))
    }

    fn is_symbol(&self, back: usize, symbols: &str) -> bool {
        self.back(back).is_some_and(|token| token.kind == Kind::Symbol && symbols.contains(token.text(self.sql)))
    }

    fn is_value(&self, back: usize) -> bool {
        self.back(back).is_some_and(|token| matches!(token.kind, Kind::Text | Kind::Number))
    }

    /// The name at that place, without quotes.
    fn name(&self, back: usize) -> Option<Cow<'a, str>> {
        self.back(back)?.name(self.sql)
    }

    /// The column that a value at the cursor is compared with: `user_name = `, `verb IN ('get', `, `x.verb NOT LIKE `,
    /// `list_contains(source_ips, `.
    fn compared_column(&self) -> Option<Cow<'a, str>> {
        let mut back = 0;
        // Over the values of a list that are there already.
        while self.is_symbol(back, ",") && self.is_value(back + 1) {
            back += 2;
        }
        let is_in_list = self.is_symbol(back, "(") && self.is_word(back + 1, &["IN"]);
        if is_in_list {
            let not = usize::from(self.is_word(back + 2, &["NOT"]));
            return self.name(back + 2 + not);
        }
        if back > 0 {
            return None;
        }
        if self.is_symbol(0, ",")
            && self.is_symbol(2, "(")
            && self.is_word(3, &["list_contains", "list_has", "contains"])
        {
            return self.name(1);
        }
        let mut words = 0;
        while self.is_symbol(words, "=!<>~")
            || self.is_word(words, &["LIKE", "ILIKE", "NOT", "IS", "DISTINCT"])
            || (self.is_word(words, &["FROM"]) && self.is_word(words + 1, &["DISTINCT"]) && words == 0)
        {
            words += 1;
        }
        if words == 0 { None } else { self.name(words) }
    }

    /// Whether the word at the cursor names a view.
    fn names_view(&self) -> bool {
        if self.is_word(0, &BEFORE_VIEW) {
            // `IS DISTINCT FROM` and `ORDER BY x DESC` name none.
            let is_operator = self.is_word(0, &["FROM"]) && self.is_word(1, &["DISTINCT"]);
            let is_order = self.is_word(0, &["DESC"]) && self.before.len() > 1;
            return !is_operator && !is_order;
        }
        if !self.is_symbol(0, ",") {
            return false;
        }
        for back in 1..self.before.len() {
            if self.is_word(back, &["FROM"]) {
                return true;
            }
            if self.is_word(back, &CLAUSES) || self.is_symbol(back, "()") {
                return false;
            }
        }
        false
    }

    /// The views and results that the statement names, each with the name under which it stands there.
    fn named_views<'d>(&self, dictionary: &'d Dictionary) -> Vec<(&'d View, String)> {
        let code: Vec<&Token> = self.statement.iter().filter(|token| token.is_code()).collect();
        let mut found = Vec::new();
        for (at, token) in code.iter().enumerate() {
            let Some(view) = token.name(self.sql).and_then(|name| dictionary.view(&name)) else { continue };
            // A column may have the name of a view: `FROM`, `JOIN` or a comma stands before a view.
            let before = at.checked_sub(1).map(|at| code[at].text(self.sql));
            if !before
                .is_some_and(|word| word == "," || BEFORE_VIEW.iter().any(|other| other.eq_ignore_ascii_case(word)))
            {
                continue;
            }
            let follows = |at: usize| code.get(at).and_then(|token| token.name(self.sql));
            let alias = match follows(at + 1) {
                Some(word) if word.eq_ignore_ascii_case("AS") => follows(at + 2),
                Some(word) if !is_keyword(&word) => Some(word),
                _ => None,
            };
            found.push((view, alias.map_or_else(|| view.name.clone(), Cow::into_owned)));
        }
        found
    }
}

/// What could stand at the cursor, in SQL that begins at byte `from` of `text`.
pub(super) fn complete(text: &str, from: usize, cursor: usize, dictionary: &Dictionary) -> Completion {
    let statement_start = scanner::tokens(&text[from..cursor])
        .iter()
        .rev()
        .find(|token| token.kind == Kind::Semicolon)
        .map_or(from, |token| from + token.range.end);
    let sql = &text[statement_start..];
    let mut before = scanner::tokens(&text[statement_start..cursor]);
    let mut statement = scanner::tokens(sql);
    if let Some(semicolon) = statement.iter().position(|token| token.kind == Kind::Semicolon) {
        statement.truncate(semicolon);
    }
    let is_at_word = before.last().is_some_and(|token| match token.kind {
        Kind::Word | Kind::Number => true,
        Kind::Text | Kind::QuotedName | Kind::Comment => !token.is_closed,
        Kind::Space | Kind::Semicolon | Kind::Symbol => false,
    });
    let is_in_comment = before
        .last()
        .is_some_and(|token| token.kind == Kind::Comment && (!token.is_closed || token.text(sql).starts_with("--")));
    if is_in_comment {
        return Completion::none(cursor);
    }
    let word = if is_at_word { before.pop() } else { None };
    before.retain(Token::is_code);
    let start = word.as_ref().map_or(cursor, |word| statement_start + word.range.start);
    let kind = word.as_ref().map(|word| word.kind);
    let typed = word.as_ref().map_or("", |word| word.text(sql));
    let scene = Scene { sql, statement, before };
    match kind {
        Some(Kind::Number) => Completion::none(cursor),
        Some(Kind::Text) => values(start, &scene, &typed_text(typed), dictionary, false),
        Some(Kind::QuotedName) => names(start, &scene, &typed[1..], dictionary),
        _ => words(start, &scene, typed, dictionary),
    }
}

/// The content of a string that is still open; one with escapes or dollars has none that could be completed.
fn typed_text(typed: &str) -> String {
    typed.strip_prefix('\'').map_or_else(|| "\0".to_owned(), |content| content.replace("''", "'"))
}

/// Values of the column that the cursor's value is compared with.
fn values(start: usize, scene: &Scene<'_>, typed: &str, dictionary: &Dictionary, is_bare: bool) -> Completion {
    let kind = scene.compared_column().and_then(|column| ValueKind::of(&column));
    let Some(kind) = kind else { return Completion::none(start + typed.len()) };
    let all: Vec<&str> = dictionary.values(kind).collect();
    let found = if is_bare && !typed.is_empty() {
        all.into_iter().filter(|value| begins(value, typed)).collect()
    } else {
        matching(all.iter().copied(), typed)
    };
    Completion::words(start, found.into_iter().map(|value| Candidate::value(value, quote::text_literal(value))))
}

/// Columns or views inside of double quotes.
fn names(start: usize, scene: &Scene<'_>, typed: &str, dictionary: &Dictionary) -> Completion {
    let all: Vec<String> = match scene.names_view() {
        true => dictionary.relations().map(|view| view.name.clone()).collect(),
        false => scene.named_views(dictionary).into_iter().flat_map(|(view, _)| view.columns.clone()).collect(),
    };
    let found = all.into_iter().filter(|name| begins(name, typed));
    Completion::words(start, found.map(|name| Candidate::value(&name, format!("\"{}\"", name.replace('"', "\"\"")))))
}

/// Columns, views, functions and keywords.
fn words(start: usize, scene: &Scene<'_>, typed: &str, dictionary: &Dictionary) -> Completion {
    let named = |names: Vec<&str>| {
        let found =
            names.into_iter().filter(|name| begins(name, typed)).map(|name| Candidate::value(name, quote::name(name)));
        found.collect::<Vec<_>>()
    };
    let columns = |alias: Option<&str>| {
        let views = scene.named_views(dictionary).into_iter();
        let views = views.filter(|(_, name)| alias.is_none_or(|alias| alias.eq_ignore_ascii_case(name)));
        named(views.flat_map(|(view, _)| view.columns.iter().map(String::as_str)).collect())
    };
    if scene.is_symbol(0, ".") {
        let alias = scene.name(1).unwrap_or_default();
        return Completion::words(start, columns(Some(&alias)));
    }
    if scene.names_view() {
        let views = named(dictionary.relations().map(|view| view.name.as_str()).collect());
        let with = scene.statement.iter().any(|token| token.text(scene.sql).eq_ignore_ascii_case("WITH"));
        let ctes = if with { common_tables(scene) } else { Vec::new() };
        return Completion::words(start, named(ctes.iter().map(String::as_str).collect()).into_iter().chain(views));
    }
    if scene.before.is_empty() {
        return Completion::words(start, keywords(&STARTERS, typed));
    }
    if let Completion::Words { candidates, .. } = values(start, scene, typed, dictionary, true)
        && !candidates.is_empty()
    {
        return Completion::words(start, candidates);
    }
    let mut columns = columns(None);
    if typed.is_empty() {
        return Completion::words(start, columns);
    }
    if scene.named_views(dictionary).is_empty() {
        // The views come behind the columns: until then it may be any.
        columns = named(dictionary.relations().flat_map(|view| view.columns.iter().map(String::as_str)).collect());
    }
    let functions = dictionary.functions.iter().filter(|name| begins(name, typed));
    let functions = functions.map(|name| Candidate { shown: format!("{name}()"), inserted: format!("{name}(") });
    Completion::words(start, columns.into_iter().chain(keywords(&KEYWORDS, typed)).chain(functions))
}

/// Names that the statement gives to its common table expressions: `name AS (`.
fn common_tables(scene: &Scene<'_>) -> Vec<String> {
    let code: Vec<&Token> = scene.statement.iter().filter(|token| token.is_code()).collect();
    let text = |token: &Token| token.text(scene.sql);
    let is_table = |three: &&[&Token]| text(three[1]).eq_ignore_ascii_case("AS") && text(three[2]) == "(";
    let names = code.windows(3).filter(is_table).filter_map(|three| three[0].name(scene.sql));
    names.map(Cow::into_owned).collect()
}

/// Keywords that begin with `typed`, in the case that is typed.
fn keywords(words: &[&str], typed: &str) -> Vec<Candidate> {
    let is_lower = !typed.is_empty() && !typed.chars().any(char::is_uppercase);
    let cased = |word: &str| if is_lower { word.to_lowercase() } else { word.to_owned() };
    words.iter().filter(|word| begins(word, typed)).map(|word| Candidate::plain(cased(word))).collect()
}

/// Whether `word` is a keyword, for colours and for telling an alias.
pub(in super::super) fn is_keyword(word: &str) -> bool {
    let is = |other: &str| other.split([' ', '(']).any(|part| part.eq_ignore_ascii_case(word));
    let also =
        ["BY", "IS", "JOIN", "INNER", "CROSS", "OUTER", "FULL", "RIGHT", "PIVOT", "UNPIVOT", "ORDINALITY", "ASOF"];
    KEYWORDS.iter().chain(&STARTERS).chain(&also).any(|other| is(other))
}
