//! A stream never stands still without a word: where there is no picture, a placard says why, and pictures take its place.

use limn_tests::camera::Camera;
use limn_tests::house::{House, Owner, until};
use limn_tests::http::find;
use limn_tests::mjpeg::{Part, Viewer};
use limn_tests::pictures::{BLUE, RED, plain, shows};
use serde_json::json;

fn name(part: &Part) -> Option<&str> {
    find(&part.headers, "x-limn-placard")
}

/// Reads on to the placard `wanted`; answers it with how many pictures came before.
async fn placard(viewer: &mut Viewer, wanted: &str) -> (Part, usize) {
    let mut pictures = 0;
    loop {
        let part = viewer.part().await.expect("the stream goes on");
        match name(&part) {
            Some(found) if found == wanted => return (part, pictures),
            Some(_) => {}
            None => pictures += 1,
        }
    }
}

async fn socket(house: &House, owner: &Owner) -> Camera {
    let path = format!("/api/sessions/{}/frames", owner.id);
    let cookie = format!("limn_control={}", owner.control);
    Camera::open(house.address(), &path, Some(&cookie))
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_then_pictures_then_lost_then_pictures_again() {
    let house = House::open(&["--pipeline", "passthrough"]);
    let owner = house
        .begin(json!({"params": {"width": 320, "height": 192}}))
        .await;
    let mut viewer = house.watch(&owner.id).await;
    let (waiting, before) = placard(&mut viewer, "waiting").await;
    let size = image::load_from_memory(&waiting.bytes).unwrap();
    assert_eq!(
        (size.width(), size.height(), before),
        (320, 192, 0),
        "in the session's size"
    );
    let mut camera = socket(&house, &owner).await;
    camera.binary(plain(RED)).await;
    viewer.until(|jpeg| shows(jpeg, RED)).await;
    drop(camera);
    placard(&mut viewer, "lost").await;
    // A snapshot is of a picture, and there is none.
    let path = format!("/api/sessions/{}/snapshot.jpg", owner.id);
    assert_eq!(house.ask("GET", &path, &json!(null)).await.status, 503);
    let mut camera = socket(&house, &owner).await;
    camera.binary(plain(RED)).await;
    // The very picture that was there before: it is not painted again, and shown all the same.
    viewer.until(|jpeg| shows(jpeg, RED)).await;
    camera.binary(plain(BLUE)).await;
    viewer.until(|jpeg| shows(jpeg, BLUE)).await;
    // None of the placards was counted as a picture.
    assert_eq!(house.count(&owner.id, "painted"), 2);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_posted_picture_stays() {
    let house = House::open(&["--pipeline", "passthrough"]);
    let owner = house.begin(json!({})).await;
    owner.send(&plain(RED)).await;
    until("it is painted", || house.count(&owner.id, "painted") == 1).await;
    let mut viewer = house.watch(&owner.id).await;
    for _ in 0..3 {
        assert_eq!(name(&viewer.part().await.unwrap()), None);
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loading_and_the_old_picture_when_another_row_is_chosen_after_all() {
    let house = House::open(&["--pipeline", "passthrough"]);
    let owner = house.begin(json!({})).await;
    owner.send(&plain(RED)).await;
    let mut viewer = house.watch(&owner.id).await;
    viewer.until(|jpeg| shows(jpeg, RED)).await;
    owner.switch("endless").await;
    placard(&mut viewer, "loading").await;
    owner.switch("passthrough").await;
    viewer.until(|jpeg| shows(jpeg, RED)).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_word_is_that_it_is_over() {
    let house = House::open(&["--pipeline", "passthrough"]);
    // However rarely a viewer wants pictures, and however few bytes.
    let queries = ["", "?width=32", "?fps=0.2", "?kbps=50"];
    for (wanted, draining) in [("ended", false), ("draining", true)] {
        let owner = house.begin(json!({})).await;
        owner.send(&plain(RED)).await;
        let mut viewers = Vec::new();
        for query in queries {
            let path = format!("/api/sessions/{}/stream.mjpeg{query}", owner.id);
            let mut viewer = Viewer::open(house.address(), &path, &[]).await.unwrap();
            viewer.until(|jpeg| shows(jpeg, RED)).await;
            viewers.push(viewer);
        }
        if draining {
            house.running.store.close();
        } else {
            owner.ask("DELETE", "", b"").await;
        }
        for viewer in &mut viewers {
            placard(viewer, wanted).await;
            assert!(viewer.part().await.is_none(), "nothing comes after it");
        }
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_programs_last_word_is_that_the_server_stops() {
    let house = House::open(&["--pipeline", "passthrough"]);
    let path = "/stream.mjpeg?fps=0.2";
    let mut viewer = Viewer::open(house.address(), path, &[]).await.unwrap();
    placard(&mut viewer, "off-air").await;
    let words = async {
        placard(&mut viewer, "draining").await;
        assert!(viewer.part().await.is_none(), "nothing comes after it");
    };
    tokio::join!(house.close(), words);
}
