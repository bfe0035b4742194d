//! Expressions as SQL: a stack in place of recursion, so that depth is a matter of the database's limits alone.

use rowmill_columns::Scalar;

use super::Target;
use super::select::order_key;
use super::slot::Form;
use super::writer::Writer;
use crate::kind::{Base, Kind};
use crate::node::{Expr, Op, QueryForm};
use crate::normal::chain;
use crate::operators::{Binding, Operator};
use crate::query::Select;
use crate::{ExprError, limits};

/// Conditions in a row, beyond which a chain is cut in halves for SQLite.
const CHAIN: usize = 64;

/// What is still to be written, the next last.
enum Piece<'e> {
    Text(&'e str),
    /// An expression, at least so tightly bound, a value cast to what it is where the flag says so.
    Expr(&'e Expr, Binding, bool),
    /// A part that SQLite reads one level deeper.
    Up,
    Down,
    /// A chain of `and` or `or`, cut in halves so that it is not deep.
    Halves(Vec<&'e Expr>, Operator),
    /// A value in a form.
    Value(&'e Expr, Form),
    /// An aggregate to which `filter` or `over` belongs, before its result is cast.
    Bare(&'e Expr),
    Query(&'e Select),
}

/// Pushes an operand, one level below what it is an operand of.
fn deeper<'e>(stack: &mut Vec<Piece<'e>>, operand: &'e Expr, binding: Binding, cast: bool) {
    stack.push(Piece::Down);
    stack.push(Piece::Expr(operand, binding, cast));
    stack.push(Piece::Up);
}

impl Writer<'_> {
    /// A condition or a value on its own.
    pub(super) fn expression(&mut self, expression: &Expr) -> Result<(), ExprError> {
        self.pieces(expression, Binding::Or)
    }

    /// A condition of several that all hold.
    pub(super) fn all_of(&mut self, conditions: &[Expr]) -> Result<(), ExprError> {
        if self.target.is_sqlite() && conditions.len() > CHAIN {
            let all = conditions.iter().cloned().map(Ok);
            let all = all.reduce(|all, one| Expr::call(Operator::And, [all?, one?]));
            return all.map_or(Ok(()), |all| self.expression(&all?));
        }
        for (at, condition) in conditions.iter().enumerate() {
            if !condition.kind().may_be(Base::Bool) {
                let message = format!("is no condition: it is {}", condition.kind());
                return Err(ExprError::about(&message, condition));
            }
            if at > 0 {
                self.push(" and ");
            }
            let alone = conditions.len() == 1;
            self.pieces(condition, if alone { Binding::Or } else { Binding::And })?;
        }
        Ok(())
    }

    /// A value for a column, which says what type it takes.
    pub(super) fn assigned_value(&mut self, value: &Expr) -> Result<(), ExprError> {
        match value.op() {
            Op::Literal(Scalar::Null) => {
                self.push("null");
                Ok(())
            }
            // The column's affinity makes a number of it where it is to be one.
            Op::Literal(_) | Op::Parameter(_)
                if self.target.is_sqlite() && value.kind() == Kind::One(Base::Decimal) =>
            {
                self.placeholder(value, Form::Digits)
            }
            Op::Literal(_) | Op::Parameter(_) => self.value(value, false),
            _ => self.expression(value),
        }
    }

    /// A condition beside others.
    pub(super) fn condition(&mut self, condition: &Expr) -> Result<(), ExprError> {
        self.pieces(condition, Binding::And)
    }

    /// Something in parentheses unless it is one word or a call.
    pub(super) fn atom(&mut self, expression: &Expr) -> Result<(), ExprError> {
        self.pieces(expression, Binding::Atom)
    }

    fn pieces(&mut self, expression: &Expr, binding: Binding) -> Result<(), ExprError> {
        let mut stack = vec![Piece::Expr(expression, binding, true)];
        let (mut level, deepest) = (0, self.deepest());
        while let Some(piece) = stack.pop() {
            match piece {
                Piece::Text(text) => self.push(text),
                Piece::Up => {
                    level += 1;
                    if level > deepest {
                        let message = format!(
                            "the expression is deeper than {deepest} levels, more than the database reads"
                        );
                        return Err(ExprError::new(message));
                    }
                }
                Piece::Down => level -= 1,
                Piece::Value(leaf, form) => self.placeholder(leaf, form)?,
                Piece::Query(query) => self.select(query)?,
                Piece::Bare(function) => match function.op() {
                    Op::Call(operator) => {
                        self.call(*operator, function, Binding::Atom, &mut stack)?;
                    }
                    _ => self.one(function, Binding::Atom, true, &mut stack)?,
                },
                Piece::Halves(chain, operator) => Self::halves(chain, operator, &mut stack),
                Piece::Expr(expression, binding, cast) => {
                    self.one(expression, binding, cast, &mut stack)?;
                }
            }
        }
        Ok(())
    }

    fn deepest(&self) -> u32 {
        match self.target {
            Target::Postgres => limits::POSTGRES_DEPTH,
            Target::Sqlite | Target::SqliteUnix => limits::SQLITE_DEPTH - 100,
        }
    }

    fn one<'e>(
        &mut self,
        expression: &'e Expr,
        binding: Binding,
        cast: bool,
        stack: &mut Vec<Piece<'e>>,
    ) -> Result<(), ExprError> {
        match expression.op() {
            Op::Column(column) => self.column(column),
            Op::Excluded(column) => {
                self.push("excluded.");
                self.name(&column.name)
            }
            Op::Literal(Scalar::Null) => {
                self.push("null");
                Ok(())
            }
            Op::Literal(_) | Op::Parameter(_) => self.value(expression, cast),
            Op::Call(operator) => {
                stack.push(Piece::Text(self.result(expression)));
                self.call(*operator, expression, binding, stack)
            }
            Op::Over { partition } => {
                stack.push(Piece::Text(self.result(&expression.args()[0])));
                self.over(expression.args(), *partition, stack);
                Ok(())
            }
            Op::Query(form @ (QueryForm::Exists | QueryForm::Value), query) => {
                stack.extend([Piece::Text(")"), Piece::Query(query)]);
                self.push(if *form == QueryForm::Exists { "exists (" } else { "(" });
                Ok(())
            }
            Op::Query(form, query) => {
                let wrap = binding == Binding::Atom;
                self.push(if wrap { "(" } else { "" });
                let not = if *form == QueryForm::In { " in (" } else { " not in (" };
                stack.extend([
                    Piece::Text(if wrap { "))" } else { ")" }),
                    Piece::Query(query),
                    Piece::Text(not),
                ]);
                deeper(stack, &expression.args()[0], Binding::Atom, true);
                Ok(())
            }
            Op::Raw(pieces) => {
                self.check_pieces(pieces)?;
                stack.push(Piece::Text(")"));
                for at in (0..pieces.len()).rev() {
                    if let Some(operand) = expression.args().get(at) {
                        stack.push(Piece::Expr(operand, Binding::Atom, false));
                    }
                    stack.push(Piece::Text(&pieces[at]));
                }
                self.push("(");
                Ok(())
            }
        }
    }

    /// The cast by which PostgreSQL gives what an aggregate of integers is here: it has sums and means of
    /// 64 bits as numeric.
    fn result(&self, function: &Expr) -> &'static str {
        let (mut function, kind) = (function, function.kind());
        while matches!(function.op(), Op::Call(Operator::Where)) {
            function = &function.args()[0];
        }
        let of_integers = function.args().first().is_some_and(|arg| arg.kind() == Kind::INT);
        match function.op() {
            Op::Call(Operator::Sum | Operator::Average)
                if self.target.is_sqlite() || !of_integers =>
            {
                ""
            }
            Op::Call(Operator::Sum) if kind == Kind::INT => "::int8",
            Op::Call(Operator::Average) => "::float8",
            _ => "",
        }
    }

    /// A placeholder, with the type that PostgreSQL is to read it as where nothing beside it says so.
    fn value(&mut self, leaf: &Expr, cast: bool) -> Result<(), ExprError> {
        if self.target.is_sqlite() {
            // A list beside one that is kept as JSON.
            let list = matches!(leaf.kind(), Kind::List(_));
            self.push(if list { "json(" } else { "" });
            self.placeholder(leaf, sqlite_form(leaf.kind()))?;
            self.push(if list { ")" } else { "" });
            return Ok(());
        }
        self.placeholder(leaf, Form::Plain)?;
        if cast {
            self.cast(leaf.kind());
        }
        Ok(())
    }

    /// A list of PostgreSQL's, of which each value counts once.
    pub(super) fn list_once(&mut self, list: &Expr) -> Result<(), ExprError> {
        if !matches!(list.op(), Op::Literal(_) | Op::Parameter(_)) {
            return self.expression(list);
        }
        self.placeholder(list, Form::Once)?;
        self.cast(list.kind());
        Ok(())
    }

    fn cast(&mut self, kind: Kind) {
        let (base, list) = match kind {
            Kind::One(base) => (base, ""),
            Kind::List(base) => (base, "[]"),
            Kind::Any => return,
        };
        if let Some(name) = type_name(base) {
            self.push("::");
            self.push(name);
            self.push(list);
        }
    }

    fn call<'e>(
        &mut self,
        operator: Operator,
        expression: &'e Expr,
        binding: Binding,
        stack: &mut Vec<Piece<'e>>,
    ) -> Result<(), ExprError> {
        let entry = operator.entry();
        let args = expression.args();
        if operator == Operator::Negate && expression.is_order() {
            return Err(expression.no_key("for order_by() alone"));
        }
        if self.target.is_sqlite()
            && matches!(operator, Operator::Add | Operator::Subtract)
            && args.iter().any(|arg| arg.kind() == Kind::One(Base::Interval))
        {
            let message = "adds an interval, which SQLite cannot do exactly; compute the point in time in Python";
            return Err(ExprError::about(message, expression));
        }
        let wrap = entry.binding < binding;
        if wrap {
            stack.push(Piece::Text(")"));
            self.push("(");
        }
        match operator {
            Operator::And | Operator::Or => {
                let chain = chain(expression, operator);
                if self.target.is_sqlite() && chain.len() > CHAIN {
                    stack.push(Piece::Halves(chain, operator));
                    return Ok(());
                }
                let joint = if operator == Operator::And { " and " } else { " or " };
                for (at, part) in chain.iter().enumerate().rev() {
                    deeper(stack, part, Binding::Test, true);
                    if at > 0 {
                        stack.push(Piece::Text(joint));
                    }
                }
                Ok(())
            }
            Operator::Case => {
                stack.push(Piece::Text(" end"));
                let pairs = args.len() / 2;
                let cast = cast(operator, args);
                let value = |arg: &'e Expr, stack: &mut Vec<Piece<'e>>| {
                    if self.is_made_real(operator, arg, args) {
                        stack.push(Piece::Text(" as real)"));
                        deeper(stack, arg, Binding::Or, cast);
                        stack.push(Piece::Text("cast("));
                    } else {
                        deeper(stack, arg, Binding::Test, cast);
                    }
                };
                if args.len() % 2 == 1 {
                    value(&args[2 * pairs], stack);
                    stack.push(Piece::Text(" else "));
                }
                for pair in (0..pairs).rev() {
                    value(&args[2 * pair + 1], stack);
                    stack.push(Piece::Text(" then "));
                    deeper(stack, &args[2 * pair], Binding::Or, true);
                    stack.push(Piece::Text(" when "));
                }
                self.push("case");
                Ok(())
            }
            // floor() of an integer is a float, and rounds beyond 2^53.
            Operator::Floor | Operator::Ceil if expression.kind() == Kind::INT => {
                self.template("({0})", operator, args, stack)
            }
            Operator::ListContains if !self.target.is_sqlite() && !is_leaf(&args[1]) => {
                // An array made of it would have to be of the very type of the list.
                let spelling = "case when {0} is not null and {1} is not null then coalesce({1} = any({0}), false) end";
                self.template(spelling, operator, args, stack)
            }
            Operator::ToInt | Operator::ToFloat => self.template(
                number_cast(operator, args[0].kind(), self.target),
                operator,
                args,
                stack,
            ),
            _ => {
                let spelling = if self.target.is_sqlite() { entry.sqlite } else { entry.postgres };
                self.template(spelling, operator, args, stack)
            }
        }
    }

    /// Pushes a spelling's pieces, the last first.
    fn template<'e>(
        &mut self,
        spelling: &'static str,
        operator: Operator,
        args: &'e [Expr],
        stack: &mut Vec<Piece<'e>>,
    ) -> Result<(), ExprError> {
        let cast = cast(operator, args);
        let entry = operator.entry();
        let mut pieces: Vec<Piece<'e>> = Vec::with_capacity(8);
        let mut rest = spelling;
        while let Some(open) = rest.find('{') {
            let (before, after) = rest.split_at(open);
            pieces.push(Piece::Text(before));
            let close = after.find('}').unwrap_or(after.len() - 1);
            let (name, mark) = after[1..close].split_once('!').unwrap_or((&after[1..close], ""));
            rest = &after[close + 1..];
            if name == "*" {
                let real = |arg: &Expr| self.is_made_real(operator, arg, args);
                listed(mark, args, cast, &real, &mut pieces);
                continue;
            }
            let Some(arg) = name.parse().ok().and_then(|at: usize| args.get(at)) else {
                return Err(ExprError::new(format!("{operator:?} has no operand {name}")));
            };
            let enclosed =
                ["(", ", ", "where ", "distinct "].iter().any(|end| before.ends_with(end))
                    && (rest.starts_with(')') || rest.starts_with(", "));
            let binding = match entry.binding {
                _ if enclosed => Binding::Or,
                Binding::Sum => {
                    if name == "0" {
                        Binding::Sum
                    } else {
                        Binding::Product
                    }
                }
                Binding::Product => {
                    if name == "0" {
                        Binding::Product
                    } else {
                        Binding::Atom
                    }
                }
                Binding::Test if is_comparison(operator) => Binding::Sum,
                _ => Binding::Atom,
            };
            self.marked(operator, mark, arg, args, binding, &mut pieces);
        }
        pieces.push(Piece::Text(rest));
        pieces.push(Piece::Down);
        stack.extend(pieces.into_iter().rev());
        stack.push(Piece::Up);
        Ok(())
    }

    /// Whether SQLite is to take an integer as a float, as a float is beside it: it would compare the two exactly,
    /// and keep both in one column.
    fn is_made_real(&self, operator: Operator, arg: &Expr, args: &[Expr]) -> bool {
        use Operator as O;
        let taken = matches!(operator, O::Coalesce | O::Case | O::Least | O::Greatest);
        self.target.is_sqlite()
            && matches!(arg.kind(), Kind::One(Base::Int | Base::Decimal))
            && (taken || is_comparison(operator) && arg.kind() == Kind::INT && !is_leaf(arg))
            && args.iter().any(|other| other.kind() == Kind::FLOAT && (taken || !is_leaf(other)))
    }

    fn marked<'e>(
        &self,
        operator: Operator,
        mark: &str,
        arg: &'e Expr,
        args: &[Expr],
        binding: Binding,
        pieces: &mut Vec<Piece<'e>>,
    ) {
        let (leaf, cast) = (is_leaf(arg), cast(operator, args));
        match mark {
            "classes" if leaf => pieces.push(Piece::Value(arg, Form::Classes)),
            "glob" if leaf => pieces.push(Piece::Value(arg, Form::Glob)),
            "one" if leaf => pieces.push(Piece::Value(arg, Form::One)),
            "one" => pieces.extend([
                Piece::Text("array["),
                Piece::Expr(arg, Binding::Or, true),
                Piece::Text("]"),
            ]),
            "json" if leaf => pieces.push(Piece::Value(arg, sqlite_form(arg.kind()))),
            "bare" => pieces.push(Piece::Bare(arg)),
            "path" => pieces.push(Piece::Value(arg, Form::JsonPath)),
            "steps" => steps(arg, pieces),
            "int4" => pieces.extend([Piece::Value(arg, Form::Plain), Piece::Text("::int4")]),
            "text" if arg.as_column().is_some() => {
                pieces.extend([Piece::Expr(arg, Binding::Atom, cast), Piece::Text("::text")]);
            }
            // date_trunc() of a date is a point in time otherwise.
            "utc" if arg.kind() == Kind::One(Base::Date) => {
                pieces.extend([Piece::Expr(arg, Binding::Atom, true), Piece::Text("::timestamp")]);
            }
            "wide" if args.iter().all(|arg| is_narrow(arg) && arg.kind() == args[0].kind()) => {
                pieces.push(Piece::Expr(arg, Binding::Atom, cast));
                pieces.push(Piece::Text(match arg.kind() {
                    Kind::INT => "::int8",
                    Kind::FLOAT => "::float8",
                    _ => "",
                }));
            }
            "utc" if arg.kind() == Kind::One(Base::Instant) => {
                pieces.extend([
                    Piece::Expr(arg, Binding::Atom, true),
                    Piece::Text(" at time zone 'UTC'"),
                ]);
            }
            "time" if self.target == Target::SqliteUnix => {
                pieces.extend([Piece::Expr(arg, Binding::Or, true), Piece::Text(", 'unixepoch'")]);
            }
            "float" => {
                let exact = args.iter().any(|arg| arg.kind() == Kind::One(Base::Decimal))
                    && args.iter().all(|arg| arg.kind() != Kind::FLOAT);
                // What SQLite calls numeric may be an integer, and so may what is taken of several.
                // One side that is none makes the quotient one.
                let beside = std::ptr::eq(arg, &raw const args[args.len() - 1]);
                let float = match arg.kind() {
                    Kind::FLOAT => !self.target.is_sqlite() || leaf || beside,
                    kind => kind == Kind::One(Base::Decimal) && !self.target.is_sqlite(),
                };
                if float || exact && !self.target.is_sqlite() {
                    pieces.push(Piece::Expr(arg, binding, true));
                } else if self.target.is_sqlite() {
                    pieces.extend([
                        Piece::Text("cast("),
                        Piece::Expr(arg, Binding::Or, true),
                        Piece::Text(" as real)"),
                    ]);
                } else {
                    pieces.extend([Piece::Expr(arg, Binding::Atom, true), Piece::Text("::float8")]);
                }
            }
            _ if self.is_made_real(operator, arg, args) => {
                pieces.extend([
                    Piece::Text("cast("),
                    Piece::Expr(arg, Binding::Or, cast),
                    Piece::Text(" as real)"),
                ]);
            }
            // Arrays of integers of 32 and of 64 bits are not compared.
            _ if !self.target.is_sqlite()
                && matches!(arg.kind(), Kind::List(Base::Int | Base::Float | Base::Text))
                && args.iter().all(|arg| !is_leaf(arg) && arg.kind() == args[0].kind())
                && args.len() > 1 =>
            {
                pieces.push(Piece::Expr(arg, Binding::Atom, cast));
                pieces.push(Piece::Text(match arg.kind() {
                    Kind::List(Base::Int) => "::int8[]",
                    Kind::List(Base::Float) => "::float8[]",
                    _ => "::text[]",
                }));
            }
            // As text, a day is not the moment at which it begins.
            _ if self.target == Target::Sqlite
                && arg.kind() == Kind::One(Base::Date)
                && args.iter().any(|other| is_dated_otherwise(arg, other)) =>
            {
                pieces.extend([
                    Piece::Text("(case typeof("),
                    Piece::Expr(arg, Binding::Or, cast),
                    Piece::Text(") when 'text' then "),
                    Piece::Expr(arg, Binding::Atom, cast),
                    Piece::Text(" || ' 00:00:00' else "),
                    Piece::Expr(arg, Binding::Atom, cast),
                    Piece::Text(" end)"),
                ]);
            }
            _ => pieces.push(Piece::Expr(arg, binding, cast)),
        }
    }

    fn halves<'e>(mut chain: Vec<&'e Expr>, operator: Operator, stack: &mut Vec<Piece<'e>>) {
        let joint = if operator == Operator::And { " and " } else { " or " };
        if chain.len() <= 8 {
            for (at, part) in chain.iter().enumerate().rev() {
                stack.push(Piece::Expr(part, Binding::Test, true));
                if at > 0 {
                    stack.push(Piece::Text(joint));
                }
            }
            return;
        }
        let second = chain.split_off(chain.len() / 2);
        stack.extend([
            Piece::Text(")"),
            Piece::Down,
            Piece::Halves(second, operator),
            Piece::Text("("),
        ]);
        stack.extend([
            Piece::Text(joint),
            Piece::Text(")"),
            Piece::Halves(chain, operator),
            Piece::Text("("),
            Piece::Up,
        ]);
    }

    fn over<'e>(&self, args: &'e [Expr], partition: usize, stack: &mut Vec<Piece<'e>>) {
        let (function, rest) = args.split_at(1);
        let (by, order) = rest.split_at(partition);
        stack.push(Piece::Text(")"));
        for (at, key) in order.iter().enumerate().rev() {
            let (inner, descending, nulls_first) = order_key(key);
            stack.push(Piece::Text(self.direction(
                descending,
                nulls_first,
                self.may_be_null(inner),
            )));
            deeper(stack, inner, Binding::Or, true);
            stack.push(Piece::Text(match (at, by.is_empty()) {
                (0, true) => "order by ",
                (0, false) => " order by ",
                _ => ", ",
            }));
        }
        for (at, key) in by.iter().enumerate().rev() {
            deeper(stack, key, Binding::Or, true);
            stack.push(Piece::Text(if at == 0 { "partition by " } else { ", " }));
        }
        stack.extend([Piece::Text(" over ("), Piece::Down]);
        stack.extend([Piece::Bare(&function[0]), Piece::Up]);
    }
}

/// A path into JSON, as PostgreSQL steps along it: a key is no place, and a place no key.
fn steps<'e>(path: &'e Expr, pieces: &mut Vec<Piece<'e>>) {
    let steps = match path.value() {
        Some(Scalar::List(steps)) => &steps[..],
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    for (at, step) in (0_u16..).zip(steps) {
        let last = usize::from(at) + 1 == steps.len();
        pieces.push(Piece::Text(if last { " ->> " } else { " -> " }));
        pieces.push(Piece::Value(path, Form::Step(at)));
        pieces.push(Piece::Text(if matches!(step, Scalar::Int(_)) { "::int4" } else { "::text" }));
    }
}

/// How SQLite takes a value: decimals are floats there.
fn sqlite_form(kind: Kind) -> Form {
    match kind {
        Kind::One(Base::Decimal) | Kind::List(Base::Decimal) => Form::Real,
        _ => Form::Plain,
    }
}

fn listed<'e>(
    mark: &str,
    args: &'e [Expr],
    cast: bool,
    real: &dyn Fn(&Expr) -> bool,
    pieces: &mut Vec<Piece<'e>>,
) {
    let (joint, binding) = match mark {
        "union" => (" as \"v\" union all select ", Binding::Or),
        "joined" => (" || ", Binding::Atom),
        _ => (", ", Binding::Or),
    };
    for (at, arg) in args.iter().enumerate() {
        if at > 0 {
            pieces.push(Piece::Text(joint));
        }
        let real = real(arg);
        pieces.push(Piece::Text(if real { "cast(" } else { "" }));
        pieces.push(Piece::Expr(arg, binding, cast || mark == "joined"));
        pieces.push(Piece::Text(if real { " as real)" } else { "" }));
    }
    if mark == "union" {
        pieces.push(Piece::Text(" as \"v\""));
    }
}

fn is_comparison(operator: Operator) -> bool {
    use Operator as O;
    operator.is_comparison()
        || matches!(
            operator,
            O::IsDistinct | O::IsNotDistinct | O::IsNull | O::IsNotNull | O::In | O::NotIn
        )
}

fn is_leaf(arg: &Expr) -> bool {
    matches!(arg.op(), Op::Literal(_) | Op::Parameter(_))
}

/// Whether it may be a number of 16 or 32 bits in the database: arithmetic on two of them would end there.
fn is_narrow(arg: &Expr) -> bool {
    use Operator as O;
    match arg.op() {
        Op::Column(_) | Op::Excluded(_) | Op::Query(..) => true,
        Op::Call(O::Coalesce | O::Case | O::Least | O::Greatest) => {
            arg.args().iter().any(is_narrow)
        }
        _ => false,
    }
}

/// Whether a value among these operands says by itself what it is: numbers always do, so that 3,000,000,000 can
/// be compared with a column of 32 bits; what stands beside a column is read as the column.
fn cast(operator: Operator, args: &[Expr]) -> bool {
    use Operator as O;
    let takes_after = is_comparison(operator)
        || matches!(
            operator,
            O::ListContains
                | O::ListOverlaps
                | O::ListContainsAll
                | O::ListDisjoint
                | O::Coalesce
                | O::Case
                | O::Least
                | O::Greatest
                | O::Like
                | O::ILike
                | O::Matches
        );
    if !takes_after {
        return true;
    }
    let list = matches!(
        operator,
        O::ListContains | O::ListOverlaps | O::ListContainsAll | O::ListDisjoint
    );
    let number = |arg: &Expr| match arg.kind() {
        Kind::One(base) | Kind::List(base) => base.is_number(),
        Kind::Any => false,
    };
    // A case's conditions say nothing of its values.
    let is_value = |at: usize| operator != O::Case || at % 2 == 1 || at + 1 == args.len();
    let values = || args.iter().enumerate().filter(|(at, _)| is_value(*at)).map(|(_, arg)| arg);
    let untyped = values().any(|arg| arg.kind() == Kind::Any);
    let says = |arg: &Expr| {
        number(arg)
            || operator == O::Between && is_leaf(&args[0])
            || values().any(|other| is_dated_otherwise(arg, other))
    };
    values().all(is_leaf) || !list && !untyped && values().any(|arg| is_leaf(arg) && says(arg))
}

/// A date beside a timestamp, or the other way about: it is not read as what it stands beside.
fn is_dated_otherwise(arg: &Expr, other: &Expr) -> bool {
    let base = |kind| match kind {
        Kind::One(base) | Kind::List(base) if base.is_dated() => Some(base),
        _ => None,
    };
    matches!((base(arg.kind()), base(other.kind())), (Some(one), Some(another)) if one != another)
}

/// PostgreSQL's name of a kind.
pub(super) fn type_name(base: Base) -> Option<&'static str> {
    Some(match base {
        Base::Null | Base::Other => return None,
        Base::Bool => "bool",
        Base::Int => "int8",
        Base::Float => "float8",
        Base::Decimal => "numeric",
        Base::Text => "text",
        Base::Bytes => "bytea",
        Base::Json => "jsonb",
        Base::Uuid => "uuid",
        Base::Date => "date",
        Base::Time => "time",
        Base::Timestamp => "timestamp",
        Base::Instant => "timestamptz",
        Base::Interval => "interval",
    })
}

/// How something is made a number.
fn number_cast(operator: Operator, kind: Kind, target: Target) -> &'static str {
    let int = operator == Operator::ToInt;
    match (kind, target, int) {
        // Not \s, which may be more than the casts pass over; numeric has an end as well.
        (Kind::TEXT, Target::Postgres, true) => {
            r"case when {0} ~ '^[ \t\n\v\f\r]*[-+]?[0-9]+[ \t\n\v\f\r]*$' and (length(substring({0} from '[1-9][0-9]*')) > 19) is not true then case when {0}::numeric between -9223372036854775808 and 9223372036854775807 then {0}::int8 end end"
        }
        // A path of JSON reads text as the cast does and says where that would fail, but takes no NaN and no
        // infinity; what is hexadecimal is none here. What is not immutable would be too late for a constant.
        (Kind::TEXT, Target::Postgres, false) => {
            "case when {0} !~ '[xX]' and jsonb_object(array['v', {0}]) @? '$.v.double()' then {0}::float8 end"
        }
        (Kind::TEXT, _, true) => "rowmill_int({0})",
        (Kind::TEXT, _, false) => "rowmill_float({0})",
        (Kind::One(Base::Bool), Target::Postgres, true) => "{0}::int4::int8",
        (Kind::One(Base::Bool), Target::Postgres, false) => "{0}::int4::float8",
        (Kind::One(Base::Int), Target::Postgres, true) => "{0}::int8",
        (Kind::One(_), Target::Postgres, true) => "trunc({0})::int8",
        (_, Target::Postgres, true) => "{0}::int8",
        (_, Target::Postgres, false) => "{0}::float8",
        (_, _, true) => "cast({0} as integer)",
        (_, _, false) => "cast({0} as real)",
    }
}
