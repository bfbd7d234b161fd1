//! Paints pictures as a camera would send them, over one socket: `live "neon" FOLDER` writes what FOLDER's JPEGs become beside
//! them, as `painted-NAME`.
//!
//! ```sh
//! cargo run --example live --no-default-features --package limn-examples -- "neon" FOLDER
//! ```

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, connect};

#[derive(Deserialize)]
struct Session {
    id: String,
    /// Whoever shows it steers the session; the id alone lets one watch.
    control: String,
}

fn main() -> anyhow::Result<()> {
    let mut words = std::env::args().skip(1);
    let (Some(prompt), Some(folder)) = (words.next(), words.next()) else {
        bail!("live PROMPT FOLDER");
    };
    let limn = std::env::var("LIMN").unwrap_or_else(|_| "http://127.0.0.1:7860".to_owned());
    let wanted = json!({"row": "img2img", "params": {"prompt": prompt}, "label": "live.rs"});
    let session: Session = ureq::post(format!("{limn}/api/sessions"))
        .send_json(wanted)
        .context("begin a session")?
        .body_mut()
        .read_json()?;
    let path = format!("{limn}/api/sessions/{}", session.id);
    let bearer = format!("Bearer {}", session.control);

    let painted = paint(&path, &bearer, &pictures(Path::new(&folder))?);
    // Anything may be changed while it runs; the answer is the whole set.
    let set: Value = ureq::patch(format!("{path}/params"))
        .header("Authorization", &bearer)
        .send_json(json!({"strength": 0.6}))?
        .body_mut()
        .read_json()?;
    writeln!(std::io::stdout(), "{set}")?;
    ureq::delete(path).header("Authorization", &bearer).call()?;
    painted
}

/// The folder's JPEGs, by name, without those that this program has written.
fn pictures(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let files = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    let mut pictures: Vec<_> = files.iter().map(std::fs::DirEntry::path).collect();
    pictures.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".jpg") && !name.starts_with("painted-")
    });
    pictures.sort();
    Ok(pictures)
}

fn paint(path: &str, bearer: &str, pictures: &[PathBuf]) -> anyhow::Result<()> {
    let mut request = format!("{}/frames", path.replacen("http", "ws", 1)).into_client_request()?;
    request
        .headers_mut()
        .insert("Authorization", bearer.parse()?);
    let (mut socket, _) = connect(request)?;
    for picture in pictures {
        socket.send(Message::binary(std::fs::read(picture)?))?;
        let painted = loop {
            match socket.read()? {
                Message::Binary(painted) => break painted,
                // Reading on answers it, and the server learns that the picture has been read.
                Message::Ping(_) => {}
                refused => bail!("{}: {refused}", picture.display()),
            }
        };
        let name = picture.file_name().unwrap_or_default().to_string_lossy();
        std::fs::write(picture.with_file_name(format!("painted-{name}")), painted)?;
    }
    Ok(socket.close(None)?)
}
