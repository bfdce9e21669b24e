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
        Some(Self {
            at,
            until,
            who: users.first().map(|user| (*user).to_owned()),
            as_whom,
            from: row.source_ips().into_iter().map(str::to_owned).collect(),
            words,
            telling,
            outcome: row.text("outcome").map(str::to_owned),
            // Whether a server is well everybody may ask.
            level: if row.is_true("probe") { Level::Info } else { level },
            queries: vec![query.to_owned()],
            audit_id: row.text("audit_id").map(str::to_owned),
            made: made(row),
            times: 1,
        })
    }

    /// The sentence as one text, with what a terminal obeys made visible.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text: String = self.words.0.iter().map(span).collect();
        if self.times > 1 {
            text.push_str(&format!(", {} times", self.times));
        }
        match self.outcome.as_deref() {
            Some(outcome) if outcome != "allowed" => text.push_str(&format!(": {outcome}")),
            _ => (),
        }
        text
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
            resource: TOKEN.to_owned(),
            namespace: Some(namespace.to_owned()),
            name: name.to_owned(),
        });
    }
    let is_made = row.text("verb") == Some("create") && row.text("outcome") == Some("allowed");
    if !is_made || row.is_true("dry_run") || row.text("subresource").is_some() {
        return None;
    }
    Some(Object {
        resource: row.text("resource")?.to_owned(),
        namespace: row.text("namespace").map(str::to_owned),
        name: row.text("name")?.to_owned(),
    })
}

/// The sentence, and how much it tells.
fn sentence(row: Row<'_>) -> (Text, u32) {
    const OWN: u32 = 10;
    let own = failures(row).or_else(|| command(row)).or_else(|| token(row)).or_else(|| secrets(row));
    if let Some(text) = own.or_else(|| acted(row)).or_else(|| kubelet(row)) {
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
    let text = Text::plain("ran ").and_name(short(&command)).and(" in ");
    Some(details_of(row, text.and_name(place(row)), &["credential_signs", "attack_signs"]))
}

/// `minted a token of 10 years for kube-system/helper`.
fn token(row: Row<'_>) -> Option<Text> {
    let account = row.text("service_account").filter(|_| row.has("granted_seconds"))?;
    let did = if row.text("outcome") == Some("allowed") { "minted" } else { "tried to mint" };
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
    let tried = if row.text("outcome") == Some("allowed") { "acted as " } else { "tried to act as " };
    Some(Text::plain(tried).and_name(target).and(" to ").then(infinitive(row)))
}

/// `asked the kubelet of worker-1 for /pods`, past the authorization of pods.
fn kubelet(row: Row<'_>) -> Option<Text> {
    let path = row.text("kubelet_path")?;
    let node = row.text("name").unwrap_or_default();
    let tried = if row.text("outcome") == Some("allowed") { "asked" } else { "tried to ask" };
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
    let verb = action.or_else(|| row.text("verb")).unwrap_or("sent");
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
    let tried = matches!(row.text("outcome"), Some("denied" | "failed"));
    let text = if tried {
        Text::plain("tried: ").then(infinitive(row))
    } else {
        Text::plain(format!("{did} ")).then(object(row))
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
mod tests {
    use super::super::row::tests::row_of;
    use super::*;
    use crate::document::Value;

    fn told(pairs: &[(&str, Value)]) -> String {
        let (columns, mut values) = row_of(pairs);
        let mut columns_list = pairs.to_vec();
        columns_list.push(("event_time", Value::Time(5)));
        let (columns, values) = match columns.list.iter().any(|column| column.name == "event_time") {
            true => (columns, std::mem::take(&mut values)),
            false => row_of(&columns_list),
        };
        Deed::of(Row { columns: &columns, values: &values, about: None }, "query", Level::High).unwrap().text()
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    fn texts(texts: &[&str]) -> Value {
        Value::Texts(texts.iter().map(|text| (*text).to_owned()).collect())
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table of cases, one of each kind")]
    fn each_kind_of_row_has_its_sentence() {
        let allowed = ("outcome", text("allowed"));
        let cases: [(&[(&str, Value)], &str); 13] = [
            (
                &[
                    ("verb", text("create")),
                    ("resource", text("clusterrolebindings")),
                    ("name", text("helper")),
                    ("role_ref", text("ClusterRole/cluster-admin")),
                    ("subjects", texts(&["ServiceAccount/kube-system/helper"])),
                    allowed.clone(),
                ],
                "created clusterrolebinding helper, giving ClusterRole/cluster-admin, to ServiceAccount/kube-system/helper",
            ),
            (
                &[
                    ("service_account", text("kube-system/helper")),
                    ("granted_seconds", Value::Number(315_360_000)),
                    allowed.clone(),
                ],
                "minted a token of 10 years for kube-system/helper",
            ),
            (
                &[
                    ("command", text("cat /etc/shadow")),
                    ("namespace", text("prod")),
                    ("name", text("web")),
                    ("outcome", text("failed")),
                ],
                "ran cat /etc/shadow in prod/web: failed",
            ),
            (&[("handed_out", text("values")), allowed.clone()], "read the values of all secrets of the cluster"),
            (
                &[("attempts", Value::Number(23)), ("failure", text("unauthenticated"))],
                "failed to authenticate 23 times",
            ),
            (
                &[
                    ("target", text("system:admin")),
                    ("impersonation", text("granted")),
                    ("verb", text("list")),
                    ("resource", text("secrets")),
                    allowed.clone(),
                ],
                "acted as system:admin to list secrets of the whole cluster",
            ),
            (
                &[
                    ("verb", text("deletecollection")),
                    ("resource", text("events")),
                    ("namespace", text("prod")),
                    ("deleted", Value::Number(7)),
                    allowed.clone(),
                ],
                "deleted all events of prod, 7 of them",
            ),
            (
                &[
                    ("verb", text("create")),
                    ("resource", text("pods")),
                    ("namespace", text("prod")),
                    ("name", text("x")),
                    ("outcome", text("denied")),
                ],
                "tried: create pod prod/x: denied",
            ),
            (
                &[
                    ("kinds", Value::Number(6)),
                    ("requests", Value::Number(18)),
                    ("denied", Value::Number(18)),
                    ("user_agent", text("curl/8")),
                ],
                "listed 6 kinds in 18 requests, 18 refused",
            ),
            (
                &[
                    ("requests", Value::Number(2)),
                    ("user_agent", text("curl/8.5.0 (x86_64)")),
                    ("actions", texts(&["get secrets", "list secrets"])),
                ],
                "used curl/8.5.0 for 2 requests: get secrets, list secrets",
            ),
            (
                &[
                    ("service_account", text("kube-system/helper")),
                    ("granted_seconds", Value::Nothing),
                    allowed.clone(),
                ],
                "minted a token of unknown life for kube-system/helper",
            ),
            (
                &[
                    ("verb", text("get")),
                    ("name", text("worker-1")),
                    ("kubelet_path", text("/run/kube-system/helper/c")),
                    ("command", text("id")),
                    ("outcome", text("failed")),
                ],
                "tried to ask the kubelet of worker-1 for /run/kube-system/helper/c, to run id: failed",
            ),
            (&[("verb", text("get")), ("request_uri", text("/version")), allowed.clone()], "read /version"),
        ];
        for (pairs, expected) in cases {
            assert_eq!(told(pairs), expected);
        }
    }

    #[test]
    fn names_are_shown_and_not_obeyed_and_never_too_long() {
        let long = "x".repeat(1 << 20);
        let told =
            told(&[("verb", text("create")), ("resource", text("pods")), ("name", text(&format!("\u{1b}[2J{long}")))]);
        assert!(told.starts_with(r"created pod \x1b[2Jxxx") && told.chars().count() < 200, "{told}");
    }

    #[test]
    fn one_of_a_resource_has_its_name() {
        let plurals = ["pods", "networkpolicies", "ingresses", "leases", "storageclasses", "endpoints"];
        let ones = ["pod", "networkpolicy", "ingress", "lease", "storageclass", "endpoint"];
        assert_eq!(plurals.map(singular), ones);
    }

    #[test]
    fn only_what_was_made_counts_as_made() {
        let object = |outcome: &str, verb: &str| {
            let (columns, values) = row_of(&[
                ("event_time", Value::Time(1)),
                ("verb", text(verb)),
                ("resource", text("pods")),
                ("name", text("x")),
                ("outcome", text(outcome)),
            ]);
            Deed::of(Row { columns: &columns, values: &values, about: None }, "q", Level::Low).unwrap().made
        };
        assert!(object("allowed", "create").is_some());
        assert_eq!(object("denied", "create"), None);
        assert_eq!(object("allowed", "update"), None);
    }
}
