use rowmill_columns::{Type, Value};

use super::{fails, int, memory, rows, script, texts, types};
use crate::ErrorKind;
use crate::sqlite::types::{CellType, cell_type};

#[test]
fn declared_types_decide() {
    let db = memory();
    script(
        &db,
        "create table t (a integer, b bigint, c real, d double precision, e boolean, f text,
           g varchar(10), h blob, i date, j datetime, k timestamptz, l json, m uuid, n time);
         insert into t values (1, -9223372036854775808, 1.5, 2, 1, 'ü', 'x', x'00ff', '2024-02-29',
           '2024-01-02 03:04:05.678', '2024-01-02T03:04:05+02:00', '{\"a\": [1, null]}',
           '00112233-4455-6677-8899-aabbccddeeff', '13:45');
         insert into t (a) values (null);",
    );
    let batch = rows(&db, "select * from t");
    assert_eq!(
        types(&batch).join(" "),
        "int64 int64 float64 float64 bool text text bytes date timestamp timestamp[utc] json uuid time"
    );
    let first: Vec<String> = (0..14).map(|column| batch.value(column, 0).to_string()).collect();
    assert_eq!(
        first.join(" | "),
        "1 | -9223372036854775808 | 1.5 | 2.0 | true | ü | x | \\x00ff | 2024-02-29 | \
         2024-01-02 03:04:05.678 | 2024-01-02 01:04:05+00 | {\"a\": [1, null]} | \
         00112233-4455-6677-8899-aabbccddeeff | 13:45:00"
    );
    assert!((0..14).all(|column| batch.value(column, 1).is_null()));
}

#[test]
fn words_of_a_declaration() {
    for (declared, kind) in [
        ("INT", CellType::Int),
        ("unsigned big int", CellType::Int),
        ("INT8", CellType::Int),
        ("interval", CellType::Found),
        ("point", CellType::Found),
        ("numeric(10,2)", CellType::Float),
        ("native character(70)", CellType::Text),
        ("NVARCHAR(100)", CellType::Text),
        ("float", CellType::Float),
        ("timestamp(6) with time zone", CellType::Instant),
        ("timestamp without time zone", CellType::Timestamp),
        ("Bool", CellType::Bool),
    ] {
        assert_eq!(cell_type(declared), kind, "{declared}");
    }
}

#[test]
fn values_decide_where_nothing_is_declared() {
    let db = memory();
    let of = |sql: &str| {
        let batch = rows(&db, sql);
        (batch.schema().fields[0].kind.clone(), texts(&batch, 0))
    };
    let expect = |kind: Type, texts: &[&str]| {
        (kind, texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(of("select null union all select 7"), expect(Type::Int64, &["null", "7"]));
    assert_eq!(
        of(
            "select null union all select 1 union all select 2.5 union all select 9007199254740993-1"
        ),
        expect(Type::Float64, &["null", "1.0", "2.5", "9007199254740992.0"])
    );
    assert_eq!(of("select null union all select 'a'"), expect(Type::Text, &["null", "a"]));
    assert_eq!(of("select x'00' union all select null"), expect(Type::Bytes, &["\\x00", "null"]));
    assert_eq!(of("select x'' "), expect(Type::Bytes, &["\\x"]));
    let nulls = rows(&db, "select null union all select null");
    assert!(nulls.value(0, 0).is_null() && nulls.value(0, 1).is_null());
}

#[test]
fn numbers_are_never_rounded() {
    let db = memory();
    let error = fails(&db, "select 9007199254740993 as n union all select 0.5");
    assert_eq!(error.kind(), ErrorKind::Data);
    assert!(error.to_string().starts_with("column \"n\""), "{error}");
    let error = fails(&db, "select 0.5 as n union all select 9223372036854775807");
    assert!(error.to_string().contains("the integer 9223372036854775807"), "{error}");
}

#[test]
fn a_cell_that_does_not_fit_is_named() {
    let db = memory();
    script(&db, "create table t (n integer, d date, b bool, x text, j json, u uuid)");
    let cases = [
        ("n", "'abc'", "declared INTEGER), row 1: the text \"abc\" is not an integer"),
        ("n", "1.5", "the float 1.5 is not an integer"),
        ("d", "'2024-13-01'", "the text \"2024-13-01\" is not a date"),
        ("d", "5", "the integer 5 is not a date"),
        ("b", "2", "the integer 2 is not 0 or 1"),
        ("x", "x'00'", "a blob of 1 bytes is not text"),
        ("j", "'{'", "the text \"{\" is not JSON"),
        ("u", "'zz'", "is not a UUID"),
    ];
    for (column, value, words) in cases {
        script(
            &db,
            &format!(
                "delete from t; insert into t values (null, null, null, null, null, null);
            insert into t ({column}) values ({value})"
            ),
        );
        let error = fails(&db, &format!("select {column} from t order by rowid"));
        assert_eq!(error.kind(), ErrorKind::Data);
        assert!(error.to_string().to_lowercase().contains(&words.to_lowercase()), "{error}");
        assert!(
            error.hint().is_some_and(|hint| hint.contains(&format!("cast(\"{column}\" as text)")))
        );
        // The way out.
        rows(&db, &format!("select cast({column} as text) from t"));
    }
}

#[test]
fn text_that_is_not_utf8_is_named() {
    let db = memory();
    let error = fails(&db, "select 'fine' as t union all select cast(x'ff41' as text)");
    assert!(error.to_string().contains("column \"t\", row 1"), "{error}");
    assert_eq!(texts(&rows(&db, "select cast(cast(x'ff41' as text) as blob)"), 0), ["\\xff41"]);
}

#[test]
fn zones_are_not_mixed() {
    let db = memory();
    script(&db, "create table t (a datetime); insert into t values ('2024-01-01 00:00:00+00:00')");
    assert_eq!(types(&rows(&db, "select a from t")), ["timestamp[utc]"]);
    script(&db, "insert into t values ('2024-01-01 00:00:00')");
    let error = fails(&db, "select a from t");
    assert!(error.to_string().contains("with a zone"), "{error}");
    script(
        &db,
        "create table u (a timestamptz default current_timestamp); insert into u default values",
    );
    assert_eq!(types(&rows(&db, "select a from u")), ["timestamp[utc]"]);
}

#[test]
fn json_numbers_survive_the_column_affinity() {
    let db = memory();
    script(
        &db,
        "create table t (j json); insert into t values ('12'), ('1.5'), ('\"x\"'), ('1e300')",
    );
    assert_eq!(texts(&rows(&db, "select j from t"), 0), ["12", "1.5", "\"x\"", "1e300"]);
}

#[test]
fn a_uuid_may_be_sixteen_bytes() {
    let db = memory();
    script(
        &db,
        "create table t (u uuid); insert into t values (x'00112233445566778899aabbccddeeff')",
    );
    let batch = rows(&db, "select u from t");
    assert_eq!(batch.value(0, 0).to_string(), "00112233-4455-6677-8899-aabbccddeeff");
}

#[test]
fn utf16_databases_read_alike() {
    let db = memory();
    script(
        &db,
        "pragma encoding='UTF-16'; create table t (x text, y); insert into t values ('äöü', '😀')",
    );
    let batch = rows(&db, "select x, y from t");
    assert_eq!(
        (batch.value(0, 0).to_string(), batch.value(1, 0).to_string()),
        ("äöü".into(), "😀".into())
    );
}

#[test]
fn results_without_rows_keep_their_columns() {
    let db = memory();
    script(&db, "create table t (id integer, name text)");
    let batch = rows(&db, "select id, name, id as id from t");
    let names: Vec<_> = batch.schema().fields.iter().map(|field| &*field.name).collect();
    assert_eq!((names, batch.rows()), (vec!["id", "name", "id"], 0));
    assert_eq!(batch.schema().fields[1].kind, Type::Text);
    assert_eq!(rows(&db, "create table v (x)").columns().len(), 0);
}

#[test]
fn wide_and_long_results() {
    let db = memory();
    script(
        &db,
        "create table t (id integer primary key, name text);
         with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000)
         insert into t select i, 'name ' || i from n",
    );
    let batch = rows(&db, "select id, name from t order by id");
    assert_eq!(batch.rows(), 100_000);
    assert_eq!(batch.value(0, 99_999), Value::Int(100_000));
    assert_eq!(batch.value(1, 49_999), Value::Text("name 50000"));
    assert_eq!(int(&db, "select count(*) from t"), 100_000);
}
