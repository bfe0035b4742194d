use std::sync::Arc;

use rowmill_columns::build::Structure;
use rowmill_columns::{Column, Field, Type};

use super::CellError;
use super::column::{ColumnDecoder, FinishError};
use crate::catalogue::Member;

/// A column of composites: a column for each attribute.
#[derive(Debug)]
pub(crate) struct CompositeDecoder {
    members: Arc<[Member]>,
    columns: Vec<ColumnDecoder>,
    rows: Structure,
}

/// The type of composites of such attributes.
pub(super) fn column_type(members: &[Member]) -> Type {
    let fields = members
        .iter()
        .map(|member| Field::new(Arc::clone(&member.name), member.resolved.column_type()));
    Type::structure(&fields.collect::<Vec<_>>())
}

impl CompositeDecoder {
    pub(crate) fn new(members: Arc<[Member]>) -> Self {
        let columns = members.iter().map(|member| member.resolved.decoder()).collect();
        Self { members, columns, rows: Structure::default() }
    }

    pub(crate) fn next(&self) -> Self {
        let members = self.columns.iter().zip(&*self.members);
        let next = members
            .map(|(column, member)| column.next().unwrap_or_else(|| member.resolved.decoder()));
        Self { columns: next.collect(), ..Self::new(Arc::clone(&self.members)) }
    }

    /// Appends a composite: how many attributes, then of each its type, its length and its bytes.
    #[inline(never)]
    pub(crate) fn push(&mut self, cell: &[u8]) -> Result<(), CellError> {
        let Some((&count, mut rest)) = cell.split_first_chunk::<4>() else { return Err(MALFORMED) };
        if u32::from_be_bytes(count) as usize != self.columns.len() {
            return Err(CellError::Altered);
        }
        for (column, member) in self.columns.iter_mut().zip(&*self.members) {
            let Some((&oid, after)) = rest.split_first_chunk::<4>() else { return Err(MALFORMED) };
            if u32::from_be_bytes(oid) != member.oid {
                return Err(CellError::Altered);
            }
            let (value, after) = super::with_length(after).ok_or(MALFORMED)?;
            match value {
                Some(value) => column.push(value)?,
                None => column.push_null(),
            }
            rest = after;
        }
        if !rest.is_empty() {
            return Err(MALFORMED);
        }
        self.rows.push();
        Ok(())
    }

    pub(crate) fn push_null(&mut self) {
        self.columns.iter_mut().for_each(ColumnDecoder::push_null);
        self.rows.push_null();
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn finish(self) -> Result<(Type, Column), FinishError> {
        let (mut fields, mut columns) = (Vec::new(), Vec::new());
        for (column, member) in self.columns.into_iter().zip(&*self.members) {
            let finished = column.finish(&member.resolved.column_type());
            let (kind, column) = finished.map_err(FinishError::inner)?;
            fields.push(Field::new(Arc::clone(&member.name), kind));
            columns.push(column);
        }
        Ok(self.rows.finish(&fields, columns))
    }
}

const MALFORMED: CellError = CellError::Malformed("a composite that contradicts itself");
