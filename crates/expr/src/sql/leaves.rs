use std::collections::HashMap;

use crate::node::{Expr, Op};
use crate::query::Query;
use crate::shape::Shape;

/// A query's values, each node of them once, in one fixed order.
#[derive(Debug)]
pub struct Bound<'a> {
    leaves: Vec<&'a Expr>,
    /// Positions by node, once there are so many that looking through them takes longer.
    places: HashMap<usize, usize>,
    key: u128,
}

const MANY: usize = 24;

impl<'a> Bound<'a> {
    /// The values of `query`.
    pub fn of(query: &'a Query) -> Self {
        let mut bound = Self { leaves: Vec::with_capacity(12), places: HashMap::new(), key: 0 };
        // Which values are one node is of the shape: they are one parameter.
        let mut again = Shape::of(30);
        let mut seen = 0;
        query.expressions(&mut |expression| bound.add(expression, &mut seen, &mut again));
        again.add(query.shape());
        bound.key = again.finish();
        bound
    }

    fn add(&mut self, expression: &'a Expr, seen: &mut u64, again: &mut Shape) {
        // Queries are seen after the walk, for the closure has `self`.
        let mut queries = Vec::new();
        expression.walk(|node| match node.op() {
            Op::Literal(_) | Op::Parameter(_) => {
                match self.place(node) {
                    Some(place) => {
                        again.number(*seen);
                        again.number(place as u64);
                    }
                    None => {
                        if self.leaves.len() == MANY {
                            let known = self.leaves.iter().enumerate();
                            self.places = known.map(|(at, leaf)| (leaf.id(), at)).collect();
                        }
                        if self.leaves.len() >= MANY {
                            self.places.insert(node.id(), self.leaves.len());
                        }
                        self.leaves.push(node);
                    }
                }
                *seen += 1;
            }
            Op::Query(_, query) => queries.push(query),
            _ => {}
        });
        for query in queries {
            query.expressions(&mut |expression| self.add(expression, seen, again));
        }
    }

    /// Where a leaf is among the values.
    pub(super) fn place(&self, leaf: &Expr) -> Option<usize> {
        if self.leaves.len() > MANY {
            return self.places.get(&leaf.id()).copied();
        }
        self.leaves.iter().position(|known| known.is(leaf))
    }

    pub(super) fn leaf(&self, place: usize) -> &'a Expr {
        self.leaves[place]
    }

    /// The identity of the query's SQL: 128 bits over its shape and over which values are one.
    pub fn key(&self) -> u128 {
        self.key
    }
}
