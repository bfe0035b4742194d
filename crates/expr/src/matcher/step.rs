//! The layers in the order in which they are looked at, small ones put together.

use super::layer::{Layer, Places};
use super::line::{Line, Lines};
use super::slots::Sort;

/// One layer, or several that are one row together.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) layers: Vec<Layer>,
    /// The rows of several: one for each of the states that the layers may be in together.
    pub(crate) rows: Vec<u32>,
    /// Whether blocks of which nothing is left are taken out here.
    pub(crate) compacts: bool,
    /// The share of blocks of which something is expected to be left.
    alive: f64,
}

/// States that layers have together, at most: more rows are read from slower memory than the layers alone.
const MOST_STATES: usize = 128;

impl Step {
    pub(crate) fn is_several(&self) -> bool {
        self.layers.len() > 1
    }

    /// As it was written.
    pub(super) fn read_as(layers: Vec<Layer>, rows: Vec<u32>, compacts: bool) -> Self {
        // What was expected has said in which order they stand.
        Self { layers, rows, compacts, alive: 1.0 }
    }

    fn one(layer: Layer) -> Self {
        let alive = layer.alive;
        Self { layers: vec![layer], rows: Vec::new(), compacts: true, alive }
    }

    fn several(layers: Vec<Layer>, lines: &mut Lines, blocks: usize) -> Self {
        let states: usize = layers.iter().map(Layer::states).product();
        let mut rows = Vec::with_capacity(states * blocks);
        for state in 0..states {
            for block in 0..blocks {
                let mut left = state;
                let mut all = Line::ALL;
                for layer in &layers {
                    let line = layer.state_row(left % layer.states(), blocks)[block];
                    all = all.and(lines.get(line));
                    left /= layer.states();
                }
                rows.push(lines.intern(&all));
            }
        }
        let alive = layers.iter().map(|layer| layer.alive).product();
        let mut layers = layers;
        for layer in &mut layers {
            layer.drop_rows();
        }
        Self { layers, rows, compacts: true, alive }
    }

    fn flips(&self) -> f64 {
        self.layers.iter().map(|layer| layer.flips).sum()
    }

    fn dense(&self) -> f64 {
        self.layers.iter().map(|layer| layer.dense).sum()
    }

    fn passing(&self) -> f64 {
        self.layers.iter().map(|layer| layer.passing).product()
    }

    pub(crate) fn byte_len(&self) -> usize {
        self.layers.iter().map(Layer::byte_len).sum::<usize>() + self.rows.len() * 4
    }
}

impl Layer {
    /// Whether a record's row is all there is to know.
    fn is_plain(&self) -> bool {
        match &self.places {
            Places::Values { flips, .. } => flips.is_empty() && self.sort == Sort::Values,
            Places::Spans { keys, cuts, .. } => cuts.len() == keys.len() + 1,
        }
    }

    /// The rows, and that of records in which the attribute is missing.
    pub(crate) fn states(&self) -> usize {
        self.row_count + 1
    }

    fn state_row(&self, state: usize, blocks: usize) -> &[u32] {
        if state == self.row_count { &self.missing } else { self.row(state, blocks) }
    }

    fn drop_rows(&mut self) {
        self.rows = Vec::new();
        self.missing = Box::default();
    }
}

/// The layers as steps: what leaves few blocks for little time goes first.
pub(crate) fn arranged(layers: Vec<Layer>, lines: &mut Lines, blocks: usize) -> Vec<Step> {
    // Nanoseconds, about: for each step, for a line of it, for a flip.
    const EACH: f64 = 40.0;
    const LINE: f64 = 3.0;
    const FLIP: f64 = 1.3;
    let mut steps = together(layers, lines, blocks);
    let mut left = blocks as f64;
    let mut arranged = Vec::with_capacity(steps.len());
    let mut since = 1.0;
    while !steps.is_empty() {
        let price = |step: &Step| {
            let cost = EACH + left * LINE * (1.0 + step.dense()) + step.flips() * FLIP;
            cost / (1.0 - step.alive + 0.1 * (1.0 - step.passing()) + 1e-6)
        };
        let prices = steps.iter().map(price).enumerate();
        let best = prices.min_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |best| best.0);
        let mut step = steps.remove(best);
        left *= step.alive;
        since *= step.alive;
        step.compacts = since < WORTH;
        if step.compacts {
            since = 1.0;
        }
        arranged.push(step);
    }
    arranged
}

/// Blocks are taken out when no more than this share of them is expected to be left.
const WORTH: f64 = 0.93;

fn together(layers: Vec<Layer>, lines: &mut Lines, blocks: usize) -> Vec<Step> {
    let (mut plain, rest): (Vec<Layer>, Vec<Layer>) =
        layers.into_iter().partition(|layer| layer.is_plain() && 2 * layer.states() <= MOST_STATES);
    plain.sort_by_key(|layer| std::cmp::Reverse(layer.states()));
    let mut groups: Vec<Vec<Layer>> = Vec::new();
    for layer in plain {
        let states = |group: &Vec<Layer>| group.iter().map(Layer::states).product::<usize>();
        let room = groups.iter_mut().find(|group| states(group) * layer.states() <= MOST_STATES);
        match room {
            Some(group) => group.push(layer),
            None => groups.push(vec![layer]),
        }
    }
    let mut steps: Vec<Step> = rest.into_iter().map(Step::one).collect();
    for mut group in groups {
        steps.push(match group.len() {
            1 => Step::one(group.remove(0)),
            _ => Step::several(group, lines, blocks),
        });
    }
    steps
}
