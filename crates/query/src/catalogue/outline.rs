//! How a statement is built: its SELECTs, and the names that it makes of them.
//!
//! No parser: words and brackets alone, which is enough to tell where a list of columns or a condition ends. What cannot be
//! told from that is `None`, and whoever asks goes another way.

use std::ops::Range;

use crate::scanner::{self, Token};

/// Words that end the conditions of a SELECT.
const ENDS: [&str; 10] =
    ["GROUP", "HAVING", "WINDOW", "QUALIFY", "ORDER", "LIMIT", "OFFSET", "UNION", "INTERSECT", "EXCEPT"];

/// A statement, and how deep in brackets each of its words stands.
pub(super) struct Outline<'a> {
    sql: &'a str,
    tokens: Vec<(Token, usize)>,
}

/// A SELECT with a condition: numbers of its words.
#[derive(Debug, Clone)]
pub(super) struct Select {
    /// How deep in brackets it stands.
    depth: usize,
    /// All that stands in the same brackets.
    pub(super) all: Range<usize>,
    /// The word SELECT.
    pub(super) select: usize,
    /// The word FROM.
    pub(super) from: usize,
    /// Behind what it reads: the word WHERE, or where it ends.
    pub(super) filter: usize,
    /// Behind its conditions.
    pub(super) end: usize,
}

impl<'a> Outline<'a> {
    pub(super) fn of(sql: &'a str) -> Self {
        let mut depth = 0_usize;
        let code = scanner::scan(sql).filter(Token::is_code).map(|token| {
            let text = token.text(sql);
            if matches!(text, ")" | "]" | "}") {
                depth = depth.saturating_sub(1);
            }
            let at = depth;
            depth += usize::from(matches!(text, "(" | "[" | "{"));
            (token, at)
        });
        let tokens = code.collect();
        Self { sql, tokens }
    }

    /// How many words it has.
    pub(super) fn len(&self) -> usize {
        self.tokens.len()
    }

    /// The word that begins at a byte of the text.
    pub(super) fn at(&self, byte: usize) -> Option<usize> {
        self.tokens.iter().position(|(token, _)| token.range.start == byte)
    }

    /// The byte of the text at which a word begins; behind the last word that at which the text ends.
    pub(super) fn byte(&self, at: usize) -> usize {
        self.tokens.get(at).map_or(self.sql.len(), |(token, _)| token.range.start)
    }

    pub(super) fn text(&self, at: usize) -> &'a str {
        self.tokens.get(at).map_or("", |(token, _)| token.text(self.sql))
    }

    pub(super) fn is(&self, at: usize, word: &str) -> bool {
        self.tokens.get(at).is_some_and(|(token, _)| token.is_word(self.sql, word))
    }

    pub(super) fn is_one_of(&self, at: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(at, word))
    }

    pub(super) fn is_outermost(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|(_, depth)| *depth == 0)
    }

    /// Whether a word is the FROM of a SELECT, and not that of a comparison (`IS DISTINCT FROM`).
    fn is_from(&self, at: usize) -> bool {
        self.is(at, "FROM") && !at.checked_sub(1).is_some_and(|before| self.is(before, "DISTINCT"))
    }

    /// Whether one of the words stands beside a SELECT, in these places: not deeper in brackets.
    pub(super) fn has(&self, select: &Select, places: Range<usize>, words: &[&str]) -> bool {
        self.first(select.depth, places, words).is_some()
    }

    /// The first of the words behind `at`, or there, in the same brackets and no deeper.
    pub(super) fn first_beside(&self, at: usize, words: &[&str]) -> Option<usize> {
        let (depth, all) = (self.tokens.get(at)?.1, self.beside(at));
        self.first(depth, at..all.end, words)
    }

    fn first(&self, depth: usize, mut places: Range<usize>, words: &[&str]) -> Option<usize> {
        places.find(|at| self.tokens[*at].1 == depth && self.is_one_of(*at, words))
    }

    /// The places in the same brackets as `at`.
    fn beside(&self, at: usize) -> Range<usize> {
        let depth = self.tokens[at].1;
        let opening = (0..at).rev().find(|at| self.tokens[*at].1 < depth);
        let closing = (at..self.tokens.len()).find(|at| self.tokens[*at].1 < depth);
        opening.map_or(0, |at| at + 1)..closing.unwrap_or(self.tokens.len())
    }

    /// The SELECT that has a word beside it behind its FROM, in its conditions or where they would stand.
    fn select_of(&self, at: usize, from: usize) -> Option<Select> {
        let (depth, all) = (self.tokens[at].1, self.beside(at));
        let select = (all.start..from).rev().find(|at| self.tokens[*at].1 == depth && self.is(*at, "SELECT"))?;
        let end = self.first(depth, from..all.end, &ENDS).unwrap_or(all.end);
        let filter = self.first(depth, from..end, &["WHERE"]).unwrap_or(end);
        Some(Select { depth, all, select, from, filter, end })
    }

    /// The SELECT whose condition begins at a word, when that is one that each of its rows has to pass.
    pub(super) fn select_around(&self, place: usize) -> Option<Select> {
        let (depth, all) = (self.tokens[place].1, self.beside(place));
        let from = (all.start..place).rev().find(|at| self.tokens[*at].1 == depth && self.is_from(*at))?;
        let select = self.select_of(place, from)?;
        let is_passed_by_all = (select.filter + 1..select.end).contains(&place)
            && self.is_one_of(place - 1, &["WHERE", "AND"])
            && self.is_one_of_all(place, select.filter + 1..select.end);
        is_passed_by_all.then_some(select)
    }

    /// Whether all conditions in these places have to hold, and a word is in none of their branches (`CASE … END`).
    fn is_one_of_all(&self, place: usize, conditions: Range<usize>) -> bool {
        let depth = self.tokens[place].1;
        let mut branches = 0_usize;
        for at in conditions.filter(|at| self.tokens[*at].1 == depth) {
            branches += usize::from(self.is(at, "CASE"));
            branches = branches.saturating_sub(usize::from(self.is(at, "END")));
            if branches == 0 && self.is(at, "OR") || branches > 0 && at == place {
                return false;
            }
        }
        true
    }

    /// The SELECT that reads what a SELECT gives, when that has a name (`name AS (SELECT …)`), and nothing else reads it, nor
    /// the reader anything else that could make more rows or fewer of it.
    pub(super) fn reader(&self, select: &Select) -> Option<Select> {
        let name = self.text(self.named(select)?);
        let mut mentioned = (select.all.end..self.len()).filter(|at| self.text(*at).eq_ignore_ascii_case(name));
        let (used, None) = (mentioned.next()?, mentioned.next()) else { return None };
        let from = used.checked_sub(1).filter(|from| self.is_from(*from))?;
        self.select_of(used, from).filter(|reader| self.keeps_rows(used + 1..reader.filter))
    }

    /// Whether what stands behind a name that is read leaves its rows as they are: nothing, or one `ASOF LEFT JOIN`.
    fn keeps_rows(&self, behind: Range<usize>) -> bool {
        const LOOKS_UP: [&str; 3] = ["ASOF", "LEFT", "JOIN"];
        let Some((_, depth)) = self.tokens.get(behind.start).filter(|_| !behind.is_empty()) else { return true };
        let mut beside = behind.filter(|at| self.tokens[*at].1 == *depth);
        let looks_up = LOOKS_UP.iter().all(|word| beside.next().is_some_and(|at| self.is(at, word)));
        looks_up && !beside.any(|at| self.is(at, "JOIN") || self.text(at) == ",")
    }

    /// Where the name stands that a SELECT is given.
    pub(super) fn named(&self, select: &Select) -> Option<usize> {
        // Names are made in brackets, behind `name AS`.
        let opening = select.all.start.checked_sub(1).filter(|at| self.is_outermost(*at))?;
        let made = (0..opening).rev().find(|at| self.is(*at, "AS"))?;
        let words = made + 1..opening;
        let is_only_how = words.clone().all(|at| self.is_one_of(at, &["NOT", "MATERIALIZED"]));
        is_only_how.then(|| made.checked_sub(1)).flatten()
    }

    /// Whether a SELECT gives all columns of what it reads, before any of its own.
    pub(super) fn gives_all(&self, select: &Select) -> bool {
        self.text(select.select + 1) == "*" && (self.text(select.select + 2) == "," || select.select + 2 == select.from)
    }
}
