//! `/api/settings` and `/api/queue`, as the Real-Time Latent Consistency Model server's page reads them.

use limn_tests::house::House;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_settings_are_those_of_the_first_row() {
    let house = House::open(&["--pipeline", "canny", "--max-queue-size", "3"]);
    let settings = house.ask("GET", "/api/settings", &Value::Null).await.json();
    assert_eq!(settings["max_queue_size"], 3);
    assert!(settings["page_content"].as_str().unwrap().contains("<h1>"));
    let info = &settings["info"]["properties"];
    assert_eq!(info["input_mode"]["default"], "image");
    let properties = settings["input_params"]["properties"].as_object().unwrap();
    for side in ["width", "height"] {
        assert_eq!(properties[side]["default"], 512);
    }
    for (name, property) in properties {
        assert_eq!(property["id"], Value::from(name.as_str()));
        for key in ["default", "title", "type"] {
            assert!(!property[key].is_null(), "{name} has no {key}: {property}");
        }
        match property["field"].as_str() {
            Some("range") => {
                for bound in ["min", "max", "step"] {
                    assert!(property[bound].is_number(), "{name}: {property}");
                }
            }
            Some("checkbox" | "textarea" | "seed") | None => {}
            other => panic!("{name} is drawn as {other:?}"),
        }
    }
    house.close().await;
    let house = House::open(&["--pipeline", "words"]);
    let settings = house.ask("GET", "/api/settings", &Value::Null).await.json();
    let info = &settings["info"]["properties"];
    assert_eq!(info["input_mode"]["default"], "text");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_queue_counts_the_sessions_that_run() {
    let house = House::open(&[]);
    for expected in 0..3 {
        let queue = house.ask("GET", "/api/queue", &Value::Null).await.json();
        assert_eq!(queue, json!({"queue_size": expected}));
        house.begin(json!({})).await;
    }
    house.close().await;
}
