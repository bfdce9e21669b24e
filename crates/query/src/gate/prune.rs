//! The least part of a case that answers a statement: what its WHERE clauses say about time and resource.
//!
//! A file is left out only when no row of it could pass: every place at which the statement reads events must
//! stand alone in its FROM clause, and say by itself which times or resources it is after. In doubt nothing is
//! left out.

use chrono::{NaiveDate, NaiveDateTime};

use super::tree::{Id, Node, Tree};
use crate::selection::Selection;
use crate::views::{self, OF_ONE_REQUEST};

/// Columns by whose value files are told apart.
const NAMES: [&str; 2] = ["resource", "api_group"];

/// Views that are not made of events.
const WITHOUT_EVENTS: [&str; 3] = ["rejects", "sources", "ledger"];

/// Schemas that describe the engine.
const DESCRIPTIONS: [&str; 2] = ["information_schema", "pg_catalog"];

/// The least selection that answers the statement of `tree`.
pub(super) fn selection(tree: &Tree) -> Selection {
    let mut restrictions = Vec::new();
    let mut restricted = Vec::new();
    for id in tree.below(Tree::ROOT) {
        if let Some((table, restriction)) = restricted_table(tree, id) {
            restricted.push(table);
            restrictions.push(restriction);
        }
    }
    let is_known = tree.below(Tree::ROOT).all(|id| restricted.contains(&id) || !may_read_events(tree, id));
    match restrictions.into_iter().reduce(Selection::union) {
        Some(selection) if is_known => selection,
        _ => Selection::default(),
    }
}

/// The table of a SELECT that reads one view which passes time and resource on, and what it wants of it.
fn restricted_table(tree: &Tree, id: Id) -> Option<(Id, Selection)> {
    if tree.text(id, "type") != Some("SELECT_NODE") || tree.get(id, "sample").is_some() {
        return None;
    }
    let table = tree.get(id, "from_table").filter(|table| tree.text(*table, "type") == Some("BASE_TABLE"))?;
    let plain = ["sample", "at_clause"].iter().all(|key| tree.get(table, key).is_none())
        && tree.list(table, "column_name_alias").is_empty()
        && tree.list(id, "select_list").iter().all(|id| !hides_a_column(tree, *id));
    let name = tree.text(table, "table_name").filter(|name| plain && is_one_of(name, &OF_ONE_REQUEST))?;
    let alias = tree.text(table, "alias").filter(|alias| !alias.is_empty()).unwrap_or(name);
    let mut selection = Selection::default();
    let mut stack: Vec<Id> = tree.get(id, "where_clause").into_iter().collect();
    while let Some(id) = stack.pop() {
        match tree.text(id, "type") {
            Some("CONJUNCTION_AND") => stack.extend(tree.list(id, "children")),
            _ => selection = selection.intersection(Clause { tree, alias }.restriction(id).unwrap_or_default()),
        }
    }
    Some((table, selection))
}

/// Whether a result is called like one of the columns, which a condition might then mean.
fn hides_a_column(tree: &Tree, id: Id) -> bool {
    let alias = tree.text(id, "alias").unwrap_or_default();
    is_one_of(alias, &["event_time", "resource", "api_group"])
}

/// Whether a node reads rows that come from events, or could.
fn may_read_events(tree: &Tree, id: Id) -> bool {
    if tree.text(id, "class") == Some("FUNCTION") {
        return tree.text(id, "function_name").is_some_and(views::is_macro_that_reads);
    }
    match tree.text(id, "type") {
        // A name that the statement gives itself stands for what is looked at where it is defined. Were it one
        // of ours as well, `events` could mean either.
        Some("BASE_TABLE") => {
            let name = tree.text(id, "table_name").unwrap_or_default();
            let schema = tree.text(id, "schema_name").unwrap_or_default();
            let own = views::is_defined(name) || is_one_of(name, &OF_ONE_REQUEST);
            !is_one_of(name, &WITHOUT_EVENTS) && !is_one_of(schema, &DESCRIPTIONS) && (own || !is_named(tree, name))
        }
        Some("TABLE_FUNCTION") => {
            let function = tree.get(id, "function").and_then(|id| tree.text(id, "function_name"));
            function
                .is_none_or(|name| super::functions::table_function(name) != Some(super::functions::Arguments::Values))
        }
        Some("SHOW_REF") => tree.get(id, "query").is_none(),
        _ => is_named_as_ours(tree, id),
    }
}

/// Whether the statement names a part of itself so.
fn is_named(tree: &Tree, name: &str) -> bool {
    named(tree).any(|id| tree.text(id, "key").is_some_and(|key| key.eq_ignore_ascii_case(name)))
}

/// Whether a node gives a part of the statement the name of one of our views.
fn is_named_as_ours(tree: &Tree, id: Id) -> bool {
    let name = tree.text(id, "key").filter(|_| tree.get(id, "value").is_some());
    name.is_some_and(|name| {
        views::is_defined(name) || is_one_of(name, &OF_ONE_REQUEST) || is_one_of(name, &WITHOUT_EVENTS)
    })
}

fn named(tree: &Tree) -> impl Iterator<Item = Id> + '_ {
    tree.below(Tree::ROOT)
        .filter(|id| tree.get(*id, "value").is_some_and(|value| tree.get(value, "query_node").is_some()))
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// A part of the WHERE clause of a SELECT from one table, which is called `alias` there.
struct Clause<'a> {
    tree: &'a Tree,
    alias: &'a str,
}

impl Clause<'_> {
    /// What the condition `id` wants; `None` when it says nothing, or nothing that is understood.
    fn restriction(&self, id: Id) -> Option<Selection> {
        let tree = self.tree;
        let all = Selection::default();
        match (tree.text(id, "class")?, tree.text(id, "type")?) {
            ("COMPARISON", comparison) => {
                let (left, right) = (tree.get(id, "left")?, tree.get(id, "right")?);
                if comparison == "COMPARE_EQUAL" && self.is_name(left) {
                    return self.names(left, vec![self.string(right)?]);
                }
                if self.is_column(left, "event_time") {
                    return times(comparison, self.instant(right)?);
                }
                if self.is_column(right, "event_time") {
                    return times(mirrored(comparison), self.instant(left)?);
                }
                None
            }
            ("BETWEEN", "COMPARE_BETWEEN") if self.is_column(tree.get(id, "input")?, "event_time") => {
                let since = self.instant(tree.get(id, "lower")?)?;
                let until = self.instant(tree.get(id, "upper")?)?.checked_add(1)?;
                Some(Selection { since: Some(since), until: Some(until), ..all })
            }
            ("OPERATOR", "COMPARE_IN") => {
                let [column, values @ ..] = tree.list(id, "children") else { return None };
                if !self.is_name(*column) {
                    return None;
                }
                self.names(*column, values.iter().map(|value| self.string(*value)).collect::<Option<_>>()?)
            }
            _ => None,
        }
    }

    /// Whether it is a column by whose value files are told apart.
    fn is_name(&self, id: Id) -> bool {
        NAMES.iter().any(|name| self.is_column(id, name))
    }

    /// What has one of these values in such a column.
    fn names(&self, column: Id, values: Vec<String>) -> Option<Selection> {
        match self.is_column(column, "resource") {
            true => Some(Selection { resources: Some(values), ..Selection::default() }),
            false => Some(Selection { groups: Some(values), ..Selection::default() }),
        }
    }

    /// Whether it is that column of the one table, and not of a query around this one.
    fn is_column(&self, id: Id, name: &str) -> bool {
        if self.tree.text(id, "class") != Some("COLUMN_REF") {
            return false;
        }
        let names: Vec<&Node> = self.tree.list(id, "column_names").iter().map(|id| self.tree.node(*id)).collect();
        match names.as_slice() {
            [Node::Text(column)] => column.eq_ignore_ascii_case(name),
            [Node::Text(table), Node::Text(column)] => {
                table.eq_ignore_ascii_case(self.alias) && column.eq_ignore_ascii_case(name)
            }
            _ => false,
        }
    }

    fn string(&self, id: Id) -> Option<String> {
        let literal = self.tree.get(id, "literal").filter(|_| self.tree.text(id, "class") == Some("CONSTANT"))?;
        let text = self.tree.text(literal, "text").filter(|_| self.tree.text(literal, "kind") == Some("STRING"))?;
        Some(text.to_owned())
    }

    /// An instant that is written down, with or without its type before it, in microseconds since 1970.
    fn instant(&self, id: Id) -> Option<i64> {
        let text = match self.tree.text(id, "class")? {
            "CONSTANT" => self.string(id)?,
            "CAST" => {
                let kind = self.tree.text(self.tree.get(id, "type_expr")?, "type_name")?;
                let text = self.string(self.tree.get(id, "child")?)?;
                // A date has no time; `DATE '2026-11-21 10:00'` is midnight.
                let fits =
                    kind.eq_ignore_ascii_case("TIMESTAMP") || (kind.eq_ignore_ascii_case("DATE") && text.len() == 10);
                fits.then_some(text)?
            }
            _ => return None,
        };
        instant(&text)
    }
}

/// Forms that DuckDB reads as we do. It drops what follows as a time zone without a word.
fn instant(text: &str) -> Option<i64> {
    const LENGTH_OF_DATE: usize = 10;
    if text.len() == LENGTH_OF_DATE {
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        return Some(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_micros());
    }
    let plain = text.get(..19)?;
    let fraction = text.get(19..)?.strip_suffix('Z').unwrap_or(text.get(19..)?);
    let is_fraction = fraction.is_empty()
        || fraction.strip_prefix('.').is_some_and(|digits| {
            (1..=6).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit())
        });
    // DuckDB reads the second 60 as an error, chrono as a leap second.
    if !is_fraction || plain.ends_with("60") {
        return None;
    }
    let text = format!("{plain}{fraction}").replace('T', " ");
    Some(NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S%.f").ok()?.and_utc().timestamp_micros())
}

fn mirrored(comparison: &str) -> &str {
    match comparison {
        "COMPARE_LESSTHAN" => "COMPARE_GREATERTHAN",
        "COMPARE_GREATERTHAN" => "COMPARE_LESSTHAN",
        "COMPARE_LESSTHANOREQUALTO" => "COMPARE_GREATERTHANOREQUALTO",
        "COMPARE_GREATERTHANOREQUALTO" => "COMPARE_LESSTHANOREQUALTO",
        other => other,
    }
}

/// A window that holds all times that compare so, and maybe one more.
fn times(comparison: &str, instant: i64) -> Option<Selection> {
    let (since, until) = match comparison {
        "COMPARE_EQUAL" => (Some(instant), Some(instant.checked_add(1)?)),
        "COMPARE_GREATERTHAN" | "COMPARE_GREATERTHANOREQUALTO" => (Some(instant), None),
        "COMPARE_LESSTHAN" => (None, Some(instant)),
        "COMPARE_LESSTHANOREQUALTO" => (None, Some(instant.checked_add(1)?)),
        _ => return None,
    };
    Some(Selection { since, until, ..Selection::default() })
}

#[cfg(test)]
mod tests;
