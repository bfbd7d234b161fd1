//! A server whose pipeline cannot be loaded starts, says so, and serves the others.

use limn_tests::house::House;
use limn_tests::mjpeg::Listener;
use limn_tests::pictures::{RED, plain, shows};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readiness_says_why_and_the_others_are_served() {
    let house = House::open(&["--pipeline", "broken"]);
    let ready = loop {
        let ready = house.ask("GET", "/readyz", &Value::Null).await;
        assert_eq!(ready.status, 503);
        if ready.json()["status"] != "loading" {
            break ready.json();
        }
    };
    assert_eq!(
        ready,
        json!({"status": "failed", "row": "broken", "reason": "cannot load `broken`: its weights are nowhere"})
    );
    let health = house.ask("GET", "/health", &Value::Null).await;
    assert_eq!(health.status, 200, "it lives all the same");
    let owner = house.begin(json!({})).await;
    let mut events = Listener::open(house.address(), &owner.id, Some(&owner.control)).await;
    owner.send(&plain(RED)).await;
    assert_eq!(events.status("refused").await["code"], "cannot_load");
    let other = house.begin(json!({"row": "passthrough"})).await;
    let mut viewer = house.watch(&other.id).await;
    other.send(&plain(RED)).await;
    viewer.until(|jpeg| shows(jpeg, RED)).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_loads_is_ready_after_its_first_frame() {
    let house = House::open(&[]);
    let ready = loop {
        let ready = house.ask("GET", "/readyz", &Value::Null).await;
        if ready.status == 200 {
            break ready.json();
        }
        assert_eq!(ready.json()["status"], "loading");
    };
    assert_eq!(ready["row"], "brush");
    house.close().await;
}
