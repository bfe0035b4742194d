//! The ids are those of the expressions that the interpreter finds true, one by one.

use proptest::prelude::*;

use super::chance::{Chance, World};
use crate::Expr;
use crate::filter::cell::Cell;
use crate::filter::row::Row;
use crate::filter::tests::{conditions, frame, slowly};
use crate::matcher::builder::bound;
use crate::matcher::{Attributes, Base, Record, Scratch};

/// Rounds and seed: `ROWMILL_MATCHER_ROUNDS=100000 ROWMILL_MATCHER_SEED=7 cargo test -p rowmill-expr law`.
fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn the_ids_are_those_that_the_interpreter_finds_true() {
    let seed = setting("ROWMILL_MATCHER_SEED", 1);
    let mut scratch = Scratch::new();
    for round in 0..setting("ROWMILL_MATCHER_ROUNDS", 30) {
        let chance = &mut Chance(seed.wrapping_mul(1 << 32).wrapping_add(round));
        let world = World::draw(chance);
        let mut builder = Base::builder(&world.attributes);
        let count = *chance.one(&[1, 20, 400, 1_500]);
        let depth = chance.below(4);
        let mut rows = Vec::new();
        for id in 0..count {
            let condition = world.condition(depth, chance);
            builder.insert(id * 3, &condition).unwrap();
            let bound = bound(&condition, &world.attributes).unwrap();
            rows.push((condition, Row::new(&bound, world.attributes.schema()).unwrap()));
        }
        let base = builder.build();
        let mut record = Record::new(&world.attributes);
        for at in 0..12 {
            world.fill(&mut record, chance);
            compare(&base, &rows, &record, &mut scratch, &format!("round {round}, record {at}"));
        }
    }
}

fn compare(base: &Base, rows: &[(Expr, Row)], record: &Record, scratch: &mut Scratch, place: &str) {
    let mut ids = Vec::new();
    let failed = base.matches(record, scratch, &mut ids).is_err();
    let found = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), found, "{place}: each id once");
    let mut expected = 0;
    for (at, (condition, row)) in rows.iter().enumerate() {
        let id = at as u64 * 3;
        let said = ids.binary_search(&id).is_ok();
        match row.of(record) {
            Ok(cell) => {
                let truth = matches!(cell, Cell::Bool(true));
                expected += usize::from(truth);
                if said != truth {
                    // What was tried first may have failed.
                    assert!(failed && truth, "{place}: {truth} is {condition}");
                }
            }
            // An integer out of range, where the index may have known enough without it.
            Err(_) => expected += usize::from(said),
        }
    }
    if !failed {
        assert_eq!(base.count(record, scratch), Ok(expected), "{place}");
        assert_eq!(base.any(record, scratch), Ok(expected > 0), "{place}");
        let at = found % rows.len();
        if let (Ok(cell), Ok(said)) = (rows[at].1.of(record), base.explain(at as u64 * 3, record)) {
            assert_eq!(said[0].truth == Some(true), matches!(cell, Cell::Bool(true)), "{place}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_record_read_from_a_frame_is_its_row(conditions in proptest::collection::vec(conditions(), 1..60)) {
        let batch = frame();
        let attributes = Attributes::new(batch.schema().clone());
        let mut builder = Base::builder(&attributes);
        let mut expected = Vec::new();
        for condition in conditions {
            // What fails for some row is left out: it is not true there, or something else is known of it.
            if let Ok(said) = slowly(&condition, &batch) {
                builder.insert(expected.len() as u64, &condition).unwrap();
                expected.push((condition, said));
            }
        }
        let base = builder.build();
        let (mut record, mut scratch) = (Record::new(&attributes), Scratch::new());
        for row in (0..batch.rows()).step_by(37) {
            record.set_row(&batch, row).unwrap();
            let mut ids = Vec::new();
            let failed = base.matches(&record, &mut scratch, &mut ids).is_err();
            for (at, (condition, said)) in expected.iter().enumerate() {
                let truth = said[row] == Some(true);
                let found = ids.contains(&(at as u64));
                prop_assert!(truth == found || failed && truth, "{} in row {}: {}", condition, row, truth);
            }
        }
    }
}
