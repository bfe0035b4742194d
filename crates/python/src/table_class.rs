//! The class of table classes.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::ptr;
use std::sync::OnceLock;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;

/// How attributes of any class are found.
static FIND: OnceLock<ffi::getattrofunc> = OnceLock::new();

/// A class of classes whose attributes are found as those of other classes are, and which asks its `_unknown` where there
/// is none.
///
/// A `__getattr__` in Python does the same, but makes each attribute that there is take 105 ns in place of 28: a sixth of
/// what it takes to build a query of ten conditions.
pub(crate) fn class(py: Python<'_>) -> PyResult<Bound<'_, PyType>> {
    // SAFETY: `type` is a static class, whose slots are asked for by number; that of attributes is such a function. An
    // `Option` of a function is a pointer that may be null.
    let find: Option<ffi::getattrofunc> = unsafe {
        std::mem::transmute(ffi::PyType_GetSlot(&raw mut ffi::PyType_Type, ffi::Py_tp_getattro))
    };
    if let Some(find) = find {
        FIND.get_or_init(|| find);
    }
    let mut slots = [
        ffi::PyType_Slot { slot: ffi::Py_tp_getattro, pfunc: attribute as *mut c_void },
        ffi::PyType_Slot { slot: 0, pfunc: ptr::null_mut() },
    ];
    let mut spec = ffi::PyType_Spec {
        name: c"rowmill._rowmill.TableClass".as_ptr(),
        // Those of `type`.
        basicsize: 0,
        itemsize: 0,
        flags: (ffi::Py_TPFLAGS_DEFAULT | ffi::Py_TPFLAGS_BASETYPE) as _,
        slots: slots.as_mut_ptr(),
    };
    // SAFETY: the specification and its slots live during the call, which copies them; the slots end with an empty one.
    let class = unsafe {
        let base = (&raw mut ffi::PyType_Type).cast();
        Bound::from_owned_ptr_or_err(py, ffi::PyType_FromSpecWithBases(&raw mut spec, base))?
    };
    Ok(class.cast_into()?)
}

unsafe extern "C" fn attribute(
    class: *mut ffi::PyObject,
    name: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let Some(find) = FIND.get() else { return ptr::null_mut() };
    // SAFETY: Python calls this with a class and a name, attached to the interpreter; references that are made here are
    // given back, but for the one that is returned.
    unsafe {
        let found = find(class, name);
        if !found.is_null() || ffi::PyErr_ExceptionMatches(ffi::PyExc_AttributeError) == 0 {
            return found;
        }
        ffi::PyErr_Clear();
        // Asked of the class of classes: asked of the class itself it may be unknown again.
        let unknown = ffi::PyObject_GetAttrString(ffi::Py_TYPE(class).cast(), c"_unknown".as_ptr());
        if unknown.is_null() {
            return unknown;
        }
        let none = ptr::null_mut::<ffi::PyObject>();
        let answer = ffi::PyObject_CallFunctionObjArgs(unknown, class, name, none);
        ffi::Py_DECREF(unknown);
        answer
    }
}
