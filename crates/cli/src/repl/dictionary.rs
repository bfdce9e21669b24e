//! The words that completion and suggestions choose from.

use std::collections::BTreeMap;

/// What is completed with values of the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ValueKind {
    User,
    Namespace,
    Resource,
    Verb,
    Address,
    Outcome,
    Stage,
    Level,
    Decision,
    /// A secret, `namespace/name`.
    Secret,
    Cluster,
    Host,
}

/// Columns and options by the kind of values that they hold.
const HOLDERS: [(&str, ValueKind); 18] = [
    ("user_name", ValueKind::User),
    ("impersonated_user", ValueKind::User),
    ("user", ValueKind::User),
    ("actor", ValueKind::User),
    ("address", ValueKind::Address),
    ("namespace", ValueKind::Namespace),
    ("resource", ValueKind::Resource),
    ("verb", ValueKind::Verb),
    ("source_ip", ValueKind::Address),
    ("source_ips", ValueKind::Address),
    ("source-ip", ValueKind::Address),
    ("outcome", ValueKind::Outcome),
    ("stage", ValueKind::Stage),
    ("level", ValueKind::Level),
    ("decision", ValueKind::Decision),
    ("secret", ValueKind::Secret),
    ("cluster", ValueKind::Cluster),
    ("host", ValueKind::Host),
];

impl ValueKind {
    /// The values of a column, or of an option without its dashes.
    pub(crate) fn of(name: &str) -> Option<Self> {
        HOLDERS.iter().find(|(holder, _)| holder.eq_ignore_ascii_case(name)).map(|(_, kind)| *kind)
    }

    /// Values that Kubernetes and this program fix, whatever the case holds.
    fn fixed(self) -> &'static [&'static str] {
        match self {
            Self::Outcome => &kforensic_query::catalogue::OUTCOMES,
            Self::Stage => &["ResponseComplete", "ResponseStarted", "RequestReceived", "Panic"],
            Self::Level => &["Metadata", "RequestResponse", "Request", "None"],
            Self::Decision => &["allow", "forbid"],
            _ => &[],
        }
    }
}

/// A view, or a kept result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct View {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
}

/// A canned query.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) name: String,
    /// Names of the parameters of its own.
    pub(super) parameters: Vec<String>,
    /// The parameter that a value behind its name sets, when it is one.
    pub(super) value: Option<String>,
    /// The names of its other views.
    pub(super) views: Vec<String>,
}

/// An option of `.run`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Flag {
    /// Its name, without dashes.
    pub(super) name: String,
    pub(super) takes_value: bool,
    /// The values that it takes, when these are fixed.
    pub(super) values: Vec<String>,
}

/// All words. It grows while the case is read in the background.
#[derive(Debug, Clone, Default)]
pub(super) struct Dictionary {
    pub(super) views: Vec<View>,
    /// `last`, `last2`…
    pub(super) results: Vec<View>,
    pub(super) functions: Vec<String>,
    pub(super) queries: Vec<Query>,
    pub(super) flags: Vec<Flag>,
    /// Values of the case, most frequent first.
    pub(super) values: BTreeMap<ValueKind, Vec<String>>,
}

impl Dictionary {
    /// Views and results with that name, in any case.
    pub(super) fn view(&self, name: &str) -> Option<&View> {
        self.relations().find(|view| view.name.eq_ignore_ascii_case(name))
    }

    /// What can stand behind FROM: results first, as they are what the analyst looks at.
    pub(super) fn relations(&self) -> impl Iterator<Item = &View> {
        self.results.iter().chain(&self.views)
    }

    /// The values of a kind, most frequent first.
    pub(super) fn values(&self, kind: ValueKind) -> impl Iterator<Item = &str> {
        let found = self.values.get(&kind).map(Vec::as_slice).unwrap_or_default();
        kind.fixed().iter().copied().chain(found.iter().map(String::as_str))
    }
}
