use std::sync::Arc;

use proptest::prelude::*;

use crate::testing::{any_batch, batch, fixed, text};
use crate::{Batch, Field, Schema, Type, Value};

fn cells(batch: &Batch, row: usize) -> Vec<Value<'_>> {
    (0..batch.columns().len()).map(|column| batch.value(column, row)).collect()
}

proptest! {
    #[test]
    fn slices_put_together_again_are_the_batch(batch in any_batch(), cut in any::<prop::sample::Index>()) {
        let cut = cut.index(batch.rows() + 1);
        let parts = [batch.slice(0, cut), batch.slice(cut, batch.rows() - cut)];
        prop_assert_eq!(&Batch::concat(&parts).unwrap(), &batch);
        let rows: Vec<u32> = (0..batch.rows() as u32).collect();
        prop_assert_eq!(&batch.take(&rows).unwrap(), &batch);
    }

    #[test]
    fn taken_rows_are_those_named(batch in any_batch(), picks in proptest::collection::vec(any::<prop::sample::Index>(), 0..20)) {
        let picks = picks.iter().filter(|_| batch.rows() > 0);
        let rows: Vec<u32> = picks.map(|pick| pick.index(batch.rows()) as u32).collect();
        let taken = batch.take(&rows).unwrap();
        prop_assert_eq!(taken.rows(), rows.len());
        for (at, row) in rows.into_iter().enumerate() {
            prop_assert_eq!(cells(&taken, at), cells(&batch, row as usize));
        }
    }

    #[test]
    fn null_counts_agree_with_the_cells(batch in any_batch()) {
        for (at, column) in batch.columns().iter().enumerate() {
            let nulls = (0..batch.rows()).filter(|&row| batch.value(at, row).is_null()).count();
            prop_assert_eq!(column.null_count(), nulls);
            prop_assert_eq!((0..batch.rows()).filter(|&row| column.is_null(row)).count(), nulls);
            let mut validity = Vec::new();
            column.write_validity(&mut validity);
            prop_assert_eq!(validity.len(), batch.rows());
            prop_assert_eq!(validity.iter().map(|valid| usize::from(*valid ^ 1)).sum::<usize>(), nulls);
        }
    }
}

#[test]
fn equality_is_of_values() {
    let floats = |cells: &[Option<f64>]| {
        batch(vec![("x", Type::Float64, fixed(&Type::Float64, f64::NAN, cells))])
    };
    assert_eq!(floats(&[Some(f64::NAN), None]), floats(&[Some(-f64::NAN), None]));
    assert_eq!(floats(&[Some(0.0)]), floats(&[Some(-0.0)]));
    assert_ne!(floats(&[Some(f64::NAN)]), floats(&[None]));
    assert_ne!(floats(&[Some(1.0)]), floats(&[Some(1.0), None]));
    let ints = fixed(&Type::Int64, 0_i64, &[Some(1)]);
    assert_ne!(
        batch(vec![("a", Type::Int64, ints.clone())]),
        batch(vec![("b", Type::Int64, ints)])
    );
}

#[test]
fn concatenation_says_what_differs() {
    let one = batch(vec![("a", Type::Int64, fixed(&Type::Int64, 0_i64, &[Some(1)]))]);
    let other = batch(vec![("a", Type::Text, text(&[Some("x")]))]);
    let error = Batch::concat(&[one.clone(), one.clone(), other]).unwrap_err();
    insta::assert_snapshot!(error, @r#"batch 2 differs from batch 0: column 0 is "a" text, not "a" int64"#);
    insta::assert_snapshot!(Batch::concat(&[]).unwrap_err(), @"there is no batch to concatenate");
    let error = one.take(&[0, 1]).unwrap_err();
    insta::assert_snapshot!(error, @"there is no row 1 among 1");
}

#[test]
fn a_batch_without_columns_keeps_its_rows() {
    let rows = Batch::new(Arc::new(Schema::default()), Vec::new(), 7);
    assert_eq!(rows.slice(2, 3).rows(), 3);
    assert_eq!(rows.take(&[1, 1]).unwrap().rows(), 2);
    assert_eq!(Batch::concat(&[rows.clone(), rows.clone()]).unwrap().rows(), 14);
    assert_eq!(rows.select(&[]).rows(), 7);
}

#[test]
fn selected_columns_may_repeat() {
    let pair = batch(vec![
        ("a", Type::Int64, fixed(&Type::Int64, 0_i64, &[Some(1)])),
        ("b", Type::Text, text(&[Some("x")])),
    ]);
    let picked = pair.select(&[1, 0, 1]);
    let names: Vec<&str> = picked.schema().fields.iter().map(|field| &*field.name).collect();
    assert_eq!(names, ["b", "a", "b"]);
    assert_eq!(picked.value(2, 0), Value::Text("x"));
    assert_eq!(picked.schema().position("b"), Some(0));
    assert_eq!(picked.schema().position("c"), None);
}

#[test]
fn empty_batches_have_every_column() {
    let kinds = [
        Type::Null,
        Type::Bool,
        Type::Decimal { precision: 50, scale: 2 },
        Type::Timestamp { utc: true },
        Type::Enum,
        Type::Uuid,
        Type::List(Box::new(Type::List(Box::new(Type::Json)))),
    ];
    let fields = kinds.iter().map(|kind| Field::new(kind.to_string(), kind.clone())).collect();
    let empty = Batch::empty(Arc::new(Schema::new(fields)));
    assert_eq!((empty.rows(), empty.columns().len()), (0, 7));
    assert_eq!(Batch::concat(&[empty.clone(), empty.clone()]).unwrap(), empty);
}

#[test]
fn fixed_width_columns_show_their_bytes() {
    let floats = fixed(&Type::Float64, f64::NAN, &[Some(1.5), None, Some(2.5)]);
    let bytes = floats.slice(1, 2).fixed_bytes().unwrap().to_vec();
    assert_eq!(bytes.len(), 16);
    assert!(f64::from_ne_bytes(bytes[..8].try_into().unwrap()).is_nan());
    let uuids = fixed(&Type::Uuid, 0_i128, &[Some(1), Some(2)]);
    assert_eq!(uuids.slice(1, 1).fixed_bytes(), Some(2_i128.to_ne_bytes().as_slice()));
    assert_eq!(text(&[Some("x")]).fixed_bytes(), None);
}
