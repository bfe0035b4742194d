use std::ffi::{c_char, c_int};
use std::sync::Arc;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{Array as _, ArrayRef};
use arrow_schema::Field as ArrowField;

use super::{ArrowArray, ArrowSchema, ArrowStream};
use crate::ColumnError;

/// The errno for what cannot happen: the schema was converted once before the stream was made.
const EIO: c_int = 5;

/// What a stream owns: one array, until it is asked for.
struct Owned {
    field: ArrowField,
    array: Option<ArrayRef>,
}

/// A stream of one array. Arrow's own exporter knows streams of record batches only.
pub(super) fn of(field: ArrowField, array: ArrayRef) -> Result<ArrowStream, ColumnError> {
    FFI_ArrowSchema::try_from(&field)?;
    let owned = Box::new(Owned { field, array: Some(array) });
    // SAFETY: the callbacks are those below; each reads `private_data` as the `Owned` put there,
    // and `release` frees it once and marks the stream released.
    Ok(ArrowStream(unsafe {
        FFI_ArrowArrayStream::new_unchecked(
            Some(get_schema),
            Some(get_next),
            Some(get_last_error),
            Some(release),
            Box::into_raw(owned).cast(),
        )
    }))
}

/// The schema and the one array of a stream made here.
pub(super) fn first(stream: &ArrowStream) -> Result<(ArrowSchema, ArrowArray), ColumnError> {
    // SAFETY: `private_data` is the `Owned` of `of`; a stream that can be named here was not
    // released, and nobody writes to it while it is borrowed.
    let owned = unsafe { &*stream.0.private_data().cast::<Owned>() };
    let schema = FFI_ArrowSchema::try_from(&owned.field)?;
    let array = owned.array.as_ref().map_or_else(FFI_ArrowArray::empty, c_array);
    Ok((ArrowSchema(schema), ArrowArray(array)))
}

fn c_array(array: &ArrayRef) -> FFI_ArrowArray {
    FFI_ArrowArray::new(&array.to_data())
}

unsafe extern "C" fn get_schema(
    stream: *mut FFI_ArrowArrayStream,
    out: *mut FFI_ArrowSchema,
) -> c_int {
    // SAFETY: the caller passes a stream that was not released, so `private_data` is the `Owned`
    // of `of`, and calls no two of its functions at a time.
    let owned = unsafe { &*(*stream).private_data().cast::<Owned>() };
    match FFI_ArrowSchema::try_from(&owned.field) {
        Ok(schema) => {
            // SAFETY: the caller passes memory for one schema, which need not be initialised.
            unsafe { out.write(schema) };
            0
        }
        Err(_) => EIO,
    }
}

unsafe extern "C" fn get_next(
    stream: *mut FFI_ArrowArrayStream,
    out: *mut FFI_ArrowArray,
) -> c_int {
    // SAFETY: as in `get_schema`; the reference is the only one, as calls do not overlap.
    let owned = unsafe { &mut *(*stream).private_data().cast::<Owned>() };
    // A released array marks the end.
    let array = owned.array.take().map_or_else(FFI_ArrowArray::empty, |array| c_array(&array));
    // SAFETY: the caller passes memory for one array, which need not be initialised.
    unsafe { out.write(array) };
    0
}

unsafe extern "C" fn get_last_error(_: *mut FFI_ArrowArrayStream) -> *const c_char {
    std::ptr::null()
}

unsafe extern "C" fn release(stream: *mut FFI_ArrowArrayStream) {
    // SAFETY: the caller passes a stream that was not released; afterwards its `release` is NULL,
    // so that nobody frees `private_data` a second time.
    unsafe {
        let owned = (*stream).set_private_data(std::ptr::null_mut());
        (*stream).set_release(None);
        drop(Box::from_raw(owned.cast::<Owned>()));
    }
}

// The consumer may release a stream, and so drop what it owns, on any thread.
const _: fn() = || {
    fn send<T: Send>() {}
    send::<Arc<Owned>>();
};
