//! A column's values as bytes in the layout that NumPy gives the type.
//!
//! Rowmill's own decoders leave NaN and NaT in the NULL slots of floats and timestamps and say so:
//! the memory is a view as it stands. A column from elsewhere may hold anything there: it is looked
//! through, which takes a millisecond for four columns of 300,000, and copied where it must be.

use rowmill::Column;

use crate::buffer::Buffer;

/// NumPy's NaT.
const NAT: i64 = i64::MIN;

/// Floats with NaN for NULL. `size` is 4 or 8.
pub(crate) fn floats(column: &Column, size: usize) -> Option<Buffer> {
    if column.null_count() == 0 || column.marks_nulls() {
        return Buffer::of_column(column);
    }
    let values = column.fixed_bytes()?;
    let nan = |cell: &[u8]| match (cell.try_into(), cell.try_into()) {
        (Ok(single), _) => f32::from_ne_bytes(single).is_nan(),
        (_, Ok(double)) => f64::from_ne_bytes(double).is_nan(),
        _ => false,
    };
    let valid = validity(column);
    let mut cells = values.chunks_exact(size).zip(&valid);
    if cells.all(|(cell, &valid)| valid == 1 || nan(cell)) {
        return Buffer::of_column(column);
    }
    let missing: &[u8] = if size == 4 { &f32::NAN.to_ne_bytes() } else { &f64::NAN.to_ne_bytes() };
    Some(Buffer::made(filled(values, &valid, missing)))
}

/// A timestamp that NumPy would read as NULL: the first row of `-infinity`.
pub(crate) struct Unrepresentable(pub(crate) usize);

/// Microseconds with NaT for NULL.
pub(crate) fn timestamps(column: &Column) -> Option<Result<Buffer, Unrepresentable>> {
    if column.marks_nulls() {
        return Buffer::of_column(column).map(Ok);
    }
    let values = column.fixed_bytes()?;
    let (cells, _) = values.as_chunks::<8>();
    let is_nat = |cell: &[u8; 8]| i64::from_ne_bytes(*cell) == NAT;
    let nats = cells.iter().filter(|cell| is_nat(cell)).count();
    let nulls = column.null_count();
    if nats == 0 && nulls == 0 {
        return Buffer::of_column(column).map(Ok);
    }
    let valid = validity(column);
    let found = cells.iter().zip(&valid).position(|(cell, &valid)| valid == 1 && is_nat(cell));
    if let Some(row) = found {
        return Some(Err(Unrepresentable(row)));
    }
    // Every NaT is a NULL; as many of both means that every NULL is a NaT.
    if nats == nulls {
        return Buffer::of_column(column).map(Ok);
    }
    Some(Ok(Buffer::made(filled(values, &valid, &NAT.to_ne_bytes()))))
}

/// Days times `scale` in 64 bits, with NaT for NULL.
pub(crate) fn dates(column: &Column, scale: i64) -> Option<Buffer> {
    let (days, _) = column.fixed_bytes()?.as_chunks::<4>();
    let mut out = vec![0; days.len() * 8];
    for (slot, day) in out.as_chunks_mut::<8>().0.iter_mut().zip(days) {
        *slot = (i64::from(i32::from_ne_bytes(*day)) * scale).to_ne_bytes();
    }
    if column.null_count() > 0 {
        let slots = out.as_chunks_mut::<8>().0.iter_mut().zip(validity(column));
        slots.filter(|(_, valid)| *valid == 0).for_each(|(slot, _)| *slot = NAT.to_ne_bytes());
    }
    Some(Buffer::made(out))
}

/// One byte for each row, 1 where it is true.
pub(crate) fn bools(column: &Column) -> Option<Buffer> {
    let mut out = Vec::with_capacity(column.len());
    column.write_bools(&mut out)?;
    Some(Buffer::made(out))
}

/// One byte for each row, 1 where it is NULL.
pub(crate) fn nulls(column: &Column) -> Buffer {
    let mut out = validity(column);
    for byte in &mut out {
        *byte ^= 1;
    }
    Buffer::made(out)
}

fn validity(column: &Column) -> Vec<u8> {
    let mut out = Vec::with_capacity(column.len());
    column.write_validity(&mut out);
    out
}

fn filled(values: &[u8], valid: &[u8], missing: &[u8]) -> Vec<u8> {
    let mut out = values.to_vec();
    let cells = out.chunks_exact_mut(missing.len()).zip(valid);
    cells.filter(|(_, valid)| **valid == 0).for_each(|(cell, _)| cell.copy_from_slice(missing));
    out
}
