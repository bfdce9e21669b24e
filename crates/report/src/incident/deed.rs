//! A row of a detection as a sentence: who did what to what.
//!
//! The sentence is made of what the row has, by the names of its columns, so that a query that is added later, or one of
//! the user's own, is told as well. Names stay apart from words ([`Span::Name`]), whoever chose them.

mod rights;
mod sum;
mod taken;

use super::object::{Object, is_change_of_rights, is_creation, made, singular};
use super::row::Row;
use super::sender::Sender;
use crate::document::{Level, Span, Text, instant};
use crate::visible::escape;
pub use rights::Rights;
use sum::looked;
pub use taken::Taken;

/// Something that somebody did, as detections tell it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deed {
    /// When, in microseconds since 1970; of several, the first.
    pub at: i64,
    /// When the last of several was.
    pub until: i64,
    /// The cluster that it was in, when the row tells and the logs come from several.
    pub cluster: Option<String>,
    /// Who sent it.
    pub who: Sender,
    /// As whom, when somebody was impersonated.
    pub as_whom: Option<String>,
    /// From which addresses.
    pub from: Vec<String>,
    /// What was done, as a sentence without its subject.
    pub words: Text,
    /// How much the sentence tells beyond verb and object: of several about the same, the most telling is told.
    pub telling: u32,
    /// What it took, when the words are about the deletion of many objects at once.
    pub taken: Option<Taken>,
    /// The rules of a role that it wrote.
    pub rights: Rights,
    /// The outcome, when the row has one.
    pub outcome: Option<String>,
    /// Whether it was a dry run: nothing was done.
    pub is_dry: bool,
    /// Whether its answer, which held values of secrets, was all that it was for.
    pub hands_out: bool,
    /// Whether what it wrote gives everything.
    pub gives_all: bool,
    /// How bad the worst detection says that it is.
    pub level: Level,
    /// The detections that tell of it, the worst first.
    pub queries: Vec<String>,
    /// The request, when the row is one.
    pub audit_id: Option<String>,
    /// What it made, when it made something.
    pub made: Option<Object>,
    /// Whether that was there before, and was changed.
    pub is_change: bool,
    /// How often the same was done in a row.
    pub times: u64,
}

/// What a sentence adds when the row has it: the column, and the words before its value.
const DETAILS: [(&str, &str); 25] = [
    ("role_ref", "giving"),
    ("subjects", "to"),
    ("subject", "to"),
    ("reasons", "with"),
    ("signs", "with"),
    ("attack_signs", "with"),
    ("credential_signs", "for"),
    ("images", "image"),
    ("ephemeral_images", "image"),
    ("schedule", "schedule"),
    ("commands", "command"),
    ("token_for", "for"),
    ("signer_name", "signer"),
    ("subject_user", "for the user"),
    ("subject_groups", "in"),
    ("targets", "calling"),
    ("intercepts", "for"),
    ("kubelet_path", "path"),
    ("keys_sent", "keys"),
    ("ports", "port"),
    ("exposure", "by"),
    ("hosts", "host"),
    ("violation", "violation:"),
    ("plugin", "against"),
    ("resources", "of"),
];

/// Elements of a list that a sentence names.
const NAMED_MAX: usize = 4;

/// Characters of a value that a sentence shows; the row has all of it.
const DETAIL_CHARS_MAX: usize = 80;

impl Deed {
    /// What a row of the detection `query` tells, unless it has no time.
    pub(crate) fn of(row: Row<'_>, query: &str, level: Level) -> Option<Self> {
        let (at, until) = row.times()?;
        let as_whom = row.text("impersonated_user").map(str::to_owned);
        let (words, telling, taken) = sentence(row);
        let rights = Rights::of(row);
        let mut deed = Self {
            at,
            until,
            cluster: row.text("cluster").map(str::to_owned),
            who: Sender::of(row),
            as_whom,
            from: row.source_ips().into_iter().map(str::to_owned).collect(),
            words,
            telling,
            taken,
            gives_all: outcome(row) == Some("allowed") && (rights.is_all || gives_all(row)),
            rights,
            outcome: outcome(row).map(str::to_owned),
            is_dry: row.is_true("dry_run"),
            hands_out: matches!(row.text("handed_out"), Some("values" | "object")) && by_nothing(row).is_some(),
            // Whether a server is well everybody may ask.
            level: if row.is_true("probe") { Level::Info } else { level },
            queries: vec![query.to_owned()],
            audit_id: row.text("audit_id").map(str::to_owned),
            made: made(row),
            is_change: is_change_of_rights(row),
            times: 1,
        };
        deed.settle();
        Some(deed)
    }

    /// A dry run makes nothing, and shows no more than what somebody wants to know or to do: it is not among the worst,
    /// unless it was for the values of secrets in its answer.
    pub(crate) fn settle(&mut self) {
        if self.is_dry {
            self.made = None;
            self.gives_all = false;
        }
        if self.is_dry && !self.hands_out {
            self.level = self.level.min(Level::Medium);
        }
    }

    /// The sentence without its subject, with what it has to say of all of it.
    pub(crate) fn sentence(&self) -> Text {
        let text = if self.is_dry { Text::plain(DRY_RUN) } else { Text::default() };
        let text = match &self.taken {
            Some(taken) => taken.told(text, &self.words),
            None => text.then(self.words.clone()),
        };
        let text = self.rights.told(text);
        match &self.cluster {
            Some(cluster) => text.and(", in the cluster ").and_name(short(cluster)),
            None => text,
        }
    }

    /// Whether it says the same as another, of the same sender.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let of = |deed: &'_ Self| (deed.is_dry, deed.taken.clone(), deed.rights.clone());
        (&self.who, &self.cluster, &self.words, &self.from, &self.outcome)
            == (&other.who, &other.cluster, &other.words, &other.from, &other.outcome)
            && of(self) == of(other)
    }

    /// Takes what another row tells of the same request. Findings come worst first, so that what is known is at least
    /// as bad.
    pub(crate) fn join(&mut self, other: &Self) {
        if other.telling > self.telling {
            self.words = other.words.clone();
            self.telling = other.telling;
            self.taken.clone_from(&other.taken);
        }
        self.rights.join(&other.rights);
        self.level = self.level.max(other.level);
        for query in &other.queries {
            if !self.queries.contains(query) {
                self.queries.push(query.clone());
            }
        }
        if self.who == Sender::Untold {
            self.who = other.who.clone();
        }
        if self.made.is_none() {
            (self.made, self.is_change) = (other.made.clone(), other.is_change);
        }
        self.as_whom = self.as_whom.take().or_else(|| other.as_whom.clone());
        self.is_dry |= other.is_dry;
        self.hands_out |= other.hands_out;
        self.gives_all |= other.gives_all || self.rights.is_all;
        self.settle();
    }

    /// The sentence as one text, with what a terminal obeys made visible.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = plain(&self.sentence());
        if self.times > 1 {
            text.push_str(&format!(", {} times", self.times));
            text.push_str(&self.end());
        }
        match self.outcome.as_deref() {
            Some(outcome) if outcome != "allowed" => text.push_str(&format!(": {outcome}")),
            _ => (),
        }
        text
    }

    /// When the last of several was, where it was not at once.
    fn end(&self) -> String {
        const AT_ONCE: i64 = 60_000_000;
        if self.until.saturating_sub(self.at) < AT_ONCE {
            return String::new();
        }
        let (first, last) = (instant::seconds(self.at), instant::seconds(self.until));
        let is_same_day = first.get(..10) == last.get(..10);
        format!(" until {}", last.get(11..).filter(|_| is_same_day).unwrap_or(&last))
    }
}

/// What stands before what was a dry run.
pub(crate) const DRY_RUN: &str = "as a dry run: ";

/// The outcome of a row. One that counts requests says what became of them: whether any was allowed.
pub(crate) fn outcome(row: Row<'_>) -> Option<&str> {
    // Where the log has no answer the counts are absent, and what became of them is as unknown as where they are 0.
    let counted = |row: Row<'_>| match (row.number("allowed"), row.number("denied")) {
        (Some(1..), _) => Some("allowed"),
        (_, Some(1..)) => Some("denied"),
        _ => (row.has("allowed") && row.has("denied")).then_some("unknown"),
    };
    row.text("outcome").or_else(|| row.text("verb").and_then(|_| counted(row)))
}

/// What was done, as far as the outcome tells that it was: `ran`, `may have run`, `tried to run`.
fn done_or_tried(row: Row<'_>, [past, participle, infinitive]: [&str; 3]) -> String {
    match outcome(row) {
        Some("denied" | "failed") => format!("tried to {infinitive}"),
        Some("unknown") => format!("may have {participle}"),
        _ => past.to_owned(),
    }
}

/// A sentence as a terminal can show it.
pub(crate) fn plain(text: &Text) -> String {
    let spans = text.0.iter().map(|span| match span {
        Span::Plain(words) | Span::Strong(words) | Span::Link { words, .. } => words.clone(),
        Span::Name(name) => escape(name).into_owned(),
        Span::Level(level) => level.name().to_owned(),
    });
    spans.collect()
}

/// Whether a binding gives what nothing is left to ask for behind it: by the role that everybody knows, by one that somebody made
/// of all rights, or by the group.
fn gives_all(row: Row<'_>) -> bool {
    let groups = ["subjects", "subject", "subject_groups"];
    row.text("role_ref").is_some_and(|role| role.ends_with("/cluster-admin"))
        || row.texts("why").contains(&ALL_RIGHTS)
        || groups.iter().any(|name| row.texts(name).iter().any(|one| one.trim_start_matches("Group/") == MASTERS))
}

/// What `privileged-bindings` says of a role whose rules give everything.
const ALL_RIGHTS: &str = "role with all rights";

/// The group that every authorizer lets through.
const MASTERS: &str = "system:masters";

/// The sentence, how much it tells, and what the deletion took that it is about.
fn sentence(row: Row<'_>) -> (Text, u32, Option<Taken>) {
    const OWN: u32 = 10;
    let own = failures(row).or_else(|| command(row)).or_else(|| token(row));
    if let (None, Some(text)) = (&own, by_nothing(row)) {
        return (text, OWN + 1, None);
    }
    let own = own.or_else(|| secrets(row)).or_else(|| forwarded(row));
    // As whom it was done stands before the sentence: what else a detection tells of the request says more.
    if let (None, Some(text)) = (&own, acted(row)) {
        return (text, 2, None);
    }
    if let Some(text) = own.or_else(|| kubelet(row)) {
        // A command in a template runs when its pods do: what was made tells more.
        return (text, if row.text("via") == Some("template") { 1 } else { OWN }, None);
    }
    if let Some(text) = looked(row) {
        // How often somebody sent something tells less than anything that was done.
        let is_told = ["kinds", "secrets", "collections"].iter().any(|name| row.number(name).is_some());
        return (text, if is_told { OWN } else { 0 }, None);
    }
    let names = DETAILS.iter().map(|(name, _)| *name).chain(rights::COLUMNS);
    let told = names.filter(|name| !row.texts(name).is_empty()).count();
    (details(row, request(row)), 2 + u32::try_from(told).unwrap_or(OWN), Taken::of(row))
}

/// `23 times unauthenticated`.
fn failures(row: Row<'_>) -> Option<Text> {
    let attempts = row.number("attempts")?;
    let was = if row.users().len() > 1 { "were" } else { "was" };
    let text = match row.text("failure").unwrap_or_default() {
        "unauthenticated" => format!("failed to authenticate {attempts} times"),
        "anonymous" => format!("{was} refused without credentials {attempts} times"),
        "impersonation" => format!("{was} refused an impersonation {attempts} times"),
        _ => format!("{was} refused {attempts} times"),
    };
    Some(Text::plain(text.replace(" 1 times", " once")))
}

/// `ran cat /etc/shadow in the pod prod/web`.
fn command(row: Row<'_>) -> Option<Text> {
    let command = row.texts("command").join(" ");
    if command.is_empty() || row.text("kubelet_path").is_some() {
        return None;
    }
    let text = Text::plain(done_or_tried(row, ["ran ", "run ", "run "])).and_name(short(&command)).and(" in ");
    Some(details_of(row, text.and_name(place(row)), &["credential_signs", "attack_signs"]))
}

/// `minted a token of 10 years for kube-system/helper`.
fn token(row: Row<'_>) -> Option<Text> {
    let account = row.text("service_account").filter(|_| row.has("granted_seconds"))?;
    let did = done_or_tried(row, ["minted", "minted", "mint"]);
    let Some(seconds) = row.number("granted_seconds").or_else(|| row.number("requested_seconds")) else {
        return Some(Text::plain(format!("{did} a token of unknown life for ")).and_name(account));
    };
    let life = instant::length(seconds.saturating_mul(1_000_000));
    let life = if seconds >= 2 * YEAR { format!("{} years", seconds / YEAR) } else { life };
    Some(Text::plain(format!("{did} a token of {life} for ")).and_name(account))
}

/// Seconds of a year.
const YEAR: i64 = 365 * 86_400;

/// `read the values of all secrets of the cluster`.
fn secrets(row: Row<'_>) -> Option<Text> {
    const READS: [&str; 3] = ["get", "list", "watch"];
    let handed_out = row.text("handed_out")?;
    // What else answers with a secret did more than read it.
    if row.text("verb").is_some_and(|verb| !READS.contains(&verb)) {
        return None;
    }
    // A row that does not tell of which secrets is no row about all of them.
    if !row.has("namespace") {
        return None;
    }
    let did = match handed_out {
        "values" => "read the values of ",
        "metadata" => "listed the names of ",
        "nothing" => "tried to read ",
        _ => "may have read ",
    };
    let (all, fitting) = match row.text("selector") {
        Some(selector) => ("the secrets", Text::plain(" that fit ").and_name(short(selector))),
        None => ("all secrets", Text::default()),
    };
    Some(match (row.text("name"), row.text("namespace")) {
        (Some(_), _) => Text::plain(did).and("the secret ").and_name(place(row)),
        (None, Some(namespace)) => Text::plain(format!("{did}{all} of ")).and_name(namespace).then(fitting),
        (None, None) => Text::plain(did).and_strong(format!("{all} of the cluster")).then(fitting),
    })
}

/// The sign of a write whose answer is all that it is for.
const BY_NOTHING: &str = "secret asked for by a write of nothing";

/// `had the secret prod/db handed out by a write of nothing`.
fn by_nothing(row: Row<'_>) -> Option<Text> {
    let is_told = |name| row.texts(name).contains(&BY_NOTHING);
    if !["signs", "attack_signs", "credential_signs"].into_iter().any(is_told) {
        return None;
    }
    let did = match (row.text("handed_out"), outcome(row)) {
        (Some("values" | "object"), _) => "had ",
        (_, Some("denied" | "failed")) | (Some("nothing"), _) => "tried to have ",
        (Some("metadata"), _) => return None,
        _ => "may have had ",
    };
    let text = match (row.text("name"), row.text("namespace"), row.text("request_uri")) {
        (None, None, Some(path)) => Text::plain(did).and_name(short(path)),
        (None, None, None) => return None,
        (None, Some(namespace), _) => Text::plain(did).and("all secrets of ").and_name(namespace),
        (Some(_), ..) => Text::plain(did).and("the secret ").and_name(place(row)),
    };
    Some(text.and(" handed out by a write of nothing"))
}

/// `forwarded port 8080 of pod prod/web`.
fn forwarded(row: Row<'_>) -> Option<Text> {
    row.text("action").filter(|action| *action == "forward")?;
    let did = done_or_tried(row, ["forwarded", "forwarded", "forward"]);
    let ports: Vec<String> = row.texts("ports").into_iter().map(str::to_owned).collect();
    let text = match ports.len() {
        // Most clients name them inside of the stream.
        0 => Text::plain(format!("{did} ports")),
        1 => Text::plain(format!("{did} port ")).and_name(short(&ports[0])),
        _ => listed(Text::plain(format!("{did} ports ")), &ports),
    };
    Some(text.and(" of ").then(object(row)))
}

/// `acted as system:admin: list secrets`.
fn acted(row: Row<'_>) -> Option<Text> {
    let target = row.text("target")?;
    row.text("impersonation")?;
    Some(
        Text::plain(done_or_tried(row, ["acted as ", "acted as ", "act as "]))
            .and_name(target)
            .and(" to ")
            .then(infinitive(row)),
    )
}

/// `asked the kubelet of worker-1 for /pods`, past the authorization of pods.
fn kubelet(row: Row<'_>) -> Option<Text> {
    let path = row.text("kubelet_path")?;
    let node = row.text("name").unwrap_or_default();
    let tried = done_or_tried(row, ["asked", "asked", "ask"]);
    let text = Text::plain(format!("{tried} the kubelet of ")).and_name(short(node)).and(" for ").and_name(short(path));
    Some(match row.texts("command").join(" ") {
        command if command.is_empty() => text,
        command => text.and(", to run ").and_name(short(&command)),
    })
}

/// `created the pod kube-system/node-helper`.
fn request(row: Row<'_>) -> Text {
    let action = row.text("action");
    let made = is_creation(row).then_some("create").filter(|_| outcome(row) == Some("allowed"));
    let verb = action.or(made).or_else(|| row.text("verb")).unwrap_or("sent");
    let did = match verb {
        "get" => "read",
        "list" => "listed",
        "watch" => "watched",
        "create" => "created",
        "update" | "patch" => "changed",
        "delete" => "deleted",
        "approve" => "approved",
        "sign" => "signed",
        "deny" => "denied",
        other => other,
    };
    match outcome(row) {
        Some("denied" | "failed") => Text::plain("tried: ").then(infinitive(row)),
        // What it did stands before it, when it is known of which objects.
        _ if row.text("verb") == Some("deletecollection") && verb == "deletecollection" => object(row),
        Some("unknown") => Text::plain(format!("may have {did} ")).then(object(row)),
        _ => Text::plain(format!("{did} ")).then(object(row)),
    }
}

/// `list secrets`, `create pods kube-system/helper`.
fn infinitive(row: Row<'_>) -> Text {
    let verb = row.text("action").or_else(|| row.text("verb")).unwrap_or("request");
    Text::plain(format!("{} ", escape(verb))).then(object(row))
}

fn object(row: Row<'_>) -> Text {
    let is_one = row.text("name").is_some();
    let resource = match (row.text("resource"), row.text("subresource")) {
        (Some(resource), Some(part)) => format!("{resource}/{part}"),
        (Some(resource), None) if is_one => singular(resource),
        (Some(resource), None) => resource.to_owned(),
        (None, _) => String::new(),
    };
    let text = match resource.is_empty() {
        true => Text::default(),
        false => Text::name(short(&resource)).and(" "),
    };
    let place = place(row);
    match (place.is_empty(), row.text("request_uri")) {
        // A place without a name is a namespace.
        (false, _) if !is_one && !resource.is_empty() && row.text("node").is_none() => text.and("of ").and_name(place),
        (false, _) => text.and_name(place),
        (true, Some(path)) if resource.is_empty() => text.and_name(short(path)),
        (true, _) => text.and("of the whole cluster"),
    }
}

/// `namespace/name`, as far as there is one.
fn place(row: Row<'_>) -> String {
    let name = row.text("name").or_else(|| row.text("node"));
    let parts = [row.text("namespace"), name];
    let parts: Vec<&str> = parts.into_iter().flatten().collect();
    // The server names a namespace as its own namespace.
    match parts.as_slice() {
        [namespace, name] if namespace == name && row.text("resource") == Some("namespaces") => short(name),
        _ => short(&parts.join("/")),
    }
}

fn details(row: Row<'_>, text: Text) -> Text {
    let names = DETAILS.map(|(name, _)| name);
    details_of(row, text, &names)
}

fn details_of(row: Row<'_>, mut text: Text, names: &[&str]) -> Text {
    for (name, words) in DETAILS.iter().filter(|(name, _)| names.contains(name)) {
        let values: Vec<String> = row.texts(name).into_iter().map(str::to_owned).collect();
        if !values.is_empty() {
            text = listed(text.and(format!(", {words} ")), &values);
        }
    }
    text
}

fn listed(text: Text, values: &[String]) -> Text {
    let shown: Vec<String> = values.iter().take(NAMED_MAX).map(|value| short(value)).collect();
    let text = text.and_names(&shown);
    match values.len().saturating_sub(NAMED_MAX) {
        0 => text,
        more => text.and(format!(" and {more} more")),
    }
}

/// A value that is not longer than a sentence can bear.
fn short(value: &str) -> String {
    match value.char_indices().nth(DETAIL_CHARS_MAX) {
        None => value.to_owned(),
        Some((end, _)) => format!("{}…", &value[..end]),
    }
}

#[cfg(test)]
mod tests;
