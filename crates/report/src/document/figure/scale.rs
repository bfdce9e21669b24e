//! What all pictures share: their frame, and how instants and numbers become places.

use maud::{Markup, html};

use crate::document::instant;
use crate::document::table::shown_text;
use crate::visible::escape;

/// Width of every picture, in its own units: pixels on a page of normal size.
pub(super) const WIDTH: i64 = 960;

/// A picture of that height, with what says what it shows.
pub(super) fn frame(height: i64, title: &str, description: &str, content: &Markup) -> Markup {
    html! {
        svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label=(escape(&format!("{title}. {description}")))
            viewBox=(format!("0 0 {WIDTH} {height}")) {
            (content)
        }
    }
}

/// A name that fits into so many characters; who wants all of it, points at it.
pub(super) fn cut(name: &str, characters: usize) -> String {
    let shown = shown_text(name);
    match shown.char_indices().nth(characters) {
        None => shown,
        Some(_) => {
            let head: String = shown.chars().take(characters.saturating_sub(1)).collect();
            format!("{head}…")
        }
    }
}

/// Where `value` of `0..=most` lies on a line of `length`, rounded down, but not to nothing.
pub(super) fn part(value: u64, most: u64, length: i64) -> i64 {
    if value == 0 || most == 0 {
        return 0;
    }
    let length = i128::from(length);
    let place = i128::from(value) * length / i128::from(most);
    i64::try_from(place.clamp(1, length)).unwrap_or(1)
}

/// A span of time on a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Time {
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) left: i64,
    pub(super) right: i64,
}

impl Time {
    /// Where an instant stands, in tenths of a unit, so that near ones do not fall together.
    pub(super) fn at(&self, micros: i64) -> String {
        let span = i128::from(self.to) - i128::from(self.from);
        let place = i128::from(micros.clamp(self.from, self.to)) - i128::from(self.from);
        let tenths = place * i128::from((self.right - self.left) * 10) / span.max(1);
        let tenths = i64::try_from(tenths).unwrap_or(0) + self.left * 10;
        format!("{}.{}", tenths / 10, tenths % 10)
    }

    /// Round instants to mark, with what to write there: between three and about nine.
    pub(super) fn ticks(&self) -> Vec<(i64, String)> {
        const SECOND: i64 = 1_000_000;
        const STEPS: [i64; 26] = [
            1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800,
            345_600, 604_800, 1_209_600, 2_419_200, 4_838_400, 9_676_800, 31_536_000,
        ];
        let span = self.to.saturating_sub(self.from);
        let step = STEPS.into_iter().map(|step| step * SECOND).find(|step| span / step <= 8);
        let step = step.unwrap_or_else(|| (span / 8).max(SECOND));
        let first = self.from.div_euclid(step).saturating_add(1).saturating_mul(step);
        let ticks = (0..10).map(|count| first.saturating_add(step.saturating_mul(count)));
        ticks.take_while(|tick| *tick <= self.to).map(|tick| (tick, label(tick, step))).collect()
    }
}

/// An instant, to the precision that the step needs.
fn label(micros: i64, step: i64) -> String {
    let text = instant::seconds(micros);
    let part = match step / 1_000_000 {
        86_400.. => text.get(..10),
        60.. if micros.rem_euclid(86_400_000_000) == 0 => text.get(..10),
        60.. => text.get(11..16),
        _ => text.get(11..),
    };
    part.unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        let start = 1_795_293_342_000_000;
        for seconds in [1, 8, 42, 162, 3_000, 86_400, 604_800, 31_536_000, 900_000_000] {
            let time = Time { from: start, to: start + seconds * 1_000_000, left: 0, right: 900 };
            let ticks = time.ticks();
            assert!((1..=9).contains(&ticks.len()), "{seconds}: {ticks:?}");
        }
        let time = Time { from: start, to: start + 162_000_000, left: 100, right: 900 };
        assert_eq!(time.ticks()[0].1, "20:36:00");
        assert_eq!(time.at(start), "100.0");
        assert_eq!(time.at(start + 162_000_000), "900.0");
        assert_eq!(time.at(i64::MIN), "100.0");
    }

    #[test]
    fn a_span_without_length_and_extreme_instants_are_drawn() {
        for (from, to) in [(5, 5), (i64::MIN, i64::MAX), (i64::MAX, i64::MAX)] {
            let time = Time { from, to, left: 0, right: 900 };
            assert!(time.ticks().len() <= 10);
            assert!(!time.at(0).is_empty());
        }
        assert_eq!((part(0, 9, 100), part(1, 1_000_000, 100), part(9, 9, 100)), (0, 1, 100));
    }
}
