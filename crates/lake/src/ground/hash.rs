//! SHA-256 of what passes through, and how hashes are written.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

/// Hands on what is read or written, counts it and hashes it.
#[derive(Debug)]
pub(crate) struct Hashing<T> {
    pub(crate) inner: T,
    /// `None` when nobody asks for the hash: what passes is hashed elsewhere.
    pub(crate) hash: Option<Sha256>,
    pub(crate) bytes: u64,
}

impl<T> Hashing<T> {
    /// Counts and hashes from here on.
    pub(crate) fn new(inner: T) -> Self {
        Self { inner, hash: Some(Sha256::new()), bytes: 0 }
    }

    fn passed(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        if let Some(hash) = &mut self.hash {
            hash.update(bytes);
        }
    }

    /// The hash of what passed, in hex.
    pub(crate) fn sha256(&self) -> String {
        hex(&self.hash.clone().unwrap_or_default().finalize())
    }
}

impl<T: Read> Read for Hashing<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.passed(&buffer[..read]);
        Ok(read)
    }
}

impl<T: Write> Write for Hashing<T> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(buffer)?;
        self.passed(&buffer[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Adds all that `from` has to `hash`; returns its length in bytes.
pub(crate) fn hash_all(from: &mut dyn Read, hash: &mut Sha256) -> io::Result<u64> {
    let mut hashing = Hashing { inner: io::sink(), hash: Some(std::mem::take(hash)), bytes: 0 };
    let copied = io::copy(from, &mut hashing);
    *hash = hashing.hash.unwrap_or_default();
    copied
}

/// SHA-256 of the stored bytes of a file, in hex.
pub(crate) fn sha256_of_file(path: &Path) -> io::Result<String> {
    let mut hash = Sha256::new();
    hash_all(&mut File::open(path)?, &mut hash)?;
    Ok(hex(&hash.finalize()))
}

/// Bytes as lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
