use std::io;

use super::super::dictionary::Dictionary;
use super::super::layer::{Layer, Places};
use super::super::line::BLOCK;
use super::super::slots::Sort;
use super::super::step::Step;
use super::out::Out;
use super::source::{Source, damaged};
use crate::ExprError;

/// What rows are of.
pub(super) struct Rows {
    pub(super) lines: usize,
    pub(super) blocks: usize,
}

/// Whether all numbers are less.
pub(super) fn all(numbers: &[u32], less_than: usize) -> bool {
    numbers.iter().max().is_none_or(|&most| (most as usize) < less_than)
}

impl Rows {
    /// Whether these are so many rows.
    fn are(&self, lines: &[u32], count: usize) -> bool {
        count.checked_mul(self.blocks) == Some(lines.len()) && all(lines, self.lines)
    }

    /// Whether flips are of slots that there is room for, and each is of one key or value.
    fn have(&self, starts: &[u32], flips: &[u32], of: usize) -> bool {
        starts.len() == of + 1
            && starts.is_sorted()
            && all(starts, flips.len() + 1)
            && all(flips, self.blocks * BLOCK)
    }
}

impl Step {
    pub(super) fn write(&self, out: &mut Out<'_>) -> io::Result<()> {
        out.u32(self.compacts.into())?;
        out.u32s(self.rows.iter().copied())?;
        out.u64(self.layers.len() as u64)?;
        self.layers.iter().try_for_each(|layer| layer.write(out))
    }

    pub(super) fn read(
        source: &mut Source<'_>,
        of: &Rows,
        dictionaries: &[Dictionary],
    ) -> Result<Self, ExprError> {
        let compacts = source.u32()? != 0;
        let rows = source.u32s()?;
        let mut layers = Vec::new();
        let count = source.u64()?;
        for _ in 0..count {
            layers.push(Layer::read(source, of, count > 1, dictionaries)?);
        }
        let states = layers.iter().try_fold(1_usize, |all, layer| all.checked_mul(layer.states()));
        let count = if layers.len() > 1 { states } else { Some(0) };
        if layers.is_empty() || !count.is_some_and(|count| of.are(&rows, count)) {
            return Err(damaged("rows of several attributes"));
        }
        Ok(Self::read_as(layers, rows, compacts))
    }
}

impl Layer {
    fn write(&self, out: &mut Out<'_>) -> io::Result<()> {
        let sort = match self.sort {
            Sort::Values => 0,
            Sort::Elements => 1,
            Sort::Spans => 2,
        };
        out.u32(self.attribute as u32)?;
        out.u32(sort)?;
        out.u64(self.clauses as u64)?;
        out.u64(self.passing.to_bits())?;
        out.u64(self.row_count as u64)?;
        out.u32s(self.missing.iter().copied())?;
        out.u32s(self.rows.iter().copied())?;
        match &self.places {
            Places::Values { starts, flips, row_of } => {
                out.u32s(starts.iter().copied())?;
                out.u32s(flips.iter().copied())?;
                out.u32s(row_of.iter().copied())
            }
            Places::Spans { keys, starts, flips, cuts, cut_keys } => {
                out.u64s(keys.iter().map(|&key| key as u64))?;
                out.u32s(starts.iter().copied())?;
                out.u32s(flips.iter().copied())?;
                out.u32s(cuts.iter().copied())?;
                out.u64s(cut_keys.iter().map(|&key| key as u64))
            }
        }
    }

    /// `is_one_of_several`: its rows are in those that the layers have together.
    fn read(
        source: &mut Source<'_>,
        of: &Rows,
        is_one_of_several: bool,
        dictionaries: &[Dictionary],
    ) -> Result<Self, ExprError> {
        let wrong = || damaged("the rows of an attribute");
        let attribute = source.u32()? as usize;
        let dictionary = dictionaries.get(attribute).ok_or_else(wrong)?;
        let sort = match source.u32()? {
            0 => Sort::Values,
            1 => Sort::Elements,
            2 => Sort::Spans,
            _ => return Err(wrong()),
        };
        let clauses = usize::try_from(source.u64()?).map_err(|_| wrong())?;
        let passing = f64::from_bits(source.u64()?);
        let row_count = usize::try_from(source.u64()?).map_err(|_| wrong())?;
        let missing = source.u32s()?;
        let rows = source.u32s()?;
        let (there, missed) = if is_one_of_several { (0, 0) } else { (row_count, 1) };
        // Rows are counted in 32 bits; there is one at least, of whatever is asked for by none.
        if !of.are(&rows, there)
            || !of.are(&missing, missed)
            || row_count == 0
            || u32::try_from(row_count).is_err()
        {
            return Err(wrong());
        }
        let (places, is_right) = if sort == Sort::Spans {
            let keys = source.i64s()?;
            let (starts, flips, cuts) = (source.u32s()?, source.u32s()?, source.u32s()?);
            let cut_keys = source.i64s()?;
            let is_right = of.have(&starts, &flips, keys.len())
                && cuts.len() == row_count
                && cut_keys.len() + 1 == row_count
                && cuts.is_sorted()
                && all(&cuts, keys.len() + 1);
            (Places::Spans { keys, starts, flips, cuts, cut_keys }, is_right)
        } else {
            let (starts, flips, row_of) = (source.u32s()?, source.u32s()?, source.u32s()?);
            let is_right = of.have(&starts, &flips, row_of.len())
                && row_of.len() == dictionary.len()
                && all(&row_of, row_count);
            (Places::Values { starts, flips, row_of }, is_right)
        };
        if !is_right {
            return Err(wrong());
        }
        let mut layer =
            Self::new(attribute, sort, missing.into(), rows, places, clauses, row_count);
        layer.passing = passing;
        Ok(layer)
    }
}
