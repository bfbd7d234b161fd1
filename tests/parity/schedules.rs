//! Every branch of every noise schedule beside diffusers: timesteps exactly, whole trajectories within 1e-6.

use limn_models::noise::{
    NoiseScheduler, Plan, Rule, SchedulerConfig, draw_noise, guidance_embedding,
};
use limn_tests::fixture;
use serde_json::Value;
use tch::Tensor;

use crate::nearness::{Case as Tensors, distance};

/// The project's bound for schedules; f32 keeps 6e-8 per operation.
const BOUND: f64 = 1e-6;

struct Case {
    name: String,
    plan: Plan,
    listed: Value,
}

fn load() -> (Value, Tensors, Vec<Case>) {
    let folder = fixture("schedules");
    let text = std::fs::read_to_string(folder.join("cases.json")).unwrap();
    let listed: Value = serde_json::from_str(&text).unwrap();
    let cases = listed["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(case)
        .collect();
    (
        listed,
        Tensors::open(&folder.join("tensors.safetensors")),
        cases,
    )
}

fn case(listed: &Value) -> Case {
    let config = SchedulerConfig::from_json(&listed["config"].to_string()).unwrap();
    let rule = match listed["rule"].as_str() {
        Some("lcm") => Rule::LcmOwn,
        _ => Rule::Generic,
    };
    let steps = usize::try_from(listed["steps"].as_u64().unwrap()).unwrap();
    let strength = listed["strength"].as_f64().unwrap();
    let scheduler = NoiseScheduler::from_config(&config).unwrap();
    let plan = scheduler
        .plan(steps, strength, rule)
        .unwrap_or_else(|error| panic!("{error}: {listed}"));
    Case {
        name: listed["name"].as_str().unwrap().to_owned(),
        plan,
        listed: listed.clone(),
    }
}

#[test]
fn timesteps_are_exactly_the_references() {
    let (_, _, cases) = load();
    assert!(cases.len() > 400, "{} runs", cases.len());
    for case in cases {
        let ours: Vec<f64> = case
            .plan
            .steps
            .iter()
            .map(|step| f64::from(step.timestep))
            .collect();
        let theirs: Vec<f64> = case.listed["timesteps"]
            .as_array()
            .unwrap()
            .iter()
            .map(|timestep| timestep.as_f64().unwrap())
            .collect();
        assert_eq!(ours, theirs, "{}", case.listed);
        let scale = case.listed["noise_scale"].as_f64().unwrap();
        assert!(
            (case.plan.noise_scale / scale - 1.0).abs() <= BOUND,
            "{} instead of {scale}",
            case.plan.noise_scale
        );
    }
}

#[test]
fn whole_trajectories_are_the_references() {
    let (_, tensors, cases) = load();
    let (clean, noise, output) = (
        tensors.get("clean"),
        tensors.get("noise"),
        tensors.get("output"),
    );
    let mut worst = (0.0, String::new());
    for case in cases {
        let their = |what: &str, index: usize| {
            tensors
                .get(&format!("{}.{what}", case.name))
                .get(index as i64)
        };
        let mut note = |what: &str, ours: &Tensor, theirs: &Tensor| {
            let apart = distance(ours, theirs);
            assert!(apart <= BOUND, "{what} {apart:.2e}: {}", case.listed);
            if apart > worst.0 {
                worst = (apart, format!("{what}: {}", case.listed["config"]));
            }
        };
        let mut latent = case.plan.add_noise(clean, &noise.get(0));
        note(
            "start",
            &latent,
            tensors.get(&format!("{}.start", case.name)),
        );
        let mut draws = 1;
        for (index, step) in case.plan.steps.iter().enumerate() {
            note("input", &step.scale_input(&latent), &their("input", index));
            let fresh = (step.next.noise != 0.0).then(|| noise.get(index as i64 + 1));
            draws += usize::from(fresh.is_some());
            let stepped = step.apply(&latent, &output.get(index as i64), fresh.as_ref());
            note("denoised", &stepped.denoised, &their("denoised", index));
            note("next", &stepped.next, &their("next", index));
            latent = stepped.next;
        }
        assert_eq!(case.plan.draws(), draws);
    }
    println!("furthest apart {:.2e}, {}", worst.0, worst.1);
}

#[test]
fn half_precision_outputs_are_taken_into_f32_latents() {
    let (_, tensors, cases) = load();
    let (clean, noise) = (tensors.get("clean"), tensors.get("noise").get(0));
    let output = tensors.get("output").get(0);
    let plan = &cases.last().unwrap().plan;
    let latent = plan.add_noise(clean, &noise);
    let half = plan.steps[0].apply(&latent, &output.to_kind(tch::Kind::BFloat16), None);
    let whole = plan.steps[0].apply(&latent, &output, None);
    assert_eq!(half.next.kind(), tch::Kind::Float);
    // bf16 keeps 8 bits.
    assert!(distance(&half.next, &whole.next) < 1.0 / 256.0);
}

#[test]
fn the_same_seed_is_the_same_noise() {
    let (listed, tensors, _) = load();
    let theirs = tensors.get("noise");
    let draws = theirs.size()[0];
    let seed = listed["seed"].as_u64().unwrap();
    let ours = draw_noise(seed, &theirs.size()[1..], usize::try_from(draws).unwrap());
    assert_eq!(Tensor::stack(&ours, 0), *theirs);
}

#[test]
fn guidance_is_embedded_as_lcm_was_taught() {
    let (listed, tensors, _) = load();
    let scales: Vec<f64> = listed["scales"]
        .as_array()
        .unwrap()
        .iter()
        .map(|scale| scale.as_f64().unwrap())
        .collect();
    for dims in [256, 31] {
        let rows: Vec<Tensor> = scales
            .iter()
            .map(|&scale| guidance_embedding(scale, dims))
            .collect();
        let apart = distance(
            &Tensor::cat(&rows, 0),
            tensors.get(&format!("guidance.{dims}")),
        );
        assert!(apart <= BOUND, "{dims} dims: {apart:.2e}");
    }
}
