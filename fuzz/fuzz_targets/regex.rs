//! Regular expressions: what is taken compiles as it is spelled for Rust, unless it is too large.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rowmill_expr::{Expr, Operator, regex::spelled};

fuzz_target!(|pattern: &str| {
    let operands = [Expr::named("x"), Expr::literal(pattern)];
    if Expr::call(Operator::Matches, operands).is_err() {
        return;
    }
    match regex::RegexBuilder::new(&spelled(pattern)).size_limit(1 << 20).build() {
        Ok(regex) => drop(regex.is_match(pattern)),
        Err(regex::Error::CompiledTooBig(_)) => {}
        Err(error) => {
            panic!("{pattern:?} was taken, but is none as {:?}: {error}", spelled(pattern))
        }
    }
});
