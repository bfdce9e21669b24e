//! Specifications of pods in objects of add-ons, found by what they look like.
//!
//! Argo's Workflows have a container in each of their templates, Tekton's Tasks steps, Kruise's SidecarSets containers beside the
//! pod that they are put into, Kubeflow's jobs a template for each sort of replica: wherever in the object it stands, a
//! specification has containers, volumes, or says what it shares with the node, or how OpenShift is to build an image.

use super::build;
use super::object::{Object, elements};

/// How deep an object is looked into, and how many specifications in it are told: a client chooses both.
const DEPTH_MAX: usize = 24;
const FOUND_MAX: usize = 1_000;

/// Lists of containers, whoever runs them.
const LISTS: [&str; 5] = ["containers", "initContainers", "ephemeralContainers", "sidecars", "steps"];

/// A container by itself: Argo's templates, what Tekton's steps have in common, what runs in an image that was built.
const ALONE: [&str; 4] = ["container", "script", "stepTemplate", "postCommit"];

/// What a pod shares with its node.
const SHARED: [&str; 4] = ["hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"];

/// Members of an object in which no template stands: who it is, and what came of it.
const ASIDE: [&str; 2] = ["metadata", "status"];

/// Members between an object and its template, which tell two templates apart no better than no name.
const BETWEEN: [&str; 6] = ["spec", "template", "jobTemplate", "templates", "pipelineSpec", "taskSpec"];

/// A specification of a pod, and what it is called in its object: `worker/`; empty where nothing tells.
pub(super) struct Found<'a> {
    pub(super) spec: Object<'a>,
    pub(super) part: String,
}

/// The specifications in an object.
pub(super) fn specs(object: &str) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    let Some(whole) = Object::of(object) else { return found };
    for (name, value) in whole.members().iter().filter(|(name, _)| !ASIDE.contains(&&**name)) {
        look(value, &part_of(name, ""), DEPTH_MAX, &mut found);
    }
    found
}

fn look<'a>(value: &'a str, part: &str, depth: usize, found: &mut Vec<Found<'a>>) {
    if depth == 0 || found.len() >= FOUND_MAX {
        return;
    }
    if value.starts_with('[') {
        for element in elements(value) {
            let name = Object::of(element).and_then(|object| object.text("name"));
            look(element, &part_of(name.as_deref().unwrap_or_default(), part), depth - 1, found);
        }
        return;
    }
    if !value.starts_with('{') {
        return;
    }
    let Some(object) = Object::of(value) else { return };
    for (name, value) in object.members() {
        // What is in a container is none of a pod.
        if !LISTS.contains(&&**name) && !ALONE.contains(&&**name) {
            look(value, &part_of(name, part), depth - 1, found);
        }
    }
    if is_spec(&object) {
        found.push(Found { spec: object, part: part.to_owned() });
    }
}

/// What a part is called: by its own name where that tells more than the one around it. No `=`, behind which an image stands.
fn part_of(name: &str, around: &str) -> String {
    if name.is_empty() || BETWEEN.contains(&name) { around.to_owned() } else { name.replace('=', "_") + "/" }
}

fn is_spec(object: &Object<'_>) -> bool {
    containers(object).next().is_some()
        || SHARED.iter().any(|flag| object.is_true(flag))
        || ["serviceAccountName", "podSpecPatch"].iter().any(|member| object.text(member).is_some())
        || object.objects("volumes").next().is_some()
        || !build::strategies(object).is_empty()
        || build::dockerfile(object).is_some()
}

/// The containers of a specification, each with what it is called when it has no name of its own. A step of a workflow, which
/// runs no image, is none.
pub(super) fn containers<'a>(spec: &Object<'a>) -> impl Iterator<Item = (Object<'a>, &'static str)> {
    let listed = LISTS.into_iter().flat_map(|list| spec.objects(list).map(move |container| (list, container)));
    let listed =
        listed.filter(|(list, container)| !["sidecars", "steps"].contains(list) || container.get("image").is_some());
    let alone = ALONE.into_iter().filter_map(|name| Some((spec.object(name)?, name)));
    let alone: Vec<_> = alone.collect();
    listed.map(|(_, container)| (container, "")).collect::<Vec<_>>().into_iter().chain(alone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(object: &str) -> Vec<String> {
        let of = |found: &Found<'_>| {
            let names = containers(&found.spec).map(|(container, alone)| {
                let name = container.text("name").map_or_else(|| alone.to_owned(), std::borrow::Cow::into_owned);
                format!("{}{name}", found.part)
            });
            names.collect::<Vec<_>>()
        };
        specs(object).iter().flat_map(of).collect()
    }

    #[test]
    fn containers_are_found_wherever_an_add_on_puts_them() {
        for (object, expected) in [
            (r#"{"spec":{"template":{"spec":{"containers":[{"name":"c","image":"i"}]}}}}"#, vec!["c"]),
            (r#"{"spec":{"containers":[{"name":"c"}]}}"#, vec!["c"]),
            (
                r#"{"spec":{"replicatedJobs":[{"name":"w","template":{"spec":{"template":{"spec":{"containers":[{"name":"c"}]}}}}}]}}"#,
                vec!["w/c"],
            ),
            (
                r#"{"spec":{"pytorchReplicaSpecs":{"Master":{"template":{"spec":{"containers":[{"name":"c"}]}}}}}}"#,
                vec!["Master/c"],
            ),
            (
                r#"{"spec":{"templates":[{"name":"a","container":{"image":"i"},"sidecars":[{"name":"s","image":"i"}]},
                    {"name":"b","script":{"image":"i"}},{"name":"dag","steps":[[{"name":"x","template":"a"}]]}]}}"#,
                vec!["a/s", "a/container", "b/script"],
            ),
            (
                r#"{"spec":{"steps":[{"name":"s","image":"i"},{"name":"none"}],"stepTemplate":{}}}"#,
                vec!["s", "stepTemplate"],
            ),
            (
                r#"{"spec":{"strategy":{"type":"Docker","dockerStrategy":{}},"postCommit":{"script":"x"}}}"#,
                vec!["postCommit"],
            ),
            (r#"{"metadata":{"containers":[{"name":"c"}]},"status":{"containers":[{"name":"c"}]}}"#, vec![]),
            (r#"{"spec":{"replicas":3}}"#, vec![]),
        ] {
            assert_eq!(names(object), expected, "{object}");
        }
        let deep = format!("{}{}{}", "{\"a\":".repeat(40), r#"{"containers":[{"name":"c"}]}"#, "}".repeat(40));
        assert!(names(&deep).is_empty());
    }
}
