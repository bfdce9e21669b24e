//! See `shapes` in the checks that tests and fuzz targets share.
#![no_main]

#[path = "../../tests/check/mod.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::shapes(bytes));
