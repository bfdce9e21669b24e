//! The same event, told twice in one record.

use std::borrow::Cow;
use std::collections::HashSet;

use super::Decoded;
use super::search::{Content, Found};
use super::wrapper::Standing;
use crate::event::Event;

/// What several members of an object hold. A collector can keep an event twice: as text in two members, or as text beside its
/// own version with other keys (Elastic's `event.original`). Then the first text counts; all else is another event. A client
/// that has a text of its own beside its event cannot hide that: it does not know the times that the server will write.
pub(super) fn without_copies(members: Vec<Found<'_>>) -> Found<'_> {
    let standing = members.iter().map(|found| found.standing).min().unwrap_or(Standing::Unknown);
    let verbatim = members.iter().any(|found| found.verbatim);
    let mut all = Found { pieces: Vec::new(), verbatim, standing, reason: None };
    let told =
        |wanted: bool| members.iter().filter(move |found| found.verbatim == wanted).flat_map(|found| &found.pieces);
    let (texts, mut told_as_text) = (told(true), HashSet::new());
    if told(false).next().is_some() {
        texts.for_each(|piece| {
            piece.decode(&mut |decoded| {
                if let Decoded::Event(event) = decoded {
                    told_as_text.insert(identity(&event));
                }
            });
        });
    }
    let mut seen = HashSet::new();
    for Found { pieces, verbatim, .. } in members {
        for piece in pieces {
            let is_copy = match &piece.content {
                Content::Event(event) if verbatim => !seen.insert(event.trim_ascii().to_owned()),
                Content::Text(quoted) | Content::Packed(quoted, _) => !seen.insert((*quoted).to_owned()),
                Content::Event(event) => {
                    Event::decode(event).is_ok_and(|event| told_as_text.contains(&identity(&event)))
                }
                Content::Translated(_) | Content::Told(_) | Content::Reject(_) => false,
            };
            if !is_copy {
                all.pieces.push(piece);
            }
        }
    }
    all
}

/// What no two stages of requests share: audit id, stage, and times.
fn identity(event: &Event<'_>) -> (Option<String>, Option<String>, Option<i64>, Option<i64>) {
    let text = |text: &Option<Cow<'_, str>>| text.as_deref().map(str::to_owned);
    (text(&event.audit_id), text(&event.stage), event.event_time, event.stage_time)
}
