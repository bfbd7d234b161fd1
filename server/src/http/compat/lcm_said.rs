//! A text message of a client of the Real-Time Latent Consistency Model server, read; what is done about it is in
//! `lcm_talk`.

use serde_json::{Map, Value};

/// What a client says in words.
#[derive(Debug, PartialEq)]
pub enum Said {
    /// A frame comes: its parameters, and then a picture if there is one.
    NextFrame {
        /// Whether there is one.
        picture: bool,
    },
    /// Parameters by themselves.
    Params(Map<String, Value>),
    /// Whether its user agrees to be on air.
    OnAir(bool),
    /// Another row, if it is named.
    Pipeline(Option<String>),
    /// An object without a status: the parameters of a frame.
    Bare(Map<String, Value>),
    /// A status that is none of these.
    Unknown(String),
}

impl Said {
    /// `None` for what is no JSON object.
    pub fn read(text: &str) -> Option<Self> {
        let Ok(Value::Object(mut message)) = serde_json::from_str(text) else {
            return None;
        };
        let flag = |name: &str| message.get(name).and_then(Value::as_bool);
        Some(match message.get("status").and_then(Value::as_str) {
            None => Self::Bare(message),
            Some("next_frame") => Self::NextFrame {
                picture: flag("picture").unwrap_or(true),
            },
            Some("on_air") => Self::OnAir(flag("on_air").unwrap_or(false)),
            Some("params") => Self::Params(match message.remove("params") {
                Some(Value::Object(params)) => params,
                _ => Map::new(),
            }),
            Some("pipeline") => {
                let name = message.get("row").or_else(|| message.get("pipeline"));
                Self::Pipeline(name.and_then(Value::as_str).map(str::to_owned))
            }
            Some(status) => Self::Unknown(status.to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn messages_are_told_apart() {
        let map = |value: Value| value.as_object().cloned().unwrap();
        for (text, said) in [
            (
                r#"{"status":"next_frame"}"#,
                Said::NextFrame { picture: true },
            ),
            (
                r#"{"status":"next_frame","picture":false}"#,
                Said::NextFrame { picture: false },
            ),
            (
                r#"{"status":"params","params":{"seed":1}}"#,
                Said::Params(map(json!({"seed": 1}))),
            ),
            (
                r#"{"status":"params","params":7}"#,
                Said::Params(Map::new()),
            ),
            (r#"{"status":"on_air","on_air":true}"#, Said::OnAir(true)),
            (r#"{"status":"on_air","on_air":"yes"}"#, Said::OnAir(false)),
            (
                r#"{"status":"pipeline","pipeline":"canny"}"#,
                Said::Pipeline(Some("canny".to_owned())),
            ),
            (r#"{"status":"pipeline"}"#, Said::Pipeline(None)),
            (r#"{"seed":1}"#, Said::Bare(map(json!({"seed": 1})))),
            (r#"{"status":"hello"}"#, Said::Unknown("hello".to_owned())),
        ] {
            assert_eq!(Said::read(text), Some(said), "{text}");
        }
        for rubble in ["", "[]", "7", "{", "\"next_frame\""] {
            assert_eq!(Said::read(rubble), None, "{rubble}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(Said::read(&format!("{{\"a\":{deep}")), None);
    }
}
