//! Notes: what people say about events, and which reports were made. They stand beside the evidence, not in it: its
//! fingerprint does not change with them, and evidence can be asked when the notes are damaged.
//!
//! Append-only: each note holds the SHA-256 of the one before, so that none can be changed, taken out or put between
//! without notice. What the last note says can be taken off the end, as of any such chain; `verify` prints the hash
//! of the newest, to be written down.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::{Case, Writer};
use crate::ground::durable::sync_dir;
use crate::ground::error::LakeError;
use crate::ground::hash::hex;
use crate::table::notes::{Note, Notes, Said};

/// Name of the file in the case folder.
pub(crate) const NOTES_FILE: &str = "notes.jsonl";

impl Case {
    /// The notes, with their chain checked.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn notes(&self) -> Result<Notes, LakeError> {
        let path = self.root().join(NOTES_FILE);
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Notes::default()),
            Err(error) => return Err(LakeError::io("read", &path)(error)),
            // A link could name a file of somebody else.
            Ok(metadata) if !metadata.is_file() => {
                return Ok(Notes { problem: Some("is no file".to_owned()), ..Notes::default() });
            }
            Ok(_) => (),
        }
        let text = fs::read(&path).map_err(LakeError::io("read", &path))?;
        Ok(chain(&text))
    }
}

impl Writer {
    /// Writes a note behind those that are there.
    ///
    /// # Errors
    /// When the notes that are there have been altered, or the file cannot be written.
    pub fn note(&self, said: Said, now_ms: i64) -> Result<Note, LakeError> {
        let notes = self.case().notes()?;
        if let Some(problem) = notes.problem {
            return Err(LakeError::Altered { problem: format!("`{NOTES_FILE}` {problem}") });
        }
        let note = Note {
            number: notes.list.len() as u64 + 1,
            at_ms: now_ms,
            fingerprint: self.snapshot().map(|snapshot| snapshot.fingerprint.clone()).unwrap_or_default(),
            previous_sha256: notes.newest_sha256,
            said,
        };
        let path = self.case().root().join(NOTES_FILE);
        let mut text = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            read => read.map_err(LakeError::io("read", &path))?,
        };
        serde_json::to_writer(&mut text, &note).map_err(|error| LakeError::io("write", &path)(error.into()))?;
        text.push(b'\n');
        self.replace_notes(&path, &text)?;
        Ok(note)
    }

    /// Puts the whole file into the place of the one before: after a crash the one or the other is there.
    fn replace_notes(&self, path: &Path, text: &[u8]) -> Result<(), LakeError> {
        let (temporary, mut file) = self.staging.scratch.create(NOTES_FILE)?;
        file.write_all(text).and_then(|()| file.sync_all()).map_err(LakeError::io("write", &temporary))?;
        fs::rename(&temporary, path).map_err(LakeError::io("write", path))?;
        sync_dir(self.case().root())
    }
}

/// Reads notes as far as each follows the one before.
fn chain(text: &[u8]) -> Notes {
    let mut notes = Notes::default();
    let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    if lines.pop().is_some_and(|rest| !rest.is_empty()) {
        notes.problem = Some("does not end in a line end".to_owned());
    }
    for (line, number) in lines.into_iter().zip(1_u64..) {
        let problem = match serde_json::from_slice::<Note>(line) {
            Err(_) => "is no note",
            Ok(note) if note.number != number => "has another number than its place",
            Ok(note) if note.previous_sha256 != notes.newest_sha256 => "does not follow the line before",
            Ok(note) => {
                notes.list.push(note);
                notes.newest_sha256 = Some(hex(&Sha256::digest(line)));
                continue;
            }
        };
        notes.problem = Some(format!("has been altered: line {number} {problem}"));
        break;
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(count: u64) -> Vec<u8> {
        let mut text = Vec::new();
        for _ in 0..count {
            let notes = chain(&text);
            let note = Note {
                number: notes.list.len() as u64 + 1,
                at_ms: 5,
                fingerprint: "f".to_owned(),
                previous_sha256: notes.newest_sha256,
                said: Said::Tag {
                    audit_ids: vec!["a".to_owned()],
                    tag: "t".to_owned(),
                    note: Some("n".to_owned()),
                    author: None,
                },
            };
            serde_json::to_writer(&mut text, &note).unwrap();
            text.push(b'\n');
        }
        text
    }

    #[test]
    fn any_altered_byte_but_those_of_the_last_line_breaks_the_chain() {
        let text = written(3);
        assert_eq!((chain(&text).list.len(), chain(&text).problem), (3, None));
        let last = text[..text.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap();
        for at in 0..last {
            let mut altered = text.clone();
            altered[at] ^= 1;
            assert!(chain(&altered).problem.is_some(), "{at}");
        }
    }

    #[test]
    fn a_line_cannot_be_taken_out_or_torn() {
        let text = written(3);
        let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
        assert!(chain(&[lines[0], lines[2]].concat()).problem.is_some());
        assert!(chain(&[lines[1], lines[2]].concat()).problem.is_some());
        assert!(chain(&text[..text.len() - 3]).problem.is_some());
        assert_eq!(chain(b"").problem, None);
    }
}
