//! The stream as it goes over the wire: its head, and the framing that each kind of reader needs.

use limn_tests::house::{House, Owner, until};
use limn_tests::http::{Answer, ask};
use limn_tests::mjpeg::Viewer;
use limn_tests::pictures::{BLUE, RED, plain, shows};
use serde_json::json;

async fn painted(house: &House) -> Owner {
    let owner = house.begin(json!({"params": {"prompt": "copy"}})).await;
    owner.send(&plain(RED)).await;
    // Before that there may be a placard.
    until("it is painted", || house.count(&owner.id, "painted") > 0).await;
    owner
}

fn check_head(answer: &Answer) {
    assert_eq!(answer.status, 200);
    for (name, value) in [
        ("content-type", "multipart/x-mixed-replace; boundary=frame"),
        ("connection", "close"),
        ("cache-control", "no-store"),
        ("x-accel-buffering", "no"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
    assert_eq!(answer.header("transfer-encoding"), None, "no chunks");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_head_is_what_old_readers_and_proxies_take() {
    let house = House::open(&[]);
    let owner = painted(&house).await;
    for path in [
        format!("/api/sessions/{}/stream.mjpeg", owner.id),
        format!("/api/stream/{}", owner.id),
    ] {
        let mut viewer = Viewer::open(house.address(), &path, &[]).await.unwrap();
        check_head(&viewer.answer);
        assert_eq!(viewer.answer.header("content-length"), None);
        assert!(shows(&viewer.next().await.unwrap().bytes, RED));
        let head = ask(house.address(), "HEAD", &path, &[], b"").await;
        check_head(&head);
        assert!(head.body.is_empty());
        let missing = path.replace(&owner.id, "0123456789abcdef");
        let answer = ask(house.address(), "GET", &missing, &[], b"").await;
        assert_eq!((answer.status, answer.code()), (404, "no_session".into()));
        let head = ask(house.address(), "HEAD", &missing, &[], b"").await;
        assert_eq!(head.status, 404);
    }
    house.close().await;
}

/// A query, headers, and whether the parts then say their length.
type Asked<'a> = (&'a str, &'a [(&'a str, &'a str)], bool);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_kind_of_reader_gets_its_framing() {
    const CHROME: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0";
    let house = House::open(&[]);
    let owner = painted(&house).await;
    let path = format!("/api/sessions/{}/stream.mjpeg", owner.id);
    let asked: [Asked; 7] = [
        ("", &[("Sec-Fetch-Dest", "image")], false),
        ("", &[("User-Agent", CHROME)], false),
        (
            "",
            &[("User-Agent", CHROME), ("Sec-Fetch-Dest", "empty")],
            true,
        ),
        ("", &[("User-Agent", "Lavf/61.1.100")], true),
        ("", &[], true),
        ("?wire=browser", &[("User-Agent", "curl/8")], false),
        ("?wire=length", &[("User-Agent", CHROME)], true),
    ];
    for (query, headers, with_length) in asked {
        let mut viewer = Viewer::open(house.address(), &format!("{path}{query}"), headers)
            .await
            .unwrap();
        let part = viewer.next().await.unwrap();
        assert!(shows(&part.bytes, RED));
        let names: Vec<_> = part.headers.iter().map(|(name, _)| name.as_str()).collect();
        let expected: &[&str] = if with_length {
            &["content-type", "content-length", "x-timestamp"]
        } else {
            &["content-type"]
        };
        assert_eq!(names, expected, "{query} {headers:?}");
        assert_eq!(part.headers[0].1, "image/jpeg");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doubled_means_every_picture_twice_at_once() {
    let house = House::open(&[]);
    let owner = painted(&house).await;
    let path = format!("/api/sessions/{}/stream.mjpeg?wire=double", owner.id);
    let mut viewer = Viewer::open(house.address(), &path, &[]).await.unwrap();
    for colour in [RED, BLUE] {
        owner.send(&plain(colour)).await;
        let (_, first) = viewer.until(|jpeg| shows(jpeg, colour)).await;
        let second = viewer.next().await.unwrap();
        assert_eq!((first.bytes, first.headers), (second.bytes, second.headers));
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_still_picture_comes_again_and_no_part_is_ever_empty() {
    let house = House::open(&[]);
    let owner = painted(&house).await;
    let mut viewer = house.watch(&owner.id).await;
    let first = viewer.next().await.unwrap();
    for _ in 0..2 {
        assert_eq!(viewer.next().await.unwrap().bytes, first.bytes);
    }
    assert!(!first.bytes.is_empty());
    assert_eq!(house.session(&owner.id).stats().encodings(), 1);
    house.close().await;
}
