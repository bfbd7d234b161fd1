//! Pictures from strangers by `POST`: what is taken, and how what is not taken is told.

use image::ImageFormat;
use limn_tests::house::{House, Owner};
use limn_tests::mjpeg::Listener;
use limn_tests::pictures::{BLUE, GREEN, RED, plain, shows, square};
use serde_json::json;

async fn owner(house: &House) -> Owner {
    house.begin(json!({"params": {"prompt": "copy"}})).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jpeg_png_and_webp_are_taken() {
    let house = House::open(&[]);
    let owner = owner(&house).await;
    let mut viewer = house.watch(&owner.id).await;
    for (format, colour) in [
        (ImageFormat::Jpeg, RED),
        (ImageFormat::Png, BLUE),
        (ImageFormat::WebP, GREEN),
    ] {
        owner.send(&square(80, colour, format)).await;
        viewer.until(|jpeg| shows(jpeg, colour)).await;
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_picture_is_told_and_the_session_goes_on() {
    let house = House::open(&[]);
    let owner = owner(&house).await;
    let mut events = Listener::open(house.address(), &owner.id, Some(&owner.control)).await;
    let mut viewer = house.watch(&owner.id).await;

    let whole = plain(RED);
    let mut huge = whole.clone();
    let header = huge
        .windows(2)
        .position(|pair| pair == [0xff, 0xc0])
        .unwrap();
    huge[header + 5..header + 9].copy_from_slice(&[0xea, 0x60, 0xea, 0x60]);
    let png = square(64, RED, ImageFormat::Png);
    let bad: [(&[u8], &str, &str); 5] = [
        (
            &whole[..whole.len() / 2],
            "bad_picture",
            "ends before its end-of-image marker",
        ),
        (
            &huge,
            "picture_too_large",
            "a picture of 60000x60000 is over the limit of 16777216 pixels",
        ),
        (&png[..png.len() / 2], "bad_picture", "cannot be decoded"),
        (
            b"{\"a\": 1}",
            "bad_picture",
            "the bytes are not a jpeg, png or webp picture",
        ),
        (
            &[0xff, 0xd8, 0xff, 0xd9],
            "bad_picture",
            "cannot be decoded",
        ),
    ];
    for (number, (bytes, code, words)) in bad.into_iter().enumerate() {
        owner.send(bytes).await;
        let refused = events.status("refused").await;
        assert_eq!(refused["code"], code, "{refused}");
        assert!(
            refused["message"].as_str().unwrap().contains(words),
            "{refused}"
        );
        let colour = if number % 2 == 0 { RED } else { BLUE };
        owner.send(&plain(colour)).await;
        viewer.until(|jpeg| shows(jpeg, colour)).await;
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_over_the_limit_is_refused_at_the_door() {
    let house = House::open(&["--max-frame-bytes", "20000"]);
    let owner = owner(&house).await;
    let answer = owner.ask("POST", "/frame", &[7; 20_001]).await;
    assert_eq!((answer.status, answer.code()), (413, "too_large".into()));
    assert_eq!(
        answer.message(),
        "the body is over the limit of 20000 bytes"
    );
    // So large that the answer comes while it is still being sent.
    let answer = owner.ask("POST", "/frame", &vec![7; 30 << 20]).await;
    assert_eq!(answer.status, 413);
    let answer = owner.ask("POST", "/frame", b"").await;
    assert_eq!((answer.status, answer.code()), (422, "bad_picture".into()));
    let mut viewer = house.watch(&owner.id).await;
    owner.send(&plain(RED)).await;
    viewer.until(|jpeg| shows(jpeg, RED)).await;
    house.close().await;
}
