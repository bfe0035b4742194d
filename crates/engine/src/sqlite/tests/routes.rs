use super::{both, fails, int, memory, rows, run, script, texts, types};
use crate::ErrorKind;
use crate::sqlite::route::{Route, route};

#[test]
fn first_words_decide() {
    for (sql, expected) in [
        ("select 1", Route::Read),
        (" -- a\n /* b */ ;Values (1)", Route::Read),
        ("with a as (select 1) insert into t select * from a", Route::Ask),
        ("explain query plan delete from t", Route::Ask),
        ("Insert into t values (1)", Route::Write),
        ("create table t (x)", Route::Write),
        ("vacuum", Route::Alone),
        ("pragma table_info(t)", Route::Read),
        ("pragma main.user_version", Route::Read),
        ("pragma user_version = 3", Route::Alone),
        ("pragma query_only = off", Route::Alone),
        ("pragma query_only", Route::Alone),
        ("attach 'x' as y", Route::Attach),
        ("rollback", Route::Transaction),
        ("rollback transaction to savepoint a", Route::Savepoint),
        ("", Route::Write),
        ("-- only", Route::Write),
    ] {
        assert_eq!(route(sql), expected, "{sql}");
    }
}

#[test]
fn what_needs_no_transaction_runs_outside_one() {
    for db in both().1 {
        script(&db, "create table t (x)");
        run(&db, "pragma user_version = 7", &[]);
        assert_eq!(int(&db, "pragma user_version"), 7);
        run(&db, "vacuum", &[]);
        assert_eq!(texts(&rows(&db, "pragma table_info(t)"), 1), ["x"]);
        assert!(rows(&db, "explain query plan select * from t").rows() > 0);
    }
}

#[test]
fn attaching_reaches_one_connection() {
    let (_folder, [file, memory]) = both();
    assert_eq!(fails(&file, "attach ':memory:' as other").kind(), ErrorKind::NotSupported);
    run(&memory, "attach ':memory:' as other", &[]);
    script(&memory, "create table other.t (x); insert into other.t values (1)");
    assert_eq!(int(&memory, "select x from other.t"), 1);
}

#[test]
fn a_statement_follows_its_schema() {
    for db in both().1 {
        script(&db, "create table t (a integer); insert into t values (1)");
        assert_eq!(types(&rows(&db, "select * from t")), ["int64"]);
        script(&db, "alter table t add column b text default 'x'");
        let batch = rows(&db, "select * from t");
        assert_eq!(
            (types(&batch), texts(&batch, 1)),
            (vec!["int64".into(), "text".into()], vec!["x".into()])
        );
        script(&db, "drop table t; create table t (a text); insert into t values ('y')");
        let batch = rows(&db, "select * from t");
        assert_eq!((types(&batch), texts(&batch, 0)), (vec!["text".to_owned()], vec!["y".into()]));
        script(&db, "drop table t");
        assert!(fails(&db, "select * from t").to_string().contains("no such table"));
    }
}

#[test]
fn more_statements_than_are_kept() {
    let db = memory();
    for round in 0..3 {
        for number in 0..20 {
            assert_eq!(int(&db, &format!("select {number}")), number, "round {round}");
        }
    }
}
