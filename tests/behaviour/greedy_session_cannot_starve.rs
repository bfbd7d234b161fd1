//! The device is shared by time: a session whose frames are quick is not held up by those whose frames are slow.

use limn_tests::house::{House, Owner, until};
use limn_tests::pictures::plain;
use serde_json::json;

/// Keeps a frame waiting for its turn, always another, for as long as it is polled.
async fn busy(house: &House, owner: &Owner) {
    let session = house.session(&owner.id);
    for number in 0_u8.. {
        session.upload(Some(plain([number.wrapping_mul(16), 0, 0]).into()));
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        if number == u8::MAX {
            break;
        }
    }
    std::future::pending().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_greedy_and_a_shy_one() {
    let house = House::open(&[]);
    let mut greedy = Vec::new();
    for _ in 0..3 {
        greedy.push(
            house
                .begin(json!({"params": {"prompt": "copy", "millis": 60}}))
                .await,
        );
    }
    let shy = house
        .begin(json!({"params": {"prompt": "copy", "millis": 1}}))
        .await;
    let painted = |owner: &Owner| house.count(&owner.id, "painted");
    let all = || greedy.iter().map(painted).sum::<u64>();
    tokio::select! {
        _ = async { tokio::join!(busy(&house, &greedy[0]), busy(&house, &greedy[1]), busy(&house, &greedy[2]), busy(&house, &shy)) } => {}
        () = until("the device is busy", || all() >= 30) => {}
    }
    // In turn, it would have a third of theirs; by device time it goes first whenever it waits.
    let (shy, all) = (painted(&shy), all());
    assert!(
        shy as f64 > all as f64 * 0.6,
        "{shy} frames, and {all} of the greedy ones"
    );
    for owner in &greedy {
        let own = painted(owner);
        assert!(own * 5 > all, "greedy ones share alike: {own} of {all}");
    }
    house.close().await;
}
