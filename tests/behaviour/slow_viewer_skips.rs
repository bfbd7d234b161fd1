//! A viewer that reads slowly sees the newest picture and not the past, and disturbs nobody who reads fast.

use limn_tests::house::{House, until};
use limn_tests::pictures::noise;
use serde_json::json;

const SENT: u32 = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_viewer_skips_to_the_newest() {
    let house = House::open(&["--pipeline", "passthrough"]);
    let owner = house
        .begin(json!({"params": {"width": 256, "height": 256}}))
        .await;
    let mut slow = house.watch(&owner.id).await;
    let mut fast = house.watch(&owner.id).await;
    let pictures: Vec<_> = (0..SENT).map(|number| noise(256, number)).collect();
    owner.send(&pictures[0]).await;
    assert_eq!(slow.next().await.unwrap().bytes, pictures[0]);
    // The slow one reads nothing from here on; the fast one sees each picture before the next is sent.
    for picture in &pictures {
        owner.send(picture).await;
        fast.until(|jpeg| jpeg == picture.as_slice()).await;
    }
    let newest = pictures.last().unwrap();
    let (read, _) = slow.until(|jpeg| jpeg == newest.as_slice()).await;
    assert!(
        read <= 8,
        "the slow viewer was shown {read} pictures of {SENT}"
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_viewer_that_never_reads_does_not_keep_its_session() {
    let house = House::open(&["--pipeline", "passthrough"]);
    let owner = house
        .begin(json!({"params": {"width": 256, "height": 256}}))
        .await;
    let stuck = house.watch(&owner.id).await;
    for number in 0..30 {
        owner.send(&noise(256, number)).await;
        until("it is painted", || {
            house.count(&owner.id, "painted") == u64::from(number) + 1
        })
        .await;
    }
    let session = std::sync::Arc::downgrade(&house.session(&owner.id));
    assert_eq!(owner.ask("DELETE", "", b"").await.status, 204);
    until("the session is freed", || session.strong_count() == 0).await;
    drop(stuck);
    house.close().await;
}
