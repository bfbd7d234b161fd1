//! A source on the command line. What clap says of a refused value has the value in it, and that may have a password.

use std::ffi::OsStr;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Command, Error};

use super::url::{SourceError, SourceUrl};

/// Reads `--source`; a refusal shows what may be shown.
#[derive(Clone)]
pub struct SourceFlag;

impl TypedValueParser for SourceFlag {
    type Value = SourceUrl;

    fn parse_ref(
        &self,
        command: &Command,
        _: Option<&Arg>,
        value: &OsStr,
    ) -> Result<SourceUrl, Error> {
        let url = value.to_string_lossy().parse();
        url.map_err(|error: SourceError| {
            let message = format!("`--source`: {error}");
            command.clone().error(ErrorKind::ValueValidation, message)
        })
    }
}
