//! Files of kinds that are not opened here, each with what to do instead.
//!
//! A kind is told by how a file begins. Whoever names such a file is told what it is, and not that its bytes are no JSON.

use crate::sources::binary::{Binary, SIGN_BYTES};
use crate::sources::content::MAX_LAYERS;
use crate::sources::decompress::Method;

/// A kind of file that is not opened.
#[derive(Debug)]
pub(crate) struct Closed {
    /// What it is, and what to do with it.
    pub(crate) what: &'static str,
    /// Nothing of what it holds can be seen from outside.
    pub(crate) is_opaque: bool,
    is: fn(&[u8]) -> bool,
}

/// A kind that hides what it holds.
const fn opaque(what: &'static str, is: fn(&[u8]) -> bool) -> Closed {
    Closed { what, is_opaque: true, is }
}

/// A kind whose texts stand in it as they are.
const fn clear(what: &'static str, is: fn(&[u8]) -> bool) -> Closed {
    Closed { what, is_opaque: false, is }
}

/// What is left when all layers that are undone have been.
const TOO_OFTEN: &str = "compressed more than 4 times, one in another; unpack it once and ingest that";
const _: () = assert!(MAX_LAYERS == 4, "it is what the text says");

/// All kinds.
static KINDS: &[Closed] = &[
    opaque("a 7z archive; unpack it and ingest what is in it", |head| head.starts_with(b"7z\xbc\xaf\x27\x1c")),
    opaque("a RAR archive; unpack it and ingest what is in it", |head| head.starts_with(b"Rar!\x1a\x07")),
    opaque("a cabinet archive; unpack it and ingest what is in it", |head| head.starts_with(b"MSCF\0\0\0\0")),
    opaque("a cpio archive; unpack it and ingest what is in it", |head| {
        head.starts_with(b"070701") || head.starts_with(b"070707") || head.starts_with(b"\xc7\x71")
    }),
    opaque("compressed with lz4; unpack it (`lz4 -d`) and ingest that", |head| {
        head.starts_with(b"\x04\x22\x4d\x18") || head.starts_with(b"\x02\x21\x4c\x18")
    }),
    opaque("compressed with lzip; unpack it (`lzip -d`) and ingest that", |head| head.starts_with(b"LZIP\x01")),
    opaque("compressed with lzop; unpack it (`lzop -d`) and ingest that", |head| head.starts_with(b"\x89LZO\0")),
    opaque("compressed with compress; unpack it (`uncompress`) and ingest that", |head| head.starts_with(b"\x1f\x9d")),
    opaque("compressed with snappy; unpack it and ingest that", |head| head.starts_with(b"\xff\x06\0\0sNaPpY")),
    opaque("compressed with lzma; unpack it (`xz --format=lzma -d`) and ingest that", |head| {
        head.starts_with(b"\x5d\0\0")
    }),
    opaque("compressed with zlib; unpack it (`zlib-flate -uncompress`) and ingest that", |head| {
        matches!(head, [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..])
    }),
    opaque(TOO_OFTEN, |head| Binary::of(head).is_some_and(|sign| Method::of(sign).is_some())),
    opaque("encrypted with age; decrypt it and ingest that", |head| head.starts_with(b"age-encryption.org/")),
    opaque("encrypted with OpenSSL; decrypt it and ingest that", |head| head.starts_with(b"Salted__")),
    opaque("an ORC file; export it as JSON, one event a line", |head| head.starts_with(b"ORC")),
    opaque("an Arrow file; export it as JSON, one event a line", |head| head.starts_with(b"ARROW1\0\0")),
    opaque("a dump of PostgreSQL; restore it, and export the table as CSV or JSON", |head| head.starts_with(b"PGDMP")),
    opaque("a dump of Redis; load it, and export the events as JSON, one a line", |head| head.starts_with(b"REDIS00")),
    opaque("a workbook of old Excel, or another document of Office; save the sheet as CSV", |head| {
        head.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
    }),
    opaque("a PDF; export the log itself as CSV or JSON", |head| head.starts_with(b"%PDF-")),
    clear("an SQLite database; export its table as JSON or CSV (`sqlite3 -json`)", |head| {
        head.starts_with(b"SQLite format 3\0")
    }),
    clear("a journal of systemd; export it with `journalctl --file … -o json`", |head| head.starts_with(b"LPKSHHRH")),
    clear("a log of Windows events; none of Kubernetes' is in one", |head| head.starts_with(b"ElfFile\0")),
    clear("a capture of network traffic; the log itself is on the API server, or where it sends it", |head| {
        const MAGIC: [&[u8]; 4] = [b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\x0a\x0d\x0d\x0a"];
        MAGIC.iter().any(|magic| head.starts_with(magic))
    }),
    clear("a snapshot of etcd, which holds objects and no audit log", |head| {
        head.get(16..20) == Some(b"\xed\xda\x0c\xed")
    }),
    clear("objects in the API server's binary form; get them as JSON", |head| head.starts_with(b"k8s\0")),
    clear(
        "a dump of MongoDB (BSON); export the collection with `mongoexport`",
        |head| matches!(head, [_, _, _, 0, 1..=0x13, name @ ..] if name.starts_with(b"_id\0")),
    ),
    clear("a pickle of Python; write the events as JSON, one a line", |head| {
        matches!(head, [0x80, 2..=5, 0x95 | b']' | b'}' | b'(' | b'c', ..])
    }),
    // The first byte of a list or an object of more than a few members, with which no text in UTF-8 begins.
    clear("a binary form of JSON (MessagePack or CBOR); write the events as JSON, one a line", |head| {
        matches!(head, [0x81..=0xbf, ..]) && holds_text_of_json(head)
    }),
    clear("a binary form of JSON (MessagePack); write the events as JSON, one a line", |head| {
        matches!(head, [0xdc..=0xdf, ..]) && holds_text_of_json(head)
    }),
];

impl Closed {
    /// The kind of a file that begins so.
    pub(crate) fn of(sign: Binary<'_>) -> Option<&'static Self> {
        KINDS.iter().find(|kind| (kind.is)(sign.head()))
    }
}

/// Whether the names of an event, or the event as text, stand among the first bytes.
fn holds_text_of_json(head: &[u8]) -> bool {
    let head = &head[..head.len().min(SIGN_BYTES * 16)];
    [&b"auditID"[..], b"audit.k8s.io", b"apiVersion"].iter().any(|name| memchr::memmem::find(head, name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(head: &[u8]) -> &'static str {
        Binary::of(head).and_then(Closed::of).map_or("", |closed| closed.what)
    }

    #[test]
    fn kinds_are_told_by_how_a_file_begins() {
        for (head, named) in [
            (&b"7z\xbc\xaf\x27\x1c\0\x04"[..], "7z"),
            (b"SQLite format 3\0\x10\0", "SQLite"),
            (b"LPKSHHRH\0\0\0\0", "journalctl"),
            (b"\x9a\x02\0\0\x07_id\0\x65\xa0", "mongoexport"),
            (b"\x80\x04\x95\x10\0\0", "pickle"),
            (b"\x8f\xa4kind\xa5Event\xa7auditID\xa1x", "MessagePack"),
            (b"\xae\x64kind\x65Event\x67auditID\x61x\x64user\xa1\x61x\x61y", "CBOR"),
            (b"\xde\0\x10\xa4kind\xa5Event\xa7auditID\xa1x", "MessagePack"),
            (
                b"\x92\xd7\0\x6a\x01\x02\x03\0\0\0\0\x81\xa3log\xda\x02\x85{\"kind\":\"Event\",\"apiVersion\":",
                "MessagePack",
            ),
            (b"070701000A0B0C\0\0x", "cpio"),
            (b"\x1f\x8b\x08\0\0\0\0\0\0\x03", "more than 4 times"),
            (b"x\x9c\xed\x57\x5b\x6f", "zlib"),
            (b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a", "network"),
        ] {
            assert!(what(head).contains(named), "{head:?}: {}", what(head));
        }
    }

    #[test]
    fn no_kind_is_told_twice_and_each_says_what_to_do() {
        let mut all: Vec<&str> = KINDS.iter().map(|kind| kind.what).collect();
        assert!(all.iter().all(|what| what.len() < 100 && what.contains([';', ',']) && !what.ends_with('.')));
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), KINDS.len());
    }
}
