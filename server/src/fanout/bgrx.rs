//! RGB to BGRX, four bytes a pixel: what NDI takes with the least work for the whole machine (BENCHMARKS.md), and then
//! converts as its receivers expect.

/// Writes `pixels` (RGB) into `out`, which has four bytes for each.
pub fn write(pixels: &[u8], out: &mut [u8]) {
    let (from, _) = pixels.as_chunks::<3>();
    let (to, _) = out.as_chunks_mut::<4>();
    for (from, to) in from.iter().zip(to) {
        *to = [from[2], from[1], from[0], 255];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn red_and_blue_change_places() {
        let mut out = [0; 8];
        write(&[1, 2, 3, 4, 5, 6], &mut out);
        assert_eq!(out, [3, 2, 1, 255, 6, 5, 4, 255]);
    }
}
