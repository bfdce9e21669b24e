//! What names of columns and fields say, told by their letters alone.

use crate::shape::wrapper::{self, Standing};

/// Members of an event, with the letters of their names in lower case.
const MEMBERS: [(&str, &str); 21] = [
    ("kind", "kind"),
    ("apiversion", "apiVersion"),
    ("level", "level"),
    ("auditid", "auditID"),
    ("stagetimestamp", "stageTimestamp"),
    ("stagereceivedtime", "stageTimestamp"),
    ("stage", "stage"),
    ("requesturi", "requestURI"),
    ("verb", "verb"),
    ("useragent", "userAgent"),
    ("user", "user"),
    ("impersonateduser", "impersonatedUser"),
    ("authenticationmetadata", "authenticationMetadata"),
    ("sourceips", "sourceIPs"),
    ("objectref", "objectRef"),
    ("responsestatus", "responseStatus"),
    ("requestobject", "requestObject"),
    ("responseobject", "responseObject"),
    ("requestreceivedtimestamp", "requestReceivedTimestamp"),
    ("requestreceivedtime", "requestReceivedTimestamp"),
    ("annotations", "annotations"),
];

/// Those of them that have members, of which clients choose names.
const OBJECTS: [&str; 8] = [
    "user",
    "impersonateduser",
    "authenticationmetadata",
    "objectref",
    "responsestatus",
    "requestobject",
    "responseobject",
    "annotations",
];

/// Members of members whose names have more than one word.
pub(super) const INNER: [(&str, &str); 16] = [
    ("username", "username"),
    ("name", "name"),
    ("uid", "uid"),
    ("groups", "groups"),
    ("extra", "extra"),
    ("apigroup", "apiGroup"),
    ("apiversion", "apiVersion"),
    ("resourceversion", "resourceVersion"),
    ("resource", "resource"),
    ("subresource", "subresource"),
    ("namespace", "namespace"),
    ("code", "code"),
    ("status", "status"),
    ("message", "message"),
    ("reason", "reason"),
    ("impersonationconstraint", "impersonationConstraint"),
];

/// Names of the time of a record, letters alone, best first. It stands for the time of the event when that is left out.
pub(super) const TIMES: [&str; 10] = [
    "timestamp",
    "time",
    "timegenerated",
    "timegeneratedutc",
    "date",
    "ts",
    "eventtime",
    "messagetime",
    "datetime",
    "timens",
];

/// Names of columns that hold events as text, letters alone.
const COLUMNS: [&str; 30] = [
    "message",
    "msg",
    "raw",
    "rawdata",
    "rawlog",
    "rawevent",
    "log",
    "logs",
    "line",
    "event",
    "eventoriginal",
    "body",
    "content",
    "text",
    "textpayload",
    "jsonpayload",
    "payload",
    "payloadasutf",
    "utf8payload",
    "data",
    "properties",
    "propertieslog",
    "record",
    "json",
    "fullmessage",
    "originalevent",
    "original",
    "value",
    "logmessage",
    "fieldsmessage",
];

/// The letters and digits of a name, in lower case, without the type that Log Analytics puts behind it.
pub(super) fn letters(name: &str) -> String {
    let name = ["_s", "_d", "_g", "_t", "_b"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Whether a column of that name may hold events as text.
pub(in crate::shape) fn may_hold_event(name: &str) -> bool {
    COLUMNS.contains(&letters(name).as_str())
}

/// Whether names of columns are those of a table of events.
pub(in crate::shape) fn are_of_events(names: &[String]) -> bool {
    is_table(names.iter().map(String::as_str)) || names.iter().any(|name| name.starts_with("protopayload_auditlog"))
}

/// Whether there is an audit id among names, and what was asked for beside it.
pub(super) fn is_table<'a>(names: impl Iterator<Item = &'a str>) -> bool {
    let names: Vec<&str> = names.collect();
    !beginnings(&names).is_empty()
}

/// What stands in front of the names of the members of events, `kubernetes.audit.`, told from those of their audit ids, each beside
/// what was asked for; with the number of the id's name. The shortest come first.
///
/// A body that a client sent has whatever members its client likes, and a collector that makes records flat puts them beside those of
/// the event, in any order: what stands inside of a member of an event is none of these, even where that event's own id is missing.
pub(super) fn beginnings<'a>(names: &[&'a str]) -> Vec<(&'a str, usize)> {
    let mut all: Vec<(&str, usize)> = Vec::new();
    for (number, name) in names.iter().enumerate() {
        let Some(beginning) = beginning(name) else { continue };
        // First what is quick to tell: there can be as many ids in a body as its client likes.
        if is_inside_of_event(beginning) || all.iter().any(|(known, _)| *known == beginning) {
            continue;
        }
        let is_asked = |name: &&str| matches!(place(name, beginning), Some(("verb" | "requestURI", _)));
        if names.iter().any(is_asked) {
            all.push((beginning, number));
        }
    }
    all.sort_by_key(|(beginning, _)| beginning.len());
    all
}

/// What stands in front of the name of an audit id.
fn beginning(name: &str) -> Option<&str> {
    let bare = ["_s", "_g"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    (0..bare.len()).filter(|at| bare.is_char_boundary(*at)).find_map(|at| {
        let rest = &bare[at..];
        let is_id = begins_word(bare, at) && letters(rest) == "auditid";
        // In `x.audit_id` the id begins with `audit`, in `kubernetes.audit.auditID` behind it.
        is_id.then(|| &bare[..at])
    })
}

/// Whether a word of a name begins there.
fn begins_word(name: &str, at: usize) -> bool {
    let bytes = name.as_bytes();
    bytes[at].is_ascii_alphanumeric() && (at == 0 || !bytes[at - 1].is_ascii_alphanumeric())
}

/// Whether what stands in front of a name says that it is a member of a member of an event, or of what clients send.
fn is_inside_of_event(beginning: &str) -> bool {
    let dotted = beginning.replace(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_', ".");
    let mut words = (0..dotted.len()).filter(|at| begins_word(&dotted, *at));
    wrapper::standing(beginning) == Standing::Client
        || words.any(|at| OBJECTS.iter().any(|object| behind(&dotted[at..], object).is_some()))
}

/// The member of an event that a name tells, and what it says of the place in it.
pub(super) fn place<'a>(name: &'a str, beginning: &str) -> Option<(&'static str, &'a str)> {
    // Azure's portal says the zone of columns of times.
    let ends = ["_s", "_d", "_g", "_t", "_b", " [UTC]"];
    let name = ends.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    let rest = name.strip_prefix(beginning)?;
    let mut found: Option<(&'static str, &'a str)> = None;
    for (word, member) in MEMBERS {
        if let Some(behind) = behind(rest, word)
            && found.is_none_or(|(_, shortest)| behind.len() < shortest.len())
        {
            found = Some((member, behind));
        }
    }
    found.map(|(member, behind)| (member, behind.trim_start_matches("{}").trim_start_matches(['.', '_', ':', '['])))
}

/// What is behind a word, whatever its case and with `_` in it; `None` when a text does not begin with it.
fn behind<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let mut letters = word.bytes();
    let mut wanted = letters.next();
    for (at, byte) in text.bytes().enumerate() {
        match wanted {
            None => return matches!(byte, b'.' | b'_' | b':' | b'[' | b'{').then(|| &text[at..]),
            Some(letter) if byte.eq_ignore_ascii_case(&letter) => wanted = letters.next(),
            Some(_) if matches!(byte, b'_' | b'-' | b' ') && at > 0 => (),
            Some(_) => return None,
        }
    }
    wanted.is_none().then_some("")
}
