//! Rows of any cells under columns of any types: values that can be read back, or an error.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use rowmill_fuzz::{DEEP, HSTORE, MOOD, MOODS, PAIR, PAIRS, VECTOR, looked_up, message};
use rowmill_wire::{Catalogue, Event, Output, Request, Session, Startup, Statement};

/// Every type with a decoder of its own, and arrays of them.
const TYPES: [u32; 68] = [
    16, 17, 18, 19, 20, 21, 23, 25, 26, 28, 114, 700, 701, 1042, 1043, 1082, 1083, 1114, 1184,
    1186, 1700, 2278, 2950, 3802, 869, 1000, 1001, 1002, 1005, 1007, 1016, 1009, 1028, 199, 1021,
    1022, 1182, 1183, 1115, 1185, 1187, 1231, 2951, 3807, 5069, 650, 829, 774, 1560, 1562, 1266,
    1041, 1017, 3904, 3906, 3908, 3926, 3905, 4451, 4532, 6150, PAIR, PAIRS, DEEP, HSTORE, VECTOR,
    MOOD, MOODS,
];

type Row = Vec<Option<Vec<u8>>>;

fuzz_target!(|input: (Vec<(u8, i32)>, Vec<Row>, u8)| {
    let (columns, rows, part) = input;
    let columns = &columns[..columns.len().min(8)];
    let mut described = (columns.len() as u16).to_be_bytes().to_vec();
    let mut is_looked_up = false;
    for &(kind, typmod) in columns {
        described.extend_from_slice(b"v\0\0\0\0\0\0\0");
        let oid = TYPES[usize::from(kind) % TYPES.len()];
        is_looked_up |= oid >= PAIR;
        described.extend_from_slice(&oid.to_be_bytes());
        described.extend_from_slice(&[0; 2]);
        described.extend_from_slice(&typmod.to_be_bytes());
        described.extend_from_slice(&[0; 2]);
    }
    let mut answer = message(b'2', &[]);
    for row in &rows {
        let mut body = (columns.len() as u16).to_be_bytes().to_vec();
        for at in 0..columns.len() {
            match row.get(at).and_then(Option::as_ref) {
                Some(cell) => {
                    body.extend_from_slice(&(cell.len() as u32).to_be_bytes());
                    body.extend_from_slice(cell);
                }
                None => body.extend_from_slice(&[0xff; 4]),
            }
        }
        answer.extend(message(b'D', &body));
    }
    answer.extend(message(b'C', b"SELECT 0\0"));
    answer.extend(message(b'Z', b"I"));

    let mut session = Session::new(Startup::default(), Arc::new(Catalogue::default()));
    let output = match part {
        0 => Output::Batch,
        1 => Output::First,
        rows => Output::Stream { rows: usize::from(rows), bytes: usize::MAX },
    };
    let statement = Statement { text: "table t".into(), key: 1 };
    session.start(Request { statement, parameters: Vec::new(), output });
    let head = [
        message(b'R', &[0; 4]),
        message(b'Z', b"I"),
        message(b'1', &[]),
        message(b't', &[0, 0]),
        message(b'T', &described),
        message(b'Z', b"I"),
    ];
    session.feed(&head.concat()).expect("a description that is well-formed");
    if is_looked_up {
        session.feed(&looked_up()).expect("a look-up that is well-formed");
    }
    let result = session.feed(&answer);
    let mut is_done = false;
    while let Some(event) = session.next_event() {
        let batch = match event {
            Event::Batch { batch, .. } => batch,
            Event::Done { result: Ok(done), .. } => {
                is_done = true;
                done.batch
            }
            Event::Done { .. } => {
                is_done = true;
                continue;
            }
            _ => continue,
        };
        for row in 0..batch.rows() {
            for column in 0..batch.columns().len() {
                let _ = batch.value(column, row).to_string();
            }
        }
    }
    assert_eq!(is_done, result.is_ok());
});
