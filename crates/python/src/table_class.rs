//! The class of table classes.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::OnceLock;

use pyo3::exceptions::PySystemError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;

/// How attributes of any class are found, and what any class holds.
static OF_TYPE: OnceLock<(ffi::getattrofunc, ffi::traverseproc)> = OnceLock::new();

/// A class of classes whose attributes are found as those of other classes are, and which asks its `_unknown` where there
/// is none.
///
/// A `__getattr__` in Python does the same, but makes each attribute that there is take 105 ns in place of 22: a sixth of
/// what it takes to build a query of ten conditions.
pub(crate) fn class(py: Python<'_>) -> PyResult<Bound<'_, PyType>> {
    // SAFETY: `type` is a static class, whose slots are asked for by number.
    let slot = |number| unsafe { ffi::PyType_GetSlot(&raw mut ffi::PyType_Type, number) };
    let clear = slot(ffi::Py_tp_clear);
    // SAFETY: slots of these numbers are such functions. An `Option` of a function is a pointer that may be null.
    let (find, visit) = unsafe {
        (
            std::mem::transmute::<*mut c_void, Option<ffi::getattrofunc>>(slot(
                ffi::Py_tp_getattro,
            )),
            std::mem::transmute::<*mut c_void, Option<ffi::traverseproc>>(slot(
                ffi::Py_tp_traverse,
            )),
        )
    };
    let (Some(find), Some(visit)) = (find, visit) else {
        return Err(PySystemError::new_err("type has no attributes"));
    };
    OF_TYPE.get_or_init(|| (find, visit));
    let mut slots = [
        ffi::PyType_Slot { slot: ffi::Py_tp_getattro, pfunc: attribute as *mut c_void },
        ffi::PyType_Slot { slot: ffi::Py_tp_traverse, pfunc: traverse as *mut c_void },
        ffi::PyType_Slot { slot: ffi::Py_tp_clear, pfunc: clear },
        ffi::PyType_Slot { slot: 0, pfunc: ptr::null_mut() },
    ];
    let flags = ffi::Py_TPFLAGS_DEFAULT | ffi::Py_TPFLAGS_BASETYPE | ffi::Py_TPFLAGS_HAVE_GC;
    let mut spec = ffi::PyType_Spec {
        name: c"rowmill._rowmill.TableClass".as_ptr(),
        // Those of `type`.
        basicsize: 0,
        itemsize: 0,
        flags: flags as _,
        slots: slots.as_mut_ptr(),
    };
    // SAFETY: the specification and its slots live during the call, which copies them; the slots end with an empty one.
    let class = unsafe {
        let base = (&raw mut ffi::PyType_Type).cast();
        Bound::from_owned_ptr_or_err(py, ffi::PyType_FromSpecWithBases(&raw mut spec, base))?
    };
    Ok(class.cast_into()?)
}

/// Besides what any class holds, the class of it: `type` is never freed and so does not tell of itself.
unsafe extern "C" fn traverse(
    class: *mut ffi::PyObject,
    visit: ffi::visitproc,
    argument: *mut c_void,
) -> c_int {
    let Some((_, of_type)) = OF_TYPE.get() else { return 0 };
    // SAFETY: Python's collector calls this with a class and what is to be called with each object that it holds.
    unsafe {
        match of_type(class, visit, argument) {
            0 => visit(ffi::Py_TYPE(class).cast(), argument),
            other => other,
        }
    }
}

unsafe extern "C" fn attribute(
    class: *mut ffi::PyObject,
    name: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let Some((find, _)) = OF_TYPE.get() else { return ptr::null_mut() };
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
