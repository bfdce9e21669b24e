//! The values that follow one another in a text, and what is left of them where the text is damaged.
//!
//! Behind damage an event counts only where it cannot be inside of a value of the torn record, because a client can have
//! written that value: where JSON breaks at its very first byte, or at the text that its first quotation mark closed. What
//! goes on behind it like a record, with a comma or a bracket, was a part of one.

use std::ops::Range;

use memchr::memmem;
use serde_json::value::RawValue;

use super::header::{self, Header};
use super::nested::{self, begins_event};
use super::prefix::{End, Prefix};
use super::search::{Content, Found, Mark, Piece, Search, first_value};
use super::wrapper::{self, Looks, Standing};
use super::{cut, mentions_event};
use crate::container;
use crate::json;
use crate::reject::Reason;
use crate::salvage;
use crate::shape::translated::quoted;

/// Lists in lists that are opened when their ends are missing.
const MAX_DEPTH: usize = 12;

/// The values of a text, one behind the other, from the left to the right.
pub(super) struct Chain<'l> {
    search: Search<'l>,
    pub(super) list: Vec<Piece<'l>>,
    pub(super) reason: Option<Reason>,
    /// Where the next value is looked for.
    at: usize,
    /// Behind the last value.
    done: usize,
    /// Where the run of values began that are read now: at the beginning, or behind damage.
    run: usize,
    /// The pieces before this run.
    before: usize,
    /// The mark of this run.
    mark: Mark,
    /// The time in the header.
    time: Option<&'l str>,
    /// The header says that a time stands behind the record.
    ends_with_time: bool,
}

/// Whether each bracket in a text is closed in it, as those of `2026-11-20 20:37:04,123 INFO  [audit] - ` are. One that is not may have
/// begun a list.
fn closes_brackets(text: &str) -> bool {
    let mut open = false;
    text.bytes().all(|byte| match byte {
        b'[' => !std::mem::replace(&mut open, true),
        b']' => std::mem::take(&mut open),
        _ => true,
    }) && !open
}

impl<'l> Chain<'l> {
    pub(super) fn new(search: Search<'l>) -> Self {
        Self {
            search,
            list: Vec::new(),
            reason: None,
            at: 0,
            done: 0,
            run: 0,
            before: 0,
            mark: None,
            time: None,
            ends_with_time: false,
        }
    }

    fn line(&self) -> &'l str {
        self.search.line
    }

    pub(super) fn read(&mut self) {
        let line = self.line();
        match header::header(line) {
            Some(Header { length, time, is_part, ends_with_time }) => {
                (self.at, self.time, self.ends_with_time) = (length, time, ends_with_time);
                self.mark = is_part.then_some(salvage::BEHIND_DAMAGE).or_else(|| container::of_header(&line[..length]));
            }
            None if line.starts_with('\0') => (),
            None => {
                // A prefix that nobody is known to write. With a quotation mark in it, it is a part of something else.
                let Some(start) = memmem::find(line.as_bytes(), b"{\"") else { return };
                if line[..start].contains(['"', '\\', '{']) || !closes_brackets(&line[..start]) {
                    return;
                }
                (self.at, self.mark) = (start, Some(salvage::UNKNOWN_WRAPPER));
            }
        }
        (self.run, self.done) = (self.at, self.at);
        while self.next() {}
    }

    /// Reads the next value, or what stands in its place; whether there can be more.
    fn next(&mut self) -> bool {
        let line = self.line();
        let rest = &line[self.at..];
        let blank = rest.len() - rest.trim_start_matches([' ', '\t', ',', '\r', '\n']).len();
        let has_comma = rest[..blank].contains(',');
        let start = self.at + blank;
        let text = &line[start..];
        if text.is_empty() {
            return false;
        }
        if text.starts_with('\0') {
            return self.hole(start);
        }
        if !text.starts_with(['{', '[']) {
            self.left_over(start);
            return false;
        }
        if has_comma && self.done > self.run {
            // Items of a list that has neither beginning nor end.
            self.mark_run(salvage::TORN_LIST);
        }
        match first_value(text) {
            Some(value) => {
                self.value(value, start);
                true
            }
            None => self.damaged(start),
        }
    }

    fn mark_run(&mut self, mark: &'static str) {
        self.mark = self.mark.or(Some(mark));
        self.list[self.before..].iter_mut().for_each(|piece| piece.mark = piece.mark.or(Some(mark)));
    }

    fn push_reject(&mut self, at: Range<usize>, reason: Reason) {
        self.list.push(Piece { at, content: Content::Reject(reason), mark: None });
    }

    fn push_torn(&mut self, at: Range<usize>) {
        let reason = nested::torn(&self.line()[at.clone()]);
        self.push_reject(at, reason);
    }

    fn push_damaged(&mut self, at: Range<usize>) {
        let audit_id = nested::audit_id(&self.line()[at.clone()]);
        self.push_reject(at, Reason::Damaged { audit_id });
    }

    fn push(&mut self, found: Found<'l>) {
        self.reason = self.reason.take().or(found.reason);
        let mark = self.mark;
        self.list.extend(found.pieces.into_iter().map(|piece| Piece { mark: piece.mark.or(mark), ..piece }));
    }

    fn value(&mut self, value: &'l str, start: usize) {
        let end = start + value.len();
        let found = self.search.value(value, 0);
        if found.pieces.is_empty() && json::is_object(value) {
            // A whole object beside events, such as a control message of a subscription.
            let missing = "audit event in this document";
            let reason = found.reason.clone().unwrap_or(Reason::NotAuditEvent { missing });
            self.push_reject(start..end, reason);
        }
        self.push(found);
        (self.at, self.done) = (end, end);
    }

    /// What begins like a value at `start` and is none.
    fn damaged(&mut self, start: usize) -> bool {
        let line = self.line();
        match Prefix::new().read(&line.as_bytes()[start..]) {
            // Torn at the end: what is in it may have been written by a client, but for the items of a list.
            None => {
                self.torn(start);
                false
            }
            // Whole by the brackets: what is wrong is inside.
            Some(End::Whole(length)) => {
                self.push_damaged(start..start + length);
                (self.at, self.done) = (start + length, start + length);
                true
            }
            Some(End::Broken(at)) => {
                let broken = start + at;
                match glued(line, start, broken) {
                    Some(next) => {
                        self.push_torn(start..next);
                        self.begin_run(next);
                        true
                    }
                    None => {
                        self.push_damaged(start..line.len());
                        false
                    }
                }
            }
        }
    }

    /// What follows stands behind damage.
    fn begin_run(&mut self, at: usize) {
        (self.at, self.done, self.run, self.before) = (at, at, at, self.list.len());
        self.mark = Some(salvage::BEHIND_DAMAGE);
    }

    /// Zeros, as truncating a log under the server's hands, or a crash, leaves them. An event that stood before
    /// them could be the beginning of what they replaced.
    fn hole(&mut self, start: usize) -> bool {
        let line = self.line();
        let length = line[start..].len() - line[start..].trim_start_matches('\0').len();
        self.mark_run(salvage::BEHIND_DAMAGE);
        self.push_torn(start..start + length);
        self.begin_run(start + length);
        true
    }

    /// Text behind values. Where it goes on like a record, the values were inside of that.
    fn left_over(&mut self, start: usize) {
        let line = self.line();
        let rest = &line[start..];
        let is_end = rest.bytes().all(|byte| matches!(byte, b']' | b'}' | b',') || byte.is_ascii_whitespace());
        if self.done == self.run {
            // No value came before: this is a part of something, perhaps of a hole's other side.
            self.push_torn(start..line.len());
        } else if self.ends_with_time && self.list.len() == 1 && rest.bytes().all(|byte| byte.is_ascii_digit()) {
            // As its header says.
        } else if is_end {
            self.mark_run(salvage::TORN_LIST);
        } else if rest.starts_with(['}', ']', '"', ':']) || line[self.done..start].contains(',') {
            self.list.truncate(self.before);
            self.push_torn(self.run..line.len());
        } else {
            self.mark_run(salvage::UNKNOWN_WRAPPER);
            // Whole lines of text are more than what ends a wrapper.
            if is_damage(rest) || rest.trim_ascii().contains('\n') {
                self.push_torn(start..line.len());
            }
        }
    }

    /// A value whose end is missing.
    fn torn(&mut self, start: usize) {
        let line = self.line();
        let text = &line[start..];
        let mut items = Vec::new();
        let part = if begins_event(text.as_bytes()) { None } else { items_of_torn(text, &mut items, 0) };
        if !items.is_empty() {
            let found = self.search.items(items.into_iter(), 0);
            let (first, is_any) = (self.list.len(), !found.pieces.is_empty());
            self.push(found);
            self.list[first..].iter_mut().for_each(|piece| piece.mark = piece.mark.or(Some(salvage::TORN_LIST)));
            if is_any {
                let part = part.map_or(line.len(), |part| start + part);
                if !line[part..].trim_ascii().is_empty() {
                    self.push_torn(part..line.len());
                }
                return;
            }
        }
        if self.search.is_settled
            && let Some(time) = self.time
            && begins_event(text.as_bytes())
        {
            match cut::open(&quoted(text), Some(time)) {
                Some(Ok(translated)) => {
                    let content = Content::Translated(Box::new(translated));
                    // What was torn off can stand in the next record, whole or not.
                    self.search.tears.reject(text);
                    return self.list.push(Piece { at: start..line.len(), content, mark: None });
                }
                Some(Err(reason)) => self.reason = self.reason.take().or(Some(reason)),
                None => (),
            }
        }
        self.push_torn(start..line.len());
    }
}

/// Where the next record begins that is glued to the torn one at `start`, which stops to be JSON at `broken`.
///
/// Only where the break is that record's own first byte, or its first quotation mark closed the text that the torn one
/// broke off in, it cannot be a value of the torn one. After zeros it must begin as the server writes events.
fn glued(line: &str, start: usize, broken: usize) -> Option<usize> {
    let bytes = line.as_bytes();
    if bytes[broken] == 0 {
        let next = broken + bytes[broken..].iter().take_while(|byte| **byte == 0).count();
        return begins_event(&bytes[next..]).then_some(next);
    }
    let from = broken.saturating_sub(2).max(start + 1);
    (from..=broken).find(|at| bytes[*at..].starts_with(b"{\""))
}

/// The whole items of a list whose end is missing, or of the list that is the last member of such an object. What is left behind
/// the last one begins at the offset that is given back.
fn items_of_torn<'a>(text: &'a str, items: &mut Vec<&'a str>, depth: usize) -> Option<usize> {
    let offset = |slice: &str| slice.as_ptr().addr() - text.as_ptr().addr();
    if depth > MAX_DEPTH {
        return None;
    }
    if text.starts_with('[') {
        let mut at = 1;
        loop {
            let rest = text[at..].trim_start_matches([' ', '\t', ',', '\r', '\n']);
            let Some(item) = first_value(rest).filter(|item| item.starts_with(['{', '[', '"'])) else {
                let inner = offset(rest);
                let before = items.len();
                let part = items_of_torn(rest, items, depth + 1);
                return Some(part.filter(|_| items.len() > before).map_or(inner, |part| inner + part));
            };
            items.push(item);
            at = offset(item) + item.len();
        }
    }
    if !text.starts_with('{') || begins_event(text.as_bytes()) || wrapper::looks(text) != Looks::Wrapper {
        return None;
    }
    // Members that are whole come before the error; the last one is not.
    let mut end = 1;
    let _ = json::members(text, &mut |_, value| end = offset(value) + value.len());
    let rest = text[end..].trim_start_matches([' ', '\t', ',', '\r', '\n']);
    let mut names = serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>();
    if let Some(Ok(name)) = names.next() {
        let name = json::string(name.get());
        let value = rest[names.byte_offset()..].trim_ascii_start().strip_prefix(':')?.trim_ascii_start();
        let is_known = name.is_some_and(|name| wrapper::standing(&name) == Standing::Known);
        let part = if is_known { items_of_torn(value, items, depth + 1) } else { None };
        return part.map(|part| offset(value) + part);
    }
    None
}

/// Whether text beside an event is more than a collector's: a torn event, or a hole.
fn is_damage(text: &str) -> bool {
    text.contains('\0') || text.contains("\"auditID") || mentions_event(text.as_bytes())
}
