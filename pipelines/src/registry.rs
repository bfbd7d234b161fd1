//! The list. To add a pipeline: write its module, give it rows, add its line. People see it in this order, and the
//! first is what a server paints with when nobody says otherwise.

use limn_pipeline::{PipelineEntry, Registry};

use crate::canny::Canny;
use crate::passthrough::Passthrough;
#[cfg(feature = "torch")]
use crate::stages::checkpoint;
#[cfg(feature = "torch")]
use crate::{controlnet::ControlNet, img2img::Img2Img, lcm::Lcm, painting::Painted};
use crate::{device, rows};

/// Every pipeline that ships with Limn.
pub static REGISTRY: Registry = Registry {
    entries: ENTRIES,
    device: device::resolve,
    memory: device::memory,
    #[cfg(feature = "torch")]
    at_hand: checkpoint::at_hand,
    #[cfg(not(feature = "torch"))]
    at_hand: |_, row| row,
    #[cfg(feature = "torch")]
    safety: |name| checkpoint::safety_checker(name).map(drop),
    #[cfg(not(feature = "torch"))]
    safety: |name| {
        Err(limn_pipeline::PipelineError::Load {
            what: name.to_owned(),
            reason: "a safety checker is a network, and this build has no libtorch".to_owned(),
            hint: Some("build it with the feature `torch`".to_owned()),
        })
    },
};

static ENTRIES: &[PipelineEntry] = &[
    #[cfg(feature = "torch")]
    PipelineEntry::of::<Painted<ControlNet>>(rows::CONTROLNET),
    #[cfg(feature = "torch")]
    PipelineEntry::of::<Painted<Img2Img>>(rows::IMG2IMG),
    #[cfg(feature = "torch")]
    PipelineEntry::of::<Painted<Lcm>>(rows::LCM),
    PipelineEntry::of::<Canny>(rows::CANNY),
    PipelineEntry::of::<Passthrough>(rows::PASSTHROUGH),
];

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::HashSet;

    use limn_pipeline::{Row, Size, Unknown};
    use serde_json::Value as Json;

    use super::*;

    fn defaults_pass(entry: &PipelineEntry, row: &Row, size: Size) {
        let door = (entry.door)(row);
        let again = door.apply(door.defaults(), door.defaults().as_map(), Unknown::Refuse);
        assert_eq!(again.as_ref(), Ok(door.defaults()), "row `{}`", row.id);
        assert_eq!(door.defaults().size(), size, "row `{}`", row.id);
    }

    #[test]
    fn every_rows_defaults_pass_its_own_door() {
        for entry in REGISTRY.entries {
            for row in entry.rows {
                defaults_pass(entry, row, Size::new(512, 512));
            }
        }
    }

    #[test]
    fn an_embedded_row_has_the_names_and_the_input_of_the_one_it_stands_in_for() {
        for entry in REGISTRY.entries {
            for row in entry.rows {
                let Some(small) = row.embedded else { continue };
                assert_eq!(
                    (small.id, small.aliases, small.input, small.stands_in_for),
                    (row.id, row.aliases, row.input, row.checkpoint)
                );
                assert_eq!(small.controlnet.is_some(), row.controlnet.is_some());
                defaults_pass(entry, small, Size::new(256, 256));
            }
        }
    }

    #[test]
    fn names_are_unique_and_lead_back_to_their_row() {
        let mut seen = HashSet::new();
        for entry in REGISTRY.entries {
            assert_eq!(
                entry.rows[0].id, entry.info.id,
                "the first row has the pipeline's own id"
            );
            for row in entry.rows {
                for name in std::iter::once(&row.id).chain(row.aliases) {
                    assert!(
                        seen.insert(name.to_lowercase()),
                        "`{name}` stands twice in the registry"
                    );
                    let (found, found_row) = REGISTRY.find(name).unwrap();
                    assert_eq!((found.info.id, found_row.id), (entry.info.id, row.id));
                }
            }
        }
        assert!(REGISTRY.find("nonesuch").is_none());
    }

    #[test]
    fn the_panel_can_draw_every_parameter() {
        for entry in REGISTRY.entries {
            for row in entry.rows {
                let door = (entry.door)(row);
                let properties = door.schema()["properties"].as_object().unwrap();
                assert_eq!(
                    properties.keys().collect::<Vec<_>>(),
                    door.defaults().as_map().keys().collect::<Vec<_>>(),
                    "row `{}`: schema and values are flat and in one order",
                    row.id
                );
                for (field, property) in properties {
                    let at = format!("row `{}`, parameter `{field}`: {property}", row.id);
                    assert!(
                        property["title"].is_string() && property["description"].is_string(),
                        "{at}"
                    );
                    match property["type"].as_str() {
                        Some("integer" | "number") => {
                            assert!(
                                property["minimum"].is_number() && property["maximum"].is_number(),
                                "{at}"
                            );
                        }
                        Some("string") => {
                            assert!(
                                property["enum"].is_array() || property["maxLength"].is_number(),
                                "{at}"
                            );
                        }
                        Some("boolean") => {}
                        _ => panic!("{at}"),
                    }
                }
                for side in ["width", "height"] {
                    assert_eq!(
                        properties[side]["multipleOf"],
                        Json::from(8),
                        "row `{}`",
                        row.id
                    );
                }
            }
        }
    }
}
