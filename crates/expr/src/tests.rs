use proptest::prelude::*;

use crate::{Dialect, Kind, Parameters, Statement};

fn postgres(sql: &str) -> String {
    Statement::parse(sql, Dialect::Postgres)
        .map_or_else(|e| e.to_string(), |s| s.text().to_string())
}

#[test]
fn numbered_parameters_keep_their_numbers() {
    let statement = Statement::parse("select $2::int + $1", Dialect::Sqlite).unwrap();
    assert_eq!(&**statement.text(), "select ?2::int + ?1");
    assert_eq!(*statement.parameters(), Parameters::Numbered(2));
}

#[test]
fn a_name_used_twice_is_one_parameter() {
    assert_eq!(postgres("a = :x or b = :y or c = :x"), "a = $1 or b = $2 or c = $1");
    assert_eq!(postgres(r"E'\' :x' :E'\' :x"), r"E'\' :x' $1'\' $2");
}

#[test]
fn what_only_looks_like_a_placeholder_is_left_alone() {
    for sql in [
        "select 'it''s :x $1'",
        "select E'\\':x' , 1",
        "select \":x\" from t",
        "select $$ :x $1 $$, $a$ $$ :x $a$",
        "select 1 -- :x $1\n + 2",
        "select /* :x /* $1 */ :y */ 1",
        "select now()::date, '{1,2}'::int[], a[1:n], a[b:c]",
        "select x := 1, cost$1",
        "select 'unterminated :x",
    ] {
        assert_eq!(postgres(sql), sql);
    }
}

#[test]
fn kinds_are_not_mixed() {
    let error = Statement::parse("select $1, :x", Dialect::Postgres).unwrap_err();
    assert_eq!(error.to_string(), "the statement mixes $1 and :name parameters; use one kind");
    assert_eq!(error.position(), Some(12));
    assert!(postgres("select $0").contains("$0 is not a parameter"));
    assert!(postgres("select $65536").contains("$1 to $65535"));
}

#[test]
fn named_arguments_are_put_in_order() {
    let statement = Statement::parse(":a :b :a", Dialect::Sqlite).unwrap();
    let arrange = |names: &[&str]| {
        let named = names.iter().map(|name| ((*name).to_owned(), name.len())).collect();
        statement.arrange::<usize>(named).map_err(|error| error.to_string())
    };
    assert_eq!(arrange(&["b", "a"]), Ok(vec![1, 1]));
    assert_eq!(arrange(&["a"]), Err("no value for :b".into()));
    let unknown = "the statement has no parameter :cc; it takes :a, :b";
    assert_eq!(arrange(&["a", "b", "cc"]), Err(unknown.into()));
}

#[test]
fn places_are_found_in_the_source() {
    let source = "select :größe, :größe + wrong from t where :x";
    let statement = Statement::parse(source, Dialect::Postgres).unwrap();
    let place = |text: &str| text.find("wrong").map(|at| text[..at].chars().count() + 1).unwrap();
    assert_eq!(statement.source_position(place(statement.text())), place(source));
    assert_eq!(statement.source_position(1), 1);
    let source = ":a;:b;:c;:d;:e;:f;:g;:h;:i;:j;:j";
    let statement = Statement::parse(source, Dialect::Postgres).unwrap();
    assert_eq!(&**statement.text(), "$1;$2;$3;$4;$5;$6;$7;$8;$9;$10;$10");
    let places = (27..=34).map(|place| statement.source_position(place));
    assert_eq!(places.collect::<Vec<_>>(), [27, 28, 29, 29, 30, 31, 32, 32]);
}

#[test]
fn identity_follows_the_text() {
    let key = |sql| Statement::parse(sql, Dialect::Postgres).unwrap().key();
    assert_eq!(key("select :a"), key("select $1"));
    assert_ne!(key("select 1"), key("select 2"));
    let of = |kinds: &[Kind]| Statement::ready("select 1".into(), 0).of_kinds(kinds).key();
    assert_eq!(of(&[Kind::BOOL]), of(&[Kind::BOOL]));
    assert_ne!(of(&[Kind::BOOL]), of(&[Kind::INT]));
    assert_ne!(of(&[Kind::BOOL]), key("select 1"));
}

proptest! {
    #[test]
    fn any_text_is_taken_or_refused(sql in "\\PC{0,60}|[$:'\"a1/*\\-\\n E]{0,40}") {
        if let Ok(statement) = Statement::parse(&sql, Dialect::Postgres)
            && *statement.parameters() == Parameters::Numbered(0)
        {
            prop_assert_eq!(&**statement.text(), sql.as_str());
        }
    }
}
