//! Compressed logs and logs in archives give the same events as plain ones, each a source of its own.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::PathBuf;

use common::archives::*;
use common::*;
use kforensic_event::{Cell, columns};
use kforensic_lake::{Case, Fate, LakeError, LedgerEntry, Snapshot, audit, manifest, original, verify};

#[test]
fn every_shape_in_every_container_gives_the_same_events() {
    let mut shapes: Vec<PathBuf> =
        std::fs::read_dir(repository("tests/logs/shapes")).unwrap().map(|entry| entry.unwrap().path()).collect();
    shapes.sort();
    // What is compressed already stands for itself; a second layer is no form that logs come in.
    shapes.retain(|path| path.extension().is_none_or(|extension| extension != "gz"));
    assert!(shapes.len() > 25);
    // On two processors: a case a container is 300 of them.
    std::thread::scope(|scope| {
        for half in shapes.chunks(shapes.len().div_ceil(2)) {
            scope.spawn(|| half.iter().for_each(in_every_container));
        }
    });
}

/// Asserts that a log gives the same in all containers.
fn in_every_container(path: &PathBuf) {
    let bytes = std::fs::read(path).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    let folder = Folder::new();
    ingest_all(&folder.case("plain"), std::slice::from_ref(path));
    let expected = contents(&folder.case("plain"));
    if expected.0.is_empty() {
        // Without a trace of an event it is no log in an archive, as it is none in a folder.
        return;
    }
    let one: &[(&str, &[u8])] = &[(name, &bytes)];
    for (kind, stored) in [
        ("gzip", gzip(&bytes)),
        ("zstd", zstd(&bytes)),
        ("xz", xz(&bytes)),
        ("bzip2", bzip2(&bytes)),
        ("tar", tar(one)),
        ("tar.gz", gzip(&tar(one))),
        ("tar.zst", zstd(&tar(one))),
        ("zip", zip(one)),
        ("gz in tar", tar(&[("x.gz", &gzip(&bytes))])),
        ("xz in zip", zip(&[("x.xz", &xz(&bytes))])),
    ] {
        let log = folder.write(kind, stored);
        ingest_all(&folder.case(&format!("case {kind}")), &[log]);
        assert!(contents(&folder.case(&format!("case {kind}"))) == expected, "{name} as {kind}");
    }
}

#[test]
fn what_other_tools_wrote_is_read_to_its_end() {
    for (name, members) in [
        ("frames.jsonl.zst", 0),
        ("streams.jsonl.xz", 0),
        ("streams.jsonl.bz2", 0),
        ("must-gather.tar.gz", 2),
        ("must-gather-pax.tar.xz", 2),
        ("v7.tar.zst", 2),
        ("ustar.tar.bz2", 2),
        ("info-zip.zip", 2),
        ("streamed.zip", 1),
        ("python.zip", 3),
    ] {
        let folder = Folder::new();
        let report = ingest_all(&folder.case("case"), &[fixture(name)]);
        assert_eq!(counts(&report), (43, 43, 0, 0), "{name}");
        assert_eq!(report.sources.iter().filter(is_member).count(), members, "{name}");
        holds_plain(&folder.case("case"));
        assert!(verify(&Case::open(&folder.case("case")).unwrap()).unwrap().problems.is_empty());
    }
}

#[test]
fn members_are_sources_with_names_hashes_and_hosts() {
    let folder = Folder::new();
    let report = ingest_all(&folder.case("case"), &[fixture("must-gather.tar.gz")]);
    let [first, second, archive] = report.sources.as_slice() else { panic!("two logs and their archive") };
    let path = fixture("must-gather.tar.gz").display().to_string();
    assert!(first.name.starts_with(&format!("{path}!must-gather.local.5464029130631179436/quay-io")), "{}", first.name);
    assert!(first.name.ends_with("/audit_logs/kube-apiserver/master-0-audit-2026-11-21T20-37-10.530.log.gz"));
    assert_eq!((first.host.as_deref(), second.host.as_deref()), (Some("master-0"), Some("master-1")));
    assert_eq!((first.compression.as_str(), first.records, second.records), ("gzip", 20, 23));
    assert_eq!(first.archive.as_deref(), Some(archive.source_id.as_str()));
    assert_eq!(
        (archive.name.as_str(), archive.compression.as_str(), archive.shape.as_str()),
        (path.as_str(), "gzip", "tar")
    );
    assert_eq!((archive.records, archive.size_bytes), (0, std::fs::metadata(&path).unwrap().len()));
    let left_out = left_out(&report);
    let reason = |end: &str| left_out.iter().find(|(name, _)| name.ends_with(end)).map(|(_, reason)| reason.as_str());
    assert_eq!(reason("/previous.log"), Some("empty"));
    assert_eq!(reason("/link"), Some("a symbolic link"));
    assert_eq!(reason("/sparse.img"), Some("a sparse file; unpack it (`tar -xf`) and ingest that"));
    assert_eq!(reason("/hardlink"), Some("a link to another member"));
    assert_eq!(reason("_listing"), Some("not an audit log: no trace of an audit event in it"));
    let report = ingest_all(&folder.case("python"), &[fixture("python.zip")]);
    assert_eq!(report.sources[0].cluster.as_deref(), Some("prod-eu"));
    // Both members of the same name are there, each its own source.
    assert_eq!(report.sources[1].name, report.sources[2].name);
    assert_ne!(report.sources[1].member, report.sources[2].member);
}

#[test]
fn what_is_compressed_again_and_again_is_read_layer_by_layer() {
    let log = plain();
    let utf16: Vec<u8> = String::from_utf8(plain()).unwrap().encode_utf16().flat_map(u16::to_le_bytes).collect();
    let utf16 = [b"\xff\xfe".as_slice(), &utf16].concat();
    let twice = gzip(&gzip(&log));
    for (kind, stored, compression) in [
        ("gz in gz", twice.clone(), "gzip, gzip"),
        ("four", zstd(&xz(&bzip2(&gzip(&log)))), "zstd, xz, bzip2, gzip"),
        ("members in members", gzip(&[gzip(&log[..2000]), gzip(&log[2000..])].concat()), "gzip, gzip"),
        ("utf-16 in gz", gzip(&utf16), "gzip, utf-16le"),
    ] {
        let folder = Folder::new();
        let report = ingest_all(&folder.case("case"), &[folder.write("log", stored)]);
        assert_eq!(counts(&report), (43, 43, 0, 0), "{kind}");
        assert_eq!(report.sources[0].compression, compression, "{kind}");
        holds_plain(&folder.case("case"));
    }
    for (kind, stored) in [
        ("tar.gz.gz", gzip(&gzip(&tar(&[("a.log", &log)])))),
        ("gz.gz in tar", tar(&[("a.log.gz.gz", &twice)])),
        ("zip in gz.gz", gzip(&gzip(&zip(&[("a.log", &log)])))),
        ("tar in tar", tar(&[("a.tar", &tar(&[("a.log", &log)]))])),
        ("zip in tar.gz", gzip(&tar(&[("a.zip", &zip(&[("a.log.gz", &twice)]))]))),
    ] {
        let folder = Folder::new();
        let report = ingest_all(&folder.case("case"), &[folder.write("log", stored)]);
        assert_eq!(counts(&report), (43, 43, 0, 0), "{kind}");
    }
    // A copy in other layers is known; a fifth layer is named.
    let folder = Folder::new();
    ingest_all(&folder.case("case"), &[folder.write("a", log.clone())]);
    assert_eq!(counts(&ingest_all(&folder.case("case"), &[folder.write("b", twice.clone())])).1, 0);
    let report = ingest_all(&folder.case("other"), &[folder.write("c", gzip(&gzip(&gzip(&twice))))]);
    assert_eq!(counts(&report), (1, 0, 0, 1));
    // What breaks off in an inner layer gives what it holds, and says so.
    let torn = gzip(&twice[..twice.len() - 40]);
    let report = ingest_all(&folder.case("torn"), &[folder.write("d", torn)]);
    assert!(report.rejected > 0, "{:?}", counts(&report));
}

#[test]
fn a_piece_of_a_log_that_begins_like_another_kind_is_read() {
    for sign in ["BZh91AY&SY", "BZh9\u{17}rE8P", "PAR1PAR1", "PK\u{3}\u{4}", "Obj\u{1}", "P*M\u{18}"] {
        let folder = Folder::new();
        let log = [sign.as_bytes(), b"\"}\n", &plain()].concat();
        let report = ingest_all(&folder.case("case"), &[folder.write("a.log", log.clone())]);
        assert_eq!((report.events, report.rejected), (43, 1), "{sign:?}");
        // Behind what is compressed, too.
        let behind = folder.write("b.log", [gzip(b""), log].concat());
        let report = ingest_all(&folder.case("behind"), &[behind]);
        assert_eq!((report.events, report.rejected), (43, 1), "behind: {sign:?}");
    }
}

#[test]
fn archives_in_archives_are_opened_to_a_depth() {
    let folder = Folder::new();
    let report = ingest_all(&folder.case("case"), &[fixture("nested.zip")]);
    assert_eq!(counts(&report), (86, 43, 43, 0));
    let names: Vec<&str> =
        report.sources.iter().map(|source| source.name.rsplit("nested.zip").next().unwrap()).collect();
    assert!(names[0].starts_with("!ticket/must-gather.tar.gz!must-gather.local."), "{names:?}");
    assert_eq!(names[2], "!ticket/python.zip!aws/eks/prod-eu/cluster/a.jsonl");
    assert_eq!(report.sources[0].host.as_deref(), Some("master-0"));
    assert!(left_out(&report).contains(&(
        "deep.zip!mid.zip!in.zip".to_owned(),
        "an archive inside of 3 others: archives are opened to that depth".to_owned()
    )));
}

#[test]
fn what_cannot_be_opened_is_listed_and_the_rest_read() {
    let folder = Folder::new();
    let report = ingest_all(&folder.case("case"), &[fixture("encrypted.zip")]);
    assert_eq!(counts(&report), (20, 20, 0, 0));
    assert_eq!(
        left_out(&report),
        [("b.jsonl".to_owned(), "encrypted; unpack it with its password and ingest that".to_owned())]
    );
    // Names are only text: nothing is written where they lead.
    let log = plain();
    let mut evil = ::tar::Builder::new(Vec::new());
    for name in ["../../escaped.log", "/absolute.log"] {
        let mut header = tar_header(log.len());
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        evil.append(&header, log.as_slice()).unwrap();
    }
    let evil = folder.write("evil/evil.tar", evil.into_inner().unwrap());
    let before = tree(folder.0.path()).len();
    let report = ingest_all(&folder.case("evil-case"), &[evil]);
    assert_eq!(counts(&report), (86, 43, 43, 0));
    assert!(report.sources[0].name.ends_with("evil.tar!../../escaped.log"));
    let outside = tree(folder.0.path()).into_keys().filter(|path| !path.starts_with(folder.case("evil-case"))).count();
    assert_eq!(outside, before);
}

#[test]
fn an_archive_without_a_log_is_left_out() {
    let folder = Folder::new();
    let other = folder.write("logs/other.zip", zip(&[("a.txt", b"nothing"), ("b.txt", b"here")]));
    let error = try_ingest(&folder.case("case"), std::slice::from_ref(&other)).unwrap_err();
    assert!(matches!(error, LakeError::NothingToRead { skipped: 1, .. }));
    folder.write("logs/audit.log", plain());
    let report = ingest_all(&folder.case("case"), &[folder.0.path().join("logs")]);
    assert_eq!((report.sources.len(), report.skipped.len()), (1, 1));
    assert_eq!(
        report.skipped[0].reason,
        "not an audit log: no trace of an audit event in it: an archive of 2 files without one"
    );
}

#[test]
fn a_log_is_read_once_plain_and_in_any_archive_also_when_it_has_grown() {
    let log = plain();
    let half = log[..log.len() / 2].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    let forms = |bytes: &[u8]| -> [(&'static str, Vec<u8>); 5] {
        [
            ("audit.log", bytes.to_vec()),
            ("audit.log.gz", gzip(bytes)),
            ("logs.tar.gz", gzip(&tar(&[("notes.txt", b"-"), ("logs/audit.log", bytes)]))),
            ("logs.zip", zip(&[("audit.log.zst", &zstd(bytes))])),
            ("nested.tar", tar(&[("inner.zip", &zip(&[("audit.log", bytes)]))])),
        ]
    };
    // All at once, in one run.
    let folder = Folder::new();
    let all: Vec<PathBuf> = forms(&log).into_iter().map(|(name, bytes)| folder.write(name, bytes)).collect();
    let report = ingest_all(&folder.case("at once"), &all);
    assert_eq!(counts(&report), (5 * 43, 43, 4 * 43, 0));
    // The half in one form, torn in its last line, then the whole in another.
    for (torn, cut) in [(false, half), (true, half + 100)] {
        for (first, early) in forms(&log[..cut]) {
            let folder = Folder::new();
            let case = folder.case("case");
            let early = folder.write(&format!("early/{first}"), early);
            assert_eq!(ingest_all(&case, &[early]).rejected, u64::from(torn));
            for (name, stored) in forms(&log) {
                let path = folder.write(&format!("late/{name}"), stored);
                let report = ingest_all(&case, std::slice::from_ref(&path));
                assert_eq!(report.duplicates, 0, "{first} then {name}: only what is new is read");
                let again = ingest_all(&case, &[path]);
                assert_eq!((again.records, again.version), (0, None), "{first} then {name}");
            }
            holds_plain(&case);
            assert!(verify(&Case::open(&case).unwrap()).unwrap().problems.is_empty());
        }
    }
}

#[test]
fn an_audit_of_the_sources_is_about_the_archive() {
    let folder = Folder::new();
    let case = folder.case("case");
    let path = folder.write("evidence/logs.tar.gz", gzip(&tar(&[("audit.log", &plain())])));
    let other = folder.write("evidence/other.zip", zip(&[("a.txt", b"no log")]));
    let evidence = [folder.0.path().join("evidence")];
    ingest_all(&case, &evidence);
    let snapshot = Case::open(&case).unwrap().snapshot().unwrap();
    let fates = |snapshot: &_| -> Vec<(Fate, String)> {
        audit(snapshot, &evidence).unwrap().into_iter().map(|audited| (audited.fate, audited.name)).collect()
    };
    assert_eq!(fates(&snapshot), [(Fate::Matched, path.display().to_string())]);
    let listed = manifest(&snapshot).unwrap();
    assert_eq!(listed.lines().count(), 5, "{listed}");
    assert!(listed.ends_with(&format!("{}\n", path.display())));
    std::fs::write(&other, zip(&[("audit.log", &plain())])).unwrap();
    assert_eq!(fates(&snapshot)[1], (Fate::New, other.display().to_string()));
    std::fs::write(&path, gzip(&tar(&[("audit.log", &plain()), ("more", b"")]))).unwrap();
    assert!(fates(&snapshot).contains(&(Fate::Changed, path.display().to_string())));
}

#[test]
fn the_original_bytes_are_read_back_from_inside_of_an_archive() {
    let log = plain();
    for name in ["nested.zip", "must-gather.tar.gz"] {
        let folder = Folder::new();
        let case = folder.case("case");
        let path = folder.write(name, std::fs::read(fixture(name)).unwrap());
        ingest_all(&case, std::slice::from_ref(&path));
        let opened = Case::open(&case).unwrap();
        let snapshot = opened.snapshot().unwrap();
        let rows = places(&snapshot);
        assert!(rows.len() == 43 && columns::find("source_id").is_some());
        for (id, source, offset, length) in &rows {
            let found = original(&opened, &snapshot, source, *offset, *length).unwrap();
            let text = std::str::from_utf8(&found.bytes).unwrap();
            assert!(text.contains(id.as_str()) && memchr::memmem::find(&log, text.as_bytes()).is_some());
        }
        // Another archive in its place is noticed.
        std::fs::write(&path, gzip(&tar(&[("a", &log[1..]), ("b", &log[1..]), ("c", &log[1..])]))).unwrap();
        let (_, source, offset, length) = &rows[0];
        assert!(original(&opened, &snapshot, source, *offset, *length).is_err());
    }
}

/// Audit id, source, offset and length of every event.
fn places(snapshot: &Snapshot) -> Vec<(String, String, u64, u64)> {
    let mut rows = Vec::new();
    for file in snapshot.event_files() {
        common::rows(file, &mut |cell| {
            let number = |name| u64::try_from(cell(name).int().unwrap()).unwrap();
            let Cell::Text(id) = cell("audit_id") else { panic!("an event has an id") };
            let source = cell("source_id").text().unwrap().to_owned();
            rows.push((id.to_string(), source, number("byte_offset"), number("byte_length")));
        });
    }
    rows
}

#[test]
fn a_kept_archive_stands_for_its_members() {
    let plain_log = plain();
    for name in ["nested.zip", "must-gather.tar.gz", "ustar.tar.bz2"] {
        let folder = Folder::new();
        let case = folder.case("case");
        let stored = std::fs::read(fixture(name)).unwrap();
        let path = folder.write(name, &stored);
        // A member that is known keeps nothing, and what it is known from needs no copy.
        let known = folder.write("known.jsonl", plain_log.split_inclusive(|byte| *byte == b'\n').next().unwrap());
        ingest_all(&case, &[known]);
        let options = kforensic_lake::IngestOptions {
            paths: vec![path.clone()],
            threads: 2,
            keep_originals: true,
            ..kforensic_lake::IngestOptions::default()
        };
        let writer = kforensic_lake::Writer::open(&case, "test").unwrap();
        let report = kforensic_lake::ingest(&writer, &options, &kforensic_lake::Progress::default()).unwrap();
        drop(writer);
        let kept: Vec<&LedgerEntry> = report.sources.iter().filter(|source| source.original.is_some()).collect();
        let [archive] = kept.as_slice() else { panic!("one copy, of the archive: {kept:?}") };
        assert_eq!(archive.name, path.display().to_string());
        let copy = case.join(&archive.original.as_ref().unwrap().path);
        assert!(::zstd::decode_all(std::fs::File::open(&copy).unwrap()).unwrap() == stored);
        assert_eq!(std::fs::read_dir(case.join("originals")).unwrap().count(), 1);
        let opened = Case::open(&case).unwrap();
        assert!(verify(&opened).unwrap().problems.is_empty());
        // The archive is gone: its copy is read.
        std::fs::remove_file(&path).unwrap();
        std::fs::remove_file(folder.0.path().join("known.jsonl")).unwrap();
        let snapshot = opened.snapshot().unwrap();
        let members = |source: &str| report.sources.iter().any(|entry| entry.source_id == source);
        let places: Vec<_> = places(&snapshot).into_iter().filter(|(_, source, ..)| members(source)).collect();
        assert!(places.len() >= 42);
        for (id, source, offset, length) in places {
            let found = original(&opened, &snapshot, &source, offset, length).unwrap();
            assert!(found.kept_because.is_some() && found.name.starts_with("originals/"), "{found:?}");
            assert!(memchr::memmem::find(&found.bytes, id.as_bytes()).is_some());
        }
        // With the copy gone too, it is the archive that is missed.
        std::fs::remove_file(copy).unwrap();
        let (_, source, offset, length) = &self::places(&snapshot)[42];
        let error = original(&opened, &snapshot, source, *offset, *length).unwrap_err().to_string();
        assert!(error.contains("cannot be read"), "{error}");
    }
}

#[test]
fn members_are_redacted_and_have_the_shape_that_is_forced() {
    let folder = Folder::new();
    let report = ingest_all(&folder.case("plain"), &[repository(PLAIN)]);
    let in_archive = ingest_all(&folder.case("archive"), &[fixture("nested.zip")]);
    assert!(report.redacted > 0 && in_archive.redacted == report.redacted);
    assert_eq!(in_archive.sources.iter().map(|source| source.redacted).sum::<u64>(), report.redacted);
    let again = ingest_all(&folder.case("archive"), &[fixture("nested.zip")]);
    assert_eq!((again.redacted, again.version), (0, None));
    let options = kforensic_lake::IngestOptions {
        paths: vec![fixture("nested.zip")],
        threads: 2,
        shape: kforensic_event::shape::find("docker"),
        ..kforensic_lake::IngestOptions::default()
    };
    assert!(options.shape.is_some());
    let writer = kforensic_lake::Writer::open(&folder.case("forced"), "test").unwrap();
    let forced = kforensic_lake::ingest(&writer, &options, &kforensic_lake::Progress::default()).unwrap();
    assert!(forced.sources.iter().filter(is_member).all(|source| source.shape == "docker"));
    assert_eq!((forced.events, forced.sources.last().unwrap().shape.as_str()), (43, "zip"));
}

#[test]
fn the_number_of_threads_does_not_change_a_byte_of_archives() {
    let folder = Folder::new();
    let many: Vec<(String, Vec<u8>)> = plain()
        .split_inclusive(|byte| *byte == b'\n')
        .enumerate()
        .map(|(number, line)| (format!("{number}.log"), line.to_vec()))
        .collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let paths =
        [folder.write("a.zip", zip(&many)), folder.write("b.tar", tar(&many)), repository("sample-logs/moderate")];
    let mut cases = Vec::new();
    for threads in [1, 2, 5] {
        let case = folder.case(&format!("threads-{threads}"));
        let writer = kforensic_lake::Writer::open(&case, "test").unwrap();
        let options = kforensic_lake::IngestOptions {
            paths: paths.to_vec(),
            threads,
            ..kforensic_lake::IngestOptions::default()
        };
        let report = kforensic_lake::ingest(&writer, &options, &kforensic_lake::Progress::default()).unwrap();
        assert_eq!((report.events, report.duplicates), (568 + 43, 43));
        drop(writer);
        let files = tree(&case).into_iter().map(|(path, bytes)| (path.strip_prefix(&case).unwrap().to_owned(), bytes));
        cases.push(files.collect::<Vec<_>>());
    }
    assert!(cases.windows(2).all(|pair| pair[0] == pair[1]));
}

#[cfg(unix)]
#[test]
fn an_archive_may_come_through_a_pipe() {
    // A pipe that nobody opens at the other end is waited for.
    let _limit = common::limit();
    for name in ["must-gather.tar.gz", "ustar.tar.bz2", "python.zip", "frames.jsonl.zst"] {
        let folder = Folder::new();
        let pipe = folder.0.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for expected in [(43, 43, 0, 0), (0, 0, 0, 0)] {
            let (to, bytes) = (pipe.clone(), std::fs::read(fixture(name)).unwrap());
            let writer = std::thread::spawn(move || std::fs::write(to, bytes).unwrap());
            let report = ingest_all(&folder.case("case"), std::slice::from_ref(&pipe));
            writer.join().unwrap();
            assert_eq!(counts(&report), expected, "{name}");
        }
        assert!(!folder.case("case").join("staging").exists());
    }
}
