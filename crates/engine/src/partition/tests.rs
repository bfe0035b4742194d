use rowmill_columns::Scalar;
use rowmill_expr::{Dialect, Statement};

use super::*;

fn texts(partition: &Partition, sql: &str, answer: &[Scalar]) -> Vec<String> {
    let statement = Statement::parse(sql, Dialect::Postgres).unwrap();
    let pieces = partition.pieces(&statement, &[Scalar::Int(9)], answer).unwrap();
    let lines = pieces.iter().map(|piece| {
        let text = piece.statement.text().replace(['\n', '\r'], "");
        format!("{} {:?}", text.replace("select * from (Q) as part", "Q"), piece.parameters)
    });
    lines.collect()
}

#[test]
fn the_ranges_leave_nothing_out() {
    let partition = Partition::new("i\"d").parts(3).ordered();
    assert_eq!(
        texts(&partition, "Q;  ", &[Scalar::Int(0), Scalar::Int(30)]),
        [
            r#"Q where part."i""d" < $2 order by part."i""d" [Int(9), Int(10)]"#,
            r#"Q where part."i""d" >= $2 and part."i""d" < $3 order by part."i""d" [Int(9), Int(10), Int(20)]"#,
            r#"Q where part."i""d" >= $2 order by part."i""d" [Int(9), Int(20)]"#,
            r#"Q where part."i""d" is null order by part."i""d" [Int(9)]"#,
        ]
    );
}

#[test]
fn what_cannot_be_cut_is_one_piece() {
    let partition = Partition::new("n");
    for answer in [
        vec![],
        vec![Scalar::Null, Scalar::Null],
        vec![Scalar::Int(5), Scalar::Int(5)],
        vec![Scalar::Float(1.0), Scalar::Float(f64::INFINITY)],
        vec![Scalar::Float(f64::NAN), Scalar::Float(f64::NAN)],
        vec![Scalar::Uuid([7; 16]), Scalar::Uuid([7; 16])],
        vec![Scalar::Decimal("1".into()), Scalar::Decimal("NaN".into())],
    ] {
        assert_eq!(texts(&partition, "Q", &answer), ["Q [Int(9)]"], "{answer:?}");
    }
    assert_eq!(partition.clone().parts(1).question("Q").unwrap(), None);
}

#[test]
fn steps_are_of_the_columns_own_type() {
    let cuts = |low, high| Partition::new("n").parts(2).steps(&[low, high]).unwrap();
    let ends = (Scalar::Int(i64::MIN), Scalar::Int(i64::MAX));
    assert_eq!(cuts(ends.0, ends.1), [Scalar::Int(-1)]);
    assert_eq!(cuts(Scalar::Date(-10), Scalar::Date(20)), [Scalar::Date(5)]);
    assert_eq!(cuts(Scalar::Float(0.0), Scalar::Float(1.0)), [Scalar::Float(0.5)]);
    let decimal = |text: &str| Scalar::Decimal(text.into());
    assert_eq!(cuts(decimal("0.5"), decimal("2.5")), [decimal("1.5")]);
    let at = |micros| Scalar::Timestamp { micros, utc: true };
    assert_eq!(cuts(at(0), at(9)), [at(4)]);
    assert_eq!(cuts(Scalar::Uuid([0; 16]), Scalar::Uuid([2; 16])), [Scalar::Uuid([1; 16])]);
    let text = [Scalar::Text("a".into()), Scalar::Text("b".into())];
    let error = Partition::new("n").steps(&text).unwrap_err();
    assert!(error.hint().is_some_and(|hint| hint.contains("by=\"rows\"")));
}

#[test]
fn pages_of_a_table() {
    let partition = Partition::new("ctid").parts(3);
    let question = partition.question("shop.it's").unwrap().unwrap();
    assert!(question.contains(r#"pg_relation_size('"shop"."it''s"')"#), "{question}");
    assert_eq!(
        texts(&partition, "t", &[Scalar::Int(30)]),
        [
            r#"select * from "t" where ctid < '(10,0)'::tid []"#,
            r#"select * from "t" where ctid >= '(10,0)'::tid and ctid < '(20,0)'::tid []"#,
            r#"select * from "t" where ctid >= '(20,0)'::tid []"#,
        ]
    );
    assert_eq!(texts(&partition, "t", &[Scalar::Int(0)]), [r#"select * from "t" []"#]);
    assert!(partition.question("select * from t where a.b.c").is_err());
}
