//! Rows to the bytes that COPY reads: columns in, PostgreSQL's binary format out.
//!
//! What a value may become is what a parameter may become (see `bind`): nothing is rounded, cut or
//! guessed. The types here that are common are written without a detour over an owned value.

use std::fmt;

use rowmill_columns::{Batch, Scalar, Value};

use crate::catalogue::Shape;
use crate::oid::Kind;
use crate::statement::ParameterType;
use crate::{bind, encode};

/// A value that its column in the table cannot take. Nothing of the load is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    /// The column's name.
    pub column: String,
    /// The row of the batch, from 0.
    pub row: usize,
    /// PostgreSQL's name of the column's type.
    pub type_name: String,
    /// What is wrong with the value.
    pub message: String,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { column, row, type_name, message } = self;
        write!(f, "column {column:?} ({type_name}), row {row}: {message}")
    }
}

impl std::error::Error for LoadError {}

/// What the stream begins with: a signature, no flags, no extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// In place of a row's number of columns: there are no more rows.
const TRAILER: &[u8] = &(-1_i16).to_be_bytes();

/// The type of a table's column that cannot be loaded in binary.
pub(crate) fn unloadable(columns: &[ParameterType]) -> Option<usize> {
    columns.iter().position(|column| !column.binary())
}

/// Begins the stream.
pub(crate) fn begin(out: &mut Vec<u8>) {
    let at = encode::begin(out, b'd');
    out.extend_from_slice(HEADER);
    encode::end(out, at);
}

/// Ends the stream and the COPY.
pub(crate) fn end(out: &mut Vec<u8>) {
    let at = encode::begin(out, b'd');
    out.extend_from_slice(TRAILER);
    encode::end(out, at);
    let at = encode::begin(out, b'c');
    encode::end(out, at);
}

/// Appends rows from `from` on as one CopyData message of about `most` bytes, one row at least;
/// which row comes next. On an error `out` is as it was.
pub(crate) fn rows(
    out: &mut Vec<u8>,
    columns: &[ParameterType],
    batch: &Batch,
    from: usize,
    most: usize,
) -> Result<usize, LoadError> {
    let start = out.len();
    let at = encode::begin(out, b'd');
    let count = (columns.len() as u16).to_be_bytes();
    let fields = &batch.schema().fields;
    let mut row = from;
    while row < batch.rows() && out.len() - start < most {
        out.extend_from_slice(&count);
        for ((target, column), field) in columns.iter().zip(batch.columns()).zip(fields) {
            let value = column.value(&field.kind, row);
            let written = bind::with_length(out, |out| cell(out, target, &value));
            if let Err(message) = written {
                out.truncate(start);
                let (column, type_name) = (field.name.to_string(), target.name.clone());
                return Err(LoadError { column, row, type_name, message });
            }
        }
        row += 1;
    }
    encode::end(out, at);
    Ok(row)
}

#[inline]
fn cell(
    out: &mut Vec<u8>,
    target: &ParameterType,
    value: &Value<'_>,
) -> Result<bind::Written, String> {
    let Shape::Scalar(kind) = target.shape else { return other(out, target, value) };
    match (kind, value) {
        (_, Value::Null) => return Ok(bind::Written::Null),
        (Kind::Bool, Value::Bool(value)) => out.push(u8::from(*value)),
        (Kind::Int8, Value::Int(value)) => out.extend_from_slice(&value.to_be_bytes()),
        (Kind::Int4, Value::Int(value)) if i32::try_from(*value).is_ok() => {
            out.extend_from_slice(&(*value as i32).to_be_bytes());
        }
        (Kind::Int2, Value::Int(value)) if i16::try_from(*value).is_ok() => {
            out.extend_from_slice(&(*value as i16).to_be_bytes());
        }
        (Kind::Float8, Value::Float(value)) => out.extend_from_slice(&value.to_be_bytes()),
        (Kind::Float4, Value::Float32(value)) => out.extend_from_slice(&value.to_be_bytes()),
        (Kind::Text | Kind::Enum, Value::Text(value)) | (Kind::Json, Value::Json(value)) => {
            bind::text(out, value)?;
        }
        (Kind::Jsonb, Value::Json(value)) => {
            out.push(1);
            bind::text(out, value)?;
        }
        (Kind::Bytea, Value::Bytes(value)) => out.extend_from_slice(value),
        (Kind::Uuid, Value::Uuid(value)) => out.extend_from_slice(value),
        _ => return other(out, target, value),
    }
    Ok(bind::Written::Value)
}

fn other(
    out: &mut Vec<u8>,
    target: &ParameterType,
    value: &Value<'_>,
) -> Result<bind::Written, String> {
    bind::write(out, target, &scalar(value)?)
}

/// The value as a parameter would be given.
fn scalar(value: &Value<'_>) -> Result<Scalar, String> {
    value.to_scalar().ok_or_else(|| match value {
        Value::Struct(_) => {
            "wants one value, not a struct; give its fields columns of their own, or \
                             its JSON as text"
                .to_owned()
        }
        Value::List(_) => "a list of structs has no place in it; give it as JSON text".to_owned(),
        value => format!("{value} has a part below the microsecond; round it before"),
    })
}
