//! A picture is refused, or becomes a frame of just the size that was asked for.
//!
//! The first three bytes choose what is done to it and the size, the rest is the file. Small limits, so that a picture that
//! takes more than they allow shows as memory or time.

use std::sync::LazyLock;

use bytes::Bytes;
use limn_pipeline::Size;
use limn_server::Config;
use limn_server::ingest::{Content, Fit, IngestConfig, Rotate, decode, jpeg, take};

static DEFAULTS: LazyLock<IngestConfig> = LazyLock::new(|| Config::defaults().ingest);

const TURNS: [Rotate; 4] = [
    Rotate::None,
    Rotate::Quarter,
    Rotate::Half,
    Rotate::ThreeQuarters,
];

/// # Panics
/// If a frame has another size, or its JPEG shows another picture or may not leave.
pub fn read(input: &[u8]) {
    let [how, width, height, file @ ..] = input else {
        return;
    };
    let config = IngestConfig {
        rotate: TURNS[usize::from(how & 3)],
        mirror: how & 4 != 0,
        fit: if how & 8 != 0 {
            Fit::Crop
        } else {
            Fit::Letterbox
        },
        max_frame_bytes: 64 << 10,
        max_pixels: 128 * 128,
        ..DEFAULTS.clone()
    };
    let side = |byte: &u8| u32::from(*byte % 32) + 1;
    let size = Size::new(side(width), side(height));
    let content = Content::File(Bytes::copy_from_slice(file));
    for reads in [true, false] {
        if let Ok(frame) = take(&content, size, reads, &config) {
            assert_eq!(frame.size(), size);
            assert_eq!(frame.pixels().len(), size.area() * 3);
            if let Some(jpeg) = &frame.jpeg {
                // What was taken out was no part of the picture.
                let kept = decode::pixels(jpeg);
                assert!(frame.fault().is_some() || kept.as_deref() == Ok(frame.pixels()));
                assert_eq!(jpeg::kept(jpeg).as_ref(), Some(jpeg));
            }
        }
    }
}
