use std::fmt::Write as _;
use std::sync::Arc;

use rowmill_columns::Scalar;
use smallvec::SmallVec;

use crate::coerce::coerce;
use crate::kind::{Base, Kind};
use crate::operators::{Operator, Place};
use crate::query::{Select, Source};
use crate::shape::Shape;
use crate::{ExprError, limits};

/// An expression: immutable, cheap to clone, checked when it is made.
///
/// It is a tree whose nodes may be shared; what is shared is computed once by a filter, and its values are one
/// parameter each in SQL. The [`shape`](Self::shape) tells expressions apart that differ in more than values.
///
/// ```
/// use rowmill_expr::{Expr, Operator};
/// let total = Expr::named("total");
/// let large = Expr::call(Operator::Greater, [total.clone(), Expr::literal(100)])?;
/// assert_eq!(large.to_string(), "col(\"total\") > 100");
/// let larger = Expr::call(Operator::Greater, [total, Expr::literal(200)])?;
/// assert_eq!(large.shape(), larger.shape());
/// # Ok::<(), rowmill_expr::ExprError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Expr(Arc<Node>);

/// The operands of a node: most have two at most.
pub(crate) type Args = SmallVec<[Expr; 2]>;

#[derive(Debug)]
struct Node {
    op: Op,
    args: Args,
    kind: Kind,
    /// The outermost place that an operator below wants.
    places: Places,
    size: u32,
    depth: u32,
    /// Levels of queries in it.
    queries: u32,
    shape: u128,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Op {
    /// A column.
    Column(ColumnRef),
    /// A value.
    Literal(Scalar),
    /// A value that a call of a prepared function gives.
    Parameter(Parameter),
    /// An operator on the node's operands.
    Call(Operator),
    /// A window: the first operand over partitions by the next `partition` ones, ordered by the rest.
    Over {
        /// How many operands the partition is by.
        partition: usize,
    },
    /// A query as an operand.
    Query(QueryForm, Arc<Select>),
    /// A column of the row that an upsert could not insert.
    Excluded(ColumnRef),
    /// SQL as it is, with the operands between its pieces.
    Raw(Arc<[Arc<str>]>),
}

/// How a query stands in an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QueryForm {
    /// Whether it has a row.
    Exists,
    /// The one value of its one row.
    Value,
    /// Whether the operand is one of its values.
    In,
    /// Whether the operand is none of its values.
    NotIn,
}

/// A column of a table or of a frame.
#[derive(Clone, Debug)]
pub struct ColumnRef {
    /// Whose it is; `None` for the frame's, or for that of the one table there is.
    pub source: Option<Arc<Source>>,
    /// Its name in the database.
    pub name: Arc<str>,
    /// What its values are.
    pub kind: Kind,
    /// Whether it may hold NULL.
    pub nullable: bool,
}

/// A value to come.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Which of the call's values, from 0.
    pub at: usize,
    /// Its name.
    pub name: Arc<str>,
    /// What it will be.
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Places {
    group: bool,
    window: bool,
    order: bool,
}

impl Expr {
    /// The column `name` of whatever there is.
    pub fn named(name: impl Into<Arc<str>>) -> Self {
        Self::column(ColumnRef { source: None, name: name.into(), kind: Kind::Any, nullable: true })
    }

    /// A column.
    pub fn column(column: ColumnRef) -> Self {
        let mut shape = Shape::of(0);
        shape.add(column.source.as_ref().map_or(0, |source| source.key()));
        shape.text(&column.name);
        // The SQL differs with both: two classes may declare one table otherwise.
        let kind = column.kind;
        shape.number(kind.tag() << 1 | u64::from(column.nullable));
        Self::leaf(Op::Column(column), kind, shape.finish())
    }

    /// The value of a column in the row that an upsert could not insert.
    pub fn excluded(column: ColumnRef) -> Self {
        let mut shape = Shape::of(1);
        shape.text(&column.name);
        let kind = column.kind;
        shape.number(kind.tag());
        Self::leaf(Op::Excluded(column), kind, shape.finish())
    }

    /// A value.
    pub fn literal(value: impl Into<Scalar>) -> Self {
        let value = value.into();
        let kind = Kind::of_scalar(&value);
        let shape = Shape::of_value(kind.tag());
        Self::leaf(Op::Literal(value), kind, shape)
    }

    /// A value to come.
    pub fn parameter(parameter: Parameter) -> Self {
        let mut shape = Shape::of(3);
        shape.number(parameter.at as u64);
        shape.number(parameter.kind.tag());
        let kind = parameter.kind;
        Self::leaf(Op::Parameter(parameter), kind, shape.finish())
    }

    /// A query as an operand; `In` and `NotIn` take what is looked for.
    ///
    /// # Errors
    /// Where the query has not the one column that its form wants.
    pub fn query(
        form: QueryForm,
        operand: Option<Self>,
        query: Arc<Select>,
    ) -> Result<Self, ExprError> {
        let query = query.nested()?;
        let kind = match form {
            QueryForm::Exists | QueryForm::In | QueryForm::NotIn => Kind::BOOL,
            QueryForm::Value => query.only_column()?.kind(),
        };
        if let Some(operand) = &operand {
            let column = query.only_column()?;
            let rule = Operator::Equal.entry().rule;
            rule(&[operand.kind(), column.kind()])
                .map_err(|error| ExprError::new(error.message))?;
        }
        let mut shape = Shape::of(4);
        shape.number(form as u64);
        shape.add(query.shape());
        Self::node(Op::Query(form, query), operand.into_iter().collect(), kind, shape)
    }

    /// SQL as it is: `pieces` with the operands between them.
    ///
    /// # Errors
    /// Where there is not one piece more than operands.
    pub fn raw(pieces: Vec<Arc<str>>, operands: Vec<Self>) -> Result<Self, ExprError> {
        if pieces.len() != operands.len() + 1 {
            return Err(ExprError::new("raw SQL has one piece more than operands"));
        }
        let mut shape = Shape::of(5);
        shape.number(pieces.len() as u64);
        for piece in &pieces {
            shape.text(piece);
        }
        Self::node(Op::Raw(pieces.into()), operands.into(), Kind::Any, shape)
    }

    /// An operator on operands. Values are fitted to the columns they are compared with.
    ///
    /// # Errors
    /// Where the operands make no sense for the operator; the message shows which.
    pub fn call(
        operator: Operator,
        args: impl IntoIterator<Item = Self>,
    ) -> Result<Self, ExprError> {
        let mut args: Args = args.into_iter().collect();
        takes(operator, &args)?;
        let operator = match (operator, args.first().map(Self::kind)) {
            (Operator::Contains, Some(Kind::List(_))) => Operator::ListContains,
            (Operator::Length, Some(Kind::List(_))) => Operator::ListLength,
            // No text contains what is none.
            (Operator::Contains, Some(Kind::Any))
                if args.get(1).is_some_and(|arg| !arg.kind().may_be(Base::Text)) =>
            {
                Operator::ListContains
            }
            (operator, _) => operator,
        };
        coerce(operator, &mut args)?;
        let kind = check(operator, &args)?;
        let mut shape = Shape::of(6);
        shape.number(operator as u64);
        if operator == Operator::JsonGet
            && let Some(Scalar::List(steps)) = args[1].value()
        {
            // A step by a key and one by a place are other operators.
            for step in steps {
                shape.number(matches!(step, Scalar::Int(_)).into());
            }
        }
        Self::node(Op::Call(operator), args, kind, shape)
    }

    /// A function over a window: partitions by `partition`, in the order of `order`.
    ///
    /// # Errors
    /// Where `function` is neither an aggregate nor a function of windows.
    pub fn over(function: Self, partition: Vec<Self>, order: Vec<Self>) -> Result<Self, ExprError> {
        let is_function = match function.op() {
            Op::Call(operator) => matches!(operator.entry().place, Place::Group | Place::Window),
            _ => false,
        };
        if !is_function {
            let message = "is neither an aggregate nor a function of windows, after which over() stands, as \
                           rm.row_number().over(...)";
            return Err(ExprError::about(message, &function));
        }
        let kind = function.kind();
        let count = partition.len();
        let mut shape = Shape::of(7);
        shape.number(count as u64);
        let args = std::iter::once(function).chain(partition).chain(order).collect();
        Self::node(Op::Over { partition: count }, args, kind, shape)
    }

    fn leaf(op: Op, kind: Kind, shape: u128) -> Self {
        let places = Places::default();
        let (args, queries) = (Args::new(), 0);
        Self(Arc::new(Node { op, args, kind, places, size: 1, depth: 1, queries, shape }))
    }

    fn node(op: Op, args: Args, kind: Kind, mut shape: Shape) -> Result<Self, ExprError> {
        let (mut queries, mut size) = match &op {
            Op::Query(_, query) => query.measure(),
            _ => (0, 1_u32),
        };
        let mut depth = 0;
        let mut places = Places::default();
        for arg in &args {
            shape.add(arg.shape());
            size = size.saturating_add(arg.0.size);
            depth = depth.max(arg.0.depth);
            queries = queries.max(arg.0.queries);
            places.group |= arg.0.places.group;
            places.window |= arg.0.places.window;
            places.order |= arg.0.places.order;
        }
        match &op {
            // With a minus, what has no sign goes downwards.
            Op::Call(Operator::Negate) if !has_sign(kind) => places.order = true,
            Op::Call(operator) => match operator.entry().place {
                Place::Row => {}
                Place::Group => places.group = true,
                Place::Window => places.window = true,
                Place::Order => places.order = true,
            },
            // What the function wanted it has.
            Op::Over { .. } => places = Places { window: true, ..Places::default() },
            _ => {}
        }
        if size > limits::NODES {
            let message = format!(
                "the expression has {size} parts when written out, {} are allowed; a long `or` of values is \
                 one in_()",
                limits::NODES
            );
            return Err(ExprError::new(message));
        }
        let shape = shape.finish();
        Ok(Self(Arc::new(Node { op, args, kind, places, size, depth: depth + 1, queries, shape })))
    }

    /// What it is.
    #[inline]
    pub fn op(&self) -> &Op {
        &self.0.op
    }

    /// The operands.
    #[inline]
    pub fn args(&self) -> &[Self] {
        &self.0.args
    }

    /// What its values are.
    #[inline]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Nodes, those that are shared counted as often as they stand.
    pub fn size(&self) -> u32 {
        self.0.size
    }

    /// Levels of queries within each other.
    pub fn queries(&self) -> u32 {
        self.0.queries
    }

    /// Levels.
    pub fn depth(&self) -> u32 {
        self.0.depth
    }

    /// Whether it looks at all rows of a group.
    pub fn is_aggregate(&self) -> bool {
        self.0.places.group
    }

    /// Whether it holds a window.
    pub fn has_window(&self) -> bool {
        self.0.places.window
    }

    /// Whether it is an order's key and nothing else.
    pub fn is_order(&self) -> bool {
        self.0.places.order
    }

    /// Why an order's key stands where it cannot.
    pub(crate) fn no_key(&self, why: &str) -> ExprError {
        match (self.op(), self.args()) {
            (Op::Call(Operator::Negate), [of]) if !of.is_order() => {
                let message =
                    format!("has a minus, which {} has not outside of order_by()", of.kind());
                ExprError::about(&message, of)
            }
            _ => ExprError::about(&format!("is an order's key, {why}"), self),
        }
    }

    /// The identity of what it looks like, values left out: equal shapes have equal SQL. Computed once.
    #[inline]
    pub fn shape(&self) -> u128 {
        self.0.shape
    }

    /// Whether both are the same node.
    #[inline]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether both are the same, values included.
    pub fn same(&self, other: &Self) -> bool {
        let mut pairs: Vec<(&Self, &Self)> = vec![(self, other)];
        while let Some((one, other)) = pairs.pop() {
            if one.is(other) {
                continue;
            }
            if one.shape() != other.shape() || one.args().len() != other.args().len() {
                return false;
            }
            let equal = match (one.op(), other.op()) {
                // -0.0 is not 0.0 here, and NaN is NaN.
                (Op::Literal(Scalar::Float(one)), Op::Literal(Scalar::Float(other))) => {
                    one.to_bits() == other.to_bits()
                }
                (Op::Literal(one), Op::Literal(other)) => one == other,
                (Op::Column(one), Op::Column(other)) => match (&one.source, &other.source) {
                    (Some(one), Some(other)) => one.is(other),
                    (one, other) => one.is_none() && other.is_none(),
                },
                (Op::Query(_, one), Op::Query(_, other)) => {
                    let (mut ones, mut others) = (Vec::new(), Vec::new());
                    one.expressions(&mut |expression| ones.push(expression));
                    other.expressions(&mut |expression| others.push(expression));
                    let alike = ones.len() == others.len();
                    pairs.extend(ones.into_iter().zip(others));
                    alike
                }
                _ => true,
            };
            if !equal {
                return false;
            }
            pairs.extend(one.args().iter().zip(other.args()));
        }
        true
    }

    /// A number that the node has alone among those alive.
    #[inline]
    pub fn id(&self) -> usize {
        Arc::as_ptr(&self.0) as usize
    }

    /// The value, of a literal.
    pub fn value(&self) -> Option<&Scalar> {
        match &self.0.op {
            Op::Literal(value) => Some(value),
            _ => None,
        }
    }

    /// The column, of a column.
    pub fn as_column(&self) -> Option<&ColumnRef> {
        match &self.0.op {
            Op::Column(column) => Some(column),
            _ => None,
        }
    }

    /// All nodes, each as often as it stands, operands before what they are operands of's neighbours to the
    /// right: the order in which SQL is written.
    pub fn walk<'a>(&'a self, mut visit: impl FnMut(&'a Self)) {
        let mut stack: SmallVec<[&Self; 16]> = SmallVec::new();
        stack.push(self);
        while let Some(node) = stack.pop() {
            visit(node);
            stack.extend(node.0.args.iter().rev());
        }
    }

    /// Whether there is a value in it.
    pub(crate) fn has_values(&self) -> bool {
        let mut has = false;
        self.leaves(&mut |leaf| has |= leaf.value().is_some());
        has
    }

    /// The same with these nodes in place of what is equal to them; `None` where nothing is.
    pub(crate) fn sharing(&self, nodes: &[Self]) -> Option<Self> {
        if let Some(node) = nodes.iter().find(|node| node.same(self)) {
            return (!node.is(self)).then(|| node.clone());
        }
        // Nobody groups by what is deeper, and the stack has an end.
        if self.depth() > limits::SHARED_DEPTH {
            return None;
        }
        let changed: Vec<_> = self.args().iter().map(|arg| arg.sharing(nodes)).collect();
        if changed.iter().all(Option::is_none) {
            return None;
        }
        let args = changed.into_iter().zip(self.args());
        self.with_args(args.map(|(new, old)| new.unwrap_or_else(|| old.clone())).collect()).ok()
    }

    /// The values in it, given and to come, those of queries included.
    pub(crate) fn leaves<'a>(&'a self, visit: &mut dyn FnMut(&'a Self)) {
        let mut queries = Vec::new();
        self.walk(|node| match node.op() {
            Op::Literal(_) | Op::Parameter(_) => visit(node),
            Op::Query(_, query) => queries.push(query),
            _ => {}
        });
        for query in queries {
            query.expressions(&mut |expression| expression.leaves(visit));
        }
    }

    /// The same with other operands, of the same kinds or better known ones.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn with_args(&self, args: Vec<Self>) -> Result<Self, ExprError> {
        match self.op() {
            Op::Call(operator) => Self::call(*operator, args),
            Op::Over { partition } => {
                let mut args = args.into_iter();
                let function = args.next().unwrap_or_else(|| Self::literal(Scalar::Null));
                let by: Vec<Self> = args.by_ref().take(*partition).collect();
                Self::over(function, by, args.collect())
            }
            Op::Query(form, query) => {
                Self::query(*form, args.into_iter().next(), Arc::clone(query))
            }
            Op::Raw(pieces) => Self::raw(pieces.to_vec(), args),
            _ => Ok(self.clone()),
        }
    }
}

fn has_sign(kind: Kind) -> bool {
    kind.may_be_number() || kind == Kind::One(Base::Interval)
}

fn takes(operator: Operator, args: &[Expr]) -> Result<(), ExprError> {
    let (given, wanted) = (args.len(), operator.entry().operands);
    if wanted.map_or(given > 0, |wanted| wanted == given) {
        return Ok(());
    }
    let wanted = wanted.map_or_else(
        || "one operand or more".to_owned(),
        |wanted| format!("{wanted} operand{}", if wanted == 1 { "" } else { "s" }),
    );
    let mut notation = operator.entry().notation.to_owned();
    for (at, letter) in ["a", "b", "c", "d"].into_iter().enumerate() {
        notation = notation.replace(&format!("{{{at}}}"), letter);
    }
    Err(ExprError::new(format!("{notation} takes {wanted}, {given} given")))
}

/// The kind of an operator's result.
fn check(operator: Operator, args: &[Expr]) -> Result<Kind, ExprError> {
    let entry = operator.entry();
    let kinds: SmallVec<[Kind; 4]> = args.iter().map(Expr::kind).collect();
    for arg in args {
        if arg.is_order() && entry.place != Place::Order && operator != Operator::Negate {
            return Err(arg.no_key("for order_by() alone"));
        }
        let nested = entry.place == Place::Group && operator != Operator::Where;
        if nested && (arg.is_aggregate() || arg.has_window()) {
            return Err(ExprError::about(
                "is of a group already: an aggregate takes no other aggregate",
                arg,
            ));
        }
    }
    let kind = (entry.rule)(&kinds).map_err(|mut mismatch| {
        let is_step = |arg: &Expr| matches!(arg.op(), Op::Call(Operator::JsonGet));
        let is_number = |kind: &Kind| *kind != Kind::Any && kind.may_be_number();
        if let Some(step) = args.iter().find(|arg| is_step(arg))
            && kinds.iter().any(is_number)
        {
            let _ = write!(
                mismatch.message,
                ": what JSON has under a key is text here; {step}.cast(\"int\") is a number"
            );
        }
        ExprError::mismatch(operator, args, &mismatch)
    })?;
    Ok(match operator {
        Operator::ToInt => Kind::INT,
        Operator::ToFloat => Kind::FLOAT,
        Operator::Negate if args[0].is_order() => Kind::One(Base::Null),
        _ => kind,
    })
}

impl Drop for Node {
    /// Without recursion: a chain of a million operators would overflow the stack.
    fn drop(&mut self) {
        if self.depth < 100 {
            return;
        }
        let mut stack: Vec<Expr> = std::mem::take(&mut self.args).into_vec();
        while let Some(Expr(node)) = stack.pop() {
            if let Some(mut node) = Arc::into_inner(node) {
                stack.extend(std::mem::take(&mut node.args));
            }
        }
    }
}
