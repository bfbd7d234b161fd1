//! The server reads pictures by itself: a test pattern, a still, a file, another server's stream; what breaks is tried again,
//! and says so meanwhile.

use std::io::Write;
use std::time::{Duration, Instant};

use limn_tests::alone::alone;
use limn_tests::house::{House, Owner, until};
use limn_tests::http::find;
use limn_tests::mjpeg::Viewer;
use limn_tests::pictures::{BLUE, RED, plain, shows};
use serde_json::{Value, json};

const SIZE: (u32, u32) = (64, 64);

async fn reads(house: &House, source: &str) -> Owner {
    let params = json!({"width": SIZE.0, "height": SIZE.1});
    house
        .begin(json!({"source": source, "params": params}))
        .await
}

async fn sources(house: &House) -> Vec<Value> {
    let answer = house.ask("GET", "/api/sources", &Value::Null).await.json();
    answer["sources"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pattern_moves_and_is_opened_once_for_all() {
    let house = House::open(&["--pipeline", "passthrough", "--idle-timeout", "1"]);
    let (one, other) = (
        reads(&house, "pattern:320x180@20").await,
        reads(&house, "pattern:320x180@20").await,
    );
    let mut viewer = house.watch(&one.id).await;
    let (start, mut seen) = (Instant::now(), std::collections::HashSet::new());
    while seen.len() < 20 {
        seen.insert(viewer.next().await.unwrap().bytes);
    }
    let took = start.elapsed();
    assert!(
        took > Duration::from_millis(800),
        "at its own rate: {took:?}"
    );
    let open = sources(&house).await;
    assert_eq!(open.len(), 1, "{open:?}");
    assert_eq!(
        (&open[0]["state"], &open[0]["readers"]),
        (&json!("running"), &json!(2))
    );
    let public = house
        .ask("GET", &format!("/api/sessions/{}", one.id), &Value::Null)
        .await;
    assert!(
        !String::from_utf8_lossy(&public.body).contains("pattern:"),
        "not for viewers"
    );
    let state = house.ask("GET", "/api/state", &Value::Null).await.json();
    assert_eq!(state["sessions"][0]["source"], "pattern:320x180@20");
    for owner in [&one, &other] {
        owner.ask("DELETE", "", b"").await;
    }
    let start = Instant::now();
    while !sources(&house).await.is_empty() {
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "the last reader closes it"
        );
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flag_puts_a_source_on_air() {
    let folder = tempfile::tempdir().unwrap();
    let still = folder.path().join("red.jpg");
    std::fs::write(&still, plain(RED)).unwrap();
    let source = format!("image:{}", still.display());
    let house = House::open(&["--pipeline", "passthrough", "--source", &source]);
    let mut viewer = Viewer::open(house.address(), "/stream.mjpeg", &[])
        .await
        .unwrap();
    viewer.until(|jpeg| shows(jpeg, RED)).await;
    // Somebody else's camera does not take its place.
    let owner = house.begin(json!({})).await;
    owner.send(&plain(BLUE)).await;
    until("it is painted", || house.count(&owner.id, "painted") == 1).await;
    let program = house.ask("GET", "/api/program", &Value::Null).await.json();
    assert_eq!(program["session"], program["pinned"]);
    assert_ne!(program["session"], json!(owner.id));
    // Whoever may do all may steer it without its token.
    let path = format!(
        "/api/sessions/{}/params",
        program["session"].as_str().unwrap()
    );
    let patched = house.ask("PATCH", &path, &json!({"width": 128})).await;
    assert_eq!(patched.status, 200, "{patched:?}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_plays_once_or_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("clip.mjpeg");
    let mut file = std::fs::File::create(&clip).unwrap();
    for colour in [RED, BLUE].repeat(5) {
        file.write_all(&plain(colour)).unwrap();
    }
    drop(file);
    let house = House::open(&["--pipeline", "passthrough"]);
    let clip = clip.to_str().unwrap();
    let again = reads(&house, &format!("{clip}?loop=1")).await;
    let once = reads(&house, clip).await;
    let mut viewer = house.watch(&again.id).await;
    // More often than the file has pictures.
    for _ in 0..8 {
        viewer.until(|jpeg| shows(jpeg, RED)).await;
        viewer.until(|jpeg| shows(jpeg, BLUE)).await;
    }
    let start = Instant::now();
    loop {
        let open = sources(&house).await;
        if open.iter().any(|source| source["state"] == "ended") {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{open:?}");
    }
    assert!(house.count(&once.id, "painted") >= 5);
    // In a container, a clip that is all read before the first picture is decoded.
    let film = folder.path().join("clip.mkv");
    let film = film.to_str().unwrap();
    let command = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-i", clip, "-c", "copy", film])
        .status();
    assert!(command.unwrap().success());
    let short = reads(&house, film).await;
    until("it is seen", || house.count(&short.id, "painted") >= 5).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_playlist_leads_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let clip = [RED, BLUE].repeat(50).into_iter().flat_map(plain);
    std::fs::write(folder.path().join("clip.mjpeg"), clip.collect::<Vec<_>>()).unwrap();
    let list = folder.path().join("list.ffconcat");
    std::fs::write(&list, "ffconcat version 1.0\nfile clip.mjpeg\n").unwrap();
    let house = House::open(&["--pipeline", "passthrough"]);
    let owner = reads(&house, &list.display().to_string()).await;
    let start = Instant::now();
    while sources(&house).await[0]["state"] != "reconnecting" {
        assert!(start.elapsed() < Duration::from_secs(20), "it is read");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(house.count(&owner.id, "received"), 0);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_servers_stream_and_a_placard_while_it_is_away() {
    let house = House::open(&["--pipeline", "passthrough"]);
    let camera = house.begin(json!({})).await;
    camera.send(&plain(RED)).await;
    let stream = format!(
        "http://{}/api/sessions/{}/stream.mjpeg?fps=20",
        house.address(),
        camera.id
    );
    let copy = reads(&house, &stream).await;
    let mut viewer = house.watch(&copy.id).await;
    viewer.until(|jpeg| shows(jpeg, RED)).await;
    camera.send(&plain(BLUE)).await;
    viewer.until(|jpeg| shows(jpeg, BLUE)).await;
    camera.ask("DELETE", "", b"").await;
    loop {
        let part = viewer.part().await.expect("the stream goes on");
        if find(&part.headers, "x-limn-placard") == Some("reconnecting") {
            break;
        }
    }
    assert_eq!(sources(&house).await[0]["state"], "reconnecting");
    house.close().await;
}

/// Cameras carry their passwords in the path and the query as well; two of one host read the same and are two.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_camera_the_host_is_shown_and_no_more() {
    let house = House::open(&["--pipeline", "passthrough", "--max-sessions", "0"]);
    let camera = |secret: &str| format!("http://me:{secret}@127.0.0.1:9/{secret}?pwd={secret}");
    for secret in ["canary1", "canary2"] {
        reads(&house, &camera(secret)).await;
    }
    let start = Instant::now();
    while !sources(&house)
        .await
        .iter()
        .all(|source| source["state"] == "reconnecting")
    {
        assert!(start.elapsed() < Duration::from_secs(20), "nobody is there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let open = sources(&house).await;
    assert_eq!(open.len(), 2);
    let state = house.ask("GET", "/api/state", &Value::Null).await.json();
    for shown in open.iter().chain(state["sessions"].as_array().unwrap()) {
        assert_eq!(shown["source"], "http://127.0.0.1:9/…");
    }
    let said = json!([open, state]).to_string();
    assert!(!said.contains("canary"), "{said}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_source_begins_nothing() {
    let house = House::open(&["--pipeline", "passthrough"]);
    for source in ["nowhere.mp4", "gopher://me:secret@host", "pattern:1x1"] {
        let answer = house
            .ask("POST", "/api/sessions", &json!({ "source": source }))
            .await;
        assert_eq!((answer.status, answer.code()), (422, "bad_source".into()));
        assert!(!answer.message().contains("secret"), "{}", answer.message());
    }
    assert!(house.running.store.is_empty());
    house.close().await;
}

/// The first row is loaded, and no thread of the start goes any more.
async fn warm(house: &House) {
    while house.ask("GET", "/readyz", &Value::Null).await.status != 200 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_there_is_no_thread_to_be_had_that_is_answered() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    const NAME: &str =
        "sources_are_read_by_the_server::where_there_is_no_thread_to_be_had_that_is_answered";
    if !alone(NAME, &[]) {
        return;
    }
    let house = House::open(&["--pipeline", "passthrough"]);
    warm(&house).await;
    let before = getrlimit(Resource::As);
    // No room for one more stack, beside those that are kept for the next threads: these are taken first.
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split(' ').next().unwrap().parse().unwrap();
    let current = Some(pages * rustix::param::page_size() as u64 + (1 << 20));
    setrlimit(Resource::As, Rlimit { current, ..before }).unwrap();
    let sleeper = || std::thread::Builder::new().spawn(std::thread::park).ok();
    let sleepers: Vec<_> = std::iter::from_fn(sleeper).collect();
    let body = json!({"source": "ndi:nobody"});
    let refused = house.ask("POST", "/api/sessions", &body).await;
    setrlimit(Resource::As, before).unwrap();
    for sleeper in sleepers {
        sleeper.thread().unpark();
    }
    assert_eq!(
        (refused.status, refused.code()),
        (503, "source_unavailable".into())
    );
    assert!(house.running.store.is_empty());
    house.begin(body).await;
    house.close().await;
}
