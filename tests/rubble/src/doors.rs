//! The doors that parameters go through, of every row that is built.

use std::sync::LazyLock;

use limn_pipeline::Unknown;
use limn_server::listing::{Choice, Listing};
use serde_json::{Map, Value};

/// What can be painted with.
pub static LISTING: LazyLock<Listing> = LazyLock::new(|| {
    Listing::new(limn_pipelines::REGISTRY, None, None, false).expect("the registry has a first row")
});

/// At every row's door.
pub fn knock(patch: &Map<String, Value>) {
    for choice in LISTING.rows() {
        enter(&choice, patch);
    }
}

/// Whatever a door lets in it lets in again, it paints a picture of some size, and the first row can take it over.
///
/// # Panics
/// If one of those laws is broken.
pub fn enter(choice: &Choice, patch: &Map<String, Value>) {
    let Choice { row, door, .. } = choice;
    // A refusal is told in words, whatever the value was.
    if let Err(error) = door.apply(door.defaults(), patch, Unknown::Refuse) {
        assert!(!error.to_string().is_empty());
    }
    let Ok(set) = door.apply(door.defaults(), patch, Unknown::Ignore) else {
        return;
    };
    let again = door.apply(door.defaults(), set.as_map(), Unknown::Refuse);
    assert_eq!(again.as_ref(), Ok(&set), "row `{}`", row.id);
    assert!(set.size().area() > 0, "row `{}`", row.id);
    if set != *door.defaults() {
        let first = &LISTING.first().door;
        let taken = first.adopt(&set);
        let again = first.apply(&taken, taken.as_map(), Unknown::Refuse);
        assert_eq!(again.as_ref(), Ok(&taken), "from row `{}`", row.id);
    }
}
