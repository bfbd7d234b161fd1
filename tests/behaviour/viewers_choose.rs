//! A viewer chooses size, quality, rate and bandwidth; each choice is compressed once, and only so many at a time.

use std::time::{Duration, Instant};

use limn_server::screen::renditions::MOST;
use limn_tests::house::{House, Owner, until};
use limn_tests::http::find;
use limn_tests::mjpeg::Viewer;
use limn_tests::pictures::{RED, noise, plain, shows};
use serde_json::json;

async fn watch(house: &House, owner: &Owner, query: &str) -> Viewer {
    let path = format!("/api/sessions/{}/stream.mjpeg?{query}", owner.id);
    let opened = Viewer::open(house.address(), &path, &[]).await;
    opened.unwrap_or_else(|answer| panic!("{query}: {answer:?}"))
}

async fn large(house: &House) -> Owner {
    house
        .begin(json!({"params": {"width": 256, "height": 256}}))
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_choice_is_compressed_once_for_all_who_make_it() {
    let house = House::open(&["--pipeline", "passthrough"]);
    let owner = large(&house).await;
    owner.send(&noise(256, 1)).await;
    let mut sizes = Vec::new();
    for query in [
        "",
        "quality=30",
        "quality=30&fps=20",
        "width=128",
        "width=128&wire=double",
        "width=4000",
    ] {
        let mut viewer = watch(&house, &owner, query).await;
        let picture = viewer.next().await.unwrap().bytes;
        let width = image::load_from_memory(&picture).unwrap().width();
        sizes.push((width, picture.len()));
        std::mem::forget(viewer);
    }
    assert_eq!(
        sizes.iter().map(|size| size.0).collect::<Vec<_>>(),
        [256, 256, 256, 128, 128, 256]
    );
    assert!(sizes[1].1 * 2 < sizes[0].1, "{sizes:?}");
    assert_eq!(
        (sizes[1], sizes[3], sizes[5]),
        (sizes[2], sizes[4], sizes[0])
    );
    // Plain, quality 30, and two widths, of which the larger is the plain picture.
    assert_eq!(house.session(&owner.id).stats().encodings(), 4);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_so_many_choices_the_picture_is_plain_and_leavers_make_room() {
    let house = House::open(&["--pipeline", "passthrough"]);
    let owner = large(&house).await;
    owner.send(&noise(256, 1)).await;
    let mut viewers = Vec::new();
    for quality in 1..=MOST {
        viewers.push(watch(&house, &owner, &format!("quality={quality}")).await);
    }
    let path = format!("/api/sessions/{}/stream.mjpeg", owner.id);
    for (query, given) in [
        ("quality=99&width=128", "plain"),
        ("quality=3", "quality=3"),
        ("", "plain"),
    ] {
        let mut viewer = watch(&house, &owner, query).await;
        assert_eq!(
            viewer.answer.header("x-limn-rendition"),
            Some(given),
            "{query}"
        );
        let picture = viewer.next().await.unwrap().bytes;
        assert_eq!(picture == noise(256, 1), given == "plain", "{query}");
    }
    drop(viewers);
    until("they are gone", || house.session(&owner.id).viewers() == 0).await;
    let mut viewer = watch(&house, &owner, "quality=99&width=128").await;
    let given = viewer.answer.header("x-limn-rendition");
    assert_eq!(given, Some("width=128&quality=99"));
    let picture = viewer.next().await.unwrap().bytes;
    assert_eq!(image::load_from_memory(&picture).unwrap().width(), 128);
    for (query, named) in [
        ("fps=0", "`fps` is `0`, and may be a number from 0.1 to 240"),
        ("fps=fast", "`fps` is `fast`"),
        ("quality=101", "`quality` is `101`"),
        ("width=1", "`width` is `1`"),
        ("kbps=1", "`kbps` is `1`"),
        (
            "wire=barbed",
            "`wire` is `barbed`, and may be browser, length or double",
        ),
    ] {
        let bad = house
            .ask("GET", &format!("{path}?{query}"), &json!(null))
            .await;
        assert_eq!((bad.status, bad.code()), (400, "bad_request".into()));
        assert!(bad.message().contains(named), "{}", bad.message());
        let head = house
            .ask("HEAD", &format!("{path}?{query}"), &json!(null))
            .await;
        assert_eq!(head.status, 400);
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fixed_rate_whatever_the_camera_does() {
    let house = House::open(&["--pipeline", "passthrough"]);
    let owner = house.begin(json!({})).await;
    owner.send(&plain(RED)).await;
    let mut viewer = watch(&house, &owner, "fps=20").await;
    assert!(shows(&viewer.next().await.unwrap().bytes, RED));
    let start = Instant::now();
    for _ in 0..20 {
        viewer.next().await.unwrap();
    }
    let took = start.elapsed();
    // Twenty intervals of a grid that does not drift; the first and the last may be late by what the machine is busy for.
    assert!(
        (Duration::from_millis(700)..Duration::from_millis(1500)).contains(&took),
        "{took:?}"
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_budget_is_kept_by_quality_and_by_the_servers_flag() {
    let house = House::open(&["--pipeline", "passthrough", "--max-kbps", "2000"]);
    let owner = large(&house).await;
    let mut viewer = watch(&house, &owner, "kbps=100000").await;
    let (start, mut bytes, mut last) = (Instant::now(), 0, 0);
    let mut number = 0;
    while start.elapsed() < Duration::from_secs(3) {
        owner.send(&noise(256, number)).await;
        number += 1;
        if let Ok(Some(part)) = tokio::time::timeout(Duration::from_millis(40), viewer.next()).await
        {
            (bytes, last) = (bytes + part.bytes.len(), part.bytes.len());
        }
    }
    let kbps = bytes as f64 * 8.0 / 1000.0 / start.elapsed().as_secs_f64();
    assert!(kbps < 2600.0, "{kbps} kbit/s");
    assert!(
        last * 3 < noise(256, 0).len() * 2,
        "the quality went first: {last} bytes"
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn times_are_told_on_request() {
    let house = House::open(&["--pipeline", "passthrough"]);
    let owner = house.begin(json!({})).await;
    owner.send(&plain(RED)).await;
    let mut viewer = watch(&house, &owner, "times=1").await;
    let part = viewer.next().await.unwrap();
    let times: Vec<f64> = ["captured", "painted", "encoded", "sent"]
        .iter()
        .map(|name| {
            find(&part.headers, &format!("x-limn-{name}"))
                .unwrap()
                .parse()
                .unwrap()
        })
        .collect();
    assert!(times.is_sorted(), "{times:?}");
    assert!(times[3] - times[0] < 20.0);
    assert_eq!(find(&part.headers, "x-limn-sequence"), Some("1"));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_bytes_are_left_out_where_the_server_is_told_so() {
    let house = House::open(&["--drop-same"]);
    let owner = house.begin(json!({"params": {"prompt": "copy"}})).await;
    let mut viewer = house.watch(&owner.id).await;
    // Another picture each time for the painter, and the same JPEG from the encoder: the colour of one pixel.
    for red in 0..20 {
        owner.patch(json!({ "green": red })).await;
        owner.send(&plain(RED)).await;
        until("it is painted", || house.count(&owner.id, "painted") > red).await;
    }
    let state = house.ask("GET", "/api/state", &json!(null)).await.json();
    let seat = &state["sessions"][0]["viewers"][0];
    assert!(seat["pictures"].as_u64().unwrap() < 12, "{seat}");
    assert!(shows(&viewer.next().await.unwrap().bytes, RED));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_state_lists_each_viewer() {
    let house = House::open(&["--pipeline", "passthrough"]);
    let owner = house.begin(json!({})).await;
    let mut one = watch(&house, &owner, "wire=browser").await;
    let other = watch(&house, &owner, "fps=10").await;
    let reading = tokio::spawn(other.finish());
    owner.send(&plain(RED)).await;
    one.until(|jpeg| shows(jpeg, RED)).await;
    tokio::time::sleep(Duration::from_millis(2200)).await;
    let state = house.ask("GET", "/api/state", &json!(null)).await.json();
    let seats = state["sessions"][0]["viewers"].as_array().unwrap().clone();
    assert_eq!(seats.len(), 2, "{state}");
    assert_eq!(
        (&seats[0]["wire"], &seats[1]["wire"]),
        (&json!("browser"), &json!("length"))
    );
    assert_eq!(seats[0]["address"], "127.0.0.1");
    assert!(seats[0]["port"].as_u64().is_some(), "{seats:?}");
    let fps = seats[1]["fps"].as_f64().unwrap();
    assert!((6.0..12.0).contains(&fps), "{state}");
    assert!(seats[0]["age_secs"].as_f64().unwrap() > 2.0);
    reading.abort();
    house.close().await;
}
