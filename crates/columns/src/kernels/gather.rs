use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, Time64MicrosecondType, TimestampMicrosecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{
    Array as _, ArrayRef, BooleanArray, DictionaryArray, FixedSizeBinaryArray, LargeListArray,
    PrimitiveArray, UInt32Array,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, TimeUnit};

use super::mask::word_at;
use super::selection::{Form, Kept};
use super::{Deferred, Held, Selection, strings};
use crate::{Batch, Column, ColumnError, Schema};

impl Column {
    /// The rows that are kept, copied.
    ///
    /// # Errors
    /// If the values become too large for the column's offsets.
    ///
    /// # Panics
    /// If the rows were kept of a longer column.
    pub fn gather(&self, kept: &Kept<'_>) -> Result<Self, ColumnError> {
        Ok(Self::from_marked_array(gather(self.array(), kept)?, self.marks_nulls()))
    }
}

impl Batch {
    /// The rows that are kept, of the columns at `columns`, copied when each column is first asked for;
    /// `schema` is that of these columns. Until all are copied their memory is held, and of few rows that of the
    /// other columns too.
    /// A selection of all rows shares it.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use rowmill_columns::kernels::{Bits, Selection};
    /// use rowmill_columns::{Batch, Field, Schema, Type, build::Fixed};
    /// let mut ids = Fixed::new(0_i64);
    /// (1..=3).for_each(|id| ids.push(id));
    /// let schema = Arc::new(Schema::new(vec![Field::new("id", Type::Int64)]));
    /// let batch = Batch::new(schema.clone(), vec![ids.finish(&Type::Int64)], 3);
    /// let mut kept = Selection::with_capacity(3);
    /// kept.push(&(!Bits::first(1)), 3);
    /// assert_eq!(batch.keep(kept, &Arc::from([0]), schema).unwrap(), batch.slice(1, 2));
    /// ```
    ///
    /// # Errors
    /// If the selection is not of as many rows, there are more than 32 bits count, or a column of a type of
    /// which that may happen cannot be copied.
    ///
    /// # Panics
    /// If there is no such column, or the schema is of another number of columns.
    pub fn keep(
        &self,
        selection: Selection,
        columns: &Arc<[usize]>,
        schema: Arc<Schema>,
    ) -> Result<Self, ColumnError> {
        if selection.rows() != self.rows() {
            let (of, rows) = (selection.rows(), self.rows());
            return Err(ColumnError::new(format!("a selection of {of} rows for {rows}")));
        }
        let rows = selection.count();
        if rows == 0 {
            return Ok(Self::empty(schema));
        }
        let is_all = columns.iter().copied().eq(0..self.width());
        if rows == self.rows() && is_all {
            return Ok(self.clone());
        }
        // Of rows that are not copied themselves, those of the first batch are kept.
        let (from, selection) = match self.source() {
            Some((from, kept)) => (from, kept.within(&selection)),
            None => (Held::all(self.shared()), selection),
        };
        let from = if is_all { from } else { from.narrowed(columns) };
        if rows == selection.rows() {
            return Ok(Self::new(schema, from.iter().cloned().collect(), rows));
        }
        let kept = Deferred::new(from, selection, &schema)?;
        Ok(Self::deferred(schema, Arc::new(kept), rows))
    }

    /// The same of all columns.
    pub(super) fn keep_all(&self, selection: Selection) -> Result<Self, ColumnError> {
        let places = (0..self.width()).collect();
        self.keep(selection, &places, Arc::clone(self.schema()))
    }
}

/// Whether rows of a column of this type are [`copied`] without a way to fail.
pub(super) fn is_plain(kind: &DataType) -> bool {
    use DataType as D;
    match kind {
        // What says that it holds no NULL is held to it by `gather`.
        D::LargeList(field) => field.is_nullable() && is_plain(field.data_type()),
        D::Int8 | D::Int16 | D::Int32 | D::Int64 | D::UInt8 | D::UInt16 | D::UInt32 | D::UInt64 => {
            true
        }
        other => matches!(
            other,
            D::Float32
                | D::Float64
                | D::Decimal128(..)
                | D::Boolean
                | D::FixedSizeBinary(16)
                | D::Date32
                | D::Time64(TimeUnit::Microsecond)
                | D::Timestamp(TimeUnit::Microsecond, _)
                | D::LargeUtf8
                | D::LargeBinary
        ),
    }
}

/// The rows that are kept, of a plain type; `None` of another.
pub(super) fn copied(array: &ArrayRef, kept: &Kept<'_>) -> Option<ArrayRef> {
    use DataType as D;
    macro_rules! primitive {
        ($type:ty) => {
            Arc::new(fixed(array.as_primitive::<$type>(), kept))
        };
    }
    Some(match array.data_type() {
        D::Int8 => primitive!(Int8Type),
        D::Int16 => primitive!(Int16Type),
        D::Int32 => primitive!(Int32Type),
        D::Int64 => primitive!(Int64Type),
        D::UInt8 => primitive!(UInt8Type),
        D::UInt16 => primitive!(UInt16Type),
        D::UInt32 => primitive!(UInt32Type),
        D::UInt64 => primitive!(UInt64Type),
        D::Float32 => primitive!(Float32Type),
        D::Float64 => primitive!(Float64Type),
        D::Date32 => primitive!(Date32Type),
        D::Time64(TimeUnit::Microsecond) => primitive!(Time64MicrosecondType),
        D::Timestamp(TimeUnit::Microsecond, _) => primitive!(TimestampMicrosecondType),
        D::Decimal128(..) => primitive!(Decimal128Type),
        D::Boolean => {
            let array = array.as_boolean();
            let values = bits(array.values(), kept);
            Arc::new(BooleanArray::new(values, nulls(array.nulls(), kept)))
        }
        D::FixedSizeBinary(16) => {
            let (cells, _) = array.as_fixed_size_binary().value_data().as_chunks::<16>();
            let cells = self::cells(cells, kept).into_flattened();
            let nulls = nulls(array.nulls(), kept);
            Arc::new(FixedSizeBinaryArray::new(16, Buffer::from_vec(cells), nulls))
        }
        D::LargeUtf8 => strings::text(array.as_string(), kept, nulls(array.nulls(), kept)),
        D::LargeBinary => strings::binary(array.as_binary(), kept, nulls(array.nulls(), kept)),
        D::LargeList(field) if field.is_nullable() => {
            let list = array.as_list::<i64>();
            let (offsets, elements) = pieces(list.value_offsets(), kept);
            let elements = copied(list.values(), &Kept::of_runs(elements))?;
            let nulls = nulls(array.nulls(), kept);
            let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
            Arc::new(LargeListArray::new(field.clone(), offsets, elements, nulls))
        }
        _ => return None,
    })
}

pub(super) fn gather(array: &ArrayRef, kept: &Kept<'_>) -> Result<ArrayRef, ColumnError> {
    use DataType as D;
    if let Some(copied) = copied(array, kept) {
        return Ok(copied);
    }
    Ok(match array.data_type() {
        D::Dictionary(key, _) if **key == D::Int32 => {
            let dictionary = array.as_dictionary::<Int32Type>();
            let keys = fixed(dictionary.keys(), kept);
            Arc::new(DictionaryArray::try_new(keys, dictionary.values().clone())?)
        }
        D::LargeList(field) => {
            let list = array.as_list::<i64>();
            let (offsets, elements) = pieces(list.value_offsets(), kept);
            let elements = gather(list.values(), &Kept::of_runs(elements))?;
            let nulls = nulls(array.nulls(), kept);
            let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
            Arc::new(LargeListArray::try_new(field.clone(), offsets, elements, nulls)?)
        }
        _ => {
            let rows = UInt32Array::from(kept.numbers().ok_or_else(ColumnError::too_many_rows)?);
            arrow_select::take::take(array, &rows, None)?
        }
    })
}

fn fixed<T: ArrowPrimitiveType>(array: &PrimitiveArray<T>, kept: &Kept<'_>) -> PrimitiveArray<T> {
    let values = ScalarBuffer::from(cells(array.values(), kept));
    PrimitiveArray::new(values, nulls(array.nulls(), kept))
        .with_data_type(array.data_type().clone())
}

fn cells<T: Copy>(cells: &[T], kept: &Kept<'_>) -> Vec<T> {
    match &kept.form {
        Form::Rows(rows) => rows.iter().map(|&row| cells[row as usize]).collect(),
        Form::Runs(runs) => {
            let mut out = Vec::with_capacity(kept.count);
            for run in runs {
                out.extend_from_slice(&cells[run.clone()]);
            }
            out
        }
    }
}

/// The elements of the lists that are kept: where each list begins now, and the runs they are.
fn pieces(offsets: &[i64], kept: &Kept<'_>) -> (Vec<i64>, Vec<std::ops::Range<usize>>) {
    let mut ends = Vec::with_capacity(kept.count + 1);
    let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
    let mut end = 0;
    ends.push(end);
    let mut add = |first: usize, last: usize| {
        for row in first..last {
            end += offsets[row + 1] - offsets[row];
            ends.push(end);
        }
        let piece = offsets[first] as usize..offsets[last] as usize;
        match runs.last_mut() {
            Some(run) if run.end == piece.start => run.end = piece.end,
            _ if piece.is_empty() => {}
            _ => runs.push(piece),
        }
    };
    match &kept.form {
        Form::Rows(rows) => rows.iter().for_each(|&row| add(row as usize, row as usize + 1)),
        Form::Runs(kept) => kept.iter().for_each(|run| add(run.start, run.end)),
    }
    (ends, runs)
}

/// The kept bits of a bitmap.
fn bits(bitmap: &BooleanBuffer, kept: &Kept<'_>) -> BooleanBuffer {
    let (bytes, offset) = (bitmap.values(), bitmap.offset());
    let bit = |row: usize| {
        let at = offset + row;
        u64::from(bytes[at / 8] >> (at % 8) & 1)
    };
    let mut words = Vec::with_capacity(kept.count.div_ceil(64));
    match &kept.form {
        Form::Rows(rows) => words.extend(rows.chunks(64).map(|rows| {
            let bits = rows.iter().enumerate();
            bits.fold(0, |word, (at, &row)| word | bit(row as usize) << at)
        })),
        Form::Runs(runs) => {
            let mut len = 0;
            for run in runs {
                append(&mut words, &mut len, bytes, offset + run.start, run.len());
            }
        }
    }
    BooleanBuffer::new(Buffer::from_vec(words), 0, kept.count)
}

/// Appends `count` bits from the bit at `from` on to the `len` bits there are.
fn append(words: &mut Vec<u64>, len: &mut usize, bytes: &[u8], from: usize, count: usize) {
    for done in (0..count).step_by(64) {
        let more = (count - done).min(64);
        let bits = word_at(bytes, from + done) & (!0 >> (64 - more));
        let place = *len % 64;
        match words.last_mut().filter(|_| place > 0) {
            Some(last) => *last |= bits << place,
            None => words.push(bits),
        }
        if place > 0 && place + more > 64 {
            words.push(bits >> (64 - place));
        }
        *len += more;
    }
}

/// The bitmap of the kept rows.
fn nulls(nulls: Option<&NullBuffer>, kept: &Kept<'_>) -> Option<NullBuffer> {
    let nulls = nulls.filter(|nulls| nulls.null_count() > 0)?;
    let bitmap = nulls.inner();
    let Some(words) = &kept.words else {
        return Some(NullBuffer::new(bits(bitmap, kept))).filter(|nulls| nulls.null_count() > 0);
    };
    // Only rows that are NULL are looked at one by one.
    let mut out = vec![!0_u64; kept.count.div_ceil(64)];
    let (mut before, mut count) = (0, 0);
    for (at, &word) in words.iter().enumerate().filter(|&(_, &word)| word != 0) {
        let mut left = word & !word_at(bitmap.values(), bitmap.offset() + at * 64);
        while left != 0 {
            let lower = (left & left.wrapping_neg()) - 1;
            let row = before + (word & lower).count_ones() as usize;
            out[row / 64] &= !(1 << (row % 64));
            count += 1;
            left &= left - 1;
        }
        before += word.count_ones() as usize;
    }
    let bits = BooleanBuffer::new(Buffer::from_vec(out), 0, kept.count);
    (count > 0).then(|| NullBuffer::new(bits))
}
