//! Frames of several sessions that wait at the same moment with equal batch keys share one device call.

use limn_tests::house::{House, until};
use limn_tests::painters::diary;
use limn_tests::pictures::{RED, plain, shows};
use serde_json::json;

/// Occupies the device, lets four sessions wait, and answers the largest batch among their frames.
async fn largest_batch(name: &str, words: [&str; 4]) -> usize {
    let house = House::open(&["--max-sessions", "5"]);
    let first = house.begin(json!({"params": {"millis": 1500}})).await;
    let mut owners = Vec::new();
    for (number, word) in words.into_iter().enumerate() {
        let params = json!({"diary": name, "together": word, "prompt": "copy", "millis": number});
        owners.push(house.begin(json!({ "params": params })).await);
    }
    first.send(&plain(RED)).await;
    until("the device is taken", || {
        house.running.inference.open_sessions() > 0
            || house
                .session(&first.id)
                .stats()
                .report(0)
                .stages
                .contains_key("prepare")
    })
    .await;
    let mut viewers = Vec::new();
    for (owner, shade) in owners.iter().zip(0..) {
        viewers.push((house.watch(&owner.id).await, [shade * 60, 99, 20]));
        owner.send(&plain([shade * 60, 99, 20])).await;
    }
    for (viewer, colour) in &mut viewers {
        viewer.until(|jpeg| shows(jpeg, *colour)).await;
    }
    house.close().await;
    let entries = diary(name);
    assert_eq!(entries.len(), 4);
    entries.iter().map(|entry| entry.batch).max().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_with_equal_keys_share_a_call() {
    assert!(largest_batch("equal keys", ["a"; 4]).await >= 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_with_other_keys_or_none_do_not() {
    assert_eq!(largest_batch("other keys", ["a", "b", "", ""]).await, 1);
}
