//! Stored expressions: any text is refused, or is an expression that is stored and read back as itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rowmill_expr::Expr;

fuzz_target!(|text: &str| {
    let Ok(expression) = Expr::from_json(text) else { return };
    // Lists within lists may be deeper than what is written.
    let Ok(stored) = expression.to_json() else { return };
    let again = Expr::from_json(&stored).expect("it was written");
    assert_eq!(again.to_json().as_deref(), Ok(&*stored));
    assert_eq!(again.shape(), expression.shape());
});
