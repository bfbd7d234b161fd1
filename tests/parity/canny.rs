//! Edge maps against OpenCV's, and the older operator against what its authors compute, on real photographs.

use std::path::PathBuf;

use limn_pipeline::Frame;
use limn_pipelines::stages::edges::Gradient;
use limn_pipelines::stages::{canny::canny, grey::Grey, sobel::sobel};
use limn_tests::fixture;

use crate::netpbm::{frame, samples};

/// Every photograph, its name first.
fn photographs() -> Vec<(String, Frame)> {
    let folder = fixture("canny");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "ppm"));
    paths.sort();
    let name = |path: &PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let read = |path: &PathBuf| (name(path), frame(path));
    let photographs: Vec<_> = paths.iter().map(read).collect();
    assert!(photographs.len() >= 14, "{} photographs", photographs.len());
    photographs
}

#[test]
fn every_pixel_equals_opencvs() {
    for (name, frame) in photographs() {
        let grey = Grey::opencv(&frame);
        for (low, high) in [
            (100, 200),
            (50, 150),
            (0, 0),
            (30, 31),
            (200, 100),
            (400, 800),
        ] {
            for (gradient, norm) in [(Gradient::L1, "l1"), (Gradient::L2, "l2")] {
                let file = format!("{name}.{low}-{high}.{norm}.pgm");
                let (_, expected) = samples(&fixture("canny").join(&file));
                let map = canny(&grey, f64::from(low), f64::from(high), gradient);
                let wrong = map
                    .pixels
                    .iter()
                    .zip(&expected)
                    .filter(|(ours, theirs)| ours != theirs)
                    .count();
                assert_eq!(
                    (wrong, map.pixels.len()),
                    (0, expected.len()),
                    "{file}: pixels that differ"
                );
            }
        }
    }
}

#[test]
fn the_older_operator_is_within_one_step() {
    for (name, frame) in photographs() {
        let grey = Grey::pillow(&frame);
        for (kind, low, high) in [("sobel", 0.31, 0.125), ("soft", 0.1, 0.6)] {
            let (_, expected) = samples(&fixture("canny").join(format!("{name}.{kind}.pgm")));
            let map = sobel(&grey, low, high);
            assert_eq!(map.pixels.len(), expected.len());
            // Both round a square root and a division; where a ratio falls on a threshold, a pixel may go either way.
            let far = map
                .pixels
                .iter()
                .zip(&expected)
                .filter(|(ours, theirs)| ours.abs_diff(**theirs) > 1)
                .count();
            assert!(
                far <= 1.max(expected.len() / 1000),
                "{name}.{kind}: {far} of {} pixels differ",
                expected.len()
            );
        }
    }
}
