//! From OSC's addresses and types to names and JSON.

use rosc::OscType;
use serde_json::Value;

/// What an address means.
#[derive(Debug, PartialEq, Eq)]
pub enum Address<'a> {
    /// A parameter of a session, or of the one on air.
    Param {
        /// Its label or id.
        session: Option<&'a str>,
        /// The parameter.
        name: &'a str,
    },
    /// Who is on air.
    Program,
    /// How fast everybody paints.
    Fps,
}

impl<'a> Address<'a> {
    /// `None` if it means nothing here.
    pub fn read(address: &'a str) -> Option<Self> {
        let path = address.strip_prefix("/limn/")?;
        // A label may have slashes in it; the name of a parameter has none.
        match path.rsplit_once('/') {
            None if path == "program" => Some(Self::Program),
            None if path == "fps" => Some(Self::Fps),
            None if path.is_empty() => None,
            None => Some(Self::Param {
                session: None,
                name: path,
            }),
            Some(("", _) | (_, "")) => None,
            Some((session, name)) => Some(Self::Param {
                session: Some(session),
                name,
            }),
        }
    }
}

/// The number that an argument is, if it is one.
pub fn number(argument: &OscType) -> Option<f64> {
    match argument {
        OscType::Int(value) => Some(f64::from(*value)),
        OscType::Long(value) => Some(*value as f64),
        // The shortest decimal that is this float, so that 0.1 stays 0.1.
        OscType::Float(value) => value.to_string().parse().ok(),
        OscType::Double(value) => Some(*value),
        _ => None,
    }
}

/// An argument as the parameter of that schema wants it: many senders have numbers of one kind only, and no booleans.
pub fn value(argument: &OscType, schema: &Value) -> Option<Value> {
    match argument {
        OscType::String(text) => return Some(text.as_str().into()),
        OscType::Bool(value) => return Some((*value).into()),
        _ => {}
    }
    let number = number(argument)?;
    Some(match schema["type"].as_str() {
        Some("boolean") => (number >= 0.5).into(),
        Some("integer") if number.fract() == 0.0 && number.abs() < 9e15 => (number as i64).into(),
        _ => number.into(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn addresses_are_read() {
        let param = |session, name| Some(Address::Param { session, name });
        for (address, meaning) in [
            ("/limn/strength", param(None, "strength")),
            ("/limn/left/strength", param(Some("left"), "strength")),
            (
                "/limn/stage/left/strength",
                param(Some("stage/left"), "strength"),
            ),
            ("/limn/program", Some(Address::Program)),
            ("/limn/fps", Some(Address::Fps)),
            ("/limn/", None),
            ("/limn/left/", None),
            ("/limn//strength", None),
            ("/other/strength", None),
        ] {
            assert_eq!(Address::read(address), meaning, "{address}");
        }
    }

    #[test]
    fn values_become_what_the_parameter_wants() {
        let of = |argument, kind| value(&argument, &json!({"type": kind}));
        assert_eq!(of(OscType::Float(0.1), "number"), Some(json!(0.1)));
        assert_eq!(of(OscType::Float(3.0), "integer"), Some(json!(3)));
        assert_eq!(of(OscType::Float(3.5), "integer"), Some(json!(3.5)));
        assert_eq!(of(OscType::Int(1), "boolean"), Some(json!(true)));
        assert_eq!(
            of(OscType::String("neon".into()), "string"),
            Some(json!("neon"))
        );
        assert_eq!(of(OscType::Nil, "number"), None);
    }
}
