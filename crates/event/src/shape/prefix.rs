//! How far bytes are JSON, told without building anything: what a document that breaks off still has open, and where one
//! that is damaged stops to be one.
//!
//! It is lenient about words and numbers (`NaN` passes), strict about everything that says whether a place is inside
//! of a value. For this is what it is for: an object that begins where a value of a torn record can stand may have been
//! written by a client, as part of a body; where no value can stand, it is another record.

/// What can come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// A value.
    Value,
    /// A value, or the end of the list.
    Item,
    /// A name, or the end of the object.
    Member,
    /// A name.
    Name,
    /// The colon behind a name.
    Colon,
    /// What follows a value.
    Behind,
    /// Inside of a text, a name or not.
    Text { is_name: bool, escape: u8 },
    /// Inside of a number or a word.
    Word,
    /// Behind the whole document.
    Done,
    /// This is no JSON.
    Broken,
}

/// A document that is being read, byte by byte.
#[derive(Debug, Clone)]
pub(super) struct Prefix {
    /// Whether each open object or list is an object.
    open: Vec<bool>,
    at: At,
}

impl Prefix {
    /// At the beginning of a document.
    pub(super) fn new() -> Self {
        Self { open: Vec::new(), at: At::Value }
    }

    /// Reads `bytes` until the document is whole or broken: the offset behind its last byte, or of the byte that
    /// cannot be; `None` when it goes on.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Option<End> {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            if let At::Text { escape: 0, .. } = self.at {
                // Texts are most of a log: leap to what can end or break one.
                let plain = bytes[at..].iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
                match plain {
                    Some(0) => (),
                    Some(length) => {
                        at += length;
                        continue;
                    }
                    None => return None,
                }
            }
            self.step(*byte);
            match self.at {
                At::Done => return Some(End::Whole(at + 1)),
                At::Broken => return Some(End::Broken(at)),
                _ => at += 1,
            }
        }
        None
    }

    fn step(&mut self, byte: u8) {
        self.at = match (self.at, byte) {
            (At::Text { is_name, escape }, _) => Self::in_text(is_name, escape, byte),
            (At::Word, b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'.' | b'+' | b'-') => At::Word,
            (At::Word, _) => {
                self.at = At::Behind;
                return self.step(byte);
            }
            (at, b' ' | b'\t' | b'\n' | b'\r') => at,
            (At::Value | At::Item, b'{') => self.open(true),
            (At::Value | At::Item, b'[') => self.open(false),
            (At::Value | At::Item, b'"') => At::Text { is_name: false, escape: 0 },
            // A document is an object or a list.
            (At::Value | At::Item, b'0'..=b'9' | b'-' | b'a'..=b'z' | b'A'..=b'Z') if !self.open.is_empty() => At::Word,
            (At::Item, b']') => self.close(false),
            (At::Member | At::Name, b'"') => At::Text { is_name: true, escape: 0 },
            (At::Member, b'}') => self.close(true),
            (At::Colon, b':') => At::Value,
            (At::Behind, b',') => {
                if self.open.last() == Some(&true) {
                    At::Name
                } else {
                    At::Value
                }
            }
            (At::Behind, b'}') => self.close(true),
            (At::Behind, b']') => self.close(false),
            _ => At::Broken,
        };
        if self.at == At::Behind && self.open.is_empty() {
            self.at = At::Done;
        }
    }

    /// `escape` counts the bytes of an escape that are still to come; 5 stands for all that follow a backslash.
    fn in_text(is_name: bool, escape: u8, byte: u8) -> At {
        match (escape, byte) {
            (5, b'u') => At::Text { is_name, escape: 4 },
            (5, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => At::Text { is_name, escape: 0 },
            (1..=4, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => At::Text { is_name, escape: escape - 1 },
            (0, b'\\') => At::Text { is_name, escape: 5 },
            (0, b'"') if is_name => At::Colon,
            (0, b'"') => At::Behind,
            (0, 0x20..) => At::Text { is_name, escape: 0 },
            _ => At::Broken,
        }
    }

    fn open(&mut self, is_object: bool) -> At {
        self.open.push(is_object);
        if is_object { At::Member } else { At::Item }
    }

    fn close(&mut self, is_object: bool) -> At {
        if self.open.pop() == Some(is_object) { At::Behind } else { At::Broken }
    }
}

/// How a document ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Whole; its length.
    Whole(usize),
    /// Broken at this byte.
    Broken(usize),
}

/// Whether a value can stand behind what ends so: told from the last byte alone, so that it holds for a piece from the
/// middle of a record as well. A text that ends so is taken for one too: that costs a mark, no event.
pub(super) fn ends_before_a_value(text: &str) -> bool {
    text.contains('"') && text.trim_ascii_end().ends_with([':', '[', ','])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(text: &str) -> Option<End> {
        Prefix::new().read(text.as_bytes())
    }

    #[test]
    fn whole_documents_end_where_they_end() {
        for whole in
            ["{}", "[]", r#"{"a":[1,-2.5e3,true,null,NaN,{"b":"\u00e9\"}"}],"c":{}}"#, "[ [\n] , {\t} ]", r#"["x"]"#]
        {
            assert_eq!(end(whole), Some(End::Whole(whole.len())), "{whole}");
            assert_eq!(end(&format!("{whole}]]")), Some(End::Whole(whole.len())));
            (0..whole.len()).for_each(|length| assert_eq!(end(&whole[..length]), None, "{}", &whole[..length]));
        }
    }

    #[test]
    fn the_byte_that_cannot_be_is_told() {
        for (text, at) in [
            ("{]", 1),
            (r#"{"a""b"}"#, 4),
            (r#"{"a":1{"#, 6),
            (r#"{"a":"x{"kind""#, 9),
            ("{\"a\":\"x\n", 7),
            (r#"{"a":{},{"#, 8),
            (r#"{"a":[}"#, 6),
            ("x", 0),
            ("7", 0),
            (r#"{"a":"\x"}"#, 7),
            (r#"{"a":"\u00{"#, 10),
        ] {
            assert_eq!(end(text), Some(End::Broken(at)), "{text}");
        }
    }

    #[test]
    fn a_value_can_follow_a_colon_a_bracket_or_a_comma() {
        assert!(ends_before_a_value("{\"a\": ") && ends_before_a_value("{\"a\":[") && ends_before_a_value("\"},\n"));
        assert!(!ends_before_a_value("{\"a\":\"x") && !ends_before_a_value("Impacted events:"));
    }
}
