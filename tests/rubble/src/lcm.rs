//! A text message of the Real-Time LCM server's socket, which our own page speaks: what is said goes where the socket takes
//! it, parameters to the doors and names to the list of rows. The socket of `/frames` takes no words.

use limn_server::http::compat::lcm_said::Said;

use crate::{doors, text};

/// # Panics
/// Never, if all is well.
pub fn read(input: &[u8]) {
    match Said::read(text::of(input)) {
        Some(Said::Params(patch) | Said::Bare(patch)) => doors::knock(&patch),
        Some(Said::Pipeline(Some(name))) => {
            if let Err(error) = doors::LISTING.choose(Some(&name)) {
                assert!(error.to_string().contains(&name));
            }
        }
        _ => {}
    }
}
