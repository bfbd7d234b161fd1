//! Its OSC: prompts, and the fade between them.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rosc::{OscMessage, OscType};
use serde_json::Value;

use super::Shared;
use crate::osc::{hear, number};

pub fn listen(at: (IpAddr, u16), shared: Arc<Shared>) -> io::Result<SocketAddr> {
    hear(at, move |message, _| act(&shared, message))
}

fn act(shared: &Shared, message: &OscMessage) -> Result<(), String> {
    let set = |name: &str, value: Value| shared.set(name, value).map_err(|refusal| refusal.message);
    match (message.addr.as_str(), message.args.as_slice()) {
        ("/prompt" | "/prompt/0", [OscType::String(text)]) => set("prompt", text.as_str().into()),
        ("/prompt/1", [OscType::String(text)]) => set("prompt_b", text.as_str().into()),
        ("/blend", [OscType::String(one), OscType::String(other), share]) => {
            set("prompt", one.as_str().into())?;
            set("prompt_b", other.as_str().into())?;
            set(
                "blend",
                number(share).ok_or("the share is no number")?.into(),
            )
        }
        ("/blend_t", [share]) => set(
            "blend",
            number(share).ok_or("the share is no number")?.into(),
        ),
        ("/seed", [seed]) => {
            let seed = number(seed).filter(|seed| *seed >= 0.0 && seed.fract() == 0.0);
            set(
                "seed",
                (seed.ok_or("the seed is no whole number")? as u64).into(),
            )
        }
        // How that page lays the painting over the camera.
        ("/opacity" | "/mode", _) => Ok(()),
        _ => Err("there is no such address, or its arguments are others".to_owned()),
    }
}
