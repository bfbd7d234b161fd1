//! Sessions over plain HTTP: begin, look, steer, end (PROTOCOLS.md, section 0).

use limn_tests::house::House;
use limn_tests::http::ask;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_begun_steered_and_ended() {
    let house = House::open(&[]);
    let body = json!({"pipeline": "brush", "params": {"red": 5}, "label": "left camera"});
    let answer = house.ask("POST", "/api/sessions", &body).await;
    assert_eq!(answer.status, 201);
    let begun = answer.json();
    assert_eq!(begun["params"]["red"], 5);
    let owner = house
        .begin(json!({"row": "canny", "label": "right camera"}))
        .await;

    let all = house.ask("GET", "/api/sessions", &Value::Null).await.json();
    let labels: Vec<_> = all["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["label"].clone())
        .collect();
    assert_eq!(labels, ["left camera", "right camera"]);
    let path = format!("/api/sessions/{}", owner.id);
    let shown = house.ask("GET", &path, &Value::Null).await;
    assert_eq!(shown.json()["row"], "canny");
    for secret in [owner.control.as_str(), begun["control"].as_str().unwrap()] {
        let shown = String::from_utf8_lossy(&shown.body).into_owned() + &all.to_string();
        assert!(!shown.contains(secret), "a viewer is shown a control token");
    }

    let answer = owner.patch(json!({"low": 30})).await;
    assert_eq!(answer.status, 422);
    let known = house.session(&owner.id).params();
    assert_eq!(owner.ask("DELETE", "", b"").await.status, 204);
    assert!(known.get("width").is_some());
    let gone = house.ask("GET", &path, &Value::Null).await;
    assert_eq!((gone.status, gone.code()), (404, "no_session".into()));
    assert_eq!(owner.patch(json!({})).await.status, 404);
    assert_eq!(owner.ask("DELETE", "", b"").await.status, 404);
    assert_eq!(house.running.store.len(), 1);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_patch_answers_the_whole_set_or_changes_nothing() {
    let house = House::open(&[]);
    let owner = house.begin(json!({"params": {"red": 1, "green": 2}})).await;
    let set = owner.patch(json!({"green": 3, "blue": 4.0})).await;
    assert_eq!(set.status, 200);
    let set = set.json();
    assert_eq!(
        (&set["red"], &set["green"], &set["blue"], &set["width"]),
        (&json!(1), &json!(3), &json!(4), &json!(64))
    );
    for (patch, message) in [
        (
            json!({"red": 9, "green": 300}),
            "parameter `green`: 300 is greater than the maximum of 255",
        ),
        (
            json!({"red": 9, "width": 65}),
            "parameter `width`: 65 is not a multiple of 8",
        ),
        (
            json!({"red": 9, "green": "much"}),
            "parameter `green`: \"much\" is not of type \"integer\"",
        ),
        (
            json!({"red": 9, "colour": 1}),
            "parameter `colour`: no such parameter",
        ),
    ] {
        let refused = owner.patch(patch).await;
        assert_eq!((refused.status, refused.code()), (422, "bad_param".into()));
        let said = refused.message();
        assert!(said.starts_with(message), "{said}");
    }
    let unchanged = owner.patch(json!({})).await.json();
    assert_eq!(unchanged, set);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_steers_without_the_token() {
    let house = House::open(&[]);
    let (owner, other) = (house.begin(json!({})).await, house.begin(json!({})).await);
    let path = format!("/api/sessions/{}", owner.id);
    let wrong = format!("Bearer {}", other.control);
    let headers: [&[(&str, &str)]; 4] = [
        &[],
        &[("Authorization", &wrong)],
        &[("Authorization", "Bearer ")],
        &[("Authorization", &owner.control)],
    ];
    for headers in headers {
        for (method, below, body) in [
            ("PATCH", "/params", r#"{"red": 1}"#),
            ("PATCH", "", r#"{"row": "canny"}"#),
            ("POST", "/frame", "picture"),
            ("DELETE", "", ""),
        ] {
            let path = format!("{path}{below}");
            let answer = ask(house.address(), method, &path, headers, body.as_bytes()).await;
            assert_eq!((answer.status, answer.code()), (403, "no_control".into()));
        }
    }
    let session = house.session(&owner.id);
    assert_eq!(session.choice().row.id, "brush");
    assert_eq!(session.params().as_map()["red"], json!(0));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_label_is_a_short_line() {
    let house = House::open(&[]);
    let owner = house.begin(json!({"label": "left"})).await;
    for label in ["a".repeat(101), "left\r\nX-Evil: 1".to_owned()] {
        let refused = house
            .ask("POST", "/api/sessions", &json!({"label": label}))
            .await;
        assert_eq!((refused.status, refused.code()), (422, "bad_label".into()));
        let change = json!({"label": label, "row": "canny", "on_air": true}).to_string();
        let refused = owner.ask("PATCH", "", change.as_bytes()).await;
        assert_eq!((refused.status, refused.code()), (422, "bad_label".into()));
    }
    assert_eq!(house.running.store.len(), 1, "it begins nothing");
    let session = house.session(&owner.id);
    assert_eq!(session.label().as_deref(), Some("left"));
    assert_eq!(
        (session.choice().row.id, session.agrees()),
        ("brush", false)
    );
    let longest = json!({"label": "ü".repeat(100)}).to_string();
    assert_eq!(owner.ask("PATCH", "", longest.as_bytes()).await.status, 200);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_begins_nothing() {
    let house = House::open(&["--max-sessions", "1"]);
    for (body, code) in [
        (r#"{"row": "nonesuch"}"#, "unknown_pipeline"),
        (r#"{"params": {"red": -1}}"#, "bad_param"),
        (r#"{"params": {"colour": 1}}"#, "bad_param"),
        (r#"{"colour": 1}"#, "bad_request"),
        (r#"{"params": "#, "bad_request"),
        ("hello", "bad_request"),
    ] {
        let answer = ask(
            house.address(),
            "POST",
            "/api/sessions",
            &[],
            body.as_bytes(),
        )
        .await;
        assert_eq!(answer.code(), code, "{body}");
        assert!(
            matches!(answer.status, 400 | 422),
            "{body}: {}",
            answer.status
        );
    }
    assert!(house.running.store.is_empty());
    let answer = house.ask("POST", "/api/sessions", &Value::Null).await;
    assert_eq!(answer.status, 201, "no body at all means the defaults");
    let full = house.ask("POST", "/api/sessions", &json!({})).await;
    assert_eq!((full.status, full.code()), (503, "full".into()));
    assert_eq!(full.header("retry-after"), Some("1"));
    house.close().await;
}
