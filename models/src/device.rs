//! Where the networks run and in which numbers.

use limn_torch_ext::cuda::{Cuda, CudaError, load_cuda};
use tch::{Device, Kind};

/// What `--device` and `--dtype` came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The device.
    pub device: Device,
    /// The kind of weights and activations: `Float`, `BFloat16` or `Half`.
    pub kind: Kind,
    /// One line for the log: what was taken, and why where `auto` chose or where the choice is a bad one.
    pub reason: String,
}

/// Why a device or a dtype cannot be had. One variant per reaction.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// No such name. Reaction: one of those listed.
    #[error("{flag} `{value}` is none of {known}")]
    Unknown {
        /// The flag.
        flag: &'static str,
        /// What was asked for.
        value: String,
        /// What there is.
        known: &'static str,
    },
    /// The machine lacks the device. Reaction: `--device auto`.
    #[error("device `{device}` is not there: {why}")]
    Absent {
        /// What was asked for.
        device: String,
        /// Why not.
        why: String,
    },
    /// CUDA is there and broken. Reaction: mend it, or `--device cpu`.
    #[error(transparent)]
    Cuda(#[from] CudaError),
}

/// What this machine has, as far as the choice depends on it.
#[derive(Debug, Clone)]
struct Machine {
    cuda: Cuda,
    cuda_devices: usize,
    mps: bool,
}

/// Chooses for `--device auto|cpu|cuda[:N]|mps` and `--dtype auto|f32|bf16|f16`.
///
/// `auto` takes CUDA before MPS before the CPU. Its numbers are f16 on GPUs; on the CPU bf16 where the processor
/// multiplies it by itself, else f32. f16 on a CPU is given to who asks for it by name, for comparing, with a warning.
///
/// Loads CUDA's library unless the CPU was asked for by name, so call it before anything else asks tch about CUDA.
///
/// # Errors
/// [`DeviceError`]; also on `auto` when CUDA's library is there and does not load: to paint on the CPU in silence on a
/// machine that was bought for its GPU would be no help.
pub fn resolve(device: &str, dtype: &str) -> Result<Chosen, DeviceError> {
    choose(device, dtype, || {
        let cuda = load_cuda()?;
        let cuda_devices = if cuda == Cuda::Loaded {
            usize::try_from(tch::Cuda::device_count()).unwrap_or(0)
        } else {
            0
        };
        Ok(Machine {
            cuda,
            cuda_devices,
            mps: tch::utils::has_mps(),
        })
    })
}

fn choose(
    device: &str,
    dtype: &str,
    machine: impl FnOnce() -> Result<Machine, CudaError>,
) -> Result<Chosen, DeviceError> {
    let (device, why) = match device {
        "cpu" => (Device::Cpu, None),
        "auto" => {
            let machine = machine()?;
            if machine.cuda_devices > 0 {
                (
                    Device::Cuda(0),
                    Some("the first CUDA device is there".to_owned()),
                )
            } else if machine.mps {
                (Device::Mps, Some("Apple's GPU is there".to_owned()))
            } else {
                (Device::Cpu, Some(no_cuda(&machine, 0)))
            }
        }
        "mps" => {
            if !machine()?.mps {
                return Err(absent(device, "this libtorch has no MPS".to_owned()));
            }
            (Device::Mps, None)
        }
        _ => {
            let index = match device.strip_prefix("cuda") {
                Some("") => Some(0),
                Some(rest) => rest.strip_prefix(':').and_then(|index| index.parse().ok()),
                None => None,
            };
            let Some(index) = index else {
                return Err(DeviceError::Unknown {
                    flag: "--device",
                    value: device.to_owned(),
                    known: "auto, cpu, cuda, cuda:N, mps",
                });
            };
            let machine = machine()?;
            if index >= machine.cuda_devices {
                return Err(absent(device, no_cuda(&machine, index)));
            }
            (Device::Cuda(index), None)
        }
    };
    let (kind, kind_why) = kind(dtype, device, cpu_bf16())?;
    let whys: Vec<String> = why.into_iter().chain(kind_why).collect();
    let mut reason = format!("device {}, dtype {}", device_name(device), kind_name(kind));
    if !whys.is_empty() {
        reason = format!("{reason}: {}", whys.join(", "));
    }
    Ok(Chosen {
        device,
        kind,
        reason,
    })
}

fn kind(
    dtype: &str,
    device: Device,
    cpu_bf16: Option<&str>,
) -> Result<(Kind, Option<String>), DeviceError> {
    let cpu = device == Device::Cpu;
    Ok(match dtype {
        "f32" => (Kind::Float, None),
        "bf16" if cpu && cpu_bf16.is_none() => (
            Kind::BFloat16,
            Some("slow, for this processor has no bf16 instructions".to_owned()),
        ),
        "bf16" => (Kind::BFloat16, None),
        // A product of 1024 x 1280 by 1280 x 1280 takes libtorch 2.11 53 times as long in f16 as in f32 on two cores
        // with AVX-512 and without AVX-512-FP16 (1688 ms against 32 ms; bf16 9 ms).
        "f16" if cpu => (
            Kind::Half,
            Some("very slow, for f16 is made for GPUs; take bf16 or f32".to_owned()),
        ),
        "f16" => (Kind::Half, None),
        "auto" if !cpu => (Kind::Half, Some("f16 is a GPU's fastest".to_owned())),
        "auto" => match cpu_bf16 {
            Some(feature) => (
                Kind::BFloat16,
                Some(format!("bf16 is multiplied natively by {feature}")),
            ),
            None => (
                Kind::Float,
                Some("the processor has no bf16 instructions".to_owned()),
            ),
        },
        _ => {
            return Err(DeviceError::Unknown {
                flag: "--dtype",
                value: dtype.to_owned(),
                known: "auto, f32, bf16, f16",
            });
        }
    })
}

fn absent(device: &str, why: String) -> DeviceError {
    DeviceError::Absent {
        device: device.to_owned(),
        why,
    }
}

fn no_cuda(machine: &Machine, index: usize) -> String {
    match &machine.cuda {
        Cuda::NoDriver => "no NVIDIA driver".to_owned(),
        Cuda::CpuOnly(folder) => {
            format!(
                "an NVIDIA driver, but libtorch was built for the CPU alone: {}",
                folder.display()
            )
        }
        Cuda::Loaded if machine.cuda_devices == 0 => {
            "an NVIDIA driver, but no device that answers".to_owned()
        }
        Cuda::Loaded => format!(
            "there are {} CUDA devices, counted from 0, and not number {index}",
            machine.cuda_devices
        ),
    }
}

/// The bf16 matrix instructions that oneDNN, libtorch's kernels on x86, would use here.
#[cfg(target_arch = "x86_64")]
fn cpu_bf16() -> Option<&'static str> {
    // Every processor with AMX-BF16, whose name here is not stable yet, has AVX512-BF16 beside it.
    std::is_x86_feature_detected!("avx512bf16").then_some("AVX512-BF16")
}

/// The bf16 matrix instructions that libtorch would use here. Its ARM kernels for bf16 we have not measured.
#[cfg(not(target_arch = "x86_64"))]
fn cpu_bf16() -> Option<&'static str> {
    None
}

fn device_name(device: Device) -> String {
    match device {
        Device::Cpu => "cpu".to_owned(),
        Device::Cuda(index) => format!("cuda:{index}"),
        Device::Mps => "mps".to_owned(),
        Device::Vulkan => "vulkan".to_owned(),
    }
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::BFloat16 => "bf16",
        Kind::Half => "f16",
        _ => "f32",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn machine(
        cuda: Cuda,
        cuda_devices: usize,
        mps: bool,
    ) -> impl FnOnce() -> Result<Machine, CudaError> {
        move || {
            Ok(Machine {
                cuda,
                cuda_devices,
                mps,
            })
        }
    }

    fn line(
        device: &str,
        dtype: &str,
        with: impl FnOnce() -> Result<Machine, CudaError>,
    ) -> String {
        choose(device, dtype, with).map_or_else(|error| error.to_string(), |chosen| chosen.reason)
    }

    #[test]
    fn auto_takes_the_best_there_is_and_says_why() {
        assert_eq!(
            line("auto", "auto", machine(Cuda::Loaded, 2, false)),
            "device cuda:0, dtype f16: the first CUDA device is there, f16 is a GPU's fastest"
        );
        assert_eq!(
            line("auto", "bf16", machine(Cuda::NoDriver, 0, true)),
            "device mps, dtype bf16: Apple's GPU is there"
        );
        assert_eq!(
            line("auto", "f32", machine(Cuda::NoDriver, 0, false)),
            "device cpu, dtype f32: no NVIDIA driver"
        );
    }

    #[test]
    fn a_processors_bf16_decides_the_cpus_dtype() {
        assert_eq!(
            kind("auto", Device::Cpu, Some("AVX512-BF16")).unwrap().0,
            Kind::BFloat16
        );
        assert_eq!(kind("auto", Device::Cpu, None).unwrap().0, Kind::Float);
        assert!(
            kind("f16", Device::Cpu, None)
                .unwrap()
                .1
                .unwrap()
                .starts_with("very slow")
        );
    }

    #[test]
    fn the_cpu_by_name_never_touches_cuda() {
        let chosen = choose("cpu", "f32", || Err(CudaError::NotLoaded)).unwrap();
        assert_eq!(
            chosen,
            Chosen {
                device: Device::Cpu,
                kind: Kind::Float,
                reason: "device cpu, dtype f32".into()
            }
        );
    }

    #[test]
    fn what_is_not_there_is_refused_with_its_reason() {
        assert_eq!(
            line("cuda:3", "auto", machine(Cuda::Loaded, 2, false)),
            "device `cuda:3` is not there: there are 2 CUDA devices, counted from 0, and not number 3"
        );
        assert_eq!(
            line("cuda", "auto", machine(Cuda::NoDriver, 0, false)),
            "device `cuda` is not there: no NVIDIA driver"
        );
        assert_eq!(
            line("tpu", "auto", machine(Cuda::NoDriver, 0, false)),
            "--device `tpu` is none of auto, cpu, cuda, cuda:N, mps"
        );
        assert_eq!(
            line("cuda:x", "auto", machine(Cuda::Loaded, 1, false)),
            "--device `cuda:x` is none of auto, cpu, cuda, cuda:N, mps"
        );
        assert_eq!(
            line("cpu", "int8", machine(Cuda::NoDriver, 0, false)),
            "--dtype `int8` is none of auto, f32, bf16, f16"
        );
    }

    #[test]
    fn a_broken_cuda_is_never_passed_over() {
        let broken = || {
            Err(CudaError::Load {
                reason: "libcudart.so.13: not found".into(),
                path: "/opt/libtorch_cuda.so".into(),
            })
        };
        assert_eq!(
            line("auto", "auto", broken),
            "cuda library cannot be loaded: libcudart.so.13: not found: /opt/libtorch_cuda.so"
        );
    }

    #[test]
    fn this_machine_has_a_device() {
        let chosen = resolve("auto", "auto").unwrap();
        let sum = (tch::Tensor::ones([2, 2], (chosen.kind, chosen.device)) * 2).sum(Kind::Float);
        assert_eq!(sum.double_value(&[]), 8.0);
    }
}
