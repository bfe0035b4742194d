#![allow(clippy::doc_link_with_quotes)] // the examples are Python
//! Stored conditions and the records that they are true of, as Python sees them.

mod bits;
mod change;
mod ids;
mod priority;
mod record;
mod snapshot;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pyo3::exceptions::{PyKeyError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyIterator, PyList, PyString, PyType};
use rowmill::expr::{self, ExprError, Kind, query};
use rowmill::matcher::{self, Attributes, Base, Record, Scratch, Top, View};
use rowmill::{Field, Type};

use crate::frame::Frame;
use crate::query::{Expr, expression, kind_named, raised, source_of};
use crate::schema::Schema;
use crate::{buffer, errors, value};
use change::Refusal;
use ids::{Id, Ids, One, Sort};
use priority::Priority;

/// Conditions by id, and which of them are true of a record.
///
/// >>> import rowmill as rm
/// >>> matcher = rm.Matcher({"country": str, "age": int, "topics": list[str]})
/// >>> matcher.insert("campaign-7", (rm.col("age") >= 18) & rm.col("country").in_(["DE", "FR"]))
/// >>> matcher.insert("campaign-8", rm.col("topics").overlaps(["sport"]))
/// >>> matcher.match({"country": "DE", "age": 30, "topics": ["news"]})
/// ['campaign-7']
///
/// The attributes that records have are declared: a dict of names and types, the schema of a frame, or
/// an `rm.Table`. What a record does not have is NULL, or the attribute's default; a name that is not
/// declared is an error, unless `unknown="ignore"`. Conditions mean what they mean in SQL and in
/// `Frame.filter`: one that is NULL does not match.
///
/// A str for a JSON attribute, in a record or in `defaults`, is JSON text, and one for a UUID its text. A value that
/// does not fit its attribute is a `DataError`, a name that is not declared a `ProgrammingError`.
///
/// Threads may match, insert and remove at the same time. Whoever matches waits for nobody.
#[pyclass(frozen, module = "rowmill")]
pub(crate) struct Matcher {
    inner: matcher::Matcher,
    /// The attributes' names, interned.
    names: Vec<Py<PyString>>,
    /// What a record is before it is filled.
    blank: Record,
    /// What is set in it: attributes, and values as JSON.
    defaults: Vec<(usize, String)>,
    ignores_unknown: bool,
    skips_errors: bool,
    /// Held for as long as ids are looked up or noted: no Python runs meanwhile.
    ids: Mutex<Ids>,
    /// Held by whoever changes conditions, before `ids`, and while an index is made; waited for without the GIL.
    writing: Mutex<()>,
    #[expect(clippy::vec_box, reason = "a room is moved as a pointer")]
    spare: Mutex<Vec<Box<Room>>>,
}

/// Room for one call, kept for the next one.
struct Room {
    record: Record,
    scratch: Scratch,
    found: Vec<u64>,
}

/// Rows, and the number of what matched each.
type Matches = (Vec<u32>, Vec<u64>);

/// From how many conditions on other Python threads may run meanwhile: letting them takes a microsecond.
const DETACH: usize = 2_000;

const SKIPPED: &str =
    "a matcher of errors=\"skip\" takes such a condition for one that does not match";

#[pymethods]
impl Matcher {
    #[new]
    #[pyo3(signature = (attributes, /, *, defaults=None, unknown="refuse", errors="raise"))]
    fn new(
        attributes: &Bound<'_, PyAny>,
        defaults: Option<&Bound<'_, PyDict>>,
        unknown: &str,
        errors: &str,
    ) -> PyResult<Self> {
        let py = attributes.py();
        let ignores_unknown = one_of(py, "unknown", unknown, ["refuse", "ignore"])?;
        let skips_errors = one_of(py, "errors", errors, ["raise", "skip"])?;
        let schema = declared(attributes)?;
        for (at, field) in schema.fields.iter().enumerate() {
            if schema.position(&field.name) != Some(at) {
                let message = format!("the attribute {:?} is declared twice", field.name);
                return Err(errors::programming(py, &message));
            }
        }
        let names = schema.fields.iter().map(|field| PyString::intern(py, &field.name).unbind());
        let names: Vec<_> = names.collect();
        let attributes = Attributes::new(schema);
        let mut blank = Record::new(&attributes);
        let defaults = match defaults {
            Some(given) => {
                let filled = record::fill(&mut blank, &names, given, false);
                let kept = filled.and_then(|()| record::kept(&blank, &names, given));
                kept.map_err(|error| of_defaults(py, error))?
            }
            None => Vec::new(),
        };
        let inner = matcher::Matcher::new(&attributes);
        let (ids, writing, spare) = (Mutex::default(), Mutex::default(), Mutex::default());
        Ok(Self {
            inner,
            names,
            blank,
            defaults,
            ignores_unknown,
            skips_errors,
            ids,
            writing,
            spare,
        })
    }

    /// The matcher that `save` wrote, with its conditions, ids, attributes and options.
    ///
    /// Its index is read instead of built, in less than a tenth of the time. The file is mapped: a condition is read
    /// when it is asked for, from pages that all processes share. `save` may replace the file meanwhile; nothing else
    /// may change it.
    ///
    /// What is no snapshot, is not a whole one, was damaged, or was written by a later version is a `DataError`.
    #[classmethod]
    fn load(class: &Bound<'_, PyType>, path: PathBuf) -> PyResult<Self> {
        let py = class.py();
        let loaded = py.detach(|| matcher::Matcher::load(&path));
        let (inner, beside) = loaded.map_err(|error| snapshot::of_file(py, &error, path))?;
        Self::loaded(py, inner, &beside)
    }

    /// The matcher that `to_bytes` wrote: as `load`.
    #[classmethod]
    fn from_bytes(class: &Bound<'_, PyType>, data: &[u8]) -> PyResult<Self> {
        let py = class.py();
        let loaded = py.detach(|| matcher::Matcher::from_bytes(data.to_vec()));
        let (inner, beside) = loaded.map_err(|error| errors::value(py, &error.to_string()))?;
        Self::loaded(py, inner, &beside)
    }

    /// Writes conditions, ids, attributes and options to a file, for `load`. What was there before is replaced when
    /// all is written, so that whoever loads it has the one or the other.
    ///
    /// >>> import rowmill as rm, tempfile, pathlib
    /// >>> matcher = rm.Matcher({"age": int})
    /// >>> matcher.insert("adults", rm.col("age") >= 18)
    /// >>> path = pathlib.Path(tempfile.mkdtemp()) / "campaigns.snapshot"
    /// >>> matcher.save(path)
    /// >>> rm.Matcher.load(path).match({"age": 30})
    /// ['adults']
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let (view, beside) = self.moment(py);
        let saved = py.detach(|| matcher::save(&view, &beside, &path));
        saved.map_err(|error| snapshot::of_file(py, &error, path))
    }

    /// What `save` writes.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let (view, beside) = self.moment(py);
        let bytes = py.detach(|| view.snapshot(&beside).map(|snapshot| snapshot.to_bytes()));
        Ok(PyBytes::new(py, &bytes.map_err(|error| raised(py, &error))?))
    }

    /// `rm.Matcher[str]` is what type checkers see of one whose ids are strs.
    #[classmethod]
    fn __class_getitem__<'py>(
        class: &Bound<'py, PyType>,
        item: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        class.py().import("types")?.getattr("GenericAlias")?.call1((class, item))
    }

    /// Stores a condition under an id, an int or a str; all ids of a matcher are of one of the two.
    ///
    /// An id that is taken, an attribute that is not declared, and a condition that makes no sense for
    /// the attributes' types are a `ProgrammingError`. The priority, a number, is what `top` goes by.
    #[pyo3(
        signature = (id, condition, priority=Priority(0.0)),
        text_signature = "($self, id, condition, priority=0.0)"
    )]
    fn insert(
        &self,
        py: Python<'_>,
        mut id: Id,
        condition: &Bound<'_, PyAny>,
        priority: Priority,
    ) -> PyResult<()> {
        let condition = condition_of(condition)?;
        let stored = self.insert_one(py, &mut id, &condition, priority.0);
        stored.map_err(|refusal| refusal.told(py, &[id]))
    }

    /// Stores many conditions, all or none: tuples of an id, a condition and, if it is not 0, a priority; or a frame
    /// of such columns, the conditions as `Expr.to_json` writes them. They become one index, which is much quicker
    /// than to insert them one by one. Returns how many there were. An error names the id of the condition at fault.
    fn insert_many(&self, py: Python<'_>, conditions: &Bound<'_, PyAny>) -> PyResult<usize> {
        let pairs = if record::is_frame(conditions)? {
            let frame = Frame::from(crate::frame::batch_of(conditions)?);
            Bound::new(py, frame)?.call_method0("to_tuples")?
        } else if let Ok(named) = conditions.cast::<PyDict>() {
            named.items().into_any()
        } else {
            conditions.clone()
        };
        let pairs = pairs.try_iter().map_err(|_| refused_many(conditions));
        // All that runs Python comes first.
        let reader = expr::stored::Reader::new();
        let (mut given, mut conditions) = (Vec::new(), Vec::new());
        for pair in pairs? {
            let (id, condition, priority) = stored_of(&pair?, &reader)?;
            given.push(id);
            conditions.push((condition, priority));
        }
        let stored = self.insert_all(py, &mut given, &conditions);
        stored.map(|()| given.len()).map_err(|refusal| refusal.told(py, &given))
    }

    /// Stores a condition in place of the one of its id, if there is one; says whether there was. Without a priority
    /// it has that of the one before, or 0.
    #[pyo3(signature = (id, condition, priority=None))]
    fn replace(
        &self,
        py: Python<'_>,
        mut id: Id,
        condition: &Bound<'_, PyAny>,
        priority: Option<Priority>,
    ) -> PyResult<bool> {
        let condition = condition_of(condition)?;
        let priority = priority.map(|priority| priority.0);
        let stored = self.replace_one(py, &mut id, &condition, priority);
        stored.map_err(|refusal| refusal.told(py, &[id]))
    }

    /// Removes the condition of an id. One that is not there is a `KeyError`.
    fn remove(&self, py: Python<'_>, id: Id) -> PyResult<()> {
        self.remove_one(py, &id).map_err(|refusal| refusal.told(py, &[id]))
    }

    /// The ids of all conditions that are true of a record, in no order.
    ///
    /// A record is a dict, a dataclass, a named tuple, a Row, or JSON in `bytes` or a `str`. What does not fit the
    /// attributes is a `DataError`, as in all that take a record.
    #[pyo3(name = "match")]
    fn matching<'py>(&self, record: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let py = record.py();
        let mut room = self.room();
        self.fill(&mut room.record, record)?;
        let view = self.inner.view();
        let Room { record, scratch, found } = &mut *room;
        found.clear();
        self.run(py, view.len(), || view.matches(record, scratch, found))?;
        // Nobody waits for the ids while Python makes objects.
        let known = self.ids().of(py, found);
        let list = known.list(py)?;
        self.keep(room);
        Ok(list)
    }

    /// Ids and priorities of the `k` conditions of the highest priority that are true of a record, the highest first; of
    /// the same priority, the lower id that is an int, or the str that was stored first. The others cost no Python
    /// object.
    ///
    /// >>> import rowmill as rm
    /// >>> matcher = rm.Matcher({"age": int})
    /// >>> matcher.insert("cheap", rm.col("age") > 17, 0.25)
    /// >>> matcher.insert("dear", rm.col("age") > 20, 2.5)
    /// >>> matcher.insert("dearer", rm.col("age") > 64, 9)
    /// >>> matcher.top({"age": 30}, 1)
    /// [('dear', 2.5)]
    fn top(&self, record: &Bound<'_, PyAny>, k: &Bound<'_, PyAny>) -> PyResult<Vec<(One, f64)>> {
        let py = record.py();
        let mut top = Top::new(count_of(k)?);
        let mut room = self.room();
        self.fill(&mut room.record, record)?;
        let view = self.inner.view();
        let Room { record, scratch, .. } = &mut *room;
        let mut ranked = Vec::new();
        self.run(py, view.len(), || {
            let done = view.top(record, scratch, &mut top);
            ranked = top.ranked();
            done
        })?;
        self.keep(room);
        let known = self.ids().ranked(py, &ranked);
        Ok(known)
    }

    /// Sets the bit of the id of each condition that is true of a record, in a `bytearray`, a NumPy array of `uint8`
    /// or a `memoryview`: id 0 is the least significant bit of the first byte, as NumPy's
    /// `packbits(bitorder="little")` and Arrow have it. Bits that are set already stay so. Returns how many
    /// conditions are true.
    ///
    /// Where an id that is to be told is negative or beyond the bitmap, that is a `ProgrammingError` and no bit is set.
    ///
    /// >>> import rowmill as rm
    /// >>> matcher = rm.Matcher({"age": int})
    /// >>> matcher.insert(1, rm.col("age") > 17)
    /// >>> matcher.insert(8, rm.col("age") > 20)
    /// >>> bitmap = bytearray(2)
    /// >>> matcher.match_into(bitmap, {"age": 30})
    /// 2
    /// >>> bitmap
    /// bytearray(b'\\x02\\x01')
    fn match_into(&self, bitmap: &Bound<'_, PyAny>, record: &Bound<'_, PyAny>) -> PyResult<usize> {
        let py = record.py();
        let mut room = self.room();
        self.fill(&mut room.record, record)?;
        let view = self.inner.view();
        if self.ids().sort() == Some(Sort::Text) && !view.is_empty() {
            return Err(PyTypeError::new_err(
                "the ids of this matcher are str, and a bitmap is of ids that are int",
            ));
        }
        let Room { record, scratch, found } = &mut *room;
        found.clear();
        self.run(py, view.len(), || view.matches(record, scratch, found))?;
        buffer::write(bitmap, "a bitmap", |bitmap| bits::set(py, found, bitmap))?;
        let count = found.len();
        self.keep(room);
        Ok(count)
    }

    /// The priority of an id's condition.
    fn priority(&self, py: Python<'_>, id: Id) -> PyResult<f64> {
        let (view, number) = self.found(py, id)?;
        view.priority(number).ok_or_else(|| PyKeyError::new_err("no such condition"))
    }

    /// How many conditions are true of a record.
    fn count(&self, record: &Bound<'_, PyAny>) -> PyResult<usize> {
        let mut room = self.room();
        self.fill(&mut room.record, record)?;
        let view = self.inner.view();
        let Room { record: filled, scratch, .. } = &mut *room;
        let mut count = 0;
        self.run(record.py(), view.len(), || {
            count = view.count(filled, scratch)?;
            Ok(())
        })?;
        self.keep(room);
        Ok(count)
    }

    /// Whether a condition is true of a record.
    fn any(&self, record: &Bound<'_, PyAny>) -> PyResult<bool> {
        let mut room = self.room();
        self.fill(&mut room.record, record)?;
        let view = self.inner.view();
        let Room { record: filled, scratch, .. } = &mut *room;
        let mut any = false;
        self.run(record.py(), view.len(), || {
            any = view.any(filled, scratch)?;
            Ok(())
        })?;
        self.keep(room);
        Ok(any)
    }

    /// The matches of many records at once, without the GIL: a frame of `row`, which counts the records
    /// from 0, and `id`. `records` is whatever a frame is made of; its columns are the attributes.
    fn match_batch(&self, records: &Bound<'_, PyAny>) -> PyResult<Frame> {
        let py = records.py();
        let batch = crate::frame::batch_of(records);
        let batch = batch.map_err(|error| errors::as_value(py, error))?;
        let columns = record::columns(py, self.inner.attributes(), &batch, self.ignores_unknown)?;
        let view = self.inner.view();
        let mut room = self.room();
        let skips = self.skips_errors;
        let found = py.detach(|| -> Result<Matches, (usize, bool, ExprError)> {
            let Room { record, scratch, found } = &mut *room;
            found.clear();
            let (mut rows, mut ids) = (Vec::new(), Vec::new());
            for row in 0..batch.rows() {
                record.copy_from(&self.blank);
                record::set_row(record, &batch, row, &columns)
                    .map_err(|error| (row, false, error))?;
                let done = view.matches(record, scratch, &mut ids);
                if !skips {
                    done.map_err(|error| (row, true, error))?;
                }
                rows.resize(ids.len(), row as u32);
            }
            Ok((rows, ids))
        });
        self.keep(room);
        let (rows, ids) = found.map_err(|(row, may_be_skipped, error)| {
            let message = format!("record {row}: {error}");
            if may_be_skipped {
                errors::data(py, &message, SKIPPED)
            } else {
                errors::value(py, &message)
            }
        })?;
        Ok(self.ids().frame(&rows, &ids).into())
    }

    /// Why a condition is true of a record or not: it and its parts, each a `Reason`.
    ///
    /// >>> import rowmill as rm
    /// >>> matcher = rm.Matcher({"country": str, "age": int})
    /// >>> matcher.insert(7, (rm.col("age") >= 18) & (rm.col("country") == "DE"))
    /// >>> for reason in matcher.explain(7, {"country": "DE"}):
    /// ...     print("  " * reason.depth, reason.condition, reason.truth)
    ///  (col("age") >= 18) & (col("country") == "DE") None
    ///    col("age") >= 18 None
    ///    col("country") == "DE" True
    fn explain<'py>(
        &self,
        py: Python<'py>,
        id: Id,
        record: &Bound<'py, PyAny>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let (view, number) = self.found(py, id)?;
        let mut room = self.room();
        self.fill(&mut room.record, record)?;
        let said = view.explain(number, &room.record);
        self.keep(room);
        let said = said.map_err(|error| errors::value(py, &error.to_string()))?;
        let reason = py.import("rowmill._matcher")?.getattr("Reason")?;
        let reasons = said.into_iter().map(|said| {
            let condition = Py::new(py, Expr(said.condition))?;
            reason.call1((condition, said.truth, said.depth))
        });
        reasons.collect()
    }

    /// What the index is made of: a dict.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let view = self.inner.view();
        let stats: Vec<_> = view.bases().map(Base::stats).collect();
        let dict = PyDict::new(py);
        dict.set_item("conditions", view.len())?;
        dict.set_item("indexes", stats.len())?;
        dict.set_item("slots", stats.iter().map(|stats| stats.slots).sum::<usize>())?;
        dict.set_item("bytes", stats.iter().map(|stats| stats.bytes).sum::<usize>())?;
        let layers = PyDict::new(py);
        for layer in stats.iter().flat_map(|stats| stats.steps.iter().flatten()) {
            let known: usize = match layers.get_item(&layer.attribute)? {
                Some(bytes) => bytes.extract()?,
                None => 0,
            };
            layers.set_item(&layer.attribute, known + layer.bytes)?;
        }
        dict.set_item("attributes", layers)?;
        Ok(dict)
    }

    /// Waits until all that was inserted and removed is in as few indexes as it will be.
    fn settle(&self, py: Python<'_>) -> PyResult<()> {
        // In slices, so that Ctrl-C is heard.
        while !py.detach(|| self.inner.settle(Duration::from_millis(50))) {
            py.check_signals()?;
        }
        Ok(())
    }

    /// The attributes' names and types.
    #[getter]
    fn schema(&self) -> Schema {
        Schema(Arc::clone(self.inner.attributes().schema()))
    }

    fn __len__(&self) -> usize {
        self.inner.view().len()
    }

    fn __contains__(&self, id: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = id.py();
        // What is no id is stored nowhere.
        let Ok(id) = id.extract::<Id>() else { return Ok(false) };
        match self.stored(&id) {
            Ok(stored) => Ok(stored.is_some()),
            // Of the other kind than all that are stored.
            Err(Refusal::Sort(_)) => Ok(false),
            Err(refusal) => Err(refusal.told(py, &[id])),
        }
    }

    /// The condition of an id.
    fn __getitem__(&self, py: Python<'_>, id: Id) -> PyResult<Expr> {
        let (view, number) = self.found(py, id)?;
        let condition = view.get(number).map_err(|error| errors::value(py, &error.to_string()))?;
        condition.map(Expr).ok_or_else(|| PyKeyError::new_err("no such condition"))
    }

    /// The ids, in no order.
    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        let numbers: Vec<u64> = self.inner.view().ids().collect();
        let known = self.ids().of(py, &numbers);
        known.list(py)?.try_iter()
    }

    fn __repr__(&self) -> String {
        let (conditions, attributes) = (self.inner.view().len(), self.names.len());
        format!("<Matcher of {conditions} conditions on {attributes} attributes>")
    }
}

impl Matcher {
    fn ids(&self) -> MutexGuard<'_, Ids> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn room(&self) -> Box<Room> {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        spare.unwrap_or_else(|| {
            let record = Record::new(self.inner.attributes());
            Box::new(Room { record, scratch: Scratch::new(), found: Vec::new() })
        })
    }

    fn keep(&self, room: Box<Room>) {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).push(room);
    }

    fn found(&self, py: Python<'_>, id: Id) -> PyResult<(Arc<View>, u64)> {
        let number = self.stored(&id).ok().flatten();
        let view = self.inner.view();
        match number.filter(|&number| view.contains(number)) {
            Some(number) => Ok((view, number)),
            None => Err(Refusal::Missing.told(py, &[id])),
        }
    }

    fn fill(&self, record: &mut Record, given: &Bound<'_, PyAny>) -> PyResult<()> {
        record.copy_from(&self.blank);
        record::of(record, &self.names, given, self.ignores_unknown)
    }

    fn run(
        &self,
        py: Python<'_>,
        conditions: usize,
        work: impl Send + FnOnce() -> Result<(), ExprError>,
    ) -> PyResult<()> {
        match if conditions < DETACH { work() } else { py.detach(work) } {
            Err(error) if !self.skips_errors => Err(errors::data(py, &error.to_string(), SKIPPED)),
            _ => Ok(()),
        }
    }
}

/// How many are asked for.
fn count_of(given: &Bound<'_, PyAny>) -> PyResult<usize> {
    given.extract().map_err(|_| {
        let shown = value::repr(given).unwrap_or_default();
        let message = format!("k is how many ids are wanted, 0 or more, not {shown}");
        errors::programming(given.py(), &message)
    })
}

/// What is wrong with a default is wrong with the call.
fn of_defaults(py: Python<'_>, error: PyErr) -> PyErr {
    if !["DataError", "ProgrammingError"].iter().any(|class| errors::is(py, &error, class)) {
        return error;
    }
    let told = errors::programming(py, &format!("defaults: {}", error.value(py)));
    told.set_cause(py, error.cause(py));
    told
}

/// Whether the second of two words was given.
fn one_of(py: Python<'_>, option: &str, given: &str, words: [&str; 2]) -> PyResult<bool> {
    let [first, second] = words;
    if given != first && given != second {
        let message = format!("{option} is {first:?} or {second:?}, not {given:?}");
        return Err(errors::programming(py, &message));
    }
    Ok(given == second)
}

fn condition_of(given: &Bound<'_, PyAny>) -> PyResult<expr::Expr> {
    if given.is_instance_of::<Expr>() {
        return expression(given);
    }
    if given.is_instance_of::<PyBool>() {
        let shown = value::repr(given)?;
        return Err(PyTypeError::new_err(format!(
            "a condition is {shown} before it meets a record: was an attribute compared by Python, with `is` or `in`? \
             rm.lit({shown}) is one that always is"
        )));
    }
    let class = value::class_name(given);
    Err(PyTypeError::new_err(format!(
        "a condition is an expression as rm.col(\"age\") >= 18, not {class}; stored ones are read by \
         rm.Expr.from_json"
    )))
}

fn refused_many(given: &Bound<'_, PyAny>) -> PyErr {
    let class = value::class_name(given);
    PyTypeError::new_err(format!(
        "insert_many() takes tuples (id, condition) or (id, condition, priority), a frame of such columns, or a dict of \
         conditions by their ids, not {class}"
    ))
}

/// An id, a condition, as text or not, and its priority.
fn stored_of<'py>(
    given: &Bound<'py, PyAny>,
    reader: &expr::stored::Reader,
) -> PyResult<(Id, expr::Expr, f64)> {
    type Any<'py> = Bound<'py, PyAny>;
    let py = given.py();
    let (id, condition, priority) = match given.extract::<(Any<'py>, Any<'py>)>() {
        Ok((id, condition)) => (id, condition, None),
        Err(_) => match given.extract::<(Any<'py>, Any<'py>, Any<'py>)>() {
            Ok((id, condition, priority)) => (id, condition, Some(priority)),
            Err(_) => {
                return Err(refused_many(given));
            }
        },
    };
    let id: Id = id.extract()?;
    let priority = priority.map_or(Ok(0.0), |given| given.extract().map(|Priority(number)| number));
    let priority = priority.map_err(|error| of_id(py, "priority", &id, &error))?;
    let condition = match condition.cast::<PyString>() {
        Ok(text) => crate::text::text(text)
            .and_then(|text| reader.read(&text).map_err(|error| raised(py, &error))),
        Err(_) => condition_of(&condition),
    };
    match condition {
        Ok(condition) => Ok((id, condition, priority)),
        Err(error) => Err(of_id(py, "condition", &id, &error)),
    }
}

fn of_id(py: Python<'_>, what: &str, id: &Id, error: &PyErr) -> PyErr {
    let shown = id.shown(py);
    errors::programming(py, &format!("the {what} of {shown}: {}", error.value(py)))
}

/// The attributes that are declared.
fn declared(given: &Bound<'_, PyAny>) -> PyResult<Arc<rowmill::Schema>> {
    let py = given.py();
    if let Ok(schema) = given.cast::<Schema>() {
        return Ok(Arc::clone(&schema.get().0));
    }
    let mut fields = Vec::new();
    if let Some(source) = source_of(given)?
        && let query::Source::Table(table) = &*source
    {
        for column in &*table.columns {
            let kind =
                type_of(column.kind).ok_or_else(|| no_type(py, &column.name, &column.kind))?;
            fields.push(Field::new(&*column.name, kind));
        }
        return Ok(Arc::new(rowmill::Schema::new(fields)));
    }
    let pairs: Vec<(String, String)> =
        py.import("rowmill._matcher")?.call_method1("attributes", (given,))?.extract()?;
    for (name, kind) in pairs {
        let found = kind_named(&kind).and_then(type_of);
        fields.push(Field::new(&*name, found.ok_or_else(|| no_type(py, &name, &kind))?));
    }
    Ok(Arc::new(rowmill::Schema::new(fields)))
}

fn no_type(py: Python<'_>, name: &str, kind: &dyn std::fmt::Display) -> PyErr {
    let message = format!(
        "the attribute {name:?}: {kind} is no type of an attribute, which are bool, int, float, Decimal, str, bytes, UUID, \
         date, time, datetime, \"timestamp\" (a datetime without a zone), timedelta, dict and lists of these"
    );
    errors::programming(py, &message)
}

fn type_of(kind: Kind) -> Option<Type> {
    use rowmill::expr::Base as B;
    let base = match kind {
        Kind::One(base) | Kind::List(base) => base,
        Kind::Any => return None,
    };
    let one = match base {
        B::Bool => Type::Bool,
        B::Int => Type::Int64,
        B::Float => Type::Float64,
        B::Decimal => Type::Decimal { precision: 38, scale: 10 },
        B::Text => Type::Text,
        B::Bytes => Type::Bytes,
        B::Json => Type::Json,
        B::Uuid => Type::Uuid,
        B::Date => Type::Date,
        B::Time => Type::Time,
        B::Timestamp => Type::Timestamp { utc: false },
        B::Instant => Type::Timestamp { utc: true },
        B::Interval => Type::Interval,
        _ => return None,
    };
    Some(if matches!(kind, Kind::List(_)) { Type::List(Box::new(one)) } else { one })
}
