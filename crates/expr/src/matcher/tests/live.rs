//! Expressions that come and go, against a map of them that is looked through.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use super::chance::{Chance, World};
use crate::filter::cell::Cell;
use crate::filter::row::Row;
use crate::matcher::builder::bound;
use crate::matcher::{Matcher, Record, Scratch};
use crate::{Expr, Operator as O};

fn rounds() -> u64 {
    let text = std::env::var("ROWMILL_MATCHER_ROUNDS").ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(2)
}

#[test]
fn what_comes_and_goes_is_matched_while_it_is_there() {
    let mut scratch = Scratch::new();
    for round in 0..rounds() {
        let chance = &mut Chance(0x5eed << 32 | round);
        let world = World::draw(chance);
        let matcher = Matcher::new(&world.attributes);
        let mut record = Record::new(&world.attributes);
        let mut known: BTreeMap<u64, Row> = BTreeMap::new();
        for step in 0..1_500 {
            let id = chance.below(400) as u64;
            let condition = world.condition(1, chance);
            let row = || {
                let bound = bound(&condition, &world.attributes).unwrap();
                Row::new(&bound, world.attributes.schema()).unwrap()
            };
            match chance.below(8) {
                0..4 => {
                    assert_eq!(matcher.insert(id, &condition).is_ok(), !known.contains_key(&id));
                    known.entry(id).or_insert_with(row);
                }
                4..6 => assert_eq!(matcher.remove(id).is_ok(), known.remove(&id).is_some()),
                6 => {
                    assert_eq!(matcher.replace(id, &condition).is_ok(), known.contains_key(&id));
                    known.entry(id).and_modify(|known| *known = row());
                }
                _ if step % 90 == 0 => matcher.merge().unwrap(),
                _ => {}
            }
            assert_eq!(matcher.len(), known.len());
            if step % 16 > 0 {
                continue;
            }
            world.fill(&mut record, chance);
            let view = matcher.view();
            let mut ids = Vec::new();
            let failed = view.matches(&record, &mut scratch, &mut ids).is_err();
            ids.sort_unstable();
            for (id, row) in &known {
                let said = ids.binary_search(id).is_ok();
                if let Ok(cell) = row.of(&record) {
                    let truth = matches!(cell, Cell::Bool(true));
                    assert!(said == truth || failed && truth, "round {round}, step {step}: {id}");
                }
            }
            assert!(ids.iter().all(|id| known.contains_key(id)), "round {round}, step {step}");
            if !failed {
                assert_eq!(view.count(&record, &mut scratch), Ok(ids.len()));
                assert_eq!(view.any(&record, &mut scratch), Ok(!ids.is_empty()));
            }
        }
    }
}

#[test]
fn a_view_is_whole_while_others_write_and_merge() {
    let world = World::draw(&mut Chance(3));
    let matcher = Matcher::new(&world.attributes);
    let always = Expr::call(O::Or, [Expr::literal(true), Expr::literal(false)]).unwrap();
    (0..100).for_each(|id| matcher.insert(id, &always).unwrap());
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // There are a hundred at each moment, whichever they are.
            for id in 0..2_000 {
                matcher.replace(id % 100, &always).unwrap();
                if id % 500 == 0 {
                    matcher.merge().unwrap();
                }
            }
            done.store(true, Ordering::Release);
        });
        scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                matcher.merge().unwrap();
            }
        });
        let (record, mut scratch) = (Record::new(&world.attributes), Scratch::new());
        while !done.load(Ordering::Acquire) {
            let mut ids = Vec::new();
            matcher.view().matches(&record, &mut scratch, &mut ids).unwrap();
            ids.sort_unstable();
            assert!(ids.iter().copied().eq(0..100), "{ids:?}");
        }
    });
    matcher.merge().unwrap();
    assert_eq!((matcher.len(), matcher.lately()), (100, 0));
}
