use proptest::prelude::*;

use super::{Bytes, Decimal, DecimalError, Dictionary, TextError};
use crate::testing::groups;
use crate::{Column, Type, Value};

/// The column's cells as text.
fn printed(kind: &Type, column: &Column) -> Vec<String> {
    (0..column.len()).map(|row| column.value(kind, row).to_string()).collect()
}

fn push(decimals: &mut Decimal, number: &str) -> Result<(), DecimalError> {
    let (negative, number) = match number.strip_prefix('-') {
        Some(number) => (true, number),
        None => (false, number),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let (groups, weight, scale) = groups(whole, fraction);
    decimals.push(negative, &groups, weight, scale)
}

fn undeclared(numbers: &[&str]) -> (Type, Vec<String>) {
    let mut decimals = Decimal::undeclared();
    for number in numbers {
        push(&mut decimals, number).unwrap();
    }
    let (kind, column) = decimals.finish();
    let cells = printed(&kind, &column);
    (kind, cells)
}

fn declared(precision: u8, scale: u8, number: &str) -> Result<String, DecimalError> {
    let mut decimals = Decimal::declared(precision, scale);
    push(&mut decimals, number)?;
    let (kind, column) = decimals.finish();
    assert_eq!(kind, Type::Decimal { precision, scale: scale as i8 });
    Ok(column.value(&kind, 0).to_string())
}

#[test]
fn a_finer_scale_rescales_what_came_before() {
    let (kind, cells) = undeclared(&["1", "-2.5", "0.125", "1000"]);
    assert_eq!(kind, Type::Decimal { precision: 38, scale: 3 });
    assert_eq!(cells, ["1.000", "-2.500", "0.125", "1000.000"]);
}

#[test]
fn more_digits_than_128_bits_widen() {
    let nines = "9".repeat(38);
    let (kind, cells) = undeclared(&[&nines, "-1"]);
    assert_eq!(kind, Type::Decimal { precision: 38, scale: 0 });
    assert_eq!(cells[0], nines);

    let (kind, cells) = undeclared(&[&nines, "-0.1"]);
    assert_eq!(kind, Type::Decimal { precision: 76, scale: 1 });
    assert_eq!(cells, [format!("{nines}.0"), "-0.1".to_owned()]);
}

#[test]
fn more_digits_than_256_bits_become_text() {
    let nines = "9".repeat(76);
    let (kind, cells) = undeclared(&["-1.5", &nines[..75]]);
    assert_eq!(kind, Type::Decimal { precision: 76, scale: 1 });
    assert_eq!(cells, ["-1.5".to_owned(), format!("{}.0", &nines[..75])]);

    let (kind, cells) = undeclared(&["-1.5", &nines, "2.25", "0"]);
    assert_eq!(kind, Type::Text);
    assert_eq!(cells, ["-1.5", nines.as_str(), "2.25", "0"]);

    // As text each value has its own scale, as the server prints it.
    let (kind, cells) = undeclared(&["2", "1.5", "-0.250", &nines]);
    assert_eq!(kind, Type::Text);
    assert_eq!(cells, ["2", "1.5", "-0.250", nines.as_str()]);

    // A scale beyond any storage, after values and NULLs that were fine.
    let mut decimals = Decimal::undeclared();
    decimals.push_null();
    push(&mut decimals, "7").unwrap();
    let tiny = format!("0.{}1", "0".repeat(99));
    push(&mut decimals, &tiny).unwrap();
    let (kind, column) = decimals.finish();
    assert_eq!(printed(&kind, &column), ["null", "7", tiny.as_str()]);
}

#[test]
fn the_next_part_begins_with_what_was_found() {
    let mut decimals = Decimal::undeclared();
    push(&mut decimals, "1.25").unwrap();
    let mut next = decimals.next();
    push(&mut next, "3").unwrap();
    let (kind, column) = next.finish();
    assert_eq!(kind, Type::Decimal { precision: 38, scale: 2 });
    assert_eq!(printed(&kind, &column), ["3.00"]);
}

#[test]
fn groups_that_postgresql_leaves_out_are_zeros() {
    let print = |groups: &[u16], weight, scale| {
        let bytes: Vec<u8> = groups.iter().flat_map(|group| group.to_be_bytes()).collect();
        let mut decimals = Decimal::undeclared();
        decimals.push(false, &bytes, weight, scale).unwrap();
        let (kind, column) = decimals.finish();
        column.value(&kind, 0).to_string()
    };
    assert_eq!(print(&[], 0, 0), "0");
    assert_eq!(print(&[], 0, 3), "0.000");
    assert_eq!(print(&[1], 2, 0), "100000000");
    assert_eq!(print(&[1], 9, 0), format!("1{}", "0".repeat(36)));
    assert_eq!(print(&[1], -1, 4), "0.0001");
    assert_eq!(print(&[1], -2, 8), "0.00000001");
    assert_eq!(print(&[1], -2, 10), "0.0000000100");
    assert_eq!(print(&[1], 20, 0), format!("1{}", "0".repeat(80)));
    assert_eq!(print(&[1], -20, 80), format!("0.{}1", "0".repeat(79)));
    assert_eq!(print(&[1], 32_767, 0).len(), 131_069);
    assert_eq!(print(&[0, 0, 5], 2, 0), "5");
    assert_eq!(print(&[5, 0, 0], 0, 8), "5.00000000");
}

#[test]
fn declared_columns_take_what_fits_and_refuse_the_rest() {
    assert_eq!(declared(4, 2, "-12.5").unwrap(), "-12.50");
    assert_eq!(declared(4, 2, "99.99").unwrap(), "99.99");
    assert_eq!(declared(4, 2, "100.00"), Err(DecimalError));
    assert_eq!(declared(4, 2, "0.125"), Err(DecimalError));
    assert_eq!(declared(4, 2, "0.12500"), Err(DecimalError));
    assert_eq!(declared(4, 2, "0.12000").unwrap(), "0.12");
    // The last group of four digits is wider than 128 bits, the number is not.
    let number = format!("{}.9", "9".repeat(37));
    assert_eq!(declared(38, 1, &number).unwrap(), number);
    assert_eq!(declared(38, 0, &"9".repeat(38)).unwrap(), "9".repeat(38));
    assert_eq!(declared(38, 0, &"9".repeat(39)), Err(DecimalError));
    assert_eq!(declared(39, 0, &"9".repeat(39)).unwrap(), "9".repeat(39));
    assert_eq!(declared(39, 0, &"9".repeat(40)), Err(DecimalError));
    assert_eq!(declared(76, 0, &"9".repeat(76)).unwrap(), "9".repeat(76));
    assert_eq!(declared(76, 76, &format!("-0.{}", "9".repeat(76))).unwrap().len(), 79);
    assert_eq!(declared(76, 0, &"9".repeat(77)), Err(DecimalError));
}

#[test]
fn malformed_groups_are_refused() {
    let mut decimals = Decimal::undeclared();
    assert_eq!(decimals.push(false, &10_000_u16.to_be_bytes(), 0, 0), Err(DecimalError));
    // Half a one, said to have no digits after the point.
    assert_eq!(decimals.push(false, &5_000_u16.to_be_bytes(), -1, 0), Err(DecimalError));
    assert_eq!(decimals.push(false, &1_u16.to_be_bytes(), i16::MIN, u16::MAX), Err(DecimalError));
    let (kind, column) = decimals.finish();
    // The scale may have been raised, yet nothing was stored.
    assert_eq!(column.len(), 0, "{kind}");
}

proptest! {
    /// Whatever comes in what order, each number prints with its own digits, and zeros up to the
    /// column's scale.
    #[test]
    fn decimals_keep_every_digit(
        numbers in proptest::collection::vec(
            proptest::option::weighted(0.9, (any::<bool>(), "[0-9]{1,45}", "[0-9]{0,35}")),
            0..12,
        )
    ) {
        let mut decimals = Decimal::undeclared();
        for number in &numbers {
            match number {
                None => decimals.push_null(),
                Some((negative, whole, fraction)) => {
                    let (groups, weight, scale) = groups(whole, fraction);
                    decimals.push(*negative, &groups, weight, scale).unwrap();
                }
            }
        }
        let (kind, column) = decimals.finish();
        prop_assert_eq!(column.len(), numbers.len());
        for (row, number) in numbers.iter().enumerate() {
            let Some((negative, whole, fraction)) = number else {
                prop_assert!(column.is_null(row));
                continue;
            };
            let whole = whole.trim_start_matches('0');
            let whole = if whole.is_empty() { "0" } else { whole };
            let printed = column.value(&kind, row).to_string();
            let (sign, printed) = match printed.strip_prefix('-') {
                Some(printed) => (true, printed),
                None => (false, printed.as_str()),
            };
            let (printed_whole, printed_fraction) = printed.split_once('.').unwrap_or((printed, ""));
            // As text a number keeps the leading zeros of its first group away, too.
            prop_assert_eq!(printed_whole, whole);
            prop_assert_eq!(printed_fraction.trim_end_matches('0'), fraction.trim_end_matches('0'));
            prop_assert!(printed_fraction.len() >= fraction.len());
            let zero = whole == "0" && fraction.bytes().all(|digit| digit == b'0');
            prop_assert!(sign == *negative || zero);
        }
    }

    #[test]
    fn text_is_refused_where_the_standard_library_refuses_it(
        cells in proptest::collection::vec(
            prop_oneof![
                5 => any::<String>().prop_map(String::into_bytes),
                1 => proptest::collection::vec(any::<u8>(), 0..4),
                1 => Just("\u{20ac}".repeat(9_000).into_bytes()),
            ],
            0..40,
        )
    ) {
        let mut text = Bytes::text();
        for cell in &cells {
            text.push(cell);
        }
        let expected = cells.iter().position(|cell| std::str::from_utf8(cell).is_err());
        match text.finish() {
            Ok(column) => {
                prop_assert_eq!(expected, None);
                for (row, cell) in cells.iter().enumerate() {
                    let cell = std::str::from_utf8(cell).unwrap();
                    prop_assert_eq!(column.value(&Type::Text, row), Value::Text(cell));
                }
            }
            Err(TextError { row }) => prop_assert_eq!(Some(row), expected),
        }
    }
}

/// Cells that are broken alone, yet valid side by side.
#[test]
fn a_character_may_not_be_split_between_cells() {
    let broken = |cells: &[&[u8]]| {
        let mut text = Bytes::text();
        for cell in cells {
            text.push(cell);
        }
        text.finish().map(|_| ()).map_err(|error| error.row)
    };
    assert_eq!(broken(&[b"\xc3", b"\xab"]), Err(0));
    assert_eq!(broken(&[b"ok", b"\xe2\x82", b"\xac"]), Err(1));
    assert_eq!(broken(&[b"\xe2\x82", b"", b"\xac"]), Err(0));
    assert_eq!(broken(&[b"\xc3\xab", b"", b"x"]), Ok(()));
    // Around the borders of the blocks that are checked at once.
    for len in (64 * 1024 - 4)..(64 * 1024 + 4) {
        let long = vec![b'x'; len];
        assert_eq!(broken(&[&long, b"\xc3", b"\xab"]), Err(1), "{len}");
        assert_eq!(broken(&[&long, b"\xc3\xab", b"\xff"]), Err(2), "{len}");
        let cut = [long.as_slice(), b"\xc3"].concat();
        assert_eq!(broken(&[&cut, b"\xab"]), Err(0), "{len}");
        assert_eq!(broken(&[&long, b"\xc3\xab", b"fine"]), Ok(()), "{len}");
    }
}

#[test]
fn a_label_that_is_not_text_names_its_first_row() {
    let mut labels = Dictionary::default();
    for label in [b"ok".as_slice(), b"fine", b"ok", b"\xff", b"\xff"] {
        labels.push(label);
    }
    assert_eq!(labels.finish().unwrap_err(), TextError { row: 3 });
}
