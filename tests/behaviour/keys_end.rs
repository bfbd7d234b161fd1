//! A key that is taken away ends what it began and what it watched; and the name of a session that has ended stays its owner's.

use std::time::Duration;

use limn_tests::house::{House, Owner, until};
use limn_tests::http::{ask, begin};
use limn_tests::mjpeg::Viewer;
use limn_tests::pictures::{BLUE, RED, plain};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_key_began_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    let write = |keys: &str| std::fs::write(&path, format!("operator rule\n{keys}")).unwrap();
    write("player paint\nplayer stay\nviewer look\n");
    let house = House::open(&["--auth", path.to_str().unwrap()]);
    let address = house.address();
    let owner = async |key: &str| {
        let bearer = format!("Bearer {key}");
        let headers = [("Authorization", bearer.as_str())];
        let answer = ask(address, "POST", "/api/sessions", &headers, b"").await;
        assert_eq!(answer.status, 201, "{answer:?}");
        Owner::of(address, &answer.json())
    };
    let (gone, stays) = (owner("paint").await, owner("stay").await);
    let watch = async |key: &str| {
        let path = format!("/api/sessions/{}/stream.mjpeg", stays.id);
        let bearer = format!("Bearer {key}");
        Viewer::open(address, &path, &[("Authorization", &bearer)])
            .await
            .unwrap()
    };
    let (mut looker, mut ruler) = (watch("look").await, watch("rule").await);
    stays.send(&plain(RED)).await;
    looker.until(|_| true).await;
    ruler.until(|_| true).await;
    write("player stay\n");
    house.running.access.reload().unwrap();
    until("its session has ended", || house.running.store.len() == 1).await;
    assert_eq!(gone.patch(json!({})).await.status, 403);
    let ended = async { while looker.next().await.is_some() {} };
    tokio::time::timeout(Duration::from_secs(10), ended)
        .await
        .expect("its stream has ended");
    // Nobody else notices.
    stays.send(&plain(BLUE)).await;
    ruler.until(|_| true).await;
    assert_eq!(stays.patch(json!({})).await.status, 200);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_else_is_shown_under_the_name_of_a_session_that_has_ended() {
    let house = House::open(&["--keys", "operator rule; player one; player two"]);
    let address = house.address();
    let name = "0123456789abcdef";
    let socket = async |key: &str, more: &[(&str, &str)]| {
        let bearer = format!("Bearer {key}");
        let mut headers = vec![
            ("Authorization", bearer.as_str()),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        headers.extend_from_slice(more);
        let path = format!("/api/ws/{name}");
        begin(address, "GET", &path, &headers).await
    };
    let end = async || {
        let path = format!("/api/sessions/{name}");
        let rule = [("Authorization", "Bearer rule")];
        ask(address, "DELETE", &path, &rule, b"").await;
        until("it has ended", || house.running.store.is_empty()).await;
    };
    let first = socket("one", &[]).await;
    assert_eq!(first.status, 101);
    let cookie = first.header("set-cookie").unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    end().await;
    let other = socket("two", &[]).await;
    assert_eq!((other.status, other.code().as_str()), (409, "taken"));
    // The token of the one that has ended shows that it is the same owner, whatever the key.
    assert_eq!(socket("two", &[("Cookie", &cookie)]).await.status, 101);
    end().await;
    assert_eq!(socket("one", &[]).await.status, 409);
    assert_eq!(socket("two", &[]).await.status, 101);
    end().await;
    assert_eq!(socket("rule", &[]).await.status, 101);
    house.close().await;
}
