use rowmill_columns::{Scalar, Value};

use super::{ENDLESS, Sqlite, both, int, memory, run, script, statement};
use crate::{Control, ErrorKind, Result, Row};

fn try_one(db: &Sqlite, sql: &str, parameters: &[Scalar]) -> Result<Option<Row>> {
    db.fetch_row(&statement(sql), parameters, &Control::default())
}

fn one(db: &Sqlite, sql: &str) -> Row {
    try_one(db, sql, &[]).unwrap().unwrap()
}

/// Whether the row was read without a batch.
fn owns(row: &Row) -> bool {
    row.view().is_none()
}

#[test]
fn plain_columns_need_no_batch() {
    for db in both().1 {
        script(
            &db,
            "create table t (i integer, r real, s text, b blob, n numeric, z text, w real);
             insert into t values (7, 0.5, 'Zoë', x'00ff', 12, null, 3), (8, 1, '', x'', 1, '', 1)",
        );
        let row = one(&db, "select *, 1 + 1, s || '!', x'' from t order by i");
        assert!(owns(&row));
        let values: Vec<Value<'_>> = (0..row.len()).filter_map(|at| row.value(at)).collect();
        let expected = [
            Value::Int(7),
            Value::Float(0.5),
            Value::Text("Zoë"),
            Value::Bytes(&[0, 255]),
            Value::Float(12.0),
            Value::Null,
            Value::Float(3.0),
            Value::Int(2),
            Value::Text("Zoë!"),
            Value::Bytes(&[]),
        ];
        assert_eq!(values, expected);
        let names: Vec<&str> = row.names().collect();
        assert_eq!(names[..7], ["i", "r", "s", "b", "n", "z", "w"]);
        assert_eq!((row.get("s"), row.get("nope")), (Some(Value::Text("Zoë")), None));
        assert_eq!((row.value(10), row.name(10)), (None, None));
        assert_eq!(row.scalar(2).unwrap(), Scalar::Text("Zoë".into()));
        assert_eq!(row.scalar(10).unwrap_err().kind(), ErrorKind::Data);
    }
}

#[test]
fn it_is_the_first_row_of_the_batch() {
    let db = memory();
    script(&db, "create table t (i integer, r real, s text, b blob, n numeric, d date, o boolean)");
    script(
        &db,
        "insert into t values (1, 2, 'x', x'01', 3.5, '2024-01-02', 1), (null,9,'',null,4,null,0)",
    );
    for sql in [
        "select i, r, s, b, n from t",
        "select * from t",
        "select * from t order by i",
        "select i as a, s as a from t",
        "with u as (select i from t) select * from u",
        "explain query plan select * from t",
        "pragma table_info(t)",
        "values (1, 'a'), (2, 'b')",
        "select 9223372036854775807, -9223372036854775808, 1e308, '' from t",
    ] {
        let batch = run(&db, sql, &[]).batch;
        let row = one(&db, sql);
        assert_eq!(row.len(), batch.columns().len(), "{sql}");
        for (at, name) in row.names().enumerate() {
            assert_eq!(*name, *batch.schema().fields[at].name, "{sql}");
            assert_eq!(row.value(at), Some(batch.value(at, 0)), "{sql}, column {at}");
        }
    }
    assert!(try_one(&db, "select * from t where i = $1", &[Scalar::Int(5)]).unwrap().is_none());
}

#[test]
fn what_does_not_fit_is_told_as_of_a_batch() {
    let db = memory();
    script(
        &db,
        "create table t (i integer, r real, s text);
         insert into t values ('many', 0.5, 'x'), (1, 'much', 'x'), (1, 9007199254740993, 'x'),
           (1, 1, x'00'), (1, 1, cast(x'ff' as text))",
    );
    for rowid in 1..=5 {
        let parameters = [Scalar::Int(rowid)];
        let sql = statement("select * from t where rowid = $1");
        let control = Control::default();
        let row = db.fetch_row(&sql, &parameters, &control).map(|_| ()).map_err(|e| e.to_string());
        let all = db.fetch(&sql, &parameters, &control).map(|_| ()).map_err(|e| e.to_string());
        assert_eq!(row, all, "row {rowid}");
    }
    let error = try_one(&db, "select i from t", &[]).unwrap_err();
    assert!(error.to_string().contains("row 0: the text \"many\" is not an integer"), "{error}");
    assert_eq!(error.query(), Some("select i from t"));
    for (sql, parameters) in [
        ("select nothing", vec![]),
        ("select $1", vec![]),
        ("select 1", vec![Scalar::Int(1)]),
        ("commit", vec![]),
        ("select abs(-9223372036854775808)", vec![]),
    ] {
        let (one, all) = (try_one(&db, sql, &parameters), super::try_run(&db, sql, &parameters));
        assert_eq!(one.unwrap_err().to_string(), all.unwrap_err().to_string(), "{sql}");
    }
}

#[test]
fn later_rows_are_not_read() {
    for db in both().1 {
        script(&db, "create table t (i integer); insert into t values (1), ('broken')");
        assert_eq!(one(&db, "select i from t order by rowid").value(0), Some(Value::Int(1)));
        let endless =
            "with recursive n(i) as (select 1 union all select i + 1 from n) select i from n";
        assert_eq!(one(&db, endless).value(0), Some(Value::Int(1)));
        // Nothing of it stays open: a writer gets its turn and the log can be cut back.
        script(&db, "insert into t values (3)");
        assert_eq!(int(&db, "select count(*) from t"), 3);
    }
}

#[test]
fn what_writes_runs_to_its_end() {
    for db in both().1 {
        script(&db, "create table t (i integer)");
        let sql = "insert into t values (1), (2), (3) returning i";
        assert_eq!(one(&db, sql).value(0), Some(Value::Int(1)));
        assert_eq!(int(&db, "select count(*) from t"), 3);
        assert!(try_one(&db, "delete from t", &[]).unwrap().is_none());
        assert_eq!(int(&db, "select count(*) from t"), 0);
    }
}

#[test]
fn a_changed_schema_is_seen() {
    let (_folder, [db, _]) = both();
    script(&db, "create table t (i integer); insert into t values (1)");
    assert_eq!(one(&db, "select * from t").names().collect::<Vec<_>>(), ["i"]);
    script(&db, "alter table t add column j text default 'x'");
    let row = one(&db, "select * from t");
    assert_eq!(row.names().collect::<Vec<_>>(), ["i", "j"]);
    assert_eq!(row.get("j"), Some(Value::Text("x")));
    assert!(owns(&row));
    script(&db, "alter table t add column d date default '2024-01-02'");
    let row = one(&db, "select * from t");
    assert_eq!(row.get("d"), Some(Value::Date(19_724)));
    assert!(!owns(&row));
}

#[test]
fn a_deadline_stops_the_search_for_it() {
    let db = memory();
    let control = Control::timeout(std::time::Duration::from_millis(20));
    let error = db.fetch_row(&statement(ENDLESS), &[], &control).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::QueryTimeout);
    assert_eq!(int(&db, "select 1"), 1);
}

#[test]
fn a_closed_database_has_none() {
    for db in both().1 {
        db.close();
        assert_eq!(try_one(&db, "select 1", &[]).unwrap_err().kind(), ErrorKind::Misuse);
    }
}

#[test]
fn on_a_loop_it_keeps_to_the_budget() {
    for db in both().1 {
        script(&db, "create table t (i integer, d date); insert into t values (1, '2024-01-02')");
        int(&db, "select 1");
        let of = |sql: &str| db.try_fetch_row(&statement(sql), &[]);
        let row = of("select i from t").unwrap().unwrap().unwrap();
        assert_eq!((owns(&row), row.value(0)), (true, Some(Value::Int(1))));
        let row = of("select d from t").unwrap().unwrap().unwrap();
        assert_eq!((owns(&row), row.value(0)), (false, Some(Value::Date(19_724))));
        assert!(of("select i from t where i = 2").unwrap().unwrap().is_none());
        assert!(of("select nothing").unwrap().is_err());
        assert!(of("delete from t").is_none());
        assert!(of("with a as (select 1) delete from t").is_none());
        assert!(of(ENDLESS).is_none());
        assert!(db.0.slow.refuses(statement(ENDLESS).key()));
        assert!(of("select zeroblob(1000000)").is_none());
        assert_eq!(int(&db, "select count(*) from t"), 1);
    }
}
