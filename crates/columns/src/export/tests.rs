use std::ffi::c_void;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use arrow_array::types::Int32Type;
use arrow_array::{
    Array as _, ArrayRef, DictionaryArray, Int32Array, ListArray, RecordBatch, RecordBatchIterator,
    RecordBatchOptions, StringArray, StringViewArray, StructArray, TimestampSecondArray,
};
use arrow_buffer::NullBuffer;
use arrow_schema::{ArrowError, DataType, Field as ArrowField, Schema as ArrowSchemaRef, TimeUnit};
use proptest::prelude::*;

use super::{ArrowArray, ArrowSchema, ArrowStream, TextLayout};
use crate::testing::{any_batch, batch, fixed, text};
use crate::{Batch, ColumnError, Field, Schema, Type, Value, import_array, import_stream};

fn import(mut stream: ArrowStream) -> Result<Batch, ColumnError> {
    // SAFETY: the stream is ours alone, and valid.
    unsafe { import_stream((&raw mut stream).cast::<c_void>()) }
}

fn import_pair((mut schema, mut array): (ArrowSchema, ArrowArray)) -> Result<Batch, ColumnError> {
    // SAFETY: both are ours alone, and valid.
    unsafe { import_array((&raw mut schema).cast(), (&raw mut array).cast()) }
}

/// What another reader of streams makes of it.
fn others(stream: ArrowStream) -> Result<Vec<RecordBatch>, ArrowError> {
    RecordBatchStreamReader::try_new(stream.0)?.collect()
}

fn request(columns: Vec<(&str, DataType)>) -> ArrowSchema {
    let fields = columns.into_iter().map(|(name, kind)| ArrowField::new(name, kind, true));
    let kind = DataType::Struct(fields.collect());
    ArrowSchema((&kind).try_into().unwrap())
}

/// A stream made by another producer.
fn produced(batches: Vec<RecordBatch>) -> ArrowStream {
    let schema = batches[0].schema();
    let reader = RecordBatchIterator::new(batches.into_iter().map(Ok), schema);
    ArrowStream(FFI_ArrowArrayStream::new(Box::new(reader)))
}

fn record_batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter(columns).unwrap()
}

proptest! {
    #[test]
    fn batches_come_back_as_they_went(batch in any_batch()) {
        prop_assert_eq!(&import(batch.export_stream(None).unwrap()).unwrap(), &batch);
        prop_assert_eq!(&import_pair(batch.export_array(None).unwrap()).unwrap(), &batch);
        let small = import(batch.export_stream_as(TextLayout::Small).unwrap()).unwrap();
        prop_assert_eq!(&small, &batch);
        let views = import(batch.export_stream_as(TextLayout::View).unwrap()).unwrap();
        prop_assert_eq!(&views, &batch);
        let read = others(batch.export_stream_as(TextLayout::View).unwrap()).unwrap();
        prop_assert_eq!(read.len(), 1);
        prop_assert_eq!(read[0].num_rows(), batch.rows());
        for column in read[0].columns() {
            column.to_data().validate_full().unwrap();
        }
    }

    #[test]
    fn columns_come_back_as_they_went(batch in any_batch()) {
        for (field, column) in batch.schema().fields.iter().zip(batch.columns()) {
            let back = import(column.export_stream(field, None).unwrap()).unwrap();
            prop_assert_eq!(&back.schema().fields[0], field);
            prop_assert_eq!(&back.columns()[0], column);
            let back = import_pair(column.export_array(field, None).unwrap()).unwrap();
            prop_assert_eq!(&back.columns()[0], column);
        }
    }
}

#[test]
fn a_request_changes_the_layout_of_text_alone() {
    let lists = {
        let mut lists = crate::build::ListOffsets::default();
        lists.push(0);
        lists.push(2);
        lists.finish(&Type::Text, text(&[Some("a"), Some("a text beyond twelve bytes")]))
    };
    let all = batch(vec![
        ("skipped", Type::Text, text(&[Some("x"), None])),
        ("text", Type::Text, text(&[Some("y"), Some("a text beyond twelve bytes")])),
        ("json", Type::Json, text(&[Some("1"), None])),
        ("list", Type::List(Box::new(Type::Text)), lists),
        ("int", Type::Int32, fixed(&Type::Int32, 0, &[Some(1), None])),
    ]);
    // The first row goes, so that no offset begins at zero.
    let all = all.slice(1, 1);
    let item = |kind| Arc::new(ArrowField::new("element", kind, true));
    let wanted = [
        DataType::LargeUtf8,
        DataType::Utf8View,
        DataType::Utf8,
        DataType::List(item(DataType::Utf8View)),
        DataType::Float64,
    ];
    let names = ["a", "b", "c", "d", "e"];
    let schema = request(names.into_iter().zip(wanted.clone()).collect());
    let read = others(all.export_stream(Some(&schema)).unwrap()).unwrap().remove(0);
    let types: Vec<String> =
        read.columns().iter().map(|column| column.data_type().to_string()).collect();
    insta::assert_snapshot!(types.join("\n"), @r#"
    LargeUtf8
    Utf8View
    Utf8
    List(Utf8View)
    Int32
    "#);
    assert_eq!(read.column(1).as_string_view().value(0), "a text beyond twelve bytes");
    assert_eq!(read.schema().field(2).metadata()["ARROW:extension:name"], "arrow.json");
    assert_eq!(import(all.export_stream(Some(&schema)).unwrap()).unwrap(), all);

    // Of other columns, or none that can be read: ignored.
    let other = request(vec![("text", DataType::Utf8)]);
    assert_eq!(
        others(all.export_stream(Some(&other)).unwrap()).unwrap()[0].column(1).data_type(),
        &DataType::LargeUtf8
    );
    let released = ArrowSchema(arrow_array::ffi::FFI_ArrowSchema::empty());
    assert!(all.export_stream(Some(&released)).is_ok());
}

#[test]
fn views_and_small_offsets_share_the_text() {
    let long = "a text beyond twelve bytes";
    let one = batch(vec![("text", Type::Text, text(&[Some(long)]))]);
    let address = |column: &ArrayRef| match column.data_type() {
        DataType::Utf8View => column.as_string_view().data_buffers()[0].as_ptr(),
        DataType::Utf8 => column.as_string::<i32>().values().as_ptr(),
        _ => column.as_string::<i64>().values().as_ptr(),
    };
    let ours = address(one.columns()[0].array());
    for layout in [TextLayout::Large, TextLayout::Small, TextLayout::View] {
        let read = others(one.export_stream_as(layout).unwrap()).unwrap();
        assert_eq!(address(read[0].column(0)), ours, "{layout:?}");
    }
}

#[test]
fn schemas() {
    let schema = Schema::new(vec![
        Field::new("id", Type::Uuid),
        Field::new("docs", Type::List(Box::new(Type::Json))),
        Field::new("at", Type::Timestamp { utc: true }),
        Field::new("mood", Type::Enum),
    ]);
    let exported = schema.export().unwrap();
    let field = ArrowField::try_from(&exported.0).unwrap();
    let DataType::Struct(fields) = field.data_type() else { panic!("a struct") };
    let kinds: Vec<Type> = fields.iter().map(|field| Type::from_field(field)).collect();
    assert_eq!(kinds, schema.fields.iter().map(|field| field.kind.clone()).collect::<Vec<_>>());
    let one = ArrowField::try_from(&schema.fields[0].export().unwrap().0).unwrap();
    assert_eq!((one.name().as_str(), Type::from_field(&one)), ("id", Type::Uuid));
    let zero = Schema::new(vec![Field::new("a\0b", Type::Int64)]);
    assert!(zero.export().is_err());
    assert!(Batch::empty(Arc::new(zero)).export_stream(None).is_err());
}

#[test]
fn a_batch_without_columns_keeps_its_rows() {
    let rows = Batch::new(Arc::new(Schema::default()), Vec::new(), 3);
    assert_eq!(import(rows.export_stream(None).unwrap()).unwrap().rows(), 3);
    let options = RecordBatchOptions::new().with_row_count(Some(4));
    let theirs =
        RecordBatch::try_new_with_options(Arc::new(ArrowSchemaRef::empty()), vec![], &options);
    assert_eq!(import(produced(vec![theirs.unwrap()])).unwrap().rows(), 4);
}

#[test]
fn streams_of_no_chunk_or_several() {
    let part = |values: Vec<&str>| {
        record_batch(vec![("s", Arc::new(StringArray::from(values)) as ArrayRef)])
    };
    let three =
        import(produced(vec![part(vec!["a"]), part(vec![]), part(vec!["b", "c"])])).unwrap();
    assert_eq!(three, batch(vec![("s", Type::Text, text(&[Some("a"), Some("b"), Some("c")]))]));
    let schema = part(vec![]).schema();
    let reader = RecordBatchIterator::new(std::iter::empty(), schema);
    let none = import(ArrowStream(FFI_ArrowArrayStream::new(Box::new(reader)))).unwrap();
    assert_eq!((none.rows(), &none.schema().fields[0].kind), (0, &Type::Text));
}

#[test]
fn what_others_send_becomes_our_types_or_stays_as_it_is() {
    let zone = TimestampSecondArray::from(vec![Some(1), None]).with_timezone("Europe/Berlin");
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1)]), None]);
    let theirs = record_batch(vec![
        ("view", Arc::new(StringViewArray::from(vec![Some("a text beyond twelve bytes"), None]))),
        ("small", Arc::new(StringArray::from(vec![None, Some("x")]))),
        ("zone", Arc::new(zone)),
        ("list", Arc::new(list)),
        ("enum", Arc::new("a b".split(' ').collect::<DictionaryArray<Int32Type>>())),
        (
            "struct",
            Arc::new(StructArray::from(vec![(
                Arc::new(ArrowField::new("n", DataType::Int32, true)),
                Arc::new(Int32Array::from(vec![1, 2])) as ArrayRef,
            )])),
        ),
    ]);
    let ours = import(produced(vec![theirs.clone(), theirs])).unwrap();
    let shown: Vec<String> = ours
        .schema()
        .fields
        .iter()
        .enumerate()
        .map(|(at, field)| {
            format!("{}: {} = {}, {}", field.name, field.kind, ours.value(at, 2), ours.value(at, 3))
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    view: text = a text beyond twelve bytes, null
    small: text = null, x
    zone: Timestamp(s, "Europe/Berlin") = 1970-01-01 00:00:01+00, null
    list: list[int32] = [1], null
    enum: enum = a, b
    struct: struct[n: int32] = {n: 1}, {n: 2}
    "#);
    // The zone's name and the rest go out as they came in.
    let back = others(ours.export_stream(None).unwrap()).unwrap();
    assert_eq!(
        back[0].column(2).data_type(),
        &DataType::Timestamp(TimeUnit::Second, Some("Europe/Berlin".into()))
    );
    assert_eq!(import(ours.export_stream(None).unwrap()).unwrap(), ours);
}

#[test]
fn extension_types_that_are_not_ours_are_kept() {
    let metadata = [
        ("ARROW:extension:name", "geoarrow.wkt"),
        ("ARROW:extension:metadata", "{}"),
        ("other", "x"),
    ];
    let field = ArrowField::new("place", DataType::Utf8, true)
        .with_metadata(metadata.map(|(key, value)| (key.to_owned(), value.to_owned())));
    let schema = Arc::new(ArrowSchemaRef::new(vec![field]));
    let points: ArrayRef = Arc::new(StringArray::from(vec!["POINT (1 2)"]));
    let theirs = RecordBatch::try_new(schema, vec![points]).unwrap();
    let ours = import(produced(vec![theirs])).unwrap();
    assert_eq!(ours.schema().fields[0].kind.to_string(), "geoarrow.wkt(Utf8)");
    assert_eq!(ours.value(0, 0), Value::Text("POINT (1 2)"));
    let back = others(ours.export_stream(None).unwrap()).unwrap();
    assert_eq!(back[0].schema().field(0).metadata()["ARROW:extension:name"], "geoarrow.wkt");
    assert_eq!(back[0].schema().field(0).metadata()["ARROW:extension:metadata"], "{}");
}

#[test]
fn null_rows_of_a_struct_are_null_in_each_column() {
    let array = StructArray::new(
        vec![
            ArrowField::new("n", DataType::Int32, true),
            ArrowField::new("s", DataType::Utf8, true),
        ]
        .into(),
        vec![
            Arc::new(Int32Array::from(vec![Some(1), Some(2), None])),
            Arc::new(StringArray::from(vec!["a", "b", "c"])),
        ],
        Some(NullBuffer::from(vec![true, false, true])),
    );
    // Sliced, so that each bitmap has an offset.
    let data = array.slice(1, 2).to_data();
    let (array, schema) = arrow_array::ffi::to_ffi(&data).unwrap();
    let ours = import_pair((ArrowSchema(schema), ArrowArray(array))).unwrap();
    assert_eq!(
        ours,
        batch(vec![
            ("n", Type::Int32, fixed(&Type::Int32, 0, &[None, None])),
            ("s", Type::Text, text(&[None, Some("c")])),
        ])
    );
}

#[test]
fn bad_pointers_and_failing_producers_are_errors() {
    // SAFETY: NULL is allowed.
    let error = unsafe { import_stream(std::ptr::null_mut()) }.unwrap_err();
    insta::assert_snapshot!(error, @"the Arrow stream is a null pointer");
    // SAFETY: NULL is allowed.
    let error = unsafe { import_array(std::ptr::null_mut(), std::ptr::null_mut()) }.unwrap_err();
    insta::assert_snapshot!(error, @"the Arrow array or its schema is a null pointer");

    let one = batch(vec![("n", Type::Int32, fixed(&Type::Int32, 0, &[Some(1)]))]);
    let mut stream = one.export_stream(None).unwrap();
    let pointer = (&raw mut stream).cast::<c_void>();
    // SAFETY: the stream is ours alone; the second call finds it released.
    let twice = unsafe { (import_stream(pointer), import_stream(pointer)) };
    assert_eq!(twice.0.unwrap(), one);
    insta::assert_snapshot!(twice.1.unwrap_err(), @"the Arrow stream was read before; export a new one");

    let (schema, array) = one.export_array(None).unwrap();
    drop(array);
    let error =
        import_pair((schema, ArrowArray(arrow_array::ffi::FFI_ArrowArray::empty()))).unwrap_err();
    insta::assert_snapshot!(error, @"the Arrow array was imported before; export a new one");

    let failing = RecordBatchIterator::new(
        [Err(ArrowError::ComputeError("the disk is gone".to_owned()))],
        Arc::new(ArrowSchemaRef::empty()),
    );
    let error = import(ArrowStream(FFI_ArrowArrayStream::new(Box::new(failing)))).unwrap_err();
    insta::assert_snapshot!(error, @"the producer of the Arrow stream failed: Compute error: the disk is gone");
}

#[test]
fn streams_that_nobody_reads_are_released() {
    let column = text(&[Some("x")]);
    let one = batch(vec![("s", Type::Text, column.clone())]);
    let held = Arc::strong_count(column.array());
    drop(one.export_stream(None).unwrap());
    drop(one.export_array(None).unwrap());
    let half_read = others(one.export_stream(None).unwrap()).unwrap();
    drop(half_read);
    assert_eq!(Arc::strong_count(column.array()), held);
}
