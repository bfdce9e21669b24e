//! What leads to what: boxes in columns, one column for each step, and lines between them.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::scale::{WIDTH, cut, frame};
use crate::document::instant;
use crate::document::table::{Column, Table, Value, shown_text};
use crate::document::text::Level;

/// A graph whose boxes stand in columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    /// The boxes, in each column from top to bottom.
    pub nodes: Vec<Node>,
    /// The lines.
    pub edges: Vec<Edge>,
}

/// A box.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// How bad it is.
    pub level: Level,
    /// Its column, counted from 0.
    pub step: usize,
    /// What else there is to say.
    pub words: String,
}

/// A line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    /// The box that it comes from, by its place in the list.
    pub from: usize,
    /// The box that it leads to.
    pub to: usize,
    /// How sure it is, as a level.
    pub level: Level,
    /// What joins the two, as a verb.
    pub words: String,
    /// When, in microseconds since 1970.
    pub at: i64,
}

/// Columns that there is room for; what is further away stands in the last one.
const COLUMNS_MAX: usize = 5;

const GAP: i64 = 46;
const ROW: i64 = 34;
const BOX: i64 = 26;
/// Width of a letter of the labels, rounded up.
const LETTER: i64 = 7;

/// Where a box stands: its left edge and its top.
type Place = (i64, i64);

fn places(chart: &Graph) -> (Vec<Place>, i64, i64) {
    let columns = chart.nodes.iter().map(|node| node.step.min(COLUMNS_MAX - 1) + 1).max().unwrap_or(1);
    let columns = i64::try_from(columns).unwrap_or(1);
    let width = (WIDTH - 8 - (columns - 1) * GAP) / columns;
    let mut filled: BTreeMap<usize, i64> = BTreeMap::new();
    let places = chart.nodes.iter().map(|node| {
        let column = node.step.min(COLUMNS_MAX - 1);
        let row = filled.entry(column).or_default();
        *row += 1;
        (4 + i64::try_from(column).unwrap_or(0) * (width + GAP), 4 + (*row - 1) * ROW)
    });
    let places: Vec<Place> = places.collect();
    let rows = filled.values().max().copied().unwrap_or(0);
    (places, width, rows * ROW + 8)
}

pub(super) fn svg(chart: &Graph, title: &str, description: &str) -> Markup {
    let (places, width, height) = places(chart);
    let letters = usize::try_from((width - 16) / LETTER).unwrap_or(8);
    let content = html! {
        @for edge in &chart.edges {
            @if let (Some(from), Some(to)) = (places.get(edge.from), places.get(edge.to)) {
                // From the side on which the other box stands; the boxes are drawn over what runs behind them.
                @let (x1, x2) = if to.0 > from.0 { (from.0 + width, to.0) } else if to.0 < from.0 { (from.0, to.0 + width) } else { (from.0 + width, to.0 + width) };
                line.edge.(edge.level.name()) x1=(x1) y1=(from.1 + BOX / 2) x2=(x2) y2=(to.1 + BOX / 2) {
                    title { (shown_text(&told(chart, edge))) }
                }
            }
        }
        @for (node, (x, y)) in chart.nodes.iter().zip(&places) {
            g {
                title { (shown_text(&format!("{} ({})", node.name, node.words))) }
                rect.tile.(node.level.name()) x=(x) y=(y) width=(width) height=(BOX) rx="4" {}
                text.name x=(x + 8) y=(y + 17) { (cut(&node.name, letters)) }
            }
        }
    };
    frame(height, title, description, &content)
}

fn name(chart: &Graph, at: usize) -> &str {
    chart.nodes.get(at).map_or("", |node| node.name.as_str())
}

fn told(chart: &Graph, edge: &Edge) -> String {
    let (from, to) = (name(chart, edge.from), name(chart, edge.to));
    format!("{from} {} {to}, {}", edge.words, instant::millis(edge.at))
}

pub(super) fn table(chart: &Graph, id: &str, caption: &str) -> Table {
    let columns = ["when", "from", "how", "to"].map(Column::text).to_vec();
    let mut table = Table::new(id, caption, columns);
    for edge in &chart.edges {
        table.push(vec![
            Value::Time(edge.at),
            Value::Text(name(chart, edge.from).to_owned()),
            Value::Text(edge.words.clone()),
            Value::Text(name(chart, edge.to).to_owned()),
        ]);
    }
    table
}
