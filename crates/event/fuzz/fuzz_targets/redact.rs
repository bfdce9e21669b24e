//! Any bytes: the redactor ends, keeps what is no secret, and finds nothing in what it has redacted that it would
//! take for another record; the value of a Secret that is put into the text does not come out again.
#![no_main]

use kforensic_event::redact::Redactor;
use kforensic_event::{Event, json};
use libfuzzer_sys::fuzz_target;

/// Neither in any seed nor found by chance.
const SECRET: &str = "c2VjcmV0LXZhbHVlLTQ3MTE=";

fuzz_target!(|bytes: &[u8]| {
    let redactor = Redactor::new(&[7; 32]);
    let (redacted, values) = redactor.reject(bytes);
    assert_eq!(values == 0, *redacted == *bytes, "a count, and a change");
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(mut event) = Event::decode(text) {
        redactor.event(&mut event);
        for body in [&event.request_object, &event.response_object].into_iter().flatten() {
            assert!(body.starts_with(['{', '[', '"']) || !body.is_empty());
        }
    }
    // A Secret with the text as a label, torn anywhere behind its value.
    let mut label = String::new();
    json::push_string(&mut label, text);
    for secret in [
        format!(r#"{{"kind":"Secret","metadata":{{"labels":{{"x":{label}}}}},"data":{{"a":"{SECRET}"}},"type":{label}}}"#),
        format!(r#"{{"data":{{{label}:"{SECRET}"}},"type":{label},"kind":"Secret"}}"#),
    ] {
        let (whole, values) = redactor.reject(secret.as_bytes());
        assert!(values > 0 && !String::from_utf8_lossy(&whole).contains(SECRET));
        let torn = redactor.reject(&secret.as_bytes()[..secret.len() - 1]).0;
        assert!(!String::from_utf8_lossy(&torn).contains(SECRET));
    }
});
