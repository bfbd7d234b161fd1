//! A JPEG that nothing changed leaves as the same bytes; one that something changed does not. What is no picture in it stays.

use limn_tests::house::{House, Owner};
use limn_tests::http::position;
use limn_tests::pictures::{noise, plain};
use serde_json::json;

async fn begin(house: &House) -> Owner {
    house
        .begin(json!({"params": {"width": 64, "height": 64}}))
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_bytes_leave() {
    let house = House::open(&["--pipeline", "passthrough"]);
    let owner = begin(&house).await;
    let mut viewer = house.watch(&owner.id).await;
    for number in 0..5 {
        let picture = noise(64, number);
        owner.send(&picture).await;
        viewer.until(|jpeg| jpeg == picture.as_slice()).await;
    }
    let path = format!("/api/sessions/{}/snapshot.jpg", owner.id);
    let snapshot = house.ask("GET", &path, &json!(null)).await;
    assert_eq!(snapshot.body, noise(64, 4));
    // Another size must be painted, so it is another file.
    let picture = noise(72, 9);
    owner.send(&picture).await;
    let (_, part) = viewer.until(|jpeg| jpeg != noise(64, 4).as_slice()).await;
    assert_ne!(part.bytes, picture);
    house.close().await;
}

/// A picture with a segment that hides a part of a multipart stream.
fn smuggling(marker: u8) -> Vec<u8> {
    let (picture, part) = (
        noise(64, 5),
        b"\r\n--frame\r\nContent-Type: text/html\r\n\r\n<h1>",
    );
    let head = [0xff, marker, 0, part.len() as u8 + 2];
    [&picture[..2], &head, part, &picture[2..]].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_picture_brings_parts_of_a_stream() {
    let house = House::open(&["--pipeline", "passthrough"]);
    let owner = begin(&house).await;
    let mut viewer = house.watch(&owner.id).await;
    // A comment and Exif are taken out; what the picture needs is compressed anew.
    for (marker, same) in [(0xfe, true), (0xe1, true), (0xe0, false)] {
        let other = plain([marker, 9, 9]);
        owner.send(&other).await;
        viewer.until(|jpeg| jpeg == other.as_slice()).await;
        owner.send(&smuggling(marker)).await;
        let (_, part) = viewer.until(|jpeg| jpeg != other.as_slice()).await;
        assert_eq!(part.bytes == noise(64, 5), same, "{marker:x}");
        assert!(position(&part.bytes, b"--frame").is_none(), "{marker:x}");
        let path = format!("/api/sessions/{}/snapshot.jpg", owner.id);
        assert_eq!(house.ask("GET", &path, &json!(null)).await.body, part.bytes);
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mirrored_picture_is_another_file() {
    let house = House::open(&["--pipeline", "passthrough", "--mirror"]);
    let owner = begin(&house).await;
    let mut viewer = house.watch(&owner.id).await;
    let picture = plain([9, 99, 200]);
    owner.send(&picture).await;
    assert_ne!(viewer.next().await.unwrap().bytes, picture);
    house.close().await;
}
