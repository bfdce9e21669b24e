//! A JSON object that is put together from values and the paths of their places.

use std::collections::BTreeMap;

use crate::json;

/// Items of a list that are told by number: what is beyond is left out.
const MAX_ITEMS: usize = 100_000;

/// Names in names that are told apart.
const MAX_DEPTH: usize = 60;

/// An object, a list, or a value.
#[derive(Debug)]
enum Node {
    /// JSON.
    Value(String),
    Object(Tree),
    List(BTreeMap<usize, Node>),
}

/// An object; its members keep the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Tree {
    members: Vec<(String, Node)>,
}

impl Tree {
    /// Whether there is a member of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.members.iter().any(|(known, _)| known == name)
    }

    /// Puts a JSON value at a path. The first value of a place stays; a number on a path is that of an item.
    pub(super) fn put(&mut self, path: &[&str], value: String) {
        let [name, rest @ ..] = path else { return };
        if path.len() > MAX_DEPTH {
            return;
        }
        let known = self.members.iter().position(|(known, _)| known == name);
        let at = known.unwrap_or_else(|| {
            let is_list = rest.first().is_some_and(|next| next.parse::<usize>().is_ok_and(|number| number < MAX_ITEMS));
            let node = match rest {
                [] => Node::Value(value.clone()),
                _ if is_list => Node::List(BTreeMap::new()),
                _ => Node::Object(Self::default()),
            };
            self.members.push(((*name).to_owned(), node));
            self.members.len() - 1
        });
        Node::put(&mut self.members[at].1, rest, value);
    }

    /// Puts a JSON value into a list.
    pub(super) fn put_item(&mut self, path: &[&str], number: usize, value: String) {
        let number = number.to_string();
        let path: Vec<&str> = path.iter().copied().chain([number.as_str()]).collect();
        self.put(&path, value);
    }

    /// Changes the value of a member.
    pub(super) fn change(&mut self, name: &str, change: &mut dyn FnMut(&str) -> Option<String>) {
        for (_, node) in self.members.iter_mut().filter(|(known, _)| known == name) {
            let mut value = String::new();
            node.write(&mut value);
            if let Some(changed) = change(&value) {
                *node = Node::Value(changed);
            }
        }
    }

    /// The object as JSON.
    pub(super) fn finish(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        out.push('{');
        for (number, (name, node)) in self.members.iter().enumerate() {
            if number > 0 {
                out.push(',');
            }
            json::push_string(out, name);
            out.push(':');
            node.write(out);
        }
        out.push('}');
    }
}

impl Node {
    fn put(&mut self, path: &[&str], value: String) {
        match (self, path) {
            (Self::Object(object), [_, ..]) => object.put(path, value),
            (Self::List(items), [number, rest @ ..]) => {
                let Some(number) = number.parse().ok().filter(|number| *number < MAX_ITEMS) else { return };
                let is_list = rest.first().is_some_and(|next| next.parse::<usize>().is_ok());
                let item = items.entry(number).or_insert_with(|| match rest {
                    [] => Self::Value(value.clone()),
                    _ if is_list => Self::List(BTreeMap::new()),
                    _ => Self::Object(Tree::default()),
                });
                item.put(rest, value);
            }
            _ => (),
        }
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Value(json) => out.push_str(json),
            Self::Object(object) => object.write(out),
            Self::List(items) => {
                out.push('[');
                for (place, item) in items.values().enumerate() {
                    if place > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
        }
    }
}
