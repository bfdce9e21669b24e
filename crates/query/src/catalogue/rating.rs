//! What a canned query is about, and how bad its rows are.

/// By which of its columns an answer about addresses tells which ones were only claimed; by its name in headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Claimed {
    /// The claimed addresses of a row stand in `forwarded_for`: a text, or a list.
    ForwardedFor,
    /// A row of a dossier is about a claimed address where its `aspect` says so.
    Aspect,
}

/// What a canned query is about; the order of lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// What an investigation begins with.
    Start,
    /// Who read or changed what.
    Access,
    /// Secrets, tokens and certificates.
    Credentials,
    /// Commands and workloads that were run.
    Execution,
    /// Rights that were gained or used.
    Privilege,
    /// What stays behind.
    Persistence,
    /// What hides an intrusion.
    Evasion,
    /// What was tried and explored.
    Discovery,
    /// What was destroyed or taken over.
    Impact,
    /// Who is who.
    Identity,
    /// How the cluster and its log do.
    Operations,
    /// A query of the user's own.
    #[default]
    Own,
}

impl Group {
    /// Its name in lists and headers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Access => "access",
            Self::Credentials => "credentials",
            Self::Execution => "execution",
            Self::Privilege => "privilege",
            Self::Persistence => "persistence",
            Self::Evasion => "evasion",
            Self::Discovery => "discovery",
            Self::Impact => "impact",
            Self::Identity => "identity",
            Self::Operations => "operations",
            Self::Own => "own",
        }
    }
}

/// Whether a query tells what happened or points at what should be looked into.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum QueryKind {
    /// An account: rows are there in every cluster, and say nothing by themselves.
    #[default]
    Question,
    /// A row is worth a look: it is what an intruder does, or an accident that looks like it.
    Detection,
}

impl QueryKind {
    /// Its name in lists and headers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Question => "question",
            Self::Detection => "detection",
        }
    }
}

/// How bad a row is when it is what it looks like; the order of triage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing by itself.
    #[default]
    Info,
    /// Daily work that an intruder does too.
    Low,
    /// Seldom, and mostly with a good reason.
    Medium,
    /// Seldom, and bad without a good reason.
    High,
    /// The cluster, or a credential of it, is in other hands.
    Critical,
}

impl Severity {
    /// Its name in lists and headers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}
