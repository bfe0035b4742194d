//! Rows into tables, on both databases.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rowmill::build::{Bytes, Fixed};
use rowmill::{
    Batch, Control, Database, ErrorKind, Field, OnConflict, Result, Scalar, Schema, Type,
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
        assert_eq!(db.load("item", &items(&[])).run().unwrap(), 0);
        let rows: Vec<_> = (0..20_000).map(|id| (id, "", 0.5)).collect();
        assert_eq!(db.load("item", &items(&rows)).run().unwrap(), 20_000);
        let count = db.query("select count(*) from item where name is null and price = 0.5");
        assert_eq!(count.fetch_value().unwrap(), Scalar::Int(20_000));
    });
}

#[test]
fn rows_that_are_there_are_left_or_updated() {
    each(|db| {
        db.load("item", &items(&[(1, "a", 1.0), (2, "b", 2.0)])).run().unwrap();
        let more = items(&[(2, "B", 2.5), (3, "c", 3.0)]);
        let nothing = db.load("item", &more).on_conflict(OnConflict::Nothing);
        assert_eq!(nothing.run().unwrap(), 1);
        assert_eq!(found(db), ["1 a 1.0", "2 b 2.0", "3 c 3.0"]);
        let update = db.load("item", &more).on_conflict(OnConflict::Update);
        assert_eq!(update.run().unwrap(), 2);
        assert_eq!(found(db), ["1 a 1.0", "2 B 2.5", "3 c 3.0"]);
        let other = items(&[(7, "a", 9.0)]);
        let by_name = db.load("item", &other).on_conflict(OnConflict::Update).key(["name"]);
        assert_eq!(by_name.run().unwrap(), 1);
        assert_eq!(found(db), ["2 B 2.5", "3 c 3.0", "7 a 9.0"]);
    });
}

#[test]
fn a_row_that_breaks_a_constraint_is_named_and_nothing_stays() {
    each(|db| {
        let twice = items(&[(1, "a", 1.0), (2, "b", 1.0), (1, "c", 1.0)]);
        let (kind, message) = code(db.load("item", &twice).run());
        assert!(kind == ErrorKind::Integrity && message.contains("row 2"), "{message}");
        let missing = items(&[(1, "a", 1.0), (2, "b", f64::NAN)]);
        let (kind, message) = code(db.load("item", &missing).run());
        assert!(kind == ErrorKind::Integrity && message.contains("row 1"), "{message}");
        assert!(message.contains("price"), "{message}");
        assert_eq!(found(db), [""; 0]);
        assert_eq!(db.load("item", &items(&[(1, "a", 1.0)])).run().unwrap(), 1);
    });
}

#[test]
fn a_value_that_does_not_fit_is_named() {
    each(|db| {
        let nul = items(&[(1, "a", 1.0), (2, "b\0c", 1.0)]);
        if db.query("select 'a'").fetch_value().is_ok() && db.config().label().starts_with("post") {
            let (kind, message) = code(db.load("item", &nul).run());
            assert_eq!(kind, ErrorKind::Data);
            assert!(message.contains("name") && message.contains("row 1"), "{message}");
            let wide = items(&[(1_i64 << 40, "a", 1.0)]);
            let (kind, message) = code(db.load("item", &wide).run());
            assert_eq!(kind, ErrorKind::Data);
            assert!(message.contains("int4") && message.contains("row 0"), "{message}");
        }
        for table in ["nowhere", "item; drop table item", "a.b.c", ""] {
            let (kind, message) = code(db.load(table, &items(&[(1, "a", 1.0)])).run());
            assert_eq!(kind, ErrorKind::Programming, "{message}");
        }
        assert_eq!(found(db), [""; 0]);
    });
}

#[test]
fn a_transaction_keeps_or_undoes_a_load() {
    each(|db| {
        let control = Control::default();
        let tx = db.transaction(None, false, &control).unwrap();
        tx.load("item", &items(&[(1, "a", 1.0)])).run().unwrap();
        let again = items(&[(1, "b", 2.0)]);
        let update = tx.load("item", &again).on_conflict(OnConflict::Update);
        assert_eq!(update.run().unwrap(), 1);
        let name = tx.query("select name from item").fetch_value().unwrap();
        assert_eq!(name, Scalar::from("b"));
        tx.rollback(&control).unwrap();
        assert_eq!(found(db), [""; 0]);
    });
}
