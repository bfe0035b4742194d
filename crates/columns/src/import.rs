#![allow(unsafe_code)]
//! Columns from others, by the Arrow C data interface.

use std::ffi::{CStr, c_void};
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi_and_data_type};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::types::ByteViewType;
use arrow_array::types::{BinaryViewType, StringViewType};
use arrow_array::{
    Array as _, ArrayRef, GenericByteViewArray, GenericListArray, LargeBinaryArray, LargeListArray,
    LargeStringArray, OffsetSizeTrait, make_array, new_empty_array,
};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field as ArrowField};

use crate::types::EXTENSION;
use crate::{Batch, Column, ColumnError, Field, Schema, Type};

/// Reads an `ArrowArrayStream` of the C stream interface to its end, as one batch. A stream of
/// structs gives their fields as columns, any other a single column.
///
/// The memory of the stream's arrays is shared, not copied, but for: several chunks, which become
/// one; string and binary views, which become offsets and bytes; offsets of 32 bits, which become
/// 64. Types without a counterpart in [`Type`] are carried as they are.
///
/// # Errors
/// If the stream was read before, its producer fails, or a type is unknown to this version.
///
/// # Safety
/// `stream` must be NULL or point to an `ArrowArrayStream` that keeps to the C stream interface and
/// that nobody else uses meanwhile. It is released on return.
pub unsafe fn import_stream(stream: *mut c_void) -> Result<Batch, ColumnError> {
    if stream.is_null() {
        return Err(ColumnError::new("the Arrow stream is a null pointer"));
    }
    // SAFETY: the caller vouches for the pointer.
    let mut stream = unsafe { FFI_ArrowArrayStream::from_raw(stream.cast()) };
    let (Some(get_schema), Some(get_next), Some(_)) =
        (stream.get_schema(), stream.get_next(), stream.release())
    else {
        return Err(ColumnError::new("the Arrow stream was read before; export a new one"));
    };
    let mut schema = FFI_ArrowSchema::empty();
    // SAFETY: the callbacks are called with the stream they came from, not yet released, and with
    // memory for their result.
    let code = unsafe { get_schema(&raw mut stream, &raw mut schema) };
    if code != 0 {
        return Err(failure(&mut stream, code));
    }
    let field = read_field(&schema)?;
    let mut chunks = Vec::new();
    loop {
        let mut chunk = FFI_ArrowArray::empty();
        // SAFETY: as above.
        let code = unsafe { get_next(&raw mut stream, &raw mut chunk) };
        if code != 0 {
            return Err(failure(&mut stream, code));
        }
        if chunk.is_released() {
            break;
        }
        // SAFETY: as above, and the chunk is ours.
        unsafe { forget_buffers_of_nulls((&raw mut chunk).cast(), field.data_type()) };
        // SAFETY: the producer vouches that the array is of the schema it gave.
        chunks
            .push(make_array(unsafe { from_ffi_and_data_type(chunk, field.data_type().clone()) }?));
    }
    match chunks.as_slice() {
        [] => to_batch(&field, &new_empty_array(field.data_type())),
        [only] => to_batch(&field, only),
        chunks => {
            let batches = chunks.iter().map(|chunk| to_batch(&field, chunk));
            Batch::concat(&batches.collect::<Result<Vec<_>, _>>()?)
        }
    }
}

/// Takes an `ArrowArray` of the C data interface and its schema as a batch: a struct array gives
/// its fields as columns, any other a single column. What is copied is as for [`import_stream`].
///
/// # Errors
/// If the array was imported before or its type is unknown to this version.
///
/// # Safety
/// `schema` and `array` must be NULL or point to an `ArrowSchema` and an `ArrowArray` of that
/// schema, which keep to the C data interface and which nobody else uses meanwhile. Both are
/// released: the schema on return, the array when the batch no longer needs it.
pub unsafe fn import_array(schema: *mut c_void, array: *mut c_void) -> Result<Batch, ColumnError> {
    if schema.is_null() || array.is_null() {
        return Err(ColumnError::new("the Arrow array or its schema is a null pointer"));
    }
    // SAFETY: the caller vouches for the pointers.
    let (schema, mut array) = unsafe {
        (FFI_ArrowSchema::from_raw(schema.cast()), FFI_ArrowArray::from_raw(array.cast()))
    };
    if array.is_released() {
        return Err(ColumnError::new("the Arrow array was imported before; export a new one"));
    }
    let field = read_field(&schema)?;
    // SAFETY: the caller vouches that the array is of the schema, and it is ours by now.
    unsafe { forget_buffers_of_nulls((&raw mut array).cast(), field.data_type()) };
    // SAFETY: likewise.
    let data = unsafe { from_ffi_and_data_type(array, field.data_type().clone()) }?;
    to_batch(&field, &make_array(data))
}

/// How the C data interface lays out an `ArrowArray`, as far as is read here.
#[repr(C)]
struct Layout {
    length: i64,
    null_count: i64,
    offset: i64,
    n_buffers: i64,
    n_children: i64,
    buffers: *mut *const c_void,
    children: *mut *mut Self,
}

/// An array of nothing but NULLs has no buffers. Polars gives it one, which arrow then refuses: it is left out of
/// account. (A producer that frees what that number says would leak that one; none is known.)
///
/// # Safety
/// `array` must point to an `ArrowArray` of this type that keeps to the C data interface and that nobody else uses.
unsafe fn forget_buffers_of_nulls(array: *mut Layout, kind: &DataType) {
    let items = match kind {
        DataType::Null => {
            // SAFETY: the caller vouches for the pointer.
            unsafe {
                if (*array).n_buffers != 0 {
                    (*array).n_buffers = 0;
                }
            }
            return;
        }
        DataType::Struct(fields) => &**fields,
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            std::slice::from_ref(item)
        }
        _ => return,
    };
    // SAFETY: the caller vouches for the pointer.
    let (count, children) = unsafe { ((*array).n_children, (*array).children) };
    for (at, item) in items.iter().enumerate() {
        if children.is_null() || at as i64 >= count {
            return;
        }
        // SAFETY: `children` has `count` pointers, each to an array of the item's type.
        unsafe {
            let child = children.add(at).read_unaligned();
            if !child.is_null() {
                forget_buffers_of_nulls(child, item.data_type());
            }
        }
    }
}

fn read_field(schema: &FFI_ArrowSchema) -> Result<ArrowField, ColumnError> {
    if schema.release().is_none() {
        return Err(ColumnError::new("the Arrow schema was imported before; export a new one"));
    }
    Ok(ArrowField::try_from(schema)?)
}

/// The error of a stream's producer.
fn failure(stream: &mut FFI_ArrowArrayStream, code: i32) -> ColumnError {
    let reason = stream.get_last_error().and_then(|get_last_error| {
        // SAFETY: called with its own stream after a failure; the text lives until the next call.
        let text = unsafe { get_last_error(&raw mut *stream) };
        // SAFETY: the text is NULL or ends with a zero byte.
        (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
    });
    let reason = reason.unwrap_or_else(|| format!("error {code}, without a reason"));
    ColumnError::new(format!("the producer of the Arrow stream failed: {reason}"))
}

fn to_batch(field: &ArrowField, array: &ArrayRef) -> Result<Batch, ColumnError> {
    let rows = array.len();
    let Some(columns) = array.as_struct_opt() else {
        let (field, column) = to_column(field, array)?;
        return Ok(Batch::new(Arc::new(Schema::new(vec![field])), vec![column], rows));
    };
    let columns = columns.fields().iter().zip(columns.columns()).map(|(field, column)| {
        let column = masked(column, array.nulls())
            .and_then(|column| to_column(field, &column))
            .map_err(|error| error.in_column(field.name()))?;
        Ok::<_, ColumnError>(column)
    });
    let (fields, columns) = columns.collect::<Result<(Vec<_>, Vec<_>), _>>()?;
    Ok(Batch::new(Arc::new(Schema::new(fields)), columns, rows))
}

/// A field's array with NULL where the whole struct is NULL: a batch has no NULL rows.
fn masked(column: &ArrayRef, rows: Option<&NullBuffer>) -> Result<ArrayRef, ColumnError> {
    let Some(rows) = rows.filter(|rows| rows.null_count() > 0) else { return Ok(column.clone()) };
    match column.data_type() {
        DataType::Null => return Ok(column.clone()),
        DataType::Union(..) | DataType::RunEndEncoded(..) => {
            let message = "a NULL row of the struct array cannot be kept: the type has no NULLs";
            return Err(ColumnError::new(message));
        }
        _ => {}
    }
    let nulls = NullBuffer::union(Some(rows), column.nulls());
    let data = column.to_data().into_builder().nulls(nulls);
    // SAFETY: `data` was valid, the new bitmap has as many bits and more NULLs.
    Ok(make_array(unsafe { data.build_unchecked() }))
}

fn to_column(field: &ArrowField, array: &ArrayRef) -> Result<(Field, Column), ColumnError> {
    let (array, kind) = normal(field, array)?;
    Ok((Field::new(field.name().as_str(), kind), Column::from_array(array)))
}

/// The array as it is stored here, and its type.
fn normal(field: &ArrowField, array: &ArrayRef) -> Result<(ArrayRef, Type), ColumnError> {
    let extension = field.metadata().get(EXTENSION).map(String::as_str);
    // What an unknown extension type says of its storage is best left alone.
    let known = matches!(extension, None | Some("arrow.json" | "arrow.uuid"));
    let array = if known { stored(array)? } else { array.clone() };
    let kind = Type::from_field(&field.clone().with_data_type(array.data_type().clone()));
    Ok((array, kind))
}

fn stored(array: &ArrayRef) -> Result<ArrayRef, ColumnError> {
    let nulls = array.nulls().cloned();
    Ok(match array.data_type() {
        DataType::Utf8 => {
            let array = array.as_string::<i32>();
            let (offsets, data) = (large(array.offsets()), array.values().clone());
            // SAFETY: the same offsets into the same text.
            Arc::new(unsafe { LargeStringArray::new_unchecked(offsets, data, nulls) })
        }
        DataType::Binary => {
            let array = array.as_binary::<i32>();
            let offsets = large(array.offsets());
            Arc::new(LargeBinaryArray::try_new(offsets, array.values().clone(), nulls)?)
        }
        DataType::Utf8View => {
            let (offsets, data) = gathered::<StringViewType>(array.as_string_view());
            // SAFETY: each value is one of a text array.
            Arc::new(unsafe { LargeStringArray::new_unchecked(offsets, data, nulls) })
        }
        DataType::BinaryView => {
            let (offsets, data) = gathered::<BinaryViewType>(array.as_binary_view());
            Arc::new(LargeBinaryArray::try_new(offsets, data, nulls)?)
        }
        DataType::List(item) => {
            let list = array.as_list::<i32>();
            list_of(item, list, large(list.offsets()))?
        }
        DataType::LargeList(item) => {
            let list = array.as_list::<i64>();
            list_of(item, list, list.offsets().clone())?
        }
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            dictionary.with_values(stored(dictionary.values())?)
        }
        _ => array.clone(),
    })
}

/// A list whose elements, and the field for them, are as they are here.
fn list_of<O: OffsetSizeTrait>(
    item: &ArrowField,
    list: &GenericListArray<O>,
    offsets: OffsetBuffer<i64>,
) -> Result<ArrayRef, ColumnError> {
    let (elements, kind) = normal(item, list.values())?;
    let nulls = list.nulls().cloned();
    Ok(Arc::new(LargeListArray::try_new(Arc::new(kind.item()), offsets, elements, nulls)?))
}

fn large(offsets: &OffsetBuffer<i32>) -> OffsetBuffer<i64> {
    let offsets: Vec<i64> = offsets.iter().map(|&offset| offset.into()).collect();
    OffsetBuffer::new(ScalarBuffer::from(offsets))
}

/// The values of views, one after the other.
fn gathered<V: ByteViewType>(array: &GenericByteViewArray<V>) -> (OffsetBuffer<i64>, Buffer) {
    let mut offsets = Vec::with_capacity(array.len() + 1);
    offsets.push(0_i64);
    let mut data: Vec<u8> = Vec::new();
    for row in 0..array.len() {
        if array.is_valid(row) {
            data.extend_from_slice(AsRef::<[u8]>::as_ref(array.value(row)));
        }
        offsets.push(data.len() as i64);
    }
    (OffsetBuffer::new(ScalarBuffer::from(offsets)), Buffer::from_vec(data))
}
