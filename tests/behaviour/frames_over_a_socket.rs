//! Programs without a browser send pictures over a socket and get painted ones back.

use limn_tests::camera::Camera;
use limn_tests::house::House;
use limn_tests::pictures::noise;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_go_in_and_painted_ones_come_out() {
    let house = House::open(&["--pipeline", "passthrough"]);
    let owner = house
        .begin(json!({"params": {"width": 64, "height": 64}}))
        .await;
    let path = format!("/api/sessions/{}/frames", owner.id);
    assert_eq!(
        Camera::open(house.address(), &path, None).await.err(),
        Some(403)
    );

    let cookie = format!("limn_control={}", owner.control);
    let mut socket = Camera::open(house.address(), &path, Some(&cookie))
        .await
        .unwrap();
    for number in 0..3 {
        socket.binary(noise(64, number)).await;
        while socket.picture().await != noise(64, number) {}
    }
    socket.text("a picture, but in words").await;
    assert_eq!(socket.status("refused").await["code"], "bad_message");
    socket.binary(b"no picture at all".to_vec()).await;
    assert_eq!(socket.status("refused").await["code"], "bad_picture");
    socket.binary(noise(64, 9)).await;
    while socket.picture().await != noise(64, 9) {}

    assert_eq!(owner.ask("DELETE", "", b"").await.status, 204);
    assert_eq!(socket.closed().await, Some(1000));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_late_gets_what_is_new() {
    let house = House::open(&["--pipeline", "passthrough"]);
    let owner = house
        .begin(json!({"params": {"width": 64, "height": 64}}))
        .await;
    let path = format!("/api/sessions/{}/frames", owner.id);
    let cookie = format!("limn_control={}", owner.control);
    let mut socket = Camera::open(house.address(), &path, Some(&cookie))
        .await
        .unwrap();
    for number in 0..3 {
        owner.send(&noise(64, number)).await;
        while socket.picture().await != noise(64, number) {}
    }
    // It looks away for two seconds.
    for number in 3..103 {
        owner.send(&noise(64, number)).await;
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let mut read = 1;
    while socket.picture().await != noise(64, 102) {
        read += 1;
    }
    assert!(read < 20, "{read} pictures stood in line");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_may_be_back_in_a_moment() {
    let house = House::open(&["--pipeline", "passthrough"]);
    let owner = house.begin(json!({})).await;
    let path = format!("/api/sessions/{}/frames", owner.id);
    let cookie = format!("limn_control={}", owner.control);
    let mut socket = Camera::open(house.address(), &path, Some(&cookie))
        .await
        .unwrap();
    house.running.store.close();
    assert_eq!(socket.closed().await, Some(1012));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_a_message_that_is_longer_than_a_picture_may_be() {
    let house = House::open(&["--pipeline", "passthrough", "--max-frame-bytes", "100000"]);
    let owner = house.begin(json!({})).await;
    let path = format!("/api/sessions/{}/frames", owner.id);
    let cookie = format!("limn_control={}", owner.control);
    for length in [100_001, 1 << 30, 1 << 62] {
        let mut socket = Camera::open(house.address(), &path, Some(&cookie))
            .await
            .unwrap();
        socket.announce(length).await;
        // Were it waited for, it would be kept, too, as far as it came.
        assert_eq!(socket.closed().await, Some(1009), "{length}");
    }
    house.close().await;
}
