//! Zip, by its central directory; when that is missing, member by member from the beginning.

use std::io::{Read, Seek, SeekFrom};

use ::zip::read::{Config, ZipFile, read_zipfile_from_stream};
use ::zip::unstable::read::ZipIterable;
use ::zip::{CompressionMethod, ZipReadOptions};

use super::Walk;
use crate::ground::error::LakeError;

impl Walk<'_> {
    /// Walks a zip.
    pub(super) fn zip<R: Read + Seek>(&mut self, zip: &mut R, name: &str, depth: usize) -> Result<(), LakeError> {
        self.told = false;
        let mut directory = match ZipIterable::try_new(&mut *zip, Config::default()) {
            Ok(directory) => directory,
            Err(error) => {
                self.visitor.damaged(name, &format!("{error}; only what stands before is read"));
                return self.zip_without_directory(zip, name, depth);
            }
        };
        let files = match directory.files() {
            Ok(files) => files,
            Err(error) => {
                self.visitor.damaged(name, &error.to_string());
                return Ok(());
            }
        };
        while let Some(entry) = files.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.visitor.damaged(name, &format!("its directory cannot be read on: {error}"));
                    return Ok(());
                }
            };
            if entry.is_dir() {
                continue;
            }
            let member = self.next(name, entry.name_raw(), entry.size());
            if let Some(reason) = odd(entry.is_symlink(), entry.encrypted(), entry.compression()) {
                self.visitor.left_out(&member, &reason);
                continue;
            }
            match entry.with_reader(files.reader_mut(), ZipReadOptions::default()) {
                Ok(mut file) => self.file(&member, &mut file, depth)?,
                Err(error) => self.visitor.damaged(&member.name, &error.to_string()),
            }
            if self.stopped {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Reads members as they stand, up to the first that is not whole or does not tell its length.
    fn zip_without_directory<R: Read + Seek>(
        &mut self,
        zip: &mut R,
        name: &str,
        depth: usize,
    ) -> Result<(), LakeError> {
        if zip.seek(SeekFrom::Start(0)).is_err() {
            return Ok(());
        }
        while let Ok(Some(mut file)) = read_zipfile_from_stream(zip) {
            if !file.is_dir() {
                self.zip_member(&mut file, name, depth)?;
            }
            if self.stopped {
                break;
            }
        }
        Ok(())
    }

    fn zip_member<R: Read>(&mut self, file: &mut ZipFile<'_, R>, name: &str, depth: usize) -> Result<(), LakeError> {
        let member = self.next(name, file.name_raw(), file.size());
        match odd(file.is_symlink(), file.encrypted(), file.compression()) {
            Some(reason) => self.visitor.left_out(&member, &reason),
            None => self.file(&member, file, depth)?,
        }
        Ok(())
    }
}

/// Why a member is not read.
fn odd(symlink: bool, encrypted: bool, method: CompressionMethod) -> Option<String> {
    match method {
        _ if encrypted => Some("encrypted".to_owned()),
        _ if symlink => Some("a symbolic link".to_owned()),
        CompressionMethod::Stored
        | CompressionMethod::Deflated
        | CompressionMethod::Deflate64
        | CompressionMethod::Bzip2
        | CompressionMethod::Zstd => None,
        other => Some(format!("compressed by a method that is not supported: {other}")),
    }
}
