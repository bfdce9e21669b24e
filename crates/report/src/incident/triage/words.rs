//! What the screen says, in as few letters as it takes.

use unicode_width::UnicodeWidthChar;

use crate::document::instant;
use crate::incident::Sender;
use crate::incident::deed::{DRY_RUN, Deed};
use crate::visible::{escape, width};

/// A sentence in fewer letters: `+` for made, `-` for deleted, `~` for changed.
pub(super) fn terse(text: &str) -> String {
    const SHORT: [(&str, &str); 8] = [
        ("created ", "+ "),
        ("deleted ", "- "),
        ("changed ", "~ "),
        ("read the values of ", "READ "),
        ("tried: ", "TRIED to "),
        ("tried to ", "TRIED to "),
        ("ran ", "RAN "),
        ("may have ", "MAY HAVE "),
    ];
    let (dry, text) = match text.strip_prefix(DRY_RUN) {
        Some(text) => ("DRY RUN ", text),
        None => ("", text),
    };
    let short = SHORT.iter().find_map(|(long, short)| Some(format!("{short}{}", text.strip_prefix(long)?)));
    let text = short.unwrap_or_else(|| text.to_owned());
    let text = text.replacen(", giving ClusterRole/", " = ", 1).replacen(", giving Role/", " = ", 1);
    let text = text.replacen(", to ServiceAccount/", " to ", 1).replacen(", to Group/", " to group ", 1);
    let text = text.replacen(" of the whole cluster", " of the cluster", 1).replacen(", with the rule ", ": ", 1);
    format!("{dry}{text}")
}

/// Lines that are not longer than the room, broken between words.
pub(super) fn words_in_lines(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().map_or(0, |line| width(line));
        if line > 0 && line + 1 + width(word) > room {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// The first lines of a text, the last of which says when there are more.
pub(super) fn first_lines(text: &str, room: usize, most: usize) -> Vec<String> {
    let mut lines = words_in_lines(text, room);
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            let end = last.trim_end_matches([',', ';', ' ']).len();
            last.truncate(end);
            *last = fitted(&format!("{last} …"), room);
        }
    }
    lines
}

pub(super) fn who(deed: &Deed) -> String {
    match &deed.as_whom {
        Some(whom) => format!("{} as {}", name(&deed.who), short_name(whom)),
        None => name(&deed.who),
    }
}

/// A user as people say it; a service account without the words that all have.
pub(super) fn name(who: &Sender) -> String {
    who.name().map_or_else(|| who.label(), short_name)
}

pub(super) fn short_name(who: &str) -> String {
    let name = who.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
    match name {
        Some((namespace, name)) => format!("{} ({})", escape(name), escape(namespace)),
        None => escape(who).into_owned(),
    }
}

pub(super) fn limited(names: &[String], most: usize) -> String {
    let shown: Vec<_> = names.iter().take(most).map(|name| escape(name)).collect();
    match names.len().saturating_sub(most) {
        0 => shown.join(", "),
        more => format!("{} +{more}", shown.join(", ")),
    }
}

pub(super) fn counted(number: u64, what: &str) -> String {
    match (number, what.strip_suffix('y')) {
        (1, _) => format!("1 {what}"),
        (_, Some(stem)) => format!("{number} {stem}ies"),
        (_, None) => format!("{number} {what}s"),
    }
}

/// Two instants, the second without the day when it is the same.
pub(in crate::incident) fn span(first: i64, last: i64) -> String {
    let (from, to) = (instant::seconds(first), instant::seconds(last));
    match (from.get(..10) == to.get(..10), to.get(11..)) {
        (true, Some(clock)) => format!("{from} to {clock}"),
        _ => format!("{from} to {to}"),
    }
}

pub(super) fn span_millis(first: i64, last: i64) -> String {
    let (from, to) = (instant::millis(first), instant::millis(last));
    match (from.get(..10) == to.get(..10), from.get(11..), to.get(11..)) {
        (true, Some(from), Some(to)) => format!("{from} to {to}"),
        _ => format!("{from} to {to}"),
    }
}

pub(super) fn span_short(first: i64, last: i64) -> String {
    let (from, to) = (instant::seconds(first), instant::seconds(last));
    match (from == to, from.get(..10) == to.get(..10)) {
        (true, _) => from.get(5..).unwrap_or(&from).to_owned(),
        (false, true) => format!("{} to {}", from.get(5..).unwrap_or(&from), to.get(11..).unwrap_or(&to)),
        (false, false) => format!("{} to {}", from.get(5..16).unwrap_or(&from), to.get(5..16).unwrap_or(&to)),
    }
}

/// The text, cut where it does not fit.
pub(super) fn fitted(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut used = 0;
    for letter in text.chars() {
        let letter_width = letter.width().unwrap_or(0);
        if used + letter_width + 1 > room {
            break;
        }
        used += letter_width;
        cut.push(letter);
    }
    cut.push('…');
    cut
}

/// The text, cut or filled to exactly the room.
pub(super) fn padded(text: &str, room: usize) -> String {
    let mut text = fitted(text, room);
    let missing = room.saturating_sub(width(&text));
    text.extend(std::iter::repeat_n(' ', missing));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_fit_whatever_their_letters() {
        assert_eq!(fitted("abc", 3), "abc");
        assert_eq!(fitted("abcd", 3), "ab…");
        assert_eq!(padded("日本語", 4), "日… ");
        assert_eq!(padded("", 2), "  ");
    }
}
