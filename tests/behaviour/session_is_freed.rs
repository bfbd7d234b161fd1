//! All of a session is freed within a second of its end: its place, its tasks, its memory, its seat on the device.

use std::sync::Weak;
use std::time::Instant;

use limn_server::session::Session;
use limn_tests::house::{House, until};
use limn_tests::pictures::{RED, plain};
use serde_json::json;
use tokio::runtime::Handle;

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

/// Waits until nothing is left of `session`, and until as many tasks run as `before`. From the end of the session on, which
/// is when the store lets go of it, this takes less than a second; twice that is allowed for a machine that is busy.
async fn nothing_is_left(house: &House, session: Weak<Session>, before: usize) {
    until("the session ends", || house.running.store.is_empty()).await;
    let end = Instant::now();
    until("its memory is freed", || session.strong_count() == 0).await;
    until("its seat on the device is free", || {
        house.running.inference.open_sessions() == 0
    })
    .await;
    until("its tasks are gone", || tasks() <= before).await;
    let took = end.elapsed();
    assert!(took.as_secs_f64() < 2.0, "freeing took {took:?}");
}

/// The server alone, once its first row is warm, so that the tasks of starting are over.
async fn rested(flags: &[&str]) -> (House, usize) {
    let house = House::open(flags);
    loop {
        if house.ask("GET", "/readyz", &json!(null)).await.status == 200 {
            break;
        }
    }
    until("the first frame is forgotten", || {
        house.running.inference.open_sessions() == 0
    })
    .await;
    // The accept loop, the sweep and the program are there; the task that made the first frame goes.
    until("only the server runs", || tasks() <= 3).await;
    let before = tasks();
    (house, before)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_nothing_comes_any_more() {
    let (house, before) = rested(&["--idle-timeout", "2"]).await;
    let owner = house.begin(json!({})).await;
    let viewer = house.watch(&owner.id).await;
    owner.send(&plain(RED)).await;
    let session = std::sync::Arc::downgrade(&house.session(&owner.id));
    // The viewer stays, and its stream ends.
    viewer.finish().await;
    nothing_is_left(&house, session, before).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_its_time_is_over() {
    let (house, before) = rested(&["--timeout", "3"]).await;
    let mut camera = house.camera("0123456789abcdef").await;
    let session = std::sync::Arc::downgrade(&house.session("0123456789abcdef"));
    camera.frame(&json!({}), &plain(RED)).await;
    camera.status("timeout").await;
    nothing_is_left(&house, session, before).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_its_owner_leaves_in_the_middle_of_a_frame() {
    let (house, before) = rested(&[]).await;
    let owner = house.begin(json!({"params": {"millis": 300}})).await;
    let viewer = house.watch(&owner.id).await;
    for red in 0..3 {
        owner.patch(json!({ "red": red })).await;
        owner.send(&plain(RED)).await;
    }
    until("the device works for it", || {
        house.count(&owner.id, "painted") == 1
    })
    .await;
    let session = std::sync::Arc::downgrade(&house.session(&owner.id));
    assert_eq!(owner.ask("DELETE", "", b"").await.status, 204);
    viewer.finish().await;
    nothing_is_left(&house, session, before).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_server_stops() {
    let house = House::open(&[]);
    let mut camera = house.camera("0123456789abcdef").await;
    let session = std::sync::Arc::downgrade(&house.session("0123456789abcdef"));
    camera.frame(&json!({}), &plain(RED)).await;
    house.running.store.close();
    // "Service restart" (RFC 6455 and its registry) and no word of an end: the page comes back by itself.
    assert_eq!(camera.closed().await, Some(1012));
    let refused = house.ask("POST", "/api/sessions", &json!({})).await;
    assert_eq!((refused.status, refused.code()), (503, "draining".into()));
    nothing_is_left(&house, session, usize::MAX).await;
    house.close().await;
}
