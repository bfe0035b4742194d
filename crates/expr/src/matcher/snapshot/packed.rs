//! Expressions as bytes, of which one is read when it is asked for.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use rowmill_columns::Scalar;

use super::super::attributes::Attributes;
use super::out::Out;
use super::source::{Source, damaged};
use crate::filter::bind::Binder;
use crate::node::{Expr, Op};
use crate::normal::chain;
use crate::operators::{Operator as O, TABLE};
use crate::stored::{called, decimal, name, too_deep};
use crate::{ExprError, limits};

/// Expressions one after the other, operands behind their operator; columns by the attribute's number, operators by
/// their place among names that stand beside.
#[derive(Clone, Debug)]
pub(crate) struct Packed {
    attributes: Arc<Attributes>,
    /// `None` for one that a later version has.
    operators: Vec<Option<O>>,
    names: Bytes,
    /// Where each ends: 8 bytes each.
    ends: Bytes,
    data: Bytes,
}

/// What a node is, for good.
mod tag {
    pub(super) const COLUMN: u8 = 0;
    pub(super) const CALL: u8 = 1;
    pub(super) const NULL: u8 = 2;
    pub(super) const FALSE: u8 = 3;
    pub(super) const TRUE: u8 = 4;
    pub(super) const INT: u8 = 5;
    pub(super) const FLOAT: u8 = 6;
    pub(super) const DECIMAL: u8 = 7;
    pub(super) const TEXT: u8 = 8;
    pub(super) const BYTES: u8 = 9;
    pub(super) const JSON: u8 = 10;
    pub(super) const UUID: u8 = 11;
    pub(super) const DATE: u8 = 12;
    pub(super) const TIME: u8 = 13;
    pub(super) const TIMESTAMP: u8 = 14;
    pub(super) const INSTANT: u8 = 15;
    pub(super) const INTERVAL: u8 = 16;
    pub(super) const LIST: u8 = 17;
}

/// Packs expressions.
pub(super) struct Packer<'a> {
    attributes: &'a Arc<Attributes>,
    ends: Vec<u8>,
    data: Vec<u8>,
}

impl<'a> Packer<'a> {
    pub(super) fn new(attributes: &'a Arc<Attributes>) -> Self {
        Self { attributes, ends: Vec::new(), data: Vec::new() }
    }

    pub(super) fn push(&mut self, expression: &Expr) -> Result<(), ExprError> {
        self.node(expression, limits::STORED_DEPTH)?;
        self.ends.extend_from_slice(&(self.data.len() as u64).to_le_bytes());
        Ok(())
    }

    pub(super) fn finish(&mut self) -> Packed {
        let mut names = Vec::new();
        for entry in TABLE {
            names.extend_from_slice(name(entry.operator).as_bytes());
            names.push(b' ');
        }
        Packed {
            attributes: Arc::clone(self.attributes),
            operators: TABLE.iter().map(|entry| Some(entry.operator)).collect(),
            names: names.into(),
            ends: std::mem::take(&mut self.ends).into(),
            data: std::mem::take(&mut self.data).into(),
        }
    }

    fn node(&mut self, node: &Expr, levels: usize) -> Result<(), ExprError> {
        let left = levels.checked_sub(1).ok_or_else(too_deep)?;
        match node.op() {
            Op::Column(column) => {
                let name = Binder::new(self.attributes.schema()).name_of(column);
                let number = self.attributes.number(name);
                let number = number.ok_or_else(|| ExprError::about("is no attribute", node))?;
                self.data.push(tag::COLUMN);
                self.varint(number as u64);
                Ok(())
            }
            Op::Literal(value) => self.value(value, left).map_err(|error| error.of(node)),
            Op::Call(operator) => {
                let operands = match operator {
                    O::And | O::Or => chain(node, *operator),
                    _ => node.args().iter().collect(),
                };
                self.data.push(tag::CALL);
                self.varint(*operator as u64);
                self.varint(operands.len() as u64);
                operands.into_iter().try_for_each(|operand| self.node(operand, left))
            }
            _ => Err(ExprError::about("is for a database alone, and is not stored", node)),
        }
    }

    fn value(&mut self, value: &Scalar, levels: usize) -> Result<(), ExprError> {
        match value {
            Scalar::Null => self.data.push(tag::NULL),
            Scalar::Bool(value) => self.data.push(if *value { tag::TRUE } else { tag::FALSE }),
            Scalar::Int(value) => self.integer(tag::INT, *value),
            Scalar::Float(value) => {
                self.data.push(tag::FLOAT);
                self.data.extend_from_slice(&value.to_le_bytes());
            }
            Scalar::Decimal(text) => self.bytes(tag::DECIMAL, text.as_bytes()),
            Scalar::Text(text) => self.bytes(tag::TEXT, text.as_bytes()),
            Scalar::Bytes(bytes) => self.bytes(tag::BYTES, bytes),
            Scalar::Json(text) => self.bytes(tag::JSON, text.as_bytes()),
            Scalar::Uuid(bytes) => {
                self.data.push(tag::UUID);
                self.data.extend_from_slice(bytes);
            }
            Scalar::Date(days) => self.integer(tag::DATE, (*days).into()),
            Scalar::Time(micros) => self.integer(tag::TIME, *micros),
            Scalar::Timestamp { micros, utc } => {
                self.integer(if *utc { tag::INSTANT } else { tag::TIMESTAMP }, *micros);
            }
            Scalar::Interval { months, days, micros } => {
                self.integer(tag::INTERVAL, (*months).into());
                self.zigzag((*days).into());
                self.zigzag(*micros);
            }
            Scalar::List(values) => {
                let left = levels.checked_sub(1).ok_or_else(too_deep)?;
                self.data.push(tag::LIST);
                self.varint(values.each().count() as u64);
                for value in values.each() {
                    self.value(&value, left)?;
                }
            }
            Scalar::TimeTz { .. } | Scalar::Struct(_) => {
                return Err(ExprError::new(format!("{} cannot be stored", value.kind())));
            }
        }
        Ok(())
    }

    fn bytes(&mut self, tag: u8, bytes: &[u8]) {
        self.data.push(tag);
        self.varint(bytes.len() as u64);
        self.data.extend_from_slice(bytes);
    }

    fn integer(&mut self, tag: u8, value: i64) {
        self.data.push(tag);
        self.zigzag(value);
    }

    fn zigzag(&mut self, value: i64) {
        self.varint((value << 1 ^ value >> 63) as u64);
    }

    fn varint(&mut self, mut value: u64) {
        while value > 0x7f {
            self.data.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.data.push(value as u8);
    }
}

impl Packed {
    pub(super) fn read(
        attributes: &Arc<Attributes>,
        source: &mut Source<'_>,
    ) -> Result<Self, ExprError> {
        let (names, ends, data) = (source.shared()?, source.shared()?, source.shared()?);
        let known = |word: &[u8]| {
            let entry = TABLE.iter().find(|entry| name(entry.operator).as_bytes() == word)?;
            Some(entry.operator)
        };
        let same = Packer::new(attributes).finish();
        let operators = if names == same.names {
            same.operators
        } else {
            names.split(|&byte| byte == b' ').map(known).collect()
        };
        if !ends.len().is_multiple_of(8) {
            return Err(damaged("where conditions end"));
        }
        Ok(Self { attributes: Arc::clone(attributes), operators, names, ends, data })
    }

    pub(super) fn write(&self, out: &mut Out<'_>) -> io::Result<()> {
        out.bytes(&self.names)?;
        out.bytes(&self.ends)?;
        out.bytes(&self.data)
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len() / 8
    }

    fn end(&self, at: usize) -> Option<usize> {
        let bytes = self.ends.get(at * 8..at * 8 + 8)?;
        usize::try_from(u64::from_le_bytes(bytes.try_into().ok()?)).ok()
    }

    /// # Errors
    /// Where the bytes are no expression.
    pub(crate) fn get(&self, at: usize) -> Result<Expr, ExprError> {
        let from = if at == 0 { Some(0) } else { self.end(at - 1) };
        let range = from.zip(self.end(at)).and_then(|(from, to)| self.data.get(from..to));
        let mut reader = Reader { packed: self, left: range.ok_or_else(broken)? };
        let expression = reader.node(limits::STORED_DEPTH)?;
        if reader.left.is_empty() { Ok(expression) } else { Err(broken()) }
    }
}

#[cold]
fn broken() -> ExprError {
    damaged("a condition of it")
}

struct Reader<'p> {
    packed: &'p Packed,
    left: &'p [u8],
}

impl<'p> Reader<'p> {
    fn node(&mut self, levels: usize) -> Result<Expr, ExprError> {
        let left = levels.checked_sub(1).ok_or_else(broken)?;
        match self.take(1)?[0] {
            tag::COLUMN => {
                let number = usize::try_from(self.varint()?).map_err(|_| broken())?;
                let fields = &self.packed.attributes.schema().fields;
                let field = fields.get(number).ok_or_else(broken)?;
                Ok(Expr::named(Arc::clone(&field.name)))
            }
            tag::CALL => {
                let operator = usize::try_from(self.varint()?).ok();
                let operator = operator.and_then(|at| self.packed.operators.get(at));
                let operator = operator.copied().flatten().ok_or_else(broken)?;
                let count = self.count()?;
                let mut operands = Vec::new();
                for _ in 0..count {
                    operands.push(self.node(left)?);
                }
                called(operator, operands)
            }
            tag => Ok(Expr::literal(self.value(tag, left)?)),
        }
    }

    fn value(&mut self, tag: u8, levels: usize) -> Result<Scalar, ExprError> {
        Ok(match tag {
            tag::NULL => Scalar::Null,
            tag::FALSE => Scalar::Bool(false),
            tag::TRUE => Scalar::Bool(true),
            tag::INT => Scalar::Int(self.zigzag()?),
            tag::FLOAT => Scalar::Float(f64::from_le_bytes(self.fixed()?)),
            tag::DECIMAL => Scalar::Decimal(decimal(self.text()?).ok_or_else(broken)?),
            tag::TEXT => Scalar::Text(self.text()?.to_owned()),
            tag::BYTES => Scalar::Bytes(self.bytes()?.to_vec()),
            tag::JSON => {
                let text = self.text()?;
                serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|_| broken())?;
                Scalar::Json(text.to_owned())
            }
            tag::UUID => Scalar::Uuid(self.fixed()?),
            tag::DATE => Scalar::Date(self.small()?),
            tag::TIME => Scalar::Time(self.zigzag()?),
            tag::TIMESTAMP => Scalar::Timestamp { micros: self.zigzag()?, utc: false },
            tag::INSTANT => Scalar::Timestamp { micros: self.zigzag()?, utc: true },
            tag::INTERVAL => {
                let (months, days) = (self.small()?, self.small()?);
                Scalar::Interval { months, days, micros: self.zigzag()? }
            }
            tag::LIST => {
                let left = levels.checked_sub(1).ok_or_else(broken)?;
                let count = self.count()?;
                let values = (0..count).map(|_| {
                    let tag = self.take(1)?[0];
                    self.value(tag, left)
                });
                Scalar::List(values.collect::<Result<_, ExprError>>()?)
            }
            _ => return Err(broken()),
        })
    }

    /// How many follow; each is a byte at least.
    fn count(&mut self) -> Result<usize, ExprError> {
        let count = usize::try_from(self.varint()?).ok();
        count.filter(|&count| count <= self.left.len()).ok_or_else(broken)
    }

    fn take(&mut self, count: usize) -> Result<&'p [u8], ExprError> {
        let (taken, left) = self.left.split_at_checked(count).ok_or_else(broken)?;
        self.left = left;
        Ok(taken)
    }

    fn fixed<const SIZE: usize>(&mut self) -> Result<[u8; SIZE], ExprError> {
        self.take(SIZE)?.try_into().map_err(|_| broken())
    }

    fn bytes(&mut self) -> Result<&'p [u8], ExprError> {
        let count = self.count()?;
        self.take(count)
    }

    fn text(&mut self) -> Result<&'p str, ExprError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| broken())
    }

    fn small(&mut self) -> Result<i32, ExprError> {
        i32::try_from(self.zigzag()?).map_err(|_| broken())
    }

    fn zigzag(&mut self) -> Result<i64, ExprError> {
        let value = self.varint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn varint(&mut self) -> Result<u64, ExprError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(broken())
    }
}
