//! How many in each cell of a grid: the darker, the more.

use maud::{Markup, html};

use super::scale::{WIDTH, frame};
use crate::document::table::{Column, Table, Value};

/// A grid of numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heat {
    /// Names of the rows.
    pub rows: Vec<String>,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Numbers, row by row.
    pub counts: Vec<Vec<u64>>,
}

const LEFT: i64 = 60;
const TOP: i64 = 22;
const CELL: i64 = 24;

/// Shades that can be told apart.
const SHADES: u64 = 5;

pub(super) fn svg(chart: &Heat, title: &str, description: &str) -> Markup {
    let most = chart.counts.iter().flatten().copied().max().unwrap_or(0);
    let columns = i64::try_from(chart.columns.len().max(1)).unwrap_or(1);
    let wide = ((WIDTH - LEFT - 12) / columns).max(1);
    let bottom = TOP + CELL * i64::try_from(chart.rows.len()).unwrap_or(0);
    let content = html! {
        @for (at, name) in (0_i64..).zip(&chart.columns) {
            text.tick x=(LEFT + at * wide + wide / 2) y="14" text-anchor="middle" { (name) }
        }
        @for ((at, name), counts) in (0_i64..).zip(&chart.rows).zip(&chart.counts) {
            text.tick x=(LEFT - 8) y=(TOP + at * CELL + 16) text-anchor="end" { (name) }
            @for (column, count) in (0_i64..).zip(counts) {
                rect.(format!("shade{}", shade(*count, most))) x=(LEFT + column * wide) y=(TOP + at * CELL)
                    width=(wide - 2) height=(CELL - 2) {
                    title { (name) " " (chart.columns.get(usize::try_from(column).unwrap_or(0)).map_or("", String::as_str)) ": " (count) }
                }
            }
        }
    };
    frame(bottom + 4, title, description, &content)
}

/// Small numbers stay apart from none, and one large number does not make all others look like none: each shade is
/// four times the one before.
fn shade(count: u64, most: u64) -> u64 {
    if count == 0 {
        return 0;
    }
    (0..SHADES)
        .find(|step| count.saturating_mul(4_u64.pow(u32::try_from(*step).unwrap_or(0))) > most / 4)
        .map_or(1, |step| SHADES - step)
}

pub(super) fn table(chart: &Heat, id: &str, caption: &str) -> Table {
    let columns = std::iter::once(Column::text("")).chain(chart.columns.iter().map(Column::number)).collect();
    let mut table = Table::new(id, caption, columns);
    for (name, counts) in chart.rows.iter().zip(&chart.counts) {
        let counts = counts.iter().map(|count| Value::Number(i64::try_from(*count).unwrap_or(i64::MAX)));
        table.push(std::iter::once(Value::Text(name.clone())).chain(counts).collect());
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shades_grow_with_the_numbers_and_only_nothing_is_blank() {
        assert_eq!(shade(0, 1_000), 0);
        assert_eq!(shade(1_000, 1_000), SHADES);
        assert_eq!(shade(1, 1_000_000), 1);
        assert_eq!(shade(1, 1), SHADES);
        let shades: Vec<u64> = (1..=1_000).map(|count| shade(count, 1_000)).collect();
        assert!(shades.is_sorted() && shades.iter().all(|shade| (1..=SHADES).contains(shade)), "{shades:?}");
    }
}
