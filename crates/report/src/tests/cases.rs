//! One value of every Arrow type, with what each format makes of it.

use std::sync::Arc;

use arrow::array::builder::{FixedSizeBinaryBuilder, StringRunBuilder};
use arrow::array::types::{Int32Type, UInt8Type};
use arrow::array::*;
use arrow::compute::cast;
use arrow::datatypes::{DataType, IntervalDayTime, IntervalMonthDayNano, i256};

/// 2026-11-21T20:37:38.239247Z in microseconds.
pub(crate) const MICROS: i64 = 1_795_293_458_239_247;

/// A value, and its JSON, CSV and table text. The array has the value in row 0 and NULL in row 1.
pub(crate) struct Case {
    pub(crate) array: ArrayRef,
    pub(crate) json: String,
    pub(crate) plain: String,
    pub(crate) shown: String,
}

/// A value that every format writes in its own way.
pub(crate) fn case(array: impl Array + 'static, json: &str, plain: &str, shown: &str) -> Case {
    let [json, plain, shown] = [json, plain, shown].map(str::to_owned);
    Case { array: Arc::new(array), json, plain, shown }
}

/// A value that every format writes in the same way.
pub(crate) fn same(array: impl Array + 'static, text: &str) -> Case {
    case(array, text, text, text)
}

/// A value that is text, in quotes in JSON.
fn quoted(array: impl Array + 'static, text: &str) -> Case {
    case(array, &format!("\"{text}\""), text, text)
}

/// An instant, by its RFC 3339 form.
fn instant(array: impl Array + 'static, rfc3339: &str) -> Case {
    let shown = rfc3339[..23].replace('T', " ");
    case(array, &format!("\"{rfc3339}\""), rfc3339, &shown)
}

pub(crate) fn integers() -> Vec<Case> {
    vec![
        same(BooleanArray::from(vec![Some(true), None]), "true"),
        same(Int8Array::from(vec![Some(i8::MIN), None]), "-128"),
        same(Int16Array::from(vec![Some(i16::MIN), None]), "-32768"),
        same(Int32Array::from(vec![Some(403), None]), "403"),
        same(Int64Array::from(vec![Some(i64::MIN), None]), "-9223372036854775808"),
        same(UInt8Array::from(vec![Some(255), None]), "255"),
        same(UInt16Array::from(vec![Some(65_535), None]), "65535"),
        same(UInt32Array::from(vec![Some(u32::MAX), None]), "4294967295"),
        same(UInt64Array::from(vec![Some(u64::MAX), None]), "18446744073709551615"),
    ]
}

pub(crate) fn fractions() -> Vec<Case> {
    let half = cast(&Float32Array::from(vec![Some(1.5), None]), &DataType::Float16).unwrap();
    let half = half.as_any().downcast_ref::<Float16Array>().unwrap().clone();
    let small = Decimal32Array::from(vec![Some(-5), None]).with_precision_and_scale(9, 2).unwrap();
    let exact = Decimal64Array::from(vec![Some(12_340), None]).with_precision_and_scale(18, 3).unwrap();
    let huge = Decimal128Array::from(vec![Some(i128::MAX), None]).with_precision_and_scale(38, 0).unwrap();
    let round = Decimal128Array::from(vec![Some(12), None]).with_precision_and_scale(10, -2).unwrap();
    let wide = i256::from_string("-12345678901234567890123456789012345678901234567890").unwrap();
    let wide = Decimal256Array::from(vec![Some(wide), None]).with_precision_and_scale(76, 10).unwrap();
    vec![
        same(half, "1.5"),
        same(Float32Array::from(vec![Some(0.1), None]), "0.1"),
        same(Float64Array::from(vec![Some(1.0), None]), "1.0"),
        same(Float64Array::from(vec![Some(0.1 + 0.2), None]), "0.30000000000000004"),
        case(Float64Array::from(vec![Some(f64::NAN), None]), "null", "NaN", "NaN"),
        case(Float64Array::from(vec![Some(f64::INFINITY), None]), "null", "inf", "inf"),
        case(Float32Array::from(vec![Some(f32::NEG_INFINITY), None]), "null", "-inf", "-inf"),
        same(small, "-0.05"),
        same(exact, "12.340"),
        same(huge, "170141183460469231731687303715884105727"),
        same(round, "1200"),
        same(wide, "-1234567890123456789012345678901234567890.1234567890"),
    ]
}

pub(crate) fn texts() -> Vec<Case> {
    let long = "longer than twelve bytes";
    let mut fixed = FixedSizeBinaryBuilder::new(2);
    fixed.append_value(b"\x00a").unwrap();
    fixed.append_null();
    vec![
        case(StringArray::from(vec![Some("a\tb"), None]), r#""a\tb""#, "a\tb", r"a\tb"),
        quoted(LargeStringArray::from(vec![Some("日本"), None]), "日本"),
        quoted(StringViewArray::from(vec![Some(long), None]), long),
        case(StringArray::from(vec![Some(""), None]), r#""""#, "", r#""""#),
        case(StringArray::from(vec![Some("-"), None]), r#""-""#, "-", r#""-""#),
        quoted(BinaryArray::from(vec![Some(b"text".as_slice()), None]), "text"),
        case(
            LargeBinaryArray::from(vec![Some(b"{\"a\": \"\xff\xfe\"}".as_slice()), None]),
            r#""{\"a\": \"\\xff\\xfe\"}""#,
            r#"{"a": "\xff\xfe"}"#,
            r#"{"a": "\xff\xfe"}"#,
        ),
        case(BinaryViewArray::from(vec![Some(b"\xc3".as_slice()), None]), r#""\\xc3""#, r"\xc3", r"\xc3"),
        case(fixed.finish(), r#""\u0000a""#, "\0a", r"\x00a"),
    ]
}

pub(crate) fn encoded_texts() -> Vec<Case> {
    let null_key: DictionaryArray<UInt8Type> = vec![Some("allowed"), None].into_iter().collect();
    let values = Arc::new(StringArray::from(vec![Some("watch"), None]));
    let null_value: DictionaryArray<Int32Type> = DictionaryArray::new(Int32Array::from(vec![0, 1]), values);
    let mut runs = StringRunBuilder::<Int32Type>::new();
    runs.append_value("get");
    runs.append_null();
    vec![quoted(null_key, "allowed"), quoted(null_value, "watch"), quoted(runs.finish(), "get")]
}

pub(crate) fn instants() -> Vec<Case> {
    let micros = || TimestampMicrosecondArray::from(vec![Some(MICROS), None]);
    let text = "2026-11-21T20:37:38.239247Z";
    let nanos = TimestampNanosecondArray::from(vec![Some(MICROS * 1_000 + 7), None]);
    let millis = TimestampMillisecondArray::from(vec![Some(MICROS / 1_000), None]);
    let seconds = TimestampSecondArray::from(vec![Some(MICROS / 1_000_000), None]);
    vec![
        instant(micros(), text),
        instant(micros().with_timezone("UTC"), text),
        instant(micros().with_timezone("+02:00"), text),
        instant(nanos, text),
        instant(millis, "2026-11-21T20:37:38.239000Z"),
        instant(seconds, "2026-11-21T20:37:38.000000Z"),
        quoted(TimestampMicrosecondArray::from(vec![Some(i64::MAX), None]), "infinity"),
    ]
}

pub(crate) fn times() -> Vec<Case> {
    let interval = IntervalMonthDayNano::new(14, 3, 14_706_000_000_000);
    vec![
        quoted(Date32Array::from(vec![Some(20_778), None]), "2026-11-21"),
        quoted(Date64Array::from(vec![Some(20_778 * 86_400_000), None]), "2026-11-21"),
        quoted(Time32SecondArray::from(vec![Some(74_258), None]), "20:37:38"),
        quoted(Time32MillisecondArray::from(vec![Some(74_258_239), None]), "20:37:38.239000"),
        quoted(Time64MicrosecondArray::from(vec![Some(74_258_239_247), None]), "20:37:38.239247"),
        quoted(Time64NanosecondArray::from(vec![Some(74_258_239_247_001), None]), "20:37:38.239247001"),
        quoted(DurationSecondArray::from(vec![Some(90_000), None]), "25:00:00"),
        quoted(DurationMillisecondArray::from(vec![Some(1), None]), "00:00:00.001000"),
        quoted(DurationMicrosecondArray::from(vec![Some(-1), None]), "-00:00:00.000001"),
        quoted(DurationNanosecondArray::from(vec![Some(1), None]), "00:00:00.000000001"),
        quoted(IntervalYearMonthArray::from(vec![Some(14), None]), "1 year 2 months"),
        quoted(IntervalDayTimeArray::from(vec![Some(IntervalDayTime::new(1, 1_000)), None]), "1 day 00:00:01"),
        quoted(IntervalMonthDayNanoArray::from(vec![Some(interval), None]), "1 year 2 months 3 days 04:05:06"),
    ]
}
