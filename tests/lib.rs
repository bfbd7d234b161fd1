//! What the test binaries share: where the fixtures lie.
