//! Inside the server: http -> session -> {ingest, inference -> scheduler, encode, fanout}; stages never import each other.
//! And the server never names `tch`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Each module and what it may import. `address`, `cell`, `listing`, `lock`, `picture`, `pool`, `refusal`, `scale` and `tally` are the ground that stages stand on.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("address", &[]),
    ("cell", &[]),
    ("lettering", &[]),
    ("listing", &[]),
    ("lock", &[]),
    ("metrics", &[]),
    ("ndi", &[]),
    ("picture", &[]),
    ("scale", &[]),
    ("seconds", &[]),
    ("tally", &["lock"]),
    ("pool", &[]),
    ("refusal", &["ingest", "listing"]),
    ("access", &["lock", "session"]),
    ("telemetry", &["lock"]),
    ("shutdown", &[]),
    ("ingest", &["cell", "lettering", "lock", "ndi", "scale"]),
    ("scheduler", &[]),
    (
        "inference",
        &[
            "listing",
            "lock",
            "metrics",
            "scheduler",
            "seconds",
            "telemetry",
        ],
    ),
    ("encode", &["picture", "scale"]),
    (
        "fanout",
        &[
            "metrics",
            "cell",
            "lettering",
            "lock",
            "ndi",
            "picture",
            "pool",
        ],
    ),
    (
        "screen",
        &[
            "metrics", "cell", "encode", "fanout", "lock", "picture", "pool",
        ],
    ),
    (
        "program",
        &[
            "metrics", "cell", "fanout", "ingest", "lock", "picture", "pool", "screen", "session",
        ],
    ),
    (
        "session",
        &[
            "seconds",
            "metrics",
            "cell",
            "fanout",
            "inference",
            "ingest",
            "lettering",
            "listing",
            "lock",
            "picture",
            "pool",
            "refusal",
            "screen",
        ],
    ),
    (
        "http",
        &[
            "seconds",
            "metrics",
            "access",
            "address",
            "fanout",
            "inference",
            "ingest",
            "listing",
            "lock",
            "osc",
            "picture",
            "program",
            "refusal",
            "screen",
            "session",
            "tally",
        ],
    ),
    ("osc", &["program", "session"]),
    ("bench", &["config", "encode", "listing", "picture"]),
    ("doctor", &["config"]),
    (
        "config",
        &[
            "telemetry",
            "access",
            "bench",
            "encode",
            "fanout",
            "http",
            "inference",
            "ingest",
            "ndi",
            "osc",
            "program",
            "session",
        ],
    ),
    (
        "run",
        &[
            "doctor",
            "telemetry",
            "metrics",
            "access",
            "bench",
            "config",
            "fanout",
            "http",
            "inference",
            "ingest",
            "listing",
            "osc",
            "pool",
            "program",
            "session",
            "shutdown",
        ],
    ),
];

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| {
            if path.is_dir() {
                rust_files(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// A file without its tests and comments, which may look further.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]").next().unwrap();
    code.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// The modules named by `crate::name` and `crate::{name, name::...}`.
fn imports(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for rest in code.split("crate::").skip(1) {
        let names = match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap(),
            None => rest,
        };
        let many = names.len() < rest.len();
        let take = if many { usize::MAX } else { 1 };
        for name in names.split(',').take(take) {
            let name: String = name
                .trim()
                .chars()
                .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
                .collect();
            found.push(name);
        }
    }
    found
}

#[test]
fn imports_follow_the_road() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/src");
    let allowed: BTreeMap<_, _> = MAY_IMPORT.iter().copied().collect();
    let mut count = 0;
    for path in rust_files(&source) {
        let inside = path.strip_prefix(&source).unwrap();
        let module = inside.components().next().unwrap().as_os_str();
        let module = module.to_str().unwrap().trim_end_matches(".rs");
        if matches!(module, "main" | "lib") {
            continue;
        }
        let may = allowed
            .get(module)
            .unwrap_or_else(|| panic!("`{module}` has no place on the road; give it one here"));
        for name in imports(&code(&path)) {
            count += 1;
            assert!(
                name == module || may.contains(&name.as_str()),
                "{}: `{module}` must not import `{name}`",
                inside.display()
            );
        }
    }
    assert!(count > 40, "only {count} imports were found");
}

#[test]
fn the_server_never_names_tch() {
    let server = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server");
    let manifest = std::fs::read_to_string(server.join("Cargo.toml")).unwrap();
    assert!(!manifest.contains("tch"), "server/Cargo.toml");
    for path in rust_files(&server.join("src")) {
        let code = code(&path);
        let words = code.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
        for word in words {
            assert!(
                !["tch", "limn_models", "limn_torch_ext"].contains(&word),
                "{} names `{word}`",
                path.display()
            );
        }
    }
}

#[test]
fn this_test_can_see() {
    assert_eq!(imports("use crate::cell::{Feed, Inlet};\n"), ["cell"]);
    assert_eq!(
        imports("use crate::{bench, http::error};"),
        ["bench", "http"]
    );
    assert_eq!(
        imports("crate::encode::encode(a, b); crate::Config"),
        ["encode", "Config"]
    );
}
