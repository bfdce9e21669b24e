//! Where in a wrapper collectors put events, and where text stands that a client chose.
//!
//! An event is read, as the server wrote it, only under names that collectors are known to use. Under any other name it is
//! marked. And never is anything looked for in what clients send, however it is called: a body is not searched.

use std::borrow::Cow;

use crate::json;
use crate::keys;

/// What may stand under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// What a collector reads: records.
    Known,
    /// Nobody knows.
    Unknown,
    /// What a client chose.
    Client,
}

/// Names under which collectors and exports keep records, or what holds them, letters and digits alone.
const KNOWN: &[&str] = &[
    "attributes",
    "audit",
    "auditevent",
    "awslogs",
    "body",
    "columns",
    "content",
    "contents",
    "data",
    "document",
    "documents",
    "entries",
    "event",
    "eventdata",
    "eventoriginal",
    "events",
    "fields",
    "fullmessage",
    "hits",
    "item",
    "items",
    "json",
    "jsonpayload",
    "kubernetes",
    "kubernetesaudit",
    "kvlistvalue",
    "line",
    "lines",
    "log",
    "logevents",
    "logfields",
    "loggroup",
    "logline",
    "logmessage",
    "logprocessed",
    "logrecords",
    "logs",
    "message",
    "messages",
    "msg",
    "original",
    "originalevent",
    "originallog",
    "originalmessage",
    "parsed",
    "payload",
    "payloadasutf",
    "primaryresult",
    "properties",
    "protopayload",
    "raw",
    "rawdata",
    "rawevent",
    "rawlog",
    "rawmessage",
    "receivedmessages",
    "record",
    "records",
    "resourcelogs",
    "result",
    "results",
    "rows",
    "scopelogs",
    "shortmessage",
    "source",
    "sourcedata",
    "sourceevent",
    "stringvalue",
    "structured",
    "tables",
    "text",
    "textpayload",
    "unmapped",
    "utf8payload",
    "value",
    "values",
];

/// Names of what a client sends, or chooses, letters and digits alone.
const CLIENT: &[&str] = &[
    "annotations",
    "args",
    "arguments",
    "cmdline",
    "command",
    "cookie",
    "cookies",
    "header",
    "headers",
    "httprequest",
    "httpresponse",
    "label",
    "labels",
    "managedfields",
    "metadata",
    "name",
    "namespace",
    "newobject",
    "object",
    "objectref",
    "oldobject",
    "parameters",
    "params",
    "patch",
    "path",
    "query",
    "querystring",
    "referer",
    "referrer",
    "request",
    "requestheaders",
    "requestparameters",
    "response",
    "responseelements",
    "responseheaders",
    "spec",
    "status",
    "tags",
    "uri",
    "url",
    "user",
    "username",
    "userinfo",
    "variables",
];

/// Parts of names that only a record of requests has; two of them make one.
const WORDS: [&str; 12] = [
    "auditid",
    "impersonateduser",
    "objectref",
    "requestbody",
    "requestobject",
    "requestreceived",
    "requesturi",
    "responsebody",
    "responseobject",
    "responsestatus",
    "sourceips",
    "stagetimestamp",
];

/// Those of them that hold what a client sent: one is enough.
const BODIES: [&str; 4] = ["requestbody", "requestobject", "responsebody", "responseobject"];

/// Names of the two things that each tell, together, that an object is a record of a request to some program: of a proxy, a firewall,
/// a policy engine. Everything in it can be what a client sent.
const REQUESTS: [[&[&str]; 2]; 2] = [
    [&["method", "httpmethod", "requestmethod"], &["uri", "url", "path", "requesturi", "requesturl", "requestpath"]],
    [&["decisionid"], &["input"]],
];

/// The letters and digits of a name in lower case, without what Log Analytics puts behind it to tell the type.
fn plain(name: &str) -> String {
    let name = ["_s", "_d", "_g", "_t", "_b"].iter().find_map(|kind| name.strip_suffix(kind)).unwrap_or(name);
    keys::plain(name)
}

/// What may stand under a name, which can be a path.
pub(super) fn standing(name: &str) -> Standing {
    let path = plain(name);
    let is_client = |part: &str| {
        CLIENT.contains(&part) || part.contains("useragent") || BODIES.iter().any(|body| part.contains(body))
    };
    if is_client(&path) || name.split('.').any(|part| is_client(&plain(part))) {
        return Standing::Client;
    }
    let is_known = |part: &str| KNOWN.contains(&part);
    if is_known(&path) || name.split('.').all(|part| is_known(&plain(part))) {
        Standing::Known
    } else {
        Standing::Unknown
    }
}

/// Components whose own logs stand beside the audit log, in a category or stream of their own. They hold text of clients.
const COMPONENTS: [&str; 8] = [
    "authenticator",
    "cloud-controller-manager",
    "cluster-autoscaler",
    "csi-",
    "guard",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
];

/// Where a wrapper says that its text comes from, as far as its members tell.
#[derive(Default)]
pub(super) struct Origin {
    of_component: bool,
    has_caller: bool,
    has_verbosity: bool,
    has_level: bool,
}

impl Origin {
    /// Takes notice of a member.
    pub(super) fn note(&mut self, key: &str, value: &str) {
        match key {
            "category" | "Category" | "logStreamName" | "logStream" | "@logStream" | "log_stream" => {
                let stream = json::string(value).unwrap_or_default();
                let is_one = COMPONENTS.iter().any(|name| stream.starts_with(name));
                self.of_component |= is_one && !stream.contains("audit");
            }
            "caller" => self.has_caller = true,
            "v" | "err" => self.has_verbosity = true,
            "level" => self.has_level = true,
            _ => (),
        }
    }

    /// Whether it is a component's own log: another stream than that of the audit log, or a line of klog's JSON, which has no
    /// level but a number, `{"ts":…,"caller":"x.go:1","msg":"…","v":0}`.
    pub(super) fn is_component_log(&self) -> bool {
        self.of_component || self.has_caller && self.has_verbosity && !self.has_level
    }
}

/// An object that is no event, as far as its names tell.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Looks {
    /// Like a wrapper.
    Wrapper,
    /// Like a record of a request, in words that are not the server's: it is not searched, but for the record as the
    /// server wrote it, which some collectors keep beside their own version, and which has this audit id.
    Record { audit_id: Option<String> },
    /// Like a record of a request to another program: whatever looks like an event in it was sent to that.
    Request,
    /// Like an object of Kubernetes, such as a ConfigMap.
    Object,
}

/// What an object looks like.
pub(super) fn looks(object: &str) -> Looks {
    let (mut words, mut has_body, mut audit_id) = ([false; WORDS.len()], false, None);
    let (mut kind, mut api_version, mut has_metadata) = (None, None, false);
    let mut requests = [[false; 2]; REQUESTS.len()];
    let _ = json::members(object, &mut |key, value| {
        match key.as_ref() {
            "kind" => kind = json::string(value),
            "apiVersion" => api_version = json::string(value),
            "metadata" => has_metadata = json::is_object(value),
            _ => (),
        }
        let name = plain(&key);
        for (word, seen) in WORDS.iter().zip(&mut words) {
            *seen |= name.contains(word);
        }
        for (names, seen) in REQUESTS.iter().flatten().zip(requests.iter_mut().flatten()) {
            *seen |= names.contains(&name.as_str());
        }
        has_body |= BODIES.iter().any(|body| name.contains(body));
        if name.ends_with("auditid") {
            audit_id = json::string(value).map(Cow::into_owned);
        }
    });
    // Without the id of an audit event nothing in it can be told to be that.
    if audit_id.is_none() && requests.iter().any(|seen| seen.iter().all(|seen| *seen)) {
        return Looks::Request;
    }
    let is_list = kind.as_deref().is_some_and(|kind| kind.ends_with("List"));
    let is_audit = api_version.as_deref().is_some_and(|version| version.starts_with("audit.k8s.io/"));
    if has_body || words.iter().filter(|seen| **seen).count() > 1 || (is_audit && !is_list) {
        return Looks::Record { audit_id };
    }
    if kind.is_some() && api_version.is_some() && has_metadata && !is_audit { Looks::Object } else { Looks::Wrapper }
}

/// The name that stands for the value of a pair such as `{"field":"@message","value":"…"}`, as exports and labels have them.
pub(super) fn name_of_pair(object: &str) -> Option<Cow<'_, str>> {
    let (mut name, mut has_value, mut others) = (None, false, 0);
    json::members(object, &mut |key, value| match key.as_ref() {
        "field" | "key" | "name" | "Name" | "Key" => name = json::string(value),
        "value" | "Value" => has_value = true,
        _ => others += 1,
    })
    .ok()?;
    name.filter(|_| has_value && others == 0)
}

/// The time of a record, in the words of a wrapper: one that is read as a time, of the first name in this order.
pub(super) fn time_of<'a>(object: &'a str) -> Option<Cow<'a, str>> {
    const NAMES: [&str; 10] = [
        "time",
        "@timestamp",
        "_time",
        "timestamp",
        "ts",
        "date",
        "Timestamp",
        "TimeGenerated",
        "timeUnixNano",
        "__time__",
    ];
    let mut found: Option<(usize, Cow<'a, str>)> = None;
    let _ = json::members(object, &mut |key, value| {
        if let Some(rank) = NAMES.iter().position(|name| *name == key)
            && found.as_ref().is_none_or(|(best, _)| rank < *best)
            && crate::time::read(value).is_some()
        {
            found = json::string(value).or(Some(Cow::Borrowed(value))).map(|text| (rank, text));
        }
    });
    found.map(|(_, text)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_may_stand_there() {
        for known in
            ["log", "@message", "_raw", "log_s", "event.original", "Message", "MESSAGE", "_msg", "kubernetes.audit"]
        {
            assert_eq!(standing(known), Standing::Known, "{known}");
        }
        for client in [
            "requestObject",
            "requestObject.data.x",
            "RequestObject",
            "json.requestObject_s",
            "callerSuppliedUserAgent",
            "user_agent",
            "http.useragent",
            "message.user.name",
            "response",
        ] {
            assert_eq!(standing(client), Standing::Client, "{client}");
        }
        assert_eq!(standing("anything"), Standing::Unknown);
        assert_eq!(standing("log.file"), Standing::Unknown);
    }

    #[test]
    fn records_in_other_words_are_told_from_wrappers() {
        let id = |id: &str| Looks::Record { audit_id: Some(id.to_owned()) };
        assert_eq!(looks(r#"{"audit_id":"a","request_uri":"/x"}"#), id("a"));
        assert_eq!(looks(r#"{"AuditId":"a","RequestUri":"/x","User":"{}"}"#), id("a"));
        assert_eq!(looks(r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1"}"#), Looks::Record { audit_id: None });
        assert_eq!(looks(r#"{"requestBody":{}}"#), Looks::Record { audit_id: None });
        assert_eq!(
            looks(r#"{"objectRef.name":"a","user.username":"b","sourceIPs.0":"c"}"#),
            Looks::Record { audit_id: None }
        );
        for request in [
            r#"{"time":"x","method":"PATCH","uri":"/api","body":"{}"}"#,
            r#"{"httpMethod":"POST","path":"/","payload":{}}"#,
            r#"{"decision_id":"x","input":{},"result":[]}"#,
        ] {
            assert_eq!(looks(request), Looks::Request, "{request}");
        }
        assert_eq!(looks(r#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{},"data":{}}"#), Looks::Object);
        for wrapper in [
            r#"{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[]}"#,
            r#"{"log":"x","stream":"stdout"}"#,
            r#"{"requestUri":"/","message":"x"}"#,
            r#"{"path":"/var/log/audit.log","message":"x"}"#,
        ] {
            assert_eq!(looks(wrapper), Looks::Wrapper, "{wrapper}");
        }
    }
}
