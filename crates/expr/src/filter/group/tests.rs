use std::sync::Arc;

use rowmill_columns::build::{Bytes, Fixed};
use rowmill_columns::kernels::NullKeys;
use rowmill_columns::{Batch, Field, Schema, Type};

use super::Grouping;
use crate::node::Expr;
use crate::operators::Operator as O;

/// Teams "a", "b", "a" and NULL, with 3, 5, 4 and no points.
fn games() -> Batch {
    let (mut teams, mut points) = (Bytes::text(), Fixed::new(0_i64));
    for (team, scored) in [("a", 3), ("b", 5), ("a", 4)] {
        teams.push(team.as_bytes());
        points.push(scored);
    }
    teams.push_null();
    points.push_null();
    let fields = vec![Field::new("team", Type::Text), Field::new("points", Type::Int64)];
    let columns = vec![teams.finish().unwrap(), points.finish(&Type::Int64)];
    Batch::new(Arc::new(Schema::new(fields)), columns, 4)
}

fn points(operator: O) -> Expr {
    Expr::call(operator, [Expr::named("points")]).unwrap()
}

fn by_team(results: &[(&str, Expr)], nulls: NullKeys) -> Result<Batch, String> {
    let batch = games();
    let keys = [("team".into(), Expr::named("team"))];
    let results: Vec<(Arc<str>, Expr)> =
        results.iter().map(|(name, result)| ((*name).into(), result.clone())).collect();
    Grouping::new(&keys, &results, nulls, batch.schema())
        .and_then(|grouping| grouping.run(&batch))
        .map_err(|error| error.to_string())
}

fn shown(results: &[(&str, Expr)]) -> Vec<String> {
    let found = by_team(results, NullKeys::Kept).unwrap();
    let cell = |at, row| format!("{:?}", found.value(at, row));
    (1..found.columns().len())
        .map(|at| (0..found.rows()).map(|row| cell(at, row)).collect::<Vec<_>>().join(" "))
        .collect()
}

#[test]
fn every_aggregate_of_the_table() {
    let all = [
        ("rows", Expr::call(O::CountRows, []).unwrap()),
        ("count", points(O::Count)),
        ("distinct", points(O::CountDistinct)),
        ("sum", points(O::Sum)),
        ("mean", points(O::Average)),
        ("min", points(O::Minimum)),
        ("max", points(O::Maximum)),
    ];
    let expected = [
        "Int(2) Int(1) Int(1)",
        "Int(2) Int(1) Int(0)",
        "Int(2) Int(1) Int(0)",
        "Int(7) Int(5) Null",
        "Float(3.5) Float(5.0) Null",
        "Int(3) Int(5) Null",
        "Int(4) Int(5) Null",
    ];
    assert_eq!(shown(&all), expected);
}

#[test]
fn aggregates_of_some_rows() {
    let many = Expr::call(O::Greater, [Expr::named("points"), Expr::literal(3)]).unwrap();
    let some = |of: Expr| Expr::call(O::Where, [of, many.clone()]).unwrap();
    let rows = some(Expr::call(O::CountRows, []).unwrap());
    assert_eq!(shown(&[("rows", rows)]), ["Int(1) Int(1) Int(0)"]);
    assert_eq!(shown(&[("sum", some(points(O::Sum)))]), ["Int(4) Int(5) Null"]);
}

#[test]
fn results_are_computed_from_aggregates_and_keys() {
    let spread = Expr::call(O::Subtract, [points(O::Maximum), points(O::Minimum)]).unwrap();
    let upper = Expr::call(O::Upper, [Expr::named("team")]).unwrap();
    let computed = shown(&[("spread", spread), ("upper", upper), ("max", points(O::Maximum))]);
    let expected = ["Int(1) Int(0) Null", r#"Text("A") Text("B") Null"#, "Int(4) Int(5) Null"];
    assert_eq!(computed, expected);
}

#[test]
fn keys_may_stand_again_as_they_were_written() {
    let batch = games();
    let odd = || Expr::call(O::Remainder, [Expr::named("points"), Expr::literal(2)]).unwrap();
    let keys = [("odd".into(), odd())];
    let again = Expr::call(O::Add, [odd(), Expr::literal(10)]).unwrap();
    let results = [("again".into(), again)];
    let grouping = Grouping::new(&keys, &results, NullKeys::Kept, batch.schema()).unwrap();
    let found = grouping.run(&batch).unwrap();
    let cells: Vec<_> = (0..3).map(|row| format!("{:?}", found.value(1, row))).collect();
    assert_eq!(cells, ["Int(11)", "Int(10)", "Null"]);
}

#[test]
fn no_rows_without_keys_are_one_group() {
    let batch = games().slice(0, 0);
    let results = [("n", Expr::call(O::CountRows, []).unwrap()), ("sum", points(O::Sum))];
    let results = results.map(|(name, result)| (name.into(), result));
    let grouping = Grouping::new(&[], &results, NullKeys::Kept, batch.schema()).unwrap();
    let found = grouping.run(&batch).unwrap();
    assert_eq!(found.rows(), 1);
    assert_eq!(format!("{:?} {:?}", found.value(0, 0), found.value(1, 0)), "Int(0) Null");
}

#[test]
fn many_conditions_are_one() {
    let some = Expr::call(O::Greater, [Expr::named("points"), Expr::literal(3)]).unwrap();
    let mut narrowed = points(O::Sum);
    for _ in 0..100_000 {
        narrowed = Expr::call(O::Where, [narrowed, some.clone()]).unwrap();
    }
    assert_eq!(shown(&[("sum", narrowed)]), ["Int(4) Int(5) Null"]);
}

#[test]
fn groups_of_null_can_be_left_out() {
    let found = by_team(&[("sum", points(O::Sum))], NullKeys::Dropped).unwrap();
    assert_eq!(found.rows(), 2);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let refused = |result: Expr| by_team(&[("x", result)], NullKeys::Kept).unwrap_err();
    let error = refused(Expr::named("points"));
    assert!(error.contains("neither a key of the groups nor an aggregate"), "{error}");
    let error = refused(Expr::call(O::Sum, [Expr::named("team")]).unwrap());
    assert!(error.contains("team"), "{error}");
    let error = refused(Expr::call(O::Sum, [Expr::named("point")]).unwrap());
    assert!(error.contains("did you mean \"points\"?"), "{error}");
    let twice = [("team", points(O::Sum))];
    let error = by_team(&twice, NullKeys::Kept).unwrap_err();
    assert_eq!(error, "\"team\" is the name of two columns");
    let error = refused(Expr::call(O::Upper, [points(O::Sum)]).unwrap());
    assert!(error.contains("points"), "{error}");
    let over = Expr::over(points(O::Sum), vec![], vec![]).unwrap();
    assert!(refused(over).contains("is a window, which needs a database"));
    let mut deep = points(O::Sum);
    for _ in 0..5_000 {
        deep = Expr::call(O::Negate, [deep]).unwrap();
    }
    let error = refused(deep);
    assert!(error.contains("levels"), "{error}");
}
