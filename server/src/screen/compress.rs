//! One loop for each rendition that somebody watches: raw cell in, JPEG cell out.

use std::sync::Arc;
use std::time::Instant;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use limn_pipeline::{JpegFrame, Size};

use super::Screen;
use crate::cell::Inlet;
use crate::encode::{as_it_came, encode};
use crate::fanout::placard::Placard;
use crate::picture::{EncodeError, Picture, Rendition, Shown};
use crate::pool::Pool;

/// Compresses for ever, in `quality` where a rendition names none. `encoded` is told of each picture that is no placard,
/// and when its compression began.
pub async fn compress(
    screen: &Screen,
    pool: &Pool,
    quality: u8,
    encoded: impl Fn(&Shown, Instant),
) {
    let loops = Loops {
        screen,
        pool,
        quality,
        encoded,
    };
    tokio::join!(
        loops.fill(Rendition::default(), screen.output(), || false),
        loops.others()
    );
}

struct Loops<'a, E> {
    screen: &'a Screen,
    pool: &'a Pool,
    quality: u8,
    encoded: E,
}

impl<E: Fn(&Shown, Instant)> Loops<'_, E> {
    async fn others(&self) {
        let renditions = self.screen.renditions();
        let mut loops = FuturesUnordered::new();
        loop {
            tokio::select! {
                new = renditions.unfilled() => {
                    for (rendition, inlet) in new {
                        loops.push(async move {
                            self.fill(rendition, &inlet, || renditions.forget(&inlet)).await;
                        });
                    }
                }
                Some(()) = loops.next() => {}
            }
        }
    }

    /// One rendition while somebody reads it, until `over` says so.
    async fn fill(&self, rendition: Rendition, inlet: &Inlet<Picture>, over: impl Fn() -> bool) {
        let mut raw = self.screen.raw().feed();
        let mut done = 0;
        loop {
            let shown: Option<Shown> = tokio::select! {
                shown = raw.next() => shown,
                () = inlet.joined() => self.screen.raw().latest(),
            };
            if over() {
                return;
            }
            let Some(shown) = shown else { continue };
            if inlet.readers() == 0 || shown.serial == done {
                continue;
            }
            done = shown.serial;
            let start = Instant::now();
            match self.jpeg(&shown, rendition).await {
                Some(Ok(jpeg)) => {
                    // First, for whoever sees the picture may look at the count.
                    if shown.placard.is_none() {
                        (self.encoded)(&shown, start);
                    }
                    inlet.set(Picture::new(&shown, jpeg, inlet.latest().as_ref()));
                }
                Some(Err(error)) => tracing::warn!("{error}"),
                None => tracing::error!("encoding a frame of {} panicked", shown.frame.size()),
            }
        }
    }

    async fn jpeg(
        &self,
        shown: &Shown,
        rendition: Rendition,
    ) -> Option<Result<JpegFrame, EncodeError>> {
        // No work for the pool, so no way there and back either.
        if let Some(jpeg) = as_it_came(&shown.frame, rendition) {
            return Some(Ok(jpeg));
        }
        // Nor for what is shown once more.
        if rendition == Rendition::default()
            && let Some(jpeg) = shown.plain.get()
        {
            return Some(jpeg.clone());
        }
        let (shown, quality) = (shown.clone(), self.quality);
        let work = move || {
            if rendition == Rendition::default() {
                // Another screen that shows it waits here for the one compression.
                return shown
                    .plain
                    .get_or_init(|| encode(&shown.frame, rendition, quality))
                    .clone();
            }
            encode(&shown.frame, rendition, quality)
        };
        self.pool.run(work).await
    }
}

/// Shows `placard` as the last thing, when [`compress`] has stopped: to whoever still watches.
pub async fn say_goodbye(screen: &Screen, pool: &Pool, quality: u8, placard: Placard, size: Size) {
    let others: Vec<(Rendition, Arc<Inlet<Picture>>)> = screen.renditions().watched();
    if screen.output().readers() == 0 && others.is_empty() {
        return;
    }
    let renditions: Vec<_> = std::iter::once(Rendition::default())
        .chain(others.iter().map(|(rendition, _)| *rendition))
        .collect();
    let work = move || {
        let frame = placard.render(size);
        let jpegs: Vec<_> = renditions
            .iter()
            .map(|rendition| encode(&frame, *rendition, quality))
            .collect();
        (frame, jpegs)
    };
    let Some((frame, jpegs)) = pool.run(work).await else {
        return;
    };
    screen.show(frame, Some(placard));
    let Some(shown) = screen.raw().latest() else {
        return;
    };
    let inlets = std::iter::once(screen.output()).chain(others.iter().map(|(_, inlet)| &**inlet));
    for (inlet, jpeg) in inlets.zip(jpegs) {
        if let Ok(jpeg) = jpeg {
            inlet.set(Picture::new(&shown, jpeg, inlet.latest().as_ref()));
        }
    }
}
