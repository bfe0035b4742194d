//! How tables belong together, as their foreign keys say.

use std::sync::Arc;

use super::{Select, Source, Table, TableColumn};
use crate::ExprError;
use crate::node::{Expr, Op};
use crate::operators::Operator;

impl Select {
    /// Where rows come from, as far as it is known before the query is written.
    pub fn sources(&self) -> Vec<Arc<Source>> {
        let mut found: Vec<Arc<Source>> = match &self.from {
            Some(from) => vec![Arc::clone(from)],
            None => self.named(),
        };
        found.extend(self.joins.iter().map(|join| Arc::clone(&join.source)));
        found
    }

    /// Takes as the place where rows come from what the columns are of, once that is one source; and groups'
    /// keys wherever they stand once more.
    pub fn settle(&mut self) {
        if self.from.is_none()
            && let [only] = self.named().as_slice()
        {
            self.from = Some(Arc::clone(only));
        }
        self.share_keys();
    }

    /// The sources that the selected columns are of, or else those of conditions and groups; what is
    /// joined is not among them.
    pub(crate) fn named(&self) -> Vec<Arc<Source>> {
        let mut found = Vec::new();
        for output in self.outputs.list() {
            sources_of(&output.expression, &mut found);
        }
        if found.is_empty() {
            self.filter
                .iter()
                .chain(&self.group)
                .for_each(|condition| sources_of(condition, &mut found));
        }
        found.retain(|source| !self.joins.iter().any(|join| join.source.is(source)));
        found
    }

    /// The condition by which `joined` belongs to what is there: the one foreign key between them.
    ///
    /// # Errors
    /// Where there is none, or more than one.
    pub fn edge(&self, joined: &Arc<Source>) -> Result<Expr, ExprError> {
        let mut edges = Vec::new();
        for known in self.sources().iter().filter(|known| !known.is(joined)) {
            edges.extend(foreign_keys(known, joined));
            edges.extend(foreign_keys(joined, known));
        }
        let equal = |(key, referred)| Expr::call(Operator::Equal, [key, referred]);
        let mut edges = edges.into_iter().map(equal).collect::<Result<Vec<_>, _>>()?;
        match edges.len() {
            1 => Ok(edges.remove(0)),
            0 => {
                let sources = self.sources();
                let others = sources.iter().chain([joined]).filter_map(|source| source.as_table());
                let keys: Vec<_> = others.flat_map(references).collect();
                let keys =
                    if keys.is_empty() { String::new() } else { format!(" ({})", keys.join(", ")) };
                Err(ExprError::new(format!(
                    "no foreign key is declared between {} and what is selected from{keys}: say how rows belong \
                     together, as join({}, A.id == B.a_id)",
                    joined.label(),
                    joined.label()
                )))
            }
            _ => {
                let edges: Vec<_> = edges.iter().map(ToString::to_string).collect();
                let from = match self.from {
                    Some(_) => "",
                    None => "; or say first where rows come from, with .from_(...)",
                };
                Err(ExprError::new(format!(
                    "{} can be joined in more than one way: say which, as join({}, {}){from}",
                    joined.label(),
                    joined.label(),
                    edges.join(") or (")
                )))
            }
        }
    }
}

/// What a table's columns are said to refer to.
fn references(table: &Table) -> impl Iterator<Item = String> {
    table.columns.iter().filter_map(|column| {
        let to = column.references.as_ref()?;
        Some(format!("{}.{} refers to {}.{}", table.name, column.name, to.table, to.column))
    })
}

/// The sources of an expression's columns, those of queries in it left out.
pub(crate) fn sources_of(expression: &Expr, found: &mut Vec<Arc<Source>>) {
    expression.walk(|node| {
        if let Op::Column(column) = node.op()
            && let Some(source) = &column.source
            && !found.iter().any(|known| Arc::ptr_eq(known, source) || known.is(source))
        {
            found.push(Arc::clone(source));
        }
    });
}

/// The foreign keys of `child` that refer to `parent`: each with the column that it refers to.
pub fn foreign_keys(child: &Arc<Source>, parent: &Arc<Source>) -> Vec<(Expr, Expr)> {
    let (Some(of), Some(to)) = (child.as_table(), parent.as_table()) else { return Vec::new() };
    let key = |column: &TableColumn| {
        let reference =
            column.references.as_ref().filter(|reference| names(to, &reference.table))?;
        Some((column.of(child), to.column(&reference.column)?.of(parent)))
    };
    of.columns.iter().filter_map(key).collect()
}

/// Whether a reference that says `table` or `schema.table` means this one.
fn names(table: &Table, reference: &str) -> bool {
    match reference.split_once('.') {
        Some((schema, name)) if table.schema.as_deref() == Some(schema) => *table.name == *name,
        _ => *table.name == *reference,
    }
}
