//! What decides about most events before they are decoded, whether one may hold a secret, never misses one.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Read;
use std::path::{Path, PathBuf};

use kforensic_event::{Event, Redactor};

fn redactor() -> Redactor {
    Redactor::new(&[7; 32])
}

fn logs(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../..").join(folder);
    let mut logs: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    logs.retain(|path| path.is_file());
    logs.sort();
    logs
}

/// The lines of logs, compressed or not, that are events.
fn lines(folder: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for path in logs(folder) {
        let mut bytes = std::fs::read(&path).unwrap();
        if path.extension().is_some_and(|extension| extension == "gz") {
            let mut content = Vec::new();
            // Some are damaged.
            let _ = flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut content);
            bytes = content;
        }
        let text = String::from_utf8_lossy(&bytes);
        lines.extend(text.lines().filter(|line| Event::decode(line).is_ok()).map(str::to_owned));
    }
    lines
}

/// Checks one event: when the redactor changes it, the question was answered with yes.
fn check(redactor: &Redactor, line: &str) -> bool {
    let Ok(mut event) = Event::decode(line) else { return false };
    let may = redactor.may_hold_secret(line.as_bytes());
    let values = redactor.event(&mut event);
    assert!(may || values == 0, "{values} values were replaced in {line}");
    may
}

#[test]
fn no_event_that_is_redacted_is_taken_for_clean() {
    let redactor = redactor();
    for folder in ["sample-logs/hardened", "tests/logs/production", "tests/logs/made", "tests/logs/redaction"] {
        let lines = lines(folder);
        assert!(!lines.is_empty(), "{folder}");
        lines.iter().for_each(|line| _ = check(&redactor, line));
    }
}

#[test]
fn typical_events_without_bodies_are_clean() {
    let redactor = redactor();
    let lines = lines("tests/logs/metadata");
    let may = lines.iter().filter(|line| check(&redactor, line)).count();
    // Requests for secrets and tokens are looked at closely: 2.7 % of this log, and as much again for tokens.
    assert!(may * 10 < lines.len(), "{may} of {} events", lines.len());
}

/// Numbers that are always the same: SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % (end.max(1) as u64)).unwrap()
    }
}

/// What a client could put into a string.
const PARTS: [&str; 28] = [
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln",
    "Bearer 0123456789abcdef",
    "?token=hunter2secret",
    ";pass%57ord=hunter2",
    "%3Ftoken%253Dhunter2",
    "command=--token&command=hunter2",
    "command=mysql&command=-phunter2",
    "https://user:hunter2@host/",
    "https%3A%2F%2Fuser%3Ahunter2%40host",
    "https://u:p&q@host",
    "token: abcdef.0123456789",
    "\npassword: hunter2hunter2",
    "\"client_secret\":\"hunter2hunter2\"",
    "'api_key': 'hunter2hunter2'",
    "apiVersion: v1\nkind: Secret\nstringData:\n  p: hunter2\n",
    "{\"kind\":\"Secret\",\"data\":{\"p\":\"aHVudGVyMg==\"}}",
    "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----",
    "H4sIMDE4aHVudGVyTUFSSw==",
    "sha256~0123456789abcdef",
    "{\"auths\":{\"r\":{\"auth\":\"dTowOTBodW50ZXJNQVJL\"}}}",
    "Authorization: Basic dXNlcjpwYXNz",
    "error found in #10 byte of ...|x|...",
    "secrets",
    "Secret",
    "TokenReview",
    "eyJraW5kIjoiU2VjcmV0IiwiZGF0YSI6eyJhIjoiYiJ9fQ==",
    "token 0123456789a",
    "&",
];

/// A part as JSON text, some of its characters escaped in the ways that JSON allows.
fn escaped(part: &str, random: &mut Random) -> String {
    let often = random.below(3);
    let quoted = serde_json::to_string(part).unwrap();
    let mut out = String::new();
    let mut after_backslash = false;
    for char in quoted[1..quoted.len() - 1].chars() {
        let plain = !after_backslash && char != '\\' && char.is_ascii();
        match char {
            '&' => out.push_str("\\u0026"),
            '/' if plain && often > 0 && random.below(2) == 0 => out.push_str("\\/"),
            _ if plain && often == 2 && random.below(4) == 0 => out.push_str(&format!("\\u{:04x}", u32::from(char))),
            _ => out.push(char),
        }
        after_backslash = char == '\\' && !after_backslash;
    }
    out
}

#[test]
fn no_escape_hides_a_secret_from_the_question() {
    let redactor = redactor();
    let lines: Vec<String> = lines("tests/logs/made").into_iter().chain(lines("tests/logs/redaction")).collect();
    let mut random = Random(0);
    let mut redacted = 0;
    for _ in 0..20_000 {
        let mut line = lines[random.below(lines.len())].clone();
        for _ in 0..=random.below(2) {
            // Into a string, at any place of it.
            let places: Vec<usize> = line.match_indices('"').map(|(at, _)| at).collect();
            let at = places[random.below(places.len())];
            let at = if random.below(2) == 0 { at } else { at + 1 };
            let part = escaped(PARTS[random.below(PARTS.len())], &mut random);
            line.insert_str(at, &part);
        }
        if let Ok(mut event) = Event::decode(&line) {
            redacted += u32::from(redactor.event(&mut event) > 0);
        }
        check(&redactor, &line);
    }
    assert!(redacted > 2_000, "{redacted} of the events were redacted");
}
