//! Expressions as JSON, to be kept in a database and read back: by another process, and by later versions.
//!
//! An array is an operator with its operands, or a column; anything else is a value:
//!
//! ```text
//! ["and", ["greater_or_equal", ["column", "age"], 18],
//!         ["in", ["column", "country"], {"list": ["DE", "FR"]}]]
//! ```
//!
//! Booleans, integers, text and null are JSON's own. What JSON does not tell apart, or `jsonb` would write
//! otherwise, is an object of one member that names the kind: `{"float": 1.5}`, `{"float": "NaN"}`,
//! `{"decimal": "1.50"}`, `{"date": "2024-01-31"}`, `{"time": "10:30:00"}`, `{"timestamp": "2024-01-31 10:30:00"}`,
//! `{"instant": "2024-01-31 10:30:00+00"}`, `{"interval": [months, days, microseconds]}`, `{"uuid": "…"}`,
//! `{"bytes": "base64"}`, `{"json": "{}"}`, `{"list": […]}`. `and` and `or` take two operands or more.
//!
//! Names are never given another meaning. A column is kept by its name alone: whose it is, and of which type, says
//! the frame, the matcher or the query that the expression is used with.

mod read;
#[cfg(test)]
mod tests;
mod write;

pub use read::Reader;
pub(crate) use read::{called, decimal};
pub(crate) use write::too_deep;

use crate::operators::Operator;

/// An operator's name: its own, in small letters.
pub(crate) fn name(operator: Operator) -> String {
    let mut name = String::new();
    let mut before_is_small = false;
    for letter in format!("{operator:?}").chars() {
        if letter.is_uppercase() && before_is_small {
            name.push('_');
        }
        before_is_small = letter.is_lowercase();
        name.push(letter.to_ascii_lowercase());
    }
    name
}
