#![allow(unsafe_code)]
use std::sync::Arc;

use arrow_array::types::ByteArrayType;
use arrow_array::{ArrayRef, GenericByteArray, LargeBinaryArray, LargeStringArray};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};

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

/// Short values are copied as so many bytes, two instructions instead of a call: what is too much is
/// overwritten by the next value, or cut off.
const SHORT: usize = 32;

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
            let mut data = vec![0; common * rows.len() + SHORT];
            let mut to = 0;
            for &row in rows.iter() {
                let from = starts[row as usize] as usize;
                let len = starts[row as usize + 1] as usize - from;
                if data.len() - to < len + SHORT {
                    data.resize((data.len() * 2).max(to + len + SHORT), 0);
                }
                // Arrays, for of those a copy is known to be two instructions.
                let short = source.get(from..).and_then(|rest| rest.first_chunk::<SHORT>());
                let place = data.get_mut(to..).and_then(|rest| rest.first_chunk_mut::<SHORT>());
                if let (true, Some(short), Some(place)) = (len <= SHORT, short, place) {
                    *place = *short;
                } else {
                    data[to..to + len].copy_from_slice(&source[from..from + len]);
                }
                to += len;
                offsets.push(to as i64);
            }
            data.truncate(to);
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
