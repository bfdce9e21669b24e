//! Whether a request looks like the cluster's own work: SQL functions over the columns of a request.
//!
//! A name exempts nobody: it can be taken by a certificate or a namespace of one's own, and an identity can be stolen. So
//! everything that a request tells has to agree: name, groups, client, no impersonation, and a deed that the component does
//! day by day (`deeds`). Where it comes from is compared in SQL (`views/actors.sql`), because that takes other requests.
//! As SQL the table would cost a quarter of a second to plan, in every question.
//!
//! Texts cost more than the decision: DuckDB copies each that a function of ours is given. So SQL looks texts up in lists
//! of words (`words`), which it does once for every different value of a column, and hands over their places. Whose home
//! an address is (`homes`) is loaded before it is asked.

mod deeds;
mod homes;
mod words;

use std::error::Error;
use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, Int32Array, ListBuilder, RecordBatch, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field, Int32Type};
use duckdb::Connection;
use duckdb::vscalar::arrow::{ArrowFunctionSignature, VArrowScalar};

use crate::argument::texts;
use crate::kinds;

use deeds::{COMPONENTS, CONTROLLERS_READ, Component, Deed, EVERYBODY, Of, READABLE_CONFIGMAPS};
use words::{AGENTS, KINDS, NAMESPACES, SUBRESOURCES, USERS, VERBS, Words};

pub(crate) use homes::Homes;

/// The members of the account of a service account in kube-system.
const IN_KUBE_SYSTEM: &str = "system:serviceaccount:kube-system:";

/// How the user names of kubelets begin.
const NODE: &str = "system:node:";

/// Binaries in which a distribution puts all components together.
const ALL_IN_ONE: [&str; 5] = ["k3s", "rke2", "k0s", "kubelite", "hyperkube"];

/// Letters of groups by the sum of 1 for system:masters, 2 for system:serviceaccounts, 4 for system:nodes.
const GROUPS: [&str; 8] = ["", "m", "s", "ms", "n", "mn", "sn", "msn"];

/// Makes the functions.
///
/// * `own_words(kind)`: the words of that kind that can make a difference, for `list_position`: `users`, `agents`, `verbs`,
///   `kinds`, `subresources`, `namespaces`. The first stands for what is absent.
/// * `own_request(user, node, groups, agent, agent_user, verb, resource, subresource, namespace, name, cluster, address)`:
///   places of words, 0 for one that is not in its list; `node` is the user name of a kubelet, else empty; `groups` a
///   number (see `GROUPS`), -1 when the log has none; the others are texts, empty for what there is not, because DuckDB
///   answers a NULL with NULL.
/// * `own_home(address)`: whether any component is at home there.
/// * `own_process(user_name)`: the process that does this work, of which there is one at a time: a component, or the user
///   name of a kubelet; NULL for all else.
/// * `is_component(name)`: whether a service account of that name in kube-system is a controller of the cluster.
pub(crate) fn register(connection: &Connection, homes: &Homes) -> duckdb::Result<()> {
    connection.register_scalar_function::<OwnWords>("own_words")?;
    connection.register_scalar_function_with_state::<OwnRequest>("own_request", homes)?;
    connection.register_scalar_function_with_state::<OwnHome>("own_home", homes)?;
    connection.register_scalar_function::<OwnProcess>("own_process")?;
    connection.register_scalar_function::<IsComponent>("is_component")
}

struct OwnWords;
struct OwnRequest;
struct OwnHome;
struct OwnProcess;
struct IsComponent;

/// What tells about the one who sent a request and what was asked.
#[derive(Debug, Clone, Copy, Default)]
struct Request<'a> {
    user: Option<&'a str>,
    groups: Option<&'a str>,
    agent: Option<Agent<'a>>,
    verb: Option<&'a str>,
    resource: Option<&'a str>,
    subresource: Option<&'a str>,
    namespace: Option<&'a str>,
    name: Option<&'a str>,
}

/// How a client calls itself.
#[derive(Debug, Clone, Copy)]
struct Agent<'a> {
    /// What stands before the first slash.
    binary: &'a str,
    /// What stands behind the last one: client-go puts the user name of a controller there.
    user: &'a str,
}

impl VArrowScalar for OwnWords {
    type State = ();

    fn invoke(_: &(), input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        let mut lists = ListBuilder::new(StringBuilder::new());
        for kind in texts(&input, 0)? {
            let words = kind.and_then(Words::called).ok_or("there are no such words")?;
            lists.append_value(words.texts().map(Some));
        }
        Ok(Arc::new(lists.finish()))
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        let list = DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)));
        vec![ArrowFunctionSignature::exact(vec![DataType::Utf8], list)]
    }
}

/// Why there is no answer: the views were made without looking for homes.
const NOT_LOADED: &str = "nobody has looked where the components of the cluster are at home";

impl VArrowScalar for OwnHome {
    type State = Homes;

    fn invoke(homes: &Homes, input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        let homes = homes.loaded().ok_or(NOT_LOADED)?;
        let addresses = texts(&input, 0)?;
        Ok(Arc::new(addresses.iter().map(|address| Some(homes.is_home(address?))).collect::<BooleanArray>()))
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        vec![ArrowFunctionSignature::exact(vec![DataType::Utf8], DataType::Boolean)]
    }
}

impl VArrowScalar for OwnRequest {
    type State = Homes;

    fn invoke(homes: &Homes, input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        let homes = homes.loaded().ok_or(NOT_LOADED)?;
        let [users, groups, agents, agent_users, verbs] = [0, 2, 3, 4, 5].map(|at| places(&input, at));
        let (users, groups, agents, agent_users, verbs) = (users?, groups?, agents?, agent_users?, verbs?);
        let (resources, subresources, namespaces) = (places(&input, 6)?, places(&input, 7)?, places(&input, 8)?);
        let (nodes, names, clusters, addresses) =
            (texts(&input, 1)?, texts(&input, 9)?, texts(&input, 10)?, texts(&input, 11)?);
        let answers = (0..input.num_rows()).map(|row| {
            let user = Some(nodes.value(row)).filter(|node| !node.is_empty()).or(USERS.at(users.value(row)));
            let binary = AGENTS.at(agents.value(row));
            // One without a slash has nothing behind it that could be a user.
            let agent_user = USERS.at(agent_users.value(row)).unwrap_or_default();
            let request = Request {
                user,
                groups: usize::try_from(groups.value(row)).ok().and_then(|sum| GROUPS.get(sum).copied()),
                agent: binary.map(|binary| Agent { binary, user: agent_user }),
                verb: VERBS.at(verbs.value(row)),
                resource: KINDS.at(resources.value(row)),
                subresource: SUBRESOURCES.at(subresources.value(row)),
                namespace: NAMESPACES.at(namespaces.value(row)),
                name: Some(names.value(row)).filter(|name| !name.is_empty()),
            };
            let is_at_home = || {
                let process = user.and_then(process);
                process.is_none_or(|process| homes.may_be(process, clusters.value(row), addresses.value(row)))
            };
            Some(looks_own(&request) && is_at_home())
        });
        Ok(Arc::new(answers.collect::<BooleanArray>()))
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        let (place, text) = (DataType::Int32, DataType::Utf8);
        let mut parameters = vec![place.clone(), text.clone()];
        parameters.extend(std::iter::repeat_n(place, 7));
        parameters.extend(std::iter::repeat_n(text, 3));
        vec![ArrowFunctionSignature::exact(parameters, DataType::Boolean)]
    }
}

fn places(input: &RecordBatch, at: usize) -> Result<&Int32Array, Box<dyn Error>> {
    input.column(at).as_primitive_opt::<Int32Type>().ok_or_else(|| format!("argument {at} is no place").into())
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
            _ if user.starts_with(NODE) => "node",
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

/// Whether a component of the cluster is called so.
pub(crate) fn is_component(name: &str) -> bool {
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
    has_groups(component, user, request.groups)
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
fn has_agent(component: &Component, user: &str, agent: Agent<'_>) -> bool {
    let binary = agent.binary;
    let in_one = ALL_IN_ONE.contains(&binary);
    match component.name {
        "apiserver" => in_one || binary == "kube-apiserver",
        // The kubelet of kubemark, with which clusters are tried out.
        "node" => in_one || binary == "kubelet" || binary == "hollow-kubelet",
        name if user.starts_with(IN_KUBE_SYSTEM) && process(user) == Some("kube-controller-manager") => {
            (in_one || binary == "kube-controller-manager" || binary == name) && agent.user == user
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
        Of::Namespaced => request.namespace.is_some(),
        Of::AllBut(these) => {
            request.resource.is_some_and(|resource| !has_word(these, resource) && !kinds::holds_the_cluster(resource))
        }
    }
}

fn has_word(words: &str, word: &str) -> bool {
    words.split(' ').any(|known| known == word)
}

#[cfg(test)]
mod tests;
