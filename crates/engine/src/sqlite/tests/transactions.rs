use super::{both, int, script, statement, texts};
use crate::sqlite::SqliteTransaction;
use crate::{Completion, Control, ErrorKind, Result};

fn run(transaction: &SqliteTransaction, sql: &str) -> Result<Completion> {
    transaction.fetch(&statement(sql), &[], &Control::default())
}

#[test]
fn committed_rolled_back_dropped() {
    for db in both().1 {
        let control = Control::default();
        script(&db, "create table t (x integer)");
        let transaction = db.begin(false, &control).unwrap();
        assert_eq!(run(&transaction, "insert into t values (1)").unwrap().affected, 1);
        assert_eq!(run(&transaction, "select * from t").unwrap().batch.rows(), 1);
        transaction.commit(&control).unwrap();
        assert_eq!(int(&db, "select count(*) from t"), 1);

        let transaction = db.begin(false, &control).unwrap();
        run(&transaction, "delete from t").unwrap();
        transaction.script("insert into t values (7); insert into t values (8)", &control).unwrap();
        transaction.rollback(&control).unwrap();
        assert_eq!(int(&db, "select count(*) from t"), 1);

        let transaction = db.begin(false, &control).unwrap();
        run(&transaction, "delete from t").unwrap();
        drop(transaction);
        assert_eq!(int(&db, "select count(*) from t"), 1);
    }
}

#[test]
fn a_statement_that_fails_fails_alone() {
    for db in both().1 {
        let control = Control::default();
        script(&db, "create table t (x integer primary key, d date)");
        let transaction = db.begin(false, &control).unwrap();
        run(&transaction, "insert into t (x) values (1)").unwrap();
        assert_eq!(
            run(&transaction, "insert into t (x) values (2), (1)").err().unwrap().kind(),
            ErrorKind::Integrity
        );
        assert_eq!(
            run(&transaction, "insert into t values (3, 'soon') returning d").err().unwrap().kind(),
            ErrorKind::Data
        );
        run(&transaction, "insert into t (x) values (4)").unwrap();
        transaction.commit(&control).unwrap();
        assert_eq!(texts(&super::rows(&db, "select x from t order by x"), 0), ["1", "4"]);
    }
}

#[test]
fn after_the_database_rolled_back_nothing_more_runs() {
    for db in both().1 {
        let control = Control::default();
        script(&db, "create table t (x integer primary key)");
        let transaction = db.begin(false, &control).unwrap();
        run(&transaction, "insert into t values (1)").unwrap();
        assert!(run(&transaction, "insert or rollback into t values (1)").is_err());
        let error = run(&transaction, "insert into t values (2)").err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Operational);
        assert_eq!(transaction.commit(&control).unwrap_err().kind(), ErrorKind::Operational);
        assert_eq!(int(&db, "select count(*) from t"), 0);
    }
}

#[test]
fn a_commit_may_fail() {
    for db in both().1 {
        let control = Control::default();
        script(
            &db,
            "create table p (id integer primary key);
             create table c (p integer references p deferrable initially deferred)",
        );
        let transaction = db.begin(false, &control).unwrap();
        run(&transaction, "insert into c values (1)").unwrap();
        assert_eq!(transaction.commit(&control).unwrap_err().kind(), ErrorKind::Integrity);
        assert_eq!(int(&db, "select count(*) from c"), 0);
        script(&db, "insert into p values (1)");
    }
}

#[test]
fn it_is_ended_by_its_own_door() {
    for db in both().1 {
        let control = Control::default();
        let transaction = db.begin(false, &control).unwrap();
        for sql in ["commit", "rollback", "begin"] {
            assert_eq!(run(&transaction, sql).err().unwrap().kind(), ErrorKind::Programming);
            assert!(transaction.script(sql, &control).is_err());
        }
        run(&transaction, "savepoint a").unwrap();
        run(&transaction, "create table t (x)").unwrap();
        run(&transaction, "rollback to a").unwrap();
        run(&transaction, "release a").unwrap();
        transaction.commit(&control).unwrap();
        assert_eq!(int(&db, "select count(*) from sqlite_schema"), 0);
    }
}

#[test]
fn a_reading_transaction_sees_one_moment() {
    let (_folder, [db, memory]) = both();
    let control = Control::default();
    script(&db, "create table t (x integer)");
    let transaction = db.begin(true, &control).unwrap();
    assert_eq!(run(&transaction, "select * from t").unwrap().batch.rows(), 0);
    script(&db, "insert into t values (1)");
    assert_eq!(run(&transaction, "select * from t").unwrap().batch.rows(), 0);
    assert_eq!(
        run(&transaction, "insert into t values (2)").err().unwrap().kind(),
        ErrorKind::Operational
    );
    transaction.commit(&control).unwrap();
    assert_eq!(int(&db, "select count(*) from t"), 1);

    script(&memory, "create table t (x integer)");
    let transaction = memory.begin(true, &control).unwrap();
    assert_eq!(
        run(&transaction, "insert into t values (2)").err().unwrap().kind(),
        ErrorKind::Operational
    );
    drop(transaction);
    script(&memory, "insert into t values (2)");
}

#[test]
fn a_stream_ends_with_its_transaction() {
    for db in both().1 {
        let control = Control::default();
        script(&db, "create table t (x integer); insert into t values (1), (2), (3)");
        let select = statement("select x from t order by x");
        let transaction = db.begin(false, &control).unwrap();
        let mut stream = transaction.stream(&select, &[], 1).unwrap();
        assert_eq!(texts(&stream.next(&control).unwrap().unwrap(), 0), ["1"]);
        run(&transaction, "insert into t values (0)").unwrap();
        assert_eq!(texts(&stream.next(&control).unwrap().unwrap(), 0), ["2"]);
        let mut other = transaction.stream(&select, &[], 2).unwrap();
        assert_eq!(texts(&other.next(&control).unwrap().unwrap(), 0), ["0", "1"]);
        drop(other);
        transaction.commit(&control).unwrap();
        assert_eq!(stream.next(&control).unwrap_err().kind(), ErrorKind::Misuse);
        drop(stream);
        assert_eq!(int(&db, "select count(*) from t"), 4);
        let transaction = db.begin(false, &control).unwrap();
        let mut stream = transaction.stream(&select, &[], 1).unwrap();
        stream.next(&control).unwrap();
        drop(transaction);
        assert!(stream.next(&control).is_err());
        script(&db, "drop table t");
    }
}

#[test]
fn it_may_end_on_another_thread() {
    let (_folder, [db, _]) = both();
    script(&db, "create table t (x integer)");
    let transaction = db.begin(false, &Control::default()).unwrap();
    run(&transaction, "insert into t values (1)").unwrap();
    std::thread::spawn(move || transaction.commit(&Control::default()).unwrap()).join().unwrap();
    assert_eq!(int(&db, "select count(*) from t"), 1);
}
