//! From the JSON of an audit event to its fields.
//!
//! Each member is read by a function that also says whether its field mirrors it: whether the field
//! gives the same JSON back. What is not mirrored is added to `other`, word for word.

use std::borrow::Cow;

use crate::changed::{self, Changed};
use crate::container;
use crate::event::{Annotated, Event, ObjectRef, Status, UserInfo};
use crate::json;
use crate::reject::Reason;
use crate::salvage;
use crate::shape::LEVEL_MEMBERS;
use crate::time;

/// The `kind` of an audit event; a rebuilt event carries it unless `other` says otherwise.
pub(crate) const KIND: &str = "Event";
/// How the `apiVersion` of every audit event begins.
const API_GROUP: &str = "audit.k8s.io/";
/// The `apiVersion` of an audit event since Kubernetes 1.12.
pub(crate) const API_VERSION: &str = "audit.k8s.io/v1";
/// Member of `other` that lists the canonical members which the original does not have.
pub(crate) const ABSENT: &str = "$absent";
/// Member of `other` that holds the whole original, for what no column can mirror.
pub(crate) const WHOLE: &str = "$event";

/// Why an event without a readable time is rejected.
pub(crate) const NO_TIME: Reason = Reason::NotAuditEvent { missing: "timestamp that can be read" };

/// Members of an event, each with its bit in [`Decoder::seen`].
mod member {
    pub(super) const KIND: u32 = 1;
    pub(super) const API_VERSION: u32 = 1 << 1;
    pub(super) const LEVEL: u32 = 1 << 2;
    pub(super) const AUDIT_ID: u32 = 1 << 3;
    pub(super) const STAGE: u32 = 1 << 4;
    pub(super) const REQUEST_URI: u32 = 1 << 5;
    pub(super) const VERB: u32 = 1 << 6;
    pub(super) const USER: u32 = 1 << 7;
    pub(super) const IMPERSONATED: u32 = 1 << 8;
    pub(super) const AUTHENTICATION: u32 = 1 << 9;
    pub(super) const SOURCE_IPS: u32 = 1 << 10;
    pub(super) const USER_AGENT: u32 = 1 << 11;
    pub(super) const OBJECT_REF: u32 = 1 << 12;
    pub(super) const STATUS: u32 = 1 << 13;
    pub(super) const REQUEST: u32 = 1 << 14;
    pub(super) const RESPONSE: u32 = 1 << 15;
    pub(super) const RECEIVED: u32 = 1 << 16;
    pub(super) const STAGED: u32 = 1 << 17;
    pub(super) const ANNOTATIONS: u32 = 1 << 18;
}

#[derive(Default)]
pub(crate) struct Decoder<'a> {
    event: Event<'a>,
    /// Members that have been seen, to notice duplicates and what is absent.
    seen: u32,
    /// Some canonical member came twice, or a member bears one of our own names.
    ambiguous: bool,
    /// Members that stand under names with dots, `objectRef.resource`, with their bits: a collector made it flat.
    flat: u32,
    kind: Option<&'a str>,
    user: Option<&'a str>,
    /// `timestamp` and `metadata.creationTimestamp` of v1beta1 and older.
    old_times: [Option<i64>; 2],
    /// `level` as it came, and the true one where a collector put it when it overwrote that.
    levels: [Option<&'a str>; 2],
    /// It need not have a level: a collector left it out.
    any_level: bool,
    /// It says that it is an audit event, so that a collector can have left something out.
    is_named: bool,
    /// What a member was to be that nothing was read from: without it the event would tell something else.
    unread: Option<&'static str>,
    /// What the collector changed.
    changed: Changed,
}

impl<'a> Decoder<'a> {
    pub(crate) fn member(&mut self, key: &str, value: &'a str) {
        let event = &mut self.event;
        let (bit, exact) = match key {
            "kind" => {
                self.kind = Some(value);
                (member::KIND, is_text(value, KIND))
            }
            "apiVersion" => {
                self.is_named = json::string(value).is_some_and(|version| version.starts_with(API_GROUP));
                (member::API_VERSION, is_text(value, API_VERSION))
            }
            "level" => {
                self.levels[0] = Some(value);
                (member::LEVEL, string(&mut event.level, value))
            }
            "auditID" => (member::AUDIT_ID, text(&mut event.audit_id, value)),
            "stage" => (member::STAGE, text(&mut event.stage, value)),
            "requestURI" => (member::REQUEST_URI, text(&mut event.request_uri, value)),
            "verb" => (member::VERB, text(&mut event.verb, value) && !changed::lower(&mut event.verb)),
            "user" => {
                self.user = Some(value);
                (member::USER, self.changed.user(&mut event.user, value) != Mirror::Lossy)
            }
            "impersonatedUser" => {
                self.unread = self.unread.or(unread("object `impersonatedUser`", value, '{'));
                (member::IMPERSONATED, self.changed.impersonated(&mut event.impersonated, value) == Mirror::Exact)
            }
            "authenticationMetadata" => {
                let read = constraint(&mut event.impersonation_constraint, value);
                (member::AUTHENTICATION, read == Mirror::Exact)
            }
            "sourceIPs" => {
                let (exact, missing) = addresses(event, value);
                self.unread = self.unread.or(missing);
                (member::SOURCE_IPS, exact)
            }
            "userAgent" => (member::USER_AGENT, text(&mut event.user_agent, value)),
            "objectRef" => {
                self.unread = self.unread.or(unread("object `objectRef`", value, '{'));
                (member::OBJECT_REF, changed::object_ref(&mut event.object, value) == Mirror::Exact)
            }
            "responseStatus" => {
                let exact = changed::status(&mut event.status, value) == Mirror::Exact;
                self.unread = self.unread.or(unread_status(&event.status, value));
                (member::STATUS, exact)
            }
            "requestObject" => (member::REQUEST, self.changed.body(0, &mut event.request_object, value)),
            "responseObject" => (member::RESPONSE, self.changed.body(1, &mut event.response_object, value)),
            "requestReceivedTimestamp" => (member::RECEIVED, self.changed.instant(&mut event.event_time, value)),
            "stageTimestamp" => (member::STAGED, self.changed.instant(&mut event.stage_time, value)),
            "annotations" => (member::ANNOTATIONS, self.changed.annotations(event, value)),
            unknown => {
                self.ambiguous |= unknown == ABSENT || unknown == WHOLE;
                match unknown {
                    "timestamp" => _ = self.changed.instant(&mut self.old_times[0], value),
                    "metadata" => self.old_times[1] = creation_time(value),
                    _ if LEVEL_MEMBERS.contains(&unknown) => self.levels[1] = Some(value),
                    _ => self.changed.record(unknown, value),
                }
                self.flat |= flat_member(unknown);
                (0, false)
            }
        };
        if self.seen & bit != 0 {
            self.ambiguous = true;
            event.salvaged = Some(Cow::Borrowed(salvage::TWICE));
        }
        self.seen |= bit;
        if !exact {
            push_member(&mut event.other, key, value);
        }
    }

    /// A decoder for events whose collector leaves the level out.
    pub(crate) fn of_any_level() -> Self {
        Self { any_level: true, ..Self::default() }
    }

    /// Takes the true level when a collector overwrote it; what it wrote instead is kept.
    fn restore_level(&mut self) {
        let event = &mut self.event;
        if let [Some(written), Some(restored)] = self.levels
            && let Some(restored) = json::string(restored).filter(|level| Some(level) != event.level.as_ref())
        {
            event.level = Some(restored);
            push_member(&mut event.other, "level", written);
        }
    }

    pub(crate) fn finish(mut self, record: &str) -> Result<Event<'a>, Reason> {
        let missing = |missing| Err(Reason::NotAuditEvent { missing });
        if self.event.audit_id.is_none() {
            return missing("string `auditID`");
        }
        if self.event.level.is_none() && !self.any_level && !self.is_named {
            return missing("string `level`");
        }
        if !self.user.is_some_and(|user| json::is_object(user) || self.changed.has_user(self.is_named)) {
            return missing("object `user`");
        }
        if self.kind.is_some_and(|kind| !is_text(kind, KIND)) {
            return missing("`kind` of `Event`");
        }
        if let Some(unread) = self.unread {
            return missing(unread);
        }
        if self.flat & !self.seen != 0 {
            // Of a user that is nobody, `{}` can be left beside it: without the rest a 401 would count as allowed.
            return missing("members in one another: names with dots stand for them");
        }
        self.restore_level();
        let [timestamp, created] = self.old_times;
        self.changed.times(&mut self.event, timestamp, created);
        if !self.any_level
            && let Some(written) = self.changed.level(&mut self.event)
        {
            push_member(&mut self.event.other, "level", &written);
        }
        self.changed.finish(&mut self.event);
        let absent: Vec<&str> = [
            ("kind", member::KIND, true),
            ("apiVersion", member::API_VERSION, true),
            ("level", member::LEVEL, self.event.level.is_some()),
            ("requestReceivedTimestamp", member::RECEIVED, true),
            ("stageTimestamp", member::STAGED, self.event.stage_time.is_some()),
        ]
        .iter()
        .filter(|(_, bit, is_set)| self.seen & bit == 0 && *is_set)
        .map(|(name, ..)| *name)
        .collect();
        let event = &mut self.event;
        if self.ambiguous {
            event.other = None;
            push_member(&mut event.other, WHOLE, record.trim());
        } else if !absent.is_empty() {
            push_member(&mut event.other, ABSENT, &format!("[\"{}\"]", absent.join("\",\"")));
        }
        if event.event_time.is_none() {
            return Err(NO_TIME);
        }
        // Where a collector lays its own members beside those of the event.
        let beside = event.other.as_deref().filter(|_| event.salvaged.is_none());
        if let Some(mark) = beside.and_then(container::of_wrapper) {
            event.salvaged = Some(Cow::Borrowed(mark));
        }
        Ok(self.event)
    }
}

/// What a member was to be that is neither that nor nothing.
fn unread(what: &'static str, value: &str, opens: char) -> Option<&'static str> {
    let is_read = value.starts_with(opens) || changed::is_nothing(value) || changed::packed(value, opens).is_some();
    (!is_read).then_some(what)
}

/// The same for what the server answered, without whose code a refusal would be none.
fn unread_status(status: &Status<'_>, value: &str) -> Option<&'static str> {
    let is_unread = status.code.is_none() && changed::has_code(value);
    unread("object `responseStatus`", value, '{').or(is_unread.then_some("`code` that can be read"))
}

/// Reads addresses: whether they are as the server wrote them, and what they were to be if they are none.
fn addresses<'a>(event: &mut Event<'a>, value: &'a str) -> (bool, Option<&'static str>) {
    if texts(&mut event.source_ips, value) {
        return (true, None);
    }
    event.source_ips = changed::addresses(value);
    let is_unread = event.source_ips.is_none() && !changed::is_nothing(value);
    (false, is_unread.then_some("list `sourceIPs`"))
}

/// The bit of the member in which a name would stand, `objectRef.resource`, if a collector had not made the event flat.
fn flat_member(name: &str) -> u32 {
    match name.split_once(['.', '_', ':', '[', '/']) {
        Some(("objectRef", _)) => member::OBJECT_REF,
        Some(("responseStatus", _)) => member::STATUS,
        Some(("sourceIPs", _)) => member::SOURCE_IPS,
        _ => 0,
    }
}

/// How well fields mirror the object they were read from.
#[derive(PartialEq, Eq, Clone, Copy)]
pub(crate) enum Mirror {
    /// At least one field is set, and the fields give the same object back.
    Exact,
    /// The object is `{}`: no field is set.
    Empty,
    /// Some part of the object has no field.
    Lossy,
}

/// Reads the members of a nested object with `each`, which says whether its field mirrors the member.
pub(crate) fn nested<'a>(object: &'a str, mut each: impl FnMut(&str, &'a str) -> Option<(u32, bool)>) -> Mirror {
    let mut mirror = Mirror::Empty;
    let mut seen = 0_u32;
    let whole = json::members(object, &mut |key, value| {
        let exact = match each(&key, value) {
            Some((bit, exact)) => {
                let first = seen & bit == 0;
                seen |= bit;
                exact && first
            }
            None => false,
        };
        mirror = if exact && mirror != Mirror::Lossy { Mirror::Exact } else { Mirror::Lossy };
    });
    if whole.is_err() { Mirror::Lossy } else { mirror }
}

impl<'a> UserInfo<'a> {
    pub(crate) fn read(&mut self, object: &'a str) -> Mirror {
        nested(object, |key, value| {
            Some(match key {
                "username" => (1, some_text(&mut self.name, value)),
                "uid" => (2, some_text(&mut self.uid, value)),
                "groups" => (4, texts(&mut self.groups, value)),
                "extra" => {
                    self.read_extra(value);
                    (8, verbatim(&mut self.extra, value))
                }
                _ => return None,
            })
        })
    }

    /// Keys of `extra` hold dots and slashes, its values are always arrays.
    pub(crate) fn read_extra(&mut self, object: &'a str) {
        nested(object, |key, value| {
            let field = match key {
                "authentication.kubernetes.io/credential-id" => &mut self.credential_id,
                "authentication.kubernetes.io/pod-name" => &mut self.pod_name,
                "authentication.kubernetes.io/pod-uid" => &mut self.pod_uid,
                "authentication.kubernetes.io/node-name" => &mut self.node_name,
                _ => return None,
            };
            *field = json::strings(value).and_then(|list| list.into_iter().next());
            None
        });
    }
}

impl<'a> ObjectRef<'a> {
    pub(crate) fn read(&mut self, object: &'a str) -> Mirror {
        nested(object, |key, value| {
            let (bit, field) = match key {
                "resource" => (1, &mut self.resource),
                "namespace" => (2, &mut self.namespace),
                "name" => (4, &mut self.name),
                "uid" => (8, &mut self.uid),
                "apiGroup" => (16, &mut self.api_group),
                "apiVersion" => (32, &mut self.api_version),
                "resourceVersion" => (64, &mut self.resource_version),
                "subresource" => (128, &mut self.subresource),
                _ => return None,
            };
            Some((bit, some_text(field, value)))
        })
    }
}

impl<'a> Status<'a> {
    /// `metadata` is `{}` in all of 89,636 real events; without it, or with more in it, the object
    /// is kept whole beside the columns.
    pub(crate) fn read(&mut self, object: &'a str) -> Mirror {
        let mut metadata = false;
        let mirror = nested(object, |key, value| {
            Some(match key {
                "metadata" => {
                    metadata = is_empty_object(value);
                    (1, metadata)
                }
                "status" => (2, some_text(&mut self.status, value)),
                "message" => (4, some_text(&mut self.message, value)),
                "reason" => (8, some_text(&mut self.reason, value)),
                "details" => (16, verbatim(&mut self.details, value)),
                "code" => (32, integer(&mut self.code, value)),
                _ => return None,
            })
        });
        let set = self.code.is_some()
            || self.status.is_some()
            || self.message.is_some()
            || self.reason.is_some()
            || self.details.is_some();
        if metadata && set { mirror } else { Mirror::Lossy }
    }
}

impl<'a> Annotated<'a> {
    pub(crate) fn read(&mut self, object: &'a str) {
        nested(object, |key, value| {
            let field = match key {
                "authorization.k8s.io/decision" => &mut self.decision,
                "authorization.k8s.io/reason" => &mut self.decision_reason,
                "authentication.kubernetes.io/issued-credential-id" => &mut self.issued_credential_id,
                "audit.k8s.io/truncated" => {
                    self.truncated = value == "\"true\"";
                    return None;
                }
                _ => return None,
            };
            text(field, value);
            None
        });
    }
}

fn constraint<'a>(field: &mut Option<Cow<'a, str>>, object: &'a str) -> Mirror {
    nested(object, |key, value| (key == "impersonationConstraint").then(|| (1, text(field, value))))
}

fn creation_time(metadata: &str) -> Option<i64> {
    let mut time = None;
    nested(metadata, |key, value| {
        if key == "creationTimestamp" {
            time = time::read(value).map(|told| told.micros);
        }
        None
    });
    time
}

// Each of these sets a field from a JSON value and says whether the field gives the value back.

fn string<'a>(field: &mut Option<Cow<'a, str>>, value: &'a str) -> bool {
    *field = json::string(value);
    field.is_some()
}

/// A text, which collectors can make something else of.
fn text<'a>(field: &mut Option<Cow<'a, str>>, value: &'a str) -> bool {
    let is_exact = string(field, value);
    if !is_exact {
        *field = changed::text(value);
    }
    is_exact
}

/// A text of a member that the server leaves out when it is empty; with `""` some collectors say that there is none.
fn some_text<'a>(field: &mut Option<Cow<'a, str>>, value: &'a str) -> bool {
    value != "\"\"" && text(field, value)
}

fn texts<'a>(field: &mut Option<Vec<Cow<'a, str>>>, value: &'a str) -> bool {
    *field = json::strings(value);
    field.is_some()
}

/// Whether a JSON value is that text. Not a comparison of bytes: PHP and others write `audit.k8s.io\/v1`.
fn is_text(value: &str, text: &str) -> bool {
    json::string(value).is_some_and(|value| value == text)
}

fn is_empty_object(value: &str) -> bool {
    let inner = value.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    inner.is_some_and(|inner| inner.trim_ascii().is_empty())
}

fn verbatim<'a>(field: &mut Option<Cow<'a, str>>, value: &'a str) -> bool {
    *field = Some(Cow::Borrowed(value));
    true
}

fn integer(field: &mut Option<i32>, value: &str) -> bool {
    if let Ok(code) = value.parse() {
        *field = Some(code);
        // `-0` is the one spelling that does not come back as it was.
        return value != "-0";
    }
    *field = changed::code(value);
    false
}

/// Adds a member to a JSON object that is being written, opening it when it is the first.
pub(crate) fn push_member(object: &mut Option<String>, key: &str, value: &str) {
    let out = match object {
        Some(open) => {
            open.pop();
            open.push(',');
            open
        }
        None => object.insert("{".to_owned()),
    };
    json::push_string(out, key);
    out.push(':');
    out.push_str(value);
    out.push('}');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(record: &str) -> Event<'_> {
        Event::decode(record).unwrap()
    }

    #[test]
    fn a_401_has_an_empty_user_and_no_annotations() {
        let event = decode(
            r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"a","stage":"ResponseStarted","requestURI":"/api/v1/secrets?limit=5\u0026x=1","verb":"list","user":{},"sourceIPs":["1.2.3.4","10.0.0.9"],"objectRef":{"resource":"secrets","apiVersion":"v1"},"responseStatus":{"metadata":{},"status":"Failure","message":"Unauthorized","reason":"Unauthorized","code":401},"requestReceivedTimestamp":"2026-11-21T20:37:37.466895Z","stageTimestamp":"2026-11-21T20:37:37.467000Z"}"#,
        );
        assert_eq!(event.user.name, None);
        assert_eq!(event.status.code, Some(401));
        assert_eq!(event.source_ip(), Some("10.0.0.9"));
        assert_eq!(event.request_uri.as_deref(), Some("/api/v1/secrets?limit=5&x=1"));
        assert_eq!(event.other, None);
    }

    #[test]
    fn what_has_no_column_is_kept_word_for_word() {
        let event = decode(
            r#"{"level":"Metadata","auditID":"a","user":{"username":"u","shoe":43},"objectRef":{},"new":[1, 2],"requestReceivedTimestamp":"2026-11-21T20:37:37Z"}"#,
        );
        let other = r#"{"user":{"username":"u","shoe":43},"objectRef":{},"new":[1, 2],"requestReceivedTimestamp":"2026-11-21T20:37:37Z","$absent":["kind","apiVersion"]}"#;
        assert_eq!(event.other.as_deref(), Some(other));
        assert_eq!(event.user.name.as_deref(), Some("u"));
    }

    #[test]
    fn old_layouts_have_a_time_too() {
        let event = decode(
            r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1beta1","metadata":{"creationTimestamp":"2017-05-26T20:00:01Z"},"level":"Metadata","timestamp":"2017-05-26T20:00:02Z","auditID":"a","user":{}}"#,
        );
        assert_eq!(event.event_time.map(time::render).as_deref(), Some("2017-05-26T20:00:02.000000Z"));
        assert_eq!(event.stage_time, None);
    }

    #[test]
    fn what_is_no_audit_event_says_why() {
        let reason = |record| Event::decode(record).unwrap_err().to_string();
        assert_eq!(
            reason(r#"{"kind":"Event","apiVersion":"v1","metadata":{}}"#),
            "not an audit event: no string `auditID`"
        );
        assert_eq!(reason(r#"{"auditID":"a","user":{"name":"rancher"}}"#), "not an audit event: no string `level`");
        assert_eq!(reason(r#"{"auditID":"a","level":"x","user":"u"}"#), "not an audit event: no object `user`");
        assert_eq!(
            reason(r#"{"kind":"Pod","auditID":"a","level":"x","user":{}}"#),
            "not an audit event: no `kind` of `Event`"
        );
        assert_eq!(
            reason(r#"{"auditID":"a","level":"x","user":{}}"#),
            "not an audit event: no timestamp that can be read"
        );
        assert_eq!(reason(r#"{"auditID":"a""#), "torn: the record ends inside a JSON value");
        assert!(reason("kaput").starts_with("not a JSON object: expected"), "{}", reason("kaput"));
        assert_eq!(reason("{} {}"), "not a JSON object: trailing characters at column 4");
    }
}
