//! The catalogue of canned queries: one `.sql` file each, header and one SELECT.
//!
//! A file that breaks a rule is an error that names file and line, never a query that is left out.

mod header;
mod needs;
mod outline;
pub(crate) mod own_count;
pub(crate) mod own_mark;
mod parameter;
mod parameters;
mod problem;
mod rating;
mod scan;
mod selecting;
pub(crate) mod statement;

use std::fs;
use std::path::Path;

use crate::embedded;
use crate::error::QueryError;
use crate::gate;
use crate::kinds;
use crate::reach;

pub use needs::{Level, Need, Stage};
pub use parameter::{OUTCOMES, Parameter, ParameterKind, Value, ValueError, common};
pub use parameters::Parameters;
pub use problem::{CatalogueError, FolderError, Problem, UnknownQuery};
pub use rating::{Claimed, Group, QueryKind, Severity};

pub(crate) use parameter::{COMMON, OWN, Test, nearest};
pub(crate) use scan::scan;

/// The parameter that chooses a [`Variant`] of a query: `-p view=suspicious`.
pub const VIEW: &str = "view";

/// That a query is another view of what a main query is about: lists show it with that one.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Variant {
    /// The main query.
    pub of: String,
    /// The value of [`VIEW`] that chooses it; its own name still does as well.
    pub view: String,
}

/// A canned query. As JSON it is what programs get of the catalogue: a new member is there by itself.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct CannedQuery {
    /// Name on the command line: the file's name without `.sql`.
    pub name: String,
    /// What it is called in a list.
    pub title: String,
    /// The question it answers, as an analyst asks it.
    pub question: String,
    /// What it is about.
    pub group: Group,
    /// The main query that it is a view of; `None` when it is a main query itself.
    pub variant: Option<Variant>,
    /// The parameters that a value behind its name sets, with `/` between them: `actor`, `resource/namespace/name`.
    pub value: Option<String>,
    /// What else people call what it is about; searches find it by these.
    pub words: Vec<String>,
    /// Queries that go on where this one ends, by name.
    pub further: Vec<String>,
    /// Whether it is an account or a detection.
    pub kind: QueryKind,
    /// How bad a row is when it is what it looks like.
    pub severity: Severity,
    /// Ids of the MITRE ATT&CK techniques it bears on.
    pub attack: Vec<String>,
    /// Resources it reads; only files of their partitions are opened. `None` means all.
    pub resources: Option<Vec<String>>,
    /// API groups it reads; only files that may hold events on their resources are opened. `None` means all.
    pub groups: Option<Vec<String>>,
    /// It reads requests that were refused, or failed to authenticate, alone; only files that may hold some are opened.
    pub refusals: bool,
    /// It reads more than its filters select, such as what came before a window: all files are opened. Derived from the
    /// SQL, not declared.
    pub whole_case: bool,
    /// Where its rows tell of claimed addresses; `None` when it is not about addresses.
    pub claimed: Option<Claimed>,
    /// What the audit policy must have recorded for the answer to be complete; empty when the query says it in words.
    pub needs: Vec<Need>,
    /// What the needs cannot say, in words.
    pub caveat: Option<String>,
    /// Benign sources of rows.
    pub noise: String,
    /// Logs and arguments with the number of rows they give; the tests run them.
    pub examples: Vec<Example>,
    /// The parameters that it takes: common ones first, then its own.
    pub parameters: Vec<Parameter>,
    /// The whole file, header included.
    #[serde(skip)]
    pub sql: String,
}

/// A run of a query whose result is known.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Folder of the log.
    pub log: String,
    /// Options on the command line.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// Rows of the result.
    pub rows: u64,
}

/// All canned queries.
#[derive(Debug, Clone)]
pub struct Catalogue {
    queries: Vec<CannedQuery>,
}

impl Catalogue {
    /// The queries that are built into the program.
    ///
    /// # Errors
    /// The first rule that a file breaks. The tests walk the same files, so a built program has none.
    pub fn embedded() -> Result<Self, CatalogueError> {
        let mut catalogue = Self { queries: Vec::new() };
        for file in embedded::QUERIES {
            let query = CannedQuery::parse(file.path, file.text)?;
            query.check_shipped().map_err(|problem| CatalogueError { path: file.path.to_owned(), line: 1, problem })?;
            catalogue.queries.push(query);
        }
        catalogue.sort();
        for query in &catalogue.queries {
            let at = |rule| CatalogueError {
                path: format!("queries/{}.sql", query.name),
                line: 1,
                problem: Problem::Folding { key: "variant_of", rule },
            };
            catalogue.check_folding(query).map_err(at)?;
        }
        Ok(catalogue)
    }

    /// Checks that a view belongs to a main query of its group, and that its name is its own.
    fn check_folding(&self, query: &CannedQuery) -> Result<(), &'static str> {
        if query.further.iter().any(|name| *name == query.name || self.find(name).is_err()) {
            return Err("or `further` names no other query");
        }
        let Some(variant) = &query.variant else { return Ok(()) };
        let main = self.queries.iter().find(|main| main.name == variant.of).ok_or("names no query")?;
        if main.variant.is_some() || main.group != query.group {
            return Err("names a query that is a view itself, or of another group");
        }
        match self.variants(main).filter(|other| other.variant.as_ref() == Some(variant)).count() {
            1 => Ok(()),
            _ => Err("has the same `view` as another"),
        }
    }

    /// Adds the queries of a folder: every file in it that ends in `.sql`. They need no examples.
    ///
    /// # Errors
    /// When the folder or a file cannot be read, when none is a query, or when one breaks a rule or has the name of
    /// another. A query that is left out without a word would be an answer that is missing.
    pub fn add_folder(&mut self, folder: &Path) -> Result<(), FolderError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| FolderError::Read { path, source }
        };
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(failed(folder))? {
            paths.push(entry.map_err(failed(folder))?.path());
        }
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
        paths.sort_unstable();
        if paths.is_empty() {
            return Err(FolderError::Empty { path: folder.to_owned() });
        }
        for path in paths {
            let text = fs::read_to_string(&path).map_err(failed(&path))?;
            let query = CannedQuery { group: Group::Own, ..CannedQuery::parse(&path.to_string_lossy(), &text)? };
            if self.queries.iter().any(|other| other.name == query.name) {
                return Err(FolderError::Taken { path });
            }
            // Values are bound and a condition has a gate of its own, so this is what will run.
            if let Err(source) = gate::check(&query.shown_sql(&Parameters::new())) {
                return Err(FolderError::Refused { path, source });
            }
            self.queries.push(query);
        }
        self.sort();
        Ok(())
    }

    fn sort(&mut self) {
        self.queries.sort_by(|left, right| (left.group, &left.name).cmp(&(right.group, &right.name)));
    }

    /// The query called `name`.
    ///
    /// # Errors
    /// When there is none; the error lists names like it.
    pub fn find(&self, name: &str) -> Result<&CannedQuery, UnknownQuery> {
        let found = self.queries.iter().find(|query| query.name == name);
        found.ok_or_else(|| {
            let near = nearest(name, self.queries.iter().map(|query| query.name.as_str()));
            let mut about: Vec<String> = self.about(name).into_iter().map(|query| query.name.clone()).collect();
            // Those that are called so come first.
            about.sort_by_key(|other| (!other.starts_with(name), !other.contains(name)));
            UnknownQuery { name: name.to_owned(), near, about }
        })
    }

    /// The queries about some words, by group and name: about all of them, or where none is, about the most of them.
    pub fn about(&self, words: &str) -> Vec<&CannedQuery> {
        let most = self.iter().map(|query| query.relevance(words)).max().unwrap_or(0);
        self.iter().filter(|query| most > 0 && query.relevance(words) == most).collect()
    }

    /// The view of a main query that is chosen among `parameters`, which is then taken out; else the query itself.
    ///
    /// # Errors
    /// When the query has no such view; the error lists those that it has.
    pub fn viewed<'a>(
        &'a self,
        main: &'a CannedQuery,
        parameters: &mut Vec<(String, String)>,
    ) -> Result<&'a CannedQuery, QueryError> {
        let Some(at) = parameters.iter().position(|(name, _)| name == VIEW) else { return Ok(main) };
        let views = || self.variants(main).filter_map(|query| Some((query.variant.as_ref()?.view.as_str(), query)));
        let (_, wanted) = &parameters[at];
        let Some((_, query)) = views().find(|(view, _)| view == wanted) else {
            let views = views().map(|(view, _)| view.to_owned()).collect();
            return Err(QueryError::UnknownView { query: main.name.clone(), view: wanted.clone(), views });
        };
        parameters.remove(at);
        Ok(query)
    }

    /// The other views of a main query, by name.
    pub fn variants<'a>(&'a self, main: &'a CannedQuery) -> impl Iterator<Item = &'a CannedQuery> {
        self.iter().filter(|query| query.variant.as_ref().is_some_and(|variant| variant.of == main.name))
    }

    /// All queries, by group and name.
    pub fn iter(&self) -> impl Iterator<Item = &CannedQuery> {
        self.queries.iter()
    }
}

/// API groups, and those that serve their objects as well.
fn with_served_as_well(groups: Vec<String>) -> Vec<String> {
    let others: Vec<_> = groups.iter().filter_map(|group| kinds::served_as_well(group)).map(str::to_owned).collect();
    groups.into_iter().chain(others).collect()
}

impl CannedQuery {
    /// Reads a canned query from the text of the file `path`.
    ///
    /// # Errors
    /// The first rule that it breaks, with its line.
    pub fn parse(path: &str, text: &str) -> Result<Self, CatalogueError> {
        let at = |(line, problem)| CatalogueError { path: path.to_owned(), line, problem };
        let name = header::name(path).ok_or_else(|| at((1, Problem::Name)))?;
        let (mut header, declared) = header::parse(text).map_err(at)?;
        let (needs, caveat) = header.needs();
        let variant = header.variant().map_err(|problem| at((1, problem)))?;
        let used = header::check_sql(text, &declared).map_err(at)?;
        let mut own: Vec<Parameter> = declared.into_iter().map(|(_, parameter)| parameter).collect();
        header.check_value(&own, &used).map_err(|problem| at((1, problem)))?;
        if used.contains(OWN) && !own.iter().any(|parameter| parameter.name == OWN) {
            own.push(parameter::own());
        }
        Ok(Self {
            name: name.to_owned(),
            title: header.title,
            question: header.question,
            group: header.group,
            variant,
            value: header.value,
            words: header.words,
            further: header.further,
            kind: header.kind.unwrap_or_default(),
            severity: header.severity.unwrap_or_default(),
            attack: header.attack,
            resources: header.resources.map(kinds::expanded),
            groups: header.groups.map(with_served_as_well),
            refusals: header.refusals,
            whole_case: reach::reaches_beyond(text),
            claimed: header.claimed,
            needs,
            caveat,
            noise: header.noise,
            examples: header.examples,
            parameters: common().filter(|common| used.contains(&common.name.as_str())).chain(own).collect(),
            sql: text.to_owned(),
        })
    }

    /// Whether it is one of those that are built into the program, and not a user's.
    pub(crate) fn is_built_in(&self) -> bool {
        embedded::QUERIES.iter().any(|file| file.text == self.sql)
    }

    /// Whether its answer leaves out the cluster's own work.
    pub fn leaves_out_own_work(&self, parameters: &Parameters) -> bool {
        let default = || self.parameter(OWN).and_then(|parameter| parameter.default.as_ref());
        parameters.get(OWN).or_else(default) == Some(&Value::Boolean(false))
    }

    /// Whether one run tells how many rows of the cluster's own work it left out.
    pub fn counts_own_work(&self, parameters: &Parameters) -> bool {
        own_mark::marked(self, parameters).is_some()
    }

    /// Whether each of its rows is of one request, whose id it ends its order by.
    pub fn lists_requests(&self) -> bool {
        self.sql.rsplit("ORDER BY").next().is_some_and(|order| order.contains("audit_id"))
    }

    /// The parameter called `name`.
    ///
    /// # Errors
    /// When the query has none of that name; the error lists names like it.
    pub fn declared(&self, name: &str) -> Result<&Parameter, QueryError> {
        self.parameter(name).ok_or_else(|| {
            let near = nearest(name, self.parameters.iter().map(|parameter| parameter.name.as_str()));
            QueryError::UnknownParameter { query: self.name.clone(), name: name.to_owned(), near }
        })
    }

    /// The parameters that a value behind the query's name sets, as names and texts: the last part of the value is the
    /// last parameter, and a value of fewer parts leaves out those in the middle (`clusterroles/admin` has no namespace).
    ///
    /// # Errors
    /// When the query takes no value, or one of fewer parts.
    pub fn named(&self, value: &str) -> Result<Vec<(&str, String)>, QueryError> {
        let wrong =
            || QueryError::NoValue { query: self.name.clone(), value: value.to_owned(), takes: self.value.clone() };
        let pattern: Vec<&str> = self.value.as_deref().ok_or_else(wrong)?.split('/').collect();
        let [.., last] = pattern.as_slice() else { return Err(wrong()) };
        if pattern.len() == 1 {
            return Ok(vec![(last, value.to_owned())]);
        }
        let parts: Vec<&str> = value.split('/').collect();
        if parts.len() > pattern.len() || parts.iter().any(|part| part.is_empty()) {
            return Err(wrong());
        }
        let (end, begin) = parts.split_last().ok_or_else(wrong)?;
        let begin = pattern.iter().zip(begin).map(|(name, part)| (*name, (*part).to_owned()));
        Ok(begin.chain([(*last, (*end).to_owned())]).collect())
    }

    /// The statement that runs with these values, in SQL that can be run as it is.
    pub fn shown_sql(&self, parameters: &Parameters) -> String {
        statement::shown(self, parameters)
    }

    /// Whether its rows are requests that may have read secrets, lists and watches among them.
    pub(crate) fn is_about_secrets_read(&self) -> bool {
        let is_about = |need: &Need| need.is_about("", Some("secrets"), "", "list") && need.resource.len() == 1;
        !self.needs.is_empty() && self.needs.iter().all(is_about)
    }

    /// The verbs of requests that its filter `name` or `namespace` keeps although they name none, because they are about all of
    /// them.
    pub(crate) fn covering_verbs(&self, filter: &str) -> Vec<&'static str> {
        let mut verbs = if self.is_about_secrets_read() { vec!["list", "watch"] } else { Vec::new() };
        // All objects of a kind go by their namespace: a request without one is about what is in none.
        if filter == "name" && self.asks_who_deleted() {
            verbs.push("deletecollection");
        }
        verbs
    }

    /// Whether it asks what became of objects, deletions among it. Detections show what they find, whatever it took with it.
    fn asks_who_deleted(&self) -> bool {
        let says = |need: &Need| need.verbs.iter().any(|verb| verb == "deletecollection");
        self.kind == QueryKind::Question && self.needs.iter().any(says)
    }

    /// What must have been recorded, in words.
    pub fn needs_in_words(&self) -> String {
        let needs = self.needs.iter().filter(|need| !need.only_where_used).map(Need::to_string);
        needs.chain(self.caveat.clone()).collect::<Vec<_>>().join("; ")
    }

    /// What only the program's own queries must have: examples that find and that do not, and all the filters.
    fn check_shipped(&self) -> Result<(), Problem> {
        if !self.examples.iter().any(|example| example.rows > 0) {
            return Err(Problem::Examples { missing: "rows" });
        }
        if !self.examples.iter().any(|example| example.rows == 0) {
            return Err(Problem::Examples { missing: "`rows = 0`" });
        }
        if self.group == Group::Own {
            return Err(Problem::Blank { key: "group" });
        }
        // The header was read already, so that a key can only stand at the beginning of a line.
        let says = |key: &str| self.sql.lines().any(|line| line.starts_with(key));
        if !says("-- kind = ") || !says("-- severity = ") {
            return Err(Problem::Unrated);
        }
        if COMMON.iter().any(|common| self.parameter(common.name).is_none()) {
            return Err(Problem::Unfiltered);
        }
        match self.needs.is_empty() {
            true => Err(Problem::Need { rule: "is said in words alone, from which no verdict comes" }),
            false => Ok(()),
        }
    }

    /// How many of these words it is about: its name, title, question, techniques, resources or other words hold one, or one
    /// is its group, kind or severity. Endings of English make no difference, and words that stand in every question do not
    /// count.
    fn relevance(&self, words: &str) -> usize {
        let texts = [&self.name, &self.title, &self.question].into_iter().chain(&self.attack).chain(&self.words);
        let texts: Vec<String> = texts.chain(self.resources.iter().flatten()).map(|text| text.to_lowercase()).collect();
        let is = |word: &str| [self.group.name(), self.kind.name(), self.severity.name()].contains(&word);
        // `ransomware` is about `ransom`.
        let is_longer =
            |word: &str| self.words.iter().any(|known| known.len() >= 5 && word.starts_with(known.as_str()));
        let holds = |word: &str| texts.iter().any(|text| text.contains(word)) || is_longer(word);
        let words = words.to_lowercase();
        let asked = words.split(|letter: char| letter.is_whitespace() || ",?".contains(letter));
        let asked = asked.filter(|word| !word.is_empty() && !STOP_WORDS.contains(word));
        asked.filter(|word| [*word, stem(word)].into_iter().any(|word| is(word) || holds(word))).count()
    }

    /// The parameter called `name`, when the query uses it.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }
}

/// Words that stand in every question.
const STOP_WORDS: [&str; 22] = [
    "a", "an", "and", "by", "did", "do", "does", "for", "from", "in", "is", "me", "my", "of", "on", "the", "this",
    "to", "was", "were", "when", "which",
];

/// A word without the ending that makes it many, or past.
fn stem(word: &str) -> &str {
    let long = |stem: &&str| stem.len() >= 4;
    ["ing", "es", "ed", "s", "d"].iter().find_map(|end| word.strip_suffix(end).filter(long)).unwrap_or(word)
}

#[cfg(test)]
mod tests;
