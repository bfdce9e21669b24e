//! Every row on its own: one `column: value` line per value, NULL left out, a rule with the row number above.

use std::io::{self, Write};

use super::Row;
use super::column::{Column, Kind, Shown};
use super::fit::TEXT_WIDTH_MIN;
use super::paint::{Style, write_painted, write_spaces};
use super::wrap::{wrap, wrap_name};
use crate::visible::width;

/// Indent of the later lines of a value when the names are too long to stand in a column of their own.
const HANGING_INDENT: usize = 4;

/// Names stand in a column of their own when this much stays for the values: a time, or most of a user name.
const VALUES_WIDTH_MIN: usize = 32;

/// Terminal columns of the rule above a card when the width is unlimited.
const UNLIMITED_RULE_WIDTH: usize = 80;

/// Rows as cards, for a terminal too narrow for the table.
pub(crate) struct Cards {
    fields: Vec<Field>,
    width: usize,
    rule_width: usize,
    /// Terminal columns for the names, when values stand in a column of their own.
    names_width: Option<usize>,
    is_coloured: bool,
    rows: u64,
}

/// A column of the result as a line of every card.
struct Field {
    column: Column,
    /// The name with its colon.
    heading: String,
    /// Whether some row so far had a value here.
    is_seen: bool,
}

/// One value of a card, in lines.
struct Entry<'t> {
    heading: Vec<&'t str>,
    value: Vec<&'t str>,
    /// Spaces between heading and value, or `None` when the value stands below its heading.
    gap: Option<usize>,
    /// Spaces before every other line of the value.
    indent: usize,
}

impl Cards {
    /// Cards of `width` terminal columns, unlimited when there is none, where only the columns `shown` can have values.
    pub(crate) fn new(columns: &[Column], shown: &[usize], width: Option<usize>, is_coloured: bool) -> Self {
        let rule_width = width.unwrap_or(UNLIMITED_RULE_WIDTH);
        let width = width.unwrap_or(usize::MAX);
        let field =
            |column: &Column| Field { column: column.clone(), heading: format!("{}:", column.label), is_seen: false };
        let fields: Vec<Field> = columns.iter().map(field).collect();
        let heading_widths = shown.iter().map(|index| crate::visible::width(&fields[*index].heading));
        let longest = heading_widths.max().unwrap_or(0) + 1;
        let names_width = Some(longest).filter(|longest| longest + VALUES_WIDTH_MIN <= width);
        Self { fields, width, rule_width, names_width, is_coloured, rows: 0 }
    }

    /// Whether some row so far had a value in the column at `index` of the result.
    pub(crate) fn shows(&self, index: usize) -> bool {
        self.fields[index].is_seen
    }

    /// Lines that `row` takes, its rule included.
    pub(crate) fn height(&self, row: &Row) -> usize {
        let cells = self.fields.iter().zip(row);
        let entries = cells.filter_map(|(field, cell)| Some(self.entry(field, cell.as_ref()?)));
        let height = |entry: Entry<'_>| entry.heading.len() + entry.value.len() - usize::from(entry.gap.is_some());
        1 + entries.map(height).sum::<usize>()
    }

    /// Writes one row.
    ///
    /// # Errors
    /// When `out` fails.
    pub(crate) fn write_row(&mut self, out: &mut impl Write, row: &Row) -> io::Result<()> {
        self.rows += 1;
        self.write_rule(out)?;
        for (field, cell) in self.fields.iter().zip(row) {
            if let Some(cell) = cell {
                self.write_value(out, field, cell)?;
            }
        }
        for (field, cell) in self.fields.iter_mut().zip(row) {
            field.is_seen |= cell.is_some();
        }
        Ok(())
    }

    fn write_rule(&self, out: &mut impl Write) -> io::Result<()> {
        let start = format!("── {} ", self.rows);
        let rest = self.rule_width.saturating_sub(width(&start));
        let rule = format!("{start}{}", "─".repeat(rest));
        write_painted(out, self.style(Some(Style::Dim)), rule.trim_end_matches(' '))?;
        out.write_all(b"\n")
    }

    fn write_value(&self, out: &mut impl Write, field: &Field, cell: &Shown) -> io::Result<()> {
        let entry = self.entry(field, cell);
        for (count, line) in entry.heading.iter().enumerate() {
            let before = if count == 0 { "" } else { "\n" };
            out.write_all(before.as_bytes())?;
            write_painted(out, self.style(Some(Style::Bold)), line)?;
        }
        let style = self.style(field.column.style(Some(cell)));
        for (count, line) in entry.value.iter().enumerate() {
            let (before, indent) = match entry.gap {
                Some(gap) if count == 0 => ("", gap),
                _ => ("\n", entry.indent),
            };
            out.write_all(before.as_bytes())?;
            // A line of nothing but dropped spaces gets no indent: no trailing spaces.
            if !line.is_empty() {
                write_spaces(out, indent)?;
                write_painted(out, style, line)?;
            }
        }
        out.write_all(b"\n")
    }

    /// The lines of one value. Where a number or a time does not fit beside its name, or text would be squeezed,
    /// the value goes below.
    fn entry<'t>(&self, field: &'t Field, cell: &'t Shown) -> Entry<'t> {
        let heading_width = width(&field.heading);
        let below = HANGING_INDENT.min(self.width / 4);
        let (column, indent) = match self.names_width {
            Some(names_width) => (names_width, names_width),
            None => (heading_width + 1, below),
        };
        let first_room = self.width.saturating_sub(column);
        let is_rigid = field.column.kind != Kind::Text;
        let needed = if is_rigid { cell.width } else { cell.width.min(TEXT_WIDTH_MIN) };
        let (gap, indent) = if needed <= first_room { (Some(column - heading_width), indent) } else { (None, below) };
        let room = self.width.saturating_sub(indent);
        let first_room = if gap.is_some() { first_room } else { room };
        let value = if is_rigid { vec![cell.text.as_str()] } else { wrap(&cell.text, first_room, room) };
        Entry { heading: wrap_name(&field.heading, self.width), value, gap, indent }
    }

    fn style(&self, style: Option<Style>) -> Option<Style> {
        style.filter(|_| self.is_coloured)
    }
}
