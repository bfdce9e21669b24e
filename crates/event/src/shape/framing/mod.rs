//! How a source is cut into records, whatever wraps them.

mod counted;
mod documents;
mod entries;
mod escaped;
mod lines;
mod literals;
mod parts;
mod rows;
mod scan;
mod torn;
mod wrapped;
mod xml;
mod yaml;

use super::{Canonical, Position, Record};

use counted::COUNTED;
pub(super) use documents::DOCUMENTS;
use entries::ENTRIES;
pub(super) use lines::LINES;
use literals::LITERALS;
pub(super) use parts::{PARTS, cri_part, docker_part};
pub(super) use rows::among_lines;
use wrapped::WRAPPED;
use xml::XML;
pub(super) use xml::text as without_entities;
use yaml::YAML;

/// A way in which records follow one another.
pub(super) trait Framing: Sync {
    /// What a record is.
    fn name(&self) -> &'static str;

    /// Whether a record can have more than one line.
    fn spans_lines(&self) -> bool;

    /// See [`super::Reading::cut`].
    fn cut(&self, bytes: &[u8]) -> usize;

    /// See [`super::Reading::decode`].
    fn decode(&self, piece: &[u8], start: Position, last: bool, each: &mut dyn FnMut(Record<'_>));

    /// See [`super::Reading::decode_beside`].
    fn decode_beside(
        &self,
        piece: &[u8],
        start: Position,
        last: bool,
        _: Canonical<'_>,
        each: &mut dyn FnMut(Record<'_>),
    ) {
        self.decode(piece, start, last, each);
    }
}

/// The framing of a source that begins with `head`. That lines of it were split only a shape can tell.
pub(super) fn of(head: &[u8]) -> &'static dyn Framing {
    if let Some(rows) = rows::of(head) {
        return rows;
    }
    match head {
        _ if yaml::is_in_brackets(head) => &YAML,
        _ if literals::recognises(head) => &LITERALS,
        _ if documents::recognises(head) => &DOCUMENTS,
        _ if yaml::recognises(head) => &YAML,
        _ if counted::recognises(head) => &COUNTED,
        _ if entries::recognises(head) => &ENTRIES,
        _ if wrapped::recognises(head) => &WRAPPED,
        _ if xml::recognises(head) => &XML,
        _ => &LINES,
    }
}
