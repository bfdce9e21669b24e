//! What is not text. Every kind of file that is told by how it begins is told among these alone.
//!
//! A piece of a log that was cut may begin with anything that a client sent, and taken for another kind it would not be
//! read. No client can put a NUL, or what is no UTF-8, into a log: JSON escapes them.

/// Bytes that tell of what kind something is: the header of a tar's first member is the longest sign. They are enough
/// to tell any kind from text, too: what is compressed in 512 bytes without a NUL would have to be UTF-8 by chance.
pub(crate) const SIGN_BYTES: usize = 512;

/// The beginning of something that is not text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Binary<'h>(&'h [u8]);

impl<'h> Binary<'h> {
    /// `None` when `head` is the beginning of a text, or of one that was cut within its first character.
    pub(crate) fn of(head: &'h [u8]) -> Option<Self> {
        let cut = head.iter().take(3).take_while(|byte| matches!(byte, 0x80..=0xbf)).count();
        let sign = &head[cut..head.len().min(SIGN_BYTES).max(cut)];
        let is_text =
            !sign.contains(&0) && std::str::from_utf8(sign).map_or_else(|error| error.error_len().is_none(), |_| true);
        (!is_text).then_some(Self(head))
    }

    /// All bytes of the beginning.
    pub(crate) fn head(self) -> &'h [u8] {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::archive::Format as Archive;
    use crate::sources::closed::Closed;
    use crate::sources::decompress::Method;
    use crate::sources::tables::Format as Table;

    #[test]
    fn text_is_of_no_kind_whatever_it_begins_with() {
        // What a client sent, where a log was cut.
        let mut header = "a".repeat(148) + "000000\" " + &"a".repeat(356);
        let sum: u32 =
            header.bytes().map(u32::from).sum::<u32>() - header[148..156].bytes().map(u32::from).sum::<u32>() + 8 * 32;
        header.replace_range(148..156, &format!("{sum:06o}  "));
        for sign in [
            "BZh91AY&SY",
            "BZh9\u{17}rE8P",
            "PAR1PAR1",
            "PK\u{3}\u{4}",
            "PK\u{5}\u{6}",
            "P*M\u{18}",
            "Obj\u{1}",
            "Salted__PGDMP",
            "070701",
            "ORC",
            "\n\r\r\n",
            &header,
            "",
        ] {
            let log = format!("{sign}\"}}\n{{\"kind\":\"Event\",\"note\":\"\u{1f600}\"}}\n");
            assert!(Binary::of(log.as_bytes()).is_none(), "{sign:?}");
        }
        for cut in 1..4 {
            let text = "\u{1f600}\"}\n{\"kind\":\"Event\",\"auditID\":\"x\"}";
            assert!(Binary::of(&text.as_bytes()[cut..]).is_none(), "{cut}");
        }
    }

    #[test]
    fn each_kind_is_told_when_it_is_not_text() {
        let of = |head: &[u8]| {
            let sign = Binary::of(head)?;
            let archive = Archive::of(sign).map(Archive::name);
            let table = || Table::of(sign).map(Table::name);
            archive
                .or_else(|| Method::of(sign).map(Method::name))
                .or_else(table)
                .or_else(|| Closed::of(sign).map(|_| "closed"))
        };
        for (head, kind) in [
            (&b"\x1f\x8b\x08\0"[..], Some("gzip")),
            (b"\x28\xb5\x2f\xfd\x04", Some("zstd")),
            (b"\x50\x2a\x4d\x18\x04\0\0\0", Some("zstd")),
            (b"\xfd7zXZ\0\0", Some("xz")),
            (b"BZh91AY&SY\x12\x34\x56\x78\0\0\x01", Some("bzip2")),
            (b"BZh9\x17\x72\x45\x38\x50\x90\0\0\0\0", Some("bzip2")),
            (b"PK\x03\x04\x14\0", Some("zip")),
            (b"PAR1\x15\x04\x15\x80\x01\x15", Some("parquet")),
            (b"Obj\x01\x04\x14avro.codec\x08null\0", Some("avro")),
            (b"7z\xbc\xaf\x27\x1c\0\x04", Some("closed")),
            (b"\0\x01", None),
        ] {
            assert_eq!(of(head), kind, "{head:?}");
        }
    }
}
