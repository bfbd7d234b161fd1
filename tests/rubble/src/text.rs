//! Bytes as text, where the wire itself lets nothing else through.

/// All of it up to the first byte that is no UTF-8.
pub fn of(input: &[u8]) -> &str {
    match std::str::from_utf8(input) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&input[..error.valid_up_to()]).unwrap_or_default(),
    }
}
