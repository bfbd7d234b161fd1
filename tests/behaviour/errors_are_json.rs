//! Whatever is refused is refused as `{"error": {"code", "message", "hint"}}`.

use limn_tests::house::House;
use limn_tests::http::ask;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_refusal_has_the_one_shape() {
    let house = House::open(&[]);
    let owner = house.begin(json!({})).await;
    let session = format!("/api/sessions/{}", owner.id);
    let below = |path: &str| format!("{session}{path}");
    let bearer = format!("Bearer {}", owner.control);
    let long = format!("{{\"prompt\": \"{}\"}}", "a".repeat(2 << 20));
    let cases: [(&str, String, &str, u16, &str); 14] = [
        ("GET", "/api/nonesuch".into(), "", 404, "no_route"),
        ("GET", "/nonesuch.html".into(), "", 404, "no_route"),
        ("GET", "/../Cargo.toml".into(), "", 404, "no_route"),
        ("POST", "/api/nonesuch".into(), "{}", 404, "no_route"),
        ("PUT", "/api/sessions".into(), "{}", 405, "no_method"),
        ("GET", "/api/sessions/none".into(), "", 404, "no_session"),
        (
            "GET",
            "/api/sessions/none/events".into(),
            "",
            404,
            "no_session",
        ),
        (
            "POST",
            "/api/sessions".into(),
            "{\"row\": ",
            400,
            "bad_request",
        ),
        ("POST", "/api/sessions".into(), "[1]", 400, "bad_request"),
        ("POST", "/api/sessions".into(), &long, 413, "too_large"),
        ("PATCH", below("/params"), "[1]", 400, "bad_request"),
        ("PATCH", below("/params"), &long, 413, "too_large"),
        (
            "PATCH",
            below(""),
            r#"{"on_fire": true}"#,
            400,
            "bad_request",
        ),
        (
            "GET",
            below("/stream.mjpeg?wire=copper"),
            "",
            400,
            "bad_request",
        ),
    ];
    for (method, path, body, status, code) in cases {
        let headers = [("Authorization", bearer.as_str())];
        let answer = ask(house.address(), method, &path, &headers, body.as_bytes()).await;
        let at = format!("{method} {path}");
        assert_eq!(answer.status, status, "{at}");
        assert_eq!(answer.code(), code, "{at}");
        let error = &answer.json()["error"];
        assert!(error.get("hint").is_some(), "{at}");
        let message = error["message"].as_str().unwrap();
        assert!(
            message.starts_with(|first: char| !first.is_uppercase()) && !message.ends_with('.'),
            "{at}: {message}"
        );
        assert!(message.len() < 1000, "{at}: {} bytes", message.len());
    }
    assert_eq!(house.running.store.len(), 1);
    let answer = ask(house.address(), "PUT", "/api/sessions", &[], b"").await;
    assert_eq!(answer.header("allow"), Some("GET, POST"));
    house.close().await;
}
