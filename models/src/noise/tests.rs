//! The golden values of the published schedules; parity with diffusers is tested from outside, on fixtures.

use super::*;

fn scheduler(algorithm: Algorithm, extra: &str) -> NoiseScheduler {
    let text = format!(
        r#"{{"beta_start":0.00085,"beta_end":0.012,"beta_schedule":"scaled_linear"{extra}}}"#
    );
    NoiseScheduler::new(algorithm, &SchedulerConfig::from_json(&text).unwrap()).unwrap()
}

fn timesteps(scheduler: &NoiseScheduler, steps: usize, strength: f64, rule: Rule) -> Vec<f32> {
    scheduler
        .plan(steps, strength, rule)
        .unwrap()
        .steps
        .iter()
        .map(|step| step.timestep)
        .collect()
}

#[test]
fn levels_are_stable_diffusions() {
    // timestep, sqrt(abar), sqrt(1 - abar), sigma, c_skip; each written to the digits given, computed with diffusers 0.28.
    let golden = [
        (999, 0.068265, 0.997667, 14.61464, 2.505e-9),
        (759, 0.228501, 0.973544, 4.26056, 4.340e-9),
        (749, 0.237957, 0.971276, 4.08173, 4.456e-9),
        (666, 0.324161, 0.946002, 2.91831, 5.636e-9),
        (499, 0.526944, 0.849900, 1.61289, 1.004e-8),
        (379, 0.677133, 0.735860, 1.08673, 1.740e-8),
        (359, 0.701071, 0.713092, 1.01715, 1.940e-8),
        (332, 0.732559, 0.680704, 0.92921, 2.268e-8),
        (299, 0.769534, 0.638605, 0.82986, 2.796e-8),
        (259, 0.811773, 0.583973, 0.71938, 3.727e-8),
        (249, 0.821847, 0.569708, 0.69320, 4.032e-8),
        (139, 0.918227, 0.396055, 0.43133, 1.294e-7),
    ];
    let lcm = scheduler(Algorithm::Lcm, "");
    for (timestep, signal, noise, sigma, _) in golden {
        let abar = f64::from(lcm.levels().abar(timestep));
        assert!(
            (abar.sqrt() - signal).abs() < 1e-6,
            "timestep {timestep}: sqrt(abar) {}",
            abar.sqrt()
        );
        assert!(
            ((1.0 - abar).sqrt() - noise).abs() < 1e-6,
            "timestep {timestep}"
        );
        let got = f64::from(lcm.levels().sigma(timestep));
        assert!(
            (got - sigma).abs() < 1e-5,
            "timestep {timestep}: sigma {got}"
        );
    }
    // c_skip is seen where a plan holds the timestep: the 50 steps of LCM's grid hold every k * 20 - 1.
    let plan = lcm.plan(50, 1.0, Rule::LcmOwn).unwrap();
    let mut seen = 0;
    for (timestep, .., c_skip) in golden {
        for step in plan
            .steps
            .iter()
            .filter(|step| step.timestep == timestep as f32)
        {
            assert!(
                (step.denoised.1 / c_skip - 1.0).abs() < 1e-3,
                "timestep {timestep}: {}",
                step.denoised.1
            );
            seen += 1;
        }
    }
    assert_eq!(seen, 8);
}

#[test]
fn lcm_runs_all_steps_on_its_own_grid() {
    let lcm = scheduler(Algorithm::Lcm, "");
    assert_eq!(
        timesteps(&lcm, 4, 0.5, Rule::LcmOwn),
        [499.0, 379.0, 259.0, 139.0]
    );
    assert_eq!(
        timesteps(&lcm, 4, 1.0, Rule::LcmOwn),
        [999.0, 759.0, 499.0, 259.0]
    );
    assert_eq!(timesteps(&lcm, 2, 0.5, Rule::Generic), [499.0]);
}

#[test]
fn euler_trailing_is_sd_turbos() {
    let euler = scheduler(Algorithm::Euler, r#","timestep_spacing":"trailing""#);
    assert_eq!(timesteps(&euler, 1, 1.0, Rule::Generic), [999.0]);
    assert_eq!(timesteps(&euler, 2, 1.0, Rule::Generic), [999.0, 499.0]);
    assert_eq!(
        timesteps(&euler, 3, 1.0, Rule::Generic),
        [999.0, 666.0, 332.0]
    );
    assert_eq!(
        timesteps(&euler, 4, 1.0, Rule::Generic),
        [999.0, 749.0, 499.0, 249.0]
    );
    // One step at strength 0.5 would run nothing; repaired it runs the second of two.
    assert!(matches!(
        euler.plan(1, 0.5, Rule::Generic),
        Err(NoiseError::Nothing { .. })
    ));
    assert_eq!(
        timesteps(&euler, repair_steps(1, 0.5), 0.5, Rule::Generic),
        [499.0]
    );
}

#[test]
fn too_few_steps_are_repaired() {
    assert_eq!(repair_steps(4, 0.5), 4);
    assert_eq!(repair_steps(1, 0.5), 2);
    assert_eq!(repair_steps(1, 0.8), 2);
    assert_eq!(repair_steps(1, 1.0), 1);
    assert_eq!(repair_steps(1, 0.0), 10);
}

#[test]
fn more_steps_than_the_grid_has_are_refused_with_the_number() {
    let lcm = scheduler(Algorithm::Lcm, "");
    match lcm.plan(15, 0.1, Rule::LcmOwn) {
        Err(NoiseError::Steps {
            steps: 15, most: 5, ..
        }) => {}
        other => panic!("{other:?}"),
    }
    assert!(lcm.plan(5, 0.1, Rule::LcmOwn).is_ok());
    assert!(matches!(
        lcm.plan(4, 1.5, Rule::LcmOwn),
        Err(NoiseError::Strength(_))
    ));
}

#[test]
fn a_controlnet_speaks_between_start_and_end() {
    let keeps = |start, end| {
        (0..4)
            .map(|i| controlnet_keep(i, 4, start, end))
            .collect::<Vec<_>>()
    };
    assert_eq!(keeps(0.0, 1.0), [1.0; 4]);
    assert_eq!(keeps(0.25, 0.75), [0.0, 1.0, 1.0, 0.0]);
    assert_eq!(keeps(0.0, 0.5), [1.0, 1.0, 0.0, 0.0]);
}

#[test]
fn what_is_not_built_is_refused_by_name() {
    let refused = |algorithm, text: &str| {
        NoiseScheduler::new(algorithm, &SchedulerConfig::from_json(text).unwrap())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused(Algorithm::Euler, r#"{"use_karras_sigmas":true}"#),
        "scheduler config asks for use_karras_sigmas = `true`, which is not supported"
    );
    assert!(refused(Algorithm::Lcm, r#"{"thresholding":true}"#).contains("thresholding"));
    assert!(refused(Algorithm::Ddim, r#"{"beta_schedule":"sigmoid"}"#).contains("`sigmoid`"));
    assert!(refused(Algorithm::Ddim, r#"{"trained_betas":[0.1]}"#).contains("trained_betas"));
    let pndm = SchedulerConfig::from_json(r#"{"_class_name":"PNDMScheduler"}"#).unwrap();
    assert!(
        NoiseScheduler::from_config(&pndm)
            .unwrap_err()
            .to_string()
            .contains("`PNDMScheduler`")
    );
}

#[test]
fn zero_terminal_signal_needs_another_prediction() {
    let rescaled =
        r#","rescale_betas_zero_snr":true,"timestep_spacing":"trailing","prediction_type":"#;
    let epsilon = scheduler(Algorithm::Ddim, &format!(r#"{rescaled}"epsilon""#));
    assert!(matches!(
        epsilon.plan(2, 1.0, Rule::Generic),
        Err(NoiseError::ZeroSignal(999))
    ));
    let velocity = scheduler(Algorithm::Ddim, &format!(r#"{rescaled}"v_prediction""#));
    assert!(velocity.plan(2, 1.0, Rule::Generic).is_ok());
}

#[test]
fn the_seed_is_the_noise() {
    let (first, again, other) = (
        draw_noise(7, &[2, 3], 2),
        draw_noise(7, &[2, 3], 2),
        draw_noise(8, &[2, 3], 1),
    );
    assert_eq!(first[1], again[1]);
    assert_ne!(first[0], first[1]);
    assert_ne!(first[0], other[0]);
}

#[test]
fn a_first_step_beyond_all_reckoning_is_refused() {
    for algorithm in [Algorithm::Euler, Algorithm::Ddim] {
        for offset in [1000, usize::MAX] {
            let config = format!(r#","timestep_spacing":"leading","steps_offset":{offset}"#);
            let refused = scheduler(algorithm, &config).plan(4, 1.0, Rule::Generic);
            let refusal = refused.unwrap_err().to_string();
            assert!(refusal.contains(&offset.to_string()), "{refusal}");
        }
    }
}
