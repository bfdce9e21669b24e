//! Who did what when: a lane for each, a mark for each deed.

use maud::{Markup, html};

use super::scale::{Time, WIDTH, cut, frame};
use crate::document::table::{Column, Table, Value, shown_text};
use crate::document::text::Level;

/// Lanes over a span of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Lanes {
    /// Where the time begins, in microseconds since 1970.
    pub from: i64,
    /// Where it ends.
    pub to: i64,
    /// The lanes, from top to bottom.
    pub lanes: Vec<Lane>,
}

/// What one did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lane {
    /// Who.
    pub name: String,
    /// When it was seen first and last, in microseconds since 1970.
    pub seen: Option<(i64, i64)>,
    /// Its deeds, in time.
    pub marks: Vec<Mark>,
}

/// A deed.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// When, in microseconds since 1970.
    pub at: i64,
    /// How bad.
    pub level: Level,
    /// What.
    pub words: String,
}

const LEFT: i64 = 220;
const ROW: i64 = 34;
const TOP: i64 = 26;

pub(super) fn svg(chart: &Lanes, title: &str, description: &str) -> Markup {
    let time = Time { from: chart.from, to: chart.to, left: LEFT, right: WIDTH - 12 };
    let rows = i64::try_from(chart.lanes.len()).unwrap_or(0);
    let bottom = TOP + rows * ROW;
    let content = html! {
        g.axis {
            @for (tick, label) in time.ticks() {
                @let x = time.at(tick);
                line.grid.zoom x1=(x) x2=(x) y1=(TOP) y2=(bottom) data-t=(tick) {}
                text.tick.zoom x=(x) y="16" text-anchor="middle" data-t=(tick) { (label) }
            }
        }
        @for (at, lane) in (0_i64..).zip(&chart.lanes) {
            @let y = TOP + at * ROW + ROW / 2;
            line.lane x1=(LEFT) x2=(WIDTH - 12) y1=(y) y2=(y) {}
            text.name x=(LEFT - 10) y=(y + 4) text-anchor="end" { (cut(&lane.name, 28)) title { (shown_text(&lane.name)) } }
            @if let Some((first, last)) = lane.seen {
                line.seen.zoom x1=(time.at(first)) x2=(time.at(last)) y1=(y) y2=(y) data-t=(first) data-t2=(last) {}
            }
            @for mark in &lane.marks {
                circle.mark.zoom.(mark.level.name()) cx=(time.at(mark.at)) cy=(y) r=(radius(mark.level)) data-t=(mark.at) {
                    title { (shown_text(&mark.words)) }
                }
            }
        }
    };
    let framed = frame(bottom + 8, title, description, &content);
    html! { div.lanes data-from=(chart.from) data-to=(chart.to) data-left=(LEFT) data-right=(WIDTH - 12) { (framed) } }
}

const fn radius(level: Level) -> i64 {
    match level {
        Level::Critical => 7,
        Level::High => 6,
        Level::Medium => 5,
        Level::Low | Level::Info => 4,
    }
}

pub(super) fn table(chart: &Lanes, id: &str, caption: &str) -> Table {
    let columns = ["who", "when", "level", "what"].map(Column::text).to_vec();
    let mut table = Table::new(id, caption, columns);
    for lane in &chart.lanes {
        for mark in &lane.marks {
            table.push(vec![
                Value::Text(lane.name.clone()),
                Value::Time(mark.at),
                Value::Level(mark.level),
                Value::Text(mark.words.clone()),
            ]);
        }
    }
    table
}
