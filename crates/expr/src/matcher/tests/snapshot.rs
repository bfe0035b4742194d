//! What was written is read back as it was; what is no snapshot is an error and nothing else.

use std::sync::Arc;

use bytes::Bytes;
use rowmill_columns::{Field, Scalar, Schema, Type};

use super::chance::{Chance, World};
use crate::matcher::{Attributes, Live, Record, Scratch, Top};
use crate::node::Expr;
use crate::operators::Operator as O;

fn reread(live: &Live) -> Live {
    let bytes = live.view().snapshot(b"").unwrap().to_bytes();
    Live::from_bytes(&bytes.into()).unwrap().0
}

/// Conditions in several indexes and in none, some removed.
fn stored(world: &World, count: u64, chance: &mut Chance) -> Live {
    let live = Live::new(&world.attributes);
    let base = (0..count).map(|id| (id, world.condition(2, chance)));
    live.insert_all(base).unwrap();
    live.insert_all((count..count + 5).map(|id| (id, world.condition(1, chance)))).unwrap();
    for id in count + 5..count + 9 {
        live.insert_with_priority(id, &world.condition(1, chance), id as f64).unwrap();
    }
    for id in (0..count).step_by(7) {
        live.remove(id);
    }
    live
}

fn same(one: &Live, other: &Live, world: &World, chance: &mut Chance) {
    let (one, other) = (one.view(), other.view());
    assert_eq!(one.len(), other.len());
    let (mut record, mut scratch) = (Record::new(&world.attributes), Scratch::new());
    for _ in 0..6 {
        world.fill(&mut record, chance);
        let (mut ids, mut others) = (Vec::new(), Vec::new());
        let (said, also) = (
            one.matches(&record, &mut scratch, &mut ids),
            other.matches(&record, &mut scratch, &mut others),
        );
        assert_eq!((ids, said), (others, also));
        let (mut top, mut other_top) = (Top::new(3), Top::new(3));
        let _ = one.top(&record, &mut scratch, &mut top);
        let _ = other.top(&record, &mut scratch, &mut other_top);
        assert_eq!(top.ranked(), other_top.ranked());
    }
    for id in one.ids() {
        let text = |expression: Expr| expression.to_json().unwrap();
        let other = other.get(id).unwrap().map(text);
        assert_eq!(one.get(id).unwrap().map(text), other);
    }
}

#[test]
fn what_was_written_is_read_back() {
    for round in 0..40 {
        let chance = &mut Chance(round);
        let world = World::draw(chance);
        let live = stored(&world, *chance.one(&[0, 1, 60, 600]), chance);
        let again = reread(&live);
        same(&live, &again, &world, chance);
        // As it is read it is written, and merged.
        let bytes = again.view().snapshot(b"").unwrap().to_bytes();
        assert!(bytes == live.view().snapshot(b"").unwrap().to_bytes());
        while let Some(merge) = again.merge() {
            merge.run();
        }
        while let Some(merge) = live.merge() {
            merge.run();
        }
        assert_eq!(again.view().bases().len(), live.view().bases().len());
        same(&live, &again, &world, chance);
    }
}

fn small() -> (Live, Vec<u8>) {
    let fields = vec![Field::new("age", Type::Int64), Field::new("country", Type::Text)];
    let attributes = Attributes::new(Arc::new(Schema::new(fields)));
    let live = Live::new(&attributes);
    let call = |operator, args: [Expr; 2]| Expr::call(operator, args).unwrap();
    let old = call(O::Greater, [Expr::named("age"), Expr::literal(17)]);
    let here = call(O::In, [Expr::named("country"), Expr::literal(Scalar::list(["DE", "FR"]))]);
    live.insert_all([(1, old.clone()), (2, call(O::And, [old, here.clone()]))]).unwrap();
    live.insert(3, &here).unwrap();
    let bytes = live.view().snapshot(b"mine").unwrap().to_bytes();
    (live, bytes)
}

fn refused(bytes: Vec<u8>) -> String {
    Live::from_bytes(&bytes.into()).unwrap_err().to_string()
}

#[test]
fn what_stands_beside_is_found_again() {
    let (_, bytes) = small();
    let (live, beside) = Live::from_bytes(&bytes.into()).unwrap();
    assert_eq!((live.view().len(), &*beside), (3, &b"mine"[..]));
    let empty = Live::new(live.attributes());
    assert_eq!(reread(&empty).view().len(), 0);
}

#[test]
fn what_is_no_whole_snapshot_is_refused() {
    let (_, bytes) = small();
    insta::assert_snapshot!(refused(Vec::new()), @"is no snapshot of a matcher");
    insta::assert_snapshot!(refused(b"PK\x03\x04 something else".to_vec()), @"is no snapshot of a matcher");
    insta::assert_snapshot!(refused(bytes[..bytes.len() - 1].to_vec()), @"the snapshot is cut short: its end is not there");
    let mut newer = bytes.clone();
    newer[8] = 9;
    insta::assert_snapshot!(refused(newer), @"the snapshot is of format 9, and this version of Rowmill reads 1: build the matcher from its conditions, or read it with the version that wrote it");
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        refused(changed);
        refused(bytes[..at].to_vec());
    }
    let mut longer = bytes.clone();
    longer.splice(16..16, [0]);
    insta::assert_snapshot!(refused(longer), @"the snapshot is damaged: its checksum is that of other bytes; write it anew");
}

/// With the checksum and the length that these bytes should have.
fn sealed(mut bytes: Vec<u8>) -> Bytes {
    let end = bytes.len() - 48;
    let hash = blake3::hash(&bytes[..end]);
    bytes[end..end + 8].copy_from_slice(&(end as u64).to_le_bytes());
    bytes[end + 8..end + 40].copy_from_slice(hash.as_bytes());
    bytes.into()
}

/// Rounds: `ROWMILL_MATCHER_CHANGES=1000000 cargo test --release -p rowmill-expr made_up`.
fn rounds() -> u64 {
    let given = std::env::var("ROWMILL_MATCHER_CHANGES").ok();
    given.and_then(|text| text.parse().ok()).unwrap_or(1_000)
}

#[test]
fn bytes_that_were_made_up_are_an_error_or_an_index_that_answers() {
    let (mut refused, mut taken) = (0, 0);
    let mut scratch = Scratch::new();
    for round in 0..rounds().div_ceil(100) {
        let chance = &mut Chance(round);
        let world = World::draw(chance);
        let live = stored(&world, *chance.one(&[1, 20, 90]), chance);
        let bytes = live.view().snapshot(b"").unwrap().to_bytes();
        for _ in 0..100 {
            let mut bytes = bytes.clone();
            for _ in 0..=chance.below(3) {
                let at = 16 + chance.below(bytes.len() - 64);
                match chance.below(5) {
                    0 => bytes[at] ^= 1 << chance.below(8),
                    1 => bytes[at] = chance.below(256) as u8,
                    2 => bytes[at] = bytes[at].wrapping_add(1),
                    3 => drop(bytes.remove(at)),
                    _ => bytes.insert(at, chance.below(256) as u8),
                }
            }
            let Ok((live, _)) = Live::from_bytes(&sealed(bytes)) else {
                refused += 1;
                continue;
            };
            taken += 1;
            let mut record = Record::new(live.attributes());
            if live.attributes().same(&world.attributes) {
                world.fill(&mut record, chance);
            }
            let view = live.view();
            let mut ids = Vec::new();
            let _ = view.matches(&record, &mut scratch, &mut ids);
            for &id in &ids {
                let _ = view.explain(id, &record);
            }
            view.ids().for_each(|id| drop(view.get(id)));
            let _ = view.snapshot(b"").map(|snapshot| snapshot.to_bytes());
            while let Some(merge) = live.merge() {
                merge.run();
            }
            let _ = live.view().matches(&record, &mut scratch, &mut ids);
        }
    }
    assert!(refused > 50 && taken > 50, "{refused} refused, {taken} taken");
}

#[test]
fn what_cannot_be_written_is_refused() {
    let deep = (0..200).fold(Expr::named("flag"), |all, _| Expr::call(O::Not, [all]).unwrap());
    let attributes = Attributes::new(Arc::new(Schema::new(vec![Field::new("flag", Type::Bool)])));
    let live = Live::new(&attributes);
    live.insert(1, &deep).unwrap();
    let error = live.view().snapshot(b"").unwrap_err().to_string();
    assert!(error.contains("nested deeper than 100 levels"), "{error}");
    let odd = Type::structure(&[Field::new("a", Type::Int64)]);
    let attributes = Attributes::new(Arc::new(Schema::new(vec![Field::new("place", odd)])));
    let error = Live::new(&attributes).view().snapshot(b"").unwrap_err().to_string();
    assert!(error.contains("the attribute \"place\" is of a type that no snapshot has"), "{error}");
}
