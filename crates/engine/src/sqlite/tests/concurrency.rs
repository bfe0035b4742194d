use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use rowmill_columns::Scalar;

use super::{both, int, run, script, statement, try_run};
use crate::sqlite::Sqlite;
use crate::{Control, ErrorKind};

/// Runs `work` on eight threads at once.
fn together<R: Send + 'static>(
    db: &Sqlite,
    work: impl Fn(&Sqlite, i64) -> R + Send + Sync + 'static,
) -> Vec<R> {
    let (work, barrier) = (Arc::new(work), Arc::new(Barrier::new(8)));
    let threads: Vec<_> = (0..8)
        .map(|number| {
            let (db, work, barrier) = (db.clone(), Arc::clone(&work), Arc::clone(&barrier));
            thread::spawn(move || {
                barrier.wait();
                work(&db, number)
            })
        })
        .collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

#[test]
fn no_write_is_lost() {
    for db in both().1 {
        script(
            &db,
            "create table t (id integer primary key, n integer); insert into t values (1, 0)",
        );
        together(&db, |db, number| {
            for round in 0..200 {
                run(db, "update t set n = n + 1 where id = 1", &[]);
                let id = Scalar::Int(10 + number * 1_000 + round);
                run(db, "insert into t values ($1, 0)", &[id]);
                assert!(int(db, "select count(*) from t") > round);
            }
        });
        assert_eq!(int(&db, "select n from t where id = 1"), 1_600);
        assert_eq!(int(&db, "select count(*) from t"), 1_601);
    }
}

#[test]
fn a_failure_in_a_group_is_its_own() {
    for db in both().1 {
        script(
            &db,
            "create table t (id integer primary key, n integer check (n >= 0));
             create table log (id integer);
             create trigger stop before insert on t when new.n = 13
               begin select raise(rollback, 'thirteen'); end",
        );
        let outcomes = together(&db, |db, number| {
            let (mut well, mut ill) = (0, 0);
            for round in 0..150 {
                let id = Scalar::Int(number * 1_000 + round);
                // Of six: one breaks a rule, one ends its whole transaction, one runs out of time.
                let outcome = match round % 6 {
                    0 => try_run(db, "insert into t values ($1, -1)", &[id]),
                    1 => try_run(db, "insert into t values ($1, 13)", &[id]),
                    2 => {
                        let endless = "insert into log with recursive n(i) as
                            (select 1 union all select i + 1 from n where i < 1000000000)
                            select i from n where i < $1";
                        let control = Control::timeout(Duration::from_millis(1));
                        db.fetch(&statement(endless), &[id], &control)
                    }
                    3 => try_run(db, "insert into t values ($1, 5) returning id", &[id]),
                    _ => try_run(db, "insert into t values ($1, 1)", &[id]),
                };
                match outcome {
                    Ok(done) => {
                        assert_eq!(done.affected, 1);
                        well += 1;
                    }
                    Err(error) => {
                        let expected =
                            [ErrorKind::Integrity, ErrorKind::Integrity, ErrorKind::QueryTimeout];
                        assert_eq!(
                            Some(&error.kind()),
                            expected.get(round as usize % 6),
                            "{error}"
                        );
                        ill += 1;
                    }
                }
            }
            (well, ill)
        });
        assert!(outcomes.iter().all(|outcome| *outcome == (75, 75)), "{outcomes:?}");
        assert_eq!(int(&db, "select count(*) from t"), 600);
        assert_eq!(int(&db, "select count(*) from log"), 0);
    }
}

#[test]
fn a_deferred_constraint_fails_only_its_own() {
    for db in both().1 {
        script(
            &db,
            "create table p (id integer primary key);
             create table c (p integer references p deferrable initially deferred);
             insert into p values (1)",
        );
        let wells = together(&db, |db, number| {
            (0..50)
                .filter(|round| {
                    let parent = Scalar::Int(if (round + number) % 2 == 0 { 1 } else { 2 });
                    try_run(db, "insert into c values ($1)", &[parent]).is_ok()
                })
                .count()
        });
        assert_eq!(wells, [25; 8]);
        assert_eq!(int(&db, "select count(*) from c"), 200);
    }
}

#[test]
fn transactions_and_statements_take_turns() {
    for db in both().1 {
        script(&db, "create table t (n integer); insert into t values (0)");
        together(&db, |db, number| {
            let control = Control::default();
            for _ in 0..40 {
                if number % 2 == 0 {
                    let transaction = db.begin(false, &control).unwrap();
                    let seen =
                        transaction.fetch(&statement("select n from t"), &[], &control).unwrap();
                    let next = match seen.batch.value(0, 0) {
                        rowmill_columns::Value::Int(n) => Scalar::Int(n + 1),
                        other => panic!("{other:?}"),
                    };
                    transaction
                        .fetch(&statement("update t set n = $1"), &[next], &control)
                        .unwrap();
                    transaction.commit(&control).unwrap();
                } else {
                    run(db, "update t set n = n + 1", &[]);
                    run(db, "pragma user_version = 1", &[]);
                }
            }
        });
        assert_eq!(int(&db, "select n from t"), 320);
    }
}

#[test]
fn closing_wakes_those_who_wait() {
    for db in both().1 {
        script(&db, "create table t (n integer)");
        let transaction = db.begin(false, &Control::default()).unwrap();
        let waiter = {
            let db = db.clone();
            thread::spawn(move || try_run(&db, "insert into t values (1)", &[]).map(drop))
        };
        thread::sleep(Duration::from_millis(20));
        db.close();
        assert_eq!(waiter.join().unwrap().unwrap_err().kind(), ErrorKind::Misuse);
        drop(transaction);
    }
}
