//! A frame whose picture and parameters both equal the last one's is not computed again.

use limn_tests::house::{House, until};
use limn_tests::painters::diary;
use limn_tests::pictures::{BLUE, RED, plain};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_frames_are_painted_once() {
    const DIARY: &str = "equal frames";
    let house = House::open(&[]);
    let owner = house.begin(json!({"params": {"diary": DIARY}})).await;
    let frames = [
        (RED, json!({}), 1),
        (RED, json!({}), 1),
        (RED, json!({"red": 0}), 1),
        (BLUE, json!({}), 2),
        (BLUE, json!({}), 2),
        (RED, json!({}), 3),
    ];
    for ((colour, patch, painted), done) in frames.into_iter().zip(1..) {
        assert_eq!(owner.patch(patch).await.status, 200);
        owner.send(&plain(colour)).await;
        until("the frame is through", || {
            house.count(&owner.id, "painted") + house.count(&owner.id, "unchanged") == done
        })
        .await;
        assert_eq!(diary(DIARY).len(), painted);
    }
    let changed: Vec<_> = diary(DIARY).iter().map(|entry| entry.changed).collect();
    assert_eq!(
        changed,
        [true, false, false],
        "only the first had new parameters"
    );
    owner.patch(json!({"red": 1})).await;
    until("new parameters paint it again", || diary(DIARY).len() == 4).await;
    assert!(diary(DIARY)[3].changed);
    house.close().await;
}
