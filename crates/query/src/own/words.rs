//! The words that can make a difference to whose work a request is.
//!
//! SQL looks a column up in such a list with `list_position`. DuckDB does that once for each different value that a page of
//! Parquet holds, where a function of ours would be given every row.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::deeds::{COMPONENTS, CONTROLLERS_READ, Deed, EVERYBODY, Of};
use super::{ALL_IN_ONE, IN_KUBE_SYSTEM, component};
use crate::kinds::guards_and_frame;

/// What a word that is in no list is taken for: no name of a component, verb or kind.
const OTHER: &str = "\0";

/// Words, each once.
pub(super) struct Words(LazyLock<Vec<String>>);

/// User names of components, but for kubelets.
pub(super) static USERS: Words = Words(LazyLock::new(|| {
    let accounts = COMPONENTS.iter().map(|component| format!("{IN_KUBE_SYSTEM}{}", component.name));
    let users = COMPONENTS.iter().map(|component| format!("system:{}", component.name));
    with_absent("", users.chain(accounts).filter(|user| component(user).is_some()))
}));

/// How components call their binaries. A client that calls itself nothing has no name before its first slash either, and
/// one that begins with a slash must not be taken for it.
pub(super) static AGENTS: Words = Words(LazyLock::new(|| {
    let binaries = ALL_IN_ONE.into_iter().chain(["kube-apiserver", "kubelet", "hollow-kubelet"]);
    let names = COMPONENTS.iter().map(|component| component.name);
    with_absent("/", binaries.chain(names).map(str::to_owned))
}));

/// Verbs of deeds.
pub(super) static VERBS: Words = Words(LazyLock::new(|| {
    let verbs = deeds().flat_map(|deed| deed.verbs.split(' ')).chain(["get", "list", "watch", "head"]);
    with_absent("", verbs.map(str::to_owned))
}));

/// Resources of deeds.
pub(super) static KINDS: Words = Words(LazyLock::new(|| {
    let left_out = deeds().filter_map(|deed| match deed.of {
        Of::AllBut(these) => Some(these),
        _ => None,
    });
    let kinds = deeds().map(|deed| deed.kinds).chain(left_out).chain([CONTROLLERS_READ, "configmaps"]);
    let kinds = kinds.flat_map(|kinds| kinds.split(' ')).filter(|kind| !kind.is_empty()).chain(guards_and_frame());
    // What is written like a resource with a subresource is compared like any other text.
    let parts = kinds.flat_map(|kind| [Some(kind), kind.split_once('/').map(|(resource, _)| resource)]);
    with_absent("", parts.flatten().map(str::to_owned))
}));

/// Subresources of deeds.
pub(super) static SUBRESOURCES: Words = Words(LazyLock::new(|| {
    let kinds = deeds().flat_map(|deed| deed.kinds.split(' '));
    with_absent("", kinds.filter_map(|kind| kind.split_once('/')).map(|(_, subresource)| subresource.to_owned()))
}));

/// Namespaces of deeds.
pub(super) static NAMESPACES: Words = Words(LazyLock::new(|| {
    let namespaces = deeds().filter_map(|deed| match deed.of {
        Of::In(namespace) | Of::InCalled(namespace, _) => Some(namespace),
        Of::Component => Some("kube-system"),
        Of::Any | Of::Named | Of::Called(_) | Of::Namespaced | Of::AllBut(..) => None,
    });
    with_absent("", namespaces.map(str::to_owned))
}));

impl Words {
    /// Those of a kind.
    pub(super) fn called(kind: &str) -> Option<&'static Self> {
        Some(match kind {
            "users" => &USERS,
            "agents" => &AGENTS,
            "verbs" => &VERBS,
            "kinds" => &KINDS,
            "subresources" => &SUBRESOURCES,
            "namespaces" => &NAMESPACES,
            _ => return None,
        })
    }

    /// All of them, the one that stands for what is absent first.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The word at a place as SQL counts, from 1; `None` for what is absent.
    pub(super) fn at(&self, place: i32) -> Option<&str> {
        match usize::try_from(place).ok().and_then(|place| place.checked_sub(1)) {
            Some(0) => None,
            Some(at) => Some(self.0.get(at).map_or(OTHER, String::as_str)),
            None => Some(OTHER),
        }
    }
}

fn with_absent(absent: &str, words: impl Iterator<Item = String>) -> Vec<String> {
    let words: BTreeSet<String> = words.collect();
    std::iter::once(absent.to_owned()).chain(words).collect()
}

fn deeds() -> impl Iterator<Item = &'static Deed> {
    EVERYBODY.iter().chain(COMPONENTS.iter().flat_map(|component| component.deeds))
}
