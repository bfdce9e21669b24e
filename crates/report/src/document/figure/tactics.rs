//! ATT&CK techniques below their tactics, as in the matrix.

use maud::{Markup, html};

use super::scale::{WIDTH, cut, frame};
use crate::document::table::{Column, Table, Value, shown_text};
use crate::document::text::Level;

/// The tactics that were seen, in the order of the matrix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tactics(pub Vec<Tactic>);

/// What an intruder was after.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tactic {
    /// Its name.
    pub name: String,
    /// How it was done.
    pub techniques: Vec<Technique>,
}

/// A way to do it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Technique {
    /// Its id, such as `T1552.007`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The worst finding that shows it.
    pub level: Level,
    /// The queries that found it.
    pub queries: Vec<String>,
}

const GAP: i64 = 6;
const CELL: i64 = 40;
const HEAD: i64 = 24;

/// Tactics side by side; more begin a new row.
const ACROSS: usize = 5;

pub(super) fn svg(chart: &Tactics, title: &str, description: &str) -> Markup {
    let wide = WIDTH / i64::try_from(ACROSS).unwrap_or(1);
    let mut top = 0;
    let content = html! {
        @for tactics in chart.0.chunks(ACROSS) {
            @for (column, tactic) in (0_i64..).zip(tactics) {
                text.head x=(column * wide + 2) y=(top + 16) { (cut(&tactic.name, 26)) }
                @for (row, technique) in (0_i64..).zip(&tactic.techniques) {
                    @let (x, y) = (column * wide, top + HEAD + row * (CELL + GAP));
                    rect.tile.(technique.level.name()) x=(x) y=(y) width=(wide - GAP) height=(CELL) rx="3" {
                        title { (shown_text(&format!("{} {}: {}", technique.id, technique.name, technique.queries.join(", ")))) }
                    }
                    text.tile x=(x + 8) y=(y + 16) { (technique.id) }
                    text.small x=(x + 8) y=(y + 32) { (cut(&technique.name, 29)) }
                }
            }
            @let rows = tactics.iter().map(|tactic| tactic.techniques.len()).max().unwrap_or(0);
            ({ top += HEAD + (CELL + GAP) * i64::try_from(rows).unwrap_or(0) + 10; maud::PreEscaped("") })
        }
    };
    frame(top.max(1), title, description, &content)
}

pub(super) fn table(chart: &Tactics, id: &str, caption: &str) -> Table {
    let columns = ["tactic", "technique", "name", "level", "queries"].map(Column::text).to_vec();
    let mut table = Table::new(id, caption, columns);
    for tactic in &chart.0 {
        for technique in &tactic.techniques {
            table.push(vec![
                Value::Text(tactic.name.clone()),
                Value::Text(technique.id.clone()),
                Value::Text(technique.name.clone()),
                Value::Level(technique.level),
                Value::Texts(technique.queries.clone()),
            ]);
        }
    }
    table
}
