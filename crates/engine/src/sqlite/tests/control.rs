use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::{ENDLESS, Folder, both, config, int, run, script, statement};
use crate::sqlite::{Sqlite, SqliteConfig};
use crate::{Control, ErrorKind};

#[test]
fn a_deadline_ends_a_statement() {
    for db in both().1 {
        let started = Instant::now();
        let control = Control::timeout(Duration::from_millis(50));
        let error = db.fetch(&statement(ENDLESS), &[], &control).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::QueryTimeout);
        assert!(started.elapsed() < Duration::from_secs(5));
        let error = db.fetch(&statement("select 1"), &[], &control).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::QueryTimeout);
        assert_eq!(int(&db, "select 1"), 1);
    }
}

#[test]
fn a_deadline_ends_a_write_and_keeps_nothing() {
    for db in both().1 {
        script(&db, "create table t (x)");
        let sql = "insert into t with recursive n(i) as
            (select 1 union all select i + 1 from n where i < 1000000000) select i from n";
        let control = Control::timeout(Duration::from_millis(50));
        assert_eq!(
            db.fetch(&statement(sql), &[], &control).unwrap_err().kind(),
            ErrorKind::QueryTimeout
        );
        assert_eq!(db.script(sql, &control).unwrap_err().kind(), ErrorKind::QueryTimeout);
        assert_eq!(int(&db, "select count(*) from t"), 0);
        run(&db, "insert into t values (1)", &[]);
    }
}

#[test]
fn the_caller_can_stop_a_statement() {
    for db in both().1 {
        let asked = AtomicU32::new(0);
        let stop = || asked.fetch_add(1, Ordering::Relaxed) >= 1;
        let control = Control::default().interrupted_by(&stop);
        let error = db.fetch(&statement(ENDLESS), &[], &control).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }
}

#[test]
fn a_panic_in_the_callers_function_stops_the_statement() {
    let (_folder, [db, _]) = both();
    let stop = || panic!("on purpose");
    let control = Control::default().interrupted_by(&stop);
    assert_eq!(
        db.fetch(&statement(ENDLESS), &[], &control).unwrap_err().kind(),
        ErrorKind::Cancelled
    );
    assert_eq!(int(&db, "select 1"), 1);
}

#[test]
fn waiting_for_the_writer_ends() {
    let (_folder, [db, _]) = both();
    script(&db, "create table t (x)");
    let transaction = db.begin(false, &Control::default()).unwrap();
    let insert = statement("insert into t values (1)");
    let hurried = Control::timeout(Duration::from_millis(50));
    assert_eq!(db.fetch(&insert, &[], &hurried).unwrap_err().kind(), ErrorKind::QueryTimeout);
    let stop = || true;
    let stopped = Control::default().interrupted_by(&stop);
    assert_eq!(db.fetch(&insert, &[], &stopped).unwrap_err().kind(), ErrorKind::Cancelled);
    let error = db.fetch(&insert, &[], &Control::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Operational);
    assert!(error.to_string().contains("database is locked"), "{error}");
    assert_eq!(int(&db, "select count(*) from t"), 0);
    drop(transaction);
    run(&db, "insert into t values (1)", &[]);
    assert_eq!(int(&db, "select count(*) from t"), 1);
}

#[test]
fn waiting_for_a_reader_ends() {
    let folder = Folder::new();
    let path = folder.path("test.db");
    let busy_timeout = Duration::from_millis(200);
    let db =
        Sqlite::open(SqliteConfig { readers: 1, busy_timeout, ..config(Some(&path)) }).unwrap();
    let mut stream =
        db.stream(&statement(ENDLESS.replace("sum(i)", "i").as_str()), &[], 10).unwrap();
    assert_eq!(stream.next(&Control::default()).unwrap().unwrap().rows(), 10);
    let select = statement("select 1");
    let error = db.fetch(&select, &[], &Control::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PoolTimeout);
    let error = db.fetch(&select, &[], &Control::timeout(Duration::from_millis(20))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::QueryTimeout);
    let waiter = {
        let db = db.clone();
        thread::spawn(move || int(&db, "select 5"))
    };
    thread::sleep(Duration::from_millis(20));
    drop(stream);
    assert_eq!(waiter.join().unwrap(), 5);
}

#[test]
fn another_process_holding_the_lock_is_waited_for() {
    let folder = Folder::new();
    let path = folder.path("test.db");
    let busy_timeout = Duration::from_millis(150);
    let one = folder.open();
    let two = Sqlite::open(SqliteConfig { busy_timeout, ..config(Some(&path)) }).unwrap();
    script(&one, "create table t (x)");
    let transaction = one.begin(false, &Control::default()).unwrap();
    let insert = statement("insert into t values (1)");
    let error = two.fetch(&insert, &[], &Control::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Operational);
    assert!(error.to_string().contains("locked"), "{error}");
    let hurried = Control::timeout(Duration::from_millis(30));
    let started = Instant::now();
    assert_eq!(two.fetch(&insert, &[], &hurried).unwrap_err().kind(), ErrorKind::QueryTimeout);
    assert!(started.elapsed() < Duration::from_millis(140));
    let waiter = thread::spawn(move || run(&two, "insert into t values (2)", &[]).affected);
    thread::sleep(Duration::from_millis(30));
    transaction.commit(&Control::default()).unwrap();
    assert_eq!(waiter.join().unwrap(), 1);
}
