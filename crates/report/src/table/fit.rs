//! How wide every column is.

/// Room between two columns.
pub(crate) const GAP: usize = 2;

/// Text is not squeezed below this: a name in narrower lines is no longer recognised.
pub(crate) const TEXT_WIDTH_MIN: usize = 8;

/// Narrower columns grow to this before wide ones get more: an address or a name broken for want of one character
/// costs more than another line of a long sentence.
pub(crate) const TEXT_WIDTH_EASY: usize = 20;

/// A column name that is an expression does not hold its column wider than this.
pub(crate) const NAME_WIDTH_MAX: usize = 16;

/// What a column asks for, in terminal columns.
#[derive(Debug)]
pub(crate) struct Wish {
    /// No more than this is ever of use.
    pub(crate) natural: usize,
    /// The width of its widest cell. The header may be wider: it wraps once, the cells wrap on every row.
    pub(crate) widest: usize,
    /// Less than this is refused.
    pub(crate) minimum: usize,
    /// The widths of its cells, and of its header as the last one.
    pub(crate) cells: Vec<usize>,
}

/// The widths of the columns when all of them fit into `room` with gaps between, or `None` when even the narrowest
/// do not.
///
/// Every column starts at its minimum. What is left goes, one terminal column at a time, first to the narrowest until
/// all are easy to read, then to the one whose cells take the most lines. So the columns come out about equally tall,
/// and one long outlier does not starve the others.
pub(crate) fn widths(wishes: &[Wish], room: usize) -> Option<Vec<usize>> {
    let gaps = GAP * wishes.len().saturating_sub(1);
    let naturals: usize = wishes.iter().map(|wish| wish.natural).sum();
    if naturals + gaps <= room {
        return Some(wishes.iter().map(|wish| wish.natural).collect());
    }
    let mut widths: Vec<usize> = wishes.iter().map(|wish| wish.minimum).collect();
    let mut left = room.checked_sub(widths.iter().sum::<usize>() + gaps)?;
    let mut lines: Vec<usize> = wishes.iter().zip(&widths).map(|(wish, width)| lines_of(wish, *width)).collect();
    while left > 0 {
        let is_open = |index: &usize| widths[*index] < wishes[*index].natural;
        let open = (0..wishes.len()).filter(is_open);
        let is_narrow = |index: &usize| widths[*index] < wishes[*index].widest.min(TEXT_WIDTH_EASY);
        let narrow = open.clone().filter(is_narrow);
        // Of equals the leftmost: `max_by_key` keeps the last one, hence the reversed order.
        let tallest = || open.rev().max_by_key(|index| lines[*index]);
        let Some(next) = narrow.min_by_key(|index| widths[*index]).or_else(tallest) else {
            break;
        };
        widths[next] += 1;
        lines[next] = lines_of(&wishes[next], widths[next]);
        left -= 1;
    }
    Some(widths)
}

fn lines_of(wish: &Wish, width: usize) -> usize {
    wish.cells.iter().map(|cell| cell.div_ceil(width.max(1)).max(1)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(minimum: usize, cells: &[usize]) -> Wish {
        let widest = cells.iter().copied().max().unwrap_or(0);
        Wish { natural: widest, widest, minimum, cells: cells.to_vec() }
    }

    #[test]
    fn natural_widths_when_they_fit() {
        assert_eq!(widths(&[wish(4, &[10, 4]), wish(3, &[3])], 15), Some(vec![10, 3]));
        assert_eq!(widths(&[], 0), Some(vec![]));
    }

    #[test]
    fn the_tallest_columns_share_what_is_left() {
        let wishes = [wish(23, &[23, 23]), wish(8, &[60, 60]), wish(8, &[30, 30])];
        let widths = widths(&wishes, 23 + 2 + 2 + 60).unwrap();
        assert_eq!(widths.iter().sum::<usize>(), 83);
        assert_eq!(widths[0], 23);
        assert!(widths[1] > widths[2] && widths[2] >= TEXT_WIDTH_EASY, "{widths:?}");
    }

    #[test]
    fn narrow_columns_come_first() {
        let wishes = [wish(8, &[152, 152]), wish(8, &[10, 10])];
        assert_eq!(widths(&wishes, 22), Some(vec![10, 10]));
    }

    #[test]
    fn one_outlier_does_not_starve_the_others() {
        let mut cells = vec![10; 100];
        cells.push(5_000);
        let wishes = [wish(8, &cells), wish(8, &[40; 101])];
        let widths = widths(&wishes, 62).unwrap();
        assert!(widths[1] >= 20, "{widths:?}");
    }

    #[test]
    fn refuses_less_than_the_minimum() {
        let wishes = [wish(8, &[60]), wish(8, &[20])];
        assert_eq!(widths(&wishes, 17), None);
        assert_eq!(widths(&wishes, 18), Some(vec![8, 8]));
    }
}
