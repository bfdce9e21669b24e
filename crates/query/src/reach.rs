//! Whether a query looks beyond the rows that its filters select: derived from its SQL, not declared.
//!
//! The files of a case are left out by the window and the resource that are asked for. That is right only when every event
//! that a query reads has passed its `filters()` by itself. A query that joins over time, looks at what came before a row,
//! or asks when the log ends, reads events that the filters do not select: it is given the whole case.
//!
//! The derivation is careful: what it does not understand reaches beyond. A wrong guess to that side only costs time.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::embedded;
use crate::scanner::{self, Kind};
use crate::views::OF_ONE_REQUEST;

/// Views that no filter of a case narrows: they have no time and no resource.
const WITHOUT_EVENTS: [&str; 3] = ["rejects", "sources", "ledger"];

/// The table macro that folds events into requests, each by its own.
const FOLD: &str = "requests_of";

/// Words that make one row of several, or put them in relation.
const GATHERING: [&str; 6] = ["group", "over", "having", "limit", "qualify", "pivot"];

/// Aggregates that are used without GROUP BY.
const AGGREGATES: [&str; 14] = [
    "any_value",
    "arg_max",
    "arg_min",
    "bit_or",
    "bool_and",
    "bool_or",
    "count",
    "first",
    "last",
    "list",
    "max",
    "median",
    "min",
    "sum",
];

/// Words that end the FROM clause.
const AFTER_FROM: [&str; 10] =
    ["where", "group", "having", "qualify", "order", "limit", "window", "select", "offset", "using_sample"];

/// Words that combine two SELECTs.
const SET_OPERATIONS: [&str; 3] = ["union", "except", "intersect"];

/// How far the rows of a relation reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    /// They hold no event.
    Nothing,
    /// Each is made of events that have passed the filters.
    Filtered,
    /// Each is made of the events of one request, whose time and resource it has.
    Request,
    /// They depend on events that the filters may not select.
    Beyond,
}

/// Whether the body of a query reads events beyond those that its filters select.
pub(crate) fn reaches_beyond(sql: &str) -> bool {
    let tokens = tokens(sql);
    !matches!(block(&tokens, &VIEWS), Reach::Nothing | Reach::Filtered)
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// A word in lower case.
    Word(String),
    /// A string.
    Text(String),
    Open,
    Close,
    Comma,
    /// A semicolon.
    End,
    Other,
}

impl Token {
    fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            _ => None,
        }
    }

    fn is(&self, word: &str) -> bool {
        self.word() == Some(word)
    }
}

/// What is called by a name in a block: the views, and what it names itself.
type Scope = BTreeMap<String, Reach>;

fn tokens(sql: &str) -> Vec<Token> {
    let told = |token: scanner::Token| {
        let text = token.text(sql);
        Some(match (token.kind, text) {
            (Kind::Space | Kind::Comment, _) => return None,
            (Kind::Word | Kind::QuotedName, _) => Token::Word(token.name(sql)?.to_lowercase()),
            (Kind::Text, _) => Token::Text(text.trim_matches('\'').to_lowercase()),
            (Kind::Semicolon, _) => Token::End,
            (_, "(") => Token::Open,
            (_, ")") => Token::Close,
            (_, ",") => Token::Comma,
            (Kind::Number | Kind::Symbol, _) => Token::Other,
        })
    };
    scanner::scan(sql).filter_map(told).collect()
}

/// The tokens between the bracket at `open` and its other half, and where that stands.
fn within(tokens: &[Token], open: usize) -> (&[Token], usize) {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token {
            Token::Open => depth += 1,
            Token::Close => depth -= 1,
            _ => (),
        }
        if depth == 0 {
            return (&tokens[open + 1..at], at);
        }
    }
    (&tokens[open + 1..], tokens.len())
}

/// The reach of a statement: its named parts, and the SELECTs that follow.
fn block(tokens: &[Token], outer: &Scope) -> Reach {
    let mut scope = outer.clone();
    let mut at = 0;
    if tokens.first().is_some_and(|token| token.is("with")) {
        at = 1;
        while let Some(name) = tokens.get(at).and_then(Token::word) {
            // `name [(columns)] AS [MATERIALIZED] (…)`
            let Some(open) = (at + 1..tokens.len()).find(|next| tokens[*next].is("as")) else { return Reach::Beyond };
            let Some(open) = (open..tokens.len()).find(|next| tokens[*next] == Token::Open) else {
                return Reach::Beyond;
            };
            let (inner, end) = within(tokens, open);
            let reach = block(inner, &scope);
            scope.insert(name.to_owned(), reach);
            at = end + 1;
            if tokens.get(at) != Some(&Token::Comma) {
                break;
            }
            at += 1;
        }
    }
    let mut reaches = Vec::new();
    let mut begin = at;
    let mut depth = 0;
    for (place, token) in tokens.iter().enumerate().skip(at) {
        match token {
            Token::Open => depth += 1,
            Token::Close => depth -= 1,
            Token::Word(word) if depth == 0 && SET_OPERATIONS.contains(&word.as_str()) => {
                reaches.push(select(&tokens[begin..place], &scope));
                begin = place + 1;
            }
            _ => (),
        }
    }
    reaches.push(select(&tokens[begin..], &scope));
    let reading: Vec<Reach> = reaches.into_iter().filter(|reach| *reach != Reach::Nothing).collect();
    match reading.as_slice() {
        [] => Reach::Nothing,
        [first, rest @ ..] if rest.iter().all(|reach| reach == first) => *first,
        _ => Reach::Beyond,
    }
}

/// One relation of a FROM clause.
struct Source<'a> {
    reach: Reach,
    /// What joins it to those before it.
    joined: Joined,
    condition: Vec<&'a str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joined {
    First,
    Semi,
    Otherwise,
}

/// The reach of one SELECT.
fn select(tokens: &[Token], scope: &Scope) -> Reach {
    // `UNION ALL`, and brackets around a whole SELECT.
    let tokens = if tokens.first().is_some_and(|token| token.is("all")) { &tokens[1..] } else { tokens };
    if tokens.first() == Some(&Token::Open) {
        let (inner, end) = within(tokens, 0);
        if is_select(inner) && tokens[(end + 1).min(tokens.len())..].iter().all(|token| token.word().is_some()) {
            return block(inner, scope);
        }
    }
    let parts = Parts::of(tokens, scope);
    let reading = || parts.sources.iter().filter(|source| source.reach != Reach::Nothing);
    let reach = match reading().count() {
        0 => Reach::Nothing,
        _ => joined(&parts.sources),
    };
    // What is asked of other events beside the rows' own.
    if parts.asides.iter().any(|aside| !matches!(aside, Reach::Nothing | Reach::Filtered)) {
        return Reach::Beyond;
    }
    match reach {
        Reach::Request if parts.is_filtered => Reach::Filtered,
        Reach::Request if parts.gathers => Reach::Beyond,
        reach => reach,
    }
}

/// What several relations together reach.
fn joined(sources: &[Source<'_>]) -> Reach {
    let mut all = Reach::Nothing;
    for source in sources {
        let has = |word: &str| source.condition.contains(&word);
        let of_same_request = has("audit_id") && (source.joined == Joined::Semi || has("event_time"));
        all = match (all, source.reach) {
            (all, Reach::Nothing) => all,
            (Reach::Nothing, reach) => reach,
            // A request that is one of those is so whatever else is read.
            (all, Reach::Request | Reach::Filtered) if source.joined == Joined::Semi && of_same_request => all,
            (Reach::Filtered, Reach::Filtered) => Reach::Filtered,
            (Reach::Request, Reach::Request) if of_same_request => Reach::Request,
            _ => Reach::Beyond,
        };
    }
    all
}

struct Parts<'a> {
    sources: Vec<Source<'a>>,
    /// SELECTs in its columns and conditions.
    asides: Vec<Reach>,
    is_filtered: bool,
    gathers: bool,
    /// What is asked is a condition on the rows that are read: not on groups of them, and no column.
    in_where: bool,
}

impl<'a> Parts<'a> {
    fn of(tokens: &'a [Token], scope: &Scope) -> Self {
        let mut parts =
            Self { sources: Vec::new(), asides: Vec::new(), is_filtered: false, gathers: false, in_where: false };
        let mut in_from = false;
        let mut expected = None;
        let mut at = 0;
        while at < tokens.len() {
            let before = |back: usize| at.checked_sub(back).and_then(|at| tokens.get(at));
            let is_before = |back: usize, word: &str| before(back).is_some_and(|token| token.is(word));
            let token = &tokens[at];
            if let Some(joined) = expected.take() {
                at = parts.relation(tokens, at, joined, scope);
                continue;
            }
            match token {
                // `IS DISTINCT FROM` compares.
                Token::Word(word) if word == "from" && !is_before(1, "distinct") => {
                    in_from = true;
                    expected = Some(Joined::First);
                }
                Token::Word(word) if word == "join" => {
                    let semi = is_before(1, "semi");
                    // What is not there is asked of all.
                    expected = Some(if semi { Joined::Semi } else { Joined::Otherwise });
                }
                Token::Comma if in_from => expected = Some(Joined::Otherwise),
                Token::Word(word) if AFTER_FROM.contains(&word.as_str()) => {
                    in_from = false;
                    parts.in_where = word == "where";
                }
                _ => (),
            }
            at = parts.look_at(tokens, at, in_from, scope);
        }
        parts
    }

    /// Takes up the relation at `at`, and says where to go on.
    fn relation(&mut self, tokens: &[Token], at: usize, joined: Joined, scope: &Scope) -> usize {
        let (reach, next) = match &tokens[at] {
            Token::Open => {
                let (inner, end) = within(tokens, at);
                (block(inner, scope), end + 1)
            }
            Token::Word(name) if tokens.get(at + 1) == Some(&Token::Open) => {
                let (inner, end) = within(tokens, at + 1);
                (table_function(name, inner, scope), end + 1)
            }
            Token::Word(name) => (named(name, scope), at + 1),
            _ => (Reach::Beyond, at + 1),
        };
        self.sources.push(Source { reach, joined, condition: Vec::new() });
        next
    }

    /// Looks at a token outside of the names of relations, and says where to go on.
    fn look_at(&mut self, tokens: &'a [Token], at: usize, in_from: bool, scope: &Scope) -> usize {
        match &tokens[at] {
            Token::Word(word) => {
                let is_call = tokens.get(at + 1) == Some(&Token::Open);
                let compares = at > 0 && (tokens[at - 1].is("is") || tokens[at - 1].is("not"));
                self.is_filtered |= is_call && word == "filters" && self.in_where;
                self.gathers |= GATHERING.contains(&word.as_str())
                    || (word == "distinct" && !compares)
                    || (is_call && AGGREGATES.contains(&word.as_str()));
                if is_call && crate::views::is_macro_that_reads(word) {
                    self.asides.push(Reach::Beyond);
                }
                if let Some(source) = self.sources.last_mut().filter(|_| in_from) {
                    source.condition.push(word);
                }
                at + 1
            }
            Token::Open => {
                let (inner, end) = within(tokens, at);
                let of_request = at > 1 && tokens[at - 1].is("in") && tokens[at - 2].is("audit_id");
                if is_select(inner) {
                    let reach = block(inner, scope);
                    // As a semi join on the request.
                    let is_local = of_request && matches!(reach, Reach::Request | Reach::Filtered);
                    self.asides.push(if is_local { Reach::Nothing } else { reach });
                } else {
                    let mut place = 0;
                    while place < inner.len() {
                        place = self.look_at(inner, place, in_from, scope);
                    }
                }
                end + 1
            }
            _ => at + 1,
        }
    }
}

fn is_select(tokens: &[Token]) -> bool {
    tokens.first().is_some_and(|token| ["select", "with", "from"].iter().any(|word| token.is(word)))
}

/// A table function, or a table macro that is given the names of relations.
fn table_function(name: &str, arguments: &[Token], scope: &Scope) -> Reach {
    let given = arguments.iter().filter_map(|token| match token {
        Token::Text(text) => Some(named(text, scope)),
        _ => None,
    });
    let given = given.filter(|reach| *reach != Reach::Nothing).max();
    let is_ours = name == FOLD || name == "query_table" || crate::views::is_table_macro(name);
    match (is_ours, given) {
        (false, _) | (true, None) => Reach::Nothing,
        (true, Some(Reach::Request)) if name == FOLD || name == "query_table" => Reach::Request,
        (true, Some(Reach::Filtered)) if !crate::views::reads_events_of_its_own(name) => Reach::Filtered,
        (true, Some(_)) => Reach::Beyond,
    }
}

fn named(name: &str, scope: &Scope) -> Reach {
    scope.get(name).copied().unwrap_or(Reach::Nothing)
}

/// The reach of every view.
static VIEWS: LazyLock<BTreeMap<String, Reach>> = LazyLock::new(|| {
    let mut views: Scope = OF_ONE_REQUEST.iter().map(|name| ((*name).to_owned(), Reach::Request)).collect();
    views.extend(WITHOUT_EVENTS.iter().map(|name| ((*name).to_owned(), Reach::Nothing)));
    let mut left: Vec<(String, Vec<Token>)> = embedded::VIEWS.iter().flat_map(|file| definitions(file.text)).collect();
    // Views that mention each other are defined in some order: each is read when those that it mentions were.
    while !left.is_empty() {
        let names: Vec<String> = left.iter().map(|(name, _)| name.clone()).collect();
        let (waits, ready): (Vec<_>, Vec<_>) = left.into_iter().partition(|(name, body)| {
            let mentions = |token: &Token| match token {
                Token::Word(word) | Token::Text(word) => word != name && names.contains(word),
                _ => false,
            };
            body.iter().any(mentions)
        });
        if ready.is_empty() {
            // Never, as a test of the views says.
            views.extend(waits.into_iter().map(|(name, _)| (name, Reach::Beyond)));
            break;
        }
        for (name, body) in ready {
            let reach = block(&body, &views);
            views.entry(name).or_insert(reach);
        }
        left = waits;
    }
    views
});

/// The views of a file: name and body.
fn definitions(text: &str) -> Vec<(String, Vec<Token>)> {
    let all = tokens(text);
    let views = all.split(|token| *token == Token::End).filter_map(|tokens| match tokens {
        [create, view, name, is, body @ ..] if create.is("create") && view.is("view") && is.is("as") => {
            Some((name.word()?.to_owned(), body.to_vec()))
        }
        _ => None,
    });
    views.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_of_single_requests_are_told_from_those_that_look_around() {
        for name in ["rbac_changes", "workload_changes", "secret_access", "auth_failures", "exec_sessions", "deletions"]
        {
            assert_eq!(VIEWS.get(name), Some(&Reach::Request), "{name}");
        }
        for name in ["incomplete_requests", "role_powers", "identities", "token_use", "audit_id_conflicts"] {
            assert_eq!(VIEWS.get(name), Some(&Reach::Beyond), "{name}");
        }
        assert_eq!(VIEWS.get("sources"), Some(&Reach::Nothing));
    }

    #[test]
    fn a_query_whose_events_all_pass_its_filters_reaches_no_further() {
        for sql in [
            "SELECT * FROM requests WHERE resource = 'secrets' AND filters() ORDER BY 1",
            "FROM rbac_changes r WHERE filters(r)",
            "SELECT user_name, count(*) FROM requests WHERE filters() GROUP BY ALL HAVING count(*) > 1",
            "WITH a AS (SELECT *, 1 AS x FROM requests WHERE filters()) SELECT max(event_time) FROM a",
            "WITH a AS (SELECT *, 1 AS x FROM requests) SELECT max(event_time) FROM a WHERE filters()",
            "WITH a AS (SELECT * FROM events SEMI JOIN (SELECT audit_id FROM events WHERE verb = 'get') USING (audit_id)) \
             SELECT * FROM requests_of('a') WHERE filters()",
            "SELECT * FROM requests WHERE audit_id IN (SELECT audit_id FROM events) AND filters()",
            "WITH a AS (FROM requests WHERE filters()), b AS (FROM rbac_changes WHERE filters()) FROM a JOIN b USING (user_name)",
            "WITH a AS (FROM requests WHERE filters()) FROM identities_of('a')",
            "SELECT * FROM requests WHERE name IS DISTINCT FROM namespace AND filters()",
            "WITH n AS (SELECT unnest(['a', 'b']) AS x) SELECT * FROM requests, n WHERE filters()",
        ] {
            assert!(!reaches_beyond(sql), "{sql}");
        }
    }

    #[test]
    fn a_query_that_looks_around_its_rows_is_found_out() {
        for sql in [
            "SELECT * FROM requests",
            "SELECT *, lag(verb) OVER (ORDER BY event_time) FROM (SELECT *, max(event_time) OVER () FROM requests) WHERE filters()",
            "WITH a AS (SELECT *, lag(name) OVER (ORDER BY event_time) AS b FROM requests) FROM a WHERE filters()",
            "WITH g AS (FROM rbac_changes), w AS (FROM workload_changes WHERE filters()) FROM w JOIN g USING (user_name)",
            "SELECT * FROM requests WHERE event_time > (SELECT max(event_time) FROM events) AND filters()",
            "SELECT * FROM incomplete_requests WHERE filters()",
            "SELECT * FROM requests ANTI JOIN rbac_changes USING (user_name) WHERE filters()",
            "SELECT * FROM requests WHERE source_ip IN (SELECT source_ip FROM requests) AND filters()",
            "FROM requests WHERE filters() UNION ALL FROM requests",
            // A carriage return ends a comment, and names stand in backticks, too.
            "WITH a AS (FROM requests WHERE filters()) SELECT 1 -- x\r FROM a JOIN requests USING (user_name)",
            "SELECT * FROM `requests`",
            // Whose address it is shows in what else comes from there.
            "WITH a AS (FROM requests WHERE filters()) FROM bursts_of('a', 1, 2, 3)",
            "WITH a AS (SELECT user_name, min(event_time) AS event_time FROM requests GROUP BY ALL) FROM a WHERE filters()",
            "WITH a AS (FROM requests) FROM identities_of('a') WHERE filters()",
            "SELECT user_name, count(*) FROM requests WHERE in_window() GROUP BY user_name HAVING bool_or(filters())",
            "SELECT user_name, bool_or(filters()), count(*) FILTER (WHERE filters()) FROM requests WHERE in_window() GROUP BY user_name",
        ] {
            assert!(reaches_beyond(sql), "{sql}");
        }
    }
}
