//! A picture is compressed once, however many watch.

use limn_tests::house::{House, until};
use limn_tests::pictures::{plain, shows};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_viewers_share_each_encoding() {
    let house = House::open(&[]);
    let owner = house.begin(json!({"params": {"prompt": "fill"}})).await;
    let mut viewers = Vec::new();
    for _ in 0..8 {
        viewers.push(house.watch(&owner.id).await);
    }
    until("they watch", || house.session(&owner.id).viewers() == 8).await;
    owner.send(&plain([9, 9, 9])).await;
    for number in 1..=10_u8 {
        let colour = [number * 24, 0, 255 - number * 24];
        owner
            .patch(json!({"red": colour[0], "blue": colour[2]}))
            .await;
        for viewer in &mut viewers {
            viewer.until(|jpeg| shows(jpeg, colour)).await;
        }
    }
    // The first picture, and one for each patch; the first patch may have overtaken the picture.
    let encodings = house.session(&owner.id).stats().encodings();
    assert!((10..=11).contains(&encodings), "{encodings} encodings");
    assert_eq!(encodings, house.count(&owner.id, "painted"));
    house.close().await;
}
