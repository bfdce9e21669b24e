//! How many over time, by kind: bars that stand on one another.

use maud::{Markup, html};

use super::scale::{Time, WIDTH, frame, part};
use crate::document::instant;
use crate::document::table::{Column, Table, Value};

/// Numbers over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Stack {
    /// Where the first step begins, in microseconds since 1970.
    pub from: i64,
    /// Length of a step, in microseconds.
    pub step: i64,
    /// What is counted, the lowest first.
    pub series: Vec<Series>,
}

/// One kind of what is counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Series {
    /// Its name; as a class of the page it has a colour.
    pub name: String,
    /// How many in each step.
    pub counts: Vec<u64>,
}

const LEFT: i64 = 60;
const TOP: i64 = 30;
const HEIGHT: i64 = 170;

impl Stack {
    fn steps(&self) -> usize {
        self.series.iter().map(|series| series.counts.len()).max().unwrap_or(0)
    }

    fn total(&self, step: usize) -> u64 {
        self.series.iter().filter_map(|series| series.counts.get(step)).sum()
    }

    fn start(&self, step: usize) -> i64 {
        self.from.saturating_add(self.step.saturating_mul(i64::try_from(step).unwrap_or(i64::MAX)))
    }
}

pub(super) fn svg(chart: &Stack, title: &str, description: &str) -> Markup {
    let steps = chart.steps();
    let most = (0..steps).map(|step| chart.total(step)).max().unwrap_or(0);
    let right = WIDTH - 12;
    let time = Time { from: chart.from, to: chart.start(steps), left: LEFT, right };
    let bottom = TOP + HEIGHT;
    let content = html! {
        @for (at, series) in (0_i64..).zip(&chart.series) {
            rect.(series.name) x=(LEFT + at * 110) y="4" width="12" height="12" {}
            text.tick x=(LEFT + at * 110 + 18) y="14" { (series.name) }
        }
        text.tick x=(LEFT - 8) y=(TOP + 8) text-anchor="end" { (most) }
        text.tick x=(LEFT - 8) y=(bottom) text-anchor="end" { "0" }
        line.grid x1=(LEFT) x2=(right) y1=(TOP) y2=(TOP) {}
        @for step in 0..steps {
            @let total = chart.total(step);
            @if total > 0 {
                g {
                    title { (instant::seconds(chart.start(step))) ": " (told(chart, step)) }
                    @for (series, y, height) in bars(chart, step, most, bottom) {
                        rect.(chart.series[series].name) x=(time.at(chart.start(step))) y=(y) height=(height)
                            width=(format!("{}.{}", width(steps, right) / 10, width(steps, right) % 10)) {}
                    }
                }
            }
        }
        line.lane x1=(LEFT) x2=(right) y1=(bottom) y2=(bottom) {}
        @for (tick, label) in time.ticks() {
            text.tick x=(time.at(tick)) y=(bottom + 18) text-anchor="middle" { (label) }
        }
    };
    frame(bottom + 26, title, description, &content)
}

/// Width of a bar in tenths: with a gap where there is room for one.
fn width(steps: usize, right: i64) -> i64 {
    let each = (right - LEFT) * 10 / i64::try_from(steps.max(1)).unwrap_or(1);
    if each > 40 { each - 10 } else { each.max(5) }
}

fn bars(chart: &Stack, step: usize, most: u64, bottom: i64) -> Vec<(usize, i64, i64)> {
    let mut y = bottom;
    let mut bars = Vec::new();
    for (at, series) in chart.series.iter().enumerate() {
        let height = part(series.counts.get(step).copied().unwrap_or(0), most, HEIGHT);
        if height > 0 {
            y -= height;
            bars.push((at, y, height));
        }
    }
    bars
}

fn told(chart: &Stack, step: usize) -> String {
    let counts = chart.series.iter().map(|series| (series.counts.get(step).copied().unwrap_or(0), &series.name));
    counts.filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
}

pub(super) fn table(chart: &Stack, id: &str, caption: &str) -> Table {
    let names = chart.series.iter().map(|series| Column::number(&series.name));
    let mut table = Table::new(id, caption, std::iter::once(Column::text("from")).chain(names).collect());
    for step in (0..chart.steps()).filter(|step| chart.total(*step) > 0) {
        let counts = chart.series.iter().map(|series| series.counts.get(step).copied().unwrap_or(0));
        let counts = counts.map(|count| Value::Number(i64::try_from(count).unwrap_or(i64::MAX)));
        table.push(std::iter::once(Value::Time(chart.start(step))).chain(counts).collect());
    }
    table
}
