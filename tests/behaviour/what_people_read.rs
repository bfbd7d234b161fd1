//! What people and programs read and rely on: schemas, help, lists, messages. A change is looked at, and then taken with
//! `cargo insta review`.

use insta::assert_snapshot;
use limn_pipeline::{LoadContext, Registry};
use limn_pipelines::REGISTRY;
use limn_server::{Config, listing};
use limn_tests::alone::alone;
use limn_tests::painters;

/// The schema of a row, for people to look at in a review.
fn schema(registry: &Registry, name: &str) -> String {
    let (entry, row) = registry.find(name).unwrap();
    let door = (entry.door)(row);
    serde_json::to_string_pretty(door.schema()).unwrap()
}

#[test]
fn schemas() {
    for entry in REGISTRY.entries {
        for row in entry.rows {
            assert_snapshot!(format!("schema-{}", row.id), schema(&REGISTRY, row.id));
        }
    }
}

#[test]
fn help() {
    if !alone("what_people_read::help", &[("COLUMNS", "100")]) {
        return;
    }
    let help = |args: &[&str]| Config::read(args).unwrap_err().to_string();
    assert_snapshot!("help", help(&["server", "--help"]));
    let short = help(&["server", "-h"]);
    let readme = std::fs::read_to_string(limn_tests::workspace().join("README.md")).unwrap();
    assert!(
        readme.contains(&format!("```text\n{short}```")),
        "README.md does not show the flags as they are; put this between ```text and ```:\n{short}"
    );
    assert_snapshot!("help-bench", help(&["server", "bench", "--help"]));
}

#[test]
fn the_list_of_pipelines() {
    assert_snapshot!("list-pipelines", listing::text(&painters::REGISTRY));
}

#[test]
fn messages() {
    let door = |name: &str| {
        let (entry, row) = painters::REGISTRY.find(name).unwrap();
        (entry.door)(row)
    };
    let door = door("brush");
    let refused = |patch: &str| {
        let patch = serde_json::from_str(patch).unwrap();
        door.apply(door.defaults(), &patch, limn_pipeline::Unknown::Refuse)
            .unwrap_err()
            .to_string()
    };
    let (entry, row) = painters::REGISTRY.find("broken").unwrap();
    let load = (entry.load)(&LoadContext::default(), row).err().unwrap();
    let unknown = |name, guarded| {
        let listing = listing::Listing::new(painters::REGISTRY, Some(name), None, guarded);
        listing.err().unwrap().to_string()
    };
    let messages = [
        unknown("nonesuch", false),
        unknown("passthrough", true),
        load.to_string(),
        refused(r#"{"red": 300}"#),
        refused(r#"{"red": 1.5}"#),
        refused(r#"{"red": "much"}"#),
        refused(r#"{"red": [1]}"#),
        refused(r#"{"width": 65}"#),
        refused(r#"{"width": 2048}"#),
        refused(r#"{"colour": 1}"#),
        refused(&format!(r#"{{"diary": "{}"}}"#, "a".repeat(101))),
    ];
    assert_snapshot!("messages", messages.join("\n"));
}
