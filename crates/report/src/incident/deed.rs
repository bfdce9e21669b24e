//! A row of a detection as a sentence: who did what to what.
//!
//! The sentence is made of what the row has, by the names of its columns, so that a query that is added later, or one of
//! the user's own, is told as well. Names stay apart from words ([`Span::Name`]), whoever chose them.

use super::row::Row;
use crate::document::{Level, Span, Text, instant};
use crate::visible::escape;

/// The resource of a token among objects that were made.
pub(crate) const TOKEN: &str = "serviceaccounts/token";

/// Something that somebody did, as detections tell it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deed {
    /// When, in microseconds since 1970; of several, the first.
    pub at: i64,
    /// When the last of several was.
    pub until: i64,
    /// Who sent it; `None` when nobody was authenticated.
    pub who: Option<String>,
    /// As whom, when somebody was impersonated.
    pub as_whom: Option<String>,
    /// From which addresses.
    pub from: Vec<String>,
    /// What was done, as a sentence without its subject.
    pub words: Text,
    /// How much the sentence tells beyond verb and object: of several about the same, the most telling is told.
    pub telling: u32,
    /// The outcome, when the row has one.
    pub outcome: Option<String>,
    /// Whether it was a dry run: nothing was done.
    pub is_dry: bool,
    /// How bad the worst detection says that it is.
    pub level: Level,
    /// The detections that tell of it, the worst first.
    pub queries: Vec<String>,
    /// The request, when the row is one.
    pub audit_id: Option<String>,
    /// What it made, when it made something.
    pub made: Option<Object>,
    /// How often the same was done in a row.
    pub times: u64,
}

/// An object of the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Object {
    /// The cluster that it is in, when the row tells.
    pub cluster: Option<String>,
    /// Its resource, in the plural, as in the log.
    pub resource: String,
    /// Its namespace.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

/// What a sentence adds when the row has it: the column, and the words before its value.
const DETAILS: [(&str, &str); 27] = [
    ("role_ref", "giving"),
    ("subjects", "to"),
    ("subject", "to"),
    ("rule", "with the rule"),
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
    ("powers", "which can"),
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
        let users = row.users();
        let as_whom = row.text("impersonated_user").map(str::to_owned);
        let (words, telling) = sentence(row);
        let mut deed = Self {
            at,
            until,
            who: users.first().map(|user| (*user).to_owned()),
            as_whom,
            from: row.source_ips().into_iter().map(str::to_owned).collect(),
            words,
            telling,
            outcome: outcome(row).map(str::to_owned),
            is_dry: row.is_true("dry_run"),
            // Whether a server is well everybody may ask.
            level: if row.is_true("probe") { Level::Info } else { level },
            queries: vec![query.to_owned()],
            audit_id: row.text("audit_id").map(str::to_owned),
            made: made(row),
            times: 1,
        };
        deed.settle();
        Some(deed)
    }

    /// A dry run makes nothing, and shows no more than what somebody wants to know or to do: it is not among the worst.
    pub(crate) fn settle(&mut self) {
        if self.is_dry {
            self.made = None;
            self.level = self.level.min(Level::Medium);
        }
    }

    /// The sentence without its subject, with what it has to say of all of it.
    pub(crate) fn sentence(&self) -> Text {
        match self.is_dry {
            true => Text::plain(DRY_RUN).then(self.words.clone()),
            false => self.words.clone(),
        }
    }

    /// The sentence as one text, with what a terminal obeys made visible.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text: String = self.sentence().0.iter().map(span).collect();
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
fn outcome(row: Row<'_>) -> Option<&str> {
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

/// Whether a request that was allowed made its object: a server-side apply is a `patch`, and some kinds can be made by
/// an `update`; the server answers them with 201.
fn is_creation(row: Row<'_>) -> bool {
    match row.text("verb") {
        Some("create") => true,
        Some("patch" | "update") => row.number("status_code") == Some(201),
        _ => false,
    }
}

fn span(span: &Span) -> String {
    match span {
        Span::Plain(words) | Span::Strong(words) | Span::Link { words, .. } => words.clone(),
        Span::Name(name) => escape(name).into_owned(),
        Span::Level(level) => level.name().to_owned(),
    }
}

/// What a request made: only what was allowed, and has a name.
fn made(row: Row<'_>) -> Option<Object> {
    if row.has("granted_seconds") && row.text("outcome") == Some("allowed") {
        let (namespace, name) = row.text("service_account")?.split_once('/')?;
        return Some(Object {
            cluster: row.text("cluster").map(str::to_owned),
            resource: TOKEN.to_owned(),
            namespace: Some(namespace.to_owned()),
            name: name.to_owned(),
        });
    }
    if !is_creation(row) || outcome(row) != Some("allowed") || row.text("subresource").is_some() {
        return None;
    }
    Some(Object {
        cluster: row.text("cluster").map(str::to_owned),
        resource: row.text("resource")?.to_owned(),
        namespace: row.text("namespace").map(str::to_owned),
        name: row.text("name")?.to_owned(),
    })
}

/// The sentence, and how much it tells.
fn sentence(row: Row<'_>) -> (Text, u32) {
    const OWN: u32 = 10;
    let own = failures(row).or_else(|| command(row)).or_else(|| token(row)).or_else(|| secrets(row));
    // As whom it was done stands before the sentence: what else a detection tells of the request says more.
    if let (None, Some(text)) = (&own, acted(row)) {
        return (text, 2);
    }
    if let Some(text) = own.or_else(|| kubelet(row)) {
        // A command in a template runs when its pods do: what was made tells more.
        return (text, if row.text("via") == Some("template") { 1 } else { OWN });
    }
    if let Some(text) = looked(row) {
        // How often somebody sent something tells less than anything that was done.
        let is_told = ["kinds", "secrets", "collections"].iter().any(|name| row.number(name).is_some());
        return (text, if is_told { OWN } else { 0 });
    }
    let told = DETAILS.iter().filter(|(name, _)| !row.texts(name).is_empty()).count();
    (details(row, request(row)), 2 + u32::try_from(told).unwrap_or(OWN))
}

/// `23 times unauthenticated`.
fn failures(row: Row<'_>) -> Option<Text> {
    let attempts = row.number("attempts")?;
    let text = match row.text("failure").unwrap_or_default() {
        "unauthenticated" => format!("failed to authenticate {attempts} times"),
        "anonymous" => format!("was refused without credentials {attempts} times"),
        "impersonation" => format!("was refused an impersonation {attempts} times"),
        _ => format!("was refused {attempts} times"),
    };
    let others: Vec<String> = row.texts("users").into_iter().skip(1).map(str::to_owned).collect();
    let text = Text::plain(text.replace(" 1 times", " once"));
    Some(match others.is_empty() {
        true => text,
        false => listed(text.and(", and so was "), &others),
    })
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
    let handed_out = row.text("handed_out")?;
    let did = match handed_out {
        "values" => "read the values of ",
        "metadata" => "listed the names of ",
        "nothing" => "tried to read ",
        _ => "may have read ",
    };
    Some(match (row.text("name"), row.text("namespace")) {
        (Some(_), _) => Text::plain(did).and("the secret ").and_name(place(row)),
        (None, Some(namespace)) => Text::plain(did).and("all secrets of ").and_name(namespace),
        (None, None) => Text::plain(did).and_strong("all secrets of the cluster"),
    })
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

/// What a row tells that stands for many requests.
fn looked(row: Row<'_>) -> Option<Text> {
    if row.text("verb").is_some() {
        return None;
    }
    let count = |name: &str, one: &str, many: &str| {
        row.number(name).map(|number| format!("{number} {}", if number == 1 { one } else { many }))
    };
    if let (Some(credential), addresses) = (row.text("credential"), row.source_ips().len()) {
        let clients = row.texts("clients").into_iter().map(str::to_owned).collect::<Vec<_>>();
        let text = match row.users().as_slice() {
            // Where the log has no ids of credentials, it is called like its user.
            [user] if *user == credential => Text::plain("used one credential from "),
            _ => Text::plain("used the credential ").and_name(credential).and(" from "),
        };
        let text = text.and(if addresses == 1 { "1 address".to_owned() } else { format!("{addresses} addresses") });
        return Some(listed(text.and(" with "), &clients));
    }
    if let Some(attempts) = count("attempts", "time", "times") {
        return Some(Text::plain(format!("failed to authenticate {attempts}")));
    }
    if let Some(deleted) = count("collections", "collection", "collections") {
        let of_one = |resources: &[&str]| match resources {
            [resource] => Some(format!("{} {}", row.number("deleted")?, escape(&short(resource)))),
            _ => None,
        };
        let resources = row.texts("resources");
        if let (Some(0), Some(all)) = (row.number("collections"), of_one(&resources)) {
            return Some(Text::plain(format!("deleted {all} in a burst")));
        }
        let one_by_one = count("deleted", "object", "objects").unwrap_or_default();
        let deleted = match row.number("collections") {
            Some(0) | None => one_by_one,
            Some(_) => format!("{one_by_one} and {deleted}"),
        };
        return Some(details_of(row, Text::plain(format!("deleted {deleted} in a burst")), &["resources"]));
    }
    let requests = count("requests", "request", "requests")?;
    let refused = row.number("refused").or_else(|| row.number("denied")).filter(|number| *number > 0);
    let refused = refused.map(|number| format!(", {number} refused")).unwrap_or_default();
    let text = match (row.number("kinds"), row.number("secrets"), row.text("user_agent")) {
        (Some(kinds), ..) => Text::plain(format!("listed {kinds} kinds in {requests}{refused}")),
        (None, Some(secrets), _) => Text::plain(format!("read {secrets} secrets in {requests}{refused}")),
        (None, None, Some(agent)) => {
            Text::plain("used ").and_name(client(agent)).and(format!(" for {requests}{refused}"))
        }
        (None, None, None) => Text::plain(format!("sent {requests}{refused}")),
    };
    let text = match row.texts("actions").as_slice() {
        [] => text,
        actions => {
            let actions: Vec<String> = actions.iter().map(|action| (*action).to_owned()).collect();
            listed(text.and(": "), &actions)
        }
    };
    Some(details_of(row, text, &["resources"]))
}

/// A client as people say it: `curl/8.5.0` of all that it says about itself.
fn client(agent: &str) -> String {
    short(agent.split(' ').next().unwrap_or(agent))
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
        "deletecollection" => "deleted all",
        "approve" => "approved",
        "sign" => "signed",
        "deny" => "denied",
        other => other,
    };
    let text = match outcome(row) {
        Some("denied" | "failed") => Text::plain("tried: ").then(infinitive(row)),
        Some("unknown") => Text::plain(format!("may have {did} ")).then(object(row)),
        _ => Text::plain(format!("{did} ")).then(object(row)),
    };
    match row.number("deleted").filter(|_| verb == "deletecollection") {
        Some(number) => text.and(format!(", {number} of them")),
        None => text,
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

/// The name of one of a resource: `pod` of `pods`. Names of resources are plurals, as English makes them.
pub(crate) fn singular(resource: &str) -> String {
    if let Some(stem) = resource.strip_suffix("ies") {
        return format!("{stem}y");
    }
    match resource.strip_suffix("sses") {
        Some(stem) => format!("{stem}ss"),
        None => resource.strip_suffix('s').unwrap_or(resource).to_owned(),
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
        if *name == "powers"
            && ["every verb", "every resource"].iter().all(|power| values.iter().any(|one| one == power))
        {
            text = text.and(", which can do everything");
            continue;
        }
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
