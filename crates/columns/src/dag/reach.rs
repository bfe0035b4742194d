use super::Dag;
use crate::kernels::Selection;

impl Dag {
    /// These nodes and all their ancestors, as `git rev-list` names them.
    ///
    /// # Panics
    /// If there is no such node.
    pub fn reach(&self, nodes: &[u32]) -> Selection {
        self.down(Selection::of(self.len(), nodes.iter().copied()))
    }

    /// All nodes that these come from: their parents, those of the parents, and so on. One of them is among these if it is
    /// another's ancestor.
    ///
    /// # Panics
    /// If there is no such node.
    pub fn ancestors(&self, nodes: &[u32]) -> Selection {
        let parents = nodes.iter().flat_map(|&node| self.parents(node)).copied();
        self.down(Selection::of(self.len(), parents))
    }

    /// What both reach that no other such node reaches, as `git merge-base --all` names it.
    ///
    /// # Panics
    /// If there is no such node.
    pub fn merge_bases(&self, a: &[u32], b: &[u32]) -> Selection {
        let both = self.reach(a).and(&self.reach(b));
        let nodes = both.indices();
        both.without(&self.ancestors(&nodes))
    }

    /// All nodes that come from these: their children, those of the children, and so on.
    ///
    /// # Panics
    /// If there is no such node.
    pub fn descendants(&self, nodes: &[u32]) -> Selection {
        let Some(&first) = nodes.iter().min() else { return Selection::of(self.len(), []) };
        let mut reached = vec![0_u64; self.len().div_ceil(64)];
        let mut found = reached.clone();
        for &node in nodes {
            set(&mut reached, node);
        }
        // Parents have lower numbers than their children.
        for node in first..self.len() as u32 {
            if self.parents(node).iter().any(|&parent| is_set(&reached, parent)) {
                set(&mut reached, node);
                set(&mut found, node);
            }
        }
        Selection::of_words(self.len(), found)
    }

    /// With all that is below.
    fn down(&self, from: Selection) -> Selection {
        let mut words = from.into_words();
        for at in (0..words.len()).rev() {
            let mut word = words[at];
            if word == 0 {
                continue;
            }
            let starts = &self.starts[at * 64..self.starts.len().min(at * 64 + 65)];
            // One after the other, not from set bit to set bit: so what the next ones need is read meanwhile.
            for (bit, ends) in starts.windows(2).enumerate().rev() {
                if word >> bit & 1 == 0 {
                    continue;
                }
                for &parent in &self.parents[ends[0] as usize..ends[1] as usize] {
                    // Most are in the same word, below the node.
                    if parent as usize / 64 == at {
                        word |= 1 << (parent % 64);
                    } else {
                        set(&mut words, parent);
                    }
                }
            }
            words[at] = word;
        }
        Selection::of_words(self.len(), words)
    }
}

#[inline]
fn set(words: &mut [u64], node: u32) {
    words[node as usize / 64] |= 1 << (node % 64);
}

#[inline]
fn is_set(words: &[u64], node: u32) -> bool {
    words[node as usize / 64] >> (node % 64) & 1 != 0
}
