//! Every reader of bytes from strangers as a function of nothing but bytes: it may refuse them, and must not panic, hang or
//! take memory without bound. `make fuzz` feeds these what libFuzzer finds, `make test` what stands in `tests/seeds.rs`.

pub mod access;
#[cfg(feature = "torch")]
pub mod checkpoint;
pub mod config;
pub mod doors;
pub mod lcm;
pub mod multipart;
pub mod osc;
pub mod pictures;
pub mod query;
pub mod text;

/// A reader: bytes in, nothing out.
pub type Reader = fn(&[u8]);

/// All of them, by the names of their fuzz targets.
pub const READERS: &[(&str, Reader)] = &[
    ("access", access::read),
    #[cfg(feature = "torch")]
    ("checkpoint", checkpoint::read),
    ("config", config::read),
    ("lcm", lcm::read),
    ("multipart", multipart::read),
    ("osc", osc::read),
    ("pictures", pictures::read),
    ("query", query::read),
];
