//! Rows into tables, on both databases.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rowmill::build::{Bytes, Fixed};
use rowmill::{
    Batch, Control, Database, Error, ErrorKind, Field, Load, OnConflict, Result, Rows, Scalar,
    Schema, TransactionMode, Type,
};

/// Rows of an id, a name (NULL where it is empty) and a price.
fn items(rows: &[(i64, &str, f64)]) -> Batch {
    let (mut ids, mut names, mut prices) =
        (Fixed::new(0_i64), Bytes::text(), Fixed::marking(f64::NAN));
    for &(id, name, price) in rows {
        ids.push(id);
        if name.is_empty() {
            names.push_null();
        } else {
            names.push(name.as_bytes());
        }
        if price.is_nan() { prices.push_null() } else { prices.push(price) }
    }
    let fields = [("id", Type::Int64), ("name", Type::Text), ("price", Type::Float64)];
    let fields = fields.map(|(name, kind)| Field::new(name, kind)).to_vec();
    let columns =
        vec![ids.finish(&Type::Int64), names.finish().unwrap(), prices.finish(&Type::Float64)];
    Batch::new(Arc::new(Schema::new(fields)), columns, rows.len())
}

const TABLE: &str = "create table item (id integer primary key, name text unique, \
                     price double precision not null)";

/// The schemas so far, to name the next by.
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// A database of each kind, its table empty; PostgreSQL's in a schema of the test's own.
fn each(test: impl Fn(&Database)) {
    let sqlite = Database::open("sqlite://").unwrap();
    sqlite.script(TABLE).unwrap();
    test(&sqlite);
    let url = std::env::var("ROWMILL_TEST_POSTGRES").expect("run the tests by ./dev test");
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let schema = format!("load_{}_{number}", std::process::id());
    let url = format!("{url}&options=-csearch_path%3D{schema}");
    let postgres = Database::open(&url).unwrap();
    postgres.script(&format!("create schema {schema}; {TABLE}")).unwrap();
    test(&postgres);
    postgres.script(&format!("drop schema {schema} cascade")).unwrap();
}

fn found(db: &Database) -> Vec<String> {
    let batch = db.query("select id, name, price from item order by id").fetch().unwrap();
    let row = |row| [0, 1, 2].map(|column| batch.value(column, row).to_string()).join(" ");
    (0..batch.rows()).map(row).collect()
}

fn code(result: Result<u64>) -> (ErrorKind, String) {
    let error = result.unwrap_err();
    (error.kind(), error.to_string())
}

#[test]
fn all_rows_arrive() {
    each(|db| {
        assert_eq!(db.load(Load::new("item", items(&[]))).unwrap(), 0);
        let rows: Vec<_> = (0..20_000).map(|id| (id, "", 0.5)).collect();
        assert_eq!(db.load(Load::new("item", items(&rows))).unwrap(), 20_000);
        let count = db.query("select count(*) from item where name is null and price = 0.5");
        assert_eq!(count.fetch_value().unwrap(), Scalar::Int(20_000));
    });
}

#[test]
fn rows_that_are_there_are_left_or_updated() {
    each(|db| {
        db.load(Load::new("item", items(&[(1, "a", 1.0), (2, "b", 2.0)]))).unwrap();
        let more = items(&[(2, "B", 2.5), (3, "c", 3.0)]);
        let nothing = Load::new("item", &more).on_conflict(OnConflict::Nothing);
        assert_eq!(db.load(nothing).unwrap(), 1);
        assert_eq!(found(db), ["1 a 1.0", "2 b 2.0", "3 c 3.0"]);
        let update = Load::new("item", &more).on_conflict(OnConflict::Update);
        assert_eq!(db.load(update).unwrap(), 2);
        assert_eq!(found(db), ["1 a 1.0", "2 B 2.5", "3 c 3.0"]);
        let other = items(&[(7, "a", 9.0)]);
        let by_name = Load::new("item", &other).on_conflict(OnConflict::Update).key(["name"]);
        assert_eq!(db.load(by_name).unwrap(), 1);
        assert_eq!(found(db), ["2 B 2.5", "3 c 3.0", "7 a 9.0"]);
    });
}

#[test]
fn a_row_that_breaks_a_constraint_is_named_and_nothing_stays() {
    each(|db| {
        let twice = items(&[(1, "a", 1.0), (2, "b", 1.0), (1, "c", 1.0)]);
        let (kind, message) = code(db.load(Load::new("item", &twice)));
        assert!(kind == ErrorKind::Integrity && message.contains("row 2"), "{message}");
        let missing = items(&[(1, "a", 1.0), (2, "b", f64::NAN)]);
        let (kind, message) = code(db.load(Load::new("item", &missing)));
        assert!(kind == ErrorKind::Integrity && message.contains("row 1"), "{message}");
        assert!(message.contains("price"), "{message}");
        assert_eq!(found(db), [""; 0]);
        assert_eq!(db.load(Load::new("item", items(&[(1, "a", 1.0)]))).unwrap(), 1);
    });
}

#[test]
fn a_value_that_does_not_fit_is_named() {
    each(|db| {
        let nul = items(&[(1, "a", 1.0), (2, "b\0c", 1.0)]);
        if db.query("select 'a'").fetch_value().is_ok() && db.config().label().starts_with("post") {
            let (kind, message) = code(db.load(Load::new("item", &nul)));
            assert_eq!(kind, ErrorKind::Data);
            assert!(message.contains("name") && message.contains("row 1"), "{message}");
            let wide = items(&[(1_i64 << 40, "a", 1.0)]);
            let (kind, message) = code(db.load(Load::new("item", &wide)));
            assert_eq!(kind, ErrorKind::Data);
            assert!(message.contains("int4") && message.contains("row 0"), "{message}");
        }
        for table in ["nowhere", "item; drop table item", "a.b.c", ""] {
            let (kind, message) = code(db.load(Load::new(table, items(&[(1, "a", 1.0)]))));
            assert_eq!(kind, ErrorKind::Programming, "{message}");
        }
        assert_eq!(found(db), [""; 0]);
    });
}

#[test]
fn a_transaction_keeps_or_undoes_a_load() {
    each(|db| {
        let control = Control::default();
        let tx = db.transaction(TransactionMode::default(), &control).unwrap();
        tx.load(Load::new("item", items(&[(1, "a", 1.0)])), &control).unwrap();
        let again = items(&[(1, "b", 2.0)]);
        let update = Load::new("item", &again).on_conflict(OnConflict::Update);
        assert_eq!(tx.load(update, &control).unwrap(), 1);
        let name = tx.query("select name from item").fetch_value().unwrap();
        assert_eq!(name, Scalar::from("b"));
        tx.rollback(&control).unwrap();
        assert_eq!(found(db), [""; 0]);
    });
}

#[test]
fn parts_are_one_load_and_errors_count_from_the_first() {
    each(|db| {
        let rows: Vec<_> = (0..10_i64).map(|id| (id, "", 0.5)).collect();
        let parts = || rows.chunks(3).map(|part| Ok(items(part)));
        let mut told = 0;
        let load = Load::new("item", Rows::parts(parts())).progress(|rows| {
            told = rows;
            Ok(())
        });
        assert_eq!(db.load(load).unwrap(), 10);
        assert_eq!(told, 10);
        db.script("delete from item; insert into item values (7, 'here', 1)").unwrap();
        let (_, message) = code(db.load(Load::new("item", Rows::parts(parts()))));
        assert!(message.contains("row 7"), "{message}");
        assert_eq!(found(db), ["7 here 1.0"]);
        let none = Rows::parts(std::iter::empty());
        assert_eq!(db.load(Load::new("item", none)).unwrap(), 0);
    });
}

#[test]
fn parts_that_fail_undo_the_load() {
    each(|db| {
        let failed = || Err(Error::new(ErrorKind::Data, "the file ends in the middle"));
        let parts = [Ok(items(&[(1, "a", 1.0)])), failed()];
        let (kind, message) = code(db.load(Load::new("item", Rows::parts(parts.into_iter()))));
        assert_eq!((kind, message.as_str()), (ErrorKind::Data, "the file ends in the middle"));
        let other = items(&[(1, "a", 1.0)]).select(&[0, 1]);
        let parts = [Ok(items(&[(1, "a", 1.0)])), Ok(other)];
        let (kind, message) = code(db.load(Load::new("item", Rows::parts(parts.into_iter()))));
        assert_eq!(kind, ErrorKind::Programming);
        assert!(message.contains("from row 1 on"), "{message}");
        assert_eq!(found(db), [""; 0]);
    });
}

#[test]
fn parts_are_committed_where_that_is_wanted() {
    each(|db| {
        for on_conflict in [OnConflict::Fail, OnConflict::Update] {
            db.script("delete from item").unwrap();
            let rows: Vec<_> = (0..10_i64).map(|id| (id, "", 0.5)).collect();
            let items = items(&rows);
            let load = || Load::new("item", &items).on_conflict(on_conflict).commit_each(4);
            assert_eq!(db.load(load()).unwrap(), 10);
            db.script("delete from item").unwrap();
            let missing = (10_i64, "", f64::NAN);
            let rows: Vec<_> = rows.iter().copied().chain([missing]).collect();
            let items = self::items(&rows);
            let load = Load::new("item", &items).on_conflict(on_conflict).commit_each(4);
            let error = db.load(load).unwrap_err();
            assert!(format!("{error:?}").contains("8 rows were committed before"), "{error:?}");
            assert_eq!(found(db).len(), 8);
        }
        let control = Control::default();
        let tx = db.transaction(TransactionMode::default(), &control).unwrap();
        let rows = items(&[(1, "a", 1.0)]);
        let (kind, _) = code(tx.load(Load::new("item", &rows).commit_each(1), &control));
        assert_eq!(kind, ErrorKind::Programming);
    });
}

#[test]
fn columns_may_have_other_names() {
    each(|db| {
        let rows = items(&[(1, "a", 1.0)]);
        db.script("create table other (number int, name text)").unwrap();
        let names = [("id", Some("number")), ("price", None)];
        assert_eq!(db.load(Load::new("other", &rows).columns(names)).unwrap(), 1);
        let number = db.query("select number from other where name = 'a'").fetch_value();
        assert_eq!(number.unwrap(), Scalar::Int(1));
        let wrong = Load::new("other", &rows).columns([("nowhere", Some("x"))]);
        let (kind, message) = code(db.load(wrong));
        assert_eq!(kind, ErrorKind::Programming);
        assert!(message.contains("nowhere"), "{message}");
        let twice = Load::new("other", &rows).columns([("id", Some("name"))]);
        assert_eq!(code(db.load(twice)).0, ErrorKind::Programming);
    });
}
