use super::{Folder, config, fails, int, memory, rows, run, script, statement};
use crate::sqlite::{Sqlite, SqliteConfig};
use crate::{Control, ErrorKind};

fn refused(config: SqliteConfig) -> crate::Error {
    match Sqlite::open(config) {
        Ok(_) => panic!("it opened"),
        Err(error) => error,
    }
}

#[test]
fn a_file_is_tuned() {
    let folder = Folder::new();
    let db = folder.open();
    assert_eq!(rows(&db, "pragma journal_mode").value(0, 0).to_string(), "wal");
    assert_eq!(int(&db, "pragma foreign_keys"), 1);
    assert_eq!(int(&db, "pragma synchronous"), 1);
}

#[test]
fn what_is_no_database_is_told() {
    let folder = Folder::new();
    let error = refused(config(Some(&folder.0)));
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.to_string().contains("is a directory"), "{error}");

    let error = refused(config(Some(&folder.path("no/such/test.db"))));
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.to_string().contains("there is no directory"), "{error}");

    let garbage = folder.path("garbage.db");
    std::fs::write(
        &garbage,
        "not a database, but long enough to look like a page of one".repeat(99),
    )
    .unwrap();
    for read_only in [false, true] {
        let error = refused(SqliteConfig { read_only, ..config(Some(&garbage)) });
        assert_eq!(error.kind(), ErrorKind::Operational);
        assert!(
            error.to_string().contains("not an SQLite database")
                && error.to_string().contains("garbage.db")
        );
    }
}

#[test]
fn reading_only_writes_nothing() {
    let folder = Folder::new();
    let path = folder.path("test.db");
    let reading = || SqliteConfig { read_only: true, ..config(Some(&path)) };
    let error = refused(reading());
    assert!(error.to_string().contains("no such file"), "{error}");
    assert!(!path.exists());

    script(&folder.open(), "create table t (x integer); insert into t values (1)");
    let db = Sqlite::open(reading()).unwrap();
    assert_eq!(int(&db, "select x from t"), 1);
    for sql in [
        "insert into t values (2)",
        "with a as (select 1) insert into t select * from a",
        "create table u (x)",
    ] {
        assert_eq!(fails(&db, sql).kind(), ErrorKind::Operational, "{sql}");
    }
    let error = db.begin(false, &Control::default()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Operational);
    assert!(db.script("delete from t", &Control::default()).is_err());
    let transaction = db.begin(true, &Control::default()).unwrap();
    assert_eq!(
        transaction
            .fetch(&statement("select x from t"), &[], &Control::default())
            .unwrap()
            .batch
            .rows(),
        1
    );
}

#[test]
fn odd_names_are_names() {
    let folder = Folder::new();
    for name in ["with space.db", "ü?mode=memory#.db"] {
        let path = folder.path(name);
        script(&Sqlite::open(config(Some(&path))).unwrap(), "create table t (x)");
        assert!(path.exists(), "{name}");
    }
    assert_eq!(refused(config(Some("".as_ref()))).kind(), ErrorKind::Config);
    assert_eq!(refused(config(Some("a\0b".as_ref()))).kind(), ErrorKind::Config);
}

#[test]
fn a_closed_database_says_so() {
    let folder = Folder::new();
    for db in [folder.open(), memory()] {
        script(&db, "create table if not exists t (x)");
        let select = statement("select 1");
        let mut stream = db.stream(&select, &[], 1).unwrap();
        db.close();
        db.close();
        for sql in ["select 1", "insert into t values (1)", "vacuum"] {
            assert_eq!(fails(&db, sql).kind(), ErrorKind::Misuse, "{sql}");
        }
        assert_eq!(db.try_fetch(&select, &[]).unwrap().unwrap_err().kind(), ErrorKind::Misuse);
        assert!(db.stream(&select, &[], 1).is_err());
        assert_eq!(stream.next(&Control::default()).unwrap_err().kind(), ErrorKind::Misuse);
        assert!(db.script("select 1", &Control::default()).is_err());
        assert!(db.begin(false, &Control::default()).is_err());
    }
}

#[test]
fn closing_leaves_those_who_work() {
    let folder = Folder::new();
    let db = folder.open();
    script(&db, "create table t (x integer)");
    let control = Control::default();
    let transaction = db.begin(false, &control).unwrap();
    db.close();
    transaction.fetch(&statement("insert into t values (1)"), &[], &control).unwrap();
    transaction.commit(&control).unwrap();
    assert_eq!(int(&folder.open(), "select count(*) from t"), 1);
}

#[test]
fn two_handles_share_a_file() {
    let folder = Folder::new();
    let (one, two) = (folder.open(), folder.open());
    script(&one, "create table t (x integer)");
    run(&two, "insert into t values (1)", &[]);
    assert_eq!(int(&one, "select count(*) from t"), 1);
}
