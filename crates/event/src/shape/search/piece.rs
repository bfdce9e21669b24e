//! A part of a record, and how the events in it are decoded when its turn comes.

use std::borrow::Cow;
use std::ops::Range;

use super::{Search, of_unpacked};
use crate::event::Event;
use crate::json;
use crate::reject::Reason;
use crate::shape::Decoded;
use crate::shape::nested::Tears;
use crate::shape::packed::Unpack;
use crate::shape::translated::Translated;

/// A mark of [`crate::salvage`], for what was not simply read.
pub(in crate::shape) type Mark = Option<&'static str>;

/// A part of a record: a record of its own, or several in one place.
#[derive(Debug)]
pub(in crate::shape) struct Piece<'a> {
    /// Where it stands.
    pub(in crate::shape) at: Range<usize>,
    pub(in crate::shape) content: Content<'a>,
    pub(in crate::shape) mark: Mark,
}

impl Piece<'_> {
    /// Gives what it is to `each`: one event or reject, or all that a text holds.
    pub(in crate::shape) fn decode(&self, each: &mut dyn FnMut(Decoded<'_>)) {
        self.content.decode(self.mark, each);
    }
}

/// What a piece is.
#[derive(Debug)]
pub(in crate::shape) enum Content<'a> {
    /// The JSON of an event.
    Event(Cow<'a, str>),
    /// What a collector made of an event, undone.
    Translated(Box<Translated>),
    /// A JSON string with records in it.
    Text(&'a str),
    /// JSON that a row tells, with records in it.
    Told(String),
    /// A JSON string with packed text in it. It is unpacked again when its turn comes, so that one is in memory at a time.
    Packed(&'a str, Unpack),
    /// No event.
    Reject(Reason),
}

impl Content<'_> {
    pub(in crate::shape) fn is_reject(&self) -> bool {
        matches!(self, Self::Reject(_))
    }

    fn decode(&self, mark: Mark, each: &mut dyn FnMut(Decoded<'_>)) {
        let tears = Tears::default();
        match self {
            Self::Event(json) => each(marked(Event::decode(json), mark)),
            Self::Translated(translated) => match &translated.part {
                Some(part) if !part.is_first() => {
                    each(Decoded::Reject(Reason::FurtherPart { part: part.marked(mark) }));
                }
                _ => each(marked(translated.event(), mark)),
            },
            Self::Text(quoted) => {
                decode_text(Search::of(&json::string(quoted).unwrap_or_default(), &tears), mark, each);
            }
            Self::Told(told) => decode_text(Search::of(told, &tears), mark, each),
            Self::Packed(quoted, unpack) => match unpack(&json::string(quoted).unwrap_or_default()) {
                Some(Ok(text)) => decode_text(of_unpacked(&text, &tears), mark, each),
                Some(Err(reason)) => each(Decoded::Reject(reason)),
                None => each(Decoded::Reject(Reason::Torn)),
            },
            Self::Reject(reason) => each(Decoded::Reject(reason.clone())),
        }
    }
}

fn marked<'a>(event: Result<Event<'a>, Reason>, mark: Mark) -> Decoded<'a> {
    match event {
        Ok(mut event) => {
            if let Some(mark) = mark {
                event.salvaged = Some(Cow::Borrowed(mark));
                event.part.iter_mut().for_each(|part| part.mark = Some(mark));
            }
            Decoded::Event(event)
        }
        Err(reason) => Decoded::Reject(reason),
    }
}

/// All records of a text; those that are no event as one reject.
pub(in crate::shape) fn decode_text(search: Search<'_>, mark: Mark, each: &mut dyn FnMut(Decoded<'_>)) {
    let mut rejected: u64 = 0;
    let mut each_but_rejects = |mut decoded: Decoded<'_>| match decoded {
        // A part can become an event yet.
        Decoded::Event(_) | Decoded::Reject(Reason::FurtherPart { .. }) => {
            decoded.mark(mark);
            each(decoded);
        }
        Decoded::Reject(_) => rejected += 1,
    };
    search.pieces().list.iter().for_each(|piece| piece.decode(&mut each_but_rejects));
    if rejected > 0 {
        each(Decoded::Reject(Reason::InText { records: rejected }));
    }
}
