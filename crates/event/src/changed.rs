//! Values as collectors leave them: numbers as text, objects as JSON text, placeholders for bodies, times without a zone.
//!
//! Each is read as what the server wrote where that is certain, and kept word for word in `other`, so that the event can be rebuilt
//! as it came. What is not certain is said in [`crate::assumed`].

use std::borrow::Cow;
use std::net::IpAddr;

use serde_json::value::RawValue;

use crate::assumed;
use crate::decode::Mirror;
use crate::event::{Annotated, Event, ObjectRef, Status, UserInfo};
use crate::json;
use crate::keys;
use crate::time;

/// Levels that a policy can have.
pub(crate) const LEVELS: [&str; 4] = ["None", "Metadata", "Request", "RequestResponse"];

/// Names under which collectors keep the time of a record, the surest first.
const RECORD_TIMES: [&str; 6] = ["@timestamp", "time", "_time", "ts", "date", "datetime"];

/// What stands for a body that a collector took out, beside what says so in more words.
const PLACEHOLDERS: [&str; 14] = [
    "",
    "-",
    "none",
    "null",
    "nil",
    "n/a",
    "<none>",
    "omitted",
    "removed",
    "redacted",
    "skipped",
    "stripped",
    "truncated",
    "withheld",
];

/// What a collector changed of an event.
#[derive(Debug, Default)]
pub(crate) struct Changed {
    /// A time came without a zone, or as a number.
    is_zone_assumed: bool,
    /// A time came as a number.
    has_number: bool,
    /// The time of the record, and how sure its name is.
    time: Option<(usize, i64)>,
    /// `user` is an object as text, or a mere name.
    user: Option<UserText>,
    /// Placeholders stand for the bodies of the request and of the answer.
    withheld: [bool; 2],
    /// Dots in keys had been replaced.
    has_keys: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UserText {
    Object,
    Name,
}

impl Changed {
    /// A time; whether it is written as the server writes it.
    pub(crate) fn instant(&mut self, field: &mut Option<i64>, value: &str) -> bool {
        if let Some(micros) = json::string(value).and_then(|written| time::parse_canonical(&written)) {
            *field = Some(micros);
            return true;
        }
        let told = time::read(value);
        *field = told.map(|told| told.micros);
        self.is_zone_assumed |= told.is_some_and(|told| told.is_zone_assumed);
        self.has_number |= told.is_some() && !value.starts_with('"');
        false
    }

    /// A member that no event has: perhaps the time that the collector gives the record.
    pub(crate) fn record_time(&mut self, name: &str, value: &str) {
        if let Some(rank) = RECORD_TIMES.iter().position(|known| *known == name)
            && self.time.is_none_or(|(best, _)| rank < best)
            && let Some(told) = time::read(value)
        {
            self.time = Some((rank, told.micros));
        }
    }

    /// A user: an object, one as text, or a mere name.
    pub(crate) fn user<'a>(&mut self, user: &mut UserInfo<'a>, value: &'a str) -> Mirror {
        if json::is_object(value) {
            let mirror = user.read(value);
            return if self.restore_extra(user) { Mirror::Lossy } else { mirror };
        }
        if let Some(object) = packed(value, '{') {
            let mut read = UserInfo::default();
            read.read(&object);
            *user = read.into_owned();
            self.restore_extra(user);
            self.user = Some(UserText::Object);
        } else if let Some(name) = json::string(value) {
            self.user = Some(UserText::Name);
            user.name = Some(name).filter(|name| !name.is_empty());
        }
        Mirror::Lossy
    }

    /// Whether a user that is no object is one all the same, in a record that says that it is an audit event.
    pub(crate) fn has_user(&self, is_named: bool) -> bool {
        match self.user {
            Some(UserText::Object) => true,
            Some(UserText::Name) => is_named,
            None => false,
        }
    }

    fn restore_extra(&mut self, user: &mut UserInfo<'_>) -> bool {
        let Some(restored) = user.extra.as_deref().and_then(keys::with_dots) else { return false };
        self.has_keys = true;
        let mut read = UserInfo::default();
        read.read_extra(&restored);
        let read = read.into_owned();
        user.credential_id = read.credential_id;
        (user.pod_name, user.pod_uid, user.node_name) = (read.pod_name, read.pod_uid, read.node_name);
        user.extra = Some(Cow::Owned(restored));
        true
    }

    /// A body, by its number; whether it is as it came.
    pub(crate) fn body<'a>(&mut self, number: usize, body: &mut Option<Cow<'a, str>>, value: &'a str) -> bool {
        if value.starts_with('"') {
            if let Some(unpacked) = packed(value, '{').or_else(|| packed(value, '[')) {
                *body = Some(Cow::Owned(unpacked));
                return false;
            }
            if json::string(value).is_some_and(|text| is_placeholder(&text)) {
                *body = None;
                self.withheld[number] = true;
                return false;
            }
        }
        *body = Some(Cow::Borrowed(value));
        true
    }

    /// The annotations; whether they are as they came.
    pub(crate) fn annotations<'a>(&mut self, event: &mut Event<'a>, value: &'a str) -> bool {
        let unpacked = packed(value, '{');
        let restored = keys::with_dots(unpacked.as_deref().unwrap_or(value));
        self.has_keys |= restored.is_some();
        match restored.or(unpacked) {
            None => {
                event.annotated.read(value);
                event.annotations = Some(Cow::Borrowed(value));
                true
            }
            Some(text) => {
                let mut annotated = Annotated::default();
                annotated.read(&text);
                event.annotated = annotated.into_owned();
                event.annotations = Some(Cow::Owned(text));
                false
            }
        }
    }

    /// Fills the times that are missing. `timestamp` and `created` are those of older layouts.
    pub(crate) fn times(&self, event: &mut Event<'_>, timestamp: Option<i64>, created: Option<i64>) {
        let record = self.time.map(|(_, time)| time);
        let received = event.event_time;
        if received.is_none() {
            // A record's own time that is not after its stage is when the request came; later, it is when it was collected.
            let before = record.filter(|record| event.stage_time.is_none_or(|stage| *record <= stage));
            event.event_time = timestamp.or(before).or(event.stage_time).or(created);
            if timestamp.is_none() && event.event_time.is_some() {
                assume(event, assumed::EVENT_TIME);
            }
        } else if event.stage_time.is_none()
            && let Some(record) = record.filter(|record| received.is_some_and(|received| received <= *record))
        {
            event.stage_time = Some(record);
            assume(event, assumed::STAGE_TIME);
        } else if self.has_number && received == event.stage_time && event.stage.as_deref() != Some("RequestReceived") {
            // One number for both: the collector's time stands for that of the request.
            assume(event, assumed::EVENT_TIME);
        }
    }

    /// Assumes a level that is missing, or that a shipper overwrote; gives what stood there.
    pub(crate) fn level(&self, event: &mut Event<'_>) -> Option<String> {
        let written = event.level.as_deref();
        if written.is_some_and(|level| LEVELS.contains(&level)) {
            return None;
        }
        let known = written.and_then(|level| LEVELS.into_iter().find(|known| known.eq_ignore_ascii_case(level)));
        let told = match (
            event.request_object.is_some() || self.withheld[0],
            event.response_object.is_some() || self.withheld[1],
        ) {
            (_, true) => "RequestResponse",
            (true, false) => "Request",
            (false, false) => "Metadata",
        };
        let written = written.map(|level| {
            let mut quoted = String::new();
            json::push_string(&mut quoted, level);
            quoted
        });
        if known.is_none() {
            assume(event, assumed::LEVEL);
        }
        event.level = Some(Cow::Borrowed(known.unwrap_or(told)));
        written
    }

    /// Says what else was assumed.
    pub(crate) fn finish(&self, event: &mut Event<'_>) {
        if self.is_zone_assumed {
            assume(event, assumed::ZONE);
        }
        if self.user == Some(UserText::Name) {
            assume(event, assumed::USER);
        }
        if self.has_keys {
            assume(event, assumed::KEYS);
            for body in [&mut event.request_object, &mut event.response_object] {
                if let Some(restored) = body.as_deref().and_then(keys::with_dots_everywhere) {
                    *body = Some(Cow::Owned(restored));
                }
            }
        }
        // The server records no body before the request was handled, nor above the level, nor one that was not sent.
        let is_late = event.stage.as_deref() != Some("RequestReceived");
        let level = event.level.as_deref().unwrap_or_default();
        let reads = matches!(event.verb.as_deref(), Some("get" | "list" | "watch"));
        if self.withheld[0] && is_late && !reads && level.starts_with("Request") {
            assume(event, assumed::REQUEST_WITHHELD);
        }
        let level = event.level.as_deref().unwrap_or_default();
        if self.withheld[1] && is_late && level == "RequestResponse" && event.verb.as_deref() != Some("watch") {
            assume(event, assumed::RESPONSE_WITHHELD);
        }
    }
}

fn assume(event: &mut Event<'_>, what: &'static str) {
    event.assumed.get_or_insert_default().push(Cow::Borrowed(what));
}

/// The object or list that a JSON string holds as text.
fn packed(value: &str, opens: char) -> Option<String> {
    let text = json::string(value)?;
    let text = text.trim_ascii();
    let is_whole = text.starts_with(opens) && serde_json::from_str::<&RawValue>(text).is_ok();
    is_whole.then(|| text.to_owned())
}

fn is_placeholder(text: &str) -> bool {
    let text = text.trim_ascii().to_ascii_lowercase();
    let text = text.trim_matches(['[', ']', '<', '>', '(', ')', '.', '*']);
    let says_so = ["skipped", "too-big", "too big", "too large", "too-large", "truncated", "omitted"];
    PLACEHOLDERS.contains(&text) || (text.len() <= 64 && says_so.iter().any(|word| text.contains(word)))
}

/// Writes a verb in the server's letters; whether it was not.
pub(crate) fn lower(verb: &mut Option<Cow<'_, str>>) -> bool {
    let Some(text) = verb.as_deref().filter(|text| text.bytes().any(|byte| byte.is_ascii_uppercase())) else {
        return false;
    };
    *verb = Some(Cow::Owned(text.to_ascii_lowercase()));
    true
}

/// Addresses as JSON text, or as a list with commas.
pub(crate) fn addresses<'a>(value: &str) -> Option<Vec<Cow<'a, str>>> {
    let own = |list: Vec<Cow<'_, str>>| list.into_iter().map(|address| Cow::Owned(address.into_owned())).collect();
    if let Some(list) = packed(value, '[') {
        return json::strings(&list).map(own);
    }
    let text = json::string(value)?;
    let list: Vec<Cow<'_, str>> = text.split(',').map(|address| Cow::Borrowed(address.trim())).collect();
    list.iter().all(|address| address.parse::<IpAddr>().is_ok()).then(|| own(list))
}

/// What a request is about, which can be an object as text.
pub(crate) fn object_ref<'a>(object: &mut ObjectRef<'a>, value: &'a str) -> Mirror {
    let Some(text) = packed(value, '{') else { return object.read(value) };
    let mut read = ObjectRef::default();
    read.read(&text);
    *object = read.into_owned();
    Mirror::Lossy
}

/// What the server answered, which can be an object as text.
pub(crate) fn status<'a>(status: &mut Status<'a>, value: &'a str) -> Mirror {
    let Some(text) = packed(value, '{') else { return status.read(value) };
    let mut read = Status::default();
    read.read(&text);
    *status = read.into_owned();
    Mirror::Lossy
}

/// A status as `403.0`, `403.000000`, `4.03e2`, or as the text of a number.
pub(crate) fn code(value: &str) -> Option<i32> {
    let text = json::string(value).unwrap_or(Cow::Borrowed(value));
    let number: f64 = text.trim_ascii().parse().ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "a whole number below a thousand")]
    (number.fract() == 0.0 && (0.0..1_000.0).contains(&number)).then_some(number as i32)
}

fn own<'b>(text: Option<Cow<'_, str>>) -> Option<Cow<'b, str>> {
    text.map(|text| Cow::Owned(text.into_owned()))
}

impl UserInfo<'_> {
    fn into_owned<'b>(self) -> UserInfo<'b> {
        UserInfo {
            name: own(self.name),
            uid: own(self.uid),
            groups: self.groups.map(|groups| groups.into_iter().map(|group| Cow::Owned(group.into_owned())).collect()),
            extra: own(self.extra),
            credential_id: own(self.credential_id),
            pod_name: own(self.pod_name),
            pod_uid: own(self.pod_uid),
            node_name: own(self.node_name),
        }
    }
}

impl ObjectRef<'_> {
    fn into_owned<'b>(self) -> ObjectRef<'b> {
        ObjectRef {
            api_group: own(self.api_group),
            api_version: own(self.api_version),
            resource: own(self.resource),
            subresource: own(self.subresource),
            namespace: own(self.namespace),
            name: own(self.name),
            uid: own(self.uid),
            resource_version: own(self.resource_version),
        }
    }
}

impl Status<'_> {
    fn into_owned<'b>(self) -> Status<'b> {
        Status {
            code: self.code,
            status: own(self.status),
            reason: own(self.reason),
            message: own(self.message),
            details: own(self.details),
        }
    }
}

impl Annotated<'_> {
    fn into_owned<'b>(self) -> Annotated<'b> {
        Annotated {
            decision: own(self.decision),
            decision_reason: own(self.decision_reason),
            issued_credential_id: own(self.issued_credential_id),
            truncated: self.truncated,
        }
    }
}
