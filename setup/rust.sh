#!/usr/bin/env bash
# The Rust toolchain: looks, and says what to run; it belongs to the user and is not ours to install.
# `setup/rust.sh test` asks for rustfmt and clippy as well.
set -euo pipefail
cd "$(dirname "$0")/.."

oldest=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)

refuse() {
    printf '%s\n  %s\n' "$1" "$2" >&2
    exit 1
}

if ! command -v cargo >/dev/null; then
    refuse "limn needs Rust $oldest or newer. Run this line, then try again:" \
        "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y"
fi
if ! version=$(cargo --version 2>/dev/null); then
    refuse "limn needs Rust $oldest or newer, and rustup has none. Run this line, then try again:" "rustup default stable"
fi
version=$(cut -d ' ' -f 2 <<<"$version")
if [ "$(printf '%s\n' "$oldest" "$version" | sort -V | head -n 1)" != "$oldest" ]; then
    refuse "limn needs Rust $oldest or newer and this is $version. Run this line, then try again:" "rustup update stable"
fi
if [ "${1-}" = test ] && ! { cargo fmt --version && cargo clippy --version; } >/dev/null 2>&1; then
    refuse "the tests need rustfmt and clippy. Run this line, then try again:" "rustup component add rustfmt clippy"
fi
