use super::base::Base;
use super::layer::Layer;
use super::record::Record;
use super::scratch::Scratch;
use super::slots::Sort;

/// What an index is made of and what it takes.
#[derive(Clone, Debug)]
pub struct Stats {
    /// Expressions.
    pub expressions: usize,
    /// Conjunctions that they are.
    pub slots: usize,
    /// Blocks of 512 of these.
    pub blocks: usize,
    /// Conditions that are computed, each once for a record at most.
    pub conditions: usize,
    /// Bytes, without those of the expressions themselves.
    pub bytes: usize,
    /// What is asked of attributes, in the order in which it is looked at; what is small together.
    pub steps: Vec<Vec<LayerStats>>,
}

/// What is asked of one attribute.
#[derive(Clone, Debug)]
pub struct LayerStats {
    /// The attribute.
    pub attribute: String,
    /// `values`, `elements` or `spans`.
    pub sort: &'static str,
    /// Slots that ask.
    pub clauses: usize,
    /// The share of all slots that is expected to be left by it alone.
    pub passing: f64,
    /// Bytes, without the lines that it shares with others.
    pub bytes: usize,
    /// Rows of lines.
    pub rows: usize,
}

impl Base {
    /// How many blocks are left after each of the [steps](Stats::steps), for a record: each costs the steps after it
    /// a line of memory.
    pub fn left(&self, record: &Record, scratch: &mut Scratch) -> Vec<usize> {
        let mut left = Vec::with_capacity(self.steps.len());
        self.narrow_by(record, scratch, |scratch| {
            left.push(scratch.left.iter().filter(|line| line.any()).count());
        });
        left.resize(self.steps.len(), 0);
        left
    }

    /// What it is made of and what it takes.
    pub fn stats(&self) -> Stats {
        let layer = |layer: &Layer| LayerStats {
            attribute: self.attributes.name(layer.attribute).to_owned(),
            sort: match layer.sort {
                Sort::Values => "values",
                Sort::Elements => "elements",
                Sort::Spans => "spans",
            },
            clauses: layer.clauses,
            passing: layer.passing,
            bytes: layer.byte_len(),
            rows: layer.row_count,
        };
        Stats {
            expressions: self.len(),
            slots: self.slots,
            blocks: self.blocks,
            conditions: self.residuals.len(),
            bytes: self.byte_len(),
            steps: self.steps.iter().map(|step| step.layers.iter().map(layer).collect()).collect(),
        }
    }
}
