//! Over a limit a request is refused with a sentence, and nobody else is disturbed.

use std::time::{Duration, Instant};

use limn_tests::camera::Camera;
use limn_tests::house::{House, Owner, until};
use limn_tests::http::ask;
use limn_tests::mjpeg::{Listener, Viewer};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_wait_for_a_place_get_it_in_turn() {
    let house = House::open(&["--max-sessions", "1"]);
    let first = house.begin(json!({})).await;
    let wait = async |ticket: Option<&str>| {
        let body = ticket.map_or(json!({}), |ticket| json!({ "ticket": ticket }));
        house.ask("POST", "/api/sessions", &body).await
    };
    let (one, two) = (wait(None).await, wait(None).await);
    assert_eq!((one.status, one.code().as_str()), (503, "full"));
    assert!(one.header("retry-after").is_some());
    let said = |answer: &limn_tests::http::Answer| {
        let error = answer.json()["error"].clone();
        let ticket = error["ticket"].as_str().unwrap().to_owned();
        (error["place"].as_u64().unwrap(), ticket)
    };
    let ((place_one, ticket_one), (place_two, ticket_two)) = (said(&one), said(&two));
    assert_eq!((place_one, place_two), (1, 2));
    assert_eq!(said(&wait(Some(&ticket_two)).await).0, 2);
    // What is kept is one of ours.
    let long = "t".repeat(1000);
    assert_ne!(said(&wait(Some(&long)).await).1, long);
    first.ask("DELETE", "", b"").await;
    until("the place is free", || house.running.store.is_empty()).await;
    // The second, and whoever comes new, let the first go before.
    assert_eq!(wait(Some(&ticket_two)).await.status, 503);
    assert_eq!(wait(None).await.status, 503);
    assert_eq!(wait(Some(&ticket_one)).await.status, 201);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_that_come_too_fast_are_left_out() {
    let house = House::open(&["--max-changes", "5"]);
    let owner = house.begin(json!({})).await;
    let mut refused = 0;
    for number in 0..20 {
        let answer = owner.patch(json!({ "millis": number })).await;
        if answer.status == 429 {
            assert_eq!(answer.code(), "too_many_changes");
            assert!(answer.header("retry-after").is_some());
            refused += 1;
        }
    }
    assert!(refused > 5, "{refused}");
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(owner.patch(json!({"millis": 3})).await.status, 200);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_and_labels_are_changes_too() {
    let house = House::open(&["--max-changes", "5"]);
    for change in [json!({"row": "canny"}), json!({"label": "left"})] {
        let owner = house.begin(json!({})).await;
        let change = change.to_string();
        let mut answers = Vec::new();
        for _ in 0..20 {
            answers.push(owner.ask("PATCH", "", change.as_bytes()).await);
        }
        let refused = answers.iter().filter(|answer| answer.status == 429);
        assert!(refused.clone().count() > 5, "{answers:?}");
        assert!(
            refused
                .clone()
                .all(|answer| answer.code() == "too_many_changes")
        );
    }
    let mut camera = house.camera("5f0c6a4e-5d0e-4b41-9a55-6d7f1c0f6a01").await;
    for _ in 0..20 {
        camera
            .say(&json!({"status": "pipeline", "row": "canny"}))
            .await;
    }
    assert_eq!(camera.status("refused").await["code"], "too_many_changes");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_frames_are_taken_than_may_be() {
    let house = House::open(&["--max-fps", "10"]);
    let owner = house.begin(json!({})).await;
    let start = Instant::now();
    let mut sent = 0;
    while start.elapsed() < Duration::from_secs(2) {
        owner
            .send(&limn_tests::pictures::plain([sent as u8, 9, 9]))
            .await;
        sent += 1;
    }
    let painted = house.count(&owner.id, "painted");
    assert!(sent > 40, "{sent}");
    assert!((12..=24).contains(&painted), "{painted} of {sent}");
    until("the others are counted", || {
        house.count(&owner.id, "skipped") > 10
    })
    .await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_viewers_than_may_are_told_so_before_any_body() {
    let house = House::open(&["--max-viewers", "3", "--max-viewers-per-session", "2"]);
    let (one, two) = (house.begin(json!({})).await, house.begin(json!({})).await);
    one.send(&limn_tests::pictures::plain([1, 2, 3])).await;
    let path = |id: &str| format!("/api/sessions/{id}/stream.mjpeg");
    let watching = (house.watch(&one.id).await, house.watch(&one.id).await);
    let refused = house.ask("GET", &path(&one.id), &Value::Null).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (503, "too_many_viewers")
    );
    assert!(refused.header("retry-after").is_some());
    let third = house.watch(&two.id).await;
    let refused = house.ask("GET", &path(&two.id), &Value::Null).await;
    assert_eq!(refused.status, 503);
    drop((watching, third));
    let session = house.session(&one.id);
    until("they have left", || {
        session.screen().audience().count() == 0
    })
    .await;
    assert!(
        Viewer::open(house.address(), &path(&one.id), &[])
            .await
            .is_ok()
    );
    house.close().await;
}

/// What a connection hears that sends `first`, and then a byte at a time.
async fn trickle(house: &House, first: &str) -> (Duration, String) {
    let start = Instant::now();
    let mut stream = TcpStream::connect(house.address()).await.unwrap();
    stream.write_all(first.as_bytes()).await.unwrap();
    let mut heard = Vec::new();
    loop {
        let mut buffer = [0; 1024];
        tokio::select! {
            read = stream.read(&mut buffer) => match read {
                Ok(0) | Err(_) => break,
                Ok(count) => heard.extend_from_slice(&buffer[..count]),
            },
            () = tokio::time::sleep(Duration::from_millis(100)) => {
                if stream.write_all(b"a").await.is_err() {
                    break;
                }
            }
        }
        assert!(
            start.elapsed() < Duration::from_secs(15),
            "it is still open"
        );
    }
    (
        start.elapsed(),
        String::from_utf8_lossy(&heard).into_owned(),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sends_slowly_is_not_waited_for() {
    let house = House::open(&["--header-timeout", "1", "--body-timeout", "1"]);
    let (took, heard) = trickle(&house, "GET /health HTTP/1.1\r\nX-Slow: ").await;
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(!heard.contains("200 OK"), "{heard}");
    let owner = house.begin(json!({})).await;
    for (path, body) in [("/frame", ""), ("/params", "{\"prompt\": \"")] {
        let method = if body.is_empty() { "POST" } else { "PATCH" };
        let head = format!(
            "{method} /api/sessions/{}{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Length: 100000\r\n\r\n{body}",
            owner.id, owner.control
        );
        let (took, heard) = trickle(&house, &head).await;
        assert!(took < Duration::from_secs(8), "{path}: {took:?}");
        assert!(
            heard.contains("408 ") && heard.contains("too_slow"),
            "{path}: {heard}"
        );
    }
    house.close().await;
}

/// The head of a posted picture, and nothing of the picture.
async fn begin_picture(house: &House, owner: &Owner, length: usize) -> TcpStream {
    let head = format!(
        "POST /api/sessions/{}/frame HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Length: {length}\r\n\r\n",
        owner.id, owner.control
    );
    let mut stream = TcpStream::connect(house.address()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_takes_the_room_that_it_needs_and_a_session_sends_one_at_a_time() {
    let house = House::open(&["--max-sessions", "0"]);
    let owner = house.begin(json!({})).await;
    let mut slow = Vec::new();
    for _ in 0..40 {
        let other = house.begin(json!({})).await;
        slow.push(begin_picture(&house, &other, 5000).await);
    }
    let picture = limn_tests::pictures::plain([1, 2, 3]);
    let busy = house.begin(json!({})).await;
    let start = Instant::now();
    let refused = loop {
        slow.push(begin_picture(&house, &busy, 5000).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
        let answer = busy.ask("POST", "/frame", &picture).await;
        if answer.status != 202 {
            break answer;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "{answer:?}");
    };
    assert_eq!(
        (refused.status, refused.code()),
        (429, "too_many_uploads".into())
    );
    assert!(refused.header("retry-after").is_some());
    owner.send(&picture).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_on_their_way_in_share_a_memory_and_are_short() {
    let house = House::open(&[]);
    let owner = house.begin(json!({"params": {"prompt": "copy"}})).await;
    let login = json!({ "key": "k".repeat(9000) });
    let refused = house.ask("POST", "/api/login", &login).await;
    assert_eq!((refused.status, refused.code()), (413, "too_large".into()));
    let refused = owner.patch(json!({ "prompt": "p".repeat(140_000) })).await;
    assert_eq!((refused.status, refused.code()), (413, "too_large".into()));
    // The largest that anybody sends: two prompts, each letter written as two.
    let prompt = "\\ud83c\\udfa8".repeat(4000);
    let longest = format!("{{\"unknown\": \"{prompt}\", \"and_another\": \"{prompt}\"}}");
    let refused = owner.ask("PATCH", "/params", longest.as_bytes()).await;
    assert_eq!((refused.status, refused.code()), (422, "bad_param".into()));

    let head = "POST /api/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 131072\r\n\r\n";
    let mut slow = Vec::new();
    for _ in 0..128 {
        let mut stream = TcpStream::connect(house.address()).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    let start = Instant::now();
    let refused = loop {
        let answer = owner.patch(json!({})).await;
        if answer.status == 503 {
            break answer;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "{answer:?}");
    };
    assert_eq!(refused.code(), "too_many_bodies");
    assert!(refused.header("retry-after").is_some());
    // Pictures have a memory of their own.
    owner.send(&limn_tests::pictures::plain([1, 2, 3])).await;
    drop(slow);
    while owner.patch(json!({})).await.status != 200 {
        assert!(start.elapsed() < Duration::from_secs(20));
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_are_as_many_places_to_listen_as_to_watch() {
    let house = House::open(&["--max-viewers", "2"]);
    let owner = house.begin(json!({})).await;
    let listen = async || Listener::open(house.address(), &owner.id, None).await;
    let listening = (listen().await, listen().await);
    let path = format!("/api/sessions/{}/events", owner.id);
    for path in [path.as_str(), "/api/program/events"] {
        let refused = house.ask("GET", path, &Value::Null).await;
        let said = (refused.status, refused.code());
        assert_eq!(said, (503, "too_many_viewers".into()), "{path}");
        assert!(refused.header("retry-after").is_some());
    }
    // Who watches has places of their own.
    drop(house.watch(&owner.id).await);
    drop(listening);
    let start = Instant::now();
    let again = async || {
        let answer = limn_tests::http::begin(house.address(), "GET", &path, &[]).await;
        answer.status
    };
    while again().await != 200 {
        assert!(start.elapsed() < Duration::from_secs(10));
    }
    house.close().await;
}

/// Answers with nothing in them are waited for like others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_again_and_again_and_takes_nothing_is_not_answered() {
    let house = House::open(&[]);
    let request = "DELETE /api/login HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut stream = TcpStream::connect(house.address()).await.unwrap();
    stream
        .write_all(request.repeat(3).as_bytes())
        .await
        .unwrap();
    let mut heard = String::new();
    while heard.matches("204 No Content").count() < 3 {
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).await.unwrap();
        heard.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
    }
    assert!(
        heard.ends_with("\r\n\r\n") && !heard.contains("chunked"),
        "{heard}"
    );

    let asked = 200_000;
    let all = request.repeat(asked);
    let ask_all = stream.write_all(all.as_bytes());
    let _ = tokio::time::timeout(Duration::from_secs(4), ask_all).await;
    let metrics = house.ask("GET", "/metrics", &Value::Null).await;
    let metrics = String::from_utf8(metrics.body).unwrap();
    let line = metrics.lines().find(|line| line.contains("\"204\""));
    let answered = line.and_then(|line| line.rsplit(' ').next()?.parse().ok());
    let answered: usize = answered.unwrap_or_else(|| panic!("{metrics}"));
    assert!(answered < asked / 10, "{answered}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_on_their_way_in_share_a_memory() {
    let house = House::open(&["--max-frame-bytes", "65536", "--max-upload-bytes", "131072"]);
    let owner = house.begin(json!({})).await;
    let mut slow = Vec::new();
    for _ in 0..2 {
        let other = house.begin(json!({})).await;
        slow.push(begin_picture(&house, &other, 65_536).await);
    }
    let picture = limn_tests::pictures::plain([1, 2, 3]);
    let send = async || owner.ask("POST", "/frame", &picture).await;
    let start = Instant::now();
    let refused = loop {
        let answer = send().await;
        if answer.status == 503 {
            break answer;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "{answer:?}");
    };
    assert_eq!(refused.code(), "too_many_uploads");
    drop(slow);
    while send().await.status != 202 {
        assert!(start.elapsed() < Duration::from_secs(20));
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_drains_lets_sessions_end_by_themselves() {
    let house = House::open(&["--drain", "20"]);
    let owner = house.begin(json!({})).await;
    let mut events = house.session(&owner.id).events();
    let store = std::sync::Arc::clone(&house.running.store);
    let address = house.address();
    let stopping = tokio::spawn(house.close());
    until("it drains", || store.is_draining()).await;
    let refused = ask(address, "POST", "/api/sessions", &[], b"").await;
    assert_eq!((refused.status, refused.code().as_str()), (503, "draining"));
    assert_eq!(
        ask(address, "GET", "/readyz", &[], b"").await.json()["status"],
        "draining"
    );
    let told = events.recv().await.unwrap().json();
    assert_eq!(told, json!({"status": "draining", "seconds": 20.0}));
    // Whoever comes back meanwhile is told as well.
    let path = format!("/api/ws/{}", owner.id);
    let cookie = format!("limn_control={}", owner.control);
    let mut socket = Camera::open(address, &path, Some(&cookie)).await.unwrap();
    let mut listener = Listener::open(address, &owner.id, Some(&owner.control)).await;
    for told in [
        socket.status("draining").await,
        listener.next().await.unwrap(),
    ] {
        let seconds = told["seconds"].as_f64().unwrap();
        assert!(
            told["status"] == "draining" && (1.0..20.0).contains(&seconds),
            "{told}"
        );
    }
    assert_eq!(owner.patch(json!({})).await.status, 200);
    let start = Instant::now();
    owner.ask("DELETE", "", b"").await;
    stopping.await.unwrap();
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
}
