//! The order in which nodes are numbered.

/// The nodes from `first` on, parents before children: those of a first parent before those of the others, so that what
/// only a merge brought in lies together. Parents below `first` are there before.
///
/// # Errors
/// The nodes of a circle, each a child of the next and the last of the first.
pub(super) fn post_order(
    starts: &[u32],
    parents: &[u32],
    first: usize,
) -> Result<Vec<u32>, Vec<u32>> {
    let nodes = starts.len() - 1;
    let mut is_parent = vec![false; nodes - first];
    let inner = starts[first] as usize;
    for &parent in &parents[inner..] {
        if let Some(at) = (parent as usize).checked_sub(first) {
            is_parent[at] = true;
        }
    }
    let mut walk = Walk { starts, parents, first, states: vec![State::New; nodes - first] };
    let mut order = Vec::with_capacity(nodes - first);
    let heads = (first..nodes).filter(|&node| !is_parent[node - first]);
    // What no head reaches is on a circle, or behind one.
    for node in heads.chain(first..nodes) {
        walk.from(node as u32, &mut order)?;
    }
    Ok(order)
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    New,
    /// Its parents are being looked at.
    Open,
    Done,
}

struct Walk<'a> {
    starts: &'a [u32],
    parents: &'a [u32],
    first: usize,
    states: Vec<State>,
}

impl Walk<'_> {
    fn from(&mut self, node: u32, order: &mut Vec<u32>) -> Result<(), Vec<u32>> {
        // Each node on the way with where its next parent stands.
        let mut way: Vec<(u32, u32)> = Vec::new();
        self.open(node, &mut way)?;
        while let Some((node, next)) = way.last_mut() {
            if *next == self.starts[*node as usize + 1] {
                self.states[*node as usize - self.first] = State::Done;
                order.push(*node);
                way.pop();
                continue;
            }
            let parent = self.parents[*next as usize];
            *next += 1;
            self.open(parent, &mut way)?;
        }
        Ok(())
    }

    fn open(&mut self, node: u32, way: &mut Vec<(u32, u32)>) -> Result<(), Vec<u32>> {
        let Some(at) = (node as usize).checked_sub(self.first) else { return Ok(()) };
        match self.states[at] {
            State::Done => Ok(()),
            State::New => {
                self.states[at] = State::Open;
                way.push((node, self.starts[node as usize]));
                Ok(())
            }
            State::Open => {
                let circle = way.iter().map(|&(on, _)| on).skip_while(|&on| on != node);
                Err(circle.collect())
            }
        }
    }
}

/// The edges of the nodes from `first` on behind those of the nodes before, each child's in the order in which they come
/// and once.
pub(super) fn append(
    starts: &mut Vec<u32>,
    parents: &mut Vec<u32>,
    nodes: usize,
    edges: &[(u32, u32)],
) {
    let first = starts.len() - 1;
    let mut next = vec![0; nodes - first + 1];
    for &(child, _) in edges {
        next[child as usize - first + 1] += 1_u32;
    }
    for at in 1..next.len() {
        next[at] += next[at - 1];
    }
    let ends = next.clone();
    let mut sorted = vec![0; edges.len()];
    for &(child, parent) in edges {
        let place = &mut next[child as usize - first];
        sorted[*place as usize] = parent;
        *place += 1;
    }
    // The last child that each was a parent of.
    let mut seen = vec![0; if edges.is_empty() { 0 } else { nodes }];
    for (at, ends) in ends.windows(2).enumerate() {
        let child = (first + at) as u32;
        for &parent in &sorted[ends[0] as usize..ends[1] as usize] {
            if std::mem::replace(&mut seen[parent as usize], child + 1) != child + 1 {
                parents.push(parent);
            }
        }
        starts.push(parents.len() as u32);
    }
}

/// The edges with nodes renumbered, those from `first` on in `order`.
pub(super) fn renumbered(
    starts: &[u32],
    parents: &[u32],
    first: usize,
    order: &[u32],
    place: impl Fn(u32) -> u32,
) -> (Vec<u32>, Vec<u32>) {
    let mut ours = starts[..=first].to_vec();
    let mut moved = parents[..starts[first] as usize].to_vec();
    ours.reserve_exact(order.len());
    moved.reserve_exact(parents.len() - moved.len());
    for &node in order {
        let of_node = starts[node as usize] as usize..starts[node as usize + 1] as usize;
        moved.extend(parents[of_node].iter().map(|&parent| place(parent)));
        ours.push(moved.len() as u32);
    }
    (ours, moved)
}
