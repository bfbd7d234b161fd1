//! Nothing is compressed while nobody watches; whoever comes then sees the newest picture and none from before.

use limn_tests::house::{House, until};
use limn_tests::pictures::{BLUE, GREEN, RED, plain, shows};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_is_watched_is_compressed() {
    let house = House::open(&[]);
    let owner = house.begin(json!({"params": {"prompt": "copy"}})).await;
    let id = owner.id.as_str();
    let encodings = || house.session(id).stats().encodings();
    for (number, colour) in [RED, BLUE, RED, BLUE].into_iter().enumerate() {
        owner.send(&plain(colour)).await;
        until("it is painted", || {
            house.count(id, "painted") == number as u64 + 1
        })
        .await;
    }
    assert_eq!(encodings(), 0);

    let mut viewer = house.watch(id).await;
    let first = viewer.next().await.unwrap();
    assert!(shows(&first.bytes, BLUE), "the newest, at once");
    assert_eq!(encodings(), 1);

    drop(viewer);
    until("the viewer is gone", || house.session(id).viewers() == 0).await;
    owner.send(&plain(GREEN)).await;
    until("it is painted", || house.count(id, "painted") == 5).await;
    assert_eq!(encodings(), 1);
    let first = house.watch(id).await.next().await.unwrap();
    assert!(
        shows(&first.bytes, GREEN),
        "what somebody else was shown before comes first"
    );
    house.close().await;
}
