//! A cross-fade: what was on air goes on moving while it fades.

use std::time::Duration;

use limn_pipeline::Frame;
use tokio::time::Instant;

use crate::cell::Feed;
use crate::ingest::fit::letterbox;
use crate::picture::Shown;

/// What is on its way out.
pub struct Fade {
    /// Gone when its session is.
    feed: Option<Feed<Shown>>,
    /// What it showed last.
    frame: Frame,
    begun: Instant,
    length: Duration,
}

impl Fade {
    /// From `frame`, and what comes of `feed` after it, in `length`.
    pub fn new(frame: Frame, feed: Feed<Shown>, length: Duration) -> Self {
        Self {
            feed: Some(feed),
            frame,
            begun: Instant::now(),
            length,
        }
    }

    /// How much of what comes is seen by now, 0 to 1; `None` once that is all.
    pub fn share(&self) -> Option<f32> {
        let share = self.begun.elapsed().as_secs_f32() / self.length.as_secs_f32();
        (share < 1.0).then_some(share)
    }

    /// What is on its way out, now.
    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    /// Takes what it shows next; for ever if nothing comes.
    pub async fn follow(fade: &mut Option<Self>) {
        let Some(Self {
            feed: feed @ Some(_),
            frame,
            ..
        }) = fade
        else {
            return std::future::pending().await;
        };
        let next = match feed {
            Some(feed) => feed.next().await,
            None => None,
        };
        match next {
            // Its last words are no part of the program.
            Some(shown) if shown.placard.is_none() => *frame = shown.frame,
            Some(_) => {}
            None => *feed = None,
        }
    }
}

/// `share` of `to` over `from`, which is fitted into its size.
pub fn mix(from: &Frame, to: &Frame, share: f32) -> Frame {
    let from = letterbox(from, to.size());
    let share = (share.clamp(0.0, 1.0) * 256.0).round() as u16;
    let mixed: Vec<u8> = from
        .pixels()
        .iter()
        .zip(to.pixels())
        .map(|(from, to)| {
            ((u16::from(*from) * (256 - share) + u16::from(*to) * share + 128) >> 8) as u8
        })
        .collect();
    Frame::rgb8(to.size(), mixed).expect("as many bytes as `to` has")
}

#[cfg(test)]
mod tests {
    use limn_pipeline::Size;

    use super::*;

    #[test]
    fn a_mix_goes_from_one_to_the_other_in_the_size_of_the_second() {
        let (black, white) = (
            Frame::filled(Size::new(4, 4), [0; 3]),
            Frame::filled(Size::new(8, 8), [255; 3]),
        );
        for (share, level) in [(0.0, 0), (0.5, 128), (1.0, 255)] {
            let mixed = mix(&black, &white, share);
            assert_eq!((mixed.size(), mixed.pixels()[0]), (white.size(), level));
        }
    }
}
