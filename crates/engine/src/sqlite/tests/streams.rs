use rowmill_columns::{Batch, Scalar};

use super::{ENDLESS, both, int, memory, rows, run, script, statement, texts, types};
use crate::sqlite::{Sqlite, SqliteStream};
use crate::{Control, ErrorKind, Result};

const NUMBERS: &str =
    "with recursive n(i) as (select 1 union all select i + 1 from n where i < $1) select i from n";

fn parts(stream: &mut SqliteStream) -> Result<Vec<Batch>> {
    let mut parts = Vec::new();
    while let Some(part) = stream.next(&Control::default())? {
        parts.push(part);
    }
    Ok(parts)
}

fn stream(db: &Sqlite, sql: &str, parameters: &[Scalar], batch_rows: usize) -> SqliteStream {
    db.stream(&statement(sql), parameters, batch_rows).unwrap()
}

#[test]
fn parts_make_the_whole() {
    for db in both().1 {
        for (rows, expected) in [(10, vec![4, 4, 2]), (8, vec![4, 4]), (0, vec![1]), (4, vec![4])] {
            let mut stream = stream(&db, NUMBERS, &[Scalar::Int(rows)], 4);
            let parts = parts(&mut stream).unwrap();
            assert_eq!(parts.iter().map(Batch::rows).collect::<Vec<_>>(), expected);
            assert!(stream.next(&Control::default()).unwrap().is_none());
        }
    }
}

#[test]
fn a_result_without_rows_is_one_part() {
    for db in both().1 {
        script(&db, "create table t (id integer, name text)");
        let parts = parts(&mut stream(&db, "select * from t", &[], 4)).unwrap();
        assert_eq!((parts.len(), parts[0].rows()), (1, 0));
        assert_eq!(types(&parts[0]), ["int64", "text"]);
    }
}

#[test]
fn wide_rows_end_a_part_early() {
    let db = memory();
    let sql = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 40)
               select i, zeroblob(1000000) from n";
    let parts = parts(&mut stream(&db, sql, &[], 65_536)).unwrap();
    assert!(parts.len() >= 3 && parts.iter().all(|part| part.rows() <= 16));
    assert_eq!(parts.iter().map(Batch::rows).sum::<usize>(), 40);
}

#[test]
fn a_dropped_stream_gives_its_connection_back() {
    for db in both().1 {
        script(&db, "create table t (x integer)");
        for _ in 0..10 {
            let mut stream = stream(&db, &ENDLESS.replace("sum(i)", "i"), &[], 100);
            stream.next(&Control::default()).unwrap();
            run(&db, "insert into t values (1)", &[]);
            drop(stream);
        }
        assert_eq!(int(&db, "select count(*) from t"), 10);
    }
}

#[test]
fn two_streams_of_one_statement() {
    for db in both().1 {
        let mut one = stream(&db, NUMBERS, &[Scalar::Int(6)], 3);
        let mut two = stream(&db, NUMBERS, &[Scalar::Int(4)], 3);
        one.next(&Control::default()).unwrap();
        two.next(&Control::default()).unwrap();
        let last = one.next(&Control::default()).unwrap().unwrap();
        assert_eq!(texts(&last, 0), ["4", "5", "6"]);
        assert_eq!(texts(&two.next(&Control::default()).unwrap().unwrap(), 0), ["4"]);
    }
}

#[test]
fn the_first_part_settles_a_type() {
    let db = memory();
    let sql = "select 1 as n union all select 2 union all select 2.5";
    assert_eq!(types(&rows(&db, sql)), ["float64"]);
    let mut stream = stream(&db, sql, &[], 2);
    assert_eq!(types(&stream.next(&Control::default()).unwrap().unwrap()), ["int64"]);
    let error = stream.next(&Control::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    assert!(error.to_string().contains("row 2: the float 2.5 is not an integer"), "{error}");
    assert!(stream.next(&Control::default()).unwrap().is_none());
}

#[test]
fn a_stream_that_writes_is_a_transaction() {
    for db in both().1 {
        script(&db, "create table t (x integer)");
        let sql = "insert into t values (1), (2), (3) returning x";
        let mut dropped = stream(&db, sql, &[], 2);
        dropped.next(&Control::default()).unwrap();
        drop(dropped);
        assert_eq!(int(&db, "select count(*) from t"), 0);
        assert_eq!(parts(&mut stream(&db, sql, &[], 2)).unwrap().len(), 2);
        assert_eq!(int(&db, "select count(*) from t"), 3);
        let with = "with a as (select 4 as x) insert into t select x from a returning x";
        assert_eq!(parts(&mut stream(&db, with, &[], 2)).unwrap().len(), 1);
        assert_eq!(int(&db, "select count(*) from t"), 4);
    }
}

#[test]
fn errors_come_with_the_first_part() {
    for db in both().1 {
        for (sql, kind) in
            [("select nothing", ErrorKind::Programming), ("begin", ErrorKind::Programming)]
        {
            let mut stream = stream(&db, sql, &[], 2);
            let error = stream.next(&Control::default()).unwrap_err();
            assert_eq!((error.kind(), error.query()), (kind, Some(sql)));
        }
        let mut short = stream(&db, NUMBERS, &[], 2);
        assert!(short.next(&Control::default()).unwrap_err().to_string().contains("1 parameter"));
        assert_eq!(int(&db, "select 1"), 1);
    }
}

#[test]
fn a_stream_may_move_between_threads() {
    let (_folder, [db, _]) = both();
    let mut stream = stream(&db, NUMBERS, &[Scalar::Int(10)], 4);
    stream.next(&Control::default()).unwrap();
    let rest = std::thread::spawn(move || parts(&mut stream).unwrap().len()).join().unwrap();
    assert_eq!(rest, 2);
}
