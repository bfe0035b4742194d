//! Any values for parameters of any types: messages whose lengths are right, or an error that
//! sends nothing.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::{arbitrary, fuzz_target};
use rowmill_columns::Scalar;
use rowmill_fuzz::{DEEP, HSTORE, MOODS, PAIR, PAIRS, VECTOR, looked_up, message};
use rowmill_wire::{Catalogue, Event, Failure, Output, Request, Session, Startup, Statement};

/// Every type with an encoder of its own, arrays of them, and one that is exchanged as text.
const TYPES: [u32; 44] = [
    16, 17, 18, 20, 21, 23, 25, 26, 114, 700, 701, 1082, 1083, 1114, 1184, 1186, 1700, 2950, 3802,
    869, 1000, 1001, 1002, 1007, 1009, 1185, 1187, 1231, 2951, 3807, 1266, 1041, 5069, 3904, 3906,
    3905, 4451, 6150, PAIR, PAIRS, DEEP, HSTORE, VECTOR, MOODS,
];

#[derive(arbitrary::Arbitrary, Debug)]
enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Decimal(String),
    Text(String),
    Bytes(Vec<u8>),
    Json(String),
    Uuid([u8; 16]),
    Date(i32),
    Time(i64),
    Timestamp(i64, bool),
    Interval(i32, i32, i64),
    List(Vec<Value>),
    TimeTz(i64, i32),
    Struct(Vec<(Name, Value)>),
}

/// The names that types have, and any others.
#[derive(arbitrary::Arbitrary, Debug)]
enum Name {
    A,
    B,
    Lower,
    Upper,
    Bounds,
    Other(String),
}

impl From<Value> for Scalar {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Int(value) => Self::Int(value),
            Value::Float(value) => Self::Float(value),
            Value::Decimal(value) => Self::Decimal(value),
            Value::Text(value) => Self::Text(value),
            Value::Bytes(value) => Self::Bytes(value),
            Value::Json(value) => Self::Json(value),
            Value::Uuid(value) => Self::Uuid(value),
            Value::Date(value) => Self::Date(value),
            Value::Time(value) => Self::Time(value),
            Value::Timestamp(micros, utc) => Self::Timestamp { micros, utc },
            Value::Interval(months, days, micros) => Self::Interval { months, days, micros },
            Value::List(values) => Self::List(values.into_iter().map(Self::from).collect()),
            Value::TimeTz(micros, offset) => Self::TimeTz { micros, offset },
            Value::Struct(fields) => {
                let name = |name| match name {
                    Name::A => "a".to_owned(),
                    Name::B => "b".to_owned(),
                    Name::Lower => "lower".to_owned(),
                    Name::Upper => "upper".to_owned(),
                    Name::Bounds => "bounds".to_owned(),
                    Name::Other(name) => name,
                };
                let named = fields.into_iter().map(|(key, value)| (name(key), value.into()));
                Self::Struct(named.collect())
            }
        }
    }
}

fuzz_target!(|input: Vec<(u8, Value)>| {
    let (kinds, values): (Vec<u8>, Vec<Value>) = input.into_iter().unzip();
    let mut described = (kinds.len() as u16).to_be_bytes().to_vec();
    let mut is_looked_up = false;
    for kind in &kinds {
        let oid = TYPES[usize::from(*kind) % TYPES.len()];
        is_looked_up |= oid >= PAIR;
        described.extend_from_slice(&oid.to_be_bytes());
    }
    let mut session = Session::new(Startup::default(), Arc::new(Catalogue::default()));
    let statement = Statement { text: "call p()".into(), key: 1 };
    let parameters = values.into_iter().map(Scalar::from).collect();
    session.start(Request { statement, parameters, output: Output::Batch });
    let welcome = [message(b'R', &[0; 4]), message(b'Z', b"I")].concat();
    session.feed(&welcome).expect("a welcome");
    assert!(matches!(session.next_event(), Some(Event::Ready)));
    let pending = session.pending().len();
    session.sent(pending);
    let answer =
        [message(b'1', &[]), message(b't', &described), message(b'n', &[]), message(b'Z', b"I")];
    session.feed(&answer.concat()).expect("a description that is well-formed");
    if is_looked_up {
        let pending = session.pending().len();
        session.sent(pending);
        session.feed(&looked_up()).expect("a look-up that is well-formed");
    }
    match session.next_event() {
        Some(Event::Done { result: Err(Failure::Parameter(_)), .. }) => {
            assert!(session.pending().is_empty(), "nothing is sent");
        }
        Some(other) => panic!("{other:?}"),
        None => {
            let mut kinds = Vec::new();
            let mut rest = session.pending();
            while let [kind, a, b, c, d, ..] = *rest {
                kinds.push(kind);
                rest = &rest[1 + u32::from_be_bytes([a, b, c, d]) as usize..];
            }
            assert_eq!(kinds, b"BES");
        }
    }
});
