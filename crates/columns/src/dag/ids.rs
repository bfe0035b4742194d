//! What the nodes of a graph are called.

mod cells;
mod given;
mod hex;

use std::collections::HashMap;
use std::hash::BuildHasher as _;
use std::sync::Arc;

use arrow_array::{DictionaryArray, Int32Array, Int64Array, LargeStringArray};
use arrow_buffer::{Buffer, OffsetBuffer};
use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::NONE;
use crate::build::{Bytes, Fixed, TextError};
use crate::{Column, ColumnError, Type};
use cells::Cells;
pub(super) use given::Given;

/// One id, as a graph keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Id<'a> {
    Number(i64),
    Bytes(&'a [u8]),
}

/// How ids are given, and given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    Signed,
    /// Kept as the signed numbers of the same bits.
    Unsigned,
    Text,
    Bytes,
    Uuid,
    /// Text of so many bytes in lower-case hexadecimal digits, which is what git calls commits: kept in half the room.
    Hex(usize),
}

impl Spelling {
    pub(super) fn kind(self) -> Type {
        match self {
            Self::Signed => Type::Int64,
            Self::Unsigned => Type::UInt64,
            Self::Text | Self::Hex(_) => Type::Text,
            Self::Bytes => Type::Bytes,
            Self::Uuid => Type::Uuid,
        }
    }
}

/// Whether ids of the one are looked for among those of the other.
pub(super) fn alike(one: Spelling, other: Spelling) -> bool {
    let is_number = |spelling| matches!(spelling, Spelling::Signed | Spelling::Unsigned);
    one.kind() == other.kind() || is_number(one) && is_number(other)
}

/// The ids of all nodes, and which node has an id.
#[derive(Clone, Debug)]
pub(super) struct Ids {
    spelling: Spelling,
    cells: Cells,
    index: HashTable<u32>,
    /// Ids come from users: whoever knows the hash could have all of them meet in one place.
    hasher: RandomState,
}

impl Ids {
    pub(super) fn new(spelling: Spelling) -> Self {
        let cells = match spelling {
            Spelling::Signed | Spelling::Unsigned => Cells::Numbers(Vec::new()),
            _ => Cells::Even { width: 0, len: 0, bytes: Vec::new() },
        };
        Self { spelling, cells, index: HashTable::new(), hasher: RandomState::default() }
    }

    pub(super) fn spelling(&self) -> Spelling {
        self.spelling
    }

    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    pub(super) fn byte_len(&self) -> usize {
        self.cells.byte_len() + self.index.allocation_size()
    }

    #[cfg(test)]
    pub(super) fn cell_bytes(&self) -> usize {
        self.cells.byte_len()
    }

    /// The node of this id.
    pub(super) fn find(&self, id: Id<'_>) -> Option<u32> {
        let is_it = |&node: &u32| self.cells.get(node) == id;
        self.index.find(self.hasher.hash_one(id), is_it).copied()
    }

    /// The node of this id, a new one where there is none.
    pub(super) fn node(&mut self, id: Id<'_>) -> Result<u32, ColumnError> {
        let Self { cells, index, hasher, .. } = self;
        let hash = hasher.hash_one(id);
        let is_it = |&node: &u32| cells.get(node) == id;
        if let Some(&node) = index.find(hash, is_it) {
            return Ok(node);
        }
        let node = u32::try_from(cells.len()).ok().filter(|&node| node < NONE);
        let node = node.ok_or_else(ColumnError::too_many_rows)?;
        cells.push(id);
        index.insert_unique(hash, node, |&node| hasher.hash_one(cells.get(node)));
        Ok(node)
    }

    /// The nodes from `first` on in another order, in which they get new numbers: these.
    pub(super) fn reorder(&mut self, first: usize, order: &[u32]) -> Vec<u32> {
        let mut places = vec![0; order.len()];
        for (place, &node) in (first as u32..).zip(order) {
            places[node as usize - first] = place;
        }
        self.cells = self.cells.reordered(first, order);
        for node in &mut self.index {
            if let Some(at) = (*node as usize).checked_sub(first) {
                *node = places[at];
            }
        }
        places
    }

    /// The same ids as plain text, so that others than hexadecimal digits can stand beside them.
    pub(super) fn as_text(&self) -> Result<Self, ColumnError> {
        let mut plain = Self::new(Spelling::Text);
        let mut text = Vec::new();
        for node in 0..self.len() as u32 {
            text.clear();
            self.spell(node, &mut text);
            plain.node(Id::Bytes(&text))?;
        }
        Ok(plain)
    }

    /// Text or bytes as they were given.
    fn spell(&self, node: u32, out: &mut Vec<u8>) {
        let Id::Bytes(bytes) = self.cells.get(node) else { return };
        match self.spelling {
            Spelling::Hex(_) => {
                let start = out.len();
                out.resize(start + 2 * bytes.len(), 0);
                hex::write(bytes, &mut out[start..]);
            }
            _ => out.extend_from_slice(bytes),
        }
    }

    /// The ids of these nodes; that of no node is NULL.
    pub(super) fn column(&self, nodes: &[u32]) -> Result<Column, ColumnError> {
        let known = |&node: &u32| (node != NONE).then_some(node);
        let number = |node: u32| match self.cells.get(node) {
            Id::Number(number) => number,
            Id::Bytes(_) => 0,
        };
        let uuid = |node: u32| match self.cells.get(node) {
            Id::Bytes(bytes) => bytes.try_into().map_or(0, i128::from_ne_bytes),
            Id::Number(_) => 0,
        };
        let all = nodes.iter().map(known);
        let is_known = !nodes.contains(&NONE);
        let mut cells = match self.spelling {
            Spelling::Signed if is_known && let Cells::Numbers(numbers) = &self.cells => {
                let numbers: Vec<i64> = nodes.iter().map(|&node| numbers[node as usize]).collect();
                return Ok(Column::from_array(Arc::new(Int64Array::from(numbers))));
            }
            Spelling::Signed => {
                let mut cells = Fixed::new(0_i64);
                cells.extend(all.map(|node| node.map(number)));
                return Ok(cells.finish(&Type::Int64));
            }
            Spelling::Unsigned => {
                let mut cells = Fixed::new(0_u64);
                cells.extend(all.map(|node| node.map(|node| number(node) as u64)));
                return Ok(cells.finish(&Type::UInt64));
            }
            Spelling::Uuid => {
                let mut cells = Fixed::new(0_i128);
                cells.extend(all.map(|node| node.map(uuid)));
                return Ok(cells.finish(&Type::Uuid));
            }
            Spelling::Hex(width) if is_known => return self.digits(width, nodes),
            Spelling::Bytes => Bytes::binary(),
            Spelling::Text | Spelling::Hex(_) => Bytes::text(),
        };
        for node in all {
            match node {
                Some(node) => cells.push_with(|out| self.spell(node, out)),
                None => cells.push_null(),
            }
        }
        let no_text =
            |error: TextError| ColumnError::new(format!("the id in row {} is no text", error.row));
        cells.finish().map_err(no_text)
    }

    /// The digits of nodes that follow each other at once, which takes a third of what it takes one after the other.
    fn digits(&self, width: usize, nodes: &[u32]) -> Result<Column, ColumnError> {
        let digits = width * 2;
        let mut text = vec![0; nodes.len() * digits];
        let mut left = text.as_mut_slice();
        for run in nodes.chunk_by(|before, next| before + 1 == *next) {
            let out;
            (out, left) = left.split_at_mut(run.len() * digits);
            if let Cells::Even { bytes, .. } = &self.cells {
                let start = run[0] as usize * width;
                hex::write(&bytes[start..start + run.len() * width], out);
            }
        }
        let offsets: Vec<i64> = (0..=nodes.len()).map(|at| (at * digits) as i64).collect();
        let offsets = OffsetBuffer::new(offsets.into());
        let text = LargeStringArray::try_new(offsets, Buffer::from_vec(text), None)?;
        Ok(Column::from_array(Arc::new(text)))
    }

    /// For each place the id of the node there, and the type of these: text stands once for each node. A place that there is
    /// not is NULL.
    pub(super) fn labels(
        &self,
        nodes: &[u32],
        places: &[u32],
    ) -> Result<(Type, Column), ColumnError> {
        let kind = self.spelling.kind();
        if kind != Type::Text || nodes.len() > i32::MAX as usize {
            let node = |&place: &u32| nodes.get(place as usize).copied().unwrap_or(NONE);
            return Ok((kind, self.column(&places.iter().map(node).collect::<Vec<_>>())?));
        }
        // A dictionary has each value once.
        let mut known = HashMap::new();
        let mut labels = Vec::new();
        let mut code = |&node: &u32| {
            *known.entry(node).or_insert_with(|| {
                labels.push(node);
                labels.len() as i32 - 1
            })
        };
        let codes: Vec<i32> = nodes.iter().map(&mut code).collect();
        let codes: Int32Array =
            places.iter().map(|&place| codes.get(place as usize).copied()).collect();
        let labels = self.column(&labels)?.into_array();
        Ok((Type::Enum, Column::from_array(Arc::new(DictionaryArray::try_new(codes, labels)?))))
    }
}
