//! In which order slots stand: next to each other those that fail together.

use super::slots::{Packed, Slots, Sort};

/// How likely clauses are to be true, as far as expressions tell: what many ask for is taken to be frequent.
pub(crate) struct Odds {
    /// Of each attribute's values, the share of all that are asked for.
    weights: Vec<Vec<f32>>,
    /// Of each attribute, some of the ends of ranges, in order.
    ends: Vec<Vec<i64>>,
}

/// Ends of ranges that are looked at.
const ENDS: usize = 4_096;
/// Values that a record's list is taken to hold.
const HELD: f32 = 8.0;

impl Odds {
    pub(crate) fn of(slots: &Slots, values: &[usize]) -> Self {
        let mut weights: Vec<Vec<f32>> = values.iter().map(|&count| vec![0.0; count]).collect();
        let mut ends: Vec<Vec<i64>> = vec![Vec::new(); values.len()];
        let mut spans = vec![0_usize; values.len()];
        for clause in slots.all_clauses() {
            spans[clause.attribute as usize] += slots.spans_len(clause);
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
            let all: f32 = weights.iter().sum();
            weights.iter_mut().for_each(|weight| *weight /= all.max(1.0));
        }
        ends.iter_mut().for_each(|ends| ends.sort_unstable());
        Self { weights, ends }
    }

    fn rank(&self, attribute: usize, key: i64) -> f32 {
        let ends = &self.ends[attribute];
        ends.partition_point(|&end| end < key) as f32 / ends.len().max(1) as f32
    }

    pub(crate) fn of_clause(&self, slots: &Slots, clause: &Packed) -> f32 {
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
            Sort::Elements => 1.0 - (1.0 - self.sum(slots, clause)).max(0.0).powf(HELD),
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
                let middle = (self.rank(attribute, low) + self.rank(attribute, high)) / 2.0;
                (middle * 255.0) as u64
            }
            _ => {
                let weights = &self.weights[attribute];
                // The most frequent first, which the others of a block are likely to have too.
                let mut best = [(0.0_f32, 0_u32); 2];
                for &value in slots.values(clause) {
                    let one = (weights[value as usize], value + 1);
                    if one > best[0] {
                        best = [one, best[0]];
                    } else if one > best[1] {
                        best[1] = one;
                    }
                }
                u64::from(best[0].1 & 0xff_ffff) << 24 | u64::from(best[1].1 & 0xff_ffff)
            }
        }
    }
}

/// The slots in their order.
pub(crate) fn ordered(slots: &Slots, odds: &Odds) -> Vec<u32> {
    const LEVELS: usize = 4;
    let mut keys: Vec<([u64; LEVELS], u32)> = Vec::with_capacity(slots.len());
    let mut clauses: Vec<(f32, &Packed)> = Vec::new();
    for slot in 0..slots.len() {
        clauses.clear();
        let of_slot = slots.clauses_of(slot).iter();
        clauses.extend(of_slot.map(|clause| (odds.of_clause(slots, clause), clause)));
        clauses.sort_by(|a, b| a.0.total_cmp(&b.0));
        // What has no clause goes to the end, for it passes always.
        let mut key = [u64::MAX; LEVELS];
        for (key, (_, clause)) in key.iter_mut().zip(&clauses) {
            let layer =
                u64::from(clause.attribute) << 3 | clause.sort as u64 * 2 | u64::from(clause.not);
            *key = layer << 48 | odds.position(slots, clause);
        }
        keys.push((key, slot as u32));
    }
    keys.sort_unstable();
    keys.into_iter().map(|(_, slot)| slot).collect()
}
