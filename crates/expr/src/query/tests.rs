use std::sync::Arc;

use insta::assert_snapshot;
use rowmill_columns::Scalar;

use super::{
    Conflict, Delete, Derived, DerivedForm, Insert, Join, JoinForm, Output, Outputs, Query,
    Reference, Select, SetOperation, Source, Table, TableColumn, Then, Update,
};
use crate::sql::{Bound, Target, compile};
use crate::{Base, ColumnRef, Expr, Kind, Operator as O, QueryForm};

fn column(name: &str, kind: Kind) -> TableColumn {
    let primary = name == "id";
    let references =
        (name == "channel_id").then(|| Reference { table: "channels".into(), column: "id".into() });
    TableColumn { name: name.into(), label: None, kind, nullable: !primary, primary, references }
}

fn table(name: &str, columns: &[(&str, Kind)]) -> Arc<Source> {
    let columns = columns.iter().map(|(name, kind)| column(name, *kind)).collect();
    Arc::new(Source::Table(Table { schema: None, name: name.into(), alias: None, columns }))
}

fn lines() -> Arc<Source> {
    table(
        "lines",
        &[
            ("id", Kind::INT),
            ("channel_id", Kind::INT),
            ("nick", Kind::TEXT),
            ("score", Kind::FLOAT),
            ("at", Kind::One(Base::Instant)),
        ],
    )
}

fn channels() -> Arc<Source> {
    table("channels", &[("id", Kind::INT), ("slug", Kind::TEXT)])
}

fn of(source: &Arc<Source>, name: &str) -> Expr {
    source.as_table().unwrap().column(name).unwrap().of(source)
}

fn call<const N: usize>(operator: O, args: [Expr; N]) -> Expr {
    Expr::call(operator, args).unwrap()
}

fn above(source: &Arc<Source>, name: &str, value: impl Into<Scalar>) -> Expr {
    call(O::Greater, [of(source, name), Expr::literal(value)])
}

fn select(columns: Vec<Expr>) -> Select {
    let named = columns.into_iter().map(|expression| Output { expression, label: None });
    Select::new(named.collect())
}

fn ids() -> Select {
    select(vec![of(&lines(), "id")])
}

fn text(query: &Query, target: Target) -> String {
    let bound = Bound::of(query);
    match compile(query, &bound, target) {
        Ok(sql) => {
            let values = sql.values(&bound, &[]).unwrap();
            format!("{} {values:?}", sql.text)
        }
        Err(error) => error.to_string(),
    }
}

fn both(query: impl Into<Query>) -> String {
    let query = query.into();
    format!("{}\n{}", text(&query, Target::Postgres), text(&query, Target::Sqlite))
}

impl From<Select> for Query {
    fn from(select: Select) -> Self {
        Self::Select(Arc::new(select))
    }
}

#[test]
fn a_select_with_all_its_parts() {
    let (lines, channels) = (lines(), channels());
    let mut query = select(vec![of(&channels, "slug"), call(O::CountRows, [])]);
    query.from = Some(Arc::clone(&lines));
    let on = query.edge(&channels).unwrap();
    query.joins.push(Join { form: JoinForm::Left, source: Arc::clone(&channels), on: Some(on) });
    query.filter = vec![above(&lines, "score", 2.5), above(&lines, "id", 10)];
    query.group = vec![of(&channels, "slug")];
    query.having = vec![call(O::Greater, [call(O::CountRows, []), Expr::literal(1)])];
    query.order = vec![call(O::Negate, [of(&channels, "slug")])];
    query.limit = Some(Expr::literal(5));
    query.offset = Some(Expr::literal(10));
    assert_snapshot!(both(query));
}

#[test]
fn queries_in_a_tables_place() {
    let form = |form| {
        let derived = Derived { name: "part".into(), query: Arc::new(ids()), form };
        let source = Arc::new(Source::Query(derived));
        let mut outer = select(vec![Expr::named("id")]);
        outer.from = Some(source);
        both(outer)
    };
    let forms = [DerivedForm::Inline, DerivedForm::Lateral, DerivedForm::With];
    assert_snapshot!(forms.map(form).join("\n\n"));
}

#[test]
fn queries_as_operands() {
    let lines = lines();
    let mut found = ids();
    found.filter = vec![above(&lines, "score", 1.0)];
    let found = Arc::new(found);
    let one = |form, operand| Expr::query(form, operand, Arc::clone(&found)).unwrap();
    let mut outer = select(vec![of(&channels(), "slug"), one(QueryForm::Value, None)]);
    let id = || Some(of(&channels(), "id"));
    outer.filter = vec![
        one(QueryForm::In, id()),
        one(QueryForm::NotIn, id()),
        call(O::Not, [one(QueryForm::Exists, None)]),
    ];
    assert_snapshot!(both(outer));
}

#[test]
fn queries_put_together() {
    let mut first = ids();
    first.order = vec![of(&lines(), "id")];
    first.limit = Some(Expr::literal(1));
    let members = vec![Arc::new(first), Arc::new(ids())];
    let all = |operation| {
        let compound = Some((operation, members.clone()));
        let order = vec![call(O::Descending, [of(&lines(), "id")])];
        both(Select { order, compound, ..Select::default() })
    };
    assert_snapshot!(
        [
            SetOperation::Union,
            SetOperation::UnionAll,
            SetOperation::Intersect,
            SetOperation::Except
        ]
        .map(all)
        .join("\n\n")
    );
}

#[test]
fn rows_are_written() {
    let lines = lines();
    let insert = |conflict, query: Option<Select>| {
        let rows = match &query {
            Some(_) => Vec::new(),
            None => vec![vec![Expr::literal(1), Expr::literal("ada")]],
        };
        Query::Insert(Arc::new(Insert {
            table: Arc::clone(&lines),
            columns: vec!["id".into(), "nick".into()],
            rows,
            query: query.map(Arc::new),
            conflict,
            returning: Arc::new(Outputs::new(ids().outputs.list().to_vec())),
        }))
    };
    let nick = lines.as_table().unwrap().column("nick").unwrap().of(&lines);
    let set = vec![("nick".into(), Expr::excluded(nick.as_column().unwrap().clone()))];
    let conflict = |then| Some(Conflict { key: vec!["id".into()], then });
    let update = Update {
        table: Arc::clone(&lines),
        set: vec![("score".into(), call(O::Add, [of(&lines, "score"), Expr::literal(1)]))],
        from: Vec::new(),
        filter: vec![above(&lines, "id", 7)],
        all_rows: false,
        returning: Arc::default(),
    };
    let delete = Delete {
        table: Arc::clone(&lines),
        filter: Vec::new(),
        all_rows: true,
        returning: Arc::default(),
    };
    let taken = select(vec![of(&lines, "id"), of(&lines, "nick")]);
    let texts = [
        insert(None, None),
        insert(conflict(Then::Set(set.clone())), None),
        insert(conflict(Then::Set(set)), Some(taken)),
        insert(conflict(Then::Given), None),
        insert(conflict(Then::Nothing), None),
        Query::Update(Arc::new(update)),
        Query::Delete(Arc::new(delete)),
    ];
    assert_snapshot!(texts.map(both).join("\n\n"));
}

#[test]
fn a_shared_value_is_one_parameter_in_whatever_form() {
    let lines = lines();
    let nick = Expr::literal("ada");
    let same = call(O::Equal, [of(&lines, "nick"), nick.clone()]);
    let within = call(O::Contains, [of(&lines, "nick"), nick]);
    let mut query = ids();
    query.filter = vec![call(O::Or, [same.clone(), within]), same];
    assert_eq!(both(query).matches("Text(\"ada\")").count(), 2, "one for each database");

    let mut twice = ids();
    let two = || call(O::Equal, [of(&lines, "nick"), Expr::literal("ada")]);
    twice.filter = vec![two(), two()];
    let query: Query = twice.into();
    let bound = Bound::of(&query);
    assert_eq!(compile(&query, &bound, Target::Postgres).unwrap().slots.len(), 2);
}

#[test]
fn a_shape_knows_everything_but_values() {
    let key = |change: &dyn Fn(&mut Select)| {
        let mut query = ids();
        query.filter = vec![above(&lines(), "score", 1.0)];
        change(&mut query);
        let query = query.into();
        Bound::of(&query).key()
    };
    let plain = key(&|_| ());
    assert_eq!(plain, key(&|query| query.filter = vec![above(&lines(), "score", 7.0)]));
    let changes: [&dyn Fn(&mut Select); 8] = [
        &|query| query.filter = vec![above(&lines(), "id", 1)],
        &|query| query.filter.push(above(&lines(), "id", 1)),
        &|query| query.distinct = true,
        &|query| query.limit = Some(Expr::literal(5)),
        &|query| query.offset = Some(Expr::literal(5)),
        &|query| query.order = vec![of(&lines(), "id")],
        &|query| query.group = vec![of(&lines(), "id")],
        &|query| query.having = vec![above(&lines(), "score", 1.0)],
    ];
    let mut keys: Vec<_> = changes.iter().map(|change| key(change)).collect();
    // Limits stand in the text.
    keys.push(key(&|query| query.limit = Some(Expr::literal(6))));
    keys.push(key(&|query| query.limit = Some(Expr::literal(11))));
    keys.push(key(&|query| query.offset = Some(Expr::literal(11))));
    // So does where NULLs go, and how a column is cast.
    let column = |kind, nullable| {
        Expr::column(ColumnRef { source: Some(lines()), name: "id".into(), kind, nullable })
    };
    keys.push(key(&|query| query.order = vec![column(Kind::INT, true)]));
    keys.push(key(&|query| query.order = vec![column(Kind::FLOAT, false)]));
    let one = above(&lines(), "score", 1.0);
    keys.push(key(&|query| query.filter = vec![one.clone(), one.clone()]));
    keys.push(key(&|query| {
        query.filter = vec![above(&lines(), "score", 1.0), above(&lines(), "score", 1.0)];
    }));
    keys.push(plain);
    let count = keys.len();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), count);
}

#[test]
fn deep_trees_are_dropped_shown_and_written_without_recursion() {
    std::thread::Builder::new()
        .stack_size(256 << 10)
        .spawn(|| {
            let mut deep = above(&lines(), "id", 0);
            for _ in 0..200_000 {
                deep = call(O::Not, [deep]);
            }
            assert!(deep.to_string().len() < 1000);
            let mut query = ids();
            query.filter = vec![deep.clone()];
            assert!(both(query).contains("more than the database reads"));
            let shared = deep.clone();
            drop(deep);
            assert_eq!(shared.depth(), 200_002);
        })
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn queries_within_queries_are_counted_once() {
    let mut query = Arc::new(ids());
    let mut levels = 0;
    let refused = loop {
        let within = Expr::query(QueryForm::In, Some(of(&lines(), "id")), Arc::clone(&query));
        let mut next = ids();
        match within {
            Ok(within) => next.filter = vec![within],
            Err(error) => break error,
        }
        query = Arc::new(next);
        levels += 1;
    };
    assert_eq!(levels, 63);
    assert!(refused.to_string().contains("64 deep at most"), "{refused}");

    let mut double = ids();
    let refused = loop {
        let members = vec![Arc::new(double.clone()), Arc::new(double)];
        let compound = Some((SetOperation::UnionAll, members));
        match Arc::new(Select { compound, ..Select::default() }).nested() {
            Ok(next) => double = (*next).clone(),
            Err(error) => break error,
        }
    };
    assert!(refused.to_string().contains("parts when written out"), "{refused}");
}

#[test]
fn a_name_without_a_table_is_no_text_on_sqlite() {
    let mut query = select(vec![Expr::named("a`b\"c")]);
    query.from = Some(lines());
    assert_eq!(
        both(query),
        "select \"a`b\"\"c\" from \"lines\" []\nselect `a``b\"c` from \"lines\" []"
    );
}

#[test]
fn queries_that_look_alike_are_two_by_their_values() {
    let named = |query: &Arc<Select>| {
        let (name, query, form) = ("part".into(), Arc::clone(query), DerivedForm::With);
        Source::Query(Derived { name, query, form })
    };
    let above = |value: i64| {
        let mut query = ids();
        query.filter = vec![above(&lines(), "id", value)];
        Arc::new(query)
    };
    let (one, other) = (above(1), above(1));
    assert!(named(&one).is(&named(&one)));
    assert!(!named(&one).is(&named(&other)));
    assert_eq!(named(&one).key(), named(&other).key());
    assert!(named(&Arc::new(ids())).is(&named(&Arc::new(ids()))));
}

#[test]
fn a_column_of_a_query_around_may_be_null() {
    let mut query = select(vec![of(&channels(), "id")]);
    query.from = Some(channels());
    assert!(!query.is_nullable(0));
    query.from = Some(lines());
    assert!(query.is_nullable(0));
}
