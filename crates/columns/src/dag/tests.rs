use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;

use super::Dag;
use crate::build::Bytes;
use crate::testing::fixed;
use crate::{Column, Type, Value};

const NODES: i64 = 30;

/// Edges in any order, of children to lower numbers or none.
fn edges() -> impl Strategy<Value = Vec<(i64, Option<i64>)>> {
    let edge = (0..NODES, any::<prop::sample::Index>(), any::<bool>());
    vec(edge, 1..70).prop_map(|rows| {
        let parent = |child: i64, at: prop::sample::Index, has: bool| {
            (has && child > 0).then(|| at.index(child as usize) as i64)
        };
        rows.into_iter().map(|(child, at, has)| (child, parent(child, at, has))).collect()
    })
}

fn columns(rows: &[(i64, Option<i64>)]) -> (Column, Column) {
    let children: Vec<_> = rows.iter().map(|&(child, _)| Some(child)).collect();
    let parents: Vec<_> = rows.iter().map(|&(_, parent)| parent).collect();
    (fixed(&Type::Int64, 0_i64, &children), fixed(&Type::Int64, 0_i64, &parents))
}

fn graph(rows: &[(i64, Option<i64>)]) -> Dag {
    let (children, parents) = columns(rows);
    Dag::new((&Type::Int64, &children), (&Type::Int64, &parents), None).unwrap()
}

fn numbers(dag: &Dag, nodes: &[u32]) -> Vec<i64> {
    let ids = dag.ids(nodes).unwrap();
    let number = |row| match ids.value(&Type::Int64, row) {
        Value::Int(number) => number,
        other => panic!("{other:?}"),
    };
    (0..nodes.len()).map(number).collect()
}

/// All that can be gone to along the edges, in one step or more.
fn above(rows: &[(i64, Option<i64>)], from: i64) -> BTreeSet<i64> {
    let mut found = BTreeSet::new();
    let mut open = vec![from];
    while let Some(node) = open.pop() {
        let parents = rows.iter().filter(|&&(child, _)| child == node);
        open.extend(
            parents.filter_map(|&(_, parent)| parent).filter(|&parent| found.insert(parent)),
        );
    }
    found
}

proptest! {
    #[test]
    fn walks_are_those_along_the_edges(rows in edges(), cut in any::<prop::sample::Index>()) {
        let (some, rest) = rows.split_at(cut.index(rows.len()));
        let (children, parents) = columns(rest);
        let parts = graph(some).with_edges((&Type::Int64, &children), (&Type::Int64, &parents), None);
        for dag in [graph(&rows), parts.unwrap()] {
            for node in 0..dag.len() as u32 {
                let number = numbers(&dag, &[node])[0];
                prop_assert!(dag.parents(node).iter().all(|&parent| parent < node));
                let ancestors: BTreeSet<_> =
                    numbers(&dag, &dag.ancestors(&[node]).indices()).into_iter().collect();
                prop_assert_eq!(&ancestors, &above(&rows, number));
                let descendants = dag.descendants(&[node]);
                for other in 0..dag.len() as u32 {
                    let is_below = above(&rows, numbers(&dag, &[other])[0]).contains(&number);
                    prop_assert_eq!(descendants.contains(other), is_below);
                }
                let found = dag.find((&Type::Int64, &fixed(&Type::Int64, 0_i64, &[Some(number)])));
                prop_assert_eq!(found.unwrap(), [Some(node)]);
            }
            let edges = dag.edges().unwrap();
            let [child, parent] = [edges.column(0), edges.column(1)];
            let again = Dag::new((&Type::Int64, child), (&Type::Int64, parent), None).unwrap();
            let sorted = |dag: &Dag| -> BTreeSet<Vec<i64>> {
                let node = |node| [&[node], dag.parents(node)].concat();
                (0..dag.len() as u32).map(|at| numbers(dag, &node(at))).collect()
            };
            prop_assert_eq!(sorted(&again), sorted(&dag));
            prop_assert_eq!(again.missing().count(), dag.missing().count());
        }
    }
}

#[test]
fn new_children_leave_all_numbers_as_they_are() {
    let dag = graph(&[(1, None), (2, Some(1)), (3, Some(2))]);
    let (children, parents) = columns(&[(5, Some(4)), (4, Some(3)), (2, Some(1)), (1, None)]);
    let more = dag.with_edges((&Type::Int64, &children), (&Type::Int64, &parents), None).unwrap();
    assert_eq!(numbers(&more, &[0, 1, 2, 3, 4]), [1, 2, 3, 4, 5]);
    assert_eq!(more.edge_count(), 4);
}

#[test]
fn digits_in_capitals_are_text() {
    let column = |text: &[u8]| {
        let mut column = Bytes::text();
        column.push(text);
        column.finish().unwrap()
    };
    for (child, parent, width) in [
        ([b'a'; 40].as_slice(), [b'b'; 40].as_slice(), 20),
        (&[b'A'; 40], &[b'B'; 40], 40),
        (&[b'a'; 40], &[b'b'; 64], 52),
        (&[b'a'; 40], &[b'g'; 40], 40),
    ] {
        let (child, parent) = (column(child), column(parent));
        let dag = Dag::new((&Type::Text, &child), (&Type::Text, &parent), None).unwrap();
        let both = dag.ids(&[1, 0]).unwrap();
        assert_eq!(both, Column::concat(&[&child, &parent]).unwrap());
        assert_eq!(dag.ids.cell_bytes(), width * 2 + if width == 52 { 16 } else { 0 });
    }
}
