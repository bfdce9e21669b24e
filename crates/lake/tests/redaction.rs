//! No secret value of a log is found in any byte of the case, and equal values can still be matched.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use common::{content, ingest_all, ingest_as, key, logs, rebuilt, repository, rows, tree};
use kforensic_event::{COLUMNS, Cell};
use kforensic_lake::{Case, SecretValues, verify};
use memchr::memmem;
use serde_json::Value;

/// Secret values of less than this many bytes are also found by chance.
const MIN_BYTES: usize = 6;

/// Values below `data`, `stringData` and `token` of the Secrets and tokens in a document, written independently of the
/// redactor: by walking it, with JSON in strings opened.
fn secret_values(value: &Value, in_secret: bool, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
            let about = object.get("objectRef").and_then(|object| object["resource"].as_str()) == Some("secrets");
            let secret = in_secret || about || kind.starts_with("Secret");
            for (name, member) in object {
                match name.as_str() {
                    "data" | "stringData" if secret && kind != "ConfigMap" => leaves(member, out),
                    "token" => leaves(member, out),
                    _ => secret_values(member, secret, out),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                let is_data = item["path"].as_str().is_some_and(|path| path.starts_with("/data"));
                if in_secret && is_data {
                    leaves(&item["value"], out);
                }
                secret_values(item, in_secret, out);
            }
        }
        Value::String(text) if text.contains('{') => {
            if let Ok(inner) = serde_json::from_str(text) {
                secret_values(&inner, in_secret, out);
            }
        }
        _ => (),
    }
}

fn leaves(value: &Value, out: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.len() >= MIN_BYTES => _ = out.insert(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, out)),
        Value::Object(members) => members.values().for_each(|member| leaves(member, out)),
        _ => (),
    }
}

/// All secret values of the lines of some logs.
fn secrets_of(logs: &[PathBuf]) -> BTreeSet<String> {
    let mut secrets = BTreeSet::new();
    for log in logs {
        for line in content(log).split(|byte| *byte == b'\n') {
            if let Ok(event) = serde_json::from_slice::<Value>(line) {
                secret_values(&event, false, &mut secrets);
            }
        }
    }
    secrets
}

/// Every byte of a case: its files as they are, and all columns of all rows.
fn every_byte(case: &Path) -> Vec<u8> {
    let mut bytes: Vec<u8> = tree(case).into_values().flatten().collect();
    let snapshot = Case::open(case).unwrap().snapshot().unwrap();
    for file in &snapshot.files {
        rows(file, &mut |cell| {
            for column in COLUMNS {
                match cell(column.name) {
                    Cell::Text(text) => bytes.extend_from_slice(text.as_bytes()),
                    Cell::Texts(texts) => texts.iter().for_each(|text| bytes.extend_from_slice(text.as_bytes())),
                    Cell::Bytes(raw) => bytes.extend_from_slice(raw),
                    _ => (),
                }
                bytes.push(b'\n');
            }
        });
    }
    bytes
}

fn found<'a>(secrets: &'a BTreeSet<String>, bytes: &[u8]) -> Vec<&'a String> {
    secrets.iter().filter(|secret| memmem::find(bytes, secret.as_bytes()).is_some()).collect()
}

#[test]
fn no_secret_value_is_found_in_any_byte_of_a_case() {
    for folder in ["sample-logs/hardened", "tests/logs/production"] {
        let logs = logs(folder);
        let secrets = secrets_of(&logs);
        assert!(folder != "sample-logs/hardened" || secrets.len() > 20, "{} secret values", secrets.len());
        let case = common::folder();
        let report = ingest_all(&case.path().join("case"), &logs);
        assert!(secrets.is_empty() || report.redacted > 0);
        assert_eq!(found(&secrets, &every_byte(&case.path().join("case"))), Vec::<&String>::new(), "{folder}");
        // The search finds them where they are.
        let kept = case.path().join("kept");
        assert_eq!(ingest_as(&kept, &logs, SecretValues::Kept).redacted, 0);
        assert_eq!(found(&secrets, &every_byte(&kept)).len(), secrets.len(), "{folder}");
    }
}

#[test]
fn no_secret_value_is_found_whatever_wrapper_it_came_in_or_how_it_was_torn() {
    let folder = repository("tests/logs/shapes");
    let secrets = secrets_of(&[folder.join("00-plain.jsonl")]);
    assert!(!secrets.is_empty());
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let case = common::folder();
        ingest_all(&case.path().join("case"), std::slice::from_ref(&path));
        let found = found(&secrets, &every_byte(&case.path().join("case"))).len();
        assert_eq!(found, 0, "{}", path.display());
    }
}

#[test]
fn equal_values_have_equal_hashes_in_one_case_and_others_in_another() {
    let logs = logs("sample-logs/hardened");
    let hashes = |case: &Path| {
        let text = serde_json::to_string(&rebuilt(case)).unwrap();
        memmem::find_iter(text.as_bytes(), b"redacted:").map(|at| text[at..at + 25].to_owned()).collect::<BTreeSet<_>>()
    };
    let folder = common::folder();
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    // In two ingests, to see that the key stays the same.
    ingest_all(&one, &logs[..2]);
    ingest_all(&one, &logs);
    ingest_all(&other, &logs);
    assert_eq!(hashes(&one).len(), hashes(&other).len());
    assert!(hashes(&one).is_disjoint(&hashes(&other)));
    let a_secret = secrets_of(&logs).into_iter().next().unwrap();
    assert!(hashes(&one).contains(&key(&one).value(a_secret.as_bytes())));
}

#[test]
fn a_copy_is_a_duplicate_whether_secret_values_were_kept_or_not() {
    let log = repository("sample-logs/hardened/audit.log");
    let folder = common::folder();
    // Not the same bytes, so that its events are looked at.
    let copy = folder.path().join("copy.log");
    let lines: Vec<u8> = content(&log).split_inclusive(|byte| *byte == b'\n').skip(1).flatten().copied().collect();
    std::fs::write(&copy, lines).unwrap();
    for (first, second) in [
        (SecretValues::Kept, SecretValues::Redacted),
        (SecretValues::Redacted, SecretValues::Kept),
        (SecretValues::Kept, SecretValues::Kept),
    ] {
        let case = folder.path().join(format!("{first:?}-{second:?}"));
        ingest_as(&case, std::slice::from_ref(&log), first);
        let report = ingest_as(&case, std::slice::from_ref(&copy), second);
        assert_eq!((report.events, report.rejected), (0, 0));
        assert_eq!(report.duplicates, report.records);
        assert!(report.records > 0);
    }
}

#[test]
fn a_missing_or_altered_key_is_noticed() {
    let log = repository("sample-logs/hardened/audit.log");
    let folder = common::folder();
    let case = folder.path().join("case");
    ingest_all(&case, std::slice::from_ref(&log));
    let path = case.join("redaction.key");
    let good = std::fs::read(&path).unwrap();
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions()) & 0o777, 0o600);
    assert_eq!(verify(&Case::open(&case).unwrap()).unwrap().problems, []);
    for at in [0, 31] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        std::fs::write(&path, bad).unwrap();
        let problems = verify(&Case::open(&case).unwrap()).unwrap().problems;
        assert_eq!(problems.len(), 1);
        assert!(problems[0].name.ends_with("redaction.key"), "{problems:?}");
        let error = common::try_ingest(&case, &[repository("sample-logs/hardened")]).unwrap_err();
        assert!(error.to_string().contains("is not the key of this case"), "{error}");
    }
    std::fs::remove_file(&path).unwrap();
    assert_eq!(verify(&Case::open(&case).unwrap()).unwrap().problems.len(), 1);
    assert!(common::try_ingest(&case, &[repository("sample-logs/hardened")]).is_err());
}

/// Runs of base64 of that many bytes are values of Secrets in the logs of `tests/logs/redaction`.
const RUN_BYTES: usize = 60;

/// Values of Secrets in a file, found by what they look like: long runs of base64, and the marked ones.
fn looks_like_a_value(content: &[u8]) -> BTreeSet<String> {
    let words = content.split(|byte| !(byte.is_ascii_alphanumeric() || b"+/=".contains(byte)));
    let is_value = |word: &&[u8]| word.len() >= RUN_BYTES && !word.starts_with(b"/");
    words.filter(is_value).map(|word| String::from_utf8_lossy(&word[..RUN_BYTES]).into_owned()).collect()
}

#[test]
fn no_value_is_left_of_cells_parts_packed_manifests_quotations_or_manifests_in_texts() {
    let folder = repository("tests/logs/redaction");
    let named = ["Q3N2U2VjcmV0VmFsdWUw", "Q3N2U2VjcmV0VmFsdWUx", "EchoedSecret42", "U3VwZXJTZWNyZXRDYXR0bGU="];
    for log in ["export.csv", "echo.log", "cattle.log", "cmjson.log", "cri_rotated/0.log", "cri_rotated/0.log.20261121"]
    {
        let log = folder.join(log);
        let mut secrets = looks_like_a_value(&content(&log));
        secrets.extend(
            named.map(str::to_owned).into_iter().filter(|name| memmem::find(&content(&log), name.as_bytes()).is_some()),
        );
        assert!(!secrets.is_empty(), "{}", log.display());
        let case = common::folder();
        ingest_all(&case.path().join("case"), std::slice::from_ref(&log));
        assert_eq!(found(&secrets, &every_byte(&case.path().join("case"))), Vec::<&String>::new(), "{}", log.display());
    }
}
