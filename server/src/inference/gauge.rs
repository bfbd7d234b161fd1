//! How full the device's memory is, looked at now and then.

use std::io;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use limn_pipeline::{DeviceMemory, Registry};

use crate::lock::lock;
use crate::metrics::resident_bytes;

/// Between one look and the next.
pub const PAUSE: Duration = Duration::from_secs(2);

/// What was seen last.
pub struct Gauge(Arc<Mutex<Option<DeviceMemory>>>);

impl Gauge {
    /// Starts looking, on a thread of its own, which ends with this.
    ///
    /// # Errors
    /// If there is no thread to be had.
    pub fn start(registry: &Registry, device: String) -> io::Result<Self> {
        let last = Arc::default();
        let kept = Arc::downgrade(&last);
        let measure = registry.memory;
        thread::Builder::new()
            .name("limn-memory".to_owned())
            .spawn(move || {
                while let Some(last) = kept.upgrade() {
                    let now = measure(&device).or_else(of_this_process);
                    *lock(&last) = now;
                    drop(last);
                    thread::sleep(PAUSE);
                }
            })?;
        Ok(Self(last))
    }

    /// `None` before the first look, and where nobody says.
    pub fn read(&self) -> Option<DeviceMemory> {
        *lock(&self.0)
    }
}

/// A device without a memory of its own has its weights where everything else of the process is.
fn of_this_process() -> Option<DeviceMemory> {
    Some(DeviceMemory {
        used: resident_bytes()? as u64,
        total: of_the_machine()?,
    })
}

#[cfg(target_os = "linux")]
fn of_the_machine() -> Option<u64> {
    let system = rustix::system::sysinfo();
    Some(system.totalram * u64::from(system.mem_unit))
}

#[cfg(not(target_os = "linux"))]
fn of_the_machine() -> Option<u64> {
    None
}
