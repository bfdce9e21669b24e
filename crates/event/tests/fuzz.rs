//! What the fuzz targets found stays mended, and what they begin with holds.
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
