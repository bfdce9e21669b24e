//! Whether a request looks like the cluster's own work: SQL functions over the columns of a request.
//!
//! A name exempts nobody: it can be taken by a certificate or a namespace of one's own, and an identity can be stolen. So
//! everything that a request tells has to agree: name, groups, client, no impersonation, and a deed that the component does
//! day by day (`deeds`). Where it comes from is compared in SQL (`views/actors.sql`), because that takes other requests.
//! As SQL the table would cost a quarter of a second to plan, in every question.

mod deeds;

use std::error::Error;
use std::sync::Arc;

use arrow::array::{Array, BooleanArray, RecordBatch, StringArray};
use arrow::datatypes::DataType;
use duckdb::Connection;
use duckdb::vscalar::arrow::{ArrowFunctionSignature, VArrowScalar};

use crate::argument::texts;

use deeds::{COMPONENTS, CONTROLLERS_READ, Component, Deed, EVERYBODY, Of, READABLE_CONFIGMAPS};

/// The members of the account of a service account in kube-system.
const IN_KUBE_SYSTEM: &str = "system:serviceaccount:kube-system:";

/// Binaries in which a distribution puts all components together.
const ALL_IN_ONE: [&str; 5] = ["k3s", "rke2", "k0s", "kubelite", "hyperkube"];

/// Makes the functions.
///
/// * `looks_own(user_name, groups, impersonated_user, user_agent, verb, resource, subresource, namespace, name)`, with an
///   empty text for what there is not, because DuckDB answers a NULL with NULL. `groups` are letters: `m` for a member of
///   system:masters, `s` of system:serviceaccounts, `n` of system:nodes; `?` when the log has no groups.
/// * `own_process(user_name)`: the process that does this work, of which there is one at a time: a component, or the user
///   name of a kubelet; NULL for all else.
/// * `is_component(name)`: whether a service account of that name in kube-system is a controller of the cluster.
pub(crate) fn register(connection: &Connection) -> duckdb::Result<()> {
    connection.register_scalar_function::<LooksOwn>("looks_own")?;
    connection.register_scalar_function::<OwnProcess>("own_process")?;
    connection.register_scalar_function::<IsComponent>("is_component")
}

struct LooksOwn;
struct OwnProcess;
struct IsComponent;

/// What tells about the one who sent a request and what was asked.
#[derive(Debug, Clone, Copy, Default)]
struct Request<'a> {
    user: Option<&'a str>,
    groups: Option<&'a str>,
    impersonated: Option<&'a str>,
    agent: Option<&'a str>,
    verb: Option<&'a str>,
    resource: Option<&'a str>,
    subresource: Option<&'a str>,
    namespace: Option<&'a str>,
    name: Option<&'a str>,
}

impl VArrowScalar for LooksOwn {
    type State = ();

    fn invoke(_: &(), input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        let columns = (0..9).map(|at| texts(&input, at)).collect::<Result<Vec<_>, _>>()?;
        let answers = (0..input.num_rows()).map(|row| {
            let text = |at: usize| Some(columns[at].value(row)).filter(|text| !text.is_empty());
            let request = Request {
                user: text(0),
                groups: Some(columns[1].value(row)).filter(|groups| *groups != "?"),
                impersonated: text(2),
                agent: text(3),
                verb: text(4),
                resource: text(5),
                subresource: text(6),
                namespace: text(7),
                name: text(8),
            };
            Some(looks_own(&request))
        });
        Ok(Arc::new(answers.collect::<BooleanArray>()))
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        vec![ArrowFunctionSignature::exact(vec![DataType::Utf8; 9], DataType::Boolean)]
    }
}

impl VArrowScalar for OwnProcess {
    type State = ();

    fn invoke(_: &(), input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        let answers = texts(&input, 0)?.iter().map(|user| user.and_then(process));
        Ok(Arc::new(answers.collect::<StringArray>()))
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        vec![ArrowFunctionSignature::exact(vec![DataType::Utf8], DataType::Utf8)]
    }
}

impl VArrowScalar for IsComponent {
    type State = ();

    fn invoke(_: &(), input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        let answers = texts(&input, 0)?.iter().map(|name| Some(name.is_some_and(is_component)));
        Ok(Arc::new(answers.collect::<BooleanArray>()))
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        vec![ArrowFunctionSignature::exact(vec![DataType::Utf8], DataType::Boolean)]
    }
}

/// The component behind a user name.
fn component(user: &str) -> Option<&'static Component> {
    let name = match user.strip_prefix(IN_KUBE_SYSTEM) {
        // The control plane itself has no service account; these two can be either.
        Some(name) if ["apiserver", "node", "kube-scheduler", "kube-controller-manager"].contains(&name) => {
            return None;
        }
        Some(name) => name,
        None => match user.strip_prefix("system:")? {
            name if name.starts_with("node:") => "node",
            name @ ("apiserver"
            | "kube-controller-manager"
            | "kube-scheduler"
            | "kube-proxy"
            | "cloud-controller-manager") => name,
            _ => return None,
        },
    };
    COMPONENTS.iter().find(|component| component.name == name)
}

fn is_component(name: &str) -> bool {
    COMPONENTS.iter().any(|component| component.name == name)
}

/// The process that does the work of a user, where there is one at a time.
fn process(user: &str) -> Option<&str> {
    Some(match component(user)?.name {
        "node" => user,
        "coredns" | "kube-dns" | "kube-proxy" => return None,
        name @ ("apiserver" | "kube-scheduler" | "cloud-controller-manager") => name,
        _ => "kube-controller-manager",
    })
}

fn looks_own(request: &Request<'_>) -> bool {
    let Some(user) = request.user else { return false };
    let Some(component) = component(user) else { return false };
    request.impersonated.is_none_or(str::is_empty)
        && has_groups(component, user, request.groups)
        && request.agent.is_none_or(|agent| has_agent(component, user, agent))
        && is_usual(component, request)
}

/// Whether the groups are those that the server gives to the component. A member of system:masters is a person, or was
/// made by one, unless it is the API server itself; a certificate can carry the name of a service account, but not its
/// group.
fn has_groups(component: &Component, user: &str, groups: Option<&str>) -> bool {
    let Some(groups) = groups else { return true };
    match component.name {
        "apiserver" => groups.contains('m'),
        _ if groups.contains('m') => false,
        "node" => groups.contains('n'),
        _ => !user.starts_with(IN_KUBE_SYSTEM) || groups.contains('s'),
    }
}

/// Whether the client calls itself as the component does: by its binary, or that of a distribution. client-go adds the name
/// of the service account to the agent of a controller.
fn has_agent(component: &Component, user: &str, agent: &str) -> bool {
    let binary = agent.split('/').next().unwrap_or_default();
    let in_one = ALL_IN_ONE.contains(&binary);
    match component.name {
        "apiserver" => in_one || binary == "kube-apiserver",
        // The kubelet of kubemark, with which clusters are tried out.
        "node" => in_one || binary == "kubelet" || binary == "hollow-kubelet",
        name if user.starts_with(IN_KUBE_SYSTEM) && process(user) == Some("kube-controller-manager") => {
            (in_one || binary == "kube-controller-manager" || binary == name)
                && agent.strip_suffix(user).is_some_and(|agent| agent.ends_with('/'))
        }
        name => in_one || binary == name,
    }
}

fn is_usual(component: &Component, request: &Request<'_>) -> bool {
    let Some(verb) = request.verb else { return false };
    let is_read = ["get", "list", "watch"].contains(&verb);
    let Some(resource) = request.resource else {
        // What the server has, and whether it is well.
        return ["get", "head", "list"].contains(&verb);
    };
    if is_read && component.reads_all && request.subresource.is_none() {
        return true;
    }
    let is_controller = component.name.contains("-controller")
        || ["persistent-volume-binder", "pod-garbage-collector", "storageversion-garbage-collector"]
            .contains(&component.name);
    if is_read && is_controller && request.subresource.is_none() {
        let is_known = request.name.is_some_and(|name| has_word(READABLE_CONFIGMAPS, name));
        if has_word(CONTROLLERS_READ, resource) || resource == "configmaps" && is_known {
            return true;
        }
    }
    EVERYBODY.iter().chain(component.deeds).any(|deed| {
        has_word(deed.verbs, verb) && is_kind(deed, resource, request.subresource) && is_about(deed, request)
    })
}

fn is_kind(deed: &Deed, resource: &str, subresource: Option<&str>) -> bool {
    match subresource {
        None => deed.kinds == "*" || has_word(deed.kinds, resource),
        Some(subresource) => deed.kinds.split(' ').any(|kind| kind.split_once('/') == Some((resource, subresource))),
    }
}

fn is_about(deed: &Deed, request: &Request<'_>) -> bool {
    let is_in = |namespace: &str| request.namespace == Some(namespace);
    // What is created has its name in the body where the URI has none.
    let is_called = |names: &str| match request.name {
        None => request.verb == Some("create"),
        Some(name) => names.split(' ').any(|known| match known.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == known,
        }),
    };
    match deed.of {
        Of::Any => true,
        Of::Named => request.name.is_some(),
        Of::In(namespace) => is_in(namespace),
        Of::Called(names) => is_called(names),
        Of::InCalled(namespace, names) => is_in(namespace) && is_called(names),
        Of::Component => is_in("kube-system") && request.name.is_none_or(is_component),
    }
}

fn has_word(words: &str, word: &str) -> bool {
    words.split(' ').any(|known| known == word)
}

#[cfg(test)]
mod tests;
