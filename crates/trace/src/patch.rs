//! Patches, as the API server applies them: JSON Patch, merge patch, strategic merge patch, and apply.
//!
//! The log does not tell which kind a patch was: a list is a JSON Patch, `$patch` and `$setElementOrder` stand in
//! strategic ones only, and kubectl sends those for built-in kinds. A merge patch is a strategic one without lists of
//! objects, so lists decide.

use serde_json::{Map, Value};

/// Lists whose elements are told apart by a member, by the name of the list: where a strategic patch merges them.
const MERGE_KEYS: [(&str, &str); 14] = [
    ("containers", "name"),
    ("initContainers", "name"),
    ("ephemeralContainers", "name"),
    ("volumes", "name"),
    ("volumeMounts", "mountPath"),
    ("env", "name"),
    ("imagePullSecrets", "name"),
    ("ports", "containerPort"),
    ("ownerReferences", "uid"),
    ("conditions", "type"),
    ("hostAliases", "ip"),
    ("webhooks", "name"),
    ("secrets", "name"),
    ("taints", "key"),
];

/// Deepest object that is patched: a client chooses the depth.
const MAX_DEPTH: usize = 128;

/// How a patch is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// A list of operations.
    Json,
    /// Members replace members; `null` takes one away.
    Merge,
    /// The same, and lists of named elements are merged.
    Strategic,
    /// What the sender wants to hold; lists of named elements are merged, and nothing is taken away.
    Apply,
}

/// What kind a patch is, by its body and the URI that it was sent to.
pub fn manner(patch: &Value, uri: &str) -> Manner {
    if patch.is_array() {
        return Manner::Json;
    }
    // kubectl asks for an apply with its name as the manager; other patches name one without `force`.
    let is_apply = patch.get("apiVersion").is_some()
        && patch.get("kind").is_some()
        && uri.contains("fieldManager=")
        && !has_directive(patch, 0);
    if is_apply {
        return Manner::Apply;
    }
    if has_directive(patch, 0) || has_merged_list(patch, 0) { Manner::Strategic } else { Manner::Merge }
}

fn has_directive(value: &Value, depth: usize) -> bool {
    if depth > MAX_DEPTH {
        return false;
    }
    match value {
        Value::Object(members) => members.iter().any(|(name, value)| {
            name == "$patch" || name.starts_with("$setElementOrder/") || has_directive(value, depth + 1)
        }),
        Value::Array(items) => items.iter().any(|item| has_directive(item, depth + 1)),
        _ => false,
    }
}

fn has_merged_list(value: &Value, depth: usize) -> bool {
    let Value::Object(members) = value else { return false };
    depth <= MAX_DEPTH
        && members.iter().any(|(name, value)| match value {
            Value::Array(items) => merge_key(name).is_some_and(|key| items.iter().any(|item| item.get(key).is_some())),
            value => has_merged_list(value, depth + 1),
        })
}

fn merge_key(list: &str) -> Option<&'static str> {
    MERGE_KEYS.iter().find(|(name, _)| *name == list).map(|(_, key)| *key)
}

/// The object after a patch; `None` when the patch does not fit it.
pub fn patched(mut object: Value, patch: &Value, manner: Manner) -> Option<Value> {
    match manner {
        Manner::Json => {
            for operation in patch.as_array()? {
                operate(&mut object, operation)?;
            }
            Some(object)
        }
        _ => {
            merge(&mut object, patch, manner, 0)?;
            Some(object)
        }
    }
}

fn merge(object: &mut Value, patch: &Value, manner: Manner, depth: usize) -> Option<()> {
    if depth > MAX_DEPTH {
        return None;
    }
    let Value::Object(changes) = patch else {
        *object = patch.clone();
        return Some(());
    };
    if manner == Manner::Strategic && changes.get("$patch").and_then(Value::as_str) == Some("replace") {
        *object = Value::Object(changes.iter().filter(|(name, _)| *name != "$patch").map(own).collect());
        return Some(());
    }
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    let Value::Object(members) = object else { return None };
    for (name, change) in changes.iter().filter(|(name, _)| !name.starts_with('$')) {
        match (change, merge_key(name)) {
            (Value::Null, _) => {
                members.remove(name);
            }
            (Value::Array(items), Some(key)) if manner != Manner::Merge => {
                let list = members.entry(name.clone()).or_insert_with(|| Value::Array(Vec::new()));
                merge_list(list, items, key, manner, depth)?;
            }
            _ => merge(members.entry(name.clone()).or_insert(Value::Null), change, manner, depth + 1)?,
        }
    }
    Some(())
}

fn own((name, value): (&String, &Value)) -> (String, Value) {
    (name.clone(), value.clone())
}

fn merge_list(list: &mut Value, items: &[Value], key: &str, manner: Manner, depth: usize) -> Option<()> {
    if !list.is_array() {
        *list = Value::Array(Vec::new());
    }
    let Value::Array(elements) = list else { return None };
    if items.iter().any(|item| item.get("$patch").and_then(Value::as_str) == Some("replace")) {
        elements.clear();
    }
    for item in items {
        let directive = item.get("$patch").and_then(Value::as_str);
        let Some(id) = item.get(key) else {
            if directive.is_none() {
                elements.push(item.clone());
            }
            continue;
        };
        let at = elements.iter().position(|element| element.get(key) == Some(id));
        match (directive, at) {
            (Some("delete"), Some(at)) => {
                elements.remove(at);
            }
            (Some("delete"), None) => (),
            (_, Some(at)) => merge(&mut elements[at], item, manner, depth + 1)?,
            (_, None) => {
                let mut element = Value::Null;
                merge(&mut element, item, manner, depth + 1)?;
                elements.push(element);
            }
        }
    }
    Some(())
}

/// Tokens of a JSON Pointer.
fn tokens(pointer: &str) -> Option<Vec<String>> {
    if pointer.is_empty() {
        return Some(Vec::new());
    }
    let rest = pointer.strip_prefix('/')?;
    Some(rest.split('/').map(|token| token.replace("~1", "/").replace("~0", "~")).collect())
}

fn operate(object: &mut Value, operation: &Value) -> Option<()> {
    let text = |name: &str| operation.get(name).and_then(Value::as_str);
    let path = text("path")?;
    match text("op")? {
        "add" => add(object, path, operation.get("value")?.clone()),
        "replace" => {
            let value = operation.get("value")?.clone();
            *object.pointer_mut(path)? = value;
            Some(())
        }
        "remove" => remove(object, path).map(drop),
        "move" => {
            let value = remove(object, text("from")?)?;
            add(object, path, value)
        }
        "copy" => {
            let value = object.pointer(text("from")?)?.clone();
            add(object, path, value)
        }
        "test" => (object.pointer(path) == operation.get("value")).then_some(()),
        _ => None,
    }
}

fn add(object: &mut Value, path: &str, value: Value) -> Option<()> {
    let mut tokens = tokens(path)?;
    let Some(last) = tokens.pop() else {
        *object = value;
        return Some(());
    };
    match parent(object, &tokens)? {
        Value::Object(members) => {
            members.insert(last, value);
        }
        Value::Array(items) => {
            let at = if last == "-" { items.len() } else { last.parse().ok().filter(|at| *at <= items.len())? };
            items.insert(at, value);
        }
        _ => return None,
    }
    Some(())
}

fn remove(object: &mut Value, path: &str) -> Option<Value> {
    let mut tokens = tokens(path)?;
    let last = tokens.pop()?;
    match parent(object, &tokens)? {
        Value::Object(members) => members.remove(&last),
        Value::Array(items) => {
            let at = last.parse().ok().filter(|at| *at < items.len())?;
            Some(items.remove(at))
        }
        _ => None,
    }
}

fn parent<'a>(object: &'a mut Value, tokens: &[String]) -> Option<&'a mut Value> {
    tokens.iter().try_fold(object, |value, token| match value {
        Value::Object(members) => members.get_mut(token),
        Value::Array(items) => items.get_mut(token.parse::<usize>().ok()?),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_kind_is_applied_in_its_manner() {
        let object =
            json!({"a": {"b": 1, "c": 2}, "containers": [{"name": "x", "image": "1"}, {"name": "y"}], "l": [1, 2]});
        let after = |patch: Value, manner| patched(object.clone(), &patch, manner);
        let merged = after(json!({"a": {"b": null}, "l": [3]}), Manner::Merge).unwrap();
        assert_eq!((&merged["a"], &merged["l"]), (&json!({"c": 2}), &json!([3])));
        let patch =
            json!({"containers": [{"name": "x", "image": "2"}, {"name": "y", "$patch": "delete"}, {"name": "z"}]});
        let strategic = after(patch.clone(), Manner::Strategic).unwrap();
        assert_eq!(strategic["containers"], json!([{"name": "x", "image": "2"}, {"name": "z"}]));
        assert_eq!(after(patch, Manner::Merge).unwrap()["containers"].as_array().unwrap().len(), 3);
        let operations = json!([
            {"op": "test", "path": "/a/b", "value": 1}, {"op": "replace", "path": "/a/b", "value": 5},
            {"op": "add", "path": "/l/-", "value": 3}, {"op": "remove", "path": "/containers/0"},
            {"op": "move", "from": "/a/c", "path": "/d~1e"}, {"op": "copy", "from": "/l/0", "path": "/l/0"}
        ]);
        let json = after(operations, Manner::Json).unwrap();
        assert_eq!(json, json!({"a": {"b": 5}, "containers": [{"name": "y"}], "l": [1, 1, 2, 3], "d/e": 2}));
        for bad in [
            json!([{"op": "test", "path": "/a/b", "value": 2}]),
            json!([{"op": "remove", "path": "/x/y"}]),
            json!([{"op": "add", "path": "/l/9", "value": 1}]),
            json!([{"op": "evil", "path": "/a"}]),
            json!([7]),
        ] {
            assert!(after(bad, Manner::Json).is_none());
        }
    }

    #[test]
    fn the_kind_is_told_by_body_and_uri() {
        let kind = |patch: Value, uri: &str| manner(&patch, uri);
        assert_eq!(kind(json!([]), ""), Manner::Json);
        assert_eq!(kind(json!({"metadata": {"labels": {"a": "b"}}}), "?fieldManager=kubectl-label"), Manner::Merge);
        assert_eq!(kind(json!({"spec": {"$setElementOrder/containers": []}}), ""), Manner::Strategic);
        assert_eq!(kind(json!({"spec": {"containers": [{"name": "a"}]}}), ""), Manner::Strategic);
        assert_eq!(kind(json!({"apiVersion": "v1", "kind": "X"}), "?fieldManager=k&force=true"), Manner::Apply);
    }
}
