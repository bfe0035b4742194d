use std::sync::Arc;

use rowmill_columns::Scalar;

use super::{Bound, Target, compile};
use crate::node::ColumnRef;
use crate::operators::Operator as O;
use crate::query::{Output, Query, Select, Source, Table};
use crate::{Base, Expr, Kind};

fn column(name: &str, kind: Kind) -> Expr {
    Expr::column(ColumnRef { source: None, name: name.into(), kind, nullable: true })
}

fn call<const N: usize>(operator: O, args: [Expr; N]) -> Expr {
    Expr::call(operator, args).unwrap()
}

fn of(base: Base) -> Expr {
    column("x", Kind::One(base))
}

/// The text of an expression in a select list.
fn text(expression: Expr, target: Target) -> String {
    let table = Table { schema: None, name: "t".into(), alias: None, columns: [].into() };
    let mut select = Select::new(vec![Output { expression, label: Some("v".into()) }]);
    select.from = Some(Arc::new(Source::Table(table)));
    let query = Query::Select(select.into());
    let sql = compile(&query, &Bound::of(&query), target).unwrap();
    // SQLite's names stand in backticks.
    let text = sql.text.replace('`', "\"");
    let inner =
        text.strip_prefix("select ").and_then(|sql| sql.strip_suffix(" as \"v\" from \"t\""));
    inner.unwrap_or(&text).to_owned()
}

fn postgres(expression: Expr) -> String {
    text(expression, Target::Postgres)
}

fn sqlite(expression: Expr) -> String {
    text(expression, Target::Sqlite)
}

#[test]
fn arithmetic_on_narrow_numbers_is_done_in_64_bits() {
    let x = of(Base::Int);
    assert_eq!(postgres(call(O::Add, [x.clone(), x.clone()])), r#""x"::int8 + "x""#);
    assert_eq!(postgres(call(O::Negate, [x.clone()])), r#"- "x"::int8"#);
    let least = call(O::Least, [x.clone(), x.clone()]);
    assert_eq!(postgres(call(O::Multiply, [least, x.clone()])), r#"least("x", "x")::int8 * "x""#);
    // A value is of 64 bits, and takes the other with it.
    assert_eq!(postgres(call(O::Add, [x.clone(), Expr::literal(1)])), r#""x" + $1::int8"#);
    assert_eq!(sqlite(call(O::Add, [x.clone(), x])), r#""x" + "x""#);
}

#[test]
fn an_integer_is_whole_already() {
    assert_eq!(postgres(call(O::Floor, [of(Base::Int)])), r#"("x")"#);
    assert_eq!(postgres(call(O::Ceil, [of(Base::Float)])), r#"ceil("x")"#);
}

#[test]
fn the_values_of_a_case_say_what_they_are() {
    let flag = column("b", Kind::BOOL);
    let values = [flag, Expr::literal("a"), Expr::literal("b")];
    assert_eq!(postgres(call(O::Case, values)), r#"case when "b" then $1::text else $2::text end"#);
}

#[test]
fn a_day_beside_a_moment_is_a_moment() {
    let moment = Expr::literal(Scalar::Timestamp { micros: 1, utc: false });
    let equal = call(O::Equal, [of(Base::Date), moment]);
    assert_eq!(postgres(equal.clone()), r#""x" = $1::timestamp"#);
    let day = r#"(case typeof("x") when 'text' then "x" || ' 00:00:00' else "x" end)"#;
    assert_eq!(sqlite(equal.clone()), format!("{day} = ?1"));
    assert_eq!(text(equal, Target::SqliteUnix), r#""x" = ?1"#);
    let month = call(O::TruncateMonth, [of(Base::Date)]);
    assert_eq!(postgres(month), r#"date_trunc('month', "x"::timestamp)"#);
}

#[test]
fn what_is_between_values_says_what_they_are() {
    let between = [Expr::literal(true), Expr::literal(false), of(Base::Bool)];
    assert_eq!(postgres(call(O::Between, between)), r#"$1::bool between $2::bool and "x""#);
}

#[test]
fn an_element_that_is_computed_makes_no_array() {
    let list = column("l", Kind::List(Base::Int));
    let found =
        r#"case when "l" is not null and "x" is not null then coalesce("x" = any("l"), false) end"#;
    assert_eq!(postgres(call(O::ListContains, [list.clone(), of(Base::Int)])), found);
    assert_eq!(postgres(call(O::ListContains, [list, Expr::literal(1)])), r#""l" @> $1"#);
}

#[test]
fn degrees_are_floats() {
    let whole = || Expr::literal(52);
    let near = postgres(call(O::GeoWithin, [whole(), whole(), whole(), whole(), whole()]));
    assert!(near.contains("radians($3::int8::float8 - $1::int8::float8)"), "{near}");
}

#[test]
fn sqlite_divides_floats() {
    let x = of(Base::Decimal);
    let quotient = r#"cast("x" as real) / cast("x" as real)"#;
    assert_eq!(sqlite(call(O::Divide, [x.clone(), x])), quotient);
    let x = of(Base::Float);
    assert_eq!(sqlite(call(O::Divide, [x.clone(), x])), r#"cast("x" as real) / "x""#);
    assert_eq!(
        sqlite(call(O::Divide, [of(Base::Float), Expr::literal(2)])),
        r#"cast("x" as real) / ?1"#
    );
}

#[test]
fn what_binds_less_than_its_place_is_enclosed() {
    let quarter = call(O::Quarter, [of(Base::Date)]);
    let twice = sqlite(call(O::Multiply, [Expr::literal(2), quarter]));
    assert!(twice.starts_with("?1 * ((cast("), "{twice}");
    let none = call(O::NotIn, [of(Base::Int), Expr::literal(Scalar::list([1]))]);
    let below = call(O::AllLess, [column("l", Kind::List(Base::Bool)), none]);
    assert!(sqlite(below.clone()).contains(r#"not "value" < ("x" not in ("#), "{}", sqlite(below));
}

#[test]
fn a_list_beside_one_is_json_in_sqlite() {
    let list = Expr::literal(Scalar::list([1]));
    let equal = call(O::Equal, [column("l", Kind::List(Base::Int)), list.clone()]);
    assert_eq!(sqlite(equal), r#""l" = json(?1)"#);
    let within = call(O::In, [of(Base::Int), list]);
    assert_eq!(sqlite(within), r#""x" in (select "value" from json_each(?1))"#);
}

#[test]
fn what_is_not_known_yet_may_be_what_is_wanted() {
    let day = || Expr::literal(Scalar::Timestamp { micros: 1, utc: true });
    let moved = call(O::Subtract, [day(), Expr::named("x")]);
    assert_eq!(moved.kind(), Kind::One(Base::Instant));
    let span = Scalar::Interval { months: 1, days: 0, micros: 0 };
    assert!(Expr::call(O::Subtract, [Expr::literal(span), Expr::named("x")]).is_ok());
    let contains = call(O::Contains, [Expr::named("x"), Expr::literal(1)]);
    assert!(matches!(contains.op(), crate::Op::Call(O::ListContains)));
}

#[test]
fn no_decimal_is_infinite_or_has_hundreds_of_digits() {
    let product = call(O::Multiply, [of(Base::Decimal), Expr::literal(f64::INFINITY)]);
    assert_eq!(product.kind(), Kind::FLOAT);
    let product = call(O::Multiply, [of(Base::Decimal), Expr::literal(5e-324)]);
    assert_eq!(product.kind(), Kind::FLOAT);
    let product = call(O::Multiply, [of(Base::Decimal), Expr::literal(1.5)]);
    assert_eq!(product.kind(), Kind::One(Base::Decimal));
}

#[test]
fn sqlite_takes_integers_beside_floats_as_floats() {
    let (int, float) = (of(Base::Int), column("f", Kind::FLOAT));
    let equal = call(O::Equal, [int.clone(), float.clone()]);
    assert_eq!(sqlite(equal.clone()), r#"cast("x" as real) = "f""#);
    assert_eq!(postgres(equal), r#""x" = "f""#);
    let first = call(O::Coalesce, [float.clone(), int.clone(), Expr::literal(1)]);
    assert_eq!(sqlite(first), r#"coalesce("f", cast("x" as real), cast(?1 as real))"#);
    let chosen = call(O::Case, [column("b", Kind::BOOL), int.clone(), float]);
    assert_eq!(sqlite(chosen), r#"case when "b" then cast("x" as real) else "f" end"#);
    // Beside a value it is the value that changes.
    assert_eq!(sqlite(call(O::Greater, [int, Expr::literal(2.5)])), r#""x" > ?1"#);
}

#[test]
fn lists_of_different_widths_are_compared() {
    let list = column("l", Kind::List(Base::Int));
    let common = call(O::ListOverlaps, [list.clone(), list.clone()]);
    assert_eq!(postgres(common), r#""l"::int8[] && "l"::int8[]"#);
    let values = Expr::literal(Scalar::list([1]));
    assert_eq!(postgres(call(O::ListOverlaps, [list, values])), r#""l" && $1"#);
}

#[test]
fn no_integer_is_beyond_64_bits() {
    let beyond = call(O::Equal, [of(Base::Int), Expr::literal(9_223_372_036_854_775_808.0)]);
    assert!(matches!(beyond.args()[1].value(), Some(Scalar::Float(value)) if value.is_infinite()));
    let list = Scalar::list([1e30, 2.0]);
    let within = call(O::In, [of(Base::Int), Expr::literal(list)]);
    assert_eq!(within.args()[1].value(), Some(&Scalar::list([2])));
}
