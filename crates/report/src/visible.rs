//! Characters that a terminal obeys or hides, made visible.
//!
//! An intruder chooses user agents, user names and object names. Printed raw they could clear the screen, colour
//! themselves away, or reorder a line; invisible ones make two different names look alike.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar;

/// Accents that may stand on one letter. Vietnamese and Thai need two; a tall stack paints over other rows.
const MARKS_MAX: usize = 3;

/// Whether `character` is obeyed or hidden by a terminal: controls, direction marks, invisible format characters,
/// and every space but the plain one.
#[must_use]
pub fn is_hostile(character: char) -> bool {
    matches!(character,
        '\0'..='\x1f' | '\x7f'..='\u{9f}'
        // Spaces that pass for the plain one, and the separators of lines and paragraphs.
        | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}'
        | '\u{2800}' | '\u{3000}'
        // Direction marks, joiners, and other format characters (category Cf).
        | '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}' | '\u{8e2}'
        | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        // Fillers, variation selectors and tags: shown as nothing at all.
        | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

/// `text` for people: hostile characters become `\n`, `\x1b` or `\u{202e}`, and so do a space at either end and
/// accents without a letter, which the eye would miss.
///
/// A backslash stays as it is, because `CORP\anna` must read well; who needs the exact bytes asks for JSON.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~');
    if text.as_bytes().iter().all(is_plain) && !text.starts_with(' ') && !text.ends_with(' ') {
        return Cow::Borrowed(text);
    }
    let inner = text.trim_matches(' ');
    let inner_start = text.len() - text.trim_start_matches(' ').len();
    let inner_end = inner_start + inner.len();
    let mut escaped = String::with_capacity(text.len() + 16);
    // As if marks had begun before the text: the first one has no letter to stand on.
    let mut marks = MARKS_MAX;
    for (at, character) in text.char_indices() {
        let is_mark = character.width() == Some(0);
        let is_edge = at < inner_start || at >= inner_end;
        if is_edge || is_hostile(character) || (is_mark && marks >= MARKS_MAX) {
            push_escape(&mut escaped, character);
            marks = MARKS_MAX;
        } else {
            escaped.push(character);
            marks = if is_mark { marks + 1 } else { 0 };
        }
    }
    Cow::Owned(escaped)
}

fn push_escape(text: &mut String, character: char) {
    match character {
        '\n' => text.push_str("\\n"),
        '\r' => text.push_str("\\r"),
        '\t' => text.push_str("\\t"),
        // Writing to a `String` cannot fail.
        '\0'..='\x7f' => drop(write!(text, "\\x{:02x}", u32::from(character))),
        _ => drop(write!(text, "\\u{{{:x}}}", u32::from(character))),
    }
}

/// Terminal columns of escaped text, as the sum of its characters: no terminal shows it wider.
pub(crate) fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().map(|character| character.width().unwrap_or(0)).sum() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn hostile_characters_become_visible() {
        let cases = [
            ("\x1b[2Jgone", r"\x1b[2Jgone"),
            ("a\nb\tc\rd\0", r"a\nb\tc\rd\x00"),
            ("\u{85}\u{9b}31m\x7f", r"\u{85}\u{9b}31m\x7f"),
            ("admin\u{202e}nimda\u{2066}\u{2069}", r"admin\u{202e}nimda\u{2066}\u{2069}"),
            ("\u{200e}\u{200f}\u{61c}", r"\u{200e}\u{200f}\u{61c}"),
            ("ad\u{200b}min\u{feff}\u{ad}", r"ad\u{200b}min\u{feff}\u{ad}"),
            ("tag\u{e0041}\u{fe0f}", r"tag\u{e0041}\u{fe0f}"),
            ("line\u{2028}para\u{2029}", r"line\u{2028}para\u{2029}"),
            ("no\u{a0}break\u{3000}wide", r"no\u{a0}break\u{3000}wide"),
            (" admin  ", r"\x20admin\x20\x20"),
            ("  ", r"\x20\x20"),
            ("two words", "two words"),
            (r"CORP\anna", r"CORP\anna"),
            ("日本語 ünïcode", "日本語 ünïcode"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(escape(text), expected);
        }
    }

    #[test]
    fn accents_need_a_letter_and_do_not_pile_up() {
        assert_eq!(escape("\u{301}a"), r"\u{301}a");
        assert_eq!(escape("e\u{301}\u{323}"), "e\u{301}\u{323}");
        assert_eq!(escape(&format!("e{}", "\u{301}".repeat(5))), "e\u{301}\u{301}\u{301}\\u{301}\\u{301}");
        assert_eq!(escape("\u{1b}\u{301}"), r"\x1b\u{301}");
    }

    #[test]
    fn nothing_that_escapes_leave_has_a_hidden_width() {
        for character in (0..=0x10_ffff).filter_map(char::from_u32) {
            let text = format!("a{character}b");
            let escaped = escape(&text);
            assert!(!escaped.chars().any(is_hostile), "{character:?}");
            assert!(UnicodeWidthStr::width(escaped.as_ref()) <= width(&escaped), "{character:?}");
        }
    }
}
