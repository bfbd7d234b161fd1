//! What the metrics say is what happened, and the dashboard asks for what there is.

use limn_tests::house::{House, until};
use limn_tests::pictures::plain;
use serde_json::{Value, json};

/// The value of a series, named as in the text.
fn value(text: &str, series: &str) -> f64 {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.and_then(|line| line.parse().ok())
        .unwrap_or_else(|| panic!("no {series} in\n{text}"))
}

async fn metrics(house: &House) -> String {
    let answer = house.ask("GET", "/metrics", &Value::Null).await;
    assert_eq!(answer.status, 200);
    let kind = answer.header("content-type").unwrap();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    String::from_utf8(answer.body).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_viewers_and_answers_are_counted() {
    let house = House::open(&[]);
    let owner = house
        .begin(json!({"label": "secret label", "params": {"prompt": "copy"}}))
        .await;
    let mut viewer = house.watch(&owner.id).await;
    for shade in 1..=5u8 {
        owner.send(&plain([shade * 40, 9, 9])).await;
        viewer
            .until(|jpeg| limn_tests::pictures::shows(jpeg, [shade * 40, 9, 9]))
            .await;
    }
    owner.send(b"no picture").await;
    until("it is refused", || house.count(&owner.id, "refused") == 1).await;
    assert_eq!(owner.patch(json!({"nonesuch": 1})).await.status, 422);
    let text = metrics(&house).await;
    assert!(
        text.ends_with("# EOF\n") && !text.contains("secret"),
        "{text}"
    );
    for (series, count) in [
        ("limn_frames_total{fate=\"received\"}", 6.0),
        ("limn_frames_total{fate=\"painted\"}", 5.0),
        ("limn_frames_total{fate=\"encoded\"}", 5.0),
        ("limn_frames_total{fate=\"refused\"}", 1.0),
        ("limn_sessions", 1.0),
        ("limn_viewers", 1.0),
        ("limn_players_waiting", 0.0),
        ("limn_sessions_begun_total", 1.0),
        ("limn_http_answers_total{status=\"422\"}", 1.0),
        ("limn_device_restarts_total", 0.0),
        ("limn_stage_seconds_count{stage=\"paint\"}", 5.0),
        ("limn_latency_seconds_count", 5.0),
    ] {
        assert_eq!(value(&text, series), count, "{series} in\n{text}");
    }
    let sent = value(&text, "limn_parts_sent_total");
    assert!(sent >= 5.0 && value(&text, "limn_viewer_latency_seconds_count") <= sent);
    assert!(value(&text, "limn_sent_bytes_total") > 1000.0);
    assert!(value(&text, "limn_resident_memory_bytes") > 1e6);
    let megabytes = |series| value(&text, series) / f64::from(1 << 20);
    assert_eq!(megabytes("limn_device_memory_used_bytes"), 3.0);
    assert_eq!(megabytes("limn_device_memory_total_bytes"), 5.0);
    drop(viewer);
    owner.ask("DELETE", "", b"").await;
    let text = metrics(&house).await;
    assert_eq!(
        value(&text, "limn_sessions_ended_total{reason=\"left\"}"),
        1.0
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_frame_has_one_fate() {
    let house = House::open(&[]);
    let owner = house.begin(json!({"params": {"prompt": "fail"}})).await;
    for shade in 1..=3u8 {
        owner.send(&plain([shade * 40, 9, 9])).await;
        let refused = u64::from(shade);
        until("it fails", || house.count(&owner.id, "refused") == refused).await;
    }
    owner.patch(json!({"prompt": "copy"})).await;
    until("it is painted anew", || {
        house.count(&owner.id, "painted") == 1
    })
    .await;
    owner.patch(json!({"millis": 5000})).await;
    until("it is taken anew", || house.count(&owner.id, "again") == 2).await;
    // Nobody waits for what paints for five seconds once another row is chosen.
    owner.ask("PATCH", "", br#"{"row": "passthrough"}"#).await;
    until("the other row paints", || {
        house.count(&owner.id, "painted") == 2
    })
    .await;
    owner.ask("PATCH", "", br#"{"row": "brush"}"#).await;
    owner.ask("DELETE", "", b"").await;
    let count =
        |text: &str, fate: &str| value(text, &format!("limn_frames_total{{fate=\"{fate}\"}}"));
    let overtaken = |text: &str, before: &str| {
        value(
            text,
            &format!("limn_frames_overtaken_total{{before=\"{before}\"}}"),
        )
    };
    let start = std::time::Instant::now();
    loop {
        let text = metrics(&house).await;
        let came = count(&text, "received") + count(&text, "again");
        let gone: f64 = ["painted", "unchanged", "refused", "withdrawn"]
            .iter()
            .map(|fate| count(&text, fate))
            .sum();
        let gone = gone + overtaken(&text, "prepare") + overtaken(&text, "paint");
        if came == gone && overtaken(&text, "paint") >= 1.0 {
            break;
        }
        assert!(start.elapsed() < limn_tests::house::PATIENCE, "{text}");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_dashboard_asks_for_what_there_is() {
    let house = House::open(&[]);
    let owner = house.begin(json!({})).await;
    owner.send(&plain([9, 9, 9])).await;
    until("it is painted", || house.count(&owner.id, "painted") == 1).await;
    let text = metrics(&house).await;
    let dashboard = include_str!("../../docs/grafana.json");
    let dashboard: Value = serde_json::from_str(dashboard).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut asked = 0;
    for panel in panels {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let words = target["expr"].as_str().unwrap();
            let names = words.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            for name in names.filter(|name| name.starts_with("limn_")) {
                let kinds = ["_total", "_bucket", "_count", "_sum", "_info"];
                let family = kinds
                    .iter()
                    .find_map(|kind| name.strip_suffix(kind))
                    .unwrap_or(name);
                assert!(
                    text.contains(&format!("# HELP {family} ")),
                    "{name} in {words}\n{text}"
                );
                asked += 1;
            }
        }
    }
    assert!(asked > 10, "{asked}");
    house.close().await;
}
