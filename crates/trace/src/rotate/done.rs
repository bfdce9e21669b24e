//! Whether the log shows that something on the checklist was done.
//!
//! A write alone proves little: the server itself marks tokens as used, controllers write what they always write, and
//! the intruder writes, too. So a secret counts as changed when its values were, by somebody who is not under suspicion,
//! and after it was read for the last time.

use std::collections::BTreeSet;

use serde_json::Value;

use super::draft::Target;
use super::{Entry, Task};
use crate::evidence::{Outcome, Request};
use crate::manifest::text;
use crate::rbac::{Object, ObjectKey, Replay};
use crate::spread::{Kind, Spread, Strength};

/// A later request that shows that an entry was done, or may show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// When, in microseconds since 1970.
    pub time: i64,
    /// Who.
    pub user: String,
    /// The request.
    pub audit_id: String,
    /// Why it need not be enough; `None` when it is.
    pub doubt: Option<&'static str>,
}

impl Done {
    /// `yes`, or `perhaps` with the reason.
    pub fn text(&self) -> String {
        self.doubt.map_or_else(|| "yes".to_owned(), |doubt| format!("perhaps: {doubt}"))
    }
}

/// What is needed to tell.
pub(super) struct Later<'a> {
    pub(super) found: &'a Spread,
    /// Writes to things with the names in the checklist, by time.
    pub(super) writes: &'a [Request],
    pub(super) replay: &'a Replay,
}

/// What a write did to a secret.
enum Effect {
    Changes,
    MayChange(&'static str),
    Nothing,
}

impl Later<'_> {
    /// A write behind `last`, the moment from which on it counts.
    pub(super) fn done(&self, entry: &Entry, target: &Target, last: i64) -> Option<Done> {
        let of_target: Vec<&Request> = self.writes.iter().filter(|write| target.is_of(write)).collect();
        // What was made in the breach is back with the next one of its name, whoever made it: only a deletion after the
        // last counts.
        let made = of_target.iter().filter(|write| target.is_created && write.is_creation()).map(|write| write.time);
        let last = made.fold(last, i64::max);
        let later = || of_target.iter().copied().filter(|write| write.time > last);
        let deleted = later().rfind(|write| write.act.verb == "delete").map(|write| done(write, None));
        match entry.task {
            // A copy of an image is made outside of the cluster, and a user is kept outside of it.
            Task::Image | Task::User => None,
            Task::Secret if target.name != "*" => self.secret(&of_target, target, last),
            Task::Rbac if !target.is_created => deleted.or_else(|| self.put_back(target, later().next_back()?)),
            Task::Workload | Task::Object if !target.is_created => deleted.or_else(|| {
                let write = later().rfind(|write| !self.is_suspect(write))?;
                Some(done(write, Some("it was written later, and whether it is what it was is not looked at")))
            }),
            _ => deleted,
        }
    }

    fn secret(&self, writes: &[&Request], target: &Target, last: i64) -> Option<Done> {
        let last = last.max(self.last_read(target));
        let mut found: Option<Done> = None;
        for (at, write) in writes.iter().enumerate().filter(|(_, write)| write.time > last && !self.is_suspect(write)) {
            let told = match effect(write, writes.get(..at).unwrap_or_default()) {
                Effect::Changes => done(write, None),
                Effect::MayChange(doubt) => done(write, Some(doubt)),
                Effect::Nothing => continue,
            };
            if told.doubt.is_none() || found.as_ref().is_none_or(|known| known.doubt.is_some()) {
                found = Some(told);
            }
        }
        found
    }

    /// When the secret was last handed out: a value that was changed before that is known to the intruder as well.
    fn last_read(&self, target: &Target) -> i64 {
        let reads = self.found.story.iter().filter(|step| {
            step.outcome == Outcome::Allowed
                && step.act.resource.as_deref() == Some("secrets")
                && matches!(step.act.verb.as_str(), "get" | "list" | "watch")
                && step.act.namespace.as_ref().is_none_or(|namespace| *namespace == target.namespace)
                && step.name.as_ref().is_none_or(|name| *name == target.name)
        });
        reads.map(|step| step.last).max().unwrap_or(i64::MIN)
    }

    /// Whether a role or binding is again what it was before the intruder wrote it.
    fn put_back(&self, target: &Target, write: &Request) -> Option<Done> {
        let key = ObjectKey { kind: target.kind?, namespace: target.namespace.clone(), name: target.name.clone() };
        let before = self.replay.at(&key, target.first.saturating_sub(1)).0;
        let now = self.replay.at(&key, i64::MAX).0;
        match (before, now) {
            (Object::Is(before), Object::Is(now)) => {
                let same = crate::rbac::cleaned(&before) == crate::rbac::cleaned(&now);
                same.then(|| done(write, None))
            }
            (Object::Unknown, _) | (_, Object::Unknown) if !self.is_suspect(write) => {
                Some(done(write, Some("it was written later, and what it was or is does not stand in the log")))
            }
            _ => None,
        }
    }

    fn is_suspect(&self, write: &Request) -> bool {
        self.found.touched.iter().any(|touched| {
            touched.node.kind == Kind::Identity
                && touched.strength > Strength::Possible
                && write.user.as_ref() == Some(&touched.node.name)
        })
    }
}

fn done(write: &Request, doubt: Option<&'static str>) -> Done {
    Done { time: write.time, user: write.user.clone().unwrap_or_default(), audit_id: write.audit_id.clone(), doubt }
}

/// What a write did to the values of a secret, by its body and by what was written before.
fn effect(write: &Request, before: &[&Request]) -> Effect {
    const NOT_LOGGED: &str = "it was written later, and whether its values were changed is not logged";
    if write.act.verb == "delete" {
        return Effect::Changes;
    }
    let Some(sent) = write.sent.as_deref().and_then(|sent| serde_json::from_str::<Value>(sent).ok()) else {
        return Effect::MayChange(NOT_LOGGED);
    };
    if let Some(operations) = sent.as_array() {
        let is_value = |operation: &Value| {
            text(operation, "/op") != Some("test")
                && text(operation, "/path")
                    .is_some_and(|path| path.starts_with("/data") || path.starts_with("/stringData"))
        };
        return if operations.iter().any(is_value) { Effect::Changes } else { Effect::Nothing };
    }
    let values = values(&sent);
    match write.act.verb.as_str() {
        // A patch without values leaves them alone, as when the server marks a token as used.
        "patch" if values.is_empty() => Effect::Nothing,
        "patch" if sent.get("stringData").is_some() => Effect::Changes,
        _ if values.is_empty() => Effect::MayChange(NOT_LOGGED),
        // Controllers and `kubectl apply` write the whole object again and again.
        _ => match before.iter().rev().find_map(|earlier| known_values(earlier)) {
            Some(known) if values.is_subset(&known) => Effect::Nothing,
            Some(_) => Effect::Changes,
            None if matches!(write.act.verb.as_str(), "create" | "patch") => Effect::Changes,
            None => Effect::MayChange("it was written later, and what its values were before is not in the log"),
        },
    }
}

fn known_values(write: &Request) -> Option<BTreeSet<(String, String)>> {
    let sent = serde_json::from_str::<Value>(write.sent.as_deref()?).ok()?;
    Some(values(&sent)).filter(|values| !values.is_empty())
}

/// Keys of a secret with what stands for their values: equal values have equal hashes in a case.
fn values(object: &Value) -> BTreeSet<(String, String)> {
    let members = ["data", "stringData"].into_iter().filter_map(|name| object.get(name)?.as_object());
    members.flatten().map(|(key, value)| (key.clone(), value.to_string())).collect()
}
