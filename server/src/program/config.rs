//! What the operator says of the program.

use clap::{Args, ValueEnum};
use limn_pipeline::Size;
use schemars::JsonSchema;
use serde::Serialize;

/// What is on air.
#[derive(Args, Clone, Debug)]
pub struct ProgramConfig {
    /// Which session is on air where none is pinned; by default `newest` on a loopback address and `consented` elsewhere
    #[arg(long, env = "LIMN_FOLLOW", value_enum)]
    pub follow: Option<Follow>,
    /// Give the program a size and a rate of its own, as 1280x720@30: pictures are scaled, letterboxed and paced
    #[arg(long, env = "LIMN_PROGRAM", value_name = "WxH@FPS")]
    pub program: Option<Format>,
}

/// Which session is on air where none is pinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Follow {
    /// The newest that shows a picture.
    Newest,
    /// The newest that shows a picture and whose owner switched "on air" on.
    Consented,
}

/// A size and a rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Format {
    /// Of each picture.
    pub size: Size,
    /// Pictures a second.
    pub fps: f64,
}

impl std::str::FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a size and a rate like `1280x720@30`");
        let (size, fps) = text.split_once('@').ok_or_else(wrong)?;
        let size: Size = size.parse().map_err(|_| wrong())?;
        let fps: f64 = fps.parse().map_err(|_| wrong())?;
        let even = size.width.is_multiple_of(2) && size.height.is_multiple_of(2);
        if !even || size.width.max(size.height) > 8192 || !(1.0..=240.0).contains(&fps) {
            return Err(format!(
                "`{text}`: sides are even and up to 8192, the rate is 1 to 240"
            ));
        }
        Ok(Self { size, fps })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_read_as_people_write_it() {
        let format: Format = "1280x720@29.97".parse().unwrap();
        assert_eq!((format.size, format.fps), (Size::new(1280, 720), 29.97));
        for wrong in ["1280x720", "1281x720@30", "1280x720@0", "0x0@30", "big@30"] {
            assert!(wrong.parse::<Format>().unwrap_err().contains(wrong));
        }
    }
}
