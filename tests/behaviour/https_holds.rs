//! https, and HTTP/2 over it: silent connections keep nobody out, and one connection takes only so much.

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::RecvStream;
use h2::client::{Builder, SendRequest};
use limn_tests::house::{House, until};
use limn_tests::pictures::plain;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// A server with a certificate that nobody but [`Https::connect`] trusts.
struct Https {
    house: House,
    certificate: CertificateDer<'static>,
}

impl Https {
    fn open(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name).display().to_string();
        let (cert, key) = (file("cert.pem"), file("key.pem"));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-nodes", "-days", "1"])
            .args(["-pkeyopt", "ec_paramgen_curve:prime256v1"])
            .args(["-subj", "/CN=localhost"])
            .args(["-addext", "subjectAltName=DNS:localhost"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .args(["-out", &cert, "-keyout", &key])
            .output();
        assert!(
            made.unwrap().status.success(),
            "openssl makes a certificate"
        );
        let tls = ["--ssl-certfile", &cert, "--ssl-keyfile", &key];
        Self {
            house: House::open(&[flags, &tls].concat()),
            certificate: CertificateDer::from_pem_file(&cert).unwrap(),
        }
    }

    async fn connect(&self, protocol: &[u8]) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let mut config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.to_vec()];
        let socket = TcpSocket::new_v4().unwrap();
        // What nobody reads is soon too much.
        socket.set_recv_buffer_size(16 << 10).unwrap();
        let stream = socket.connect(self.house.address()).await.unwrap();
        let name = "localhost".try_into().unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        connector.connect(name, stream).await.unwrap()
    }

    /// A connection on which the server may send `window` bytes of each answer until more are asked for.
    async fn http2(&self, window: u32) -> SendRequest<Bytes> {
        let stream = self.connect(b"h2").await;
        let mut builder = Builder::new();
        builder
            .initial_window_size(window)
            .initial_max_send_streams(1000);
        let (asker, connection) = builder.handshake(stream).await.unwrap();
        tokio::spawn(connection);
        asker
    }
}

/// The status, and the body as far as one reads it.
async fn get(asker: &mut SendRequest<Bytes>, path: &str) -> Result<(u16, RecvStream), h2::Error> {
    let request = http::Request::get(format!("https://localhost{path}"));
    ask(asker, request, None).await
}

async fn ask(
    asker: &mut SendRequest<Bytes>,
    request: http::request::Builder,
    body: Option<Vec<u8>>,
) -> Result<(u16, RecvStream), h2::Error> {
    std::future::poll_fn(|context| asker.poll_ready(context)).await?;
    let request = request.body(()).unwrap();
    let (answer, mut sender) = asker.send_request(request, body.is_none())?;
    if let Some(body) = body {
        sender.send_data(body.into(), true)?;
    }
    let answer = answer.await?;
    Ok((answer.status().as_u16(), answer.into_body()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_connections_keep_nobody_out() {
    let https = Https::open(&[]);
    let mut silent = Vec::new();
    for _ in 0..1500 {
        silent.push(TcpStream::connect(https.house.address()).await.unwrap());
    }
    let start = Instant::now();
    let mut visitor = https.connect(b"http/1.1").await;
    let request = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    visitor.write_all(request).await.unwrap();
    let mut answer = String::new();
    let _ = visitor.read_to_string(&mut answer).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        start.elapsed() < Duration::from_secs(3),
        "{:?}",
        start.elapsed()
    );
    drop(silent);
    https.house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_connection_has_so_many_answers_under_way() {
    let https = Https::open(&[]);
    let mut asker = https.http2(0).await;
    let mut left = Vec::new();
    for number in 0..100 {
        let (status, body) = get(&mut asker, "/").await.unwrap();
        assert_eq!(status, 200, "{number}");
        left.push(body);
    }
    let (status, refusal) = get(&mut asker, "/health").await.unwrap();
    assert_eq!(status, 503);
    // Others do not notice.
    assert_eq!(get(&mut https.http2(0).await, "/").await.unwrap().0, 200);
    drop((left, refusal));
    let start = Instant::now();
    while get(&mut asker, "/health").await.unwrap().0 != 200 {
        assert!(start.elapsed() < Duration::from_secs(10));
    }
    // Whoever does not even take refusals is let go.
    let mut left = Vec::new();
    let end = loop {
        match get(&mut asker, "/health").await {
            Ok(answer) => left.push(answer),
            Err(error) => break error,
        }
        assert!(left.len() < 250);
    };
    assert!(left.len() >= 199, "{}: {end}", left.len());
    https.house.close().await;
}

/// A frame (RFC 9113, 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = &u32::try_from(payload.len()).unwrap().to_be_bytes()[1..];
    let stream = stream.to_be_bytes();
    [length, &[kind, flags], &stream, payload].concat()
}

/// All windows are open, and the connection is not read from.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_again_and_again_and_takes_nothing_is_let_go() {
    let https = Https::open(&[]);
    let mut stream = https.connect(b"h2").await;
    // SETTINGS_INITIAL_WINDOW_SIZE, and the connection's own.
    let most = i32::MAX.to_be_bytes();
    let settings = frame(4, 0, 0, &[&[0, 4], &most[..]].concat());
    let window = frame(8, 0, 0, &(i32::MAX - 65_535).to_be_bytes());
    let begin = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &settings, &window];
    stream.write_all(&begin.concat()).await.unwrap();
    // GET https://localhost/api/pipelines (RFC 7541, 6 and appendix A).
    let request = [
        &[0x82, 0x87, 4, 14],
        &b"/api/pipelines"[..],
        &[0x41, 9],
        b"localhost",
    ]
    .concat();
    let asking = async {
        for many in 0..400 {
            let asked = (500 * many..500 * (many + 1)).map(|number| 2 * number + 1);
            let asked: Vec<_> = asked.map(|id| frame(1, 5, id, &request)).collect();
            if stream.write_all(&asked.concat()).await.is_err() {
                break;
            }
        }
    };
    let _ = timeout(Duration::from_secs(4), asking).await;
    let mut asker = https.http2(1 << 20).await;
    let (_, mut body) = get(&mut asker, "/metrics").await.unwrap();
    let metrics = body.data().await.unwrap().unwrap();
    let metrics = std::str::from_utf8(&metrics).unwrap();
    let line = metrics.lines().find(|line| line.contains("\"200\""));
    let answered = line.and_then(|line| line.rsplit(' ').next()?.parse().ok());
    let answered: usize = answered.unwrap_or_else(|| panic!("{metrics}"));
    assert!((1000..15_000).contains(&answered), "{answered}");
    https.house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_has_twelve_streams_over_one_connection() {
    let https = Https::open(&[]);
    let mut asker = https.http2(1 << 20).await;
    let begin = http::Request::post("https://localhost/api/sessions");
    let (status, mut body) = ask(&mut asker, begin, None).await.unwrap();
    assert_eq!(status, 201);
    let owner: Value = serde_json::from_slice(&body.data().await.unwrap().unwrap()).unwrap();
    let session = https.house.session(owner["id"].as_str().unwrap());
    let path = format!("/api/sessions/{}", session.key);
    let bearer = format!("Bearer {}", owner["control"].as_str().unwrap());
    let frame = http::Request::post(format!("https://localhost{path}/frame"));
    let frame = frame.header("authorization", bearer);
    let sent = ask(&mut asker, frame, Some(plain([1, 2, 3])))
        .await
        .unwrap();
    assert_eq!(sent.0, 202);
    let path = format!("{path}/stream.mjpeg");
    let mut streams = Vec::new();
    for number in 0..12 {
        let (status, mut body) = get(&mut asker, &path).await.unwrap();
        assert_eq!(status, 200, "{number}");
        let piece = timeout(Duration::from_secs(10), body.data()).await.unwrap();
        assert!(piece.unwrap().unwrap().starts_with(b"--frame"), "{number}");
        streams.push(body);
    }
    assert_eq!(session.screen().audience().count(), 12);
    let (status, mut body) = get(&mut asker, "/health").await.unwrap();
    assert_eq!(status, 200);
    assert_eq!(
        body.data().await.unwrap().unwrap(),
        json!({"status": "ok"}).to_string()
    );
    drop(streams);
    until("they have left", || {
        session.screen().audience().count() == 0
    })
    .await;
    https.house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_is_no_longer_than_over_http_1() {
    let https = Https::open(&[]);
    let mut asker = https.http2(1 << 20).await;
    for (length, status) in [(140_000, 431), (100_000, 200)] {
        let request = http::Request::get("https://localhost/health");
        let request = request.header("x-long", "a".repeat(length));
        let answer = ask(&mut asker, request, None).await.unwrap();
        assert_eq!(answer.0, status, "{length}");
    }
    https.house.close().await;
}
