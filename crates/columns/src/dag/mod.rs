//! A graph in which each node has parents: a history of commits.

mod brought;
mod change;
mod check;
mod ids;
mod order;
mod owners;
mod reach;
#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};

use crate::kernels::Selection;
use crate::{Batch, Column, ColumnError, Field, Schema, Type};
use ids::{Given, Ids};

/// No node.
const NONE: u32 = u32::MAX;

/// A directed graph without circles, of edges from children to their parents: a history of commits, say.
///
/// Nodes are numbered so that parents come before their children; the parents of all nodes are one list, and where those
/// of each begin. So what a node can reach is found in one pass down that list, and what can reach it in one pass up. Ids
/// are integers, text, bytes or uuids; text of 40 or 64 hexadecimal digits is kept as the 20 or 32 bytes it stands for.
///
/// ```
/// use rowmill_columns::{Column, Dag, Type, build::Bytes};
/// let column = |names: &[&str]| {
///     let mut column = Bytes::text();
///     names.iter().for_each(|name| if name.is_empty() { column.push_null() } else { column.push(name.as_bytes()) });
///     column.finish().unwrap()
/// };
/// // A root, two branches, and their merge.
/// let children = column(&["a", "b", "c", "m", "m"]);
/// let parents = column(&["", "a", "a", "b", "c"]);
/// let dag = Dag::new((&Type::Text, &children), (&Type::Text, &parents), None).unwrap();
/// let merge = dag.find((&Type::Text, &column(&["m"]))).unwrap()[0].unwrap();
/// assert_eq!((dag.len(), dag.edge_count(), dag.reach(&[merge]).count()), (4, 4, 4));
/// assert_eq!(dag.first_parents(merge, usize::MAX).len(), 3);
/// ```
#[derive(Clone, Debug)]
pub struct Dag {
    ids: Ids,
    /// Where the parents of each node begin, with one end more.
    starts: Vec<u32>,
    parents: Vec<u32>,
    /// Which nodes were children in some row, be it without a parent.
    named: Selection,
    /// All ids as they are given back, once they were.
    spelled: OnceLock<Column>,
}

/// A column with its type.
pub type Typed<'a> = (&'a Type, &'a Column);

impl Dag {
    /// The graph of these edges, one for each row. A row whose parent is NULL says that there is a node; the same edge
    /// said again is one edge. The parents of a node are in the order of their `positions`, else in that of the rows.
    ///
    /// # Errors
    /// If the columns are of different lengths or their ids of different types, a child or a position is NULL, the edges
    /// go in a circle, or there are more than 32 bits count.
    pub fn new(
        children: Typed<'_>,
        parents: Typed<'_>,
        positions: Option<Typed<'_>>,
    ) -> Result<Self, ColumnError> {
        let given = change::Rows::new(children, parents, positions)?;
        Self::empty(Ids::new(given.spelling()?)).changed(&given)
    }

    fn empty(ids: Ids) -> Self {
        Self {
            ids,
            starts: vec![0],
            parents: Vec::new(),
            named: Selection::default(),
            spelled: OnceLock::new(),
        }
    }

    /// How many nodes.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many edges.
    pub fn edge_count(&self) -> usize {
        self.parents.len()
    }

    /// Bytes that it takes, about; more once [all ids](Self::all_ids) were asked for.
    pub fn byte_len(&self) -> usize {
        let spelled = self.spelled.get().map_or(0, Column::byte_len);
        self.ids.byte_len() + size_of_val(&*self.starts) + size_of_val(&*self.parents) + spelled
    }

    /// What type ids are given back as.
    pub fn kind(&self) -> Type {
        self.ids.spelling().kind()
    }

    /// Whether all ids are hashes in hexadecimal digits.
    pub fn has_hashes(&self) -> bool {
        matches!(self.ids.spelling(), ids::Spelling::Hex(_))
    }

    /// The node of each id; `None` of one that is no node's, and of NULL.
    ///
    /// # Errors
    /// If the ids are of another type.
    pub fn find(&self, ids: Typed<'_>) -> Result<Vec<Option<u32>>, ColumnError> {
        let given = Given::new(ids.0, ids.1);
        let spelling = self.ids.spelling();
        match given.spelling()? {
            Some(other) if !self.is_empty() && !ids::alike(spelling, other) => {
                let (ours, theirs) = (spelling.kind(), ids.0);
                let message = format!("the ids of this graph are {ours}, not {theirs}");
                return Err(ColumnError::new(message));
            }
            _ => {}
        }
        let mut room = [0; 32];
        let find = |row| self.ids.find(given.id(row, spelling, &mut room)?);
        Ok((0..given.len()).map(find).collect())
    }

    /// The parents of a node, the first first.
    ///
    /// # Panics
    /// If there is no such node.
    #[inline]
    pub fn parents(&self, node: u32) -> &[u32] {
        let at = node as usize;
        &self.parents[self.starts[at] as usize..self.starts[at + 1] as usize]
    }

    /// The children of a node, in the order of all nodes.
    ///
    /// # Panics
    /// If there is no such node.
    pub fn children(&self, node: u32) -> Vec<u32> {
        assert!((node as usize) < self.len(), "node {node} of {}", self.len());
        // Children have higher numbers.
        let first = self.starts[node as usize + 1] as usize;
        let edges = (first..).zip(&self.parents[first..]).filter(|&(_, &parent)| parent == node);
        // The node before the first that begins behind the edge.
        let child = |edge: usize| self.starts.partition_point(|&start| start as usize <= edge) - 1;
        edges.map(|(edge, _)| child(edge) as u32).collect()
    }

    /// Nodes without parents.
    pub fn roots(&self) -> Selection {
        let nodes = 0..self.len() as u32;
        Selection::of(self.len(), nodes.filter(|&node| self.parents(node).is_empty()))
    }

    /// Nodes without children.
    pub fn heads(&self) -> Selection {
        Selection::of(self.len(), self.parents.iter().copied()).others()
    }

    /// Nodes that are only known as somebody's parents: where a history was cut off.
    pub fn missing(&self) -> Selection {
        self.named.others()
    }

    /// Whether a node is in no row a child.
    pub(crate) fn is_missing(&self, node: u32) -> bool {
        !self.named.contains(node)
    }

    /// The ids of these nodes.
    ///
    /// # Errors
    /// None that is known.
    pub fn ids(&self, nodes: &[u32]) -> Result<Column, ColumnError> {
        self.ids.column(nodes)
    }

    /// The ids of all nodes, parents before children; they are kept.
    ///
    /// # Errors
    /// None that is known.
    pub fn all_ids(&self) -> Result<Column, ColumnError> {
        if let Some(ids) = self.spelled.get() {
            return Ok(ids.clone());
        }
        let nodes: Vec<u32> = (0..self.len() as u32).collect();
        let ids = self.ids(&nodes)?;
        Ok(self.spelled.get_or_init(|| ids).clone())
    }

    /// A node, its first parent, that one's first, and so on to the root; of at most so many nodes.
    ///
    /// # Panics
    /// If there is no such node.
    pub fn first_parents(&self, node: u32, limit: usize) -> Vec<u32> {
        let next = |&node: &u32| self.parents(node).first().copied();
        std::iter::successors(Some(node), next).take(limit).collect()
    }

    /// All edges, with the child and the parent of each, parents in their order, and those of a child together; a node
    /// without parents stands beside a NULL, unless it is [missing](Self::missing). A graph made of these has the same nodes
    /// and edges, though perhaps in another order.
    ///
    /// # Errors
    /// None that is known.
    pub fn edges(&self) -> Result<Batch, ColumnError> {
        let (mut children, mut parents) = (Vec::new(), Vec::new());
        for node in 0..self.len() as u32 {
            let of_node = self.parents(node);
            if of_node.is_empty() && !self.is_missing(node) {
                children.push(node);
                parents.push(NONE);
            }
            children.resize(children.len() + of_node.len(), node);
            parents.extend_from_slice(of_node);
        }
        self.table([("child", &children), ("parent", &parents)])
    }

    /// Columns of ids.
    fn table<const N: usize>(&self, columns: [(&str, &[u32]); N]) -> Result<Batch, ColumnError> {
        let rows = columns[0].1.len();
        let fields = columns.iter().map(|(name, _)| Field::new(*name, self.kind())).collect();
        let columns = columns.iter().map(|(_, nodes)| self.ids(nodes));
        let columns = columns.collect::<Result<_, _>>()?;
        Ok(Batch::new(Arc::new(Schema::new(fields)), columns, rows))
    }

    /// Some ids, for messages.
    fn shown(&self, nodes: &[u32]) -> String {
        const MOST: usize = 8;
        let (kind, shown) = (self.kind(), &nodes[..nodes.len().min(MOST)]);
        let ids = self.ids(shown);
        let show = |at: usize| match &ids {
            Ok(ids) => Given::new(&kind, ids).shown(at),
            Err(_) => String::new(),
        };
        let shown: Vec<String> = (0..shown.len()).map(show).collect();
        let more = nodes.len() - shown.len();
        let more = if more > 0 { format!(" -> ... {more} more") } else { String::new() };
        format!("{}{more}", shown.join(" -> "))
    }
}
