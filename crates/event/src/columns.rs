//! The one table of columns: what a row of `events` holds, where it comes from, what it means.
//!
//! The Parquet schema, the Delta schema, `DESCRIBE`, completion and the docs all derive from it.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use crate::cell::Cell;
use crate::event::{Event, UserInfo};
use crate::row::Row;

/// What values a column has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An instant, UTC, in microseconds.
    Time,
    /// A UTC day.
    Date,
    /// Text.
    Text,
    /// A list of texts.
    Texts,
    /// JSON text, byte for byte as it came.
    Json,
    /// A 32-bit number.
    Int,
    /// A 64-bit number.
    Long,
    /// True or false.
    Bool,
    /// Bytes that need not be text.
    Bytes,
}

/// Part a column plays in telling two events apart and in rebuilding one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Holds a part of the event itself.
    Content,
    /// Follows from other columns; stored because queries need it.
    Derived,
    /// Says where the row comes from, not what happened.
    Provenance,
    /// Follows from all rows of the request; known when a file is written, see [`crate::request`].
    Folded,
}

/// How a column is stored, where that is not the usual: as a dictionary, numbers and times with the bounds of every row
/// group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Storage {
    /// Its bounds stand in the log, so that files can be left out before they are opened, and in the file.
    pub bounded: bool,
    /// It is searched for single values: a Bloom filter tells which row groups may hold one.
    pub searched: bool,
    /// Its values hardly repeat: a dictionary of them is only overhead.
    pub unique: bool,
    /// Its numbers repeat and do not grow: a dictionary of them is smaller than their differences.
    pub repeated: bool,
}

/// A column of the table `events`.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Name in SQL and in files.
    pub name: &'static str,
    /// What values it has.
    pub kind: Kind,
    /// Part it plays.
    pub part: Part,
    /// Where in the audit event it comes from; empty when it does not.
    pub path: &'static str,
    /// What it means, units included.
    pub meaning: &'static str,
    /// How it is stored.
    pub storage: Storage,
    /// Its value in a row that is being written.
    pub(crate) get: for<'a> fn(&'a Row<'a>) -> Cell<'a>,
}

use Kind::{Bool, Bytes, Date, Int, Json, Long, Text, Texts, Time};
use Part::{Content, Derived, Folded, Provenance};

type Get = for<'a> fn(&'a Row<'a>) -> Cell<'a>;

const fn column(
    name: &'static str,
    kind: Kind,
    part: Part,
    path: &'static str,
    meaning: &'static str,
    get: Get,
) -> Column {
    const USUAL: Storage = Storage { bounded: false, searched: false, unique: false, repeated: false };
    Column { name, kind, part, path, meaning, storage: USUAL, get }
}

impl Column {
    const fn bounded(mut self) -> Self {
        self.storage.bounded = true;
        self
    }

    const fn searched(mut self) -> Self {
        self.storage.searched = true;
        self
    }

    const fn repeated(mut self) -> Self {
        self.storage.repeated = true;
        self
    }

    const fn unique(mut self) -> Self {
        self.storage.unique = true;
        self
    }
}

const fn folded(name: &'static str, kind: Kind, meaning: &'static str) -> Column {
    column(name, kind, Folded, "", meaning, |_| Cell::Null)
}

fn event<'a>(row: &'a Row<'a>, get: impl Fn(&'a Event<'a>) -> Cell<'a>) -> Cell<'a> {
    row.event.map_or(Cell::Null, get)
}

fn user<'a>(row: &'a Row<'a>, get: impl Fn(&'a UserInfo<'a>) -> Cell<'a>) -> Cell<'a> {
    event(row, |e| get(&e.user))
}

fn impersonated<'a>(row: &'a Row<'a>, get: impl Fn(&'a UserInfo<'a>) -> Cell<'a>) -> Cell<'a> {
    event(row, |e| get(&e.impersonated))
}

/// All columns, in the order of the table.
#[rustfmt::skip]
pub const COLUMNS: &[Column] = &[
    column("event_time", Time, Content, "requestReceivedTimestamp", "when the server received the request (UTC, microseconds); older layouts: `timestamp`, else the stage's time", |r| event(r, |e| e.event_time.into())).bounded(),
    column("stage_time", Time, Content, "stageTimestamp", "when the request reached this stage (UTC, microseconds)", |r| event(r, |e| e.stage_time.into())).bounded(),
    column("audit_id", Text, Content, "auditID", "id of the request, shared by its stages; a client can choose it with the header Audit-ID", |r| event(r, |e| (&e.audit_id).into())).searched().unique(),
    column("stage", Text, Content, "stage", "RequestReceived, ResponseStarted, ResponseComplete or Panic", |r| event(r, |e| (&e.stage).into())),
    column("level", Text, Content, "level", "how much the matching rule of the audit policy records: Metadata, Request or RequestResponse", |r| event(r, |e| (&e.level).into())),
    column("verb", Text, Content, "verb", "get, list, watch, create, update, patch, delete, deletecollection; the lower-case HTTP method when the request is not about a resource", |r| event(r, |e| (&e.verb).into())).bounded(),
    column("request_uri", Text, Content, "requestURI", "path and query as the client sent them", |r| event(r, |e| (&e.request_uri).into())),
    column("user_name", Text, Content, "user.username", "who sent the request; NULL when authentication failed (401)", |r| user(r, |u| (&u.name).into())).searched(),
    column("user_uid", Text, Content, "user.uid", "uid of the user", |r| user(r, |u| (&u.uid).into())),
    column("user_groups", Texts, Content, "user.groups", "groups of the user", |r| user(r, |u| (&u.groups).into())),
    column("user_extra", Json, Content, "user.extra", "what the authenticator adds: an object of lists", |r| user(r, |u| (&u.extra).into())),
    column("credential_id", Text, Derived, "user.extra[authentication.kubernetes.io/credential-id]", "the credential used: `JTI=…` of a token (1.29 and later), `X509SHA256=…` of a certificate (1.32 and later)", |r| user(r, |u| (&u.credential_id).into())).searched(),
    column("pod_name", Text, Derived, "user.extra[authentication.kubernetes.io/pod-name]", "pod that the token is bound to", |r| user(r, |u| (&u.pod_name).into())),
    column("pod_uid", Text, Derived, "user.extra[authentication.kubernetes.io/pod-uid]", "uid of that pod", |r| user(r, |u| (&u.pod_uid).into())),
    column("node_name", Text, Derived, "user.extra[authentication.kubernetes.io/node-name]", "node that the token is bound to (1.29 and later)", |r| user(r, |u| (&u.node_name).into())),
    column("impersonated_user", Text, Content, "impersonatedUser.username", "whose rights were used instead of the user's own", |r| impersonated(r, |u| (&u.name).into())),
    column("impersonated_uid", Text, Content, "impersonatedUser.uid", "uid of the impersonated user", |r| impersonated(r, |u| (&u.uid).into())),
    column("impersonated_groups", Texts, Content, "impersonatedUser.groups", "groups of the impersonated user", |r| impersonated(r, |u| (&u.groups).into())),
    column("impersonated_extra", Json, Content, "impersonatedUser.extra", "extra of the impersonated user", |r| impersonated(r, |u| (&u.extra).into())),
    column("impersonation_constraint", Text, Content, "authenticationMetadata.impersonationConstraint", "the constrained impersonation that allowed it (1.35 and later)", |r| event(r, |e| (&e.impersonation_constraint).into())),
    column("source_ips", Texts, Content, "sourceIPs", "X-Forwarded-For, X-Real-Ip, then the peer; a client can forge all but the last", |r| event(r, |e| (&e.source_ips).into())),
    column("source_ip", Text, Derived, "sourceIPs[-1]", "the last of source_ips: the peer of the connection, which a client cannot forge; NULL for the legacy text format, which keeps only the first", |r| event(r, |e| e.source_ip().into())).searched(),
    column("user_agent", Text, Content, "userAgent", "what the client calls itself; cut at 1,024 bytes by the server", |r| event(r, |e| (&e.user_agent).into())),
    column("api_group", Text, Content, "objectRef.apiGroup", "API group; NULL for the core group", |r| event(r, |e| (&e.object.api_group).into())).bounded(),
    column("api_version", Text, Content, "objectRef.apiVersion", "API version of the resource", |r| event(r, |e| (&e.object.api_version).into())),
    column("resource", Text, Content, "objectRef.resource", "resource, in the plural; NULL when the request is not about one; a client can choose it", |r| event(r, |e| e.resource().into())).bounded(),
    column("subresource", Text, Content, "objectRef.subresource", "exec, log, token, status, …", |r| event(r, |e| (&e.object.subresource).into())),
    column("namespace", Text, Content, "objectRef.namespace", "namespace; NULL for cluster-wide requests", |r| event(r, |e| (&e.object.namespace).into())).bounded(),
    column("name", Text, Content, "objectRef.name", "name of the object; NULL for list and watch, and for create with generateName", |r| event(r, |e| (&e.object.name).into())).searched(),
    column("object_uid", Text, Content, "objectRef.uid", "uid of the object", |r| event(r, |e| (&e.object.uid).into())),
    column("resource_version", Text, Content, "objectRef.resourceVersion", "version of the object that the request names", |r| event(r, |e| (&e.object.resource_version).into())),
    column("status_code", Int, Content, "responseStatus.code", "HTTP status; NULL at RequestReceived", |r| event(r, |e| e.status.code.map(i64::from).into())),
    column("status", Text, Content, "responseStatus.status", "Success or Failure, when the server says so", |r| event(r, |e| (&e.status.status).into())),
    column("status_reason", Text, Content, "responseStatus.reason", "one word for a failure: Forbidden, NotFound, …", |r| event(r, |e| (&e.status.reason).into())),
    column("status_message", Text, Content, "responseStatus.message", "the failure in a sentence", |r| event(r, |e| (&e.status.message).into())),
    column("status_details", Json, Content, "responseStatus.details", "the failure in parts", |r| event(r, |e| (&e.status.details).into())),
    column("request_object", Json, Content, "requestObject", "body of the request (level Request and above); a list for a JSON Patch", |r| event(r, |e| (&e.request_object).into())).unique(),
    column("response_object", Json, Content, "responseObject", "body of the answer (level RequestResponse); never there for a watch", |r| event(r, |e| (&e.response_object).into())).unique(),
    column("annotations", Json, Content, "annotations", "what authorization, admission and webhooks noted", |r| event(r, |e| (&e.annotations).into())),
    column("decision", Text, Derived, "annotations[authorization.k8s.io/decision]", "allow or forbid", |r| event(r, |e| (&e.annotated.decision).into())),
    column("decision_reason", Text, Derived, "annotations[authorization.k8s.io/reason]", "why: the role and binding that allowed it", |r| event(r, |e| (&e.annotated.decision_reason).into())),
    column("issued_credential_id", Text, Derived, "annotations[authentication.kubernetes.io/issued-credential-id]", "credential that this request made (1.30 and later); joins with credential_id", |r| event(r, |e| (&e.annotated.issued_credential_id).into())),
    column("truncated", Bool, Derived, "annotations[audit.k8s.io/truncated]", "the server dropped the bodies because the event was too large", |r| event(r, |e| Cell::Bool(e.annotated.truncated))),
    column("redacted", Int, Derived, "", "secret values in this row that were replaced by `redacted:` and a keyed hash", |r| Cell::Int(r.redacted.into())),
    column("other", Json, Content, "", "members without a column, word for word", |r| match r.event { Some(e) => e.other.as_deref().into(), None => r.note.into() }).unique(),
    column("salvaged", Text, Provenance, "", "how the event was recovered: cut (its end is missing), behind-damage, torn-list, unknown-wrapper, other-container (not an API server's), not-utf-8 (each such byte is a question mark), members-twice, split-part; NULL when it was read whole where the server or a known collector put it", |r| event(r, |e| (&e.salvaged).into())),
    column("assumed", Texts, Provenance, "", "what was assumed because the collector left it out or changed it: zone, day, level, event_time, stage_time, user, keys, text, requestObject withheld, …; NULL when nothing was", |r| event(r, |e| (&e.assumed).into())),
    column("cluster", Text, Provenance, "", "cluster that the log comes from, as given, as the path tells, or as the event itself does", |r| r.origin.cluster.as_deref().or_else(|| r.event?.cluster.as_deref()).into()),
    column("host", Text, Provenance, "", "host that the log comes from, as given or as the path tells", |r| r.origin.host.as_deref().into()),
    column("source_id", Text, Provenance, "", "source that the row comes from: commit and number of its ledger entry", |r| Cell::Text(&r.origin.source_id)),
    column("line_number", Long, Provenance, "", "line of the decompressed source, counted from 1", |r| Cell::Int(r.position.line)),
    column("byte_offset", Long, Provenance, "", "offset of the record in the decompressed source, in bytes", |r| Cell::Int(r.position.offset)),
    column("byte_length", Long, Provenance, "", "length of the record in bytes, without the line ending", |r| Cell::Int(r.length)).repeated(),
    column("reject_reason", Text, Provenance, "", "why the record is no audit event; NULL for events", |r| r.reject.map(|(reason, _)| reason).into()),
    column("raw", Bytes, Provenance, "", "bytes of a rejected record; NULL for events", |r| r.reject.map_or(Cell::Null, |(_, raw)| Cell::Bytes(raw))).unique(),
    folded("final", Bool, "this is the last stage of its request that is in the case: the row that stands for the request"),
    folded("stages", Texts, "stages of the request that are in the case, in their order; on the final row"),
    folded("outcome", Text, "allowed (status below 400, or a stream that started), denied (401, 403), failed (other 4xx, 5xx), or unknown (the answer is not in the log); on the final row"),
    column("date", Date, Derived, "requestReceivedTimestamp", "UTC day of event_time; partition", |r| Cell::from(r.day().map(i64::from))),
    column("resource_partition", Text, Derived, "objectRef.resource", "the resource when it has a folder of its own, else _other, _none or _rejected; partition", |r| Cell::Text(r.resource_partition())),
];

/// The column called `name`.
pub fn find(name: &str) -> Option<(usize, &'static Column)> {
    COLUMNS.iter().enumerate().find(|(_, column)| column.name == name)
}

/// The place of the column called `name` in the table. Used in constants: a misspelt name does not compile.
///
/// # Panics
/// When there is none.
pub const fn at(name: &str) -> usize {
    let mut at = 0;
    while at < COLUMNS.len() {
        if same(COLUMNS[at].name.as_bytes(), name.as_bytes()) {
            return at;
        }
        at += 1;
    }
    panic!("there is no such column")
}

const fn same(left: &[u8], right: &[u8]) -> bool {
    let mut at = 0;
    while at < left.len() && at < right.len() && left[at] == right[at] {
        at += 1;
    }
    at == left.len() && at == right.len()
}

/// The Arrow schema of the table.
pub fn schema() -> SchemaRef {
    let fields = COLUMNS.iter().map(|column| Field::new(column.name, column.kind.arrow_type(), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

impl Kind {
    /// The Arrow type of the column on disk.
    pub fn arrow_type(self) -> DataType {
        match self {
            Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Date => DataType::Date32,
            Text | Json => DataType::Utf8,
            Texts => DataType::List(list_item()),
            Int => DataType::Int32,
            Long => DataType::Int64,
            Bool => DataType::Boolean,
            Bytes => DataType::Binary,
        }
    }
}

/// The field inside a list. Parquet's specification calls it `element`; Arrow's own default is `item`.
pub(crate) fn list_item() -> Arc<Field> {
    Arc::new(Field::new("element", DataType::Utf8, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_every_column_says_what_it_means() {
        let mut names: Vec<_> = COLUMNS.iter().map(|column| column.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), COLUMNS.len());
        assert!(COLUMNS.iter().all(|column| !column.meaning.is_empty()));
    }

    #[test]
    fn every_part_of_an_audit_event_has_a_path() {
        for column in COLUMNS.iter().filter(|column| column.part == Content && column.name != "other") {
            assert!(!column.path.is_empty(), "{}", column.name);
        }
    }
}
