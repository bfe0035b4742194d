#![allow(unsafe_code)]
use std::sync::Arc;

use arrow_array::types::ByteArrayType;
use arrow_array::{ArrayRef, GenericByteArray, LargeBinaryArray, LargeStringArray};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::DataType;

use super::selection::{Form, Kept};

/// The kept rows of a column of text.
pub(crate) fn text(
    array: &LargeStringArray,
    kept: &Kept<'_>,
    nulls: Option<NullBuffer>,
) -> ArrayRef {
    let (offsets, data) = copied(array, kept);
    // SAFETY: each value is one of a text array, copied whole, and the offsets are where each ends:
    // they begin at 0, never decrease and end with the data. To validate them again would read
    // every byte.
    Arc::new(unsafe {
        let offsets = OffsetBuffer::new_unchecked(ScalarBuffer::from(offsets));
        LargeStringArray::new_unchecked(offsets, Buffer::from_vec(data), nulls)
    })
}

/// The kept rows of a column of bytes.
pub(crate) fn binary(
    array: &LargeBinaryArray,
    kept: &Kept<'_>,
    nulls: Option<NullBuffer>,
) -> ArrayRef {
    let (offsets, data) = copied(array, kept);
    // SAFETY: as above.
    Arc::new(unsafe {
        let offsets = OffsetBuffer::new_unchecked(ScalarBuffer::from(offsets));
        LargeBinaryArray::new_unchecked(offsets, Buffer::from_vec(data), nulls)
    })
}

/// The offsets and bytes of a column's rows, into memory that has room for them and [`SHORT`] bytes more.
pub(super) fn fill(
    (starts, source): (&[i64], &[u8]),
    rows: &[u32],
    offsets: &mut [[u8; 8]],
    data: &mut [u8],
) {
    // From how many places of each so many bytes may be copied.
    let places = |bytes: &[u8]| (bytes.len() + 1).saturating_sub(SHORT);
    let (short_from, short_to) = (places(source), places(data));
    let (mut to, mut ends) = (0_usize, offsets.iter_mut());
    ends.next().into_iter().for_each(|first| *first = [0; 8]);
    for (end, &row) in ends.zip(rows) {
        let from = starts[row as usize] as usize;
        let len = starts[row as usize + 1] as usize - from;
        if len <= SHORT && from < short_from && to < short_to {
            let short = source.as_ptr().wrapping_add(from).cast::<[u8; SHORT]>();
            let place = data.as_mut_ptr().wrapping_add(to).cast::<[u8; SHORT]>();
            // SAFETY: as many bytes begin at both places, which are not of one slice.
            unsafe { place.write(short.read()) };
        } else {
            data[to..to + len].copy_from_slice(&source[from..from + len]);
        }
        to += len;
        *end = to.to_ne_bytes();
    }
}

/// What [`fill`] wrote of a column of this type.
pub(super) fn filled(
    kind: &DataType,
    offsets: Buffer,
    data: Buffer,
    nulls: Option<NullBuffer>,
) -> ArrayRef {
    let offsets = ScalarBuffer::from(offsets);
    // SAFETY: as above, for that is what `fill` writes.
    unsafe {
        let offsets = OffsetBuffer::new_unchecked(offsets);
        if *kind == DataType::LargeUtf8 {
            Arc::new(LargeStringArray::new_unchecked(offsets, data, nulls))
        } else {
            Arc::new(LargeBinaryArray::new_unchecked(offsets, data, nulls))
        }
    }
}

/// Short values are copied as so many bytes, two instructions instead of a call: what is too much is
/// overwritten by the next value, or cut off.
pub(super) const SHORT: usize = 32;

/// Values longer than so many bytes are found while copying, lest one of them makes room for all.
const LONG: usize = 256;

fn copied<T: ByteArrayType<Offset = i64>>(
    array: &GenericByteArray<T>,
    kept: &Kept<'_>,
) -> (Vec<i64>, Vec<u8>) {
    let (starts, source) = (array.value_offsets(), array.value_data());
    let mut offsets = Vec::with_capacity(kept.count + 1);
    offsets.push(0);
    match &kept.form {
        Form::Rows(rows) => {
            // Room for values of the common length, and more where they turn out longer: to add up
            // their lengths first would read all offsets twice.
            let all = starts.len().max(2) - 1;
            let bytes = starts.last().zip(starts.first()).map_or(0, |(end, start)| end - start);
            let common = (bytes as usize / all + 2).min(LONG);
            let mut data: Vec<u8> = Vec::with_capacity(common * rows.len() + SHORT);
            let mut to = 0;
            offsets.extend(rows.iter().map(|&row| {
                let from = starts[row as usize] as usize;
                let len = starts[row as usize + 1] as usize - from;
                let short = source.get(from..).and_then(|rest| rest.first_chunk::<SHORT>());
                if let Some(short) = short
                    && len <= SHORT
                    && to + SHORT <= data.capacity()
                {
                    // SAFETY: there is room for the array, of which `len` bytes are kept.
                    unsafe { data.as_mut_ptr().add(to).cast::<[u8; SHORT]>().write(*short) };
                } else {
                    // SAFETY: so many bytes were written, by all the rows before.
                    unsafe { data.set_len(to) };
                    data.extend_from_slice(&source[from..from + len]);
                    // For the short ones that follow.
                    data.reserve(SHORT);
                }
                to += len;
                to as i64
            }));
            // SAFETY: as above.
            unsafe { data.set_len(to) };
            (offsets, data)
        }
        Form::Runs(runs) => {
            let bytes =
                |run: &std::ops::Range<usize>| starts[run.start] as usize..starts[run.end] as usize;
            let mut data = Vec::with_capacity(runs.iter().map(|run| bytes(run).len()).sum());
            for run in runs {
                let shift = data.len() as i64 - starts[run.start];
                offsets.extend(starts[run.start + 1..=run.end].iter().map(|start| start + shift));
                data.extend_from_slice(&source[bytes(run)]);
            }
            (offsets, data)
        }
    }
}
