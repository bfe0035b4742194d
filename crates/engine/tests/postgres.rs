//! The engine against a real server, which `./dev test` starts and names in the environment.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rowmill::{Control, Database, Error, ErrorKind, Orient, Scalar, TransactionMode};

fn database() -> Database {
    let url = std::env::var("ROWMILL_TEST_POSTGRES");
    let url = url.expect("ROWMILL_TEST_POSTGRES names a server; run the tests by ./dev test");
    Database::open(&url).expect("a URL that makes sense")
}

fn backend(db: &Database) -> Scalar {
    db.query("select pg_backend_pid()").fetch_value().expect("a backend")
}

fn failure(result: rowmill::Result<impl std::fmt::Debug>) -> Error {
    result.expect_err("a failure")
}

#[test]
fn rows_become_columns() {
    let db = database();
    let batch = db
        .query("select i, i::text as t, i * 1.5 as f from generate_series(1, $1::int) as i")
        .bind(1000)
        .fetch()
        .unwrap();
    assert_eq!(batch.rows(), 1000);
    let names: Vec<_> = batch.schema().fields.iter().map(|field| field.name.to_string()).collect();
    assert_eq!(names, ["i", "t", "f"]);
    let last = rowmill::Row::at(&batch, 999).unwrap();
    assert_eq!(last.scalar(0).unwrap(), Scalar::Int(1000));
    assert_eq!(last.scalar(1).unwrap(), Scalar::Text("1000".into()));
    assert_eq!(last.scalar(2).unwrap(), Scalar::Decimal("1500.0".into()));
}

#[test]
fn json_comes_straight_from_the_columns() {
    let db = database();
    let sql = r#"select 1 as a, null::text as b, '{"k": [1, 2]}'::jsonb as c"#;
    let json = db.query(sql).fetch_json(Orient::Records).unwrap();
    assert_eq!(String::from_utf8(json).unwrap(), r#"[{"a":1,"b":null,"c":{"k": [1, 2]}}]"#);
}

#[test]
fn a_connection_is_used_again_after_an_error() {
    let db = database();
    let before = backend(&db);
    let error = failure(db.query("select 1 / (1 - $1)").bind(1).fetch());
    assert_eq!((error.kind(), error.sqlstate()), (ErrorKind::Data, Some("22012")));
    let error = failure(db.query("select oops").fetch());
    assert_eq!((error.kind(), error.position()), (ErrorKind::Programming, Some(8)));
    assert_eq!(backend(&db), before);
}

#[test]
fn a_deadline_cancels_on_the_server_and_keeps_the_connection() {
    let db = database();
    let before = backend(&db);
    let slow = db.query("select pg_sleep(60)").timeout(Duration::from_millis(50)).fetch();
    assert_eq!(failure(slow).kind(), ErrorKind::QueryTimeout);
    assert_eq!(backend(&db), before);
}

#[test]
fn an_interrupt_stops_the_call() {
    let db = database();
    let before = backend(&db);
    let stopped = db.query("select pg_sleep(60)").interrupt(&|| true).fetch();
    assert_eq!(failure(stopped).kind(), ErrorKind::Cancelled);
    assert_eq!(backend(&db), before);
}

#[test]
fn a_stream_is_bounded_and_may_be_left() {
    let db = database();
    let before = backend(&db);
    let sql = "select i from generate_series(1, 100000) as i";
    let rows: Vec<usize> =
        db.query(sql).stream(30_000).unwrap().map(|part| part.unwrap().rows()).collect();
    assert_eq!(rows, [30_000, 30_000, 30_000, 10_000]);
    let mut left = db.query("select generate_series(1, 100000000)").stream(10).unwrap();
    assert_eq!(left.next().unwrap().unwrap().rows(), 10);
    drop(left);
    assert_eq!(backend(&db), before);
}

#[test]
fn a_transaction_is_all_or_nothing() {
    let db = database();
    let now = Control::default();
    db.script("drop table if exists rust_tx; create table rust_tx (x int primary key)").unwrap();
    let count = || db.query("select count(*) from rust_tx").fetch_value().unwrap();
    let insert = "insert into rust_tx values ($1)";

    let tx = db.transaction(TransactionMode::default(), &now).unwrap();
    assert_eq!(tx.query(insert).bind(1).execute().unwrap(), 1);
    drop(tx);
    assert_eq!(count(), Scalar::Int(0));

    let tx = db.transaction(TransactionMode::default(), &now).unwrap();
    tx.query(insert).bind(1).execute().unwrap();
    let error = failure(tx.query(insert).bind(1).execute());
    assert_eq!(error.kind(), ErrorKind::Integrity);
    let error = failure(tx.commit(&now));
    assert!(error.to_string().contains("rolled back"), "{error}");
    assert_eq!(count(), Scalar::Int(0));

    let tx = db.transaction(TransactionMode::default(), &now).unwrap();
    tx.query(insert).bind(1).execute().unwrap();
    tx.commit(&now).unwrap();
    assert_eq!(count(), Scalar::Int(1));
    db.script("drop table rust_tx").unwrap();
}

#[test]
fn a_savepoint_ends_where_the_server_falls_silent() {
    let (db, other) = (database(), database());
    let tx = db.transaction(TransactionMode::default(), &Control::default()).unwrap();
    let pid = tx.query("select pg_backend_pid()").fetch_value().unwrap();
    let Scalar::Int(pid) = pid else { panic!("{pid:?}") };
    let signal = &|name: &str| {
        // It reads what it is sent first: else it may be gone when that is written.
        let kill = format!("copy (select 1) to program 'cat > /dev/null; kill -{name} {pid}'");
        other.query(&kill).execute().unwrap();
    };
    let (done, waits) = mpsc::channel::<()>();
    let ended = thread::scope(|scope| {
        scope.spawn(move || {
            let _ = waits.recv_timeout(Duration::from_secs(30));
            signal("CONT");
        });
        let ended = tx.savepoint(&Control::default(), |_| {
            signal("STOP");
            Ok(())
        });
        drop(done);
        ended
    });
    assert_eq!(failure(ended).kind(), ErrorKind::QueryTimeout);
    drop(tx);
    assert_eq!(db.query("select 1::bigint").fetch_value().unwrap(), Scalar::Int(1));
}

#[test]
fn a_transaction_left_open_is_rolled_back_and_told() {
    let db = database();
    let before = backend(&db);
    for error in [failure(db.query("begin").execute()), failure(db.query("begin").stream(10))] {
        assert_eq!(error.kind(), ErrorKind::Programming, "{error}");
        assert!(error.to_string().contains("not begun or ended by a statement"), "{error}");
    }
    let error = failure(db.script("begin; create temporary table rust_open (x int)"));
    assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
    assert!(error.to_string().contains("left a transaction open"), "{error}");
    let error = failure(db.query("select count(*) from rust_open").fetch());
    assert_eq!(error.sqlstate(), Some("42P01"));
    assert_eq!(backend(&db), before);
}

#[test]
fn a_stream_runs_when_it_is_read() {
    let db = database();
    db.script("drop table if exists rust_unread; create table rust_unread (x int)").unwrap();
    let insert = "insert into rust_unread values (1) returning x";
    assert_eq!(db.query(insert).stream(10).unwrap().count(), 1);
    drop(db.query(insert).stream(10).unwrap());
    let count = db.query("select count(*) from rust_unread").fetch_value().unwrap();
    assert_eq!(count, Scalar::Int(1));
    db.script("drop table rust_unread").unwrap();
}

#[test]
fn a_lost_connection_is_replaced() {
    let db = database();
    let error = failure(db.query("select pg_terminate_backend(pg_backend_pid())").fetch());
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
    assert_eq!(db.query("select 1").fetch_value().unwrap(), Scalar::Int(1));
}

#[test]
fn threads_share_a_database() {
    let db = database();
    std::thread::scope(|scope| {
        for thread in 0..8_i64 {
            let db = &db;
            scope.spawn(move || {
                for i in 0..50_i64 {
                    let sum = db.query("select $1::int8 + $2::int8").bind(thread).bind(i);
                    assert_eq!(sum.fetch_value().unwrap(), Scalar::Int(thread + i));
                }
            });
        }
    });
}
