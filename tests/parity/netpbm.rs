//! The pictures that the fixture scripts write.

use std::path::Path;

use limn_pipeline::{Frame, Size};

/// Width, height and samples of a binary PPM or PGM with the header that the scripts give it, three lines.
pub fn samples(path: &Path) -> (Size, Vec<u8>) {
    let bytes = std::fs::read(path).unwrap();
    let mut lines = bytes.splitn(4, |&byte| byte == b'\n');
    let header: Vec<&str> = lines
        .by_ref()
        .take(3)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    let size = header[1].replace(' ', "x").parse().unwrap();
    (size, lines.next().unwrap().to_vec())
}

/// A PPM as a frame.
pub fn frame(path: &Path) -> Frame {
    let (size, pixels) = samples(path);
    Frame::rgb8(size, pixels).unwrap()
}
