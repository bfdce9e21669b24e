//! Text with colours, as terminals show it: `jq -C`, `grep --color`, `kubectl --color` and the AWS CLI write them, and `script` keeps them.
//!
//! A sequence that colours begins with an escape, which JSON never holds as it is: so none is a part of an event, and all are taken
//! out, wherever they stand. Whoever reads the text then reads what was printed.

use std::io::{self, Read};

use memchr::memchr;

/// Stored bytes that are read at once.
const READ_BYTES: usize = 256 * 1024;

/// What every sequence begins with.
const ESCAPE: u8 = 0x1b;

/// Longest sequence that is one: a colour of 24 bits in front and behind is shorter.
const MAX_SEQUENCE: usize = 64;

/// What stands at an escape.
#[derive(Debug, PartialEq, Eq)]
enum At {
    /// A sequence that colours, of that length.
    Colour(usize),
    /// Something else.
    Other,
    /// A sequence that goes on behind the bytes.
    GoesOn,
}

fn at_escape(bytes: &[u8]) -> At {
    match bytes.get(1) {
        // The letters of ASCII, which `tput sgr0` switches to.
        Some(b'(') => match bytes.get(2) {
            Some(b'B') => return At::Colour(3),
            Some(_) => return At::Other,
            None => return At::GoesOn,
        },
        Some(b'[') => (),
        Some(_) => return At::Other,
        None => return At::GoesOn,
    }
    let numbers = bytes[2..].iter().take_while(|byte| byte.is_ascii_digit() || matches!(byte, b';' | b':')).count();
    match bytes.get(2 + numbers) {
        _ if numbers > MAX_SEQUENCE => At::Other,
        // A colour, and what clears the rest of the line behind it.
        Some(b'm' | b'K') => At::Colour(numbers + 3),
        Some(_) => At::Other,
        None => At::GoesOn,
    }
}

/// Whether a text that begins so has colours.
pub(crate) fn recognises(head: &[u8]) -> bool {
    let mut from = 0;
    while let Some(escape) = memchr(ESCAPE, &head[from..]).map(|at| from + at) {
        if matches!(at_escape(&head[escape..]), At::Colour(_)) {
            return true;
        }
        from = escape + 1;
    }
    false
}

/// Reads text without its colours.
pub(crate) struct Painted<R> {
    inner: R,
    /// A sequence that is not known to be whole.
    begun: Vec<u8>,
    /// Text that has not been handed out, and how much of it has.
    text: Vec<u8>,
    given: usize,
}

impl<R: Read> Painted<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self { inner, begun: Vec::new(), text: Vec::new(), given: 0 }
    }

    pub(crate) fn stored(&self) -> &R {
        &self.inner
    }

    pub(crate) fn into_stored(self) -> R {
        self.inner
    }

    /// Reads the next bytes of the stream; whether there were any.
    fn refill(&mut self) -> io::Result<bool> {
        let mut bytes = std::mem::take(&mut self.begun);
        let read = self.inner.by_ref().take(READ_BYTES as u64).read_to_end(&mut bytes)?;
        self.text.clear();
        self.given = 0;
        let mut from = 0;
        while let Some(escape) = memchr(ESCAPE, &bytes[from..]).map(|at| from + at) {
            self.text.extend_from_slice(&bytes[from..escape]);
            from = match at_escape(&bytes[escape..]) {
                At::Colour(length) => escape + length,
                At::GoesOn if read > 0 => {
                    self.begun = bytes.split_off(escape);
                    return Ok(true);
                }
                At::Other | At::GoesOn => {
                    self.text.push(ESCAPE);
                    escape + 1
                }
            };
        }
        self.text.extend_from_slice(&bytes[from..]);
        Ok(read > 0 || !self.text.is_empty())
    }
}

impl<R: Read> Read for Painted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() {
            if !self.refill()? {
                return Ok(0);
            }
        }
        let part = buffer.len().min(self.text.len() - self.given);
        buffer[..part].copy_from_slice(&self.text[self.given..self.given + part]);
        self.given += part;
        Ok(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time.
    struct Slowly<'a>(&'a [u8]);

    impl Read for Slowly<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let one = buffer.len().min(1);
            self.0.read(&mut buffer[..one])
        }
    }

    #[test]
    fn colours_are_taken_out_and_nothing_else() {
        for (painted, bare) in [
            ("\x1b[1;39m{\n  \x1b[0m\x1b[34;1m\"a\"\x1b[0m: \x1b[38;2;255;0;0m1\x1b[m\x1b(B}", "{\n  \"a\": 1}"),
            ("\x1b[01;31m\x1b[Ksecrets\x1b[m\x1b[K", "secrets"),
            ("a\x1b[2Jb\x1b]0;title\x07c\x1b", "a\x1b[2Jb\x1b]0;title\x07c\x1b"),
            ("\x1b\x1b[0mx\x1b[12", "\x1bx\x1b[12"),
            ("", ""),
        ] {
            let mut text = String::new();
            Painted::new(painted.as_bytes()).read_to_string(&mut text).unwrap();
            assert_eq!(text, bare);
            let (mut slow, mut pieces) = (Painted::new(Slowly(painted.as_bytes())), Vec::new());
            slow.read_to_end(&mut pieces).unwrap();
            assert_eq!(pieces, bare.as_bytes());
            assert_eq!(recognises(painted.as_bytes()), painted.contains('m'), "{painted:?}");
        }
    }
}
