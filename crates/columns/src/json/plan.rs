use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, IntervalMonthDayNanoType, Time64MicrosecondType,
    TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_buffer::{BooleanBuffer, IntervalMonthDayNano, NullBuffer};

use super::room::{Grow, Out, WIDEST};
use super::{Decimals, JsonCells, Options, Orient, check};
use crate::value::{Extension, read};
use crate::{Batch, DecimalValue, Type};

/// Writes the rows as objects: after commas or, by lines, before line feeds. `first` says that no
/// row stands before these.
pub(super) fn write_rows<G: Grow>(
    batch: &Batch,
    options: Options,
    first: bool,
    out: &mut Out<G>,
) -> Result<(), G::Error> {
    let plan = plan(batch, options, b'{')?;
    let rest = WIDEST + plan.iter().map(|(key, _)| key.room() + WIDEST).sum::<usize>();
    for row in 0..batch.rows() {
        out.room(rest)?;
        if options.orient == Orient::Records && !(first && row == 0) {
            out.put_byte(b',');
        }
        if plan.is_empty() {
            out.put_byte(b'{');
        }
        for (key, cells) in &plan {
            key.put(out);
            cells.put(out, row, rest)?;
        }
        if options.orient == Orient::Ndjson { out.put(b"}\n", 2) } else { out.put_byte(b'}') }
    }
    Ok(())
}

/// Writes the columns as one object of arrays.
pub(super) fn write_columns<G: Grow>(
    batch: &Batch,
    options: Options,
    out: &mut Out<G>,
) -> Result<(), G::Error> {
    let plan = plan(batch, options, b'{')?;
    if plan.is_empty() {
        return out.put_long(b"{}");
    }
    for (key, cells) in &plan {
        out.room(key.room() + WIDEST)?;
        key.put(out);
        out.put_byte(b'[');
        for row in 0..batch.rows() {
            out.room(2 * WIDEST)?;
            if row > 0 {
                out.put_byte(b',');
            }
            cells.put(out, row, WIDEST)?;
        }
        out.put_long(b"]")?;
    }
    out.put_long(b"}")
}

/// What is the same for every row, found out once.
fn plan(
    batch: &Batch,
    options: Options,
    open: u8,
) -> Result<Vec<(Key, Cells<'_>)>, crate::ColumnError> {
    if options.json == JsonCells::Checked {
        check::check_json(batch)?;
    }
    check::check_names(batch.schema())?;
    let columns = batch.schema().fields.iter().zip(batch.columns());
    let plan = columns.enumerate().map(|(at, (field, column))| {
        let key = Key::new(if at == 0 { open } else { b',' }, &field.name);
        (key, Cells::new(column.array(), &field.kind, options))
    });
    Ok(plan.collect())
}

/// What stands before a value: a brace or comma, the name, a colon.
struct Key {
    short: [u8; Self::SHORT],
    long: Vec<u8>,
}

impl Key {
    /// Keys up to this length are one store.
    const SHORT: usize = 32;

    fn new(before: u8, name: &str) -> Self {
        let mut out = Out::new(Vec::new(), 0, super::Growing);
        let written = out
            .room(WIDEST)
            .map(|()| out.put_byte(before))
            .and_then(|()| out.put_text(name.as_bytes(), WIDEST));
        debug_assert!(written.is_ok(), "a growing buffer takes everything");
        out.put_byte(b':');
        let long = out.into_filled();
        let mut short = [0; Self::SHORT];
        let len = long.len().min(Self::SHORT);
        short[..len].copy_from_slice(&long[..len]);
        Self { short, long }
    }

    fn room(&self) -> usize {
        self.long.len().max(Self::SHORT)
    }

    #[inline]
    fn put<G: Grow>(&self, out: &mut Out<G>) {
        if self.long.len() <= Self::SHORT {
            out.put(&self.short, self.long.len());
        } else {
            out.put_short(&self.long);
        }
    }
}

/// A column whose storage type has been looked up.
struct Cells<'a> {
    nulls: Option<&'a NullBuffer>,
    kind: Kind<'a>,
}

enum Kind<'a> {
    Null,
    Bool(&'a BooleanBuffer),
    Int8(&'a [i8]),
    Int16(&'a [i16]),
    Int32(&'a [i32]),
    Int64(&'a [i64]),
    UInt8(&'a [u8]),
    UInt16(&'a [u16]),
    UInt32(&'a [u32]),
    UInt64(&'a [u64]),
    Float32(&'a [f32]),
    Float64(&'a [f64]),
    Decimal {
        values: &'a [i128],
        scale: i8,
        form: Decimals,
    },
    Text(Slices<'a>),
    Json(Slices<'a>, Options),
    Bytes(Slices<'a>),
    Uuid(&'a [[u8; 16]]),
    Date(&'a [i32]),
    Time(&'a [i64]),
    Timestamp(&'a [i64], bool),
    Interval(&'a [IntervalMonthDayNano]),
    /// Each distinct value is escaped once.
    Enum(&'a [i32], Vec<Vec<u8>>),
    List(&'a [i64], Box<Cells<'a>>),
    Other(&'a dyn Array, Extension, Options),
}

/// Values of any length: their ends, and the bytes of all.
struct Slices<'a> {
    offsets: &'a [i64],
    data: &'a [u8],
}

impl Slices<'_> {
    #[inline]
    fn get(&self, row: usize) -> &[u8] {
        &self.data[self.offsets[row] as usize..self.offsets[row + 1] as usize]
    }
}

fn values<T: ArrowPrimitiveType>(array: &ArrayRef) -> &[T::Native] {
    array.as_primitive::<T>().values()
}

fn texts(array: &ArrayRef) -> Slices<'_> {
    let array = array.as_string::<i64>();
    Slices { offsets: array.value_offsets(), data: array.value_data() }
}

impl<'a> Cells<'a> {
    fn new(array: &'a ArrayRef, kind: &Type, options: Options) -> Self {
        let other = || Kind::Other(&**array, Extension::of_type(kind), options);
        let kind = match kind {
            Type::Null => Kind::Null,
            Type::Bool => Kind::Bool(array.as_boolean().values()),
            Type::Int8 => Kind::Int8(values::<Int8Type>(array)),
            Type::Int16 => Kind::Int16(values::<Int16Type>(array)),
            Type::Int32 => Kind::Int32(values::<Int32Type>(array)),
            Type::Int64 => Kind::Int64(values::<Int64Type>(array)),
            Type::UInt8 => Kind::UInt8(values::<UInt8Type>(array)),
            Type::UInt16 => Kind::UInt16(values::<UInt16Type>(array)),
            Type::UInt32 => Kind::UInt32(values::<UInt32Type>(array)),
            Type::UInt64 => Kind::UInt64(values::<UInt64Type>(array)),
            Type::Float32 => Kind::Float32(values::<Float32Type>(array)),
            Type::Float64 => Kind::Float64(values::<Float64Type>(array)),
            Type::Decimal { precision: ..=38, scale } => Kind::Decimal {
                values: values::<Decimal128Type>(array),
                scale: *scale,
                form: options.decimals,
            },
            Type::Text => Kind::Text(texts(array)),
            Type::Json => Kind::Json(texts(array), options),
            Type::Bytes => {
                let array = array.as_binary::<i64>();
                Kind::Bytes(Slices { offsets: array.value_offsets(), data: array.value_data() })
            }
            Type::Uuid => Kind::Uuid(array.as_fixed_size_binary().value_data().as_chunks().0),
            Type::Date => Kind::Date(values::<Date32Type>(array)),
            Type::Time => Kind::Time(values::<Time64MicrosecondType>(array)),
            Type::Timestamp { utc } => {
                Kind::Timestamp(values::<TimestampMicrosecondType>(array), *utc)
            }
            Type::Interval => Kind::Interval(values::<IntervalMonthDayNanoType>(array)),
            Type::Enum => {
                let dictionary = array.as_dictionary::<Int32Type>();
                let labels = dictionary.values();
                // A few rows of a large dictionary are better looked up one by one.
                if labels.len() > 2 * dictionary.len() + 16 {
                    other()
                } else {
                    let literals = (0..labels.len()).map(|code| literal(labels, code)).collect();
                    Kind::Enum(dictionary.keys().values(), literals)
                }
            }
            Type::List(element) => {
                let list = array.as_list::<i64>();
                let elements = Cells::new(list.values(), element, options);
                Kind::List(list.value_offsets(), Box::new(elements))
            }
            Type::Decimal { .. } | Type::Foreign(_) => other(),
        };
        Self { nulls: array.nulls(), kind }
    }

    /// Writes one cell. There must be room for [`WIDEST`]; values of no fixed width leave room for
    /// `rest` after them.
    #[inline]
    fn put<G: Grow>(&self, out: &mut Out<G>, row: usize, rest: usize) -> Result<(), G::Error> {
        if self.nulls.is_some_and(|nulls| nulls.is_null(row)) {
            out.put_null();
            return Ok(());
        }
        match &self.kind {
            Kind::Null => out.put_null(),
            Kind::Bool(values) => out.put_bool(values.value(row)),
            Kind::Int8(values) => out.put_int(values[row]),
            Kind::Int16(values) => out.put_int(values[row]),
            Kind::Int32(values) => out.put_int(values[row]),
            Kind::Int64(values) => out.put_int(values[row]),
            Kind::UInt8(values) => out.put_int(values[row]),
            Kind::UInt16(values) => out.put_int(values[row]),
            Kind::UInt32(values) => out.put_int(values[row]),
            Kind::UInt64(values) => out.put_int(values[row]),
            Kind::Float32(values) => out.put_f32(values[row]),
            Kind::Float64(values) => out.put_f64(values[row]),
            Kind::Decimal { values, scale, form } => {
                return out.put_decimal(DecimalValue::new(values[row], *scale), *form, rest);
            }
            Kind::Text(slices) => return out.put_text(slices.get(row), rest),
            Kind::Json(slices, options) => return out.put_json(slices.get(row), *options, rest),
            Kind::Bytes(slices) => return out.put_bytes(slices.get(row), rest),
            Kind::Uuid(values) => out.put_uuid(&values[row]),
            Kind::Date(values) => out.put_date(values[row]),
            Kind::Time(values) => out.put_time(values[row]),
            Kind::Timestamp(values, utc) => out.put_timestamp(values[row], *utc),
            Kind::Interval(values) => {
                out.room(2 * WIDEST + rest)?;
                let value = values[row];
                out.put_interval(value.months, value.days, value.nanoseconds);
            }
            Kind::Enum(codes, literals) => {
                let literal = &literals[codes[row] as usize];
                out.room(literal.len() + rest)?;
                out.put_short(literal);
            }
            Kind::List(offsets, elements) => {
                let (start, end) = (offsets[row] as usize, offsets[row + 1] as usize);
                out.room(WIDEST + rest)?;
                out.put_byte(b'[');
                for at in start..end {
                    out.room(2 * WIDEST + rest)?;
                    if at > start {
                        out.put_byte(b',');
                    }
                    elements.put(out, at, WIDEST + rest)?;
                }
                out.put_byte(b']');
            }
            Kind::Other(array, extension, options) => {
                return out.put_value(&read(*array, *extension, row), *options, rest);
            }
        }
        Ok(())
    }
}

/// The JSON of a label.
fn literal(labels: &ArrayRef, code: usize) -> Vec<u8> {
    let mut out = Vec::new();
    super::write_value(&read(labels, Extension::None, code), &mut out);
    out
}
