//! Which deeds of a finding are kept when there are more than a reader could bear, so that a flood hides nothing: of
//! each sender the first and the newest, and before those what made something, and what gives everything.

use std::collections::BTreeMap;

use super::deed::Deed;
use super::sender::Sender;

/// Deeds of one sender that are kept because they were the first, and as many that came later.
const ROOM: usize = 100;

/// Deeds that are kept in all; beyond it each sender has less room.
const DEEDS_MAX: usize = 5_000;

/// Senders whose deeds are kept apart; of further ones they are kept together.
const SENDERS_MAX: usize = 1_000;

/// Deeds of a finding.
#[derive(Debug)]
pub(crate) struct Kept {
    of: BTreeMap<Sender, OfOne>,
    room: usize,
    total: usize,
    /// Number of the next deed, by which all stand in order again.
    next: u64,
    left_out: u64,
}

/// Deeds of one sender.
#[derive(Debug, Default)]
struct OfOne {
    first: Vec<(u64, Deed)>,
    later: BTreeMap<Rank, Deed>,
}

/// What goes before what, the least first: what gives everything, what was made, what is new.
type Rank = (bool, bool, u64);

impl Default for Kept {
    fn default() -> Self {
        Self { of: BTreeMap::new(), room: ROOM, total: 0, next: 0, left_out: 0 }
    }
}

impl Kept {
    /// Whether as many deeds would find room, whoever did them.
    pub(crate) fn is_roomy(&self, deeds: usize) -> bool {
        deeds <= self.room
    }

    /// How many of the newest deeds of somebody are kept; `None` while all are.
    pub(crate) fn room_of(&self, who: &Sender) -> Option<usize> {
        let known = self.of.get(self.key(who))?;
        (known.first.len() >= self.room).then_some(self.room)
    }

    fn key<'a>(&self, who: &'a Sender) -> &'a Sender {
        match self.of.contains_key(who) || self.of.len() < SENDERS_MAX {
            true => who,
            false => &Sender::Untold,
        }
    }

    /// A deed that is not told, because newer ones like it are known to follow.
    pub(crate) fn leave_out(&mut self) {
        self.left_out += 1;
    }

    pub(crate) fn push(&mut self, deed: Deed) {
        let (number, room) = (self.next, self.room);
        self.next += 1;
        let key = self.key(&deed.who).clone();
        let of_one = self.of.entry(key).or_default();
        match of_one.first.len() < room {
            true => of_one.first.push((number, deed)),
            false => of_one.later_one(number, deed),
        }
        self.total += 1;
        let dropped = of_one.trim(room);
        self.count(dropped);
        while self.total > DEEDS_MAX && self.room > 1 {
            self.room /= 2;
            let dropped = self.of.values_mut().map(|of_one| of_one.trim(self.room)).sum();
            self.count(dropped);
        }
    }

    fn count(&mut self, dropped: usize) {
        self.total -= dropped;
        self.left_out += dropped as u64;
    }

    /// The deeds in their order, and how many are not among them.
    pub(crate) fn finish(self) -> (Vec<Deed>, u64) {
        let mut all: Vec<(u64, Deed)> = Vec::with_capacity(self.total);
        for of_one in self.of.into_values() {
            all.extend(of_one.first);
            all.extend(of_one.later.into_iter().map(|((.., number), deed)| (number, deed)));
        }
        all.sort_by_key(|(number, _)| *number);
        (all.into_iter().map(|(_, deed)| deed).collect(), self.left_out)
    }
}

impl OfOne {
    fn later_one(&mut self, number: u64, deed: Deed) {
        self.later.insert((deed.gives_all, deed.made.is_some(), number), deed);
    }

    /// Keeps no more than there is room for, and tells how many are gone.
    fn trim(&mut self, room: usize) -> usize {
        // Of the first, those that do not fit any more may still be the most telling.
        for (number, deed) in self.first.split_off(self.first.len().min(room)) {
            self.later_one(number, deed);
        }
        let before = self.later.len();
        while self.later.len() > room {
            self.later.pop_first();
        }
        before - self.later.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::Object;

    fn deed(who: &str, at: i64) -> Deed {
        Deed { at, who: Sender::One(who.to_owned()), ..Deed::default() }
    }

    #[test]
    fn a_flood_hides_neither_what_gives_everything_nor_what_was_made_nor_the_newest() {
        let mut kept = Kept::default();
        for at in 0..3_000 {
            let gives_all = at == 1_500;
            let made = (at % 1_000 == 700).then(Object::default);
            kept.push(Deed { gives_all, made, ..deed("flood", at) });
        }
        kept.push(deed("bob", 3_000));
        let (deeds, left_out) = kept.finish();
        assert_eq!((deeds.len(), left_out), (2 * ROOM + 1, 3_001 - 2 * ROOM as u64 - 1));
        let times: Vec<i64> = deeds.iter().map(|deed| deed.at).collect();
        assert!(times.is_sorted());
        for at in [0, 99, 700, 1_500, 1_700, 2_700, 2_999, 3_000] {
            assert!(times.contains(&at), "{at}");
        }
    }

    #[test]
    fn many_senders_have_each_their_room() {
        let mut kept = Kept::default();
        for at in 0..60_000 {
            kept.push(deed(&format!("user-{}", at % 3_000), at));
        }
        kept.push(Deed { gives_all: true, ..deed("mallory", 60_000) });
        let (deeds, left_out) = kept.finish();
        assert!(deeds.len() <= DEEDS_MAX, "{}", deeds.len());
        assert_eq!(deeds.len() as u64 + left_out, 60_001);
        assert!(deeds.iter().any(|deed| deed.gives_all));
        assert!((0..900).all(|user| deeds.iter().any(|deed| deed.at % 3_000 == user)));
    }
}
