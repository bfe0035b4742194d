use rowmill_columns::build::{Fixed, FixedList, ListOffsets};
use rowmill_columns::{Column, Type};

use super::CellError;

/// A column of pgvector's vectors: lists of one length where the type declares it.
#[derive(Debug)]
pub(crate) struct VectorDecoder {
    /// Whether the elements have 16 bits.
    is_half: bool,
    lists: Lists,
}

#[derive(Debug)]
enum Lists {
    Declared(FixedList<f32>),
    Any(ListOffsets, Fixed<f32>),
}

impl Lists {
    fn push(&mut self, values: impl Iterator<Item = f32>) -> Result<(), CellError> {
        match self {
            Self::Declared(lists) => {
                let fits = lists.push(values);
                fits.then_some(()).ok_or(CellError::Malformed(
                    "a vector of another dimension than its type declares",
                ))
            }
            Self::Any(lists, elements) => {
                values.for_each(|value| elements.push(value));
                lists.push(elements.len());
                Ok(())
            }
        }
    }
}

/// The type of vectors of such a declared dimension.
pub(super) fn column_type(dimension: Option<usize>) -> Type {
    let declared = dimension.and_then(|len| Type::fixed_list(&Type::Float32, len));
    declared.unwrap_or_else(|| Type::List(Box::new(Type::Float32)))
}

impl VectorDecoder {
    pub(crate) fn new(is_half: bool, dimension: Option<usize>) -> Self {
        let lists = match dimension {
            Some(len) => Lists::Declared(FixedList::new(len, f32::NAN)),
            None => Lists::Any(ListOffsets::default(), Fixed::marking(f32::NAN)),
        };
        Self { is_half, lists }
    }

    /// Appends a vector: how many elements in 16 bits, 16 bits of no use, the elements.
    #[inline(never)]
    pub(crate) fn push(&mut self, cell: &[u8]) -> Result<(), CellError> {
        let Some((&[n1, n0, _, _], rest)) = cell.split_first_chunk::<4>() else {
            return Err(MALFORMED);
        };
        let width = if self.is_half { 2 } else { 4 };
        if rest.len() != usize::from(u16::from_be_bytes([n1, n0])) * width {
            return Err(MALFORMED);
        }
        if self.is_half {
            let halves = rest.as_chunks().0.iter();
            self.lists.push(halves.map(|&bytes| from_half(u16::from_be_bytes(bytes))))
        } else {
            self.lists.push(rest.as_chunks().0.iter().map(|&bytes| f32::from_be_bytes(bytes)))
        }
    }

    pub(crate) fn push_null(&mut self) {
        match &mut self.lists {
            Lists::Declared(lists) => lists.push_null(),
            Lists::Any(lists, _) => lists.push_null(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match &self.lists {
            Lists::Declared(lists) => lists.len(),
            Lists::Any(lists, _) => lists.len(),
        }
    }

    pub(crate) fn finish(self) -> Column {
        match self.lists {
            Lists::Declared(lists) => lists.finish(&Type::Float32),
            Lists::Any(lists, elements) => {
                lists.finish(&Type::Float32, elements.finish(&Type::Float32))
            }
        }
    }
}

/// A float of 16 bits, which a float of 32 holds exactly.
fn from_half(bits: u16) -> f32 {
    let sign = u32::from(bits >> 15) << 31;
    let (exponent, fraction) = (u32::from(bits >> 10) & 0x1f, u32::from(bits) & 0x3ff);
    match exponent {
        // Subnormal: a whole number of 2^-24.
        0 => {
            let magnitude = fraction as f32 / 16_777_216.0;
            f32::from_bits(sign | magnitude.to_bits())
        }
        31 => f32::from_bits(sign | 0x7f80_0000 | fraction << 13),
        _ => f32::from_bits(sign | (exponent + 112) << 23 | fraction << 13),
    }
}

const MALFORMED: CellError = CellError::Malformed("a vector that contradicts itself");
