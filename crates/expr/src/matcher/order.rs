//! In which order slots stand: next to each other those that fail together.

use super::line::BLOCK;
use super::slots::{Packed, Slots, Sort};

/// How likely clauses are to be true, as far as expressions tell: what many ask for is taken to be frequent.
pub(crate) struct Odds {
    /// Of each attribute's values, the share of all that are asked for.
    weights: Vec<Vec<f32>>,
    /// Of each attribute's values, the share of all that are less frequent.
    tails: Vec<Vec<f32>>,
    /// In how many lists of more than one value each attribute's values are the most frequent.
    firsts: Vec<Vec<f32>>,
    /// Of each attribute, some of the ends of ranges, in order.
    ends: Vec<Vec<i64>>,
}

/// Ends of ranges that are looked at.
const ENDS: usize = 4_096;
/// Values that a record's list is taken to hold.
const HELD: i32 = 8;

impl Odds {
    pub(crate) fn of(slots: &Slots, values: &[usize]) -> Self {
        let mut weights: Vec<Vec<f32>> = values.iter().map(|&count| vec![0.0; count]).collect();
        let mut ends: Vec<Vec<i64>> = vec![Vec::new(); values.len()];
        let mut spans = vec![0_usize; values.len()];
        for clause in slots.all_clauses() {
            spans[clause.attribute as usize] += Slots::spans_len(clause);
        }
        let mut seen = vec![0_usize; values.len()];
        for clause in slots.all_clauses() {
            let attribute = clause.attribute as usize;
            if clause.sort == Sort::Spans {
                for &(low, high) in slots.spans(clause) {
                    let step = spans[attribute].div_ceil(ENDS).max(1);
                    if seen[attribute].is_multiple_of(step) {
                        let known = [low, high]
                            .into_iter()
                            .filter(|end| ![i64::MIN, i64::MAX].contains(end));
                        ends[attribute].extend(known);
                    }
                    seen[attribute] += 1;
                }
            } else {
                for &value in slots.values(clause) {
                    weights[attribute][value as usize] += 1.0;
                }
            }
        }
        for weights in &mut weights {
            // Of what nobody asks for there is some too.
            let all: f32 = weights.iter().sum::<f32>() * (1.0 + 1.0 / (weights.len() + 1) as f32);
            for weight in weights {
                *weight /= all.max(1.0);
            }
        }
        for ends in &mut ends {
            ends.sort_unstable();
        }
        let tails = weights.iter().map(|weights| tail(weights)).collect();
        let firsts = values.iter().map(|&count| vec![0.0; count]).collect();
        let mut odds = Self { weights, tails, firsts, ends };
        for clause in slots.all_clauses() {
            if clause.sort == Sort::Values
                && !clause.not
                && let [(_, first), (_, 1..)] = odds.best(slots, clause)
            {
                odds.firsts[clause.attribute as usize][first as usize - 1] += 1.0;
            }
        }
        odds
    }

    pub(crate) fn weights(&self, attribute: usize) -> &[f32] {
        &self.weights[attribute]
    }

    /// How likely one of a block's slots is to pass, where those stand together that have this clause's two most
    /// frequent values: one in whose lists there are many others is alive whatever the record has.
    fn of_block(&self, slots: &Slots, clause: &Packed, share: f32) -> f32 {
        if clause.not || clause.sort == Sort::Elements {
            return 1.0;
        }
        if clause.sort == Sort::Spans {
            return share;
        }
        let attribute = clause.attribute as usize;
        let [(first, value), (second, other)] = self.best(slots, clause);
        if other == 0 {
            return first;
        }
        // A block has the slots of some second values of one first value; of third ones it has any.
        let value = value as usize - 1;
        let tail = self.tails[attribute][value];
        let part = (BLOCK as f32 / self.firsts[attribute][value].max(1.0)).min(1.0);
        let others = share - first - second;
        let any = 1.0 - (-(BLOCK as f32) / 2.0 * others.max(0.0)).exp();
        (first + (tail * part).max(second) + (tail * any).max(others)).clamp(0.0, 1.0)
    }

    /// The two most frequent values, counted from 1.
    fn best(&self, slots: &Slots, clause: &Packed) -> [(f32, u32); 2] {
        let weights = &self.weights[clause.attribute as usize];
        let mut best = [(0.0_f32, 0_u32); 2];
        for &value in slots.values(clause) {
            let one = (weights[value as usize], value + 1);
            if one > best[0] {
                best = [one, best[0]];
            } else if one > best[1] {
                best[1] = one;
            }
        }
        best
    }

    fn rank(&self, attribute: usize, key: i64) -> f32 {
        let ends = &self.ends[attribute];
        ends.partition_point(|&end| end < key) as f32 / ends.len().max(1) as f32
    }

    /// The odds of all clauses.
    pub(crate) fn shares(&self, slots: &Slots) -> Vec<f32> {
        slots.all_clauses().iter().map(|clause| self.of_clause(slots, clause)).collect()
    }

    fn of_clause(&self, slots: &Slots, clause: &Packed) -> f32 {
        let attribute = clause.attribute as usize;
        let share: f32 = match clause.sort {
            Sort::Spans => slots
                .spans(clause)
                .iter()
                .map(|&(low, high)| {
                    self.rank(attribute, high.saturating_add(1)) - self.rank(attribute, low)
                })
                .sum(),
            Sort::Values => self.sum(slots, clause),
            Sort::Elements => 1.0 - (1.0 - self.sum(slots, clause)).max(0.0).powi(HELD),
        };
        let share = if clause.not { 1.0 - share } else { share };
        share.clamp(0.0, 1.0)
    }

    fn sum(&self, slots: &Slots, clause: &Packed) -> f32 {
        let weights = &self.weights[clause.attribute as usize];
        slots.values(clause).iter().map(|&value| weights[value as usize]).sum()
    }

    /// Where a clause stands among those of its attribute.
    fn position(&self, slots: &Slots, clause: &Packed) -> u64 {
        let attribute = clause.attribute as usize;
        match clause.sort {
            Sort::Spans => {
                let (low, high) = slots.spans(clause).first().copied().unwrap_or((0, 0));
                let middle = self.rank(attribute, low).midpoint(self.rank(attribute, high));
                (middle * 255.0) as u64
            }
            _ => {
                // The most frequent first, which the others of a block are likely to have too.
                let best = self.best(slots, clause);
                // One value apart from several.
                u64::from(best[1].1 > 0) << 48
                    | u64::from(best[0].1 & 0xff_ffff) << 24
                    | u64::from(best[1].1 & 0xff_ffff)
            }
        }
    }
}

/// Of each weight, the sum of all that are less.
fn tail(weights: &[f32]) -> Vec<f32> {
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_unstable_by(|&a, &b| weights[a].total_cmp(&weights[b]).then(b.cmp(&a)));
    let mut tails = vec![0.0; weights.len()];
    let mut sum = 0.0;
    for at in order {
        tails[at] = sum;
        sum += weights[at];
    }
    tails
}

/// The slots in their order: split by what fails most of them together, and each part again.
pub(crate) fn ordered(slots: &Slots, odds: &Odds, shares: &[f32]) -> Vec<u32> {
    let clauses = slots.all_clauses();
    let keys = clauses.iter().zip(shares).map(|(clause, &share)| Key {
        layer: clause.attribute,
        failing: 1.0 - odds.of_block(slots, clause, share),
        position: odds.position(slots, clause),
    });
    let keys: Vec<Key> = keys.collect();
    let mut order: Vec<(u64, u32)> = (0..slots.len() as u32).map(|slot| (0, slot)).collect();
    let mut gains = vec![0.0_f32; odds.weights.len()];
    // Parts that are still to be split, and the attributes by which they have been.
    let mut parts: Vec<(usize, usize, Vec<u16>)> = vec![(0, order.len(), Vec::new())];
    while let Some((from, to, used)) = parts.pop() {
        if to - from <= BLOCK {
            continue;
        }
        let part = &mut order[from..to];
        gains.fill(0.0);
        for &(_, slot) in &*part {
            for key in slots.keys_of(slot as usize, &keys) {
                gains[key.layer as usize] += key.failing;
            }
        }
        for &layer in &used {
            gains[layer as usize] = 0.0;
        }
        let best = (0..gains.len()).max_by(|&a, &b| gains[a].total_cmp(&gains[b])).unwrap_or(0);
        if gains.get(best).is_none_or(|&gain| gain < LEAST_GAIN * part.len() as f32) {
            continue;
        }
        for (position, slot) in &mut *part {
            let key =
                slots.keys_of(*slot as usize, &keys).iter().find(|key| key.layer as usize == best);
            *position = key.map_or(u64::MAX, |key| key.position);
        }
        part.sort_unstable();
        // Parts are of whole blocks: values of few slots share one.
        let mut start = from;
        let mut at = from;
        for group in part.chunk_by(|a, b| a.0 == b.0) {
            at += group.len();
            let end = if at == to { to } else { (at + BLOCK / 2) / BLOCK * BLOCK };
            if end > start && end <= to {
                parts.push((start, end, with(&used, best)));
                start = end;
            }
        }
    }
    order.into_iter().map(|(_, slot)| slot).collect()
}

/// A part of which a split would fail fewer than these is as good as it is.
const LEAST_GAIN: f32 = 0.02;

/// By what a clause's slot may be put beside others.
pub(crate) struct Key {
    layer: u16,
    failing: f32,
    position: u64,
}

fn with(used: &[u16], layer: usize) -> Vec<u16> {
    used.iter().copied().chain(std::iter::once(layer as u16)).collect()
}
