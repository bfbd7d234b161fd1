//! A stream reads the same however it is cut, and no more of it is held than the caps allow.
//!
//! The first two bytes choose the pieces and the type, the rest is the stream. Small caps, so that they are reached.

use limn_server::ingest::multipart::{Caps, MultipartError, Part, Reader};

const TYPES: [&str; 3] = [
    "multipart/x-mixed-replace; boundary=frame",
    "multipart/x-mixed-replace; boundary=\"--frame\"",
    "multipart/x-mixed-replace;boundary=-f",
];
const CAPS: Caps = Caps {
    part: 200,
    headers: 100,
};

/// What may be held beyond the caps: a boundary that is not whole yet.
const BOUNDARY_BYTES: usize = 32;

/// # Panics
/// If one of those laws is broken.
pub fn read(input: &[u8]) {
    let [seed, kind, stream @ ..] = input else {
        return;
    };
    let kind = TYPES[usize::from(*kind) % TYPES.len()];
    let whole = parts(kind, stream, || stream.len());
    // Hull and Dobell: all 256 states come.
    let mut state = *seed;
    let pieces = parts(kind, stream, || {
        state = state.wrapping_mul(5).wrapping_add(1);
        usize::from(state >> 3) + 1
    });
    assert_eq!(whole, pieces);
    assert_eq!(whole, parts(kind, stream, || 1));
}

/// All parts of `stream`, and whether the reader was finished, when it comes in pieces of these lengths.
fn parts(
    kind: &str,
    mut stream: &[u8],
    mut length: impl FnMut() -> usize,
) -> (Vec<Result<Part, MultipartError>>, bool) {
    let mut reader = Reader::with_caps(kind, CAPS).expect("a type with a boundary");
    let mut parts = Vec::new();
    while !stream.is_empty() {
        let (piece, rest) = stream.split_at(length().clamp(1, stream.len()));
        stream = rest;
        reader.push(piece);
        while let Some(part) = reader.next_part() {
            if let Ok(part) = &part {
                assert!((1..=CAPS.part).contains(&part.bytes.len()));
            }
            parts.push(part);
        }
        assert!(reader.held() <= CAPS.part + BOUNDARY_BYTES + piece.len());
    }
    let finished = reader.is_finished();
    assert!(finished || parts.iter().all(Result::is_ok));
    (parts, finished)
}
