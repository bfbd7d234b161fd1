//! The socket of the Real-Time Latent Consistency Model server (PROTOCOLS.md, section 2).

use limn_tests::camera::Camera;
use limn_tests::house::{House, until};
use limn_tests::mjpeg::Viewer;
use limn_tests::pictures::{BLUE, RED, plain, shows};
use serde_json::json;

const KEY: &str = "5f0c6a4e-5d0e-4b41-9a55-6d7f1c0f6a01";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_greets_and_paints_what_it_asks_for() {
    let house = House::open(&[]);
    let mut camera = house.camera(KEY).await;
    for greeting in [
        json!({"status": "connected", "message": "Connected"}),
        json!({"status": "wait"}),
        json!({"status": "send_frame"}),
    ] {
        assert_eq!(camera.hear().await, greeting);
    }
    let mut viewer = Viewer::open(house.address(), &format!("/api/stream/{KEY}"), &[])
        .await
        .unwrap();
    camera.say(&json!({"status": "next_frame"})).await;
    camera.say(&json!({"prompt": "copy"})).await;
    camera.binary(plain(RED)).await;
    assert_eq!(camera.status("wait").await, json!({"status": "wait"}));
    viewer.until(|jpeg| shows(jpeg, RED)).await;
    camera.frame(&json!({"prompt": "copy"}), &plain(BLUE)).await;
    camera.status("wait").await;
    viewer.until(|jpeg| shows(jpeg, BLUE)).await;
    camera.leave().await;
    viewer.finish().await;
    until("a page that closes its socket ends its session", || {
        house.running.store.is_empty()
    })
    .await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_that_has_nothing_yet_is_asked_again() {
    let house = House::open(&[]);
    let mut camera = house.camera(KEY).await;
    for _ in 0..3 {
        camera.frame(&json!({}), &[]).await;
        camera.status("wait").await;
    }
    assert_eq!(house.count(KEY, "received"), 0);
    camera.frame(&json!({}), &plain(RED)).await;
    camera.status("send_frame").await;
    assert_eq!(house.count(KEY, "received"), 1);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_text_mode_the_picture_is_left_out() {
    let house = House::open(&["--pipeline", "words"]);
    let mut camera = house.camera(KEY).await;
    let mut viewer = house.watch(KEY).await;
    for colour in [RED, BLUE] {
        camera.status("send_frame").await;
        camera.say(&json!({"status": "next_frame"})).await;
        camera
            .say(&json!({"red": colour[0], "green": colour[1], "blue": colour[2]}))
            .await;
        viewer.until(|jpeg| shows(jpeg, colour)).await;
    }
    camera.status("send_frame").await;
    camera.say(&json!({"status": "next_frame"})).await;
    camera.text("no json").await;
    assert_eq!(camera.status("refused").await["code"], "bad_message");
    camera.status("send_frame").await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_are_taken_as_its_page_sends_them() {
    let house = House::open(&[]);
    let mut camera = house.camera(KEY).await;
    let params = json!({"red": 200.0, "blue": 7, "nonsense": {"a": [1]}, "millis": 3});
    camera.frame(&params, &plain(RED)).await;
    camera.status("wait").await;
    let set = house.session(KEY).params();
    assert_eq!(
        (&set.as_map()["red"], &set.as_map()["blue"]),
        (&json!(200), &json!(7))
    );
    assert!(set.get("nonsense").is_none());
    camera.frame(&json!({"millis": null}), &plain(RED)).await;
    camera.status("wait").await;
    let set = house.session(KEY).params();
    assert_eq!(set.as_map()["millis"], json!(0), "null means the default");
    assert_eq!(
        set.as_map()["red"],
        json!(200),
        "what is left out stays as it was"
    );
    camera.frame(&json!({"red": 256}), &plain(RED)).await;
    let refused = camera.status("refused").await;
    assert_eq!(
        refused["message"],
        "parameter `red`: 256 is greater than the maximum of 255"
    );
    camera.status("send_frame").await;
    assert_eq!(house.session(KEY).params(), set);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn text_where_a_picture_belongs_is_refused_and_the_session_goes_on() {
    let house = House::open(&[]);
    let mut camera = house.camera(KEY).await;
    for wrong in [
        r#"{"picture": "here"}"#,
        "no json",
        r#"{"status": "hello"}"#,
    ] {
        camera.status("send_frame").await;
        camera.say(&json!({"status": "next_frame"})).await;
        camera.say(&json!({})).await;
        camera.text(wrong).await;
        assert_eq!(camera.status("refused").await["code"], "bad_message");
    }
    let mut viewer = house.watch(KEY).await;
    camera.frame(&json!({"prompt": "copy"}), &plain(RED)).await;
    viewer.until(|jpeg| shows(jpeg, RED)).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_over_the_limit_is_told_and_the_session_waits() {
    let house = House::open(&["--max-frame-bytes", "5000"]);
    let mut camera = house.camera(KEY).await;
    camera.frame(&json!({"red": 9}), &[7; 6000]).await;
    let refused = camera.status("refused").await;
    assert_eq!(refused["code"], "picture_too_large");
    assert_eq!(camera.closed().await, Some(1009));
    let session = house.session(KEY);
    until("the session waits for its camera", || {
        !session.is_attached()
    })
    .await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_server_says_so_and_closes() {
    let house = House::open(&["--max-sessions", "1"]);
    let first = house.camera(KEY).await;
    let mut second = house.camera("5f0c6a4e-5d0e-4b41-9a55-6d7f1c0f6a02").await;
    assert_eq!(
        second.hear().await,
        json!({"status": "error", "message": "Server is full", "place": 1})
    );
    assert_eq!(second.closed().await, Some(1000));
    first.leave().await;
    until("the place is free", || house.running.store.is_empty()).await;
    // Whoever asked first has the place.
    let mut third = house.camera("5f0c6a4e-5d0e-4b41-9a55-6d7f1c0f6a02").await;
    assert_eq!(third.hear().await["status"], "connected");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_its_time_is_over_it_says_so_and_closes() {
    let house = House::open(&["--timeout", "0.5"]);
    let mut camera = house.camera(KEY).await;
    assert_eq!(
        camera.status("timeout").await,
        json!({"status": "timeout", "message": "Your session has ended"})
    );
    assert_eq!(camera.closed().await, Some(1000));
    assert!(house.running.store.is_empty());
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_dropped_comes_back_with_its_cookie_and_nobody_else() {
    let house = House::open(&[]);
    let path = format!("/api/ws/{KEY}");
    let mut camera = house.camera(KEY).await;
    let cookie = camera.cookie();
    for word in ["HttpOnly", "SameSite=Strict", &format!("Path={path}")] {
        assert!(
            camera.set_cookie.contains(word),
            "{word} in {}",
            camera.set_cookie
        );
    }
    camera.frame(&json!({"red": 123}), &plain(RED)).await;
    camera.status("wait").await;
    let open = |cookie| Camera::open(house.address(), &path, cookie);
    assert_eq!(
        open(Some(&cookie)).await.err(),
        Some(409),
        "a second socket is refused"
    );
    assert_eq!(open(None).await.err(), Some(403));
    drop(camera);
    let session = house.session(KEY);
    until("the drop is noticed", || !session.is_attached()).await;
    assert_eq!(
        open(None).await.err(),
        Some(403),
        "the name alone finds nothing"
    );
    assert_eq!(
        open(Some("limn_control=0123456789abcdef0123456789abcdef"))
            .await
            .err(),
        Some(403)
    );
    let mut again = open(Some(&cookie)).await.unwrap();
    assert_eq!(again.hear().await["status"], "connected");
    assert_eq!(house.running.store.len(), 1);
    assert_eq!(house.session(KEY).params().as_map()["red"], json!(123));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_socket_takes_no_place() {
    let house = House::open(&[]);
    let answer = house
        .ask("GET", &format!("/api/ws/{KEY}"), &json!(null))
        .await;
    assert_eq!((answer.status, answer.code()), (400, "bad_request".into()));
    assert!(house.running.store.is_empty());
    let answer = Camera::open(house.address(), "/api/ws/short", None).await;
    assert_eq!(answer.err(), Some(400));
    house.close().await;
}

/// What is not in that protocol: our own page steers over the same socket.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_own_page_steers_between_frames() {
    let house = House::open(&[]);
    let mut camera = house.camera(KEY).await;
    camera
        .say(&json!({"status": "params", "params": {"green": 50}}))
        .await;
    camera
        .say(&json!({"status": "params", "params": {"colour": 1}}))
        .await;
    let refused = camera.status("refused").await;
    assert_eq!(refused["code"], "bad_param");
    assert_eq!(house.session(KEY).params().as_map()["green"], json!(50));
    camera
        .say(&json!({"status": "pipeline", "row": "nonesuch"}))
        .await;
    assert_eq!(camera.status("refused").await["code"], "unknown_pipeline");
    camera
        .say(&json!({"status": "pipeline", "row": "canny"}))
        .await;
    camera.say(&json!({"status": "next_frame"})).await;
    camera.say(&json!({})).await;
    camera.binary(plain(RED)).await;
    let ready = camera.status("ready").await;
    assert_eq!(
        (&ready["row"], &ready["params"]["width"]),
        (&json!("canny"), &json!(64))
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_gone_gives_way_to_whoever_is_here() {
    let house = House::open(&["--max-sessions", "1"]);
    drop(house.camera("0123456789abcdef").await);
    let mut other = house.camera("fedcba9876543210").await;
    assert_eq!(
        other.hear().await["message"],
        "Server is full",
        "its owner has a moment to come back"
    );
    let start = std::time::Instant::now();
    while house.camera("fedcba9876543210").await.hear().await["status"] != "connected" {
        assert!(start.elapsed() < limn_tests::house::PATIENCE);
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    house.close().await;
}
