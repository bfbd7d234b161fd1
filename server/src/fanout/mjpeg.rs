//! A viewer's body: the newest picture whenever the connection has room for one.

use std::collections::VecDeque;
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::unfold;
use limn_pipeline::JpegFrame;
use tokio::time::Instant;

use super::wire::Wire;
use crate::cell::Feed;

/// The type of the whole stream.
pub const CONTENT_TYPE: &str = "multipart/x-mixed-replace; boundary=frame";

/// Nothing new for so long, and the last picture is sent once more: a reader that waits for the next part shows it
/// then, and a viewer that has gone is noticed.
const REPEAT: Duration = Duration::from_secs(1);

/// Bounds for "about two intervals", after which a burst counts as over.
const SHORTEST_PAUSE: Duration = Duration::from_millis(40);

struct Viewer {
    feed: Feed<JpegFrame>,
    wire: Wire,
    pieces: VecDeque<Bytes>,
    last: Option<JpegFrame>,
    /// Running mean of the time between pictures.
    interval: Duration,
    arrived: Instant,
    sent: Instant,
    repeated: bool,
}

/// The body for one viewer. Pictures with a lower number than `newest` are from before it came, and passed over. `ended` resolves when the session does; so does the body then.
pub fn body(
    feed: Feed<JpegFrame>,
    newest: u64,
    wire: Wire,
    ended: impl Future<Output = ()>,
) -> impl Stream<Item = Result<Bytes, actix_web::Error>> {
    let viewer = Viewer {
        feed,
        wire,
        pieces: VecDeque::from([wire.preamble()]),
        last: None,
        interval: REPEAT / 2,
        arrived: Instant::now(),
        sent: Instant::now(),
        repeated: false,
    };
    unfold(
        (viewer, Box::pin(ended)),
        move |(mut viewer, mut ended)| async move {
            loop {
                if let Some(piece) = viewer.pieces.pop_front() {
                    return Some((Ok(piece), (viewer, ended)));
                }
                let pause = viewer.pause();
                tokio::select! {
                    biased;
                    () = &mut ended => return None,
                    picture = viewer.feed.next() => {
                        let picture = picture?;
                        if picture.sequence >= newest {
                            viewer.show(picture);
                        }
                    }
                    () = pause_is_over(pause) => viewer.repeat(),
                }
            }
        },
    )
}

impl Viewer {
    fn show(&mut self, picture: JpegFrame) {
        let now = Instant::now();
        self.interval = (self.interval * 7 + (now - self.arrived).min(REPEAT)) / 8;
        (self.arrived, self.repeated) = (now, false);
        self.last = Some(picture);
        self.send();
    }

    /// When the last picture is due again: after about two intervals, then once a second; never while there is none.
    fn pause(&self) -> Option<Instant> {
        self.last.as_ref()?;
        let pause = if self.repeated {
            REPEAT
        } else {
            (self.interval * 2).clamp(SHORTEST_PAUSE, REPEAT)
        };
        Some(self.sent + pause)
    }

    fn repeat(&mut self) {
        self.repeated = true;
        self.send();
    }

    fn send(&mut self) {
        self.sent = Instant::now();
        if let Some(picture) = &self.last {
            self.pieces.extend(self.wire.part(picture));
        }
    }
}

async fn pause_is_over(end: Option<Instant>) {
    match end {
        Some(end) => tokio::time::sleep_until(end).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Inlet;
    use futures_util::StreamExt;
    use limn_pipeline::{Size, Timestamp};

    fn picture(sequence: u64) -> JpegFrame {
        JpegFrame {
            size: Size::new(1, 1),
            bytes: format!("jpeg {sequence}").into(),
            sequence,
            captured: Timestamp::now(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_picture_comes_again_after_a_pause_and_then_each_second() {
        let inlet = Inlet::default();
        let mut body = Box::pin(body(inlet.feed(), 0, Wire::Browser, std::future::pending()));
        inlet.set(picture(1));
        let start = Instant::now();
        let mut shown = Vec::new();
        while shown.len() < 4 {
            let piece = body.next().await.unwrap().unwrap();
            if piece.starts_with(b"jpeg") {
                shown.push(start.elapsed().as_millis());
            }
        }
        assert_eq!(shown[0], 0);
        assert!((40..=1000).contains(&shown[1]), "{shown:?}");
        assert_eq!(
            (shown[2] - shown[1], shown[3] - shown[2]),
            (1000, 1000),
            "{shown:?}"
        );
    }

    #[tokio::test]
    async fn it_ends_with_the_session() {
        let inlet = Inlet::<JpegFrame>::default();
        let mut body = Box::pin(body(inlet.feed(), 0, Wire::Length, async {}));
        assert!(body.next().await.is_some());
        assert!(body.next().await.is_none());
    }

    #[tokio::test]
    async fn a_slow_viewer_gets_the_newest() {
        let inlet = Inlet::default();
        let mut body = Box::pin(body(inlet.feed(), 0, Wire::Browser, std::future::pending()));
        body.next().await;
        (1..=9).for_each(|sequence| inlet.set(picture(sequence)));
        assert_eq!(
            body.next().await.unwrap().unwrap(),
            Bytes::from_static(b"jpeg 9")
        );
    }
}
