use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType,
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    IntervalDayTimeType, IntervalMonthDayNanoType, IntervalYearMonthType, Time32MillisecondType,
    Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, BooleanArray, Float64Array, Int32Array, Int64Array, LargeStringArray,
    TimestampMicrosecondArray,
};
use arrow_schema::{DataType, Field, IntervalUnit, TimeUnit};

use super::{DecimalValue, ListValue, MapValue, StructValue, Value};
use crate::types::EXTENSION;
use crate::{Type, text};

/// What a field's metadata adds to its storage type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extension {
    None,
    Json,
    Uuid,
}

impl Extension {
    pub(crate) fn of(field: &Field) -> Self {
        match field.metadata().get(EXTENSION).map(String::as_str) {
            Some("arrow.json") => Self::Json,
            Some("arrow.uuid") => Self::Uuid,
            _ => Self::None,
        }
    }

    pub(crate) fn of_type(kind: &Type) -> Self {
        match kind {
            Type::Json => Self::Json,
            Type::Uuid => Self::Uuid,
            _ => Self::None,
        }
    }
}

/// The value of one row of a column of type `kind`.
///
/// The commonest types are read here with two indirect calls where [`read`] needs five.
#[inline]
pub(crate) fn read_as<'a>(array: &'a dyn Array, kind: &Type, row: usize) -> Value<'a> {
    macro_rules! quick {
        ($array:ty, |$cells:ident| $value:expr) => {
            if let Some($cells) = array.as_any().downcast_ref::<$array>() {
                return if $cells.is_null(row) { Value::Null } else { $value };
            }
        };
    }
    match kind {
        Type::Int32 => quick!(Int32Array, |cells| Value::Int(cells.value(row).into())),
        Type::Int64 => quick!(Int64Array, |cells| Value::Int(cells.value(row))),
        Type::Float64 => quick!(Float64Array, |cells| Value::Float(cells.value(row))),
        Type::Bool => quick!(BooleanArray, |cells| Value::Bool(cells.value(row))),
        Type::Text => quick!(LargeStringArray, |cells| Value::Text(cells.value(row))),
        Type::Timestamp { utc } => quick!(TimestampMicrosecondArray, |cells| {
            Value::Timestamp { micros: cells.value(row), utc: *utc }
        }),
        _ => {}
    }
    read(array, Extension::of_type(kind), row)
}

/// The value of one row, by how it is stored.
///
/// Types that no database makes are read too, so that a column from elsewhere needs no conversion.
pub(crate) fn read(array: &dyn Array, extension: Extension, row: usize) -> Value<'_> {
    use DataType as D;
    macro_rules! primitive {
        ($type:ty) => {
            array.as_primitive::<$type>().value(row)
        };
    }
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        D::Null => Value::Null,
        D::Boolean => Value::Bool(array.as_boolean().value(row)),
        D::Int8 => Value::Int(primitive!(Int8Type).into()),
        D::Int16 => Value::Int(primitive!(Int16Type).into()),
        D::Int32 => Value::Int(primitive!(Int32Type).into()),
        D::Int64 => Value::Int(primitive!(Int64Type)),
        D::UInt8 => Value::UInt(primitive!(UInt8Type).into()),
        D::UInt16 => Value::UInt(primitive!(UInt16Type).into()),
        D::UInt32 => Value::UInt(primitive!(UInt32Type).into()),
        D::UInt64 => Value::UInt(primitive!(UInt64Type)),
        D::Float16 => Value::Float32(primitive!(Float16Type).to_f32()),
        D::Float32 => Value::Float32(primitive!(Float32Type)),
        D::Float64 => Value::Float(primitive!(Float64Type)),
        D::Decimal32(_, scale) => decimal(primitive!(Decimal32Type).into(), *scale),
        D::Decimal64(_, scale) => decimal(primitive!(Decimal64Type).into(), *scale),
        D::Decimal128(_, scale) => decimal(primitive!(Decimal128Type), *scale),
        D::Decimal256(_, scale) => {
            Value::Decimal(DecimalValue::wide(primitive!(Decimal256Type), *scale))
        }
        D::LargeUtf8 => text_or_json(array.as_string::<i64>().value(row), extension),
        D::Utf8 => text_or_json(array.as_string::<i32>().value(row), extension),
        D::Utf8View => text_or_json(array.as_string_view().value(row), extension),
        D::LargeBinary => Value::Bytes(array.as_binary::<i64>().value(row)),
        D::Binary => Value::Bytes(array.as_binary::<i32>().value(row)),
        D::BinaryView => Value::Bytes(array.as_binary_view().value(row)),
        D::FixedSizeBinary(_) => {
            let bytes = array.as_fixed_size_binary().value(row);
            match (extension, bytes.try_into()) {
                (Extension::Uuid, Ok(uuid)) => Value::Uuid(uuid),
                _ => Value::Bytes(bytes),
            }
        }
        D::Date32 => Value::Date(primitive!(Date32Type)),
        D::Date64 => date64(primitive!(Date64Type)),
        D::Time32(TimeUnit::Second) => {
            Value::Time(i64::from(primitive!(Time32SecondType)) * 1_000_000)
        }
        D::Time32(_) => Value::Time(i64::from(primitive!(Time32MillisecondType)) * 1_000),
        D::Time64(TimeUnit::Nanosecond) => time_nanos(primitive!(Time64NanosecondType)),
        D::Time64(_) => Value::Time(primitive!(Time64MicrosecondType)),
        D::Timestamp(unit, zone) => {
            let utc = zone.is_some();
            match unit {
                TimeUnit::Second => timestamp(primitive!(TimestampSecondType), 1_000_000, utc),
                TimeUnit::Millisecond => {
                    timestamp(primitive!(TimestampMillisecondType), 1_000, utc)
                }
                TimeUnit::Microsecond => {
                    Value::Timestamp { micros: primitive!(TimestampMicrosecondType), utc }
                }
                TimeUnit::Nanosecond => timestamp_nanos(primitive!(TimestampNanosecondType), utc),
            }
        }
        D::Duration(TimeUnit::Second) => duration(primitive!(DurationSecondType), 1_000_000_000),
        D::Duration(TimeUnit::Millisecond) => {
            duration(primitive!(DurationMillisecondType), 1_000_000)
        }
        D::Duration(TimeUnit::Microsecond) => duration(primitive!(DurationMicrosecondType), 1_000),
        D::Duration(TimeUnit::Nanosecond) => duration(primitive!(DurationNanosecondType), 1),
        D::Interval(IntervalUnit::YearMonth) => {
            Value::Interval { months: primitive!(IntervalYearMonthType), days: 0, nanos: 0 }
        }
        D::Interval(IntervalUnit::DayTime) => {
            let value = primitive!(IntervalDayTimeType);
            let nanos = i64::from(value.milliseconds) * 1_000_000;
            Value::Interval { months: 0, days: value.days, nanos }
        }
        D::Interval(IntervalUnit::MonthDayNano) => {
            let value = primitive!(IntervalMonthDayNanoType);
            Value::Interval { months: value.months, days: value.days, nanos: value.nanoseconds }
        }
        D::LargeList(field) => {
            let list = array.as_list::<i64>();
            let (start, end) = (list.value_offsets()[row], list.value_offsets()[row + 1]);
            Value::List(ListValue::new(
                list.values(),
                field,
                start as usize,
                (end - start) as usize,
            ))
        }
        D::List(field) => {
            let list = array.as_list::<i32>();
            let (start, end) = (list.value_offsets()[row], list.value_offsets()[row + 1]);
            Value::List(ListValue::new(
                list.values(),
                field,
                start as usize,
                (end - start) as usize,
            ))
        }
        D::LargeListView(field) => {
            let list = array.as_list_view::<i64>();
            let (start, len) = (list.value_offset(row), list.value_size(row));
            Value::List(ListValue::new(list.values(), field, start as usize, len as usize))
        }
        D::ListView(field) => {
            let list = array.as_list_view::<i32>();
            let (start, len) = (list.value_offset(row), list.value_size(row));
            Value::List(ListValue::new(list.values(), field, start as usize, len as usize))
        }
        D::FixedSizeList(field, size) => {
            let list = array.as_fixed_size_list();
            // `value_offset` is an i32 and would overflow past 2^31 elements.
            let len = *size as usize;
            Value::List(ListValue::new(list.values(), field, row * len, len))
        }
        D::Map(..) => {
            let map = array.as_map();
            let (start, end) = (map.value_offsets()[row], map.value_offsets()[row + 1]);
            let (start, len) = (start as usize, (end - start) as usize);
            match map.keys().data_type() {
                D::Utf8 | D::LargeUtf8 | D::Utf8View => {
                    Value::Map(MapValue::new(map.entries(), start, len))
                }
                _ => Value::List(ListValue::of_structs(map.entries(), start, len)),
            }
        }
        D::Struct(_) => Value::Struct(StructValue::new(array.as_struct(), row)),
        D::Dictionary(..) => dictionary(array, extension, row),
        D::RunEndEncoded(ends, values) => {
            let extension = Extension::of(values);
            macro_rules! run {
                ($type:ty) => {{
                    let runs = array.as_run::<$type>();
                    read(runs.values(), extension, runs.get_physical_index(row))
                }};
            }
            match ends.data_type() {
                D::Int16 => run!(Int16Type),
                D::Int32 => run!(Int32Type),
                _ => run!(Int64Type),
            }
        }
        D::Union(fields, _) => {
            let union = array.as_union();
            let id = union.type_id(row);
            let field = fields.iter().find(|(other, _)| *other == id);
            let extension = field.map_or(Extension::None, |(_, field)| Extension::of(field));
            read(union.child(id), extension, union.value_offset(row))
        }
    }
}

/// A dictionary's value; the commonest keys are those of our own enums.
fn dictionary(array: &dyn Array, extension: Extension, row: usize) -> Value<'_> {
    let dictionary = array.as_any_dictionary();
    let keys = dictionary.keys();
    let key = match keys.as_any().downcast_ref::<Int32Array>() {
        Some(keys) => Some(keys.value(row) as usize),
        None => match read(keys, Extension::None, row) {
            Value::Int(key) => usize::try_from(key).ok(),
            Value::UInt(key) => usize::try_from(key).ok(),
            _ => None,
        },
    };
    key.map_or(Value::Null, |key| read(dictionary.values(), extension, key))
}

fn text_or_json(text: &str, extension: Extension) -> Value<'_> {
    if extension == Extension::Json { Value::Json(text) } else { Value::Text(text) }
}

fn decimal<'a>(unscaled: i128, scale: i8) -> Value<'a> {
    Value::Decimal(DecimalValue::new(unscaled, scale))
}

const MILLIS_A_DAY: i64 = 86_400_000;

fn date64<'a>(millis: i64) -> Value<'a> {
    match i32::try_from(millis / MILLIS_A_DAY) {
        Ok(days) if millis % MILLIS_A_DAY == 0 => Value::Date(days),
        _ => timestamp(millis, 1_000, false),
    }
}

fn time_nanos<'a>(nanos: i64) -> Value<'a> {
    if nanos % 1_000 == 0 {
        Value::Time(nanos / 1_000)
    } else {
        Value::Foreign(text::time_nanos(nanos))
    }
}

fn timestamp<'a>(units: i64, micros_a_unit: i64, utc: bool) -> Value<'a> {
    match units.checked_mul(micros_a_unit) {
        Some(micros) => Value::Timestamp { micros, utc },
        None => Value::Foreign(text::timestamp_seconds(
            units.div_euclid(1_000_000 / micros_a_unit),
            (units.rem_euclid(1_000_000 / micros_a_unit) * micros_a_unit * 1_000) as u32,
            utc,
        )),
    }
}

fn timestamp_nanos<'a>(nanos: i64, utc: bool) -> Value<'a> {
    if nanos % 1_000 == 0 {
        return Value::Timestamp { micros: nanos / 1_000, utc };
    }
    let part = nanos.rem_euclid(1_000_000_000) as u32;
    Value::Foreign(text::timestamp_seconds(nanos.div_euclid(1_000_000_000), part, utc))
}

fn duration<'a>(units: i64, nanos_a_unit: i64) -> Value<'a> {
    match units.checked_mul(nanos_a_unit) {
        Some(nanos) => Value::Interval { months: 0, days: 0, nanos },
        // Beyond 292 years in nanoseconds.
        None => Value::Foreign(text::duration(units, nanos_a_unit)),
    }
}
