use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::{
    Array as _, ArrayRef, ArrowPrimitiveType, BooleanArray, FixedSizeBinaryArray, LargeListArray,
    PrimitiveArray,
};
use arrow_buffer::{BooleanBuffer, Buffer, MutableBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::DataType as D;

use super::gather::gather;
use super::selection::Kept;
use super::{Selection, strings};
use crate::{Column, ColumnError};

/// Cells up to which columns may share an allocation.
const CELLS: usize = 4_096;
/// And bytes: a column that is kept alone keeps those of the others too.
const BYTES: usize = 64 << 10;
/// Everything begins at a multiple of the widest value.
const ALIGNED: usize = size_of::<i128>();

/// The kept rows of the columns in one allocation, from which each has its slices; `None` where they
/// are too many for that.
///
/// Most of what a frame of a hundred rows takes is its allocations: with one for each part of each
/// column, eleven columns are forty-seven of them.
pub(super) fn keep<'a>(
    columns: impl ExactSizeIterator<Item = &'a Column> + Clone,
    selection: &Selection,
) -> Result<Option<Arc<[Column]>>, ColumnError> {
    if selection.count().saturating_mul(columns.len()) > CELLS {
        return Ok(None);
    }
    let rows = selection.indices();
    let mut places = Vec::with_capacity(columns.len());
    let mut end = 0;
    for column in columns.clone() {
        places.push(Place::reserve(column, &rows, &mut end));
        if end > BYTES {
            return Ok(None);
        }
    }
    let cells = (end + strings::SHORT).div_ceil(ALIGNED);
    let mut memory: Vec<i128> = Vec::with_capacity(cells);
    // By way of `vec!` the allocator is asked for zeros, which for so few takes longer.
    memory.extend(std::iter::repeat_n(0, cells));
    let mut memory = MutableBuffer::from(memory);
    for (column, place) in columns.clone().zip(&places) {
        place.fill(column, &rows, memory.as_slice_mut());
    }
    let memory = Buffer::from(memory);
    let mut failed = None;
    let made = columns.zip(&places).map(|(column, place)| {
        let made = place.array(column.array(), rows.len(), &memory);
        let made = made.map_or_else(|| gather(column.array(), &Kept::of(&rows)), Ok);
        match made {
            Ok(array) => Column::from_marked_array(array, column.marks_nulls()),
            Err(error) => {
                failed = Some(error);
                column.clone()
            }
        }
    });
    let made: Arc<[Column]> = made.collect();
    failed.map_or(Ok(Some(made)), Err)
}

/// Where the parts of a column begin, in bytes.
struct Place {
    kind: Kind,
    values: usize,
    nulls: Option<usize>,
}

enum Kind {
    Bits,
    /// So many bytes a row.
    Fixed(usize),
    Text {
        data: usize,
        len: usize,
    },
    List(Box<Elements>),
    /// Not here: dictionaries and what others made.
    Elsewhere,
}

/// The elements of lists, a column themselves.
struct Elements {
    column: Column,
    rows: Vec<u32>,
    place: Place,
}

impl Elements {
    /// `None` where there are too many.
    fn of(list: &LargeListArray, rows: &[u32], end: &mut usize) -> Option<Self> {
        let starts = list.value_offsets();
        let of = |&row: &u32| starts[row as usize]..starts[row as usize + 1];
        let count: i64 = rows.iter().map(of).map(|list| list.end - list.start).sum();
        if count > CELLS as i64 || list.values().len() > u32::MAX as usize {
            return None;
        }
        let mut elements = Vec::with_capacity(count as usize);
        rows.iter().map(of).for_each(|list| elements.extend(list.start as u32..list.end as u32));
        let column = Column::from_array(Arc::clone(list.values()));
        let place = Place::reserve(&column, &elements, end);
        let is_here = !matches!(place.kind, Kind::Elsewhere);
        is_here.then_some(Self { column, rows: elements, place })
    }
}

impl Place {
    fn reserve(column: &Column, rows: &[u32], end: &mut usize) -> Self {
        let array = column.array();
        let bits = rows.len().div_ceil(64) * 8;
        let (mut kind, bytes) = match array.data_type() {
            D::Boolean => (Kind::Bits, bits),
            D::LargeUtf8 | D::LargeBinary => (Kind::Text { data: 0, len: 0 }, (rows.len() + 1) * 8),
            D::LargeList(_) => match Elements::of(array.as_list(), rows, end) {
                Some(elements) => (Kind::List(Box::new(elements)), (rows.len() + 1) * 8),
                None => (Kind::Elsewhere, 0),
            },
            D::FixedSizeBinary(16) => (Kind::Fixed(16), rows.len() * 16),
            other => match other.primitive_width().filter(|&width| width <= ALIGNED) {
                Some(width) => (Kind::Fixed(width), rows.len() * width),
                None => (Kind::Elsewhere, 0),
            },
        };
        let mut room = |bytes: usize| {
            let at = *end;
            *end += bytes.next_multiple_of(ALIGNED);
            at
        };
        let values = room(bytes);
        let holes = array.null_count() > 0 && !matches!(kind, Kind::Elsewhere);
        let nulls = holes.then(|| room(bits));
        // Last, as it is filled last: what is copied too much of a text lies on what comes after it.
        if let (Kind::Text { data, len }, Some((starts, _))) = (&mut kind, column.variable_bytes())
        {
            let len_of = |&row: &u32| starts[row as usize + 1] - starts[row as usize];
            *len = rows.iter().map(len_of).sum::<i64>() as usize;
            *data = room(*len);
        }
        Self { kind, values, nulls }
    }

    /// Columns in the order in which they were reserved.
    fn fill(&self, column: &Column, rows: &[u32], memory: &mut [u8]) {
        if let Kind::List(elements) = &self.kind {
            elements.place.fill(&elements.column, &elements.rows, memory);
        }
        if let (Some(at), Some(nulls)) = (self.nulls, column.array().nulls()) {
            copy_bits(nulls.inner(), rows, &mut memory[at..]);
        }
        match &self.kind {
            Kind::Elsewhere => {}
            Kind::List(_) => {
                let (offsets, _) = memory[self.values..].as_chunks_mut::<8>();
                let starts = column.array().as_list::<i64>().value_offsets();
                let (mut end, mut ends) = (0_i64, offsets.iter_mut());
                ends.next().into_iter().for_each(|first| *first = [0; 8]);
                for (out, &row) in ends.zip(rows) {
                    end += starts[row as usize + 1] - starts[row as usize];
                    *out = end.to_ne_bytes();
                }
            }
            Kind::Bits => {
                copy_bits(column.array().as_boolean().values(), rows, &mut memory[self.values..]);
            }
            Kind::Fixed(width) => {
                let Some(cells) = column.fixed_bytes() else { return };
                let out = &mut memory[self.values..];
                match width {
                    1 => copy::<1>(cells, rows, out),
                    2 => copy::<2>(cells, rows, out),
                    4 => copy::<4>(cells, rows, out),
                    8 => copy::<8>(cells, rows, out),
                    _ => copy::<16>(cells, rows, out),
                }
            }
            Kind::Text { data, .. } => {
                let Some(texts) = column.variable_bytes() else { return };
                let (front, data) = memory.split_at_mut(*data);
                let (offsets, _) = front[self.values..].as_chunks_mut::<8>();
                strings::fill(texts, rows, &mut offsets[..=rows.len()], data);
            }
        }
    }

    fn array(&self, source: &ArrayRef, rows: usize, memory: &Buffer) -> Option<ArrayRef> {
        let bits = |at: usize| {
            let bytes = memory.slice_with_length(at, rows.div_ceil(64) * 8);
            BooleanBuffer::new(bytes, 0, rows)
        };
        let nulls = self.nulls.map(|at| NullBuffer::new(bits(at)));
        let nulls = nulls.filter(|nulls| nulls.null_count() > 0);
        Some(match &self.kind {
            Kind::Elsewhere => return None,
            Kind::List(elements) => {
                let Elements { column, rows: kept, place } = &**elements;
                let elements = place.array(column.array(), kept.len(), memory)?;
                let offsets =
                    ScalarBuffer::from(memory.slice_with_length(self.values, (rows + 1) * 8));
                let D::LargeList(field) = source.data_type() else { return None };
                let offsets = OffsetBuffer::new(offsets);
                Arc::new(LargeListArray::try_new(Arc::clone(field), offsets, elements, nulls).ok()?)
            }
            Kind::Bits => Arc::new(BooleanArray::new(bits(self.values), nulls)),
            Kind::Text { data, len } => {
                let offsets = memory.slice_with_length(self.values, (rows + 1) * 8);
                let data = memory.slice_with_length(*data, *len);
                strings::filled(source.data_type(), offsets, data, nulls)
            }
            Kind::Fixed(width) => {
                let values = memory.slice_with_length(self.values, rows * width);
                arrow_array::downcast_primitive_array!(
                    source => Arc::new(primitive(source, values, nulls)),
                    _ => Arc::new(FixedSizeBinaryArray::try_new(16, values, nulls).ok()?),
                )
            }
        })
    }
}

fn primitive<T: ArrowPrimitiveType>(
    source: &PrimitiveArray<T>,
    values: Buffer,
    nulls: Option<NullBuffer>,
) -> PrimitiveArray<T> {
    PrimitiveArray::new(ScalarBuffer::from(values), nulls)
        .with_data_type(source.data_type().clone())
}

fn copy<const WIDTH: usize>(cells: &[u8], rows: &[u32], out: &mut [u8]) {
    let ((cells, _), (out, _)) = (cells.as_chunks::<WIDTH>(), out.as_chunks_mut::<WIDTH>());
    out.iter_mut().zip(rows).for_each(|(out, &row)| *out = cells[row as usize]);
}

fn copy_bits(bitmap: &BooleanBuffer, rows: &[u32], out: &mut [u8]) {
    let (bytes, offset) = (bitmap.values(), bitmap.offset());
    let (words, _) = out.as_chunks_mut::<8>();
    for (word, rows) in words.iter_mut().zip(rows.chunks(64)) {
        let bits = rows.iter().enumerate().fold(0_u64, |word, (at, &row)| {
            let from = offset + row as usize;
            word | u64::from(bytes[from / 8] >> (from % 8) & 1) << at
        });
        *word = bits.to_le_bytes();
    }
}
