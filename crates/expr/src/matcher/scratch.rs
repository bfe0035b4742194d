use super::find::Place;
use super::line::Line;
use super::residual::Memo;

/// Room to match a record in, made once for each thread and used again.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Blocks of which a slot is left.
    pub(crate) live: Vec<u32>,
    /// Which slots are left of each of these.
    pub(crate) left: Vec<Line>,
    /// Where each block is among these, counted from 1; 0 for one of which nothing is left.
    pub(crate) place: Vec<u32>,
    /// Whether the places are those of the blocks that are left now.
    pub(crate) is_spread: bool,
    /// The bits that are the other way about in a record's rows, in the places of blocks; in place 0 of no block.
    /// Between two layers there are none.
    pub(crate) flips: Vec<Line>,
    /// Slots whose clauses are all true: those of which there is no more to know, and the others.
    pub(crate) plain: Vec<u32>,
    pub(crate) extra: Vec<u32>,
    pub(crate) memo: Memo,
    /// The number of each attribute's value among those that expressions name.
    pub(crate) ids: Vec<u32>,
    /// Where each step has what it says of the record.
    pub(crate) found: Vec<Place>,
    /// The values of a record's lists: the attribute, and where they begin and end in `values`.
    pub(crate) lists: Vec<(usize, usize, usize)>,
    pub(crate) values: Vec<u32>,
    /// Which expressions of many slots have been told, and which of these bits are set.
    pub(crate) told: Vec<u64>,
    pub(crate) told_words: Vec<u32>,
}

impl Scratch {
    /// Room that grows when it is used.
    pub fn new() -> Self {
        Self::default()
    }
}
