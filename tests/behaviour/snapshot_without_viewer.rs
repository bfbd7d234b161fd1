//! A snapshot shows the newest picture though nobody watches the stream, and compresses it only then.

use limn_tests::house::{House, until};
use limn_tests::pictures::{BLUE, RED, plain, shows};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_picture_is_made_for_whoever_asks() {
    let house = House::open(&[]);
    let owner = house.begin(json!({"params": {"prompt": "copy"}})).await;
    let path = format!("/api/sessions/{}/snapshot.jpg", owner.id);
    let early = house.ask("GET", &path, &Value::Null).await;
    assert_eq!((early.status, early.code()), (503, "no_picture".into()));
    for (number, colour) in [(1, RED), (2, BLUE), (3, RED)] {
        owner.send(&plain(colour)).await;
        until("it is painted", || {
            house.count(&owner.id, "painted") == number
        })
        .await;
        for _ in 0..2 {
            let answer = house.ask("GET", &path, &Value::Null).await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("content-type"), Some("image/jpeg"));
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            assert!(shows(&answer.body, colour), "picture {number}");
        }
        assert_eq!(
            house.session(&owner.id).stats().encodings(),
            number,
            "two askers, one picture"
        );
    }
    let missing = "/api/sessions/0123456789abcdef/snapshot.jpg";
    let answer = house.ask("GET", missing, &Value::Null).await;
    assert_eq!((answer.status, answer.code()), (404, "no_session".into()));
    house.close().await;
}
