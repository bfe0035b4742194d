use std::sync::Arc;

use super::slot::Form;
use super::writer::Writer;
use crate::ExprError;
use crate::lexer::{Placeholder, placeholders};
use crate::node::{Expr, Op};
use crate::query::sources_of;

impl Writer<'_> {
    /// Raw SQL, whose operands are as they stand.
    pub(super) fn raw(&mut self, raw: &Expr) -> Result<(), ExprError> {
        let (Op::Raw(pieces), operands) = (raw.op(), raw.args()) else {
            return Err(ExprError::new("no raw SQL"));
        };
        self.check_pieces(pieces)?;
        for (at, piece) in pieces.iter().enumerate() {
            self.push(piece);
            if let Some(operand) = operands.get(at) {
                self.operand(operand)?;
            }
        }
        Ok(())
    }

    fn operand(&mut self, operand: &Expr) -> Result<(), ExprError> {
        match operand.op() {
            Op::Literal(_) | Op::Parameter(_) => self.placeholder(operand, Form::Plain),
            _ => {
                // What it is about is named by the SQL around it.
                let mut sources = Vec::new();
                sources_of(operand, &mut sources);
                self.scopes.push(sources);
                let done = self.atom(operand);
                self.scopes.pop();
                done
            }
        }
    }

    /// Refuses what SQLite reads otherwise than PostgreSQL: `?` and `@a`, operators there, as parameters, and
    /// `[{x}]`, a subscript there, as a name.
    pub(super) fn check_pieces(&self, pieces: &[Arc<str>]) -> Result<(), ExprError> {
        if !self.target.is_sqlite()
            || !pieces.iter().any(|piece| piece.contains(['?', '@', '$', '[']))
        {
            return Ok(());
        }
        let mut text = String::new();
        for (at, piece) in pieces.iter().enumerate() {
            text += piece;
            let open = text.rfind('[').filter(|open| !text[*open..].contains(']'));
            if at + 1 < pieces.len() && open.is_some_and(|open| is_bare(&text, open)) {
                return Err(ExprError::new(
                    "a {name} of rm.sql() stands in brackets, within which SQLite reads a name",
                ));
            }
            text += " null ";
        }
        let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
        let mut own = text.match_indices(['?', '@', '$']).filter(|(at, mark)| {
            let named = text[at + 1..].starts_with(is_word) && !text[..*at].ends_with(is_word);
            (*mark == "?" || named) && is_bare(&text, *at)
        });
        if let Some((_, mark)) = own.next() {
            return Err(ExprError::new(format!(
                "the SQL of rm.sql() takes its values by name in braces, {{floor}}, not as SQLite's {mark}"
            )));
        }
        Ok(())
    }
}

/// Whether this place is outside of quotes and comments: a parameter there would be one.
fn is_bare(text: &str, at: usize) -> bool {
    let marked = format!("{} $1", &text[..at]);
    placeholders(&marked).is_ok_and(
        |found| matches!(found.last(), Some(Placeholder::Number { start, .. }) if *start == at + 1),
    )
}
