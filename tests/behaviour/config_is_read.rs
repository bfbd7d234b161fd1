//! Flags, environment and TOML say the same things: a flag beats a variable, that the nearest peer's name for it, that the
//! file, that the default.

use std::time::Duration;

use limn_server::Config;
use limn_tests::alone::alone;
use limn_tests::house::House;
use serde_json::json;

fn file(name: &str, text: &str) -> String {
    let path = std::env::temp_dir().join(format!("limn-{name}-{}.toml", std::process::id()));
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_flag_beats_a_variable_and_so_on_down() {
    let variables = [
        ("LIMN_MAX_SESSIONS", "11"),
        ("LIMN_JPEG_QUALITY", "50"),
        ("LIMN_MIRROR", "true"),
        ("MAX_QUEUE_SIZE", "22"),
        ("TIMEOUT", "33"),
        ("PORT", "4444"),
        ("HOST", "127.0.0.2"),
        ("USE_TAESD", "False"),
    ];
    let name = "config_is_read::a_flag_beats_a_variable_and_so_on_down";
    if !alone(name, &variables) {
        return;
    }
    let path = file(
        "order",
        "max-sessions = 1\ntimeout = 2.5\nidle_timeout = 7\nport = 3\njpeg-quality = 5\nfit = \"letterbox\"\nrotate = 90\n",
    );
    let args = ["server", "--config", &path, "--jpeg-quality", "60"];
    let config = Config::read(args).unwrap();
    assert_eq!(config.encode.jpeg_quality, 60, "the flag");
    assert_eq!(config.session.max_sessions, 11, "our variable");
    assert!(config.ingest.mirror, "our variable");
    assert_eq!(config.http.port, 4444, "the peer's variable");
    assert_eq!(config.http.host.to_string(), "127.0.0.2", "the peer's");
    assert!(config.inference.no_taesd, "the peer's");
    assert_eq!(
        config.session.timeout,
        Duration::from_secs(33),
        "the peer's"
    );
    assert_eq!(
        config.session.idle_timeout,
        Duration::from_secs(7),
        "the file"
    );
    assert_eq!(format!("{:?}", config.ingest.rotate), "Quarter", "the file");
    assert_eq!(config.session.max_fps, 60.0, "the default");
    std::fs::remove_file(path).unwrap();
}

#[test]
fn the_defaults_are_those_that_are_promised() {
    if !alone(
        "config_is_read::the_defaults_are_those_that_are_promised",
        &[],
    ) {
        return;
    }
    // The peer's variables are common names, which a shell may have set for itself.
    let config = Config::defaults();
    assert_eq!(config.http.host.to_string(), "127.0.0.1");
    assert_eq!(config.http.port, 7860);
    assert_eq!(config.session.max_sessions, 4);
    assert_eq!(config.session.timeout, Duration::ZERO);
    assert_eq!(config.session.idle_timeout, Duration::from_secs(60));
    assert_eq!(config.session.max_fps, 60.0);
    assert_eq!(config.encode.jpeg_quality, 85);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (text, words) in [
        ("colour = 1\n", "unknown key `colour`"),
        ("port = [1]\n", "`port` is a array, expected a single value"),
        ("port = \n", "TOML parse error at line 1"),
        ("port = 99999\n", "99999"),
        ("fit = \"stretch\"\n", "possible values: crop, letterbox"),
        ("config = \"other.toml\"\n", "unknown key `config`"),
    ] {
        let path = file("wrong", text);
        let error = Config::read(["server", "--config", &path]).unwrap_err();
        let error = error.to_string();
        assert!(error.contains(words), "{text}: {error}");
        std::fs::remove_file(path).unwrap();
    }
    let error = Config::read(["server", "--config", "/nonexistent.toml"]).unwrap_err();
    assert!(error.to_string().contains("/nonexistent.toml"), "{error}");
    for flags in [
        ["--jpeg-quality", "0"],
        ["--max-fps", "0"],
        ["--timeout", "soon"],
        ["--rotate", "45"],
        ["--host", "nowhere"],
    ] {
        let error = Config::read(["server"].iter().chain(&flags)).unwrap_err();
        assert!(error.to_string().contains(flags[0]), "{error}");
    }
}

#[test]
fn a_refused_source_is_told_without_its_password() {
    let refusal = |args: &[&str]| Config::read(args).unwrap_err().to_string();
    let path = file("source", "source = \"rtsp://me:ca/nary@cam/live\"\n");
    for said in [
        refusal(&["server", "--source", "gopher://me:canary@cam"]),
        refusal(&["server", "--config", &path]),
    ] {
        assert!(said.contains("`--source`"), "{said}");
        assert!(!said.contains("nary"), "{said}");
    }
    std::fs::remove_file(path).unwrap();
}

/// Plain http under the name of https would send the control cookie in the clear.
#[tokio::test]
async fn a_certificate_without_its_key_is_no_plain_http() {
    let path = file("half", "port = 0\nssl-certfile = \"certificate.pem\"\n");
    let refused = match Config::read(["server", "--config", &path]) {
        Err(error) => error.to_string(),
        Ok(config) => match limn_server::start(&config, limn_tests::painters::REGISTRY) {
            Err(error) => format!("{error:#}"),
            Ok(running) => panic!("it listens on {}", running.address),
        },
    };
    assert!(refused.contains("ssl-keyfile"), "{refused}");
    std::fs::remove_file(path).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_page_is_served_from_its_folder_and_nothing_beside_it() {
    let folder = std::env::temp_dir().join(format!("limn-page-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("page")).unwrap();
    std::fs::write(folder.join("page/index.html"), "<title>theirs</title>").unwrap();
    std::fs::write(folder.join("secret"), "secret").unwrap();
    let page = folder.join("page");
    let house = House::open(&["--frontend", page.to_str().unwrap()]);
    let index = house.ask("GET", "/", &json!(null)).await;
    assert_eq!(index.status, 200);
    assert_eq!(
        index.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(index.body, b"<title>theirs</title>");
    for path in [
        "/../secret",
        "/%2e%2e/secret",
        "/..%2fsecret",
        "//secret",
        "/./../secret",
    ] {
        let answer = house.ask("GET", path, &json!(null)).await;
        assert_eq!(
            (answer.status, answer.code()),
            (404, "no_route".into()),
            "{path}"
        );
    }
    house.close().await;
    std::fs::remove_dir_all(folder).unwrap();
}
