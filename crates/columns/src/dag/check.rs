use std::sync::Arc;

use arrow_array::LargeStringArray;

use super::change::Rows;
use super::ids::Ids;
use super::{NONE, Typed, order};
use crate::build::Fixed;
use crate::{Batch, Column, ColumnError, Dag, Field, Schema, Type};

/// What is wrong with an edge.
#[derive(Clone, Copy, PartialEq)]
enum Wrong {
    Circle,
    Missing,
    Repeated,
}

impl Wrong {
    fn name(self) -> &'static str {
        match self {
            Self::Circle => "circle",
            Self::Missing => "missing",
            Self::Repeated => "repeated",
        }
    }
}

impl Dag {
    /// What is wrong with edges, as a table of `row`, `problem`, `child` and `parent`: `circle` where a child is its
    /// parent's ancestor, so that there is no such graph; `missing` where a parent is in no row a child; `repeated` where
    /// an edge was there before.
    ///
    /// # Errors
    /// As [`new`](Self::new), but for circles.
    pub fn check(children: Typed<'_>, parents: Typed<'_>) -> Result<Batch, ColumnError> {
        let rows = Rows::new(children, parents, None)?;
        let mut ids = Ids::new(rows.spelling()?);
        let said = rows.nodes(&mut ids)?;
        let mut edges = said.clone();
        edges.retain(|&(_, parent)| parent != NONE);
        let (mut starts, mut all) = (vec![0], Vec::new());
        order::append(&mut starts, &mut all, ids.len(), &edges);
        let circles = circles(&starts, &all);
        let mut is_child = vec![false; ids.len()];
        for &(child, _) in &said {
            is_child[child as usize] = true;
        }
        // Repeated rows stand behind the one they repeat.
        let mut sorted: Vec<(u32, u32, usize)> =
            said.iter().zip(0..).map(|(&(child, parent), row)| (child, parent, row)).collect();
        sorted.sort_unstable();
        let mut wrong: Vec<(usize, Wrong)> = Vec::new();
        for pair in sorted.windows(2) {
            let [(child, parent, _), (other, other_parent, row)] = [pair[0], pair[1]];
            if (child, parent) == (other, other_parent) && parent != NONE {
                wrong.push((row, Wrong::Repeated));
            }
        }
        for (row, &(child, parent)) in said.iter().enumerate() {
            if parent == NONE {
                continue;
            }
            if circles[child as usize] == circles[parent as usize] {
                wrong.push((row, Wrong::Circle));
            }
            if !is_child[parent as usize] {
                wrong.push((row, Wrong::Missing));
            }
        }
        wrong.sort_by_key(|&(row, _)| row);
        let mut numbers = Fixed::new(0_i64);
        let problems = wrong.iter().map(|(_, wrong)| Some(wrong.name()));
        let problems: LargeStringArray = problems.collect();
        let (mut of, mut to) = (Vec::new(), Vec::new());
        for &(row, _) in &wrong {
            numbers.push(row as i64);
            of.push(said[row].0);
            to.push(said[row].1);
        }
        let kind = ids.spelling().kind();
        let names: [(&str, Type); 4] = [
            ("row", Type::Int64),
            ("problem", Type::Text),
            ("child", kind.clone()),
            ("parent", kind),
        ];
        let fields = names.into_iter().map(|(name, kind)| Field::new(name, kind)).collect();
        let column = |nodes: Vec<u32>| -> Result<Column, ColumnError> { ids.column(&nodes) };
        let columns = vec![
            numbers.finish(&Type::Int64),
            Column::from_array(Arc::new(problems)),
            column(of)?,
            column(to)?,
        ];
        Ok(Batch::new(Arc::new(Schema::new(fields)), columns, wrong.len()))
    }
}

/// A number for each node, the same for those on a common circle and for no others: Tarjan's strongly connected
/// components, with a stack of their own. An edge to itself is a circle, which its number says.
fn circles(starts: &[u32], parents: &[u32]) -> Vec<u32> {
    let nodes = starts.len() - 1;
    let mut places = vec![NONE; nodes];
    let mut lowest = vec![0; nodes];
    let mut circles = vec![NONE; nodes];
    let (mut way, mut open): (Vec<(u32, u32)>, Vec<u32>) = (Vec::new(), Vec::new());
    let mut next_place = 0;
    for root in 0..nodes as u32 {
        if places[root as usize] != NONE {
            continue;
        }
        way.push((root, starts[root as usize]));
        while let Some((node, next)) = way.last_mut() {
            let at = *node as usize;
            if places[at] == NONE {
                (places[at], lowest[at]) = (next_place, next_place);
                next_place += 1;
                open.push(*node);
            }
            if *next < starts[at + 1] {
                let parent = parents[*next as usize];
                *next += 1;
                if places[parent as usize] == NONE {
                    way.push((parent, starts[parent as usize]));
                } else if circles[parent as usize] == NONE {
                    lowest[at] = lowest[at].min(places[parent as usize]);
                }
                continue;
            }
            let node = *node;
            way.pop();
            if let Some(&(child, _)) = way.last() {
                lowest[child as usize] = lowest[child as usize].min(lowest[at]);
            }
            if lowest[at] == places[at] {
                while let Some(on) = open.pop() {
                    circles[on as usize] = node;
                    if on == node {
                        break;
                    }
                }
            }
        }
    }
    circles
}
