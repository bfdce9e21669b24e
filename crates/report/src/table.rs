//! The table for people: fitted to the terminal, safe to look at.
//!
//! The first rows are kept back to choose the widths; later rows stream with the same widths. Lists of ours wrap, and when
//! their columns do not fit even wrapped, or fit only as tall thin pillars, every row becomes a card of `column: value`
//! lines. Answers on a terminal take one line a row ([`RowLayout::Lines`]), and the summary tells what that left out.

mod cards;
mod choice;
mod column;
mod fit;
mod grid;
mod paint;
mod wrap;

use std::io::{self, BufWriter, Write};
use std::mem;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use crate::ReportError;
use crate::cell::Cell;
use crate::sink::{BUFFER_BYTES, Layout, RowLayout, Sink, Summary, check_columns};
use cards::Cards;
use column::{Column, Shown};
use grid::Grid;

/// Rows kept back to choose the widths: more than anyone reads before scrolling, and chosen in milliseconds.
const KEPT_ROWS_MAX: usize = 2_000;

/// Text kept back, whatever the number of rows: one audited ConfigMap can be a megabyte.
const KEPT_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Lines per row up to which a table reads well however narrow its columns.
const EASY_LINES_PER_ROW: usize = 3;

/// Beyond that, narrow columns may make the table this part as tall as cards would be. Cards show a whole value at a
/// glance, the table shows rows next to each other; tall thin pillars do neither: at 130 terminal columns a reason of
/// 157 characters filled 22 lines.
const GRID_LINES_PER_CARD_LINES: (usize, usize) = (1, 2);

/// The cells of one row, in column order; `None` is NULL.
type Row = Vec<Option<Shown>>;

struct Table<'w> {
    out: BufWriter<&'w mut dyn Write>,
    schema: SchemaRef,
    layout: Layout,
    columns: Vec<Column>,
    stage: Stage,
    rows: u64,
    /// The columns that have a value as far as the plan knows, and whether a cell was cut.
    valued: Vec<usize>,
    is_cut: bool,
}

enum Stage {
    Keeping { rows: Vec<Row>, size_bytes: usize },
    Streaming(Plan),
}

/// How the rows are laid out, once that is decided.
enum Plan {
    Grid(Grid),
    Cards(Cards),
}

/// Starts `--format table`.
pub(crate) fn start<'w>(
    schema: SchemaRef,
    layout: Layout,
    out: &'w mut dyn Write,
) -> Result<Box<dyn Sink + 'w>, ReportError> {
    let columns = schema.fields().iter().map(|field| Column::of(field)).collect();
    let layout = Layout { width: layout.width.filter(|width| *width > 0), ..layout };
    let stage = Stage::Keeping { rows: Vec::new(), size_bytes: 0 };
    let out = BufWriter::with_capacity(BUFFER_BYTES, out);
    Ok(Box::new(Table { out, schema, layout, columns, stage, rows: 0, valued: Vec::new(), is_cut: false }))
}

impl Sink for Table<'_> {
    fn write_batch(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        check_columns(&self.schema, batch.schema_ref())?;
        for number in 0..batch.num_rows() {
            let row = batch.columns().iter().map(|column| Shown::of(&Cell::of(column, number))).collect();
            self.take(row)?;
        }
        Ok(self.out.flush()?)
    }

    fn finish(mut self: Box<Self>) -> Result<Summary, ReportError> {
        if matches!(self.stage, Stage::Keeping { .. }) {
            self.settle(true)?;
        }
        self.out.flush()?;
        let is_hidden = |index: usize| match &self.stage {
            Stage::Streaming(plan) if self.rows > 0 => !plan.shows(index),
            _ => false,
        };
        let hidden = self.columns.iter().enumerate().filter(|(index, _)| is_hidden(*index));
        let (crowded, empty): (Vec<_>, Vec<_>) =
            hidden.partition(|(index, _)| self.layout.rows == RowLayout::Lines && self.valued.contains(index));
        let names = |columns: Vec<(usize, &Column)>| columns.iter().map(|(_, column)| column.name.clone()).collect();
        Ok(Summary {
            rows: self.rows,
            hidden_columns: names(empty),
            crowded_columns: names(crowded),
            is_cut: self.is_cut,
            ..Summary::default()
        })
    }
}

impl Table<'_> {
    fn take(&mut self, row: Row) -> Result<(), ReportError> {
        self.rows += 1;
        if let Stage::Keeping { rows, size_bytes } = &self.stage
            && (rows.len() >= KEPT_ROWS_MAX || *size_bytes >= KEPT_BYTES_MAX)
        {
            self.settle(false)?;
        }
        match &mut self.stage {
            Stage::Keeping { rows, size_bytes } => {
                *size_bytes += row.iter().flatten().map(|cell| cell.text.len()).sum::<usize>();
                rows.push(row);
                Ok(())
            }
            Stage::Streaming(plan) => {
                self.is_cut |= plan.cuts(&row);
                Ok(plan.write_row(&mut self.out, &row)?)
            }
        }
    }

    /// Decides the plan by the rows kept back, which are the whole result when `is_whole`, and writes them.
    fn settle(&mut self, is_whole: bool) -> Result<(), ReportError> {
        let keeping = Stage::Keeping { rows: Vec::new(), size_bytes: 0 };
        let Stage::Keeping { rows, .. } = mem::replace(&mut self.stage, keeping) else {
            return Ok(());
        };
        self.valued = self.valued(&rows, is_whole);
        let mut plan = self.plan(&rows, is_whole);
        self.is_cut = rows.iter().any(|row| plan.cuts(row));
        if let Plan::Grid(grid) = &plan {
            grid.write_header(&mut self.out)?;
        }
        for row in &rows {
            plan.write_row(&mut self.out, row)?;
        }
        self.stage = Stage::Streaming(plan);
        Ok(())
    }

    /// The columns that have a value, or may have one in a row that is still to come.
    fn valued(&self, rows: &[Row], is_whole: bool) -> Vec<usize> {
        // A line has no room for a column of empty lists either.
        let is_line = self.layout.rows == RowLayout::Lines && self.layout.width.is_some();
        let is_empty = |cell: &Option<Shown>| cell.as_ref().is_none_or(|cell| is_line && cell.is_empty);
        let is_absent = |index: usize| rows.iter().all(|row| is_empty(&row[index]));
        let all = 0..self.columns.len();
        let valued: Vec<usize> = all.clone().filter(|index| !is_whole || !is_absent(*index)).collect();
        // No row, or nothing but NULL: a header over nothing says more than no output.
        if valued.is_empty() { all.collect() } else { valued }
    }

    fn plan(&self, rows: &[Row], is_whole: bool) -> Plan {
        let shown = self.valued.clone();
        if self.layout.rows == RowLayout::Cards {
            return Plan::Cards(Cards::new(&self.columns, &shown, self.layout.width, self.layout.colour));
        }
        let Some(width) = self.layout.width else {
            return Plan::Grid(Grid::unlimited(&self.columns, &shown, rows, self.layout.colour));
        };
        if self.layout.rows == RowLayout::Lines {
            return Plan::Grid(Grid::cut(&self.columns, &shown, rows, width, is_whole, self.layout.colour));
        }
        let cards = Cards::new(&self.columns, &shown, Some(width), self.layout.colour);
        let Some(grid) = Grid::fitted(&self.columns, &shown, rows, width, is_whole, self.layout.colour) else {
            return Plan::Cards(cards);
        };
        let (part, whole) = GRID_LINES_PER_CARD_LINES;
        let grid_lines: usize = rows.iter().map(|row| grid.squeezed_height(row)).sum();
        let card_lines: usize = rows.iter().map(|row| cards.height(row)).sum();
        if grid_lines > rows.len() * EASY_LINES_PER_ROW && grid_lines * whole > card_lines * part {
            return Plan::Cards(cards);
        }
        Plan::Grid(grid)
    }
}

impl Plan {
    fn write_row(&mut self, out: &mut impl Write, row: &Row) -> io::Result<()> {
        match self {
            Self::Grid(grid) => grid.write_row(out, row),
            Self::Cards(cards) => cards.write_row(out, row),
        }
    }

    /// Whether a cell of `row` is not shown whole.
    fn cuts(&self, row: &Row) -> bool {
        match self {
            Self::Grid(grid) => grid.cuts(row),
            Self::Cards(_) => false,
        }
    }

    /// Whether the reader has seen the column at `index`, at least as a header.
    fn shows(&self, index: usize) -> bool {
        match self {
            Self::Grid(grid) => grid.shows(index),
            Self::Cards(cards) => cards.shows(index),
        }
    }
}
