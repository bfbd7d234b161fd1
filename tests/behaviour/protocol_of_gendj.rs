//! GenDJ's page finds what it expects: frames on one port, settings on another, OSC on a third, and one state for all pages.

use futures_util::{SinkExt, StreamExt};
use limn_tests::house::{House, until};
use limn_tests::http;
use limn_tests::pictures::{BLUE, RED, plain, shows};
use rosc::{OscMessage, OscPacket, OscType};
use serde_json::{Value, json};
use tokio::net::{TcpStream, UdpSocket};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

struct Page(WebSocketStream<TcpStream>);

impl Page {
    async fn open(house: &House) -> Self {
        let address = house.running.gendj.unwrap().frames;
        let stream = TcpStream::connect(address).await.unwrap();
        let (socket, _) = client_async(format!("ws://{address}/any/path"), stream)
            .await
            .unwrap();
        Self(socket)
    }

    async fn send(&mut self, jpeg: Vec<u8>) {
        self.0.send(Message::binary(jpeg)).await.unwrap();
    }

    async fn picture(&mut self) -> Vec<u8> {
        loop {
            match self.0.next().await.unwrap().unwrap() {
                Message::Binary(bytes) => return bytes.to_vec(),
                // A page never sees them.
                Message::Ping(_) => {}
                other => panic!("never anything but pictures: {other:?}"),
            }
        }
    }
}

/// A setting by its path; the answer's status and JSON.
async fn set(house: &House, method: &str, path: &str) -> (u16, Value) {
    let address = house.running.gendj.unwrap().settings;
    let origin = [("Origin", "http://localhost:5173")];
    let answer = http::ask(address, method, path, &origin, b"").await;
    if answer.status == 200 {
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    }
    (answer.status, answer.json())
}

fn params(house: &House) -> Vec<(String, u64)> {
    let sessions = house.running.store.all();
    let of = |session: &std::sync::Arc<limn_server::session::Session>| {
        let params = session.params();
        let map = params.as_map();
        (
            map["prompt"].as_str().unwrap().to_owned(),
            map["seed"].as_u64().unwrap(),
        )
    };
    sessions.iter().map(of).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prompt_with_blocked_words_is_unsafe_and_changes_nothing() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "gore\n").unwrap();
    let words = file.path().to_str().unwrap();
    let flags = [
        "--gendj=0,0,0",
        "--pipeline",
        "brush",
        "--blocked-words",
        words,
    ];
    let house = House::open(&flags);
    let page = Page::open(&house).await;
    until("a session", || house.running.store.len() == 1).await;
    assert_eq!(
        set(&house, "POST", "/prompt/a%20house").await,
        (200, json!({"safety": "safe"}))
    );
    assert_eq!(
        set(&house, "POST", "/prompt/GORE").await,
        (200, json!({"safety": "unsafe"}))
    );
    assert_eq!(params(&house)[0].0, "a house");
    let owner = house.begin(json!({})).await;
    let refused = owner.patch(json!({"prompt": "some gore", "seed": 3})).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (422, "blocked_words")
    );
    assert_eq!(owner.patch(json!({})).await.json()["seed"], 0);
    drop(page);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_page_finds_what_it_expects() {
    let house = House::open(&[
        "--gendj=0,0,0",
        "--pipeline",
        "brush",
        "--max-sessions",
        "2",
    ]);
    let mut page = Page::open(&house).await;
    // Four pictures before the camera starts, and one back at least.
    for _ in 0..4 {
        page.send(plain([0; 3])).await;
    }
    page.picture().await;
    let safe = (200, json!({"safety": "safe"}));
    let updated = (200, json!({"status": "updated"}));
    assert_eq!(set(&house, "POST", "/prompt/a%20blue%20house").await, safe);
    assert_eq!(set(&house, "GET", "/seed/7").await, updated);
    assert_eq!(set(&house, "GET", "/mirror/true").await, updated);
    assert_eq!(set(&house, "OPTIONS", "/prompt/x").await.0, 200);
    let (_, wrong) = set(&house, "POST", "/blend/1.5").await;
    assert_eq!(wrong["message"], "Blend value must be between 0 and 1");
    assert_eq!(wrong["status"], "error");
    assert_eq!(set(&house, "GET", "/colour/red").await.0, 404);
    assert_eq!(set(&house, "GET", "/seed/-7").await.0, 422);
    assert_eq!(params(&house), [("a blue house".to_owned(), 7)]);

    // Whoever comes later begins with the same; a third page finds the server full, and may try again.
    let mut second = Page::open(&house).await;
    until("two sessions", || house.running.store.len() == 2).await;
    until("it has what is set", || {
        params(&house)[1] == ("a blue house".to_owned(), 7)
    })
    .await;
    let mut third = Page::open(&house).await;
    assert!(matches!(third.0.next().await, Some(Ok(Message::Close(_)))));

    // As it came, and no other page's.
    assert_eq!(set(&house, "GET", "/passthrough/True").await.0, 200);
    for (page, colour) in [(&mut page, RED), (&mut second, BLUE)] {
        page.send(plain(colour)).await;
        while !shows(&page.picture().await, colour) {}
    }

    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket
        .connect(house.running.gendj.unwrap().osc)
        .await
        .unwrap();
    for (addr, args) in [
        ("/prompt", vec![OscType::String("by osc".into())]),
        ("/seed", vec![OscType::Int(9)]),
    ] {
        let addr = addr.to_owned();
        let bytes = rosc::encoder::encode(&OscPacket::Message(OscMessage { addr, args })).unwrap();
        socket.send(&bytes).await.unwrap();
    }
    assert_eq!(set(&house, "GET", "/passthrough/false").await.0, 200);
    until("it is set for both", || {
        params(&house) == vec![("by osc".to_owned(), 9); 2]
    })
    .await;

    drop(page);
    until("its session ends with its page", || {
        house.running.store.len() == 1
    })
    .await;
    // "Service restart": that page tries again by itself.
    house.running.store.close();
    loop {
        match second.0.next().await.unwrap().unwrap() {
            Message::Close(frame) => break assert_eq!(u16::from(frame.unwrap().code), 1012),
            other => assert!(other.is_binary() || other.is_ping(), "{other:?}"),
        }
    }
    until("no session is left", || house.running.store.is_empty()).await;
    house.close().await;
}

/// Any page that a user visits may have a picture's address here, open a socket, or have its own name point to this machine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_from_elsewhere_are_turned_away_at_both_ports() {
    let house = House::open(&["--gendj=0,0,0", "--pipeline", "brush"]);
    let ports = house.running.gendj.unwrap();
    let page = Page::open(&house).await;
    until("a session", || house.running.store.len() == 1).await;
    let socket = [
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    for (header, there) in [
        (("Origin", "http://localhost:5173"), true),
        (("Sec-Fetch-Site", "same-origin"), true),
        (("Sec-Fetch-Site", "none"), true),
        (("Origin", "https://example.com"), false),
        (("Origin", "null"), false),
        (("Sec-Fetch-Site", "cross-site"), false),
    ] {
        for (method, path) in [("GET", "/seed/7"), ("POST", "/prompt/mine")] {
            let answer = http::ask(ports.settings, method, path, &[header], b"").await;
            assert_eq!(answer.status == 200, there, "{header:?}: {answer:?}");
            if !there {
                assert_eq!(answer.code(), "foreign_origin");
            }
        }
        let headers = [&socket[..], &[header]].concat();
        let answer = http::begin(ports.frames, "GET", "/", &headers).await;
        assert_eq!(answer.status == 101, there, "{header:?}: {answer:?}");
        if !there {
            assert_eq!(answer.code(), "foreign_origin");
        }
    }
    assert_eq!(set(&house, "GET", "/seed/3").await.0, 200);
    for port in [ports.settings, ports.frames] {
        let answer = http::ask_as(port, "evil.example", "/seed/9").await;
        assert_eq!((answer.status, answer.code()), (421, "unknown_host".into()));
    }
    let known = http::ask_as(ports.settings, "localhost:5556", "/seed/4").await;
    assert_eq!(known.status, 200);
    until("what was asked from here is set", || {
        params(&house)[0].1 == 4
    })
    .await;
    drop(page);
    house.close().await;
}
