//! What is wrong with a statement of the user: what, where in their text, and what to do.

use std::fmt;
use std::net::IpAddr;

use strsim::damerau_levenshtein;

/// What is wrong with a statement, in the words of the house.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    what: String,
    place: Option<Place>,
    hint: Option<String>,
}

/// Where in a text something stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    /// Counted from 1.
    line: usize,
    /// In characters, counted from 1.
    column: usize,
    /// The line, or the part of it around the place.
    text: String,
    /// Characters of `text` before the place.
    before: usize,
}

/// What people call a column that has another name here.
const MEANT: [(&str, &str); 25] = [
    ("username", "user_name"),
    ("actor", "user_name"),
    ("who", "user_name"),
    ("timestamp", "event_time"),
    ("time", "event_time"),
    ("ts", "event_time"),
    ("date", "event_time"),
    ("requestreceivedtimestamp", "event_time"),
    ("stagetimestamp", "stage_time"),
    ("ip", "source_ip"),
    ("address", "source_ip"),
    ("sourceip", "source_ip"),
    ("sourceips", "source_ips"),
    ("agent", "user_agent"),
    ("useragent", "user_agent"),
    ("groups", "user_groups"),
    ("code", "status_code"),
    ("status", "outcome"),
    ("ns", "namespace"),
    ("uri", "request_uri"),
    ("path", "request_uri"),
    ("requesturi", "request_uri"),
    ("auditid", "audit_id"),
    ("reason", "decision_reason"),
    ("object", "name"),
];

/// Characters of a line that are shown before and behind a place.
const EXCERPT: usize = 60;

/// Characters of a sentence of DuckDB, which can quote all of a statement.
const SENTENCE: usize = 400;

impl Problem {
    /// A problem without a place.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), place: None, hint: None }
    }

    /// Says what to do.
    pub(crate) fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Says that it stands at byte `offset` of `sql`.
    pub(crate) fn at(self, sql: &str, offset: usize) -> Self {
        Self { place: Place::of(sql, offset), ..self }
    }

    /// Reads a message of DuckDB: its kind, what is wrong, candidates, and the line with a caret under it.
    pub(crate) fn of_engine(message: &str) -> Self {
        let message = message.split_once("Error: ").map_or(message, |(_, rest)| rest);
        let mut lines = message.lines();
        let what = clean(lines.next().unwrap_or_default());
        let mut advice = Vec::new();
        let mut place = None;
        while let Some(line) = lines.next() {
            if let Some(found) = place_of_engine(line, lines.clone().next()) {
                place = Some(found);
                break;
            }
            if !line.trim().is_empty() {
                advice.push(clean(line.trim()));
            }
        }
        let hint = (!advice.is_empty()).then(|| candidates(&what, &advice).unwrap_or_else(|| advice.join("; ")));
        let is_quoted = place.as_ref().is_some_and(|place: &Place| place.text.chars().nth(place.before) == Some('"'));
        Self { what, place, hint }.advised(is_quoted)
    }

    /// The same about a condition that stands in a statement of ours, whose lines say nothing to the user.
    pub(crate) fn in_condition(self, condition: &str) -> Self {
        let place = self.named().and_then(|name| {
            let is_part =
                |character: Option<char>| character.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
            let found = condition.to_lowercase();
            let found = found.match_indices(&name.to_lowercase()).map(|(at, _)| at).find(|at| {
                let (before, behind) = (condition.get(..*at), condition.get(at + name.len()..));
                !is_part(before.and_then(|text| text.chars().next_back()))
                    && !is_part(behind.and_then(|text| text.chars().next()))
            });
            Place::of(condition, found?)
        });
        let quote = |place: &Place| place.before.checked_sub(1).and_then(|at| place.text.chars().nth(at));
        let is_quoted = place.as_ref().is_some_and(|place| quote(place) == Some('"'));
        Self { place, ..self }.advised(is_quoted)
    }

    /// The name that it is about: the first that stands in backticks.
    fn named(&self) -> Option<&str> {
        self.what.split('`').nth(1).filter(|name| !name.is_empty())
    }

    /// The same with what people mean by a name that is none here; `is_quoted` says that it stands in double quotes.
    fn advised(self, is_quoted: bool) -> Self {
        if self.what.starts_with("no function matches") && ["'<<(", "'>>("].iter().any(|of| self.what.contains(of)) {
            return self.with_hint("whether an address lies in a network tells `in_network(source_ip, '10.0.0.0/8')`");
        }
        let Some(name) = self.named() else { return self };
        let lower = name.to_lowercase();
        if self.what.starts_with("type with name") && lower == "inet" {
            return self.with_hint(
                "`--source-ip 10.0.0.0/8` filters by network, and in SQL `in_network(source_ip, '10.0.0.0/8')`",
            );
        }
        if self.what.starts_with("invalid timestamp") {
            return self.with_hint(
                "a time has its day: `'2026-11-21 20:37'`; `--since 20:37` and `--until` find it by themselves",
            );
        }
        if self.what.starts_with("syntax error") && name.parse::<IpAddr>().is_ok() {
            let hint = format!("text stands in single quotes: `'{name}'`");
            return self.with_hint(hint);
        }
        if !self.what.contains("column `") {
            return self;
        }
        let meant =
            MEANT.iter().find(|(said, _)| *said == lower).map(|(_, column)| format!("did you mean `{column}`?"));
        let text = is_quoted
            .then(|| format!("text stands in single quotes: `'{name}'`; double quotes are for names of columns"))
            .or_else(|| self.is_compared().then(|| format!("text stands in single quotes: `'{name}'`")));
        match meant.or(text) {
            Some(hint) => self.with_hint(hint),
            None => self,
        }
    }

    /// Whether something is compared with what is wrong: a value, and no name of a column.
    fn is_compared(&self) -> bool {
        let before = |place: &Place| place.text.chars().take(place.before).collect::<String>();
        let before = self.place.as_ref().map(before).unwrap_or_default().trim_end().to_lowercase();
        let is_behind = before.ends_with(['=', '<', '>']) || before.ends_with(" like") || before.ends_with(" ilike");
        // A slip in the name of a column that stands on the right.
        let near = self.hint.as_deref().and_then(|hint| hint.strip_prefix("did you mean `")?.split('`').next());
        let is_slip = near.zip(self.named()).is_some_and(|(near, name)| {
            name.chars().count() > 4 && damerau_levenshtein(&name.to_lowercase(), near) <= 2
        });
        is_behind && !is_slip
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Line and column, in characters, both counted from 1.
    pub fn position(&self) -> Option<(usize, usize)> {
        self.place.as_ref().map(|place| (place.line, place.column))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        let Some(Place { line, column, text, before }) = &self.place else { return Ok(()) };
        write!(f, " in line {line}, column {column}\n  | {text}\n  | {:before$}^", "")
    }
}

impl Place {
    fn of(sql: &str, offset: usize) -> Option<Self> {
        let (head, _) = sql.split_at_checked(offset)?;
        let begin = head.rfind('\n').map_or(0, |at| at + 1);
        let column = head[begin..].chars().count();
        let skipped = column.saturating_sub(EXCERPT);
        let line = sql[begin..].lines().next().unwrap_or_default();
        let text = line.chars().skip(skipped).take(2 * EXCERPT).map(visible).collect();
        Some(Self { line: head.matches('\n').count() + 1, column: column + 1, text, before: column - skipped })
    }
}

/// What a terminal would obey is no part of an excerpt.
fn visible(character: char) -> char {
    if character.is_control() { ' ' } else { character }
}

/// `LINE 2: SELECT usr FROM events` with a caret under it. DuckDB cuts long lines off, with dots on both sides.
fn place_of_engine(line: &str, under: Option<&str>) -> Option<Place> {
    let (number, text) = line.strip_prefix("LINE ")?.split_once(": ")?;
    let caret = under?.find('^')?;
    let before = caret.checked_sub(line.chars().count() - text.chars().count())?;
    let line = number.parse().ok()?;
    Some(Place { line, column: before + 1, text: text.chars().map(visible).collect(), before })
}

/// DuckDB's sentences as the house writes them: lower case, backticks, no full stop.
fn clean(sentence: &str) -> String {
    let mut sentence: String =
        sentence.trim().trim_end_matches(['.', '!']).chars().map(visible).take(SENTENCE).collect();
    sentence = sentence.replace('"', "`");
    let mut letters = sentence.chars();
    match (letters.next(), letters.clone().next()) {
        // `JSON` and `SELECT` stay as they are.
        (Some(first), second) if second.is_none_or(|second| !second.is_uppercase()) => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => sentence,
    }
}

/// The names that DuckDB offers instead of an unknown one, where they are like it.
fn candidates(what: &str, advice: &[String]) -> Option<String> {
    let [line] = advice else { return None };
    let list = line.strip_prefix("candidate bindings: ").or_else(|| line.strip_prefix("did you mean "))?;
    let mut names: Vec<&str> = list.trim_end_matches('?').split(", ").collect();
    if let Some(wanted) = what.split('`').nth(1).filter(|_| what.contains("column `")) {
        let distance = |name: &&str| damerau_levenshtein(wanted, name.trim_matches('`'));
        names.sort_by_key(distance);
        // Of names that share few letters none is meant; the list of columns says more.
        let most = wanted.chars().count().div_ceil(2).max(3);
        names.retain(|name| distance(name) <= most || name.contains(wanted));
        names.truncate(3);
        if names.is_empty() {
            return Some("`kforensic describe requests` lists the columns".to_owned());
        }
    }
    Some(format!("did you mean {}?", names.join(" or ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_the_engine_are_told_in_the_words_of_the_house() {
        let problem = Problem::of_engine(
            "Binder Error: Referenced column \"usr\" not found in FROM clause!\n\
             Candidate bindings: \"byte_offset\", \"user_uid\", \"user_name\"\n\nLINE 2: SELECT usr FROM events\n               ^",
        );
        assert_eq!(
            problem.to_string(),
            "referenced column `usr` not found in FROM clause in line 2, column 8\n  | SELECT usr FROM events\n  |        ^"
        );
        assert_eq!(problem.hint(), Some("`kforensic describe requests` lists the columns"));
        assert_eq!(problem.position(), Some((2, 8)));
        let problem =
            Problem::of_engine("Catalog Error: Table with name event does not exist!\nDid you mean \"events\"?");
        assert_eq!(
            (problem.to_string().as_str(), problem.hint()),
            ("table with name event does not exist", Some("did you mean `events`?"))
        );
        assert_eq!(Problem::of_engine("JSON is odd").to_string(), "JSON is odd");
    }

    #[test]
    fn a_condition_is_shown_as_it_was_written_with_what_is_meant() {
        let of = |message: &str, condition: &str| Problem::of_engine(message).in_condition(condition);
        let column = |name: &str, near: &str| {
            format!(
                "Binder Error: Referenced column \"{name}\" not found in FROM clause!\nCandidate bindings: {near}\n\nLINE 9: x\n        ^"
            )
        };
        let problem =
            of(&column("usr_name", "\"pod_name\", \"user_name\", \"level\""), "verb = 'usr_names' OR usr_name = 'bob'");
        assert_eq!(
            problem.to_string(),
            "referenced column `usr_name` not found in FROM clause in line 1, column 23\n  | verb = 'usr_names' OR usr_name = 'bob'\n  |                       ^"
        );
        assert_eq!(problem.hint(), Some("did you mean `user_name` or `pod_name`?"));
        for (name, condition, hint) in [
            ("timestamp", "timestamp > 1", "did you mean `event_time`?"),
            (
                "bob",
                "user_name = \"bob\"",
                "text stands in single quotes: `'bob'`; double quotes are for names of columns",
            ),
            ("bob", "user_name = bob", "text stands in single quotes: `'bob'`"),
            ("xyzzy", "xyzzy = 1", "`kforensic describe requests` lists the columns"),
        ] {
            assert_eq!(of(&column(name, "\"verb\""), condition).hint(), Some(hint), "{condition}");
        }
        for (message, hint) in [
            (
                "Binder Error: No function matches the given name and argument types '<<(VARCHAR, STRING_LITERAL)'.",
                "in_network(",
            ),
            ("Parser Error: syntax error at or near \"127.0.0.1\"", "`'127.0.0.1'`"),
            ("Conversion Error: invalid timestamp field format: \"20:37\", expected format is", "--since 20:37"),
        ] {
            let problem = of(message, "source_ip");
            assert!(problem.hint().is_some_and(|told| told.contains(hint)), "{problem:?}");
        }
        let problem = of(
            "Catalog Error: Type with name \"inet\" is not in the catalog, but it exists",
            "inet '10.0.0.0/8' >> ip",
        );
        assert!(problem.hint().unwrap().contains("--source-ip"), "{problem:?}");
    }

    #[test]
    fn places_count_characters_and_show_a_part_of_the_line() {
        let sql = "SELECT 1,\n  'é', x\u{1b}[31m FROM t";
        let problem = Problem::new("it is odd").at(sql, sql.find('x').unwrap());
        assert_eq!(problem.to_string(), "it is odd in line 2, column 8\n  |   'é', x [31m FROM t\n  |        ^");
        let long = format!("SELECT {}x", "a, ".repeat(1_000));
        let problem = Problem::new("it is odd").at(&long, long.len() - 1);
        assert!(problem.to_string().len() < 250, "{problem}");
        assert_eq!(Problem::new("it is odd").at("é", 1).position(), None);
    }
}
