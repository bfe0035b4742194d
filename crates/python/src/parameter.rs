//! A Python value as an owned scalar: a parameter of a statement, a cell of a frame made here.

use std::fmt;

use pyo3::basic::CompareOp;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDate, PyDateAccess, PyDateTime, PyDelta, PyDeltaAccess as _,
    PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PyMemoryView, PyRange, PySet, PyString, PyTime,
    PyTimeAccess, PyTuple, PyTzInfo, PyTzInfoAccess as _,
};
use rowmill::Scalar;
use rowmill::expr::Kind;
use rowmill::text::days_from_civil;

use crate::column::Column;
use crate::packed::Record;
use crate::value::MICROS_PER_DAY;
use crate::{errors, value};

/// Lists and dicts within each other deeper than this are refused: so is JSON at the database, and a
/// list that holds itself has no end.
const DEEPEST: usize = 128;

const ACCEPTED: &str = "None, bool, int, float, str, bytes, date, time, datetime, timedelta, \
    Interval, Range, Decimal, UUID, Enum, dict, ipaddress, NumPy scalars, and lists, sets and arrays of \
    these";

/// Which parameter a value is for, as the message names it.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    /// `$3`.
    Position(usize),
    /// `:name`.
    Name(&'a str),
    /// A value in an expression.
    Value,
    /// An attribute of a record, and of which kind it is.
    Attribute(&'a str, Kind),
    /// A cell of a column given to a new frame.
    Cell {
        /// The column's name.
        column: &'a str,
        /// The row, from 0.
        row: usize,
    },
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Position(number) => write!(f, "parameter ${number}"),
            Self::Name(name) => write!(f, "parameter :{name}"),
            Self::Value => f.write_str("the value"),
            Self::Attribute(name, kind) => write!(f, "the attribute {name:?}, which is {kind}"),
            Self::Cell { column, row } => write!(f, "column {column:?}, row {row}"),
        }
    }
}

/// A Python value as a scalar.
///
/// # Errors
/// `ProgrammingError` naming the place and what was given.
#[inline]
pub(crate) fn scalar(value: &Bound<'_, PyAny>, place: Place<'_>) -> PyResult<Scalar> {
    match plain(value, place)? {
        Some(scalar) => Ok(scalar),
        None => other(value, place, 0),
    }
}

/// What nearly every parameter is: by the exact type, nothing imported.
#[inline]
pub(crate) fn plain(value: &Bound<'_, PyAny>, place: Place<'_>) -> PyResult<Option<Scalar>> {
    if let Ok(text) = value.cast_exact::<PyString>() {
        return text_of(text, place).map(Some);
    }
    if value.is_exact_instance_of::<PyInt>() {
        return integer(value, place).map(Some);
    }
    if value.is_none() {
        return Ok(Some(Scalar::Null));
    }
    if let Ok(float) = value.cast_exact::<PyFloat>() {
        return Ok(Some(Scalar::Float(float.value())));
    }
    if value.is_exact_instance_of::<PyDateTime>() {
        return moment(value);
    }
    Ok(None)
}

/// A `datetime`, from the ten bytes that it pickles as: asking for its seven parts, each by name, and whether
/// it is one of pandas' takes ten times as long.
pub(crate) fn moment(value: &Bound<'_, PyAny>) -> PyResult<Option<Scalar>> {
    let py = value.py();
    let reduced = value.call_method0(intern!(py, "__reduce__"))?;
    let state = reduced.cast::<PyTuple>()?.get_item(1)?.cast_into::<PyTuple>()?;
    let bytes = state.get_item(0)?;
    let Ok([high, low, month, day, hour, minute, second, micros @ ..]) =
        <[u8; 10]>::try_from(bytes.cast::<PyBytes>()?.as_bytes())
    else {
        return Ok(None);
    };
    let year = i32::from(u16::from_be_bytes([high, low]));
    let Some(days) = days_from_civil(year, month.into(), day.into()) else { return Ok(None) };
    let seconds = (i64::from(hour) * 60 + i64::from(minute)) * 60 + i64::from(second);
    let micro = micros.iter().fold(0, |micro, byte| micro << 8 | i64::from(*byte));
    let micros = i64::from(days) * MICROS_PER_DAY + seconds * 1_000_000 + micro;
    // What has a zone pickles it beside the bytes.
    if state.len() == 1 {
        return Ok(Some(Scalar::Timestamp { micros, utc: false }));
    }
    // The zone of nearly all, which need not be asked.
    if state.get_item(1)?.is(&*PyTzInfo::utc(py)?) {
        return Ok(Some(Scalar::Timestamp { micros, utc: true }));
    }
    let offset = value.call_method0(intern!(py, "utcoffset"))?;
    Ok(Some(match offset.cast::<PyDelta>() {
        Ok(offset) => Scalar::Timestamp { micros: micros - span_micros(offset), utc: true },
        Err(_) => Scalar::Timestamp { micros, utc: false },
    }))
}

#[inline]
fn nested(value: &Bound<'_, PyAny>, place: Place<'_>, depth: usize) -> PyResult<Scalar> {
    // Keys, nearly always.
    if value.is_exact_instance_of::<PyInt>() {
        return integer(value, place);
    }
    if let Ok(text) = value.cast_exact::<PyString>() {
        return text_of(text, place);
    }
    match value.cast_exact::<PyFloat>() {
        Ok(float) => Ok(Scalar::Float(float.value())),
        Err(_) => other(value, place, depth),
    }
}

fn text_of(text: &Bound<'_, PyString>, place: Place<'_>) -> PyResult<Scalar> {
    match text.to_cow() {
        Ok(text) => Ok(Scalar::Text(text.into_owned())),
        // A lone surrogate, as `surrogateescape` makes of bytes that are no text.
        Err(_) => {
            Err(refused(text.py(), place, "a str with a surrogate is not Unicode text; pass bytes"))
        }
    }
}

fn integer(value: &Bound<'_, PyAny>, place: Place<'_>) -> PyResult<Scalar> {
    if let Ok(integer) = value.extract::<i64>() {
        return Ok(Scalar::Int(integer));
    }
    match value.str() {
        Ok(digits) => Ok(Scalar::Decimal(digits.to_cow()?.into_owned())),
        // Python refuses to print more than 4,300 digits.
        Err(_) => Err(refused(value.py(), place, "an int of thousands of digits")),
    }
}

fn other(value: &Bound<'_, PyAny>, place: Place<'_>, depth: usize) -> PyResult<Scalar> {
    if value.is_none() {
        return Ok(Scalar::Null);
    }
    if depth == 0
        && let Ok(list) = value.cast_exact::<PyList>()
    {
        return listed(list.iter(), place, 1);
    }
    if depth == 0
        && let Ok(tuple) = value.cast_exact::<PyTuple>()
    {
        return listed(tuple.iter(), place, 1);
    }
    if let Ok(flag) = value.cast::<PyBool>() {
        return Ok(Scalar::Bool(flag.is_true()));
    }
    if let Some(sequence) = elements(value)? {
        return list(&sequence, place, depth);
    }
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(Scalar::Bytes(bytes.as_bytes().to_vec()));
    }
    if let Ok(bytes) = value.cast::<PyByteArray>() {
        return Ok(Scalar::Bytes(bytes.to_vec()));
    }
    if let Ok(record) = value.cast::<Record>() {
        return Ok(Scalar::Bytes(record.get().bytes(value.py()).to_vec()));
    }
    if value.is_instance_of::<PyMemoryView>() {
        let bytes = value.call_method0(intern!(value.py(), "tobytes"))?;
        return Ok(Scalar::Bytes(bytes.cast::<PyBytes>()?.as_bytes().to_vec()));
    }
    if let Some(scalar) = temporal(value, place)? {
        return Ok(scalar);
    }
    rare(value, place, depth)
}

/// What a list parameter may be given as.
fn elements<'py>(value: &Bound<'py, PyAny>) -> PyResult<Option<Vec<Bound<'py, PyAny>>>> {
    if value.is_instance_of::<PyList>()
        || (value.is_instance_of::<PyTuple>() && !is_interval(value)? && !is_range(value)?)
        || value.is_instance_of::<PySet>()
        || value.is_instance_of::<PyFrozenSet>()
        || value.is_instance_of::<PyRange>()
        || value.is_instance_of::<Column>()
    {
        return value.try_iter()?.collect::<PyResult<_>>().map(Some);
    }
    Ok(None)
}

fn is_interval(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(!value.is_exact_instance_of::<PyTuple>()
        && value.is_instance(value::interval(value.py())?)?)
}

fn is_range(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(!value.is_exact_instance_of::<PyTuple>() && value.is_instance(value::range(value.py())?)?)
}

fn list(elements: &[Bound<'_, PyAny>], place: Place<'_>, depth: usize) -> PyResult<Scalar> {
    if let (DEEPEST.., Some(first)) = (depth, elements.first()) {
        let message = format!("lists are nested more than {DEEPEST} deep");
        return Err(refused(first.py(), place, &message));
    }
    listed(elements.iter().cloned(), place, depth + 1)
}

/// Integers by a loop of their own, which takes a third of the time.
#[inline]
fn listed<'py>(
    mut elements: impl ExactSizeIterator<Item = Bound<'py, PyAny>>,
    place: Place<'_>,
    depth: usize,
) -> PyResult<Scalar> {
    let count = elements.len();
    let mut keys = Vec::new();
    let mut other = None;
    for element in elements.by_ref() {
        let key = element.is_exact_instance_of::<PyInt>().then(|| element.extract::<i64>().ok());
        let Some(key) = key.flatten() else {
            other = Some(element);
            break;
        };
        if keys.is_empty() {
            keys.reserve(count);
        }
        keys.push(key);
    }
    let Some(other) = other else { return Ok(Scalar::List(keys.into())) };
    let mut scalars = Vec::with_capacity(count);
    scalars.extend(keys.into_iter().map(Scalar::Int));
    for element in std::iter::once(other).chain(elements) {
        scalars.push(nested(&element, place, depth)?);
    }
    Ok(Scalar::List(scalars.into()))
}

/// Dates, times and spans.
fn temporal(value: &Bound<'_, PyAny>, place: Place<'_>) -> PyResult<Option<Scalar>> {
    let py = value.py();
    if let Ok(moment) = value.cast::<PyDateTime>() {
        // A class of its own: pandas.NaT is a datetime to isinstance, and has no year.
        if is_named(value, "NaTType")? {
            return Ok(Some(Scalar::Null));
        }
        let nanosecond = value.getattr_opt(intern!(py, "nanosecond"))?;
        if nanosecond.is_some_and(|nanosecond| nanosecond.is_truthy().unwrap_or(false)) {
            return Err(refused(py, place, &below_microsecond(value)?));
        }
        let days = days(moment);
        let mut micros = i64::from(days) * MICROS_PER_DAY + time_micros(moment);
        let offset = value.call_method0(intern!(py, "utcoffset"))?;
        let utc = !offset.is_none();
        if utc {
            micros -= span_micros(offset.cast::<PyDelta>()?);
        }
        return Ok(Some(Scalar::Timestamp { micros, utc }));
    }
    if let Ok(date) = value.cast::<PyDate>() {
        let days = days(date);
        return Ok(Some(Scalar::Date(days)));
    }
    if let Ok(time) = value.cast::<PyTime>() {
        if time.get_tzinfo().is_some() {
            let offset = value.call_method0(intern!(py, "utcoffset"))?;
            if let Ok(offset) = offset.cast::<PyDelta>()
                && span_micros(offset) % 1_000_000 == 0
                && !matches!(place, Place::Cell { .. })
            {
                let offset = (span_micros(offset) / 1_000_000) as i32;
                return Ok(Some(Scalar::TimeTz { micros: time_micros(time), offset }));
            }
            let message = "a time with a time zone means nothing without its date; pass a datetime, \
                or drop the zone by .replace(tzinfo=None)";
            return Err(refused(py, place, message));
        }
        return Ok(Some(Scalar::Time(time_micros(time))));
    }
    if let Ok(span) = value.cast::<PyDelta>() {
        let nanoseconds = value.getattr_opt(intern!(py, "nanoseconds"))?;
        if nanoseconds.is_some_and(|nanoseconds| nanoseconds.is_truthy().unwrap_or(false)) {
            return Err(refused(py, place, &below_microsecond(value)?));
        }
        let (mut days, mut micros) = (span.get_days(), seconds_micros(span));
        // Python writes -1 second as -1 day and 86,399 seconds; a day of an interval may have 23
        // hours, so that both parts take one sign.
        if days < 0 && micros > 0 {
            days += 1;
            micros -= MICROS_PER_DAY;
        }
        return Ok(Some(Scalar::Interval { months: 0, days, micros }));
    }
    Ok(None)
}

/// Everything for which a module must be asked.
fn rare(value: &Bound<'_, PyAny>, place: Place<'_>, depth: usize) -> PyResult<Scalar> {
    let py = value.py();
    if value.is_instance(value::uuid(py)?)? {
        let bytes = value.getattr(intern!(py, "bytes"))?;
        return Ok(Scalar::Uuid(bytes.extract()?));
    }
    if value.is_instance(value::decimal(py)?)? {
        let text = value.str()?.to_cow()?.into_owned();
        if text.contains("sNaN") {
            return Err(refused(py, place, "a signaling NaN is no number"));
        }
        // Decimal("NaN7") carries a payload that no database knows.
        let text = if text.contains("NaN") { "NaN".to_owned() } else { text };
        return Ok(Scalar::Decimal(text));
    }
    if is_interval(value)? {
        let (months, days, micros) = value.extract().map_err(|_| {
            refused(
                py,
                place,
                "an Interval whose months or days exceed 32 bits, or whose microseconds exceed 64",
            )
        })?;
        return Ok(Scalar::Interval { months, days, micros });
    }
    if is_range(value)? {
        let names = ["lower", "upper", "bounds"];
        let parts = value.cast::<PyTuple>()?.iter().zip(names);
        let parts =
            parts.map(|(part, name)| Ok((name.to_owned(), nested(&part, place, depth + 1)?)));
        return parts.collect::<PyResult<_>>().map(Scalar::Struct);
    }
    if value.is_instance(value::enumeration(py)?)? {
        return nested_once(&value.getattr(intern!(py, "value"))?, place, depth);
    }
    // Subclasses of the plain types: str and int enums, numpy.str_, numpy.float64.
    if let Ok(text) = value.cast::<PyString>() {
        return text_of(text, place);
    }
    if value.is_instance_of::<PyInt>() {
        return integer(value, place);
    }
    if let Ok(float) = value.cast::<PyFloat>() {
        return Ok(Scalar::Float(float.value()));
    }
    if let Ok(dict) = value.cast::<PyDict>() {
        // The cells of a column of dicts are JSON; a parameter may be for a composite or an hstore.
        if matches!(place, Place::Cell { .. }) {
            return json(value, place);
        }
        return named(dict, place, depth);
    }
    if value.get_type().module().is_ok_and(|module| module == "ipaddress") {
        return Ok(Scalar::Text(value.str()?.to_cow()?.into_owned()));
    }
    if is_named(value, "NAType")? || is_named(value, "MaskedConstant")? {
        return Ok(Scalar::Null);
    }
    if value.hasattr(intern!(py, "dtype"))? {
        return numpy(value, place, depth);
    }
    let message = format!(
        "cannot take a value of type {}; accepted are {ACCEPTED}",
        value::class_name(value)
    );
    Err(refused(py, place, &message))
}

fn nested_once(value: &Bound<'_, PyAny>, place: Place<'_>, depth: usize) -> PyResult<Scalar> {
    if depth >= DEEPEST {
        return Err(refused(value.py(), place, "an Enum whose value is an Enum without end"));
    }
    nested(value, place, depth + 1)
}

/// A dict's values under their names; names as `json.dumps` makes them.
fn named(dict: &Bound<'_, PyDict>, place: Place<'_>, depth: usize) -> PyResult<Scalar> {
    if depth >= DEEPEST {
        return Err(refused(
            dict.py(),
            place,
            &format!("dicts are nested more than {DEEPEST} deep"),
        ));
    }
    // A snapshot: what is called for a value may change the dict.
    let items = dict.items();
    let named = items.iter().map(|item| {
        let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item.extract()?;
        Ok((key(&name, place)?, nested(&value, place, depth + 1)?))
    });
    named.collect::<PyResult<_>>().map(Scalar::Struct)
}

fn key(name: &Bound<'_, PyAny>, place: Place<'_>) -> PyResult<String> {
    if let Ok(text) = name.cast::<PyString>() {
        return match text_of(text, place)? {
            Scalar::Text(text) => Ok(text),
            _ => Ok(String::new()),
        };
    }
    if let Ok(flag) = name.cast::<PyBool>() {
        return Ok(if flag.is_true() { "true" } else { "false" }.to_owned());
    }
    if name.is_none() {
        return Ok("null".to_owned());
    }
    if name.is_instance_of::<PyInt>() || name.is_instance_of::<PyFloat>() {
        return Ok(name.str()?.to_cow()?.into_owned());
    }
    let class = value::class_name(name);
    let message = format!("a dict's keys are str, int, float, bool or None, not {class}");
    Err(refused(name.py(), place, &message))
}

pub(crate) fn json(value: &Bound<'_, PyAny>, place: Place<'_>) -> PyResult<Scalar> {
    let py = value.py();
    let named = PyDict::new(py);
    named.set_item("ensure_ascii", false)?;
    named.set_item("allow_nan", false)?;
    let dumps = py.import("json")?.getattr("dumps")?;
    match dumps.call((value,), Some(&named)) {
        Ok(text) => match text_of(text.cast()?, place)? {
            Scalar::Text(text) => Ok(Scalar::Json(text)),
            other => Ok(other),
        },
        Err(error) => {
            let message = format!("the dict is not JSON: {}", error.value(py));
            let refused = refused(py, place, &message);
            refused.set_cause(py, Some(error));
            Err(refused)
        }
    }
}

/// A NumPy scalar, a one-dimensional array, a Series: whatever knows `dtype` and `tolist`.
fn numpy(value: &Bound<'_, PyAny>, place: Place<'_>, depth: usize) -> PyResult<Scalar> {
    let py = value.py();
    let code = value.getattr(intern!(py, "dtype"))?.getattr_opt(intern!(py, "str"))?;
    let code: String = code.and_then(|code| code.extract().ok()).unwrap_or_default();
    let mut value = value.clone();
    // NumPy's `tolist` gives plain integers where the unit is a nanosecond or less: to microseconds
    // first, and see that nothing was cut off. pandas gives its Timestamps, which know theirs.
    let fine = ["ns]", "ps]", "fs]", "as]"].iter().any(|unit| code.ends_with(unit));
    if fine && !value.hasattr(intern!(py, "to_list"))? {
        let micros = if code.contains('M') { "M8[us]" } else { "m8[us]" };
        let micros = value.call_method1(intern!(py, "astype"), (micros,))?;
        let same = micros.rich_compare(&value, CompareOp::Eq)?;
        let missing = value.rich_compare(&value, CompareOp::Ne)?;
        if !same.bitor(missing)?.call_method0(intern!(py, "all"))?.is_truthy()? {
            return Err(refused(py, place, &below_microsecond(&value)?));
        }
        value = micros;
    }
    let plain = match value.getattr_opt(intern!(py, "tolist"))? {
        Some(tolist) => tolist.call0()?,
        None => value.call_method0(intern!(py, "to_list"))?,
    };
    // pandas writes NaN for a missing text.
    let may_be_text = code.is_empty() || code == "|O";
    if may_be_text && value.hasattr(intern!(py, "isna"))? {
        let list = plain.cast::<PyList>()?;
        for (at, item) in list.iter().enumerate() {
            if item.cast::<PyFloat>().is_ok_and(|float| float.value().is_nan()) {
                list.set_item(at, py.None())?;
            }
        }
    }
    if plain.get_type().is(value.get_type()) {
        let message = format!(
            "cannot take a value of type {}; accepted are {ACCEPTED}",
            value::class_name(&value)
        );
        return Err(refused(py, place, &message));
    }
    nested_once(&plain, place, depth)
}

fn below_microsecond(value: &Bound<'_, PyAny>) -> PyResult<String> {
    Ok(format!(
        "{} has a part below the microsecond, which databases do not store; round it first",
        value::repr(value)?
    ))
}

fn is_named(value: &Bound<'_, PyAny>, name: &str) -> PyResult<bool> {
    Ok(value.get_type().name()?.to_cow()? == name)
}

/// Days since 1970-01-01.
fn days(date: &impl PyDateAccess) -> i32 {
    let (month, day) = (date.get_month().into(), date.get_day().into());
    days_from_civil(date.get_year(), month, day).unwrap_or(0)
}

fn time_micros(time: &impl PyTimeAccess) -> i64 {
    let minutes = i64::from(time.get_hour()) * 60 + i64::from(time.get_minute());
    (minutes * 60 + i64::from(time.get_second())) * 1_000_000 + i64::from(time.get_microsecond())
}

fn seconds_micros(span: &Bound<'_, PyDelta>) -> i64 {
    i64::from(span.get_seconds()) * 1_000_000 + i64::from(span.get_microseconds())
}

fn span_micros(span: &Bound<'_, PyDelta>) -> i64 {
    i64::from(span.get_days()) * MICROS_PER_DAY + seconds_micros(span)
}

fn refused(py: Python<'_>, place: Place<'_>, message: &str) -> PyErr {
    errors::programming(py, &format!("{place}: {message}"))
}
