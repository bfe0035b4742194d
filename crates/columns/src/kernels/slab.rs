use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::{
    Array as _, ArrayRef, BooleanArray, FixedSizeBinaryArray, LargeListArray, PrimitiveArray,
};
use arrow_buffer::{BooleanBuffer, Buffer, MutableBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::DataType as D;
use smallvec::SmallVec;

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
/// Rows whose numbers need no allocation.
const FEW: usize = 128;

type Places = SmallVec<[Place; 4]>;

/// The kept rows of some columns, in one allocation of which each column has its slices; `None` where they
/// are too many.
///
/// Most of what a frame of a hundred rows takes is its allocations: with one for each part of each
/// column, eleven columns are forty-seven of them.
pub(super) fn slab<'a>(
    columns: impl ExactSizeIterator<Item = &'a Column> + Clone,
    selection: &Selection,
) -> Result<Option<Box<[Column]>>, ColumnError> {
    let count = selection.count();
    if count.saturating_mul(columns.len()) > CELLS {
        return Ok(None);
    }
    let mut few = [0; FEW];
    let many;
    let rows = match few.get_mut(..count) {
        Some(rows) => {
            selection.write_indices(rows);
            &*rows
        }
        None => {
            many = selection.indices();
            &many
        }
    };
    let mut places = Places::with_capacity(columns.len());
    let mut end = 0;
    for column in columns.clone() {
        places.push(Place::reserve(column, rows, &mut end));
        if end > BYTES {
            return Ok(None);
        }
    }
    let cells = (end + strings::SHORT).div_ceil(ALIGNED);
    // Else the compiler asks the allocator for zeros, which for so few takes ten times as long.
    let mut memory: Vec<i128> = std::hint::black_box(Vec::with_capacity(cells));
    memory.extend(std::iter::repeat_n(0, cells));
    let mut memory = MutableBuffer::from(memory);
    for (column, place) in columns.zip(&mut places) {
        place.fill(column, rows, memory.as_slice_mut())?;
    }
    let memory = Buffer::from(memory);
    let column =
        |place: &Place| Column::from_marked_array(place.array(count, &memory), place.marked);
    Ok(Some(places.iter().map(column).collect()))
}

/// Where the parts of a column begin, in bytes.
#[derive(Debug)]
struct Place {
    kind: D,
    layout: Layout,
    values: usize,
    nulls: Option<usize>,
    marked: bool,
}

#[derive(Debug)]
enum Layout {
    Bits,
    /// So many bytes a row.
    Fixed(usize),
    Text {
        data: usize,
        len: usize,
    },
    List(Box<Elements>),
    /// Dictionaries and what others made, which have memory of their own.
    Elsewhere(Option<ArrayRef>),
}

/// The elements of lists, a column themselves.
#[derive(Debug)]
struct Elements {
    /// Until they are copied.
    rows: Vec<u32>,
    count: usize,
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
        let is_here = !matches!(place.layout, Layout::Elsewhere(_));
        is_here.then_some(Self { count: elements.len(), rows: elements, place })
    }
}

impl Place {
    fn reserve(column: &Column, rows: &[u32], end: &mut usize) -> Self {
        let array = column.array();
        let kind = array.data_type();
        let bits = rows.len().div_ceil(64) * 8;
        let (mut layout, bytes) = match kind {
            D::Boolean => (Layout::Bits, bits),
            D::LargeUtf8 | D::LargeBinary => {
                (Layout::Text { data: 0, len: 0 }, (rows.len() + 1) * 8)
            }
            // What says that it holds no NULL is held to it by `gather`.
            D::LargeList(field) if field.is_nullable() => {
                match Elements::of(array.as_list(), rows, end) {
                    Some(elements) => (Layout::List(Box::new(elements)), (rows.len() + 1) * 8),
                    None => (Layout::Elsewhere(None), 0),
                }
            }
            D::FixedSizeBinary(16) => (Layout::Fixed(16), rows.len() * 16),
            other => match other.primitive_width().filter(|&width| width <= ALIGNED) {
                Some(width) => (Layout::Fixed(width), rows.len() * width),
                None => (Layout::Elsewhere(None), 0),
            },
        };
        let mut room = |bytes: usize| {
            let at = *end;
            *end += bytes.next_multiple_of(ALIGNED);
            at
        };
        let values = room(bytes);
        let holes = array.null_count() > 0 && !matches!(layout, Layout::Elsewhere(_));
        let nulls = holes.then(|| room(bits));
        // Last, as it is filled last: what is copied too much of a text lies on what comes after it.
        if let Layout::Text { data, len } = &mut layout
            && let Some((starts, _)) = column.variable_bytes()
        {
            let len_of = |&row: &u32| starts[row as usize + 1] - starts[row as usize];
            *len = rows.iter().map(len_of).sum::<i64>() as usize;
            *data = room(*len);
        }
        Self { kind: kind.clone(), layout, values, nulls, marked: column.marks_nulls() }
    }

    /// Columns in the order in which they were reserved.
    fn fill(
        &mut self,
        column: &Column,
        rows: &[u32],
        memory: &mut [u8],
    ) -> Result<(), ColumnError> {
        match &mut self.layout {
            Layout::Elsewhere(made) => *made = Some(gather(column.array(), &Kept::of(rows))?),
            Layout::List(elements) => {
                let list = column.array().as_list::<i64>();
                let kept = std::mem::take(&mut elements.rows);
                let column = Column::from_array(Arc::clone(list.values()));
                elements.place.fill(&column, &kept, memory)?;
                let (offsets, _) = memory[self.values..].as_chunks_mut::<8>();
                let starts = list.value_offsets();
                let (mut end, mut ends) = (0_i64, offsets.iter_mut());
                ends.next().into_iter().for_each(|first| *first = [0; 8]);
                for (out, &row) in ends.zip(rows) {
                    end += starts[row as usize + 1] - starts[row as usize];
                    *out = end.to_ne_bytes();
                }
            }
            Layout::Bits => {
                copy_bits(column.array().as_boolean().values(), rows, &mut memory[self.values..]);
            }
            Layout::Fixed(width) => {
                let Some(cells) = column.fixed_bytes() else { return Ok(()) };
                let out = &mut memory[self.values..];
                match width {
                    1 => copy::<1>(cells, rows, out),
                    2 => copy::<2>(cells, rows, out),
                    4 => copy::<4>(cells, rows, out),
                    8 => copy::<8>(cells, rows, out),
                    _ => copy::<16>(cells, rows, out),
                }
            }
            Layout::Text { data, .. } => {
                let Some(texts) = column.variable_bytes() else { return Ok(()) };
                let (front, data) = memory.split_at_mut(*data);
                let (offsets, _) = front[self.values..].as_chunks_mut::<8>();
                strings::fill(texts, rows, &mut offsets[..=rows.len()], data);
            }
        }
        // After a list's elements, whose texts may have been copied over them.
        if let (Some(at), Some(nulls)) = (self.nulls, column.array().nulls()) {
            copy_bits(nulls.inner(), rows, &mut memory[at..]);
        }
        Ok(())
    }

    fn array(&self, rows: usize, memory: &Buffer) -> ArrayRef {
        let bits = |at: usize| {
            let bytes = memory.slice_with_length(at, rows.div_ceil(64) * 8);
            BooleanBuffer::new(bytes, 0, rows)
        };
        let nulls = self.nulls.map(|at| NullBuffer::new(bits(at)));
        let nulls = nulls.filter(|nulls| nulls.null_count() > 0);
        let offsets = || memory.slice_with_length(self.values, (rows + 1) * 8);
        match (&self.layout, &self.kind) {
            (Layout::Elsewhere(Some(made)), _) => Arc::clone(made),
            (Layout::List(elements), D::LargeList(field)) => {
                let Elements { count, place, .. } = &**elements;
                let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets()));
                let elements = place.array(*count, memory);
                Arc::new(LargeListArray::new(Arc::clone(field), offsets, elements, nulls))
            }
            (Layout::Bits, _) => Arc::new(BooleanArray::new(bits(self.values), nulls)),
            (Layout::Text { data, len }, kind) => {
                let data = memory.slice_with_length(*data, *len);
                strings::filled(kind, offsets(), data, nulls)
            }
            (Layout::Fixed(width), kind) => {
                let values = memory.slice_with_length(self.values, rows * width);
                macro_rules! primitive {
                    ($type:ty) => {
                        Arc::new(
                            PrimitiveArray::<$type>::new(ScalarBuffer::from(values), nulls)
                                .with_data_type(kind.clone()),
                        )
                    };
                }
                arrow_array::downcast_primitive!(
                    kind => (primitive),
                    _ => Arc::new(FixedSizeBinaryArray::new(16, values, nulls)),
                )
            }
            // `reserve` and `fill` leave none of these.
            (Layout::Elsewhere(None) | Layout::List(_), kind) => {
                arrow_array::new_null_array(kind, rows)
            }
        }
    }
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
