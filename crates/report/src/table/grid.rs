//! Rows under a header, in columns.

use std::borrow::Cow;
use std::io::{self, Write};

use super::Row;
use super::choice::{Choice, Part, choose, cut};
use super::column::{Column, Kind, Shown, text_and_width};
use super::fit::{GAP, NAME_WIDTH_MAX, TEXT_WIDTH_MIN, Wish, widths};
use super::paint::{Style, write_painted, write_spaces};
use super::wrap::{name_part_width_max, wrap, wrap_name};
use crate::visible::width;

/// Text of any length reads well in lines of this many terminal columns.
const SENTENCE_WIDTH: usize = 30;

/// Without a limit, longer cells push aside the rest of their own row only: one audited ConfigMap of a megabyte must
/// not put a megabyte of spaces into every other row.
const ALIGNED_WIDTH_MAX: usize = 200;

/// A table whose widths are chosen.
pub(crate) struct Grid {
    pillars: Vec<Pillar>,
    /// What becomes of a cell that is wider than its pillar.
    excess: Excess,
    /// Whether a blank line stands between rows: when first cells wrap, nothing else shows where a row begins.
    is_spaced: bool,
    is_coloured: bool,
    is_first_row: bool,
}

/// What becomes of a cell that is wider than its pillar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Excess {
    /// It pushes the rest of its row aside.
    Kept,
    /// It goes on in the next line.
    Wrapped,
    /// It is cut.
    Cut,
}

/// A column with its place.
struct Pillar {
    /// Its place among the columns of the result.
    index: usize,
    column: Column,
    /// Terminal columns left of it.
    start: usize,
    width: usize,
    /// How much of a cell is shown when cells are cut.
    part: Part,
}

/// One line of one cell, ready to be put in its place.
struct Piece<'t> {
    text: &'t str,
    width: usize,
    style: Option<Style>,
}

impl Grid {
    /// One line per row, however wide.
    pub(crate) fn unlimited(columns: &[Column], shown: &[usize], rows: &[Row], is_coloured: bool) -> Self {
        let wishes: Vec<Wish> = shown.iter().map(|index| wish(&columns[*index], *index, rows, true)).collect();
        let widths: Vec<usize> = wishes.iter().map(|wish| wish.natural.min(ALIGNED_WIDTH_MAX)).collect();
        let pillars = pillars(columns, shown, &widths);
        Self { pillars, excess: Excess::Kept, is_spaced: false, is_coloured, is_first_row: true }
    }

    /// Fitted to `room` terminal columns, or `None` when the columns do not fit. `is_whole` says that no row comes
    /// after these.
    pub(crate) fn fitted(
        columns: &[Column],
        shown: &[usize],
        rows: &[Row],
        room: usize,
        is_whole: bool,
        is_coloured: bool,
    ) -> Option<Self> {
        let wishes: Vec<Wish> = shown.iter().map(|index| wish(&columns[*index], *index, rows, is_whole)).collect();
        let pillars = pillars(columns, shown, &widths(&wishes, room)?);
        let mut grid = Self { pillars, excess: Excess::Wrapped, is_spaced: false, is_coloured, is_first_row: true };
        grid.is_spaced = rows.iter().any(|row| {
            let first = grid.pillars.first();
            first.is_some_and(|pillar| grid.lines(pillar, row[pillar.index].as_ref()).len() > 1)
        });
        Some(grid)
    }

    /// One line per row in `room` terminal columns: what is too long is cut, and columns that say less make room. `is_whole`
    /// says that no row comes after these.
    pub(crate) fn cut(
        columns: &[Column],
        shown: &[usize],
        rows: &[Row],
        room: usize,
        is_whole: bool,
        is_coloured: bool,
    ) -> Self {
        let chosen = choose(columns, shown, rows, room, is_whole).into_iter();
        let chosen =
            chosen.map(|Choice { index, label, width, part }| (index, columns[index].labelled(label), width, part));
        let pillars = side_by_side(chosen);
        Self { pillars, excess: Excess::Cut, is_spaced: false, is_coloured, is_first_row: true }
    }

    /// Whether some cell of `row` is not shown whole, audit ids aside.
    pub(crate) fn cuts(&self, row: &Row) -> bool {
        let is_cut = |pillar: &Pillar| {
            let (_, width) = text_and_width(row[pillar.index].as_ref());
            matches!(pillar.part, Part::Begin | Part::Ends) && width > pillar.width
        };
        self.excess == Excess::Cut && self.pillars.iter().any(is_cut)
    }

    /// Whether the column at `index` of the result is part of the table.
    pub(crate) fn shows(&self, index: usize) -> bool {
        self.pillars.iter().any(|pillar| pillar.index == index)
    }

    /// Lines that `row` takes in the columns that are too narrow for sentences.
    pub(crate) fn squeezed_height(&self, row: &Row) -> usize {
        let squeezed = self.pillars.iter().filter(|pillar| pillar.width < SENTENCE_WIDTH);
        squeezed.map(|pillar| self.lines(pillar, row[pillar.index].as_ref()).len()).max().unwrap_or(1)
    }

    /// Writes the names of the columns and the rule below them.
    ///
    /// # Errors
    /// When `out` fails.
    pub(crate) fn write_header(&self, out: &mut impl Write) -> io::Result<()> {
        let room = |pillar: &Pillar| {
            if self.excess == Excess::Kept { usize::MAX } else { pillar.width }
        };
        let names: Vec<Vec<&str>> =
            self.pillars.iter().map(|pillar| wrap_name(&pillar.column.label, room(pillar))).collect();
        let height = names.iter().map(Vec::len).max().unwrap_or(0);
        for line in 0..height {
            // Short names stand on the rule, not in the air.
            let pieces = names.iter().map(|lines| {
                let text = (line + lines.len()).checked_sub(height).map_or("", |line| lines[line]);
                Piece { text, width: width(text), style: self.style(Some(Style::Bold)) }
            });
            self.write_line(out, &pieces.collect::<Vec<_>>())?;
        }
        let rules: Vec<String> = self.pillars.iter().map(|pillar| "─".repeat(pillar.width)).collect();
        let style = self.style(Some(Style::Dim));
        let pieces = self.pillars.iter().zip(&rules);
        let pieces = pieces.map(|(pillar, text)| Piece { text, width: pillar.width, style });
        self.write_line(out, &pieces.collect::<Vec<_>>())
    }

    /// Writes one row, on as many lines as its tallest cell takes.
    ///
    /// # Errors
    /// When `out` fails.
    pub(crate) fn write_row(&mut self, out: &mut impl Write, row: &Row) -> io::Result<()> {
        if self.is_spaced && !self.is_first_row {
            out.write_all(b"\n")?;
        }
        self.is_first_row = false;
        let cells: Vec<(Vec<Cow<'_, str>>, Option<Style>)> = self
            .pillars
            .iter()
            .map(|pillar| {
                let cell = row[pillar.index].as_ref();
                (self.lines(pillar, cell), self.style(pillar.column.style(cell)))
            })
            .collect();
        let height = cells.iter().map(|(lines, _)| lines.len()).max().unwrap_or(1);
        for line in 0..height {
            let pieces = cells.iter().map(|(lines, style)| {
                let text = lines.get(line).map_or("", AsRef::as_ref);
                Piece { text, width: width(text), style: *style }
            });
            self.write_line(out, &pieces.collect::<Vec<_>>())?;
        }
        Ok(())
    }

    fn style(&self, style: Option<Style>) -> Option<Style> {
        style.filter(|_| self.is_coloured)
    }

    fn lines<'t>(&self, pillar: &Pillar, cell: Option<&'t Shown>) -> Vec<Cow<'t, str>> {
        let (text, width) = text_and_width(cell);
        let is_wider = pillar.column.kind == Kind::Text && width > pillar.width;
        match self.excess {
            Excess::Wrapped if is_wider => {
                wrap(text, pillar.width, pillar.width).into_iter().map(Cow::Borrowed).collect()
            }
            Excess::Cut if cell.is_some() && (width > pillar.width || pillar.part == Part::TimeOfDay) => {
                vec![Cow::Owned(cut(text, pillar.part, pillar.width))]
            }
            _ => vec![Cow::Borrowed(text)],
        }
    }

    /// Writes one piece per pillar. A piece wider than its pillar, which only a later row can hold, pushes the next
    /// ones aside until a gap takes them up. Nothing is written after the last piece: no trailing spaces.
    fn write_line(&self, out: &mut impl Write, pieces: &[Piece<'_>]) -> io::Result<()> {
        let mut at = 0;
        for (pillar, piece) in self.pillars.iter().zip(pieces).filter(|(_, piece)| !piece.text.is_empty()) {
            let is_right = pillar.column.kind == Kind::Number;
            let indent = if is_right { pillar.width.saturating_sub(piece.width) } else { 0 };
            let gap = if at == 0 { 0 } else { GAP };
            let start = (pillar.start + indent).max(at + gap);
            write_spaces(out, start - at)?;
            write_painted(out, piece.style, piece.text)?;
            at = start + piece.width;
        }
        out.write_all(b"\n")
    }
}

/// The columns in the widths that they got, cells of which are shown from their beginning.
fn pillars(columns: &[Column], shown: &[usize], widths: &[usize]) -> Vec<Pillar> {
    let whole = shown.iter().zip(widths);
    side_by_side(whole.map(|(index, width)| (*index, columns[*index].clone(), *width, Part::Begin)))
}

fn side_by_side(columns: impl Iterator<Item = (usize, Column, usize, Part)>) -> Vec<Pillar> {
    let mut start = 0;
    let columns = columns.map(|(index, column, width, part)| {
        let pillar = Pillar { index, column, start, width, part };
        start += width + GAP;
        pillar
    });
    columns.collect()
}

/// What a column asks for, by the rows that are known.
fn wish(column: &Column, index: usize, rows: &[Row], is_whole: bool) -> Wish {
    let mut cells: Vec<usize> = rows.iter().map(|row| text_and_width(row[index].as_ref()).1).collect();
    let widest = cells.iter().copied().max().unwrap_or(0);
    // Later rows may bring longer words, such as `deletecollection` after thousands of `get`.
    let reserve = if is_whole || column.kind != Kind::Text { 0 } else { TEXT_WIDTH_MIN };
    let label = width(&column.label);
    let name_part = name_part_width_max(&column.label).min(NAME_WIDTH_MAX);
    let rigid = if column.kind == Kind::Text { widest.min(TEXT_WIDTH_MIN) } else { widest };
    cells.push(label);
    Wish { natural: widest.max(label).max(reserve), widest, minimum: rigid.max(name_part).max(reserve), cells }
}
