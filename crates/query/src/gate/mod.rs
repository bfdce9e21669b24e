//! The gate: which statements of a user are run.
//!
//! DuckDB's own parser reads the text, on a connection and a thread that have no case and can open no file,
//! and writes its tree down; what is not on the lists of what reads only is refused. So what passes is what
//! DuckDB will do, and not what another reader of SQL takes the text for. Nothing else may be given to
//! `prepare`, which runs all statements of a text but the last.
//!
//! The gate tells the user what is wrong. That the evidence is safe does not rest on it alone: see
//! [`crate::Session`].

mod functions;
mod parser;
mod prune;
mod text;
mod tree;
mod walk;

use thiserror::Error;

use crate::problem::Problem;
use crate::selection::Selection;
use parser::Parser;
use tree::{Id, Node, Tree, TreeError};

/// What is run, for hints.
const READ_ONLY: &str =
    "statements that read are run: SELECT, FROM, WITH, VALUES, DESCRIBE, SUMMARIZE, SHOW and EXPLAIN";

/// What stands before a condition while it is checked.
const BEFORE_CONDITION: &str = "SELECT 1 FROM requests WHERE ";

/// Why a text is not run.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{problem}")]
pub struct Refusal {
    problem: Problem,
}

impl Refusal {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<&str> {
        self.problem.hint()
    }

    /// Line and column that it is about, in characters, counted from 1.
    pub fn position(&self) -> Option<(usize, usize)> {
        self.problem.position()
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self { problem }
    }
}

/// One statement that reads, and nothing else. [`check`] alone makes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    sql: String,
    selection: Selection,
    is_explanation: bool,
    needs_protection: bool,
}

impl Statement {
    /// The text that is run.
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// The least part of a case that answers it in full: what to open a session with that is for it alone.
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    /// Whether it looks at the list of views itself, or puts names of views together.
    pub(crate) fn needs_all_views(&self) -> bool {
        const SIGNS: [&str; 7] = ["duckdb_", "information_schema", "pg_", "sqlite_", "show", "describe", "query_table"];
        let sql = self.sql.to_ascii_lowercase();
        SIGNS.iter().any(|sign| sql.contains(sign))
    }

    /// Whether it explains another statement: its answer is a text for people.
    pub fn is_explanation(&self) -> bool {
        self.is_explanation
    }

    /// Whether DuckDB makes several statements of it, so that it is run only where the kernel protects the case.
    pub(crate) fn needs_protection(&self) -> bool {
        self.needs_protection
    }
}

/// The gate, for several statements: [`check`] and [`check_condition`] start a parser each time (20 ms).
pub struct Gate {
    parser: Parser,
}

/// Lets one statement through a [`Gate`] of its own; see [`Gate::check`].
///
/// # Errors
/// As for [`Gate::check`].
///
/// # Example
/// ```
/// let statement = kforensic_query::gate::check("FROM requests SELECT verb LIMIT 3").unwrap();
/// assert_eq!(statement.sql(), "FROM requests SELECT verb LIMIT 3");
/// let refusal = kforensic_query::gate::check("COPY requests TO 'x.csv'").unwrap_err();
/// assert_eq!(refusal.to_string(), "`COPY` is refused");
/// ```
pub fn check(sql: &str) -> Result<Statement, Refusal> {
    Gate::new()?.check(sql)
}

/// Lets one condition through a [`Gate`] of its own; see [`Gate::check_condition`].
///
/// # Errors
/// As for [`Gate::check_condition`].
pub fn check_condition(condition: &str) -> Result<(), Refusal> {
    Gate::new()?.check_condition(condition)
}

impl Gate {
    /// Starts the parser.
    ///
    /// # Errors
    /// When DuckDB cannot be started.
    pub fn new() -> Result<Self, Refusal> {
        Ok(Self { parser: Parser::start()? })
    }

    /// Lets a statement through that only reads, with `EXPLAIN` or `EXPLAIN ANALYZE` before it or not.
    ///
    /// # Errors
    /// What is refused or wrong, where it stands, and what to do about it. Names are not looked up here.
    pub fn check(&self, sql: &str) -> Result<Statement, Refusal> {
        text::check(sql)?;
        let explain = text::explain(sql)?;
        let is_explanation = explain.is_some();
        let (read, run) = match explain {
            Some(explain) => (explain.statement, explain.explained),
            None => (sql.to_owned(), sql.to_owned()),
        };
        let refused = match self.one_statement("", &read) {
            Ok(tree) => return statement(&tree, &read, run, is_explanation, false),
            Err(refused) => refused,
        };
        // Places in messages are those of the text without lists, whatever is wrong with the one with them.
        let with_lists = text::pivot_with_lists(&read).and_then(|sql| Some((self.one_statement("", &sql).ok()?, sql)));
        match with_lists {
            Some((tree, sql)) => statement(&tree, &sql, run, is_explanation, true),
            None => Err(refused.into()),
        }
    }

    /// Lets one condition on the columns of `requests` through, such as `verb = 'get' AND name LIKE 'db-%'`.
    ///
    /// # Errors
    /// What is refused or wrong. A text that is no condition by itself is refused, however it is completed by
    /// what stands around it: pasted between brackets and line ends it means what it means alone.
    pub fn check_condition(&self, condition: &str) -> Result<(), Refusal> {
        text::check(condition)?;
        let not_a_condition = || {
            let problem = Problem::new("this is not one condition");
            Refusal::from(problem.with_hint("write one, as in `verb = 'get' AND name LIKE 'db-%'`"))
        };
        if condition.trim().is_empty() {
            return Err(not_a_condition());
        }
        // Alone first, so that places in messages are those in the user's text.
        let alone = self.one_statement(BEFORE_CONDITION, condition)?;
        let before = format!("{BEFORE_CONDITION}(\n");
        let bracketed = self.one_statement("", &format!("{before}{condition}\n)"));
        let bracketed = bracketed.map_err(|_| not_a_condition())?;
        let clauses = [&alone, &bracketed].map(|tree| where_alone(tree).map(|clause| shape(tree, clause)));
        match clauses {
            [Some(alone), Some(bracketed)] if alone == bracketed => {}
            _ => return Err(not_a_condition()),
        }
        walk::walk_behind(&bracketed, Tree::ROOT, before.len(), condition)?;
        Ok(())
    }

    /// The tree of `sql` behind another text, which places in messages leave out, when that is one statement.
    fn one_statement(&self, before: &str, sql: &str) -> Result<Tree, Problem> {
        let json = self.parser.parse(&format!("{before}{sql}"))?;
        let tree = Tree::read(&json).map_err(|error| match error {
            TreeError::TooDeep => text::too_deep(),
            TreeError::Malformed => Problem::new("the statement cannot be read back from the parser"),
        })?;
        if tree.is_true(Tree::ROOT, "error") {
            return Err(parse_error(&tree, before, sql));
        }
        match tree.list(Tree::ROOT, "statements") {
            [_] => Ok(tree),
            [] => Err(Problem::new("there is no statement")),
            [_, second, ..] => Err(Problem::new("several statements are refused")
                .with_hint(
                    "run one at a time; parts of one are named with `WITH name AS (SELECT …) SELECT … FROM name`",
                )
                .in_part(&tree, *second, sql)),
        }
    }
}

/// The statement of a tree, of whose nodes each is known to be harmless.
fn statement(
    tree: &Tree,
    read: &str,
    sql: String,
    is_explanation: bool,
    needs_protection: bool,
) -> Result<Statement, Refusal> {
    walk::walk(tree, Tree::ROOT, read)?;
    Ok(Statement { sql, selection: prune::selection(tree), is_explanation, needs_protection })
}

impl Problem {
    /// Says that it is about the part of `sql` that a node stands for.
    fn in_part(self, tree: &Tree, id: Id, sql: &str) -> Self {
        match walk::offset(tree, id, 0, sql) {
            Some(offset) => self.at(sql, offset),
            None => self,
        }
    }
}

/// What the parser says, or the serialiser about what is no SELECT.
fn parse_error(tree: &Tree, before: &str, sql: &str) -> Problem {
    let message = tree.text(Tree::ROOT, "error_message").unwrap_or_default();
    if message.starts_with("Max expression depth") {
        return text::too_deep();
    }
    if message.starts_with("Only SELECT statements") {
        return match text::first_word(sql).as_str() {
            "SELECT" | "FROM" | "WITH" | "VALUES" | "" => {
                Problem::new("several statements are refused").with_hint(READ_ONLY)
            }
            word => Problem::new(format!("`{word}` is refused")).with_hint(READ_ONLY),
        };
    }
    let problem = Problem::of_engine(message);
    let position = tree.text(Tree::ROOT, "position").and_then(|position| position.parse::<usize>().ok());
    match position.and_then(|position| position.checked_sub(before.len())) {
        Some(offset) => problem.at(sql, offset.min(sql.len())),
        None => problem,
    }
}

/// The WHERE clause of a statement that has nothing but that, on one table.
fn where_alone(tree: &Tree) -> Option<Id> {
    let [statement] = tree.list(Tree::ROOT, "statements") else { return None };
    let node = tree.get(*statement, "node")?;
    let plain = tree.text(node, "type") == Some("SELECT_NODE")
        && ["modifiers", "group_expressions", "group_sets"].iter().all(|key| tree.list(node, key).is_empty())
        && ["having", "sample", "qualify"].iter().all(|key| tree.get(node, key).is_none())
        && tree.get(node, "cte_map").is_some_and(|map| tree.list(map, "map").is_empty());
    let [constant] = tree.list(node, "select_list") else { return None };
    let table = tree.get(node, "from_table")?;
    let known = tree.text(*constant, "class") == Some("CONSTANT")
        && tree.text(table, "type") == Some("BASE_TABLE")
        && tree.text(table, "table_name") == Some("requests")
        && tree.text(table, "alias") == Some("")
        && tree.get(table, "sample").is_none();
    if plain && known { tree.get(node, "where_clause") } else { None }
}

/// What a tree means: the same for two that differ in nothing but where they stand.
fn shape(tree: &Tree, root: Id) -> Vec<String> {
    let mut shape = Vec::new();
    let mut stack = vec![(String::new(), root)];
    while let Some((key, id)) = stack.pop() {
        let value = match tree.node(id) {
            Node::Object(members) => {
                let told = members.iter().filter(|(name, _)| !name.starts_with("query_location"));
                stack.extend(told.map(|(name, id)| (name.clone(), *id)));
                format!("object of {}", members.len())
            }
            Node::List(items) => {
                stack.extend(items.iter().map(|id| (String::new(), *id)));
                format!("list of {}", items.len())
            }
            value => format!("{value:?}"),
        };
        shape.push(format!("{key}: {value}"));
    }
    shape
}

#[cfg(test)]
mod tests;
