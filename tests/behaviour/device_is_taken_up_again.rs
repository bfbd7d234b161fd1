//! The device's process dies, or hangs: another is begun, sessions wait and go on with what they had, viewers keep their
//! streams.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use limn_tests::house::{Owner, PATIENCE};
use limn_tests::http::{Answer, ask};
use limn_tests::mjpeg::{Listener, Viewer};
use limn_tests::painters;
use limn_tests::pictures::{BLUE, GREEN, RED, plain, shows};
use serde_json::{Value, json};

fn libraries() -> String {
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/../.libtorch/torch/lib");
    match std::env::var("LD_LIBRARY_PATH") {
        Ok(others) => format!("{others}:{own}"),
        Err(_) => own.to_owned(),
    }
}

/// A server that is a process of its own, as people's are.
struct Easel {
    child: Child,
    address: SocketAddr,
}

impl Easel {
    async fn start(flags: &[&str]) -> Self {
        Self::of_mood(flags, Path::new("/nonexistent")).await
    }

    /// `mood` is the file that says how [`Fickle`](painters::Fickle) is loaded.
    async fn of_mood(flags: &[&str], mood: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let child = Command::new(env!("CARGO_BIN_EXE_easel"))
            .args(["--port", &port.to_string()])
            .args(flags)
            // Built with libtorch, it lies elsewhere than the tests, whose way to it leads past.
            .env("LD_LIBRARY_PATH", libraries())
            .env(painters::MOOD, mood)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let easel = Self { child, address };
        let start = Instant::now();
        while tokio::net::TcpStream::connect(address).await.is_err() {
            assert!(start.elapsed() < PATIENCE, "it does not listen");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        easel.until_ready("ready").await;
        easel
    }

    async fn get(&self, path: &str) -> Answer {
        ask(self.address, "GET", path, &[], b"").await
    }

    async fn until_ready(&self, status: &str) {
        let start = Instant::now();
        while self.get("/readyz").await.json()["status"] != status {
            assert!(start.elapsed() < PATIENCE, "never {status}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn begin(&self, body: Value) -> Owner {
        let answer = ask(
            self.address,
            "POST",
            "/api/sessions",
            &[],
            body.to_string().as_bytes(),
        )
        .await;
        assert_eq!(answer.status, 201, "{answer:?}");
        Owner::of(self.address, &answer.json())
    }

    async fn watch(&self, owner: &Owner) -> Viewer {
        let path = format!("/api/sessions/{}/stream.mjpeg", owner.id);
        Viewer::open(self.address, &path, &[]).await.unwrap()
    }

    async fn restarts(&self) -> u64 {
        let text = String::from_utf8(self.get("/metrics").await.body).unwrap();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("limn_device_restarts_total "));
        line.unwrap().parse().unwrap()
    }

    /// The process that paints: the one child of this server's.
    fn painter(&self) -> i32 {
        let id = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        let all: String = match children {
            Ok(children) if !children.trim().is_empty() => children,
            _ => {
                // A thread may have started it.
                let tasks = std::fs::read_dir(format!("/proc/{id}/task")).unwrap();
                let texts = tasks.map(|task| {
                    std::fs::read_to_string(task.unwrap().path().join("children"))
                        .unwrap_or_default()
                });
                texts.collect()
            }
        };
        all.trim()
            .parse()
            .unwrap_or_else(|_| panic!("the children are `{all}`"))
    }
}

impl Easel {
    fn kill(&self) {
        let painter = rustix::process::Pid::from_raw(self.painter()).unwrap();
        rustix::process::kill_process(painter, rustix::process::Signal::KILL).unwrap();
    }
}

impl Drop for Easel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_dies_and_nobody_loses_anything() {
    let easel = Easel::start(&[]).await;
    let owner = easel
        .begin(json!({"params": {"prompt": "copy", "seed": 7}}))
        .await;
    let mut viewer = easel.watch(&owner).await;
    let mut events = Listener::open(easel.address, &owner.id, Some(&owner.control)).await;
    owner.send(&plain(RED)).await;
    viewer.until(|jpeg| shows(jpeg, RED)).await;
    easel.kill();
    // The next picture is one that nobody paints, until somebody does.
    owner.send(&plain(BLUE)).await;
    viewer.until(|jpeg| shows(jpeg, BLUE)).await;
    assert_eq!(easel.restarts().await, 1);
    easel.until_ready("ready").await;
    let session = easel
        .get(&format!("/api/sessions/{}", owner.id))
        .await
        .json();
    assert_eq!(session["id"], owner.id.as_str());
    let set = owner.patch(json!({})).await.json();
    assert_eq!((&set["seed"], &set["prompt"]), (&json!(7), &json!("copy")));
    drop(events.status("stats").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_hangs_and_is_begun_anew() {
    let easel = Easel::start(&["--device-timeout", "1"]).await;
    let owner = easel.begin(json!({"params": {"prompt": "copy"}})).await;
    let mut viewer = easel.watch(&owner).await;
    let mut events = Listener::open(easel.address, &owner.id, Some(&owner.control)).await;
    owner.send(&plain(GREEN)).await;
    viewer.until(|jpeg| shows(jpeg, GREEN)).await;
    owner.patch(json!({"prompt": "hang"})).await;
    easel.until_ready("recovering").await;
    events.status("recovering").await;
    owner.patch(json!({"prompt": "copy"})).await;
    owner.send(&plain(RED)).await;
    viewer.until(|jpeg| shows(jpeg, RED)).await;
    assert!(easel.restarts().await >= 1);
    easel.until_ready("ready").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whose_frames_kill_it_comes_ever_more_rarely_and_the_others_paint() {
    let easel = Easel::start(&[]).await;
    let victim = easel.begin(json!({"params": {"prompt": "copy"}})).await;
    let culprit = easel.begin(json!({"params": {"prompt": "abort"}})).await;
    let mut viewer = easel.watch(&victim).await;
    culprit.send(&plain(RED)).await;
    let start = Instant::now();
    let mut painted = 0;
    while start.elapsed() < Duration::from_secs(6) {
        let colour = [RED, GREEN, BLUE][painted % 3];
        victim.send(&plain(colour)).await;
        viewer.until(|jpeg| shows(jpeg, colour)).await;
        painted += 1;
    }
    let restarts = easel.restarts().await;
    assert!((2..=6).contains(&restarts), "{restarts}");
    assert!(painted > 20, "{painted}");
    culprit.patch(json!({"prompt": "copy"})).await;
    let mut theirs = easel.watch(&culprit).await;
    theirs.until(|jpeg| shows(jpeg, RED)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_ends_with_its_server() {
    let mut easel = Easel::start(&[]).await;
    let painter = easel.painter();
    easel.child.kill().unwrap();
    easel.child.wait().unwrap();
    let start = Instant::now();
    while std::path::Path::new(&format!("/proc/{painter}/cmdline")).exists()
        && !std::fs::read(format!("/proc/{painter}/cmdline"))
            .unwrap_or_default()
            .is_empty()
    {
        assert!(start.elapsed() < PATIENCE, "it is still there");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_does_nothing_any_more_is_left_to_another_process() {
    let easel = Easel::start(&[]).await;
    let owner = easel.begin(json!({"params": {"prompt": "lost"}})).await;
    let mut viewer = easel.watch(&owner).await;
    owner.send(&plain(RED)).await;
    let start = Instant::now();
    while easel.restarts().await == 0 {
        assert!(start.elapsed() < PATIENCE, "the process goes on");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    owner.patch(json!({"prompt": "copy"})).await;
    viewer.until(|jpeg| shows(jpeg, RED)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_whose_loading_ends_the_process_takes_nobody_along_for_long() {
    let folder = tempfile::tempdir().unwrap();
    let mood = folder.path().join("mood");
    std::fs::write(&mood, "abort").unwrap();
    let easel = Easel::of_mood(&[], &mood).await;
    let victim = easel.begin(json!({"params": {"prompt": "copy"}})).await;
    let culprit = easel.begin(json!({"row": "fickle"})).await;
    let mut events = Listener::open(easel.address, &culprit.id, Some(&culprit.control)).await;
    culprit.send(&plain(RED)).await;
    let told = events.status("refused").await;
    assert!(
        told["message"]
            .as_str()
            .unwrap()
            .contains("ended each time"),
        "{told}"
    );
    assert_eq!(easel.restarts().await, 2);
    let mut viewer = easel.watch(&victim).await;
    for colour in [RED, GREEN, BLUE] {
        victim.send(&plain(colour)).await;
        viewer.until(|jpeg| shows(jpeg, colour)).await;
    }
    easel.until_ready("ready").await;
    assert_eq!(easel.restarts().await, 2);
}

/// The row is there; the process dies; `mood` keeps the row from being there again, until it changes.
async fn is_read_again_after(mood: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mood");
    let flags = ["--pipeline", "fickle", "--device-timeout", "1"];
    let easel = Easel::of_mood(&flags, &path).await;
    let [red, green, blue] = RED;
    let params = json!({"red": red, "green": green, "blue": blue});
    let owner = easel.begin(json!({ "params": params })).await;
    let mut viewer = easel.watch(&owner).await;
    std::fs::write(&path, mood).unwrap();
    easel.kill();
    easel.until_ready("recovering").await;
    owner.send(&plain(BLUE)).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    easel.until_ready("recovering").await;
    std::fs::remove_file(&path).unwrap();
    viewer.until(|jpeg| shows(jpeg, RED)).await;
    easel.until_ready("ready").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_again_is_tried_until_it_can() {
    is_read_again_after("fail").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reading_again_may_not_take_for_ever() {
    is_read_again_after("hang").await;
}
