use super::snapshot::Packed;
use crate::ExprError;
use crate::node::Expr;

/// An index's expressions: as they were given, or as a snapshot has them.
#[derive(Debug)]
pub(crate) enum Expressions {
    Made(Vec<Expr>),
    Packed(Packed),
}

impl Expressions {
    pub(crate) fn get(&self, at: usize) -> Result<Expr, ExprError> {
        match self {
            Self::Made(made) => Ok(made[at].clone()),
            Self::Packed(packed) => packed.get(at),
        }
    }
}
