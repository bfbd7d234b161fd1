//! What sources there are on the network.

use std::ffi::CStr;
use std::sync::Arc;
use std::time::Duration;

use crate::sys::{self, Functions};
use crate::{Ndi, NdiError, maybe, pointer};

/// A source that somebody sends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// `MACHINE (NAME)`.
    pub name: String,
    /// Where it is, as `10.0.0.2:5961`; a hint, of the library's own kind.
    pub address: String,
}

impl Found {
    /// Whether `wanted` means it: the whole name, or what stands between its brackets.
    pub fn is_called(&self, wanted: &str) -> bool {
        let inner = self.name.split_once(" (").map(|(_, rest)| rest);
        self.name == wanted || inner.and_then(|rest| rest.strip_suffix(')')) == Some(wanted)
    }
}

/// Looks for sources, for as long as it lives; what it knows grows in its first seconds.
pub struct Finder {
    functions: Arc<Functions>,
    instance: sys::Instance,
}

// SAFETY: the library's finders may be used from any thread; one at a time, which `&mut self` sees to.
unsafe impl Send for Finder {}

impl Finder {
    /// Looks on this network, in `groups` (a list with commas; everybody's where there is none), and at machines whose
    /// addresses are known (another list with commas), which other networks may hold.
    ///
    /// # Errors
    /// If the library makes none.
    pub fn new(ndi: &Ndi, groups: Option<&str>, extra_ips: Option<&str>) -> Result<Self, NdiError> {
        let (groups, extra_ips) = (maybe(groups)?, maybe(extra_ips)?);
        let create = sys::FindCreate {
            show_local: true,
            groups: pointer(groups.as_ref()),
            extra_ips: pointer(extra_ips.as_ref()),
        };
        // SAFETY: the strings live until the call is over, which copies them.
        let instance = unsafe { (ndi.0.find_create)(&raw const create) };
        if instance.is_null() {
            return Err(NdiError::Denied("look for sources"));
        }
        Ok(Self {
            functions: Arc::clone(&ndi.0),
            instance,
        })
    }

    /// All that are known now.
    pub fn sources(&mut self) -> Vec<Found> {
        let mut count = 0;
        // SAFETY: the instance lives, and `count` is there to be written.
        let first = unsafe { (self.functions.find_current)(self.instance, &raw mut count) };
        if first.is_null() {
            return Vec::new();
        }
        // SAFETY: so many stand there, and stay until the next call, which `&mut self` holds off.
        let sources = unsafe { std::slice::from_raw_parts(first, count as usize) };
        let mut found: Vec<_> = sources
            .iter()
            .map(|source| Found {
                name: text(source.name),
                address: text(source.address),
            })
            .collect();
        found.sort();
        found
    }

    /// Waits until there are more or fewer, at most for `patience`.
    pub fn wait(&mut self, patience: Duration) {
        // SAFETY: the instance lives.
        unsafe { (self.functions.find_wait)(self.instance, patience.as_millis() as u32) };
    }
}

fn text(pointer: *const std::ffi::c_char) -> String {
    if pointer.is_null() {
        return String::new();
    }
    // SAFETY: the library ends its strings with a zero.
    let text = unsafe { CStr::from_ptr(pointer) };
    text.to_string_lossy().into_owned()
}

impl Drop for Finder {
    fn drop(&mut self) {
        // SAFETY: nobody uses the instance again.
        unsafe { (self.functions.find_destroy)(self.instance) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_meant_by_its_whole_name_or_by_its_own() {
        let found = Found {
            name: "STAGE (Limn (left))".to_owned(),
            address: String::new(),
        };
        assert!(found.is_called("STAGE (Limn (left))"));
        assert!(found.is_called("Limn (left)"));
        assert!(!found.is_called("Limn"));
        assert!(!found.is_called("STAGE"));
    }
}
