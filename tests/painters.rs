//! Pipelines of the tests' own: they prove that a program of someone else's can start the server with its own list.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use limn_pipeline::{
    BatchKey, DeviceInfo, DeviceMemory, Frame, Input, Job, LoadContext, Output, Params, Pipeline,
    PipelineEntry, PipelineError, PipelineInfo, Registry, Report, Row, RunsOn, Size,
};
use limn_pipelines::{canny::Canny, passthrough::Passthrough, rows};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The tests' pipelines, and two that ship with Limn.
pub static REGISTRY: Registry = Registry {
    entries: &[
        PipelineEntry::of::<Brush>(&[Row::plain("brush", "Brush")]),
        PipelineEntry::of::<Words>(&[Row::plain("words", "Words")]),
        PipelineEntry::of::<Broken>(&[Row::plain("broken", "Broken")]),
        PipelineEntry::of::<Endless>(&[Row::plain("endless", "Endless")]),
        PipelineEntry::of::<Fickle>(&[Row::plain("fickle", "Fickle")]),
        PipelineEntry::of::<Canny>(rows::CANNY),
        PipelineEntry::of::<Passthrough>(rows::PASSTHROUGH),
    ],
    device: |_, _| {
        Ok(DeviceInfo {
            device: "easel".to_owned(),
            dtype: "f32".to_owned(),
            why: "a test has no other".to_owned(),
        })
    },
    memory: |_| {
        Some(DeviceMemory {
            used: 3 << 20,
            total: 5 << 20,
        })
    },
    at_hand: |_, row| row,
    safety: |name| match name {
        "nowhere" => Err(PipelineError::Load {
            what: name.to_owned(),
            reason: "its weights are nowhere".to_owned(),
            hint: Some("look for them".to_owned()),
        }),
        _ => Ok(()),
    },
};

/// What a user may change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct BrushParams {
    /// `copy` gives the picture back, `flag` flags the colour, `panic` panics, `fail` fails, `abort` ends the process, `lost`
    /// has lost the device, `hang` never comes back; anything else fills it with the colour.
    #[schemars(title = "Prompt", length(max = 200))]
    pub prompt: String,
    /// How red.
    #[schemars(title = "Red", range(min = 0, max = 255))]
    pub red: u32,
    /// How green.
    #[schemars(title = "Green", range(min = 0, max = 255))]
    pub green: u32,
    /// How blue.
    #[schemars(title = "Blue", range(min = 0, max = 255))]
    pub blue: u32,
    /// Changes nothing: it paints no noise.
    #[schemars(title = "Seed", range(min = 0, max = 1000), extend("x-field" = "seed"))]
    pub seed: u64,
    /// How long a frame takes, in milliseconds.
    #[schemars(title = "Milliseconds", range(min = 0, max = 5000))]
    pub millis: u32,
    /// The test whose frames are written down.
    #[schemars(title = "Diary", length(max = 100))]
    pub diary: String,
    /// Sessions with the same word share a turn; none does so with nobody.
    #[schemars(title = "Together", length(max = 100))]
    pub together: String,
    /// Pixels from left to right.
    #[schemars(title = "Width", range(min = 64, max = 1024), extend("multipleOf" = 8))]
    pub width: u32,
    /// Pixels from top to bottom.
    #[schemars(title = "Height", range(min = 64, max = 1024), extend("multipleOf" = 8))]
    pub height: u32,
}

impl Default for BrushParams {
    fn default() -> Self {
        Self {
            prompt: String::new(),
            red: 0,
            green: 0,
            blue: 0,
            seed: 0,
            millis: 0,
            diary: String::new(),
            together: String::new(),
            width: 64,
            height: 64,
        }
    }
}

impl Params for BrushParams {
    fn size(&self) -> Size {
        Size::new(self.width, self.height)
    }
}

impl BrushParams {
    fn filled(&self) -> Frame {
        let rgb = [self.red as u8, self.green as u8, self.blue as u8];
        Frame::filled(self.size(), rgb)
    }
}

/// One frame as the brush saw it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its parameters.
    pub params: BrushParams,
    /// Whether they differed from the session's last.
    pub changed: bool,
    /// How many frames its session had had before, since it was opened.
    pub before: u64,
    /// How many frames shared the call.
    pub batch: usize,
}

static DIARIES: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

/// What the brush wrote down for the test `diary`, in order.
pub fn diary(diary: &str) -> Vec<Entry> {
    let all = DIARIES.lock().unwrap_or_else(PoisonError::into_inner);
    all.iter()
        .filter(|entry| entry.params.diary == diary)
        .cloned()
        .collect()
}

/// A slow painter on the device that keeps a diary, and panics on request.
pub struct Brush;

impl Pipeline for Brush {
    type Params = BrushParams;
    type State = u64;

    const INFO: PipelineInfo = PipelineInfo {
        id: "brush",
        title: "Brush",
        summary: "Does as a test tells it.",
        input: Input::Image,
        runs_on: RunsOn::Device,
    };
    const GUARDED: bool = true;

    fn load(_: &LoadContext<'_>, _: &Row) -> Result<Self, PipelineError> {
        Ok(Self)
    }

    fn open(&mut self, _: &BrushParams) -> Result<u64, PipelineError> {
        Ok(0)
    }

    fn process(&mut self, job: Job<'_, Self>) -> Result<Output, PipelineError> {
        self.process_batch(vec![job]).remove(0)
    }

    fn batch_key(params: &BrushParams) -> Option<BatchKey> {
        (!params.together.is_empty()).then(|| BatchKey(params.together.clone()))
    }

    fn process_batch(&mut self, jobs: Vec<Job<'_, Self>>) -> Vec<Result<Output, PipelineError>> {
        let batch = jobs.len();
        let longest = jobs.iter().map(|job| job.params.millis).max().unwrap_or(0);
        std::thread::sleep(Duration::from_millis(longest.into()));
        jobs.into_iter()
            .map(|job| {
                if !job.params.diary.is_empty() {
                    let mut all = DIARIES.lock().unwrap_or_else(PoisonError::into_inner);
                    all.push(Entry {
                        params: job.params.clone(),
                        changed: job.changed,
                        before: *job.state,
                        batch,
                    });
                }
                *job.state += 1;
                match (job.params.prompt.as_str(), &job.prepared.picture) {
                    ("panic", _) => panic!("the prompt says so"),
                    ("abort", _) => std::process::abort(),
                    ("lost", _) => Err(PipelineError::DeviceLost {
                        reason: "the prompt says so".to_owned(),
                        under_it: true,
                    }),
                    ("hang", _) => loop {
                        std::thread::park();
                    },
                    ("fail", _) => Err(PipelineError::failed("brush", "the prompt says so")),
                    ("flag", _) => Ok(Output {
                        flagged: true,
                        report: Some(Report::Flagged),
                        ..job.params.filled().into()
                    }),
                    ("copy", Some(picture)) => Ok(picture.clone().into()),
                    _ => Ok(job.params.filled().into()),
                }
            })
            .collect()
    }
}

/// A painter that reads no picture.
pub struct Words;

impl Pipeline for Words {
    type Params = BrushParams;
    type State = ();

    const INFO: PipelineInfo = PipelineInfo {
        id: "words",
        title: "Words",
        summary: "Paints from words alone.",
        input: Input::Text,
        runs_on: RunsOn::Cpu,
    };

    fn load(_: &LoadContext<'_>, _: &Row) -> Result<Self, PipelineError> {
        Ok(Self)
    }

    fn open(&mut self, _: &BrushParams) -> Result<(), PipelineError> {
        Ok(())
    }

    fn process(&mut self, job: Job<'_, Self>) -> Result<Output, PipelineError> {
        assert!(job.prepared.picture.is_none(), "words come alone");
        Ok(job.params.filled().into())
    }
}

static LOADS_OF_BROKEN: Mutex<u64> = Mutex::new(0);

/// How often anybody tried to load [`Broken`].
pub fn loads_of_broken() -> u64 {
    *LOADS_OF_BROKEN
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

/// A painter whose checkpoint is missing.
pub struct Broken;

impl Pipeline for Broken {
    type Params = BrushParams;
    type State = ();

    const INFO: PipelineInfo = PipelineInfo {
        id: "broken",
        title: "Broken",
        summary: "Cannot be loaded.",
        input: Input::Image,
        runs_on: RunsOn::Device,
    };

    fn load(_: &LoadContext<'_>, row: &Row) -> Result<Self, PipelineError> {
        *LOADS_OF_BROKEN
            .lock()
            .unwrap_or_else(PoisonError::into_inner) += 1;
        Err(PipelineError::Load {
            what: row.id.to_owned(),
            reason: "its weights are nowhere".to_owned(),
            hint: Some("look for them".to_owned()),
        })
    }

    fn open(&mut self, _: &BrushParams) -> Result<(), PipelineError> {
        Ok(())
    }

    fn process(&mut self, _: Job<'_, Self>) -> Result<Output, PipelineError> {
        Err(PipelineError::Cancelled)
    }
}

/// A painter that is never done with loading.
pub struct Endless;

impl Pipeline for Endless {
    type Params = BrushParams;
    type State = ();

    const INFO: PipelineInfo = PipelineInfo {
        id: "endless",
        title: "Endless",
        summary: "Never comes to an end of its loading.",
        input: Input::Image,
        runs_on: RunsOn::Device,
    };

    fn load(_: &LoadContext<'_>, _: &Row) -> Result<Self, PipelineError> {
        loop {
            std::thread::park();
        }
    }

    fn open(&mut self, _: &BrushParams) -> Result<(), PipelineError> {
        Ok(())
    }

    fn process(&mut self, _: Job<'_, Self>) -> Result<Output, PipelineError> {
        Err(PipelineError::Cancelled)
    }
}

/// Where [`Fickle`] reads how its loading ends: `abort` ends the process, `hang` never ends, `fail` fails; without the variable,
/// or without the file that it names, it is loaded.
pub const MOOD: &str = "EASEL_MOOD";

/// A painter whose loading goes as a file says.
pub struct Fickle;

impl Pipeline for Fickle {
    type Params = BrushParams;
    type State = ();

    const INFO: PipelineInfo = PipelineInfo {
        id: "fickle",
        title: "Fickle",
        summary: "Loads as it likes.",
        input: Input::Image,
        runs_on: RunsOn::Device,
    };

    fn load(_: &LoadContext<'_>, row: &Row) -> Result<Self, PipelineError> {
        let mood = std::env::var_os(MOOD).and_then(|path| std::fs::read_to_string(path).ok());
        match mood.as_deref() {
            Some("abort") => std::process::abort(),
            Some("hang") => loop {
                std::thread::park();
            },
            Some("fail") => Err(PipelineError::Load {
                what: row.id.to_owned(),
                reason: "it is in no mood".to_owned(),
                hint: None,
            }),
            _ => Ok(Self),
        }
    }

    fn open(&mut self, _: &BrushParams) -> Result<(), PipelineError> {
        Ok(())
    }

    fn process(&mut self, job: Job<'_, Self>) -> Result<Output, PipelineError> {
        Ok(job.params.filled().into())
    }
}
