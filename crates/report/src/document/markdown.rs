//! A document as GitHub's Markdown. Names from the evidence stand in code spans, where nothing is markup; our own words are
//! escaped all the same, because a template or a query of the user's may carry them.

use std::io::{self, Write};

use super::table::{Column, Table, Value, bearable, shown_text};
use super::text::{Span, Text};
use super::{Block, Document, instant};
use crate::markdown::code;
use crate::visible::escape;

/// Writes the document.
pub(super) fn write(document: &Document, out: &mut dyn Write) -> io::Result<()> {
    let mut page = String::new();
    for line in document.classification.iter().chain(&document.organisation) {
        page.push_str(&format!("**{}**\n\n", words(line)));
    }
    page.push_str(&format!("# {}\n\n", words(&document.title)));
    facts(&document.facts, &mut page);
    for section in &document.sections {
        page.push_str(&format!("## {}\n\n", words(&section.title)));
        blocks(&section.blocks, &mut page);
    }
    page.push_str(&format!("made by {}\n", words(&document.made_by)));
    out.write_all(page.as_bytes())?;
    out.flush()
}

fn blocks(blocks: &[Block], page: &mut String) {
    for block in blocks {
        match block {
            Block::Prose(prose) => page.push_str(&format!("{}\n\n", text(prose))),
            Block::List(items) => {
                for item in items {
                    page.push_str(&format!("- {}\n", text(item)));
                }
                page.push('\n');
            }
            Block::Facts(pairs) => facts(pairs, page),
            Block::Note(tone, note) => page.push_str(&format!("> **{}**: {}\n\n", tone.name(), text(note))),
            Block::Table(rows) => table(rows, page),
            Block::Figure(figure) => {
                page.push_str(&format!("**{}.** {}\n\n", words(&figure.title), words(&figure.description)));
                table(&figure.chart.table(&figure.id, &figure.title), page);
            }
            Block::Code { caption, text } => {
                page.push_str(&format!("{}:\n\n", words(caption)));
                for line in text.lines() {
                    // Four spaces make code of a line, whatever stands in it; no fence has to be kept from ending.
                    page.push_str(&format!("    {}\n", visible(line)));
                }
                page.push('\n');
            }
            Block::Part(part) => {
                page.push_str(&format!("### {}\n\n", text(&part.title)));
                self::blocks(&part.blocks, page);
            }
        }
    }
}

fn facts(pairs: &[(String, Text)], page: &mut String) {
    for (name, meaning) in pairs {
        page.push_str(&format!("- {}: {}\n", words(name), text(meaning)));
    }
    if !pairs.is_empty() {
        page.push('\n');
    }
}

fn table(rows: &Table, page: &mut String) {
    let columns = rows.filled_columns();
    if rows.rows.is_empty() || columns.is_empty() {
        page.push_str(&format!("{}: none.\n\n", words(&rows.caption)));
        return;
    }
    page.push_str(&format!("{}{}\n\n", words(&rows.caption), words(&counted(rows))));
    for at in &columns {
        let name = if rows.columns[*at].name.is_empty() { "of" } else { &rows.columns[*at].name };
        page.push_str(&format!("| {} ", words(name)));
    }
    page.push_str("|\n");
    for at in &columns {
        page.push_str(if rows.columns[*at].is_number { "| ---: " } else { "| --- " });
    }
    page.push_str("|\n");
    for row in &rows.rows {
        for at in &columns {
            page.push_str(&format!("| {} ", value(&row[*at], &rows.columns[*at])));
        }
        page.push_str("|\n");
    }
    page.push('\n');
}

fn counted(rows: &Table) -> String {
    match (rows.rows_left_out(), &rows.data_file) {
        (0, _) => String::new(),
        (_, Some(file)) => format!(" ({} of {} rows; all are in {file})", rows.rows.len(), rows.total_rows),
        (_, None) => format!(" ({} of {} rows)", rows.rows.len(), rows.total_rows),
    }
}

fn value(value: &Value, _: &Column) -> String {
    match value {
        Value::Nothing => String::new(),
        Value::Text(text) => code(&shown_text(text)),
        Value::Texts(texts) => texts.iter().map(|text| code(&shown_text(text))).collect::<Vec<_>>().join(", "),
        Value::Shown(text) => code(text),
        Value::Number(number) => number.to_string(),
        Value::Literal(text) => code(&shown_text(text)),
        Value::Time(at) => instant::millis(*at),
        Value::Level(level) => level.name().to_owned(),
        Value::Words(words) => self::text(&Text::marked(words)),
        Value::Link { words: link, .. } => words(link),
    }
}

fn text(text: &Text) -> String {
    let spans = text.0.iter().map(|span| match span {
        Span::Plain(plain) => words(plain),
        Span::Strong(text) => strong(text),
        Span::Name(name) => code(&shown_text(name)),
        // Places are not named alike by all that show Markdown, and a link that leads nowhere is worse than none.
        Span::Link { words: link, .. } => words(link),
        Span::Level(level) => format!("**{}**", level.name()),
    });
    spans.collect()
}

/// Heavy words. A blank inside of the stars would keep them from beginning or ending anything.
fn strong(text: &str) -> String {
    let inside = text.trim();
    if inside.is_empty() {
        return text.to_owned();
    }
    let start = text.len() - text.trim_start().len();
    let (before, after) = (&text[..start], &text[start + inside.len()..]);
    format!("{before}**{}**{after}", words(inside))
}

/// Our own words, in which names stand between backticks.
pub(crate) fn marked(words: &str) -> String {
    text(&Text::marked(words))
}

/// Our own words, with whatever Markdown would take for markup escaped.
fn words(plain: &str) -> String {
    let mut text = String::with_capacity(plain.len());
    for character in visible(&bearable(plain)).chars() {
        if matches!(character, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '~' | '&' | '!' | '@') {
            text.push('\\');
        }
        text.push(character);
    }
    text
}

/// The text with whatever a terminal obeys made visible; spaces at its ends stay.
fn visible(text: &str) -> String {
    let start = text.len() - text.trim_start_matches(' ').len();
    let end = start + text.trim_matches(' ').len();
    format!("{}{}{}", &text[..start], escape(&text[start..end]), &text[end.max(start)..])
}
