//! A server with a pipeline of one's own: `cargo run --example own_pipeline -- --port 7861`, then open the page it names.

use limn_pipeline::*;
use limn_server::{Config, run, telemetry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What its users may change: bounds and words here are the panel's, the door's and the documentation's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct NegativeParams {
    /// How much of the negative is mixed in.
    #[schemars(range(min = 0.0, max = 1.0))]
    amount: f64,
    #[schemars(range(min = 64, max = 1024), extend("multipleOf" = 8, "x-advanced" = true))]
    width: u32,
    #[schemars(range(min = 64, max = 1024), extend("multipleOf" = 8, "x-advanced" = true))]
    height: u32,
}

impl Default for NegativeParams {
    fn default() -> Self {
        Self {
            amount: 1.0,
            width: 512,
            height: 512,
        }
    }
}

impl Params for NegativeParams {
    fn size(&self) -> Size {
        Size::new(self.width, self.height)
    }
}

/// Shows the negative of the camera's picture.
struct Negative;

impl Pipeline for Negative {
    type Params = NegativeParams;
    type State = ();
    const INFO: PipelineInfo = PipelineInfo {
        id: "negative",
        title: "Negative",
        summary: "Shows the negative of the camera's picture.",
        input: Input::Image,
        runs_on: RunsOn::Cpu,
    };

    fn load(_: &LoadContext<'_>, _: &Row) -> Result<Self, PipelineError> {
        Ok(Self)
    }

    fn open(&mut self, _: &NegativeParams) -> Result<(), PipelineError> {
        Ok(())
    }

    fn process(&mut self, job: Job<'_, Self>) -> Result<Output, PipelineError> {
        let none = || PipelineError::NoPicture {
            pipeline: "negative".to_owned(),
        };
        let frame = job.prepared.picture.as_ref().ok_or_else(none)?;
        let mix = |value: &u8| {
            (f64::from(*value) + job.params.amount * (255.0 - 2.0 * f64::from(*value))) as u8
        };
        let pixels: Vec<u8> = frame.pixels().iter().map(mix).collect();
        Ok(Frame::rgb8(frame.size(), pixels)
            .map_err(|error| PipelineError::failed("negative", error))?
            .into())
    }
}

static REGISTRY: Registry = Registry {
    entries: &[PipelineEntry::of::<Negative>(&[Row::plain(
        "negative", "Negative",
    )])],
    device: |_, _| {
        Ok(DeviceInfo {
            device: "cpu".into(),
            dtype: "f32".into(),
            why: "it needs no other".into(),
        })
    },
    memory: |_| None,
    at_hand: |_, row| row,
    safety: |name| {
        Err(PipelineError::failed(
            "negative",
            format!("no use for `{name}`"),
        ))
    },
};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = Config::read(std::env::args_os()).unwrap_or_else(|error| error.exit());
    telemetry::start(&config.log()).map_err(anyhow::Error::msg)?;
    run(config, REGISTRY).await
}
