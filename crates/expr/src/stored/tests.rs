use insta::assert_snapshot;
use proptest::prelude::*;
use rowmill_columns::{Elements, Scalar};

use crate::kind::Kind;
use crate::node::{ColumnRef, Expr, Parameter};
use crate::operators::{Operator as O, Place, TABLE};
use crate::{ExprError, limits};

fn col(name: &str) -> Expr {
    Expr::named(name)
}

fn call(operator: O, args: impl IntoIterator<Item = Expr>) -> Expr {
    Expr::call(operator, args).unwrap()
}

fn back(expression: &Expr) -> Expr {
    Expr::from_json(&expression.to_json().unwrap()).unwrap()
}

fn refused(json: &str) -> String {
    Expr::from_json(json).unwrap_err().to_string()
}

/// What is stored today is read by every later version: a name may be added here, and none be changed.
#[test]
fn the_names_are_these_for_good() {
    let names: Vec<String> = TABLE.iter().map(|entry| super::name(entry.operator)).collect();
    assert_snapshot!(names.join(" "), @r##"and or not is_null is_not_null equal not_equal less less_or_equal greater greater_or_equal is_distinct is_not_distinct between in not_in add subtract multiply divide quotient remainder negate abs floor ceil like ilike contains starts_with ends_with matches lower upper length trim concat list_contains list_overlaps list_contains_all list_disjoint list_length any_equal any_not_equal any_less any_less_or_equal any_greater any_greater_or_equal all_equal all_not_equal all_less all_less_or_equal all_greater all_greater_or_equal json_get year quarter month week day week_day year_day hour minute second epoch truncate_year truncate_quarter truncate_month truncate_week truncate_day truncate_hour truncate_minute truncate_second coalesce case to_int to_float to_text least greatest geo_within count_rows count count_distinct sum average minimum maximum where row_number rank dense_rank lag lead first_value last_value descending nulls_first nulls_last"##);
}

#[test]
fn a_condition_is_read_back() {
    let adult = call(O::GreaterOrEqual, [col("age"), Expr::literal(18)]);
    let here = call(O::In, [col("country"), Expr::literal(Scalar::list(["DE", "FR"]))]);
    let not = call(O::Not, [call(O::Like, [col("name"), Expr::literal("a\"\\\u{1}é%")])]);
    let all = call(O::And, [call(O::And, [adult, here]), not]);
    assert_snapshot!(all.to_json().unwrap(), @r##"["and", ["greater_or_equal", ["column", "age"], 18], ["in", ["column", "country"], {"list": ["DE", "FR"]}], ["not", ["like", ["column", "name"], "a\"\\\u0001é%"]]]"##);
    assert!(back(&all).same(&all));
}

#[test]
fn an_object_tells_what_json_does_not() {
    let day = Scalar::Date(19_753);
    let values = [
        Scalar::Float(1.0),
        Scalar::Float(f64::NAN),
        Scalar::Float(-0.0),
        Scalar::Decimal("1.50".to_owned()),
        day.clone(),
        Scalar::Date(i32::MAX),
        Scalar::Time(37_800_000_001),
        Scalar::Timestamp { micros: -1, utc: false },
        Scalar::Timestamp { micros: i64::MAX, utc: true },
        Scalar::Interval { months: 1, days: -2, micros: 3 },
        Scalar::Uuid([7; 16]),
        Scalar::Bytes(vec![0, 255]),
        Scalar::Json("{\"a\": [1]}".to_owned()),
        Scalar::Null,
        Scalar::List(vec![day, Scalar::Null].into()),
    ];
    let texts: Vec<String> =
        values.iter().map(|value| Expr::literal(value.clone()).to_json().unwrap()).collect();
    assert_snapshot!(texts.join("\n"), @r##"
{"float": 1.0}
{"float": "NaN"}
{"float": "-0.0"}
{"decimal": "1.50"}
{"date": "2024-01-31"}
{"date": 2147483647}
{"time": "10:30:00.000001"}
{"timestamp": "1969-12-31 23:59:59.999999"}
{"instant": 9223372036854775807}
{"interval": [1, -2, 3]}
{"uuid": "07070707-0707-0707-0707-070707070707"}
{"bytes": "AP8="}
{"json": "{\"a\": [1]}"}
null
{"list": [{"date": "2024-01-31"}, null]}
    "##);
}

#[test]
fn what_people_write_is_read_too() {
    let text = |json: &str| Expr::from_json(json).unwrap().to_string();
    assert_snapshot!(text(r#" ["or",["is_null",["column","a"]],["less",["column","a"],1.5],true]"#), @r##"col("a").is_null() | (col("a") < 1.5) | True"##);
    assert_snapshot!(text(r#"["equal", ["column", "a"], 18446744073709551615]"#), @r##"col("a") == Decimal("18446744073709551615")"##);
    let noon = Expr::from_json(r#"{"instant": "1970-01-01T02:00:01+02:00"}"#).unwrap();
    assert_eq!(noon.value(), Some(&Scalar::Timestamp { micros: 1_000_000, utc: true }));
}

#[test]
fn what_is_no_expression_is_refused() {
    let wrong = [
        "",
        "[]",
        "[1]",
        "[\"column\"]",
        "[\"column\", \"a\", \"b\"]",
        "[\"graeter\", [\"column\", \"a\"], 1]",
        "[\"less\", [\"column\", \"a\"]]",
        "[\"like\", 1, \"a\"]",
        "{}",
        "{\"date\": \"yesterday\"}",
        "{\"float\": \"1\", \"date\": 1}",
        "{\"decimal\": \"x\"}",
        "{\"json\": \"{\"}",
        "{\"list\": [[1]]}",
        "1 2",
    ];
    let messages: Vec<String> = wrong.into_iter().map(refused).collect();
    assert_snapshot!(messages.join("\n"), @r##"
a stored expression: EOF while parsing a value at line 1 column 0
a stored expression: invalid length 0, expected ["column", name], [operator, operands…] or a value at line 1 column 2
a stored expression: invalid type: integer `1`, expected a string at line 1 column 2
a stored expression: a column is ["column", name] at line 1 column 10
a stored expression: a column is ["column", name] at line 1 column 20
a stored expression: there is no operator "graeter"; is "greater" meant? at line 1 column 12
a stored expression: a < b takes 2 operands, 1 given at line 1 column 25
a stored expression: takes text, not int
  1.like("a")
  ^ at line 1 column 16
a stored expression: an object names the kind of its value, as {"float": 1.5} at line 1 column 2
a stored expression: {"date": …} is none of the kinds, or not of its form at line 1 column 21
a stored expression: {"float": …} has one member alone at line 1 column 21
a stored expression: {"decimal": …} is none of the kinds, or not of its form at line 1 column 16
a stored expression: {"json": …} is none of the kinds, or not of its form at line 1 column 13
a stored expression: invalid type: sequence, expected a value at line 1 column 11
a stored expression: trailing characters at line 1 column 3
    "##);
    let deep = format!("{}1{}", "[\"not\", ".repeat(10_000), "]".repeat(10_000));
    assert_snapshot!(refused(&deep), @r##"a stored expression: recursion limit exceeded at line 1 column 1017"##);
}

#[test]
fn what_a_database_alone_computes_is_not_stored() {
    let refused = |expression: Expr| expression.to_json().unwrap_err().to_string();
    let parameter = Parameter { at: 0, name: "who".into(), kind: Kind::Any };
    assert_snapshot!(refused(Expr::parameter(parameter)), @r##":who has no value yet to be stored"##);
    assert_snapshot!(refused(Expr::raw(vec!["now()".into()], vec![]).unwrap()), @r##"sql("now()") is for a database alone: only what looks at one row is stored"##);
    let named = Scalar::Struct(vec![("a".to_owned(), Scalar::Null)]);
    assert_snapshot!(refused(Expr::literal(named)), @r##"
named values cannot be stored
named values
    "##);
}

#[test]
fn a_long_chain_is_one_level_and_a_deep_tree_is_refused() {
    let leaf = |n: i64| call(O::Equal, [col("a"), Expr::literal(n)]);
    let long = (1..10_000).fold(leaf(0), |all, n| call(O::Or, [all, leaf(n)]));
    assert!(back(&long).same(&long));
    let nested = |levels: usize| (2..levels).fold(col("a"), |all, _| call(O::Negate, [all]));
    let most = nested(limits::STORED_DEPTH);
    assert!(back(&most).same(&most));
    let error = nested(limits::STORED_DEPTH + 3).to_json().unwrap_err().to_string();
    assert!(error.contains("nested deeper than 100 levels"), "{error}");
}

fn scalar() -> impl Strategy<Value = Scalar> {
    let one = prop_oneof![
        Just(Scalar::Null),
        any::<bool>().prop_map(Scalar::Bool),
        any::<i64>().prop_map(Scalar::Int),
        any::<f64>().prop_map(Scalar::Float),
        (any::<i128>(), 0..30_u32).prop_map(|(digits, scale)| {
            Scalar::Decimal(format!("{digits}.{}", "1".repeat(scale as usize + 1)))
        }),
        ".*".prop_map(Scalar::Text),
        any::<Vec<u8>>().prop_map(Scalar::Bytes),
        any::<[u8; 16]>().prop_map(Scalar::Uuid),
        any::<i32>().prop_map(Scalar::Date),
        (0..=86_400_000_000_i64).prop_map(Scalar::Time),
        (any::<i64>(), any::<bool>()).prop_map(|(micros, utc)| Scalar::Timestamp { micros, utc }),
        any::<(i32, i32, i64)>().prop_map(|(months, days, micros)| Scalar::Interval {
            months,
            days,
            micros
        }),
    ];
    one.prop_recursive(3, 20, 6, |inner| {
        proptest::collection::vec(inner, 0..6).prop_map(|list| Scalar::List(Elements::from(list)))
    })
}

/// NaN is itself here.
fn shown(value: &Expr) -> String {
    format!("{:?}", value.value())
}

proptest! {
    #[test]
    fn every_value_is_read_back(value in scalar()) {
        let value = Expr::literal(value);
        prop_assert_eq!(shown(&back(&value)), shown(&value));
    }

    #[test]
    fn no_text_is_a_panic(text in "[\\[\\]{}\":, a-z0-9.]{0,80}") {
        let _: Result<Expr, ExprError> = Expr::from_json(&text);
    }
}

#[test]
fn no_number_of_operands_is_a_panic() {
    let operands = ["1", "\"a\"", "null", "[\"column\", \"a\"]", "{\"list\": [1, null]}"];
    let mut read = 0;
    for entry in TABLE {
        for count in 0..5 {
            for operand in operands {
                let operands = format!(", {operand}").repeat(count);
                let found =
                    Expr::from_json(&format!("[\"{}\"{operands}]", super::name(entry.operator)));
                read += usize::from(found.is_ok());
            }
        }
    }
    assert!(read > 100, "{read}");
}

/// With operands that it takes, each operator is read back as itself.
#[test]
fn every_operator_is_read_back() {
    let columns = [col("a"), col("b"), col("c")];
    let typed = |name: &str, kind| {
        Expr::column(ColumnRef { source: None, name: name.into(), kind, nullable: true })
    };
    let mut read = 0;
    for entry in TABLE.iter().filter(|entry| entry.place == Place::Row) {
        let list = Expr::literal(Scalar::list([1, 2]));
        let tries = [
            vec![columns[0].clone()],
            columns[..2].to_vec(),
            columns.to_vec(),
            vec![columns[0].clone(), list],
            vec![columns[0].clone(), Expr::literal("a")],
            vec![typed("l", Kind::List(crate::Base::Int))],
            [&columns[..], &columns[..]].concat(),
        ];
        let made = tries.into_iter().find_map(|args| Expr::call(entry.operator, args).ok());
        let Some(made) = made else { continue };
        assert_eq!(back(&made).to_string(), made.to_string());
        read += 1;
    }
    assert!(read > 70, "{read}");
}
