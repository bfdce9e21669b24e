//! Archives and compressed logs for tests, and what a case must hold of them.

use std::io::Write;
use std::path::{Path, PathBuf};

use kforensic_lake::{LedgerEntry, Report};
use serde_json::Value;

use super::{key, originals, rebuilt, rejects, repository, same_but_redacted};

/// The 43 events that all fixtures hold.
pub(crate) const PLAIN: &str = "tests/logs/shapes/00-plain.jsonl";

pub(crate) struct Folder(pub(crate) tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(super::folder())
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// A folder for a case. All have one key, so that what stands for secret values is the same in all.
    pub(crate) fn case(&self, name: &str) -> PathBuf {
        let case = self.0.path().join(name);
        std::fs::create_dir_all(&case).unwrap();
        std::fs::write(case.join("redaction.key"), [7; 32]).unwrap();
        case
    }
}

pub(crate) fn fixture(name: &str) -> PathBuf {
    repository("tests/logs/archives").join(name)
}

pub(crate) fn plain() -> Vec<u8> {
    std::fs::read(repository(PLAIN)).unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    ::zstd::encode_all(bytes, 3).unwrap()
}

pub(crate) fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut writer = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).unwrap();
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

pub(crate) fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut writer = ::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::fast());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

pub(crate) fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        builder.append_data(&mut tar_header(bytes.len()), name, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

pub(crate) fn tar_header(size: usize) -> ::tar::Header {
    let mut header = ::tar::Header::new_gnu();
    header.set_size(size as u64);
    header.set_mode(0o600);
    header
}

pub(crate) fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ::zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let options = ::zip::write::SimpleFileOptions::default();
        writer.start_file(*name, options.compression_method(::zip::CompressionMethod::Deflated)).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

pub(crate) fn is_member(entry: &&LedgerEntry) -> bool {
    entry.archive.is_some()
}

pub(crate) fn counts(report: &Report) -> (u64, u64, u64, u64) {
    (report.records, report.events, report.duplicates, report.rejected)
}

/// Names of what was left out, behind the archive's own, with the reasons.
pub(crate) fn left_out(report: &Report) -> Vec<(String, String)> {
    let inner = |name: &str| name.split_once('!').map_or("", |(_, inner)| inner).to_owned();
    report.skipped.iter().map(|skipped| (inner(&skipped.name), skipped.reason.clone())).collect()
}

/// Asserts that a case holds the 43 events, with their secret values redacted.
pub(crate) fn holds_plain(case: &Path) {
    let redacted = same_but_redacted(rebuilt(case), originals(&[repository(PLAIN)]), &key(case));
    assert!(redacted > 0);
}

/// What a case holds: its events, and reason and bytes of its rejects.
pub(crate) fn contents(case: &Path) -> (Vec<Value>, Vec<(String, Vec<u8>)>) {
    let mut rejects: Vec<_> = rejects(case).into_iter().map(|reject| (reject.0, reject.3)).collect();
    rejects.sort();
    (rebuilt(case), rejects)
}

/// One event of its own for each name, as a line.
pub(crate) fn line(name: &str) -> Vec<u8> {
    let event = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"@","stage":"ResponseComplete","requestURI":"/","verb":"get","user":{},"requestReceivedTimestamp":"2026-11-21T20:37:37.325661Z","stageTimestamp":"2026-11-21T20:37:37.325661Z"}"#;
    (event.replace('@', name) + "\n").into_bytes()
}

/// A zip without its directory: the members alone.
pub(crate) fn without_directory(zip: &[u8]) -> &[u8] {
    &zip[..memchr::memmem::find(zip, b"PK\x01\x02").unwrap()]
}

/// A zip that was written into a pipe, so that lengths stand behind the members.
pub(crate) fn streamed_zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ::zip::ZipWriter::new_stream(Vec::new());
    for (name, bytes) in members {
        writer.start_file(*name, ::zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}
