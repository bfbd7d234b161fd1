//! A session changes its pipeline while it streams: what fits of its parameters stays, and a pipeline that cannot be had
//! costs nothing but a message.

use limn_tests::house::{House, until};
use limn_tests::mjpeg::Listener;
use limn_tests::painters::loads_of_broken;
use limn_tests::pictures::{BLUE, GREEN, RED, plain, shows};
use serde_json::json;

const BLACK: [u8; 3] = [0, 0, 0];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parameters_that_fit_stay_and_the_stream_goes_on() {
    let house = House::open(&["--pipeline", "passthrough"]);
    let owner = house
        .begin(json!({"params": {"width": 128, "height": 72}}))
        .await;
    let mut events = Listener::open(house.address(), &owner.id, Some(&owner.control)).await;
    let mut viewer = house.watch(&owner.id).await;
    owner.send(&plain(RED)).await;
    viewer.until(|jpeg| shows(jpeg, RED)).await;
    // The picture stands still and is painted anew by the other pipeline: edges of a plain picture are black.
    let answer = owner.switch("canny").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["params"]["width"], 128);
    viewer.until(|jpeg| shows(jpeg, BLACK)).await;
    let session = house.session(&owner.id);
    assert_eq!(session.choice().row.id, "canny");
    assert_eq!(session.params().as_map()["height"], json!(72));
    loop {
        if events.status("ready").await["row"] == "canny" {
            break;
        }
    }
    // To the device and back, and the seat there is given back.
    owner.switch("brush").await;
    owner
        .patch(json!({"red": 20, "green": 20, "blue": 230}))
        .await;
    viewer.until(|jpeg| shows(jpeg, BLUE)).await;
    owner.switch("passthrough").await;
    viewer.until(|jpeg| shows(jpeg, RED)).await;
    until("the seat on the device is free", || {
        house.running.inference.open_sessions() == 0
    })
    .await;
    let refused = owner.switch("nonesuch").await;
    assert_eq!(
        (refused.status, refused.code()),
        (422, "unknown_pipeline".into())
    );
    assert!(refused.message().contains("there are: brush, words, "));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_cannot_be_loaded_is_told_once_and_left_again() {
    let house = House::open(&["--pipeline", "passthrough"]);
    let owner = house.begin(json!({})).await;
    let mut events = Listener::open(house.address(), &owner.id, Some(&owner.control)).await;
    let mut viewer = house.watch(&owner.id).await;
    owner.send(&plain(RED)).await;
    viewer.until(|jpeg| shows(jpeg, RED)).await;
    let loads = loads_of_broken();
    owner.switch("broken").await;
    let refused = events.status("refused").await;
    assert_eq!(
        (&refused["code"], &refused["message"], &refused["hint"]),
        (
            &json!("cannot_load"),
            &json!("cannot load `broken`: its weights are nowhere"),
            &json!("look for them")
        )
    );
    for number in 0..10 {
        let received = house.count(&owner.id, "received");
        owner.send(&plain([number, 0, 0])).await;
        until("the frame came", || {
            house.count(&owner.id, "received") > received
        })
        .await;
    }
    owner.switch("passthrough").await;
    owner.send(&plain(GREEN)).await;
    viewer.until(|jpeg| shows(jpeg, GREEN)).await;
    loop {
        let said = events.next().await.expect("the session goes on");
        assert_ne!(said["status"], "refused", "said once");
        if said["status"] == "ready" && said["row"] == "passthrough" {
            break;
        }
    }
    assert_eq!(
        loads_of_broken(),
        loads + 1,
        "what cannot be loaded is not tried again with every frame"
    );
    owner.switch("broken").await;
    until("whoever asks again is tried again", || {
        loads_of_broken() == loads + 2
    })
    .await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_takes_for_ever_to_load_is_left_again() {
    let house = House::open(&["--pipeline", "passthrough"]);
    let owner = house.begin(json!({})).await;
    let mut events = Listener::open(house.address(), &owner.id, Some(&owner.control)).await;
    let mut viewer = house.watch(&owner.id).await;
    owner.send(&plain(RED)).await;
    viewer.until(|jpeg| shows(jpeg, RED)).await;
    owner.switch("endless").await;
    assert_eq!(events.status("loading").await["row"], "endless");
    owner.switch("passthrough").await;
    owner.send(&plain(GREEN)).await;
    viewer.until(|jpeg| shows(jpeg, GREEN)).await;
    house.close().await;
}
