//! What the safety checker flags is shown with words over it, counted and told; and a server that was asked to check does not
//! start without a checker.

use limn_server::{Config, start};
use limn_tests::alone::alone;
use limn_tests::house::{House, until};
use limn_tests::mjpeg::Listener;
use limn_tests::painters;
use limn_tests::pictures::{RED, colour, plain, shows};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_stand_over_a_flagged_picture_and_go_with_the_flag() {
    let house = House::open(&[]);
    let [red, green, blue] = RED;
    let params = json!({"prompt": "flag", "red": red, "green": green, "blue": blue, "width": 256, "height": 256});
    let owner = house.begin(json!({ "params": params })).await;
    let mut events = Listener::open(house.address(), &owner.id, Some(&owner.control)).await;
    let mut viewer = house.watch(&owner.id).await;
    owner.send(&plain(RED)).await;
    let (_, part) = viewer
        .until(|jpeg| colour(jpeg)[0] > colour(jpeg)[1] + 30)
        .await;
    let hidden = part.bytes;
    assert!(!shows(&hidden, RED), "{:?}", colour(&hidden));
    let picture = image::load_from_memory(&hidden).unwrap().into_rgb8();
    let white = picture
        .pixels()
        .filter(|pixel| pixel.0.iter().all(|value| *value > 150));
    assert!(white.count() > 100, "no words");
    until("it is counted", || house.count(&owner.id, "flagged") == 1).await;
    let report = events.status("report").await;
    assert_eq!(report["report"], json!({"kind": "flagged"}));

    owner.patch(json!({"prompt": ""})).await;
    viewer.until(|jpeg| shows(jpeg, RED)).await;
    until("it is counted", || house.count(&owner.id, "painted") == 2).await;
    assert_eq!(house.count(&owner.id, "flagged"), 1);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_cannot_check_does_not_start() {
    let config = Config::read(["server", "--port", "0", "--safety-checker=nowhere"]).unwrap();
    let Err(error) = start(&config, painters::REGISTRY) else {
        panic!("it paints unchecked")
    };
    assert_eq!(
        error.to_string(),
        "`--safety-checker`: cannot load `nowhere`: its weights are nowhere; look for them"
    );
    House::open(&["--safety-checker"]).close().await;
}

#[test]
fn the_flag_alone_means_the_checker_that_everybody_has() {
    if !alone(
        "flagged_pictures_are_hidden::the_flag_alone_means_the_checker_that_everybody_has",
        &[("LIMN_SAFETY_EVERY", "3")],
    ) {
        return;
    }
    let read = |flags: &[&str]| Config::read(["server"].iter().chain(flags));
    let inference = read(&["--safety-checker"]).unwrap().inference;
    assert_eq!(
        inference.safety_checker.as_deref(),
        Some("CompVis/stable-diffusion-safety-checker")
    );
    assert_eq!(inference.safety_every, 3);
    assert_eq!(read(&[]).unwrap().inference.safety_checker, None);
    assert!(read(&["--safety-every", "0"]).is_err());
}
