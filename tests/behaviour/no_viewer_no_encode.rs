//! Nothing is compressed while nobody watches; whoever comes then sees the newest picture and none from before.

use limn_tests::alone::alone;
use limn_tests::house::{House, Owner, until};
use limn_tests::http::position;
use limn_tests::pictures::{BLUE, GREEN, RED, noise, plain, shows};
use limn_tests::process::Process;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_is_watched_is_compressed() {
    let house = House::open(&[]);
    let owner = house.begin(json!({"params": {"prompt": "copy"}})).await;
    let id = owner.id.as_str();
    let encodings = || house.session(id).stats().encodings();
    for (number, colour) in [RED, BLUE, RED, BLUE].into_iter().enumerate() {
        owner.send(&plain(colour)).await;
        until("it is painted", || {
            house.count(id, "painted") == number as u64 + 1
        })
        .await;
    }
    assert_eq!(encodings(), 0);

    let mut viewer = house.watch(id).await;
    let first = viewer.next().await.unwrap();
    assert!(shows(&first.bytes, BLUE), "the newest, at once");
    assert_eq!(encodings(), 1);

    drop(viewer);
    until("the viewer is gone", || house.session(id).viewers() == 0).await;
    owner.send(&plain(GREEN)).await;
    until("it is painted", || house.count(id, "painted") == 5).await;
    assert_eq!(encodings(), 1);
    let first = house.watch(id).await.next().await.unwrap();
    assert!(
        shows(&first.bytes, GREEN),
        "what somebody else was shown before comes first"
    );
    house.close().await;
}

/// Sends so many pictures, one behind the other on one connection, and waits until all are taken.
async fn pour(house: &House, owner: &Owner, count: usize) {
    let pictures: Vec<_> = (0..16)
        .map(|number| {
            let picture = noise(64, number);
            let head = format!(
                "POST /api/sessions/{}/frame HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\r\n",
                owner.id,
                house.address(),
                owner.control,
                picture.len()
            );
            [head.as_bytes(), &picture].concat()
        })
        .collect();
    let mut stream = TcpStream::connect(house.address()).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let send = async {
        for picture in pictures.iter().cycle().take(count) {
            writer.write_all(picture).await.unwrap();
        }
    };
    let listen = async {
        let (mut answers, mut taken) = (Vec::new(), 0);
        while taken < count {
            while let Some(end) = position(&answers, b"\"}") {
                assert!(answers.starts_with(b"HTTP/1.1 202"), "{answers:?}");
                answers.drain(..end + 2);
                taken += 1;
            }
            if taken < count {
                assert!(reader.read_buf(&mut answers).await.unwrap() > 0);
            }
        }
    };
    tokio::join!(send, listen);
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_kept_for_a_viewer_who_may_come() {
    const NAME: &str = "no_viewer_no_encode::nothing_is_kept_for_a_viewer_who_may_come";
    if !alone(NAME, &[]) {
        return;
    }
    let house = House::open(&["--pipeline", "passthrough", "--max-fps", "1000000"]);
    let owner = house
        .begin(json!({"params": {"width": 64, "height": 64}}))
        .await;
    let resident = || Process::own().resident_bytes().unwrap();
    pour(&house, &owner, 2_000).await;
    let before = resident();
    pour(&house, &owner, 18_000).await;
    let grown = resident().saturating_sub(before);
    let painted = house.count(&owner.id, "painted");
    assert!(painted > 1_000, "only {painted} were painted");
    // Allocators keep a little. What came would be 80 MB, and what was painted 12 MB at the least.
    assert!(
        grown < 8 << 20,
        "{grown} bytes more after {painted} pictures"
    );
    assert_eq!(house.count(&owner.id, "encoded"), 0);
    house.close().await;
}
