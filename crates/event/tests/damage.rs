//! Whatever happens to a log: decoding ends, records come in order, and each stands where it says it does.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use kforensic_event::Reading;
use kforensic_event::shape::{Position, SHAPES};
use proptest::prelude::*;

/// Beginnings of real logs in many wrappers.
fn seeds() -> Vec<Vec<u8>> {
    let folder = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../tests/logs/shapes");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let texts = paths.iter().filter(|path| path.extension().is_none_or(|extension| extension != "gz"));
    texts.map(|path| std::fs::read(path).unwrap()).map(|bytes| bytes[..bytes.len().min(12_000)].to_vec()).collect()
}

/// Something that can happen to a log.
#[derive(Debug, Clone)]
enum Accident {
    Cut(prop::sample::Index),
    Flip(prop::sample::Index, u8),
    Insert(prop::sample::Index, Vec<u8>),
    Remove(prop::sample::Index, usize),
    Append(prop::sample::Index),
}

fn accident() -> impl Strategy<Value = Accident> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        at().prop_map(Accident::Cut),
        (at(), any::<u8>()).prop_map(|(at, byte)| Accident::Flip(at, byte)),
        (at(), prop::collection::vec(prop::sample::select(&b"{}[]\",:\\\n\0\xff e1"[..]), 0..6))
            .prop_map(|(at, bytes)| Accident::Insert(at, bytes)),
        (at(), 0_usize..3_000).prop_map(|(at, length)| Accident::Remove(at, length)),
        at().prop_map(Accident::Append),
    ]
}

fn apply(bytes: &mut Vec<u8>, accident: &Accident, seeds: &[Vec<u8>]) {
    let place = |at: &prop::sample::Index| at.index(bytes.len() + 1);
    match accident {
        Accident::Cut(at) => bytes.truncate(place(at)),
        Accident::Flip(at, byte) => {
            let at = place(at);
            bytes.get_mut(at).into_iter().for_each(|old| *old ^= byte);
        }
        Accident::Insert(at, new) => {
            let at = place(at);
            bytes.splice(at..at, new.iter().copied());
        }
        Accident::Remove(at, length) => {
            let at = place(at);
            bytes.drain(at..(at + length).min(bytes.len()));
        }
        Accident::Append(at) => bytes.extend_from_slice(&seeds[at.index(seeds.len())]),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn records_stand_where_they_say(
        seed in any::<prop::sample::Index>(),
        accidents in prop::collection::vec(accident(), 0..5),
        chosen in any::<prop::sample::Index>(),
    ) {
        let seeds = seeds();
        let mut log = seeds[seed.index(seeds.len())].clone();
        for accident in &accidents {
            apply(&mut log, accident, &seeds);
        }
        // The shape it has, or any other: a log can be damaged where shapes are told apart.
        for reading in [Reading::of(&log), Reading::forced(SHAPES[chosen.index(SHAPES.len())], &log)] {
            prop_assert!(reading.cut(&log) <= log.len());
            let mut before = 0..0;
            let mut problem = None;
            reading.decode(&log, Position::START, true, &mut |record| {
                let start = usize::try_from(record.position.offset).unwrap();
                let here = start..start + record.bytes.len();
                let line = 1 + memchr::memchr_iter(b'\n', &log[..start]).count();
                let stands = log.get(here.clone()) == Some(record.bytes);
                // Behind the one before, or in the same place, or between the parts of a line that was split.
                let in_order = here.start >= before.end || here == before || here.start > before.start;
                if !in_order || !stands || record.position.line != i64::try_from(line).unwrap() {
                    problem = Some((record.position, record.bytes.len()));
                }
                before = here;
            });
            prop_assert_eq!(problem, None);
        }
    }
}
