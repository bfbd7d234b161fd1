//! A panic in one session's frame stays with that session, which goes on afterwards; nobody else notices.

use limn_tests::house::House;
use limn_tests::mjpeg::Listener;
use limn_tests::painters::diary;
use limn_tests::pictures::{BLUE, GREEN, RED, plain, shows};
use serde_json::json;

async fn culprit_and_neighbour(together: &str, name: &str) {
    let house = House::open(&[]);
    let params = json!({"params": {"prompt": "copy", "together": together, "millis": 20}});
    let neighbour = house.begin(params.clone()).await;
    let culprit = house.begin(params).await;
    culprit.patch(json!({ "diary": name })).await;
    let mut theirs = Listener::open(house.address(), &culprit.id, Some(&culprit.control)).await;
    let mut stream = house.watch(&neighbour.id).await;
    let mut mine = house.watch(&culprit.id).await;
    for round in 0..6_u8 {
        let prompt = ["panic", "copy", "fail"][usize::from(round % 3)];
        culprit.patch(json!({ "prompt": prompt })).await;
        let colour = if round % 2 == 0 { RED } else { BLUE };
        // Both at once, so that they share a device call where they may.
        let (green, other) = (plain(GREEN.map(|channel| channel + round)), plain(colour));
        tokio::join!(culprit.send(&green), neighbour.send(&other));
        stream.until(|jpeg| shows(jpeg, colour)).await;
        if prompt == "copy" {
            mine.until(|jpeg| shows(jpeg, GREEN)).await;
        } else {
            let refused = theirs.status("refused").await;
            assert_eq!(refused["code"], "pipeline_failed");
            let said = refused["message"].as_str().unwrap();
            assert!(said.contains("the prompt says so"), "{said}");
        }
    }
    assert_eq!(house.count(&neighbour.id, "refused"), 0);
    assert_eq!(house.count(&neighbour.id, "painted"), 6);
    // Whoever panicked is opened anew: nothing is remembered from before.
    let entries = diary(name);
    let after = entries
        .iter()
        .position(|entry| entry.params.prompt == "copy" && entry.before == 0);
    assert!(after.is_some(), "{entries:?}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alone() {
    culprit_and_neighbour("", "panics alone").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_shared_call() {
    culprit_and_neighbour("both", "panics together").await;
}
