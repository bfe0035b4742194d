#![allow(clippy::doc_link_with_quotes)] // the examples are Python
use pyo3::IntoPyObjectExt as _;
use pyo3::exceptions::{PyIndexError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyBool, PyBytes, PyCapsule, PyDict, PyInt, PyList, PySlice, PyString, PyTuple, PyType,
};
use rowmill::{Batch, Nesting, json};

use crate::column::{self, Column};
use crate::group::GroupBy;
use crate::join::{self, Keys};
use crate::query::neighbours;
use crate::row::{self, Row, RowIterator};
use crate::schema::{self, Schema};
use crate::text::Text;
use crate::{capsule, errors, filter, infer, packed, value};

/// A result: named, typed columns of one length, immutable.
///
/// `rm.Frame(data)` takes anything with the Arrow PyCapsule interface (Polars, pandas, PyArrow,
/// DuckDB, ...), a dict of name to values (a list, a NumPy array, an Arrow column), or a list of
/// rows: dicts, dataclasses, named tuples, Rows.
///
/// >>> frame = rm.Frame({"id": [1, 2, 3], "name": ["a", "b", None]})
/// >>> frame.shape, frame.columns
/// ((3, 2), ['id', 'name'])
/// >>> frame["name"].to_list(), frame[0].name, len(frame[1:]), frame[["name"]].columns
/// (['a', 'b', None], 'a', 2, ['name'])
///
/// A name gives a `Column`, a number a `Row`, a slice or a list of names a `Frame` over the same
/// memory. Iteration gives rows.
#[pyclass(frozen, module = "rowmill", weakref)]
pub(crate) struct Frame {
    pub(crate) batch: Batch,
    /// Made when a row is first asked.
    names: PyOnceLock<Names>,
}

struct Names {
    all: Py<PyTuple>,
    /// The position of the first column of each name.
    positions: Py<PyDict>,
    /// The same, less what is a row's own.
    attributes: Py<PyDict>,
}

impl From<Batch> for Frame {
    fn from(batch: Batch) -> Self {
        Self { batch, names: PyOnceLock::new() }
    }
}

impl Frame {
    fn lookup(&self, py: Python<'_>) -> PyResult<&Names> {
        self.names.get_or_try_init(py, || {
            let names = schema::names(py, self.batch.schema())?;
            let (positions, attributes) = (PyDict::new(py), PyDict::new(py));
            for (at, name) in names.iter().enumerate() {
                if positions.contains(&name)? {
                    continue;
                }
                positions.set_item(&name, at)?;
                if !row::is_own(name.cast::<PyString>()?) {
                    attributes.set_item(name, at)?;
                }
            }
            let (positions, attributes) = (positions.unbind(), attributes.unbind());
            Ok(Names { all: names.unbind(), positions, attributes })
        })
    }

    pub(crate) fn names<'a, 'py>(&'a self, py: Python<'py>) -> PyResult<&'a Bound<'py, PyTuple>> {
        Ok(self.lookup(py)?.all.bind(py))
    }

    /// The position of the first column of this name. By a dict, because a name that comes from
    /// Python has its hash ready, while comparing with forty names takes longer than the value.
    pub(crate) fn position(&self, name: &Bound<'_, PyString>) -> PyResult<Option<usize>> {
        let py = name.py();
        found(self.lookup(py)?.positions.bind(py), name)
    }

    /// The same for an attribute of a row.
    pub(crate) fn attribute(&self, name: &Bound<'_, PyString>) -> PyResult<Option<usize>> {
        let py = name.py();
        found(self.lookup(py)?.attributes.bind(py), name)
    }

    /// All columns, copied if they wait for it; other Python threads run meanwhile.
    pub(crate) fn copied(&self, py: Python<'_>) -> &Batch {
        if !self.batch.is_copied() {
            filter::detached(py, &self.batch, || rowmill::filter::copy(&self.batch));
        }
        &self.batch
    }

    fn column(&self, py: Python<'_>, at: usize) -> Column {
        if !self.batch.is_copied() {
            filter::detached(py, &self.batch, || {
                self.batch.column(at);
            });
        }
        Column::of(&self.batch, at)
    }

    pub(crate) fn column_at(&self, name: &Bound<'_, PyString>) -> PyResult<usize> {
        match self.position(name)? {
            Some(at) => Ok(at),
            None => Err(schema::unknown(name.py(), self.batch.schema(), &name.to_string_lossy())),
        }
    }
}

#[pymethods]
impl Frame {
    #[new]
    #[pyo3(signature = (data, /))]
    fn new(data: &Bound<'_, PyAny>) -> PyResult<Self> {
        batch_of(data).map(Self::from)
    }

    /// Names and types.
    #[getter]
    fn schema(&self) -> Schema {
        Schema(self.batch.schema().clone())
    }

    /// The columns' names.
    #[getter]
    pub(crate) fn columns(&self) -> Vec<&str> {
        self.batch.schema().fields.iter().map(|field| &*field.name).collect()
    }

    /// The columns' names: with these a frame is turned into a dict of columns, `dict(frame)`.
    fn keys(&self) -> Vec<&str> {
        self.columns()
    }

    /// Rows and columns.
    #[getter]
    fn shape(&self) -> (usize, usize) {
        (self.batch.rows(), self.batch.width())
    }

    /// Bytes that the values take; memory shared with other frames counts in each.
    #[getter]
    fn nbytes(&self, py: Python<'_>) -> usize {
        self.copied(py).byte_len()
    }

    fn __len__(&self) -> usize {
        self.batch.rows()
    }

    /// Whether there is a column of this name, as `frame[name]` asks.
    fn __contains__(&self, name: &Bound<'_, PyAny>) -> PyResult<bool> {
        match name.cast::<PyString>() {
            Ok(name) => Ok(self.position(name)?.is_some()),
            Err(_) => Err(PyTypeError::new_err(format!(
                "`in` asks a frame for a column's name, not for {}",
                value::class_name(name)
            ))),
        }
    }

    fn __getitem__<'py>(
        slf: &Bound<'py, Self>,
        key: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, this) = (slf.py(), slf.get());
        if let Ok(name) = key.cast::<PyString>() {
            return this.column(py, this.column_at(name)?).into_bound_py_any(py);
        }
        if key.is_instance_of::<PyBool>() {
            let message = "a frame has no row of True or False: a column that Python compares is a bool; rows are chosen \
                           by frame.filter(rm.col(\"id\") == 3)";
            return Err(PyTypeError::new_err(message));
        }
        if key.is_instance_of::<PyInt>() {
            let rows = this.batch.rows();
            return match key.extract().ok().and_then(|at| row::offset(at, rows)) {
                Some(row) => {
                    this.copied(py);
                    Row::new(slf.clone().unbind(), row).into_bound_py_any(py)
                }
                None => Err(PyIndexError::new_err(format!("row {key} of a frame of {rows}"))),
            };
        }
        if let Ok(slice) = key.cast::<PySlice>() {
            return Self::from(column::sliced(this.copied(py), slice)?).into_bound_py_any(py);
        }
        if key.is_instance_of::<PyList>() || key.is_instance_of::<PyTuple>() {
            let mut columns = Vec::new();
            for name in key.try_iter()? {
                let name = name?;
                let Ok(name) = name.cast::<PyString>() else { return Err(wrong_key(&name)) };
                columns.push(this.column_at(name)?);
            }
            let selected = filter::detached(py, &this.batch, || this.batch.select(&columns));
            return Self::from(selected).into_bound_py_any(py);
        }
        Err(wrong_key(key))
    }

    /// The rows of which all conditions are true: neither false nor NULL.
    ///
    /// >>> frame = rm.Frame({"id": [1, 2, 3], "name": ["a", "b", None]})
    /// >>> frame.filter(rm.col("id") > 1, rm.col("name").is_not_null()).to_dict()
    /// {'id': [2], 'name': ['b']}
    ///
    /// Several conditions are joined with `and`. What an expression means is what it means in a query.
    ///
    /// A column's values are copied when the column is first asked for. Until all are, or the result is
    /// dropped, it holds this frame's memory, as a slice does (a sixteenth of a large frame and less is
    /// copied at once): keep `frame.filter(...).copy()` where a result is kept long, or where the frame is
    /// made of another library's memory that is written to.
    ///
    /// Args:
    ///     columns: The names of the columns that are wanted; the others are not copied.
    #[pyo3(signature = (*conditions, columns=None))]
    fn filter(
        &self,
        conditions: &Bound<'_, PyTuple>,
        columns: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        filter::filter(self, conditions, columns)
    }

    /// The same rows in memory of their own, which no other frame shares.
    ///
    /// A slice, and a frame that was filtered, hold the memory of the frame that they are of; a copy does not.
    ///
    /// >>> rm.Frame({"id": [1, 2, 3]})[1:].copy().to_dict()
    /// {'id': [2, 3]}
    fn copy(&self, py: Python<'_>) -> PyResult<Self> {
        let copied = filter::detached(py, &self.batch, || self.batch.copy());
        copied.map(Self::from).map_err(|error| errors::columns(py, &error))
    }

    /// Columns by their names, and columns that are computed.
    ///
    /// >>> frame = rm.Frame({"price": [2, 3], "count": [10, 20]})
    /// >>> frame.select("count", total=rm.col("price") * rm.col("count")).to_dict()
    /// {'count': [10, 20], 'total': [20, 60]}
    ///
    /// A column that is only named shares this frame's memory. A computed one has its name from the
    /// keyword, or from `label()`.
    #[pyo3(signature = (*columns, **named))]
    fn select(
        &self,
        columns: &Bound<'_, PyTuple>,
        named: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        filter::select(self, columns, named)
    }

    /// The rows by groups that are equal in keys: names, or expressions; then `agg` says what each group comes to.
    ///
    /// >>> frame = rm.Frame({"team": ["a", "b", "a"], "points": [3, 5, 4]})
    /// >>> frame.group_by("team").agg(points=rm.col("points").sum()).to_dict()
    /// {'team': ['a', 'b'], 'points': [7, 5]}
    ///
    /// Without keys all rows are one group. NULL is a key like any other, as in a query, and NaN is equal to NaN.
    ///
    /// Args:
    ///     drop_nulls: Whether rows of which a key is NULL are in no group.
    #[pyo3(signature = (*keys, drop_nulls=false, **named))]
    fn group_by(
        &self,
        keys: &Bound<'_, PyTuple>,
        drop_nulls: bool,
        named: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<GroupBy> {
        GroupBy::new(self, keys, drop_nulls, named)
    }

    /// Each row with the rows of another frame that have the same values in some columns.
    ///
    /// >>> people = rm.Frame({"id": [1, 2, 3], "team": ["a", "b", "c"]})
    /// >>> teams = rm.Frame({"team": ["a", "b"], "city": ["Oslo", "Bergen"]})
    /// >>> people.join(teams, on="team").to_dict()
    /// {'id': [1, 2], 'team': ['a', 'b'], 'city': ['Oslo', 'Bergen']}
    /// >>> people.join(teams, on="team", how="anti")["id"].to_list()
    /// [3]
    ///
    /// Rows come in the order of this frame, and of the other where one has several. NULL is equal to nothing, as in a
    /// query; NaN is equal to NaN; 1 is equal to Decimal("1.0"). The other frame's keys are left out: which rows of a
    /// left join have no other is told by how="anti".
    ///
    /// Args:
    ///     on: The columns, one name or a list, that both frames have.
    ///     left_on: The columns of this frame, where they have other names than those of the other.
    ///     right_on: The columns of the other frame.
    ///     how: "inner"; "left": rows without another too, with NULLs; "semi": rows that have another, each once and
    ///         without its columns; "anti": those that have none.
    ///     suffix: What stands after the name of a column of the other frame, where this frame has one of the name.
    ///
    /// Raises:
    ///     KeyError: There is no such column.
    ///     ProgrammingError: The columns are of types that are not compared.
    ///     DataError: Lists, JSON, structs and intervals are no keys; there are more rows than 32 bits count.
    #[pyo3(signature = (
        other, on=None, *, left_on=None, right_on=None, how="inner", suffix="_right"
    ))]
    #[expect(clippy::too_many_arguments, reason = "each is a keyword in Python")]
    fn join(
        &self,
        py: Python<'_>,
        other: &Self,
        on: Option<&Bound<'_, PyAny>>,
        left_on: Option<&Bound<'_, PyAny>>,
        right_on: Option<&Bound<'_, PyAny>>,
        how: &str,
        suffix: &str,
    ) -> PyResult<Self> {
        let keys = Keys { on, left: left_on, right: right_on };
        join::join(py, self, other, &keys, how, suffix)
    }

    /// One row of all that are equal in these columns, without names in all of them; in their order.
    ///
    /// >>> frame = rm.Frame({"team": ["a", "b", "a"], "points": [3, 5, 4]})
    /// >>> frame.unique("team").to_dict()
    /// {'team': ['a', 'b'], 'points': [3, 5]}
    ///
    /// NULL is equal to NULL here, and NaN to NaN.
    ///
    /// Args:
    ///     keep: Which of equal rows: "first", "last", or "none" where there are several.
    ///
    /// Raises:
    ///     KeyError: There is no such column.
    ///     DataError: Lists, JSON, structs and intervals cannot be told apart.
    #[pyo3(signature = (*columns, keep="first"))]
    fn unique(&self, columns: &Bound<'_, PyTuple>, keep: &str) -> PyResult<Self> {
        join::unique(self, columns, keep)
    }

    /// The rows in the order of keys: names, or expressions, downwards with a minus before them.
    ///
    /// >>> frame = rm.Frame({"name": ["a", "b", None], "age": [3, 5, 5]})
    /// >>> frame.sort(-rm.col("age"), "name")["name"].to_list()
    /// ['b', None, 'a']
    ///
    /// Rows of equal keys stay as they are. NaN is greater than all numbers, text is in the order of
    /// code points.
    ///
    /// Args:
    ///     nulls: "first" or "last", for keys that do not say themselves; without, as in PostgreSQL:
    ///         last, and first where a key goes downwards.
    #[pyo3(signature = (*keys, nulls=None))]
    fn sort(&self, keys: &Bound<'_, PyTuple>, nulls: Option<Text<'_>>) -> PyResult<Self> {
        filter::sort(self, keys, nulls.as_deref())
    }

    /// The rows, one after the other.
    fn rows(slf: Bound<'_, Self>) -> RowIterator {
        slf.get().copied(slf.py());
        RowIterator::new(slf.unbind())
    }

    fn __iter__(slf: Bound<'_, Self>) -> RowIterator {
        Self::rows(slf)
    }

    /// The rows as instances of a class whose fields are the columns.
    ///
    /// >>> import dataclasses
    /// >>> @dataclasses.dataclass
    /// ... class User:
    /// ...     id: int
    /// ...     name: str | None = None
    /// >>> rm.Frame({"id": [1, 2], "name": ["a", None]}).into(User)
    /// [User(id=1, name='a'), User(id=2, name=None)]
    ///
    /// Columns and fields meet by their names, those that a msgspec.Struct or a pydantic model has for the
    /// outside included. These two convert values in their own way, a text to a UUID or an Enum; the
    /// others take them as they are.
    ///
    /// Args:
    ///     cls: A dataclass, a msgspec.Struct, a pydantic model, a TypedDict, a NamedTuple, or dict.
    ///     extra: What becomes of a column that no field is for: "error", or "ignore".
    ///
    /// Raises:
    ///     ProgrammingError: A field without a default has no column, or a column no field.
    ///     DataError: A value that the class does not take.
    #[pyo3(signature = (cls, /, *, extra="error"))]
    fn into<'py>(
        slf: &Bound<'py, Self>,
        cls: &Bound<'py, PyAny>,
        extra: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("rowmill._into")?.call_method1("frame_into", (slf, cls, extra))
    }

    /// Packed records as a frame: each field a column, a record in a record a struct. What is None is a row of NULLs.
    ///
    /// Args:
    ///     records: A list of records or of their bytes, or a column of bytes.
    ///     cls: Their class, where they are bytes.
    ///     columns: The names of the fields that are wanted.
    #[staticmethod]
    #[pyo3(signature = (records, cls=None, *, columns=None))]
    fn from_packed(
        records: &Bound<'_, PyAny>,
        cls: Option<&Bound<'_, PyType>>,
        columns: Option<Vec<Bound<'_, PyString>>>,
    ) -> PyResult<Self> {
        packed::from_packed(records, cls, columns)
    }

    /// The rows as packed records, one column of bytes; fields and columns meet by their names.
    #[pyo3(signature = (cls, /))]
    fn to_packed(&self, cls: &Bound<'_, PyType>) -> PyResult<Column> {
        packed::to_packed(self, cls)
    }

    /// A pandas DataFrame over the same memory where the type allows.
    ///
    /// docs/types.md has the table of types. Assign to a copy: what is shared cannot be
    /// written.
    ///
    /// Args:
    ///     objects: Whether uuids, decimals, times, bytes and lists become Python objects, which
    ///         takes a microsecond each, and not Arrow's own types.
    #[pyo3(signature = (*, objects=false))]
    fn to_pandas<'py>(slf: &Bound<'py, Self>, objects: bool) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("rowmill._out")?.call_method1("to_pandas", (slf, objects))
    }

    /// A Polars DataFrame over the same memory.
    fn to_polars<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("rowmill._out")?.call_method1("to_polars", (slf,))
    }

    /// NumPy arrays by column name, views where the type allows.
    fn to_numpy<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("rowmill._out")?.call_method1("to_numpy", (slf,))
    }

    /// A PyArrow table over the same memory.
    fn to_arrow<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("rowmill._out")?.call_method1("to_arrow", (slf,))
    }

    /// JSON, in UTF-8: `orient` is "records" (an array of objects), "columns" (an object of
    /// arrays) or "ndjson" (an object a line). NaN and infinite floats become null.
    #[pyo3(signature = (orient="records"))]
    pub(crate) fn to_json<'py>(
        &self,
        py: Python<'py>,
        orient: &str,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let orient = orientation(orient)?;
        let options = json::Options { orient, ..json::Options::default() };
        let mut out = Vec::new();
        let batch = self.copied(py);
        let written = py.detach(|| json::write(batch, options, &mut out));
        written.map_err(|error| errors::columns(py, &error))?;
        Ok(PyBytes::new(py, &out))
    }

    /// The rows as a list of tuples, as other drivers give them.
    ///
    /// >>> rm.Frame({"id": [1, 2], "name": ["a", None]}).to_tuples()
    /// [(1, 'a'), (2, None)]
    fn to_tuples<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        value::tuples(py, self.copied(py))
    }

    /// Lists of Python objects by column name.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        self.copied(py);
        for (at, name) in self.names(py)?.iter().enumerate() {
            if dict.contains(&name)? {
                return Err(row::repeated(py, self.names(py)?)?);
            }
            dict.set_item(name, value::list(py, &self.batch, at)?)?;
        }
        Ok(dict)
    }

    /// All rows as an Arrow capsule; `requested_schema` may ask for another layout of text.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        capsule::stream(py, self.copied(py), requested_schema)
    }

    /// All rows as an Arrow capsule with text in the view layout.
    fn _stream_of_views<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        capsule::stream_of_views(py, self.copied(py))
    }

    /// The schema as an Arrow capsule.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        capsule::schema(py, self.batch.schema())
    }

    fn __eq__(&self, py: Python<'_>, other: &Bound<'_, Self>) -> bool {
        let (own, other) = (self.copied(py), other.get().copied(py));
        py.detach(|| own == other)
    }

    fn __repr__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("rowmill._repr")?.call_method1("table", (slf,))
    }

    /// The table that notebooks show.
    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("rowmill._repr")?.call_method1("html", (slf,))
    }

    fn __getattr__(slf: &Bound<'_, Self>, name: &str) -> PyResult<()> {
        Err(neighbours::missing(slf, name)?)
    }

    fn _ipython_key_completions_(&self) -> Vec<&str> {
        self.columns()
    }

    /// The column at a position, for those whose name repeats.
    fn _column(&self, py: Python<'_>, at: usize) -> PyResult<Column> {
        if at >= self.batch.width() {
            return Err(PyIndexError::new_err("no such column"));
        }
        Ok(self.column(py, at))
    }

    /// The frame with the rows of another that belong to its own, as one column more.
    #[expect(clippy::too_many_arguments, reason = "two places and what becomes of them")]
    fn _nest(
        &self,
        py: Python<'_>,
        name: &str,
        at: usize,
        children: &Self,
        key: usize,
        shown: usize,
        many: bool,
    ) -> PyResult<Self> {
        let nesting = if many { Nesting::Many } else { Nesting::One };
        let shown: Vec<usize> =
            (0..children.batch.width()).filter(|&at| at < shown || at > key).collect();
        let nested = self.copied(py).nest(name, at, children.copied(py), key, &shown, nesting);
        nested.map(Self::from).map_err(|error| errors::columns(py, &error))
    }

    /// Copies what waits to be, all columns at once.
    fn _copied(&self, py: Python<'_>) {
        self.copied(py);
    }

    /// The frame without the column at a position.
    fn _without(&self, py: Python<'_>, at: usize) -> Self {
        let kept: Vec<usize> = (0..self.batch.width()).filter(|&other| other != at).collect();
        Self::from(filter::detached(py, &self.batch, || self.batch.select(&kept)))
    }

    /// One column's cells as text of at most `most` characters, NULL as None.
    fn _texts(
        &self,
        py: Python<'_>,
        at: usize,
        rows: Vec<usize>,
        most: usize,
    ) -> PyResult<Vec<Option<String>>> {
        let known = at < self.batch.width();
        if !known || rows.iter().any(|&row| row >= self.batch.rows()) {
            return Err(PyIndexError::new_err("no such cell"));
        }
        let column = self.column(py, at).batch;
        Ok(rows.into_iter().map(|row| column::text(&column, 0, row, most)).collect())
    }
}

fn found(positions: &Bound<'_, PyDict>, name: &Bound<'_, PyString>) -> PyResult<Option<usize>> {
    match positions.get_item(name)? {
        Some(at) => at.extract().map(Some),
        None => Ok(None),
    }
}

/// The shape of JSON by its name.
pub(crate) fn orientation(orient: &str) -> PyResult<json::Orient> {
    match orient {
        "records" => Ok(json::Orient::Records),
        "columns" => Ok(json::Orient::Columns),
        "ndjson" => Ok(json::Orient::Ndjson),
        other => Err(PyValueError::new_err(format!(
            "orient is \"records\", \"columns\" or \"ndjson\", not {other:?}"
        ))),
    }
}

fn wrong_key(key: &Bound<'_, PyAny>) -> PyErr {
    PyTypeError::new_err(format!(
        "a frame takes a name, a list of names, a row number or a slice, not {}",
        value::class_name(key)
    ))
}

/// The columns of whatever a frame can be made of.
pub(crate) fn batch_of(data: &Bound<'_, PyAny>) -> PyResult<Batch> {
    if let Ok(frame) = data.cast::<Frame>() {
        return Ok(frame.get().copied(data.py()).clone());
    }
    if let Ok(dict) = data.cast::<PyDict>() {
        return infer::frame(dict);
    }
    if let Some(batch) = capsule::import(data)? {
        return Ok(batch);
    }
    if let Ok(rows) = data.cast::<PyList>() {
        return infer::rows(rows);
    }
    let message = format!(
        "a frame is made of an object with __arrow_c_stream__ or __arrow_c_array__, of a dict of \
         columns, or of a list of rows, not of {}",
        value::class_name(data)
    );
    Err(PyTypeError::new_err(message))
}
