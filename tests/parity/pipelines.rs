//! Whole pipelines, through the registry's own doors, against diffusers' on the same small random checkpoints.

use limn_pipeline::{
    Cancel, Checkpoint, Frame, HostJob, LoadContext, ParamSet, PipelineEntry, PipelineHost,
    Prepared, Row, SessionId, Unknown,
};
use limn_pipelines::REGISTRY;
use limn_tests::fixture;
use serde_json::{Map, Value, json};

use crate::netpbm::frame;

/// Of all values of a picture, this share lies within one 8-bit step.
const WITHIN_ONE_STEP: f64 = 0.999;

struct Case(Value);

impl Case {
    fn all() -> Vec<Self> {
        let text = std::fs::read_to_string(fixture("pipelines").join("cases.json")).unwrap();
        let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
        assert!(cases.len() >= 50, "{} cases", cases.len());
        cases.into_iter().map(Self).collect()
    }

    fn named(name: &str) -> Self {
        Self::all()
            .into_iter()
            .find(|case| case.text("name") == name)
            .unwrap()
    }

    fn text(&self, field: &str) -> &str {
        self.0[field].as_str().unwrap()
    }

    fn picture(&self, field: &str) -> Option<Frame> {
        self.0[field]
            .as_str()
            .map(|file| frame(&fixture("pipelines").join(file)))
    }

    fn entry(&self) -> (&'static PipelineEntry, &'static Row) {
        let (entry, row) = REGISTRY.find(self.text("row")).unwrap();
        match self.text("checkpoint") {
            "embedded" => (entry, (REGISTRY.at_hand)(Some("embedded"), row)),
            _ => (entry, row),
        }
    }

    /// As a browser would send them, but past the row's bounds where diffusers was asked for something beyond.
    fn params(&self) -> ParamSet {
        let (entry, row) = self.entry();
        let wide = Row {
            bounds: &[],
            ..*row
        };
        let door = (entry.door)(&wide);
        door.apply(
            door.defaults(),
            self.0["params"].as_object().unwrap(),
            Unknown::Refuse,
        )
        .unwrap()
    }

    fn host(&self) -> Box<dyn PipelineHost> {
        let (entry, row) = self.entry();
        let model = fixture("pipelines").join(self.text("checkpoint"));
        let context = LoadContext {
            device: "cpu",
            dtype: "f32",
            model: model.to_str(),
            no_taesd: self.0["taesd"] == false,
            ..LoadContext::default()
        };
        let mut host = (entry.load)(&context, row).unwrap();
        while !host.settle().unwrap() {}
        host
    }

    fn prepared(&self) -> Prepared {
        (self.entry().0.prepare)(self.picture("picture"), &self.params()).unwrap()
    }

    fn job(&self, session: u64) -> HostJob {
        HostJob {
            session: SessionId(session),
            params: self.params(),
            prepared: self.prepared(),
            cancel: Cancel::default(),
        }
    }
}

/// One host for each checkpoint and row: loading is most of a case's time.
fn each_case(mut check: impl FnMut(&Case, &mut dyn PipelineHost)) {
    let mut loaded: Option<(String, Box<dyn PipelineHost>)> = None;
    let mut cases = Case::all();
    let key = |case: &Case| {
        format!(
            "{} {} {}",
            case.text("row"),
            case.text("checkpoint"),
            case.0["taesd"]
        )
    };
    cases.sort_by_key(key);
    for case in cases {
        if loaded
            .as_ref()
            .is_none_or(|(loaded, _)| *loaded != key(&case))
        {
            loaded = Some((key(&case), case.host()));
        }
        let (_, host) = loaded.as_mut().unwrap();
        check(&case, host.as_mut());
    }
}

/// Share of values that differ by one step at most, and the largest difference.
fn nearness(ours: &Frame, theirs: &Frame) -> (f64, u8) {
    assert_eq!(ours.size(), theirs.size());
    let differences = ours
        .pixels()
        .iter()
        .zip(theirs.pixels())
        .map(|(a, b)| a.abs_diff(*b));
    let near = differences
        .clone()
        .filter(|difference| *difference <= 1)
        .count();
    (
        near as f64 / ours.pixels().len() as f64,
        differences.max().unwrap(),
    )
}

/// Mean difference of 255.
fn distance(a: &Frame, b: &Frame) -> f64 {
    let sum: u64 = a
        .pixels()
        .iter()
        .zip(b.pixels())
        .map(|(a, b)| u64::from(a.abs_diff(*b)))
        .sum();
    sum as f64 / a.pixels().len() as f64
}

#[test]
fn every_pipeline_paints_what_diffusers_paints() {
    let (mut far, mut worst) = (Vec::new(), (1.0, 0));
    each_case(|case, host| {
        let job = case.job(1);
        if let Some(control) = case.picture("control") {
            assert!(
                job.prepared
                    .control
                    .as_ref()
                    .unwrap()
                    .same_picture(&control),
                "{}",
                case.text("name")
            );
        }
        let output = host.turn(&[job]).remove(0).unwrap();
        let (share, largest) = nearness(&output.frame, &case.picture("painted").unwrap());
        worst = (share.min(worst.0), largest.max(worst.1));
        if share < WITHIN_ONE_STEP {
            far.push(format!(
                "{}: {share:.5} within one step, largest {largest}",
                case.text("name")
            ));
        }
        let stages: Vec<_> = output
            .stages
            .iter()
            .map(|stage| stage.stage.as_ref())
            .collect();
        assert_eq!(stages, ["prompt", "encode", "denoise", "decode"]);
    });
    println!(
        "worst: {:.5} within one step, largest difference {}",
        worst.0, worst.1
    );
    assert!(
        far.is_empty(),
        "{} cases are far off:\n{}",
        far.len(),
        far.join("\n")
    );
}

#[test]
fn the_same_frame_again_gives_the_same_bytes() {
    for name in [
        "img2img-large-guided",
        "lcm-image-large-4-0.5",
        "lcm-text-tiny-4-8.0",
        "controlnet-share",
    ] {
        let case = Case::named(name);
        let mut host = case.host();
        let first = host.turn(&[case.job(1)]).remove(0).unwrap();
        let again = host.turn(&[case.job(1)]).remove(0).unwrap();
        let stranger = host.turn(&[case.job(2)]).remove(0).unwrap();
        assert!(first.frame.same_picture(&again.frame), "{name}");
        assert!(first.frame.same_picture(&stranger.frame), "{name}");
    }
}

/// Three sessions with their own prompts, seeds and pictures in one call, and each alone.
#[test]
fn a_batch_equals_its_singles() {
    for name in [
        "img2img-tiny-4-1.0",
        "img2img-large-guided",
        "lcm-image-large-4-0.5",
        "lcm-text-tiny-4-8.0",
        "controlnet-3-1.0-1.7",
        "controlnet-sd-turbo-share",
    ] {
        let case = Case::named(name);
        let (entry, row) = case.entry();
        let door = (entry.door)(&Row {
            bounds: &[],
            ..*row
        });
        let own = [
            json!({"prompt": "a red house by the sea", "seed": 1}),
            json!({"prompt": "green cat in the rain", "seed": 2}),
            json!({"prompt": "old man", "prompt_b": "night city", "blend": 0.4, "blend_mode": "spherical", "seed": 3}),
        ];
        let jobs: Vec<HostJob> = own
            .iter()
            .enumerate()
            .map(|(index, patch)| {
                let params = door
                    .apply(&case.params(), patch.as_object().unwrap(), Unknown::Refuse)
                    .unwrap();
                let size = params.size();
                let tint = [90, 160, 230][index];
                let picture = case.picture("picture").map(|picture| {
                    let pixels: Vec<u8> = picture
                        .pixels()
                        .iter()
                        .map(|value| value / 2 + tint / 4)
                        .collect();
                    Frame::rgb8(size, pixels).unwrap()
                });
                let prepared = (entry.prepare)(picture, &params).unwrap();
                HostJob {
                    session: SessionId(index as u64),
                    params,
                    prepared,
                    cancel: Cancel::default(),
                }
            })
            .collect();
        let keys: Vec<_> = jobs
            .iter()
            .map(|job| (entry.batch_key)(&job.params).unwrap())
            .collect();
        assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");

        let together = case.host().turn(&jobs);
        let mut host = case.host();
        let alone: Vec<_> = jobs
            .iter()
            .map(|job| host.turn(std::slice::from_ref(job)).remove(0).unwrap())
            .collect();
        for (together, alone) in together.iter().zip(&alone) {
            let (share, largest) = nearness(&together.as_ref().unwrap().frame, &alone.frame);
            assert!(
                share >= WITHIN_ONE_STEP,
                "{name}: {share:.5} within one step, largest {largest}"
            );
        }
        assert!(
            distance(&alone[0].frame, &alone[1].frame) > 2.0,
            "{name}: sessions paint different pictures"
        );
        assert!(
            distance(&alone[1].frame, &alone[2].frame) > 2.0,
            "{name}: sessions paint different pictures"
        );
    }
}

#[test]
fn another_prompt_changes_the_picture() {
    for (one, other) in [
        ("img2img-tiny-one", "img2img-tiny-other"),
        ("img2img-large-one", "img2img-large-other"),
        ("lcm-image-tiny-one", "lcm-image-tiny-other"),
        ("lcm-image-large-one", "lcm-image-large-other"),
    ] {
        let (one, other) = (Case::named(one), Case::named(other));
        let mut host = one.host();
        let first = host.turn(&[one.job(1)]).remove(0).unwrap();
        let second = host.turn(&[other.job(1)]).remove(0).unwrap();
        let change = distance(&first.frame, &second.frame);
        assert!(
            change >= 8.0,
            "{}: prompts differ by {change:.2} of 255",
            one.text("name")
        );
    }
}

#[test]
fn other_words_while_it_runs_paint_what_a_new_session_paints() {
    for name in ["img2img-tiny-one", "lcm-image-tiny-one", "controlnet-share"] {
        let case = Case::named(name);
        let mut host = case.host();
        let before = case.job(1);
        let mut after = case.job(1);
        let words = json!({"prompt": "other words", "prompt_b": "and more", "blend": 0.3});
        let (entry, row) = case.entry();
        after.params = (entry.door)(row)
            .apply(&before.params, words.as_object().unwrap(), Unknown::Refuse)
            .unwrap();
        let fresh = HostJob {
            session: SessionId(2),
            ..after.clone()
        };
        let painted = [before, after, fresh].map(|job| host.turn(&[job]).remove(0).unwrap().frame);
        assert!(painted[1].same_picture(&painted[2]), "{name}");
        assert!(!painted[0].same_picture(&painted[1]), "{name}");
    }
}

#[test]
fn parameters_out_of_reach_of_the_grid_are_met_as_far_as_they_go() {
    let case = Case::named("lcm-image-tiny-one");
    let mut job = case.job(1);
    let (entry, row) = case.entry();
    let door = (entry.door)(row);
    let patch: Map<_, _> = json!({"strength": 0.1, "steps": 15, "width": 64, "height": 64})
        .as_object()
        .unwrap()
        .clone();
    job.params = door
        .apply(door.defaults(), &patch, Unknown::Refuse)
        .unwrap();
    case.host().turn(&[job]).remove(0).unwrap();
}

#[test]
fn a_frame_nobody_needs_is_cancelled_and_the_next_one_is_not() {
    let case = Case::named("controlnet-share");
    let mut host = case.host();
    let job = case.job(1);
    job.cancel.cancel();
    let error = host.turn(&[job]).remove(0).unwrap_err();
    assert!(
        matches!(error, limn_pipeline::PipelineError::Cancelled),
        "{error}"
    );
    host.turn(&[case.job(1)]).remove(0).unwrap();
}

#[test]
fn a_picture_is_asked_for_where_one_is_needed() {
    for name in ["img2img-tiny-1-0.5", "controlnet-share"] {
        let case = Case::named(name);
        let job = HostJob {
            prepared: Prepared::default(),
            ..case.job(1)
        };
        let error = case.host().turn(&[job]).remove(0).unwrap_err();
        assert!(
            error.to_string().ends_with("needs a picture and none came"),
            "{error}"
        );
    }
}

#[test]
fn a_long_prompt_is_painted_and_what_was_left_out_is_said_once() {
    let case = Case::named("img2img-tiny-1-0.5");
    let (entry, row) = case.entry();
    let door = (entry.door)(row);
    let long = "red house by the sea ".repeat(40);
    let patch: Map<_, _> = json!({"prompt": long, "width": 64, "height": 64})
        .as_object()
        .unwrap()
        .clone();
    let mut host = case.host();
    let mut job = case.job(1);
    job.params = door
        .apply(door.defaults(), &patch, Unknown::Refuse)
        .unwrap();
    let first = host.turn(std::slice::from_ref(&job)).remove(0).unwrap();
    assert!(
        matches!(
            first.report,
            Some(limn_pipeline::Report::PromptTruncated { .. })
        ),
        "{:?}",
        first.report
    );
    assert_eq!(host.turn(&[job]).remove(0).unwrap().report, None);
}

#[test]
fn it_says_what_it_paints_with() {
    let case = Case::named("controlnet-share");
    let model = fixture("pipelines").join("lcm");
    let said = case.host().describe();
    assert_eq!(
        said,
        format!(
            "{}, controlnet: its own controlnet, taesd: its own taesd",
            model.display()
        )
    );
    let missing = LoadContext {
        device: "cpu",
        dtype: "f32",
        model: Some("./nowhere"),
        ..LoadContext::default()
    };
    let (entry, row) = case.entry();
    let Err(error) = (entry.load)(&missing, row) else {
        panic!("loaded from nowhere")
    };
    assert!(
        error.to_string().starts_with("cannot load `./nowhere`: "),
        "{error}"
    );
}

#[test]
fn an_autoencoder_with_other_latents_is_refused_by_name() {
    let (entry, row) = REGISTRY.find("img2img").unwrap();
    let row = (REGISTRY.at_hand)(Some("embedded"), row);
    let taesd = fixture("pipelines").join("turbo/taesd");
    let context = LoadContext {
        device: "cpu",
        dtype: "f32",
        taesd: taesd.to_str(),
        ..LoadContext::default()
    };
    let Err(error) = (entry.load)(&context, row) else {
        panic!("loaded an autoencoder that does not fit")
    };
    assert_eq!(
        error.to_string(),
        "cannot load `img2img`: the autoencoder has latents of 4 channels, and the denoiser of 32"
    );
    assert!(error.hint().is_some());
}

#[test]
fn what_is_no_number_is_an_error_and_no_black_picture() {
    let case = Case::named("img2img-tiny-one");
    let source = fixture("pipelines").join(case.text("checkpoint"));
    let folder = tempfile::tempdir().unwrap();
    copy(&source, folder.path());
    let file = folder
        .path()
        .join("unet/diffusion_pytorch_model.safetensors");
    let mut tensors = tch::Tensor::read_safetensors(&file).unwrap();
    for (name, tensor) in &mut tensors {
        if name.starts_with("conv_out") {
            *tensor = tensor.full_like(f64::NAN);
        }
    }
    tch::Tensor::write_safetensors(&tensors, &file).unwrap();
    let (entry, row) = case.entry();
    let context = LoadContext {
        device: "cpu",
        dtype: "f32",
        model: folder.path().to_str(),
        no_taesd: case.0["taesd"] == false,
        ..LoadContext::default()
    };
    let mut host = (entry.load)(&context, row).unwrap();
    while !host.settle().unwrap() {}
    let painted = host.turn(&[case.job(1)]).remove(0);
    let said = painted.err().map(|error| error.to_string());
    assert!(said.is_some_and(|said| said.contains("no number")));
    assert_eq!(host.open_sessions(), 0, "the session begins anew");
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let there = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir(&there).unwrap();
            copy(&entry.path(), &there);
        } else {
            std::fs::copy(entry.path(), there).unwrap();
        }
    }
}

#[test]
fn without_its_checkpoint_a_row_paints_with_the_embedded_one_and_says_so() {
    for name in [
        "controlnet",
        "controlnet-sd-turbo",
        "img2img",
        "lcm",
        "lcm-text",
    ] {
        let (entry, known) = REGISTRY.find(name).unwrap();
        let nowhere = Checkpoint {
            name: "limn-tests/nowhere",
            variant: None,
        };
        let known: &'static Row = Box::leak(Box::new(Row {
            checkpoint: Some(nowhere),
            ..*known
        }));
        assert_eq!(
            (REGISTRY.at_hand)(Some("./a/folder"), known).checkpoint,
            Some(nowhere)
        );
        let row = (REGISTRY.at_hand)(None, known);
        assert_eq!((row.id, row.aliases), (known.id, known.aliases));
        assert_eq!((REGISTRY.at_hand)(Some("embedded"), known), row);
        let context = LoadContext {
            device: "cpu",
            dtype: "f32",
            ..LoadContext::default()
        };
        let mut host = (entry.load)(&context, row).unwrap();
        while !host.settle().unwrap() {}
        let said = host.describe();
        assert!(
            said.starts_with("the small embedded checkpoint; `--model ")
                && said.contains("paints with the large one"),
            "{said}"
        );

        let door = (entry.door)(row);
        let patch = json!({"width": 96, "height": 72});
        let params = door
            .apply(door.defaults(), patch.as_object().unwrap(), Unknown::Refuse)
            .unwrap();
        let picture = Some(Frame::filled(params.size(), [200, 40, 90]));
        let prepared = (entry.prepare)(picture, &params).unwrap();
        let job = HostJob {
            session: SessionId(1),
            params,
            prepared,
            cancel: Cancel::default(),
        };
        let painted = host.turn(&[job]).remove(0).unwrap().frame;
        assert!(
            painted
                .pixels()
                .iter()
                .any(|value| *value != painted.pixels()[0]),
            "{name}: one colour"
        );
    }
}
