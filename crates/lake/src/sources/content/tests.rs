//! Chunks of sources in every form.

use super::*;

fn chunks(bytes: &[u8]) -> Chunks<'static> {
    Chunks::new(Stream::new(Box::new(io::Cursor::new(bytes.to_vec()))).unwrap(), None)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    io::Write::write_all(&mut encoder, bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn chunks_end_at_line_ends_and_lose_no_byte() {
    let line = format!("{}\n", "x".repeat(999));
    let content = line.repeat(7000) + "torn";
    let mut chunks = chunks(content.as_bytes());
    let (mut joined, mut lines, mut number) = (Vec::new(), 0, 0);
    while let Some(chunk) = chunks.next() {
        assert_eq!(chunk.start.offset, i64::try_from(joined.len()).unwrap());
        assert_eq!(chunk.start.line, lines + 1);
        assert!(chunk.last || chunk.bytes.ends_with(b"\n"));
        lines += i64::try_from(memchr::memchr_iter(b'\n', &chunk.bytes).count()).unwrap();
        joined.extend_from_slice(&chunk.bytes);
        number += 1;
    }
    assert!(number > 2 && joined == content.as_bytes());
    let finished = chunks.finish().unwrap();
    assert_eq!(finished.content_bytes, content.len() as u64);
    assert_eq!(finished.sha256, <[u8; 32]>::from(Sha256::digest(&content)));
}

#[test]
fn all_members_of_a_gzip_file_are_read_and_both_hashes_differ() {
    let stored = [gzip(b"one\n"), gzip(b""), gzip(b"two\n")].concat();
    let mut chunks = chunks(&stored);
    assert_eq!(chunks.compression().name(), "gzip");
    assert_eq!(chunks.next().unwrap().bytes, b"one\ntwo\n");
    assert!(chunks.next().is_none());
    let finished = chunks.finish().unwrap();
    assert_eq!((finished.stored_bytes, finished.content_bytes), (stored.len() as u64, 8));
    assert_eq!(finished.sha256, <[u8; 32]>::from(Sha256::digest(&stored)));
    assert_eq!(finished.content_sha256, <[u8; 32]>::from(Sha256::digest(b"one\ntwo\n")));
}

#[test]
fn utf_16_is_read_as_text_whatever_the_byte_order() {
    let text = "one é \u{1f600}\n".repeat(50_000) + "two\n";
    for big_endian in [false, true] {
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        let bytes: Vec<u8> =
            units.flat_map(|unit| if big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect();
        let mut chunks = chunks(&bytes);
        assert_eq!(chunks.compression().name(), if big_endian { "utf-16be" } else { "utf-16le" });
        let mut read = Vec::new();
        while let Some(chunk) = chunks.next() {
            read.extend_from_slice(&chunk.bytes);
        }
        assert!(read == text.as_bytes());
        assert_eq!(chunks.finish().unwrap().sha256, <[u8; 32]>::from(Sha256::digest(&bytes)));
    }
    // Without a mark, and with four bytes.
    for (width, first) in [(2, true), (2, false), (4, true), (4, false)] {
        let pad = vec![0; width - 1];
        let wide = |byte: u8| if first { [&[byte][..], &pad].concat() } else { [&pad[..], &[byte]].concat() };
        let bytes: Vec<u8> = b"{\"auditID\":\"a\"}\n".iter().flat_map(|byte| wide(*byte)).collect();
        assert_eq!(chunks(&bytes).next().unwrap().bytes, b"{\"auditID\":\"a\"}\n");
    }
    // Half a unit, and half a pair, at the end.
    let mut odd = chunks(b"\xff\xfea\x00\x00\xd8b");
    assert_eq!(odd.next().unwrap().bytes, "a\u{fffd}\u{fffd}".as_bytes());
    assert!(odd.next().is_none());
}

#[test]
fn a_truncated_gzip_gives_what_it_holds_and_says_so() {
    let content = "some line that does not repeat 0123456789\n".repeat(3) + &"abcdefgh\n".repeat(50_000);
    let mut stored = gzip(content.as_bytes());
    stored.truncate(stored.len() - 9);
    let mut chunks = chunks(&stored);
    let chunk = chunks.next().unwrap();
    assert!(chunk.last && matches!(chunk.problem, Some(Problem::Unreadable { .. })));
    assert!(content.as_bytes().starts_with(&chunk.bytes) && !chunk.bytes.is_empty());
    assert_eq!(chunks.finish().unwrap().stored_bytes, stored.len() as u64);
}

#[test]
fn a_record_beyond_the_limit_is_read_over_in_bounded_memory() {
    let mut content = vec![b'x'; MAX_RECORD_BYTES + 3 * CHUNK_BYTES];
    content.extend_from_slice(b"\nnext\n");
    let mut chunks = chunks(&content);
    let first = chunks.next().unwrap();
    assert_eq!(first.bytes.len(), KEPT_OF_TOO_LONG_BYTES);
    let expected = i64::try_from(content.len() - 6).unwrap();
    assert!(matches!(first.problem, Some(Problem::TooLong { length }) if length == expected));
    let second = chunks.next().unwrap();
    assert_eq!((second.bytes.as_slice(), second.start.line), (&b"next\n"[..], 2));
    assert!(chunks.next().is_none());
    assert_eq!(chunks.finish().unwrap().content_sha256, <[u8; 32]>::from(Sha256::digest(&content)));
}

#[test]
fn a_hole_of_any_length_takes_nothing_that_stands_behind_it() {
    for (before, holes) in [("", 1), ("", 3), ("{\"torn\":\"", 2)] {
        let mut content = before.as_bytes().to_vec();
        content.resize(MAX_RECORD_BYTES + holes * CHUNK_BYTES, 0);
        let hole = content.len();
        content.extend_from_slice(b"behind\nnext\n");
        let mut chunks = chunks(&content);
        let first = chunks.next().unwrap();
        assert!(first.bytes.starts_with(before.as_bytes()));
        let expected = i64::try_from(hole - 1).unwrap();
        assert!(matches!(first.problem, Some(Problem::TooLong { length }) if length == expected));
        let second = chunks.next().unwrap();
        assert_eq!(second.bytes, b"\0behind\nnext\n");
        assert_eq!(second.start, Position { line: 1, offset: expected });
        assert!(chunks.next().is_none());
        assert_eq!(chunks.finish().unwrap().content_sha256, <[u8; 32]>::from(Sha256::digest(&content)));
    }
    let line = [vec![0; MAX_RECORD_BYTES + CHUNK_BYTES], b"\nnext\n".to_vec()].concat();
    let mut of_line = chunks(&line);
    of_line.next().unwrap();
    assert_eq!(of_line.next().unwrap().bytes, b"next\n");
    let mut chunks = chunks(&vec![0; MAX_RECORD_BYTES + 2 * CHUNK_BYTES]);
    let length = i64::try_from(MAX_RECORD_BYTES + 2 * CHUNK_BYTES).unwrap();
    assert!(matches!(chunks.next().unwrap().problem, Some(Problem::TooLong { length: told }) if told == length));
    assert!(chunks.next().is_none());
}

#[test]
fn what_was_read_before_is_skipped_but_hashed() {
    let content = b"one\ntwo\nthree\n";
    let mut chunks = chunks(content);
    chunks.skip(8, 3).unwrap();
    assert_eq!(chunks.sha256_so_far(), hex(&Sha256::digest(b"one\ntwo\n")));
    let chunk = chunks.next().unwrap();
    assert_eq!((chunk.bytes.as_slice(), chunk.start), (&b"three\n"[..], Position { line: 3, offset: 8 }));
    assert_eq!(chunks.finish().unwrap().content_sha256, <[u8; 32]>::from(Sha256::digest(content)));
    assert!(self::chunks(b"one\n").skip(5, 2).is_err());
}
