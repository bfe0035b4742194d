//! A matcher's snapshot of any bytes, with the right checksum: an error, or an index that answers, merges and is written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rowmill_expr::matcher::{Live, Record, Scratch};

fuzz_target!(|body: &[u8]| {
    // From a real one, or its body alone: the ends are made anew in any case.
    let body = body.strip_prefix(b"ROWMATCH").and_then(|rest| rest.get(8..)).unwrap_or(body);
    let mut bytes = b"ROWMATCH\x01\0\0\0\0\0\0\0".to_vec();
    bytes.extend_from_slice(body);
    let (len, hash) = (bytes.len() as u64, blake3::hash(&bytes));
    bytes.extend_from_slice(&len.to_le_bytes());
    bytes.extend_from_slice(hash.as_bytes());
    bytes.extend_from_slice(b"ROWM.END");
    let Ok((live, _)) = Live::from_bytes(&bytes.into()) else { return };
    let record = Record::new(live.attributes());
    let (mut scratch, mut ids) = (Scratch::new(), Vec::new());
    let view = live.view();
    let _ = view.matches(&record, &mut scratch, &mut ids);
    for id in view.ids() {
        let _ = view.get(id);
        let _ = view.explain(id, &record);
    }
    let written = view.snapshot(b"").map(|snapshot| snapshot.to_bytes());
    if let Ok(written) = written {
        Live::from_bytes(&written.into()).expect("it was written");
    }
    while let Some(merge) = live.merge() {
        merge.run();
    }
    let _ = live.view().matches(&record, &mut scratch, &mut ids);
});
