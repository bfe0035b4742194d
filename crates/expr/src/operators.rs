//! The one table of operators: from an entry follow the type check, the SQL of each database, the column
//! filter and the documentation.

use crate::rules::{self, Rule};

/// What can be done to values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the table's `doc` says what each is")]
pub enum Operator {
    And,
    Or,
    Not,
    IsNull,
    IsNotNull,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    IsDistinct,
    IsNotDistinct,
    Between,
    In,
    NotIn,
    Add,
    Subtract,
    Multiply,
    Divide,
    Quotient,
    Remainder,
    Negate,
    Abs,
    Floor,
    Ceil,
    Like,
    ILike,
    Contains,
    StartsWith,
    EndsWith,
    Matches,
    Lower,
    Upper,
    Length,
    Trim,
    Concat,
    ListContains,
    ListOverlaps,
    ListContainsAll,
    ListDisjoint,
    ListLength,
    AnyEqual,
    AnyNotEqual,
    AnyLess,
    AnyLessOrEqual,
    AnyGreater,
    AnyGreaterOrEqual,
    AllEqual,
    AllNotEqual,
    AllLess,
    AllLessOrEqual,
    AllGreater,
    AllGreaterOrEqual,
    JsonGet,
    Year,
    Quarter,
    Month,
    Week,
    Day,
    WeekDay,
    YearDay,
    Hour,
    Minute,
    Second,
    Epoch,
    TruncateYear,
    TruncateQuarter,
    TruncateMonth,
    TruncateWeek,
    TruncateDay,
    TruncateHour,
    TruncateMinute,
    TruncateSecond,
    Coalesce,
    Case,
    ToInt,
    ToFloat,
    ToText,
    Least,
    Greatest,
    GeoWithin,
    CountRows,
    Count,
    CountDistinct,
    Sum,
    Average,
    Minimum,
    Maximum,
    Where,
    RowNumber,
    Rank,
    DenseRank,
    Lag,
    Lead,
    FirstValue,
    LastValue,
    Descending,
    NullsFirst,
    NullsLast,
}

/// What becomes of NULL operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nulls {
    /// One NULL makes the whole NULL.
    Spread,
    /// The entry's `doc` says.
    Own,
}

/// Where an operator may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Anywhere: it looks at one row.
    Row,
    /// It looks at all rows of a group.
    Group,
    /// Only under `over`.
    Window,
    /// Only at the outside of an order's key.
    Order,
}

/// How tightly an operator's SQL binds: what binds less than its place wants stands in parentheses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Binding {
    /// `a or b`
    Or,
    /// `a and b`
    And,
    /// Comparisons, `not`, and all that parentheses make easier to read.
    Test,
    /// `a + b`
    Sum,
    /// `a * b`
    Product,
    /// A column, a parameter, a call.
    Atom,
}

/// One operator.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Which.
    pub operator: Operator,
    /// How it is written in messages: `{0} > {1}`, `{0}.lower()`.
    pub notation: &'static str,
    /// The kind of its result, or why the operands make no sense.
    pub rule: Rule,
    /// What becomes of NULL.
    pub nulls: Nulls,
    /// Where it may stand.
    pub place: Place,
    /// How tightly its SQL binds.
    pub binding: Binding,
    /// PostgreSQL's spelling: `{0}` is an operand, `{*}` all of them with commas between.
    pub postgres: &'static str,
    /// SQLite's spelling.
    pub sqlite: &'static str,
    /// How many operands it takes, `None` where that is one or more.
    pub operands: Option<usize>,
    /// What it means.
    pub doc: &'static str,
}

/// As many as the notation names; `{*}`, and what is written between any two, is one or more.
const fn operands(operator: Operator, notation: &str) -> Option<usize> {
    if matches!(operator, Operator::And | Operator::Or) {
        return None;
    }
    let (bytes, mut at, mut most) = (notation.as_bytes(), 0, 0);
    while at + 1 < bytes.len() {
        if bytes[at] == b'{' && bytes[at + 1] == b'*' {
            return None;
        }
        if bytes[at] == b'{' && (bytes[at + 1] - b'0') as usize + 1 > most {
            most = (bytes[at + 1] - b'0') as usize + 1;
        }
        at += 1;
    }
    Some(most)
}

impl Operator {
    /// The operator's entry.
    pub fn entry(self) -> &'static Entry {
        &TABLE[self as usize]
    }

    /// Whether it holds two values against each other, or one against bounds, and is never true of NULL.
    pub(crate) fn is_comparison(self) -> bool {
        matches!(
            self,
            Self::Equal
                | Self::NotEqual
                | Self::Less
                | Self::LessOrEqual
                | Self::Greater
                | Self::GreaterOrEqual
                | Self::Between
        )
    }

    /// Whether it is a condition that is never true where an operand is NULL.
    pub(crate) fn is_never_true_of_null(self) -> bool {
        self.is_comparison()
            || matches!(
                self,
                Self::In
                    | Self::NotIn
                    | Self::Like
                    | Self::ILike
                    | Self::Contains
                    | Self::StartsWith
                    | Self::EndsWith
                    | Self::Matches
                    | Self::ListContains
                    | Self::ListOverlaps
                    | Self::ListContainsAll
                    | Self::ListDisjoint
                    | Self::AnyEqual
                    | Self::AnyNotEqual
                    | Self::AnyLess
                    | Self::AnyLessOrEqual
                    | Self::AnyGreater
                    | Self::AnyGreaterOrEqual
            )
    }
}

macro_rules! table {
    ($($operator:ident $notation:literal $rule:ident $nulls:ident $place:ident $binding:ident
       $postgres:literal $sqlite:literal $doc:literal;)+) => {
        /// All operators, in the order of [`Operator`].
        pub static TABLE: &[Entry] = &[$(Entry {
            operator: Operator::$operator,
            notation: $notation,
            rule: rules::$rule,
            nulls: Nulls::$nulls,
            place: Place::$place,
            binding: Binding::$binding,
            postgres: $postgres,
            sqlite: $sqlite,
            operands: operands(Operator::$operator, $notation),
            doc: $doc,
        }),+];
    };
}

// Marks in a spelling: `{1!glob}` a LIKE pattern as one of GLOB, `{1!json}` a list as JSON text, `{1!one}` a
// value as a list of it, `{1!path}` the path of a JSON value, `{0!utc}` a point in time as the wall clock of
// UTC, `{0!wide}` a number as one of 64 bits where all operands may be narrower, `{0!time}` what SQLite's date functions take, `{0!float}` and `{0!text}` a cast, `{*}` all with commas
// between, `{*!union}` each as a row of its own, `{*!joined}` with `||`. An operand without a mark is
// written as it is, and as often as it is named.
table! {
    And "{0} & {1}" logic Own Row And
        "{0} and {1}" "{0} and {1}"
        "True where all are, false where one is false, else NULL.";
    Or "{0} | {1}" logic Own Row Or
        "{0} or {1}" "{0} or {1}"
        "True where one is, false where all are false, else NULL.";
    Not "~{0}" logic Spread Row Test
        "not {0}" "not {0}"
        "True where false and false where true.";
    IsNull "{0}.is_null()" test Own Row Test
        "{0} is null" "{0} is null"
        "Whether there is no value. Never NULL.";
    IsNotNull "{0}.is_not_null()" test Own Row Test
        "{0} is not null" "{0} is not null"
        "Whether there is a value. Never NULL.";
    Equal "{0} == {1}" equality Spread Row Test
        "{0} = {1}" "{0} = {1}"
        "Whether they are the same value: NaN is NaN, and 0.0 is -0.0.";
    NotEqual "{0} != {1}" equality Spread Row Test
        "{0} <> {1}" "{0} <> {1}"
        "Whether they are not the same value.";
    Less "{0} < {1}" order Spread Row Test
        "{0} < {1}" "{0} < {1}"
        "Whether the first is below the second. NaN is above all numbers, text is ordered by code points; lists, JSON \
         and intervals have no order.";
    LessOrEqual "{0} <= {1}" order Spread Row Test
        "{0} <= {1}" "{0} <= {1}"
        "Whether the first is not above the second.";
    Greater "{0} > {1}" order Spread Row Test
        "{0} > {1}" "{0} > {1}"
        "Whether the first is above the second.";
    GreaterOrEqual "{0} >= {1}" order Spread Row Test
        "{0} >= {1}" "{0} >= {1}"
        "Whether the first is not below the second.";
    IsDistinct "{0}.is_distinct_from({1})" equality Own Row Test
        "{0} is distinct from {1}" "{0} is not {1}"
        "Whether they are not the same, where NULL is the same as NULL. Never NULL.";
    IsNotDistinct "{0}.is_not_distinct_from({1})" equality Own Row Test
        "{0} is not distinct from {1}" "{0} is {1}"
        "Whether they are the same, where NULL is the same as NULL. Never NULL.";
    Between "{0}.between({1}, {2})" between Own Row Test
        "{0} between {1} and {2}" "{0} between {1} and {2}"
        "Whether the first is neither below the second nor above the third: both ends are within.";
    In "{0}.in_({1})" within Own Row Test
        "{0} = any({1})" "{0} in (select \"value\" from json_each({1!json}))"
        "Whether it is one of a list's values; false for an empty list. The list is one parameter, whatever \
         its length, and holds no NULL.";
    NotIn "{0}.not_in({1})" within Own Row Test
        "{0} <> all({1})" "{0} not in (select \"value\" from json_each({1!json}))"
        "Whether it is none of a list's values; true for an empty list.";
    Add "{0} + {1}" sum Spread Row Sum
        "{0!wide} + {1}" "{0} + {1}"
        "The sum. Integers beyond 64 bits are an error.";
    Subtract "{0} - {1}" difference Spread Row Sum
        "{0!wide} - {1}" "{0} - {1}"
        "The difference.";
    Multiply "{0} * {1}" product Spread Row Product
        "{0!wide} * {1}" "{0} * {1}"
        "The product.";
    Divide "{0} / {1}" quotient Own Row Product
        "{0!float} / nullif({1!float}, 0)" "{0!float} / {1!float}"
        "The quotient, a float or a decimal; NULL where the divisor is 0.";
    Quotient "{0} // {1}" integers Own Row Product
        "{0!wide} / nullif({1}, 0)" "{0} / {1}"
        "The quotient of integers towards zero; NULL where the divisor is 0.";
    Remainder "{0} % {1}" integers Own Row Product
        "{0!wide} % nullif({1}, 0)" "{0} % {1}"
        "What is left of the quotient of integers, with the dividend's sign; NULL where the divisor is 0.";
    Negate "-{0}" negation Spread Row Test
        "- {0!wide}" "- {0}"
        "The number with the other sign. As an order's key: descending, of whatever kind.";
    Abs "{0}.abs()" number Spread Row Atom
        "abs({0!wide})" "abs({0})"
        "The number without its sign.";
    Floor "{0}.floor()" number Spread Row Atom
        "floor({0})" "floor({0})"
        "The largest whole number that is not above it.";
    Ceil "{0}.ceil()" number Spread Row Atom
        "ceil({0})" "ceil({0})"
        "The smallest whole number that is not below it.";
    Like "{0}.like({1})" pattern Spread Row Test
        "{0!text} like {1}" "{0} glob {1!glob}"
        "Whether the text fits a pattern, in which % is any text, _ any character, and \\ takes the next one as \
         it is. Capitals count.";
    ILike "{0}.ilike({1})" pattern Spread Row Test
        "{0!text} ilike {1}" "{0} like {1} escape '\\'"
        "As `like`, where the case of ASCII letters does not count.";
    Contains "{0}.contains({1})" texts Spread Row Test
        "strpos({0!text}, {1}) > 0" "instr({0}, {1}) > 0"
        "Whether the second text is somewhere in the first.";
    StartsWith "{0}.starts_with({1})" texts Spread Row Test
        "{0!text} ^@ {1}" "substr({0}, 1, length({1})) = {1}"
        "Whether the first text begins with the second.";
    EndsWith "{0}.ends_with({1})" texts Spread Row Test
        "right({0!text}, length({1})) = {1}" "substr({0}, length({0}) - length({1}) + 1) = {1}"
        "Whether the first text ends with the second.";
    Matches "{0}.matches({1})" pattern Spread Row Test
        "{0!text} ~ {1!classes}" "{0} regexp {1}"
        "Whether a regular expression matches somewhere in the text. `.` matches line ends too, ^ and $ only the \
         text's ends; \\d \\w \\s are ASCII. What PostgreSQL and Rust read differently is refused.";
    Lower "{0}.lower()" text_to_text Spread Row Atom
        "lower({0!text})" "lower({0})"
        "The text in small letters; beyond ASCII as the database's collation has it, SQLite and filters leave \
         those as they are.";
    Upper "{0}.upper()" text_to_text Spread Row Atom
        "upper({0!text})" "upper({0})"
        "The text in capitals, as `lower`.";
    Length "{0}.length()" text_to_int Spread Row Atom
        "length({0!text})::int8" "length({0})"
        "The number of the text's characters (code points).";
    Trim "{0}.trim()" text_to_text Spread Row Atom
        "btrim({0!text})" "trim({0})"
        "The text without the spaces at its ends.";
    Concat "concat({*})" concat Spread Row Test
        "{*!joined}" "{*!joined}"
        "One text after the other.";
    ListContains "{0}.contains({1})" list_and_element Spread Row Test
        "{0} @> {1!one}"
        "case when {0} is not null and {1} is not null then exists (select 1 from json_each({0}) where \"value\" = {1}) end"
        "Whether the list holds the value. Its NULLs are passed over.";
    ListOverlaps "{0}.overlaps({1})" lists Spread Row Test
        "{0} && {1}"
        "case when {0} is not null and {1} is not null then exists (select 1 from json_each({0}) where \"value\" in (select \"value\" from json_each({1!json}))) end"
        "Whether the lists have a value in common. NULLs in them are passed over.";
    ListContainsAll "{0}.contains_all({1})" lists Spread Row Test
        "{0} @> {1}"
        "case when {0} is not null and {1} is not null then not exists (select 1 from json_each({1!json}) where \"value\" is null or \"value\" not in (select \"value\" from json_each({0}) where \"value\" is not null)) end"
        "Whether the first list holds each value of the second.";
    ListDisjoint "{0}.disjoint({1})" lists Spread Row Test
        "not ({0} && {1})"
        "case when {0} is not null and {1} is not null then not exists (select 1 from json_each({0}) where \"value\" in (select \"value\" from json_each({1!json}))) end"
        "Whether the lists have no value in common.";
    ListLength "{0}.length()" list_to_int Spread Row Atom
        "cardinality({0})::int8" "json_array_length({0})"
        "The number of the list's elements.";
    AnyEqual "{0}.any() == {1}" list_and_element Own Row Test
        "{1} = any({0})"
        "case when {0} is not null then (select case when total(\"value\" = {1}) > 0 then 1 when count(*) > count(\"value\" = {1}) then null else 0 end from json_each({0})) end"
        "Whether one element is the value. NULL where none is and one is NULL.";
    AnyNotEqual "{0}.any() != {1}" list_and_element Own Row Test
        "{1} <> any({0})"
        "case when {0} is not null then (select case when total(\"value\" <> {1}) > 0 then 1 when count(*) > count(\"value\" <> {1}) then null else 0 end from json_each({0})) end"
        "Whether one element is not the value.";
    AnyLess "{0}.any() < {1}" list_and_element Own Row Test
        "{1} > any({0})"
        "case when {0} is not null then (select case when total(\"value\" < {1}) > 0 then 1 when count(*) > count(\"value\" < {1}) then null else 0 end from json_each({0})) end"
        "Whether one element is below the value.";
    AnyLessOrEqual "{0}.any() <= {1}" list_and_element Own Row Test
        "{1} >= any({0})"
        "case when {0} is not null then (select case when total(\"value\" <= {1}) > 0 then 1 when count(*) > count(\"value\" <= {1}) then null else 0 end from json_each({0})) end"
        "Whether one element is not above the value.";
    AnyGreater "{0}.any() > {1}" list_and_element Own Row Test
        "{1} < any({0})"
        "case when {0} is not null then (select case when total(\"value\" > {1}) > 0 then 1 when count(*) > count(\"value\" > {1}) then null else 0 end from json_each({0})) end"
        "Whether one element is above the value.";
    AnyGreaterOrEqual "{0}.any() >= {1}" list_and_element Own Row Test
        "{1} <= any({0})"
        "case when {0} is not null then (select case when total(\"value\" >= {1}) > 0 then 1 when count(*) > count(\"value\" >= {1}) then null else 0 end from json_each({0})) end"
        "Whether one element is not below the value.";
    AllEqual "{0}.all() == {1}" list_and_element Own Row Test
        "{1} = all({0})"
        "case when {0} is not null then (select case when total(not \"value\" = {1}) > 0 then 0 when count(*) > count(\"value\" = {1}) then null else 1 end from json_each({0})) end"
        "Whether each element is the value; true of an empty list.";
    AllNotEqual "{0}.all() != {1}" list_and_element Own Row Test
        "{1} <> all({0})"
        "case when {0} is not null then (select case when total(not \"value\" <> {1}) > 0 then 0 when count(*) > count(\"value\" <> {1}) then null else 1 end from json_each({0})) end"
        "Whether no element is the value.";
    AllLess "{0}.all() < {1}" list_and_element Own Row Test
        "{1} > all({0})"
        "case when {0} is not null then (select case when total(not \"value\" < {1}) > 0 then 0 when count(*) > count(\"value\" < {1}) then null else 1 end from json_each({0})) end"
        "Whether each element is below the value.";
    AllLessOrEqual "{0}.all() <= {1}" list_and_element Own Row Test
        "{1} >= all({0})"
        "case when {0} is not null then (select case when total(not \"value\" <= {1}) > 0 then 0 when count(*) > count(\"value\" <= {1}) then null else 1 end from json_each({0})) end"
        "Whether each element is not above the value.";
    AllGreater "{0}.all() > {1}" list_and_element Own Row Test
        "{1} < all({0})"
        "case when {0} is not null then (select case when total(not \"value\" > {1}) > 0 then 0 when count(*) > count(\"value\" > {1}) then null else 1 end from json_each({0})) end"
        "Whether each element is above the value.";
    AllGreaterOrEqual "{0}.all() >= {1}" list_and_element Own Row Test
        "{1} <= all({0})"
        "case when {0} is not null then (select case when total(not \"value\" >= {1}) > 0 then 0 when count(*) > count(\"value\" >= {1}) then null else 1 end from json_each({0})) end"
        "Whether each element is not below the value.";
    JsonGet "{0}[{1}]" json_path Spread Row Test
        "{0}{1!steps}"
        "case json_type({0}, {1!path}) when 'text' then json_extract({0}, {1!path}) when 'null' then null when 'true' then 'true' when 'false' then 'false' else {0} -> {1!path} end"
        "The value under a path, as text: a JSON string without its quotes, NULL for JSON's null and where \
         there is none.";
    Year "{0}.year()" dated_to_int Spread Row Atom
        "extract(year from {0!utc})::int8" "cast(strftime('%Y', {0!time}) as integer)"
        "The year, in UTC where it is a point in time.";
    Quarter "{0}.quarter()" dated_to_int Spread Row Atom
        "extract(quarter from {0!utc})::int8" "((cast(strftime('%m', {0!time}) as integer) + 2) / 3)"
        "The quarter, 1 to 4.";
    Month "{0}.month()" dated_to_int Spread Row Atom
        "extract(month from {0!utc})::int8" "cast(strftime('%m', {0!time}) as integer)"
        "The month, 1 to 12.";
    Week "{0}.week()" dated_to_int Spread Row Atom
        "extract(week from {0!utc})::int8" "cast(strftime('%V', {0!time}) as integer)"
        "The week of ISO 8601, 1 to 53.";
    Day "{0}.day()" dated_to_int Spread Row Atom
        "extract(day from {0!utc})::int8" "cast(strftime('%d', {0!time}) as integer)"
        "The day of the month, 1 to 31.";
    WeekDay "{0}.weekday()" dated_to_int Spread Row Atom
        "extract(isodow from {0!utc})::int8" "cast(strftime('%u', {0!time}) as integer)"
        "The day of the week, Monday 1 to Sunday 7.";
    YearDay "{0}.yearday()" dated_to_int Spread Row Atom
        "extract(doy from {0!utc})::int8" "cast(strftime('%j', {0!time}) as integer)"
        "The day of the year, 1 to 366.";
    Hour "{0}.hour()" timed_to_int Spread Row Atom
        "extract(hour from {0!utc})::int8" "cast(strftime('%H', {0!time}) as integer)"
        "The hour, 0 to 23.";
    Minute "{0}.minute()" timed_to_int Spread Row Atom
        "extract(minute from {0!utc})::int8" "cast(strftime('%M', {0!time}) as integer)"
        "The minute, 0 to 59.";
    Second "{0}.second()" timed_to_int Spread Row Atom
        "trunc(extract(second from {0!utc}))::int8" "cast(strftime('%S', {0!time}) as integer)"
        "The second, 0 to 59, without its fraction.";
    Epoch "{0}.epoch()" dated_to_int Spread Row Atom
        "floor(extract(epoch from {0}))::int8" "unixepoch({0!time})"
        "Whole seconds since 1970, in UTC.";
    TruncateYear "{0}.trunc(\"year\")" truncate Spread Row Atom
        "date_trunc('year', {0!utc})"
        "strftime('%Y-01-01 00:00:00', {0!time})"
        "The beginning of the year.";
    TruncateQuarter "{0}.trunc(\"quarter\")" truncate Spread Row Atom
        "date_trunc('quarter', {0!utc})"
        "(strftime('%Y-', {0!time}) || printf('%02d-01 00:00:00', (strftime('%m', {0!time}) - 1) / 3 * 3 + 1))"
        "The beginning of the quarter.";
    TruncateMonth "{0}.trunc(\"month\")" truncate Spread Row Atom
        "date_trunc('month', {0!utc})"
        "strftime('%Y-%m-01 00:00:00', {0!time})"
        "The beginning of the month.";
    TruncateWeek "{0}.trunc(\"week\")" truncate Spread Row Atom
        "date_trunc('week', {0!utc})"
        "strftime('%Y-%m-%d 00:00:00', {0!time}, '-6 days', 'weekday 1')"
        "The Monday on which the week begins.";
    TruncateDay "{0}.trunc(\"day\")" truncate Spread Row Atom
        "date_trunc('day', {0!utc})"
        "strftime('%Y-%m-%d 00:00:00', {0!time})"
        "The beginning of the day.";
    TruncateHour "{0}.trunc(\"hour\")" truncate Spread Row Atom
        "date_trunc('hour', {0!utc})"
        "strftime('%Y-%m-%d %H:00:00', {0!time})"
        "The beginning of the hour.";
    TruncateMinute "{0}.trunc(\"minute\")" truncate Spread Row Atom
        "date_trunc('minute', {0!utc})"
        "strftime('%Y-%m-%d %H:%M:00', {0!time})"
        "The beginning of the minute.";
    TruncateSecond "{0}.trunc(\"second\")" truncate Spread Row Atom
        "date_trunc('second', {0!utc})"
        "strftime('%Y-%m-%d %H:%M:%S', {0!time})"
        "The beginning of the second.";
    Coalesce "coalesce({*})" same Own Row Atom
        "coalesce({*})" "coalesce({*})"
        "The first that is not NULL.";
    Case "case({*})" case Own Row Atom
        "" ""
        "The value after the first condition that is true; the last value where none is.";
    ToInt "{0}.cast(\"int\")" to_number Own Row Atom
        "" ""
        "As an integer: a float towards zero, text where it is one of 64 bits in digits and else NULL.";
    ToFloat "{0}.cast(\"float\")" to_number Own Row Atom
        "" ""
        "As a float: text where it is a number within a float's range and else NULL.";
    ToText "{0}.cast(\"text\")" to_text Spread Row Atom
        "{0}::text" "cast({0} as text)"
        "As text: integers, text, uuids and dates.";
    Least "least({*})" lowest Own Row Atom
        "least({*})" "(select min(\"v\") from (select {*!union}))"
        "The lowest of those that are not NULL.";
    Greatest "greatest({*})" lowest Own Row Atom
        "greatest({*})" "(select max(\"v\") from (select {*!union}))"
        "The highest of those that are not NULL.";
    GeoWithin "geo_within({*})" geo Spread Row Test
        "case when num_nulls({*}) = 0 then 6371008.8 * 2 * asin(sqrt(least(1, sin(radians({2!float} - {0!float}) / 2) ^ 2 + cos(radians({0!float})) * cos(radians({2!float})) * sin(radians({3!float} - {1!float}) / 2) ^ 2))) <= {4} end"
        "rowmill_metres({0}, {1}, {2}, {3}) <= {4}"
        "Whether a point (latitude, longitude, in degrees) is at most so many metres from another, on a sphere of \
         the Earth's mean radius.";
    CountRows "count()" count_rows Own Group Atom
        "count(*)" "count(*)"
        "How many rows.";
    Count "{0}.count()" count_values Own Group Atom
        "count({0})" "count({0})"
        "How many rows have a value.";
    CountDistinct "{0}.count_distinct()" count_values Own Group Atom
        "count(distinct {0})" "count(distinct {0})"
        "How many values there are, each counted once.";
    Sum "{0}.sum()" total Own Group Atom
        "sum({0})" "sum({0})"
        "The sum of those that are not NULL; NULL where there is none.";
    Average "{0}.mean()" average Own Group Atom
        "avg({0})" "avg({0})"
        "The mean of those that are not NULL.";
    Minimum "{0}.min()" extreme Own Group Atom
        "min({0})" "min({0})"
        "The lowest of those that are not NULL.";
    Maximum "{0}.max()" extreme Own Group Atom
        "max({0})" "max({0})"
        "The highest of those that are not NULL.";
    Where "{0}.where({1})" where_ Own Group Atom
        "{0!bare} filter (where {1})" "{0} filter (where {1})"
        "The aggregate over the rows for which a condition is true.";
    RowNumber "row_number()" number_rows Own Window Atom
        "row_number()" "row_number()"
        "The row's number in its partition, from 1.";
    Rank "rank()" number_rows Own Window Atom
        "rank()" "rank()"
        "The row's rank in its partition; equal rows share one, and the next is left out.";
    DenseRank "dense_rank()" number_rows Own Window Atom
        "dense_rank()" "dense_rank()"
        "The row's rank, without gaps.";
    Lag "{0}.lag({1})" shifted Own Window Atom
        "lag({0}, {1!int4})" "lag({0}, {1})"
        "The value so many rows before.";
    Lead "{0}.lead({1})" shifted Own Window Atom
        "lead({0}, {1!int4})" "lead({0}, {1})"
        "The value so many rows after.";
    FirstValue "{0}.first_value()" unchanged Own Window Atom
        "first_value({0})" "first_value({0})"
        "The value of the first row of the frame.";
    LastValue "{0}.last_value()" unchanged Own Window Atom
        "last_value({0})" "last_value({0})"
        "The value of the last row of the frame.";
    Descending "{0}.desc()" unchanged Own Order Test
        "{0} desc" "{0} desc"
        "The order's other way.";
    NullsFirst "{0}.nulls_first()" unchanged Own Order Test
        "{0} nulls first" "{0} nulls first"
        "NULLs before all values.";
    NullsLast "{0}.nulls_last()" unchanged Own Order Test
        "{0} nulls last" "{0} nulls last"
        "NULLs after all values.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_its_operators() {
        for (at, entry) in TABLE.iter().enumerate() {
            assert_eq!(entry.operator as usize, at, "{:?}", entry.operator);
        }
        assert_eq!(TABLE.len(), Operator::NullsLast as usize + 1);
    }
}
