//! The syntax tree as DuckDB writes it down: JSON, read without recursion into one flat list of nodes.
//!
//! A reader that calls itself for every level would overflow the stack on a statement that is nested deeply
//! enough, and so would dropping the tree; here a node names its children by number.

use serde_json::value::RawValue;

/// Levels of the tree. A level of SQL is up to three of JSON; DuckDB allows 1,000 nested expressions but puts
/// no limit on chains of joins and set operations, through which its planner recurses just the same.
pub(super) const MAX_DEPTH: usize = 1_000;

/// Number of a node.
pub(super) type Id = usize;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    Null,
    Truth(bool),
    Number(String),
    Text(String),
    List(Vec<Id>),
    Object(Vec<(String, Id)>),
}

/// A syntax tree; the root has number 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tree {
    nodes: Vec<Node>,
}

/// Why there is no tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TreeError {
    /// More than [`MAX_DEPTH`] levels.
    TooDeep,
    /// No JSON.
    Malformed,
}

impl Tree {
    pub(super) const ROOT: Id = 0;

    pub(super) fn read(json: &str) -> Result<Self, TreeError> {
        Reader { json, at: 0, nodes: Vec::new(), open: Vec::new() }.read()
    }

    pub(super) fn node(&self, id: Id) -> &Node {
        &self.nodes[id]
    }

    /// The member `key` of an object; `None` also when it is null.
    pub(super) fn get(&self, id: Id, key: &str) -> Option<Id> {
        let member = self.members(id).iter().find(|(name, _)| name == key)?.1;
        (self.nodes[member] != Node::Null).then_some(member)
    }

    /// The text of the member `key`.
    pub(super) fn text(&self, id: Id, key: &str) -> Option<&str> {
        match self.node(self.get(id, key)?) {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether the member `key` is true.
    pub(super) fn is_true(&self, id: Id, key: &str) -> bool {
        self.get(id, key).is_some_and(|id| *self.node(id) == Node::Truth(true))
    }

    /// The items of the list `key`; none when there is no list.
    pub(super) fn list(&self, id: Id, key: &str) -> &[Id] {
        match self.get(id, key).map(|id| self.node(id)) {
            Some(Node::List(items)) => items,
            _ => &[],
        }
    }

    /// The members of an object.
    pub(super) fn members(&self, id: Id) -> &[(String, Id)] {
        match self.node(id) {
            Node::Object(members) => members,
            _ => &[],
        }
    }

    /// The items or the values of the members.
    pub(super) fn children(&self, id: Id) -> impl Iterator<Item = Id> + '_ {
        let (items, members): (&[Id], &[(String, Id)]) = match self.node(id) {
            Node::List(items) => (items, &[]),
            Node::Object(members) => (&[], members),
            _ => (&[], &[]),
        };
        items.iter().copied().chain(members.iter().map(|(_, id)| *id))
    }

    /// A node and all below it.
    pub(super) fn below(&self, id: Id) -> impl Iterator<Item = Id> + '_ {
        let mut stack = vec![id];
        std::iter::from_fn(move || {
            let id = stack.pop()?;
            stack.extend(self.children(id));
            Some(id)
        })
    }
}

struct Reader<'a> {
    json: &'a str,
    at: usize,
    nodes: Vec<Node>,
    /// Lists and objects that are not closed yet.
    open: Vec<Id>,
}

impl Reader<'_> {
    fn read(mut self) -> Result<Tree, TreeError> {
        self.value(None)?;
        while let Some(&container) = self.open.last() {
            let is_object = matches!(self.nodes[container], Node::Object(_));
            match self.next()? {
                b'}' if is_object => drop(self.open.pop()),
                b']' if !is_object => drop(self.open.pop()),
                b',' => {}
                _ => {
                    self.at -= 1;
                    let key = if is_object { Some(self.key()?) } else { None };
                    self.value(Some((container, key)))?;
                }
            }
        }
        self.blanks();
        if self.at == self.json.len() { Ok(Tree { nodes: self.nodes }) } else { Err(TreeError::Malformed) }
    }

    fn key(&mut self) -> Result<String, TreeError> {
        let key = self.string()?;
        if self.next()? == b':' { Ok(key) } else { Err(TreeError::Malformed) }
    }

    /// Reads a value, or the beginning of one that holds others.
    fn value(&mut self, place: Option<(Id, Option<String>)>) -> Result<(), TreeError> {
        let first = self.next()?;
        self.at -= 1;
        let node = match first {
            b'{' => Node::Object(Vec::new()),
            b'[' => Node::List(Vec::new()),
            b'"' => Node::Text(self.string()?),
            _ => self.word()?,
        };
        let id = self.nodes.len();
        if matches!(node, Node::Object(_) | Node::List(_)) {
            self.at += 1;
            self.open.push(id);
            if self.open.len() > MAX_DEPTH {
                return Err(TreeError::TooDeep);
            }
        }
        self.nodes.push(node);
        match place {
            None => {}
            Some((container, key)) => match (&mut self.nodes[container], key) {
                (Node::Object(members), Some(key)) => members.push((key, id)),
                (Node::List(items), None) => items.push(id),
                _ => return Err(TreeError::Malformed),
            },
        }
        Ok(())
    }

    fn blanks(&mut self) {
        let rest = &self.json.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    }

    fn next(&mut self) -> Result<u8, TreeError> {
        self.blanks();
        let byte = self.json.as_bytes().get(self.at).copied().ok_or(TreeError::Malformed)?;
        self.at += 1;
        Ok(byte)
    }

    fn string(&mut self) -> Result<String, TreeError> {
        self.blanks();
        let bytes = &self.json.as_bytes()[self.at..];
        let mut length = 1;
        while bytes.get(length).ok_or(TreeError::Malformed)? != &b'"' {
            length += if bytes[length] == b'\\' { 2 } else { 1 };
        }
        let text = self.json.get(self.at..=self.at + length).ok_or(TreeError::Malformed)?;
        self.at += length + 1;
        serde_json::from_str(text).map_err(|_| TreeError::Malformed)
    }

    /// `null`, `true`, `false` or a number.
    fn word(&mut self) -> Result<Node, TreeError> {
        let rest = &self.json[self.at..];
        let end = rest.find([',', '}', ']']).unwrap_or(rest.len());
        self.at += end;
        let word = rest[..end].trim_end();
        Ok(match word {
            "null" => Node::Null,
            "true" => Node::Truth(true),
            "false" => Node::Truth(false),
            number => match serde_json::from_str::<&RawValue>(number) {
                Ok(number) => Node::Number(number.get().to_owned()),
                Err(_) => return Err(TreeError::Malformed),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_are_read_as_any_reader_reads_them() {
        let json = r#"{"a": [1, -2.5e3, "x\"\u00e9\\", {"b": null, "": true}], "c": {}, "d": []}"#;
        let tree = Tree::read(json).unwrap();
        let list = tree.list(Tree::ROOT, "a");
        assert_eq!(tree.node(list[0]), &Node::Number("1".to_owned()));
        assert_eq!(tree.node(list[1]), &Node::Number("-2.5e3".to_owned()));
        assert_eq!(tree.node(list[2]), &Node::Text("x\"é\\".to_owned()));
        assert_eq!((tree.get(list[3], "b"), tree.is_true(list[3], "")), (None, true));
        assert_eq!(tree.below(Tree::ROOT).count(), 10);
        for bad in ["", "{", "[1", "{\"a\"}", "{\"a\":}", "[1]]", "[nul]", "\"", "\"\\", "1 2", "[}"] {
            assert_eq!(Tree::read(bad), Err(TreeError::Malformed), "{bad}");
        }
    }

    #[test]
    fn depth_has_a_limit_and_needs_no_stack() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Tree::read(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(Tree::read(&nested(MAX_DEPTH + 1)), Err(TreeError::TooDeep));
        assert_eq!(Tree::read(&nested(5_000_000)), Err(TreeError::TooDeep));
    }
}
