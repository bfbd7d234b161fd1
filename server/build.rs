//! Where the server finds libtorch when it starts, and when the page inside it is old.
//!
//! libtorch: a RUNPATH, which is asked after LD_LIBRARY_PATH, with two places relative to the binary: the `.libtorch` of the
//! repository that it was built in, so that the repository can be moved, and a `.libtorch` beside the binary, so that
//! the two can be copied out of it together. A LIBTORCH outside the repository is named by its absolute path. The
//! tests find theirs by .cargo/config.toml.

use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var_os("CARGO_FEATURE_FRONTEND").is_some() {
        // The page's files have their hashes in their names, so new ones appear, which the compiler cannot know of.
        println!("cargo::rerun-if-changed=../frontend/dist");
    }
    if std::env::var_os("CARGO_FEATURE_TORCH").is_none() {
        return;
    }
    println!("cargo::rerun-if-env-changed=LIBTORCH");
    let origin = match path("CARGO_CFG_TARGET_OS").to_str() {
        Some("linux") => {
            println!("cargo::rustc-link-arg-bins=-Wl,--enable-new-dtags");
            "$ORIGIN"
        }
        Some("macos") => "@executable_path",
        // Windows looks beside the binary and in PATH, and has nothing to write into the binary.
        _ => return,
    };
    let places = [
        format!("{origin}/.libtorch/torch/lib"),
        from_binary(origin, &path("LIBTORCH").join("lib")),
    ];
    for place in places {
        println!("cargo::rustc-link-arg-bins=-Wl,-rpath,{place}");
    }
}

/// How the binary names `library`: by way of the repository if both lie in it, else by the absolute path.
fn from_binary(origin: &str, library: &Path) -> String {
    let manifest = path("CARGO_MANIFEST_DIR");
    let repository = manifest.parent().unwrap_or(&manifest);
    // <target>/<profile>/build/limn-server-<hash>/out
    let out = path("OUT_DIR");
    let binary = out.ancestors().nth(3).unwrap_or(&out);
    match (
        binary.strip_prefix(repository),
        library.strip_prefix(repository),
    ) {
        (Ok(binary), Ok(library)) => {
            let up = "../".repeat(binary.components().count());
            format!("{origin}/{up}{}", library.display())
        }
        _ => library.display().to_string(),
    }
}

fn path(variable: &str) -> PathBuf {
    std::env::var_os(variable).unwrap_or_default().into()
}
