//! The hub beside a server of our own that answers as it does.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::*;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const UNET: Wants<'static> = Wants {
    parts: &["unet"],
    variant: None,
};

/// Serves `owner/small`; remembers what was asked for. Other names are 404, and `owner/gated` 401 without the token.
fn serve(files: BTreeMap<&'static str, &'static str>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            answer(stream, &files, &log);
        }
    });
    (address, asked)
}

fn answer(
    mut stream: TcpStream,
    files: &BTreeMap<&'static str, &'static str>,
    log: &Mutex<Vec<String>>,
) {
    let mut lines = BufReader::new(stream.try_clone().unwrap())
        .lines()
        .map_while(Result::ok);
    // A connection that is opened and closed is the look whether we are there.
    let Some(request) = lines.next() else { return };
    let headers: Vec<String> = lines
        .take_while(|line| !line.is_empty())
        .map(|line| line.to_lowercase())
        .collect();
    let path = request.split(' ').nth(1).unwrap().to_owned();
    log.lock().unwrap().push(path.clone());
    let has = |header: &str| headers.iter().any(|line| line == header);
    let found = path
        .strip_prefix(&format!("/owner/small/resolve/{COMMIT}/"))
        .and_then(|file| files.get(file))
        .map(ToString::to_string);
    let list = || {
        let siblings: Vec<_> = files
            .keys()
            .map(|file| serde_json::json!({ "rfilename": file }))
            .collect();
        serde_json::json!({ "sha": COMMIT, "siblings": siblings }).to_string()
    };
    let (status, body) = match path.as_str() {
        "/api/models/owner/small/revision/main" => ("200 OK", list()),
        "/api/models/owner/gated/revision/main" if has("authorization: bearer secret") => {
            ("200 OK", list())
        }
        "/api/models/owner/gated/revision/main" => ("401 Unauthorized", String::new()),
        _ => found.map_or(("404 Not Found", String::new()), |body| {
            ("206 Partial Content", body)
        }),
    };
    let whole = body.len();
    let body = if has("range: bytes=0-0") {
        body[..1.min(whole)].to_owned()
    } else {
        body
    };
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nContent-Range: bytes 0-{}/{whole}\r\nETag: \"{:x}\"\r\n\
         X-Repo-Commit: {COMMIT}\r\nConnection: close\r\n\r\n{body}",
        body.len(),
        body.len().max(1) - 1,
        path.bytes().fold(7u64, |hash, byte| hash
            .wrapping_mul(31)
            .wrapping_add(byte.into()))
    );
}

fn small() -> BTreeMap<&'static str, &'static str> {
    BTreeMap::from([
        ("README.md", "not needed"),
        ("model_index.json", "{}"),
        ("unet/config.json", r#"{"in_channels":4}"#),
        ("unet/diffusion_pytorch_model.safetensors", "weights"),
        ("vae/config.json", "{}"),
        ("vae/diffusion_pytorch_model.bin", "pickle"),
    ])
}

#[test]
fn a_name_is_fetched_once_and_then_cached() {
    let (address, asked) = serve(small());
    let cache = tempfile::tempdir().unwrap();
    let hub = Hub::new(cache.path().to_owned(), address.clone(), None, false);
    assert!(!hub.is_cached("owner/small", &UNET));
    let checkpoint = hub.open("owner/small", &UNET).unwrap();
    let config = fs::read_to_string(checkpoint.part("unet").join("config.json")).unwrap();
    assert_eq!(config, r#"{"in_channels":4}"#);
    assert!(checkpoint.part("").join("model_index.json").is_file());
    let requests = asked.lock().unwrap().clone();
    assert!(
        !requests
            .iter()
            .any(|path| path.contains("README") || path.contains("vae")),
        "{requests:?}"
    );

    // Whole in the cache: neither the network nor the permission for it is needed, and no request is made.
    let offline = Hub::new(cache.path().to_owned(), address, None, true);
    assert!(offline.is_cached("owner/small", &UNET));
    assert_eq!(offline.open("owner/small", &UNET).unwrap(), checkpoint);
    assert_eq!(
        offline
            .open(&format!("owner/small@{COMMIT}"), &UNET)
            .unwrap(),
        checkpoint
    );
    assert_eq!(hub.open("owner/small", &UNET).unwrap(), checkpoint);
    assert_eq!(asked.lock().unwrap().len(), requests.len());
}

#[test]
fn each_refusal_says_what_to_do() {
    let (address, _) = serve(small());
    let cache = tempfile::tempdir().unwrap();
    let hub = |token: Option<&str>, offline| {
        Hub::new(
            cache.path().to_owned(),
            address.clone(),
            token.map(str::to_owned),
            offline,
        )
    };
    let error = |hub: Hub, name: &str, part: &str| {
        hub.open(
            name,
            &Wants {
                parts: &[part],
                variant: None,
            },
        )
        .unwrap_err()
    };

    assert!(matches!(
        error(hub(None, false), "owner/none", "unet"),
        HubError::NotFound(_)
    ));
    let gated = error(hub(None, false), "owner/gated", "unet");
    assert!(
        matches!(gated, HubError::Unauthorised { status: 401, .. }),
        "{gated}"
    );
    assert!(gated.hint().contains("HF_TOKEN"));
    // With the token the list is given, and then the missing file is what is wrong.
    assert!(matches!(
        error(hub(Some("secret"), false), "owner/gated", "unet"),
        HubError::NotFound(_)
    ));
    let offline = error(hub(None, true), "owner/small", "unet");
    assert!(
        matches!(offline, HubError::Offline { .. }) && offline.hint().contains("HF_HUB_OFFLINE")
    );
    let pickle = error(hub(None, false), "owner/small", "vae");
    assert_eq!(
        pickle.to_string(),
        "checkpoint `owner/small` has no safetensors for `vae`, only `diffusion_pytorch_model.bin`"
    );
    assert!(matches!(
        error(hub(None, false), "owner/small", "tokenizer"),
        HubError::NoPart { .. }
    ));
    for name in [
        "",
        "plain",
        "../up",
        "owner/name/more",
        "owner/../..",
        "owner/name@../../x",
        "/no/such/folder",
    ] {
        assert!(
            matches!(error(hub(None, false), name, "unet"), HubError::Name(_)),
            "{name}"
        );
    }
    let gone = Hub::new(
        cache.path().to_owned(),
        "http://127.0.0.1:1".to_owned(),
        None,
        false,
    );
    let gone = error(gone, "owner/small", "unet");
    assert!(matches!(gone, HubError::Unreachable { .. }), "{gone}");
}

#[test]
fn a_folder_is_opened_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let unet = folder.path().join("unet");
    fs::create_dir(&unet).unwrap();
    fs::write(unet.join("config.json"), "{}").unwrap();
    let hub = Hub::new(
        folder.path().join("cache"),
        "http://127.0.0.1:1".to_owned(),
        None,
        false,
    );
    let name = folder.path().to_str().unwrap();
    assert!(matches!(
        hub.open(name, &UNET),
        Err(HubError::NoSafetensors { .. })
    ));
    fs::write(unet.join("diffusion_pytorch_model.safetensors"), "").unwrap();
    assert_eq!(hub.open(name, &UNET).unwrap().part("unet"), unet);
    assert!(hub.is_cached(name, &UNET));
}

#[test]
fn a_cache_with_a_missing_shard_is_not_whole() {
    let cache = tempfile::tempdir().unwrap();
    let unet = cache.path().join("models--owner--big/snapshots/abc/unet");
    fs::create_dir_all(&unet).unwrap();
    fs::create_dir_all(cache.path().join("models--owner--big/refs")).unwrap();
    fs::write(cache.path().join("models--owner--big/refs/main"), "abc\n").unwrap();
    fs::write(unet.join("config.json"), "{}").unwrap();
    let index = r#"{"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}"#;
    fs::write(unet.join("model.safetensors.index.json"), index).unwrap();
    fs::write(unet.join("model-00001-of-00002.safetensors"), "").unwrap();
    let hub = Hub::new(
        cache.path().to_owned(),
        "http://127.0.0.1:1".to_owned(),
        None,
        true,
    );
    assert!(!hub.is_cached("owner/big", &UNET));
    fs::write(unet.join("model-00002-of-00002.safetensors"), "").unwrap();
    assert!(hub.is_cached("owner/big", &UNET));
}
