//! A viewer that goes is noticed, whether pictures come or not.

use limn_tests::house::{House, until};
use limn_tests::pictures::{RED, plain};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_a_silent_stream_and_from_one_that_runs() {
    let house = House::open(&[]);
    let owner = house.begin(json!({})).await;
    let viewers = || house.session(&owner.id).viewers();
    for picture in [false, true] {
        if picture {
            owner.send(&plain(RED)).await;
        }
        let (first, second) = (house.watch(&owner.id).await, house.watch(&owner.id).await);
        until("both watch", || viewers() == 2).await;
        drop(first);
        until("the first is gone", || viewers() == 1).await;
        drop(second);
        until("the second is gone", || viewers() == 0).await;
    }
    house.close().await;
}
