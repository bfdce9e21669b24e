//! When two events are the same: equal as JSON values, whatever the order of members, escapes or
//! white space of the copy they stand in.
//!
//! A fingerprint is a 128-bit xxh3 hash under a secret chosen anew in every run. It is kept in memory
//! only; stored events get theirs from their rows. Who writes into the log does not know the secret,
//! and so cannot make an event pass for the duplicate of another.

use std::hash::{BuildHasher, RandomState};

use xxhash_rust::xxh3::{xxh3_64_with_secret, xxh3_128_with_secret};

use crate::cell::Cell;
use crate::columns::{Kind, Part};
use crate::json;
use crate::row::Row;

/// Identity of an event's content.
pub type Fingerprint = u128;

/// Bytes of the secret; xxh3 asks for 136 at least.
const SECRET_BYTES: usize = 192;

/// Hashes under one secret. Fingerprints can be compared only when they come from the same one.
#[derive(Clone)]
pub struct Keyed {
    secret: [u8; SECRET_BYTES],
}

impl std::fmt::Debug for Keyed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Keyed(secret)")
    }
}

impl Default for Keyed {
    fn default() -> Self {
        Self::random()
    }
}

impl Keyed {
    /// A new random secret, from the operating system by way of the standard library's hasher keys.
    pub fn random() -> Self {
        let mut secret = [0; SECRET_BYTES];
        for (number, bytes) in secret.chunks_exact_mut(8).enumerate() {
            bytes.copy_from_slice(&RandomState::new().hash_one(number).to_le_bytes());
        }
        Self { secret }
    }

    /// Fingerprint of a row that is being written.
    pub fn of_row(&self, row: &Row<'_>) -> Fingerprint {
        self.of_cells(row.cells().map(|(column, cell)| (column.kind, column.part, cell)))
    }

    /// Fingerprint of a row from its cells, all columns in the order of the table.
    pub fn of_cells<'a>(&self, cells: impl Iterator<Item = (Kind, Part, Cell<'a>)>) -> Fingerprint {
        let mut bytes = Vec::with_capacity(1024);
        for (kind, _, cell) in cells.filter(|(_, part, _)| *part == Part::Content) {
            match cell {
                Cell::Null => bytes.push(0),
                Cell::Text(text) if kind == Kind::Json => {
                    bytes.push(1);
                    bytes.extend_from_slice(&self.of_json(text).to_le_bytes());
                }
                Cell::Text(text) => push_sized(&mut bytes, 2, text.as_bytes()),
                Cell::Texts(texts) => {
                    push_sized(&mut bytes, 3, &[]);
                    for text in texts.iter() {
                        push_sized(&mut bytes, 2, text.as_bytes());
                    }
                    bytes.push(4);
                }
                Cell::Int(int) => {
                    bytes.push(5);
                    bytes.extend_from_slice(&int.to_le_bytes());
                }
                Cell::Bool(bool) => bytes.extend_from_slice(&[6, u8::from(bool)]),
                Cell::Bytes(raw) => push_sized(&mut bytes, 7, raw),
            }
        }
        self.hash(&bytes)
    }

    /// A cheap first look: events whose audit ids differ are different, and of different requests. Times are not asked: those of
    /// the copy of a collector can be others.
    pub fn request(&self, audit_id: &[u8]) -> u64 {
        xxh3_64_with_secret(audit_id, &self.secret)
    }

    /// Hash of arbitrary bytes.
    pub fn hash(&self, bytes: &[u8]) -> Fingerprint {
        xxh3_128_with_secret(bytes, &self.secret)
    }

    /// Hash of a JSON value that does not depend on the order of members, escapes or white space.
    ///
    /// `text` must be one valid JSON value; of anything else the hash is of no use, but it ends.
    /// Members that come twice and numbers that only floating point makes equal count as different,
    /// which at worst keeps a copy that could have been dropped.
    pub fn of_json(&self, text: &str) -> Fingerprint {
        let bytes = text.as_bytes();
        let mut open: Vec<Frame> = Vec::new();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            let value = match byte {
                b'{' | b'[' => {
                    open.push(Frame { object: byte == b'{', sum: u128::from(byte), key: None });
                    at += 1;
                    continue;
                }
                b'}' | b']' => {
                    at += 1;
                    match open.pop() {
                        Some(frame) => self.mix(frame.sum, u128::from(byte)),
                        None => return 0,
                    }
                }
                b'"' => {
                    let end = string_end(bytes, at);
                    let hash = self.of_string(&text[at..end]);
                    at = end;
                    if let Some(frame) = open.last_mut().filter(|frame| frame.object && frame.key.is_none()) {
                        frame.key = Some(hash);
                        continue;
                    }
                    hash
                }
                b' ' | b'\n' | b'\r' | b'\t' | b',' | b':' => {
                    at += 1;
                    continue;
                }
                _ => {
                    let length = bytes[at..].iter().position(|byte| b",:]} \n\r\t\"[{".contains(byte));
                    let end = length.map_or(bytes.len(), |length| at + length);
                    let hash = self.of_literal(&text[at..end]);
                    at = end;
                    hash
                }
            };
            match open.last_mut() {
                None => return value,
                Some(frame) => match frame.key.take() {
                    // A sum does not depend on the order of members.
                    Some(key) => frame.sum = frame.sum.wrapping_add(self.mix(key, value)),
                    None => frame.sum = self.mix(frame.sum, value),
                },
            }
        }
        0
    }

    fn of_string(&self, quoted: &str) -> Fingerprint {
        // What Unicode cannot hold is hashed as it is written.
        let plain = json::string(quoted);
        self.hash(plain.as_deref().unwrap_or(quoted).as_bytes()) ^ u128::from(b'"')
    }

    fn of_literal(&self, text: &str) -> Fingerprint {
        if let Ok(int) = text.parse::<i64>() {
            return self.hash(&int.to_le_bytes());
        }
        match text.parse::<f64>() {
            // `1e2` and `100.0` are written differently and mean the same; so do 100 and 100.0.
            #[expect(clippy::cast_possible_truncation, reason = "checked to be a whole number in range")]
            Ok(float) if float.fract() == 0.0 && float.abs() < 9.0e15 => self.hash(&(float as i64).to_le_bytes()),
            Ok(float) if float.is_finite() && !text.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.hash(&float.to_bits().to_be_bytes()) ^ 1
            }
            _ => self.hash(text.as_bytes()) ^ 2,
        }
    }

    fn mix(&self, left: u128, right: u128) -> u128 {
        let mut both = [0; 32];
        both[..16].copy_from_slice(&left.to_le_bytes());
        both[16..].copy_from_slice(&right.to_le_bytes());
        self.hash(&both)
    }
}

/// An object or array whose end has not been reached.
struct Frame {
    object: bool,
    sum: u128,
    /// Key that waits for its value.
    key: Option<u128>,
}

fn push_sized(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    out.extend_from_slice(&bytes.len().to_le_bytes());
    out.extend_from_slice(bytes);
}

/// Offset after the closing quote of the string that begins at `from`.
fn string_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from + 1;
    while let Some(found) = memchr::memchr2(b'"', b'\\', bytes.get(at..).unwrap_or_default()) {
        if bytes[at + found] == b'"' {
            return at + found + 1;
        }
        at += found + 2;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_equal_hashes_however_they_are_written() {
        let keyed = Keyed::random();
        for (left, right) in [
            (r#"{"a":1,"b":[true,null,"x"]}"#, "{ \"b\" : [ true, null, \"x\" ],\n \"a\": 1 }"),
            (r#""a\u0026b""#, r#""a&b""#),
            (r#"{"k\u0065y":"\/"}"#, r#"{"key":"/"}"#),
            ("100", "1e2"),
            ("[100.0]", "[100]"),
            ("1.5", "15e-1"),
        ] {
            assert_eq!(keyed.of_json(left), keyed.of_json(right), "{left} {right}");
        }
    }

    #[test]
    fn different_values_have_different_hashes() {
        let keyed = Keyed::random();
        let values = [
            "{}",
            "[]",
            "null",
            "0",
            "\"\"",
            "\"0\"",
            "false",
            "[[]]",
            "[{}]",
            "[1,2]",
            "[2,1]",
            "[[1],2]",
            "[[1,2]]",
            r#"{"a":1}"#,
            r#"{"a":"1"}"#,
            r#"{"1":"a"}"#,
            r#"{"a":{"b":1}}"#,
            r#"{"a":1,"b":{}}"#,
            r#"["a",1]"#,
            r#"{"a":1,"b":2}"#,
            r#"{"a":2,"b":1}"#,
            "1e999",
            "-1e999",
            "9007199254740993",
            "9007199254740992",
            "18446744073709551615",
            "18446744073709551614",
            r#""\ud800""#,
            r#""\ud801""#,
        ];
        for (number, left) in values.iter().enumerate() {
            for right in &values[number + 1..] {
                assert_ne!(keyed.of_json(left), keyed.of_json(right), "{left} {right}");
            }
        }
    }

    #[test]
    fn deep_nesting_and_broken_text_end() {
        let keyed = Keyed::random();
        keyed.of_json(&"[".repeat(1_000_000));
        for broken in ["", "]", "}", "\"", "\"\\", "{\"a\"", "{\"a\":", "[1,", ",,,"] {
            keyed.of_json(broken);
        }
    }

    #[test]
    fn every_run_has_its_own_secret() {
        assert_ne!(Keyed::random().hash(b"x"), Keyed::random().hash(b"x"));
    }
}
