//! Columns as JSON text.
//!
//! | column | JSON |
//! |---|---|
//! | NULL, NaN, infinite floats | `null` |
//! | bool | `true`, `false` |
//! | integers, of any size | a number with every digit (beyond 2^53 JavaScript will round it) |
//! | floats | the shortest number that reads back as the same float |
//! | decimals | a number with every digit, trailing zeros too; strings on [request](Options) |
//! | text, enums | a string; only `"`, `\` and control characters are escaped |
//! | json | the stored text itself, unparsed (see [`JsonCells`]) |
//! | bytes | a string in base64 (standard alphabet, padded) |
//! | uuid | `"00112233-4455-6677-8899-aabbccddeeff"` |
//! | date | `"2024-01-02"` |
//! | time | `"03:04:05"`, `"03:04:05.678901"` |
//! | timestamp | `"2024-01-02T03:04:05"`, `"2024-01-02T03:04:05.678901"`; instants end with `Z` |
//! | interval | an ISO 8601 duration as PostgreSQL's: `"P1Y2M3DT4H5M6.7S"`, `"PT-1S"`, `"PT0S"` |
//! | list | an array |
//! | struct, map from text | an object; another map is an array of `{"key": .., "value": ..}` |
//!
//! A fraction of a second has six digits, or is left out where it is zero. Years outside 0000 to
//! 9999 have a sign and at least six digits, as in ECMAScript: `"+012024-01-02"`, `"-000043-03-15"`
//! for 44 BC.
//!
//! Column names must not repeat: most parsers keep the last of two and say nothing.

mod base64;
mod check;
mod escape;
mod object;
mod plan;
mod room;
#[cfg(test)]
mod tests;
mod time;
mod validate;
mod writer;

pub use validate::validate_json;
pub use writer::{CHUNK, Writer};

use crate::{Batch, ColumnError, Value};
use room::{Grow, Out};

/// How rows and columns are laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Orient {
    /// An array of objects: `[{"id":1,"name":"a"},{"id":2,"name":"b"}]`.
    #[default]
    Records,
    /// An object of arrays: `{"id":[1,2],"name":["a","b"]}`.
    Columns,
    /// An object on each line: `{"id":1,"name":"a"}`, newline, `{"id":2,"name":"b"}`, newline.
    Ndjson,
}

/// Whether json columns hold JSON for certain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JsonCells {
    /// Each cell is checked before its batch is written; one that is not JSON is an error.
    #[default]
    Checked,
    /// The source has checked them, as PostgreSQL does.
    Trusted,
}

/// What decimals become.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Decimals {
    /// Numbers with every digit. A parser that reads numbers as floats will round them.
    #[default]
    Numbers,
    /// Strings of the same digits, which no parser rounds.
    Strings,
}

/// Choices of the writer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Layout.
    pub orient: Orient,
    /// Trust in json columns.
    pub json: JsonCells,
    /// Form of decimals.
    pub decimals: Decimals,
}

/// Appends the batch as an array of objects.
///
/// ```
/// use std::sync::Arc;
/// use rowmill_columns::{Batch, Field, Schema, Type, build::Fixed, json};
/// let mut ids = Fixed::new(0_i64);
/// ids.push(1);
/// ids.push_null();
/// let schema = Arc::new(Schema::new(vec![Field::new("id", Type::Int64)]));
/// let batch = Batch::new(schema, vec![ids.finish(&Type::Int64)], 2);
/// let mut out = Vec::new();
/// json::write_records(&batch, &mut out).unwrap();
/// assert_eq!(out, br#"[{"id":1},{"id":null}]"#);
/// ```
///
/// # Errors
/// If a cell of a json column is not JSON: the error names column and row, and `out` is as it was.
pub fn write_records(batch: &Batch, out: &mut Vec<u8>) -> Result<(), ColumnError> {
    write(batch, Options { orient: Orient::Records, ..Options::default() }, out)
}

/// Appends the batch as an object of arrays.
///
/// # Errors
/// As [`write_records`].
pub fn write_columns(batch: &Batch, out: &mut Vec<u8>) -> Result<(), ColumnError> {
    write(batch, Options { orient: Orient::Columns, ..Options::default() }, out)
}

/// Appends the batch as an object on each line.
///
/// # Errors
/// As [`write_records`].
pub fn write_ndjson(batch: &Batch, out: &mut Vec<u8>) -> Result<(), ColumnError> {
    write(batch, Options { orient: Orient::Ndjson, ..Options::default() }, out)
}

/// Appends the batch in the layout and with the choices of `options`.
///
/// # Errors
/// As [`write_records`].
pub fn write(batch: &Batch, options: Options, out: &mut Vec<u8>) -> Result<(), ColumnError> {
    let start = out.len();
    let mut room = Out::new(std::mem::take(out), start, Growing);
    let written = document(batch, options, &mut room);
    *out = room.into_filled();
    if written.is_err() {
        out.truncate(start);
    }
    written
}

/// As [`write()`], over what stands in `out`; how many bytes were written. What `out` holds beyond them
/// is left as it is: a buffer used once more need be neither zeroed nor mapped into memory again,
/// which is a tenth of the work for some megabytes.
///
/// ```
/// use std::sync::Arc;
/// use rowmill_columns::{Batch, Field, Schema, Type, build::Fixed, json};
/// # let mut ids = Fixed::new(0_i64);
/// # ids.push(1);
/// # let schema = Arc::new(Schema::new(vec![Field::new("id", Type::Int64)]));
/// # let batch = Batch::new(schema, vec![ids.finish(&Type::Int64)], 1);
/// let mut buffer = vec![0; 1_000];
/// let len = json::write_over(&batch, json::Options::default(), &mut buffer)?;
/// assert_eq!(&buffer[..len], br#"[{"id":1}]"#);
/// # Ok::<(), rowmill_columns::ColumnError>(())
/// ```
///
/// # Errors
/// As [`write_records`]; what `out` holds then is of no use.
pub fn write_over(
    batch: &Batch,
    options: Options,
    out: &mut Vec<u8>,
) -> Result<usize, ColumnError> {
    let mut room = Out::new(std::mem::take(out), 0, Growing);
    let written = document(batch, options, &mut room);
    let len = room.at();
    *out = room.into_buffer();
    written.map(|()| len)
}

fn document(batch: &Batch, options: Options, out: &mut Out<Growing>) -> Result<(), ColumnError> {
    match options.orient {
        Orient::Records => out.put_long(b"[")?,
        Orient::Columns => return plan::write_columns(batch, options, out),
        Orient::Ndjson => {}
    }
    plan::write_rows(batch, options, true, out)?;
    if options.orient == Orient::Records { out.put_long(b"]") } else { Ok(()) }
}

/// One buffer that takes everything.
struct Growing;

impl Grow for Growing {
    type Error = ColumnError;

    fn full(&mut self, _: &[u8]) -> Result<bool, ColumnError> {
        Ok(false)
    }
}

/// Appends the JSON of one value, as a cell of a column would have it; json text as it stands,
/// unchecked.
///
/// ```
/// use rowmill_columns::{Value, json};
/// let mut out = Vec::new();
/// json::write_value(&Value::Date(19_724), &mut out);
/// assert_eq!(out, br#""2024-01-02""#);
/// ```
pub fn write_value(value: &Value<'_>, out: &mut Vec<u8>) {
    let mut json = Out::new(Vec::new(), 0, Growing);
    let written = json.put_value(value, Options::default(), 0);
    debug_assert!(written.is_ok(), "a growing buffer takes everything");
    out.extend_from_slice(&json.into_filled());
}
