//! What those who come from other libraries write, and what it is called here.

use pyo3::exceptions::{PyAttributeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use super::{Expr, Select};
use crate::frame::Frame;
use crate::value;

/// Another library's name, and the one that it has here.
const NAMES: &[(&str, &str)] = &[
    ("isin", "in_"),
    ("is_in", "in_"),
    ("notin_", "not_in"),
    ("is_", "is_null"),
    ("isnull", "is_null"),
    ("is_not", "is_not_null"),
    ("isnot", "is_not_null"),
    ("notnull", "is_not_null"),
    ("startswith", "starts_with"),
    ("endswith", "ends_with"),
    ("icontains", "ilike"),
    ("regexp_match", "matches"),
    ("len", "length"),
    ("avg", "mean"),
    ("average", "mean"),
    ("nunique", "count_distinct"),
    ("as_", "label"),
    ("alias", "label"),
    ("astype", "cast"),
    ("nullsfirst", "nulls_first"),
    ("nullslast", "nulls_last"),
    ("filter", "where"),
    ("filter_by", "where"),
    ("select_from", "from_"),
    ("outerjoin", "left_join"),
    ("outer_join", "left_join"),
    ("sort", "order_by"),
    ("sort_by", "order_by"),
    ("groupby", "group_by"),
    ("head", "limit"),
    ("take", "limit"),
    ("scalar_subquery", "value"),
    ("options", "with_"),
    ("include", "with_"),
    ("except_all", "except_"),
];

/// What other libraries have a query do, and the database's verb for it.
const VERBS: &[(&str, &str)] = &[
    ("all", "db.fetch(q)"),
    ("fetch", "db.fetch(q)"),
    ("fetchall", "db.fetch(q)"),
    ("execute", "db.fetch(q)"),
    ("run", "db.fetch(q)"),
    ("first", "db.fetch_one(q)"),
    ("one", "db.fetch_one(q)"),
    ("one_or_none", "db.fetch_one(q)"),
    ("get", "db.fetch_one(q)"),
    ("fetchone", "db.fetch_one(q)"),
    ("scalar", "db.fetch_value(q)"),
    ("count", "db.fetch_value(rm.select(rm.count()).from_(q.subquery(\"q\")))"),
];

/// What other libraries' frames have, and how it is written here.
const FRAMES: &[(&str, &str)] = &[
    ("where", "frame.filter(rm.col(\"id\") > 3)"),
    ("query", "frame.filter(rm.col(\"id\") > 3)"),
    ("loc", "frame.filter(rm.col(\"id\") > 3)"),
    ("iloc", "frame[3] or frame[3:5]"),
    ("head", "frame[:5]"),
    ("limit", "frame[:5]"),
    ("tail", "frame[-5:]"),
    ("count", "len(frame)"),
    ("height", "len(frame)"),
    ("order_by", "frame.sort(\"id\")"),
    ("sort_values", "frame.sort(\"id\")"),
    ("groupby", "frame.group_by(\"id\").agg(...)"),
    ("with_columns", "frame.select(*frame.columns, twice=rm.col(\"id\") * 2)"),
    ("assign", "frame.select(*frame.columns, twice=rm.col(\"id\") * 2)"),
    ("iterrows", "for row in frame"),
    ("itertuples", "for row in frame"),
    ("iter_rows", "for row in frame"),
    ("to_dicts", "[row.to_dict() for row in frame]"),
    ("to_list", "frame.to_tuples()"),
    ("to_df", "frame.to_pandas()"),
    ("dtypes", "frame.schema"),
    ("values", "frame.to_numpy()"),
    ("merge", "frame.join(other, on=\"id\")"),
    ("drop_duplicates", "frame.unique(\"id\")"),
    ("distinct", "frame.unique(\"id\")"),
    ("value_counts", "frame.group_by(\"id\").agg(n=rm.count())"),
];

/// The error of an attribute that is not there.
#[cold]
pub(crate) fn missing<T>(object: &Bound<'_, T>, name: &str) -> PyResult<PyErr> {
    let object = object.as_any();
    let mut message = format!("'{}' object has no attribute '{name}'", value::class_name(object));
    if object.is_instance_of::<Select>()
        && let Some((_, verb)) = VERBS.iter().find(|(other, _)| *other == name)
    {
        return Ok(PyAttributeError::new_err(format!("{message}; a database runs it: {verb}")));
    }
    if let Ok(frame) = object.cast::<Frame>() {
        let way = FRAMES.iter().find(|(other, _)| *other == name).map(|(_, way)| (*way).to_owned());
        let is_column = || frame.get().columns().contains(&name);
        if let Some(way) = way.or_else(|| is_column().then(|| format!("frame[{name:?}]"))) {
            return Ok(PyAttributeError::new_err(format!("{message}; write {way}")));
        }
    }
    let here = NAMES.iter().find(|(other, _)| *other == name).map(|(_, here)| (*here).to_owned());
    let here = match here {
        Some(here) if object.get_type().hasattr(&*here)? => Some(here),
        _ if name.starts_with('_') => None,
        _ => {
            let known = object.get_type().dir()?.try_iter()?;
            let known = known.map(|name| name?.extract::<String>());
            let known = known.filter(|name| !name.as_ref().is_ok_and(|name| name.starts_with('_')));
            let known = known.collect::<PyResult<Vec<_>>>()?;
            let difflib = object.py().import("difflib")?;
            let near = difflib.call_method1("get_close_matches", (name, known, 1))?;
            near.get_item(0).ok().map(|near| near.extract()).transpose()?
        }
    };
    if let Some(here) = here {
        message = format!("{message}; did you mean .{here}()?");
    }
    Ok(PyAttributeError::new_err(message))
}

/// Why an object is no operand, where it is no value either.
#[cold]
pub(super) fn no_operand(object: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    if object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>() {
        let mut items = object.try_iter()?;
        let found = items.find_map(|item| item.ok().filter(|item| item.is_instance_of::<Expr>()));
        return Ok(found.map(|item| {
            format!(
                "a list holds the expression {}: expressions are given one by one, (a, b) and not ([a, b])",
                value::repr(&item).unwrap_or_default()
            )
        }));
    }
    if let Some(message) = uncalled(object)? {
        return Ok(Some(message));
    }
    let class = object.get_type();
    if class.name()? != "Edge" || !class.module()?.to_cow()?.starts_with("rowmill") {
        return Ok(None);
    }
    let shown = value::repr(object)?;
    Ok(Some(format!("{shown} is an edge, whose rows come beside these: .with_(...) takes it")))
}

/// Refuses conditions as keywords, which other libraries take for equalities.
pub(super) fn unnamed(verb: &str, named: Option<&Bound<'_, PyDict>>, of: &str) -> PyResult<()> {
    let Some((name, value)) = named.and_then(|named| named.iter().next()) else { return Ok(()) };
    let message = format!(
        "{verb}() takes conditions and no keywords: write {verb}(T.{name} == {}), where T is the class of {of}",
        value::repr(&value)?
    );
    Err(PyTypeError::new_err(message))
}

/// Refuses values given one by one.
pub(super) fn one_list(
    verb: &str,
    first: &Bound<'_, PyAny>,
    more: &Bound<'_, PyTuple>,
) -> PyResult<()> {
    let Ok(second) = more.get_item(0) else { return Ok(()) };
    let (first, second) = (value::repr(first)?, value::repr(&second)?);
    let rest = if more.len() > 1 { ", ..." } else { "" };
    Err(PyTypeError::new_err(format!(
        "{verb}() takes one list of values: write {verb}([{first}, {second}{rest}])"
    )))
}

/// What a method was called without, where it stands as a value.
#[cold]
fn uncalled(object: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    let Some(of) = object.getattr_opt("__self__")? else { return Ok(None) };
    if !of.is_instance_of::<Expr>() {
        return Ok(None);
    }
    let name = object.getattr("__name__")?;
    Ok(Some(format!("{of}.{name} is a method that was not called: write {of}.{name}()")))
}
