//! What AWS CloudWatch delivers to subscribers: `{"messageType":"DATA_MESSAGE",…,"logEvents":[{"message":"{…}"}]}`.
//!
//! Firehose writes these objects one behind the other, without a line end. Lambda and Kinesis get them packed: gzip, then
//! base64, in `awslogs.data` or `Records[].kinesis.data`; the command line prints `Records[].Data`, and who takes the payload out has a line of it. `CONTROL_MESSAGE`s are rejects.
//!
//! A packed text can be a bomb: what is longer than the longest record when it is unpacked is not looked at, and kept as it is.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::MultiGzDecoder;

use super::packed::GZIP as MAGIC;
use super::{MAX_RECORD_BYTES, Opener, Shape};
use crate::reject::Reason;

pub(super) static SHAPE: Shape = Shape {
    name: "cloudwatch-subscription",
    summary: "AWS CloudWatch as Firehose, Lambda or Kinesis get it, packed or not",
    recognises: |head| {
        let packed = ["awslogs.data", "Records.kinesis.data", "kinesis.data", "records.data", "Records.Data", "data"];
        head.has("logEvents")
            || head.line.trim_start_matches('"').starts_with(MAGIC)
            || packed.iter().any(|path| head.text(path).starts_with(MAGIC))
    },
    framing: None,
    opener: Opener::Packed(MAGIC, unpack),
    traces: &[b"\"data\":\"H4sI", b"\"data\": \"H4sI", b"\"Data\":\"H4sI", b"\"Data\": \"H4sI"],
};

/// The text that is packed in `text`; `None` when it is not packed.
fn unpack(text: &str) -> Option<Result<String, Reason>> {
    let packed = text.trim_ascii();
    packed.starts_with(MAGIC).then(|| unpack_within(packed, MAX_RECORD_BYTES))
}

fn unpack_within(packed: &str, limit: usize) -> Result<String, Reason> {
    let failed = |error: &dyn std::fmt::Display| Reason::Packed { message: error.to_string() };
    let gzip = STANDARD.decode(packed).map_err(|error| failed(&error))?;
    let mut text = Vec::new();
    let mut content = MultiGzDecoder::new(gzip.as_slice()).take(limit as u64 + 1);
    content.read_to_end(&mut text).map_err(|error| failed(&error))?;
    if text.len() > limit {
        return Err(failed(&format!("it is longer than {limit} bytes")));
    }
    String::from_utf8(text).map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(text: &[u8]) -> String {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, text).unwrap();
        STANDARD.encode(encoder.finish().unwrap())
    }

    #[test]
    fn packed_text_is_unpacked_and_a_bomb_is_not() {
        let packed = pack(b"{}");
        assert!(packed.starts_with(MAGIC));
        assert_eq!(unpack(&packed), Some(Ok("{}".to_owned())));
        assert_eq!(unpack("{}"), None);
        let bomb = pack(&vec![b' '; 100_000]);
        assert!(bomb.len() < 2_000);
        let reason = unpack_within(&bomb, 99_999).unwrap_err().to_string();
        assert_eq!(reason, "the packed text in it cannot be unpacked: it is longer than 99999 bytes");
        assert_eq!(unpack_within(&bomb, 100_000).map(|text| text.len()), Ok(100_000));
        for damaged in [&packed[..packed.len() - 1], &packed[..12], "H4sI????", &pack(b"\xff")] {
            assert!(matches!(unpack(damaged), Some(Err(Reason::Packed { .. }))), "{damaged}");
        }
    }
}
