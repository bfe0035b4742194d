//! The layers of all clauses.

use super::layer::Layer;
use super::line::Lines;
use super::order::Odds;
use super::slots::{Packed, Slots, Sort};

/// The layers, each with the odds that it leaves a slot.
pub(crate) fn layers(
    slots: &Slots,
    odds: &Odds,
    shares: &[f32],
    order: &[u32],
    values: &[usize],
    lines: &mut Lines,
    blocks: usize,
) -> (Vec<Layer>, Vec<(u32, u32)>) {
    // Counted, then filled: in the order of the slots, and without a list that grows for each.
    let mut counts: Vec<usize> = Vec::new();
    for clause in slots.all_clauses() {
        let name = clause.name();
        if name >= counts.len() {
            counts.resize(name + 1, 0);
        }
        counts[name] += 1;
    }
    let mut names: Vec<(usize, usize)> = counts.iter().copied().enumerate().collect();
    // Where a slot has several lists to look for, the few are looked at when all else is true.
    names.retain(|(name, count)| {
        *count > 0 && (Packed::of_name(*name).2 == 0 || *count * FEW > slots.len())
    });
    counts.fill(usize::MAX);
    let mut late = Vec::new();
    let mut next = Vec::with_capacity(names.len());
    let mut total = 0;
    for (at, (name, count)) in names.iter().enumerate() {
        counts[*name] = at;
        next.push(total);
        total += count;
    }
    let mut members = vec![(0_u32, 0_u32); total];
    let mut missed = vec![0.0_f64; names.len()];
    for (place, &slot) in order.iter().enumerate() {
        let first = slots.first_clause(slot as usize);
        for (at, clause) in slots.clauses_of(slot as usize).iter().enumerate() {
            let layer = counts[clause.name()];
            if layer == usize::MAX {
                late.push((place as u32, (first + at) as u32));
                continue;
            }
            members[next[layer]] = (place as u32, (first + at) as u32);
            next[layer] += 1;
            missed[layer] += 1.0 - f64::from(shares[first + at]);
        }
    }
    let mut layers = Vec::with_capacity(names.len());
    for (at, (name, count)) in names.into_iter().enumerate() {
        let (attribute, sort, _) = Packed::of_name(name);
        let end = next[at];
        let members = &members[end - count..end];
        let mut layer = match sort {
            Sort::Spans => Layer::of_spans(attribute, members, slots, lines, blocks),
            _ => {
                let of = (attribute, sort);
                Layer::of_values(of, members, slots, values[attribute], lines, blocks)
            }
        };
        layer.passing = 1.0 - missed[at] / slots.len() as f64;
        layer.expect(odds.weights(attribute), blocks);
        layers.push(layer);
    }
    (layers, late)
}

/// One of so many slots is few.
const FEW: usize = 64;
