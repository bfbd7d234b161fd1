//! How long each stage of a frame takes on its device.
//!
//! A GPU runs behind the host, so a clock on the host would time the asking and not the work: there the marks are CUDA
//! events in the stream, read after the frame. On the CPU they are instants.

use std::ffi::c_void;
use std::ptr;
use std::time::{Duration, Instant};

use tch::Device;

use crate::cuda::CudaError;
use crate::runtime::{Code, check, symbol};

/// `cudaEvent_t`, a pointer to a struct that is the runtime's own.
type RawEvent = *mut c_void;

/// The CUDA runtime's functions that the clock needs, by their C names.
#[derive(Clone, Copy)]
struct Runtime {
    get_device: unsafe extern "C" fn(*mut i32) -> Code,
    set_device: unsafe extern "C" fn(i32) -> Code,
    create: unsafe extern "C" fn(*mut RawEvent) -> Code,
    record: unsafe extern "C" fn(RawEvent, *mut c_void) -> Code,
    synchronize: unsafe extern "C" fn(RawEvent) -> Code,
    elapsed: unsafe extern "C" fn(*mut f32, RawEvent, RawEvent) -> Code,
    destroy: unsafe extern "C" fn(RawEvent) -> Code,
}

impl Runtime {
    fn load() -> Result<Self, CudaError> {
        // SAFETY: each signature is that of `cuda_runtime_api.h`, unchanged since CUDA 3; the library stays loaded until
        // the process ends, so the pointers taken out of it stay good.
        unsafe {
            Ok(Self {
                get_device: symbol("cudaGetDevice")?,
                set_device: symbol("cudaSetDevice")?,
                create: symbol("cudaEventCreate")?,
                record: symbol("cudaEventRecord")?,
                synchronize: symbol("cudaEventSynchronize")?,
                elapsed: symbol("cudaEventElapsedTime")?,
                destroy: symbol("cudaEventDestroy")?,
            })
        }
    }
}

/// One CUDA event, destroyed with its owner.
struct Event {
    runtime: Runtime,
    raw: RawEvent,
}

// SAFETY: the runtime's calls on an event may come from any thread; only `&mut` holders record into it.
unsafe impl Send for Event {}

impl Event {
    fn new(runtime: Runtime, device: i32) -> Result<Self, CudaError> {
        on_device(runtime, device, || {
            let mut raw = ptr::null_mut();
            // SAFETY: `raw` is a place to write one pointer to.
            check("cudaEventCreate", unsafe { (runtime.create)(&mut raw) })?;
            Ok(Self { runtime, raw })
        })
    }

    /// Puts the event behind all work that the default stream has been given.
    fn record(&mut self, device: i32) -> Result<(), CudaError> {
        on_device(self.runtime, device, || {
            // SAFETY: `raw` is a live event of this device; a null stream is the default one, on which libtorch works.
            check("cudaEventRecord", unsafe {
                (self.runtime.record)(self.raw, ptr::null_mut())
            })
        })
    }

    fn wait(&self) -> Result<(), CudaError> {
        // SAFETY: `raw` is a live event.
        check("cudaEventSynchronize", unsafe {
            (self.runtime.synchronize)(self.raw)
        })
    }

    fn since(&self, earlier: &Self) -> Result<Duration, CudaError> {
        let mut millis = 0.0f32;
        // SAFETY: both are live events that were recorded and, by `wait` on the last of the stream, have passed.
        check("cudaEventElapsedTime", unsafe {
            (self.runtime.elapsed)(&mut millis, earlier.raw, self.raw)
        })?;
        Ok(Duration::from_secs_f64(f64::from(millis.max(0.0)) / 1e3))
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: `raw` is live and not used again; the runtime defers the end until a pending record is through.
        // A failure here has no reader: it would repeat the failure of an earlier call on a lost device.
        let _ = unsafe { (self.runtime.destroy)(self.raw) };
    }
}

/// Runs `call` with `device` current and gives the thread its own device back, which libtorch may rely on.
fn on_device<T>(
    runtime: Runtime,
    device: i32,
    call: impl FnOnce() -> Result<T, CudaError>,
) -> Result<T, CudaError> {
    let mut before = 0;
    // SAFETY: `before` is a place to write one int to.
    check("cudaGetDevice", unsafe {
        (runtime.get_device)(&mut before)
    })?;
    // SAFETY: takes a number; one that names no device is answered by an error.
    check("cudaSetDevice", unsafe { (runtime.set_device)(device) })?;
    let result = call();
    // SAFETY: as above; `before` was current a moment ago.
    check("cudaSetDevice", unsafe { (runtime.set_device)(before) })?;
    result
}

enum Marks {
    Host(Vec<Instant>),
    Cuda {
        runtime: Runtime,
        device: i32,
        events: Vec<Event>,
    },
}

/// Times the stages of one frame after another: [`start`](Self::start), a [`mark`](Self::mark) at the end of each stage,
/// [`read`](Self::read). For the device thread; it is used again for the next frame, and its events with it.
pub struct StageClock {
    marks: Marks,
    stages: Vec<&'static str>,
}

impl StageClock {
    /// A clock for work on `device`: events on CUDA, instants elsewhere. (On MPS instants time the asking only.)
    ///
    /// # Errors
    /// When the device is CUDA and its library is not loaded, or lacks the functions.
    pub fn new(device: Device) -> Result<Self, CudaError> {
        let marks = match device {
            Device::Cuda(index) => Marks::Cuda {
                runtime: Runtime::load()?,
                device: i32::try_from(index).unwrap_or(i32::MAX),
                events: Vec::new(),
            },
            _ => Marks::Host(Vec::new()),
        };
        Ok(Self {
            marks,
            stages: Vec::new(),
        })
    }

    /// Forgets the last frame and begins the first stage.
    ///
    /// # Errors
    /// When the CUDA runtime fails.
    pub fn start(&mut self) -> Result<(), CudaError> {
        self.stages.clear();
        if let Marks::Host(instants) = &mut self.marks {
            instants.clear();
        }
        self.record(0)
    }

    /// Ends `stage` and begins the next one. Waits for nothing.
    ///
    /// # Errors
    /// When the CUDA runtime fails.
    pub fn mark(&mut self, stage: &'static str) -> Result<(), CudaError> {
        self.stages.push(stage);
        self.record(self.stages.len())
    }

    /// Each stage since [`start`](Self::start) with its time on the device, in order; waits until the last one is through.
    ///
    /// # Errors
    /// When the CUDA runtime fails: also for a fault in the work itself, which shows first here.
    pub fn read(&self) -> Result<Vec<(&'static str, Duration)>, CudaError> {
        let count = self.stages.len();
        if count == 0 {
            return Ok(Vec::new());
        }
        let times: Vec<Duration> = match &self.marks {
            Marks::Host(instants) => instants.windows(2).map(|pair| pair[1] - pair[0]).collect(),
            Marks::Cuda { events, .. } => {
                events[count].wait()?;
                events[..=count]
                    .windows(2)
                    .map(|pair| pair[1].since(&pair[0]))
                    .collect::<Result<_, _>>()?
            }
        };
        Ok(self.stages.iter().copied().zip(times).collect())
    }

    fn record(&mut self, index: usize) -> Result<(), CudaError> {
        match &mut self.marks {
            Marks::Host(instants) => instants.push(Instant::now()),
            Marks::Cuda {
                runtime,
                device,
                events,
            } => {
                if events.len() == index {
                    events.push(Event::new(*runtime, *device)?);
                }
                events[index].record(*device)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn stages_come_back_in_order_with_their_times() {
        let mut clock = StageClock::new(Device::Cpu).unwrap();
        for _ in 0..2 {
            clock.start().unwrap();
            clock.mark("quick").unwrap();
            std::thread::sleep(Duration::from_millis(5));
            clock.mark("slow").unwrap();
            let times = clock.read().unwrap();
            assert_eq!(
                times.iter().map(|(stage, _)| *stage).collect::<Vec<_>>(),
                ["quick", "slow"]
            );
            assert!(times[1].1 >= Duration::from_millis(5), "{times:?}");
            assert!(times[0].1 < times[1].1, "{times:?}");
        }
    }

    #[test]
    fn events_without_cuda_are_an_error_and_not_a_guess() {
        // Nothing in this binary's tests loads CUDA on a machine that has none.
        if crate::cuda::load_cuda().is_ok_and(|found| found != crate::cuda::Cuda::Loaded) {
            assert!(matches!(
                StageClock::new(Device::Cuda(0)),
                Err(CudaError::NotLoaded)
            ));
        }
    }

    #[test]
    fn a_clock_that_was_not_started_reads_nothing() {
        assert!(
            StageClock::new(Device::Cpu)
                .unwrap()
                .read()
                .unwrap()
                .is_empty()
        );
    }
}
