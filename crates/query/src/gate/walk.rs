//! Looks at every node of a statement's tree, and lets through what is known to read only.
//!
//! Everything here is a list of what is allowed: a kind of node, or a member of one, that is not on it is
//! refused by its name. A new version of DuckDB brings nothing that is let through unseen.

use super::functions::{self, Arguments};
use super::tree::{Id, Node, Tree};
use crate::problem::Problem;
use crate::views;

/// Classes of expressions, each with the beginnings of its types.
const EXPRESSIONS: [(&str, &[&str]); 17] = [
    ("BETWEEN", &["COMPARE_BETWEEN", "COMPARE_NOT_BETWEEN"]),
    ("CASE", &["CASE_EXPR"]),
    ("CAST", &["OPERATOR_CAST"]),
    ("COLLATE", &["COLLATE"]),
    ("COLUMN_REF", &["COLUMN_REF"]),
    ("COMPARISON", &["COMPARE_"]),
    ("CONJUNCTION", &["CONJUNCTION_AND", "CONJUNCTION_OR"]),
    ("CONSTANT", &["VALUE_CONSTANT"]),
    ("FUNCTION", &["FUNCTION"]),
    ("LAMBDA", &["LAMBDA"]),
    ("OPERATOR", &["ARRAY_", "COMPARE_IN", "COMPARE_NOT_IN", "GROUPING_FUNCTION", "OPERATOR_", "STRUCT_EXTRACT"]),
    ("POSITIONAL_REFERENCE", &["POSITIONAL_REFERENCE"]),
    ("STAR", &["STAR"]),
    ("SUBQUERY", &["SUBQUERY"]),
    ("TYPE", &["TYPE"]),
    ("WINDOW", &["WINDOW_"]),
    ("LAMBDA_REF", &["LAMBDA_REF"]),
];

/// Types of everything else: query nodes, sources of rows, modifiers, orders.
const OTHERS: [&str; 18] = [
    "SELECT_NODE",
    "SET_OPERATION_NODE",
    "RECURSIVE_CTE_NODE",
    "CTE_NODE",
    "BASE_TABLE",
    "EMPTY",
    "EXPRESSION_LIST",
    "JOIN",
    "PIVOT",
    "SHOW_REF",
    "SUBQUERY",
    "TABLE_FUNCTION",
    "DISTINCT_MODIFIER",
    "LIMIT_MODIFIER",
    "ORDER_MODIFIER",
    "ORDER_DEFAULT",
    "ASCENDING",
    "DESCENDING",
];

/// Members of the nodes, in alphabetical order.
const MEMBERS: &str = " aggregate_handling aggregates alias aliases arg_orders arguments at_clause case_checks catalog \
    catalog_name child children class collation column column_name_alias column_names columns comparison_type \
    condition cte_map cte_name default_expr delim_flipped distinct distinct_on_targets duplicate_eliminated_columns \
    else_expr end end_expr entries error exclude_clause exclude_list expected_names expected_types export_state expr \
    expression filter filter_expr from_table function function_name group_expressions group_sets groups \
    has_ignore_nulls having id ignore_nulls include_nulls index input is_implicit is_legacy_function_call is_null \
    is_operator is_percentage join_type key key_targets kind lambda_idx left lhs limit limit_type literal lower map \
    materialized method modifiers name named_param_map nearest_approx nearest_count nearest_order_type node \
    null_order offset offset_expr order_bys orders partitions path payload_aggregates pivot_enum pivot_expressions \
    pivots qualified_exclude_list qualified_name qualify query query_location query_location_length query_node \
    ranking_expression ref_type relation_name rename_list repeatable replace_list right sample sample_rate \
    sample_size schema schema_name seed select_list setop_all setop_type show_type source star_expr start start_expr \
    statements subquery subquery_type syntax_type table table_name text then_expr try_cast type type_expr type_info \
    type_name union_all unit unpivot_names upper using_columns value values when_expr where_clause with_ordinality ";

/// Looks at the node `root` and all below it, which stand in `sql`.
///
/// # Errors
/// The first thing that is not known to be harmless.
pub(super) fn walk(tree: &Tree, root: Id, sql: &str) -> Result<(), Problem> {
    walk_behind(tree, root, 0, sql)
}

/// The same for `sql` that stands behind `before` bytes of ours, which places in messages leave out.
pub(super) fn walk_behind(tree: &Tree, root: Id, before: usize, sql: &str) -> Result<(), Problem> {
    let walk = Walk { tree, before, sql };
    let mut stack = vec![root];
    while let Some(id) = stack.pop() {
        match walk.table_function(id)? {
            // The function itself is not one that computes, but what it is given is.
            Some(function) => {
                stack.extend(tree.children(id).filter(|child| *child != function));
                stack.extend(tree.children(function));
            }
            None => {
                walk.look_at(id)?;
                stack.extend(tree.children(id));
            }
        }
    }
    Ok(())
}

struct Walk<'a> {
    tree: &'a Tree,
    before: usize,
    sql: &'a str,
}

impl Walk<'_> {
    fn look_at(&self, id: Id) -> Result<(), Problem> {
        let Some(kind) = self.kind(id)? else { return Ok(()) };
        match kind {
            "FUNCTION" | "WINDOW" => self.function(id),
            "BASE_TABLE" | "SHOW_REF" => self.table(id),
            "TYPE" => self.type_name(id),
            "COLUMN_REF" => self.column(id),
            _ => Ok(()),
        }
    }

    /// Class of an expression, or type of another node; `None` for what has neither.
    fn kind(&self, id: Id) -> Result<Option<&str>, Problem> {
        if self.tree.text(id, "class") == Some("PARAMETER") {
            return Err(self.parameter(id));
        }
        if let Some((unknown, _)) =
            self.tree.members(id).iter().find(|(name, _)| !MEMBERS.contains(&format!(" {name} ")))
        {
            return Err(self.refused(id, &format!("`{unknown}`, which the gate does not know")));
        }
        let (class, kind) = (self.tree.text(id, "class"), self.tree.text(id, "type"));
        match (class, kind) {
            (Some(class), Some(kind)) => {
                let types = EXPRESSIONS.iter().find(|(known, _)| *known == class).map(|(_, types)| *types);
                if types.is_some_and(|types| types.iter().any(|beginning| kind.starts_with(beginning))) {
                    return Ok(Some(class));
                }
                Err(self.refused(id, &format!("`{kind}`")))
            }
            (None, Some(kind)) if OTHERS.contains(&kind) || kind.ends_with("_TYPE_INFO") => Ok(Some(kind)),
            (None, Some(kind)) => {
                let statement = kind.strip_suffix("_QUERY_NODE").unwrap_or(kind);
                Err(self.refused(id, &format!("`{statement}`")).with_hint(super::READ_ONLY))
            }
            (Some(class), None) => Err(self.refused(id, &format!("`{class}`"))),
            (None, None) => Ok(None),
        }
    }

    /// The function of a table function, when `id` is one and may be called.
    fn table_function(&self, id: Id) -> Result<Option<Id>, Problem> {
        if self.tree.get(id, "class").is_some() || self.kind(id)? != Some("TABLE_FUNCTION") {
            return Ok(None);
        }
        let function = self.tree.get(id, "function").filter(|id| self.tree.text(*id, "class") == Some("FUNCTION"));
        let Some(function) = function else {
            return Err(self.refused(id, "a table function without a name"));
        };
        self.kind(function)?;
        let name = self.function_name(function)?;
        let arguments = match functions::table_function(name) {
            Some(arguments) => arguments,
            None if views::is_table_macro(name) => Arguments::Names,
            None => {
                let refused = self.refused(id, &format!("the table function `{name}`"));
                return Err(refused.with_hint("rows come from the views of the case; `SHOW TABLES` lists them"));
            }
        };
        if arguments == Arguments::Names {
            self.names(function)?;
        }
        Ok(Some(function))
    }

    /// Arguments that name tables are names, and nothing that is computed.
    fn names(&self, function: Id) -> Result<(), Problem> {
        for argument in self.tree.list(function, "arguments").iter().flat_map(|id| self.tree.below(*id)) {
            let names: Vec<&str> = match self.tree.text(argument, "class") {
                None => continue,
                Some("CONSTANT") => {
                    self.tree.get(argument, "literal").and_then(|id| self.tree.text(id, "text")).into_iter().collect()
                }
                Some("COLUMN_REF") => self.texts(argument, "column_names"),
                Some("FUNCTION") if self.function_name(argument)? == "list_value" => continue,
                Some(_) => {
                    return Err(self
                        .refused(argument, "a name of a table that is computed")
                        .with_hint("write the name itself"));
                }
            };
            names.into_iter().try_for_each(|name| self.table_name(argument, name))?;
        }
        Ok(())
    }

    fn function(&self, id: Id) -> Result<(), Problem> {
        let name = self.function_name(id)?;
        if self.tree.is_true(id, "export_state") {
            return Err(self.refused(id, "`EXPORT_STATE`"));
        }
        match functions::refusal(name) {
            Some(reason) => Err(self.refused(id, &format!("the function `{name}`")).with_hint(reason)),
            None => Ok(()),
        }
    }

    /// The name of a function, which stands in its node twice.
    fn function_name(&self, id: Id) -> Result<&str, Problem> {
        let name = self.tree.text(id, "function_name").unwrap_or_default();
        let path = self.tree.get(id, "qualified_name").map_or_else(Vec::new, |id| self.texts(id, "path"));
        match path.last() {
            Some(last) if *last != name => {
                Err(self.refused(id, &format!("the function `{last}` under the name `{name}`")))
            }
            _ => Ok(name),
        }
    }

    /// `user` is no column but DuckDB's own user, unless the statement calls something so itself: `user = 'bob'` would be
    /// false for every row, without a word.
    fn column(&self, id: Id) -> Result<(), Problem> {
        let names = self.texts(id, "column_names");
        let [name] = names.as_slice() else { return Ok(()) };
        let is = |other: &str| other.eq_ignore_ascii_case(name);
        if !is("user") {
            return Ok(());
        }
        let is_named = self.tree.below(Tree::ROOT).any(|node| {
            self.tree.text(node, "alias").is_some_and(is)
                || self.texts(node, "column_name_alias").into_iter().chain(self.texts(node, "aliases")).any(is)
        });
        match is_named {
            true => Ok(()),
            false => Err(self.refused(id, &format!("`{name}`")).with_hint(functions::OWN_USER)),
        }
    }

    fn table(&self, id: Id) -> Result<(), Problem> {
        let path = self.tree.get(id, "qualified_name").map_or_else(Vec::new, |id| self.texts(id, "path"));
        let names = ["catalog_name", "schema_name", "table_name"].iter().filter_map(|key| self.tree.text(id, key));
        path.into_iter().chain(names).try_for_each(|name| self.table_name(id, name))
    }

    /// DuckDB takes a name that no table has for the path of a file.
    fn table_name(&self, id: Id, name: &str) -> Result<(), Problem> {
        match name.contains(['/', '\\', '.', ':', '*', '?', '[', '%', '~']) {
            true => Err(self
                .refused(id, &format!("the file `{name}` as a table"))
                .with_hint("a statement reads the views of the case only; `SHOW TABLES` lists them")),
            false => Ok(()),
        }
    }

    fn type_name(&self, id: Id) -> Result<(), Problem> {
        let name = self.tree.text(id, "type_name").unwrap_or_default();
        match name.to_ascii_uppercase().contains("AGGREGATE_STATE") {
            true => {
                Err(self.refused(id, &format!("the type `{name}`")).with_hint("it works on the engine's own memory"))
            }
            false => Ok(()),
        }
    }

    fn parameter(&self, id: Id) -> Problem {
        self.refused(id, "a parameter").with_hint("write the value itself, as in `user_name = 'bob'`")
    }

    fn texts(&self, id: Id, key: &str) -> Vec<&str> {
        let texts = self.tree.list(id, key).iter().map(|id| match self.tree.node(*id) {
            Node::Text(text) => text.as_str(),
            _ => "",
        });
        texts.collect()
    }

    fn refused(&self, id: Id, what: &str) -> Problem {
        let problem = Problem::new(format!("{what} is refused"));
        match offset(self.tree, id, self.before, self.sql) {
            Some(offset) => problem.at(self.sql, offset),
            None => problem,
        }
    }
}

/// The byte of `sql`, which stands behind `before` bytes, at which the part begins that a node stands for. What has no place
/// itself holds something that has.
pub(super) fn offset(tree: &Tree, id: Id, before: usize, sql: &str) -> Option<usize> {
    let places = tree.below(id).filter_map(|id| match tree.node(tree.get(id, "query_location")?) {
        Node::Number(number) => number.parse::<usize>().ok()?.checked_sub(before).filter(|offset| *offset < sql.len()),
        _ => None,
    });
    places.min()
}
