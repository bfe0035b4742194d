use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use super::ids::{Given, Ids, Spelling, alike};
use super::{Dag, NONE, Typed, order};
use crate::kernels::Selection;
use crate::{ColumnError, Value};

/// Rows that say edges.
pub(super) struct Rows<'a> {
    pub(super) children: Given<'a>,
    pub(super) parents: Given<'a>,
    positions: Option<Typed<'a>>,
}

/// Edges as pairs of nodes, a child and its parent.
type Edges = Vec<(u32, u32)>;

impl<'a> Rows<'a> {
    pub(super) fn new(
        children: Typed<'a>,
        parents: Typed<'a>,
        positions: Option<Typed<'a>>,
    ) -> Result<Self, ColumnError> {
        let rows = children.1.len();
        let others = [("parents", Some(parents)), ("positions", positions)];
        for (name, column) in others {
            if let Some((_, column)) = column
                && column.len() != rows
            {
                let len = column.len();
                let message = format!("there are {rows} children and {len} {name}");
                return Err(ColumnError::new(message));
            }
        }
        if rows >= NONE as usize {
            return Err(ColumnError::too_many_rows());
        }
        let children = Given::new(children.0, children.1);
        let parents = Given::new(parents.0, parents.1);
        if let Some(row) = (0..rows).find(|&row| children.is_null(row)) {
            let message = format!("the child of row {row} is NULL: every row is about a child");
            return Err(ColumnError::new(message));
        }
        Ok(Self { children, parents, positions })
    }

    pub(super) fn len(&self) -> usize {
        self.children.len()
    }

    /// How the ids of both columns are spelled.
    pub(super) fn spelling(&self) -> Result<Spelling, ColumnError> {
        let of = |given: &Given<'_>, name: &str| {
            given.spelling().map_err(|error| ColumnError::new(format!("{name}: {error}")))
        };
        let both = (of(&self.children, "children")?, of(&self.parents, "parents")?);
        let spelling = match both {
            (Some(one), Some(other)) if one != other && alike(one, other) => Spelling::Unsigned,
            (Some(one), Some(other)) if one != other => {
                let (one, other) = (one.kind(), other.kind());
                let message = format!(
                    "children are {one} and parents {other}: the ids of a graph are of one type"
                );
                return Err(ColumnError::new(message));
            }
            (Some(one), _) | (None, Some(one)) => one,
            (None, None) => Spelling::Signed,
        };
        let is_hex = |&bytes: &usize| self.children.is_hex(bytes) && self.parents.is_hex(bytes);
        Ok(match (spelling, self.children.digits()) {
            (Spelling::Text, Some(bytes)) if is_hex(&bytes) => Spelling::Hex(bytes),
            _ => spelling,
        })
    }

    /// The nodes of each row, new ones among them; that of no parent is `NONE`.
    pub(super) fn nodes(&self, ids: &mut Ids) -> Result<Edges, ColumnError> {
        let (spelling, mut room) = (ids.spelling(), [0; 32]);
        let mut edges = Vec::with_capacity(self.len());
        for row in 0..self.len() {
            let mut node = |given: &Given<'_>| match given.id(row, spelling, &mut room) {
                Some(id) => ids.node(id),
                None if given.is_null(row) => Ok(NONE),
                None => {
                    let (id, kind) = (given.shown(row), spelling.kind());
                    Err(ColumnError::new(format!("row {row}: {id} is no {kind}")))
                }
            };
            edges.push((node(&self.children)?, node(&self.parents)?));
        }
        Ok(edges)
    }

    /// The rows by their positions, where they have some.
    fn in_order(&self, edges: Edges) -> Result<Edges, ColumnError> {
        let Some((kind, column)) = self.positions else { return Ok(edges) };
        let position = |row: usize| match column.value(kind, row) {
            Value::Int(position) => Ok(i128::from(position)),
            Value::UInt(position) => Ok(i128::from(position)),
            // Who has no parent needs no position.
            Value::Null if edges[row].1 == NONE => Ok(0),
            Value::Null => Err(ColumnError::new(format!("the position of row {row} is NULL"))),
            _ => Err(ColumnError::new(format!("positions are integers, not {kind}"))),
        };
        let mut placed = (0..edges.len())
            .map(|row| Ok((position(row)?, edges[row])))
            .collect::<Result<Vec<_>, ColumnError>>()?;
        placed.sort_by_key(|&(position, _)| position);
        Ok(placed.into_iter().map(|(_, edge)| edge).collect())
    }
}

impl Dag {
    /// The same graph with these edges, too; those that it has already change nothing. Parents of a node that has some
    /// come behind them. Nodes keep their numbers where all edges are of new children.
    ///
    /// # Errors
    /// As [`new`](Self::new), or if the ids are of another type than the graph's.
    pub fn with_edges(
        &self,
        children: Typed<'_>,
        parents: Typed<'_>,
        positions: Option<Typed<'_>>,
    ) -> Result<Self, ColumnError> {
        let given = Rows::new(children, parents, positions)?;
        if given.len() == 0 {
            return Ok(self.clone());
        }
        let (ours, theirs) = (self.ids.spelling(), given.spelling()?);
        if self.is_empty() {
            return Self::empty(Ids::new(theirs)).changed(&given);
        }
        if !alike(ours, theirs) {
            let (ours, theirs) = (ours.kind(), theirs.kind());
            let message = format!("the ids of this graph are {ours}, not {theirs}");
            return Err(ColumnError::new(message));
        }
        if matches!(ours, Spelling::Hex(_)) && ours != theirs {
            return Self { ids: self.ids.as_text()?, ..self.clone() }.changed(&given);
        }
        self.changed(&given)
    }

    pub(super) fn changed(&self, rows: &Rows<'_>) -> Result<Self, ColumnError> {
        if self.parents.len() + rows.len() >= NONE as usize {
            return Err(ColumnError::too_many_rows());
        }
        let old = self.len() as u32;
        let mut ids = self.ids.clone();
        let said = rows.nodes(&mut ids)?;
        let children: Vec<u32> = said.iter().map(|&(child, _)| child).collect();
        let mut edges: Edges = rows.in_order(said)?;
        // The parents of those known children that are in a row again.
        let mut known: HashMap<u32, HashSet<u32>> = HashMap::new();
        edges.retain(|&(child, parent)| {
            let parents = || self.parents(child).iter().copied().collect();
            parent != NONE
                && (child >= old || !known.entry(child).or_insert_with(parents).contains(&parent))
        });
        // What no new edge begins at stays as it is.
        let first = if edges.iter().all(|&(child, _)| child >= old) { old } else { 0 };
        let (mut starts, mut parents) = (vec![0], Vec::new());
        if first == old {
            (starts, parents) = (self.starts.clone(), self.parents.clone());
        } else {
            let pairs = |node: u32| self.parents(node).iter().map(move |&parent| (node, parent));
            edges = (0..old).flat_map(pairs).chain(edges).collect();
        }
        order::append(&mut starts, &mut parents, ids.len(), &edges);
        let first = first as usize;
        let order = order::post_order(&starts, &parents, first).map_err(|circle| {
            let shown = Self { ids: ids.clone(), ..self.clone() };
            let back = [circle.as_slice(), &circle[..1]].concat();
            ColumnError::new(format!(
                "the edges go in a circle: {}; check(), given all edges, names those that do",
                shown.shown(&back)
            ))
        })?;
        let mut named = self.named.indices();
        if order.is_sorted() {
            named.extend(children);
        } else {
            let places = ids.reorder(first, &order);
            let place =
                |node: u32| (node as usize).checked_sub(first).map_or(node, |at| places[at]);
            named = named.into_iter().chain(children).map(place).collect();
            (starts, parents) = order::renumbered(&starts, &parents, first, &order, place);
        }
        let named = Selection::of(ids.len(), named);
        Ok(Self { ids, starts, parents, named, spelled: OnceLock::new() })
    }
}
