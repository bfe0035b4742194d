use std::sync::Arc;

use rowmill_columns::{Field, Scalar, Schema, Type, Value};

use crate::matcher::{Attributes, Base, Record, Scratch};
use crate::operators::Operator as O;
use crate::{Expr, ExprError};

fn attributes() -> Arc<Attributes> {
    let words = Type::List(Box::new(Type::Text));
    Attributes::new(Arc::new(Schema::new(vec![
        Field::new("country", Type::Text),
        Field::new("age", Type::Int64),
        Field::new("price", Type::Float64),
        Field::new("tags", words),
        Field::new("at", Type::Timestamp { utc: true }),
    ])))
}

fn call(operator: O, args: impl IntoIterator<Item = Expr>) -> Expr {
    Expr::call(operator, args).unwrap()
}

fn age(operator: O, value: i64) -> Expr {
    call(operator, [Expr::named("age"), Expr::literal(value)])
}

fn matched(conditions: &[Expr], fill: impl Fn(&mut Record)) -> Vec<u64> {
    let attributes = attributes();
    let mut builder = Base::builder(&attributes);
    for (id, condition) in conditions.iter().enumerate() {
        builder.insert(id as u64, condition).unwrap();
    }
    let mut record = Record::new(&attributes);
    fill(&mut record);
    let mut ids = Vec::new();
    builder.build().matches(&record, &mut Scratch::new(), &mut ids).unwrap();
    ids.sort_unstable();
    ids
}

#[test]
fn a_value_of_another_kind_is_refused_by_the_attributes_name() {
    let mut record = Record::new(&attributes());
    let message = |result: Result<(), ExprError>| result.unwrap_err().to_string();
    assert_eq!(
        message(record.set_text(1, "thirty")),
        "the attribute \"age\" is int, but is given text"
    );
    assert_eq!(
        message(record.set_list(3, [Value::Text("a"), Value::Int(1)])),
        "the attribute \"tags\" is list[text], but its list holds an integer"
    );
    assert!(message(record.set_list(0, [])).contains("\"country\" is text, but is given a list"));
    assert!(message(record.set(3, &Value::Text("a"))).contains("\"tags\""));
    assert!(message(record.set_float(1, 1.0)).contains("\"age\""));
    assert!(message(record.set(1, &Value::UInt(u64::MAX))).contains("\"age\""));
    let inexact = (1 << 53) + 1;
    let said =
        "\"price\" is float, but is given 9007199254740993, which no float is exactly; round it";
    assert!(message(record.set_int(2, inexact)).contains(said));
    assert!(message(record.set(2, &Value::UInt(inexact as u64))).contains(said));
    // As floats are written, and as they are.
    for whole in [3, 1_234_567_890_123_456_800, -1_234_567_890_123_456_768, i64::MIN] {
        record.set_int(2, whole).unwrap();
    }
}

#[test]
fn an_id_is_taken_once_and_an_expression_has_to_make_sense() {
    let mut builder = Base::builder(&attributes());
    builder.insert(5, &age(O::Less, 3)).unwrap();
    let error = builder.insert(5, &age(O::Less, 4)).unwrap_err();
    assert_eq!(error.to_string(), "there is an expression 5 already");
    let unknown = call(O::Equal, [Expr::named("contry"), Expr::literal("DE")]);
    let error = builder.insert(6, &unknown).unwrap_err();
    assert!(
        error.to_string().contains("no attribute \"contry\"; is \"country\" meant?"),
        "{error}"
    );
    let mixed = call(O::Equal, [Expr::named("country"), Expr::literal(1)]);
    assert!(builder.insert(6, &mixed).is_err());
    assert!(builder.insert(6, &Expr::named("age")).is_err());
    assert_eq!(builder.len(), 1);
}

#[test]
fn what_is_always_or_never_true() {
    let empty = |operator: O| {
        call(operator, [Expr::named("country"), Expr::literal(Scalar::list(Vec::<Scalar>::new()))])
    };
    let conditions = [
        Expr::literal(true),
        Expr::literal(false),
        call(O::And, [age(O::Greater, 5), age(O::Less, 3)]),
        call(O::Or, [age(O::Greater, 5), age(O::LessOrEqual, 5)]),
        call(
            O::Or,
            [call(O::IsNull, [Expr::named("age")]), call(O::IsNotNull, [Expr::named("age")])],
        ),
        empty(O::In),
        empty(O::NotIn),
    ];
    assert_eq!(matched(&conditions, |_| {}), [0, 4, 6]);
    assert_eq!(matched(&conditions, |record| record.set_int(1, 7).unwrap()), [0, 3, 4, 6]);
}

#[test]
fn no_expressions_and_lists_of_a_hundred_thousand() {
    assert!(matched(&[], |_| {}).is_empty());
    let values: Vec<Scalar> = (0..100_000_i64).map(Scalar::Int).collect();
    let long = |operator: O| {
        call(operator, [Expr::named("age"), Expr::literal(Scalar::list(values.clone()))])
    };
    let conditions = [long(O::In), long(O::NotIn)];
    assert_eq!(matched(&conditions, |record| record.set_int(1, 99_999).unwrap()), [0]);
    assert_eq!(matched(&conditions, |record| record.set_int(1, -1).unwrap()), [1]);
}

#[test]
fn what_is_too_deep_is_refused_and_what_is_long_is_not() {
    let mut builder = Base::builder(&attributes());
    let deep = (0..10_000).fold(age(O::Less, 3), |all, _| call(O::Not, [all]));
    assert!(builder.insert(1, &deep).is_err());
    let chain =
        (0..3_000).fold(age(O::Less, 3), |all, at| call(O::Or, [all, age(O::Equal, at * 2)]));
    let joint = (0..20).map(|at| {
        let tag = call(O::ListContains, [Expr::named("tags"), Expr::literal(format!("t{at}"))]);
        call(O::And, [tag, age(O::NotEqual, at)])
    });
    let all = call(O::And, joint);
    let ids = matched(&[chain, all], |record| {
        record.set_int(1, 5_998).unwrap();
        let tags: Vec<String> = (0..20).map(|at| format!("t{at}")).collect();
        record.set_list(3, tags.iter().map(|tag| Value::Text(tag))).unwrap();
    });
    assert_eq!(ids, [0, 1]);
}

#[test]
fn a_number_out_of_range_fails_one_expression() {
    let attributes = attributes();
    let mut builder = Base::builder(&attributes);
    let sum = call(O::Add, [Expr::named("age"), Expr::literal(1)]);
    builder.insert(1, &call(O::Greater, [sum, Expr::literal(0)])).unwrap();
    builder.insert(2, &age(O::Greater, 0)).unwrap();
    let base = builder.build();
    let (mut record, mut ids) = (Record::new(&attributes), Vec::new());
    record.set_int(1, i64::MAX).unwrap();
    let error = base.matches(&record, &mut Scratch::new(), &mut ids).unwrap_err();
    assert!(error.to_string().starts_with("integer out of range"));
    assert_eq!(ids, [2]);
}

#[test]
fn an_explanation_has_each_part() {
    let attributes = attributes();
    let mut builder = Base::builder(&attributes);
    let german = call(O::Equal, [Expr::named("country"), Expr::literal("DE")]);
    let both = call(O::And, [german, call(O::Not, [age(O::Less, 18)])]);
    builder.insert(1, &both).unwrap();
    let base = builder.build();
    let mut record = Record::new(&attributes);
    record.set_text(0, "DE").unwrap();
    let said = base.explain(1, &record).unwrap();
    let shown: Vec<String> =
        said.iter().map(|one| format!("{} {} {:?}", one.depth, one.condition, one.truth)).collect();
    assert_eq!(
        shown,
        [
            "0 (col(\"country\") == \"DE\") & (~(col(\"age\") < 18)) None",
            "1 col(\"country\") == \"DE\" Some(true)",
            "1 ~(col(\"age\") < 18) None",
            "2 col(\"age\") < 18 None",
        ]
    );
    assert_eq!(base.explain(2, &record).unwrap_err().to_string(), "there is no expression 2");
}

#[test]
fn records_of_other_attributes_are_refused() {
    let base = Base::builder(&attributes()).build();
    let other = Attributes::new(Arc::new(Schema::new(vec![Field::new("x", Type::Int64)])));
    assert!(base.any(&Record::new(&other), &mut Scratch::new()).is_err());
    assert!(base.any(&Record::new(&attributes()), &mut Scratch::new()).is_ok());
}

#[test]
fn a_hundred_thousand_comparisons_are_one_list() {
    let equal = (0..100_000).map(|at| age(O::Equal, at * 2));
    let unequal = (0..100_000).map(|at| age(O::NotEqual, at * 2));
    let conditions = [call(O::Or, equal), call(O::And, unequal)];
    assert_eq!(matched(&conditions, |record| record.set_int(1, 199_998).unwrap()), [0]);
    assert_eq!(matched(&conditions, |record| record.set_int(1, 199_999).unwrap()), [1]);
    assert!(matched(&conditions, |_| {}).is_empty());
}
