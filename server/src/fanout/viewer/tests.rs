use tokio::sync::oneshot;

use super::*;
use crate::cell::Inlet;
use crate::fanout::audience::Audience;
use crate::fanout::tests::picture;

const PLAIN: View = View {
    wire: Wire::Length,
    times: false,
    rendition: Rendition {
        width: None,
        quality: None,
    },
    fps: None,
    kbps: None,
    drop_same: false,
};

fn viewer(view: View, inlet: &Inlet<Picture>) -> Viewer {
    viewer_until(view, inlet, std::future::pending())
}

/// A viewer of a session that ends when the other half is dropped.
fn until_ended(inlet: &Inlet<Picture>) -> (Viewer, oneshot::Sender<()>) {
    let (end, ended) = oneshot::channel();
    let ended = async { drop(ended.await) };
    (viewer_until(PLAIN, inlet, ended), end)
}

fn viewer_until(
    view: View,
    inlet: &Inlet<Picture>,
    ended: impl Future<Output = ()> + Send + 'static,
) -> Viewer {
    let seat = Audience::default().sit(None, view.wire);
    let supply = Box::new(|_| None);
    Viewer::new(view, supply, inlet.feed(), 0, seat, ended, 85)
}

async fn shown(viewer: &mut Viewer) -> String {
    let part = viewer.next().await.unwrap();
    let text = String::from_utf8_lossy(&part).into_owned();
    text.split("\r\n\r\n")
        .nth(1)
        .unwrap()
        .split("\r\n")
        .next()
        .unwrap()
        .to_owned()
}

#[tokio::test(start_paused = true)]
async fn the_last_picture_comes_again_after_a_pause_and_then_each_second() {
    let inlet = Inlet::default();
    let mut viewer = viewer(PLAIN, &inlet);
    inlet.set(picture(1, "one"));
    let start = Instant::now();
    let mut times = Vec::new();
    for _ in 0..4 {
        assert_eq!(shown(&mut viewer).await, "one");
        times.push(start.elapsed().as_millis());
    }
    assert_eq!(times[0], 0);
    assert!((40..=1000).contains(&times[1]), "{times:?}");
    assert_eq!(
        (times[2] - times[1], times[3] - times[2]),
        (1000, 1000),
        "{times:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_burst_is_seen_after_two_of_its_intervals() {
    let inlet = Inlet::default();
    let mut viewer = viewer(PLAIN, &inlet);
    for serial in 1..=5 {
        inlet.set(picture(serial, serial.to_string()));
        shown(&mut viewer).await;
        tokio::time::sleep(Duration::from_millis(33)).await;
    }
    let start = Instant::now();
    assert_eq!(shown(&mut viewer).await, "5");
    assert!(
        start.elapsed() <= Duration::from_millis(40),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_slow_viewer_gets_the_newest_and_its_skips_are_counted() {
    let inlet = Inlet::default();
    let mut viewer = viewer(PLAIN, &inlet);
    inlet.set(picture(1, "1"));
    shown(&mut viewer).await;
    (2..=9).for_each(|serial| inlet.set(picture(serial, serial.to_string())));
    assert_eq!(shown(&mut viewer).await, "9");
    assert_eq!(viewer.seat.skips(), 7);
}

#[tokio::test(start_paused = true)]
async fn what_came_while_a_part_was_on_its_way_goes_before_what_would_be_sent_again() {
    for fps in [None, Some(5.0)] {
        let inlet = Inlet::default();
        let mut viewer = viewer(View { fps, ..PLAIN }, &inlet);
        for serial in 1..=5 {
            inlet.set(picture(serial, serial.to_string()));
            assert_eq!(shown(&mut viewer).await, serial.to_string(), "{fps:?}");
            // So long its reader takes.
            tokio::time::sleep(Duration::from_millis(1200)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_is_seen_by_whoever_takes_long_for_a_part() {
    let inlet = Inlet::default();
    let (mut viewer, end) = until_ended(&inlet);
    inlet.set(picture(1, "1"));
    assert_eq!(shown(&mut viewer).await, "1");
    tokio::time::sleep(Duration::from_millis(1200)).await;
    drop((end, inlet));
    assert_eq!(viewer.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_always_has_something_newer_starves_nobody() {
    let inlet = Inlet::default();
    let seat = Audience::default().sit(None, Wire::Length);
    let (feed, mut serial) = (inlet.feed(), 0);
    // It is asked each time before the feed is.
    let ended = std::future::poll_fn(move |_| {
        serial += 1;
        assert!(serial < 100, "starved");
        inlet.set(picture(serial, serial.to_string()));
        std::task::Poll::Pending
    });
    let mut viewer = Viewer::new(PLAIN, Box::new(|_| None), feed, 0, seat, ended, 85);
    for _ in 0..3 {
        tokio::task::unconstrained(shown(&mut viewer)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_fixed_rate_is_kept_whether_pictures_come_faster_or_not_at_all() {
    let inlet = Inlet::default();
    let mut viewer = viewer(
        View {
            fps: Some(10.0),
            ..PLAIN
        },
        &inlet,
    );
    let start = Instant::now();
    let camera = async {
        for serial in 1..=25 {
            inlet.set(picture(serial, serial.to_string()));
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
        std::future::pending::<()>().await;
    };
    let reader = async {
        let mut seen = Vec::new();
        for _ in 0..20 {
            let name: u64 = shown(&mut viewer).await.parse().unwrap();
            seen.push((start.elapsed().as_millis() as u64, name));
        }
        seen
    };
    let seen = tokio::select! { () = camera => unreachable!(), seen = reader => seen };
    for (index, (at, name)) in seen.iter().enumerate() {
        assert!(at.abs_diff(index as u64 * 100) <= 1, "{seen:?}");
        assert!(
            *name == 25 || at.abs_diff(name * 40) <= 80,
            "the newest of its time: {seen:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_bytes_are_not_sent_again_and_the_last_stays_visible() {
    let inlet: Inlet<Picture> = Inlet::default();
    let mut viewer = viewer(
        View {
            drop_same: true,
            ..PLAIN
        },
        &inlet,
    );
    let start = Instant::now();
    let camera = async {
        for serial in 1..=30 {
            inlet.set(picture(serial, "still"));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        std::future::pending::<()>().await;
    };
    let reader = async {
        let mut count = 0;
        while start.elapsed() < Duration::from_millis(2900) {
            shown(&mut viewer).await;
            count += 1;
        }
        count
    };
    let count = tokio::select! { () = camera => unreachable!(), count = reader => count };
    assert!((3..=5).contains(&count), "{count} parts in three seconds");
}

#[tokio::test(start_paused = true)]
async fn it_ends_with_the_session_with_a_word_or_without() {
    for words in [true, false] {
        let inlet: Inlet<Picture> = Inlet::default();
        let seat = Audience::default().sit(None, Wire::Length);
        let mut viewer = Viewer::new(
            PLAIN,
            Box::new(|_| None),
            inlet.feed(),
            0,
            seat,
            async {},
            85,
        );
        if words {
            inlet.set(placard(1));
            assert_eq!(shown(&mut viewer).await, "over");
        }
        assert_eq!(viewer.next().await, None);
    }
}

fn placard(serial: u64) -> Picture {
    let mut last = picture(serial, "over");
    last.placard = Some(Placard::Ended.name());
    last
}

#[tokio::test(start_paused = true)]
async fn the_last_word_waits_neither_for_pace_nor_for_budget() {
    let paced = View {
        fps: Some(0.5),
        ..PLAIN
    };
    let frugal = View {
        kbps: Some(50),
        ..PLAIN
    };
    for view in [paced, frugal] {
        let inlet = Inlet::default();
        let mut viewer = viewer(view, &inlet);
        inlet.set(picture(1, "1".repeat(100_000)));
        shown(&mut viewer).await;
        inlet.set(placard(2));
        drop(inlet);
        let start = Instant::now();
        assert_eq!(shown(&mut viewer).await, "over");
        assert_eq!(viewer.next().await, None);
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_held_goes_out_when_the_feed_is_gone() {
    let inlet = Inlet::default();
    let fps = Some(0.5);
    let mut viewer = viewer(View { fps, ..PLAIN }, &inlet);
    inlet.set(picture(1, "1"));
    assert_eq!(shown(&mut viewer).await, "1");
    inlet.set(picture(2, "2"));
    drop(inlet);
    assert_eq!(shown(&mut viewer).await, "2");
    assert_eq!(viewer.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_last_word_that_takes_its_time_is_waited_for_and_nothing_comes_before_it() {
    let inlet = Inlet::default();
    let (mut viewer, end) = until_ended(&inlet);
    inlet.set(picture(1, "1"));
    assert_eq!(shown(&mut viewer).await, "1");
    drop(end);
    let goodbye = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        inlet.set(placard(2));
    };
    let (word, ()) = tokio::join!(shown(&mut viewer), goodbye);
    assert_eq!(word, "over");
    assert_eq!(viewer.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn whoever_may_look_no_longer_is_shown_nothing_more() {
    let inlet = Inlet::default();
    let (mut viewer, end) = until_ended(&inlet);
    inlet.set(picture(1, "1"));
    assert_eq!(shown(&mut viewer).await, "1");
    drop(end);
    // The session goes on.
    inlet.set(picture(2, "2"));
    assert_eq!(viewer.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_last_word_when_the_feed_is_gone() {
    let inlet: Inlet<Picture> = Inlet::default();
    let seat = Audience::default().sit(None, Wire::Length);
    let (feed, supply) = (inlet.feed(), Box::new(|_| None));
    let mut viewer = Viewer::new(PLAIN, supply, feed, 0, seat, async {}, 85);
    let start = Instant::now();
    let going = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        drop(inlet);
    };
    let (end, ()) = tokio::join!(viewer.next(), going);
    assert_eq!(end, None);
    assert!(
        start.elapsed() < Duration::from_millis(30),
        "{:?}",
        start.elapsed()
    );
}
