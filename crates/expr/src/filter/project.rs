use std::sync::Arc;

use rowmill_columns::build::{Bits as Bools, Bytes, Fixed, IntervalMonthDayNano};
use rowmill_columns::kernels::{Bits, CHUNK, decimals};
use rowmill_columns::{Batch, Column, DecimalValue, Field, Schema, Type};

use super::bind::{Binder, position};
use super::cell::Cell;
use super::dates::midnight;
use super::plan::{ColumnTest, Number, Plan, Planner};
use super::row::Row;
use super::run::{Run, number};
use crate::ExprError;
use crate::kind::{Base, Kind};
use crate::node::Expr;

/// Columns computed from a frame's columns, under names, compiled once for a schema.
///
/// ```
/// use std::sync::Arc;
/// use rowmill_columns::{Batch, Field, Schema, Type, Value, build::Fixed};
/// use rowmill_expr::filter::Projection;
/// use rowmill_expr::{Expr, Operator};
/// let mut ids = Fixed::new(0_i64);
/// (1..=3).for_each(|id| ids.push(id));
/// let schema = Arc::new(Schema::new(vec![Field::new("id", Type::Int64)]));
/// let batch = Batch::new(schema.clone(), vec![ids.finish(&Type::Int64)], 3);
/// let next = Expr::call(Operator::Add, [Expr::named("id"), Expr::literal(1)])?;
/// let columns = Projection::new(&[("next".into(), next)], &schema)?.run(&batch)?;
/// assert_eq!(columns.value(0, 2), Value::Int(4));
/// # Ok::<(), rowmill_expr::ExprError>(())
/// ```
#[derive(Debug)]
pub struct Projection {
    from: Arc<Schema>,
    outputs: Vec<(Arc<str>, Output)>,
    tests: Vec<ColumnTest>,
    slots: usize,
}

#[derive(Debug)]
enum Output {
    /// A column as it is.
    Column(usize),
    Condition(Plan),
    Number(Number, Kind),
    Rows(Row, Base),
}

impl Projection {
    /// # Errors
    /// As [`Program::new`](super::Program::new).
    pub fn new(expressions: &[(Arc<str>, Expr)], schema: &Arc<Schema>) -> Result<Self, ExprError> {
        let mut binder = Binder::new(schema);
        let mut bound = Vec::with_capacity(expressions.len());
        for (name, expression) in expressions {
            bound.push((Arc::clone(name), binder.bind(expression)?));
        }
        let mut planner = Planner::new(schema);
        for (_, expression) in &bound {
            planner.count(expression);
        }
        let mut outputs = Vec::with_capacity(bound.len());
        for (name, expression) in bound {
            let output = match (expression.as_column(), expression.kind()) {
                (Some(column), _) => Output::Column(position(schema, &column.name)?),
                (_, Kind::BOOL) => Output::Condition(planner.plan(&expression)?),
                (_, kind) => match (planner.number(&expression)?, kind) {
                    (Some(number), kind) => Output::Number(number, kind),
                    (None, Kind::One(base)) if base != Base::Other => {
                        Output::Rows(planner.row(&expression)?, base)
                    }
                    _ => {
                        let message =
                            format!("has values of kind {kind}, of which no column is made");
                        return Err(ExprError::about(&message, &expression));
                    }
                },
            };
            outputs.push((name, output));
        }
        let slots = planner.slots();
        Ok(Self { from: Arc::clone(schema), outputs, tests: planner.tests, slots })
    }

    /// The columns over a batch of the schema that this was compiled for.
    ///
    /// # Errors
    /// Where the schema is another, or a number is out of range.
    pub fn run(&self, batch: &Batch) -> Result<Batch, ExprError> {
        super::same_schema(&self.from, batch)?;
        let mut fields = Vec::with_capacity(self.outputs.len());
        let mut columns = Vec::with_capacity(self.outputs.len());
        let mut run = Run::new(batch, &self.tests, self.slots)?;
        for (name, output) in &self.outputs {
            let (kind, column) = match output {
                Output::Column(at) => {
                    (batch.schema().fields[*at].kind.clone(), batch.column(*at).clone())
                }
                Output::Condition(plan) => (Type::Bool, condition(&mut run, plan, batch.rows())?),
                Output::Number(number, kind) => numbers(batch, number, *kind)?,
                Output::Rows(row, base) => rows(batch, row, *base)?,
            };
            fields.push(Field::new(Arc::clone(name), kind));
            columns.push(column);
        }
        Ok(Batch::new(Arc::new(Schema::new(fields)), columns, batch.rows()))
    }
}

fn chunks(rows: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..rows).step_by(CHUNK).map(move |start| (start, CHUNK.min(rows - start)))
}

fn condition<'a>(run: &mut Run<'a>, plan: &'a Plan, rows: usize) -> Result<Column, ExprError> {
    let mut out = Bools::default();
    for (start, len) in chunks(rows) {
        run.begin();
        let mask = run.mask(plan, start, len, &Bits::first(len))?;
        out.extend(&mask, len);
    }
    Ok(out.finish())
}

fn numbers(batch: &Batch, of: &Number, kind: Kind) -> Result<(Type, Column), ExprError> {
    let (mut ints, mut floats) = (Fixed::new(0_i64), Fixed::marking(f64::NAN));
    for (start, len) in chunks(batch.rows()) {
        let found = number(batch, of, start, len, &Bits::first(len))?;
        for row in 0..len {
            match (kind, found.int_at(row), found.float_at(row)) {
                (Kind::FLOAT, Some(int), _) => floats.push(int as f64),
                (Kind::FLOAT, _, Some(float)) => floats.push(float),
                (Kind::FLOAT, ..) => floats.push_null(),
                (_, Some(int), _) => ints.push(int),
                _ => ints.push_null(),
            }
        }
    }
    Ok(if kind == Kind::FLOAT {
        (Type::Float64, floats.finish(&Type::Float64))
    } else {
        (Type::Int64, ints.finish(&Type::Int64))
    })
}

/// Only unsigned integers of 64 bits, wide decimals and parts below the microsecond come here: their
/// columns hold what no result does.
fn unfit(base: Base) -> ExprError {
    if base == Base::Int {
        return super::numbers::out_of_range();
    }
    ExprError::new(format!("{base} out of range: a value is finer or larger than results are"))
}

fn rows(batch: &Batch, row: &Row, base: Base) -> Result<(Type, Column), ExprError> {
    macro_rules! fixed {
        ($type:expr, $builder:expr, $($cell:pat => $value:expr),+) => {{
            let mut out = $builder;
            for at in 0..batch.rows() {
                match row.get(batch, at)? {
                    $($cell => out.push($value),)+
                    Cell::Null => out.push_null(),
                    _ => return Err(unfit(base)),
                }
            }
            let kind = $type;
            let column = out.finish(&kind);
            (kind, column)
        }};
    }
    macro_rules! bytes {
        ($type:expr, $builder:expr, $($cell:pat => $value:expr),+) => {{
            let mut out = $builder;
            for at in 0..batch.rows() {
                match row.get(batch, at)? {
                    $($cell => out.push($value),)+
                    Cell::Null => out.push_null(),
                    _ => return Err(unfit(base)),
                }
            }
            let column = out.finish().map_err(|error| {
                ExprError::new(format!("row {}: the text is no UTF-8", error.row))
            })?;
            ($type, column)
        }};
    }
    let nat = i64::MIN;
    Ok(match base {
        Base::Null | Base::Other => (Type::Null, Column::nulls(&Type::Null, batch.rows())),
        Base::Bool => {
            let mut out = Bools::default();
            for at in 0..batch.rows() {
                match row.get(batch, at)? {
                    Cell::Bool(value) => out.push(value),
                    Cell::Null => out.push_null(),
                    _ => return Err(unfit(base)),
                }
            }
            (Type::Bool, out.finish())
        }
        Base::Int => fixed!(Type::Int64, Fixed::new(0_i64), Cell::Int(value) => value),
        Base::Float => fixed!(Type::Float64, Fixed::new(f64::NAN),
            Cell::Float(value) => value, Cell::Int(value) => value as f64,
            Cell::Decimal(value) => value.float()),
        Base::Decimal => {
            let mut cells: Vec<Option<DecimalValue>> = Vec::with_capacity(batch.rows());
            for at in 0..batch.rows() {
                cells.push(match row.get(batch, at)? {
                    Cell::Decimal(value) => value.value(),
                    Cell::Int(value) => Some(DecimalValue::new(value.into(), 0)),
                    Cell::Null => None,
                    _ => return Err(unfit(base)),
                });
            }
            decimals(&cells).ok_or_else(|| {
                let message = "decimal out of range: 38 digits do not hold all results; cast(\"float\") first";
                ExprError::new(message)
            })?
        }
        Base::Text => bytes!(Type::Text, Bytes::text(), Cell::Text(text) => text.as_bytes()),
        Base::Bytes => bytes!(Type::Bytes, Bytes::binary(), Cell::Bytes(bytes) => bytes),
        Base::Json => bytes!(Type::Json, Bytes::text(), Cell::Json(text) => text.as_bytes()),
        Base::Uuid => fixed!(Type::Uuid, Fixed::new(0_i128),
            Cell::Uuid(uuid) => i128::from_ne_bytes(uuid)),
        Base::Date => fixed!(Type::Date, Fixed::new(0_i32), Cell::Date(days) => days),
        Base::Time => fixed!(Type::Time, Fixed::new(0_i64), Cell::Time(micros) => micros),
        Base::Timestamp => fixed!(Type::Timestamp { utc: false }, Fixed::new(nat),
            Cell::Timestamp(micros) => micros, Cell::Date(days) => midnight(days)?),
        Base::Instant => fixed!(Type::Timestamp { utc: true }, Fixed::new(nat),
            Cell::Instant(micros) => micros),
        Base::Interval => fixed!(Type::Interval, Fixed::new(IntervalMonthDayNano::new(0, 0, 0)),
            Cell::Interval(span) => IntervalMonthDayNano::new(
                span.months, span.days, span.micros.saturating_mul(1_000))),
    })
}
