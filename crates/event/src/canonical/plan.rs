//! Which member of an event becomes which column, in the order in which the server writes them.

use std::sync::LazyLock;

use crate::columns::{COLUMNS, Kind, Part};
use crate::decode::{API_VERSION, KIND};

/// A member of an object, and what becomes of it.
#[derive(Debug)]
pub(super) struct Member {
    /// The key as it is written, with quotes and colon.
    pub(super) key: Vec<u8>,
    pub(super) value: Value,
}

/// What becomes of a value.
#[derive(Debug)]
pub(super) enum Value {
    /// Always the same, so that no column holds it.
    Always(Vec<u8>),
    /// A column of that kind.
    Column(usize, Kind),
    /// An object whose members have columns.
    Object(Object),
    /// Kept word for word in a column, and some of its members in columns of their own.
    Map(usize, Vec<Member>),
}

/// An object with the members that it may have.
#[derive(Debug, Default)]
pub(super) struct Object {
    pub(super) members: Vec<Member>,
    /// Members without which it has to be kept word for word, a bit for each.
    pub(super) required: u64,
    /// It may be empty.
    pub(super) may_be_empty: bool,
}

/// Members of the event that every line of the server has.
const REQUIRED: [&str; 9] =
    ["kind", "apiVersion", "level", "auditID", "stage", "requestURI", "verb", "user", "requestReceivedTimestamp"];

/// The order in which the server writes members, from its types (`pkg/apis/audit/v1/types.go`): in it they are found at the
/// first try. Another order is read as well.
pub(super) const ORDER: [&str; 19] = [
    "kind",
    "apiVersion",
    "level",
    "auditID",
    "stage",
    "requestURI",
    "verb",
    "user",
    "impersonatedUser",
    "authenticationMetadata",
    "sourceIPs",
    "userAgent",
    "objectRef",
    "responseStatus",
    "requestObject",
    "responseObject",
    "requestReceivedTimestamp",
    "stageTimestamp",
    "annotations",
];

pub(super) static PLAN: LazyLock<Object> = LazyLock::new(plan);

fn key(name: &str) -> Vec<u8> {
    format!("\"{name}\":").into_bytes()
}

/// The plan that follows from the paths of the columns, in the order in which the server writes.
fn plan() -> Object {
    let mut event = Object::default();
    let text =
        |name: &str, text: &str| Member { key: key(name), value: Value::Always(format!("\"{text}\"").into_bytes()) };
    event.members.extend([text("kind", KIND), text("apiVersion", API_VERSION)]);
    for (at, column) in COLUMNS.iter().enumerate() {
        if column.part == Part::Content && !column.path.is_empty() {
            insert(&mut event, column.path, at, column.kind);
        }
    }
    for (at, column) in COLUMNS.iter().enumerate().filter(|(_, column)| column.part == Part::Derived) {
        if let Some((path, name)) = column.path.strip_suffix(']').and_then(|path| path.split_once('['))
            && let Some(Member { value: Value::Map(_, members), .. }) = find(&mut event, path)
        {
            members.push(Member { key: key(name), value: Value::Column(at, column.kind) });
        }
    }
    event.members.sort_by_key(|member| ORDER.iter().position(|name| member.key == key(name)));
    event.required = bits(&event, &REQUIRED);
    if let Some(Member { value: Value::Object(user), .. }) = find(&mut event, "user") {
        user.may_be_empty = true;
    }
    if let Some(Member { value: Value::Object(status), .. }) = find(&mut event, "responseStatus") {
        // `{}` in all of 89,636 real events.
        status.members.insert(0, Member { key: key("metadata"), value: Value::Always(b"{}".to_vec()) });
        status.required = 1;
    }
    event
}

fn bits(object: &Object, names: &[&str]) -> u64 {
    let at = |name: &&str| object.members.iter().position(|member| member.key == key(name));
    names.iter().filter_map(at).fold(0, |bits, at| bits | 1 << at)
}

fn insert(object: &mut Object, path: &str, at: usize, kind: Kind) {
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    if rest.is_empty() {
        // Of bodies nothing has a column of its own.
        let is_map = kind == Kind::Json && (name == "extra" || name == "annotations");
        let value = if is_map { Value::Map(at, Vec::new()) } else { Value::Column(at, kind) };
        object.members.push(Member { key: key(name), value });
        return;
    }
    let found = object.members.iter().position(|member| member.key == key(name));
    let place = found.unwrap_or_else(|| {
        object.members.push(Member { key: key(name), value: Value::Object(Object::default()) });
        object.members.len() - 1
    });
    if let Value::Object(inner) = &mut object.members[place].value {
        insert(inner, rest, at, kind);
    }
}

fn find<'o>(object: &'o mut Object, path: &str) -> Option<&'o mut Member> {
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    let member = object.members.iter_mut().find(|member| member.key == key(name))?;
    if rest.is_empty() {
        return Some(member);
    }
    match &mut member.value {
        Value::Object(inner) => find(inner, rest),
        _ => None,
    }
}
