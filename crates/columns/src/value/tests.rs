use std::sync::Arc;

use arrow_array::builder::{FixedSizeListBuilder, Int32Builder, MapBuilder, StringBuilder};
use arrow_array::types::{Int8Type, Int16Type, Int32Type, UInt64Type};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BinaryViewArray, Date64Array, Decimal32Array, Decimal64Array,
    Decimal256Array, DictionaryArray, DurationMicrosecondArray, DurationSecondArray,
    FixedSizeBinaryArray, Float16Array, Float64Array, Int32Array, Int64Array, IntervalDayTimeArray,
    IntervalYearMonthArray, LargeListViewArray, ListArray, ListViewArray, NullArray, RunArray,
    StringArray, StringViewArray, StructArray, Time32MillisecondArray, Time32SecondArray,
    Time64NanosecondArray, TimestampMicrosecondArray, TimestampMillisecondArray,
    TimestampNanosecondArray, TimestampSecondArray, UInt8Array, UnionArray,
};
use arrow_buffer::{Buffer, IntervalDayTime, ScalarBuffer, i256};
use arrow_schema::{DataType, Field, UnionFields};

use crate::value::{Extension, read};
use crate::{Column, DecimalValue, Value};

/// Every cell as text, separated by bars.
fn shown(array: impl Array + 'static) -> String {
    let column = Column::from_array(Arc::new(array));
    let cells =
        (0..column.len()).map(|row| read(&**column.array(), Extension::None, row).to_string());
    cells.collect::<Vec<_>>().join(" | ")
}

fn kinds(array: &dyn Array) -> Vec<Value<'_>> {
    (0..array.len()).map(|row| read(array, Extension::None, row)).collect()
}

#[test]
fn text_and_bytes_of_every_layout() {
    assert_eq!(shown(StringArray::from(vec![Some("a"), None])), "a | null");
    assert_eq!(
        shown(StringViewArray::from(vec![Some("a"), None, Some("longer than twelve")])),
        "a | null | longer than twelve"
    );
    assert_eq!(shown(BinaryArray::from(vec![Some(b"\x01".as_slice()), None])), r"\x01 | null");
    assert_eq!(shown(BinaryViewArray::from(vec![Some(b"\x01".as_slice()), None])), r"\x01 | null");
    let fixed = FixedSizeBinaryArray::try_from_iter([[1_u8, 2], [3, 4]].iter()).unwrap();
    assert_eq!(shown(fixed.slice(1, 1)), r"\x0304");
    assert_eq!(kinds(&StringArray::from(vec!["a"])), [Value::Text("a")]);
}

#[test]
fn numbers_of_every_width() {
    assert_eq!(kinds(&UInt8Array::from(vec![255])), [Value::UInt(255)]);
    let half = Float16Array::from(vec![half(1.5), half(-0.25)]);
    assert_eq!(kinds(&half), [Value::Float32(1.5), Value::Float32(-0.25)]);
    let decimal = Decimal32Array::from(vec![-1_250]).with_precision_and_scale(9, 2).unwrap();
    assert_eq!(shown(decimal), "-12.50");
    let decimal = Decimal64Array::from(vec![5]).with_precision_and_scale(18, 3).unwrap();
    assert_eq!(shown(decimal), "0.005");
    let decimal = Decimal256Array::from(vec![i256::from_i128(7), i256::MAX]);
    let decimal = decimal.with_precision_and_scale(76, 1).unwrap();
    assert_eq!(
        shown(decimal),
        "0.7 | 5789604461865809771178549250434395392663499233282028201972879200395656481996.7"
    );
}

fn half(
    value: f32,
) -> <arrow_array::types::Float16Type as arrow_array::ArrowPrimitiveType>::Native {
    <arrow_array::types::Float16Type as arrow_array::ArrowPrimitiveType>::Native::from_f32(value)
}

#[test]
fn times_of_every_unit() {
    assert_eq!(
        shown(Date64Array::from(vec![0, 86_400_000, -86_400_000, 1])),
        "1970-01-01 | 1970-01-02 | 1969-12-31 | 1970-01-01 00:00:00.001"
    );
    assert_eq!(shown(Time32SecondArray::from(vec![3_661])), "01:01:01");
    assert_eq!(shown(Time32MillisecondArray::from(vec![1_500])), "00:00:01.5");
    assert_eq!(
        shown(Time64NanosecondArray::from(vec![1_000, 1_001])),
        "00:00:00.000001 | 00:00:00.000001001"
    );
    let utc = |array: TimestampSecondArray| array.with_timezone("Europe/Berlin");
    assert_eq!(
        kinds(&utc(TimestampSecondArray::from(vec![1]))),
        [Value::Timestamp { micros: 1_000_000, utc: true }]
    );
    assert_eq!(
        kinds(&TimestampMillisecondArray::from(vec![-1])),
        [Value::Timestamp { micros: -1_000, utc: false }]
    );
    assert_eq!(
        kinds(&TimestampMicrosecondArray::from(vec![7])),
        [Value::Timestamp { micros: 7, utc: false }]
    );
    assert_eq!(
        shown(TimestampNanosecondArray::from(vec![1_000, -1])),
        "1970-01-01 00:00:00.000001 | 1969-12-31 23:59:59.999999999"
    );
    assert_eq!(shown(DurationMicrosecondArray::from(vec![1_500_000])), "00:00:01.5");
}

#[test]
fn what_microseconds_cannot_hold_is_text() {
    let far = TimestampSecondArray::from(vec![i64::MAX, 20_000_000_000_000]);
    assert_eq!(
        shown(far.clone()),
        "9223372036854775807.000000000 seconds since 1970 | 635744-10-08 11:33:20"
    );
    assert!(kinds(&far).iter().all(|value| matches!(value, Value::Foreign(_))));
    assert_eq!(
        shown(DurationSecondArray::from(vec![i64::MAX, -86_401 * 200_000])),
        "106751991167300 days 15:30:07 | -200002 days -07:33:20"
    );
    assert_eq!(
        shown(TimestampMillisecondArray::from(vec![i64::MIN])),
        "-9223372036854775.808000000 seconds since 1970"
    );
}

#[test]
fn intervals_of_every_unit() {
    assert_eq!(shown(IntervalYearMonthArray::from(vec![13])), "1 year 1 mon");
    let value = IntervalDayTime::new(-1, 1_500);
    assert_eq!(shown(IntervalDayTimeArray::from(vec![value])), "-1 days +00:00:01.5");
}

#[test]
fn lists_of_every_layout() {
    let rows = [Some(vec![Some(1), None]), None, Some(vec![]), Some(vec![Some(2)])];
    let expected = "[1, null] | null | [] | [2]";
    assert_eq!(shown(ListArray::from_iter_primitive::<Int32Type, _, _>(rows.clone())), expected);
    let sliced = ListArray::from_iter_primitive::<Int32Type, _, _>(rows.clone()).slice(2, 2);
    assert_eq!(shown(sliced), "[] | [2]");
    assert_eq!(
        shown(ListViewArray::from_iter_primitive::<Int32Type, _, _>(rows.clone())),
        expected
    );
    assert_eq!(shown(LargeListViewArray::from_iter_primitive::<Int32Type, _, _>(rows)), expected);

    let mut fixed = FixedSizeListBuilder::new(Int32Builder::new(), 2);
    for start in 0..3 {
        fixed.values().append_value(start);
        fixed.values().append_value(start + 10);
        fixed.append(start != 1);
    }
    let fixed = fixed.finish();
    assert_eq!(shown(fixed.clone()), "[0, 10] | null | [2, 12]");
    assert_eq!(shown(fixed.slice(1, 2)), "null | [2, 12]");
}

#[test]
fn structs_and_maps() {
    let fields = vec![
        (
            Arc::new(Field::new("a", DataType::Int32, true)),
            Arc::new(Int32Array::from(vec![Some(1), None])) as ArrayRef,
        ),
        (
            Arc::new(Field::new("b", DataType::Utf8, true)),
            Arc::new(StringArray::from(vec!["x", "y, z"])) as ArrayRef,
        ),
    ];
    let pair = StructArray::from(fields);
    assert_eq!(shown(pair.clone()), r#"{a: 1, b: "x"} | {a: null, b: "y, z"}"#);
    assert_eq!(shown(pair.slice(1, 1)), r#"{a: null, b: "y, z"}"#);

    let mut map = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    map.keys().append_value("k");
    map.values().append_value(1);
    map.append(true).unwrap();
    map.append(false).unwrap();
    let map = map.finish();
    assert_eq!(shown(map.clone()), "{k: 1} | null");
    let Value::Map(entries) = read(&map, Extension::None, 0) else { panic!("a map") };
    assert_eq!(entries.len(), 1);
    assert_eq!(entries.iter().next(), Some(("k", Value::Int(1))));

    let mut counts = MapBuilder::new(None, Int32Builder::new(), Int32Builder::new());
    counts.keys().append_value(7);
    counts.values().append_value(1);
    counts.append(true).unwrap();
    let counts = counts.finish();
    assert_eq!(shown(counts.clone()), "[{key: 7, value: 1}]");
    let Value::List(entries) = read(&counts, Extension::None, 0) else { panic!("a list") };
    let Value::Struct(entry) = entries.get(0) else { panic!("a struct") };
    assert_eq!((entry.len(), entry.name(1), entry.get(1)), (2, "value", Value::Int(1)));
}

#[test]
fn dictionaries_runs_and_unions() {
    let labels = StringArray::from(vec![Some("a"), None]);
    let keys = arrow_array::PrimitiveArray::<Int8Type>::from(vec![Some(0), None, Some(1)]);
    let dictionary = DictionaryArray::new(keys, Arc::new(labels.clone()));
    assert_eq!(shown(dictionary.clone()), "a | null | null");
    let column = Column::from_array(Arc::new(dictionary));
    assert_eq!((column.null_count(), column.is_null(2)), (2, true));
    let keys = arrow_array::PrimitiveArray::<UInt64Type>::from(vec![1, 0]);
    assert_eq!(
        shown(DictionaryArray::new(keys, Arc::new(Float64Array::from(vec![0.5, 1.5])))),
        "1.5 | 0.5"
    );

    let ends = arrow_array::PrimitiveArray::<Int16Type>::from(vec![2, 3]);
    let runs = RunArray::try_new(&ends, &labels).unwrap();
    assert_eq!(shown(runs.clone()), "a | a | null");
    assert_eq!(shown(runs.slice(1, 2)), "a | null");

    let fields = UnionFields::try_new(
        [3, 5],
        [Field::new("n", DataType::Int64, true), Field::new("s", DataType::Utf8, true)],
    );
    let union = UnionArray::try_new(
        fields.unwrap(),
        ScalarBuffer::from(vec![5_i8, 3, 5]),
        Some(ScalarBuffer::from(vec![0, 0, 1])),
        vec![Arc::new(Int64Array::from(vec![9])), Arc::new(labels)],
    );
    assert_eq!(shown(union.unwrap()), "a | 9 | null");
    let nothing = Column::from_array(Arc::new(NullArray::new(2)));
    assert_eq!((nothing.null_count(), nothing.is_null(1)), (2, true));
}

#[test]
fn decimals_compare_by_what_they_print() {
    let wide = DecimalValue::wide(i256::from_i128(10), 1);
    assert_eq!(wide, DecimalValue::new(10, 1));
    assert_ne!(wide, DecimalValue::new(1, 0));
    assert_eq!((wide.unscaled(), wide.scale()), (Some(10), 1));
    assert_eq!(format!("{wide:>5}"), "  1.0");
    assert_eq!(DecimalValue::wide(i256::MIN, 0).unscaled(), None);
}

#[test]
#[should_panic(expected = "element 1 of a list of 1")]
fn a_list_has_no_element_past_its_end() {
    let values = Buffer::from_vec(vec![1_i32, 2]);
    let list = ListArray::try_new(
        Arc::new(Field::new("item", DataType::Int32, true)),
        arrow_buffer::OffsetBuffer::from_lengths([1, 1]),
        Arc::new(Int32Array::new(ScalarBuffer::from(values), None)),
        None,
    );
    let list = list.unwrap();
    let Value::List(elements) = read(&list, Extension::None, 0) else { panic!("a list") };
    let _ = elements.get(1);
}
