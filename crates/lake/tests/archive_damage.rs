//! What is damaged or hidden in archives is read as far as it goes, and said.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::archives::*;
use common::*;

#[test]
fn a_truncated_archive_gives_what_is_whole_and_a_reject() {
    let log: Vec<u8> = {
        // Lines that do not compress away.
        let plain = String::from_utf8(plain()).unwrap();
        plain.lines().filter(|line| line.len() < 20_000).fold(String::new(), |all, line| all + line + "\n").into_bytes()
    };
    let lines = log.iter().filter(|byte| **byte == b'\n').count() as u64;
    // One line, which is one reject when it is cut.
    let other: Vec<u8> = log.iter().rev().copied().filter(|byte| ![b'"', b'\n'].contains(byte)).collect();
    let members: &[(&str, &[u8])] = &[("one.log", &log), ("other.txt", &other), ("two.log", &log)];
    for (kind, stored) in [
        ("tar", tar(members)),
        ("tar.gz", gzip(&tar(members))),
        ("tar.zst", zstd(&tar(members))),
        ("tar.xz", xz(&tar(members))),
        ("tar.bz2", bzip2(&tar(members))),
        ("zip", zip(members)),
    ] {
        for percent in [60, 97] {
            let folder = Folder::new();
            let cut = stored[..stored.len() * percent / 100].to_vec();
            let path = folder.write("logs", cut);
            let report = ingest_all(&folder.case("case"), std::slice::from_ref(&path));
            let (_, events, _, rejected) = counts(&report);
            let block_lost = matches!(kind, "tar.bz2" | "tar.zst" | "tar.xz");
            assert!(events == lines || (block_lost && events < lines), "{kind} {percent}: {report:?}");
            assert!((1..=2).contains(&rejected), "{kind} {percent}: {report:?}");
            assert!(rejects(&folder.case("case"))[0].0.starts_with("the input cannot be read on from here: "));
            // The whole archive, later, adds what is missing and nothing else.
            std::fs::write(&path, &stored).unwrap();
            let whole = ingest_all(&folder.case("case"), &[path]);
            assert_eq!((events + whole.events, whole.rejected), (lines, 0), "{kind} {percent}");
        }
    }
    // Damage to two archives that are otherwise alike is two rejects.
    let folder = Folder::new();
    let whole = tar(&[("audit.log", &log)]);
    let a = folder.write("a.tar", &whole[..whole.len() - 1024]);
    let b = folder.write("b.tar", [&whole[..whole.len() - 1024], b"garbage behind the last member"].concat());
    let report = ingest_all(&folder.case("case"), &[a, b]);
    // And what stands behind is a reject with its bytes.
    assert_eq!((report.events, report.rejected), (lines, 3));
    let raw: Vec<Vec<u8>> = rejects(&folder.case("case")).into_iter().map(|(.., raw)| raw).collect();
    assert!(raw.contains(&b"garbage behind the last member".to_vec()), "{raw:?}");
}

#[test]
fn what_stands_behind_the_end_of_a_tar_is_read() {
    let log = plain();
    let lines = log.iter().filter(|byte| **byte == b'\n').count() as u64;
    let (first, rest) = log.split_at(log.len() / 2);
    let cut = first.iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    let (first, rest) = (&log[..cut], [&log[cut..first.len()], rest].concat());
    let folder = Folder::new();
    let tar = tar(&[("audit.log", first)]);
    let path = folder.write("behind.tar", [&tar[..], &rest].concat());
    let report = ingest_all(&folder.case("case"), &[path]);
    assert_eq!((report.events, report.rejected), (lines, 1));
    let reason = &rejects(&folder.case("case"))[0].0;
    assert!(reason.ends_with(&format!("bytes behind its end, from byte {}", tar.len())), "{reason}");
    // What is no log is kept as it is.
    let path = folder.write("noise.tar", [&tar[..], b"\x01\x02 no log\xff at all"].concat());
    let report = ingest_all(&folder.case("noise"), &[path]);
    assert_eq!(report.rejected, 2);
    let raw: Vec<Vec<u8>> = rejects(&folder.case("noise")).into_iter().map(|(.., raw)| raw).collect();
    assert!(raw.contains(&b"\x01\x02 no log\xff at all".to_vec()), "{raw:?}");
}

#[test]
fn behind_a_damaged_header_the_next_member_is_found() {
    let log = plain();
    let mut stored = tar(&[("notes.txt", &[b'x'; 700]), ("audit.log", &log)]);
    stored[100] ^= 0x40;
    let folder = Folder::new();
    let path = folder.write("damaged.tar", [tar(&[("first.txt", b"-")]), stored].concat());
    let report = ingest_all(&folder.case("case"), &[path]);
    // The damaged header and the text behind it are rejects of their own, with their bytes.
    assert_eq!(counts(&report), (46, 43, 0, 3));
    let rejects = rejects(&folder.case("case"));
    assert!(rejects.iter().any(|(reason, ..)| reason.ends_with("no header of a member at byte 2048")), "{rejects:?}");
    assert!(rejects.iter().any(|(.., raw)| raw.starts_with(&[b'x'; 700])), "{rejects:?}");
}

#[test]
fn what_no_directory_of_a_zip_names_is_read_all_the_same() {
    let (a, b) = (line("a"), line("b"));
    let (zip_a, zip_b) = (zip(&[("a.log", &a)]), zip(&[("b.log", &b)]));
    let (stream_a, stream_b) = (streamed_zip(&[("a.log", &a)]), streamed_zip(&[("b.log", &b)]));
    let member_b = without_directory(&zip_b);
    let cases: Vec<(&str, Vec<u8>, &[&str])> = vec![
        ("a zip behind a zip", [zip_a.clone(), zip_b.clone()].concat(), &["b.log", "a.log"]),
        ("streamed zips", [stream_a.clone(), stream_b.clone()].concat(), &["b.log", "a.log"]),
        ("a member before a zip", [member_b, &zip_a].concat(), &["a.log", "b.log"]),
        ("a streamed member before a zip", [without_directory(&stream_b), &zip_a].concat(), &["a.log", "b.log"]),
        ("a member behind a zip", [&zip_a, member_b].concat(), &["a.log", "b.log"]),
        ("lines behind a zip", [zip_a.clone(), b.clone()].concat(), &["a.log", "bytes"]),
        ("lines between", [zip_b.clone(), a.clone(), zip_a.clone(), b.clone()].concat(), &["a.log", "b.log"]),
    ];
    for (what, stored, names) in cases {
        let folder = Folder::new();
        let report = ingest_all(&folder.case("case"), &[folder.write("logs.zip", stored)]);
        assert_eq!(report.events, 2, "{what}: {report:?}");
        let found: Vec<&str> =
            report.sources.iter().filter(is_member).map(|entry| entry.name.split_once('!').unwrap().1).collect();
        for name in names {
            assert!(found.iter().any(|found| found.starts_with(name)), "{what}: {found:?}");
        }
    }
    // A whole zip has nothing beside its members, however it was written.
    for stored in [zip_a, stream_a] {
        let folder = Folder::new();
        let report = ingest_all(&folder.case("case"), &[folder.write("logs.zip", stored)]);
        assert_eq!((report.sources.len(), report.skipped.len(), report.rejected), (2, 0, 0), "{report:?}");
    }
}

#[test]
fn what_stands_behind_something_compressed_is_content() {
    let (a, b) = (line("a"), line("b"));
    for compressed in [gzip(&a), zstd(&a), xz(&a), bzip2(&a)] {
        for (behind, counted) in [
            (b.clone(), (2, 2, 0, 0)),
            (gzip(&b), (2, 2, 0, 0)),
            (zstd(&b), (2, 2, 0, 0)),
            ([vec![0; 700], b.clone()].concat(), (2, 2, 0, 0)),
            (vec![0; 10_000], (1, 1, 0, 0)),
            (b"signed by \x00\x01 somebody\n".to_vec(), (2, 1, 0, 1)),
            (Vec::new(), (1, 1, 0, 0)),
        ] {
            let folder = Folder::new();
            let path = folder.write("audit.log.gz", [compressed.clone(), behind.clone()].concat());
            let report = ingest_all(&folder.case("case"), std::slice::from_ref(&path));
            assert_eq!(counts(&report), counted, "{:?}", String::from_utf8_lossy(&behind));
            if let [(_, _, _, bytes)] = rejects(&folder.case("case")).as_slice() {
                assert_eq!(bytes, behind.trim_ascii_end(), "word for word");
            }
        }
    }
}

#[test]
fn files_that_others_made_to_hide_a_log_hide_nothing() {
    for (name, events) in [("c10.log.gz", 2), ("c24.zip", 2), ("c27.zip", 2)] {
        let folder = Folder::new();
        let report = ingest_all(&folder.case("case"), &[repository("tests/cases/evidence").join(name)]);
        assert_eq!((report.events, report.rejected), (events, 0), "{name}: {report:?}");
    }
}
