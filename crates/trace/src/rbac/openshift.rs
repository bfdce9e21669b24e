//! Roles and bindings as OpenShift's own API has them, told as those of RBAC.
//!
//! Since version 3.9 OpenShift keeps them as objects of RBAC: its API server turns what it is sent into those and writes them in
//! the name of the user. Source: `authorization/v1` of openshift/api, and the conversion in `pkg/authorization` of
//! openshift/openshift-apiserver.

use serde_json::{Map, Value, json};

use crate::kinds::RBAC;

/// A body of OpenShift's API, an object or a JSON Patch, as it would be in RBAC; `None` when it is no JSON.
///
/// A role that is named with a namespace is a Role, else a ClusterRole. Users and groups are subjects, and `userNames` and
/// `groupNames` as well.
pub fn as_rbac(body: &str) -> Option<String> {
    let mut body = serde_json::from_str(body).ok()?;
    match &mut body {
        Value::Object(object) => bind(object),
        Value::Array(patch) => patch.iter_mut().filter_map(Value::as_object_mut).for_each(operation),
        _ => (),
    }
    Some(body.to_string())
}

fn bind(object: &mut Map<String, Value>) {
    if let Some(Value::Object(role)) = object.get_mut("roleRef") {
        let is_local = role.get("namespace").and_then(Value::as_str).is_some_and(|namespace| !namespace.is_empty());
        let kind = if is_local { "Role" } else { "ClusterRole" };
        role.entry("kind").or_insert_with(|| kind.into());
        role.entry("apiGroup").or_insert_with(|| RBAC.into());
    }
    let mut subjects: Vec<Value> = match object.get_mut("subjects") {
        Some(Value::Array(subjects)) => std::mem::take(subjects),
        _ => Vec::new(),
    };
    subjects.iter_mut().for_each(rename);
    for (member, kind) in NAMES {
        let names = object.remove(member);
        subjects.extend(names.iter().flat_map(|names| named(kind, names)));
    }
    if !subjects.is_empty() || object.contains_key("subjects") {
        object.insert("subjects".to_owned(), subjects.into());
    }
}

/// Members that hold names, with the kind of subject that they name.
const NAMES: [(&str, &str); 2] = [("userNames", "User"), ("groupNames", "Group")];

/// A change of names is one of subjects.
fn operation(operation: &mut Map<String, Value>) {
    let path = operation.get("path").and_then(Value::as_str).unwrap_or_default();
    let member = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let Some((_, kind)) = NAMES.into_iter().find(|(name, _)| *name == member) else {
        match operation.get_mut("value") {
            Some(Value::Array(values)) => values.iter_mut().for_each(rename),
            Some(value) => rename(value),
            None => (),
        }
        return;
    };
    if let Some(names) = operation.get("value") {
        let subjects = named(kind, names);
        operation.insert("path".to_owned(), "/subjects/-".into());
        operation.insert("value".to_owned(), subjects.into());
    }
}

/// A name or a list of names as subjects.
fn named(kind: &str, names: &Value) -> Vec<Value> {
    let of = |name: &str| match name.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':')) {
        Some((namespace, name)) => json!({"kind": "ServiceAccount", "namespace": namespace, "name": name}),
        None => json!({"kind": kind, "apiGroup": RBAC, "name": name}),
    };
    let names = names.as_array().map_or(std::slice::from_ref(names), Vec::as_slice);
    names.iter().filter_map(Value::as_str).map(of).collect()
}

fn rename(subject: &mut Value) {
    if let Some(Value::String(kind)) = subject.get_mut("kind") {
        match kind.as_str() {
            "SystemUser" => *kind = "User".to_owned(),
            "SystemGroup" => *kind = "Group".to_owned(),
            _ => (),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(body: &Value) -> Value {
        serde_json::from_str(&as_rbac(&body.to_string()).unwrap()).unwrap()
    }

    #[test]
    fn names_and_references_are_subjects_of_a_role() {
        let binding = told(&json!({
            "kind": "RoleBinding", "apiVersion": "authorization.openshift.io/v1",
            "userNames": ["eve", "system:serviceaccount:prod:builder"], "groupNames": ["ops"],
            "subjects": [{"kind": "SystemUser", "name": "system:admin"}, {"kind": "SystemGroup", "name": "system:authenticated"}],
            "roleRef": {"name": "cluster-admin"},
        }));
        assert_eq!(binding["roleRef"], json!({"name": "cluster-admin", "kind": "ClusterRole", "apiGroup": RBAC}));
        let subject = |kind: &str, name: &str| json!({"kind": kind, "apiGroup": RBAC, "name": name});
        assert_eq!(
            binding["subjects"],
            json!([
                {"kind": "User", "name": "system:admin"},
                {"kind": "Group", "name": "system:authenticated"},
                subject("User", "eve"),
                {"kind": "ServiceAccount", "namespace": "prod", "name": "builder"},
                subject("Group", "ops"),
            ])
        );
        assert!(binding.get("userNames").is_none() && binding.get("groupNames").is_none());
    }

    #[test]
    fn a_role_with_a_namespace_is_one_of_it() {
        let binding = told(&json!({"roleRef": {"name": "deployer", "namespace": "prod"}, "userNames": null}));
        assert_eq!(binding["roleRef"]["kind"], "Role");
        assert!(binding.get("subjects").is_none());
    }

    #[test]
    fn a_patch_of_names_is_one_of_subjects() {
        let patch = told(&json!([
            {"op": "add", "path": "/userNames/-", "value": "eve"},
            {"op": "add", "path": "/subjects/-", "value": {"kind": "SystemGroup", "name": "g"}},
            {"op": "remove", "path": "/userNames/0"},
        ]));
        assert_eq!(
            patch[0],
            json!({"op": "add", "path": "/subjects/-", "value": [{"kind": "User", "apiGroup": RBAC, "name": "eve"}]})
        );
        assert_eq!(patch[1]["value"]["kind"], "Group");
        assert_eq!(patch[2], json!({"op": "remove", "path": "/userNames/0"}));
    }

    #[test]
    fn what_binds_nothing_stays() {
        assert_eq!(told(&json!({"kind": "Role", "rules": [1.5]})), json!({"kind": "Role", "rules": [1.5]}));
        assert_eq!(as_rbac("{"), None);
    }
}
