//! What comes over a socket is kept until it is whole, and so is short, in time, and within the memory for pictures.

use std::time::{Duration, Instant};

use limn_tests::camera::Camera;
use limn_tests::house::{House, Owner};
use limn_tests::pictures::plain;
use serde_json::json;

async fn open(house: &House, owner: &Owner) -> Result<Camera, u16> {
    let path = format!("/api/sessions/{}/frames", owner.id);
    let cookie = format!("limn_control={}", owner.control);
    Camera::open(house.address(), &path, Some(&cookie)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_not_whole_in_time_ends_its_socket() {
    let house = House::open(&["--body-timeout", "1"]);
    let owner = house.begin(json!({})).await;
    for length in [100, 1 << 20] {
        let mut socket = open(&house, &owner).await.unwrap();
        // One that is silent has begun nothing.
        tokio::time::sleep(Duration::from_millis(1500)).await;
        let start = Instant::now();
        socket.announce(length).await;
        assert_eq!(socket.status("refused").await["code"], "too_slow");
        assert_eq!(socket.closed().await, Some(1008));
        assert!(start.elapsed() > Duration::from_millis(900), "{length}");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_under_way_share_the_memory_of_pictures() {
    let flags = [
        "--max-frame-bytes",
        "131072",
        "--max-upload-bytes",
        "131072",
    ];
    let house = House::open(&[&flags[..], &["--body-timeout", "3"]].concat());
    let owner = house.begin(json!({})).await;
    let mut socket = open(&house, &owner).await.unwrap();
    socket.announce(131_072).await;
    let picture = plain([1, 2, 3]);
    let post = async || owner.ask("POST", "/frame", &picture).await;
    let start = Instant::now();
    let refused = loop {
        let answer = post().await;
        if answer.status == 503 {
            break answer;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "{answer:?}");
    };
    assert_eq!(refused.code(), "too_many_uploads");
    // What is short is no matter.
    let another = house.begin(json!({})).await;
    let mut other = open(&house, &another).await.unwrap();
    other.binary(b"no picture at all".to_vec()).await;
    assert_eq!(other.status("refused").await["code"], "bad_picture");
    assert_eq!(socket.closed().await, Some(1008));
    assert_eq!(post().await.status, 202);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_many_sockets_bring_pictures_into_a_session() {
    let house = House::open(&[]);
    let owner = house.begin(json!({})).await;
    let mut sockets = Vec::new();
    for _ in 0..4 {
        sockets.push(open(&house, &owner).await.unwrap());
    }
    assert_eq!(open(&house, &owner).await.err(), Some(429));
    let other = house.begin(json!({})).await;
    assert!(open(&house, &other).await.is_ok());
    sockets.pop().unwrap().leave().await;
    let start = Instant::now();
    while open(&house, &owner).await.is_err() {
        assert!(start.elapsed() < Duration::from_secs(10));
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_is_short_on_every_socket() {
    let house = House::open(&[]);
    let owner = house.begin(json!({})).await;
    let key = "4f3c2b1a-0000-4000-8000-000000000000";
    let long = format!("{{\"prompt\": \"{}\"}}", "p".repeat(64 << 10));
    for mut socket in [house.camera(key).await, open(&house, &owner).await.unwrap()] {
        socket.text(&long).await;
        assert_eq!(socket.status("refused").await["code"], "message_too_large");
        assert_eq!(socket.closed().await, Some(1009));
    }
    house.close().await;
}
