//! A session's events: its owner hears all of them, a viewer nothing that tells of prompts or faults.

use limn_tests::house::{House, until};
use limn_tests::mjpeg::Listener;
use limn_tests::pictures::{RED, plain};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owner_hears_more_than_a_viewer() {
    let house = House::open(&[]);
    let owner = house.begin(json!({"params": {"prompt": "a secret"}})).await;
    let mut mine = Listener::open(house.address(), &owner.id, Some(&owner.control)).await;
    let mut theirs = Listener::open(house.address(), &owner.id, None).await;
    for listener in [&mine, &theirs] {
        assert_eq!(listener.answer.status, 200);
        assert_eq!(
            listener.answer.header("content-type"),
            Some("text/event-stream")
        );
        assert_eq!(listener.answer.header("cache-control"), Some("no-store"));
    }
    owner.send(&plain(RED)).await;
    let ready = mine.status("ready").await;
    assert_eq!(ready["params"]["prompt"], "a secret");
    owner.send(b"no picture").await;
    assert_eq!(mine.status("refused").await["code"], "bad_picture");
    let stats = mine.status("stats").await;
    assert_eq!(
        (&stats["row"], &stats["device"]),
        (&json!("brush"), &json!("easel"))
    );

    until("it is over", || house.count(&owner.id, "refused") == 1).await;
    assert_eq!(owner.ask("DELETE", "", b"").await.status, 204);
    let mut heard = Vec::new();
    while let Some(event) = theirs.next().await {
        assert!(!event.to_string().contains("secret"), "{event}");
        heard.push(event["status"].as_str().unwrap().to_owned());
    }
    assert!(heard.contains(&"ready".to_owned()), "{heard:?}");
    assert!(!heard.contains(&"refused".to_owned()), "{heard:?}");
    house.close().await;
}
