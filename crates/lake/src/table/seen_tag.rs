//! How the summary of a file stands in its tag: as JSON, with each text once and numbers in its place.
//!
//! A case of years has tens of thousands of tags, most of them numbers, and all of them are read for one verdict. What this
//! version writes has no blanks and its members in one order, so it can be read number by number; any other JSON is read as such.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::table::seen::Marked;

/// Group, resource, subresource, verb, level, host, cluster, stages, hours, events; texts by their numbers.
pub(super) type WrittenKind = (u32, Option<u32>, u32, u32, u32, u32, u32, u8, u32, u64);

/// Host, cluster, slots; texts by their numbers.
type WrittenHost = (u32, u32, [u64; 5]);

/// How a summary is written: texts once, and numbers in their place.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Written<'a> {
    /// The texts.
    #[serde(borrow)]
    pub(super) t: Vec<Cow<'a, str>>,
    /// The kinds.
    pub(super) k: Vec<WrittenKind>,
    /// The hosts.
    pub(super) h: Vec<WrittenHost>,
    /// The status codes.
    #[serde(default)]
    pub(super) c: Option<BTreeSet<i32>>,
    /// The logins.
    #[serde(default)]
    pub(super) l: Option<u64>,
    /// The marks.
    pub(super) m: Marked,
}

impl<'a> Written<'a> {
    /// Reads a tag; `None` when it is not one that this version writes.
    pub(super) fn of(tag: &'a str) -> Option<Self> {
        Self::plain(tag).or_else(|| serde_json::from_str(tag).ok())
    }

    /// Reads a tag that stands there letter for letter as this version writes it, without a text that needs a backslash.
    fn plain(tag: &'a str) -> Option<Self> {
        let mut tag = Plain(tag.as_bytes());
        tag.skip(b"{\"t\":")?;
        let t = tag.list(|tag| tag.text().map(Cow::Borrowed))?;
        tag.skip(b",\"k\":")?;
        let k = tag.list(Plain::kind)?;
        tag.skip(b",\"h\":")?;
        let h = tag.list(Plain::host)?;
        tag.skip(b",")?;
        // What is left is short.
        let rest: Rest = serde_json::from_slice(&[b"{", tag.0].concat()).ok()?;
        Some(Self { t, k, h, c: rest.c, l: rest.l, m: rest.m })
    }
}

/// What stands behind the hosts.
#[derive(Deserialize)]
struct Rest {
    #[serde(default)]
    c: Option<BTreeSet<i32>>,
    #[serde(default)]
    l: Option<u64>,
    m: Marked,
}

/// What is left to read of a tag.
struct Plain<'a>(&'a [u8]);

impl<'a> Plain<'a> {
    fn skip(&mut self, expected: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(expected)?;
        Some(())
    }

    /// A list of one thing.
    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        self.skip(b"[")?;
        let mut items = Vec::new();
        if self.skip(b"]").is_some() {
            return Some(items);
        }
        loop {
            items.push(item(self)?);
            if self.skip(b",").is_none() {
                self.skip(b"]")?;
                return Some(items);
            }
        }
    }

    /// A text without what JSON writes in another way, or not at all.
    fn text(&mut self) -> Option<&'a str> {
        self.skip(b"\"")?;
        let end = self.0.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..b' '))?;
        let (text, rest) = self.0.split_at(end);
        self.0 = rest.strip_prefix(b"\"")?;
        std::str::from_utf8(text).ok()
    }

    /// A number of JSON without a sign, a fraction or an exponent.
    fn number(&mut self) -> Option<u64> {
        let (mut number, mut digits) = (0_u64, 0);
        while let Some(digit) = self.0.get(digits).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
            number = number.checked_mul(10)?.checked_add(u64::from(digit))?;
            digits += 1;
        }
        if digits == 0 || (digits > 1 && self.0[0] == b'0') {
            return None;
        }
        self.0 = &self.0[digits..];
        Some(number)
    }

    /// A number that fits its type, and the comma behind it.
    fn part<T: TryFrom<u64>>(&mut self) -> Option<T> {
        let number = self.number()?;
        self.skip(b",")?;
        T::try_from(number).ok()
    }

    fn kind(&mut self) -> Option<WrittenKind> {
        self.skip(b"[")?;
        let group = self.part()?;
        let resource = if self.skip(b"null,").is_some() { None } else { Some(self.part()?) };
        let [subresource, verb, level, host, cluster] =
            [self.part()?, self.part()?, self.part()?, self.part()?, self.part()?];
        let (stages, hours, events) = (self.part()?, self.part()?, self.number()?);
        self.skip(b"]")?;
        Some((group, resource, subresource, verb, level, host, cluster, stages, hours, events))
    }

    fn host(&mut self) -> Option<WrittenHost> {
        self.skip(b"[")?;
        let (host, cluster) = (self.part()?, self.part()?);
        let slots = self.list(Self::number)?;
        self.skip(b"]")?;
        Some((host, cluster, slots.try_into().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(tag: &str) -> Option<Written<'_>> {
        serde_json::from_str(tag).ok()
    }

    #[test]
    fn a_tag_as_it_is_written_is_read_as_json_is() {
        let max = u64::MAX;
        let tags = [
            r#"{"t":[],"k":[],"h":[],"c":null,"l":null,"m":[0,0,0,0,0,0,0,0]}"#.to_owned(),
            r#"{"t":["","pods","gét"],"k":[[0,1,0,2,0,0,0,5,1,10],[0,null,0,2,0,0,0,31,2,1]],"h":[[0,1,[1,0,0,0,9]]],"c":[],"l":0,"m":[1,2,3,4,5,6,7,8]}"#.to_owned(),
            format!(r#"{{"t":["a"],"k":[[4294967295,0,0,0,0,0,0,255,4294967295,{max}]],"h":[],"c":[200,-1],"l":{max},"m":[1,2,3,4,5,6,7,8]}}"#),
            r#"{"t":["a"],"k":[],"h":[],"m":[1,2,3,4,5,6,7,8]}"#.to_owned(),
        ];
        for tag in tags {
            let plain = Written::plain(&tag);
            assert!(plain.is_some(), "{tag}");
            assert_eq!(plain, json(&tag), "{tag}");
        }
    }

    #[test]
    fn another_tag_is_json_or_nothing() {
        let good =
            r#"{"t":["a"],"k":[[0,0,0,0,0,0,0,1,1,1]],"h":[[0,0,[1,0,0,0,9]]],"c":[200],"l":0,"m":[1,2,3,4,5,6,7,8]}"#;
        let changes = [
            ("\"a\"", r#""a\"b""#),
            ("\"a\"", r#""a\u0041""#),
            ("\"a\"", "\"a\u{1}\""),
            ("\"a\"", "1"),
            ("[[0,0,0", "[[0, 0,0"),
            ("[[0,0,0", "[[00,0,0"),
            ("[[0,0,0", "[[-0,0,0"),
            ("[[0,0,0", "[[+0,0,0"),
            ("[[0,0,0", "[[0.0,0,0"),
            ("[[0,0,0", "[[,0,0"),
            ("[[0,0,0", "[[4294967296,0,0"),
            ("0,1,1,1]", "0,256,1,1]"),
            ("1,1,1]", "1,1,18446744073709551616]"),
            ("1,1,1]", "1,1]"),
            ("1,1,1]", "1,1,1,1]"),
            ("1,1,1]", "1,1,1],"),
            ("[1,0,0,0,9]", "[1,0,0,0]"),
            ("[1,0,0,0,9]", "[1,0,0,0,9,9]"),
            (",\"l\":0", ",\"l\":0,\"l\":1"),
            ("\"h\":", "\"x\":1,\"h\":"),
            ("8]}", "8]"),
            ("8]}", "8]} "),
            ("8]}", "8]}}"),
        ];
        for (from, to) in changes {
            let tag = good.replacen(from, to, 1);
            assert_ne!(tag, good);
            assert_eq!(Written::of(&tag), json(&tag), "{tag}");
        }
        // Whatever is missing at the end.
        for at in 0..good.len() {
            assert_eq!(Written::of(&good[..at]), None, "{at}");
        }
    }
}
