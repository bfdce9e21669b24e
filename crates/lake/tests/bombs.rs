//! Input that is made to exhaust whoever reads it: memory stays bounded, what is whole is ingested, the rest is told.
//!
//! Each bomb is ingested by a process of its own, whose peak memory (`VmHWM`) is printed and held against the limit. The
//! suite runs small ones; `KFORENSIC_BOMBS=full cargo test --release -p kforensic-lake --test bombs -- --nocapture` full ones,
//! which take some minutes and 3 GB of disk (with `KFORENSIC_BOMB=NAME` only those whose name holds NAME).
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use common::{ingest_all, rejects};
use kforensic_lake::{Case, Report, verify};

/// Peak memory that a bomb may cost.
const MAX_PEAK_KIB: u64 = 512 * 1024;

/// Time that a bomb may take, on a busy machine.
const MAX_TIME: Duration = Duration::from_secs(600);

/// How large the bombs are.
#[derive(Clone, Copy)]
struct Scale {
    line_bytes: usize,
    zeros_bytes: usize,
    depth: usize,
    members: usize,
    id_bytes: usize,
}

/// Lines and zeros are longer than a record may be.
const SMALL: Scale =
    Scale { line_bytes: 110 << 20, zeros_bytes: 110 << 20, depth: 20_000, members: 2_000, id_bytes: 1 << 20 };
const FULL: Scale = Scale {
    line_bytes: 1_000_000_000,
    zeros_bytes: 10_000_000_000,
    depth: 1_000_000,
    members: 100_000,
    id_bytes: 1 << 20,
};

/// What a bomb has to come to.
#[derive(Debug, PartialEq, Eq)]
struct Expected {
    events: u64,
    rejected: u64,
    /// How the reason of the first reject begins.
    reason: &'static str,
}

struct Bomb {
    name: &'static str,
    write: fn(&mut dyn Write, Scale),
    expected: fn(Scale) -> Expected,
}

fn event(id: &str, members: &str) -> String {
    format!(
        "{{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"level\":\"Metadata\",\"auditID\":\"{id}\",\"stage\":\"ResponseComplete\",\"user\":{{}}{members},\"stageTimestamp\":\"2026-11-21T20:37:37.325661Z\"}}\n"
    )
}

fn repeat(out: &mut dyn Write, piece: &[u8], bytes: usize) {
    let block = piece.repeat((1 << 20) / piece.len());
    let mut left = bytes;
    while left > 0 {
        let part = left.min(block.len());
        out.write_all(&block[..part]).unwrap();
        left -= part;
    }
}

/// Zeros as many streams, one behind the other: all are the same, so one has to be made.
fn zeros(out: &mut dyn Write, scale: Scale, compress: fn(&[u8]) -> Vec<u8>) {
    const STREAM_BYTES: usize = 10 << 20;
    let stream = compress(&vec![0; STREAM_BYTES]);
    for _ in 0..scale.zeros_bytes.div_ceil(STREAM_BYTES) {
        out.write_all(&stream).unwrap();
    }
    out.write_all(&compress(format!("\n{}", event("behind", "")).as_bytes())).unwrap();
}

fn deep(scale: Scale) -> String {
    "[".repeat(scale.depth) + &"]".repeat(scale.depth)
}

/// A folder's worth of members in one file.
fn members(scale: Scale, each: &mut dyn FnMut(&str, &str), content: fn(usize) -> String) {
    for number in 0..scale.members {
        each(&format!("logs/{number}.log"), &content(number));
    }
    each("logs/last.log", &event("last", ""));
}

fn zip(out: &mut dyn Write, scale: Scale, content: fn(usize) -> String) {
    // The writer of zips seeks.
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    let add = &mut |name: &str, content: &str| {
        writer.start_file(name, options).unwrap();
        writer.write_all(content.as_bytes()).unwrap();
    };
    members(scale, add, content);
    out.write_all(&writer.finish().unwrap().into_inner()).unwrap();
}

fn tar(out: &mut dyn Write, scale: Scale, content: fn(usize) -> String) {
    let mut builder = tar::Builder::new(out);
    let add = &mut |name: &str, content: &str| {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        builder.append_data(&mut header, name, content.as_bytes()).unwrap();
    };
    members(scale, add, content);
    builder.finish().unwrap();
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    common::gzip(bytes)
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut writer = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(0)).unwrap();
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut writer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

const TOO_LONG: &str = "longer than 104857600 bytes";

const fn expected(events: u64, rejected: u64, reason: &'static str) -> Expected {
    Expected { events, rejected, reason }
}

const BOMBS: &[Bomb] = &[
    Bomb {
        name: "line",
        write: |out, scale| {
            repeat(out, b"x", scale.line_bytes);
            write!(out, "\n{}", event("behind", "")).unwrap();
        },
        expected: |_| expected(1, 1, TOO_LONG),
    },
    Bomb {
        name: "event-line.gz",
        write: |out, scale| {
            let mut gzip = flate2::write::GzEncoder::new(out, flate2::Compression::fast());
            gzip.write_all(event("a", ",\"requestObject\":\"").split_once("\",\"stageT").unwrap().0.as_bytes())
                .unwrap();
            repeat(&mut gzip, b"auditID \\\"", scale.line_bytes);
            write!(gzip, "\n{}", event("behind", "")).unwrap();
            gzip.finish().unwrap();
        },
        expected: |_| expected(1, 1, TOO_LONG),
    },
    Bomb {
        name: "long-events.gz",
        write: |out, scale| {
            // Events that are nearly as long as a record may be.
            let mut gzip = flate2::write::GzEncoder::new(out, flate2::Compression::fast());
            for number in 0..(scale.zeros_bytes >> 28).clamp(2, 20) {
                let event = event(&number.to_string(), ",\"requestObject\":\"@\"");
                let (before, behind) = event.split_once('@').unwrap();
                gzip.write_all(before.as_bytes()).unwrap();
                repeat(&mut gzip, b"0123456789abcdef", scale.line_bytes.min(99 << 20));
                gzip.write_all(behind.as_bytes()).unwrap();
            }
            gzip.finish().unwrap();
        },
        expected: |scale| expected((scale.zeros_bytes >> 28).clamp(2, 20) as u64, 0, ""),
    },
    Bomb { name: "zeros.gz", write: |out, scale| zeros(out, scale, gzip), expected: |_| expected(1, 1, TOO_LONG) },
    Bomb {
        name: "zeros.zst",
        write: |out, scale| zeros(out, scale, |bytes| zstd::encode_all(bytes, 19).unwrap()),
        expected: |_| expected(1, 1, TOO_LONG),
    },
    Bomb { name: "zeros.xz", write: |out, scale| zeros(out, scale, xz), expected: |_| expected(1, 1, TOO_LONG) },
    Bomb { name: "zeros.bz2", write: |out, scale| zeros(out, scale, bzip2), expected: |_| expected(1, 1, TOO_LONG) },
    Bomb {
        name: "deep-line",
        write: |out, scale| {
            // As a body it is an event; alone, or before one, it is none.
            out.write_all(event("deep", &format!(",\"requestObject\":{}", deep(scale))).as_bytes()).unwrap();
            writeln!(out, "{}", deep(scale)).unwrap();
            writeln!(out, "{{\"auditID\":{}", "{\"auditID\":".repeat(scale.depth)).unwrap();
            write!(out, "{}", event("behind", "")).unwrap();
        },
        expected: |_| expected(2, 2, "not a JSON object"),
    },
    Bomb {
        name: "deep-document",
        write: |out, scale| {
            writeln!(out, "{{\n\"auditID\": {}\n}}", deep(scale)).unwrap();
            write!(out, "{{\n{}", &event("behind", "")[1..]).unwrap();
        },
        expected: |_| expected(1, 1, "not an audit event"),
    },
    Bomb {
        name: "deep-wrapper",
        write: |out, scale| {
            let deep = "{\\\"auditID\\\":".repeat(scale.depth);
            writeln!(out, "{{\"log\":\"{deep}\",\"stream\":\"stdout\"}}").unwrap();
            writeln!(
                out,
                "{{\"log\":{{\"auditID\":{}}}}}",
                "[".repeat(scale.depth) + "\"auditID\"" + &"]".repeat(scale.depth)
            )
            .unwrap();
            write!(out, "{}", event("behind", "")).unwrap();
        },
        expected: |_| expected(1, 2, "not an audit event"),
    },
    Bomb {
        name: "sources.zip",
        write: |out, scale| zip(out, scale, |number| event(&number.to_string(), "")),
        expected: |scale| expected(scale.members as u64 + 1, 0, ""),
    },
    Bomb {
        name: "garbage.zip",
        write: |out, scale| zip(out, scale, |number| format!("garbage {number}\n")),
        expected: |_| expected(1, 0, ""),
    },
    Bomb {
        name: "garbage-logs.zip",
        write: |out, scale| zip(out, scale, |number| format!("{{\"auditID\" garbage {number}\n")),
        expected: |scale| expected(1, scale.members as u64, "not a JSON object"),
    },
    Bomb {
        name: "sources.tar",
        write: |out, scale| tar(out, scale, |number| event(&number.to_string(), "")),
        expected: |scale| expected(scale.members as u64 + 1, 0, ""),
    },
    Bomb {
        name: "id",
        write: |out, scale| {
            out.write_all(event(&"i".repeat(scale.id_bytes), "").as_bytes()).unwrap();
            out.write_all(event("behind", "").as_bytes()).unwrap();
        },
        expected: |_| expected(2, 0, ""),
    },
    Bomb {
        name: "name.tar",
        write: |out, scale| {
            // A long name of GNU tar that does not end.
            let mut header = tar::Header::new_gnu();
            header.set_path("././@LongLink").unwrap();
            header.set_entry_type(tar::EntryType::GNULongName);
            header.set_size(scale.line_bytes as u64);
            header.set_cksum();
            out.write_all(header.as_bytes()).unwrap();
            repeat(out, b"n", scale.line_bytes.next_multiple_of(512));
            tar(out, Scale { members: 1, ..scale }, |_| event("a", ""));
        },
        expected: |_| expected(2, 0, ""),
    },
];

fn write(bomb: &Bomb, folder: &Path, scale: Scale) -> PathBuf {
    let path = folder.join(bomb.name);
    let mut out = BufWriter::new(File::create(&path).unwrap());
    (bomb.write)(&mut out, scale);
    out.flush().unwrap();
    path
}

fn check(bomb: &Bomb, report: &Report, case: &Path, scale: Scale) {
    let first = rejects(case).first().map_or(String::new(), |reject| reject.0.clone());
    let expected = (bomb.expected)(scale);
    assert_eq!((report.events, report.rejected), (expected.events, expected.rejected), "{}: {first}", bomb.name);
    assert!(first.starts_with(expected.reason), "{}: {first}", bomb.name);
    assert!(verify(&Case::open(case).unwrap()).unwrap().problems.is_empty(), "{}", bomb.name);
}

/// The size that is asked for.
fn scale() -> Scale {
    let wanted = std::env::var("KFORENSIC_BOMBS").unwrap_or_default();
    assert!(["", "small", "full"].contains(&wanted.as_str()), "KFORENSIC_BOMBS is `small` or `full`");
    if wanted == "full" { FULL } else { SMALL }
}

#[test]
fn bombs_are_defused() {
    let wanted = std::env::var("KFORENSIC_BOMB").unwrap_or_default();
    for bomb in BOMBS.iter().filter(|bomb| bomb.name.contains(&wanted)) {
        let folder = tempfile::tempdir().unwrap();
        let path = write(bomb, folder.path(), scale());
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "--nocapture", "one_bomb"]).env(BOMB_PATH, &path);
        let output = common::output_within(&mut child, MAX_TIME);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}: {text} {}", bomb.name, String::from_utf8_lossy(&output.stderr));
        let at = text.find("peak ").unwrap();
        let line = text[at..].lines().next().unwrap();
        println!("{:<18} {line}", bomb.name);
        let peak: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        assert!(peak <= MAX_PEAK_KIB, "{}: {line}", bomb.name);
    }
}

/// Names the bomb to the process that ingests it.
const BOMB_PATH: &str = "KFORENSIC_BOMB_PATH";

/// What `bombs_are_defused` runs in a process of its own; nothing by itself.
#[test]
fn one_bomb() {
    let Ok(path) = std::env::var(BOMB_PATH) else { return };
    let path = PathBuf::from(path);
    let case = path.with_file_name("case");
    let start = Instant::now();
    let report = ingest_all(&case, std::slice::from_ref(&path));
    let seconds = start.elapsed().as_secs_f64();
    let peak = peak_kib();
    let start = Instant::now();
    let again = ingest_all(&case, std::slice::from_ref(&path));
    assert_eq!(again.version, None);
    let again = start.elapsed().as_secs_f64();
    let commit = case.join("events/_delta_log/00000000000000000000.json").metadata().unwrap().len();
    println!(
        "peak {peak} KiB in {seconds:.1} s, again {again:.1} s and {} KiB, file {} B, commit {commit} B",
        peak_kib(),
        path.metadata().unwrap().len()
    );
    let bomb = BOMBS.iter().find(|bomb| path.ends_with(bomb.name)).unwrap();
    check(bomb, &report, &case, scale());
}

#[test]
fn members_that_are_no_log_are_summed_up_beyond_a_limit() {
    let bomb = BOMBS.iter().find(|bomb| bomb.name == "garbage.zip").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = write(bomb, folder.path(), SMALL);
    let report = ingest_all(&folder.path().join("case"), &[path]);
    assert_eq!(report.skipped.len(), 1001);
    let rest = &report.skipped[1000];
    assert!(rest.name.ends_with("garbage.zip!…"));
    assert_eq!(rest.reason, "1000 more members: not an audit log: no trace of an audit event in it");
    assert_eq!(rest.size_bytes, 13 * 1000);
}

/// Most memory that this process ever had.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
