//! Objects of Kubernetes in the bodies of requests, and what a request says about them. Never an error, whatever it is.

use serde_json::Value;

use crate::evidence::Request;

/// What runs pods: resource, and where in an object its pod template's specification stands.
const WORKLOADS: [(&str, &str); 11] = [
    ("pods", "/spec"),
    ("deployments", "/spec/template/spec"),
    ("daemonsets", "/spec/template/spec"),
    ("statefulsets", "/spec/template/spec"),
    ("replicasets", "/spec/template/spec"),
    ("replicationcontrollers", "/spec/template/spec"),
    ("jobs", "/spec/template/spec"),
    ("cronjobs", "/spec/jobTemplate/spec/template/spec"),
    ("podtemplates", "/template/spec"),
    ("deploymentconfigs", "/spec/template/spec"),
    ("rollouts", "/spec/template/spec"),
];

/// Whether objects of this resource run pods.
pub fn is_workload(resource: &str) -> bool {
    WORKLOADS.iter().any(|(name, _)| *name == resource)
}

/// The specification of the pods that an object runs.
pub fn pod_spec<'a>(resource: &str, object: &'a Value) -> Option<&'a Value> {
    let (_, path) = WORKLOADS.iter().find(|(name, _)| *name == resource)?;
    object.pointer(path).filter(|spec| spec.is_object())
}

/// A text at a path, when it is one and holds something.
pub fn text<'a>(object: &'a Value, path: &str) -> Option<&'a str> {
    object.pointer(path)?.as_str().filter(|text| !text.is_empty())
}

/// The elements of a list at a path.
pub fn items<'a>(object: &'a Value, path: &str) -> impl Iterator<Item = &'a Value> {
    object.pointer(path).and_then(Value::as_array).into_iter().flatten()
}

/// The texts in a list at a path.
pub fn texts(object: &Value, path: &str) -> Vec<String> {
    items(object, path).filter_map(Value::as_str).map(str::to_owned).collect()
}

/// All containers of a pod: the usual ones, those that come first, and those that were put in later.
pub fn containers(spec: &Value) -> impl Iterator<Item = &Value> {
    ["/containers", "/initContainers", "/ephemeralContainers"].into_iter().flat_map(|path| items(spec, path))
}

/// A body as a JSON object that is no answer about a failure.
pub fn object(body: Option<&str>) -> Option<Value> {
    let value: Value = serde_json::from_str(body?).ok()?;
    (value.is_object() && value.get("kind").and_then(Value::as_str) != Some("Status")).then_some(value)
}

/// The object that a request wrote: as it was stored, else as it was sent.
pub fn written(request: &Request) -> Option<Value> {
    object(request.answered.as_deref()).or_else(|| object(request.sent.as_deref()))
}

/// Name of the object of a request: of its path, else of its body, as for `generateName`.
pub fn name_of(request: &Request, object: Option<&Value>) -> Option<String> {
    request.name.clone().or_else(|| object.and_then(|object| text(object, "/metadata/name")).map(str::to_owned))
}

/// The values of a parameter of a URI, decoded.
pub fn uri_values(uri: &str, key: &str) -> Vec<String> {
    let Some((_, query)) = uri.split_once('?') else { return Vec::new() };
    // As in Go, a pair that holds `;` is none.
    let pairs = query.split('&').filter(|pair| !pair.contains(';'));
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.filter(|(name, _)| decoded(name) == key).map(|(_, value)| decoded(value)).collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        match (first, tail) {
            (b'%', [high, low, after @ ..]) if hex(high).is_some() && hex(low).is_some() => {
                bytes.push(hex(high).unwrap_or_default() << 4 | hex(low).unwrap_or_default());
                rest = after;
                continue;
            }
            (b'+', _) => bytes.push(b' '),
            _ => bytes.push(*first),
        }
        rest = tail;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether a request changes nothing. Of a delete the body tells, when it has one.
pub fn is_dry_run(request: &Request) -> bool {
    if request.act.verb == "delete"
        && let Some(options) = object(request.sent.as_deref()).filter(|body| body.get("kind").is_some())
    {
        return texts(&options, "/dryRun").iter().any(|value| value == "All");
    }
    uri_values(&request.uri, "dryRun").iter().any(|value| value == "All")
}

/// What a request to delete many objects did to one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hit {
    /// It was among them.
    Taken,
    /// It was not.
    Spared,
    /// It was for some of them, and which were deleted is not logged.
    Unknown,
}

/// What a `deletecollection` deleted, as its answer lists it; `None` when no answer tells.
pub fn deleted(request: &Request) -> Option<Vec<Value>> {
    let answer = object(request.answered.as_deref())?;
    match answer.get("items")? {
        Value::Array(items) => Some(items.clone()),
        Value::Null => Some(Vec::new()),
        _ => None,
    }
}

/// Which objects a `deletecollection` was for: labels and fields; `None` is all of them.
pub fn selector(request: &Request) -> Option<String> {
    let of = |key| uri_values(&request.uri, key).into_iter().next().filter(|value| !value.is_empty());
    let parts: Vec<String> = ["labelSelector", "fieldSelector"].into_iter().filter_map(of).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// What a `deletecollection` did to an object of the kind that it was for.
pub fn hit(request: &Request, namespace: &str, name: &str) -> Hit {
    let is_it = |item: &Value| {
        text(item, "/metadata/name") == Some(name)
            && text(item, "/metadata/namespace").is_none_or(|of_item| of_item == namespace)
    };
    match deleted(request) {
        Some(items) if items.iter().any(is_it) => Hit::Taken,
        Some(_) => Hit::Spared,
        None if selector(request).is_some() => Hit::Unknown,
        None => Hit::Taken,
    }
}

/// How an object is written: `clusterroles/admin`, `daemonsets/kube-system/x`.
pub fn label(resource: &str, namespace: Option<&str>, name: Option<&str>) -> String {
    let parts = [Some(resource), namespace.filter(|_| resource != "namespaces"), Some(name.unwrap_or("*"))];
    parts.into_iter().flatten().collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_as_the_server_reads_them() {
        assert_eq!(uri_values("/x?%64ryRun=All&a=b;dryRun=All&command=a+b%2Fc", "dryRun"), ["All"]);
        assert_eq!(uri_values("/x?command=a+b%2Fc&command=%zz", "command"), ["a b/c", "%zz"]);
        assert!(uri_values("/x", "dryRun").is_empty());
    }

    #[test]
    fn labels_name_an_object() {
        assert_eq!(label("clusterroles", None, Some("admin")), "clusterroles/admin");
        assert_eq!(label("pods", Some("a"), None), "pods/a/*");
        assert_eq!(label("namespaces", Some("a"), Some("a")), "namespaces/a");
    }
}
