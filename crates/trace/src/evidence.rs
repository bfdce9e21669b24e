//! What conclusions are drawn from: requests, one by one or counted.

/// How a request ended, as the view `requests` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Status below 400, or a stream that started.
    Allowed,
    /// 401, 403, or a denied impersonation.
    Denied,
    /// Another status from 400 on.
    Failed,
    /// The answer is not in the log.
    Unknown,
}

impl Outcome {
    /// Reads the word of the view; what is none of them is unknown.
    pub fn of(text: &str) -> Self {
        match text {
            "allowed" => Self::Allowed,
            "denied" => Self::Denied,
            "failed" => Self::Failed,
            _ => Self::Unknown,
        }
    }

    /// The word of the view.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// What was asked of the server, without the name of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Act {
    /// Verb.
    pub verb: String,
    /// API group; `None` for the core group.
    pub api_group: Option<String>,
    /// Resource; `None` for a request about none.
    pub resource: Option<String>,
    /// Subresource.
    pub subresource: Option<String>,
    /// Namespace.
    pub namespace: Option<String>,
    /// Whose rights were used instead of the user's own.
    pub impersonated: Option<String>,
    /// Of which cluster, where its log was read under a name.
    pub cluster: Option<String>,
}

/// Requests that are alike but for their time and object, counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// Who sent them; `None` when authentication failed.
    pub user: Option<String>,
    /// The last source address.
    pub address: Option<String>,
    /// What the client calls itself.
    pub agent: Option<String>,
    /// Credential, where the server names it.
    pub credential: Option<String>,
    /// What was asked.
    pub act: Act,
    /// How it ended.
    pub outcome: Outcome,
    /// How often.
    pub requests: u64,
    /// Time of the first, in microseconds since 1970.
    pub first: i64,
    /// Time of the last, in microseconds since 1970.
    pub last: i64,
    /// Audit ids of the first ones, oldest first.
    pub audit_ids: Vec<String>,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// When the server received it, in microseconds since 1970.
    pub time: i64,
    /// Its audit id; a client can choose it.
    pub audit_id: String,
    /// Who sent it.
    pub user: Option<String>,
    /// The last source address.
    pub address: Option<String>,
    /// What the client calls itself.
    pub agent: Option<String>,
    /// Credential, where the server names it.
    pub credential: Option<String>,
    /// What was asked.
    pub act: Act,
    /// Name of the object.
    pub name: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// Status of the answer.
    pub status: Option<i64>,
    /// Path and query.
    pub uri: String,
    /// Credential that the request made.
    pub issued_credential: Option<String>,
    /// Body of the request, JSON.
    pub sent: Option<String>,
    /// Body of the answer, JSON.
    pub answered: Option<String>,
}

impl Request {
    /// Whether it made the object that it names: a server-side apply is a `patch`, and some kinds can be made by an
    /// `update`; the server answers them with 201.
    pub fn is_creation(&self) -> bool {
        match self.act.verb.as_str() {
            "create" => true,
            "patch" | "update" => self.status == Some(201),
            _ => false,
        }
    }
}

/// What the log tells about a pod.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct PodFact {
    /// Namespace of the pod.
    pub namespace: String,
    /// Name of the pod.
    pub name: String,
    /// Service account that it runs as.
    pub service_account: Option<String>,
    /// Node that it runs on.
    pub node: Option<String>,
    /// Request that tells it.
    pub audit_id: String,
    /// When, in microseconds since 1970.
    pub time: i64,
}

/// Who used a binding, by the authorizer's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindingUse {
    /// `ClusterRoleBinding` or `RoleBinding`.
    pub kind: String,
    /// Namespace of a RoleBinding.
    pub namespace: Option<String>,
    /// Name of the binding.
    pub name: String,
    /// Whose rights counted.
    pub user: String,
    /// Time of the first use, in microseconds since 1970.
    pub first: i64,
    /// How often.
    pub requests: u64,
    /// Audit ids of the first ones.
    pub audit_ids: Vec<String>,
}

/// A binding by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BindingName {
    /// Namespace of a RoleBinding; `None` for a ClusterRoleBinding.
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
}

/// Where evidence comes from: a case, or a list in a test.
pub trait Evidence {
    /// What can go wrong with it.
    type Error;

    /// All requests, counted.
    ///
    /// # Errors
    /// When the case cannot be read.
    fn activities(&mut self) -> Result<Vec<Activity>, Self::Error>;

    /// The requests of some users, each from a time on, that have consequences: writes, reads of secrets, entries
    /// into pods, impersonations. By time, then audit id; at most `limit`.
    ///
    /// # Errors
    /// When the case cannot be read.
    fn deeds(&mut self, of: &[(String, i64)], limit: usize) -> Result<Vec<Request>, Self::Error>;

    /// Requests with these audit ids, by time.
    ///
    /// # Errors
    /// When the case cannot be read.
    fn requests(&mut self, audit_ids: &[String]) -> Result<Vec<Request>, Self::Error>;

    /// Requests that made these credentials, by time.
    ///
    /// # Errors
    /// When the case cannot be read.
    fn origins(&mut self, credentials: &[String]) -> Result<Vec<Request>, Self::Error>;

    /// What is known about pods, given as namespace and name.
    ///
    /// # Errors
    /// When the case cannot be read.
    fn pods(&mut self, pods: &[(String, String)]) -> Result<Vec<PodFact>, Self::Error>;

    /// Who used these bindings.
    ///
    /// # Errors
    /// When the case cannot be read.
    fn binding_uses(&mut self, bindings: &[BindingName]) -> Result<Vec<BindingUse>, Self::Error>;
}
