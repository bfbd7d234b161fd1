//! Frame to tensor and back: where bytes on the host become numbers on the device.
//!
//! As diffusers' `VaeImageProcessor` (0.42.1): bytes / 255 going in, `round(255 * clamp(x / 2 + 0.5))` coming out, with
//! halves rounded to even.

use limn_pipeline::{Frame, PipelineError, Size};
use tch::{Device, Kind, TchError, Tensor};

/// Pictures of one size as `[B, 3, H, W]`, RGB in 0..1, f32 on `device`; channels-last by strides.
///
/// # Errors
/// When torch refuses, for want of memory.
pub fn upload(frames: &[&Frame], device: Device) -> Result<Tensor, TchError> {
    let mut pictures = Vec::with_capacity(frames.len());
    for frame in frames {
        let Size { width, height } = frame.size();
        let bytes = Tensor::f_from_slice(frame.pixels())?;
        pictures.push(bytes.f_view([1, i64::from(height), i64::from(width), 3])?);
    }
    // Bytes cross to the device, a quarter of what floats would be.
    let bytes = if pictures.len() == 1 {
        pictures.remove(0)
    } else {
        Tensor::f_cat(&pictures, 0)?
    };
    bytes
        .f_to_device(device)?
        .f_to_kind(Kind::Float)?
        .f_div_scalar(255.0)?
        .f_permute([0, 3, 1, 2])
}

/// From 0..1 to the -1..1 that autoencoders read, the same shape.
///
/// # Errors
/// When torch refuses, for want of memory.
pub fn centre(picture: &Tensor) -> Result<Tensor, TchError> {
    picture.f_mul_scalar(2.0)?.f_sub_scalar_(1.0)
}

/// Which of the pictures `[B, 3, H, W]` are numbers throughout, `[B]` of bool: a sum is none if one of its parts is none. A
/// network in half precision can overflow, and what is no number would pass for black.
///
/// # Errors
/// When torch refuses, for want of memory.
pub fn sound(pictures: &Tensor) -> Result<Tensor, TchError> {
    pictures
        .f_sum_dim_intlist([1i64, 2, 3].as_slice(), false, Kind::Float)?
        .f_isfinite()
}

/// `[B]` of bool, to the host. Asked for after [`download`], it waits for nothing.
///
/// # Errors
/// When torch refuses.
pub fn verdicts(of: &Tensor) -> Result<Vec<bool>, TchError> {
    Vec::try_from(&of.f_to_device(Device::Cpu)?)
}

/// Painted pictures `[B, 3, H, W]`, RGB in about -1..1, as frames. The only place where the host waits for the device.
///
/// # Errors
/// When torch refuses: for want of memory, or for a fault in the work before, which shows first here.
pub fn download(pictures: &Tensor) -> Result<Vec<Frame>, PipelineError> {
    let read = || -> Result<(Vec<u8>, i64, Size), TchError> {
        let (batch, _, height, width) = pictures.size4()?;
        let bytes = pictures
            .f_permute([0, 2, 3, 1])?
            .f_to_kind(Kind::Float)?
            .f_mul_scalar(0.5)?
            .f_add_scalar_(0.5)?
            .f_clamp_(0.0, 1.0)?
            .f_mul_scalar_(255.0)?
            .f_round_()?
            .f_to_kind(Kind::Uint8)?
            .f_contiguous()?
            .f_to_device(Device::Cpu)?;
        let mut host = vec![0; bytes.numel()];
        bytes.f_copy_data_u8(&mut host, bytes.numel())?;
        Ok((host, batch, Size::new(width as u32, height as u32)))
    };
    let (host, batch, size) =
        read().map_err(|error| crate::stages::fault::torch(pictures.device(), &error))?;
    let host = bytes::Bytes::from(host);
    (0..batch as usize)
        .map(|index| {
            let from = index * size.area() * 3;
            Frame::rgb8(size, host.slice(from..from + size.area() * 3))
                .map_err(|error| PipelineError::failed("pixels", error))
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_the_way_there_and_back() {
        let size = Size::new(16, 16);
        let pixels: Vec<u8> = (0..size.area() * 3)
            .map(|index| (index * 7 % 256) as u8)
            .collect();
        let frame = Frame::rgb8(size, pixels).unwrap();
        let black = Frame::filled(size, [0; 3]);
        let tensor = upload(&[&frame, &black], Device::Cpu).unwrap();
        assert_eq!(tensor.size(), [2, 3, 16, 16]);
        assert_eq!(tensor.stride()[1], 1, "channels last");
        let back = download(&centre(&tensor).unwrap()).unwrap();
        assert!(back[0].same_picture(&frame) && back[1].same_picture(&black));
    }

    #[test]
    fn what_is_too_bright_or_too_dark_is_cut_off() {
        let tensor = Tensor::from_slice(&[-7.0f32, 0.0, 3.0]).view([1, 3, 1, 1]);
        assert_eq!(download(&tensor).unwrap()[0].pixels()[..], [0, 128, 255]);
    }
}
