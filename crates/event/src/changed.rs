//! Values as collectors leave them: numbers as text, objects as JSON text, placeholders for bodies, times without a zone.
//!
//! Each is read as what the server wrote where that is certain, and kept word for word in `other`, so that the event can be rebuilt
//! as it came. What is not certain is said in [`crate::assumed`].

use std::borrow::Cow;
use std::net::IpAddr;

use memchr::memmem;
use serde_json::value::RawValue;

use crate::assumed;
use crate::decode::{Mirror, push_member};
use crate::event::{Annotated, Event, ObjectRef, Status, UserInfo};
use crate::extended;
use crate::json;
use crate::keys;
use crate::literal;
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
    /// The day of a time could be its month.
    is_day_assumed: bool,
    /// A time came as a number.
    has_number: bool,
    /// The time of the record, and how sure its name is.
    time: Option<(usize, time::Told)>,
    /// `user` is an object as text, or a mere name.
    user: Option<UserText>,
    /// Groups were one text, or what else is known of the user was none that can be read.
    is_user_partial: bool,
    /// Placeholders stand for the bodies of the request and of the answer.
    withheld: [bool; 2],
    /// Dots in keys had been replaced.
    has_keys: bool,
    /// MongoDB wrote the record with the types of its values.
    is_extended: bool,
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
        self.is_day_assumed |= told.is_some_and(|told| told.is_day_assumed);
        self.has_number |= told.is_some() && !value.starts_with('"');
        self.is_extended |= extended::is_time(value);
        false
    }

    /// A member that no event has: perhaps the time that the collector gives the record, or the id that a database gives it.
    pub(crate) fn record(&mut self, name: &str, value: &str) {
        self.is_extended |= name == "_id" && extended::is_id(value);
        if let Some(rank) = RECORD_TIMES.iter().position(|known| *known == name)
            && self.time.is_none_or(|(best, _)| rank < best)
            && let Some(told) = time::read(value)
        {
            self.time = Some((rank, told));
        }
    }

    /// A user: an object, one as text, or a mere name.
    pub(crate) fn user<'a>(&mut self, user: &mut UserInfo<'a>, value: &'a str) -> Mirror {
        let mirror = self.read_user(user, value);
        let is_restored = restore_extra(user);
        self.has_keys |= is_restored;
        if is_restored { Mirror::Lossy } else { mirror }
    }

    /// Whose rights were used instead: nobody's, where a collector writes all members of a user whom there is not. The keys of
    /// its `extra` are the client's choice, so underscores in them say nothing about a collector.
    pub(crate) fn impersonated<'a>(&mut self, user: &mut UserInfo<'a>, value: &'a str) -> Mirror {
        let sender = self.user.take();
        let mirror = self.read_user(user, value);
        self.user = sender;
        if user.name.is_none() {
            *user = UserInfo::default();
            return Mirror::Lossy;
        }
        let may_be_restored = user.extra.as_deref().and_then(keys::with_dots).is_some();
        if may_be_restored { Mirror::Lossy } else { mirror }
    }

    fn read_user<'a>(&mut self, user: &mut UserInfo<'a>, value: &'a str) -> Mirror {
        if json::is_object(value) {
            let mirror = user.read(value);
            return if self.restore_groups(user, value) { Mirror::Lossy } else { mirror };
        }
        if let Some(object) = packed(value, '{') {
            let mut read = UserInfo::default();
            read.read(&object);
            self.restore_groups(&mut read, &object);
            *user = read.into_owned();
            self.user = Some(UserText::Object);
        } else if let Some(name) = json::string(value).filter(|_| !is_flattened(value)) {
            self.user = Some(UserText::Name);
            user.name = Some(name).filter(|name| !name.is_empty() && name != "-");
        }
        Mirror::Lossy
    }

    /// Reads an `extra` that is text: as JSON, or as PowerShell leaves it below the depth that it writes. Whether it was one.
    fn unpack_extra(&mut self, user: &mut UserInfo<'_>) -> bool {
        let Some(written) = user.extra.as_deref().filter(|extra| extra.starts_with('"')) else { return false };
        let unpacked = packed(written, '{');
        self.is_user_partial |= unpacked.is_none() && !is_nothing(written);
        user.extra = unpacked.map(|extra| {
            user.take_extra(&extra);
            Cow::Owned(extra)
        });
        true
    }

    /// Reads groups that are text, and an `extra` that is. Whether there were any.
    fn restore_groups(&mut self, user: &mut UserInfo<'_>, object: &str) -> bool {
        let is_unpacked = self.unpack_extra(user);
        let is_missing = user.groups.is_none() && memmem::find(object.as_bytes(), b"\"groups\"").is_some();
        let written =
            is_missing.then(|| json::member(object, "groups")).flatten().filter(|groups| groups.starts_with('"'));
        let Some(written) = written.filter(|groups| !is_nothing(groups)) else { return is_unpacked };
        let own = |group: &str| Cow::Owned(group.to_owned());
        user.groups = match packed(written, '[') {
            Some(list) => json::strings(&list).map(|list| list.iter().map(|group| own(group)).collect()),
            None => {
                self.is_user_partial = true;
                let text = json::string(written).unwrap_or_default();
                let is_list = text.contains(',');
                let is_between = |letter: char| if is_list { letter == ',' } else { letter.is_whitespace() };
                Some(text.split(is_between).map(str::trim).filter(|group| !group.is_empty()).map(own).collect())
            }
        };
        true
    }

    /// Whether a user that is no object is one all the same, in a record that says that it is an audit event.
    pub(crate) fn has_user(&self, is_named: bool) -> bool {
        match self.user {
            Some(UserText::Object) => true,
            Some(UserText::Name) => is_named,
            None => false,
        }
    }

    /// A body, by its number; whether it is as it came.
    pub(crate) fn body<'a>(&mut self, number: usize, body: &mut Option<Cow<'a, str>>, value: &'a str) -> bool {
        if value.starts_with('"') {
            if let Some(unpacked) = packed(value, '{').or_else(|| packed(value, '[')) {
                *body = Some(Cow::Owned(unpacked));
                return false;
            }
            if is_flattened(value) {
                self.withheld[number] = true;
            } else if json::string(value).is_some_and(|text| is_placeholder(&text)) {
                *body = None;
                self.withheld[number] = true;
                return false;
            }
        }
        self.withheld[number] |= stops_in(value);
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
        let record = self.time.map(|(_, told)| told.micros);
        let received = event.event_time;
        if received.is_none() {
            // A record's own time that is not after its stage is when the request came; later, it is when it was collected.
            let before = record.filter(|record| event.stage_time.is_none_or(|stage| *record <= stage));
            if timestamp.is_none() && before.is_some() {
                self.stands_for(event);
            }
            event.event_time = timestamp.or(before).or(event.stage_time).or(created);
            if timestamp.is_none() && event.event_time.is_some() {
                assume(event, assumed::EVENT_TIME);
            }
        } else if event.stage_time.is_none()
            && let Some(record) = record.filter(|record| received.is_some_and(|received| received <= *record))
        {
            event.stage_time = Some(record);
            assume(event, assumed::STAGE_TIME);
            self.stands_for(event);
        } else if self.has_number && received == event.stage_time && event.stage.as_deref() != Some("RequestReceived") {
            // One number for both: the collector's time stands for that of the request.
            assume(event, assumed::EVENT_TIME);
        }
    }

    /// Says what was assumed of the record's own time, when that stands for another.
    fn stands_for(&self, event: &mut Event<'_>) {
        let Some((_, told)) = self.time else { return };
        if told.is_zone_assumed && !self.is_zone_assumed {
            assume(event, assumed::ZONE);
        }
        if told.is_day_assumed && !self.is_day_assumed {
            assume(event, assumed::DAY);
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
        if self.is_day_assumed {
            assume(event, assumed::DAY);
        }
        if self.user == Some(UserText::Name) || self.is_user_partial {
            assume(event, assumed::USER);
        }
        if event.other.as_deref().is_some_and(has_other_type) {
            assume(event, assumed::TEXT);
        }
        self.take_types(event);
        if self.has_keys {
            assume(event, assumed::KEYS);
            restore_extra(&mut event.impersonated);
            read_bodies(event, keys::with_dots_everywhere);
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

    /// Takes the types from the numbers and times of bodies in what MongoDB wrote; the bodies as they came are kept.
    fn take_types(&self, event: &mut Event<'_>) {
        let Event { status, other, .. } = &*event;
        let written = || other.as_deref().and_then(|other| json::member(other, "responseStatus"));
        // Few events have a status that no column mirrors.
        let has_types =
            || other.as_deref().is_some_and(|other| memmem::find(other.as_bytes(), extended::NUMBER).is_some());
        if !(self.is_extended || has_types() && written().is_some_and(extended::has_number)) {
            return;
        }
        // What is left of a status whose code has a type is kept whole already.
        let details = status.details.as_deref().and_then(extended::without_types);
        if let Some(told) = details.filter(|_| written().is_some()) {
            event.status.details = Some(Cow::Owned(told));
        }
        read_bodies(event, extended::without_types);
    }
}

/// The text that a collector made something else of: a number, `true`, or a list of that text alone.
pub(crate) fn text(value: &str) -> Option<Cow<'_, str>> {
    match value.as_bytes().first()? {
        b'-' | b'0'..=b'9' | b't' | b'f' => Some(Cow::Borrowed(value)),
        b'[' => json::strings(value).filter(|list| list.len() == 1)?.pop(),
        _ => None,
    }
}

/// Whether one of the texts of an event came as something else; `other` keeps what no column gives back.
fn has_other_type(other: &str) -> bool {
    const TEXTS: [&str; 5] = ["auditID", "stage", "requestURI", "verb", "userAgent"];
    const OBJECTS: [(&str, &[&str]); 4] = [
        ("user", &["username", "uid"]),
        ("impersonatedUser", &["username", "uid"]),
        (
            "objectRef",
            &["resource", "namespace", "name", "uid", "apiGroup", "apiVersion", "resourceVersion", "subresource"],
        ),
        ("responseStatus", &["status", "message", "reason"]),
    ];
    let is_other = |value: &str| !value.starts_with('"') && value != "null";
    let mut found = false;
    let _ = json::members(other, &mut |key, value| {
        found |= TEXTS.contains(&&*key) && is_other(value);
        if let Some((_, texts)) = OBJECTS.iter().find(|(object, _)| *object == key)
            && json::is_object(value)
        {
            let _ = json::members(value, &mut |key, value| found |= texts.contains(&&*key) && is_other(value));
        }
    });
    found
}

/// Writes the dots into the keys of an `extra`; whether any were missing.
fn restore_extra(user: &mut UserInfo<'_>) -> bool {
    let Some(restored) = user.extra.as_deref().and_then(keys::with_dots) else { return false };
    user.take_extra(&restored);
    user.extra = Some(Cow::Owned(restored));
    true
}

/// Reads the bodies in some way; each that comes out different is kept as it came, unless it is kept already.
fn read_bodies(event: &mut Event<'_>, read: fn(&str) -> Option<String>) {
    let Event { request_object, response_object, other, .. } = event;
    for (name, body) in [("requestObject", request_object), ("responseObject", response_object)] {
        let Some(written) = body.as_deref() else { continue };
        let Some(told) = read(written) else { continue };
        if other.as_deref().and_then(|other| json::member(other, name)).is_none() {
            push_member(other, name, written);
        }
        *body = Some(Cow::Owned(told));
    }
}

fn assume(event: &mut Event<'_>, what: &'static str) {
    event.assumed.get_or_insert_default().push(Cow::Borrowed(what));
}

/// The object or list that a JSON string holds as text: as JSON, or as Python prints it.
pub(crate) fn packed(value: &str, opens: char) -> Option<String> {
    let text = json::string(value)?;
    let text = text.trim_ascii();
    if !text.starts_with(opens) {
        return None;
    }
    let is_whole = serde_json::from_str::<&RawValue>(text).is_ok();
    if is_whole { Some(text.to_owned()) } else { literal::read(text).map(|literal| literal.json) }
}

/// Whether a text stands for an object, or a list of some, in the words of another language: Presto's `{resource=secrets}`, PowerShell's
/// `@{resource=secrets}`, Go's `map[resource:secrets]`, Java's and .NET's names of types. What stood in it cannot be told for
/// certain, because nothing in such a text is escaped.
pub(crate) fn is_flattened(value: &str) -> bool {
    json::string(value).is_some_and(|text| {
        let text = text.trim_ascii();
        let begins = ["{", "[", "@{", "map[", "#<", "System."].iter().any(|beginning| text.starts_with(beginning));
        begins && (text.ends_with(['}', ']', '>']) || text.starts_with("System."))
    })
}

/// Whether PowerShell stopped in the middle of a body: below the depth of its `ConvertTo-Json`, two if nobody said another, objects
/// are `@{name=x; …}`.
fn stops_in(body: &str) -> bool {
    memmem::find(body.as_bytes(), FLATTENED).is_some_and(|_| flattens(body, 0))
}

/// How such an object begins.
pub(crate) const FLATTENED: &[u8] = b"\"@{";

/// Objects in objects that are looked into for what PowerShell flattened.
const MAX_FLATTENED_DEPTH: usize = 60;

fn flattens(value: &str, depth: usize) -> bool {
    let mut found = false;
    if depth > MAX_FLATTENED_DEPTH {
        return false;
    }
    match value.as_bytes().first() {
        Some(b'{') => _ = json::members(value, &mut |_, member| found |= flattens(member, depth + 1)),
        Some(b'[') => _ = json::elements(value, &mut |item| found |= flattens(item, depth + 1)),
        Some(b'"') => return value.starts_with("\"@{") && value.ends_with("}\"") && value.contains('='),
        _ => (),
    }
    found
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

/// Addresses as JSON text, or as a list with commas or blanks.
pub(crate) fn addresses<'a>(value: &str) -> Option<Vec<Cow<'a, str>>> {
    let own = |list: Vec<Cow<'_, str>>| list.into_iter().map(|address| Cow::Owned(address.into_owned())).collect();
    if let Some(list) = packed(value, '[') {
        return json::strings(&list).map(own);
    }
    let text = json::string(value)?;
    let is_between = |letter: char| letter == ',' || letter.is_whitespace();
    let words = text.split(is_between).filter(|address| !address.is_empty());
    let list: Vec<Cow<'_, str>> = words.map(Cow::Borrowed).collect();
    (!list.is_empty() && list.iter().all(|address| address.parse::<IpAddr>().is_ok())).then(|| own(list))
}

/// Whether an answer has a status code.
pub(crate) fn has_code(status: &str) -> bool {
    let unpacked = packed(status, '{');
    json::member(unpacked.as_deref().unwrap_or(status), "code").is_some_and(|code| !is_nothing(code))
}

/// Whether a value says that there is none.
pub(crate) fn is_nothing(value: &str) -> bool {
    value == "null" || json::string(value).is_some_and(|text| is_placeholder(&text))
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

/// A status as `403.0`, `403.000000`, `4.03e2`, as the text of a number, or with its type (MongoDB's `{"$numberInt":"403"}`).
pub(crate) fn code(value: &str) -> Option<i32> {
    if json::is_object(value) {
        return code(typed(value)?).filter(|_| !json::is_object(typed(value).unwrap_or_default()));
    }
    let text = json::string(value).unwrap_or(Cow::Borrowed(value));
    let number: f64 = text.trim_ascii().parse().ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "a whole number below a thousand")]
    (number.fract() == 0.0 && (0.0..1_000.0).contains(&number)).then_some(number as i32)
}

/// The value that its one member names the type of, as databases write them: `{"$date":"…"}`, `{"$numberLong":"5"}`.
pub(crate) fn typed(object: &str) -> Option<&str> {
    let (mut found, mut members) = (None, 0);
    json::members(object, &mut |name, value| {
        members += 1;
        found =
            (name.starts_with('$') || matches!(name.as_ref(), "N" | "S" | "string" | "int" | "long")).then_some(value);
    })
    .ok()?;
    found.filter(|_| members == 1)
}

fn own<'b>(text: Option<Cow<'_, str>>) -> Option<Cow<'b, str>> {
    text.map(|text| Cow::Owned(text.into_owned()))
}

impl UserInfo<'_> {
    /// Takes what has a column of its own from an `extra` that is no part of the record.
    fn take_extra(&mut self, extra: &str) {
        let mut read = UserInfo::default();
        read.read_extra(extra);
        let read = read.into_owned();
        self.credential_id = read.credential_id;
        (self.pod_name, self.pod_uid, self.node_name) = (read.pod_name, read.pod_uid, read.node_name);
    }

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
