//! A dot command cut into words, as a shell would cut it, and values written as such words.
//!
//! Pure. Nothing is expanded: no variables, no commands, no patterns.

use std::fmt::Write as _;
use std::ops::Range;

use thiserror::Error;

/// A word of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// What it stands for, without quotes.
    pub(super) text: String,
    /// Its bytes in the line, with quotes.
    pub(super) range: Range<usize>,
}

/// A line that cannot be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum WordError {
    #[error("a quote `{quote}` is never closed")]
    Open { quote: char },
    #[error("`\\{letter}` is no escape: there are \\n \\t \\r \\\\ \\\" \\xHH and \\u{{HEX}}")]
    Escape { letter: char },
}

/// The words of `line`: parted by blank space, with `'…'` as it is and escapes in `"…"`.
pub(super) fn split(line: &str) -> Result<Vec<Word>, WordError> {
    let mut words: Vec<Word> = Vec::new();
    let mut open: Option<Word> = None;
    let mut characters = line.char_indices().peekable();
    while let Some((at, next)) = characters.next() {
        if next.is_whitespace() {
            words.extend(open.take());
            continue;
        }
        let word = open.get_or_insert_with(|| Word { text: String::new(), range: at..at });
        match next {
            '\'' => loop {
                match characters.next() {
                    None => return Err(WordError::Open { quote: '\'' }),
                    Some((_, '\'')) => break,
                    Some((_, inner)) => word.text.push(inner),
                }
            },
            '"' => loop {
                match characters.next() {
                    None => return Err(WordError::Open { quote: '"' }),
                    Some((_, '"')) => break,
                    Some((_, '\\')) => word.text.push(escape(&mut characters)?),
                    Some((_, inner)) => word.text.push(inner),
                }
            },
            '\\' => word.text.extend(characters.next().map(|(_, escaped)| escaped)),
            _ => word.text.push(next),
        }
        word.range.end = characters.peek().map_or(line.len(), |(end, _)| *end);
    }
    words.extend(open);
    Ok(words)
}

/// The character behind a backslash in double quotes.
fn escape(characters: &mut std::iter::Peekable<std::str::CharIndices<'_>>) -> Result<char, WordError> {
    let Some((_, letter)) = characters.next() else { return Err(WordError::Open { quote: '"' }) };
    let failed = WordError::Escape { letter };
    let digits = |digits: String| u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32).ok_or(failed);
    match letter {
        'n' => Ok('\n'),
        't' => Ok('\t'),
        'r' => Ok('\r'),
        '\\' | '"' | '\'' => Ok(letter),
        'x' => digits(characters.by_ref().take(2).map(|(_, digit)| digit).collect()),
        'u' if characters.next_if(|(_, next)| *next == '{').is_some() => {
            digits(characters.by_ref().map(|(_, digit)| digit).take_while(|digit| *digit != '}').collect())
        }
        _ => Err(failed),
    }
}

/// `value` as one word that [`split`] reads back, on one line and without characters that a terminal obeys or hides.
pub(super) fn quote(value: &str) -> String {
    let is_bare = |next: char| next.is_ascii_alphanumeric() || "-_./:@%+=,".contains(next);
    if !value.is_empty() && value.chars().all(is_bare) {
        return value.to_owned();
    }
    let mut word = String::from("\"");
    for next in value.chars() {
        match next {
            '"' | '\\' => word.extend(['\\', next]),
            '\n' => word.push_str("\\n"),
            '\r' => word.push_str("\\r"),
            '\t' => word.push_str("\\t"),
            // Writing into a string cannot fail.
            _ if kforensic_report::is_hostile(next) => drop(write!(word, "\\u{{{:x}}}", u32::from(next))),
            _ => word.push(next),
        }
    }
    word.push('"');
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> Vec<String> {
        split(line).unwrap().into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn words_are_cut_as_a_shell_cuts_them() {
        assert_eq!(
            texts(".run secret-reads  --user 'a b'\t--x=\"c\\\"d\""),
            [".run", "secret-reads", "--user", "a b", "--x=c\"d"]
        );
        assert_eq!(texts("'' \"\" a\\ b"), ["", "", "a b"]);
        assert_eq!(texts("$(rm) `x` * $HOME"), ["$(rm)", "`x`", "*", "$HOME"]);
        assert_eq!(texts("  "), Vec::<String>::new());
        assert_eq!(split(".a 'é' b").unwrap()[1].range, 3..7);
        assert_eq!(split("'open"), Err(WordError::Open { quote: '\'' }));
        assert_eq!(split("\"open\\"), Err(WordError::Open { quote: '"' }));
        assert_eq!(split("\"\\q\""), Err(WordError::Escape { letter: 'q' }));
    }

    #[test]
    fn any_value_is_one_harmless_word_that_reads_back() {
        let values = ["bob", "system:serviceaccount:prod:web", "", " ", "a b", "it's", "\"q\"", "back\\slash", "日本"];
        let hostile =
            ["\x1b[2J", "a\nb\r\tc", "\u{202e}x\u{200b}", "\0", "\u{a0}", "'; DROP", "\u{9b}31m", "\u{e0041}"];
        for value in values.into_iter().chain(hostile) {
            let word = quote(value);
            assert_eq!(texts(&format!(".pivot {word} end")), [".pivot", value, "end"], "{word}");
            assert!(!word.chars().any(kforensic_report::is_hostile), "{word:?}");
        }
        assert_eq!(quote("bob"), "bob");
        assert_eq!(quote("a\x1bb"), "\"a\\u{1b}b\"");
    }
}
