//! What comes and goes while merges run is what is matched afterwards.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use super::chance::{Chance, World};
use crate::filter::cell::Cell;
use crate::filter::row::Row;
use crate::matcher::builder::bound;
use crate::matcher::{Base, Live, Merge, RECENT, Record, Scratch, Top, View};
use crate::node::Expr;

/// Operations: `ROWMILL_MATCHER_CHANGES=1000000 cargo test --release -p rowmill-expr changes`.
fn changes() -> u64 {
    std::env::var("ROWMILL_MATCHER_CHANGES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(6_000)
}

/// The conditions and their priorities.
type Oracle = HashMap<u64, (Row, f64)>;

fn row(world: &World, condition: &Expr) -> Row {
    Row::new(&bound(condition, &world.attributes).unwrap(), world.attributes.schema()).unwrap()
}

fn compare(oracle: &Oracle, view: &View, record: &Record, scratch: &mut Scratch) {
    assert_eq!(view.len(), oracle.len());
    let mut ids = Vec::new();
    let failed = view.matches(record, scratch, &mut ids).is_err();
    ids.sort_unstable();
    for (id, (row, priority)) in oracle {
        assert_eq!(view.priority(*id), Some(*priority), "{id}");
        // Out of range is what has to be computed; the index may know enough without it.
        if let Ok(cell) = row.of(record) {
            assert_eq!(ids.binary_search(id).is_ok(), matches!(cell, Cell::Bool(true)), "{id}");
        }
    }
    assert!(ids.iter().all(|id| oracle.contains_key(id)));
    for most in [0, 1, 3, 40] {
        let mut top = Top::new(most);
        assert_eq!(view.top(record, scratch, &mut top).is_err(), failed);
        let mut wanted = ids.clone();
        wanted.sort_by(|a, b| oracle[b].1.total_cmp(&oracle[a].1));
        wanted.truncate(most);
        let wanted: Vec<_> = wanted.into_iter().map(|id| (id, oracle[&id].1)).collect();
        assert_eq!(top.ranked(), wanted);
    }
    let mut bitmap = [0; 400];
    let set = view.match_into(record, scratch, &mut bitmap);
    assert_eq!(set.is_err(), failed);
    let bits = (0..3_200).filter(|id| bitmap[id / 8] >> (id % 8) & 1 == 1).map(|id| id as u64);
    assert_eq!(bits.collect::<Vec<u64>>(), if failed { &[] } else { &*ids });
    if !failed {
        assert_eq!(set, Ok(ids.len()));
        assert_eq!(view.count(record, scratch), Ok(ids.len()));
        assert_eq!(view.any(record, scratch), Ok(!ids.is_empty()));
    }
}

/// One of thirteen ways to change what is stored, and its oracle beside it.
fn change(
    what: usize,
    live: &Live,
    oracle: &mut Oracle,
    world: &World,
    ids: usize,
    chance: &mut Chance,
) {
    let id = chance.below(ids) as u64;
    match what {
        0..=6 => {
            let condition = world.condition(2, chance);
            let priority = chance.below(20) as f64 - 10.0;
            let done = live.insert_with_priority(id, &condition, priority);
            assert_eq!(done.is_err(), oracle.contains_key(&id));
            if done.is_ok() {
                oracle.insert(id, (row(world, &condition), priority));
            }
        }
        7 => {
            let condition = world.condition(1, chance);
            let priority = oracle.get(&id).map_or(0.0, |known| known.1);
            let was = oracle.insert(id, (row(world, &condition), priority)).is_some();
            assert_eq!(live.replace(id, &condition), Ok(was));
        }
        8 => {
            let condition = world.condition(1, chance);
            let was = oracle.insert(id, (row(world, &condition), 0.5)).is_some();
            assert_eq!(live.replace_with_priority(id, &condition, 0.5), Ok(was));
        }
        9 => {
            let some: Vec<_> =
                (0..3).map(|at| (ids as u64 + id * 3 + at, world.condition(1, chance))).collect();
            let is_new = some.iter().all(|(id, _)| !oracle.contains_key(id));
            assert_eq!(live.insert_all(some.clone()).is_ok(), is_new);
            if is_new {
                let new = some.iter().map(|(id, one)| (*id, (row(world, one), 0.0)));
                oracle.extend(new);
            }
        }
        _ => assert_eq!(live.remove(id), oracle.remove(&id).is_some()),
    }
}

#[test]
fn changes_while_merges_run_are_what_is_matched() {
    let mut scratch = Scratch::new();
    for round in 0..changes().div_ceil(3_000) {
        let chance = &mut Chance(round + 1);
        let world = World::draw(chance);
        let mut live = Live::new(&world.attributes);
        let mut oracle = Oracle::new();
        let mut record = Record::new(&world.attributes);
        let ids = *chance.one(&[40, 700]);
        let mut merged = 0;
        // Each part goes on with what the one before wrote, while merges of that were running.
        for _ in 0..6 {
            let mut running: Vec<Merge<'_>> = Vec::new();
            for _ in 0..500 {
                match chance.below(16) {
                    what @ 0..=12 => change(what, &live, &mut oracle, &world, ids, chance),
                    13 => {
                        if let Some(merge) = live.merge().filter(|_| running.len() < 3) {
                            merged += merge.len();
                            running.push(merge);
                        }
                    }
                    14 if !running.is_empty() => {
                        let at = chance.below(running.len());
                        let merge = running.swap_remove(at);
                        // One that is given up changes nothing.
                        if chance.below(8) > 0 {
                            merge.run();
                        }
                    }
                    _ => {
                        world.fill(&mut record, chance);
                        compare(&oracle, &live.view(), &record, &mut scratch);
                    }
                }
            }
            let bytes = live.view().snapshot(b"").unwrap().to_bytes();
            drop(running);
            live = Live::from_bytes(&bytes.into()).unwrap().0;
        }
        while let Some(merge) = live.merge() {
            merge.run();
        }
        assert!(merged > 100, "{merged} in round {round}");
        let view = live.view();
        compare(&oracle, &view, &record, &mut scratch);
        assert!(view.bases().len() < 8, "{} indexes", view.bases().len());
        for id in view.ids() {
            assert!(oracle.contains_key(&id) && view.contains(id));
            assert!(view.get(id).unwrap().is_some());
        }
    }
}

#[test]
fn changes_beside_two_threads_that_merge_are_what_is_matched() {
    for round in 0..changes().div_ceil(3_000) {
        let chance = &mut Chance(round + 1);
        let world = World::draw(chance);
        let mut live = Live::new(&world.attributes);
        let mut oracle = Oracle::new();
        let (mut record, mut scratch) = (Record::new(&world.attributes), Scratch::new());
        let ids = *chance.one(&[40, 700]);
        for _ in 0..6 {
            let done = AtomicBool::new(false);
            std::thread::scope(|scope| {
                // Dropped where a comparison fails too, as the two would merge for ever.
                let _over = Over(&done);
                for _ in 0..2 {
                    scope.spawn(|| {
                        while !done.load(Ordering::Relaxed) {
                            match live.merge() {
                                Some(merge) => merge.run(),
                                None => std::thread::yield_now(),
                            }
                        }
                    });
                }
                for _ in 0..500 {
                    // Mostly changes: a comparison takes so long that no merge is left to run.
                    match chance.below(40) {
                        what @ 0..=38 => {
                            change(what / 3, &live, &mut oracle, &world, ids, chance);
                        }
                        _ => {
                            world.fill(&mut record, chance);
                            compare(&oracle, &live.view(), &record, &mut scratch);
                        }
                    }
                }
            });
            let bytes = live.view().snapshot(b"").unwrap().to_bytes();
            live = Live::from_bytes(&bytes.into()).unwrap().0;
            compare(&oracle, &live.view(), &record, &mut scratch);
        }
    }
}

/// Says that it is over when it is dropped.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn whoever_matches_sees_whole_changes_of_a_writer() {
    let chance = &mut Chance(7);
    let world = World::draw(chance);
    let live = Live::new(&world.attributes);
    let always = Expr::literal(true);
    let never = Expr::literal(false);
    // Of each pair one is there, and each says where it is at: a change of both is two steps.
    for pair in 0..64 {
        live.insert(pair, &always).unwrap();
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let (record, mut scratch) = (Record::new(&world.attributes), Scratch::new());
                let mut ids = Vec::new();
                while !done.load(Ordering::Relaxed) {
                    ids.clear();
                    live.view().matches(&record, &mut scratch, &mut ids).unwrap();
                    ids.sort_unstable();
                    ids.dedup();
                    assert!((63..=64).contains(&ids.len()), "{} of 64", ids.len());
                }
            });
        }
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                match live.merge() {
                    Some(merge) => merge.run(),
                    None => std::thread::yield_now(),
                }
            }
        });
        // One at a time is out.
        for at in 0..3_000_u64 {
            assert_eq!(live.replace(at % 64, &never), Ok(true));
            assert_eq!(live.replace(at % 64, &always), Ok(true));
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(live.view().len(), 64);
}

#[test]
fn a_condition_means_the_same_before_and_after_it_is_in_an_index() {
    use crate::operators::Operator as O;
    use rowmill_columns::{Field, Schema, Type};
    let fields = ["a", "b"].map(|name| Field::new(name, Type::Int64)).to_vec();
    let attributes = crate::matcher::Attributes::new(std::sync::Arc::new(Schema::new(fields)));
    let call = |operator, args: [Expr; 2]| Expr::call(operator, args).unwrap();
    let double = call(O::Multiply, [Expr::named("a"), Expr::literal(2)]);
    let fails = call(O::Greater, [double, Expr::literal(0)]);
    let is = |value: i64| call(O::Equal, [Expr::named("b"), Expr::literal(value)]);
    let live = Live::new(&attributes);
    live.insert(1, &call(O::Or, [fails.clone(), is(0)])).unwrap();
    live.insert(2, &call(O::And, [fails.clone(), is(1)])).unwrap();
    live.insert(3, &call(O::And, [is(0), fails.clone()])).unwrap();
    let mut record = Record::new(&attributes);
    record.set_int(0, 1 << 62).unwrap();
    record.set_int(1, 0).unwrap();
    let mut scratch = Scratch::new();
    for _ in 0..2 {
        let mut ids = Vec::new();
        let failed = live.view().matches(&record, &mut scratch, &mut ids);
        assert_eq!(ids, [1]);
        assert!(failed.unwrap_err().to_string().contains("out of range"), "that of 3 alone");
        (10..60).for_each(|id| live.insert(id, &Expr::literal(false)).unwrap_or(()));
        while let Some(merge) = live.merge() {
            merge.run();
        }
        live.remove(3);
        live.insert(3, &call(O::And, [is(0), fails.clone()])).unwrap();
    }
    live.remove(3);
    assert_eq!(live.view().matches(&record, &mut scratch, &mut Vec::new()), Ok(()));
}

#[test]
fn the_top_is_that_of_all_sorted_whatever_comes_when() {
    let chance = &mut Chance(3);
    for most in [1, 2, 7, 64, 1_000] {
        for kinds in [1, 5, 100_000] {
            let mut top = Top::new(most);
            let mut all = Vec::new();
            for id in 0..3_000_u64 {
                let one = ((id * 7_919 % 3_000) as i64 - 1_500, chance.below(kinds) as f64 - 3.0);
                top.push(one.0 as u64, one.1);
                assert!(top.held() <= 64.max(2 * most), "what ties is thrown away too");
                all.push(one);
            }
            all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            let wanted = all.iter().map(|one| (one.0 as u64, one.1)).take(most);
            assert_eq!(top.ranked(), wanted.collect::<Vec<_>>());
        }
    }
    let mut top = Top::new(usize::MAX);
    (0..4).for_each(|id| top.push(id, 1.0));
    assert_eq!(top.ranked(), [(0, 1.0), (1, 1.0), (2, 1.0), (3, 1.0)]);
}

#[test]
fn a_priority_is_a_number() {
    let world = World::draw(&mut Chance(1));
    let (live, always) = (Live::new(&world.attributes), Expr::literal(true));
    for id in 0..2 {
        let refused = live.insert_with_priority(id, &always, f64::NAN).unwrap_err();
        assert_eq!(refused.to_string(), "a priority is a number, and NaN is none");
        assert!(live.replace_with_priority(id, &always, f64::NAN).is_err());
    }
    live.insert_with_priority(5, &always, -0.0).unwrap();
    live.insert_with_priority(3, &always, 0.0).unwrap();
    live.insert_with_priority(4, &always, f64::INFINITY).unwrap();
    let mut top = Top::new(5);
    live.view().top(&Record::new(&world.attributes), &mut Scratch::new(), &mut top).unwrap();
    let wanted = [(4, f64::INFINITY), (3, 0.0), (5, 0.0)];
    assert_eq!(top.ranked(), wanted, "-0 is 0");
}

#[test]
fn a_bitmap_that_is_too_small_is_left_as_it_is() {
    let world = World::draw(&mut Chance(1));
    let (live, always) = (Live::new(&world.attributes), Expr::literal(true));
    for id in [2, 15, 16] {
        live.insert(id, &always).unwrap();
    }
    let (record, mut scratch) = (Record::new(&world.attributes), Scratch::new());
    let mut bitmap = [1, 0];
    let refused = live.view().match_into(&record, &mut scratch, &mut bitmap).unwrap_err();
    let message = "the id 16 is beyond the bitmap, which has 2 bytes and would need 3";
    assert_eq!((refused.to_string().as_str(), bitmap), (message, [1, 0]));
    live.remove(16);
    assert_eq!(live.view().match_into(&record, &mut scratch, &mut bitmap), Ok(2));
    assert_eq!(bitmap, [0b101, 0b1000_0000], "what was set stays");
}

#[test]
fn a_merge_that_is_over_takes_nothing_from_one_that_has_begun() {
    let world = World::draw(&mut Chance(1));
    let live = Live::new(&world.attributes);
    let mut next = 0;
    let mut store = || {
        for _ in 0..RECENT {
            live.insert(next, &Expr::literal(true)).unwrap();
            next += 1;
        }
        live.merge().unwrap()
    };
    let first = store();
    let second = store();
    let mut builder = Base::builder(&world.attributes);
    for id in 0..RECENT as u64 {
        builder.insert(RECENT as u64 + id, &Expr::literal(true)).unwrap();
    }
    second.finish(builder.build());
    // One begins on another thread before the one that is over is dropped.
    let third = store();
    drop(second);
    third.run();
    first.run();
    let view = live.view();
    assert_eq!((view.len(), live.waiting()), (3 * RECENT, 0));
    let mut ids: Vec<u64> = view.ids().collect();
    ids.sort_unstable();
    assert_eq!(ids, (0..3 * RECENT as u64).collect::<Vec<_>>());
}
