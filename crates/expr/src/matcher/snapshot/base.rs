//! An index, each number of which is held against what it points into.

use std::io;
use std::sync::Arc;

use super::super::attributes::Attributes;
use super::super::base::{Base, Check, Extra, Told};
use super::super::builder::checked;
use super::super::dictionary::Dictionary;
use super::super::expressions::Expressions;
use super::super::key::Key;
use super::super::line::{BLOCK, Line, Lines};
use super::super::residual::{Residuals, Tree};
use super::super::step::Step;
use super::layer::{Rows, all};
use super::out::Out;
use super::packed::{Packed, Packer};
use super::source::{Source, damaged};
use crate::{ExprError, limits};

impl Base {
    /// The expressions as bytes.
    pub(super) fn packed(&self) -> Result<(Packed, Packed), ExprError> {
        let mut packer = Packer::new(&self.attributes);
        for condition in self.residuals.expressions() {
            packer.push(condition)?;
        }
        let conditions = packer.finish();
        let expressions = match &self.expressions {
            Expressions::Packed(packed) => packed.clone(),
            Expressions::Made(made) => {
                for (id, expression) in self.ids.iter().zip(made) {
                    packer
                        .push(expression)
                        .map_err(|error| ExprError::new(format!("the expression {id}: {error}")))?;
                }
                packer.finish()
            }
        };
        Ok((conditions, expressions))
    }

    pub(super) fn write(
        &self,
        (conditions, expressions): &(Packed, Packed),
        out: &mut Out<'_>,
    ) -> io::Result<()> {
        out.u64s(self.ids.iter().copied())?;
        out.u64s(self.priorities.iter().map(|priority| priority.to_bits()))?;
        out.u32s(self.slot_numbers.iter().copied())?;
        for dictionary in &self.dictionaries {
            write_dictionary(dictionary, out)?;
        }
        conditions.write(out)?;
        let mut trees = Vec::new();
        self.trees.iter().for_each(|tree| write_tree(tree, &mut trees));
        out.u64(self.trees.len() as u64)?;
        out.u32s(trees)?;
        out.u32s(self.checks.iter().map(|check| {
            u32::from(check.attribute) << 16 | u32::from(check.not) << 1 | u32::from(check.null)
        }))?;
        out.u32s(self.checks.iter().map(|check| check.start))?;
        out.u32s(self.checks.iter().map(|check| check.end))?;
        out.u32s(self.check_values.iter().copied())?;
        out.u32s(self.extras.iter().map(|extra| extra.slot))?;
        out.u32s(self.extras.iter().map(|extra| extra.residual))?;
        out.u32s(self.extras.iter().map(|extra| extra.checks.0))?;
        out.u32s(self.extras.iter().map(|extra| extra.checks.1))?;
        out.lines(&self.lines)?;
        out.u64(self.steps.len() as u64)?;
        for step in &self.steps {
            step.write(out)?;
        }
        expressions.write(out)
    }

    pub(super) fn read(
        attributes: &Arc<Attributes>,
        source: &mut Source<'_>,
    ) -> Result<Self, ExprError> {
        let ids = source.u64s()?;
        let priorities = source.f64s()?;
        let is_number = |priority: &f64| checked(*priority).is_ok();
        if ids.len() != priorities.len() || !priorities.iter().all(is_number) {
            return Err(damaged("priorities"));
        }
        let slot_numbers = source.u32s()?;
        if u32::try_from(slot_numbers.len()).is_err() || !all(&slot_numbers, ids.len()) {
            return Err(damaged("slots"));
        }
        let slots = slot_numbers.len();
        let blocks = slots.div_ceil(BLOCK);
        let dictionaries = (0..attributes.len()).map(|_| read_dictionary(source));
        let dictionaries = dictionaries.collect::<Result<Vec<_>, _>>()?;
        let residuals = Residuals::read(&Packed::read(attributes, source)?, attributes.schema())?;
        let trees = read_trees(source, residuals.len())?;
        let checks = read_checks(source, attributes.len())?;
        let check_values = source.u32s()?;
        if checks.iter().any(|check| check.end as usize > check_values.len()) {
            return Err(damaged("values to look for"));
        }
        let extras = read_extras(source, slots, trees.len(), checks.len())?;
        let lines = source.lines()?;
        if lines.get(Lines::NONE as usize) != Some(&Line::NONE) {
            return Err(damaged("lines"));
        }
        let mut steps = Vec::new();
        for _ in 0..source.u64()? {
            let rows = Rows { lines: lines.len(), blocks };
            steps.push(Step::read(source, &rows, &dictionaries)?);
        }
        let expressions = Packed::read(attributes, source)?;
        if expressions.len() != ids.len() {
            return Err(damaged("the number of conditions"));
        }
        let numbers = ids.iter().zip(0..).map(|(&id, number)| (id, number)).collect();
        let told = Told::of(&ids, &slot_numbers, &extras);
        let base = Self {
            attributes: Arc::clone(attributes),
            dictionaries,
            lines,
            steps,
            blocks,
            slots,
            last: Line::last(slots),
            told,
            slot_numbers,
            extras,
            checks,
            check_values,
            trees,
            residuals,
            ids,
            priorities,
            expressions: Expressions::Packed(expressions),
            numbers,
        };
        if base.numbers.len() == base.ids.len() {
            Ok(base)
        } else {
            Err(damaged("an id is there twice"))
        }
    }
}

fn write_dictionary(dictionary: &Dictionary, out: &mut Out<'_>) -> io::Result<()> {
    out.u64s(dictionary.values().iter().map(|&value| value as u64))?;
    let mut text = Vec::new();
    let mut ends = Vec::new();
    for bytes in dictionary.texts() {
        text.extend_from_slice(&bytes);
        ends.push(text.len() as u64);
    }
    out.u64s(ends)?;
    out.bytes(&text)
}

fn read_dictionary(source: &mut Source<'_>) -> Result<Dictionary, ExprError> {
    let values = source.i64s()?;
    let ends = source.u64s()?;
    let text = source.bytes()?;
    // Their numbers are those of one list.
    if !values.is_empty() && !ends.is_empty() {
        return Err(damaged("values of two kinds"));
    }
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let lengths = ends.iter().zip(starts).map(|(&end, start)| end.saturating_sub(start) as usize);
    let mut dictionary = Dictionary::with_capacity(values.len(), lengths);
    for &value in &values {
        dictionary.intern(Key::Number(value));
    }
    let mut from = 0;
    for &end in &ends {
        let end = usize::try_from(end).ok();
        let bytes = end.and_then(|to| text.get(from..to)).ok_or_else(|| damaged("texts"))?;
        dictionary.intern(Key::Bytes(bytes));
        from += bytes.len();
    }
    if dictionary.len() != values.len() + ends.len() {
        return Err(damaged("a value is there twice"));
    }
    dictionary.settle();
    Ok(dictionary)
}

/// A condition's number, or how many follow, and which of the three it is.
fn write_tree(tree: &Tree, out: &mut Vec<u32>) {
    let (trees, which) = match tree {
        Tree::Condition(at) => return out.extend([0, *at]),
        Tree::All(trees) => (trees, 1),
        Tree::Any(trees) => (trees, 2),
    };
    out.extend([which, trees.len() as u32]);
    trees.iter().for_each(|tree| write_tree(tree, out));
}

fn read_trees(source: &mut Source<'_>, conditions: usize) -> Result<Vec<Tree>, ExprError> {
    let count = source.u64()?;
    let words = source.u32s()?;
    let mut left = &words[..];
    let mut trees = Vec::new();
    for _ in 0..count {
        let tree = read_tree(&mut left, conditions, limits::FILTER_DEPTH);
        trees.push(tree.ok_or_else(|| damaged("a tree of conditions"))?);
    }
    if left.is_empty() { Ok(trees) } else { Err(damaged("trees of conditions")) }
}

fn read_tree(left: &mut &[u32], conditions: usize, levels: usize) -> Option<Tree> {
    let (&[which, number], rest) = left.split_first_chunk()?;
    *left = rest;
    if which == 0 {
        return ((number as usize) < conditions).then_some(Tree::Condition(number));
    }
    let levels = levels.checked_sub(1)?;
    let trees = (0..number).map(|_| read_tree(left, conditions, levels));
    let trees = trees.collect::<Option<Vec<_>>>()?.into_boxed_slice();
    match which {
        1 => Some(Tree::All(trees)),
        2 => Some(Tree::Any(trees)),
        _ => None,
    }
}

fn read_checks(source: &mut Source<'_>, attributes: usize) -> Result<Vec<Check>, ExprError> {
    let (what, starts, ends) = (source.u32s()?, source.u32s()?, source.u32s()?);
    if starts.len() != what.len() || ends.len() != what.len() {
        return Err(damaged("lists to look for"));
    }
    let checks = what.iter().zip(starts).zip(ends).map(|((what, start), end)| {
        let attribute = (what >> 16) as u16;
        if usize::from(attribute) >= attributes || start > end {
            return Err(damaged("a list to look for"));
        }
        Ok(Check { attribute, not: what & 2 != 0, null: what & 1 != 0, start, end })
    });
    checks.collect()
}

fn read_extras(
    source: &mut Source<'_>,
    slots: usize,
    trees: usize,
    checks: usize,
) -> Result<Vec<Extra>, ExprError> {
    let (at, residuals) = (source.u32s()?, source.u32s()?);
    let (from, to) = (source.u32s()?, source.u32s()?);
    if [residuals.len(), from.len(), to.len()] != [at.len(); 3]
        || !at.is_sorted_by(|a, b| a < b)
        || !all(&at, slots)
        || !all(&residuals, trees + 1)
        || !all(&to, checks + 1)
        || from.iter().zip(&to).any(|(from, to)| from > to)
    {
        return Err(damaged("what else has to be true"));
    }
    let extras = at.into_iter().zip(residuals).zip(from.into_iter().zip(to));
    Ok(extras.map(|((slot, residual), checks)| Extra { slot, residual, checks }).collect())
}
