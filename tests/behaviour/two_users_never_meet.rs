//! Two users never see each other's anything: pictures, parameters, prompts, even where they share device calls.

use limn_tests::camera::Camera;
use limn_tests::house::House;
use limn_tests::mjpeg::Viewer;
use limn_tests::pictures::{BLUE, Colour, RED, plain, shows};
use serde_json::json;

const FRAMES: usize = 80;

/// Sends its colour, alternately as a picture and as parameters, and looks at every part of its stream.
async fn user(mut camera: Camera, mut viewer: Viewer, own: Colour, other: Colour, together: &str) {
    let parts = async {
        for _ in 0..FRAMES {
            let part = viewer.next().await.expect("the stream goes on");
            assert!(
                shows(&part.bytes, own),
                "somebody else's picture: {:?}",
                limn_tests::pictures::colour(&part.bytes)
            );
        }
    };
    let frames = async {
        for number in 0_u32.. {
            let prompt = if number % 2 == 0 { "copy" } else { "fill" };
            let params = json!({
                "prompt": prompt, "together": together, "millis": number % 5, "width": 64, "height": 64,
                "red": own[0], "green": own[1], "blue": own[2],
            });
            // A shade of its own each time, since an unchanged picture is not painted again.
            let shade = own.map(|channel| channel + (number % 4) as u8);
            camera.frame(&params, &plain(shade)).await;
        }
    };
    tokio::select! {
        () = parts => {}
        () = frames => {}
    }
    assert!(!shows(&plain(other), own), "the colours differ");
}

async fn both(house: House, together: &str) {
    let keys = [
        "11111111-0000-4000-8000-000000000001",
        "22222222-0000-4000-8000-000000000002",
    ];
    let red = (house.camera(keys[0]).await, house.watch(keys[0]).await);
    let blue = (house.camera(keys[1]).await, house.watch(keys[1]).await);
    tokio::join!(
        user(red.0, red.1, RED, BLUE, together),
        user(blue.0, blue.1, BLUE, RED, together)
    );
    for (key, colour) in keys.into_iter().zip([RED, BLUE]) {
        if let Some(red) = house.session(key).params().get("red") {
            assert_eq!(red, &json!(colour[0]));
        }
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_after_the_other_on_the_device() {
    both(House::open(&[]), "").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_shared_device_calls() {
    both(House::open(&[]), "both").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_the_cpu() {
    both(House::open(&["--pipeline", "passthrough"]), "").await;
}
