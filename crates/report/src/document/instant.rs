//! Instants of a document, in microseconds since 1970, as text. Always UTC.

use arrow::datatypes::TimeUnit;

use crate::time;

/// `2026-11-21T20:37:38.239247Z`.
pub(crate) fn rfc3339(micros: i64) -> String {
    written(micros, time::write_rfc3339)
}

/// `2026-11-21 20:37:38.239`.
pub(crate) fn millis(micros: i64) -> String {
    written(micros, time::write_millis)
}

/// `2026-11-21 20:37:38`.
pub(crate) fn seconds(micros: i64) -> String {
    let text = millis(micros);
    text.split_once('.').map_or_else(|| text.clone(), |(whole, _)| whole.to_owned())
}

/// A length of time as people say it, in at most two units: `2 min 42 s`, `4 d 20 h`, `0.3 s`.
pub(crate) fn length(micros: i64) -> String {
    const UNITS: [(&str, i64); 4] = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];
    let micros = micros.unsigned_abs();
    let seconds = i64::try_from(micros / 1_000_000).unwrap_or(i64::MAX);
    if seconds < 10 {
        let tenths = micros / 100_000;
        return format!("{}.{} s", tenths / 10, tenths % 10);
    }
    let first = UNITS.iter().position(|(_, size)| seconds >= *size).unwrap_or(UNITS.len() - 1);
    let (unit, size) = UNITS[first];
    let mut text = format!("{} {unit}", seconds / size);
    if let Some((unit, smaller)) = UNITS.get(first + 1) {
        let rest = seconds % size / smaller;
        if rest > 0 {
            text.push_str(&format!(" {rest} {unit}"));
        }
    }
    text
}

fn written(micros: i64, write: impl FnOnce(&mut Vec<u8>, chrono::NaiveDateTime) -> std::io::Result<()>) -> String {
    let Some(at) = time::instant(micros, TimeUnit::Microsecond) else {
        return time::beyond(micros, TimeUnit::Microsecond);
    };
    let mut out = Vec::new();
    // Writing to memory cannot fail, and what is written is ASCII.
    let _ = write(&mut out, at);
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_said_in_two_units() {
        let cases = [
            (0, "0.0 s"),
            (8_290_000, "8.2 s"),
            (59_000_000, "59 s"),
            (162_400_000, "2 min 42 s"),
            (3_600_000_000, "1 h"),
            (86_400_000_000 * 4 + 3_600_000_000 * 20 + 5, "4 d 20 h"),
            (-90_000_000, "1 min 30 s"),
        ];
        for (micros, text) in cases {
            assert_eq!(length(micros), text);
        }
    }

    #[test]
    fn instants_that_no_calendar_has_are_told_as_they_are() {
        assert_eq!(rfc3339(1_795_293_458_239_247), "2026-11-21T20:37:38.239247Z");
        assert_eq!(seconds(1_795_293_458_239_247), "2026-11-21 20:37:38");
        assert_eq!(rfc3339(i64::MAX), "infinity");
    }
}
