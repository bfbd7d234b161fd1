//! The program has one address for ever: sessions come, are cut to, and go, and its viewers stay.

use std::time::{Duration, Instant};

use limn_tests::house::{House, Owner, until};
use limn_tests::http::find;
use limn_tests::mjpeg::{Listener, Viewer};
use limn_tests::pictures::{BLUE, GREEN, RED, colour, plain, shows};
use serde_json::{Value, json};

async fn watch(house: &House) -> Viewer {
    Viewer::open(house.address(), "/stream.mjpeg", &[])
        .await
        .unwrap()
}

async fn painted(house: &House, colour: [u8; 3]) -> Owner {
    let params = json!({"width": 64, "height": 64});
    let owner = house.begin(json!({ "params": params })).await;
    owner.send(&plain(colour)).await;
    until("it is painted", || house.count(&owner.id, "painted") == 1).await;
    owner
}

async fn cut(house: &House, session: Value) -> Value {
    let answer = house
        .ask("PUT", "/api/program", &json!({ "session": session }))
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_follows_the_newest_and_cuts_by_hand() {
    let house = House::open(&["--pipeline", "passthrough"]);
    let mut viewer = watch(&house).await;
    let first = viewer.part().await.unwrap();
    assert_eq!(find(&first.headers, "x-limn-placard"), Some("off-air"));
    let early = house.ask("GET", "/snapshot.jpg", &Value::Null).await;
    assert_eq!((early.status, early.code()), (503, "no_picture".into()));

    let red = painted(&house, RED).await;
    let mut heard = Listener::open(house.address(), &red.id, Some(&red.control)).await;
    viewer.until(|jpeg| shows(jpeg, RED)).await;
    let blue = painted(&house, BLUE).await;
    viewer.until(|jpeg| shows(jpeg, BLUE)).await;
    while heard.status("program").await["on_air"] != false {}
    let cutting = Instant::now();
    assert_eq!(cut(&house, json!(red.id)).await["session"], json!(red.id));
    viewer.until(|jpeg| shows(jpeg, RED)).await;
    assert!(
        cutting.elapsed() < Duration::from_secs(1),
        "{:?}",
        cutting.elapsed()
    );
    while heard.status("program").await["on_air"] != true {}
    let snapshot = house.ask("GET", "/snapshot.jpg", &Value::Null).await;
    assert!(shows(&snapshot.body, RED));

    // The pinned one stays, whoever else comes; when it ends, the newest follows and nothing between them is an end.
    let green = painted(&house, GREEN).await;
    assert_eq!(
        house.ask("GET", "/api/program", &Value::Null).await.json()["session"],
        json!(red.id)
    );
    red.ask("DELETE", "", b"").await;
    viewer.until(|jpeg| shows(jpeg, GREEN)).await;
    for owner in [&green, &blue] {
        owner.ask("DELETE", "", b"").await;
    }
    loop {
        let part = viewer.part().await.expect("the program goes on");
        if find(&part.headers, "x-limn-placard") == Some("off-air") {
            break;
        }
    }
    let missing = house
        .ask("PUT", "/api/program", &json!({"session": "nobody"}))
        .await;
    assert_eq!((missing.status, missing.code()), (404, "no_session".into()));
    house.running.program.stop();
    loop {
        let Some(part) = viewer.part().await else {
            break;
        };
        assert!(find(&part.headers, "x-limn-placard").is_some());
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_fades_from_one_to_the_other() {
    for format in [&[][..], &["--program", "64x64@30"]] {
        let house = House::open(&[&["--pipeline", "passthrough"], format].concat());
        let (red, blue) = (painted(&house, RED).await, painted(&house, BLUE).await);
        cut(&house, json!(red.id)).await;
        let mut viewer = watch(&house).await;
        viewer.until(|jpeg| shows(jpeg, RED)).await;
        let fade = json!({"session": blue.id, "fade_ms": 800});
        let answer = house.ask("PUT", "/api/program", &fade).await;
        assert_eq!(answer.json()["session"], json!(blue.id));
        let start = Instant::now();
        let mut reds = vec![];
        loop {
            let jpeg = viewer.next().await.unwrap().bytes;
            reds.push(colour(&jpeg)[0]);
            if shows(&jpeg, BLUE) {
                break;
            }
        }
        assert!(
            start.elapsed() > Duration::from_millis(600),
            "{:?}",
            start.elapsed()
        );
        assert!(
            reds.is_sorted_by(|a, b| *a >= b.saturating_sub(2)),
            "{reds:?}"
        );
        let between = reds.iter().filter(|red| (60..190).contains(*red)).count();
        assert!(between >= 5, "{reds:?}");
        house.close().await;
    }
    let house = House::open(&["--pipeline", "passthrough"]);
    let long = json!({"session": null, "fade_ms": 100_000});
    let answer = house.ask("PUT", "/api/program", &long).await;
    assert_eq!((answer.status, answer.code()), (422, "bad_fade".into()));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_that_another_takes_back_is_answered_all_the_same() {
    let house = House::open(&["--pipeline", "passthrough"]);
    let (red, blue) = (painted(&house, RED).await, painted(&house, BLUE).await);
    cut(&house, json!(blue.id)).await;
    let (program, other) = (&house.running.program, house.session(&blue.id));
    let (answered, done) = tokio::sync::watch::channel(false);
    let cuts = async {
        for _ in 0..3 {
            cut(&house, json!(red.id)).await;
        }
        answered.send_replace(true);
    };
    // Another operator, who never lets go.
    let insists = async {
        while !*done.borrow() {
            program.pin(Some(&other), Duration::ZERO);
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(cuts, insists);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_ends_anybodys_session() {
    let house = House::open(&["--pipeline", "passthrough"]);
    let owner = painted(&house, RED).await;
    let path = format!("/api/state/{}", owner.id);
    assert_eq!(house.ask("DELETE", &path, &Value::Null).await.status, 204);
    assert_eq!(owner.ask("DELETE", "", b"").await.status, 404);
    assert_eq!(house.ask("DELETE", &path, &Value::Null).await.status, 404);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_published_unasked() {
    let house = House::open(&["--pipeline", "passthrough", "--follow", "consented"]);
    let owner = painted(&house, RED).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    let program = house.ask("GET", "/api/program", &Value::Null).await.json();
    assert_eq!(
        (&program["session"], &program["follow"]),
        (&Value::Null, &json!("consented"))
    );
    let mut viewer = watch(&house).await;
    let answer = owner.ask("PATCH", "", br#"{"on_air": true}"#).await;
    assert_eq!(answer.json()["on_air"], true);
    viewer.until(|jpeg| shows(jpeg, RED)).await;
    owner.ask("PATCH", "", br#"{"on_air": false}"#).await;
    until("it is off air", || {
        house.running.program.on_air().borrow().is_none()
    })
    .await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_own_size_and_rate() {
    let house = House::open(&["--pipeline", "passthrough", "--program", "320x180@20"]);
    let _owner = painted(&house, RED).await;
    let mut viewer = watch(&house).await;
    let (_, part) = viewer
        .until(|jpeg| {
            let picture = image::load_from_memory(jpeg).unwrap().into_rgb8();
            let middle = picture.get_pixel(160, 90);
            (picture.width(), picture.height()) == (320, 180) && middle[0] > 200
        })
        .await;
    // Letterboxed: a square in the middle of black.
    let picture = image::load_from_memory(&part.bytes).unwrap().into_rgb8();
    assert!(picture.get_pixel(20, 90)[0] < 20);
    let start = Instant::now();
    for _ in 0..20 {
        viewer.next().await.unwrap();
    }
    let took = start.elapsed();
    assert!(
        (Duration::from_millis(800)..Duration::from_millis(1600)).contains(&took),
        "{took:?}"
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_two_screens_show_is_compressed_once() {
    let house = House::open(&["--pipeline", "words"]);
    let owner = house.begin(json!({"params": {"red": 230}})).await;
    let (mut one, mut other) = (house.watch(&owner.id).await, watch(&house).await);
    owner.patch(json!({"red": 20, "blue": 230})).await;
    let (_, part) = one.until(|jpeg| shows(jpeg, [20, 0, 230])).await;
    let (_, same) = other.until(|jpeg| shows(jpeg, [20, 0, 230])).await;
    assert_eq!(part.bytes, same.bytes);
    let session = house.session(&owner.id);
    let shown = session.screen().raw().latest().unwrap();
    let jpeg = shown
        .plain
        .get()
        .expect("it was compressed")
        .clone()
        .unwrap();
    assert_eq!(jpeg.bytes, part.bytes);
    house.close().await;
}
