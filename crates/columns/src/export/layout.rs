use std::sync::Arc;

use arrow_array::builder::make_view;
use arrow_array::cast::AsArray as _;
use arrow_array::types::{BinaryType, LargeBinaryType, LargeUtf8Type, Utf8Type};
use arrow_array::types::{BinaryViewType, ByteArrayType, ByteViewType, StringViewType};
use arrow_array::{
    Array, ArrayRef, GenericByteArray, GenericByteViewArray, GenericListArray, LargeListArray,
    OffsetSizeTrait,
};
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field};

use super::TextLayout;
use crate::ColumnError;

/// Views address their text by 32-bit signed offsets into one of several buffers.
const LONGEST_BUFFER: i64 = i32::MAX as i64;

/// The type of a column whose text and bytes are laid out as `text` says; `None` where it has none.
pub(super) fn with_text(kind: &DataType, text: TextLayout) -> Option<DataType> {
    match (kind, text) {
        (_, TextLayout::Large) => None,
        (DataType::LargeUtf8, TextLayout::Small) => Some(DataType::Utf8),
        (DataType::LargeUtf8, TextLayout::View) => Some(DataType::Utf8View),
        (DataType::LargeBinary, TextLayout::Small) => Some(DataType::Binary),
        (DataType::LargeBinary, TextLayout::View) => Some(DataType::BinaryView),
        (DataType::LargeList(item), _) => {
            let element = with_text(item.data_type(), text)?;
            Some(DataType::LargeList(Arc::new(item.as_ref().clone().with_data_type(element))))
        }
        _ => None,
    }
}

/// The array in the layout of `wanted`, or `None` where it has that already or `wanted` is no
/// layout of the same values.
pub(super) fn change(array: &ArrayRef, wanted: &DataType) -> Result<Option<ArrayRef>, ColumnError> {
    use DataType as D;
    Ok(Some(match (array.data_type(), wanted) {
        (D::LargeUtf8, D::Utf8) => small::<LargeUtf8Type, Utf8Type>(array)?,
        (D::LargeBinary, D::Binary) => small::<LargeBinaryType, BinaryType>(array)?,
        (D::LargeUtf8, D::Utf8View) => views::<LargeUtf8Type, StringViewType>(array)?,
        (D::LargeBinary, D::BinaryView) => views::<LargeBinaryType, BinaryViewType>(array)?,
        (D::LargeList(item), D::List(wanted)) => {
            let (item, elements) = elements(array, item, wanted)?;
            let list = array.as_list::<i64>();
            let (offsets, elements) = small_offsets(list.offsets(), &elements)?;
            rebuilt(item, offsets, elements, array)
        }
        (D::LargeList(item), D::LargeList(wanted)) => {
            let list = array.as_list::<i64>();
            if change(list.values(), wanted.data_type())?.is_none() {
                return Ok(None);
            }
            let (item, elements) = elements(array, item, wanted)?;
            rebuilt(item, list.offsets().clone(), elements, array)
        }
        _ => return Ok(None),
    }))
}

/// The elements of a list in the layout of the field `wanted`, and the field for them.
fn elements(
    list: &ArrayRef,
    item: &Field,
    wanted: &Field,
) -> Result<(Field, ArrayRef), ColumnError> {
    let list: &LargeListArray = list.as_list();
    let elements = change(list.values(), wanted.data_type())?;
    let elements = elements.unwrap_or_else(|| list.values().clone());
    Ok((item.clone().with_data_type(elements.data_type().clone()), elements))
}

fn rebuilt<O: OffsetSizeTrait>(
    item: Field,
    offsets: OffsetBuffer<O>,
    elements: ArrayRef,
    list: &ArrayRef,
) -> ArrayRef {
    let nulls = list.nulls().cloned();
    Arc::new(GenericListArray::new(Arc::new(item), offsets, elements, nulls))
}

fn too_large(len: i64) -> ColumnError {
    let message = format!(
        "its {len} bytes or elements are too many for 32-bit offsets; ask for large_string, \
         large_binary, large_list or views"
    );
    ColumnError::new(message)
}

/// Offsets from 0 in 32 bits, and the elements they are of.
fn small_offsets(
    offsets: &OffsetBuffer<i64>,
    elements: &ArrayRef,
) -> Result<(OffsetBuffer<i32>, ArrayRef), ColumnError> {
    let (small, start, len) = narrow(offsets)?;
    Ok((small, elements.slice(start, len)))
}

/// Offsets from 0 in 32 bits, where they began and how far they reach.
fn narrow(offsets: &OffsetBuffer<i64>) -> Result<(OffsetBuffer<i32>, usize, usize), ColumnError> {
    // An offsets buffer holds one offset at least.
    let (start, end) = (offsets[0], offsets[offsets.len() - 1]);
    let len = end - start;
    if len > i64::from(i32::MAX) {
        return Err(too_large(len));
    }
    let small: Vec<i32> = offsets.iter().map(|offset| (offset - start) as i32).collect();
    // `OffsetBuffer::new` would look at each offset again, which costs less than their making.
    Ok((OffsetBuffer::new(ScalarBuffer::from(small)), start as usize, len as usize))
}

fn small<T, U>(array: &ArrayRef) -> Result<ArrayRef, ColumnError>
where
    T: ByteArrayType<Offset = i64>,
    U: ByteArrayType<Offset = i32, Native = T::Native>,
{
    let array: &GenericByteArray<T> = array.as_bytes();
    let (offsets, start, len) = narrow(array.offsets())?;
    let data = array.values().slice_with_length(start, len);
    // SAFETY: the offsets part the same bytes in the same places as in `array`, so where that is
    // text each value is valid UTF-8; they lie within `data`, and there is one more than rows.
    Ok(Arc::new(unsafe {
        GenericByteArray::<U>::new_unchecked(offsets, data, array.nulls().cloned())
    }))
}

fn views<T, V>(array: &ArrayRef) -> Result<ArrayRef, ColumnError>
where
    T: ByteArrayType<Offset = i64>,
    V: ByteViewType<Native = T::Native>,
{
    let array: &GenericByteArray<T> = array.as_bytes();
    let (offsets, data) = (array.value_offsets(), array.values());
    let mut buffers: Vec<Buffer> = Vec::new();
    let mut buffer_start = offsets[0];
    let mut views = Vec::with_capacity(array.len());
    for ends in offsets.windows(2) {
        let (start, end) = (ends[0], ends[1]);
        if end - start > LONGEST_BUFFER {
            return Err(too_large(end - start));
        }
        if end - buffer_start > LONGEST_BUFFER {
            let len = (start - buffer_start) as usize;
            buffers.push(data.slice_with_length(buffer_start as usize, len));
            buffer_start = start;
        }
        let value = &data[start as usize..end as usize];
        views.push(make_view(value, buffers.len() as u32, (start - buffer_start) as u32));
    }
    let len = (offsets[array.len()] - buffer_start) as usize;
    buffers.push(data.slice_with_length(buffer_start as usize, len));
    // SAFETY: each view is of a value of `array`, so where that is text it is valid UTF-8, and its
    // offset and length lie within the buffer of its number, cut above to end after that value.
    Ok(Arc::new(unsafe {
        GenericByteViewArray::<V>::new_unchecked(
            ScalarBuffer::from(views),
            buffers.into(),
            array.nulls().cloned(),
        )
    }))
}
