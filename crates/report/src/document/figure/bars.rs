//! How many of each, the most first.

use maud::{Markup, html};

use super::scale::{WIDTH, cut, frame, part};
use crate::document::table::{Column, Table, Value, shown_text};

/// Bars, one below the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bars {
    /// What is counted.
    pub what: String,
    /// What stands out among them, such as `denied`.
    pub part: String,
    /// The bars, from top to bottom.
    pub bars: Vec<Bar>,
}

/// One of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bar {
    /// Its name.
    pub name: String,
    /// How many.
    pub count: u64,
    /// How many of these stand out.
    pub part: u64,
}

const LEFT: i64 = 330;
const RIGHT: i64 = WIDTH - 150;
const ROW: i64 = 24;

pub(super) fn svg(chart: &Bars, title: &str, description: &str) -> Markup {
    let most = chart.bars.iter().map(|bar| bar.count).max().unwrap_or(0);
    let content = html! {
        @for (at, bar) in (0_i64..).zip(&chart.bars) {
            @let y = 4 + at * ROW;
            @let length = part(bar.count, most, RIGHT - LEFT);
            text.name x=(LEFT - 10) y=(y + 14) text-anchor="end" { (cut(&bar.name, 44)) title { (shown_text(&bar.name)) } }
            rect.allowed x=(LEFT) y=(y) width=(length) height=(ROW - 6) {}
            @if bar.part > 0 {
                rect.denied x=(LEFT) y=(y) width=(part(bar.part, most, RIGHT - LEFT)) height=(ROW - 6) {}
            }
            text.tick x=(LEFT + length + 8) y=(y + 14) {
                (bar.count) @if bar.part > 0 { ", " (bar.part) " " (chart.part) }
            }
        }
    };
    frame(8 + ROW * i64::try_from(chart.bars.len()).unwrap_or(0), title, description, &content)
}

pub(super) fn table(chart: &Bars, id: &str, caption: &str) -> Table {
    let columns = vec![Column::text("name"), Column::number(&chart.what), Column::number(&chart.part)];
    let mut table = Table::new(id, caption, columns);
    for bar in &chart.bars {
        let number = |count: u64| Value::Number(i64::try_from(count).unwrap_or(i64::MAX));
        table.push(vec![Value::Text(bar.name.clone()), number(bar.count), number(bar.part)]);
    }
    table
}
