use std::sync::Arc;

use super::{Dag, NONE, Typed};
use crate::{Batch, ColumnError, Field, Schema};

impl Dag {
    /// For each node the first of the heads that is it or reaches it, as a table of `id` and `owner`, parents before
    /// children; NULL where none does. The owner is the head's name, if heads have names, else its id. With the oldest
    /// release first this is the release that each commit was first in.
    ///
    /// # Errors
    /// If there are fewer names than heads.
    ///
    /// # Panics
    /// If there is no such node.
    pub fn ownership(&self, heads: &[u32], names: Option<Typed<'_>>) -> Result<Batch, ColumnError> {
        let places = self.first_heads(heads);
        let (kind, owners) = match names {
            None => self.ids.labels(heads, &places)?,
            Some((kind, names)) => {
                let places = places.iter().map(|&place| (place != NONE).then_some(place));
                (kind.clone(), names.take(&places.collect())?)
            }
        };
        let fields = vec![Field::new("id", self.kind()), Field::new("owner", kind)];
        let columns = vec![self.all_ids()?, owners];
        Ok(Batch::new(Arc::new(Schema::new(fields)), columns, self.len()))
    }

    /// The head of each node, by its place among them, in one pass down: what a node is owned by owns its parents, unless one before it does.
    fn first_heads(&self, heads: &[u32]) -> Vec<u32> {
        let mut owners = vec![NONE; self.len()];
        for (head, &node) in (0..NONE).zip(heads) {
            let owner = &mut owners[node as usize];
            *owner = head.min(*owner);
        }
        for node in (0..self.len()).rev() {
            let head = owners[node];
            if head == NONE {
                continue;
            }
            for &parent in self.parents(node as u32) {
                let owner = &mut owners[parent as usize];
                *owner = head.min(*owner);
            }
        }
        owners
    }
}
