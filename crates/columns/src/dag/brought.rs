use std::collections::{BinaryHeap, HashSet};
use std::sync::Arc;

use super::Dag;
use crate::{Batch, ColumnError, Field, Schema};

impl Dag {
    /// Nodes with more than one parent.
    pub fn merges(&self) -> Vec<u32> {
        (0..self.len() as u32).filter(|&node| self.parents(node).len() > 1).collect()
    }

    /// What each merge brought in, as a table of `merge` and `id`: what its other parents reach and its first does not,
    /// children before parents; `git rev-list MERGE^1..MERGE` without the merge. A node with one parent brought
    /// nothing, and what stands there again nothing more.
    ///
    /// A commit may be brought in by many merges, the same ones by each where the main line is never the first parent.
    ///
    /// # Errors
    /// If there are more than 268 million rows.
    ///
    /// # Panics
    /// If there is no such node.
    pub fn brought(&self, merges: &[u32]) -> Result<Batch, ColumnError> {
        let (mut of, mut brought) = (Vec::new(), Vec::new());
        let mut seen = HashSet::new();
        let mut sides = Sides { dag: self, marks: vec![0; self.len()], queue: BinaryHeap::new() };
        for (place, &merge) in (0..).zip(merges) {
            if !seen.insert(merge) {
                continue;
            }
            sides.of(merge, u64::from(place) + 1, &mut brought);
            if brought.len() > MOST {
                return Err(ColumnError::new(format!(
                    "merges brought in more than {MOST} rows, for many brought in the same: ask for fewer of them"
                )));
            }
            of.resize(brought.len(), place);
        }
        let (kind, of) = self.ids.labels(merges, &of)?;
        let fields = vec![Field::new("merge", kind), Field::new("id", self.kind())];
        let columns = vec![of, self.ids(&brought)?];
        Ok(Batch::new(Arc::new(Schema::new(fields)), columns, brought.len()))
    }
}

/// Rows of two times four bytes, before ids: 2 GiB.
const MOST: usize = 1 << 28;

const MAIN: u64 = 1;
const SIDE: u64 = 2;

/// From which side nodes are reached: they are looked at from the children down, so a node is known when its turn comes.
struct Sides<'a> {
    dag: &'a Dag,
    /// The sides, above them in which turn: what is of an earlier one needs not be wiped out.
    marks: Vec<u64>,
    queue: BinaryHeap<u32>,
}

impl Sides<'_> {
    fn of(&mut self, merge: u32, turn: u64, out: &mut Vec<u32>) {
        let Some((&first, others)) = self.dag.parents(merge).split_first() else { return };
        self.queue.clear();
        // Nodes in the queue that only the other side reaches so far.
        let mut waiting = 0;
        self.mark(first, turn, MAIN, &mut waiting);
        for &other in others {
            self.mark(other, turn, SIDE, &mut waiting);
        }
        while waiting > 0 {
            let Some(node) = self.queue.pop() else { return };
            let sides = self.marks[node as usize] & (MAIN | SIDE);
            if sides == SIDE {
                waiting -= 1;
                out.push(node);
            }
            for &parent in self.dag.parents(node) {
                self.mark(parent, turn, sides, &mut waiting);
            }
        }
    }

    fn mark(&mut self, node: u32, turn: u64, sides: u64, waiting: &mut usize) {
        let mark = &mut self.marks[node as usize];
        if *mark >> 2 != turn {
            *mark = turn << 2;
            self.queue.push(node);
        }
        let was = *mark & (MAIN | SIDE);
        *mark |= sides;
        let is = *mark & (MAIN | SIDE);
        *waiting += usize::from(is == SIDE && was != SIDE);
        *waiting -= usize::from(was == SIDE && is != SIDE);
    }
}
