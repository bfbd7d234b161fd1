//! `POST /api/generate`: a script sends one picture and gets one, and nothing is left of it.

use limn_tests::house::{House, until};
use limn_tests::http;
use limn_tests::pictures::{RED, plain, shows};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_script_sends_one_picture_and_gets_one() {
    let house = House::open(&["--pipeline", "passthrough", "--max-sessions", "1"]);
    let ask = async |query: &str, body: &[u8]| {
        let path = format!("/api/generate{query}");
        http::ask(house.address(), "POST", &path, &[], body).await
    };
    for _ in 0..3 {
        let answer = ask("?width=64&height=64", &plain(RED)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(shows(&answer.body, RED));
        until("its place is free", || house.running.store.is_empty()).await;
    }
    // From words alone, with words that look like a number.
    let painted = ask("?row=words&prompt=12", b"").await;
    assert_eq!(painted.status, 200, "{painted:?}");
    for (query, body, status, code) in [
        ("?row=nothing", &b""[..], 422, "unknown_pipeline"),
        ("?width=65", &plain(RED)[..], 422, "bad_param"),
        ("?colour=red", &plain(RED)[..], 422, "bad_param"),
        ("", b"", 422, "bad_picture"),
        ("", b"no picture", 422, "bad_picture"),
    ] {
        let answer = ask(query, body).await;
        assert_eq!(
            (answer.status, answer.code()),
            (status, code.into()),
            "{query}"
        );
        until("its place is free", || house.running.store.is_empty()).await;
    }
    house.close().await;
}
