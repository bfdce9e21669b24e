//! The way back: an audit event from its row.
//!
//! Columns give the members they mirror. `other` is an object whose members replace or join them;
//! its `$absent` lists members that the original lacks although every event of the API server has
//! them, and its `$event`, when it is there, is the whole original. What comes out is equal to what
//! came in as a JSON value; bodies, annotations and extras are the same bytes.

use std::borrow::Cow;

use thiserror::Error;

use crate::cell::Cell;
use crate::decode::{ABSENT, API_VERSION, KIND, WHOLE};
use crate::json;
use crate::time;

/// A row from which no event can be rebuilt.
#[derive(Debug, Error)]
pub enum RebuildError {
    /// The row is a rejected record.
    #[error("the row is a rejected record, not an event")]
    NotAnEvent,
    /// `other` is not what this module writes.
    #[error("column `other` is not a JSON object")]
    Other(#[source] serde_json::Error),
}

/// The event as JSON text, from the cells of its row by column name.
///
/// # Errors
/// When the row is not an event, or its column `other` has been altered.
pub fn rebuild<'a>(cell: &dyn Fn(&'static str) -> Cell<'a>) -> Result<String, RebuildError> {
    if cell("audit_id") == Cell::Null {
        return Err(RebuildError::NotAnEvent);
    }
    let mut event = Object::new();
    event.text("kind", &Cell::Text(KIND));
    event.text("apiVersion", &Cell::Text(API_VERSION));
    event.text("level", &cell("level"));
    event.text("auditID", &cell("audit_id"));
    event.text("stage", &cell("stage"));
    event.text("requestURI", &cell("request_uri"));
    event.text("verb", &cell("verb"));
    event.object("user", user(cell, ["user_name", "user_uid", "user_groups", "user_extra"]), true);
    let impersonated = ["impersonated_user", "impersonated_uid", "impersonated_groups", "impersonated_extra"];
    event.object("impersonatedUser", user(cell, impersonated), false);
    let mut authentication = Object::new();
    authentication.text("impersonationConstraint", &cell("impersonation_constraint"));
    event.object("authenticationMetadata", authentication, false);
    event.texts("sourceIPs", &cell("source_ips"));
    event.text("userAgent", &cell("user_agent"));
    event.object("objectRef", object_ref(cell), false);
    event.object("responseStatus", status(cell), false);
    event.verbatim("requestObject", &cell("request_object"));
    event.verbatim("responseObject", &cell("response_object"));
    event.time("requestReceivedTimestamp", &cell("event_time"));
    event.time("stageTimestamp", &cell("stage_time"));
    event.verbatim("annotations", &cell("annotations"));
    match cell("other") {
        Cell::Text(other) => event.merge(other),
        _ => Ok(event.finish()),
    }
}

fn user<'a>(cell: &dyn Fn(&'static str) -> Cell<'a>, columns: [&'static str; 4]) -> Object<'a> {
    let mut user = Object::new();
    user.text("username", &cell(columns[0]));
    user.text("uid", &cell(columns[1]));
    user.texts("groups", &cell(columns[2]));
    user.verbatim("extra", &cell(columns[3]));
    user
}

fn object_ref<'a>(cell: &dyn Fn(&'static str) -> Cell<'a>) -> Object<'a> {
    let mut object = Object::new();
    object.text("resource", &cell("resource"));
    object.text("namespace", &cell("namespace"));
    object.text("name", &cell("name"));
    object.text("uid", &cell("object_uid"));
    object.text("apiGroup", &cell("api_group"));
    object.text("apiVersion", &cell("api_version"));
    object.text("resourceVersion", &cell("resource_version"));
    object.text("subresource", &cell("subresource"));
    object
}

fn status<'a>(cell: &dyn Fn(&'static str) -> Cell<'a>) -> Object<'a> {
    let mut status = Object::new();
    status.text("status", &cell("status"));
    status.text("message", &cell("status_message"));
    status.text("reason", &cell("status_reason"));
    status.verbatim("details", &cell("status_details"));
    if let Some(code) = cell("status_code").int() {
        status.member("code", &code.to_string());
    }
    if !status.members.is_empty() {
        status.members.insert(0, (Cow::Borrowed("metadata"), Cow::Borrowed("{}")));
    }
    status
}

/// A JSON object that is being written: names and JSON texts.
struct Object<'a> {
    members: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Object<'a> {
    fn new() -> Self {
        Self { members: Vec::new() }
    }

    fn member(&mut self, name: &'static str, json: &str) {
        self.members.push((Cow::Borrowed(name), Cow::Owned(json.to_owned())));
    }

    fn text(&mut self, name: &'static str, cell: &Cell<'_>) {
        if let Some(text) = cell.text() {
            let mut json = String::with_capacity(text.len() + 2);
            json::push_string(&mut json, text);
            self.members.push((Cow::Borrowed(name), Cow::Owned(json)));
        }
    }

    fn texts(&mut self, name: &'static str, cell: &Cell<'_>) {
        if let Cell::Texts(texts) = cell {
            let mut json = String::from("[");
            for (number, text) in texts.iter().enumerate() {
                if number > 0 {
                    json.push(',');
                }
                json::push_string(&mut json, text);
            }
            json.push(']');
            self.members.push((Cow::Borrowed(name), Cow::Owned(json)));
        }
    }

    fn time(&mut self, name: &'static str, cell: &Cell<'_>) {
        if let Some(micros) = cell.int() {
            self.member(name, &format!("\"{}\"", time::render(micros)));
        }
    }

    fn verbatim(&mut self, name: &'static str, cell: &Cell<'a>) {
        if let Some(json) = cell.text() {
            self.members.push((Cow::Borrowed(name), Cow::Borrowed(json)));
        }
    }

    fn object(&mut self, name: &'static str, object: Self, even_if_empty: bool) {
        if even_if_empty || !object.members.is_empty() {
            self.members.push((Cow::Borrowed(name), Cow::Owned(object.finish())));
        }
    }

    /// Applies the column `other`.
    fn merge(mut self, other: &'a str) -> Result<String, RebuildError> {
        let mut whole = None;
        json::members(other, &mut |name, value| match name.as_ref() {
            WHOLE => whole = Some(value),
            ABSENT => {
                let absent = json::strings(value).unwrap_or_default();
                self.members.retain(|(name, _)| !absent.contains(name));
            }
            _ => {
                self.members.retain(|(known, _)| *known != name);
                self.members.push((name, Cow::Borrowed(value)));
            }
        })
        .map_err(RebuildError::Other)?;
        Ok(whole.map_or_else(|| self.finish(), str::to_owned))
    }

    fn finish(self) -> String {
        let mut json = String::from("{");
        for (number, (name, value)) in self.members.iter().enumerate() {
            if number > 0 {
                json.push(',');
            }
            json::push_string(&mut json, name);
            json.push(':');
            json.push_str(value);
        }
        json.push('}');
        json
    }
}
