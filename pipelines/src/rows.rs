//! The rows: every way to run a pipeline that we know by name. A variant is a row here, never a file.
//!
//! Checkpoints and their numbers are those of the model cards and of the nearest peer (Real-Time Latent Consistency
//! Model, `server/pipelines/`), whose names are the aliases. Where its sd-turbo rows ask for a guidance of 1.1 or more
//! ours have 1: the network was distilled without guidance, and half of the work would be for nothing.

use limn_pipeline::Row;
#[cfg(feature = "torch")]
use limn_pipeline::{Checkpoint, Input, Value};

#[cfg(feature = "torch")]
const fn checkpoint(name: &'static str) -> Option<Checkpoint> {
    Some(Checkpoint {
        name,
        variant: None,
    })
}

/// The checkpoint that ships with Limn (`models/embedded`): v-prediction on latents scaled by five, taught at the
/// timesteps of LCM's grid, so one step at strength s starts at timestep `1000 s - 1`.
#[cfg(feature = "torch")]
const fn embedded(id: &'static str, title: &'static str, large: Option<Checkpoint>) -> Row {
    Row {
        checkpoint: checkpoint("embedded"),
        schedule: Some("lcm"),
        rule: Some("lcm"),
        stands_in_for: large,
        ..Row::plain(id, title)
    }
}

#[cfg(feature = "torch")]
const SD_TURBO: Option<Checkpoint> = checkpoint("stabilityai/sd-turbo");
#[cfg(feature = "torch")]
const LCM_DREAMSHAPER: Option<Checkpoint> = checkpoint("SimianLuo/LCM_Dreamshaper_v7");
#[cfg(feature = "torch")]
const TAESD: Option<Checkpoint> = checkpoint("madebyollin/taesd");

/// See [`crate::controlnet`].
#[cfg(feature = "torch")]
pub static CONTROLNET: &[Row] = &[
    Row {
        checkpoint: LCM_DREAMSHAPER,
        controlnet: checkpoint("lllyasviel/control_v11p_sd15_canny"),
        taesd: TAESD,
        schedule: Some("lcm"),
        defaults: &[("steps", Value::Int(2)), ("guidance", Value::Float(0.0))],
        bounds: &[("steps", 1.0, 6.0), ("guidance", 0.0, 2.0)],
        embedded: Some(&EMBEDDED_CONTROLNET),
        ..Row::plain("controlnet", "ControlNet, latent consistency")
    },
    Row {
        aliases: &["controlnetSDTurbo"],
        checkpoint: SD_TURBO,
        controlnet: checkpoint("thibaud/controlnet-sd21-canny-diffusers"),
        taesd: TAESD,
        schedule: Some("lcm"),
        defaults: &[
            ("steps", Value::Int(1)),
            ("guidance", Value::Float(1.0)),
            ("strength", Value::Float(0.8)),
            ("controlnet_scale", Value::Float(0.325)),
        ],
        bounds: &[("guidance", 0.0, 10.0)],
        embedded: Some(&Row {
            id: "controlnet-sd-turbo",
            aliases: &["controlnetSDTurbo"],
            stands_in_for: SD_TURBO,
            ..EMBEDDED_CONTROLNET
        }),
        ..Row::plain("controlnet-sd-turbo", "ControlNet, SD-Turbo")
    },
];

/// At this strength the picture still says which colours there are; at full strength edges alone say what is painted.
#[cfg(feature = "torch")]
const EMBEDDED_CONTROLNET: Row = Row {
    controlnet: checkpoint("embedded"),
    defaults: &[
        ("prompt", Value::Text("comic")),
        ("strength", Value::Float(0.6)),
        ("controlnet_scale", Value::Float(1.0)),
        ("width", Value::Int(256)),
        ("height", Value::Int(256)),
    ],
    ..embedded("controlnet", "ControlNet, embedded", LCM_DREAMSHAPER)
};

/// See [`crate::img2img`].
#[cfg(feature = "torch")]
pub static IMG2IMG: &[Row] = &[Row {
    aliases: &["img2imgSDTurbo"],
    checkpoint: SD_TURBO,
    taesd: TAESD,
    schedule: Some("euler"),
    bounds: &[("guidance", 0.0, 10.0)],
    embedded: Some(&Row {
        aliases: &["img2imgSDTurbo"],
        defaults: &[
            ("prompt", Value::Text("oil painting")),
            ("strength", Value::Float(0.3)),
            ("width", Value::Int(256)),
            ("height", Value::Int(256)),
        ],
        ..embedded("img2img", "Image to image, embedded", SD_TURBO)
    }),
    ..Row::plain("img2img", "Image to image, SD-Turbo")
}];

#[cfg(feature = "torch")]
const EMBEDDED_LCM: &[(&str, Value)] = &[
    ("prompt", Value::Text("watercolour")),
    ("steps", Value::Int(4)),
    ("strength", Value::Float(0.6)),
    ("width", Value::Int(256)),
    ("height", Value::Int(256)),
];

/// See [`crate::lcm`]. The network was distilled at guidances of 3 to 15.
#[cfg(feature = "torch")]
pub static LCM: &[Row] = &[
    Row {
        checkpoint: LCM_DREAMSHAPER,
        taesd: TAESD,
        schedule: Some("lcm"),
        defaults: &[("steps", Value::Int(4)), ("guidance", Value::Float(8.0))],
        bounds: &[("guidance", 0.2, 8.0)],
        embedded: Some(&Row {
            defaults: EMBEDDED_LCM,
            ..embedded("lcm", "Latent consistency, embedded", LCM_DREAMSHAPER)
        }),
        ..Row::plain("lcm", "Latent consistency")
    },
    Row {
        aliases: &["txt2img"],
        input: Some(Input::Text),
        checkpoint: LCM_DREAMSHAPER,
        taesd: TAESD,
        schedule: Some("lcm"),
        defaults: &[("steps", Value::Int(4)), ("guidance", Value::Float(8.0))],
        bounds: &[("steps", 2.0, 15.0), ("guidance", 1.0, 30.0)],
        embedded: Some(&Row {
            aliases: &["txt2img"],
            input: Some(Input::Text),
            defaults: EMBEDDED_LCM,
            ..embedded(
                "lcm-text",
                "Latent consistency, text only, embedded",
                LCM_DREAMSHAPER,
            )
        }),
        ..Row::plain("lcm-text", "Latent consistency, text only")
    },
];

/// See [`crate::canny`].
pub static CANNY: &[Row] = &[Row::plain("canny", "Edges")];

/// See [`crate::passthrough`].
pub static PASSTHROUGH: &[Row] = &[Row::plain("passthrough", "Passthrough")];
