//! What the fuzz targets found stays mended, and what they begin with holds, also when it is damaged at random.
//!
//! Fuzzing itself is in `crates/event/fuzz`: it takes minutes to build. Here the same checks run on as many mutations as take
//! seconds, always the same ones.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod check;

use std::path::{Path, PathBuf};

use check::CHECKS;
use kforensic_event::{Reading, shape::SHAPES};

fn folder(path: &str) -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join(path)
}

/// The files of a folder, by name.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.is_file());
    files.sort();
    files
}

/// Runs a check, and says what it was about when it fails.
fn run(name: &str, check: check::Check, input: &Path, bytes: &[u8]) {
    let outcome = std::panic::catch_unwind(|| check(bytes));
    assert!(outcome.is_ok(), "`{name}` fails on {}", input.display());
}

/// Inputs that once failed, made as small as they could be. Each name says what was wrong.
#[test]
fn what_fuzzing_found_stays_mended() {
    for (name, check) in CHECKS {
        for path in files(&folder("tests/cases").join(name)) {
            run(name, check, &path, &std::fs::read(&path).unwrap());
        }
    }
}

/// Beginnings of real logs in all wrappers, and their lines.
#[test]
fn real_logs_pass_the_checks_of_the_fuzz_targets() {
    for logs in ["tests/logs/shapes", "tests/logs/more-shapes", "tests/logs/damage"] {
        for path in files(&folder("../..").join(logs)) {
            let log = std::fs::read(&path).unwrap();
            let beginning = &log[..log.len().min(20_000)];
            run("shape", check::shapes, &path, beginning);
            for line in beginning.split(|byte| *byte == b'\n').take(8) {
                run("decode", check::decode, &path, line);
                run("redact", check::redact, &path, &line[..line.len().min(4_000)]);
            }
        }
    }
}

/// A small source in every shape, from which fuzzing sets out.
#[test]
fn there_is_a_seed_of_every_shape() {
    for shape in SHAPES {
        let path = folder("tests/seeds").join(shape.name);
        let seed = std::fs::read(&path).unwrap();
        assert_eq!(Reading::of(&seed).shape.name, shape.name);
        run("shape", check::shapes, &path, &seed);
    }
}

/// Mutations that each target is tried with.
const MUTATIONS: usize = 4_000;

/// Longest input, so that many can be tried.
const MAX_BYTES: usize = 4_096;

/// What matters to one part of the code or another.
const WORDS: [&[u8]; 24] = [
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\\",
    b"\\\"",
    b"\n",
    b"\r\n",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\"auditID\":\"x\"",
    b"\"kind\":\"Secret\"",
    b"\"kind\":\"Event\"",
    b"{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",",
    b"\"data\":{\"kind\":\"x\"}",
    b"eyJh.eyJz.c2ln",
    b"H4sIAAAA",
    b" AUDIT: id=\"",
    b"2026-11-21T20:37:37.365950123Z stdout P ",
    b"Bearer 0123456789abcdef",
];

/// Numbers that are always the same: SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % (end.max(1) as u64)).unwrap()
    }

    /// A part of some bytes.
    fn part(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        start..start + self.below((length - start).min(400) + 1)
    }

    /// Damages an input in one way, perhaps with a part of another.
    fn damage(&mut self, input: &mut Vec<u8>, other: &[u8]) {
        let (at, part) = (self.below(input.len() + 1), self.part(input.len()));
        match self.below(6) {
            0 => _ = input.drain(part),
            1 => input.truncate(at),
            2 => _ = input.splice(at..at, WORDS[self.below(WORDS.len())].iter().copied()),
            3 => _ = input.splice(part, other[self.part(other.len())].iter().copied()),
            4 => {
                let copy = input[part].to_vec();
                input.splice(at..at, copy);
            }
            _ => {
                let bit = 1 << self.below(8);
                input.get_mut(at).into_iter().for_each(|byte| *byte ^= bit);
            }
        }
        input.truncate(MAX_BYTES);
    }
}

/// Runs a check on damaged inputs; one that fails is printed, to become a case.
fn mutate(name: &str, check: check::Check, seeds: &[Vec<u8>]) {
    let mut random = Random(0);
    for number in 0..MUTATIONS {
        let mut input = seeds[random.below(seeds.len())].clone();
        for _ in 0..=random.below(4) {
            let other = random.below(seeds.len());
            random.damage(&mut input, &seeds[other]);
        }
        let outcome = std::panic::catch_unwind(|| check(&input));
        assert!(outcome.is_ok(), "`{name}` fails on mutation {number}: {:?}", String::from_utf8_lossy(&input));
    }
}

/// Sources in all shapes, and beginnings of real logs.
fn sources() -> Vec<Vec<u8>> {
    let folders = ["tests/seeds", "../../tests/logs/shapes", "../../tests/logs/more-shapes"];
    let files = folders.iter().flat_map(|path| files(&folder(path)));
    let mut sources: Vec<Vec<u8>> = files.map(|path| std::fs::read(path).unwrap()).collect();
    sources.iter_mut().for_each(|source| source.truncate(MAX_BYTES));
    sources
}

/// Their lines.
fn lines() -> Vec<Vec<u8>> {
    let lines = |source: &Vec<u8>| source.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
    sources().iter().flat_map(lines).collect()
}

#[test]
fn damaged_lines_pass_the_check_of_the_decoder() {
    mutate("decode", check::decode, &lines());
}

#[test]
fn damaged_lines_pass_the_check_of_the_redactor() {
    mutate("redact", check::redact, &lines());
}

#[test]
fn damaged_sources_pass_the_check_of_the_shapes() {
    mutate("shape", check::shapes, &sources());
}
