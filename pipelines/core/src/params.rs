//! What a user may change, and the one door through which values come from outside.
//!
//! A pipeline's parameters are a struct with `serde` and `schemars`. The struct's JSON schema is the only place where a
//! bound or a default is written: the door checks against it, the panel draws from it, the docs print it. A row may
//! narrow the bounds and change the defaults, which is why the check reads the schema and not attributes of the type.

use std::sync::Arc;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value as Json};

use crate::entry::{Row, Value};
use crate::error::PipelineError;
use crate::frame::Size;

/// Typed parameters of a pipeline.
///
/// Schema extensions that the panel reads: `x-field` (`textarea`, `seed`, `hidden`), `x-advanced` (bool), `x-step`.
pub trait Params:
    Clone + PartialEq + Default + Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static
{
    /// The size of the picture that is painted.
    fn size(&self) -> Size;

    /// What the schema cannot say because it takes two fields to see it. Provided: nothing.
    fn check(&self) -> Result<(), ParamError> {
        Ok(())
    }
}

/// For an enum of plain names: `#[schemars(transform = choices)]` makes its schema `{"type": "string", "enum": [...]}`,
/// which every panel can draw, where documented variants would give a `oneOf`.
pub fn choices(schema: &mut Schema) {
    let Some(Json::Array(variants)) = schema.remove("oneOf") else {
        return;
    };
    let names = variants.iter().flat_map(|variant| match &variant["enum"] {
        Json::Array(names) => names.clone(),
        _ => vec![variant["const"].clone()],
    });
    let names = names.collect::<Vec<_>>();
    schema.insert("type".to_owned(), Json::from("string"));
    schema.insert("enum".to_owned(), Json::Array(names));
}

/// Why a value was refused. The message says which field and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("parameter `{field}`: {reason}")]
pub struct ParamError {
    /// The parameter's name.
    pub field: String,
    /// What is wrong with it.
    pub reason: String,
}

impl ParamError {
    /// `parameter `field`: reason`.
    pub fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            reason: reason.into(),
        }
    }
}

/// A complete, checked set of parameters. Cloning it clones a reference count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ParamSet(Arc<Map<String, Json>>);

impl ParamSet {
    /// One value.
    pub fn get(&self, field: &str) -> Option<&Json> {
        self.0.get(field)
    }

    /// All values, in the schema's order.
    pub fn as_map(&self) -> &Map<String, Json> {
        &self.0
    }

    /// The size of the picture that these parameters ask for.
    pub fn size(&self) -> Size {
        let side = |field| self.get(field).and_then(Json::as_u64).unwrap_or_default() as u32;
        Size::new(side("width"), side("height"))
    }

    /// The set as a pipeline's own type.
    pub fn typed<P: Params>(&self) -> Result<P, PipelineError> {
        // The door let it through, so this fails only where the type and its schema disagree.
        Ok(serde_json::from_value(Json::Object((*self.0).clone()))
            .map_err(|error| ParamError::new("*", error.to_string()))?)
    }
}

/// What the door does with a field that the pipeline does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// Refuse the whole patch.
    Refuse,
    /// Leave the field out; some wires send fields of their own.
    Ignore,
}

/// The one door for values from outside, for one row.
pub struct Door {
    schema: Json,
    defaults: ParamSet,
    validator: jsonschema::Validator,
    check: fn(&ParamSet) -> Result<(), ParamError>,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door")
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

impl Door {
    /// The door for `P` with the row's defaults and bounds.
    ///
    /// # Panics
    /// If the row names a field that `P` does not have, or `P`'s schema is no object: a mistake in the registry, which
    /// the registry's own test walks through.
    pub fn of<P: Params>(row: &Row) -> Self {
        let mut generator = SchemaSettings::draft2020_12()
            .with(|settings| settings.inline_subschemas = true)
            .into_generator();
        let mut schema = generator.root_schema_for::<P>().to_value();
        let mut defaults = match serde_json::to_value(P::default()) {
            Ok(Json::Object(map)) => map,
            other => panic!(
                "parameters of row `{}` are not an object: {other:?}",
                row.id
            ),
        };
        let properties = schema["properties"]
            .as_object_mut()
            .expect("a struct has properties");
        for (field, value) in row.defaults {
            assert!(
                defaults.contains_key(*field),
                "row `{}` names the unknown parameter `{field}`",
                row.id
            );
            defaults.insert((*field).to_owned(), json_of(*value));
        }
        for (field, lowest, highest) in row.bounds {
            let property = properties
                .get_mut(*field)
                .expect("a row bounds a parameter that exists");
            let whole = property["type"] == "integer";
            property["minimum"] = number(*lowest, whole);
            property["maximum"] = number(*highest, whole);
        }
        for (field, property) in properties.iter_mut() {
            property["default"] = defaults[field].clone();
        }
        schema["additionalProperties"] = Json::Bool(false);
        // Every value has a default, so a patch may leave any of them out.
        schema
            .as_object_mut()
            .expect("an object")
            .remove("required");
        let validator = jsonschema::validator_for(&schema).expect("a generated schema is a schema");
        Self {
            schema,
            defaults: ParamSet(Arc::new(defaults)),
            validator,
            check: |set| match set.typed::<P>() {
                Ok(typed) => typed.check(),
                Err(PipelineError::Params(error)) => Err(error),
                Err(error) => Err(ParamError::new("*", error.to_string())),
            },
        }
    }

    /// The JSON schema, with this row's defaults and bounds.
    pub fn schema(&self) -> &Json {
        &self.schema
    }

    /// What a new session starts with.
    pub fn defaults(&self) -> &ParamSet {
        &self.defaults
    }

    /// `current` with the fields of `patch`; nothing of it if one of them is refused.
    ///
    /// `null` means the default. A whole number may come as `2.0`, a real one as `1`.
    pub fn apply(
        &self,
        current: &ParamSet,
        patch: &Map<String, Json>,
        unknown: Unknown,
    ) -> Result<ParamSet, ParamError> {
        let properties = self.schema["properties"]
            .as_object()
            .expect("checked when the door was made");
        let mut merged = (*current.0).clone();
        for (field, value) in patch {
            let Some(property) = properties.get(field) else {
                if unknown == Unknown::Ignore {
                    continue;
                }
                let known = properties
                    .keys()
                    .map(String::as_str)
                    .collect::<Vec<_>>()
                    .join(", ");
                return Err(ParamError::new(
                    field,
                    format!("no such parameter; there are: {known}"),
                ));
            };
            let value = match value {
                Json::Null => self.defaults.0[field].clone(),
                Json::Number(number) if property["type"] == "integer" => whole(number),
                other => other.clone(),
            };
            merged.insert(field.clone(), value);
        }
        let merged = Json::Object(merged);
        if let Some(error) = self.validator.iter_errors(&merged).next() {
            let path = error.instance_path().to_string();
            return Err(ParamError::new(
                path.trim_start_matches('/'),
                shortened(error.to_string()),
            ));
        }
        let Json::Object(merged) = merged else {
            unreachable!("made an object above")
        };
        let set = ParamSet(Arc::new(merged));
        (self.check)(&set)?;
        Ok(set)
    }

    /// `current`, which another row's door let in, seen through this one: fields that fit stay, the rest take defaults.
    pub fn adopt(&self, current: &ParamSet) -> ParamSet {
        current
            .0
            .iter()
            .fold(self.defaults.clone(), |set, (field, value)| {
                let one = Map::from_iter([(field.clone(), value.clone())]);
                self.apply(&set, &one, Unknown::Ignore).unwrap_or(set)
            })
    }
}

/// The validator's sentences quote the value, which may be a megabyte of prompt: its beginning and the rule at the end
/// say enough.
fn shortened(message: String) -> String {
    const SIDE: usize = 120;
    let letters: Vec<char> = message.chars().collect();
    if letters.len() <= 2 * SIDE {
        return message;
    }
    let (head, tail) = (&letters[..SIDE], &letters[letters.len() - SIDE..]);
    head.iter().chain(&[' ', '…', ' ']).chain(tail).collect()
}

fn json_of(value: Value) -> Json {
    match value {
        Value::Int(int) => int.into(),
        Value::Float(float) => float.into(),
        Value::Bool(bool) => bool.into(),
        Value::Text(text) => text.into(),
    }
}

fn number(value: f64, whole: bool) -> Json {
    if whole {
        Json::from(value as i64)
    } else {
        Json::from(value)
    }
}

/// `2.0` as `2`; anything with a fraction stays and is refused by the schema.
fn whole(number: &Number) -> Json {
    match number.as_f64() {
        Some(float)
            if !number.is_i64()
                && !number.is_u64()
                && float.fract() == 0.0
                && float.abs() < 9.1e15 =>
        {
            Json::from(float as i64)
        }
        _ => Json::Number(number.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(default)]
    struct Paint {
        prompt: String,
        #[schemars(range(min = 64, max = 1024), extend("multipleOf" = 8))]
        width: u32,
        #[schemars(range(min = 64, max = 1024), extend("multipleOf" = 8))]
        height: u32,
        #[schemars(range(min = 0.1, max = 1.0))]
        strength: f64,
    }

    impl Default for Paint {
        fn default() -> Self {
            Self {
                prompt: String::new(),
                width: 512,
                height: 512,
                strength: 0.5,
            }
        }
    }

    impl Params for Paint {
        fn size(&self) -> Size {
            Size::new(self.width, self.height)
        }
    }

    fn patch(text: &str) -> Map<String, Json> {
        serde_json::from_str(text).unwrap()
    }

    fn door() -> Door {
        Door::of::<Paint>(&Row {
            defaults: &[("strength", Value::Float(0.8))],
            bounds: &[("strength", 0.3, 0.9)],
            ..Row::plain("paint", "Paint")
        })
    }

    #[test]
    fn a_rows_defaults_and_bounds_reach_schema_and_check() {
        let door = door();
        assert_eq!(door.defaults().get("strength"), Some(&Json::from(0.8)));
        assert_eq!(
            door.schema()["properties"]["strength"]["maximum"],
            Json::from(0.9)
        );
        let error = door
            .apply(
                door.defaults(),
                &patch(r#"{"strength": 0.95}"#),
                Unknown::Refuse,
            )
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "parameter `strength`: 0.95 is greater than the maximum of 0.9"
        );
    }

    #[test]
    fn numbers_and_nulls_are_taken_as_browsers_send_them() {
        let door = door();
        let set = door
            .apply(
                door.defaults(),
                &patch(r#"{"width": 256.0, "strength": null}"#),
                Unknown::Refuse,
            )
            .unwrap();
        assert_eq!(set.size(), Size::new(256, 512));
        assert_eq!(set.typed::<Paint>().unwrap().strength, 0.8);
        assert!(
            door.apply(&set, &patch(r#"{"width": 256.5}"#), Unknown::Refuse)
                .is_err()
        );
        assert!(
            door.apply(&set, &patch(r#"{"width": 257}"#), Unknown::Refuse)
                .is_err()
        );
    }

    #[test]
    fn an_unknown_field_is_refused_or_ignored_as_the_wire_wants() {
        let door = door();
        let error = door
            .apply(door.defaults(), &patch(r#"{"colour": 1}"#), Unknown::Refuse)
            .unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("parameter `colour`: no such parameter; there are: prompt, width")
        );
        assert_eq!(
            &door
                .apply(door.defaults(), &patch(r#"{"colour": 1}"#), Unknown::Ignore)
                .unwrap(),
            door.defaults()
        );
    }

    #[test]
    fn a_refusal_does_not_echo_a_megabyte() {
        let door = door();
        let long = Map::from_iter([("width".to_owned(), Json::from("x".repeat(1 << 20)))]);
        let message = door
            .apply(door.defaults(), &long, Unknown::Refuse)
            .unwrap_err()
            .to_string();
        assert!(
            message.len() < 400 && message.contains("width"),
            "{}",
            message.len()
        );
    }

    #[test]
    fn a_refused_patch_changes_nothing() {
        let door = door();
        let before = door.defaults().clone();
        assert!(
            door.apply(
                &before,
                &patch(r#"{"prompt": "a", "strength": 7}"#),
                Unknown::Refuse
            )
            .is_err()
        );
        assert_eq!(&before, door.defaults());
    }

    #[test]
    fn another_rows_parameters_are_kept_as_far_as_they_fit() {
        let wide = Door::of::<Paint>(&Row::plain("wide", "Wide"));
        let set = wide
            .apply(
                wide.defaults(),
                &patch(r#"{"prompt": "neon", "strength": 0.2}"#),
                Unknown::Refuse,
            )
            .unwrap();
        let adopted = door().adopt(&set);
        assert_eq!(adopted.get("prompt"), Some(&Json::from("neon")));
        assert_eq!(adopted.get("strength"), Some(&Json::from(0.8)));
    }
}
