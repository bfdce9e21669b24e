//! Colours for what is typed. The width stays, which the editor relies on.
//!
//! Pure. Characters that a terminal obeys have no width and are not shown at all: a paste from a log cannot move the cursor.

use anstyle::{AnsiColor, Style};
use kforensic_query::scanner::{Kind, Token, tokens};

use super::completion::is_keyword;
use super::dictionary::Dictionary;
use super::margin;

const COMMENT: Style = Style::new().dimmed();

/// `line` in colours, with the bracket at `cursor` and its partner marked.
pub(super) fn paint(line: &str, cursor: usize, dictionary: &Dictionary, is_coloured: bool) -> String {
    if line.trim_start().starts_with('.') {
        if !is_coloured {
            return styled(line, None);
        }
        let end = line.len() - line.trim_start().trim_start_matches(|next: char| !next.is_whitespace()).len();
        return format!("{}{}", styled(&line[..end], Some(bold(AnsiColor::Magenta))), styled(&line[end..], None));
    }
    let tokens = tokens(line);
    let marked = partners(line, &tokens, cursor);
    let mut painted = String::with_capacity(line.len() * 2);
    for token in &tokens {
        let text = token.text(line);
        if margin::may_be_in(token) && text.contains(margin::WRITTEN) {
            painted.push_str(&beside_margins(text, (token.kind == Kind::Comment).then_some(COMMENT), is_coloured));
            continue;
        }
        if !is_coloured {
            painted.push_str(&styled(text, None));
            continue;
        }
        let is_marked = marked.is_some_and(|(one, other)| [one, other].contains(&token.range.start));
        let style = match token.kind {
            _ if is_marked => Some(Style::new().bold().underline()),
            Kind::Comment => Some(COMMENT),
            Kind::Text => Some(AnsiColor::Green.on_default()),
            Kind::Number => Some(AnsiColor::Cyan.on_default()),
            Kind::Word if is_keyword(text) => Some(bold(AnsiColor::Blue)),
            Kind::Word | Kind::QuotedName if dictionary.view(text).is_some() => Some(AnsiColor::Yellow.on_default()),
            _ => None,
        };
        painted.push_str(&styled(text, style));
    }
    painted
}

/// Whether a terminal obeys a character, or shows it as nothing. All of these are zero columns wide to the editor.
pub(super) fn is_obeyed(next: char) -> bool {
    !matches!(next, '\n' | '\t')
        && (next.is_control()
            || matches!(next, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'))
}

/// Blank space or a comment over several lines, with the margins in their places.
fn beside_margins(text: &str, style: Option<Style>, is_coloured: bool) -> String {
    let [style, margin] = [style, Some(Style::new().bold())].map(|style| style.filter(|_| is_coloured));
    let between = format!("\n{}", styled(margin::SHOWN, margin));
    text.split(margin::WRITTEN).map(|part| styled(part, style)).collect::<Vec<_>>().join(&between)
}

fn bold(colour: AnsiColor) -> Style {
    colour.on_default().bold()
}

fn styled(text: &str, style: Option<Style>) -> String {
    let text: String = text.chars().filter(|next| !is_obeyed(*next)).collect();
    match style.filter(|_| !text.is_empty()) {
        Some(style) => format!("{style}{text}{style:#}"),
        None => text,
    }
}

/// Where the bracket at the cursor, or just before it, and its partner begin. Brackets in strings are none.
fn partners(line: &str, tokens: &[Token], cursor: usize) -> Option<(usize, usize)> {
    const PAIRS: [(&str, &str); 3] = [("(", ")"), ("[", "]"), ("{", "}")];
    let is_bracket = |token: &&Token| {
        token.kind == Kind::Symbol && PAIRS.iter().any(|(open, close)| [*open, *close].contains(&token.text(line)))
    };
    let brackets: Vec<&Token> = tokens.iter().filter(is_bracket).collect();
    let at = |start: usize| brackets.iter().position(|token| token.range.start == start);
    let here = at(cursor).or_else(|| at(cursor.checked_sub(1)?))?;
    let text = brackets[here].text(line);
    let (open, close) = PAIRS.iter().find(|(open, close)| [*open, *close].contains(&text))?;
    let behind: Vec<&&Token> = match text == *open {
        true => brackets[here + 1..].iter().collect(),
        false => brackets[..here].iter().rev().collect(),
    };
    let other = if text == *open { close } else { open };
    let mut depth = 0;
    for token in behind {
        match token.text(line) {
            found if found == *other && depth == 0 => return Some((brackets[here].range.start, token.range.start)),
            found if found == *other => depth -= 1,
            found if found == text => depth += 1,
            _ => (),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(line: &str) -> String {
        let painted = paint(line, 0, &Dictionary::default(), true);
        let mut text = String::new();
        let mut rest = painted.as_str();
        while let Some((before, after)) = rest.split_once("\x1b[") {
            text.push_str(before);
            rest = after.split_once('m').unwrap().1;
        }
        text + rest
    }

    #[test]
    fn colours_change_no_text_and_hostile_characters_are_left_out() {
        for line in
            ["SELECT count(*) FROM events -- x", ".run secret-reads --user 'a'", "SELECT 'a\nb', \"q\", 1.5 é", ""]
        {
            assert_eq!(plain(line), line);
            assert_eq!(paint(line, 0, &Dictionary::default(), false), line);
        }
        let hostile = "SELECT '\x1b[2J\u{202e}\x07\u{9b}x' .a";
        for is_coloured in [true, false] {
            let painted = paint(hostile, 0, &Dictionary::default(), is_coloured);
            assert!(!painted.contains("\x1b[2J") && !painted.contains(['\u{202e}', '\x07', '\u{9b}']), "{painted:?}");
        }
    }

    #[test]
    fn margins_are_painted_where_they_stand_and_nowhere_else() {
        let line = "SELECT 1, /* a\n\tb */ 'x\n\ty'\n\t\n\tFROM t";
        let shown = "SELECT 1, /* a\n   ...> b */ 'x\n\ty'\n   ...> \n   ...> FROM t";
        assert_eq!(plain(line), shown);
        assert_eq!(paint(line, 0, &Dictionary::default(), false), shown);
        assert_eq!(margin::SHOWN.len(), usize::from(margin::COLUMNS));
    }

    #[test]
    fn keywords_and_strings_have_colours() {
        let painted = paint("SELECT 'x'", 0, &Dictionary::default(), true);
        assert_eq!(painted, "\x1b[1m\x1b[34mSELECT\x1b[0m \x1b[32m'x'\x1b[0m");
    }

    #[test]
    fn brackets_find_their_partners_outside_of_strings() {
        let line = "f(a, ')', (b))";
        let found = |cursor| partners(line, &tokens(line), cursor);
        assert_eq!(found(1), Some((1, 13)));
        assert_eq!(found(13), Some((13, 1)));
        assert_eq!(found(14), Some((13, 1)));
        assert_eq!(found(10), Some((10, 12)));
        assert_eq!(found(0), None);
        assert_eq!(partners("((", &tokens("(("), 0), None);
    }
}
