//! Messages that carry an event, or an entry of a log, as base64: Pub/Sub's `data`, Kinesis' `Data`, Event Hubs' `Body`.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

use super::packed::is_base64;
use super::{Opener, Shape, mentions_event};
use crate::reject::Reason;

pub(super) static SHAPE: Shape = Shape {
    name: "pubsub",
    summary: "messages with the event as base64: Google Pub/Sub, AWS Kinesis",
    recognises: |head| {
        head.has("message.data")
            || head.has("receivedMessages.message.data")
            || head.has("Records.Data")
            || (begins_json(&head.line) && is_base64(head.line.lines().next().unwrap_or_default().trim().as_bytes()))
    },
    framing: None,
    // `{` and `[` as base64 begin with one of these; what comes next tells.
    opener: Opener::Packed("e", unpack),
    // `auditID"` and `protoPayload`, as they stand behind none, one or two bytes of a group of three.
    traces: &[b"YXVkaXRJR", b"F1ZGl0SU", b"hdWRpdElE", b"cHJvdG9QYXlsb2Fk", b"Byb3RvUGF5bG9hZ", b"wcm90b1BheWxvYW"],
};

/// Whether base64 begins as that of `{"`, `{ `, `{\n` or `{\r`.
fn begins_json(text: &str) -> bool {
    ["eyJ", "eyA", "ewo", "ew0"].iter().any(|start| text.starts_with(start))
}

/// The text that base64 stands for, when it is JSON that mentions an event.
fn unpack(text: &str) -> Option<Result<String, Reason>> {
    if !begins_json(text) || !is_base64(text.as_bytes()) {
        return None;
    }
    let decoded = STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()?;
    let decoded = String::from_utf8(decoded).ok().filter(|text| mentions_event(text.as_bytes()))?;
    Some(Ok(decoded))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_that_betray_an_event_are_found_wherever_they_stand() {
        for before in ["", "x", "xy", "xyz"] {
            for word in ["\"auditID\"", "\"protoPayload\""] {
                let packed = STANDARD.encode(format!("{{\"{before}\":1,{word}:1}}"));
                assert!(
                    SHAPE.traces.iter().any(|trace| memchr::memmem::find(packed.as_bytes(), trace).is_some()),
                    "{packed}"
                );
            }
        }
        let packed = STANDARD.encode(r#"{"kind":"Event","auditID":"a"}"#);
        assert_eq!(unpack(&packed).unwrap().unwrap(), r#"{"kind":"Event","auditID":"a"}"#);
        assert!(unpack("eyJhIjoxfQ==").is_none() && unpack("east").is_none());
    }
}
