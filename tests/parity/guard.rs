//! The safety checker beside the painter: what is flagged leaves blurred, checked as often as the operator says, session by
//! session.

use std::path::Path;

use limn_models::folder::Folder;
use limn_models::safety::{ImageProcessor, SafetyChecker};
use limn_models::weights::{Weights, read_config};
use limn_pipeline::{
    Cancel, Frame, HostJob, LoadContext, Output, PipelineEntry, PipelineHost, Report, Row,
    SessionId, Unknown,
};
use limn_pipelines::REGISTRY;
use limn_tests::fixture;
use serde_json::json;
use tch::{Device, Kind, Tensor};

/// The embedded row of the shortest way, on the CPU.
fn row() -> (&'static PipelineEntry, &'static Row) {
    let (entry, row) = REGISTRY.find("img2img").unwrap();
    (entry, (REGISTRY.at_hand)(Some("embedded"), row))
}

/// A host whose pictures the checker `name` of the fixtures looks at; without a name nobody does.
fn host(name: Option<&str>, every: u32) -> Box<dyn PipelineHost> {
    host_of(
        name.map(|name| fixture("safety").join(name)).as_deref(),
        every,
    )
}

fn host_of(folder: Option<&Path>, every: u32) -> Box<dyn PipelineHost> {
    let context = LoadContext {
        device: "cpu",
        dtype: "f32",
        safety_checker: folder.and_then(Path::to_str),
        safety_every: every,
        ..LoadContext::default()
    };
    let (entry, row) = row();
    let mut host = (entry.load)(&context, row).unwrap();
    while !host.settle().unwrap() {}
    host
}

/// A picture with something on it: stripes that move with `number`.
fn job(session: u64, number: u32, prompt: &str) -> HostJob {
    let (entry, row) = row();
    let door = (entry.door)(row);
    let patch = json!({"width": 128, "height": 96, "strength": 0.5, "prompt": prompt});
    let params = door
        .apply(door.defaults(), patch.as_object().unwrap(), Unknown::Refuse)
        .unwrap();
    let pixels: Vec<u8> = (0..96u32)
        .flat_map(|y| (0..128u32).map(move |x| (x, y)))
        .flat_map(|(x, y)| {
            let light = ((x + number * 3) / 8).is_multiple_of(2);
            [if light { 240 } else { 10 }, (2 * y) as u8, 90]
        })
        .collect();
    let picture = Frame::rgb8(params.size(), pixels).unwrap();
    HostJob {
        session: SessionId(session),
        prepared: (entry.prepare)(Some(picture), &params).unwrap(),
        params,
        cancel: Cancel::default(),
    }
}

fn painted(host: &mut dyn PipelineHost, jobs: &[HostJob]) -> Vec<Output> {
    host.turn(jobs).into_iter().map(Result::unwrap).collect()
}

fn was_checked(output: &Output) -> bool {
    output.stages.iter().any(|stage| stage.stage == "safety")
}

/// Mean difference of a pixel from its right neighbour, of 255: what a blur takes away.
fn detail(frame: &Frame) -> f64 {
    let row = frame.size().width as usize * 3;
    let steps = frame.pixels().chunks_exact(row).flat_map(|row| {
        row.iter()
            .zip(&row[3..])
            .map(|(a, b)| f64::from(a.abs_diff(*b)))
    });
    steps.sum::<f64>() / frame.pixels().len() as f64
}

fn mean(frame: &Frame) -> f64 {
    let sum: f64 = frame.pixels().iter().map(|value| f64::from(*value)).sum();
    sum / frame.pixels().len() as f64
}

#[test]
fn nothing_that_is_flagged_leaves_as_it_was_painted() {
    let (mut bare, mut strict) = (host(None, 1), host(Some("all"), 1));
    for number in 0..4 {
        let plain = painted(&mut *bare, &[job(1, number, "comic")]).remove(0);
        let hidden = painted(&mut *strict, &[job(1, number, "comic")]).remove(0);
        assert!(!plain.flagged && !was_checked(&plain));
        assert!(hidden.flagged && was_checked(&hidden), "frame {number}");
        let news = (number == 0).then_some(Report::Flagged);
        assert_eq!(hidden.report, news, "said once");
        let (was, is) = (detail(&plain.frame), detail(&hidden.frame));
        println!("frame {number}: {was:.1} of detail, {is:.1} after");
        assert!(
            was > 5.0 && is < was / 5.0,
            "frame {number}: {was} and {is}"
        );
        // Its colours are kept, so that the stream goes on as one.
        let (was, is) = (mean(&plain.frame), mean(&hidden.frame));
        assert!((was - is).abs() < 3.0, "frame {number}: {was} and {is}");
    }
}

#[test]
fn what_is_not_flagged_leaves_untouched() {
    let (mut bare, mut lenient) = (host(None, 1), host(Some("none"), 1));
    for number in 0..3 {
        let plain = painted(&mut *bare, &[job(1, number, "comic")]).remove(0);
        let shown = painted(&mut *lenient, &[job(1, number, "comic")]).remove(0);
        assert!(!shown.flagged && was_checked(&shown) && shown.report.is_none());
        assert!(plain.frame.same_picture(&shown.frame), "frame {number}");
    }
}

#[test]
fn every_third_is_checked_and_its_verdict_holds_for_the_two_after() {
    for (name, flagged) in [("all", true), ("none", false)] {
        let mut host = host(Some(name), 3);
        let outputs: Vec<Output> = (0..9)
            .map(|number| painted(&mut *host, &[job(1, number, "comic")]).remove(0))
            .collect();
        let checked: Vec<usize> = (0..9).filter(|&at| was_checked(&outputs[at])).collect();
        assert_eq!(checked, [0, 3, 6], "{name}");
        assert!(
            outputs.iter().all(|output| output.flagged == flagged),
            "{name}"
        );
        let said: Vec<_> = outputs
            .iter()
            .filter_map(|output| output.report.clone())
            .collect();
        assert_eq!(said.len(), usize::from(flagged), "{name}");
    }
}

/// A session that came later is checked with its own first picture, in whatever batch that comes.
#[test]
fn in_a_batch_each_session_has_a_count_of_its_own() {
    let mut host = host(Some("all"), 3);
    painted(&mut *host, &[job(1, 0, "comic")]);
    let outputs = painted(
        &mut *host,
        &[job(1, 1, "comic"), job(2, 0, "neon"), job(3, 0, "ink")],
    );
    assert!(outputs.iter().all(|output| output.flagged));
    let said: Vec<_> = outputs.iter().map(|output| output.report.clone()).collect();
    assert_eq!(said, [None, Some(Report::Flagged), Some(Report::Flagged)]);
    // Nobody is due now, and all are hidden all the same.
    let outputs = painted(
        &mut *host,
        &[job(1, 2, "comic"), job(2, 1, "neon"), job(3, 1, "ink")],
    );
    assert!(
        outputs
            .iter()
            .all(|output| output.flagged && !was_checked(output))
    );
    assert!(outputs.iter().all(|output| detail(&output.frame) < 4.0));
    // A new session begins without a past.
    host.close(SessionId(1));
    let output = painted(&mut *host, &[job(1, 3, "comic")]).remove(0);
    assert_eq!(output.report, Some(Report::Flagged));
}

/// A checker that flags some of these pictures and not the others: on one side of the widest gap between their cosines with
/// what sets the first apart.
fn divided(frames: &[Frame]) -> tempfile::TempDir {
    let _guard = tch::no_grad_guard();
    let source = fixture("safety/none");
    let folder = Folder::from(&source);
    let weights = Weights::open(&folder, None, Device::Cpu, Kind::Float).unwrap();
    let (config, processor) = (read_config(&folder), ImageProcessor::open(&folder).unwrap());
    let checker =
        SafetyChecker::load(&weights.root(), &config.unwrap(), processor.clone()).unwrap();
    let embed = |frame: &Frame| {
        let size = frame.size();
        let bytes = Tensor::from_slice(frame.pixels()).to_kind(Kind::Float) / 255.0;
        let picture = bytes
            .view([1, size.height.into(), size.width.into(), 3])
            .permute([0, 3, 1, 2]);
        let embedding = checker
            .embed(&processor.forward(&picture).unwrap())
            .unwrap();
        &embedding / embedding.norm()
    };
    let embeddings = Tensor::cat(&frames.iter().map(embed).collect::<Vec<_>>(), 0);
    let direction = embeddings.get(0) - embeddings.mean_dim(0, false, Kind::Float);
    let direction = &direction / direction.norm();
    let mut cosines = Vec::<f64>::try_from(embeddings.matmul(&direction)).unwrap();
    cosines.sort_by(f64::total_cmp);
    let gap = |pair: &&[f64]| pair[1] - pair[0];
    let widest = cosines.windows(2).max_by(|a, b| gap(a).total_cmp(&gap(b)));
    let widest = widest.unwrap();
    assert!(gap(&widest) > 0.01, "no clear border: {cosines:?}");

    let copy = tempfile::tempdir().unwrap();
    for file in ["config.json", "preprocessor_config.json"] {
        std::fs::copy(source.join(file), copy.path().join(file)).unwrap();
    }
    let mut tensors = Tensor::read_safetensors(source.join("model.safetensors")).unwrap();
    for (key, tensor) in &mut tensors {
        match key.as_str() {
            "concept_embeds" => *tensor = direction.expand([17, -1], false).copy(),
            "concept_embeds_weights" => {
                let _ = tensor.fill_((widest[0] + widest[1]) / 2.0);
            }
            _ => {}
        }
    }
    Tensor::write_safetensors(&tensors, copy.path().join("model.safetensors")).unwrap();
    copy
}

/// Some pictures of a batch flagged and some not: each as it is alone, in order.
#[test]
fn a_batch_is_judged_as_its_singles() {
    let prompts = ["comic", "neon", "ink", "x-ray", "sunset", "ice", "thermal"];
    let jobs: Vec<HostJob> = (0..)
        .zip(prompts)
        .map(|(at, prompt)| job(u64::from(at), 5 * at, prompt))
        .collect();
    let mut bare = self::host(None, 1);
    let plain: Vec<Frame> = (jobs.iter())
        .map(|job| {
            painted(&mut *bare, std::slice::from_ref(job))
                .remove(0)
                .frame
        })
        .collect();
    let checker = divided(&plain);
    let together = painted(&mut *host_of(Some(checker.path()), 1), &jobs);
    let flagged: Vec<bool> = together.iter().map(|output| output.flagged).collect();
    println!("{flagged:?}");
    assert!(
        flagged.contains(&true) && flagged.contains(&false),
        "{flagged:?}"
    );
    let mut host = host_of(Some(checker.path()), 1);
    for ((job, together), plain) in jobs.iter().zip(&together).zip(&plain) {
        let alone = painted(&mut *host, std::slice::from_ref(job)).remove(0);
        assert_eq!(alone.flagged, together.flagged);
        // In a batch sums come in another order, so a value may round to the next byte.
        let steps = together.frame.pixels().iter().zip(plain.pixels());
        let apart = steps.filter(|(a, b)| a.abs_diff(**b) > 1).count() as f64;
        let share = apart / plain.pixels().len() as f64;
        assert_eq!(share > 0.3, together.flagged, "{share}");
        assert!(together.flagged || share < 1e-3, "{share}");
    }
}
