//! Cameras and viewers that are cut off in the middle of a frame, a hundred times over, leave nothing behind.

use limn_tests::alone::alone;
use limn_tests::house::{House, until};
use limn_tests::mjpeg::Viewer;
use limn_tests::pictures::noise;
use serde_json::json;
use tokio::runtime::Handle;

fn files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

/// Kibibytes of memory in use (`VmRSS` of proc_pid_status(5)).
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS"));
    let words = line.unwrap().split_whitespace().nth(1);
    words.unwrap().parse().unwrap()
}

/// One session of a few frames; `number` says who is cut off, and how. Answers a viewer that stays behind.
async fn killed(house: &House, number: u32) -> Option<Viewer> {
    let key = format!("{number:016}");
    let mut camera = house.camera(&key).await;
    let mut viewer = house.watch(&key).await;
    let picture = noise(128, number);
    for frame in 0..3 {
        let params = json!({"prompt": "copy", "red": frame});
        camera.frame(&params, &picture).await;
    }
    viewer.next().await.unwrap();
    if number % 3 != 1 {
        camera.status("send_frame").await;
        camera.say(&json!({"status": "next_frame"})).await;
        camera.say(&json!({})).await;
        camera.die_in_the_middle(&picture).await;
    } else {
        drop(viewer);
        camera.frame(&json!({"red": 9}), &picture).await;
        camera.leave().await;
        return None;
    }
    number.is_multiple_of(3).then_some(viewer)
}

async fn all_gone(house: &House) {
    until("no session is left", || house.running.store.is_empty()).await;
    until("the device remembers none", || {
        house.running.inference.open_sessions() == 0
    })
    .await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_tasks_files_and_memory_are_as_before() {
    const NAME: &str = "hundred_kills_leak_nothing::sessions_tasks_files_and_memory_are_as_before";
    if !alone(NAME, &[]) {
        return;
    }
    let house = House::open(&["--max-sessions", "0", "--idle-timeout", "4"]);
    // A few first, so that what is made once and kept is there before anything is counted.
    for number in 0..9 {
        drop(killed(&house, number).await);
    }
    all_gone(&house).await;
    let (files_before, tasks_before) = (files(), tasks());
    let memory_before = memory();
    let mut behind = Vec::new();
    for ten in 0..10 {
        let kills = (0..10).map(|one| killed(&house, 100 + ten * 10 + one));
        behind.extend(futures_util::future::join_all(kills).await);
    }
    // Those whose camera is gone see their stream end when the session is given up.
    for viewer in behind.into_iter().flatten() {
        viewer.finish().await;
    }
    all_gone(&house).await;
    until("the tasks are as before", || tasks() <= tasks_before).await;
    until("the files are as before", || files() <= files_before).await;
    let grown = memory().saturating_sub(memory_before);
    // A hundred sessions that were kept would hold a hundred pictures, raw and compressed, and a road each; allocators
    // keep some of what they were given.
    assert!(grown < 16 << 10, "memory grew by {grown} KiB");
    let path = "/api/sessions/0000000000000100/stream.mjpeg";
    let answer = Viewer::open(house.address(), path, &[])
        .await
        .err()
        .unwrap();
    assert_eq!(answer.status, 404);
    house.close().await;
}
