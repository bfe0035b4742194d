use rowmill_columns::Scalar;

use super::{ENDLESS, both, int, run, script, statement};
use crate::{Control, ErrorKind};

#[test]
fn little_is_read_at_once() {
    for db in both().1 {
        script(
            &db,
            "create table t (id integer primary key, x text); insert into t values (1, 'a'), (2, 'b')",
        );
        // The first reader is opened by a call that may wait.
        int(&db, "select 1");
        let point = statement("select id, x from t where id = $1");
        for _ in 0..50 {
            let batch = db.try_fetch(&point, &[Scalar::Int(2)]).unwrap().unwrap().batch;
            assert_eq!((batch.rows(), batch.value(1, 0).to_string()), (1, "b".into()));
        }
        let error = db.try_fetch(&point, &[]).unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Programming);
        assert!(db.try_fetch(&statement("select nothing"), &[]).unwrap().is_err());
        assert!(db.try_fetch(&statement("commit"), &[]).is_none());
    }
}

#[test]
fn writes_are_for_workers() {
    for db in both().1 {
        script(&db, "create table t (id integer)");
        int(&db, "select 1");
        for sql in [
            "insert into t values (1)",
            "with a as (select 1) insert into t select * from a",
            "vacuum",
        ] {
            assert!(db.try_fetch(&statement(sql), &[]).is_none(), "{sql}");
        }
        assert_eq!(int(&db, "select count(*) from t"), 0);
    }
}

#[test]
fn much_is_for_workers_and_remembered() {
    for db in both().1 {
        int(&db, "select 1");
        let numbers = statement(
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < $1) select i from n",
        );
        assert!(db.try_fetch(&numbers, &[Scalar::Int(5_000)]).is_none());
        // Also where it would be little this time, for a while.
        let tried = (0..300).position(|_| db.try_fetch(&numbers, &[Scalar::Int(1)]).is_some());
        assert_eq!(tried, Some(255));
        let long = statement(ENDLESS);
        assert!(db.try_fetch(&long, &[]).is_none());
        assert!(db.0.slow.refuses(long.key()));
        let wide = statement("select zeroblob(1000000)");
        assert!(db.try_fetch(&wide, &[]).is_none());
        assert_eq!(run(&db, "select zeroblob(1000000)", &[]).batch.rows(), 1);
    }
}

#[test]
fn nothing_is_waited_for() {
    let (_folder, [db, memory]) = both();
    let select = statement("select 1");
    let reader = db.0.readers.take(&db.0.config, &Control::default()).unwrap();
    assert!(db.try_fetch(&select, &[]).is_none(), "the one that is open is lent");
    db.0.readers.give(reader);
    assert!(db.try_fetch(&select, &[]).is_some());
    let transaction = memory.begin(false, &Control::default()).unwrap();
    assert!(memory.try_fetch(&select, &[]).is_none());
    drop(transaction);
    assert!(memory.try_fetch(&select, &[]).is_some());
}
