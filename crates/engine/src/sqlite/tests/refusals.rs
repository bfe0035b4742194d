use super::{both, fails, int, memory, rows, run, script, texts};
use crate::{Control, ErrorKind};

#[test]
fn wrong_sql_has_a_position_and_the_query() {
    for db in both().1 {
        let error = fails(&db, "select 'ü', nonsense from sqlite_schema");
        assert_eq!(error.kind(), ErrorKind::Programming);
        assert_eq!(error.position(), Some(13));
        assert_eq!(error.query(), Some("select 'ü', nonsense from sqlite_schema"));
        assert!(error.to_string().contains("nonsense"), "{error}");
        let error = fails(&db, "insert into missing values (1)");
        assert!(error.to_string().contains("no such table: missing"), "{error}");
    }
}

#[test]
fn constraints_and_their_kin() {
    let db = memory();
    script(&db, "create table t (id integer primary key, n integer not null check (n > 0))");
    run(&db, "insert into t values (1, 1)", &[]);
    for sql in [
        "insert into t values (1, 1)",
        "insert into t values (2, null)",
        "insert into t values (2, 0)",
    ] {
        assert_eq!(fails(&db, sql).kind(), ErrorKind::Integrity, "{sql}");
    }
    assert_eq!(fails(&db, "insert into t values ('x', 1)").kind(), ErrorKind::Data);
    assert_eq!(fails(&db, "select abs(-9223372036854775808)").kind(), ErrorKind::Data);
    assert_eq!(fails(&db, "select json('{')").kind(), ErrorKind::Data);
}

#[test]
fn one_statement_at_a_time() {
    let db = memory();
    for sql in ["", " ; ", "-- nothing\n", "/* nothing"] {
        assert!(fails(&db, sql).to_string().contains("no statement"), "{sql:?}");
    }
    let error = fails(&db, "select 1; select 2");
    assert_eq!((error.kind(), error.position()), (ErrorKind::Programming, Some(11)));
    assert_eq!(texts(&rows(&db, "select 1; -- done\n ;"), 0), ["1"]);
}

#[test]
fn transactions_go_through_their_own_door() {
    for db in both().1 {
        for sql in [
            "begin",
            "/* so */ BEGIN immediate",
            "commit",
            "end",
            "rollback",
            "savepoint a",
            "release a",
        ] {
            let error = fails(&db, sql);
            assert_eq!(error.kind(), ErrorKind::Programming, "{sql}");
            assert_eq!(error.hint(), Some("use db.transaction()"), "{sql}");
        }
    }
}

#[test]
fn a_script_tells_where_it_failed() {
    for db in both().1 {
        script(&db, "create table t (x);\n-- ; not an end\ninsert into t values (';'); ;");
        assert_eq!(int(&db, "select count(*) from t"), 1);
        let sql = "insert into t values (1); insert into ü values (2)";
        let error = db.script(sql, &Control::default()).unwrap_err();
        assert_eq!(error.query(), Some(sql));
        assert!(error.to_string().contains("no such table"), "{error}");
        assert_eq!(int(&db, "select count(*) from t"), 2);
        let error = db.script("select 1; selec 2", &Control::default()).unwrap_err();
        assert_eq!(error.position(), Some(11));
    }
}

#[test]
fn a_script_may_hold_whole_transactions_only() {
    for db in both().1 {
        script(&db, "create table t (x); begin; insert into t values (1); commit");
        let open = db.script("begin; insert into t values (2)", &Control::default()).unwrap_err();
        assert!(open.to_string().contains("did not end it"), "{open}");
        assert_eq!(int(&db, "select count(*) from t"), 1);
        let error = db.script("select $1", &Control::default()).unwrap_err();
        assert!(error.to_string().contains("parameters"), "{error}");
    }
}

#[test]
fn counts_are_of_the_statement_itself() {
    for db in both().1 {
        assert_eq!(run(&db, "create table t (x)", &[]).affected, 0);
        assert_eq!(run(&db, "insert into t values (1), (2), (3)", &[]).affected, 3);
        assert_eq!(run(&db, "create table u (x)", &[]).affected, 0);
        assert_eq!(run(&db, "update t set x = 9 where x > 1 returning x", &[]).affected, 2);
        assert_eq!(run(&db, "select x from t", &[]).affected, 3);
        assert_eq!(
            run(&db, "with k as (select 1 as x) delete from t where x in (select x from k)", &[])
                .affected,
            1
        );
    }
}

#[test]
fn rows_that_cannot_be_told_are_not_kept() {
    for db in both().1 {
        script(&db, "create table t (d date)");
        assert_eq!(fails(&db, "insert into t values ('soon') returning d").kind(), ErrorKind::Data);
        assert_eq!(int(&db, "select count(*) from t"), 0);
    }
}
