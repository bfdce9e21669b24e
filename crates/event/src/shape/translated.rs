//! An event whose collector changed it beyond the names of members: told in the words of audit.k8s.io/v1, so that the one decoder
//! of events reads it, with the original beside it, which is what comes back when it is rebuilt.

use std::borrow::Cow;

use crate::assumed;
use crate::decode::{Decoder, WHOLE};
use crate::event::Event;
use crate::json;
use crate::reject::Reason;
use crate::salvage;
use crate::shape::Part;

/// Member of `other` that marks an event of which a collector cut off the end: what no column holds may have been there.
const CUT: &str = "$cut";

/// An event in the words of audit.k8s.io/v1.
#[derive(Debug)]
pub(super) struct Translated {
    /// What it says, as a JSON object.
    pub(super) json: String,
    /// What it was, as JSON: an object, or a text that was none.
    pub(super) original: String,
    /// Its collector cut off the end.
    pub(super) is_cut: bool,
    /// Its collector leaves the level out.
    pub(super) any_level: bool,
    /// Its only address is one that the client can forge.
    pub(super) peer_unknown: bool,
    /// Its collector gave members other names than the server.
    pub(super) has_other_words: bool,
    /// The cluster that it names.
    pub(super) cluster: Option<String>,
    /// It is one of several parts.
    pub(super) part: Option<Box<Part>>,
}

impl Translated {
    /// The event, with the original in `other`.
    pub(super) fn event(&self) -> Result<Event<'_>, Reason> {
        let mut decoder = if self.any_level { Decoder::of_any_level() } else { Decoder::default() };
        json::members(&self.json, &mut |key, value| decoder.member(&key, value)).map_err(|_| Reason::Torn)?;
        let mut event = decoder.finish(&self.json)?;
        let mark = if self.is_cut { format!(",\"{CUT}\":true") } else { String::new() };
        event.other = Some(format!("{{\"{WHOLE}\":{}{mark}}}", self.original.trim()));
        event.peer_unknown = self.peer_unknown;
        if self.is_cut {
            event.salvaged = Some(Cow::Borrowed(salvage::CUT));
            // The event's own times come last: the record's time stands for them.
            if event.stage_time.is_none() {
                event.assumed.get_or_insert_default().push(Cow::Borrowed(assumed::EVENT_TIME));
            }
        }
        if self.has_other_words {
            event.assumed.get_or_insert_default().push(Cow::Borrowed(assumed::KEYS));
        }
        event.cluster = self.cluster.as_deref().map(Cow::Borrowed);
        if let Some(part) = &self.part {
            event.salvaged = Some(Cow::Borrowed(salvage::SPLIT_PART));
            event.part = Some(part.clone());
        }
        Ok(event)
    }
}

/// A JSON object that is being written.
#[derive(Debug, Default)]
pub(super) struct Object {
    json: String,
}

impl Object {
    /// Adds a member that is JSON already, if there is one.
    pub(super) fn raw(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.json.push(if self.json.is_empty() { '{' } else { ',' });
            json::push_string(&mut self.json, name);
            self.json.push(':');
            self.json.push_str(value);
        }
    }

    /// Adds a text, if there is one.
    pub(super) fn text(&mut self, name: &str, value: Option<&str>) {
        self.raw(name, value.map(quoted).as_deref());
    }

    /// Adds an object, even if it has no members.
    pub(super) fn object(&mut self, name: &str, object: Self) {
        self.raw(name, Some(&object.finish()));
    }

    /// Adds an object, if it has members.
    pub(super) fn object_if_any(&mut self, name: &str, object: Self) {
        if !object.json.is_empty() {
            self.object(name, object);
        }
    }

    pub(super) fn finish(self) -> String {
        if self.json.is_empty() { "{}".to_owned() } else { self.json + "}" }
    }
}

/// A text as JSON.
pub(super) fn quoted(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    json::push_string(&mut json, text);
    json
}
