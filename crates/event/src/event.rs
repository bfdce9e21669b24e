//! One audit event, decoded without copying what can be borrowed.
//!
//! The invariant: **nothing is lost**. Every member of the original goes either into a field whose
//! value gives the same JSON back, or word for word into [`Event::other`]. See [`crate::rebuild`].

use std::borrow::Cow;

use crate::decode::Decoder;
use crate::json;
use crate::reject::Reason;
use crate::shape::Part;

/// An audit event: one stage of one request. `None` means that the member is absent.
#[derive(Debug, Default, Clone)]
pub struct Event<'a> {
    /// `requestReceivedTimestamp` in microseconds since 1970, or the next best time the event has.
    pub event_time: Option<i64>,
    /// `stageTimestamp` in microseconds since 1970.
    pub stage_time: Option<i64>,
    /// `auditID`: a UUID, unless the client chose it.
    pub audit_id: Option<Cow<'a, str>>,
    /// `stage`.
    pub stage: Option<Cow<'a, str>>,
    /// `level` of the matching policy rule.
    pub level: Option<Cow<'a, str>>,
    /// `verb`.
    pub verb: Option<Cow<'a, str>>,
    /// `requestURI`, raw.
    pub request_uri: Option<Cow<'a, str>>,
    /// `user`: who sent the request.
    pub user: UserInfo<'a>,
    /// `impersonatedUser`: whose rights were used instead.
    pub impersonated: UserInfo<'a>,
    /// `authenticationMetadata.impersonationConstraint` (Kubernetes 1.35 and later).
    pub impersonation_constraint: Option<Cow<'a, str>>,
    /// `sourceIPs`; only the last one cannot be forged by the client.
    pub source_ips: Option<Vec<Cow<'a, str>>>,
    /// `userAgent`.
    pub user_agent: Option<Cow<'a, str>>,
    /// `objectRef`.
    pub object: ObjectRef<'a>,
    /// `responseStatus`.
    pub status: Status<'a>,
    /// `requestObject`, as it came.
    pub request_object: Option<Cow<'a, str>>,
    /// `responseObject`, as it came.
    pub response_object: Option<Cow<'a, str>>,
    /// `annotations`, as they came.
    pub annotations: Option<Cow<'a, str>>,
    /// What the known annotations say.
    pub annotated: Annotated<'a>,
    /// Members without a column, as a JSON object; see [`crate::rebuild`].
    pub other: Option<String>,
    /// The cluster that the event itself names, as GKE's do.
    pub cluster: Option<Cow<'a, str>>,
    /// The peer of the connection is not among `source_ips`: the legacy format keeps only the first address.
    pub peer_unknown: bool,
    /// How the event was recovered, when it was salvaged from damage rather than read; see [`crate::salvage`].
    pub salvaged: Option<Cow<'a, str>>,
    /// What was assumed because the collector left it out or changed it; see [`crate::assumed`].
    pub assumed: Option<Vec<Cow<'a, str>>>,
    /// It is the first part of an entry that was split: [`crate::shape::Parts`] joins it with the others.
    pub part: Option<Box<Part>>,
}

/// A user as the API server saw it.
#[derive(Debug, Default, Clone)]
pub struct UserInfo<'a> {
    /// `username`.
    pub name: Option<Cow<'a, str>>,
    /// `uid`.
    pub uid: Option<Cow<'a, str>>,
    /// `groups`.
    pub groups: Option<Vec<Cow<'a, str>>>,
    /// `extra`, as it came.
    pub extra: Option<Cow<'a, str>>,
    /// First value of `extra["authentication.kubernetes.io/credential-id"]`.
    pub credential_id: Option<Cow<'a, str>>,
    /// First value of `extra["authentication.kubernetes.io/pod-name"]`.
    pub pod_name: Option<Cow<'a, str>>,
    /// First value of `extra["authentication.kubernetes.io/pod-uid"]`.
    pub pod_uid: Option<Cow<'a, str>>,
    /// First value of `extra["authentication.kubernetes.io/node-name"]`.
    pub node_name: Option<Cow<'a, str>>,
}

/// What the request is about.
#[derive(Debug, Default, Clone)]
pub struct ObjectRef<'a> {
    pub(crate) api_group: Option<Cow<'a, str>>,
    pub(crate) api_version: Option<Cow<'a, str>>,
    pub(crate) resource: Option<Cow<'a, str>>,
    pub(crate) subresource: Option<Cow<'a, str>>,
    pub(crate) namespace: Option<Cow<'a, str>>,
    pub(crate) name: Option<Cow<'a, str>>,
    pub(crate) uid: Option<Cow<'a, str>>,
    pub(crate) resource_version: Option<Cow<'a, str>>,
}

/// What the server answered.
#[derive(Debug, Default, Clone)]
pub struct Status<'a> {
    pub(crate) code: Option<i32>,
    pub(crate) status: Option<Cow<'a, str>>,
    pub(crate) reason: Option<Cow<'a, str>>,
    pub(crate) message: Option<Cow<'a, str>>,
    pub(crate) details: Option<Cow<'a, str>>,
}

/// Values of the annotations that every investigation needs.
#[derive(Debug, Default, Clone)]
pub struct Annotated<'a> {
    pub(crate) decision: Option<Cow<'a, str>>,
    pub(crate) decision_reason: Option<Cow<'a, str>>,
    pub(crate) issued_credential_id: Option<Cow<'a, str>>,
    pub(crate) truncated: bool,
}

impl<'a> Event<'a> {
    /// Decodes one record.
    ///
    /// An audit event is a JSON object with a string `auditID`, a string `level` and an object `user`;
    /// `kind`, when it is there, is `Event`. (Events of core v1 have no `auditID`; Rancher's own audit
    /// log has no `level`.) Items of an `EventList` carry no `kind`.
    ///
    /// # Errors
    /// The [`Reason`] to reject the record.
    pub fn decode(record: &'a str) -> Result<Self, Reason> {
        let mut decoder = Decoder::default();
        json::members(record, &mut |key, value| decoder.member(&key, value)).map_err(|error| {
            if error.is_eof() {
                return Reason::Torn;
            }
            let message = error.to_string();
            let end = message.rfind(" at line ").unwrap_or(message.len());
            Reason::NotJson { message: message[..end].to_owned(), column: error.column() }
        })?;
        decoder.finish(record)
    }

    /// The last source IP: the peer of the connection, which the client cannot forge.
    pub fn source_ip(&self) -> Option<&str> {
        if self.peer_unknown {
            return None;
        }
        self.source_ips.as_ref()?.last().map(AsRef::as_ref)
    }

    /// `responseStatus.code`.
    pub fn status_code(&self) -> Option<i32> {
        self.status.code
    }

    /// `objectRef.resource`.
    pub fn resource(&self) -> Option<&str> {
        self.object.resource.as_deref()
    }
}
