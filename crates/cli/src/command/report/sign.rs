//! Signatures of reports, as minisign makes and checks them: `minisign -Vm report.html -p key.pub` does it too.
//!
//! The trusted comment, which the signature covers, holds the fingerprint of the case: with it, what is forwarded can be
//! held against the evidence.

use std::io::{Cursor, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use kforensic_report::ReportError;
use minisign::{PublicKey, SecretKey, SecretKeyBox, SignatureBox};

use crate::error::CliError;
use crate::output::Output;

/// Variable with the password of the key, for who signs without a terminal.
const PASSWORD: &str = "KFORENSIC_SIGN_PASSWORD";

/// Where a secret key of minisign says how its password is used, and what that says when it has none.
const KDF: Range<usize> = 2..4;
const NO_KDF: [u8; 2] = [0, 0];

/// Where the checksum of a secret key stands. `minisign -G -W` of version 0.11 writes none for a key without a password,
/// and reads it back unchecked; our crate would take that for damage.
const CHECKSUM: Range<usize> = 126..158;

/// A secret key that is ready.
pub(crate) struct Key(SecretKey);

impl Key {
    /// Reads a secret key, as `minisign -G` writes it; its password is asked for when it has one.
    pub(crate) fn read(path: &Path) -> Result<Self, CliError> {
        let text = std::fs::read_to_string(path).map_err(|source| CliError::Input { path: path.to_owned(), source })?;
        let failed = |error: minisign::PError| CliError::Key { path: path.to_owned(), problem: error.to_string() };
        let sealed = SecretKeyBox::from_string(&text).map_err(failed)?;
        let bytes = bytes(&text);
        let has_password = bytes.get(KDF) != Some(&NO_KDF);
        if has_password {
            return Ok(Self(sealed.into_secret_key(std::env::var(PASSWORD).ok()).map_err(failed)?));
        }
        let has_checksum = bytes.get(CHECKSUM).is_some_and(|sum| sum.iter().any(|byte| *byte != 0));
        let key = if has_checksum { sealed.into_unencrypted_secret_key() } else { SecretKey::from_bytes(&bytes) };
        Ok(Self(key.map_err(failed)?))
    }

    /// Signs a report that is written, beside it.
    pub(crate) fn sign(
        &self,
        report: &Path,
        text: &[u8],
        fingerprint: &str,
        case: &Path,
        replaces: bool,
    ) -> Result<(), CliError> {
        let comment = format!("kforensic case fingerprint {fingerprint}");
        let failed = |error: minisign::PError| CliError::Key { path: report.to_owned(), problem: error.to_string() };
        let made_by = "signature of a report by kforensic";
        let signature =
            minisign::sign(None, &self.0, Cursor::new(text), Some(&comment), Some(made_by)).map_err(failed)?;
        let mut output = Output::open_text(Some(&beside(report)), case, replaces)?;
        output.write_all(signature.to_string().as_bytes()).map_err(ReportError::from)?;
        output.finish().map(drop)
    }
}

/// What stands in a key file below its comment; nothing when that is no Base64.
fn bytes(text: &str) -> Vec<u8> {
    let line = text.lines().nth(1).unwrap_or_default();
    BASE64_STANDARD.decode(line.trim()).unwrap_or_default()
}

/// The name of the signature of a file.
fn beside(report: &Path) -> PathBuf {
    let mut name = report.as_os_str().to_owned();
    name.push(".minisig");
    name.into()
}

/// Checks the signature of a report. Returns the fingerprint of the case that it is about, or `None` when report and
/// signature do not fit.
///
/// # Errors
/// When the key, the report or its signature cannot be read.
pub(crate) fn check(report: &Path, key: &Path) -> Result<Option<String>, CliError> {
    let input = |path: &Path| {
        let path = path.to_owned();
        move |source| CliError::Input { path, source }
    };
    let key_text = std::fs::read_to_string(key).map_err(input(key))?;
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error: minisign::PError| CliError::Key { path, problem: error.to_string() }
    };
    // A file as minisign writes it, or the line of the key alone.
    let line = key_text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
    let public = PublicKey::from_base64(line.trim()).map_err(failed(key))?;
    let path = beside(report);
    let text = std::fs::read_to_string(&path).map_err(input(&path))?;
    let signature = SignatureBox::from_string(&text).map_err(failed(&path))?;
    let bytes = std::fs::read(report).map_err(input(report))?;
    if minisign::verify(&public, &signature, Cursor::new(bytes), true, false, false).is_err() {
        return Ok(None);
    }
    let comment = signature.trusted_comment().map_err(failed(&path))?;
    Ok(comment.strip_prefix("kforensic case fingerprint ").map(str::to_owned))
}
