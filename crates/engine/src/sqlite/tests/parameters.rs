use rowmill_columns::{Scalar, Value};

use super::{memory, rows, run, script, statement, texts, try_run};
use crate::{Control, ErrorKind};

#[test]
fn each_kind_of_value_has_a_form() {
    let db = memory();
    let micros = 19_724 * 86_400_000_000 + 3_661_000_001;
    for (value, shown) in [
        (Scalar::Null, "null"),
        (Scalar::Bool(true), "1"),
        (Scalar::Int(i64::MIN), "-9223372036854775808"),
        (Scalar::Float(0.1), "0.1"),
        (Scalar::Decimal("12345678901234567890.10".into()), "12345678901234567890.10"),
        (Scalar::Text("a\0b".into()), "a\0b"),
        (Scalar::Text(String::new()), ""),
        (Scalar::Bytes(vec![]), "\\x"),
        (Scalar::Bytes(vec![0, 255]), "\\x00ff"),
        (Scalar::Json("{}".into()), "{}"),
        (Scalar::Uuid([0x11; 16]), "11111111-1111-1111-1111-111111111111"),
        (Scalar::Date(19_724), "2024-01-02"),
        (Scalar::Time(1), "00:00:00.000001"),
        (Scalar::Timestamp { micros, utc: false }, "2024-01-02 01:01:01.000001"),
        (Scalar::Timestamp { micros, utc: true }, "2024-01-02 01:01:01.000001+00:00"),
        (
            Scalar::list(vec![
                Scalar::Int(1),
                Scalar::Text("a\"\n".into()),
                Scalar::Null,
                Scalar::Date(0),
            ]),
            "[1,\"a\\\"\\u000a\",null,\"1970-01-01\"]",
        ),
    ] {
        let is_list = matches!(value, Scalar::List(_));
        let sql = if is_list { "select $1 ->> '$'" } else { "select $1" };
        let batch = run(&db, sql, std::slice::from_ref(&value)).batch;
        assert_eq!(batch.value(0, 0).to_string(), shown, "{value:?}");
    }
}

#[test]
fn what_is_bound_reads_back() {
    let db = memory();
    script(&db, "create table t (a date, b time, c datetime, d datetime, e uuid, f json)");
    let values = [
        Scalar::Date(-1),
        Scalar::Time(86_399_999_999),
        Scalar::Timestamp { micros: -1, utc: false },
        Scalar::Timestamp { micros: 1, utc: true },
        Scalar::Uuid([7; 16]),
        Scalar::Json("[1]".into()),
    ];
    assert_eq!(run(&db, "insert into t values ($1, $2, $3, $4, $5, $6)", &values).affected, 1);
    let batch = rows(&db, "select * from t");
    assert_eq!(batch.value(0, 0), Value::Date(-1));
    assert_eq!(batch.value(1, 0), Value::Time(86_399_999_999));
    assert_eq!(batch.value(2, 0), Value::Timestamp { micros: -1, utc: false });
    assert_eq!(batch.value(3, 0), Value::Timestamp { micros: 1, utc: true });
    assert_eq!(batch.value(4, 0), Value::Uuid([7; 16]));
    assert_eq!(batch.value(5, 0), Value::Json("[1]"));
}

#[test]
fn a_list_is_one_parameter() {
    let db = memory();
    script(&db, "create table t (id integer); insert into t values (1), (2), (3)");
    let list = Scalar::list([3, 1]);
    let sql = "select id from t where id in (select value from json_each($1)) order by id";
    assert_eq!(texts(&run(&db, sql, &[list]).batch, 0), ["1", "3"]);
}

#[test]
fn a_list_is_no_value_to_compare_with() {
    let db = memory();
    script(&db, "create table t (id integer)");
    for sql in ["select id from t where id = $1", "insert into t values ($1)"] {
        let error = try_run(&db, sql, &[Scalar::list([1])]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Programming);
        assert!(error.hint().unwrap().contains("json_each($1)"), "{error:?}");
    }
}

#[test]
fn what_cannot_be_held_is_refused_by_name() {
    let db = memory();
    let interval = Scalar::Interval { months: 1, days: 0, micros: 0 };
    let named = statement("select :since");
    let error = db.fetch(&named, std::slice::from_ref(&interval), &Control::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported);
    assert!(error.to_string().contains(":since"), "{error}");
    for value in [
        Scalar::Float(f64::NAN),
        Scalar::Date(i32::MAX),
        Scalar::Timestamp { micros: i64::MAX, utc: true },
        Scalar::Time(-1),
        Scalar::list([f64::INFINITY]),
    ] {
        let error = try_run(&db, "select json($1)", std::slice::from_ref(&value)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data, "{value:?}");
        assert!(error.to_string().contains("$1"), "{error}");
    }
}

#[test]
fn a_wrong_number_is_counted() {
    let db = memory();
    let error = try_run(&db, "select $1, $2", &[Scalar::Null]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Programming);
    assert_eq!(error.to_string(), "the statement takes 2 parameters and 1 was given");
    let error = try_run(&db, "select 1", &[Scalar::Null, Scalar::Null]).unwrap_err();
    assert_eq!(error.to_string(), "the statement takes 0 parameters and 2 were given");
}
