//! Policies that stand in another file: under a key of a ConfigMap, among the files of a machine (kubeadm's and kOps' specs,
//! cloud-init), or as an object in it (Talos, RKE).

use yaml_rust2::{Yaml, YamlLoader};

/// Objects in objects that are looked into; none of these files has more than a dozen.
const MAX_DEPTH: usize = 32;

/// A policy in a file, and its place there: `data.policy.yaml`, `spec.files[2].content`.
pub(super) struct Within {
    pub(super) place: String,
    pub(super) policy: Yaml,
}

/// Whether it says that it is an audit policy.
pub(super) fn is_policy(yaml: &Yaml) -> bool {
    yaml["kind"].as_str() == Some("Policy")
        && yaml["apiVersion"].as_str().is_some_and(|version| version.starts_with("audit.k8s.io/"))
}

/// All policies in the documents of a file, in their order.
pub(super) fn policies(documents: &[Yaml]) -> Vec<Within> {
    let mut found = Vec::new();
    for (document, number) in documents.iter().zip(1..) {
        let place = if documents.len() > 1 { format!("document {number}") } else { String::new() };
        look(document, &place, MAX_DEPTH, &mut found);
    }
    found
}

/// The keys of a ConfigMap, to be named when none of them holds a policy.
pub(super) fn keys_of_config_map(document: &Yaml) -> Option<Vec<&str>> {
    let data = document["data"].as_hash().filter(|_| document["kind"].as_str() == Some("ConfigMap"));
    data.map(|data| data.keys().filter_map(Yaml::as_str).collect())
}

fn look(yaml: &Yaml, place: &str, depth: usize, found: &mut Vec<Within>) {
    if is_policy(yaml) {
        found.push(Within { place: place.to_owned(), policy: yaml.clone() });
        return;
    }
    if depth == 0 {
        return;
    }
    match yaml {
        Yaml::Hash(members) => {
            for (name, member) in members {
                let name = name.as_str().unwrap_or("?");
                let place = if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
                look(member, &place, depth - 1, found);
            }
        }
        Yaml::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                look(item, &format!("{place}[{at}]"), depth - 1, found);
            }
        }
        // What a ConfigMap was made of stands in its own annotation too; that text is no policy but a ConfigMap.
        Yaml::String(text) if text.contains("audit.k8s.io/") && text.contains("Policy") => {
            let documents = YamlLoader::load_from_str(text).unwrap_or_default();
            if let Some(policy) = documents.into_iter().next().filter(is_policy) {
                found.push(Within { place: place.to_owned(), policy });
            }
        }
        _ => (),
    }
}
