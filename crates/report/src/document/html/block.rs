//! The parts of a page.

use maud::{Markup, html};

use crate::document::figure::Figure;
use crate::document::instant;
use crate::document::table::{Column, TEXTS_MAX, Table, Value, bearable, shown_text};
use crate::document::text::{Level, Span, Text};
use crate::document::{Block, Part};
use crate::visible::escape;

pub(super) fn all(blocks: &[Block]) -> Markup {
    html! { @for block in blocks { (one(block)) } }
}

fn one(block: &Block) -> Markup {
    match block {
        Block::Prose(words) => html! { p { (text(words)) } },
        Block::List(items) => html! { ul { @for item in items { li { (text(item)) } } } },
        Block::Facts(pairs) => facts(pairs),
        Block::Note(tone, words) => html! {
            p.note.(tone.name()) role="note" { strong { (tone.name()) ": " } (text(words)) }
        },
        Block::Table(rows) => table(rows),
        Block::Figure(picture) => figure(picture),
        Block::Code { caption, text } => html! {
            details.code { summary { (escape(caption)) } pre tabindex="0" { code { (visible_lines(text)) } } }
        },
        Block::Part(part) => whole(part),
    }
}

fn whole(part: &Part) -> Markup {
    html! {
        article.part id=(part.id) aria-labelledby=(format!("{}-title", part.id)) {
            h3 id=(format!("{}-title", part.id)) { (text(&part.title)) }
            (all(&part.blocks))
        }
    }
}

pub(super) fn facts(pairs: &[(String, Text)]) -> Markup {
    html! {
        @if !pairs.is_empty() {
            dl { @for (name, meaning) in pairs { div { dt { (escape(name)) } dd { (text(meaning)) } } } }
        }
    }
}

pub(super) fn text(words: &Text) -> Markup {
    html! {
        @for span in &words.0 {
            @match span {
                Span::Plain(words) => { (escaped(words)) }
                Span::Strong(words) => strong { (escaped(words)) },
                Span::Name(name) => code { bdi { (shown_text(name)) } },
                Span::Link { to, words } => a href=(format!("#{to}")) { (escaped(words)) },
                Span::Level(worst) => { (level(*worst)) }
            }
        }
    }
}

/// Our own words begin and end in spaces where a name stands beside them.
fn escaped(words: &str) -> String {
    let inner = words.trim_matches(' ');
    let start = words.len() - words.trim_start_matches(' ').len();
    let end = start + inner.len();
    format!("{}{}{}", &words[..start], escape(&bearable(inner)), &words[end..])
}

fn level(level: Level) -> Markup {
    html! { span.level.(level.name()) { (level.name()) } }
}

/// What a machine reads keeps its lines; whatever else a terminal or a browser obeys is made visible.
fn visible_lines(text: &str) -> String {
    let shown = text.lines().map(|line| {
        let indent = line.len() - line.trim_start_matches(' ').len();
        format!("{}{}", &line[..indent], escape(&line[indent..]))
    });
    shown.collect::<Vec<_>>().join("\n")
}

fn table(rows: &Table) -> Markup {
    let columns = rows.filled_columns();
    html! {
        @if rows.rows.is_empty() {
            p.empty { (escape(&rows.caption)) ": none." }
        } @else {
            div.scroll tabindex="0" role="region" aria-label=(escape(&rows.caption)) {
                table.sortable id=(rows.id) {
                    caption { (escape(&rows.caption)) (counted(rows)) }
                    thead { tr { @for at in &columns { (heading(&rows.columns[*at], rows.is_prose(*at))) } } }
                    tbody { @for row in &rows.rows { tr { @for at in &columns { (cell(&row[*at], &rows.columns[*at])) } } } }
                }
            }
        }
    }
}

fn counted(rows: &Table) -> String {
    match (rows.rows_left_out(), &rows.data_file) {
        (0, _) => String::new(),
        (left_out, Some(file)) => {
            format!(" ({} of {} rows; all are in {file}, {left_out} more than here)", rows.rows.len(), rows.total_rows)
        }
        (left_out, None) => {
            format!(" ({} of {} rows; {left_out} are left out here)", rows.rows.len(), rows.total_rows)
        }
    }
}

fn heading(column: &Column, is_prose: bool) -> Markup {
    let name = if column.name.is_empty() { "of" } else { &column.name };
    html! { th.prose[is_prose].(class(column)) scope="col" { (escape(name)) } }
}

fn class(column: &Column) -> &'static str {
    if column.is_number { "number" } else { "text" }
}

fn cell(value: &Value, column: &Column) -> Markup {
    html! {
        @match value {
            Value::Nothing => td.nothing { "" },
            Value::Text(text) => td { bdi { (shown_text(text)) } },
            Value::Texts(texts) => td {
                @for (count, text) in texts.iter().take(TEXTS_MAX).enumerate() {
                    @if count > 0 { ", " }
                    bdi { (shown_text(text)) }
                }
                @if texts.len() > TEXTS_MAX { " and " (texts.len() - TEXTS_MAX) " more" }
            },
            Value::Shown(text) => td { bdi { (text) } },
            Value::Number(number) => td class=(class(column)) data-sort=(number) { (number) },
            Value::Literal(text) => td class=(class(column)) { (shown_text(text)) },
            Value::Time(at) => td.time data-sort=(at) { time datetime=(machine_time(*at)) { (instant::millis(*at)) } },
            Value::Level(worst) => td data-sort=(*worst as u8) { (level(*worst)) },
            Value::Words(words) => td { (text(&Text::marked(words))) },
            Value::Link { to, words } => td { a href=(format!("#{to}")) { (escape(words)) } },
        }
    }
}

/// HTML knows milliseconds and years of four digits.
fn machine_time(micros: i64) -> String {
    instant::millis(micros).replace(' ', "T") + "Z"
}

fn figure(picture: &Figure) -> Markup {
    let numbers = picture.chart.table(&format!("{}-numbers", picture.id), &format!("{}, in numbers", picture.title));
    html! {
        figure id=(picture.id) {
            figcaption { strong { (escape(&picture.title)) } ". " (escape(&picture.description)) }
            div.picture tabindex="0" role="region" aria-label=(escape(&picture.title)) {
                (picture.chart.svg(&picture.title, &picture.description))
            }
            @if !numbers.rows.is_empty() {
                details.numbers { summary { "the numbers" } (table(&numbers)) }
            }
        }
    }
}
