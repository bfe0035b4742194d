use super::Id;

/// Ids one after the other.
#[derive(Clone, Debug)]
pub(super) enum Cells {
    Numbers(Vec<i64>),
    /// So many bytes each.
    Even {
        width: usize,
        len: usize,
        bytes: Vec<u8>,
    },
    /// Where each ends.
    Uneven {
        ends: Vec<usize>,
        bytes: Vec<u8>,
    },
}

impl Cells {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.len(),
            Self::Even { len, .. } => *len,
            Self::Uneven { ends, .. } => ends.len(),
        }
    }

    pub(super) fn byte_len(&self) -> usize {
        match self {
            Self::Numbers(numbers) => size_of_val(numbers.as_slice()),
            Self::Even { bytes, .. } => bytes.len(),
            Self::Uneven { ends, bytes } => size_of_val(ends.as_slice()) + bytes.len(),
        }
    }

    #[inline]
    pub(super) fn get(&self, node: u32) -> Id<'_> {
        let at = node as usize;
        match self {
            Self::Numbers(numbers) => Id::Number(numbers[at]),
            Self::Even { width, bytes, .. } => Id::Bytes(&bytes[at * width..(at + 1) * width]),
            Self::Uneven { ends, bytes } => {
                let start = at.checked_sub(1).map_or(0, |before| ends[before]);
                Id::Bytes(&bytes[start..ends[at]])
            }
        }
    }

    pub(super) fn push(&mut self, id: Id<'_>) {
        match (&mut *self, id) {
            (Self::Numbers(numbers), Id::Number(number)) => numbers.push(number),
            (Self::Even { width, len, bytes }, Id::Bytes(cell)) => {
                if *len == 0 {
                    *width = cell.len();
                }
                if cell.len() == *width {
                    *len += 1;
                    bytes.extend_from_slice(cell);
                    return;
                }
                let ends = (1..=*len).map(|at| at * *width).collect();
                *self = Self::Uneven { ends, bytes: std::mem::take(bytes) };
                self.push(id);
            }
            (Self::Uneven { ends, bytes }, Id::Bytes(cell)) => {
                bytes.extend_from_slice(cell);
                ends.push(bytes.len());
            }
            _ => unreachable!("numbers and bytes in one graph are refused where they come in"),
        }
    }

    /// The same with those from `first` on in another order.
    pub(super) fn reordered(&self, first: usize, order: &[u32]) -> Self {
        let (len, bytes) = (self.len(), self.byte_len());
        let mut cells = match self {
            Self::Numbers(_) => Self::Numbers(Vec::with_capacity(len)),
            Self::Even { .. } => Self::Even { width: 0, len: 0, bytes: Vec::with_capacity(bytes) },
            Self::Uneven { .. } => {
                Self::Uneven { ends: Vec::with_capacity(len), bytes: Vec::with_capacity(bytes) }
            }
        };
        (0..first as u32).chain(order.iter().copied()).for_each(|node| cells.push(self.get(node)));
        cells
    }
}
