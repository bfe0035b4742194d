use arrow_buffer::NullBuffer;

use super::fold;
use super::numbers::{optional, sums};
use crate::Column;
use crate::kernels::{Groups, compare_floats};

/// In two passes, so that numbers far from 0 and close together keep their digits.
pub(super) fn variance(
    groups: &Groups,
    nulls: Option<&NullBuffer>,
    cells: &[f64],
    root: bool,
) -> Column {
    let mut sums = sums(groups, nulls, cells);
    // Of the rows that are in no group.
    sums.push((0.0, 0));
    let of_rows = groups.of_rows();
    let squares = fold(groups, nulls, 0.0, |squares, row| {
        let (sum, count) = sums[of_rows[row] as usize];
        let far = cells[row] - sum / f64::from(count);
        *squares += far * far;
    });
    optional(squares.into_iter().zip(sums).map(|(squares, (_, count))| {
        let variance = (count > 1).then(|| squares / f64::from(count - 1))?;
        Some(if root { variance.sqrt() } else { variance })
    }))
}

/// Between two values, in proportion, as NumPy's default.
pub(super) fn quantile(
    groups: &Groups,
    nulls: Option<&NullBuffer>,
    cells: &[f64],
    part: f64,
) -> Column {
    let (rows, ends) = groups.rows();
    let mut values = Vec::new();
    optional(ends.windows(2).map(|ends| {
        values.clear();
        let rows = rows[ends[0] as usize..ends[1] as usize].iter().map(|&row| row as usize);
        let known = rows.filter(|&row| nulls.is_none_or(|nulls| nulls.is_valid(row)));
        values.extend(known.map(|row| cells[row]));
        let last = values.len().checked_sub(1)?;
        let place = last as f64 * part;
        let at = place.floor() as usize;
        let (_, &mut low, above) = values.select_nth_unstable_by(at, |a, b| compare_floats(*a, *b));
        let rest = place - place.floor();
        if rest == 0.0 {
            return Some(low);
        }
        let high = above.iter().copied().min_by(|a, b| compare_floats(*a, *b))?;
        Some(low + (high - low) * rest)
    }))
}
