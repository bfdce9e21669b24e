//! The header of a canned query, and the rules that header and SQL keep together.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::needs::{Declared, Need};
use super::parameter::{COMMON, OWN, Parameter, ParameterKind, Value, common};
use super::scan::scan;
use super::{Claimed, Example, Group, Problem, QueryKind, Severity, VIEW, Variant};

/// A broken rule and its line.
type Broken = (usize, Problem);

/// The keys of a header.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) title: String,
    pub(super) question: String,
    #[serde(default)]
    pub(super) group: Group,
    /// The main query that this one is a view of, and its name as such: both, or none.
    variant_of: Option<String>,
    view: Option<String>,
    /// The parameters that a value behind the query's name sets.
    pub(super) value: Option<String>,
    /// What else people call what it is about; searches find it by these.
    #[serde(default)]
    pub(super) words: Vec<String>,
    /// Queries that go on where this one ends.
    #[serde(default)]
    pub(super) further: Vec<String>,
    /// Required of the program's own queries; a query of the user's own is a question unless it says otherwise.
    pub(super) kind: Option<QueryKind>,
    pub(super) severity: Option<Severity>,
    pub(super) attack: Vec<String>,
    pub(super) resources: Option<Vec<String>>,
    pub(super) groups: Option<Vec<String>>,
    #[serde(default)]
    pub(super) refusals: bool,
    /// Of a query about addresses: by which column it tells of those that were only claimed.
    pub(super) claimed: Option<Claimed>,
    needs: Declared,
    /// What the needs do not say: versions, and what no level tells.
    pub(super) caveat: Option<String>,
    pub(super) noise: String,
    #[serde(default)]
    parameters: Vec<Declaration>,
    #[serde(default)]
    pub(super) examples: Vec<Example>,
}

impl Header {
    /// What it is a view of.
    pub(super) fn variant(&mut self) -> Result<Option<Variant>, Problem> {
        match (self.variant_of.take(), self.view.take()) {
            (None, None) => Ok(None),
            (Some(of), Some(view)) if !of.is_empty() && !view.is_empty() => Ok(Some(Variant { of, view })),
            _ => Err(Problem::Folding { key: "variant_of", rule: "stands with `view`, and neither is empty" }),
        }
    }

    /// Checks that a value behind the query's name sets parameters that there are.
    pub(super) fn check_value(&self, own: &[Parameter], used: &BTreeSet<&str>) -> Result<(), Problem> {
        let is_there = |name: &str| used.contains(name) || own.iter().any(|parameter| parameter.name == name);
        match self.value.as_ref().is_none_or(|value| value.split('/').all(is_there)) {
            true => Ok(()),
            false => Err(Problem::Folding { key: "value", rule: "names a parameter that the query does not take" }),
        }
    }

    /// The needs for machines, and all else that is said about them. A query of the user's own may say it in words alone.
    pub(super) fn needs(&mut self) -> (Vec<Need>, Option<String>) {
        let caveat = self.caveat.take();
        match std::mem::replace(&mut self.needs, Declared::List(Vec::new())) {
            Declared::List(mut needs) => {
                needs.extend(needs.iter().filter_map(Need::served_as_well).collect::<Vec<_>>());
                (needs, caveat)
            }
            Declared::Words(words) => {
                (Vec::new(), Some(caveat.map_or(words.clone(), |caveat| format!("{words}; {caveat}"))))
            }
        }
    }
}

/// A parameter as the header declares it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Declaration {
    name: Spanned<String>,
    #[serde(rename = "type")]
    kind: ParameterKind,
    meaning: String,
    default: Option<toml::Value>,
}

/// The name of the query in the file `path`; `None` when it is no name.
pub(super) fn name(path: &str) -> Option<&str> {
    let name = Path::new(path).file_name()?.to_str()?.strip_suffix(".sql")?;
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let words = name.split('-').all(|word| !word.is_empty() && word.bytes().all(letter));
    (words && name.starts_with(|first: char| first.is_ascii_lowercase())).then_some(name)
}

/// Reads the header of `text`, and the parameters it declares with their lines.
pub(super) fn parse(text: &str) -> Result<(Header, Vec<(usize, Parameter)>), Broken> {
    // Every line of the header is a line of the file, so offsets in it tell lines of the file.
    let lines = text.lines().map_while(|line| line.strip_prefix("--"));
    let toml: String = lines.flat_map(|line| [line.strip_prefix(' ').unwrap_or(line), "\n"]).collect();
    let line_of = |offset: usize| toml[..offset.min(toml.len())].matches('\n').count() + 1;
    let mut header: Header = toml::from_str(&toml).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(span.start));
        let message = error.message().to_owned();
        let is_comment = is_comment(&toml, line);
        (line, if is_comment { Problem::Comment { message } } else { Problem::Header { message } })
    })?;
    check_texts(&header).map_err(|problem| (1, problem))?;
    let mut declared: Vec<(usize, Parameter)> = Vec::new();
    for declaration in std::mem::take(&mut header.parameters) {
        let line = line_of(declaration.name.span().start);
        let name = declaration.name.get_ref().clone();
        let broken = |rule| Err((line, Problem::Declaration { name: name.clone(), rule }));
        let letters = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if !letters || !name.starts_with(|first: char| first.is_ascii_lowercase()) {
            return broken("is not named in lower case with underscores");
        }
        if name == VIEW {
            return broken("is the one that chooses among the views of a query");
        }
        if common().any(|common| common.name == name) {
            return broken("is a common one, which needs no declaration");
        }
        if declared.iter().any(|(_, other)| other.name == name) {
            return broken("is declared twice");
        }
        let default = declaration.default.map(|default| value(declaration.kind, default)).transpose();
        let Some(default) = default.ok().filter(|_| !declaration.meaning.trim().is_empty()) else {
            return broken("has a default of another type, or no meaning");
        };
        declared.push((line, Parameter { name, kind: declaration.kind, meaning: declaration.meaning, default }));
    }
    Ok((header, declared))
}

/// Whether a line of the header is no member of it, and the lines before it are all of one.
fn is_comment(toml: &str, line: usize) -> bool {
    let lines: Vec<&str> = toml.split_inclusive('\n').collect();
    let Some((line, before)) = lines.get(..line).and_then(<[_]>::split_last) else { return false };
    let is_member = line.split_once('=').is_some_and(|(key, _)| !key.trim().contains(' '));
    !is_member && toml::from_str::<Header>(&before.concat()).is_ok()
}

fn check_texts(header: &Header) -> Result<(), Problem> {
    let texts = [("title", &header.title), ("question", &header.question), ("noise", &header.noise)];
    let caveat = header.caveat.iter().map(|caveat| ("caveat", caveat));
    if let Some((key, _)) = texts.into_iter().chain(caveat).find(|(_, text)| text.trim().is_empty()) {
        return Err(Problem::Blank { key });
    }
    match &header.needs {
        Declared::Words(words) if words.trim().is_empty() => return Err(Problem::Blank { key: "needs" }),
        Declared::List(needs) if needs.is_empty() => return Err(Problem::Blank { key: "needs" }),
        Declared::Words(_) => (),
        Declared::List(needs) => {
            if let Some(rule) = needs.iter().find_map(Need::broken) {
                return Err(Problem::Need { rule });
            }
        }
    }
    if let Some(id) = header.attack.iter().find(|id| !is_technique(id)) {
        return Err(Problem::Technique { id: id.clone() });
    }
    for (key, names) in [("resources", &header.resources), ("groups", &header.groups)] {
        if names.as_ref().is_some_and(|names| names.is_empty() || names.iter().any(String::is_empty)) {
            return Err(Problem::Blank { key });
        }
    }
    Ok(())
}

fn is_technique(id: &str) -> bool {
    let number = |text: &str, digits| text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some(id) = id.strip_prefix('T') else { return false };
    match id.split_once('.') {
        Some((technique, part)) => number(technique, 4) && number(part, 3),
        None => number(id, 4),
    }
}

/// The default as a value of the kind; the toml when it is of another.
fn value(kind: ParameterKind, default: toml::Value) -> Result<Value, toml::Value> {
    let value = match default {
        toml::Value::String(text) => Value::Text(text),
        toml::Value::Integer(number) => Value::Integer(number),
        toml::Value::Boolean(truth) => Value::Boolean(truth),
        other => return Err(other),
    };
    // A time has no default: a fixed one ages, and an age would need a clock.
    if kind.takes(&value) { Ok(value) } else { Err(toml::Value::Boolean(false)) }
}

/// Checks the SQL of a file, and says which parameters it uses: all the common ones where it says `filters()`.
pub(super) fn check_sql<'a>(text: &'a str, declared: &[(usize, Parameter)]) -> Result<BTreeSet<&'a str>, Broken> {
    let found = scan(text);
    if let Some((line, what)) = found.refused.first() {
        return Err((*line, Problem::Refused { what }));
    }
    let last_line = text.lines().count().max(1);
    match found.statements.as_slice() {
        [] => return Err((last_line, Problem::Statements { found: "is none" })),
        [(_, first)] if ["SELECT", "WITH", "FROM"].iter().any(|word| first.eq_ignore_ascii_case(word)) => (),
        [(line, _)] => return Err((*line, Problem::Statements { found: "is another statement" })),
        [_, (line, _), ..] => return Err((*line, Problem::Statements { found: "begins a second statement" })),
    }
    let exists = |name: &str| {
        name == OWN
            || common().any(|common| common.name == name)
            || declared.iter().any(|(_, parameter)| parameter.name == name)
    };
    if let Some(used) = found.parameters.iter().find(|used| !exists(used.name)) {
        return Err((used.line, Problem::Undeclared { name: used.name.to_owned() }));
    }
    let filters = COMMON.iter().map(|common| common.name).filter(|_| !found.filters.is_empty());
    let own = found.not_own.iter().map(|_| OWN);
    let used: BTreeSet<&str> = found.parameters.iter().map(|used| used.name).chain(filters).chain(own).collect();
    if let Some((line, parameter)) = declared.iter().find(|(_, parameter)| !used.contains(parameter.name.as_str())) {
        let name = parameter.name.clone();
        return Err((*line, Problem::Declaration { name, rule: "is declared, but the SQL does not use it" }));
    }
    if !text.to_ascii_uppercase().contains("ORDER BY") {
        return Err((last_line, Problem::Unordered));
    }
    Ok(used)
}
