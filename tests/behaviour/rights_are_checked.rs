//! Every route asks for the right that it should, of strangers and of each kind of key; pages from elsewhere do nothing.

use futures_util::future::join_all;
use limn_server::access::signed::{Scope, after, sign};
use limn_server::access::{Grant, Right};
use limn_server::{Config, start};
use limn_tests::house::House;
use limn_tests::http::{Answer, ask};
use limn_tests::painters::REGISTRY;
use serde_json::{Value, json};

const KEYS: &str =
    "viewer see; player play; operator rule; signing 00112233445566778899aabbccddeeff";
const SECRET: &[u8] = &[
    0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff,
];

/// What each route needs, 0 for nothing, 1 for a viewer, 2 for a player, 3 for an operator; `KEY` is a session that others
/// began. A route that is missing here fails the test.
const ROUTES: &[(&str, &str, u8)] = &[
    ("get", "/health", 0),
    ("get", "/readyz", 0),
    ("get", "/metrics", 3),
    ("get", "/api/me", 0),
    ("post", "/api/login", 0),
    ("delete", "/api/login", 0),
    ("get", "/api/pipelines", 1),
    ("get", "/api/openapi.json", 1),
    ("get", "/api/docs", 1),
    ("get", "/api/osc", 1),
    ("post", "/api/generate", 2),
    ("get", "/api/sources", 3),
    ("get", "/api/sources/ndi", 3),
    ("get", "/api/state", 3),
    ("delete", "/api/state/{key}", 3),
    ("get", "/api/sessions", 3),
    ("post", "/api/sessions", 2),
    ("get", "/api/sessions/{key}", 1),
    ("patch", "/api/sessions/{key}", 3),
    ("delete", "/api/sessions/{key}", 3),
    ("patch", "/api/sessions/{key}/params", 3),
    ("post", "/api/sessions/{key}/frame", 3),
    ("get", "/api/sessions/{key}/frames", 3),
    ("get", "/api/sessions/{key}/events", 1),
    ("get", "/api/sessions/{key}/stream.mjpeg", 1),
    ("head", "/api/sessions/{key}/stream.mjpeg", 1),
    ("get", "/api/sessions/{key}/snapshot.jpg", 1),
    ("head", "/api/sessions/{key}/snapshot.jpg", 1),
    ("get", "/api/share", 2),
    ("get", "/api/program", 1),
    ("put", "/api/program", 3),
    ("get", "/api/program/events", 1),
    ("get", "/stream.mjpeg", 1),
    ("head", "/stream.mjpeg", 1),
    ("get", "/snapshot.jpg", 1),
    ("head", "/snapshot.jpg", 1),
    ("get", "/api/ws/{key}", 3),
    ("get", "/api/stream/{key}", 1),
    ("head", "/api/stream/{key}", 1),
    ("get", "/api/queue", 1),
    ("get", "/api/settings", 1),
];

/// Streams and sockets do not end by themselves; their heads say enough.
fn endless(path: &str) -> bool {
    ["stream", "/events", "/frames", "/api/ws"]
        .iter()
        .any(|part| path.contains(part))
}

fn is_refused(answer: &Answer) -> bool {
    [401, 403].contains(&answer.status)
}

/// The head of the answer, since a body may have no end.
async fn try_route(house: &House, method: &str, path: &str, key: Option<&str>) -> Answer {
    let bearer = key.map(|key| format!("Bearer {key}"));
    let mut headers: Vec<_> = bearer
        .iter()
        .map(|bearer| ("Authorization", bearer.as_str()))
        .collect();
    if path.contains("/frames") || path.contains("/api/ws") {
        headers.extend([
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ]);
    }
    if endless(path) {
        return limn_tests::http::begin(house.address(), &method.to_uppercase(), path, &headers)
            .await;
    }
    ask(house.address(), &method.to_uppercase(), path, &headers, b"").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_asks_for_its_right() {
    let house = House::open(&["--keys", KEYS, "--max-sessions", "0"]);
    let document = ask(
        house.address(),
        "GET",
        "/api/openapi.json",
        &[("Authorization", "Bearer rule")],
        b"",
    )
    .await;
    let paths = document.json()["paths"].as_object().unwrap().clone();
    let there = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().keys();
        methods.map(move |method| (method.clone(), path.clone()))
    });
    let mut count = 0;
    for (method, path) in there {
        let known = ROUTES.iter().find(|(m, p, _)| *m == method && *p == path);
        assert!(known.is_some(), "what does {method} {path} ask for?");
        count += 1;
    }
    assert_eq!(count, ROUTES.len());
    let callers = [
        (None, 0),
        (Some("nonsense"), 0),
        (Some("see"), 1),
        (Some("play"), 2),
        (Some("rule"), 3),
    ];
    let tries = ROUTES
        .iter()
        .flat_map(|route| callers.map(|caller| (*route, caller)));
    let house = &house;
    let tries = tries.map(async |((method, path, needed), (key, holds))| {
        let session = begin(house).await;
        let path = path.replace("{key}", session["id"].as_str().unwrap());
        let answer = try_route(house, method, &path, key).await;
        let at = format!("{method} {path} with {key:?}: {}", answer.status);
        assert_eq!(is_refused(&answer), holds < needed, "{at}");
        if key.is_none() && needed > 0 && method != "head" {
            assert_eq!(
                (answer.status, answer.code()),
                (401, "no_key".to_owned()),
                "{at}"
            );
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{at}");
        }
    });
    join_all(tries).await;
}

async fn begin(house: &House) -> Value {
    let answer = ask(
        house.address(),
        "POST",
        "/api/sessions",
        &[("Authorization", "Bearer play")],
        b"",
    )
    .await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

fn signed(scope: Scope) -> String {
    let right = Right::Viewer;
    sign(SECRET, &Grant { right, scope }, after(60))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_its_players_own_and_a_signed_address_shows_one_thing() {
    let house = House::open(&["--keys", KEYS, "--max-sessions", "0"]);
    let (mine, theirs) = (begin(&house).await, begin(&house).await);
    let at = |session: &Value, below: &str| {
        format!("/api/sessions/{}{below}", session["id"].as_str().unwrap())
    };
    let control = mine["control"].as_str().unwrap();
    let status = async |method: &str, path: String, key: Option<&str>| {
        try_route(&house, method, &path, key).await.status
    };
    // The token steers its session, and no other.
    assert_eq!(
        status("patch", at(&mine, "/params"), Some(control)).await,
        400
    );
    assert_eq!(status("get", at(&mine, ""), Some(control)).await, 200);
    assert_eq!(status("get", at(&theirs, ""), Some(control)).await, 403);
    assert_eq!(status("delete", at(&theirs, ""), Some(control)).await, 403);
    assert_eq!(
        status("get", "/api/sessions".into(), Some(control)).await,
        403
    );
    // A signed address shows what it is for, and steers nothing.
    let one = signed(Scope::Session(mine["id"].as_str().unwrap().to_owned()));
    let program = signed(Scope::Program);
    for (path, there) in [
        (at(&mine, &format!("/stream.mjpeg?sign={one}")), true),
        (at(&mine, &format!("?sign={one}")), true),
        (at(&theirs, &format!("/stream.mjpeg?sign={one}")), false),
        (format!("/stream.mjpeg?sign={one}"), false),
        (format!("/stream.mjpeg?wire=length&sign={program}"), true),
        (at(&mine, &format!("/stream.mjpeg?sign={program}")), false),
        (format!("/api/pipelines?sign={one}"), false),
        (at(&mine, &format!("/stream.mjpeg?sign={}0", one)), false),
        (at(&mine, &format!("?sign={one}&sign=.")), true),
        // Each would cost an HMAC.
        (at(&mine, &format!("?sign=.&sign={one}")), false),
    ] {
        let answer = status("get", path.clone(), None).await;
        assert_eq!(answer == 200, there, "{path}: {answer}");
    }
    for method in ["patch", "delete"] {
        let path = at(&mine, &format!("?sign={one}"));
        assert_eq!(status(method, path, None).await, 403, "{method}");
    }
    let path = format!("/api/program?sign={program}");
    assert_eq!(status("put", path, None).await, 403);
    // A key in an address is none: addresses are written down.
    assert_eq!(
        status("get", "/api/sessions?sign=rule".into(), None).await,
        403
    );
    let old = sign(
        SECRET,
        &Grant {
            right: Right::Viewer,
            scope: Scope::All,
        },
        1_700_000_000,
    );
    assert_eq!(
        status("get", format!("/stream.mjpeg?sign={old}"), None).await,
        403
    );
    // The same id in other letters is the same session.
    for dash in ["%2D", "%2d", "%252D"] {
        let answer = status(
            "delete",
            at(&theirs, "").replacen('-', dash, 1),
            Some("play"),
        )
        .await;
        assert!([403, 404].contains(&answer), "{answer}");
    }
    assert_eq!(status("get", at(&theirs, ""), Some("see")).await, 200);
    // The same path in other letters is the same path.
    for path in ["/api/%73essions", "/%61pi/state", "/api//state"] {
        let answer = status("get", path.into(), Some("see")).await;
        assert!([403, 404].contains(&answer), "{path}: {answer}");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_player_shares_lets_one_watch() {
    let house = House::open(&["--keys", KEYS]);
    let session = begin(&house).await;
    let id = session["id"].as_str().unwrap();
    let path = format!("/api/share?session={id}");
    let answer = try_route(&house, "get", &path, Some("play")).await;
    let sign = answer.json()["sign"].as_str().unwrap().to_owned();
    let path = format!("/api/sessions/{id}/stream.mjpeg?sign={sign}");
    assert_eq!(try_route(&house, "get", &path, None).await.status, 200);
    house.close().await;
    let house = House::open(&[]);
    let owner = house.begin(json!({})).await;
    let answer = house
        .ask(
            "GET",
            &format!("/api/share?session={}", owner.id),
            &Value::Null,
        )
        .await;
    assert_eq!(answer.json(), json!({"sign": null}));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_signs_in_with_a_cookie_that_scripts_cannot_read() {
    let house = House::open(&["--keys", KEYS]);
    let wrong = house
        .ask("POST", "/api/login", &json!({"key": "guess"}))
        .await;
    assert_eq!((wrong.status, wrong.code().as_str()), (403, "wrong_key"));
    let answer = house
        .ask("POST", "/api/login", &json!({"key": "play"}))
        .await;
    assert_eq!(answer.status, 204);
    let cookie = answer.header("set-cookie").unwrap().to_owned();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    // Plain http to a proxy that speaks https is none to the browser.
    assert!(!cookie.contains("Secure"), "{cookie}");
    let proxied = [("X-Forwarded-Proto", "https, http")];
    let body = json!({"key": "play"}).to_string();
    let answer = ask(
        house.address(),
        "POST",
        "/api/login",
        &proxied,
        body.as_bytes(),
    )
    .await;
    let proxied = answer.header("set-cookie").unwrap();
    assert!(proxied.contains("Secure"), "{proxied}");
    let shown = [("Cookie", cookie.split(';').next().unwrap())];
    let me = ask(house.address(), "GET", "/api/me", &shown, b"").await;
    assert_eq!(me.json(), json!({"right": "player"}));
    let begun = ask(house.address(), "POST", "/api/sessions", &shown, b"").await;
    assert_eq!(begun.status, 201);
    assert_eq!(
        house.ask("GET", "/api/me", &Value::Null).await.json(),
        json!({"right": null})
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_from_elsewhere_and_names_of_others_are_turned_away() {
    let house = House::open(&[
        "--open",
        "--cors-origin",
        "https://friend.example",
        "--hostname",
        "show.local",
        "--max-sessions",
        "0",
    ]);
    let address = house.address();
    let own = format!("http://{address}");
    for (number, (origin, there)) in [
        (own.as_str(), true),
        ("https://friend.example", true),
        ("http://show.local:7860", true),
        ("http://evil.example", false),
        ("https://friend.example.evil.example", false),
        ("null", false),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = ask(address, "POST", "/api/sessions", &[("Origin", origin)], b"").await;
        assert_eq!(answer.status == 201, there, "{origin}: {answer:?}");
        if !there {
            assert_eq!(answer.code(), "foreign_origin", "{origin}");
        }
        let key = format!("{number:016}");
        let socket = [
            ("Origin", origin),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        // Not even with what steers the session.
        let owner = house.begin(json!({})).await;
        let control = format!("Bearer {}", owner.control);
        let steering = [&socket[..], &[("Authorization", control.as_str())]].concat();
        for (path, headers) in [
            (format!("/api/ws/{key}"), &socket[..]),
            (format!("/api/sessions/{}/frames", owner.id), &steering),
        ] {
            let answer = limn_tests::http::begin(address, "GET", &path, headers).await;
            assert_eq!(answer.status == 101, there, "{origin} {path}: {answer:?}");
            if !there {
                assert_eq!(answer.code(), "foreign_origin", "{origin} {path}");
            }
        }
    }
    let friend = [("Origin", "https://friend.example")];
    let answer = ask(address, "GET", "/api/pipelines", &friend, b"").await;
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some("https://friend.example")
    );
    let stranger = ask(
        address,
        "GET",
        "/api/pipelines",
        &[("Origin", "http://evil.example")],
        b"",
    )
    .await;
    assert_eq!(stranger.header("access-control-allow-origin"), None);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_keys_only_this_machine_is_answered() {
    let house = House::open(&[]);
    let address = house.address();
    for (host, there) in [
        ("localhost:7860", true),
        ("127.0.0.1", true),
        ("show.local", false),
        ("evil.example", false),
        ("evil.example:7860", false),
    ] {
        let answer = limn_tests::http::ask_as(address, host, "/api/sessions").await;
        assert_eq!(answer.status == 200, there, "{host}: {answer:?}");
        if !there {
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (421, "unknown_host")
            );
        }
    }
    // Behind a proxy everybody comes from this machine.
    for passed_on in [
        ("X-Forwarded-For", "203.0.113.9"),
        ("X-Real-IP", "203.0.113.9"),
        ("Forwarded", "for=203.0.113.9"),
        ("Via", "1.1 show"),
    ] {
        for path in ["/api/sessions", "/", "/stream.mjpeg"] {
            let answer = ask(address, "GET", path, &[passed_on], b"").await;
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (403, "behind_a_proxy"),
                "{passed_on:?}"
            );
        }
    }
    house.close().await;
    let house = House::open(&["--open"]);
    let passed_on = [("X-Forwarded-For", "203.0.113.9")];
    let answer = ask(house.address(), "GET", "/api/pipelines", &passed_on, b"").await;
    assert_eq!(answer.status, 200);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_keeps_a_browser_careful() {
    let house = House::open(&[]);
    for path in [
        "/",
        "/watch/program",
        "/api/pipelines",
        "/api/docs",
        "/nonesuch",
        "/snapshot.jpg",
    ] {
        let answer = house.ask("GET", path, &Value::Null).await;
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
        assert_eq!(
            answer.header("referrer-policy"),
            Some("no-referrer"),
            "{path}"
        );
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'self'"), "{path}: {policy}");
        let framed = path.starts_with("/watch/");
        assert_eq!(policy.contains("frame-ancestors 'none'"), !framed, "{path}");
        assert_eq!(answer.header("x-frame-options").is_none(), framed, "{path}");
    }
    house.close().await;
}

#[tokio::test]
async fn nobody_stands_open_by_accident() {
    let refusal = |flags: &[&str]| {
        let flags = ["server", "--port", "0"].iter().chain(flags);
        match start(&Config::read(flags).unwrap(), REGISTRY) {
            Err(error) => format!("{error:#}"),
            Ok(running) => panic!("it listens on {}", running.address),
        }
    };
    let refused = refusal(&["--host", "0.0.0.0"]);
    assert!(
        refused.contains("--auth") && refused.contains("--open"),
        "{refused}"
    );
    let refused = refusal(&["--host", "0.0.0.0", "--keys", KEYS, "--osc", "0"]);
    assert!(
        refused.contains("--osc") && refused.contains("--open"),
        "{refused}"
    );
    let refused = refusal(&["--keys", "operator"]);
    assert!(refused.contains("LIMN_KEYS"), "{refused}");
    let refused = refusal(&["--hostname", "show.example"]);
    assert!(
        refused.contains("--hostname") && refused.contains("--auth"),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_lets_everybody_play_and_nobody_rule() {
    let house = House::open(&["--open", "--keys", "operator rule"]);
    let owner = house.begin(json!({})).await;
    assert_eq!(owner.patch(json!({})).await.status, 200);
    assert_eq!(
        house.ask("GET", "/api/sessions", &Value::Null).await.status,
        403
    );
    let source = json!({"source": "pattern:64x64@1"});
    assert_eq!(
        house.ask("POST", "/api/sessions", &source).await.status,
        403
    );
    let rule = [("Authorization", "Bearer rule")];
    let answer = ask(house.address(), "GET", "/api/sessions", &rule, b"").await;
    assert_eq!(answer.status, 200);
    house.close().await;
}
