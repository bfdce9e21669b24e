//! The rows of one piece of a source: every value a span of the piece, or of text that was made beside it.
//!
//! Nothing is copied while a piece is decoded but what is written differently in the log (escapes, redacted values).
//! Arrow arrays are made later, at once for all rows that go into the same file ([`crate::gather`]), so that their many buffers
//! are filled by thousands of rows instead of by the few of a rare resource that stand in one piece.

use std::borrow::Cow;

use crate::cell::Cell;
use crate::columns::{COLUMNS, Kind};
use crate::row::Row;

/// Where a text lies: offset and length. Offsets from the length of the piece on lead into the text beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    at: u32,
    length: u32,
}

impl Span {
    pub(crate) fn new(at: usize, length: usize) -> Self {
        // A piece is at most one record (100 MiB) and a chunk long, and so is what its rows hold beside it.
        Self { at: u32::try_from(at).unwrap_or(u32::MAX), length: u32::try_from(length).unwrap_or(0) }
    }

    /// The bytes, while the piece is still elsewhere: `line` stands at `at` in a piece of `length` bytes.
    pub(crate) fn of<'a>(self, length: usize, at: usize, line: &'a [u8], rows: &'a Rows) -> &'a [u8] {
        let (from, bytes) = (self.at as usize, self.length as usize);
        match from.checked_sub(length) {
            Some(beside) => &rows.beside[beside..beside + bytes],
            None => &line[from - at..from - at + bytes],
        }
    }

    fn pack(self) -> u64 {
        u64::from(self.at) << 32 | u64::from(self.length)
    }

    fn unpack(slot: u64) -> Self {
        let half = |bits: u64| u32::try_from(bits & u64::from(u32::MAX)).unwrap_or_default();
        Self { at: half(slot >> 32), length: half(slot) }
    }
}

/// A row that is being filled: a value for each column, in any order.
#[derive(Debug)]
pub(crate) struct Draft {
    set: u128,
    slots: [u64; COLUMNS.len()],
}

impl Draft {
    pub(crate) fn new() -> Self {
        Self { set: 0, slots: [0; COLUMNS.len()] }
    }

    pub(crate) fn clear(&mut self) {
        self.set = 0;
    }

    fn put(&mut self, column: usize, slot: u64) {
        self.set |= 1 << column;
        self.slots[column] = slot;
    }

    pub(crate) fn text(&mut self, column: usize, span: Span) {
        self.put(column, span.pack());
    }

    #[expect(clippy::cast_sign_loss, reason = "the bits are kept as they are")]
    pub(crate) fn int(&mut self, column: usize, int: i64) {
        self.put(column, int as u64);
    }

    pub(crate) fn get(&self, column: usize) -> Option<i64> {
        (self.set & 1 << column != 0).then(|| to_int(self.slots[column]))
    }

    pub(crate) fn span(&self, column: usize) -> Option<Span> {
        (self.set & 1 << column != 0).then(|| Span::unpack(self.slots[column]))
    }
}

/// See the module.
#[derive(Debug, Default)]
pub struct Rows {
    piece: Vec<u8>,
    /// Text that is not a part of the piece.
    beside: Vec<u8>,
    /// Texts of lists.
    items: Vec<u64>,
    /// Columns that a row has, and where its values begin in `slots`, in the order of the table.
    rows: Vec<(u128, u32)>,
    slots: Vec<u64>,
}

impl Rows {
    /// No rows yet, of a piece that is `length` bytes long. The piece itself is given when all are there.
    pub fn new(length: usize) -> Self {
        // A usual event is 900 bytes long and has 34 values.
        let rows = length / 512 + 1;
        Self { rows: Vec::with_capacity(rows), slots: Vec::with_capacity(rows * 24), ..Self::default() }
    }

    /// Gives the rows their piece.
    pub fn set_piece(&mut self, piece: Vec<u8>) {
        self.piece = piece;
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Bytes of memory that the rows and their piece take.
    pub fn memory_bytes(&self) -> usize {
        self.piece.len() + self.beside.len() + 8 * (self.items.len() + self.slots.len()) + 32 * self.rows.len()
    }

    /// Adds a row that was decoded elsewhere; texts that are not a part of the piece are copied.
    pub fn push(&mut self, piece: &[u8], row: &Row<'_>) {
        let mut draft = Draft::new();
        for (column, (_, cell)) in row.cells().enumerate() {
            match cell {
                Cell::Null => (),
                Cell::Text(text) => draft.text(column, self.place(piece, text.as_bytes())),
                Cell::Bytes(bytes) => draft.text(column, self.place(piece, bytes)),
                Cell::Int(int) => draft.int(column, int),
                Cell::Bool(bool) => draft.int(column, i64::from(bool)),
                Cell::Texts(texts) => {
                    let spans: Vec<Span> = texts.iter().map(|text| self.place(piece, text.as_bytes())).collect();
                    let list = self.list(&spans);
                    draft.text(column, list);
                }
            }
        }
        self.add(&draft);
    }

    /// Where a text is: in the piece, when it was borrowed from it (a body can have 100 MiB), or else beside it.
    fn place(&mut self, piece: &[u8], text: &[u8]) -> Span {
        let (pieces, texts) = (piece.as_ptr_range(), text.as_ptr_range());
        if !text.is_empty() && pieces.start <= texts.start && texts.end <= pieces.end {
            return Span::new(texts.start.addr() - pieces.start.addr(), text.len());
        }
        self.copy(piece.len(), text)
    }

    /// Adds the row.
    pub(crate) fn add(&mut self, draft: &Draft) {
        let first = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        self.rows.push((draft.set, first));
        let mut left = draft.set;
        while left != 0 {
            self.slots.push(draft.slots[left.trailing_zeros() as usize]);
            left &= left - 1;
        }
    }

    /// Copies a text that is not a part of the piece, which is `length` bytes long.
    pub(crate) fn copy(&mut self, length: usize, text: &[u8]) -> Span {
        let span = Span::new(length + self.beside.len(), text.len());
        self.beside.extend_from_slice(text);
        span
    }

    /// Keeps a text that `write` makes beside the piece, which is `length` bytes long; nothing when it fails.
    pub(crate) fn write(&mut self, length: usize, write: impl FnOnce(&mut Vec<u8>) -> Option<()>) -> Option<Span> {
        let at = self.beside.len();
        let written = write(&mut self.beside);
        if written.is_none() {
            self.beside.truncate(at);
        }
        written.map(|()| Span::new(length + at, self.beside.len() - at))
    }

    /// A list of texts.
    pub(crate) fn list(&mut self, texts: &[Span]) -> Span {
        let span = Span::new(self.items.len(), texts.len());
        self.items.extend(texts.iter().map(|text| text.pack()));
        span
    }

    fn slot(&self, row: usize, column: usize) -> Option<u64> {
        let (set, first) = self.rows[row];
        let bit = 1 << column;
        (set & bit != 0).then(|| self.slots[first as usize + (set & (bit - 1)).count_ones() as usize])
    }

    pub(crate) fn bytes(&self, slot: u64) -> &[u8] {
        let Span { at, length } = Span::unpack(slot);
        let (at, length) = (at as usize, length as usize);
        match at.checked_sub(self.piece.len()) {
            None => &self.piece[at..at + length],
            Some(at) => &self.beside[at..at + length],
        }
    }

    /// Length of the text or list that a slot stands for.
    pub(crate) fn length(slot: u64) -> usize {
        Span::unpack(slot).length as usize
    }

    pub(crate) fn items(&self, slot: u64) -> &[u64] {
        let Span { at, length } = Span::unpack(slot);
        &self.items[at as usize..at as usize + length as usize]
    }

    /// The value of a row that is a text.
    pub fn text(&self, row: usize, column: usize) -> Option<&str> {
        // Rows are made of text only.
        self.slot(row, column).map(|slot| std::str::from_utf8(self.bytes(slot)).unwrap_or_default())
    }

    /// The value of a row that is a number or an instant.
    pub fn int(&self, row: usize, column: usize) -> Option<i64> {
        self.slot(row, column).map(to_int)
    }

    /// The values that a row has: numbers of their columns, and slots.
    pub(crate) fn values(&self, row: usize) -> impl Iterator<Item = (usize, u64)> {
        let (set, first) = self.rows[row];
        let slots = self.slots[first as usize..].iter();
        let columns =
            std::iter::successors(Some(set), |left| Some(left & left.checked_sub(1)?)).take_while(|left| *left != 0);
        columns.zip(slots).map(|(left, slot)| (left.trailing_zeros() as usize, *slot))
    }

    /// All values of a row, in the order of the table.
    pub fn cells(&self, row: usize) -> impl Iterator<Item = Cell<'_>> {
        let text = |slot| std::str::from_utf8(self.bytes(slot)).unwrap_or_default();
        COLUMNS.iter().enumerate().map(move |(at, column)| {
            let Some(slot) = self.slot(row, at) else { return Cell::Null };
            match column.kind {
                Kind::Text | Kind::Json => Cell::Text(text(slot)),
                Kind::Bytes => Cell::Bytes(self.bytes(slot)),
                Kind::Texts => Cell::Texts(self.items(slot).iter().map(|item| Cow::Borrowed(text(*item))).collect()),
                Kind::Bool => Cell::Bool(slot != 0),
                Kind::Time | Kind::Date | Kind::Int | Kind::Long => Cell::Int(to_int(slot)),
            }
        })
    }
}

#[expect(clippy::cast_possible_wrap, reason = "the bits were an i64 before")]
pub(crate) fn to_int(slot: u64) -> i64 {
    slot as i64
}
