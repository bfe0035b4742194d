//! What the client says: each function appends one message to the bytes to write.

/// Begins a message; [`end`] takes what this gives.
pub(crate) fn begin(out: &mut Vec<u8>, kind: u8) -> usize {
    out.push(kind);
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    at
}

/// Ends the message begun at `at`.
pub(crate) fn end(out: &mut [u8], at: usize) {
    let len = (out.len() - at) as u32;
    out[at..at + 4].copy_from_slice(&len.to_be_bytes());
}

/// Appends text and its terminating NUL. The caller has seen to it that it holds none.
fn text(out: &mut Vec<u8>, text: &str) {
    debug_assert!(memchr::memchr(0, text.as_bytes()).is_none());
    out.extend_from_slice(text.as_bytes());
    out.push(0);
}

/// The name of a prepared statement or a portal: `r` and a number, or nothing for number 0.
fn name(out: &mut Vec<u8>, mut number: u64) {
    if number > 0 {
        let mut digits = [0; 20];
        let mut at = digits.len();
        while number > 0 {
            at -= 1;
            digits[at] = b'0' + (number % 10) as u8;
            number /= 10;
        }
        out.push(b'r');
        out.extend_from_slice(&digits[at..]);
    }
    out.push(0);
}

/// The startup message of protocol 3.0.
pub(crate) fn startup<'a>(out: &mut Vec<u8>, parameters: impl Iterator<Item = (&'a str, &'a str)>) {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&0x0003_0000_u32.to_be_bytes());
    for (name, value) in parameters {
        text(out, name);
        text(out, value);
    }
    out.push(0);
    end(out, at);
}

/// A password, or an md5 hash of it.
pub(crate) fn password(out: &mut Vec<u8>, password: &str) {
    let at = begin(out, b'p');
    text(out, password);
    end(out, at);
}

/// The first message of a SASL exchange.
pub(crate) fn sasl_initial(out: &mut Vec<u8>, mechanism: &str, data: &[u8]) {
    let at = begin(out, b'p');
    text(out, mechanism);
    out.extend_from_slice(&(data.len() as u32).to_be_bytes());
    out.extend_from_slice(data);
    end(out, at);
}

/// A later message of a SASL exchange.
pub(crate) fn sasl(out: &mut Vec<u8>, data: &[u8]) {
    let at = begin(out, b'p');
    out.extend_from_slice(data);
    end(out, at);
}

/// Parse: the statement, and the types of its parameters where they are known.
pub(crate) fn parse(out: &mut Vec<u8>, number: u64, statement: &str, parameters: &[u32]) {
    let at = begin(out, b'P');
    name(out, number);
    text(out, statement);
    out.extend_from_slice(&(parameters.len() as u16).to_be_bytes());
    for oid in parameters {
        out.extend_from_slice(&oid.to_be_bytes());
    }
    end(out, at);
}

/// Describe of a prepared statement.
pub(crate) fn describe(out: &mut Vec<u8>, number: u64) {
    let at = begin(out, b'D');
    out.push(b'S');
    name(out, number);
    end(out, at);
}

/// Describe of a portal.
pub(crate) fn describe_portal(out: &mut Vec<u8>, portal: u64) {
    let at = begin(out, b'D');
    out.push(b'P');
    name(out, portal);
    end(out, at);
}

/// Close of a prepared statement.
pub(crate) fn close(out: &mut Vec<u8>, number: u64) {
    let at = begin(out, b'C');
    out.push(b'S');
    name(out, number);
    end(out, at);
}

/// The beginning of Bind, up to the parameters; [`end`] takes what this gives.
pub(crate) fn begin_bind(out: &mut Vec<u8>, portal: u64, number: u64) -> usize {
    let at = begin(out, b'B');
    name(out, portal);
    name(out, number);
    at
}

/// Execute of the unnamed portal, all rows, and the Sync that ends the request.
pub(crate) fn execute_and_sync(out: &mut Vec<u8>) {
    out.extend_from_slice(b"E\0\0\0\x09\0\0\0\0\0S\0\0\0\x04");
}

/// Execute of a portal for the next `rows` rows, and the Sync that ends the request.
pub(crate) fn execute_some_and_sync(out: &mut Vec<u8>, portal: u64, rows: usize) {
    let at = begin(out, b'E');
    name(out, portal);
    let rows = i32::try_from(rows).unwrap_or(i32::MAX).max(1);
    out.extend_from_slice(&rows.to_be_bytes());
    end(out, at);
    sync(out);
}

/// Close of a portal, and the Sync that ends the request.
pub(crate) fn close_portal_and_sync(out: &mut Vec<u8>, portal: u64) {
    let at = begin(out, b'C');
    out.push(b'P');
    name(out, portal);
    end(out, at);
    sync(out);
}

/// Sync.
pub(crate) fn sync(out: &mut Vec<u8>) {
    out.extend_from_slice(b"S\0\0\0\x04");
}

/// Query of the simple protocol.
pub(crate) fn query(out: &mut Vec<u8>, statements: &str) {
    let at = begin(out, b'Q');
    text(out, statements);
    end(out, at);
}

/// CopyFail, with the words the server will put into its error.
pub(crate) fn copy_fail(out: &mut Vec<u8>, reason: &str) {
    let at = begin(out, b'f');
    text(out, reason);
    end(out, at);
}

/// Terminate.
pub(crate) fn terminate(out: &mut Vec<u8>) {
    out.extend_from_slice(b"X\0\0\0\x04");
}

/// Format codes as Bind wants them, a count and the codes: none where all are text, one where all
/// are binary.
pub(crate) fn formats(binary: impl ExactSizeIterator<Item = bool> + Clone) -> Vec<u8> {
    let mut out = Vec::new();
    if binary.clone().all(|binary| !binary) {
        out.extend_from_slice(&[0, 0]);
    } else if binary.clone().all(|binary| binary) {
        out.extend_from_slice(&[0, 1, 0, 1]);
    } else {
        out.extend_from_slice(&(binary.len() as u16).to_be_bytes());
        for binary in binary {
            out.extend_from_slice(&u16::from(binary).to_be_bytes());
        }
    }
    out
}
