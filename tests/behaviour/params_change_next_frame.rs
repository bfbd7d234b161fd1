//! Parameters take effect on the session's next frame, in the order they were set, the last write of each field winning;
//! a picture that stands still is painted anew.

use limn_tests::house::{House, until};
use limn_tests::painters::diary;
use limn_tests::pictures::{BLUE, RED, plain, shows};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_still_picture_is_painted_anew() {
    let house = House::open(&[]);
    let owner = house.begin(json!({})).await;
    let mut viewer = house.watch(&owner.id).await;
    owner.send(&plain(RED)).await;
    viewer.until(|jpeg| shows(jpeg, [0, 0, 0])).await;
    owner
        .patch(json!({"blue": 230, "red": 20, "green": 20}))
        .await;
    viewer.until(|jpeg| shows(jpeg, BLUE)).await;
    owner.patch(json!({"prompt": "copy"})).await;
    viewer.until(|jpeg| shows(jpeg, RED)).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn patches_add_up_in_order_and_the_last_write_of_a_field_wins() {
    const DIARY: &str = "patches add up";
    let house = House::open(&[]);
    // The first frame keeps the device busy, so that the patches meet before the second.
    let owner = house
        .begin(json!({"params": {"diary": DIARY, "millis": 1500}}))
        .await;
    owner.send(&plain(RED)).await;
    until("the first frame is being painted", || {
        house.count(&owner.id, "received") == 1 && house.running.inference.open_sessions() > 0
            || !diary(DIARY).is_empty()
    })
    .await;
    for patch in [
        json!({"red": 1, "green": 1}),
        json!({"red": 2, "blue": 1}),
        json!({"blue": 300, "red": 99}),
        json!({"red": 3, "millis": 0}),
    ] {
        owner.patch(patch).await;
    }
    owner.send(&plain(BLUE)).await;
    until("the second frame is painted with all patches", || {
        diary(DIARY)
            .last()
            .is_some_and(|entry| entry.params.red == 3)
    })
    .await;
    let entries = diary(DIARY);
    let last = &entries.last().unwrap().params;
    assert_eq!((last.red, last.green, last.blue, last.millis), (3, 1, 1, 0));
    let reds: Vec<_> = entries.iter().map(|entry| entry.params.red).collect();
    assert!(reds.is_sorted(), "an older patch came back: {reds:?}");
    assert!(!reds.contains(&99), "part of a refused patch: {reds:?}");
    assert!(entries[0].changed && entries[0].params.red == 0);
    house.close().await;
}
